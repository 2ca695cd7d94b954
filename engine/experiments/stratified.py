"""Estimates that drift does not fool: arms are compared inside each epoch, then the epochs' differences are combined.

Pure functions over per-user arrays. While weights move with the results, a good week falls more on the arm that is
favoured then, and a pooled mean credits that arm with the week. Within an epoch the weights are fixed beforehand and
assignment is random, so differences there are fair. With each epoch's own arm means as outcome model, the augmented
inverse-propensity estimate (AIPW: Robins, Rotnitzky and Zhao 1994) of an epoch's difference is the plain difference of
means whatever the propensities are, because the residuals add to zero; epochs are weighted as in Hadad, Hirshberg,
Zhan, Wager and Athey (PNAS 2021), in proportion to the inverse of their variance as the allocation alone makes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Cells:
    """Users, sum and sum of squares of the outcome by epoch and arm, each (epochs, arms) float64."""

    n: NDArray[np.float64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]

    @classmethod
    def of(
        cls,
        epoch: NDArray[np.int64],
        arm: NDArray[np.int64],
        outcome: NDArray[np.float64],
        epochs: int,
        arms: int,
    ) -> Cells:
        """From one row a user: epoch and arm as indices from 0, outcome float64, each (n,)."""
        import numpy as np

        place = epoch * arms + arm
        shape = (epochs, arms)

        def sums(weights: NDArray[np.float64] | None) -> NDArray[np.float64]:
            return np.bincount(place, weights, minlength=epochs * arms).astype(float).reshape(shape)

        return cls(sums(None), sums(outcome), sums(outcome * outcome))


@dataclass(frozen=True)
class Difference:
    """b minus a, its variance, and how many users of epochs with both arms went into it.

    `leverage` is the sum of the squared weights of the users: what a bounded outcome needs for an exact interval.
    """

    estimate: float
    variance: float
    users: float
    leverage: float


def difference(cells: Cells, a: int, b: int) -> Difference | None:
    """The difference of two arms over all epochs that had both; None when there is none, or no variance can be told.

    An arm's variance is that inside its epochs, or that of both arms together where this is larger: of a hundred users
    who nearly all give 5 stars, none may have given less, and a variance of 0 would make any difference certain. With
    one epoch and arms that vary alike this is the difference of means and Welch's squared standard error.
    """
    import numpy as np

    n_a, n_b = cells.n[:, a], cells.n[:, b]
    both = (n_a > 0) & (n_b > 0)
    within_a, within_b, together = _within(cells, a), _within(cells, b), _within(cells, a, b)
    if not both.any() or within_a is None or within_b is None or together is None:
        return None
    within_a, within_b = max(within_a, together), max(within_b, together)
    n_a, n_b = n_a[both], n_b[both]
    gaps = cells.total[both, b] / n_b - cells.total[both, a] / n_a
    weights = n_a * n_b / (n_a + n_b)
    weights = weights / weights.sum()
    variance = float(np.sum(weights**2 * (within_a / n_a + within_b / n_b)))
    leverage = float(np.sum(weights**2 * (1 / n_a + 1 / n_b)))
    return Difference(float(weights @ gaps), variance, float((n_a + n_b).sum()), leverage)


@dataclass(frozen=True)
class Adjusted:
    """Each arm's mean as if all arms had seen the same epochs, and its variance; NaN for arms without users."""

    mean: NDArray[np.float64]
    variance: NDArray[np.float64]


def adjusted_means(cells: Cells) -> Adjusted:
    """Arm means from the additive model epoch + arm, by least squares weighted with the users of each cell.

    With one epoch these are the plain means. Arms that share no epoch with the others keep their plain means.
    """
    import numpy as np

    has_users = cells.n.sum(axis=0) > 0
    arms = np.flatnonzero(has_users)
    mean = np.full(cells.n.shape[1], np.nan)
    variance = np.full(cells.n.shape[1], np.nan)
    if not len(arms):
        return Adjusted(mean, variance)
    n, total = cells.n[:, arms], cells.total[:, arms]
    rows = n.sum(axis=1) > 0
    n, total = n[rows], total[rows]
    size = n.sum(axis=1)
    shares = n / size[:, None]
    # The epochs' own effects are swept out (their normal equations are diagonal); what is left is arms by arms.
    normal = np.diag(n.sum(axis=0)) - shares.T @ n
    right = total.sum(axis=0) - shares.T @ total.sum(axis=1)
    effect = np.linalg.pinv(normal, rcond=1e-10) @ right
    level = float((total.sum(axis=1) - n @ effect).sum() / size.sum())
    mean[arms] = effect + level
    # Told apart from no other arm, an arm has only its plain mean to go by.
    for index, arm in enumerate(arms):
        is_alone = normal[index, index] <= 1e-9 * n[:, index].sum()
        if is_alone:
            mean[arm] = total[:, index].sum() / n[:, index].sum()
    of_all = n.sum(axis=0) / n.sum()
    for index, arm in enumerate(arms):
        own = _within(cells, int(arm))
        if own is None:
            continue
        # The arm's users, less what accounting for the epochs costs; with one epoch, or alone, exactly its users.
        users = float(n[:, index].sum())
        is_apart = normal[index, index] > 1e-9 * users and of_all[index] < 1
        variance[arm] = own / (normal[index, index] / (1 - of_all[index]) if is_apart else users)
    return Adjusted(mean, variance)


def _within(cells: Cells, *arms: int) -> float | None:
    """The outcome's variance inside these arms' cells, pooled over them; None with too few users to tell."""
    n, total, squares = cells.n[:, arms], cells.total[:, arms], cells.squares[:, arms]
    used = n > 0
    freedom = float((n[used] - 1).sum())
    if freedom < 1:
        return None
    spread = float((squares[used] - total[used] ** 2 / n[used]).sum())
    return max(spread, 0.0) / freedom
