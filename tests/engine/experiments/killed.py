"""A process that records sessions and tells of each once it is acknowledged, until it is killed."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from engine.engine import Engine
from engine.experiments import NewFeedback, NewSession
from engine.workspace import Workspace


async def main(root: Path) -> None:
    async with Engine.open(Workspace.locate(root)) as engine:

        async def client(name: str) -> None:
            while True:
                made = await engine.experiments.start_session(NewSession(name, "http", canvas={"objects": []}))
                print("session", made.id, flush=True)
                said = await engine.experiments.give_feedback(NewFeedback(made.id, rating=5, idempotency_key="one"))
                print("feedback", said.session_id, flush=True)

        await asyncio.gather(*(client(f"user-{number}") for number in range(8)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
