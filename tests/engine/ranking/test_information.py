"""What to ask next: gains against brute force, batches without twins, and replay."""

from __future__ import annotations

import numpy as np
import pytest

from engine.errors import ProofsheetError
from engine.ranking import learn, replay
from engine.ranking.information import information, pick_batch
from engine.ranking.measures import segment_softmax
from engine.ranking.posterior import Gaussian
from tests.engine.ranking.conftest import World, simulate
from tests.engine.ranking.simulated import person
from tests.engine.ranking.test_online import undecided


def test_the_gain_is_the_mutual_information() -> None:
    someone = person(6, 4, seed=1)
    looks, offsets = someone.examples.features, someone.examples.offsets
    random = np.random.default_rng(2)
    root = random.normal(size=(4, 4))
    taste = Gaussian(random.normal(size=4), root @ root.T)
    drawn = random.multivariate_normal(taste.mean, taste.covariance, size=20_000)
    chances = np.stack([segment_softmax(looks @ w, offsets) for w in drawn])

    def entropy(p: np.ndarray) -> np.ndarray:
        return -np.add.reduceat(p * np.log(p), offsets[:-1], axis=-1)

    expected = entropy(chances.mean(axis=0)) - entropy(chances).mean(axis=0)
    assert information(taste, looks, offsets) == pytest.approx(expected, abs=0.08)
    assert information(Gaussian(taste.mean, np.zeros((4, 4))), looks, offsets) == pytest.approx(np.zeros(6), abs=1e-9)


def test_a_batch_does_not_ask_the_same_twice() -> None:
    """A twin of the most telling set tells next to nothing once that is answered."""
    someone = person(12, 6, seed=3)
    taste = Gaussian(np.zeros(6), np.eye(6) * 40)
    alone = information(taste, someone.examples.features, someone.examples.offsets)
    best = int(alone.argmax())
    rows = [
        someone.examples.features[a:b]
        for a, b in zip(someone.examples.offsets, someone.examples.offsets[1:], strict=False)
    ]
    rows.append(rows[best].copy())
    offsets = learn.offsets_of(np.array([len(one) for one in rows]))
    batch = pick_batch(taste, np.concatenate(rows), offsets, 5)
    assert len(set(batch)) == 5
    assert len({best, 12} & set(batch)) == 1


def test_information_needs_fewer_verdicts_than_chance() -> None:
    """Reduced; `python -m tests.bench taste` asks twenty people."""
    ratios = []
    for seed in range(3):
        someone = person(200, 12, seed)
        ratios.append(
            replay.replay(someone.examples, someone.blocks, seed=seed, orders=2)["information_against_random"]
        )
    assert np.median(ratios) <= 0.9


def test_a_lucky_measurement_is_not_reaching_the_goal() -> None:
    course = replay.Course((0, 2, 4, 6), (0.5, 0.9, 0.6, 0.95))
    assert course.needed(0.85) == 6
    assert course.needed(0.99) == 6


async def test_the_queue_asks_first_what_tells_most(world: World) -> None:
    taste = await simulate(world, 60, seed=4)
    await world.runs.wait((await world.ranking.train()).id)
    by_date = await undecided(world, taste, 8)
    world.ranking._settings = world.settings.model_copy(update={"order": "information"})
    asked = await world.ranking.queue("mojo1")
    assert sorted(asked) == sorted(by_date) and asked != by_date


async def test_recorded_verdicts_are_replayed(world: World) -> None:
    with pytest.raises(ProofsheetError, match="too little to replay"):
        await world.ranking.replay()
    await simulate(world, 60, seed=4)
    found = await world.ranking.replay()
    assert found["sets"] == {"asked": 45, "held_out": 15}
    assert set(found["needed"]) == {"information", "date", "random"}
    assert 0.5 < found["goal"] < found["final_pair_accuracy"] <= 1.0
    assert found["curves"]["date"][0] == {"verdicts": 0, "pair_accuracy": 0.5}
