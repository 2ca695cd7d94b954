"""`proofsheet serve` as a process: what it acknowledged is on the disk, and the schema keeps its promises."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from engine.store import Store
from engine.store.schema.experiments import resize_sessions
from engine.workspace import Workspace
from tests.engine.experiments.designs import BANNER
from tests.engine.http.served import Client, Served, served
from tui.cli import main

CLIENTS = 12


def new(user: str) -> dict[str, Any]:
    return {"userId": user, "originalCanvas": BANNER, "targetDimensions": {"width": 1080, "height": 1920}}


async def until_killed(server: Served, after: int) -> list[str]:
    """Many clients record sessions until the server is killed in the middle; the acknowledged ids."""
    acknowledged: list[str] = []

    async def client(number: int) -> None:
        connection = Client(server.port)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            for turn in range(10_000):
                status, body = await connection.send("POST", "/api/ai/resize-session", new(f"u{number}-{turn}"))
                assert status == 201
                acknowledged.append(body["id"])
                if len(acknowledged) == after:
                    server.process.kill()
        connection.close()

    await asyncio.gather(*(client(number) for number in range(CLIENTS)))
    return acknowledged


def test_nothing_acknowledged_is_lost_by_a_kill(workspace: Workspace) -> None:
    with served(workspace.root) as server:
        acknowledged = asyncio.run(until_killed(server, after=150))
    assert len(acknowledged) >= 150
    store = Store.open(workspace.database_file)
    with store.reading() as connection:
        kept = set(connection.execute(resize_sessions.select().with_only_columns(resize_sessions.c.id)).scalars())
    store.close()
    assert set(acknowledged) <= kept


def test_a_taken_port_is_said(workspace: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = ["-w", str(workspace.root), "serve", "--port", str(taken.getsockname()[1])]
        done = CliRunner().invoke(main, words)
    assert done.exit_code == 1 and "--port" in done.stderr and "Traceback" not in done.stderr


def test_schemathesis_finds_nothing_with_all_its_checks_and_the_server_ends_when_told_to(
    workspace: Workspace, tmp_path: Path
) -> None:
    with served(workspace.root, ADMIN_SECRET_KEY="k") as server:
        command = [sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/openapi.json", "--checks", "all"]
        command += ["--max-examples", "5", "--phases", "fuzzing", "--seed", "7", "--no-color"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=150)
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) == 143
    assert done.returncode == 0, done.stdout[-6000:]
    assert "Tested: 5" in done.stdout
