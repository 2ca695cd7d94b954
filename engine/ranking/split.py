"""Holding sets out honestly: near-duplicates stay together, and the future is predicted from the past.

Pure functions over arrays, with numpy and scipy. Two sets belong to one cluster when an image of one is a
near-duplicate of an image of the other, directly or through further sets. Nothing here looks at winners.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from engine.ranking.measures import Ints

HELD_OUT_SHARE = 0.25
NEAR_BITS = 6
_BLOCK = 1_024


class SplitKind(StrEnum):
    """How the held-out sets were chosen, the strictest that the data allow first."""

    FORWARD = "forward"
    GROUPED = "grouped"
    BY_SET = "by_set"


@dataclass(frozen=True)
class Split:
    """Set numbers to train on and to measure on; `purged` are older sets left out because a near-duplicate of theirs
    is held out."""

    kind: SplitKind
    train: Ints
    held_out: Ints
    purged: int

    @property
    def in_words(self) -> str:
        words = {
            SplitKind.FORWARD: "the newest sets are held out; older near-duplicates of theirs are left out of training",
            SplitKind.GROUPED: "whole clusters of near-duplicates are held out, the newest first; the same scenes "
            "come back through time, so it is not wholly forward",
            SplitKind.BY_SET: "all sets are near-duplicates of one another: the newest sets are held out, "
            "and the result says nothing about other scenes",
        }
        return words[self.kind]


def near_duplicates(
    hashes: NDArray[np.uint64], bits: int = NEAR_BITS, check: Callable[[], None] = lambda: None
) -> Ints:
    """(n,) cluster number of each image: those within `bits` of 64 of each other, directly or through others.

    Compares every different hash with every other, a block at a time, with `check` called between blocks.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    distinct, inverse = np.unique(hashes, return_inverse=True)
    rows, columns = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.int64)]
    for start in range(0, len(distinct), _BLOCK):
        check()
        block = distinct[start : start + _BLOCK]
        distance = np.bitwise_count(block[:, None] ^ distinct[None, start:])
        near = np.nonzero(distance <= bits)
        rows.append(near[0] + start)
        columns.append(near[1] + start)
    row, column = np.concatenate(rows), np.concatenate(columns)
    graph = coo_matrix((np.ones(len(row), dtype=np.int8), (row, column)), shape=(len(distinct), len(distinct)))
    labels = connected_components(graph, directed=False)[1]
    return np.asarray(labels[inverse], dtype=np.int64)


def set_clusters(members: Sequence[Sequence[int]], image_clusters: Ints) -> Ints:
    """(n,) cluster number of each set, given the image numbers in each set and the images' clusters."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    count = len(members)
    row = np.repeat(np.arange(count), [len(images) for images in members])
    column = image_clusters[np.concatenate([np.asarray(images, dtype=np.int64) for images in members])] + count
    size = int(column.max()) + 1
    graph = coo_matrix((np.ones(len(row), dtype=np.int8), (row, column)), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1][:count], dtype=np.int64)


def split(clusters: Ints, share: float = HELD_OUT_SHARE) -> Split:
    """Choose the held-out sets among sets that are in time order.

    The newest `share` of the sets, with their older near-duplicates purged from training. Where that would cost more
    than four tenths of the training sets, whole clusters are held out instead; where there is one cluster only, sets.
    """
    count = len(clusters)
    everything = np.arange(count)
    cut = count - max(round(count * share), 1)
    held_out = everything[cut:]
    train = everything[:cut][~np.isin(clusters[:cut], clusters[held_out])]
    if len(train) >= 0.6 * cut:
        return Split(SplitKind.FORWARD, train, held_out, cut - len(train))
    newest: dict[int, int] = {int(cluster): index for index, cluster in enumerate(clusters)}
    sizes = {int(c): int(n) for c, n in zip(*np.unique(clusters, return_counts=True), strict=True)}
    picked: list[int] = []
    wanted = count - cut
    taken = 0
    for cluster in sorted(newest, key=lambda one: -newest[one]):
        # A cluster that holds most of the sets is for training, however new it is.
        if taken < wanted and taken + sizes[cluster] <= 0.4 * count:
            picked.append(cluster)
            taken += sizes[cluster]
    if taken == 0:
        return Split(SplitKind.BY_SET, everything[:cut], held_out, 0)
    is_held_out = np.isin(clusters, picked)
    return Split(SplitKind.GROUPED, everything[~is_held_out], everything[is_held_out], 0)
