"""The baseline of a good memory: how much an image resembles what the person has picked before. Pure over arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ranking.learn import Examples
from engine.ranking.measures import Floats

_NEIGHBOURS = 10
_ROWS = 2_048


def nearest_winners(train: Examples, held_out: Examples, check: Callable[[], None] = lambda: None) -> Floats:
    """(N,) mean cosine likeness of each held-out image to its ten nearest winners of the training sets.

    On set-centred features: what sets an image apart from its rivals is compared with what set the winners apart.
    """
    winners = _unit(train.features[train.offsets[:-1]])
    k = min(_NEIGHBOURS, len(winners))
    found = np.empty(len(held_out.features))
    for first in range(0, len(found), _ROWS):
        check()
        likeness = _unit(held_out.features[first : first + _ROWS]) @ winners.T
        found[first : first + _ROWS] = np.partition(likeness, -k, axis=1)[:, -k:].mean(axis=1)
    return found


def _unit(rows: NDArray[Any]) -> NDArray[np.float32]:
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-12), dtype=np.float32)
