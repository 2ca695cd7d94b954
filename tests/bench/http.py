"""How many sessions a second `proofsheet serve` records for 50 clients, and whether `kill -9` loses one of them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from engine.store import Store
from engine.store.schema.experiments import resize_sessions
from engine.workspace import Workspace
from tests.bench.table import Row
from tests.engine.http.served import Client, Served, served

CLIENTS = 50
SECONDS = 8.0
OBJECTS = [
    {"type": "textbox", "left": 40 + 90 * n, "top": 60, "width": 80, "height": 40, "text": "Words", "fontSize": 18}
    for n in range(8)
]
CANVAS: dict[str, Any] = {"width": 1200, "height": 628, "objects": OBJECTS}


def _cpu(server: Served) -> float:
    times = psutil.Process(server.process.pid).cpu_times()
    return float(times.user + times.system)


async def _drive(server: Served, seconds: float) -> tuple[list[str], float]:
    """Sessions acknowledged until the server is killed, and how long that was."""
    acknowledged: list[str] = []
    begun, cpu = time.monotonic(), _cpu(server)

    async def client(number: int) -> None:
        connection = Client(server.port)
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            for turn in range(1_000_000):
                body = {
                    "userId": f"u{number}-{turn}",
                    "originalCanvas": CANVAS,
                    "targetDimensions": {"width": 1080, "height": 1920},
                }
                status, answer = await connection.send("POST", "/api/ai/resize-session", body)
                if status != 201:
                    raise RuntimeError(f"HTTP {status}: {answer}")
                acknowledged.append(answer["id"])
        connection.close()

    clients = [asyncio.create_task(client(number)) for number in range(CLIENTS)]
    await asyncio.sleep(seconds)
    spent = time.monotonic() - begun
    used = (_cpu(server) - cpu) / max(1, len(acknowledged))
    print(f"server: {used * 1000:.2f} ms of CPU a session", file=sys.stderr)
    server.process.kill()
    await asyncio.gather(*clients)
    return acknowledged, spent


def measure(seconds: float = SECONDS) -> dict[str, float]:
    """Sessions a second over loopback, client and server sharing this machine, and how many acknowledged were lost."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.init(Path(folder) / "workspace")
        with served(workspace.root) as server:
            acknowledged, spent = asyncio.run(_drive(server, seconds))
        store = Store.open(workspace.database_file)
        with store.reading() as connection:
            kept = set(connection.execute(resize_sessions.select().with_only_columns(resize_sessions.c.id)).scalars())
        store.close()
    lost = len(set(acknowledged) - kept)
    return {"sessions": len(acknowledged), "per_second": len(acknowledged) / spent, "lost": lost}


def http(_folder: Path) -> list[Row]:
    """The bench's row."""
    found = measure()
    return [
        Row(
            f"HTTP on loopback, {CLIENTS} clients: sessions recorded a second; lost after `kill -9`",
            "≥ 500; 0",
            f"{found['per_second']:,.0f}; {found['lost']:.0f} of {found['sessions']:,.0f}",
            found["per_second"] >= 500 and not found["lost"],
        )
    ]


if __name__ == "__main__":
    print(measure())
