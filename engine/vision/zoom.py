"""How much tighter one picture of a scene is framed than another, found by looking for the one inside the other.

A single picture does not tell how tight it is: on real photographs no share of the frame (in focus, salient, unlike the
border) grew reliably when they were cropped. Two pictures do: where one, made smaller, is found inside the other, it
shows so much less of it. Pictures that are not found in one another have no answer. Pure over small grey arrays of one
size, each the whole frame; relies on numpy.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Grey = NDArray[np.uint8]

FOUND = 0.85
"""Correlation from which one picture counts as found inside another."""
_SMALLEST = 0.4
_SIDES = np.geomspace(_SMALLEST, 0.95, 13)
_ALIKE = 0.04  # how much better than the whole frames a part must fit
_FLAT = 4.0  # grey levels: in less than this anything is found
# Prepared frames are 110 kB each; of pairs only the two frames' bytes and the answer are kept.
_FRAMES_HELD, _PAIRS_HELD = 256, 8_192


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
    height, width = inner.shape
    return _share(inner.tobytes(), outer.tobytes(), height, width)


@lru_cache(maxsize=_PAIRS_HELD)
def _share(inner_bytes: bytes, outer_bytes: bytes, height: int, width: int) -> float:
    inner, outer = _frame(inner_bytes, height, width), _frame(outer_bytes, height, width)
    if inner.spread < _FLAT or outer.spread < _FLAT:
        return 1.0
    likeness = float((inner.whole * outer.whole).sum()) / (inner.whole.size * inner.spread * outer.spread)
    # The highest normalised cross-correlation of each part without mean at any place in the whole (Lewis 1995).
    dots = np.fft.irfft2(outer.transform * np.conj(inner.parts), (height, width))
    fits = dots / np.sqrt(np.maximum(outer.spreads, 1e-9) * inner.lengths[:, None, None] + 1e-9)
    best = np.where(outer.spreads > _FLAT**2 * inner.counts[:, None, None], fits, 0.0).max(axis=(1, 2))
    number = int(best.argmax())
    return float(inner.shares[number]) if best[number] > max(likeness + _ALIKE, FOUND) else 1.0


@dataclass(frozen=True, slots=True)
class _Frame:
    """What one frame brings to every comparison: as the whole, and as parts of n sizes to be found in another.

    `whole` (h, w) float64 without mean, `spread` its standard deviation; `transform` (h, w // 2 + 1) of the whole;
    `parts` (n, h, w // 2 + 1), transforms of the frame made smaller, without mean; `lengths` (n,) their squared
    lengths, `counts` (n,) their pixels, `shares` (n,) their sides; `spreads` (n, h, w), the squared length of the whole
    under a part at each place, without mean, 0 where a part does not fit.
    """

    whole: NDArray[np.float64]
    spread: float
    transform: NDArray[np.complex128]
    parts: NDArray[np.complex64]
    lengths: NDArray[np.float64]
    counts: NDArray[np.int64]
    shares: NDArray[np.float64]
    spreads: NDArray[np.float32]


@lru_cache(maxsize=_FRAMES_HELD)
def _frame(data: bytes, height: int, width: int) -> _Frame:
    grey = np.frombuffer(data, dtype=np.uint8).reshape(height, width)
    picture = Image.fromarray(grey)
    whole = grey.astype(np.float64) - float(grey.mean())
    sums, squares = _integral(whole), _integral(np.square(whole))
    sides = [(max(6, round(height * side)), max(6, round(width * side))) for side in _SIDES]
    padded = np.zeros((len(sides), height, width))
    spreads = np.zeros((len(sides), height, width), dtype=np.float32)
    for number, (rows, columns) in enumerate(sides):
        part = np.asarray(picture.resize((columns, rows), Image.Resampling.BOX), dtype=np.float64)
        padded[number, :rows, :columns] = part - part.mean()
        spread = _windows(squares, rows, columns) - _windows(sums, rows, columns) ** 2 / (rows * columns)
        spreads[number, : height - rows + 1, : width - columns + 1] = np.maximum(spread, 0.0)
    return _Frame(
        whole,
        float(grey.std()),
        np.fft.rfft2(whole),
        np.fft.rfft2(padded).astype(np.complex64),
        np.square(padded).sum(axis=(1, 2)),
        np.array([rows * columns for rows, columns in sides]),
        np.array([math.sqrt(columns / width * rows / height) for rows, columns in sides]),
        spreads,
    )


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
