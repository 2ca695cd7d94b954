"""The small print of a picture: 32x32 grey values, and its perceptual hash in a position that turning cannot change.

Pure functions over small grey arrays; relies on NumPy and, to reduce a larger array, on Pillow. The hash is pHash as
`imagehash` defines it: the sign, against their median, of the 8x8 lowest frequencies of a discrete cosine transform of
32x32 grey values. Mirroring a picture only flips the signs of odd frequencies, and transposing it transposes them, so
that the hashes of all eight positions follow exactly from one transform.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

VERSION = 1
SIDE = 32
_LOW = 8
# The eight positions: (transposed, top and bottom swapped, left and right swapped), applied in this order.
POSITIONS: tuple[tuple[bool, bool, bool], ...] = tuple((bool(k & 4), bool(k & 2), bool(k & 1)) for k in range(8))
# Recompressing moves the lowest frequencies by less than this share of all that varies in the picture; where the choice
# of a position hangs on less, every choice is kept.
_TOO_CLOSE = 0.02
_SIGNS = np.where(np.arange(_LOW) % 2 == 0, 1.0, -1.0)


@dataclass(frozen=True, slots=True)
class Prints:
    """What is kept of a picture to find it again.

    `luma` (32, 32) uint8; `turned` (k,) uint64, k from 1 to 8: the hashes of its upright-whichever-way positions;
    `contrast` is the standard deviation of `luma` in grey levels: next to nothing for a blank frame.
    """

    luma: NDArray[np.uint8]
    turned: NDArray[np.uint64]
    contrast: float


def prints(grey: NDArray[np.uint8]) -> Prints:
    """The print of a picture given as grey values, (h, w) uint8, of any size; 32x32 are taken as they are."""
    luma = reduced(grey)
    return Prints(luma, positions_of(frequencies(luma)), float(luma.std()))


def packed(made: Prints) -> dict[str, Any]:
    """A print as JSON takes it from one process to another."""
    luma = base64.b64encode(made.luma.tobytes()).decode("ascii")
    return {"luma": luma, "turned": [int(one) for one in made.turned], "contrast": made.contrast}


def unpacked(document: Mapping[str, Any]) -> Prints:
    """The print that `packed` gave."""
    luma = np.frombuffer(base64.b64decode(document["luma"]), dtype=np.uint8).reshape(SIDE, SIDE)
    return Prints(luma, np.array(document["turned"], dtype=np.uint64), float(document["contrast"]))


def reduced(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`grey` (h, w) uint8 squeezed to (32, 32) uint8 by Lanczos, as `imagehash` does it."""
    if grey.shape == (SIDE, SIDE):
        return np.ascontiguousarray(grey)
    from PIL import Image

    small = Image.fromarray(np.ascontiguousarray(grey)).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(small, dtype=np.uint8)


def _cosines() -> NDArray[np.float64]:
    u, x = np.arange(_LOW)[:, None], np.arange(SIDE)[None, :]
    return np.asarray(2.0 * np.cos(np.pi * u * (2 * x + 1) / (2 * SIDE)), dtype=np.float64)  # DCT-II, not normalised


_COSINES = _cosines()


def frequencies(luma: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The 8x8 lowest frequencies of (..., 32, 32) grey values, (..., 8, 8) float64, zero frequency first."""
    return np.asarray(_COSINES @ luma.astype(np.float64) @ _COSINES.T)


def in_position(low: NDArray[np.float64], position: int) -> NDArray[np.float64]:
    """The frequencies of the picture turned into one of the eight `POSITIONS`; (..., 8, 8)."""
    transposed, swapped, mirrored = POSITIONS[position]
    turned = np.swapaxes(low, -1, -2) if transposed else low
    if swapped:
        turned = turned * _SIGNS[:, None]
    return turned * _SIGNS if mirrored else turned


def turned_luma(luma: NDArray[np.uint8], position: int) -> NDArray[np.uint8]:
    """The grey values of the picture turned into one of the eight `POSITIONS`; (..., 32, 32)."""
    transposed, swapped, mirrored = POSITIONS[position]
    turned = np.swapaxes(luma, -1, -2) if transposed else luma
    if swapped:
        turned = turned[..., ::-1, :]
    return turned[..., ::-1] if mirrored else turned


def hash_of(low: NDArray[np.float64]) -> NDArray[np.uint64]:
    """pHash of (..., 8, 8) frequencies, uint64; the first frequency is the most significant bit."""
    flat = low.reshape(*low.shape[:-2], _LOW * _LOW)
    ordered = np.sort(flat, axis=-1)  # the median of an even number of values: NumPy's own is slower
    half = flat.shape[-1] // 2
    bits = flat > (ordered[..., half - 1 : half] + ordered[..., half : half + 1]) / 2
    return np.packbits(bits, axis=-1).view(">u8")[..., 0].astype(np.uint64)


def positions_of(low: NDArray[np.float64]) -> NDArray[np.uint64]:
    """The hashes of a picture's canonical positions, (k,) uint64, each once, ascending.

    Canonical is the position with more light to the left and to the top, and the larger of both differences to the
    left. Two pictures that differ only by turning or mirroring share one; where a difference is too small to rely on,
    all positions that it leaves open are given.
    """
    across, down = float(low[0, 1]), float(low[1, 0])
    varying = float(np.sqrt(max((low**2).sum() - low[0, 0] ** 2, 0.0)))
    close = _TOO_CLOSE * varying
    transposes = _open(abs(across) - abs(down), 2 * close)
    found: set[int] = set()
    for transposed in transposes:
        a, d = (down, across) if transposed else (across, down)
        for swapped in _open(d, close):
            for mirrored in _open(a, close):
                found.add(int(hash_of(in_position(low, 4 * transposed + 2 * swapped + mirrored))))
    return np.array(sorted(found), dtype=np.uint64)


def _open(difference: float, close: float) -> tuple[int, ...]:
    """Whether to turn (1) or not (0) so that `difference` becomes positive; both where it is too close to call."""
    if abs(difference) <= close:
        return (0, 1)
    return (0,) if difference > 0 else (1,)


def distance(one: NDArray[np.uint64], other: NDArray[np.uint64]) -> NDArray[np.uint8]:
    """Hamming distance, bits of 64; arrays are broadcast."""
    return np.asarray(np.bitwise_count(one ^ other), dtype=np.uint8)
