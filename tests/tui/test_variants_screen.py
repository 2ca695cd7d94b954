"""The leaderboard by keys: what wins, why, and that nothing changes unless it is approved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import ProofsheetError
from tests.tui.conftest import NARROW, WIDE, check_snapshot, running
from tests.tui.fake_experiments import analysis, draft
from tests.tui.fakes import FakeEngine, make_engine
from tui.screens import variants_words as words


@pytest.fixture
def engine(pictures) -> FakeEngine:
    return make_engine(pictures / "none", sets=0)


@pytest.mark.parametrize(("size", "name"), [(WIDE, "wide"), (NARROW, "narrow")], ids=["wide", "narrow"])
async def test_the_leaderboard(engine, size, name) -> None:
    await engine.experiments.propose_weights()
    async with running(engine, size, screen="variants") as studio:
        await studio.until(lambda: studio.says("enhanced-v1", "proposal waiting", "sessions a day"))
        check_snapshot(f"variants-{name}", studio.text)


@pytest.mark.parametrize(("size", "name"), [(WIDE, "wide"), (NARROW, "narrow")], ids=["wide", "narrow"])
async def test_without_sessions_it_says_how_they_begin(engine, size, name) -> None:
    engine.experiments.now = analysis(sessions=0)
    async with running(engine, size, screen="variants") as studio:
        await studio.until(lambda: studio.says("No resize sessions yet.", "proofsheet resize CANVAS.json"))
        check_snapshot(f"variants-empty-{name}", studio.text)


async def test_f6_goes_there_from_anywhere(engine) -> None:
    async with running(engine) as studio:
        await studio.press("f6")
        await studio.until(lambda: studio.says("AI resize", "P(best)"))


async def test_proposed_weights_are_shown_before_they_can_be_approved(engine) -> None:
    async with running(engine, screen="variants") as studio:
        await studio.until(lambda: studio.says("enhanced-v1"))
        await studio.press("enter")
        await studio.until(lambda: studio.says("no proposal waits"))
        await studio.press("w")
        await studio.until(lambda: studio.says("50 % → 95 %", "best with probability 0.97"))
        assert engine.experiments.log == []
        await studio.press("enter")
        await studio.until(lambda: engine.experiments.log == [("approved", 7)])
        await studio.until(lambda: studio.says("the new weights are in force") and not studio.says("proposal waiting"))


async def test_enter_shows_a_waiting_proposal_first(engine) -> None:
    await engine.experiments.propose_weights()
    async with running(engine, screen="variants") as studio:
        await studio.until(lambda: studio.says("proposal waiting"))
        await studio.press("x")
        await studio.until(lambda: studio.says("no proposal is shown"))
        await studio.press("enter")
        await studio.until(lambda: studio.says("enter approves, x declines"))
        assert engine.experiments.log == []
        await studio.press("x")
        await studio.until(lambda: engine.experiments.log == [("declined", 7)])


@pytest.mark.parametrize(("key", "said"), [("enter", "draft approved"), ("x", "draft declined")])
async def test_a_drafted_prompt_is_read_before_it_becomes_a_variant(engine, key, said) -> None:
    engine.experiments.waiting.append(draft())
    async with running(engine, screen="variants") as studio:
        await studio.until(lambda: studio.says("better prompt waiting"))
        await studio.press("b")
        await studio.until(lambda: studio.says("+ Keep text at its size.", "because: Where there are many texts"))
        assert engine.experiments.log == []
        await studio.press(key)
        await studio.until(lambda: engine.experiments.log == [(said, "draft:00")])
        await studio.until(lambda: not studio.says("better prompt waiting"))
        await studio.press("b")
        await studio.until(lambda: studio.says("no draft waits"))


async def test_u_takes_the_newest_decision_back(engine) -> None:
    async with running(engine, screen="variants") as studio:
        await studio.until(lambda: studio.says("enhanced-v1"))
        await studio.press("u")
        await studio.until(lambda: studio.says("there is no decision to take back"))
        await studio.press("w")
        await studio.until(lambda: studio.says("50 % → 95 %"))
        await studio.press("enter")
        await studio.until(lambda: studio.says("the new weights are in force"))
        await studio.press("u")
        await studio.until(lambda: studio.says("the earlier weights are in force again"))
        assert engine.experiments.log == [("approved", 7), ("undone", "approved")]


async def test_pausing_and_resuming(engine) -> None:
    async with running(engine, screen="variants") as studio:
        await studio.until(lambda: studio.says("enhanced-v1"))
        await studio.press("j", "p")
        await studio.until(lambda: studio.says("gets no more users", "paused"))
        await studio.press("p")
        await studio.until(lambda: engine.experiments.log == [("paused", "enhanced-v1"), ("resumed", "enhanced-v1")])


async def test_drilling_down_and_back(engine) -> None:
    async with running(engine, screen="variants") as studio:
        await studio.until(lambda: studio.says("enhanced-v1"))
        await studio.press("s")
        await studio.until(lambda: studio.says("ann", "1080x1920", "★★★★", "failed", "HTTP 500"))
        await studio.press("v")
        await studio.until(lambda: studio.says("{targetWidth} x {targetHeight}."))
        await studio.press("d")
        await studio.until(lambda: studio.says("+Resize it well."))
        await studio.press("escape")
        await studio.until(lambda: studio.says("is better than 'original'"))


async def test_adding_a_prompt_file(engine) -> None:
    async with running(engine, screen="variants") as studio:
        await studio.until(lambda: studio.says("enhanced-v1"))
        await studio.press("a", *"b.txt", "enter")
        await studio.until(lambda: engine.experiments.log == [("added", "b.txt")])


async def test_a_ratio_that_cannot_be_is_said_at_once(engine) -> None:
    engine.experiments.now = analysis(frozen=True)
    async with running(engine, screen="variants") as studio:
        await studio.until(lambda: studio.says("users are not split as the weights say", "not to be compared"))


async def test_an_error_is_a_banner(engine) -> None:
    engine.experiments.failure = ProofsheetError("the disk is full")
    async with running(engine, screen="variants") as studio:
        await studio.until(lambda: studio.says("the disk is full"))


async def test_long_texts_scroll(engine) -> None:
    async with running(engine, NARROW, screen="variants") as studio:
        await studio.until(lambda: studio.says("enhanced-v1"))
        studio.page._below = words.text_rows("\n".join(f"line {n}" for n in range(99)), 80)
        studio.page.view = "prompt"
        studio.page._draw()
        await studio.until(lambda: studio.says("line 0", "more lines"))
        await studio.press("pagedown")
        await studio.until(lambda: studio.says("line 12") and not studio.says("line 0\n"))


def test_probabilities_are_never_certain() -> None:
    assert [words.certainty(p) for p in (1.0, 0.0, 0.5, None)] == ["> 99 %", "< 1 %", "50 %", "-"]


def test_an_interval_is_drawn_on_the_scale_of_all() -> None:
    drawn = "".join(text for text, _ in words.interval(0.4, 0.6, 0.5, (0.0, 1.0)))
    assert len(drawn) == words.TRACK and drawn.index("●") == words.TRACK // 2 and drawn[0] == drawn[-1] == "·"


def test_a_sparkline_has_a_gap_where_nothing_is_known() -> None:
    assert words.sparkline([0, None, 5, 10]) == "▁ ▄▇"
    assert words.sparkline([None]) == " " and words.sparkline([0.0, 0.0]) == "▁▁"


def test_not_enough_data_says_how_much_is_missing() -> None:
    now = analysis()
    undecided = replace(now, comparisons=[replace(now.comparisons[0], significant=False, users_missing=120)])
    assert words.verdict(now.variants[0], undecided) == ("not enough data: 120 more", "dim")
    assert words.verdict(now.variants[1], now)[0] == "better; safe to look"
    assert words.verdict(now.variants[0], now)[0] == "worse"
