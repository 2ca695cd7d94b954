"""Learning from each verdict at once: the numbers against a full fit, the door against the store."""

from __future__ import annotations

import numpy as np
import pytest

from engine.ranking import catalogue, online, posterior
from engine.ranking.features import PLAIN
from engine.ranking.measures import pair_accuracy
from engine.ranking.online import Belief, learn_one
from engine.ranking.posterior import Gaussian, Prior
from engine.runs import RunState
from tests.engine.ranking.conftest import DIMENSION, Taste, World, simulate
from tests.engine.ranking.simulated import person


def rows(someone, number: int) -> np.ndarray:  # type: ignore[no-untyped-def]
    return someone.examples.features[someone.examples.offsets[number] : someone.examples.offsets[number + 1]]


def test_one_set_alone_gives_exactly_what_a_full_fit_gives() -> None:
    someone = person(1, 6, seed=1, sizes=(4, 4))
    prior = Prior(someone.blocks, {"embedding": 0.5}, lapse=0.0)
    expected = posterior.believe(someone.examples, someone.blocks, prior=prior).shared
    change = learn_one(Gaussian(np.zeros(6), np.eye(6) * 2), rows(someone, 0), 0)
    assert change.step == pytest.approx(expected.mean, abs=1e-5)
    assert np.eye(6) * 2 - change.left @ change.right == pytest.approx(expected.covariance, abs=1e-4)


def test_many_sets_one_by_one_come_near_the_full_fit() -> None:
    someone = person(400, 6, seed=2)
    train = someone.examples.take(np.arange(200))
    test = someone.examples.take(np.arange(200, 400))
    full = posterior.believe(train, someone.blocks)
    belief = Belief(np.zeros(6), np.diag(1 / full.prior.precision))
    for number in range(200):
        belief.take_on(number, [(rows(someone, number), 1.0)], full.prior.lapse)
    ours = pair_accuracy(test.features @ belief.mean, test.offsets)
    assert ours >= pair_accuracy(full.scores(test), test.offsets) - 0.03


def test_what_is_taken_off_leaves_no_trace() -> None:
    someone = person(30, 5, seed=3)
    belief = Belief(np.zeros(5), np.eye(5))
    belief.take_on(0, [(rows(someone, 0), 1.0)], 0.05)
    mean, covariance = belief.mean.copy(), belief.covariance.copy()
    for number in range(1, 30):
        belief.take_on(number, [(rows(someone, number), 1.0)], 0.05)
    assert not np.allclose(belief.mean, mean)
    for _ in range(29):
        belief.take_off()
    assert belief.mean == pytest.approx(mean, abs=1e-9)
    assert belief.covariance == pytest.approx(covariance, abs=1e-9)


def test_unlearning_a_set_that_was_learned_undoes_it() -> None:
    someone = person(40, 4, seed=4, sizes=(2, 2))
    prior = Prior(someone.blocks, {"embedding": 1.0}, lapse=0.0)
    full = posterior.believe(someone.examples, someone.blocks, prior=prior).shared
    without = posterior.believe(someone.examples.take(np.arange(39)), someone.blocks, prior=prior).shared
    change = learn_one(full, rows(someone, 39), 0, sign=-1.0)
    assert full.mean + change.step == pytest.approx(without.mean, abs=0.05)
    assert np.linalg.eigvalsh(full.covariance - change.left @ change.right).min() > 0


def test_a_set_of_three_hundred_and_one_of_twins_are_learned_without_trouble() -> None:
    random = np.random.default_rng(5)
    big = random.normal(size=(300, 8))
    change = learn_one(Gaussian(np.zeros(8), np.eye(8) * 50), big - big.mean(axis=0), 7, lapse=0.05)
    assert np.isfinite(change.step).all() and np.isfinite(change.left).all()
    twins = learn_one(Gaussian(np.ones(8), np.eye(8)), np.zeros((3, 8)), 0)
    assert not twins.step.any()


async def undecided(world: World, taste: Taste, sets: int, seed: int = 9) -> list[int]:
    """New sets of six in the project, undecided; returns their ids."""
    random = np.random.default_rng(seed)
    for number in range(sets):
        names = [f"new{seed}-{number:02}_{place}.png" for place in range(6)]
        world.vision.by_name.update({name: random.normal(size=DIMENSION) for name in names})
        world.add("/pictures/mojo1", names)
    await world.ranking.build_sets()
    return await world.ranking.queue("mojo1")


async def scores(world: World, set_id: int) -> dict[str, float]:
    found = await world.ranking.suggest(set_id)
    assert found is not None
    return dict(found.proposal["scores"])


async def test_a_verdict_moves_the_next_suggestion_and_an_undo_takes_it_back(world: World) -> None:
    taste = await simulate(world, 60, seed=4)
    run = await world.runs.wait((await world.ranking.train()).id)
    assert run.state is RunState.DONE and run.result is not None and run.result["promoted"], run.result
    first, second, third, *_ = await undecided(world, taste, 5)
    before = await scores(world, second)
    one = await world.ranking.image_set(first)
    suggestion = await world.ranking.suggest(first)
    assert suggestion is not None
    other = next(i for i in one.image_ids if i != suggestion.proposal["image"])
    await world.ranking.pick(first, other, suggestion)
    after = await scores(world, second)
    assert max(abs(before[key] - after[key]) for key in before) > 1e-3
    await world.ranking.skip(third)
    assert await scores(world, second) == after, "a skip says nothing of a taste"
    await world.ranking.undo()
    await world.ranking.undo()
    assert await scores(world, second) == pytest.approx(before, abs=2e-6)


async def test_a_set_of_an_imported_log_that_is_decided_anew_counts_once(world: World) -> None:
    """The log's word is taken out of the belief; saying the same again changes nothing, and an undo brings it back."""
    taste = await simulate(world, 60, seed=4)
    await world.runs.wait((await world.ranking.train()).id)
    shown, *_ = await undecided(world, taste, 5)
    before = await scores(world, shown)
    with world.store.reading() as connection:
        logged = catalogue.imported_choices(connection)[3]
    await world.ranking.pick(logged.set_pk, logged.winner)
    assert await scores(world, shown) == before, "what it has learned already"
    await world.ranking.pick(logged.set_pk, logged.image_ids[1])
    moved = await scores(world, shown)
    assert moved != before
    await world.ranking.undo()
    await world.ranking.undo()
    assert await scores(world, shown) == pytest.approx(before, abs=2e-6)
    await world.ranking.skip(logged.set_pk)
    assert await scores(world, shown) == pytest.approx(before, abs=2e-6), "a skip leaves the log's word in force"
    await world.ranking.reject(logged.set_pk)
    assert await scores(world, shown) != pytest.approx(before, abs=2e-6), "a refusal takes it out"


async def test_another_process_deciding_the_same_set_counts_as_the_newest_word(world: World) -> None:
    """Two doors on one store, as two processes are."""
    from engine.ranking import Ranking

    taste = await simulate(world, 60, seed=4)
    await world.runs.wait((await world.ranking.train()).id)
    first, second, *_ = await undecided(world, taste, 5)
    other = Ranking(
        world.workspace, world.settings, world.store, world.runs, world.review, world.changes, None, world.vision
    )  # type: ignore[arg-type]
    ids = (await world.ranking.image_set(first)).image_ids
    await world.ranking.pick(first, ids[0])
    alone = await scores(world, second)
    await other.pick(first, ids[1])
    assert await scores(world, second) != alone
    assert await scores(world, second) == dict((await other.suggest(second)).proposal["scores"])  # type: ignore[union-attr]


async def test_it_follows_the_verdicts_before_any_model_is_promoted_and_claims_no_confidence(world: World) -> None:
    """The taste is in the vectors alone, so that every naive baseline is at chance."""
    taste = await simulate(world, 40, seed=4)
    first, second, *_ = await undecided(world, taste, 3)
    suggestion = await world.ranking.suggest(first)
    assert suggestion is not None
    assert suggestion.model == "early_taste" and suggestion.confidence is None
    before = await scores(world, second)
    other = next(i for i in (await world.ranking.image_set(first)).image_ids if i != suggestion.proposal["image"])
    await world.ranking.pick(first, other, suggestion)
    assert await scores(world, second) != before


async def test_with_winners_drawn_by_lot_the_baseline_stays(world: World) -> None:
    await simulate(world, 60, seed=5, shuffled=True)
    ids = await undecided(world, Taste(np.zeros(DIMENSION)), 2)
    suggestion = await world.ranking.suggest(ids[0])
    assert suggestion is not None and suggestion.confidence is None


def test_a_thousand_verdicts_cost_the_same_each() -> None:
    """What is kept of a set is a few rows, whatever came before."""
    someone = person(20, DIMENSION + len(PLAIN), seed=6)
    belief = Belief(np.zeros(18), np.eye(18))
    for number in range(20):
        belief.take_on(number, [(rows(someone, number), 1.0)], 0.0)
    assert all(change.left.shape[1] <= 5 for _, changes in belief.applied for change in changes)
    assert online.learn_one(belief.taste, rows(someone, 0), 0).step.shape == (18,)
