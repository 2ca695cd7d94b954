"""Where processes are killed. `Yard` talks to a small server (this file, run as a module) that forks a child for every
request; the child applies, rolls back or recovers on a real tree, and may end itself by SIGKILL at a given point, or be
killed from outside at a given instant. The server has one thread and nothing heavy loaded, so that a fork is clean and
takes a millisecond.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.changes import Changes
from engine.workspace import Workspace

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Request:
    """`kill_at`: the point (counted from 0) where the process kills itself; with `torn`, after leaving half a line at
    the end of the journal. `kill_after`: seconds after which it is killed from outside."""

    do: str
    workspace: str
    id: str = ""
    kill_at: int | None = None
    torn: bool = False
    kill_after: float | None = None


@dataclass(frozen=True)
class Outcome:
    """How the child ended, the points it reached, and its error if it had one."""

    was_killed: bool
    points: list[str]
    error: str
    seconds: float


class Yard:
    """Runs requests one after the other, each in a process of its own."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.changes.yard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )

    def run(self, request: Request) -> Outcome:
        """Do it, and wait for the end of that process."""
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write(json.dumps(asdict(request)) + "\n")
        self._server.stdin.flush()
        return Outcome(**json.loads(self._server.stdout.readline()))

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait()


def _serve() -> None:
    for line in sys.stdin:
        print(json.dumps(asdict(_fork(Request(**json.loads(line))))), flush=True)


def _fork(request: Request) -> Outcome:
    ear, mouth = os.pipe()
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(ear)
        _work(request, mouth)
        os._exit(0)
    os.close(mouth)
    if request.kill_after is not None:
        time.sleep(request.kill_after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(ear) as said:
        lines = said.read().splitlines()
    _, status = os.waitpid(child, 0)
    errors = [line.removeprefix("error ") for line in lines if line.startswith("error ")]
    points = [line.removeprefix("point ") for line in lines if line.startswith("point ")]
    was_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return Outcome(was_killed, points, errors[0] if errors else "", time.monotonic() - began)


def _work(request: Request, mouth: int) -> None:
    count = 0

    def reached(point: str) -> None:
        nonlocal count
        os.write(mouth, f"point {point}\n".encode())
        if count == request.kill_at:
            if request.torn:
                with (Path(request.workspace) / "changes" / request.id / "journal.jsonl").open("ab") as journal:
                    journal.write(b'{"seq":99,"at":"2026-11-20T22:04:5')
            os.kill(os.getpid(), signal.SIGKILL)
        count += 1

    async def work() -> None:
        changes = Changes(Workspace(Path(request.workspace)), reached=reached)
        if request.do == "apply":
            await changes.apply(request.id)
        elif request.do == "rollback":
            await changes.rollback(request.id)
        else:
            stuck = [found.reason for found in await changes.recover() if not found.is_complete]
            assert not stuck, stuck

    try:
        asyncio.run(work())
    except BaseException as error:
        text = repr(error).replace("\n", " ")
        os.write(mouth, f"error {text}\n".encode())


if __name__ == "__main__":
    _serve()
