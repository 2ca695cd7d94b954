"""Sample-ratio mismatch: whether users came to the arms as the weights said they would.

Pure functions. When they did not, something is wrong with assignment or logging, and no comparison means anything. Only
first assignments count, epoch by epoch, and only arms that had a share of the epoch (Fabijan and others, KDD 2019).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

FROZEN_BELOW = 0.001
SMALLEST_EXPECTED = 5


@dataclass(frozen=True)
class RatioCheck:
    """`p` is None where there is nothing to compare. `is_frozen`: weights stay as they are until it is explained."""

    p: float | None
    chi_square: float
    degrees: int
    is_frozen: bool


def ratio_check(epochs: Sequence[tuple[Mapping[str, float], Mapping[str, int]]]) -> RatioCheck:
    """Pearson's chi-square of (weights, users) of each epoch, statistics and degrees of freedom added over epochs.

    Of several epochs, those that expect fewer than five users in some arm are left out: the approximation is bad there.
    """
    from scipy.stats import chi2

    tables = [table for weights, users in epochs if (table := _table(weights, users))]
    large = [table for table in tables if min(expected for _, expected in table) >= SMALLEST_EXPECTED]
    statistic, degrees = 0.0, 0
    for table in large or tables:
        statistic += sum((observed - expected) ** 2 / expected for observed, expected in table)
        degrees += len(table) - 1
    if degrees == 0:
        return RatioCheck(None, 0.0, 0, False)
    p = float(chi2.sf(statistic, degrees))
    return RatioCheck(p, statistic, degrees, p < FROZEN_BELOW)


def _table(weights: Mapping[str, float], users: Mapping[str, int]) -> list[tuple[int, float]]:
    """(observed, expected) users of each arm with a share; empty where there is nothing to compare."""
    live = {arm: weight for arm, weight in weights.items() if weight > 0}
    total = sum(users.get(arm, 0) for arm in live)
    if len(live) < 2 or total == 0:
        return []
    share = sum(live.values())
    return [(users.get(arm, 0), total * weight / share) for arm, weight in live.items()]
