"""How good a picture is technically: sharpness, exposure, contrast, noise, colour, information. Pure functions.

Relies on NumPy and on Pillow's histogram. Works on a picture at half scale (an eighth is too little: blur is gone
with the pixels that show it). A few passes over few numbers, because every image of a library goes through here.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TILE = 32
# Rows that are looked at are thinned beyond this many pixels (to an eighth at most): tiles stay well filled. Pixels.
# On 297 photographs and blurred, moved and noisy copies of them blur is told as well as with all rows (AUC .961, .959).
_ENOUGH = 80_000
_ONES = np.ones(TILE, dtype=np.float32)
_LEVELS = np.arange(256) / 255
# A straight ramp, which is what blur makes of every edge, has 1/4; clear photographs lie about 0.47 (measured on
# 43 photographs and their blurred, moved and noisy variants: tests/bench/library.py measures it again).
_RAMP, _CRISP = 0.24, 0.60
_TEXTURED = 0.25
_DARK_LEVEL, _BRIGHT_LEVEL = 2, 253


@dataclass(frozen=True, slots=True)
class Measures:
    """Fractions 0 to 1, except `exposure`: -1 (too dark) to 1 (too bright). `noise` is its standard deviation over
    the full range of values. `flat` is the share of exactly flat tiles, `busy` that of tiles with hard edges."""

    sharpness: float
    subject_sharpness: float
    brightness: float
    exposure: float
    clipped_low: float
    clipped_high: float
    contrast: float
    noise: float
    colourfulness: float
    information: float
    flat: float
    busy: float


def measures(grey: NDArray[np.uint8], small: NDArray[np.uint8]) -> Measures:
    """All of them, of a picture's grey values (h, w) uint8 at half scale, and of it in colour, much smaller:
    (h, w, 3) uint8."""
    share = _histogram(grey)
    mean = float(share @ _LEVELS)
    contrast = math.sqrt(float(share @ (_LEVELS - mean) ** 2))
    filled = share[share > 0]
    energies = energies_of(grey)
    total = energies.total
    edges = _edges(energies)
    subject = _subject(energies, small)
    low, high = float(share[: _DARK_LEVEL + 1].sum()), float(share[_BRIGHT_LEVEL:].sum())
    return Measures(
        sharpness=_sharpness(edges, None),
        subject_sharpness=_sharpness(edges, subject),
        brightness=mean,
        exposure=max(-1.0, min(1.0, (mean - 0.45) / 0.45 + high - low)),
        clipped_low=low,
        clipped_high=high,
        contrast=min(1.0, contrast * 2),  # 0.5 is the most that a standard deviation can be
        noise=_noise(energies),
        colourfulness=colourfulness(small),
        information=abs(float(filled @ np.log2(filled))) / 8,
        flat=np.count_nonzero(total < 0.02) / total.size,
        busy=np.count_nonzero(total > 1500) / total.size,
    )


def _histogram(grey: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The share of each of the 256 values, (256,) float64, in rows that are enough to tell."""
    rows = grey[:: step_of(grey)]
    counts = np.array(Image.fromarray(rows).histogram(), dtype=np.float64)
    shares: NDArray[np.float64] = counts / counts.sum()
    return shares


def step_of(grey: NDArray[np.uint8]) -> int:
    """Every how many-th row is looked at: 1, 2, 4 or 8."""
    step = 1
    while step < 8 and grey.size / step > _ENOUGH:
        step *= 2
    return step


@dataclass(frozen=True, slots=True)
class Energies:
    """Mean squared differences of values 1 and 4 pixels apart, along rows and along columns, a tile: each (r, c)."""

    near: tuple[NDArray[np.float32], NDArray[np.float32]]
    far: tuple[NDArray[np.float32], NDArray[np.float32]]

    @property
    def total(self) -> NDArray[np.float32]:
        return self.near[0] + self.near[1]


def energies_of(grey: NDArray[np.uint8]) -> Energies:
    height, width = grey.shape
    if min(height, width) < TILE + 4:  # too small for a tile: its edges are repeated
        grey = np.pad(grey, ((0, max(0, TILE + 4 - height)), (0, max(0, TILE + 4 - width))), mode="edge")
    step = step_of(grey)
    rows, columns = (grey.shape[0] - 4) // TILE, (grey.shape[1] - 4) // TILE
    height, width = rows * TILE, columns * TILE
    seen = grey[:height:step, : width + 4].astype(np.int16)
    here = seen[:, :width]
    runs = np.empty((4, len(here), columns), dtype=np.float32)
    values = np.empty(here.shape, dtype=np.float32)
    others = (seen[:, 1:-3], _below(grey, 1, here, step), seen[:, 4:], _below(grey, 4, here, step))
    for place, other in enumerate(others):
        difference = other - here
        difference *= difference  # up to 65,025: what an int16 makes of it is right once it is read as unsigned
        values[:] = difference.view(np.uint16)
        # A product with ones is how NumPy sums short runs fast.
        np.matmul(values.reshape(-1, TILE), _ONES, out=runs[place].reshape(-1))
    tiles = runs.reshape(4, rows, TILE // step, columns).sum(axis=2) / (TILE * TILE // step)
    return Energies((tiles[0], tiles[1]), (tiles[2], tiles[3]))


def _below(grey: NDArray[np.uint8], distance: int, here: NDArray[np.int16], step: int) -> NDArray[np.int16]:
    """The values so many rows below those that are looked at."""
    height, width = here.shape
    return grey[distance : distance + height * step : step, :width].astype(np.int16)


_Edges = tuple[tuple[NDArray[np.float32], NDArray[np.float32]], ...]


def _edges(energies: Energies) -> _Edges:
    """The energies 1 and 4 pixels apart without the grain's share, as the smoothest tiles show it; along rows and
    along columns, each (tiles,)."""
    found = []
    for near, far in zip(energies.near, energies.far, strict=True):
        grain = _low(near)
        found.append((np.maximum(near - grain, 0).ravel(), np.maximum(far - grain, 0).ravel()))
    return tuple(found)


def _low(values: NDArray[np.floating[Any]]) -> float:
    """The value that a tenth of them lie below."""
    flat = values.ravel()
    place = flat.size // 10
    return float(np.partition(flat, place)[place])


def _sharpness(edges: _Edges, weight: NDArray[np.float32] | None) -> float:
    """How much steeper than a ramp the edges of the textured tiles are, in the direction where they are least so.

    The weaker direction, because a hand that moves blurs one direction only. `weight`: 0 or 1 for each tile, (rows,
    columns), or None for all of them.
    """
    chosen = None if weight is None else np.flatnonzero(weight)
    ratios = []
    for steep, wide in edges:
        count = min(wide.size, max(4, int(wide.size * _TEXTURED)))
        if chosen is not None:
            steep, wide = steep[chosen], wide[chosen]
        best = np.argpartition(wide, -count)[-count:] if count < wide.size else slice(None)
        # What a tile of a featureless picture still differs by must not count as an edge: 1000 in all tiles together.
        ratios.append(math.sqrt(float(steep[best].sum()) / (float(wide[best].sum()) + 1000)))
    return max(0.0, min(1.0, (min(ratios) - _RAMP) / (_CRISP - _RAMP)))


def _noise(energies: Energies) -> float:
    """Standard deviation of the grain, in the smoothest tenth of the tiles that are not exactly flat, over 255."""
    near = energies.total / 2
    uneven = near[near > 0.02]
    if uneven.size == 0:
        return 0.0
    return min(1.0, math.sqrt(_low(uneven) / 2) / 255)


def _subject(energies: Energies, small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A weight a tile, (rows, columns) float32, 1 where the subject is likely: textured, unlike the border in
    colour, and near the middle; after the centre and background priors of saliency detection (Borji 2015)."""
    rows, columns = energies.total.shape
    picture = Image.fromarray(small).resize((columns, rows), Image.Resampling.BOX)
    colours = np.asarray(picture, dtype=np.float32)
    border = np.concatenate((colours[0], colours[-1], colours[:, 0], colours[:, -1])).mean(0)
    away = colours - border
    unlike = np.sqrt(np.einsum("rcx,rcx->rc", away, away)) / 255
    salient = (0.25 + unlike) * _centre(rows, columns) * np.log1p(energies.far[0] + energies.far[1])
    quarter = math.ceil(0.75 * (salient.size - 1))
    bound = np.partition(salient, quarter, axis=None)[quarter]
    chosen: NDArray[np.float32] = (salient >= bound).astype(np.float32)
    return chosen


@functools.lru_cache(maxsize=64)
def _centre(rows: int, columns: int) -> NDArray[np.float64]:
    """How near the middle a tile lies, (rows, columns): 1 in the middle, 0.02 in a corner."""
    y, x = np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, columns)[None, :]
    near: NDArray[np.float64] = np.exp(-(x * x + y * y) / 0.5)
    return near


def colourfulness(pixels: NDArray[np.uint8]) -> float:
    """Hasler and Suesstrunk 2003, over 150 (their 'extremely colourful' is 109), at most 1."""
    red, green, blue = np.ascontiguousarray(pixels.reshape(-1, 3).T).astype(np.float32)
    spread, mean = [], []
    for opposed in (red - green, (red + green) / 2 - blue):
        middle = float(opposed.mean())
        opposed -= middle
        spread.append(math.sqrt(float(opposed @ opposed) / opposed.size))
        mean.append(middle)
    return min(1.0, (math.hypot(*spread) + 0.3 * math.hypot(*mean)) / 150)


# ITU-T T.81, table K.1: the luminance table that the Independent JPEG Group scales by quality.
_STANDARD = np.array(
    [16, 11, 12, 14, 12, 10, 16, 14, 13, 14, 18, 17, 16, 19, 24, 40, 26, 24, 22, 22, 24, 49, 35, 37, 29, 40, 58, 51,
     61, 60, 57, 51, 56, 55, 64, 72, 92, 78, 64, 68, 87, 69, 55, 56, 80, 109, 81, 87, 95, 98, 103, 104, 103, 62, 77,
     113, 121, 112, 100, 120, 92, 101, 103, 99]
)  # fmt: skip


def jpeg_quality(tables: list[tuple[int, ...]]) -> int | None:
    """The quality, 1 to 100, at which the IJG's encoder would make a luminance table as coarse; None without one."""
    if not tables or len(tables[0]) != 64:
        return None
    table = np.array(tables[0], dtype=np.float64)
    if table.max() <= 1:
        return 100
    scale = 100 * float(table.sum()) / float(_STANDARD.sum())
    quality = 5000 / scale if scale > 100 else (200 - scale) / 2
    return int(np.clip(round(quality), 1, 100))
