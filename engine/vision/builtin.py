"""The built-in encoder: a photograph described by what a photographer would say about it. Nothing to download.

The descriptor is fourteen named blocks (tone, exposure, contrast, colour, cast, saturation, sharpness, detail, noise,
texture, edges, tilt, layout, framing), each L2-normalised, measured on the picture scaled to a longest side of
`WORKING_SIDE` pixels so that a 1024 px draft and its 4096 px enlargement are compared at one scale. Normalising plain
magnitudes would erase the very thing a taste is about (how bright, how sharp), so a level is never stored as a
number: it is spread over a row of overlapping bumps (`spread`), and a distribution is stored as the square root of a
soft histogram, whose length is one by itself (the Hellinger map). A linear model on top can then prefer 'in the
middle' as easily as 'more'. Pure functions of the pixels; relies on numpy and Pillow; never reads a file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

VERSION = 1
ENCODER_ID = f"builtin-{VERSION}"
WORKING_SIDE = 384
"""Longest side, in pixels, at which pictures are measured.

The next step up, 512, would force a two-megapixel JPEG to be decoded at half instead of at a quarter of its size, and
cost a third of the speed; at 384 a Gaussian blur of 1.5 px in a 2-megapixel picture still moves the descriptor several
times further than re-encoding at quality 90 does (tests hold both).
"""

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]

_SHORTEST_SIDE = 48  # below this a picture has no thirds, tiles and octaves to speak of; it is enlarged to it
_TILE = 8
_FLOOR = 1e-6
_CIRCLE = 1.0  # how much the quarter circle of a level counts beside its bumps

HUES = 12
CHROMA_LEVELS = (6.0, 18.0, 44.0)  # distance from grey in (Cb, Cr), 8-bit units: tinted, coloured, vivid
_TILT_KNOTS = np.array([-45, -25, -14, -8, -5, -2.5, 0, 2.5, 5, 8, 14, 25, 45], np.float32)  # degrees off the axes
_TONE_KNOTS = np.linspace(0, 255, 16, dtype=np.float32)
_TEXTURE_KNOTS = np.linspace(-2, 5.5, 12, dtype=np.float32)  # log2 of the mean gradient of a tile

_BLOCK_SIZES = {
    "tone": len(_TONE_KNOTS),
    "exposure": 32,
    "contrast": 16,
    "colour": 1 + HUES * len(CHROMA_LEVELS),
    "cast": 36,
    "saturation": 20,
    "sharpness": 30,
    "detail": 20,
    "noise": 10,
    "texture": len(_TEXTURE_KNOTS),
    "edges": 16,
    "tilt": len(_TILT_KNOTS),
    "layout": 27,
    "framing": 36,
}


def _slices() -> dict[str, slice]:
    found, start = {}, 0
    for name, size in _BLOCK_SIZES.items():
        found[name] = slice(start, start + size)
        start += size
    return found


BLOCKS: dict[str, slice] = _slices()
"""Where each named block lies in the descriptor."""
DIMENSION = sum(_BLOCK_SIZES.values())


@dataclass(frozen=True)
class Readings:
    """Plain quantities of one picture, for the 'sharpest' baseline and for reasons in words.

    `sharpness`: log2 of the mean gradient in the sharpest twentieth of the picture (8-bit units), less the noise;
    `exposure`: mean luma, 0-1; `clipped`: share of pixels that are pure black or white, 0-1; `contrast`: standard
    deviation of luma, 0-1; `colourfulness`: Hasler and Suesstrunk (2003), in 8-bit units; `warmth`: log2 of
    red over blue, above 0 is warm; `noise`: median second difference in the calmest tenth, 8-bit units;
    `tilt`: degrees by which the strong straight edges lean away from level and plumb, 0-45.
    """

    sharpness: float
    exposure: float
    clipped: float
    contrast: float
    colourfulness: float
    warmth: float
    noise: float
    tilt: float


def describe(rgb: Pixels) -> Floats:
    """The descriptor of an (h, w, 3) uint8 picture: (DIMENSION,) float32, each of `BLOCKS` with an L2 norm of one.

    Raises ValueError when the array is not (h, w, 3) uint8 or holds no pixel.
    """
    return examine(_picture(rgb))[0]


def readings(rgb: Pixels) -> Readings:
    """The plain quantities of an (h, w, 3) uint8 picture; raises as `describe` does."""
    return examine(_picture(rgb))[1]


def _picture(rgb: Pixels) -> Image.Image:
    if rgb.ndim != 3 or rgb.shape[2] != 3 or rgb.dtype != np.uint8 or not rgb.size:
        raise ValueError(f"a picture is (h, w, 3) uint8 with at least one pixel, not {rgb.shape} {rgb.dtype}")
    return Image.fromarray(np.ascontiguousarray(rgb))


def examine(picture: Image.Image) -> tuple[Floats, Readings]:
    """Descriptor and readings of an RGB picture of any size, in one pass."""
    picture = at_working_size(picture)
    opponent = picture.convert("YCbCr")
    sampled = np.asarray(opponent)[::2, ::2]
    luma = opponent.getchannel(0)
    levels = np.array(opponent.histogram(), np.float64).reshape(3, 256) / (luma.width * luma.height)
    light = _Light.of(levels[0])
    colour = _Colour.of(levels, sampled, light.bright)
    relief = _Relief.of(luma)
    lines = _Lines.of(np.asarray(luma.reduce(2)).astype(np.int16))
    planes = (np.asarray(luma.reduce(_TILE)).astype(np.float32), relief.energy, _reduced(colour.plane, _TILE // 2))
    blocks = {
        "tone": light.tone,
        "exposure": np.concatenate(
            [
                spread(light.mean, 10, 245, 12),
                spread(_log(light.mean, 4), 3, 8, 8),
                spread(light.shadows, -8, 0, 6),
                spread(light.highlights, -8, 0, 6),
            ]
        ),
        "contrast": np.concatenate([spread(_log(light.deviation, 2), 2, 7, 8), spread(light.span, 20, 250, 8)]),
        "colour": colour.hues,
        "cast": np.concatenate([spread(value, -1.2, 1.2, 9) for value in (*colour.balance, *colour.light_balance)]),
        "saturation": np.concatenate([spread(_log(value, 1), 0.5, 6.5, 10) for value in (colour.chroma, colour.vivid)]),
        "sharpness": np.concatenate([spread(value, -1, 6, 10) for value in relief.strength]),
        "detail": np.concatenate([spread(value, -2, 1, 10) for value in relief.falloff]),
        "noise": spread(relief.noise, -2, 4, 10),
        "texture": relief.texture,
        "edges": lines.orientations,
        "tilt": lines.lean,
        "layout": np.concatenate([_rooted(_thirds(plane) + 0.5) for plane in planes]),
        "framing": _framing(planes),
    }
    descriptor = np.concatenate([_unit(blocks[name]) for name in _BLOCK_SIZES]).astype(np.float32)
    return descriptor, Readings(
        sharpness=relief.strength[0],
        exposure=light.mean / 255,
        clipped=light.clipped,
        contrast=light.deviation / 255,
        colourfulness=_colourfulness(np.asarray(picture)[::2, ::2]),
        warmth=colour.balance[0] - colour.balance[1],
        noise=float(2.0**relief.noise),
        tilt=lines.tilt,
    )


def at_working_size(picture: Image.Image) -> Image.Image:
    """The picture with its longest side at `WORKING_SIDE` and its shortest at 48 px or more; itself if it is so."""
    scale = WORKING_SIDE / max(picture.size)
    width, height = (max(_SHORTEST_SIDE, round(side * scale)) for side in picture.size)
    if (width, height) == picture.size:
        return picture
    filter_ = Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
    return picture.resize((width, height), filter_, reducing_gap=2.0)


def spread(value: float, low: float, high: float, count: int) -> Floats:
    """A level between `low` and `high` as (count,) float32: a quarter circle, then `count` - 2 overlapping bumps.

    The two numbers of the quarter circle (cosine and sine) grow and fall along the whole range, so that 'more' or
    'less' is learned from a handful of pictures; the Gaussian bumps, one and a half grid steps wide, let more pictures
    tell where in between it is best. Values outside are held at the end; a tiny change of the level is a tiny change
    of the vector.
    """
    share = min(max((value - low) / (high - low), 0.0), 1.0)
    turn = share * math.pi / 2
    level = np.empty(count, np.float32)
    level[0], level[1] = _CIRCLE * math.cos(turn), _CIRCLE * math.sin(turn)
    level[2:] = np.exp(-0.5 * ((share - _grid(count - 2)) * ((count - 3) / 1.5)) ** 2)
    return level


@cache
def _grid(count: int) -> Floats:
    return np.linspace(0, 1, count, dtype=np.float32)


def soft_histogram(values: Floats, weights: Floats | None, knots: Floats) -> Floats:
    """Root of the share of `values` (n,) near each of `knots` (k,), ascending, each value shared by its two neighbours.

    (k,) float32 with an L2 norm of one; evenly spread when nothing has any weight, so that flat pictures are finite.
    """
    held = np.clip(values, knots[0], knots[-1])
    upper = np.clip(np.searchsorted(knots, held), 1, len(knots) - 1)
    share = (held - knots[upper - 1]) / (knots[upper] - knots[upper - 1])
    weight = np.ones_like(share) if weights is None else weights
    mass = np.bincount(upper - 1, (1 - share) * weight, len(knots)) + np.bincount(upper, share * weight, len(knots))
    return _rooted(mass)


def _rooted(mass: NDArray[Any]) -> Floats:
    total = float(mass.sum())
    share = mass / total if total > _FLOOR else np.full(mass.shape, 1 / mass.size)
    rooted: Floats = np.sqrt(share).astype(np.float32)
    return rooted


def _unit(block: Floats) -> Floats:
    return block / max(float(np.linalg.norm(block)), _FLOOR)


@dataclass(frozen=True)
class _Light:
    """Luma as a whole: its histogram and what follows from it (8-bit units; clipping as log2 of the share)."""

    tone: Floats
    mean: float
    deviation: float
    span: float
    shadows: float
    highlights: float
    clipped: float
    bright: int

    @classmethod
    def of(cls, counts: NDArray[np.float64]) -> _Light:
        """From the share of pixels at each of the 256 levels."""
        levels = np.arange(256)
        mean = float(counts @ levels)
        below = np.cumsum(counts)
        low, bright, high = np.searchsorted(below, (0.05, 0.9, 0.95))
        shadows, highlights = float(counts[:3].sum()), float(counts[253:].sum())
        return cls(
            tone=soft_histogram(levels.astype(np.float32), counts.astype(np.float32), _TONE_KNOTS),
            mean=mean,
            deviation=float(np.sqrt(counts @ (levels - mean) ** 2)),
            span=float(high - low),
            shadows=float(np.log2(shadows + 2.0**-8)),
            highlights=float(np.log2(highlights + 2.0**-8)),
            clipped=shadows + highlights,
            bright=int(bright),
        )


@dataclass(frozen=True)
class _Colour:
    """Chroma as a whole: hues by strength, the balance of the channels, mean and top chroma (8-bit units).

    A balance is (log2 red/green, log2 blue/green): a colour cast adds the same to it, whatever the subject's colours.
    """

    hues: Floats
    balance: tuple[float, float]
    light_balance: tuple[float, float]
    chroma: float
    vivid: float
    plane: Floats

    @classmethod
    def of(cls, levels: NDArray[np.float64], sampled: Pixels, bright: int) -> _Colour:
        """From the histograms of the three channels and every second pixel of (Y, Cb, Cr); `bright` is a luma level.

        The lights (the brightest tenth) show the colour of the illumination, whatever the subject wears.
        """
        luma, blue, red = (np.ascontiguousarray(sampled[:, :, channel]) for channel in range(3))
        cells = (blue >> 2).astype(np.intp) * 64 + (red >> 2)
        counts = np.bincount(cells.ravel(), minlength=4096) / cells.size
        order = _cells_by_chroma()
        vivid = order[min(int(np.searchsorted(np.cumsum(counts[order]), 0.9)), 4095)]
        lit = luma >= bright
        means = levels @ np.arange(256)
        lights = [float(channel[lit].mean()) for channel in (luma, blue, red)] if lit.any() else means
        return cls(
            hues=_rooted(counts @ _hue_bins()),
            balance=_balance(*means),
            light_balance=_balance(*lights),
            chroma=float(counts @ _chroma_of_cells()),
            vivid=float(_chroma_of_cells()[vivid]),
            plane=_chroma_of_cells().astype(np.float32)[cells],
        )


def _balance(luma: float, blue: float, red: float) -> tuple[float, float]:
    """(log2 red/green, log2 blue/green) of a mean (Y, Cb, Cr), by the JFIF equations."""
    channels = (
        luma + 1.402 * (red - 128),
        luma - 0.344136 * (blue - 128) - 0.714136 * (red - 128),
        luma + 1.772 * (blue - 128),
    )
    first, middle, last = (_log(max(channel, 0.0), 4) for channel in channels)
    return first - middle, last - middle


def _log(value: float, floor: float) -> float:
    """log2, held finite at nothing by a floor that is too small to matter elsewhere."""
    return float(np.log2(value + floor))


@cache
def _cell_centres() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    axis = np.arange(64) * 4 + 2.0 - 128
    blue, red = np.meshgrid(axis, axis, indexing="ij")
    return blue.ravel(), red.ravel()


@cache
def _chroma_of_cells() -> NDArray[np.float64]:
    blue, red = _cell_centres()
    return np.hypot(blue, red)


@cache
def _cells_by_chroma() -> NDArray[np.intp]:
    return np.argsort(_chroma_of_cells(), kind="stable")


@cache
def _hue_bins() -> NDArray[np.float64]:
    """(4096, 37): how each (Cb, Cr) cell is shared among grey and the hues at three strengths; rows sum to one."""
    blue, red = _cell_centres()
    turn = np.arctan2(red, blue) / (2 * np.pi) * HUES
    first = np.floor(turn).astype(int)
    hue = np.zeros((4096, HUES))
    hue[np.arange(4096), first % HUES] = 1 - (turn - first)
    hue[np.arange(4096), (first + 1) % HUES] += turn - first
    stops = (0.0, *CHROMA_LEVELS)
    distance = np.clip(np.hypot(blue, red), 0, stops[-1])
    shares = [np.interp(distance, stops, np.eye(len(stops))[level]) for level in range(len(stops))]
    return np.column_stack([shares[0], *(hue * share[:, None] for share in shares[1:])])


@dataclass(frozen=True)
class _Relief:
    """Detail at three octaves: gradient strength, how it falls off, the noise floor, the spread of local contrast."""

    energy: Floats
    strength: tuple[float, float, float]
    falloff: tuple[float, float]
    noise: float
    texture: Floats

    @classmethod
    def of(cls, luma: Image.Image) -> _Relief:
        """From an 8-bit luma picture at the working size.

        Strength is that of the sharpest twentieth of the tiles, where the focus is, less (in quadrature) what the calm
        tiles have too, which is noise.
        """
        octaves = [np.asarray(level).astype(np.int16) for level in (luma, luma.reduce(2), luma.reduce(4))]
        fine, middle, coarse = (_tiles(_gradient(level)) for level in octaves)
        floor = float(np.quantile(_tiles(_curvature(octaves[0])), 0.1))
        logs = [_strength(tiles) for tiles in (fine, middle, coarse)]
        return cls(
            energy=fine,
            strength=(logs[0], logs[1], logs[2]),
            falloff=(logs[0] - logs[1], logs[1] - logs[2]),
            noise=float(np.log2(floor + 0.25)),
            texture=soft_histogram(np.log2(middle.ravel() + np.float32(0.25)), None, _TEXTURE_KNOTS),
        )


def _strength(tiles: Floats) -> float:
    ordered = np.sort(tiles, axis=None)
    top = float(ordered[-max(1, ordered.size // 20) :].mean())
    calm = float(ordered[ordered.size // 10])
    return _log(float(np.sqrt(max(top * top - calm * calm, 0.0))), 0.25)


def _gradient(plane: NDArray[np.int16]) -> NDArray[np.int16]:
    """(h-1, w-1): the L1 gradient by forward differences, which sees the finest detail that the pixels can hold."""
    corner = plane[:-1, :-1]
    total: NDArray[np.int16] = np.abs(plane[:-1, 1:] - corner)
    total += np.abs(plane[1:, :-1] - corner)
    return total


def _curvature(plane: NDArray[np.int16]) -> NDArray[np.int16]:
    """(h, w-2): the second difference along the rows: noise bends at every pixel, a smooth slope at none."""
    bend = plane[:, 2:] + plane[:, :-2]
    bend -= 2 * plane[:, 1:-1]
    magnitude: NDArray[np.int16] = np.abs(bend)
    return magnitude


def _tiles(plane: NDArray[np.int16]) -> Floats:
    """Means over 8 x 8 tiles, the last ones at the right and the bottom over what is there."""
    return _reduced(plane.astype(np.float32), _TILE)


def _reduced(plane: Floats, factor: int) -> Floats:
    reduced: Floats = np.asarray(Image.fromarray(plane).reduce(factor))
    return reduced


@dataclass(frozen=True)
class _Lines:
    """Where the strong edges point, and by how much they lean away from level and plumb."""

    orientations: Floats
    lean: Floats
    tilt: float

    @classmethod
    def of(cls, plane: NDArray[np.int16]) -> _Lines:
        """From a plane at half the working size, by Sobel gradients: there a degree of tilt is still a degree."""
        smooth_down = plane[:-2] + 2 * plane[1:-1] + plane[2:]
        smooth_across = plane[:, :-2] + 2 * plane[:, 1:-1] + plane[:, 2:]
        across = (smooth_down[:, 2:] - smooth_down[:, :-2]).ravel().astype(np.float32)
        down = (smooth_across[2:] - smooth_across[:-2]).ravel().astype(np.float32)
        power = across * across + down * down
        strong = power > max(2 * float(np.mean(power)), 400.0)
        across, down, weight = across[strong], down[strong], np.sqrt(power[strong])
        angle = np.degrees(np.arctan2(down, across)) % np.float32(180)
        count = _BLOCK_SIZES["edges"]
        turn = angle / np.float32(180 / count)
        first = np.floor(turn)
        share, near = turn - first, first.astype(np.intp)
        mass = np.bincount(near % count, weight * (1 - share), count)
        mass += np.bincount((near + 1) % count, weight * share, count)
        off_axis = (angle + np.float32(45)) % np.float32(90) - np.float32(45)
        lean = soft_histogram(off_axis, weight, _TILT_KNOTS)
        near_axis = np.abs(off_axis) < 20
        held = float(weight[near_axis].sum())
        tilt = abs(float(off_axis[near_axis] @ weight[near_axis])) / held if held > _FLOOR else 0.0
        return cls(orientations=_rooted(mass), lean=lean, tilt=tilt)


def _thirds(plane: Floats) -> NDArray[np.float64]:
    """(9,) means over the cells of a three by three grid, row by row."""
    rows, columns = (np.linspace(0, side, 4).round().astype(int)[:3] for side in plane.shape)
    sums = np.add.reduceat(np.add.reduceat(plane, rows, axis=0, dtype=np.float64), columns, axis=1)
    heights, widths = (np.diff([*starts, side]) for starts, side in zip((rows, columns), plane.shape, strict=True))
    means: NDArray[np.float64] = (sums / np.outer(heights, widths)).ravel()
    return means


def _framing(planes: tuple[Floats, Floats, Floats]) -> Floats:
    """Centre against all for light, detail and colour (log2 of the ratio), and where the detail has its centre."""
    ratios = []
    for plane in planes:
        rows, columns = plane.shape[0] // 4, plane.shape[1] // 4
        centre = float(plane[rows : plane.shape[0] - rows, columns : plane.shape[1] - columns].mean())
        ratios.append(float(np.log2((centre + 1) / (float(plane.mean()) + 1))))
    mass = planes[1] + np.float32(0.05)
    total = float(mass.sum())
    down = float(mass.sum(axis=1) @ np.linspace(-1, 1, mass.shape[0], dtype=np.float32)) / total
    across = float(mass.sum(axis=0) @ np.linspace(-1, 1, mass.shape[1], dtype=np.float32)) / total
    return np.concatenate(
        [spread(ratio, -1, 1, 6) for ratio in ratios] + [spread(across, -0.6, 0.6, 9), spread(down, -0.6, 0.6, 9)]
    )


def _colourfulness(rgb: Pixels) -> float:
    """Hasler and Suesstrunk, 'Measuring colourfulness in natural images' (2003)."""
    red, green, blue = (rgb[:, :, channel].astype(np.float32) for channel in range(3))
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(float(red_green.std()), float(yellow_blue.std()))
    return float(spread + 0.3 * np.hypot(float(red_green.mean()), float(yellow_blue.mean())))
