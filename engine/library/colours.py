"""The dominant colours of a picture, by name. Pure functions over pixels.

Relies on NumPy. Each pixel takes the nearest of a few basic names in CIELAB (Berlin and Kay's eleven and five
more that people use for photographs); what is seldom is left out.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from numpy.typing import NDArray

# One name may have several anchors: a name covers a region of colours, not a point.
_ANCHORS: tuple[tuple[str, str], ...] = (
    ("black", "0d0d0d"), ("grey", "505050"), ("grey", "808080"), ("grey", "b4b4b4"), ("white", "f5f5f5"),
    ("red", "c81e1e"), ("red", "e83a30"), ("red", "8c1818"), ("orange", "e67e22"), ("orange", "ff9d3c"),
    ("yellow", "f0d722"), ("yellow", "d4b82a"), ("yellow", "fff07a"), ("green", "2e8b3a"), ("green", "5cb85c"),
    ("green", "1f4d26"), ("green", "a8c957"), ("olive", "6b6b28"), ("teal", "1f8a8a"), ("turquoise", "58c8c0"),
    ("blue", "1f4fbf"), ("blue", "4a90d9"), ("blue", "12285c"), ("sky blue", "87b9e8"), ("sky blue", "b4d2ee"),
    ("purple", "6a3494"), ("purple", "9b6bc4"), ("pink", "f0a0b8"), ("pink", "e0559a"), ("brown", "6b4226"),
    ("brown", "8f6240"), ("brown", "40281a"), ("beige", "d9c3a0"), ("beige", "ecdcc4"), ("beige", "b89a78"),
)  # fmt: skip
_MOST, _LEAST_SHARE = 5, 0.04
_BITS = 4  # of each channel: 4096 colours are told apart


def dominant(pixels: NDArray[np.uint8]) -> list[dict[str, Any]]:
    """Up to five colours of (h, w, 3) uint8 sRGB, the largest share first: name, `#rrggbb` mean, share (0 to 1)."""
    channels = np.ascontiguousarray(pixels.reshape(-1, 3).T)
    red, green, blue = (channels >> (8 - _BITS)).astype(np.uint16)
    names = _lookup()[(red << (2 * _BITS)) | (green << _BITS) | blue]
    count = np.bincount(names, minlength=len(_names()))
    sums = [np.bincount(names, weights=channel, minlength=len(count)) for channel in channels]
    found = []
    for place in np.argsort(-count, kind="stable")[:_MOST]:
        share = float(count[place] / names.size)
        if share < _LEAST_SHARE:
            break
        red, green, blue = (round(float(channel[place] / count[place])) for channel in sums)
        found.append({"name": _names()[place], "hex": f"#{red:02x}{green:02x}{blue:02x}", "share": round(share, 3)})
    return found


@functools.cache
def _names() -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name, _ in _ANCHORS))


@functools.cache
def _lookup() -> NDArray[np.intp]:
    """(4096,): the name of each coarse colour, as its place in `_names`."""
    anchors = np.array([[int(code[at : at + 2], 16) for at in (0, 2, 4)] for _, code in _ANCHORS], dtype=np.float64)
    levels = (np.arange(1 << _BITS) + 0.5) * (256 / (1 << _BITS))
    grid = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    distance = ((lab(grid)[:, None, :] - lab(anchors)[None, :, :]) ** 2).sum(axis=2)
    owner = np.array([_names().index(name) for name, _ in _ANCHORS])
    names: NDArray[np.intp] = owner[distance.argmin(axis=1)].astype(np.intp)
    return names


def lab(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """CIELAB (D65) of sRGB values 0 to 255, (n, 3). IEC 61966-2-1 and CIE 15."""
    values = rgb / 255
    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    scaled = linear @ to_xyz.T / np.array([0.9505, 1.0, 1.089])
    cubed = np.where(scaled > 216 / 24389, np.cbrt(scaled), (24389 / 27 * scaled + 16) / 116)
    x, y, z = cubed.T
    return np.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), axis=1)
