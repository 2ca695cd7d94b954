"""The review without a screen: turns, verdicts by path, undo, two processes at one set, progress."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.errors import ProofsheetError, UsageError
from engine.ranking import Ranking
from engine.ranking.progress import pace_of
from engine.review import Review, Verdict
from engine.settings import Settings
from tests.engine.ranking.conftest import World


@pytest.fixture
async def three(world: World) -> World:
    """Three sets of two images, the second the sharper."""
    for number in range(3):
        world.add(f"/lib/mojo1/{number}", [f"{number}a.png", f"{number}b.png"], project="mojo1")
        world.vision.sharpness[f"{number}b.png"] = 1.0
    await world.ranking.build_sets()
    return world


async def test_a_loop_of_turns_and_verdicts_comes_to_its_end(three: World) -> None:
    decided = 0
    while (turn := await three.ranking.turn("mojo1")).shown is not None:
        assert turn.progress.counts.remaining == 3 - decided
        assert turn.suggestion is not None and turn.suggestion.proposal["image"] == turn.shown.image_ids[1]
        outcome = await three.ranking.decide(turn.shown.id, Verdict.APPROVED, turn.shown.members[1].image.path)
        assert (outcome.decision.verdict, outcome.earlier, outcome.is_repeat) == (Verdict.APPROVED, None, False)
        assert outcome.decision.suggestion_id == turn.suggestion.id
        decided += 1
    assert decided == 3
    assert (await three.ranking.agreement()).agreed == 3


async def test_another_image_is_modified_and_blind_owes_nothing_to_the_suggestion(three: World) -> None:
    first = (await three.ranking.turn()).shown
    assert first is not None
    other = await three.ranking.decide(first.id, Verdict.APPROVED, first.members[0].image.path)
    assert other.decision.verdict is Verdict.MODIFIED
    second = (await three.ranking.turn()).shown
    assert second is not None
    blind = await three.ranking.decide(second.id, Verdict.APPROVED, second.members[0].image.path, blind=True)
    assert (blind.decision.verdict, blind.decision.blind, blind.decision.suggestion_id) == (
        Verdict.APPROVED,
        True,
        None,
    )


async def test_a_verdict_without_having_asked_has_seen_no_suggestion(three: World) -> None:
    (first, *_) = await three.ranking.queue()
    one = await three.ranking.image_set(first)
    outcome = await three.ranking.decide(first, Verdict.APPROVED, one.members[0].image.path)
    assert outcome.decision.suggestion_id is None and outcome.decision.verdict is Verdict.APPROVED


async def test_what_cannot_be_is_explained(three: World, tmp_path: Path) -> None:
    (first, *_) = await three.ranking.queue()
    with pytest.raises(UsageError, match="is not in set") as refused:
        await three.ranking.decide(first, Verdict.APPROVED, tmp_path / "other.png")
    assert "/lib/mojo1/0/0a.png" in refused.value.remedy
    with pytest.raises(UsageError, match="there is no image set 99"):
        await three.ranking.decide(99, Verdict.REJECTED)
    with pytest.raises(UsageError, match="is of mojo1, not of garden"):
        await three.ranking.decide(first, Verdict.REJECTED, project="garden")
    with pytest.raises(UsageError, match="no winner"):
        await three.ranking.decide(first, Verdict.APPROVED)
    with pytest.raises(UsageError, match="no such home folder"):
        await three.ranking.decide(first, Verdict.APPROVED, Path("~nobody-here/a.png"))
    with pytest.raises(ProofsheetError, match="no project 'nobody'"):
        await three.ranking.turn("nobody")
    assert await three.review.standing("ranking") == []


def another(world: World, actor: str) -> Ranking:
    """The same room opened by another process."""
    settings = Settings(actor=actor)
    review = Review(world.workspace, world.store, actor)
    library = world.ranking._library
    return Ranking(
        world.workspace,
        settings,
        world.store,
        world.runs,
        review,
        world.changes,
        library,
        world.vision,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("actor", ["ada", "bea"])
async def test_two_processes_deciding_one_set_are_both_kept_and_the_later_is_told(three: World, actor: str) -> None:
    first = (await three.ranking.turn()).shown
    assert first is not None
    two = another(three, actor)
    mine = await three.ranking.decide(first.id, Verdict.APPROVED, first.members[0].image.path)
    theirs = await two.decide(first.id, Verdict.APPROVED, first.members[1].image.path)
    assert mine.earlier is None
    assert theirs.earlier is not None and theirs.earlier.id == mine.decision.id
    in_force = await three.review.in_force("ranking", f"set:{first.id}")
    assert in_force is not None and in_force.id == theirs.decision.id
    assert (await three.review.decision(mine.decision.id)).value["image"] == first.image_ids[0]


async def test_after_an_undo_or_a_skip_nobody_was_before(three: World) -> None:
    first = (await three.ranking.turn()).shown
    assert first is not None
    await three.ranking.decide(first.id, Verdict.REJECTED)
    (undone,) = await three.ranking.take_back()
    assert undone.verdict is Verdict.WITHDRAWN
    assert (await three.ranking.decide(first.id, Verdict.SKIPPED)).earlier is None
    assert (await three.ranking.decide(first.id, Verdict.REJECTED)).earlier is None


async def test_progress_counts_by_project_and_guesses_the_time_from_the_pace(three: World) -> None:
    three.add("/lib/garden/1", ["a.png", "b.png"], project="garden")
    await three.ranking.build_sets()
    assert (await three.ranking.progress()).seconds_left is None
    for one in (await three.ranking.queue("mojo1"))[:2]:
        await three.ranking.reject(one)
    garden, mojo1 = await three.ranking.progress_by_project()
    assert (garden.project, garden.counts.decided, garden.counts.remaining) == ("garden", 0, 1)
    assert (mojo1.project, mojo1.counts.decided, mojo1.counts.remaining) == ("mojo1", 2, 1)


def test_the_pace_is_the_median_without_pauses() -> None:
    seconds = [0, 2, 4, 6, 9, 11, 3_000, 3_002, 3_004]
    moments = [f"2025-07-08T{12 + s // 3600:02}:{s // 60 % 60:02}:{s % 60:02}.000000Z" for s in seconds]
    assert pace_of(moments) == 2.0
    assert pace_of(moments[:3]) is None
