"""The duplicates screen, by its keys: whom to keep, what goes, what is remembered, and every state's face."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from engine.review import Verdict
from engine.runs import RunState
from tests.tui.conftest import NARROW, WIDE, Studio, check_snapshot, running
from tests.tui.fake_duplicates import FakeDuplicates, moved_meanwhile, with_duplicates
from tests.tui.fakes import FakeEngine
from tui.screens import duplicates_words as words
from tui.screens.zoom import ZoomScreen

both = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


@pytest.fixture
def engine(pictures) -> FakeEngine:
    return with_duplicates(pictures / "six")


def door(engine: FakeEngine) -> FakeDuplicates:
    return engine.duplicates  # type: ignore[attr-defined, no-any-return]


def at(engine: FakeEngine, size=WIDE):
    return running(engine, size, screen="duplicates")


async def on_table(studio: Studio, name: str) -> None:
    await studio.until(
        lambda: studio.page.group is not None and studio.page.group.id == name and not studio.page.is_deciding
    )


@both
async def test_enter_keeps_the_suggested_one_and_the_next_group_comes(engine: FakeEngine, size) -> None:
    async with at(engine, size) as studio:
        await on_table(studio, "exact-0")
        assert studio.says("★", "enter keep ★")
        await studio.press("enter")
        await on_table(studio, "same-1")
        first = door(engine).all[0]
        assert door(engine).verdicts == [(("exact-0",), first.keeper, False, Verdict.APPROVED)]
        assert studio.says("✓ 2 to the trash, kept")


async def test_arrows_and_numbers_choose_another_keeper(engine: FakeEngine) -> None:
    async with at(engine) as studio:
        await on_table(studio, "exact-0")
        await studio.press("down")
        await on_table(studio, "same-1")
        await studio.press("right")
        assert studio.says("enter keep 2", "4.0× the pixels")
        await studio.press("3", "enter")
        await on_table(studio, "same-2")
        assert door(engine).verdicts[0][1] == door(engine).all[1].members[2].image.id


async def test_differences_are_named(engine: FakeEngine) -> None:
    async with at(engine) as studio:
        await on_table(studio, "exact-0")
        assert studio.says("identical")
        await studio.press("down")
        assert studio.says("largest", "25% of the pixels")


async def test_x_says_these_are_no_duplicates(engine: FakeEngine) -> None:
    async with at(engine) as studio:
        await on_table(studio, "exact-0")
        await studio.press("x")
        await on_table(studio, "same-1")
        assert door(engine).verdicts[0][3] is Verdict.REJECTED
        assert studio.says("✗ not duplicates")


@both
async def test_undo_brings_the_group_and_its_files_back(engine: FakeEngine, size) -> None:
    async with at(engine, size) as studio:
        await on_table(studio, "exact-0")
        await studio.press("enter")
        await on_table(studio, "same-1")
        await studio.press("u")
        await on_table(studio, "exact-0")
        assert studio.says("2 files are back")
        await studio.press("u")
        await studio.until(lambda: studio.says("nothing left to undo"))


async def test_all_identical_files_go_after_a_question(pictures) -> None:
    engine = with_duplicates(pictures / "six", groups=6)
    async with at(engine) as studio:
        await on_table(studio, door(engine).all[0].id)
        await studio.press("b")
        assert studio.says("move 4 identical files of 2 groups to the trash?")
        await studio.press("enter")
        await on_table(studio, door(engine).all[2].id)
        assert door(engine).verdicts[0][0] == ("exact-4", "exact-0")
        await studio.press("b")
        assert not studio.says("identical files of")


def first_two_then(duplicates: FakeDuplicates, rest: asyncio.Event) -> None:
    """Two groups at once, every one (also those decided meanwhile) when `rest` is set."""

    async def portions(project=None, distance=None):
        every = await duplicates.groups(is_counted=False)
        yield replace(every, groups=every.groups[:2])
        await rest.wait()
        yield every

    duplicates.portions = portions  # type: ignore[method-assign]


async def test_the_first_groups_can_be_decided_while_others_are_formed(engine: FakeEngine) -> None:
    rest = asyncio.Event()
    first_two_then(door(engine), rest)
    async with at(engine) as studio:
        await on_table(studio, "exact-0")
        assert studio.says("group 1 of 2")
        await studio.press("enter")
        await on_table(studio, "same-1")
        assert studio.says("group 1 of 1", "✓ 2 to the trash, kept")
        rest.set()
        await studio.until(lambda: studio.says("group 1 of 3"))
        await on_table(studio, "same-1")
        await studio.until(lambda: studio.page.images is not None)
        assert studio.says("group 1 of 3", "2 copied · 1 burst")


async def test_one_kind_can_be_chosen_while_others_are_formed(engine: FakeEngine) -> None:
    rest = asyncio.Event()
    first_two_then(door(engine), rest)
    engine.views.kept["duplicates"] = {"group": "exact-0"}  # where it was left is of another kind
    async with at(engine) as studio:
        await on_table(studio, "exact-0")
        await studio.press("f", "f")
        await on_table(studio, "same-1")
        assert studio.says("group 1 of 1")
        await studio.press("f")
        await studio.until(lambda: studio.says("Looking for duplicates"))
        rest.set()
        await on_table(studio, "burst-3")
        assert studio.says("group 1 of 1")


async def test_the_group_on_the_table_stays_when_others_of_its_kind_come(engine: FakeEngine) -> None:
    rest = asyncio.Event()
    duplicates = door(engine)

    async def portions(project=None, distance=None):
        every = await duplicates.groups(is_counted=False)
        yield replace(every, groups=tuple(one for one in every.groups if one.id != "same-1"))
        await rest.wait()
        yield every

    duplicates.portions = portions  # type: ignore[method-assign]
    engine.views.kept["duplicates"] = {"group": "burst-3"}
    async with at(engine) as studio:
        await on_table(studio, "burst-3")
        await studio.press("f", "f")
        await on_table(studio, "same-2")
        rest.set()
        await studio.until(lambda: studio.says("of 2"))
        await on_table(studio, "same-2")


async def test_the_question_can_be_left(engine: FakeEngine) -> None:
    async with at(engine) as studio:
        await on_table(studio, "exact-0")
        await studio.press("b", "escape")
        assert not door(engine).verdicts


async def test_one_kind_only(engine: FakeEngine) -> None:
    async with at(engine) as studio:
        await on_table(studio, "exact-0")
        await studio.until(lambda: studio.page.images is not None)
        await studio.press("f", "f")
        await on_table(studio, "same-1")
        assert studio.says("group 1 of 2")
        await studio.press("f")
        await on_table(studio, "burst-3")
        await studio.press("x")
        await studio.until(lambda: studio.says("No bursts.", "show another kind"))


async def test_metadata_is_merged_when_asked_for(engine: FakeEngine) -> None:
    async with at(engine) as studio:
        await on_table(studio, "exact-0")
        await studio.press("m", "down")
        assert studio.says("the others add 1 keyword")
        await studio.press("m")
        assert studio.says("merging 1 keyword")
        await studio.press("enter")
        await on_table(studio, "same-2")
        assert door(engine).verdicts[0][2] is True


async def test_what_could_not_be_moved_is_said_and_nothing_is_lost(engine: FakeEngine) -> None:
    door(engine).failure = moved_meanwhile()
    async with at(engine) as studio:
        await on_table(studio, "exact-0")
        await studio.press("enter")
        await studio.until(lambda: studio.says("has changed since it was planned", "Scan the folder again."))
        await on_table(studio, "exact-0")
        assert not door(engine).verdicts


async def test_zoom_marks_what_was_looked_at(engine: FakeEngine) -> None:
    async with at(engine) as studio:
        await on_table(studio, "exact-0")
        await studio.press("z")
        await studio.until(lambda: isinstance(studio.app.screen, ZoomScreen))
        await studio.press("2")
        await studio.press("escape")
        await studio.until(lambda: not isinstance(studio.app.screen, ZoomScreen))
        assert studio.page.cursor == 1


@both
async def test_a_group_with_more_than_nine_pages_by_the_arrows(pictures, size) -> None:
    engine = with_duplicates(pictures / "six", groups=1, members=11)
    async with at(engine, size) as studio:
        await on_table(studio, "exact-0")
        assert studio.says("page 1/2")
        await studio.press(*["right"] * 9)
        assert studio.says("page 2/2")
        assert studio.page.cursor == 9


@both
async def test_the_faces_of_looking_none_and_done(pictures, size) -> None:
    engine = with_duplicates(pictures / "six", groups=1)
    groups, door(engine).all = door(engine).all, []
    door(engine).gate = asyncio.Event()
    async with at(engine, size) as studio:
        run = engine.runs.begin("duplicates")
        await studio.until(lambda: studio.says("Looking for duplicates."))
        engine.runs.end(run.id, RunState.DONE)
        door(engine).gate.set()
        await studio.until(lambda: studio.says("No duplicates.", "18 images"))
        door(engine).all = groups
        await studio.press("r")
        await on_table(studio, "exact-0")
        await studio.press("enter")
        await studio.until(lambda: studio.says("All done.", "take the last verdict back"))


@both
async def test_known_groups_are_shown_while_pictures_are_compared_anew(engine: FakeEngine, size) -> None:
    door(engine).gate = asyncio.Event()
    async with at(engine, size) as studio:
        run = engine.runs.begin("duplicates")
        await on_table(studio, "exact-0")
        assert studio.page.images is None, "the search is not over"
        assert not studio.says("Looking for duplicates")
        await studio.press("enter")
        await on_table(studio, "same-1")
        door(engine).gate.set()
        engine.runs.end(run.id, RunState.DONE)
        await studio.until(lambda: studio.page.images is not None)
        assert studio.page.group.id == "same-1"


async def test_likeness_is_told_in_words(engine: FakeEngine) -> None:
    async with at(engine) as studio:
        await on_table(studio, "exact-0")
        await studio.press("down")
        await on_table(studio, "same-1")
        assert studio.says("very alike")
        assert not studio.says(" bits")
    one = door(engine).all[0].members[0]
    said = [words.differences(replace(one, distance=bits), one, "same") for bits in (0, 1, 2, 3, 6, 7, 10, 11)]
    assert said == [
        "no visible difference", *["almost identical"] * 2, *["very alike"] * 2, *["alike"] * 2, "only just alike"
    ]  # fmt: skip


async def test_a_library_without_images_says_how_to_begin(pictures) -> None:
    engine = with_duplicates(pictures / "six", groups=0)
    door(engine).images = 0
    async with at(engine) as studio:
        await studio.until(lambda: studio.says("No images yet.", "to scan a folder"))


@pytest.mark.parametrize(("size", "name"), [(WIDE, "wide"), (NARROW, "narrow")], ids=["wide", "narrow"])
async def test_as_a_grid_of_text(engine: FakeEngine, size, name: str) -> None:
    async with at(engine, size) as studio:
        await on_table(studio, "exact-0")
        await studio.press("down")
        await on_table(studio, "same-1")
        await studio.until(lambda: all(cell.picture._lines for cell in studio.page.cells[:3]))
        check_snapshot(f"duplicates-{name}", studio.text)
