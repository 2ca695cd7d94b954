"""Brushes for the demo's scenes: gradients, noise, ridges, glows, masks. A canvas is (h, w, 3) float32 in 0-1, sRGB.

Relies on numpy and Pillow. Every brush is a pure function of its arguments or paints into the canvas that it is
given; whatever is random comes from the caller's generator, so one seed is always one picture.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Array = NDArray[Any]
Canvas = Array  # (h, w, 3) float32
Plane = Array  # (h, w) float32
Colour = Sequence[float] | Array
Pen = ImageDraw.ImageDraw
Draw = Callable[[Pen, float], None]


def colour(hexadecimal: str) -> Array:
    """`'ffb37a'` as (3,) float32 in 0-1."""
    return np.array([int(hexadecimal[index : index + 2], 16) / 255 for index in (0, 2, 4)], np.float32)


def ink(shade: Colour) -> tuple[int, int, int, int]:
    """A colour as Pillow's pen wants it: opaque 8-bit RGBA."""
    red, green, blue = (int(min(max(float(part), 0.0), 1.0) * 255 + 0.5) for part in shade)
    return red, green, blue, 255


def mix(first: Colour, second: Colour, share: float) -> Array:
    """The colour `share` of the way from `first` to `second`."""
    return np.asarray(first, np.float32) * np.float32(1 - share) + np.asarray(second, np.float32) * np.float32(share)


def sky(width: int, height: int, stops: Sequence[tuple[float, Colour]]) -> Canvas:
    """A vertical gradient through `stops` (fraction of the height, colour), eased so that no band shows."""
    rows = np.linspace(0, 1, height)
    places = [place for place, _ in stops]
    columns = [np.interp(rows, places, [float(shade[channel]) for _, shade in stops]) for channel in range(3)]
    gradient = np.stack(columns, axis=1).astype(np.float32)
    return np.repeat(gradient[:, None, :], width, axis=1)


def noise(
    rng: np.random.Generator, width: int, height: int, cells: tuple[float, float], octaves: int = 4, gain: float = 0.5
) -> Plane:
    """(height, width) smooth noise around 0, about -1 to 1: `cells` across and down in the coarsest octave."""
    total = np.zeros((height, width), np.float32)
    amplitude, reach = 1.0, 0.0
    across, down = cells
    for _ in range(octaves):
        shape = (min(height, round(down) + 2), min(width, round(across) + 2))
        grid = Image.fromarray(rng.uniform(-1, 1, shape).astype(np.float32))
        total += amplitude * np.asarray(grid.resize((width, height), Image.Resampling.BICUBIC))
        reach += amplitude
        amplitude *= gain
        across, down = across * 2, down * 2
    return total / np.float32(reach * 0.6)


def ridge(rng: np.random.Generator, width: int, cells: float, octaves: int = 5, gain: float = 0.5) -> Plane:
    """(width,) of the same noise along one line, about -1 to 1."""
    line: Plane = noise(rng, width, 3, (cells, 0), octaves, gain)[1]
    return line


def below(heights: Plane, height: int) -> Plane:
    """(height, width) mask of what lies below the line `heights` (pixels from the top), one pixel soft."""
    rows = np.arange(height, dtype=np.float32)[:, None]
    mask: Plane = np.clip(rows - heights[None, :] + 0.5, 0, 1)
    return mask


def shape(width: int, height: int, draw: Draw, blur: float = 0.0) -> Plane:
    """(height, width) mask 0-1 of what `draw(pen, 2.0)` fills with 255 at twice the size; `blur` in final pixels."""
    sheet = Image.new("L", (width * 2, height * 2))
    draw(ImageDraw.Draw(sheet), 2.0)
    sheet = sheet.reduce(2)
    if blur:
        sheet = sheet.filter(ImageFilter.GaussianBlur(blur))
    return np.asarray(sheet, np.float32) / np.float32(255)


def layer(width: int, height: int, draw: Draw) -> tuple[Canvas, Plane]:
    """Colours and mask of what `draw(pen, 2.0)` draws in RGBA at twice the size: many shapes for the price of one."""
    sheet = Image.new("RGBA", (width * 2, height * 2))
    draw(ImageDraw.Draw(sheet), 2.0)
    pixels = np.asarray(sheet.reduce(2), np.float32) / np.float32(255)
    return pixels[:, :, :3], pixels[:, :, 3]


def paint(canvas: Canvas, mask: Plane, shade: Colour, strength: float = 1.0) -> None:
    """Blend a colour, or another canvas, into `canvas` where `mask` (h, w) is."""
    touched = np.flatnonzero(mask.any(axis=1))
    if not touched.size:
        return
    rows = slice(int(touched[0]), int(touched[-1]) + 1)
    colours = np.asarray(shade, np.float32)
    if colours.ndim == 3:
        colours = colours[rows]
    cover = (mask[rows] * np.float32(strength))[:, :, None]
    canvas[rows] += cover * (colours - canvas[rows])


def glow(canvas: Canvas, x: float, y: float, radius: float, shade: Colour, strength: float) -> None:
    """Light around a point (pixels), falling off with `radius`; it adds, as light does, and never passes white."""
    rows = np.arange(canvas.shape[0], dtype=np.float32)[:, None] - np.float32(y)
    columns = np.arange(canvas.shape[1], dtype=np.float32)[None, :] - np.float32(x)
    fall = np.float32(strength) / (1 + (rows * rows + columns * columns) / np.float32(radius * radius)) ** 1.5
    canvas += fall[:, :, None] * (1 - canvas) * np.asarray(shade, np.float32)


def disc(width: int, height: int, x: float, y: float, radius: float, soft: float = 1.0) -> Plane:
    """(height, width) mask of a disc, its edge `soft` pixels wide."""
    rows = np.arange(height, dtype=np.float32)[:, None] - np.float32(y)
    columns = np.arange(width, dtype=np.float32)[None, :] - np.float32(x)
    far = np.sqrt(rows * rows + columns * columns)
    mask: Plane = np.clip((np.float32(radius) - far) / np.float32(soft) + 0.5, 0, 1)
    return mask


def stars(rng: np.random.Generator, canvas: Canvas, count: int, lowest: float) -> None:
    """Small lights of many brightnesses, from the top down to `lowest` (fraction of the height)."""
    height, width = canvas.shape[:2]
    rows = (rng.random(count) ** 1.3 * lowest * (height - 2)).astype(int)
    columns = rng.integers(0, width - 2, count)
    bright = (rng.random(count) ** 4 * 0.9 + 0.1).astype(np.float32)[:, None]
    tint = np.stack([1 - 0.2 * rng.random(count), np.full(count, 0.95), 1 - 0.15 * rng.random(count)], axis=1)
    light = bright * tint.astype(np.float32)
    canvas[rows, columns] += light * (1 - canvas[rows, columns])
    big = bright[:, 0] > 0.6
    for down, across in ((0, 1), (1, 0), (1, 1)):
        near = (rows[big] + down, columns[big] + across)
        canvas[near] += 0.6 * light[big] * (1 - canvas[near])


def bokeh(
    rng: np.random.Generator,
    canvas: Canvas,
    lights: Sequence[Colour],
    radii: tuple[float, float],
    strengths: tuple[float, float],
    band: tuple[float, float] = (0.0, 1.0),
) -> None:
    """One soft disc a light, anywhere within `band` (fractions of the height); radii are fractions of the width."""
    height, width = canvas.shape[:2]
    for light in lights:
        x, y = rng.uniform(0, width), rng.uniform(band[0], band[1]) * height
        radius, strength = rng.uniform(*radii) * width, rng.uniform(*strengths)
        rows = slice(max(0, int(y - radius - 4)), min(height, int(y + radius + 5)))
        columns = slice(max(0, int(x - radius - 4)), min(width, int(x + radius + 5)))
        part = canvas[rows, columns]
        if not part.size:
            continue
        far = disc(part.shape[1], part.shape[0], x - columns.start, y - rows.start, radius, 6)
        rim = far - 0.35 * disc(part.shape[1], part.shape[0], x - columns.start, y - rows.start, radius * 0.86, 9)
        part += (rim * np.float32(strength))[:, :, None] * (1 - part) * np.asarray(light, np.float32)


def mirror(
    rng: np.random.Generator, canvas: Canvas, horizon: int, water: Colour, depth: float = 0.45, ripple: float = 5.0
) -> None:
    """Water from row `horizon` down: what stands above it upside down, rippled sideways, darker with the distance."""
    height, width = canvas.shape[:2]
    rows = np.arange(height - horizon)
    near = rows / max(len(rows) - 1, 1)
    source = np.clip(horizon - 1 - (rows * min(1.0, horizon / max(len(rows), 1))).astype(int), 0, horizon - 1)
    waves = noise(rng, width, len(rows), (width / 90, len(rows) / 5), 2)
    shift = (waves * (0.6 + near[:, None] * ripple)).astype(int)
    columns = np.clip(np.arange(width)[None, :] + shift * 2, 0, width - 1)
    lines = np.clip(source[:, None] + shift, 0, horizon - 1)
    reflected = canvas[lines, columns]
    cover = (depth + 0.3 * near[:, None] + 0.10 * waves).clip(0, 1).astype(np.float32)[:, :, None]
    canvas[horizon:] = reflected + cover * (np.asarray(water, np.float32) - reflected)
    canvas[horizon:] += 0.05 * np.maximum(waves, 0)[:, :, None]


def vignette(canvas: Canvas, strength: float) -> None:
    """Darken towards the corners, as a fast lens does."""
    height, width = canvas.shape[:2]
    rows = np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    columns = np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    canvas *= (1 - np.float32(strength) * ((rows * rows + columns * columns) / 2) ** 1.5)[:, :, None]


def finish(rng: np.random.Generator, canvas: Canvas, tooth: float = 0.018) -> Image.Image:
    """The canvas as an 8-bit picture, with a fine surface (`tooth`) so that focus has something to hold on to."""
    height, width = canvas.shape[:2]
    surface = noise(rng, width, height, (width / 6, height / 6), 2, 0.9) * np.float32(tooth)
    canvas = canvas * (1 + surface[:, :, None]) + surface[:, :, None] * np.float32(0.2)
    return Image.fromarray((np.clip(canvas, 0, 1) * 255 + 0.5).astype(np.uint8))
