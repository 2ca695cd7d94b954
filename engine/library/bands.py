"""How 64 bits are best dealt into bands for a search within a radius, by an estimate on a sample.

Pure functions over arrays; relies on NumPy. Photographs' hashes are far from uniform, so that what a search costs is
estimated from the hashes themselves: how many pairs agree in a choice of bands, and how many are near.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

BITS = 64
# Seconds, measured on one core: to compare a pair; to handle one that is near; to sort and lay out one hash.
COMPARE, _HANDLE, _SORT = 0.8e-9, 40e-9, 15e-9
_SAMPLE = 8_192
_MOST_CHOICES = 1_500

Hashes = NDArray[np.uint64]


def plan(values: Hashes, radius: int) -> tuple[int, float]:
    """How many bands are to agree (k, 0 for none), and the seconds that this is expected to take on one core."""
    n = len(values)
    sample = values if n <= _SAMPLE else np.random.default_rng(0).choice(values, _SAMPLE, replace=False)
    scale = (n / max(len(sample), 1)) ** 2
    near_ones = _histogram(sample, radius) * scale
    best = (0, n * (n - 1) / 2 * COMPARE + near_ones.sum() * _HANDLE)
    for k in range(1, 5):
        count = radius + k
        choices = math.comb(count, k)
        if count > BITS or choices > _MOST_CHOICES:
            break
        masks = bands(sample, count)
        tried = list(combinations(range(count), k))
        some = tried[:: max(1, len(tried) // 12)]
        compared = float(np.mean([_agreeing(sample & mask(masks, one)) for one in some])) * len(tried) * scale
        # A pair at distance d leaves about count * (1 - 1/count)^d bands equal, and comes up for each k of them.
        equal = count * (1 - 1 / count) ** np.arange(radius + 1)
        again = float((near_ones * np.array([_choose(e, k) for e in equal])).sum())
        cost = choices * n * _SORT + compared * COMPARE + again * _HANDLE
        if cost < best[1]:
            best = (k, cost)
    return best


def _choose(n: float, k: int) -> float:
    return float(np.prod([(n - i) / (i + 1) for i in range(k)])) if n > k - 1 else 0.0


def _histogram(sample: Hashes, radius: int) -> NDArray[np.float64]:
    """How many pairs of the sample lie at each distance up to `radius`, (radius + 1,)."""
    few = sample[:2048]
    counts = np.zeros(BITS + 1)
    for at in range(0, len(few), 256):
        counts += np.bincount(np.bitwise_count(few[at : at + 256, None] ^ few[None]).ravel(), minlength=BITS + 1)
    counts[0] -= len(few)
    return np.asarray(counts[: radius + 1] / 2 * (len(sample) / max(len(few), 1)) ** 2)


def _agreeing(keys: Hashes) -> float:
    _, counts = np.unique(keys, return_counts=True)
    return float((counts * (counts - 1) // 2).sum())


def bands(values: Hashes, count: int) -> Hashes:
    """The bits dealt into bands, as masks (bands,) uint64: each band gets its share of bits that really vary."""
    bits = np.unpackbits(values[: _SAMPLE * 4].astype(">u8").view(np.uint8).reshape(-1, 8), axis=1)
    order = np.argsort(np.abs(bits.mean(axis=0) - 0.5), kind="stable")
    masks = [0] * count
    for place, bit in enumerate(order):
        turn, at = divmod(place, count)
        masks[at if turn % 2 == 0 else count - 1 - at] |= 1 << (BITS - 1 - int(bit))
    return np.array(masks, dtype=np.uint64)


def mask(masks: Hashes, chosen: tuple[int, ...]) -> np.uint64:
    """The bits of the chosen bands together."""
    return np.uint64(np.bitwise_or.reduce(masks[list(chosen)]))
