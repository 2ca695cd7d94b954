"""Every screen as a grid of text, wide and at 80×24: a change of layout is seen in the diff, line by line.

Pictures are off here (their names stand in their places), so that only the app's own drawing is compared.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.runs import RunState
from tests.tui.conftest import NARROW, WIDE, Studio, check_snapshot, running
from tests.tui.fakes import make_engine

LAYOUTS = pytest.mark.parametrize(("size", "name"), [(WIDE, "wide"), (NARROW, "narrow")], ids=["wide", "narrow"])


def still(studio: Studio) -> str:
    """The screen without what differs from machine to machine: the folder of the pictures."""
    folder = str(Path(studio.engine.library.images_by_id[1].path.parent)) if studio.engine.library.images_by_id else ""
    lines = []
    for line in studio.text.splitlines():
        head, found, _ = line.partition(folder[:12]) if folder else (line, "", "")
        lines.append((head + "(folder)" if found else line).rstrip())
    return "\n".join(lines)


@LAYOUTS
async def test_ranking_with_a_model_and_a_training_run_behind(pictures, size, name: str) -> None:
    engine = make_engine(pictures / "six")
    engine.ranking.model = "ranker_v4"
    run = engine.runs.begin("train")
    engine.runs.tell(run.id, "progress", done=31, total=50, message="")
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        await studio.press("3")
        await studio.set_shown(2)
        await studio.until(lambda: studio.says("62 %", "1/1", "b 3"))
        await studio.press("left")
        check_snapshot(f"ranking-{name}", still(studio))


@LAYOUTS
async def test_ranking_without_sets(pictures, size, name: str) -> None:
    async with running(make_engine(pictures / "none", sets=0), size) as studio:
        await studio.until(lambda: studio.says("No sets yet."))
        check_snapshot(f"ranking-empty-{name}", still(studio))


@LAYOUTS
async def test_inventory(pictures, size, name: str) -> None:
    async with running(make_engine(pictures / "six", refusals=3), size, screen="inventory") as studio:
        await studio.until(lambda: studio.says("3 refused", "travels with it"))
        await studio.until(lambda: studio.page.picture._lines and studio.page.rows.value(0) is not None)
        check_snapshot(f"inventory-{name}", still(studio))


@LAYOUTS
async def test_refused_files(pictures, size, name: str) -> None:
    async with running(make_engine(pictures / "six", refusals=3), size, screen="inventory") as studio:
        await studio.press("r")
        await studio.until(lambda: studio.says("broken_002.jpg", "/photos/broken_000.jpg"))
        check_snapshot(f"refused-{name}", still(studio))


@LAYOUTS
async def test_training(pictures, size, name: str) -> None:
    engine = make_engine(pictures / "six")
    engine.ranking.model = "ranker_v4"
    engine.runs.end(engine.runs.begin("scan").id)
    engine.runs.end(engine.runs.begin("embed").id, RunState.FAILED, error="the disk is full")
    run = engine.runs.begin("train", project="mojo1")
    for step in range(1, 9):
        engine.runs.measure(run.id, step, loss=1 / step, held_out_accuracy=0.5 + step / 40)
    engine.runs.tell(run.id, "progress", done=8, total=40, message="epoch 8")
    async with running(engine, size, screen="training") as studio:
        await studio.until(lambda: studio.says("loss .125", "this ranker", "8/40"))
        await studio.until(lambda: len(studio.page.curves._plots) == 2 and studio.says("held out", "meters", "812/s"))
        check_snapshot(f"training-{name}", still(studio))


@LAYOUTS
async def test_help(pictures, size, name: str) -> None:
    async with running(make_engine(pictures / "six"), size) as studio:
        await studio.set_shown(1)
        await studio.press("question_mark")
        await studio.until(lambda: studio.says("Pick the marked image"))
        check_snapshot(f"help-{name}", still(studio))


def learned(pictures):
    """Six sets, and a model that suggests."""
    engine = make_engine(pictures / "six")
    engine.ranking.model = "ranker_v4"
    return engine


@LAYOUTS
async def test_approving_together(pictures, size, name: str) -> None:
    async with running(learned(pictures), size) as studio:
        await studio.set_shown(1)
        await studio.press("b")
        await studio.until(lambda: studio.says("enter approve 3"))
        check_snapshot(f"bulk-{name}", still(studio))


@LAYOUTS
async def test_nothing_to_approve_together(pictures, size, name: str) -> None:
    async with running(make_engine(pictures / "six"), size) as studio:
        await studio.set_shown(1)
        await studio.press("b")
        await studio.until(lambda: studio.says("Nothing can be approved unseen."))
        check_snapshot(f"bulk-nothing-{name}", still(studio))


@LAYOUTS
async def test_the_taste_card(pictures, size, name: str) -> None:
    async with running(learned(pictures), size) as studio:
        await studio.set_shown(1)
        await studio.press("T")
        await studio.until(lambda: studio.says("you prefer", "212"))
        check_snapshot(f"taste-{name}", still(studio))


@LAYOUTS
async def test_projects(pictures, size, name: str) -> None:
    async with running(learned(pictures), size) as studio:
        await studio.set_shown(1)
        await studio.until(lambda: studio.says("b 3"))
        await studio.press("P")
        await studio.until(lambda: studio.says("all projects", "garden"))
        check_snapshot(f"projects-{name}", still(studio))


@LAYOUTS
async def test_versions(pictures, size, name: str) -> None:
    async with running(learned(pictures), size, screen="training") as studio:
        await studio.press("v")
        await studio.until(lambda: studio.says("▸ v4", "surest part of the sets"))
        check_snapshot(f"versions-{name}", still(studio))
