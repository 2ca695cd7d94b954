"""The page of gaps, and the list's query line: bars lead to images, mistakes are said calmly, Tab completes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.library.query import QueryError
from tests.tui.conftest import NARROW, WIDE, Studio, check_snapshot, running
from tests.tui.fake_library import FakeLibrary
from tests.tui.fake_ranking import FakeRanking
from tests.tui.fakes import FakeEngine, make_engine
from tui.screens import inventory_words
from tui.screens.gaps import GapsScreen
from tui.screens.inventory_words import HEADS, widths
from tui.screens.refused import RefusedScreen

LAYOUTS = pytest.mark.parametrize(("size", "name"), [(WIDE, "wide"), (NARROW, "narrow")], ids=["wide", "narrow"])


async def gaps(studio: Studio) -> None:
    await studio.until(lambda: studio.page.mix is not None)
    await studio.press("g")
    await studio.until(lambda: isinstance(studio.page, GapsScreen) and studio.page.mix is not None)


@LAYOUTS
async def test_the_page_of_gaps(pictures: Path, size: tuple[int, int], name: str) -> None:
    async with running(make_engine(pictures / "six", refusals=3), size, screen="inventory") as studio:
        await gaps(studio)
        await studio.until(lambda: studio.says("formats", "want  70 %"))
        check_snapshot(f"gaps-{name}", studio.text)


async def test_enter_on_a_bar_lists_its_images(pictures: Path) -> None:
    async with running(make_engine(pictures / "six"), WIDE, screen="inventory") as studio:
        await gaps(studio)
        while studio.page.rows.value(studio.page.rows.cursor).of.axis != "project":
            await studio.press("right")
        await studio.press("down", "up", "enter")
        # The pretend library filters by plain text; what matters is the query that was asked.
        await studio.until(lambda: not isinstance(studio.page, GapsScreen) and studio.page.filter == "project:garden")
        await studio.until(lambda: studio.says("project:garden"))


def test_the_same_bar_chosen_again_narrows_no_further() -> None:
    assert inventory_words.narrowed("", "resolution:vga") == "resolution:vga"
    assert inventory_words.narrowed("camera:nikon", "resolution:vga") == "camera:nikon resolution:vga"
    assert inventory_words.narrowed("resolution:vga sunset", "resolution:vga") == "resolution:vga sunset"


async def test_heads_are_passed_over_and_every_end_is_reached(pictures: Path) -> None:
    async with running(make_engine(pictures / "six", refusals=3), NARROW, screen="inventory") as studio:
        await gaps(studio)
        page = studio.page
        assert page.rows.cursor == 1
        await studio.press("up")
        assert page.rows.cursor == 1, "the head of the first part is not to be chosen"
        for _ in range(5):
            await studio.press("j")
        assert page.rows.cursor == 7, "over the head of the second part"
        await studio.press("left")
        assert page.rows.cursor == 1
        await studio.press("end", "enter")
        await studio.until(lambda: isinstance(studio.page, RefusedScreen))
        await studio.press("escape")
        await studio.press("escape")
        await studio.until(lambda: studio.page.place == "inventory")


async def test_progress_and_what_manifests_say_otherwise_are_shown(pictures: Path) -> None:
    async with running(make_engine(pictures / "six"), WIDE, screen="inventory") as studio:
        await gaps(studio)
        await studio.press("end")
        await studio.until(lambda: studio.says("initial", "cropped", "counts.initial: the manifest says 20"))
        assert studio.says("1 difference from a manifest, below")


async def test_refused_files_are_counted_by_code(pictures: Path) -> None:
    engine = make_engine(pictures / "six", refusals=3)
    engine.library.refusals[0] = replace(engine.library.refusals[0], code="bomb")
    async with running(engine, WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.says("18 images"))
        await studio.press("r")
        await studio.until(lambda: studio.says("refused files  ·  3  ·  bomb 1  ·  "))


class Strict(FakeLibrary):
    """Refuses a query with a field that there is not."""

    async def ids(self, filter: str = "", *rest: Any, **more: Any) -> Any:
        if "camra:" in filter:
            raise QueryError("there is no field 'camra'", 1, 5, remedy="Did you mean camera?")
        return await super().ids(filter, *rest, **more)


async def test_a_query_that_cannot_be_read_leaves_the_list_as_it_was(pictures: Path) -> None:
    made = make_engine(pictures / "six")
    library = Strict(list(made.library.images_by_id.values()))
    async with running(FakeEngine(library, FakeRanking([])), WIDE, screen="inventory") as studio:
        await studio.until(lambda: len(studio.page.ids) == 18)
        await studio.press("slash", *"camra:x")
        await studio.until(lambda: studio.says("column 1: there is no field 'camra'", "Did you mean camera?"))
        assert len(studio.page.ids) == 18
        assert not studio.page.banner.message, "said calmly, below"
        await studio.press("escape")
        await studio.until(lambda: not studio.says("there is no field"))


async def test_tab_completes_what_is_typed_and_again_takes_the_next(pictures: Path) -> None:
    async with running(make_engine(pictures / "six"), WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.says("18 images"))
        await studio.press("slash", *"cam")
        await studio.until(lambda: studio.says("tab  camera:"))
        await studio.press("tab")
        field = studio.app.screen.query_one("#prompt-field")
        await studio.until(lambda: field.value == "camera:")
        await studio.press("n")
        await studio.until(lambda: studio.says("tab", '"Nokia 8"'))
        await studio.press("tab")
        await studio.until(lambda: field.value == 'camera:"NIKON D70"')
        await studio.press("tab")
        await studio.until(lambda: field.value == 'camera:"Nokia 8"')
        await studio.press("escape")
        await studio.until(lambda: not studio.page.filter)


async def test_what_is_not_studied_yet_is_left_blank(pictures: Path) -> None:
    async with running(make_engine(pictures / "six"), WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.page.rows.value(6) is not None)
        line = next(line for line in studio.text.splitlines() if "20250708_060702" in line)
        assert "NIKON" not in line
        assert studio.says("excellent", "NIKON D70")


async def test_an_empty_library_offers_no_gaps(pictures: Path) -> None:
    async with running(make_engine(pictures / "none", sets=0), WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.says("No images yet."))
        await studio.press("g")
        assert studio.page.place == "inventory"


@pytest.mark.parametrize("room", [20, 46, 72, 92, 120, 200])
def test_columns_fit_the_room_that_there_is(room: int) -> None:
    found = dict(zip(HEADS, widths(room), strict=True))
    assert sum(width + 2 for width in found.values() if width) - 2 <= max(room, 10)
    assert found["name"] >= 10
    if room >= 92:
        assert all(found.values())
