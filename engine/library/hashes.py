"""Perceptual hashes of a grey picture, bit for bit those of imagehash for the same pixels. Pure functions over arrays.

Relies on Pillow's resampling and NumPy. `phash` is the sign of the lowest 8 x 8 coefficients of a 32 x 32 cosine
transform against their median; `dhash` the sign of horizontal differences of a 9 x 8 picture (imagehash 4.3,
`phash` and `dhash` with hash_size 8).
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_SIDE, _LOW = 32, 8
# A picture is first brought near this size by averaging: the resampling filter then has little to read.
_NEAR = 256


@functools.cache
def _cosines() -> NDArray[np.float64]:
    """(8, 32): the rows of the type-II cosine transform that are kept, scaled as scipy.fftpack.dct does."""
    frequency, place = np.arange(_LOW)[:, None], np.arange(_SIDE)[None, :]
    cosines: NDArray[np.float64] = 2.0 * np.cos(np.pi * frequency * (2 * place + 1) / (2 * _SIDE))
    return cosines


def hashes_of(grey: Image.Image) -> tuple[int, int]:
    """phash and dhash of a picture in mode L, each 64 bits as an unsigned integer, the first bit the highest."""
    small = reduced(grey)
    return phash(small), dhash(small)


def reduced(grey: Image.Image) -> Image.Image:
    """The picture averaged down by a whole factor, to no less than 256 pixels on its shorter side."""
    factor = min(grey.size) // _NEAR
    return grey.reduce(factor) if factor > 1 else grey


def phash(grey: Image.Image) -> int:
    """The same as `imagehash.phash(grey)`."""
    pixels = np.asarray(grey.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), dtype=np.float64)
    cosines = _cosines()
    # Rounded far below any real difference, so that a picture of one colour has one hash whatever its size.
    low = (cosines @ pixels @ cosines.T).round(6)
    return _packed(low > np.median(low))


def dhash(grey: Image.Image) -> int:
    """The same as `imagehash.dhash(grey)`."""
    pixels = np.asarray(grey.resize((_LOW + 1, _LOW), Image.Resampling.LANCZOS))
    return _packed(pixels[:, 1:] > pixels[:, :-1])


def _packed(bits: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(bits.ravel()).tobytes(), "big")
