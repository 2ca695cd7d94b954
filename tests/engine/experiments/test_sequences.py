"""Intervals that hold at every look: their formulas, and by simulation (reduced; `make bench` runs the full size)."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import optimize
from scipy.special import betaln

from engine.experiments.model import Metric
from engine.experiments.sequences import bernoulli_sequence, mixture_radius, rho_for, users_needed
from tests.bench.experiments import SKEWED, drifting_false_alarms, false_alarms, power, traffic


def test_the_radius_is_the_papers() -> None:
    # 2103.06476, theorem 2.2: sigma sqrt(2 (t rho^2 + 1) / (t^2 rho^2) log(sqrt(t rho^2 + 1) / alpha))
    t, sigma, alpha, rho = 500, 1.3, 0.05, rho_for(200, 0.05)
    expected = sigma * math.sqrt(2 * (t * rho**2 + 1) / (t**2 * rho**2) * math.log(math.sqrt(t * rho**2 + 1) / alpha))
    assert mixture_radius(sigma**2 / t, t, alpha, tuned_for=200) == pytest.approx(expected, rel=1e-12)


def test_the_radius_is_about_narrowest_where_it_is_tuned() -> None:
    def width(rho: float) -> float:
        grown = 1000 * rho * rho + 1
        return 2 * grown / (1000 * rho * rho) * math.log(math.sqrt(grown) / 0.05)

    best = optimize.minimize_scalar(width, bounds=(0.01, 1), method="bounded").fun
    assert width(rho_for(1000, 0.05)) <= best * 1.01


@pytest.mark.parametrize(("successes", "n"), [(0, 5), (5, 5), (3, 10), (480, 1000), (2.5, 7)])
def test_the_bernoulli_sequence_ends_where_the_martingale_reaches_its_bound(successes: float, n: int) -> None:
    low, high = bernoulli_sequence(successes, n, 0.05)
    assert 0 <= low <= successes / n <= high <= 1
    for end in (low, high):
        if 0 < end < 1:
            log_ratio = betaln(1 + successes, 1 + n - successes) - successes * math.log(end)
            log_ratio -= (n - successes) * math.log1p(-end)
            assert log_ratio == pytest.approx(math.log(20), abs=1e-6)


def test_the_bernoulli_sequence_misses_seldom_however_often_one_looks() -> None:
    draw = np.random.default_rng(0)
    missed = 0
    for _turn in range(400):
        total = np.cumsum(draw.random(150) < 0.3)
        missed += any(
            not low <= 0.3 <= high
            for n in range(1, 151, 3)
            for low, high in [bernoulli_sequence(float(total[n - 1]), n, 0.1)]
        )
    assert missed / 400 <= 0.1


def test_without_observations_everything_is_possible() -> None:
    assert bernoulli_sequence(0, 0, 0.05) == (0.0, 1.0)


def test_smaller_gaps_need_more_users() -> None:
    assert users_needed(0.25, 0.05, 0.05) > 3 * users_needed(0.25, 0.10, 0.05)
    n = users_needed(0.25, 0.10, 0.05)
    assert mixture_radius(0.5 / n, 2 * n, 0.05) < 0.10


def test_equal_arms_are_seldom_called_different_however_often_one_looks() -> None:
    for metric in ("success", "rating"):
        assert false_alarms(60, 20, 2_000, metric, seed=1) <= 0.05  # type: ignore[arg-type]


@pytest.mark.parametrize("metric", ["success", "rating"])
def test_a_small_arm_of_users_who_nearly_all_agree_is_not_called_different(metric: Metric) -> None:
    """Of 97 % who give 5 stars, the 5 % of users in the exploring arm often give nothing else."""
    assert false_alarms(40, 25, 4_000, metric, seed=3, share=0.05, thresholds=SKEWED) <= 0.05


def test_drift_with_adaptive_weights_does_not_fool_the_program() -> None:
    ours, pooled = drifting_false_alarms(20, 60, "success", seed=1, days=30)
    assert ours <= 0.06
    assert pooled > ours  # the test that the program does not rely on


def test_a_true_shift_is_found() -> None:
    for metric in ("success", "rating"):
        assert power(40, 3_000, 0.2, metric, seed=1) >= 0.9  # type: ignore[arg-type]


def test_traffic_goes_to_the_best_arm() -> None:
    shares, regrets = traffic(25, 2_000, [0.5, 0.5, 0.5, 0.6], 200, seed=1)
    assert np.median(shares) >= 0.7
    assert (regrets < 1).mean() >= 0.95
