"""Who answers: when arms differ in how many users give feedback, those who do are no fair sample, and bounds say more.

Pure functions. Manski's bounds (1990) assume nothing: whoever kept silent may have been a success or not. Lee's bounds
(2009) assume that an arm only ever makes people more, or only ever less, likely to answer, and trim the arm that
answers more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.experiments.statistics import Interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FLAGGED_BELOW = 0.01


def response_p(answered: list[int], users: list[int]) -> float | None:
    """Pearson's chi-square p of equal answer rates over all arms; None where it cannot be computed."""
    import numpy as np
    from scipy.stats import chi2_contingency

    table = np.array([answered, [n - one for one, n in zip(answered, users, strict=True)]])
    if table.shape[1] < 2 or (table.sum(axis=0) == 0).any() or (table.sum(axis=1) == 0).any():
        return None
    return float(chi2_contingency(table, correction=False).pvalue)


def manski_bounds(a: NDArray[np.float64], n_a: int, b: NDArray[np.float64], n_b: int, span: Interval) -> Interval:
    """The least and the greatest difference of means (b minus a) over all users, whatever the silent ones thought.

    `a`, `b`: outcomes of those who answered; `n_a`, `n_b`: users of the arms; `span`: the scale's ends.
    """

    def ends(values: NDArray[np.float64], n: int) -> Interval:
        total, silent = float(values.sum()), n - len(values)
        return (total + silent * span[0]) / n, (total + silent * span[1]) / n

    low_a, high_a = ends(a, n_a)
    low_b, high_b = ends(b, n_b)
    return low_b - high_a, high_b - low_a


def lee_bounds(a: NDArray[np.float64], n_a: int, b: NDArray[np.float64], n_b: int) -> Interval | None:
    """Bounds on the difference of means (b minus a) among users who answer in either arm; None without answers."""
    if not len(a) or not len(b):
        return None
    rate_a, rate_b = len(a) / n_a, len(b) / n_b
    if rate_b >= rate_a:
        low, high = _trimmed_means(b, rate_a / rate_b)
        return low - float(a.mean()), high - float(a.mean())
    low, high = _trimmed_means(a, rate_b / rate_a)
    return float(b.mean()) - high, float(b.mean()) - low


def _trimmed_means(values: NDArray[np.float64], kept: float) -> Interval:
    """The mean of the lowest and of the highest share `kept`, the value at the edge counted in part."""
    import numpy as np

    ordered = np.sort(values)
    count = kept * len(ordered)
    weights = np.clip(count - np.arange(len(ordered)), 0, 1)
    return float(weights @ ordered / count), float(weights @ ordered[::-1] / count)
