"""What a library lacks against the recommended mix, and how varied it is. Pure arithmetic over counts and vectors.

Relies on NumPy alone. Shares are exact fractions, so that no gap comes from rounding.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Gaps:
    """What is missing on one axis.

    short: class -> images missing at today's size, that is recommended share times today's images less what there is.
    add: class -> the fewest images to add so that every share is as recommended (to within one image), nothing being
    taken away. total: images then. limiting: the class of which there is most too much; it decides the total, None
    where nothing is to be added. surplus: images of classes that are not wanted at all; no addition makes their share
    right, and `add` is about the others.
    """

    short: Mapping[str, int]
    add: Mapping[str, int]
    total: int
    limiting: str | None
    surplus: int


def gaps(counts: Mapping[str, int], shares: Mapping[str, Fraction]) -> Gaps:
    """The gaps of one axis.

    counts: class -> images, none negative. shares: class -> recommended share, adding up to 1.
    The shares are right exactly when the library has T images of which T·w are of the class with share w; as nothing
    is taken away, T·w >= count for each, so that the least T is the largest count/w, rounded up.
    """
    held = {name: counts.get(name, 0) for name in shares}
    total = sum(held.values())
    short = {name: max(0, math.ceil(share * total) - held[name]) for name, share in shares.items()}
    wanted = {name: share for name, share in shares.items() if share}
    surplus = sum(count for name, count in held.items() if name not in wanted)
    if not total or not wanted:
        return Gaps({name: count for name, count in short.items() if count}, {}, total, None, surplus)
    own = total - surplus
    is_large = min(wanted.values()) * own >= 1  # below that, one image more or less is not a matter of rounding
    if is_large and all(abs(held[name] - share * own) < 1 for name, share in wanted.items()):
        return Gaps({name: count for name, count in short.items() if count}, {}, total, None, surplus)
    limiting = max(wanted, key=lambda name: (Fraction(held[name]) / wanted[name], name))
    target = _apportioned(math.ceil(Fraction(held[limiting]) / wanted[limiting]), wanted)
    add = {name: target[name] - held[name] for name in wanted if target[name] > held[name]}
    added = sum(add.values())
    return Gaps(
        {name: count for name, count in short.items() if count},
        add,
        total + added,
        limiting if added else None,
        surplus,
    )


def _apportioned(size: int, shares: Mapping[str, Fraction]) -> dict[str, int]:
    """`size` in whole images by these shares; largest remainders first (Hamilton's method)."""
    exact = {name: size * share for name, share in shares.items()}
    found = {name: math.floor(value) for name, value in exact.items()}
    rest = size - sum(found.values())
    for name in sorted(shares, key=lambda each: (found[each] - exact[each], each))[:rest]:
        found[name] += 1
    return found


def evenness(counts: Sequence[int], classes: int | None = None) -> float | None:
    """How evenly images spread over the classes: Shannon's entropy over its largest value, 0 (all alike) to 1 (even).

    `classes`: how many there could be; without it, those that have an image. None where there is nothing to say: no
    images, or one class only. (Pielou 1966, J. Theoretical Biology 13.)
    """
    held = [count for count in counts if count > 0]
    possible = classes or len(held)
    if not held or possible < 2:
        return None
    total = sum(held)
    entropy = -sum(count / total * math.log(count / total) for count in held)
    return min(1.0, max(0.0, entropy / math.log(possible)))


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what an encoder tells apart a library covers.

    effective_rank: in how many directions the vectors really vary (Roy & Vetterli 2007: the exponential of the entropy
    of the covariance's eigenvalues, 1 to the dimension). spread: mean cosine distance of two images, 0 (all alike) up.
    vectors: how many were looked at.
    """

    effective_rank: float
    spread: float
    vectors: int
    dimension: int


def coverage(vectors: NDArray[np.float32]) -> Coverage | None:
    """The coverage of (n, d) vectors, those of length 0 left out; None for fewer than two."""
    found = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(found, axis=1)
    found = found[lengths > 0] / lengths[lengths > 0, None]
    count = len(found)
    if count < 2:
        return None
    mean = found.mean(axis=0)
    # Mean cosine of distinct pairs, from the mean vector alone: |Σx|² = n + Σ over pairs.
    cosine = (count * float(mean @ mean) - 1.0) / (count - 1)
    centred = found - mean
    values = np.linalg.svd(centred, compute_uv=False) ** 2
    total = float(values.sum())
    if total <= 1e-12:
        return Coverage(1.0, 0.0, count, found.shape[1])
    parts = values[values > total * 1e-12] / total
    rank = math.exp(float(-(parts * np.log(parts)).sum()))
    return Coverage(rank, 1.0 - cosine, count, found.shape[1])
