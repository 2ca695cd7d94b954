"""The ranking screen, by its keys: verdicts, undo, blind picks, zoom and compare, what comes back and what is said."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from engine.review import Verdict
from engine.runs import RunState
from engine.settings import Settings
from tests.tui.conftest import NARROW, WIDE, running
from tests.tui.fakes import FakeEngine, broken_disk, make_engine
from tui.screens.zoom import ZoomScreen

both = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


@both
async def test_enter_picks_the_suggestion_and_the_next_set_comes(engine: FakeEngine, size) -> None:
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        assert studio.says("★", "stage2_upscaled", "sharper")
        await studio.press("enter")
        await studio.set_shown(2)
        (pick,) = engine.ranking.verdicts
        assert (pick.set_id, pick.image_id, pick.verdict, pick.blind) == (1, 2, Verdict.APPROVED, False)
        assert studio.says("last: 1 → ✓ 2 (agreed)")
        await studio.until(lambda: studio.says("1/1"))


async def test_a_number_picks_its_image_and_it_counts_as_changed(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("3")
        await studio.set_shown(2)
        assert engine.ranking.verdicts[0].image_id == 3
        assert engine.ranking.verdicts[0].verdict is Verdict.MODIFIED
        assert studio.says("(not ★ 2)")
        await studio.until(lambda: studio.says("0/1"))


async def test_a_number_without_an_image_does_nothing(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("7")
        assert studio.page.shown.id == 1
        assert not engine.ranking.verdicts


@pytest.mark.parametrize(("keys", "image"), [(["left"], 1), (["h"], 1), (["right"], 3), (["l"], 3), (["l", "h"], 2)])
async def test_arrows_and_hjkl_mark_and_enter_picks_the_marked_one(engine: FakeEngine, keys, image) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press(*keys)
        await studio.press("enter")
        await studio.set_shown(2)
        assert engine.ranking.verdicts[0].image_id == image


async def test_the_bottom_line_says_what_enter_would_do(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        assert studio.says("enter pick ★")
        await studio.press("left")
        assert studio.says("enter pick 1")


async def test_x_rejects_all_and_space_skips(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("x")
        await studio.set_shown(2)
        assert studio.says("last: 1 → ✗ none")
        await studio.press("space")
        await studio.set_shown(3)
        assert studio.says("last: 2 → – skipped")
        assert [pick.verdict for pick in engine.ranking.verdicts] == [Verdict.REJECTED, Verdict.SKIPPED]


@both
async def test_undo_goes_back_set_by_set_without_limit(engine: FakeEngine, size) -> None:
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        for number in (1, 2, 3):
            await studio.press("1")
            await studio.set_shown(number + 1)
        for number in (3, 2, 1):
            await studio.press("u")
            await studio.set_shown(number)
            assert studio.says("is open again")
        await studio.press("u")
        await studio.until(lambda: studio.says("nothing left to undo"))
        assert not engine.ranking.verdicts
        await studio.press("1")
        await studio.set_shown(2)


async def test_undo_pressed_fast_takes_back_as_many_verdicts_as_it_was_pressed(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        for number in (1, 2, 3):
            await studio.press("1")
            await studio.set_shown(number + 1)
        gate, take_back = asyncio.Event(), engine.ranking.take_back

        async def slow():
            await gate.wait()
            return await take_back()

        engine.ranking.take_back = slow
        await studio.press("u", "u", "u")
        await studio.press("1")  # the set that it would fall on is on its way off the table
        assert studio.says("one moment: another set is coming")
        gate.set()
        await studio.set_shown(1)
        assert not engine.ranking.verdicts
        assert studio.page.deck.ids == [1, 2, 3, 4, 5, 6]
        assert studio.says("set 1 of 6")


@both
async def test_picks_without_suggestions_are_recorded_as_blind(engine: FakeEngine, size) -> None:
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        await studio.press("s")
        assert "★ baseline" not in studio.text
        assert "sharper" not in studio.text
        assert studio.says("enter pick 1")
        await studio.press("2")
        await studio.set_shown(2)
        (pick,) = engine.ranking.verdicts
        assert pick.blind
        assert pick.model is None
        assert studio.says("(blind)")
        await studio.press("s")
        assert studio.says("★", "sharper")


@both
async def test_the_verdict_is_painted_at_once_and_the_next_set_waits_until_it_is_durable(
    engine: FakeEngine, size
) -> None:
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        engine.ranking.gate = asyncio.Event()
        await studio.press("1")
        assert studio.says("last: 1 → ✓ 1")
        assert "✓" in studio.page.cells[0].head.text
        assert studio.page.shown.id == 1
        for key in ("2", "enter", "x", "space", "u"):  # typed ahead of a set that nobody has seen: not taken
            await studio.press(key)
            assert studio.says("one moment: the verdict is being kept")
        engine.ranking.gate.set()
        await studio.set_shown(2)
        assert studio.says("last: 1 → ✓ 1")
        assert len(engine.ranking.verdicts) == 1


async def test_a_verdict_that_could_not_be_written_keeps_its_set_and_says_why(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        engine.ranking.failure = broken_disk()
        await studio.press("1")
        await studio.until(lambda: studio.says("the disk is full", "Free some space"))
        assert studio.page.shown.id == 1
        assert "✓" not in studio.page.cells[0].head.text
        engine.ranking.failure = None
        await studio.press("escape")
        assert not studio.says("the disk is full")
        await studio.press("1")
        await studio.set_shown(2)


async def test_a_baseline_is_named_and_shows_no_confidence(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        assert studio.says("baseline:sharpest")
        assert "%" not in studio.text


async def test_a_new_model_changes_the_suggestion_at_once(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("t")
        assert engine.ranking.asked_to_train == 1
        await studio.until(lambda: studio.says("◐ training"))
        engine.ranking.model = "ranker_v1"
        engine.runs.end("train-1", RunState.DONE, result={"model": "ranker_v1", "promoted": True})
        await studio.until(lambda: studio.says("★ 87 %", "ranker v1"))
        assert studio.page.shown.id == 1
        assert studio.page.cursor == 2


@both
async def test_z_zooms_pans_and_returns_to_the_image_that_was_shown(engine: FakeEngine, size) -> None:
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        await studio.press("z")
        await studio.until(lambda: isinstance(studio.page, ZoomScreen))
        await studio.press("+", "+", "l", "j")
        view = studio.page.viewport
        assert view.scale == pytest.approx(2.25)
        assert view.x > 0.5
        await studio.press("3")
        assert studio.page.shown_index == 2
        assert studio.page.viewport == view
        await studio.press("escape")
        await studio.until(lambda: not isinstance(studio.page, ZoomScreen))
        assert studio.page.cursor == 2
        assert not engine.ranking.verdicts


async def test_enter_in_the_zoom_picks_what_is_shown(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("z", "3", "enter")
        await studio.set_shown(2)
        assert engine.ranking.verdicts[0].image_id == 3


async def test_c_compares_where_they_differ_and_space_turns_over_by_hand(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("left", "c")
        await studio.until(lambda: isinstance(studio.page, ZoomScreen) and studio.page.viewport.scale > 1)
        assert (studio.page.index, studio.page.rival) == (0, 1)
        await studio.press("space")
        shown = studio.page.shown_index
        assert studio.says("turn over with space")
        await studio.press("space")
        assert studio.page.shown_index != shown
        await studio.press("3")
        await studio.until(lambda: studio.page.rival == 2 and studio.page.viewport.scale > 1)


@both
async def test_enter_stops_a_flicker_and_only_then_picks(engine: FakeEngine, size) -> None:
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        await studio.press("left", "c")
        await studio.until(lambda: isinstance(studio.page, ZoomScreen) and studio.says("flickering", "c stop", "esc"))
        await studio.press("enter")
        seen = studio.page.shown_index
        assert studio.says(f"enter again picks {seen + 1}")
        assert not engine.ranking.verdicts
        await studio.press("enter")
        await studio.set_shown(2)
        assert engine.ranking.verdicts[0].image_id == seen + 1


async def test_at_80_columns_every_key_of_the_bottom_line_has_room(engine: FakeEngine) -> None:
    async with running(engine, NARROW) as studio:
        await studio.set_shown(1)
        line = " enter pick ★  1-9  ←→  z zoom  c compare  x none  space  u undo  s  ? help"
        assert studio.text.splitlines()[-1] == line
        await studio.press("c")
        await studio.until(lambda: studio.says("flickering"))
        assert studio.says("enter pick", "c stop", "esc back", "? help")


@both
async def test_a_large_set_pages_and_numbers_belong_to_the_page(pictures, size) -> None:
    engine = make_engine(pictures / "large", sets=2, images=12)
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        assert studio.says("page 1/2", "pgdn images")
        await studio.press("pagedown")
        assert studio.says("page 2/2", "variation 10")
        await studio.press("2")
        await studio.set_shown(2)
        assert engine.ranking.verdicts[0].image_id == 11
        assert studio.says("✓ 2 on page 2 (not ★ 2 on page 1)")
        await studio.press("pagedown", "z")
        assert studio.says(" 1   20250708_060701_variation_10", "page 2/2")


@both
async def test_in_a_large_set_its_ends_and_the_suggestion_are_one_key_away(pictures, size) -> None:
    engine = make_engine(pictures / "larger", sets=1, images=30)
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        star = studio.page.star
        await studio.press("end")
        assert (studio.page.cursor, studio.says("page 4/4")) == (29, True)
        await studio.press("asterisk")
        assert (studio.page.cursor, studio.says("page 1/4")) == (star, True)
        await studio.press("end", "home")
        assert studio.page.cursor == 0
        await studio.press("s", "end", "asterisk")
        assert studio.page.cursor == 29
        assert studio.says("suggestions are off")


async def test_images_side_by_side_have_the_same_width(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        assert len({cell.picture.size for cell in studio.page.cells[:3]}) == 1


@pytest.mark.parametrize("images", [3, 6, 9])
async def test_at_80_columns_the_reasons_are_said_in_short_words(pictures, images: int) -> None:
    engine = make_engine(pictures / f"of {images}", sets=2, images=images)
    suggest = engine.ranking.suggest

    async def sharpest(set_id):
        return replace(await suggest(set_id), reasons=("the sharpest of the set", "less clipping"))

    engine.ranking.suggest = sharpest
    async with running(engine, NARROW) as studio:
        await studio.set_shown(1)
        await studio.until(lambda: studio.says("sharpest", "less clipping"))
        assert not studio.says("the sharpest")
        await studio.press("s")
        assert not studio.says("sharpest")
        if images == 3:
            column = studio.page.cells[0].picture.region
            assert column.right < 80 and column.x > studio.page.cells[0].head.region.right


@both
async def test_the_suggested_image_brings_its_page_with_it(pictures, size) -> None:
    engine = make_engine(pictures / "large", sets=2, images=12)
    suggest = engine.ranking.suggest

    async def suggests_the_last(set_id):
        suggestion = await suggest(set_id)
        last = engine.ranking.sets[set_id].members[-1].image.id
        return replace(suggestion, proposal={"image": last, "scores": {}})

    engine.ranking.suggest = suggests_the_last
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        assert studio.says("page 2/2", "variation 12")
        assert [cell.place for cell in studio.page.cells if cell.display] == [0, 1, 2]
        await studio.press("s")
        assert studio.says("page 1/2", "variation 9")
        assert sum(cell.display for cell in studio.page.cells) == 9
        await studio.press("s", "z", "escape")
        assert sum(cell.display for cell in studio.page.cells) == 3


@both
async def test_coming_back_finds_set_cursor_and_zoom(engine: FakeEngine, size) -> None:
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        await studio.press("1")
        await studio.set_shown(2)
        await studio.press("left", "z", "+", "+", "l")
        view, kept = studio.page.viewport, engine.views
        await studio.press("q")
    again = make_engine(engine.library.images_by_id[1].path.parent, views=kept)
    again.ranking.verdicts = engine.ranking.verdicts
    async with running(again, size) as studio:
        await studio.until(lambda: isinstance(studio.page, ZoomScreen))
        assert studio.page.viewport == view
        await studio.press("escape")
        await studio.set_shown(2)
        assert studio.page.cursor == 0


async def test_suggestions_stay_off_after_a_return(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("s", "q")
    async with running(make_engine(engine.library.images_by_id[1].path.parent, views=engine.views), WIDE) as studio:
        await studio.until(lambda: studio.page.shown is not None)
        assert not studio.page.suggests


async def test_an_empty_library_says_what_to_do_and_o_scans_a_folder(pictures, tmp_path) -> None:
    engine = make_engine(pictures / "none", sets=0)
    async with running(engine, WIDE) as studio:
        await studio.until(lambda: studio.says("No sets yet.", "to scan a folder"))
        await studio.press("o")
        await studio.press(*"/pics", "enter")
        await studio.until(lambda: bool(engine.library.scanned))
        assert str(engine.library.scanned[0]) == "/pics"
        await studio.until(lambda: studio.says("Scanning."))


@both
async def test_the_first_set_appears_while_the_scan_goes_on(pictures, size) -> None:
    full = make_engine(pictures / "six")
    engine = make_engine(pictures / "none", sets=0)
    async with running(engine, size, paths=[pictures]) as studio:
        await studio.until(lambda: studio.says("Scanning."))
        engine.ranking.sets, engine.ranking.order = full.ranking.sets, full.ranking.order
        engine.runs.tell("scan-1", "progress", done=40, total=None, message="")
        await studio.set_shown(1)
        assert studio.says("◐ scanning")


async def test_when_every_set_has_a_verdict_it_says_so_and_undo_still_works(pictures) -> None:
    engine = make_engine(pictures / "six", sets=2)
    async with running(engine, WIDE) as studio:
        for number in (1, 2):
            await studio.set_shown(number)
            await studio.press("enter")
        await studio.until(lambda: studio.says("All done.", "All 2 sets"))
        await studio.press("u")
        await studio.set_shown(2)


@both
async def test_no_picture_of_the_old_set_stands_under_the_new_headings(engine: FakeEngine, size, monkeypatch) -> None:
    monkeypatch.setattr("tui.widgets.preview._GRACE", 60.0)
    async with running(engine, size, images="half") as studio:
        await studio.set_shown(1)
        page, previews = studio.page, studio.app.previews
        pictures = [cell.picture for cell in page.cells[:3]] + ([page.large] if page.is_narrow else [])
        await studio.until(lambda: all(picture.is_shown for picture in pictures))
        never = asyncio.Event()

        async def not_yet(*_: object, **__: object) -> None:
            await never.wait()

        monkeypatch.setattr(previews, "peek", lambda *_: None)
        monkeypatch.setattr(previews, "prepare", not_yet)
        await studio.press("1")
        await studio.set_shown(2)
        assert [picture._surface for picture in pictures] == [None] * len(pictures)


@both
async def test_the_only_set_comes_back_from_an_undo_without_the_mark_of_its_verdict(pictures, size) -> None:
    engine = make_engine(pictures / "six", sets=1)
    async with running(engine, size) as studio:
        await studio.set_shown(1)
        await studio.press("1")
        await studio.until(lambda: studio.says("All done.", "The one set has your verdict."))
        await studio.press("u")
        await studio.set_shown(1)
        await studio.until(lambda: studio.says("stage1_generated"))
        assert "✓" not in studio.text


async def test_p_reviews_one_project_only(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.press("p")
        await studio.set_shown(5)
        assert studio.says("garden")
        assert studio.page.deck.ids == [5, 6]


async def test_the_mouse_marks_and_a_double_click_picks(engine: FakeEngine) -> None:
    async with running(engine, WIDE) as studio:
        await studio.set_shown(1)
        await studio.pilot.click("#cell-2")
        assert studio.page.cursor == 2
        await studio.pilot.click("#cell-0", times=2)
        await studio.set_shown(2)
        assert engine.ranking.verdicts[0].image_id == 1


async def test_a_changed_key_works_and_is_what_the_screen_shows(engine: FakeEngine) -> None:
    settings = Settings(actor="me", keymap={"ranking.none": "n", "ranking.number": "a,f,d"})
    async with running(engine, WIDE, settings=settings) as studio:
        await studio.set_shown(1)
        assert studio.says("n none", "a-d pick")
        await studio.press("x")
        assert studio.page.shown.id == 1
        await studio.press("n")
        await studio.set_shown(2)
        await studio.press("d")
        await studio.set_shown(3)
        assert engine.ranking.verdicts[1].image_id == 6
