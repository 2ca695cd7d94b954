"""A dropped connection: the app ends at once, the run behind it can be resumed, the verdicts are there."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from PIL import Image

from engine.engine import Engine
from engine.review import Verdict
from engine.workspace import Workspace
from tests.bench.terminal import Watched

CLI = [sys.executable, "-m", "tui.cli"]


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two sets of three stages each (drawn, simulated)."""
    folder = tmp_path / "mojo1"
    folder.mkdir()
    for scene in range(2):
        for stage, name in enumerate(("generated", "upscaled", "enhanced"), start=1):
            picture = Image.effect_noise((96, 72), 20 * stage + scene).convert("RGB")
            picture.save(folder / f"20250708_06{scene}{stage}00_stage{stage}_{name}.png")
    return folder


def test_a_dropped_connection_loses_nothing_and_leaves_no_process(pictures: Path, tmp_path: Path) -> None:
    workspace = Workspace.init(tmp_path / "workspace")
    with Watched([*CLI, "-w", str(workspace.root), "--images", "half", str(pictures)], size=(42, 140)) as app:
        app.until(b"upscaled", 30)
        app.settle()
        app.press(b"2")
        app.settle()
        code, seconds = app.hang_up()
    assert seconds < 2.5
    assert code == 129

    async def verdicts() -> list[Verdict]:
        async with Engine.open(workspace) as engine:
            return [one.verdict for one in await engine.review.standing("ranking")]

    assert len(asyncio.run(verdicts())) == 1
    assert not (workspace.logs / "crash.log").exists()
