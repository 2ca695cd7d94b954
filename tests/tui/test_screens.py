"""Inventory, refused files, training, help and palette, by their keys."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pytest

from engine.errors import ProofsheetError, UsageError
from engine.runs import RunState
from tests.tui.conftest import NARROW, WIDE, running
from tests.tui.fake_library import FakeLibrary
from tests.tui.fake_pictures import make_image
from tests.tui.fake_ranking import FakeRanking
from tests.tui.fakes import FakeEngine, make_engine
from tui.runwatch import Activity
from tui.screens import training_words as words
from tui.screens.zoom import ZoomScreen
from tui.widgets.lines import Row


async def test_the_inventory_lists_images_and_pictures_the_selected_one(engine: FakeEngine) -> None:
    async with running(engine, WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.says("18 images", "2 projects", "▸ 20250708_060700_stage1_ge"))
        await studio.until(lambda: studio.says("JPEG", "83 %/70", "phone +54"))
        assert studio.says("NIKON D70", "excellent", "sorted by name")
        await studio.press("j", "down", "k")
        await studio.until(lambda: studio.says("▸ 20250708_060700_stage2_up"))
        await studio.until(lambda: studio.page.picture.path == engine.library.images_by_id[2].path)


async def test_companions_are_named_with_the_image_they_travel_with(engine: FakeEngine) -> None:
    async with running(engine, WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.says("+ .yaml travels with it"))


async def test_a_slash_filters_while_typing_and_escape_shows_all_again(engine: FakeEngine) -> None:
    async with running(engine, NARROW, screen="inventory") as studio:
        await studio.until(lambda: studio.says("18 images"))
        await studio.press("slash", *"stage2")
        await studio.until(lambda: len(studio.page.ids) == 6)
        await studio.press("enter")
        assert studio.says("filter “stage2”", "6 shown")
        await studio.press("slash", *"xx", "enter")
        await studio.until(lambda: studio.says("Nothing matches", "“stage2xx”"))
        await studio.press("escape")
        await studio.until(lambda: len(studio.page.ids) == 18)


async def test_escape_leaves_a_filter_that_is_being_typed_as_it_was(engine: FakeEngine) -> None:
    async with running(engine, WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.says("18 images"))
        await studio.press("slash", *"garden", "escape")
        await studio.until(lambda: len(studio.page.ids) == 18 and not studio.page.filter)


async def test_sorting_keeps_the_selected_image(engine: FakeEngine) -> None:
    async with running(engine, WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.page.rows.value(0) is not None)
        await studio.press("j", "s", "s")
        await studio.until(lambda: studio.says("sorted by file size"))
        await studio.until(lambda: studio.page.rows.cursor == 16)
        assert studio.page._selected_id() == 2


class Vast(FakeLibrary):
    """Half a million images that are nowhere (simulated)."""

    async def ids(self, filter="", sort="name", project=None, limit=None):
        return range(1, (limit or 500_000) + 1)

    async def page(self, ids):
        self.pages_asked += 1
        return [make_image(number, Path(f"/nowhere/{number:06d}.jpg")) for number in ids]


async def test_the_place_where_the_list_was_left_is_shown_again_with_its_scrollbar() -> None:
    engine = FakeEngine(Vast([]), FakeRanking([]))
    engine.views.kept["inventory"] = {"image": 499_990}
    async with running(engine, WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.says("▸ 499990.jpg"))
        rows = studio.page.rows
        await studio.until(lambda: rows.vertical_scrollbar.position == rows.scroll_y > 499_000)


async def test_the_first_page_of_what_a_query_finds_is_not_said_to_be_all() -> None:
    class Parted(Vast):
        rest = asyncio.Event()

        async def ids(self, filter="", sort="name", project=None, limit=None):
            if limit is None:
                await self.rest.wait()
            return await super().ids(filter, sort, project, limit)

    engine = FakeEngine(Parted([]), FakeRanking([]))
    engine.views.kept["inventory"] = {"filter": "sunset"}
    async with running(engine, WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.says("filter “sunset”", "64+ shown"))
        Parted.rest.set()
        await studio.until(lambda: studio.says("filter “sunset”", "500,000 shown"))


async def test_half_a_million_images_open_at_once_and_only_visible_pages_are_fetched() -> None:
    library = Vast([])
    async with running(FakeEngine(library, FakeRanking([])), WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.says("▸ 000001.jpg"))
        assert library.pages_asked <= 2
        await studio.press("G")
        await studio.until(lambda: studio.says("▸ 500000.jpg"))
        assert library.pages_asked <= 4
        await studio.press("k", "k")
        await studio.until(lambda: studio.says("▸ 499998.jpg") and not studio.says("▸ 500000.jpg"))
        await studio.press("g", "pagedown")
        await studio.until(lambda: studio.page.rows.cursor > 10)


class Slow(FakeLibrary):
    """A library whose lists come when the gate is open; a failure comes instead of one."""

    def __init__(self, images) -> None:
        super().__init__(images)
        self.gate = asyncio.Event()
        self.asked = 0
        self.failure: Exception | None = None

    async def ids(self, filter="", sort="name", project=None, limit=None):
        self.asked += 1
        await self.gate.wait()
        if self.failure is not None:
            raise self.failure
        return await super().ids(filter, sort, project, limit)


@pytest.fixture
def slow(engine: FakeEngine) -> Slow:
    library = Slow(list(engine.library.images_by_id.values()))
    engine.library = library
    return library


async def test_a_list_that_lets_itself_be_waited_for_says_so(engine: FakeEngine, slow: Slow) -> None:
    async with running(engine, WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.says("Reading the list of images"))
        slow.gate.set()
        await studio.until(lambda: studio.says("18 images", "sorted by name") and not studio.says("Reading the list"))
        slow.gate.clear()
        await studio.press("s")
        await studio.until(lambda: studio.says("sorting by capture time"))
        await studio.press("slash", *"stage2", "enter")
        await studio.until(lambda: studio.says("filter “stage2”", "looking…"))
        assert len(studio.page.ids) == 18, "the list stays until the next one is there"
        slow.gate.set()
        await studio.until(lambda: studio.says("6 shown", "sorted by capture time") and not studio.says("looking"))
        slow.gate.clear()
        await studio.press("escape")
        await studio.until(lambda: studio.says("every image", "looking…"))
        slow.gate.set()
        await studio.until(lambda: len(studio.page.ids) == 18 and not studio.says("looking"))


async def test_a_slow_list_comes_although_the_library_grows_and_where_it_was_left(
    engine: FakeEngine, slow: Slow
) -> None:
    engine.views.kept["inventory"] = {"image": 9}
    async with running(engine, WIDE, screen="inventory") as studio:
        await studio.until(lambda: slow.asked == 1)
        for _ in range(3):
            studio.page._look_again()
        assert studio.page.view_state()["image"] == 9, "left now, it is come back to as well"
        slow.gate.set()
        await studio.until(lambda: studio.says("18 images") and slow.asked > 1)
        assert studio.page._selected_id() == 9


async def test_a_list_that_fails_is_not_waited_for(engine: FakeEngine, slow: Slow) -> None:
    slow.failure = ProofsheetError("the disk is gone", remedy="Plug it in again.")
    async with running(engine, WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.says("Reading the list of images"))
        slow.gate.set()
        await studio.until(lambda: studio.says("the disk is gone", "No list could be read."))
        slow.failure = None
        await studio.press("s")
        await studio.until(lambda: studio.says("sorted by capture time", "▸ "))
        slow.failure = ProofsheetError("the disk is gone again")
        await studio.press("s")
        await studio.until(lambda: studio.says("the disk is gone again"))
        assert not studio.page.is_late and len(studio.page.ids) == 18


async def test_a_query_that_cannot_be_read_leaves_what_stood_there(engine: FakeEngine) -> None:
    class Strict(FakeLibrary):
        async def ids(self, filter="", sort="name", project=None, limit=None):
            if "?" in filter:
                raise UsageError("there is no field '?'", remedy="Leave it out.")
            return await super().ids(filter, sort, project, limit)

    engine.library = Strict(list(engine.library.images_by_id.values()))
    async with running(engine, WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.says("18 images"))
        await studio.press("slash", *"xx", "enter")
        await studio.until(lambda: studio.says("Nothing matches", "“xx”"))
        await studio.press("slash", "question_mark", "enter")
        await studio.until(lambda: studio.says("there is no field"))
        assert studio.says("Nothing matches")


async def test_refused_files_are_listed_with_their_reasons(pictures) -> None:
    engine = make_engine(pictures / "six", refusals=70)
    async with running(engine, NARROW, screen="inventory") as studio:
        await studio.until(lambda: studio.says("70 refused"))
        await studio.press("r")
        await studio.until(lambda: studio.says("broken_000.jpg", "truncated", "the file ends before"))
        await studio.press("G")
        await studio.until(lambda: studio.says("▸ broken_069.jpg"))
        await studio.press("escape")
        await studio.until(lambda: studio.says("inventory"))


async def test_the_reason_of_the_selected_refused_file_is_shown_in_full(pictures) -> None:
    engine = make_engine(pictures / "six", refusals=1)
    refusal = engine.library.refusals[0]
    reason = "the file ends before the picture does, so that only its upper half is there; it was left as it is. End."
    engine.library.refusals[0] = replace(refusal, reason=reason)
    async with running(engine, NARROW, screen="inventory") as studio:
        await studio.until(lambda: studio.says("1 refused"))
        await studio.press("r")
        await studio.until(lambda: studio.says("   the file ends before", "left as it is. End."))


async def test_enter_looks_closer_at_the_selected_image(engine: FakeEngine) -> None:
    async with running(engine, WIDE, screen="inventory") as studio:
        await studio.until(lambda: studio.page.rows.value(0) is not None)
        await studio.press("enter")
        await studio.until(lambda: isinstance(studio.page, ZoomScreen))
        await studio.press("escape")
        await studio.until(lambda: studio.says("inventory"))


async def test_the_inventory_grows_while_a_scan_goes_on(pictures) -> None:
    engine = make_engine(pictures / "none", sets=0)
    more = make_engine(pictures / "six")
    async with running(engine, WIDE, screen="inventory", paths=[pictures]) as studio:
        await studio.until(lambda: studio.says("No images yet."))
        engine.library.images_by_id = more.library.images_by_id
        engine.runs.tell("scan-1", "progress", done=18, total=None, message="")
        await studio.until(lambda: studio.says("18 images", "◐ scanning 18"))


# -- training ---------------------------------------------------------------------------------------------------------


def train(engine: FakeEngine, steps: int = 5) -> str:
    run = engine.runs.begin("train", project="mojo1")
    engine.runs.tell(run.id, "log", level="warning", message="two sets were left out")
    for step in range(1, steps + 1):
        engine.runs.measure(run.id, step, loss=1 / step, held_out_accuracy=0.5 + step / 50)
        engine.runs.tell(run.id, "progress", done=step, total=40, message=f"epoch {step}")
    return run.id


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_a_run_is_followed_live_with_curves_figures_and_log(engine: FakeEngine, size) -> None:
    name = train(engine)
    async with running(engine, size, screen="training") as studio:
        await studio.until(lambda: studio.says("train mojo1", "loss .200", "5/40", "two sets were left out"))
        await studio.until(lambda: len(studio.page.curves._plots) == 2)
        engine.runs.measure(name, 6, loss=0.125, held_out_accuracy=0.61)
        await studio.until(lambda: studio.says("loss .125"))
        engine.runs.end(name, RunState.DONE, result={"model": "ranker_v1", "promoted": False})
        await studio.until(lambda: studio.says("✓ train"))


async def test_the_card_sets_the_model_beside_its_baselines_or_says_why_there_is_none(engine: FakeEngine) -> None:
    async with running(engine, WIDE, screen="training") as studio:
        await studio.until(lambda: studio.says("baseline:sharpest", "not enough data: about 12 more picks"))
    engine.ranking.model = "ranker_v4"
    async with running(engine, WIDE, screen="training") as studio:
        await studio.until(lambda: studio.says("ranker v4", "this ranker", ".741", "logistic difference", ".733"))


async def test_a_narrow_card_shows_every_value_whole_and_the_best_baseline_under_a_long_reason(
    engine: FakeEngine,
) -> None:
    engine.ranking.model = "ranker_v4"
    status = await engine.ranking.status()
    why = "it does not beat the sharpest image of each set by more than chance would on the sets held out. " * 2
    rows = words.card(replace(status, why_not=why + "End."), narrow=True, width=54)
    text = [strip_text(line) for line in rows]
    assert any("End." in line for line in text)
    assert "pairs .741 · winners .690 · ECE .018 · 180+40 sets" in text
    assert max(map(len, text)) <= 54
    assert any(line.startswith("logistic difference") for line in text)


def test_narrow_rows_of_runs_say_the_hour_of_today_and_the_day_of_earlier_ones(engine: FakeEngine) -> None:
    run = engine.runs.begin("duplicates", RunState.DONE)  # begun 2026-11-20 21:50
    said = {
        day: strip_text(words.run_rows([Activity(run)], run.id, 4, narrow=True, today=date(2026, 11, day))[0])
        for day in (20, 21)
    }
    assert said == {20: "▸ ✓ duplicates21:50", 21: "▸ ✓ duplicates11-20"}
    assert strip_text(words.run_rows([Activity(run)], run.id, 4)[0]) == "▸ ✓ duplicates11-20 21:50"


def strip_text(line: Row) -> str:
    return "".join(part for part, _ in (*line.left, *line.right)).rstrip()


async def test_t_trains_x_stops_and_r_resumes(engine: FakeEngine) -> None:
    async with running(engine, WIDE, screen="training") as studio:
        await studio.until(lambda: studio.says("No runs yet."))
        assert "next" not in studio.page.foot.text
        await studio.until(lambda: studio.page.card.region.y <= studio.page.metrics.region.y + 1)
        await studio.press("t")
        await studio.until(lambda: studio.says("▸ ◐ train"))
        await studio.press("x")
        await studio.until(lambda: engine.runs.cancelled == ["train-1"] and studio.says("○ cancelled"))
        await studio.press("x")
        assert studio.says("nothing to stop")
        await studio.press("r")
        await studio.until(lambda: engine.runs.runs.get("train-2") is not None)
        assert engine.runs.runs["train-2"].resumes == "train-1"


async def test_a_run_started_here_shows_its_own_curves_and_not_the_last_ones(engine: FakeEngine) -> None:
    old = train(engine)
    engine.runs.end(old)
    async with running(engine, WIDE, screen="training") as studio:
        await studio.until(lambda: studio.says("▸ ✓ train", "two sets were left out", "loss .200"))
        await studio.press("t")
        await studio.until(lambda: studio.says("▸ ◐ train"))
        await studio.until(lambda: not studio.says("two sets were left out") and not studio.says("loss .200"))
        engine.runs.measure("train-2", 1, loss=0.875, held_out_accuracy=0.61)
        await studio.until(lambda: studio.says("loss .875"))


async def test_a_run_that_fails_says_why_and_what_to_do_and_is_not_resumed(engine: FakeEngine) -> None:
    async with running(engine, NARROW, screen="training") as studio:
        await studio.until(lambda: studio.says("No runs yet."))
        await studio.press("t")
        await studio.until(lambda: studio.says("▸ ◐ train"))
        engine.runs.end("train-1", RunState.FAILED, error="only 3 sets are decided\n  Decide 20 sets first.")
        await studio.until(lambda: "only 3 sets are decided" in studio.page.banner.message)
        assert "Decide 20 sets first." in studio.page.banner.message
        await studio.press("escape")
        await studio.until(lambda: studio.says("✗ only 3 sets are decided", "✗ Decide 20 sets first."))
        assert "only 3 sets are decided" in studio.page.metrics.text
        assert "resume" not in studio.page.foot.text
        await studio.press("r")
        assert list(engine.runs.runs) == ["train-1"]


async def test_a_detached_run_says_so_and_outlives_the_app(engine: FakeEngine) -> None:
    async with running(engine, WIDE, screen="training") as studio:
        await studio.press("t")
        await studio.until(lambda: studio.says("▸ ◐ train"))
        await studio.press("D")
        await studio.until(lambda: studio.says("detached"))
        assert engine.runs.runs["train-2"].detached


async def test_an_older_run_can_be_read_again(engine: FakeEngine) -> None:
    old = engine.runs.begin("scan")
    engine.runs.tell(old.id, "refused", files=[{"path": "/photos/a.jpg", "reason": "truncated"}])
    engine.runs.end(old.id)
    train(engine)
    async with running(engine, WIDE, screen="training") as studio:
        await studio.until(lambda: studio.says("▸ ◐ train"))
        await studio.press("j")
        await studio.until(lambda: studio.says("▸ ✓ scan", "/photos/a.jpg: truncated"))
        await studio.press("k")
        await studio.until(lambda: studio.says("▸ ◐ train"))


# -- help and palette -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_help_lists_every_key_of_the_screen_below(engine: FakeEngine, size) -> None:
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        await studio.press("question_mark")
        await studio.until(lambda: studio.says("Ranking", "Pick the marked image"))
        for shown in ("Everywhere", "keymap"):
            for _ in range(40):
                if not studio.says(shown):
                    await studio.press("j")
            await studio.until(partial(studio.says, shown))
        await studio.press("escape")
        await studio.press("1")
        await studio.set_shown(2)


@pytest.mark.parametrize("key", ["ctrl+p", "colon"])
async def test_the_palette_finds_actions_screens_and_themes(engine: FakeEngine, key: str) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press(key)
        await studio.press(*"inventory")
        await studio.until(lambda: studio.says("go to inventory"))
        await studio.press("enter")
        await studio.until(lambda: studio.app.current_mode == "inventory")
        await studio.press("ctrl+p", *"daylight")
        await studio.until(lambda: studio.says("theme: Daylight"))
        await studio.press("enter")
        await studio.until(lambda: studio.app.theme == "daylight")


async def test_the_palette_acts_on_the_screen_below(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("ctrl+p", *"none (x)")
        await studio.until(lambda: studio.says("None of them is good"))
        await studio.press("enter")
        await studio.set_shown(2)


async def test_the_palette_lists_only_what_was_asked_for(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("ctrl+p", *"theme")
        await studio.until(lambda: studio.says("theme: Daylight"))
        await studio.until(lambda: not studio.says("None of them is good"))
        listed = studio.app.screen.query_one("CommandList")
        names = [str(listed.get_option_at_index(at).prompt) for at in range(listed.option_count)]
        assert names and all("theme" in name.casefold() or "colours" in name.casefold() for name in names), names
        assert not studio.app.screen.query_one("SearchIcon").display
