"""Suggestions, verdicts and the queue, as the ranking screen uses them."""

from __future__ import annotations

import pytest

from engine.errors import UsageError
from engine.ranking.suggest import reasons
from engine.review import Verdict
from engine.store import Store
from tests.engine.ranking.conftest import World, reading, simulate


@pytest.fixture
async def three(world: World) -> World:
    """Three sets of two images."""
    for number in range(3):
        world.add(f"/lib/mojo1/{number}", [f"{number}a.png", f"{number}b.png"], project="mojo1")
    world.vision.sharpness = {"0b.png": 2.0, "1a.png": 1.0, "2a.png": 1.0}
    await world.ranking.build_sets()
    return world


async def test_without_a_ranker_the_sharpest_is_suggested_and_no_confidence_is_claimed(three: World) -> None:
    (first, *_) = await three.ranking.queue()
    one = await three.ranking.image_set(first)
    suggestion = await three.ranking.suggest(first)
    assert suggestion is not None and suggestion.id is not None
    assert suggestion.proposal["image"] == one.members[1].image.id
    assert (suggestion.model, suggestion.confidence) == ("baseline:sharpest", None)
    assert suggestion.reasons == ("the sharpest of the set",)
    status = await three.ranking.status()
    assert (status.model, status.baseline) == (None, "sharpest")
    assert status.why_not == "0 decided sets; 12 more are needed before it can learn"


async def test_a_pick_is_approved_modified_or_blind(three: World) -> None:
    first, second, third = await three.ranking.queue()
    suggestion = await three.ranking.suggest(first)
    assert suggestion is not None
    agreed = await three.ranking.pick(first, suggestion.proposal["image"], suggestion)
    assert agreed.verdict is Verdict.APPROVED
    other = await three.ranking.suggest(second)
    assert other is not None
    ids = (await three.ranking.image_set(second)).image_ids
    differs = next(one for one in ids if one != other.proposal["image"])
    decision = await three.ranking.pick(second, differs, other)
    assert decision.verdict is Verdict.MODIFIED
    assert decision.value["losers"] == [one for one in ids if one != differs]
    assert decision.value["content_hash"].startswith("hash of")
    blind = await three.ranking.pick(third, (await three.ranking.image_set(third)).image_ids[0], blind=True)
    assert (blind.verdict, blind.blind) == (Verdict.APPROVED, True)
    agreement = await three.ranking.agreement()
    assert (agreement.agreed, agreement.of) == (1, 2)
    assert await three.ranking.queue() == []


async def test_undo_has_no_limit_and_ends_with_nothing(three: World) -> None:
    queue = await three.ranking.queue()
    await three.ranking.reject(queue[0])
    await three.ranking.skip(queue[1])
    await three.ranking.pick(queue[2], (await three.ranking.image_set(queue[2])).image_ids[1])
    assert await three.ranking.queue() == []
    for left in (1, 2, 3):
        assert await three.ranking.undo() is not None
        assert len(await three.ranking.queue()) == left
    assert await three.ranking.undo() is None
    assert await three.ranking.queue() == queue


async def test_only_an_image_of_the_set_can_win(three: World) -> None:
    first, *_ = await three.ranking.queue()
    with pytest.raises(UsageError, match="is not in set"):
        await three.ranking.pick(first, 999)
    with pytest.raises(UsageError, match="there is no image set 999"):
        await three.ranking.image_set(999)


async def test_a_verdict_survives_the_end_of_the_process(three: World) -> None:
    first, *_ = await three.ranking.queue()
    decision = await three.ranking.pick(first, (await three.ranking.image_set(first)).image_ids[0])
    other = Store.open(three.workspace.database_file)
    with other.reading() as connection:
        from engine.ranking import catalogue

        assert [choice.winner for choice in catalogue.choices(connection, "ada")] == [decision.value["image"]]
    other.close()


async def test_nothing_is_suggested_where_nothing_can_be_read(three: World) -> None:
    first, *_ = await three.ranking.queue()
    three.vision.unreadable = {"0a.png"}
    assert await three.ranking.suggest(first) is None


async def test_the_suggestion_follows_the_baseline_that_does_best(world: World) -> None:
    for number in range(14):
        ids = world.add(f"/lib/mojo1/{number:02}", [f"{number:02}{letter}.png" for letter in "abc"], project="mojo1")
        await world.ranking.build_sets([f"/lib/mojo1/{number:02}"])
        if number < 13:
            await world.ranking.pick((await world.ranking.queue())[-1], ids[2])
    (last,) = await world.ranking.queue()
    suggestion = await world.ranking.suggest(last)
    assert suggestion is not None
    assert suggestion.model in ("baseline:last", "baseline:largest_file")
    assert suggestion.proposal["image"] == ids[2]
    assert suggestion.confidence is None


async def test_a_promoted_ranker_suggests_with_calibrated_confidence(world: World) -> None:
    taste = await simulate(world, 160)
    run = await world.ranking.train()
    run = await world.runs.wait(run.id)
    assert run.result is not None and run.result["promoted"], run
    ids = world.add("/lib/mojo1/new", ["x.png", "y.png", "z.png"], project="mojo1")
    world.vision.by_name.update({"x.png": -taste.weight, "y.png": taste.weight, "z.png": 0 * taste.weight})
    await world.ranking.build_sets(["/lib/mojo1/new"])
    (one,) = await world.ranking.queue()
    suggestion = await world.ranking.suggest(one)
    assert suggestion is not None
    assert (suggestion.model, suggestion.proposal["image"]) == ("ranker_v1", ids[1])
    assert suggestion.confidence is not None and 0.8 < suggestion.confidence < 1
    assert sum(suggestion.proposal["scores"].values()) == pytest.approx(1, abs=1e-4)


async def test_what_tells_most_comes_first_when_asked_for_information(world: World) -> None:
    taste = await simulate(world, 150)
    await world.runs.wait((await world.ranking.train()).id)
    for name, gap in (("easy", 3.0), ("close", 0.01), ("middling", 0.15)):
        world.add(f"/lib/mojo1/{name}", [f"{name}1.png", f"{name}2.png"], project="mojo1")
        world.vision.by_name.update({f"{name}1.png": gap * taste.weight, f"{name}2.png": 0 * taste.weight})
    await world.ranking.build_sets()
    by_date = await world.ranking.queue()
    titles = {one.id: one.title.partition(":")[0] for one in await world.ranking.image_sets(by_date)}
    for one in by_date:
        await world.ranking.suggest(one)
    world.ranking._settings = world.settings.model_copy(update={"order": "information"})
    assert [titles[one] for one in await world.ranking.queue()] == ["middling", "close", "easy"], (
        "twins tell as little as what is known"
    )


def test_reasons_are_said_only_when_they_hold_against_every_other_image() -> None:
    sharp = [reading(sharpness=3.0), reading(sharpness=2.0), reading(sharpness=1.0)]
    assert reasons(sharp, 0, is_taste=False) == ("sharper",)
    assert reasons(sharp, 1, is_taste=False) == ()
    mixed = [reading(clipped=0.0, noise=0.1), reading(clipped=0.2, noise=3.0)]
    assert reasons(mixed, 0, is_taste=True) == ("less clipping", "less noise")
    dark = [reading(exposure=0.45), reading(exposure=0.1), reading(exposure=0.9)]
    assert reasons(dark, 0, is_taste=True) == ("better exposed",)
    warm = [reading(warmth=12.0), reading(warmth=0.0)]
    assert reasons(warm, 0, is_taste=True) == ("warmer",)
    assert reasons(warm, 0, is_taste=False) == ()
    assert reasons(sharp[:1], 0, is_taste=True) == ()
    assert reasons([reading(), reading()], 0, is_taste=True) == ()
