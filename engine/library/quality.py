"""How good a picture is technically: sharpness, exposure, contrast, noise, colour, information. Pure functions.

Relies on NumPy and on Pillow's histogram. Works on a picture at half scale (an eighth is too little: blur is gone
with the pixels that show it). A few passes over few numbers, because every image of a library goes through here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

TILE = 32
# Rows (or columns) that are looked at are thinned beyond this many pixels: tiles stay well filled. Pixels.
_ENOUGH = 200_000
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


def measures(grey: Image.Image, small: NDArray[np.uint8]) -> Measures:
    """All of them, of a picture (mode L, half scale) and of the same in colour, much smaller: (h, w, 3) uint8."""
    counts = np.array(grey.histogram(), dtype=np.float64)
    share = counts / counts.sum()
    levels = np.arange(256) / 255
    mean = float(share @ levels)
    contrast = float(np.sqrt(share @ (levels - mean) ** 2))
    filled = share[share > 0]
    energies = _energies(np.asarray(grey))
    subject = _subject(energies, small)
    low, high = float(share[: _DARK_LEVEL + 1].sum()), float(share[_BRIGHT_LEVEL:].sum())
    return Measures(
        sharpness=_sharpness(energies, np.ones_like(subject)),
        subject_sharpness=_sharpness(energies, subject),
        brightness=mean,
        exposure=float(np.clip((mean - 0.45) / 0.45 + high - low, -1, 1)),
        clipped_low=low,
        clipped_high=high,
        contrast=min(1.0, contrast * 2),  # 0.5 is the most that a standard deviation can be
        noise=_noise(energies),
        colourfulness=colourfulness(small),
        information=abs(float(filled @ np.log2(filled))) / 8,
        flat=float(np.mean(energies.total < 0.02)),
        busy=float(np.mean(energies.total > 1500)),
    )


@dataclass(frozen=True, slots=True)
class _Energies:
    """Mean squared differences of values 1 and 4 pixels apart, along rows and along columns, a tile: each (r, c)."""

    near: tuple[NDArray[np.float32], NDArray[np.float32]]
    far: tuple[NDArray[np.float32], NDArray[np.float32]]

    @property
    def total(self) -> NDArray[np.float32]:
        return self.near[0] + self.near[1]


def _energies(grey: NDArray[np.uint8]) -> _Energies:
    height, width = grey.shape
    if min(height, width) < TILE + 4:  # too small for a tile: its edges are repeated
        grey = np.pad(grey, ((0, max(0, TILE + 4 - height)), (0, max(0, TILE + 4 - width))), mode="edge")
    step = 1
    while step < 8 and grey.size / step > 1.5 * _ENOUGH:
        step *= 2
    rows, columns = (grey.shape[0] - 4) // TILE, (grey.shape[1] - 4) // TILE
    body = grey[: rows * TILE + 4, : columns * TILE + 4]
    across = _tile_energies(body[: rows * TILE : step].astype(np.float32), rows, columns)
    down = _tile_energies(np.ascontiguousarray(body[:, : columns * TILE : step].T).astype(np.float32), columns, rows)
    return _Energies((across[0], down[0].T), (across[1], down[1].T))


def _tile_energies(
    values: NDArray[np.float32], rows: int, columns: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    found = []
    for distance in (1, 4):
        difference = values[:, distance : distance + columns * TILE] - values[:, : columns * TILE]
        tiles = difference.reshape(rows, -1, columns, TILE)
        found.append((np.einsum("abcd,abcd->ac", tiles, tiles) / (tiles.shape[1] * TILE)).astype(np.float32))
    return found[0], found[1]


def _sharpness(energies: _Energies, weight: NDArray[np.float32]) -> float:
    """How much steeper than a ramp the edges of the textured tiles are, in the direction where they are least so.

    The weaker direction, because a hand that moves blurs one direction only. The noise's share, as the smoothest
    tiles show it, is taken off first: grain is no sharpness.
    """
    ratios = []
    for near, far in zip(energies.near, energies.far, strict=True):
        grain = float(np.percentile(near, 10))
        steep, wide = np.maximum(near - grain, 0) * weight, np.maximum(far - grain, 0) * weight
        count = max(4, int(wide.size * _TEXTURED))
        flat_wide = wide.ravel()
        best = np.argpartition(flat_wide, -min(count, flat_wide.size))[-count:]
        total = float(flat_wide[best].sum())
        mean_weight = float(weight.ravel()[best].mean()) or 1.0
        # What a tile of a featureless picture still differs by must not count as an edge: 1000 in all tiles together.
        ratios.append(np.sqrt(float(steep.ravel()[best].sum()) / (total + 1000 * mean_weight)))
    return float(np.clip((min(ratios) - _RAMP) / (_CRISP - _RAMP), 0, 1))


def _noise(energies: _Energies) -> float:
    """Standard deviation of the grain, in the smoothest tenth of the tiles that are not exactly flat, over 255."""
    near = energies.total / 2
    uneven = near[near > 0.02]
    if uneven.size == 0:
        return 0.0
    return min(1.0, float(np.sqrt(np.percentile(uneven, 10) / 2)) / 255)


def _subject(energies: _Energies, small: NDArray[np.uint8]) -> NDArray[np.float32]:
    """A weight a tile, (rows, columns) float32, 1 where the subject is likely: textured, unlike the border in
    colour, and near the middle; after the centre and background priors of saliency detection (Borji 2015)."""
    rows, columns = energies.total.shape
    picture = Image.fromarray(small).resize((columns, rows), Image.Resampling.BOX)
    colours = np.asarray(picture, dtype=np.float32)
    border = np.concatenate((colours[0], colours[-1], colours[:, 0], colours[:, -1])).mean(0)
    unlike = np.sqrt(((colours - border) ** 2).sum(2)) / 255
    y, x = np.linspace(-1, 1, rows)[:, None], np.linspace(-1, 1, columns)[None, :]
    centre = np.exp(-(x * x + y * y) / 0.5)
    salient = (0.25 + unlike) * centre * np.log1p(energies.far[0] + energies.far[1])
    bound = np.quantile(salient, 0.75)
    chosen: NDArray[np.float32] = (salient >= bound).astype(np.float32)
    return chosen


def colourfulness(pixels: NDArray[np.uint8]) -> float:
    """Hasler and Suesstrunk 2003, over 150 (their 'extremely colourful' is 109), at most 1."""
    values = pixels.reshape(-1, 3).astype(np.float32)
    opposed = np.stack((values[:, 0] - values[:, 1], (values[:, 0] + values[:, 1]) / 2 - values[:, 2]))
    spread, mean = opposed.std(axis=1), opposed.mean(axis=1)
    return min(1.0, float(np.hypot(*spread) + 0.3 * np.hypot(*mean)) / 150)


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
