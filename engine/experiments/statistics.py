"""The statistics of two or more arms, as pure functions over counts and arrays: rates, stars, who is better.

Relies on SciPy and statsmodels, which are imported when first needed. The unit is always the user. `a` is the arm
compared against, `b` the one that is asked about: differences are b minus a, probabilities are those of b.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Interval = tuple[float, float]

_DRAWS = 20_000
_NODES = 48  # Gauss-Legendre nodes a panel; with panels at every arm's spread the error is below 1e-10


def wilson_interval(successes: float, n: float, alpha: float = 0.05) -> Interval | None:
    """Wilson's score interval of a rate; None without observations. (Wilson 1927.)"""
    from scipy.special import ndtri

    if n <= 0:
        return None
    z = float(ndtri(1 - alpha / 2))
    rate = successes / n
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (rate * (1 - rate) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, centre - half), min(1.0, centre + half)


def newcombe_interval(s_a: float, n_a: float, s_b: float, n_b: float, alpha: float = 0.05) -> Interval | None:
    """Newcombe's hybrid score interval for the difference of two rates, b minus a (Newcombe 1998, method 10)."""
    wilson_a, wilson_b = wilson_interval(s_a, n_a, alpha), wilson_interval(s_b, n_b, alpha)
    if wilson_a is None or wilson_b is None:
        return None
    p_a, p_b = s_a / n_a, s_b / n_b
    low = ((p_b - wilson_b[0]) ** 2 + (wilson_a[1] - p_a) ** 2) ** 0.5
    high = ((wilson_b[1] - p_b) ** 2 + (p_a - wilson_a[0]) ** 2) ** 0.5
    return p_b - p_a - low, p_b - p_a + high


def p_best_rates(successes: Sequence[float], n: Sequence[float]) -> list[float]:
    """The posterior probability that each arm's rate is the highest, under uniform priors.

    Exact up to quadrature: the integral of f_k(x) times the product of the others' F_j(x), with f and F of
    Beta(1 + s, 1 + n - s). Counts may be fractions (effective counts).
    """
    import numpy as np
    from scipy.special import betainc
    from scipy.stats import beta

    above = np.asarray(successes, float) + 1
    below = np.asarray(n, float) - np.asarray(successes, float) + 1
    if len(above) == 1:
        return [1.0]
    mean = above / (above + below)
    spread = np.sqrt(mean * (1 - mean) / (above + below + 1))
    steps = np.array([-40, -20, -12, -8, -6, -4, -3, -2, -1, 0, 1, 2, 3, 4, 6, 8, 12, 20, 40])
    edges = np.unique(np.clip((mean[:, None] + spread[:, None] * steps).ravel(), 0, 1))
    edges = np.unique(np.concatenate([[0.0], edges, [1.0]]))
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    middle, half = (edges[1:] + edges[:-1]) / 2, (edges[1:] - edges[:-1]) / 2
    x = (middle[:, None] + half[:, None] * nodes).ravel()
    weight = (half[:, None] * weights).ravel()
    below_x = np.array([betainc(one, other, x) for one, other in zip(above, below, strict=True)])
    found = []
    for arm in range(len(above)):
        others = np.prod(np.delete(below_x, arm, axis=0), axis=0)
        found.append(float(np.sum(weight * beta.pdf(x, above[arm], below[arm]) * others)))
    total = sum(found)
    return [one / total for one in found]


def p_better_rate(s_a: float, n_a: float, s_b: float, n_b: float) -> float:
    """The posterior probability that b's rate is higher than a's, under uniform priors."""
    return p_best_rates([s_a, s_b], [n_a, n_b])[1]


def p_best_ratings(histograms: NDArray[np.float64], seed: int = 0) -> list[float]:
    """The posterior probability that each arm's mean rating is the highest: Dirichlet(1 + counts) over the five bins.

    `histograms`: (arms, 5), users by rating; fractions are allowed. By 20,000 seeded draws, so good to about .003.
    """
    import numpy as np

    draws = rating_draws(histograms, np.random.default_rng(seed), _DRAWS)
    best = np.bincount(draws.argmax(axis=1), minlength=len(histograms))
    return [float(one) for one in best / _DRAWS]


def rating_draws(histograms: NDArray[np.float64], draw: np.random.Generator, count: int) -> NDArray[np.float64]:
    """(count, arms) posterior draws of each arm's mean rating under Dirichlet(1 + counts)."""
    import numpy as np

    gamma = draw.standard_gamma(np.asarray(histograms, float) + 1, size=(count, *np.shape(histograms)))
    stars = np.arange(1, gamma.shape[-1] + 1)
    means: NDArray[np.float64] = (gamma * stars).sum(axis=-1) / gamma.sum(axis=-1)
    return means


@dataclass(frozen=True)
class Ordinal:
    """Brunner and Munzel's comparison: `p_superior` is P(B > A) plus half the ties; `p_value` two-sided, or None where
    neither arm varies against the other (no overlap or all equal)."""

    p_superior: float
    p_value: float | None


def compare_ordinal(a: NDArray[np.float64], b: NDArray[np.float64]) -> Ordinal | None:
    """Whether b's values tend to be higher, without reading stars as metres; None with fewer than two users an arm.

    statsmodels' `rank_compare_2ordinal` on the counts of each distinct value (Brunner and Munzel 2000).
    """
    import numpy as np
    from statsmodels.stats.nonparametric import rank_compare_2ordinal

    if len(a) < 2 or len(b) < 2:
        return None
    levels, place = np.unique(np.concatenate([a, b]), return_inverse=True)
    counts_a = np.bincount(place[: len(a)], minlength=len(levels))
    counts_b = np.bincount(place[len(a) :], minlength=len(levels))
    below_a = np.cumsum(counts_a) - counts_a / 2
    p_superior = float(np.sum(counts_b * below_a) / (len(a) * len(b)))
    if len(levels) == 1 or p_superior in (0.0, 1.0):
        return Ordinal(p_superior, None)  # the test's variance is zero: there is nothing to divide by
    with np.errstate(all="ignore"):
        p_value = float(rank_compare_2ordinal(counts_b, counts_a).test_prob_superior().pvalue)
    return Ordinal(p_superior, p_value if np.isfinite(p_value) else None)


def welch_p(a: NDArray[np.float64], b: NDArray[np.float64]) -> float | None:
    """Two-sided p of Welch's t test on the means; None with fewer than two users an arm or no variance at all."""
    import numpy as np
    from scipy.stats import ttest_ind

    if len(a) < 2 or len(b) < 2 or (np.var(a) == 0 and np.var(b) == 0):
        return None
    return float(ttest_ind(b, a, equal_var=False).pvalue)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Holm's step-down correction; None stays None and does not count. (Holm 1979.)"""
    known = sorted((p, index) for index, p in enumerate(p_values) if p is not None)
    corrected: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, index) in enumerate(known):
        highest = max(highest, min(1.0, p * (len(known) - rank)))
        corrected[index] = highest
    return corrected
