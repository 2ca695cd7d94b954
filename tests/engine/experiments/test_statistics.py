"""Our numbers against SciPy and statsmodels, and formulas that those lack against plain integration."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.nonparametric import rank_compare_2indep
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from engine.experiments.selection import lee_bounds, manski_bounds, response_p
from engine.experiments.srm import ratio_check
from engine.experiments.statistics import (
    compare_ordinal,
    holm,
    newcombe_interval,
    p_best_rates,
    p_best_ratings,
    p_better_rate,
    welch_p,
    wilson_interval,
)
from engine.experiments.stratified import Cells, adjusted_means, difference

CLOSE = {"rel": 1e-9, "abs": 1e-9}
COUNTS = [(0, 10, 10, 10), (3, 10, 7, 12), (430, 1000, 470, 990), (56, 70, 48, 80), (1, 5000, 4, 5100)]


@pytest.mark.parametrize(("s_a", "n_a", "s_b", "n_b"), COUNTS)
def test_newcombe_and_wilson_are_statsmodels(s_a: int, n_a: int, s_b: int, n_b: int) -> None:
    expected = confint_proportions_2indep(s_b, n_b, s_a, n_a, method="newcomb", compare="diff")
    assert newcombe_interval(s_a, n_a, s_b, n_b) == pytest.approx(expected, **CLOSE)
    assert wilson_interval(s_a, n_a) == pytest.approx(proportion_confint(s_a, n_a, method="wilson"), **CLOSE)


@pytest.mark.parametrize(("s_a", "n_a", "s_b", "n_b"), COUNTS)
def test_the_probability_of_being_better_is_the_integral(s_a: int, n_a: int, s_b: int, n_b: int) -> None:
    a, b = stats.beta(1 + s_a, 1 + n_a - s_a), stats.beta(1 + s_b, 1 + n_b - s_b)
    points = sorted({*a.ppf([1e-6, 0.5, 1 - 1e-6]), *b.ppf([1e-6, 0.1, 0.5, 0.9, 1 - 1e-6])})
    expected = integrate.quad(
        lambda x: b.pdf(x) * a.cdf(x), 0, 1, points=points, epsabs=1e-13, epsrel=1e-13, limit=2_000
    )[0]
    assert p_better_rate(s_a, n_a, s_b, n_b) == pytest.approx(expected, **CLOSE)


def test_the_closed_form_for_whole_numbers_agrees() -> None:
    from scipy.special import betaln

    a1, b1, a2, b2 = 6, 9, 8, 5  # Beta(a1, b1) against Beta(a2, b2): Evan Miller's sum
    closed = sum(
        np.exp(betaln(a1 + i, b1 + b2) - np.log(b2 + i) - betaln(1 + i, b2) - betaln(a1, b1)) for i in range(a2)
    )
    assert p_better_rate(a1 - 1, a1 + b1 - 2, a2 - 1, a2 + b2 - 2) == pytest.approx(closed, **CLOSE)


def test_very_unequal_arms_are_integrated_too() -> None:
    found = p_best_rates([5, 500_000], [10, 1_000_000])
    draw = np.random.default_rng(0)
    simulated = np.mean(draw.beta(6, 6, 400_000) > draw.beta(500_001, 500_001, 400_000))
    assert found[0] == pytest.approx(simulated, abs=0.004)
    assert sum(found) == pytest.approx(1, **CLOSE)


def test_the_best_of_one_arm_is_that_arm_and_equals_share() -> None:
    assert p_best_rates([3], [10]) == [1.0]
    assert p_best_rates([3, 3, 3], [10, 10, 10]) == pytest.approx([1 / 3] * 3, **CLOSE)


ratings = st.lists(st.sampled_from([1.0, 2.0, 2.5, 3.0, 4.0, 5.0]), min_size=3, max_size=60)


@settings(max_examples=40, deadline=None)
@given(ratings, ratings)
def test_ordinal_comparison_is_brunner_and_munzels(a: list[float], b: list[float]) -> None:
    found = compare_ordinal(np.array(a), np.array(b))
    assert found is not None
    pairs = [(y > x) + (y == x) / 2 for x in a for y in b]
    assert found.p_superior == pytest.approx(np.mean(pairs), **CLOSE)
    with np.errstate(all="ignore"):
        expected = rank_compare_2indep(np.array(b), np.array(a)).pvalue
    if found.p_value is not None:
        assert found.p_value == pytest.approx(expected, **CLOSE)
        assert found.p_value == pytest.approx(stats.brunnermunzel(a, b).pvalue, **CLOSE)


def test_arms_that_do_not_overlap_have_no_p_value_but_a_probability() -> None:
    found = compare_ordinal(np.array([1.0, 1, 2]), np.array([4.0, 5, 5]))
    assert found is not None
    assert (found.p_superior, found.p_value) == (1.0, None)
    assert compare_ordinal(np.array([3.0]), np.array([3.0, 4.0])) is None


def test_welch_is_scipys() -> None:
    draw = np.random.default_rng(0)
    a, b = draw.integers(1, 6, 80).astype(float), draw.integers(2, 6, 61).astype(float)
    assert welch_p(a, b) == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, **CLOSE)
    assert welch_p(np.array([3.0, 3.0]), np.array([3.0, 3.0])) is None


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_is_statsmodels(p: list[float]) -> None:
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1].tolist(), **CLOSE)


def test_holm_passes_over_what_is_unknown() -> None:
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]


def test_a_better_histogram_is_probably_best() -> None:
    found = p_best_ratings(np.array([[10.0, 20, 30, 20, 10], [5, 10, 30, 30, 25]]))
    assert found[1] > 0.99
    assert found == p_best_ratings(np.array([[10.0, 20, 30, 20, 10], [5, 10, 30, 30, 25]]))


def test_the_ratio_check_is_a_chi_square() -> None:
    found = ratio_check([({"a": 0.5, "b": 0.3, "c": 0.2}, {"a": 520, "b": 290, "c": 190})])
    assert found.p == pytest.approx(stats.chisquare([520, 290, 190], [500, 300, 200]).pvalue, **CLOSE)
    assert not found.is_frozen


def test_a_mismatch_freezes_and_paused_arms_do_not_count() -> None:
    assert ratio_check([({"a": 0.5, "b": 0.5}, {"a": 700, "b": 300})]).is_frozen
    assert not ratio_check([({"a": 0.5, "b": 0.5, "gone": 0.0}, {"a": 500, "b": 500, "gone": 400})]).is_frozen


def test_epochs_are_checked_by_their_own_weights() -> None:
    epochs = [({"a": 0.5, "b": 0.5}, {"a": 500, "b": 500}), ({"a": 0.1, "b": 0.9}, {"a": 100, "b": 900})]
    found = ratio_check(epochs)
    assert (found.chi_square, found.degrees) == (0.0, 2)
    assert ratio_check([]).p is None
    assert ratio_check([({"a": 1.0}, {"a": 50})]).p is None


def test_one_epochs_difference_is_welchs_with_no_arm_less_uncertain_than_both_together() -> None:
    draw = np.random.default_rng(1)
    values = draw.normal(size=300)
    arm = draw.integers(0, 2, 300)
    found = difference(Cells.of(np.zeros(300, np.int64), arm, values, 1, 2), 0, 1)
    assert found is not None
    a, b = values[arm == 0], values[arm == 1]
    assert found.estimate == pytest.approx(b.mean() - a.mean(), **CLOSE)
    together = (a.var(ddof=1) * (len(a) - 1) + b.var(ddof=1) * (len(b) - 1)) / (len(values) - 2)
    of_a, of_b = max(a.var(ddof=1), together), max(b.var(ddof=1), together)
    assert found.variance == pytest.approx(of_a / len(a) + of_b / len(b), **CLOSE)


def test_an_arm_whose_few_users_all_agree_is_not_certain() -> None:
    arm = np.repeat([0, 1], [2_000, 100])
    y = np.ones(2_100)
    y[:40] = 0.0
    found = difference(Cells.of(np.zeros(2_100, np.int64), arm, y, 1, 2), 0, 1)
    assert found is not None
    assert found.variance > 0.019 / 100  # what 98 % of success means for a hundred users, not 0


def test_the_stratified_difference_is_aipw_with_the_epochs_own_means() -> None:
    draw = np.random.default_rng(2)
    weight = {0: 0.5, 1: 0.9}
    epoch = np.repeat([0, 1], [400, 600])
    arm = (draw.random(1000) < np.array([weight[one] for one in epoch])).astype(np.int64)
    y = draw.normal(size=1000) + epoch
    means = np.array([[y[(epoch == e) & (arm == a)].mean() for a in (0, 1)] for e in (0, 1)])
    by_epoch = []
    for e in (0, 1):
        in_epoch = epoch == e
        p = weight[e]
        score = means[e, 1] - means[e, 0]
        score = score + (arm == 1) / p * (y - means[e, 1]) - (arm == 0) / (1 - p) * (y - means[e, 0])
        by_epoch.append(score[in_epoch].mean())
    n = np.array([[((epoch == e) & (arm == a)).sum() for a in (0, 1)] for e in (0, 1)], float)
    weights = n.prod(axis=1) / n.sum(axis=1)
    found = difference(Cells.of(epoch, arm, y, 2, 2), 0, 1)
    assert found is not None
    assert found.estimate == pytest.approx(float(weights @ by_epoch / weights.sum()), **CLOSE)


def test_drift_moves_pooled_means_and_not_adjusted_ones() -> None:
    # The second epoch is a star better for everyone and gives arm 1 nearly all users.
    epoch = np.repeat([0, 0, 1, 1], [500, 500, 100, 900])
    arm = np.repeat([0, 1, 0, 1], [500, 500, 100, 900])
    y = 3.0 + epoch + np.tile([-1.0, 1.0], 1000)
    cells = Cells.of(epoch, arm, y, 2, 2)
    assert y[arm == 1].mean() - y[arm == 0].mean() > 0.4
    found = difference(cells, 0, 1)
    assert found is not None
    assert found.estimate == pytest.approx(0, abs=1e-12)
    adjusted = adjusted_means(cells)
    assert adjusted.mean[0] == pytest.approx(adjusted.mean[1], abs=1e-9)


def test_adjusted_means_of_one_epoch_are_the_means() -> None:
    cells = Cells.of(np.zeros(6, np.int64), np.array([0, 0, 1, 1, 1, 2]), np.array([1.0, 2, 3, 4, 5, 9]), 1, 3)
    adjusted = adjusted_means(cells)
    assert adjusted.mean == pytest.approx([1.5, 4, 9], **CLOSE)
    assert adjusted.variance[1] == pytest.approx(1 / 3, **CLOSE)
    assert np.isnan(adjusted.variance[2])


def test_arms_that_never_met_have_no_difference() -> None:
    cells = Cells.of(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1]), np.array([1.0, 2, 3, 4]), 2, 2)
    assert difference(cells, 0, 1) is None
    assert adjusted_means(cells).mean == pytest.approx([1.5, 3.5])


def test_bounds_hold_whatever_the_silent_ones_think() -> None:
    draw = np.random.default_rng(3)
    for _turn in range(50):
        all_a, all_b = draw.integers(0, 2, 40).astype(float), draw.integers(0, 2, 60).astype(float)
        a, b = all_a[draw.random(40) < 0.5], all_b[draw.random(60) < 0.8]
        low, high = manski_bounds(a, 40, b, 60, (0, 1))
        assert low <= all_b.mean() - all_a.mean() <= high


def test_lees_bounds_trim_the_arm_that_answers_more() -> None:
    a, b = np.array([0.0, 1, 1, 0]), np.array([0.0, 0, 1, 1, 1, 1, 1, 1])
    found = lee_bounds(a, 10, b, 10)  # b answers twice as often: half of it is trimmed
    assert found == pytest.approx((0.5 - 0.5, 1.0 - 0.5))
    assert lee_bounds(b, 10, a, 10) == pytest.approx((-0.5, 0.0))
    assert lee_bounds(np.array([]), 10, b, 10) is None


def test_equal_answer_rates_are_a_chi_square() -> None:
    expected = stats.chi2_contingency([[50, 80], [50, 20]], correction=False).pvalue
    assert response_p([50, 80], [100, 100]) == pytest.approx(expected, **CLOSE)
    assert response_p([0, 0], [10, 10]) is None
