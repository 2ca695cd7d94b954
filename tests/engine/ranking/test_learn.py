"""The mathematics of taste, against oracles."""

from __future__ import annotations

from itertools import pairwise

import choix
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from engine.ranking import learn, measures, posterior
from engine.ranking.learn import Examples, centre, offsets_of


def people(sets: int, dimension: int, seed: int, *, noise: float = 0.0, sizes: tuple[int, int] = (2, 5)) -> Examples:
    """Choices of a simulated person with a linear taste and Gumbel noise, so that Plackett-Luce is the truth."""
    random = np.random.default_rng(seed)
    taste = random.normal(size=dimension)
    parts, counts = [], []
    for _ in range(sets):
        count = int(random.integers(sizes[0], sizes[1] + 1))
        vectors = random.normal(size=(count, dimension))
        utility = vectors @ taste + random.gumbel(size=count)
        best = int(random.integers(count)) if random.random() < noise else int(utility.argmax())
        parts.append(vectors[[best, *(i for i in range(count) if i != best)]])
        counts.append(count)
    offsets = offsets_of(np.array(counts))
    return Examples(centre(np.concatenate(parts), offsets), offsets, np.arange(sets))


def test_the_loss_is_the_softmax_of_the_winner() -> None:
    assert measures.plackett_luce_loss(np.array([0.0, 0.0]), 0) == pytest.approx(np.log(2))
    assert measures.plackett_luce_loss(np.array([1e4, 0.0, -1e4]), 0) == pytest.approx(0.0)
    scores = np.array([0.3, -1.2, 2.0])
    assert measures.plackett_luce_loss(scores, 1) == pytest.approx(-np.log(np.exp(-1.2) / np.exp(scores).sum()))


def test_items_alone_give_the_same_strengths_as_choix() -> None:
    """With one indicator a feature the model is Plackett-Luce itself: choix is the oracle for top-1 choices."""
    random = np.random.default_rng(5)
    items = 6
    strength = random.normal(size=items)
    data, parts, counts = [], [], []
    for _ in range(400):
        shown = random.choice(items, size=3, replace=False)
        winner = shown[(strength[shown] + random.gumbel(size=3)).argmax()]
        losers = tuple(int(item) for item in shown if item != winner)
        data.append((int(winner), losers))
        parts.append(np.eye(items)[[winner, *losers]])
        counts.append(3)
    offsets = offsets_of(np.array(counts))
    examples = Examples(centre(np.concatenate(parts), offsets), offsets, np.arange(len(counts)))
    alpha = 0.5
    expected = choix.opt_top1(items, data, alpha=alpha / 2)  # choix penalises alpha |w|^2, we alpha/2 |w|^2
    found = learn.fit(examples, alpha)
    assert found - found.mean() == pytest.approx(expected - expected.mean(), abs=1e-3)


def test_pairs_alone_are_logistic_regression_on_differences() -> None:
    examples = people(300, 5, seed=2, sizes=(2, 2))
    winners = examples.features[::2] - examples.features[1::2]
    signs = np.where(np.arange(300) % 2 == 0, 1.0, -1.0)
    oracle = LogisticRegression(C=0.5, fit_intercept=False, tol=1e-10, max_iter=5000).fit(
        winners * signs[:, None], signs
    )
    assert learn.fit(examples, alpha=2.0) == pytest.approx(oracle.coef_[0], abs=1e-4)


def test_the_fit_is_the_minimum_that_scipy_finds() -> None:
    examples = people(80, 4, seed=3)

    def loss(weights: np.ndarray) -> float:
        scores = examples.features @ weights
        return float(measures.segment_losses(scores, examples.offsets).sum() + 0.5 * weights @ weights)

    oracle = minimize(loss, np.zeros(4), tol=1e-10).x
    assert learn.fit(examples, alpha=1.0) == pytest.approx(oracle, abs=1e-3)


def test_learning_is_deterministic_and_can_be_stopped() -> None:
    examples = people(60, 6, seed=4)
    assert np.array_equal(learn.fit(examples, 1.0), learn.fit(examples, 1.0))
    believed = [posterior.believe(examples, {"embedding": slice(0, 6)}) for _ in range(2)]
    assert np.array_equal(believed[0].shared.covariance, believed[1].shared.covariance)
    calls = 0

    class Stopped(Exception):
        pass

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise Stopped

    with pytest.raises(Stopped):
        learn.fit(examples, 1.0, check=check)


def test_a_taste_is_found_and_never_worse_than_logistic_regression_by_much() -> None:
    examples = people(1_000, 12, seed=6, noise=0.1)
    train, test = examples.take(np.arange(400)), examples.take(np.arange(400, 1_000))
    weights = posterior.believe(train, {"embedding": slice(0, 12)}).shared.mean
    ours = measures.pair_accuracy(test.features @ weights, test.offsets)
    reference = measures.pair_accuracy(test.features @ learn.fit_logistic_difference(train, seed=0), test.offsets)
    assert ours > 0.8
    assert ours >= reference - 0.005


def test_the_temperature_is_the_most_likely_one() -> None:
    random = np.random.default_rng(7)
    logits = [random.normal(size=int(random.integers(2, 6))) * 3 for _ in range(500)]
    winners = [int((row / 3 + random.gumbel(size=len(row))).argmax()) for row in logits]
    found = measures.fit_temperature(logits, winners)

    def loss(log_temperature: np.ndarray) -> float:
        temperature = float(np.exp(log_temperature[0]))
        return sum(measures.plackett_luce_loss(row / temperature, w) for row, w in zip(logits, winners, strict=True))

    oracle = float(np.exp(minimize(loss, np.zeros(1), method="Nelder-Mead").x[0]))
    assert found == pytest.approx(oracle, rel=1e-2)
    assert found == pytest.approx(3.0, rel=0.3)


def test_calibrated_confidence_means_what_it_says() -> None:
    """One pick in ten owes nothing to the images: the confidence must know that, too."""
    examples = people(2_600, 6, seed=8, noise=0.1)
    train, test = examples.take(np.arange(600)), examples.take(np.arange(600, 2_600))
    blocks = {"embedding": slice(0, 6)}
    belief = posterior.believe(train, blocks)
    inner = [
        (posterior.believe(train.take(some), blocks, prior=belief.prior).logits(train.take(rest)), train.take(rest))
        for some, rest in learn.inner_splits(train, seed=0)
    ]
    offsets = offsets_of(np.concatenate([np.diff(part.offsets) for _, part in inner]))
    calibration = measures.fit_calibration(np.concatenate([logits for logits, _ in inner]), offsets)
    scores = belief.logits(test)
    correct = measures.top_hits(scores, test.offsets)
    assert measures.expected_calibration_error(calibration.confidences(scores, test.offsets), correct) < 0.04


def test_calibration_error_of_a_perfect_and_of_a_boasting_forecaster() -> None:
    random = np.random.default_rng(9)
    confidence = random.uniform(0.5, 1.0, size=20_000)
    honest = random.random(20_000) < confidence
    assert measures.expected_calibration_error(confidence, honest) < 0.02
    assert measures.expected_calibration_error(np.ones(100), np.zeros(100)) == 1.0
    assert measures.expected_calibration_error(np.array([]), np.array([])) == 0.0


def test_the_floor_of_the_calibration_error_is_what_a_perfect_forecaster_gets_at_that_many_sets() -> None:
    random = np.random.default_rng(11)
    for size in (27, 400):
        confidence = random.uniform(0.4, 1.0, size=size)
        floor = measures.calibration_floor(confidence)
        errors = [measures.expected_calibration_error(confidence, random.random(size) < confidence) for _ in range(200)]
        assert floor == pytest.approx(float(np.mean(errors)), rel=0.1)
        assert floor == measures.calibration_floor(confidence)
        assert measures.expected_calibration_error(confidence, np.zeros(size)) > 2 * floor


def test_accuracies_count_ties_as_chance() -> None:
    offsets = np.array([0, 3, 5])
    scores = np.array([1.0, 1.0, 0.0, 0.0, 2.0])
    assert measures.pair_accuracy(scores, offsets) == pytest.approx((0.5 + 1 + 0) / 3)
    assert measures.top_hits(scores, offsets).tolist() == [0.5, 0.0]
    assert measures.pair_accuracy(np.zeros(5), offsets) == 0.5


def test_a_set_of_hundreds_counts_for_no_more_than_ten_pairs() -> None:
    offsets = np.array([0, 300, 302, 304])
    scores = np.concatenate([[0.0], np.ones(299), [1.0, 0.0], [1.0, 0.0]])
    hits, pairs = measures.pair_hits(scores, offsets)
    assert hits.tolist() == [0.0, 1.0, 1.0] and pairs.tolist() == [10.0, 1.0, 1.0]
    assert measures.pair_accuracy(scores, offsets) == pytest.approx(2 / 12)


def test_the_bootstrap_tells_a_lead_from_chance() -> None:
    random = np.random.default_rng(10)
    pairs = np.ones(200)
    better = (random.random(200) < 0.8).astype(float)
    worse = (random.random(200) < 0.5).astype(float)
    assert measures.bootstrap_gap(better, worse, pairs, seed=0)[0] > 0
    low, high = measures.bootstrap_gap(worse, (random.random(200) < 0.5).astype(float), pairs, seed=0)
    assert low < 0 < high


@given(st.lists(st.integers(2, 6), min_size=1, max_size=30), st.integers(0, 1_000))
@settings(max_examples=40)
def test_probabilities_of_a_set_sum_to_one_and_keep_the_order(sizes, seed) -> None:
    random = np.random.default_rng(seed)
    offsets = offsets_of(np.array(sizes))
    scores = random.normal(size=offsets[-1]) * 50
    chances = measures.Calibration(random.uniform(0.1, 5), random.uniform(0, 0.5)).probabilities(scores, offsets)
    for start, end in pairwise(offsets):
        assert chances[start:end].sum() == pytest.approx(1.0)
        assert chances[start:end].argmax() == scores[start:end].argmax()
        assert (chances[start:end] >= 0).all()


@given(st.lists(st.integers(2, 6), min_size=2, max_size=30), st.integers(0, 1_000))
@settings(max_examples=40)
def test_inner_folds_keep_groups_together_and_cover_every_set(sizes, seed) -> None:
    random = np.random.default_rng(seed)
    offsets = offsets_of(np.array(sizes))
    groups = random.integers(0, max(len(sizes) // 2, 1), size=len(sizes))
    examples = Examples(random.normal(size=(int(offsets[-1]), 2)), offsets, groups)
    seen: list[int] = []
    for train, held_out in learn.inner_splits(examples, seed):
        assert not set(train) & set(held_out)
        if len(set(groups)) > 1:
            assert not set(groups[train]) & set(groups[held_out])
        seen.extend(held_out)
    assert sorted(seen) == list(range(len(sizes)))


@given(st.lists(st.integers(2, 5), min_size=1, max_size=20), st.integers(0, 1_000))
@settings(max_examples=40)
def test_centring_takes_off_what_the_images_of_a_set_share(sizes, seed) -> None:
    random = np.random.default_rng(seed)
    offsets = offsets_of(np.array(sizes))
    vectors = random.normal(size=(int(offsets[-1]), 3))
    shared = np.repeat(random.normal(size=(len(sizes), 3)), sizes, axis=0)
    assert centre(vectors + shared, offsets) == pytest.approx(centre(vectors, offsets))
