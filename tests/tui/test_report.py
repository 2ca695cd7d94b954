"""The versions on the training screen: what is known of each, and the way back to any of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.ranking.registry import ModelRow
from engine.ranking.repeats import Consistency
from tests.tui.conftest import NARROW, WIDE, running
from tests.tui.fake_ranking import CARD
from tests.tui.fakes import FakeEngine, make_engine
from tui.screens import training_report as words
from tui.widgets.lines import lay_out

both = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])


@pytest.fixture
def learned(pictures) -> FakeEngine:
    engine = make_engine(pictures / "six")
    engine.ranking.model = "ranker_v4"
    return engine


def told(rows) -> str:
    return "\n".join("".join(text for text, _ in lay_out(row, 100)).rstrip() for row in rows)


@both
async def test_v_shows_the_versions_and_what_is_known_of_the_one_in_use(learned: FakeEngine, size) -> None:
    async with running(learned, size, screen="training") as studio:
        await studio.until(lambda: studio.says("suggests now"))
        await studio.press("v")
        await studio.until(lambda: studio.says("v5", "v4", "v3", "✓ suggests", "kept back", "ranker v4"))
        assert studio.says(".741", ".718 .763")
        assert studio.says("90 %", "of your own consistency", "95 % holds for 35 %")
        await studio.until(lambda: studio.says(words.COVERAGE))
        await studio.press("v")
        await studio.until(lambda: studio.says("log"))


async def test_everything_that_stands_beside_the_model_is_there(learned: FakeEngine) -> None:
    async with running(learned, WIDE, screen="training") as studio:
        await studio.press("v")
        await studio.until(lambda: studio.says("logistic regression", "sharpest", "shuffled labels", ".497"))
        assert studio.says("no embedding", "-10.1", "no crops", "mlp 512-256-64-1", "linear", "by project", "garden")


async def test_in_a_small_terminal_the_report_scrolls(learned: FakeEngine) -> None:
    async with running(learned, NARROW, screen="training") as studio:
        await studio.press("v")
        await studio.until(lambda: studio.says("ranker v4"))
        for _ in range(3):
            await studio.press("pagedown")
        await studio.until(lambda: studio.says("garden"))
        await studio.press("pageup", "pageup", "pageup")
        await studio.until(lambda: studio.says("ranker v4"))


@both
async def test_enter_goes_back_to_a_version(learned: FakeEngine, size) -> None:
    async with running(learned, size, screen="training") as studio:
        await studio.press("v")
        await studio.until(lambda: studio.says("▸ v4"))
        assert not studio.says("enter use it")
        await studio.press("down")
        await studio.until(lambda: studio.says("▸ v3", "enter use it", ".702"))
        await studio.press("enter")
        await studio.until(lambda: studio.says("ranker v3 suggests from now on", "▸ v3   ✓ suggests"))
        assert learned.ranking.in_use == 3


async def test_a_version_that_was_kept_back_says_why(learned: FakeEngine) -> None:
    async with running(learned, WIDE, screen="training") as studio:
        await studio.press("v")
        await studio.until(lambda: studio.says("▸ v4"))
        await studio.press("up")
        await studio.until(lambda: studio.says("▸ v5", "kept back: ranker_v4 is as good or better"))


@both
async def test_without_a_version_it_says_what_to_do(engine: FakeEngine, size) -> None:
    async with running(engine, size, screen="training") as studio:
        await studio.press("v")
        await studio.until(lambda: studio.says("No version yet.", "Nothing was learned yet."))
        await studio.press("down", "enter", "pagedown", "v")


def test_a_card_that_knows_less_says_less() -> None:
    assert words.curve({}) == () and words.beside({}, 60) == [] and words.parts({}, 60) == []
    assert words.report(None, 60) == []
    bare = {"held_out": {"pair_accuracy": 0.7}, "references": {"logistic_difference": None, "gap": [0, 1]}}
    assert "this ranker" in told(words.beside(bare, 60)) and "gap" not in told(words.beside(bare, 60))
    assert "vouches for 95 % yet" not in told(words.beside(CARD, 60))


def test_accuracy_is_said_as_a_share_of_the_persons_own_consistency() -> None:
    row = ModelRow(4, Path("x"), CARD, None)
    said = told(words.head(row, Consistency(27, 30, 0.744, 0.965), 100))
    assert "you agree with yourself 90 % [74 % 96 %, 30 repeats]" in said
    assert "at 77 % of your own consistency" in said
    assert "not known yet" in told(words.head(row, Consistency(0, 0, None, None), 100))
