"""What a set that was refused as a whole says of a taste: its images lie below what the person accepts.

Each set, refused or not, becomes a choice between its images as a whole and none of them: the mean of their features
against the project's mean, with one more weight for the level of none. So the same weights that order a set's images
are held to account for which sets were good enough. Pure over arrays; whether it helps is measured elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ranking import learn
from engine.ranking.learn import Examples
from engine.ranking.measures import Ints


@dataclass(frozen=True)
class Refused:
    """`levels` (n, d): the mean features of each chosen-from set less its project's mean, scaled as the examples are;
    `means` (m, d): the same of each refused set, whose project is `owners` (m,); `after` (m,) is how many choices
    had been made by then."""

    levels: NDArray[Any]
    means: NDArray[Any]
    owners: Ints
    after: Ints

    @property
    def count(self) -> int:
        """How many refused sets."""
        return len(self.means)


def with_refusals(examples: Examples, sets: Ints, refused: Refused) -> Examples:
    """The examples (which are these `sets`) with one more feature, the level of none, and behind them the choices
    between a set and none: of the sets themselves and of those that were refused before the newest of them."""
    known = np.flatnonzero(refused.after <= int(sets.max()) + 1)
    taken, left = refused.levels[sets], refused.means[known]
    d = taken.shape[1]
    # Set against none, or none against set: half the difference each way, so that the rows are centred.
    rows = np.zeros((2 * (len(taken) + len(left)), d + 1), dtype=examples.features.dtype)
    difference = np.hstack([np.concatenate([taken, -left]), np.zeros((len(taken) + len(left), 1), taken.dtype)]) / 2
    difference[: len(taken), d] = -0.5
    difference[len(taken) :, d] = 0.5
    rows[0::2], rows[1::2] = difference, -difference
    wide = np.hstack([examples.features, np.zeros((len(examples.features), 1), examples.features.dtype)])
    counts = np.concatenate([np.diff(examples.offsets), np.full(len(rows) // 2, 2)])
    weights = np.ones(examples.count) if examples.weights is None else examples.weights
    own = examples.groups
    return Examples(
        np.concatenate([wide, rows]),
        learn.offsets_of(counts),
        np.concatenate([own, own, np.full(len(left), -1)]),
        np.concatenate([weights, np.ones(len(rows) // 2)]),
        np.concatenate([examples.owners, examples.owners, refused.owners[known]]),
    )
