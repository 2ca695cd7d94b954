"""Users sorted into arms, as every statistic here wants them; and which arm is best, as a probability.

Relies on `columns` for the users. Pure functions over arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.experiments.columns import Units
from engine.experiments.model import Epoch, Metric, Variant
from engine.experiments.statistics import p_best_rates, p_best_ratings, rating_draws
from engine.experiments.stratified import Cells, adjusted_means

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Arms:
    """Users by arm: `rating` and `success` of those who rated, `users` of all, and cells for the decision metric."""

    known: Sequence[Variant]
    users: list[int]
    rating: list[NDArray[np.float64]]
    success: list[NDArray[np.float64]]
    histograms: NDArray[np.float64]
    success_cells: Cells
    rating_cells: Cells

    def outcome(self, metric: Metric, arm: int) -> NDArray[np.float64]:
        """What the metric is the mean of."""
        return self.success[arm] if metric == "success" else self.rating[arm]

    def cells(self, metric: Metric) -> Cells:
        """The metric by epoch and arm."""
        return self.success_cells if metric == "success" else self.rating_cells


def arms_of(found: Units, known: Sequence[Variant], epochs: Sequence[Epoch]) -> Arms:
    """Users sorted into the arms of `known`, in its order."""
    import numpy as np

    arm_of = {one.pk: index for index, one in enumerate(known)}
    epoch_of = {one.id: index for index, one in enumerate(epochs)}
    arm = _indices(found.variant, arm_of)
    epoch = _indices(found.epoch, epoch_of)
    rated = ~np.isnan(found.rating)
    shape = (len(epochs), len(known))
    cells = [Cells.of(epoch[rated], arm[rated], values[rated], *shape) for values in (found.success, found.rating)]
    of_arm = [rated & (arm == index) for index in range(len(known))]
    ratings = [found.rating[mask] for mask in of_arm]
    return Arms(
        known=known,
        users=np.bincount(arm, minlength=len(known)).tolist(),
        rating=ratings,
        success=[found.success[mask] for mask in of_arm],
        histograms=np.array([spread_over_stars(one) for one in ratings]).reshape(len(known), 5),
        success_cells=cells[0],
        rating_cells=cells[1],
    )


def spread_over_stars(ratings: NDArray[np.float64]) -> NDArray[np.float64]:
    """(5,) users by stars; a user whose mean lies between two stars counts for both in part, so that the mean stays."""
    import numpy as np

    low = np.floor(ratings).astype(np.int64)
    part = ratings - low
    below, above = np.bincount(low - 1, 1 - part, minlength=6), np.bincount(low, part, minlength=6)
    counts: NDArray[np.float64] = np.asarray(below, float) + np.asarray(above, float)
    return counts[:5]


def probabilities_of_best(arms: Arms, metric: Metric, seed: int = 0) -> list[float | None]:
    """P(best) of each live arm; None for paused ones, and for all while one runs alone or nobody has rated anything.

    After several epochs the epochs' own effects are taken out first.
    """
    import numpy as np

    live = [index for index, one in enumerate(arms.known) if one.is_active]
    found: list[float | None] = [None] * len(arms.known)
    if len(live) < 2 or not any(len(arms.rating[index]) for index in live):
        return found
    has_epochs = int((arms.cells(metric).n.sum(axis=1) > 0).sum()) > 1
    if metric == "success":
        n = [float(len(arms.success[index])) for index in live]
        successes = [float(arms.success[index].sum()) for index in live]
        if has_epochs:
            successes, n = effective_counts(arms, live)
        best = p_best_rates(successes, n)
    else:
        histograms = arms.histograms[live]
        if has_epochs:
            histograms = np.array([arms.histograms[index] for index in live])
            best = _best_of_shifted(arms, live, histograms, seed)
        else:
            best = p_best_ratings(histograms, seed)
    for index, value in zip(live, best, strict=True):
        found[index] = value
    return found


def effective_counts(arms: Arms, live: Sequence[int]) -> tuple[list[float], list[float]]:
    """(successes, users) that would tell as much in one epoch as these users tell over several."""
    adjusted = adjusted_means(arms.success_cells)
    successes, users = [], []
    for index in live:
        n = float(len(arms.success[index]))
        mean = float(adjusted.mean[index]) if n else 0.0
        mean = min(max(mean, 0.0), 1.0)
        plain = float(arms.success[index].var(ddof=1)) / n if n > 1 else 0.0
        variance = float(adjusted.variance[index])
        # How much of the users' information is left; never more than they are.
        kept = min(1.0, plain / variance) if n > 1 and plain > 0 and variance > 0 else 1.0
        successes.append(mean * n * kept)
        users.append(n * kept)
    return successes, users


def _best_of_shifted(arms: Arms, live: Sequence[int], histograms: NDArray[np.float64], seed: int) -> list[float]:
    import numpy as np

    draws = rating_draws(histograms, np.random.default_rng(seed), 20_000)
    adjusted = adjusted_means(arms.rating_cells).mean[live]
    plain = np.array([arms.rating[index].mean() if len(arms.rating[index]) else np.nan for index in live])
    draws = draws + np.nan_to_num(adjusted - plain)
    return [float(one) for one in np.bincount(draws.argmax(axis=1), minlength=len(live)) / len(draws)]


def _indices(values: NDArray[np.int32], place: dict[int, int]) -> NDArray[np.int64]:
    """Internal keys as indices from 0."""
    import numpy as np

    table = np.zeros(max(place, default=0) + 1, np.int64)
    for key, index in place.items():
        table[key] = index
    found: NDArray[np.int64] = table[values]
    return found
