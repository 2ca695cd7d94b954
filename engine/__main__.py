"""A detached run's own process: `python -m engine WORKSPACE RUN_ID`. It outlives the terminal that started it."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from engine.engine import Engine
from engine.runs import RunState
from engine.workspace import Workspace


async def carry_out(workspace: Path, run_id: str) -> int:
    """Carry one recorded run out; 0 when it finished its work. A SIGTERM stops it cleanly, resumable."""
    async with Engine.open(Workspace.init(workspace)) as engine:
        task = asyncio.ensure_future(engine.runs.execute_detached(run_id))
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            run = await task
        except asyncio.CancelledError:
            return 130
        return 0 if run.state is RunState.DONE else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(carry_out(Path(sys.argv[1]), sys.argv[2])))
