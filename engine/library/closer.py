"""A closer look at two pictures that a small print cannot tell apart: one picture copied, or two exposures of a scene.

Pure functions over grey arrays; relies on NumPy. Whatever is done to a copy (recompressing, resizing, cropping, a tone
curve) leaves every detail at its place, and a cut-out lies within what it was cut from. A second exposure, handheld or
merged from several, is framed a little differently, and what moved or stood nearer lies elsewhere. So one picture is
laid over the other by an affine map, and then each of 16x16 blocks says how far its own detail is still off (Lucas and
Kanade, 1981, with a gain and an offset for each block, so that no tone curve matters) and how surely: a displacement is
held against its standard error, which grows with whatever compression left unexplained.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float = NDArray[np.float32]
Map = NDArray[np.float64]

SIDE = 384
BLOCKS = 16
# Pixels of a picture's longer side. A smaller one has no detail left that could be off.
LEAST_SIDE = 160
_COARSE = 64
# Grey levels. A block that varies by less (sky, walls) says nothing about where it lies.
_LEAST_TEXTURE = 3.0
# A pixel's error is that of its neighbours, too, after blurring: so many share one.
_SHARED = 12.0
# A block whose detail points in one direction only, or is buried, cannot tell its displacement. Pixels.
_MOST_ERROR = 0.5
_LEAST_BLOCKS = 12

# Measured on copies of the shared photographs (resized, recompressed down to quality 15, cropped, straightened,
# brightened up to a stop), on both HDR pairs, on pans, and on photographs warped by 0.1 to 0.5 % of the side. They were
# set with all of them in view. Bounds chosen anew on one half of the photographs make 1 mistake in 249 pairs of the
# other and none in 261 the other way round; these make the same (tests/bench/closer.py). Two HDR pairs are no measure.
# Two cut-outs of one picture that have less than this in common show different things: a pan, not a copy.
_LEAST_COMMON = 0.9
# Shares of the side. Copies lie within one another to 0.0001; the HDR pairs reach out by 0.0027 and 0.032.
_MOST_OUTSIDE = 0.0008
# Cut-outs that reach out: off by 0.0001 and 0.5 to 1.1 standard errors; the HDR pairs 0.0004 and 1.2 to 1.7.
_OFF, _SURELY = 0.00025, 1.0
# What a tenth of the blocks exceed: copies 0.0013 and 4 at most, but for one cut-out of 305 copies (0.0016 and 6, which
# is parted); warps by 0.1 % of the side 0.0014 and 9 at least.
_OFF_TENTH, _SURELY_TENTH = 0.0012, 5.0


@dataclass(frozen=True, slots=True)
class Closer:
    """What a closer look found. `outside`: by how much each picture reaches beyond the other, the smaller of both, as a
    share of the side: 0 where one lies within the other. `common`: the share of the smaller picture that both show.
    `off`: the median displacement of a block's detail, as a share of the side; `surely`: its median in standard errors;
    `off_tenth`, `surely_tenth`: what a tenth of the blocks exceed."""

    outside: float
    common: float
    off: float
    surely: float
    off_tenth: float
    surely_tenth: float

    @property
    def is_another_exposure(self) -> bool:
        """Whether these are two pictures of one scene, not one picture and its copy."""
        if self.common < _LEAST_COMMON:
            return True
        if self.off_tenth > _OFF_TENTH and self.surely_tenth > _SURELY_TENTH:
            return True  # a tenth of the picture moved
        return self.outside > _MOST_OUTSIDE and self.off > _OFF and self.surely > _SURELY


def closer(one: NDArray[np.uint8], other: NDArray[np.uint8], place: Float) -> Closer | None:
    """Compare two pictures in the same position, each squeezed to a square of the same side, (n, n) uint8.

    `place` (4,): where the second lies in the first as the prints say: left and width, top and height, in shares of the
    side. None where too few blocks have any detail, or the pictures are too small.
    """
    n = len(one)
    if n < LEAST_SIDE:
        return None
    left, width, top, height = (float(value) for value in place)
    # From -1 to 1 in both: x' = m[0] + m[1] x + m[2] y, y' = m[3] + m[4] x + m[5] y.
    m = np.array([2 * left + width - 1, width, 0, 2 * top + height - 1, 0, height], dtype=np.float64)
    for side, steps in ((_COARSE, 2), (n // 2, 1), (n, 1)):
        a, b = _soft(_reduced(one, side)), _soft(_reduced(other, side))
        for _ in range(steps):
            field = _field(a, b, m)
            if len(field.error) < _LEAST_BLOCKS:
                return None
            m = _followed(m, field, side)
    field = _field(a, b, m)
    if len(field.error) < _LEAST_BLOCKS:
        return None
    off = np.hypot(field.across, field.down)
    surely = off / field.error
    outside, common = _lie(m)
    return Closer(
        round(outside, 6),
        round(common, 4),
        round(float(np.median(off)) / n, 6),
        round(float(np.median(surely)), 3),
        round(float(np.quantile(off, 0.9)) / n, 6),
        round(float(np.quantile(surely, 0.9)), 3),
    )


@dataclass(frozen=True, slots=True)
class _Field:
    """Of each block that can tell: its centre `x`, `y` (-1 to 1), displacement `across`, `down` and `error`, pixels."""

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    across: NDArray[np.float64]
    down: NDArray[np.float64]
    error: NDArray[np.float64]


def _reduced(grey: NDArray[np.uint8], side: int) -> Float:
    n = len(grey)
    values = grey.astype(np.float32)
    if n == side:
        return values
    from PIL import Image

    return np.asarray(Image.fromarray(values).resize((side, side), Image.Resampling.BOX), dtype=np.float32)


def _soft(values: Float) -> Float:
    """A binomial blur of 5x5 with the border repeated."""
    for axis in (0, 1):
        for _ in range(2):
            before = np.concatenate([values.take([0], axis), values.take(range(len(values) - 1), axis)], axis)
            after = np.concatenate([values.take(range(1, len(values)), axis), values.take([-1], axis)], axis)
            values = (before + 2 * values + after) / 4
    return values


def _grid(n: int) -> Float:
    return ((np.arange(n, dtype=np.float32) + 0.5) / n * 2 - 1).astype(np.float32)


def _field(a: Float, b: Float, m: Map) -> _Field:
    n = len(a)
    g = _grid(n)
    x = (np.float32(m[0]) + np.float32(m[1]) * g)[None, :] + (np.float32(m[2]) * g)[:, None]
    y = (np.float32(m[3]) + np.float32(m[4]) * g)[None, :] + (np.float32(m[5]) * g)[:, None]
    margin = np.float32(1 - 2 / n)  # beyond, the slopes are those of the border
    is_inside = _blocks(((np.abs(x) <= margin) & (np.abs(y) <= margin)).astype(np.float32)).min(1) > 0
    there = _moved(a, m)
    down, left = (_blocks(np.asarray(slope, dtype=np.float32)) for slope in np.gradient(there))
    t, u = _blocks(there), _blocks(b)
    texture = np.minimum(t.std(1), u.std(1))
    told = np.flatnonzero(is_inside & (texture >= _LEAST_TEXTURE))
    t, u = t[told] - t[told].mean(1, keepdims=True), u[told]
    design = np.stack([left[told], down[told], t, np.ones_like(t)], axis=-1)
    turned = np.swapaxes(design, 1, 2)
    normal = np.asarray(turned @ design, dtype=np.float64) + np.eye(4) * 1e-2
    solved = np.linalg.solve(normal, np.asarray(turned @ u[..., None], dtype=np.float64))
    rest = u - np.asarray(design @ solved.astype(np.float32), dtype=np.float32)[..., 0]
    gain = np.copysign(np.maximum(np.abs(solved[:, 2, 0]), 0.05), solved[:, 2, 0])
    spread = np.linalg.inv(normal) * ((rest**2).mean(1) * _SHARED)[:, None, None]
    error = np.sqrt(spread[:, 0, 0] + spread[:, 1, 1]) / np.abs(gain) + 1e-3
    sure = error < _MOST_ERROR
    centre = (np.arange(BLOCKS) + 0.5) * (n // BLOCKS) / n * 2 - 1
    return _Field(
        centre[told % BLOCKS][sure],
        centre[told // BLOCKS][sure],
        (solved[:, 0, 0] / gain)[sure],
        (solved[:, 1, 0] / gain)[sure],
        error[sure],
    )


def _blocks(values: Float) -> Float:
    """(n, n) as (256, pixels of a block); what is left over at the end is left out."""
    k = len(values) // BLOCKS
    cut = values[: k * BLOCKS, : k * BLOCKS]
    return cut.reshape(BLOCKS, k, BLOCKS, k).swapaxes(1, 2).reshape(BLOCKS * BLOCKS, k * k)


def _moved(a: Float, m: Map) -> Float:
    """`a` (n, n) where the map puts each pixel of the other, between its points; nothing beyond the border."""
    from PIL import Image

    n = len(a)
    at = (m[1], m[2], (m[0] - m[1] - m[2] + 1) * n / 2, m[4], m[5], (m[3] - m[4] - m[5] + 1) * n / 2)
    image = Image.fromarray(a).transform((n, n), Image.Transform.AFFINE, at, Image.Resampling.BILINEAR)
    return np.asarray(image, dtype=np.float32)


def _followed(m: Map, field: _Field, side: int) -> Map:
    """The map moved along with most blocks; those that go elsewhere are given little say."""
    design = np.stack([np.ones_like(field.x), field.x, field.y], axis=1)
    moved = m.copy()
    for at, values in ((0, field.across), (3, field.down)):
        step = np.clip(values, -2, 2)
        weight = 1 / (field.error**2 + 0.02)
        say = weight
        for _ in range(3):
            weighed = design * say[:, None]
            found = np.linalg.solve(weighed.T @ design + np.eye(3) * 1e-6, weighed.T @ step)
            rest = np.abs(step - design @ found)
            scale = max(float(np.median(rest)), 0.02)
            say = weight / (1 + (rest / (2 * scale)) ** 2)
        moved[at : at + 3] += found * 2 / side
    return moved


def _lie(m: Map) -> tuple[float, float]:
    """How far both reach beyond each other, as a share of the side, and what share of the smaller one both show."""
    beyond, within, common, own = 0.0, 0.0, 1.0, 1.0
    for middle, half in ((m[0], abs(m[1])), (m[3], abs(m[5]))):
        low, high = middle - half, middle + half
        for over in (-1 - low, high - 1):
            beyond, within = max(beyond, over), max(within, -over)
        common *= max(0.0, min(high, 1) - max(low, -1)) / 2
        own *= half
    return float(min(beyond, within)) / 2, float(common / min(own, 1.0))
