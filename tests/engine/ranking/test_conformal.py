"""The promise: thresholds that hold as often as they say, against crepes and against simulated people."""

from __future__ import annotations

import numpy as np
import pytest
from crepes import ConformalClassifier
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom

from engine.ranking import conformal_threshold
from engine.ranking.conformal import accuracy_bound, conformal_p_values, coverage_curve, shortlist_size


def test_p_values_are_those_of_crepes() -> None:
    random = np.random.default_rng(0)
    calibration = np.round(random.random(60), 2)  # with ties
    scores = np.round(random.random((25, 4)), 2)
    oracle = ConformalClassifier().fit(calibration)
    expected = oracle.predict_p(scores, smoothing=False)
    found = np.stack([conformal_p_values(calibration, row) for row in scores])
    assert found == pytest.approx(expected)


def test_a_shortlist_is_the_prediction_set_of_crepes_and_holds_the_pick() -> None:
    """The promise is on average over what one calibrates on, so the average over twenty calibrations is looked at."""
    random = np.random.default_rng(1)
    chances = random.dirichlet(np.ones(4) * 0.5, size=4_000)
    winners = np.array([random.choice(4, p=row) for row in chances])
    strange = 1 - chances[np.arange(4_000), winners]
    held = []
    for start in range(0, 4_000, 200):
        used, new = strange[start : start + 100], np.arange(start + 100, start + 200)
        sizes = [shortlist_size(used, chances[one], 0.9) for one in new]
        oracle = ConformalClassifier().fit(used).predict_set(1 - chances[new], confidence=0.9, smoothing=False)
        assert sizes == np.maximum(np.asarray(oracle).sum(axis=1), 1).tolist()
        held += [(chances[one] > chances[one][winners[one]]).sum() < n for one, n in zip(new, sizes, strict=True)]
    assert np.mean(held) >= 0.88


def test_the_bound_is_the_one_of_clopper_and_pearson() -> None:
    bound = accuracy_bound(95, 100, 0.1)
    assert binom.sf(94, 100, bound) == pytest.approx(0.1)  # just so likely to be this good by luck
    assert accuracy_bound(0, 10) == 0.0
    assert accuracy_bound(45, 45) == pytest.approx(0.1 ** (1 / 45))


def test_no_promise_without_enough_to_promise_on() -> None:
    assert conformal_threshold(np.array([]), np.array([]), 0.95) == float("inf")
    assert conformal_threshold(np.full(44, 0.99), np.ones(44), 0.95) == float("inf")
    assert conformal_threshold(np.full(63, 0.99), np.ones(63), 0.95) == 0.99
    assert conformal_threshold(np.full(400, 0.99), np.zeros(400), 0.95) == float("inf")


def test_equal_confidences_stand_or_fall_together() -> None:
    confidence = np.repeat([0.99, 0.6], [100, 300])
    correct = np.repeat([1.0, 0.5], [100, 300])
    assert conformal_threshold(confidence, correct, 0.95) == 0.99


@pytest.mark.parametrize("bad", [(np.array([0.5]), np.array([1.0, 0.0]), 0.9), (np.array([np.nan]), np.ones(1), 0.9)])
def test_nonsense_is_refused(bad: tuple[np.ndarray, np.ndarray, float]) -> None:
    with pytest.raises(ValueError, match=r"belong together|no number"):
        conformal_threshold(*bad)
    with pytest.raises(ValueError, match="between 0 and 1"):
        conformal_threshold(np.ones(3), np.ones(3), 1.0)


def test_ninety_five_percent_holds_for_nine_people_of_ten_and_covers_much() -> None:
    """People with logistic noise, whose true accuracy at every confidence is known."""
    random = np.random.default_rng(2)
    broken, coverage, oracle = 0, [], []
    for _ in range(100):
        strength = random.uniform(2.0, 6.0)

        def draw(count: int, strength: float = strength) -> tuple[np.ndarray, np.ndarray]:
            confidence = 1 / (1 + np.exp(-np.abs(random.normal(size=count)) * strength))
            return confidence, (random.random(count) < confidence).astype(float)

        threshold = conformal_threshold(*draw(600), 0.95)
        sets = np.sort(draw(5_000)[0])[::-1]
        chosen = sets[sets >= threshold]
        broken += bool(chosen.size) and chosen.mean() < 0.95
        running = np.cumsum(sets) / np.arange(1, 5_001)
        coverage.append(len(chosen) / 5_000)
        oracle.append(np.flatnonzero(running >= 0.95)[-1] / 5_000)
    assert broken <= 10
    assert np.mean(coverage) >= 0.6 * np.mean(oracle)


@given(st.lists(st.tuples(st.floats(0.2, 1.0), st.booleans()), min_size=1, max_size=200))
@settings(max_examples=50, deadline=None)
def test_the_curve_goes_from_strict_to_all(pairs: list[tuple[float, bool]]) -> None:
    confidence = np.array([one for one, _ in pairs])
    correct = np.array([float(one) for _, one in pairs])
    curve = coverage_curve(confidence, correct)
    assert [one["coverage"] for one in curve] == sorted({one["coverage"] for one in curve})
    assert curve[-1]["coverage"] == 1.0 and curve[-1]["accuracy"] == pytest.approx(correct.mean())
    assert all(one["promised"] <= one["accuracy"] + 1e-9 for one in curve)
