"""Run the app on the pretend engine: to look at screens and measure keys: `python -m tests.tui.play ...`"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import sys
import tempfile
from pathlib import Path

from engine.runs import RunState
from engine.settings import Settings
from tests.tui.fakes import FakeEngine, make_engine
from tui.app import ProofsheetApp
from tui.terminal import Terminal, probe


async def simulate(engine: FakeEngine, scan: bool) -> None:
    """A training run that has curves, so that there is something to look at."""
    done = engine.runs.begin("scan")
    engine.runs.end(done.id, RunState.DONE)
    embed = engine.runs.begin("embed")
    engine.runs.end(embed.id, RunState.DONE)
    train = engine.runs.begin("train", project="mojo1")
    engine.runs.tell(train.id, "log", level="info", message="212 sets, 40 held out, encoder builtin-1 (simulated)")
    for step in range(1, 31):
        engine.runs.measure(
            train.id,
            step,
            loss=1.1 * math.exp(-step / 9) + 0.3,
            held_out_accuracy=0.74 - 0.24 * math.exp(-step / 7),
        )
        engine.runs.tell(train.id, "progress", done=step, total=40, message=f"epoch {step}")
    engine.runs.tell(train.id, "log", level="warning", message="2 sets have fewer than two images and were left out")
    if scan:
        engine.runs.begin("scan")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=40)
    parser.add_argument("--images", type=int, default=3)
    parser.add_argument("--refusals", type=int, default=0)
    parser.add_argument("--theme", default="darkroom")
    parser.add_argument("--screen", default="ranking")
    parser.add_argument("--pictures", default="half")
    parser.add_argument("--learned", action="store_true")
    parser.add_argument("--runs", action="store_true")
    args = parser.parse_args()
    folder = Path(tempfile.gettempdir()) / f"proofsheet-play-{args.sets}-{args.images}"
    engine = make_engine(folder, args.sets, args.images, args.refusals, size=(640, 480))
    if args.learned:
        engine.ranking.model = "ranker_v4"
    if args.runs:
        asyncio.run(simulate(engine, scan=False))
    terminal = probe() if sys.stdin.isatty() else Terminal()
    app = ProofsheetApp(
        engine.opened,
        settings=Settings(theme=args.theme),
        terminal=terminal,
        screen=args.screen,
        images=args.pictures,
    )
    code = app.run()
    if kept := os.environ.get("PLAY_VIEWS"):
        Path(kept).write_text(json.dumps(engine.views.kept))
    return code or 0


if __name__ == "__main__":
    sys.exit(main())
