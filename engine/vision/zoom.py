"""How much tighter one picture of a scene is framed than another, found by looking for the one inside the other.

A single picture does not tell how tight it is: on real photographs no share of the frame (in focus, salient, unlike the
border) grew reliably when they were cropped. Two pictures do: where one, made smaller, is found inside the other, it
shows so much less of it. Pictures that are not found in one another have no answer. Pure over small grey arrays of one
size, each the whole frame; relies on numpy.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]

FOUND = 0.85
"""Correlation from which one picture counts as found inside another."""
_SMALLEST = 0.4
_STEPS = 13
_ALIKE = 0.04  # how much better than the whole frames a part must fit
_FLAT = 4.0  # grey levels: in less than this anything is found


def tighter_by(one: Grey, other: Grey) -> float:
    """log2 of how much tighter (linearly) `one` is framed than `other`, below 0 where it is wider; 0 where neither is
    found inside the other. Both (h, w) uint8; raises ValueError for frames of different sizes."""
    if one.shape != other.shape:
        raise ValueError("frames of one size are compared")
    within, around = share_of_frame(one, other), share_of_frame(other, one)
    return math.log2(around) - math.log2(within) if (within < 1) != (around < 1) else 0.0


def share_of_frame(inner: Grey, outer: Grey) -> float:
    """The share (0.4 to 1, of the side) of `outer` that `inner` shows; 1 where it is not found inside, or fits the
    whole frame as well."""
    whole = outer.astype(np.float64) - float(outer.mean())
    if float(inner.std()) < _FLAT or float(whole.std()) < _FLAT:
        return 1.0
    best, share = _likeness(inner.astype(np.float64), whole) + _ALIKE, 1.0
    if best >= 1:
        return share
    picture = Image.fromarray(inner)
    seen = np.fft.rfft2(whole)
    sums, squares = _integral(whole), _integral(np.square(whole))
    height, width = whole.shape
    for side in np.geomspace(_SMALLEST, 0.95, _STEPS):
        columns, rows = max(6, round(width * side)), max(6, round(height * side))
        part = np.asarray(picture.resize((columns, rows), Image.Resampling.BOX), dtype=np.float64)
        value = _best_fit(part - part.mean(), seen, sums, squares)
        if value > max(best, FOUND):
            best, share = value, math.sqrt(columns / width * rows / height)
    return share


def _best_fit(
    part: NDArray[np.float64], seen: NDArray[Any], sums: NDArray[np.float64], squares: NDArray[np.float64]
) -> float:
    """The highest normalised cross-correlation of a part without mean at any place in the whole (Lewis 1995): `seen`
    is the whole's transform, `sums` and `squares` its integral images."""
    rows, columns = part.shape
    shape = sums.shape[0] - 1, sums.shape[1] - 1
    places = shape[0] - rows + 1, shape[1] - columns + 1
    dots = np.fft.irfft2(seen * np.conj(np.fft.rfft2(part, shape)), shape)[: places[0], : places[1]]
    count = part.size
    spreads = np.maximum(_windows(squares, rows, columns) - _windows(sums, rows, columns) ** 2 / count, 0.0)
    likeness = dots / np.sqrt(np.maximum(spreads, 1e-9) * float(np.square(part).sum()) + 1e-9)
    return float(np.where(spreads > _FLAT**2 * count, likeness, 0.0).max())


def _integral(plane: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.pad(plane.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))


def _windows(integral: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """The sum over each window of that size."""
    found: NDArray[np.float64] = (
        integral[rows:, columns:]
        - integral[:-rows, columns:]
        - integral[rows:, :-columns]
        + integral[:-rows, :-columns]
    )
    return found


def _likeness(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    a, b = first - first.mean(), second - second.mean()
    return float((a * b).sum() / max(float(np.sqrt(np.square(a).sum() * np.square(b).sum())), 1e-9))
