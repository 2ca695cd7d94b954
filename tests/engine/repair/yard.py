"""Where processes that apply fixes are killed: a small server (this file, run as a module) that forks a child for every
request. The child opens the engine on a workspace and applies, takes back or only looks; it may end itself by SIGKILL
at a given point, or be killed from outside at a given instant.
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

from engine.engine import Engine
from engine.workspace import Workspace
from tests.engine.repair.workshop import with_patterns

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Request:
    """`do`: apply, rollback or look. `kill_at`: the point (by name) at which the process kills itself; `kill_after`:
    seconds after which it is killed from outside."""

    do: str
    workspace: str
    ids: list[str]
    kill_at: str = ""
    kill_after: float | None = None


@dataclass(frozen=True)
class Ending:
    """How the child ended, what it said, and how long it took."""

    was_killed: bool
    said: list[str]
    seconds: float


class Yard:
    """Runs requests one after the other, each in a process of its own."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.engine.repair.yard"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            text=True,
        )

    def run(self, request: Request) -> Ending:
        """Do it, and wait for the end of that process."""
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.write(json.dumps(asdict(request)) + "\n")
        self._server.stdin.flush()
        return Ending(**json.loads(self._server.stdout.readline()))

    def close(self) -> None:
        """End the server."""
        assert self._server.stdin is not None and self._server.stdout is not None
        self._server.stdin.close()
        self._server.stdout.close()
        self._server.wait()


def _serve() -> None:
    for line in sys.stdin:
        print(json.dumps(asdict(_fork(Request(**json.loads(line))))), flush=True)


def _fork(request: Request) -> Ending:
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
    was_killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    return Ending(was_killed, lines, time.monotonic() - began)


def _work(request: Request, mouth: int) -> None:
    def reached(point: str) -> None:
        os.write(mouth, f"{point}\n".encode())
        if point == request.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    async def work() -> None:
        async with Engine.open(Workspace(Path(request.workspace))) as engine:
            with_patterns(engine)
            engine.changes._reached = reached
            fixes = engine.repair.fixes
            if request.do == "apply":
                done = await fixes.apply(request.ids, tests="true")
                os.write(mouth, f"answer {json.dumps(done.document()['applied'])}\n".encode())
            elif request.do == "rollback":
                await fixes.rollback(request.ids[0])
            states = sorted({fix.state.value for fix in await fixes.every()})
            os.write(mouth, f"states {' '.join(states)}\n".encode())

    try:
        asyncio.run(work())
    except BaseException as error:
        text = repr(error).replace("\n", " ")
        os.write(mouth, f"error {text}\n".encode())


if __name__ == "__main__":
    _serve()
