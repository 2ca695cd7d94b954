"""The screens on the real engine: a folder of images, the first set while the scan goes on, a verdict that lasts."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from engine.engine import Engine
from engine.settings import Settings
from engine.workspace import Workspace
from tests.tui.fake_pictures import STAGES, draw_scene, variation
from tui.app import ProofsheetApp
from tui.terminal import Terminal


def photograph(folder: Path, sets: int) -> Path:
    """Simulated pictures under the names of a generating workflow: three stages a set."""
    folder.mkdir()
    for number in range(sets):
        for place, stage in enumerate(STAGES):
            name = f"20250708_06{number:02d}{place:02d}_stage{place + 1}_{stage}.jpg"
            variation(draw_scene(number), place + number).save(folder / name, quality=88)
    return folder


async def until(pilot: Pilot[int], condition: Callable[[], Any], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        await pilot.pause(0.02)


def app_on(workspace: Workspace, **options: Any) -> ProofsheetApp:
    settings = Settings(actor="me", auto_train=False)
    return ProofsheetApp(
        lambda: Engine.open(workspace), settings=settings, terminal=Terminal(is_tty=False), images="half", **options
    )


async def test_a_folder_becomes_sets_a_pick_is_kept_and_the_view_comes_back(workspace: Workspace, tmp_path) -> None:
    folder = photograph(tmp_path / "mojo1", 4)
    app = app_on(workspace, paths=[folder])
    async with app.run_test(size=(140, 42)) as pilot:
        page: Any = app.page
        await until(pilot, lambda: page.shown is not None and page.suggestion is not None)
        assert page.shown.project == "mojo1"
        assert page.suggestion.model.startswith("baseline:")
        first = page.shown.id
        await pilot.press("3")
        await until(pilot, lambda: page.shown.id != first and not page.is_deciding)
        second = page.shown.id
        await pilot.press("u")
        await until(pilot, lambda: page.shown.id == first)
        await pilot.press("2")
        await until(pilot, lambda: page.shown.id == second and not page.is_deciding)
        await pilot.press("f3")
        await until(pilot, lambda: app.current_mode == "inventory" and len(app.page.ids) == 12)
        await until(pilot, lambda: app.page.rows.value(0) is not None)
        inventory = app.page
        assert inventory.rows.value(0).image.name.startswith("20250708_0600")
        await pilot.press("f4", "q")
    assert not app.unexpected
    async with Engine.open(workspace) as engine:
        (decision,) = await engine.review.standing("ranking")
        assert decision.subject == f"set:{first}"
    again = app_on(workspace)
    async with again.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: again.current_mode == "training")
        await until(pilot, lambda: bool(again.page.activities))
        await pilot.press("f2")
        await until(pilot, lambda: again.current_mode == "ranking" and again.page.shown is not None)
        assert again.page.shown.id == second
    assert not again.unexpected
