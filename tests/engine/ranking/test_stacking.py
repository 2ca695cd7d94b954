"""Choices and single pairs as two estimates of one taste: how they are joined, and how much each has to say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.ranking import learn, posterior, stacking
from engine.ranking.learn import Examples, Weights
from engine.ranking.measures import pair_accuracy
from tests.engine.ranking.simulated import person


def test_every_pair_of_a_set_stands_by_itself_with_its_sets_group_weight_and_project() -> None:
    features = np.arange(10.0).reshape(5, 2)
    offsets, groups = np.array([0, 3, 5]), np.array([7, 8])
    examples = Examples(features, offsets, groups, np.array([1.0, 2.0]), np.array([0, 4]))
    pairs = stacking.pairs_of(examples)
    assert pairs.features.tolist() == features[[0, 1, 0, 2, 3, 4]].tolist()
    assert pairs.offsets.tolist() == [0, 2, 4, 6]
    assert pairs.groups.tolist() == [7, 7, 8] and pairs.owners.tolist() == [0, 0, 4]
    assert pairs.weights is not None and pairs.weights.tolist() == [1.0, 1.0, 2.0]


def test_the_pairs_by_themselves_are_logistic_regression_on_differences() -> None:
    someone = person(80, 6, seed=1)
    ours = learn.fit(stacking.pairs_of(someone.examples), 1.0)
    theirs = learn.fit_logistic_difference(someone.examples, seed=0, strength=1.0)
    assert ours == pytest.approx(theirs, abs=2e-3)


def test_joined_weights_keep_the_length_of_the_choices_and_move_every_project() -> None:
    choices = Weights(np.array([4.0, 0.0]), {1: np.array([1.0, 0.0])})
    pairs = Weights(np.array([0.0, 2.0]), {1: np.array([0.0, 1.0])})
    assert stacking.joined(choices, pairs, 0.0) is choices
    assert stacking.joined(choices, pairs, 1.0).shared.tolist() == [0.0, 4.0]
    half = stacking.joined(choices, pairs, 0.5)
    assert half.shared.tolist() == [2.0, 2.0] and half.deviations[1].tolist() == [0.5, 1.0]
    assert stacking.joined(choices, Weights(np.zeros(2)), 0.5) is choices, "pairs that say nothing move nothing"


def test_what_mispredicts_the_sets_left_out_has_little_to_say() -> None:
    someone = person(100, 6, seed=2, logistic=True)
    right, wrong = Weights(someone.truth), Weights(np.roll(someone.truth, 1))
    assert stacking.share_of_pairs(someone.examples, lambda _: right, lambda _: wrong) < 0.3
    assert stacking.share_of_pairs(someone.examples, lambda _: wrong, lambda _: right) > 0.7
    assert stacking.share_of_pairs(someone.examples, lambda _: right, lambda _: right) == pytest.approx(0.75)
    many = person(400, 6, seed=2, logistic=True).examples
    assert stacking.share_of_pairs(many, lambda _: right, lambda _: right) == pytest.approx(0.75 / 4)


@pytest.mark.parametrize("dimension", [16, 64])
def test_with_a_hundred_sets_nobody_is_far_behind_logistic_regression(dimension: int) -> None:
    """Reduced: `python -m tests.bench taste` measures more people on more sets."""
    gaps = []
    for seed in range(4):
        someone = person(4_100, dimension, 40 + seed)
        train, test = (someone.examples.take(some) for some in (np.arange(100), np.arange(100, 4_100)))
        reference = learn.fit_logistic_difference(train, seed=0)
        belief = posterior.believe(train, someone.blocks)
        assert 0 < belief.prior.pairs < 1
        theirs = pair_accuracy(np.asarray(test.features @ reference), test.offsets)
        gaps.append(pair_accuracy(belief.scores(test), test.offsets) - theirs)
    assert min(gaps) > -0.005
    assert np.mean(gaps) > 0


def test_a_prior_that_is_given_is_kept_with_its_share() -> None:
    someone = person(60, 6, seed=3)
    belief = posterior.believe(someone.examples, someone.blocks)
    again = posterior.believe(someone.examples, someone.blocks, prior=belief.prior)
    assert again.shared.mean == pytest.approx(belief.shared.mean, abs=1e-3)
    alone = posterior.believe(someone.examples, someone.blocks, prior=replace(belief.prior, pairs=0.0))
    assert not np.allclose(alone.shared.mean, belief.shared.mean, atol=1e-3)
    assert np.array_equal(alone.shared.covariance, again.shared.covariance)
