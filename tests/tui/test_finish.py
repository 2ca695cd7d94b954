"""The finish line: what can be approved together, the way out, the projects, repeats, the taste card."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from engine.review import Verdict
from tests.tui.conftest import NARROW, WIDE, Studio, running
from tests.tui.fake_ranking import _decision
from tests.tui.fakes import FakeEngine, broken_disk, make_engine
from tui.screens import finish_words as words
from tui.screens.bulk import BulkScreen
from tui.screens.projects import ProjectsScreen
from tui.screens.taste import TasteScreen

both = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


@pytest.fixture
def learned(pictures) -> FakeEngine:
    """Six sets and a model that would vouch for the last three."""
    engine = make_engine(pictures / "six")
    engine.ranking.model = "ranker_v4"
    return engine


async def picks(studio: Studio, *keys: str) -> None:
    """Give verdicts on the sets from the first on."""
    for number, key in enumerate(keys, 1):
        await studio.set_shown(number)
        await studio.press(key)
    await studio.set_shown(len(keys) + 1)


@both
async def test_how_far_what_can_be_trusted_and_the_way_out_are_always_in_sight(learned: FakeEngine, size) -> None:
    async with running(learned, size) as studio:
        await studio.set_shown(1)
        await studio.until(lambda: studio.says("0 done", "6 left", "15 s", "b 3"))
        assert not studio.says("e export")
        await picks(studio, "enter")
        await studio.until(lambda: studio.says("1 done", "5 left", "12 s", "e export"))
        assert learned.ranking.asked_for_plan == [0.95], "one survey for one model"


async def test_without_a_promise_it_says_how_much_is_missing(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.until(lambda: studio.says("about 120 more sets until some can be approved unseen"))
        await studio.press("b")
        await studio.until(lambda: studio.says("Nothing can be approved unseen.", "about 120 more decided sets"))
        assert not studio.says("enter approve")
        await studio.press("enter")
        assert not engine.ranking.verdicts
        await studio.press("escape")
        await studio.set_shown(1)


@both
async def test_b_lists_first_enter_approves_and_one_undo_takes_all_back(learned: FakeEngine, size) -> None:
    async with running(learned, size) as studio:
        await picks(studio, "enter")
        await studio.press("b")
        await studio.until(lambda: studio.says("3 sets", "of 5 can be approved", "97.1 %", "enter approve 3"))
        assert len(learned.ranking.verdicts) == 1, "looking approves nothing"
        await studio.press("down")
        assert studio.page.cursor == 1
        await studio.press("enter")
        await studio.until(lambda: not isinstance(studio.page, BulkScreen))
        await studio.until(lambda: studio.says("✓ 3 sets approved", "4 done", "2 left"))
        assert [pick.set_id for pick in learned.ranking.verdicts] == [1, 4, 5, 6]
        await studio.set_shown(2)
        await studio.press("u")
        await studio.until(lambda: studio.says("3 sets are open again", "1 done", "5 left"))
        assert [pick.set_id for pick in learned.ranking.verdicts] == [1]
        assert studio.page.shown.id == 2
        await studio.press("u")
        await studio.set_shown(1)


async def test_when_the_set_on_the_table_is_approved_with_them_the_next_one_comes(learned: FakeEngine) -> None:
    learned.ranking.trusted = 6
    async with running(learned, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("b")
        await studio.until(lambda: studio.says("6 sets"))
        await studio.press("enter")
        await studio.until(lambda: studio.says("All done.", "All 6 sets"))
        await studio.press("u")
        await studio.set_shown(1)


async def test_a_stricter_target_is_asked_for_anew(learned: FakeEngine) -> None:
    async with running(learned, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("b")
        await studio.until(lambda: studio.says("3 sets"))
        await studio.press("+")
        await studio.until(lambda: studio.says("at least 98 %", "3 sets"))
        await studio.press("+")
        await studio.until(lambda: studio.says("at least 99 %", "Nothing can be approved unseen."))
        await studio.press("+", "-", "-", "-", "-", "-")
        await studio.until(lambda: studio.says("at least 90 %", "3 sets"))


async def test_what_could_not_be_approved_is_said_and_nothing_is(learned: FakeEngine) -> None:
    async with running(learned, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("b")
        await studio.until(lambda: studio.says("3 sets"))
        learned.ranking.failure = broken_disk()
        await studio.press("enter")
        await studio.until(lambda: studio.says("the disk is full"))
        assert isinstance(studio.page, BulkScreen) and not learned.ranking.verdicts
        await studio.press("escape", "escape")
        await studio.set_shown(1)


@both
async def test_e_exports_after_a_question_and_u_takes_the_file_back(learned: FakeEngine, size, tmp_path) -> None:
    async with running(learned, size) as studio:
        await studio.set_shown(1)
        await studio.press("e")
        assert studio.says("there are no winners yet")
        await picks(studio, "enter", "enter")
        await studio.press("e")
        field = studio.page.prompt.query_one("Input")
        field.value = str(tmp_path / "winners.csv")
        await studio.press("enter")
        await studio.until(lambda: studio.says("write 2 winners? enter yes, esc no"))
        assert not learned.changes.applied
        assert learned.ranking.exports == [(tmp_path / "winners.csv", "csv", None)]
        await studio.press("enter")
        await studio.until(lambda: studio.says("u takes the file back"))
        assert learned.changes.applied == ["change-1"]
        await studio.press("u")
        await studio.until(lambda: studio.says("the exported file is taken back"))
        assert learned.changes.rolled_back == ["change-1"] and len(learned.ranking.verdicts) == 2
        await studio.press("u")
        await studio.set_shown(2)


async def test_an_export_that_is_not_confirmed_writes_nothing(learned: FakeEngine, tmp_path) -> None:
    async with running(learned, WIDE) as studio:
        await picks(studio, "enter")
        await studio.press("e")
        studio.page.prompt.query_one("Input").value = str(tmp_path)
        await studio.press("enter")
        await studio.until(lambda: studio.says("is a folder", "winners.txt"))
        await studio.press("escape", "e", "enter")
        await studio.until(lambda: studio.says("write 1 winners?"))
        await studio.press("escape")
        await studio.until(lambda: studio.says("nothing was written"))
        assert not learned.changes.applied


@both
async def test_a_set_comes_back_silently_and_counts_for_nothing(learned: FakeEngine, size) -> None:
    learned.ranking.repeats = {3: 1}
    async with running(learned, size) as studio:
        await picks(studio, "1", "1")
        await studio.press("1")
        await studio.until(lambda: studio.page.shown.id == 1 and not studio.page.is_deciding)
        await studio.until(lambda: studio.says("3 done", "3 left"))
        assert learned.ranking.asked_again == [1]
        assert "★" not in studio.text.splitlines()[2] and studio.page.suggestion is None
        await studio.press("2")
        await studio.set_shown(4)
        assert learned.ranking.verdicts[-1].is_repeat
        await studio.until(lambda: studio.says("3 done", "3 left"))
        await studio.press("u")
        await studio.until(lambda: studio.page.shown.id == 1)
        assert studio.page.suggestion is None
        await studio.until(lambda: studio.says("3 done", "3 left"))
        await studio.press("1")
        await studio.set_shown(4)
        await studio.press("1")
        await studio.set_shown(5)
        await studio.until(lambda: studio.says("4 done", "2 left"))


async def test_an_interrupted_repeat_is_there_after_a_return(learned: FakeEngine) -> None:
    learned.ranking.repeats = {1: 1}
    async with running(learned, WIDE) as studio:
        await studio.set_shown(1)
        learned.ranking.repeats = {1: 1}
        await studio.press("1")
        await studio.until(lambda: bool(learned.ranking.verdicts) and studio.page.shown.id == 2)
    again = make_engine(learned.library.images_by_id[1].path.parent, views=learned.views)
    again.ranking.model, again.ranking.verdicts = "ranker_v4", learned.ranking.verdicts
    again.ranking.repeats = {1: 1}
    async with running(again, WIDE) as studio:
        await studio.until(lambda: studio.page.shown is not None and studio.page.shown.id == 1)
        assert again.ranking.asked_again == [1]


async def test_a_verdict_given_elsewhere_meanwhile_is_told(learned: FakeEngine) -> None:
    async with running(learned, WIDE) as studio:
        await studio.set_shown(1)
        theirs = _decision(learned.ranking.verdicts[0]) if learned.ranking.verdicts else None
        await studio.press("1")
        await studio.set_shown(2)
        theirs = replace(_decision(learned.ranking.verdicts[0]), actor="bea", verdict=Verdict.REJECTED)
        learned.ranking.decided_elsewhere[2] = theirs
        await studio.press("1")
        await studio.until(lambda: studio.says("that set had a verdict of bea by now", "yours is in force"))


@both
async def test_the_projects_and_the_way_to_review_one(learned: FakeEngine, size) -> None:
    async with running(learned, size) as studio:
        await picks(studio, "1")
        await studio.press("P")
        await studio.until(lambda: studio.says("Progress by project", "all projects", "garden", "mojo1"))
        await studio.press("down", "enter")
        await studio.until(lambda: not isinstance(studio.app.screen, ProjectsScreen))
        await studio.set_shown(5)
        assert studio.page.shown.project == "garden"
        await studio.until(lambda: studio.says("0 done", "2 left"))
        await studio.press("P", "escape")
        assert studio.page.shown.id == 5


@both
async def test_the_taste_card_says_it_in_words_with_pairs_as_proof(learned: FakeEngine, size) -> None:
    async with running(learned, size) as studio:
        await studio.set_shown(1)
        await studio.press("T")
        await studio.until(lambda: studio.says("From 412 picks, you prefer", "sharper", "212 pairs for, 31 against"))
        assert studio.says("warmer", "less clipping", "✓ 20250708_0607", "✗ 20250708_0607")
        assert studio.says("You agree with yourself in 27")
        for headings, pair in zip(studio.page.headings, studio.page.pictures, strict=True):
            for heading, picture in zip(headings, pair, strict=True):
                if picture.is_on_screen and picture.size.area:
                    assert (heading.region.x, heading.region.right) == (picture.region.x, picture.region.right)
                    assert heading.region.bottom == picture.region.y
        await studio.press("down")
        assert studio.page.marked.words == "warmer"
        await studio.press("escape")
        await studio.until(lambda: not isinstance(studio.page, TasteScreen))


@both
async def test_a_taste_card_that_takes_its_time_is_laid_out_in_the_room_it_then_has(
    learned: FakeEngine, size, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready, taste = asyncio.Event(), learned.ranking.taste

    async def slow(project: str | None = None):
        await ready.wait()
        return await taste(project)

    monkeypatch.setattr(learned.ranking, "taste", slow)
    async with running(learned, size) as studio:
        await studio.set_shown(1)
        await studio.press("T")
        await studio.until(lambda: studio.says("Reading your picks"))
        ready.set()
        await studio.until(lambda: studio.says("From 412 picks, you prefer"))
        await studio.until(lambda: "…" not in studio.page.traits.text)


async def test_before_there_are_enough_picks_the_taste_card_says_so(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("T")
        await studio.until(lambda: studio.says("Nothing to say of your taste yet.", "27 more until a taste"))


async def test_confidence_is_said_in_words_and_drawn_as_a_bar(learned: FakeEngine) -> None:
    async with running(learned, WIDE) as studio:
        await studio.set_shown(1)
        assert studio.says("★ 87 %", "likely")
        assert "━" in studio.page.cells[2].foot.text


def test_durations_are_said_for_the_eye() -> None:
    said = [words.duration(seconds) for seconds in (0.2, 40, 2_280, 7_800, 260_000)]
    assert said == ["1 s", "40 s", "38 min", "2 h 10", "3 days"]
    assert words.percent(0.95) == "95 %" and words.percent(0.995) == "99.5 %"
