"""Landscapes and harbours for the demo: hills, sea, quays, lighthouses, dunes.

Relies on the brushes only. Each is a function of a generator and a size; it draws
its own palette, light and composition from the generator, and returns the picture as it is meant to be: well exposed,
level, sharp. What goes wrong with it is the business of the variations.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from engine.demo.brushes import (
    Array,
    Canvas,
    Colour,
    Draw,
    Pen,
    below,
    colour,
    disc,
    finish,
    glow,
    ink,
    layer,
    mirror,
    mix,
    noise,
    paint,
    ridge,
    shape,
    sky,
    vignette,
)

# sky at the top, in the middle, at the horizon; the sun; the darkest foreground
_SKIES = (
    ("2f5d8c", "9cc1d9", "f6e3c0", "fff3d0", "1e2f38"),
    ("33415f", "c9776a", "ffc987", "fff0c2", "231f2e"),
    ("4a3a67", "d4697a", "ffb27c", "ffe3b0", "271d33"),
    ("4f86a8", "b9d7df", "f3efe2", "ffffff", "22343a"),
    ("27496b", "7fa7a5", "f2c67f", "fff1c6", "17262b"),
    ("5b7fa6", "e8b7a5", "fbe0b8", "fff6de", "31324a"),
)


def _palette(rng: np.random.Generator) -> list[Array]:
    return [colour(text) for text in _SKIES[rng.integers(len(_SKIES))]]


def _clouds(rng: np.random.Generator, canvas: Canvas, horizon: float, light: Colour, cover: float = 0.2) -> None:
    height, width = canvas.shape[:2]
    rows = max(8, int(height * horizon))
    field = noise(rng, width, rows, (2.2, 5), 6, 0.55)
    mask = np.zeros((height, width), np.float32)
    fade = np.linspace(1, 0.35, rows, dtype=np.float32)[:, None]
    mask[:rows] = np.clip((field - 0.15 + cover) * 1.5, 0, 1) ** 1.4 * fade
    paint(canvas, mask, mix(light, (1, 1, 1), 0.45), 0.75)
    mask[:rows] = np.clip((noise(rng, width, rows, (2.5, 6), 5) - 0.3) * 1.2, 0, 1) * fade
    paint(canvas, mask, mix(canvas[0, 0], light, 0.25), 0.35)


def misty_hills(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Range behind range, paler with distance, firs on the nearest."""
    top, middle, low, sun, dark = _palette(rng)
    horizon = rng.uniform(0.42, 0.55)
    canvas = sky(width, height, [(0, top), (horizon * 0.7, middle), (horizon + 0.1, low), (1, low)])
    _clouds(rng, canvas, horizon, low, rng.uniform(-0.05, 0.2))
    x, y = rng.uniform(0.2, 0.8) * width, (horizon - rng.uniform(0.08, 0.2)) * height
    glow(canvas, x, y, 0.16 * width, sun, 0.9)
    paint(canvas, disc(width, height, x, y, rng.uniform(0.02, 0.04) * width, 3), mix(sun, (1, 1, 1), 0.5))
    layers = int(rng.integers(5, 7))
    ground = noise(rng, width, height, (40, 60), 3, 0.7)
    for index in range(layers):
        near = index / (layers - 1)
        base = (horizon + (0.97 - horizon) * near**1.25 * 0.86) * height
        line = base + ridge(rng, width, 2.2 + 2 * near, 6, 0.48) * height * (0.05 + 0.07 * near)
        mask = below(line, height)
        shade = mix(mix(low, middle, 0.4), dark, 0.1 + 0.82 * near)
        grain = np.roll(ground, 131 * index, axis=1) * np.float32(0.10 * (0.3 + near))
        fog = np.clip((np.arange(height)[:, None] - line[None, :]) / (0.22 * height), 0, 1)
        body = shade * (1 + grain[:, :, None]) + (mix(low, middle, 0.4) - shade) * (fog * (1 - near) * 0.5)[:, :, None]
        paint(canvas, mask, body.astype(np.float32))
        if near > 0.6:
            paint(canvas, _firs(rng, line, width, height, 0.02 + 0.05 * (near - 0.5)), shade * 0.8)
    vignette(canvas, 0.18)
    return finish(rng, canvas)


def _firs(rng: np.random.Generator, line: Array, width: int, height: int, size: float) -> Array:
    places = np.sort(rng.integers(0, width, int(rng.integers(25, 70))))

    def draw(pen: Pen, scale: float) -> None:
        for place in places:
            tall = height * size * rng.uniform(0.6, 1.6)
            foot = line[place] + 3
            for part in range(4):
                wide = tall * 0.2 * (0.45 + 0.2 * part)
                tip = foot - tall * (1 - part * 0.2)
                low = foot - tall * (0.62 - part * 0.2)
                points = [(place, tip), (place - wide, low), (place + wide, low)]
                pen.polygon([(px * scale, py * scale) for px, py in points], fill=255)

    return shape(width, height, draw)


def sea(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """A low sun over water, glitter below it, boats."""
    top, middle, low, sun, dark = _palette(rng)
    horizon = int(height * rng.uniform(0.45, 0.6))
    canvas = sky(width, height, [(0, top), (0.3, middle), (horizon / height, low), (1, low)])
    _clouds(rng, canvas, horizon / height, low, rng.uniform(0.0, 0.35))
    x, y = rng.uniform(0.2, 0.8) * width, horizon - rng.uniform(0.05, 0.17) * height
    glow(canvas, x, y, 0.2 * width, sun, 0.9)
    paint(canvas, disc(width, height, x, y, 0.033 * width, 2), mix(sun, (1, 1, 1), 0.6))
    coast = horizon - np.maximum(ridge(rng, width, 2.5, 6), -0.2) * height * 0.06 - 0.012 * height
    land = below(coast, height)
    land[horizon:] = 0
    paint(canvas, land, mix(mix(low, dark, 0.6), middle, 0.25))
    fleet = [_boat(rng, width, height, horizon, rng.uniform(0.1, 0.9)) for _ in range(int(rng.integers(1, 4)))]
    for hull, sail in fleet:
        far = hull.copy()
        far[horizon + 1 :] = 0
        paint(canvas, np.where(np.arange(height)[:, None] <= horizon, sail, 0).astype(np.float32), mix(low, dark, 0.5))
    mirror(rng, canvas, horizon, mix(top, dark, 0.45), 0.35, 4)
    rows = (np.arange(height - horizon) / (height - horizon)).astype(np.float32)[:, None]
    ripples = noise(rng, width, height - horizon, (26, 70), 3, 0.7)
    path = np.exp(-(((np.arange(width)[None, :] - x) / (width * (0.03 + 0.12 * rows))) ** 2)).astype(np.float32)
    glitter = np.clip(ripples + 0.1, 0, 1) * path
    canvas[horizon:] += glitter[:, :, None] * (mix(sun, low, 0.3) * 1.1) * (1 - canvas[horizon:] * 0.6)
    canvas[horizon:] *= 1 + 0.10 * ripples[:, :, None] * (0.4 + rows[:, :, None])
    for hull, sail in fleet:
        paint(canvas, sail, mix((0.98, 0.95, 0.88), low, 0.35))
        paint(canvas, hull, dark)
    vignette(canvas, 0.2)
    return finish(rng, canvas)


def _boat(rng: np.random.Generator, width: int, height: int, horizon: int, across: float) -> tuple[Array, Array]:
    size = width * rng.uniform(0.035, 0.10)
    x, y = across * width, horizon + size * rng.uniform(0.3, 1.4)
    lean = rng.uniform(-0.06, 0.06)

    def at(pen: Pen, scale: float, points: list[tuple[float, float]]) -> None:
        pen.polygon([((x + px * size) * scale, (y + py * size) * scale) for px, py in points], fill=255)

    def hull(pen: Pen, scale: float) -> None:
        at(pen, scale, [(-0.62, -0.16), (0.66, -0.2), (0.46, 0.06), (-0.46, 0.06)])
        at(pen, scale, [(0.02 + lean, -1.75), (0.05 + lean, -1.75), (0.05, -0.15), (0.02, -0.15)])

    def sail(pen: Pen, scale: float) -> None:
        at(pen, scale, [(0.0 + lean, -1.7), (0.0, -0.3), (-0.55, -0.28)])
        at(pen, scale, [(0.08 + lean, -1.5), (0.08, -0.32), (0.55, -0.26)])

    return shape(width, height, hull), shape(width, height, sail)


_WALLS = ("c8553d", "e9c46a", "f4e1c1", "588b8b", "8d5a97", "d98c5f", "7aa5c9", "b23a48", "6a994e", "efe6dd", "3d5a80")


def quay(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """A row of gabled houses, their windows, and the water that shows them again."""
    top, middle, low, sun, _dark = _palette(rng)
    horizon = int(height * rng.uniform(0.64, 0.72))
    canvas = sky(width, height, [(0, top), (0.35, middle), (0.75, low), (1, low)])
    _clouds(rng, canvas, 0.6, low, rng.uniform(0.1, 0.4))
    glow(canvas, rng.uniform(0, 1) * width, 0.2 * height, 0.3 * width, sun, 0.35)
    plaster = noise(rng, width, height, (60, 60), 3, 0.8)
    houses, cover = layer(width, height, _row_of_houses(rng, width, height, horizon, low))
    paint(canvas, cover, houses * (1 + 0.07 * plaster)[:, :, None])
    canvas[horizon - 7 : horizon] = colour("4b4642")
    canvas[horizon - 7 : horizon - 5] = colour("8c857c")
    mirror(rng, canvas, horizon, mix(top, colour("16303a"), 0.55), 0.28, 5)
    vignette(canvas, 0.16)
    return finish(rng, canvas)


def _row_of_houses(rng: np.random.Generator, width: int, height: int, foot: int, light: Colour) -> Draw:
    def draw(pen: Pen, scale: float) -> None:
        x, previous = -rng.uniform(0, 0.05) * width, -1
        while x < width:
            wide = width * rng.uniform(0.075, 0.135)
            pick = int(rng.integers(len(_WALLS)))
            pick = (pick + 1) % len(_WALLS) if pick == previous else pick
            previous = pick
            tall = height * rng.uniform(0.26, 0.44)
            _house(
                rng,
                pen,
                tuple(side * scale for side in (x, foot - tall, x + wide, foot)),
                mix(colour(_WALLS[pick]), light, 0.14),
            )
            x += wide

    return draw


def _house(rng: np.random.Generator, pen: Pen, box: tuple[float, ...], wall: Array) -> None:
    left, top, right, bottom = box
    wide = right - left
    gable = wide * rng.uniform(0.3, 0.65)
    body, shaded = ink(wall), ink(wall * 0.8)
    if rng.random() < 0.35:
        for step in range(4):
            inset, up = wide * 0.12 * (step + 0.6), gable * (step + 1) / 4
            pen.rectangle((left + inset, top - up, right - inset, top), fill=body)
    else:
        ridge_tile = ink(mix(colour("6b3f35"), wall, 0.2))
        pen.polygon([(left - 4, top + 2), ((left + right) / 2, top - gable), (right + 4, top + 2)], fill=ridge_tile)
    pen.rectangle((left, top, right, bottom), fill=body)
    pen.rectangle((right - 6, top, right, bottom), fill=shaded)
    frame, glass = ink(mix(wall, (1, 1, 1), 0.75)), ink(colour("24333d" if rng.random() < 0.7 else "f2c879"))
    floors, columns = int(rng.integers(3, 5)), 2 if wide < 0.2 * (bottom - top) + 100 else 3
    half, tall = wide * 0.30 / columns, (bottom - top) * 0.27 / floors
    for floor in range(floors):
        for column in range(columns):
            x = left + wide * (column + 0.5) / columns
            y = top + (bottom - top) * (floor + 0.45) / (floors + 0.25)
            pen.rectangle((x - half - 3, y - tall - 3, x + half + 3, y + tall + 5), fill=frame)
            pen.rectangle((x - half, y - tall, x - 2, y + tall), fill=glass)
            pen.rectangle((x + 2, y - tall, x + half, y + tall), fill=glass)


def lighthouse(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """A striped tower on a headland above the surf."""
    top, middle, low, sun, dark = _palette(rng)
    horizon = int(height * rng.uniform(0.6, 0.68))
    canvas = sky(width, height, [(0, top), (0.4, middle), (horizon / height, low), (1, low)])
    _clouds(rng, canvas, horizon / height, low, rng.uniform(0.15, 0.45))
    side = 1 if rng.random() < 0.5 else -1
    glow(canvas, width * (0.5 - side * 0.3), horizon - 0.05 * height, 0.22 * width, sun, 0.7)
    rows = (np.arange(height - horizon) / (height - horizon)).astype(np.float32)[:, None, None]
    swell = noise(rng, width, height - horizon, (14, 40), 4, 0.65)[:, :, None]
    water = mix(middle, dark, 0.45) * (1 - 0.35 * rows) * (1 + 0.22 * swell * (0.4 + rows))
    canvas[horizon:] = water + np.clip(swell - 0.45, 0, 1) * rows * 0.9
    at = width * (0.5 + side * rng.uniform(0.14, 0.24))
    columns = np.arange(width, dtype=np.float32)
    reach = width * 0.34
    bank = horizon + 0.46 * height - 0.54 * height / (1 + np.exp(-(reach - side * (at - columns) - reach * 0.62) / 60))
    bank = bank + ridge(rng, width, 9, 5) * height * 0.02
    rock = noise(rng, width, height, (24, 40), 5, 0.65)
    cliff = mix(dark, colour("7a6a58"), 0.6) * (1 + 0.35 * rock[:, :, None])
    paint(canvas, below(bank, height), cliff.astype(np.float32))
    grass = below(bank, height) - below(bank + height * 0.035, height)
    paint(canvas, grass, (mix(colour("6f8650"), low, 0.2) * (1 + 0.2 * rock[:, :, None])).astype(np.float32))
    foot = float(bank[int(np.clip(at, 0, width - 1))]) + 4
    tall, half = height * rng.uniform(0.36, 0.44), height * 0.042
    stripe = colour(("c0392b", "2f4858", "d9822b")[int(rng.integers(3))])

    def trapezium(low_share: float, high_share: float) -> Array:
        def draw(pen: Pen, scale: float) -> None:
            near, far = half * (1 - 0.4 * low_share), half * (1 - 0.4 * high_share)
            y0, y1 = foot - tall * low_share, foot - tall * high_share
            points = [(at - near, y0), (at + near, y0), (at + far, y1), (at - far, y1)]
            pen.polygon([(px * scale, py * scale) for px, py in points], fill=255)

        return shape(width, height, draw)

    across = np.clip((columns - at) / half, -1, 1)[None, :, None] * -side
    shading = 0.78 + 0.22 * across
    for band in range(5):
        body = stripe if band % 2 else colour("f3efe6")
        paint(
            canvas,
            trapezium(band * 0.16, band * 0.16 + 0.163),
            np.broadcast_to(body * shading, canvas.shape).astype("f4"),
        )

    def lamp(pen: Pen, scale: float) -> None:
        y = foot - tall * 0.8
        pen.rectangle(((at - half * 0.85) * scale, (y - 4) * scale, (at + half * 0.85) * scale, y * scale), fill=255)
        roof = [(at - half * 0.55, y - tall * 0.1), (at, y - tall * 0.17), (at + half * 0.55, y - tall * 0.1)]
        pen.polygon([(px * scale, py * scale) for px, py in roof], fill=255)

    def room(pen: Pen, scale: float) -> None:
        y = foot - tall * 0.8
        pen.rectangle(
            ((at - half * 0.42) * scale, (y - tall * 0.1) * scale, (at + half * 0.42) * scale, (y - 3) * scale),
            fill=255,
        )

    paint(canvas, shape(width, height, room), (1.0, 0.93, 0.7))
    paint(canvas, shape(width, height, lamp), dark)
    glow(canvas, at, foot - tall * 0.86, 0.03 * width, (1, 0.95, 0.75), 0.8)
    vignette(canvas, 0.18)
    return finish(rng, canvas)


def dunes(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Sand in low light: a bright side, a blue side, wind ripples."""
    top, middle, low, sun, _dark = _palette(rng)
    sand = colour(("e2b07a", "d9a066", "e8c39e")[int(rng.integers(3))])
    horizon = rng.uniform(0.34, 0.45)
    canvas = sky(width, height, [(0, top), (horizon * 0.6, middle), (horizon + 0.08, low), (1, low)])
    x = rng.uniform(0.15, 0.85) * width
    glow(canvas, x, horizon * 0.7 * height, 0.14 * width, sun, 0.85)
    paint(canvas, disc(width, height, x, horizon * 0.7 * height, 0.025 * width, 2), mix(sun, (1, 1, 1), 0.6))
    shadow = mix(sand, colour("4a3b58"), 0.68)
    grid = np.arange(height, dtype=np.float32)[:, None]
    for index in range(4):
        near = index / 3
        line = (horizon + 0.5 * near**1.2) * height + ridge(rng, width, 1.3 + 0.8 * near, 2, 0.3) * height * 0.09
        slope = np.gradient(line)
        depth = np.clip((grid - line[None, :]) / (height * 0.35), 0, 1)
        crest = noise(rng, width, height, (2, 2), 2) * 0.6
        lit = 1 / (1 + np.exp(-(slope[None, :] * 7 * (1 - depth) + crest * 2 + 0.4)))
        wave = np.sin((grid - line[None, :]) * (1.1 - 0.7 * near) + 5 * noise(rng, width, height, (5, 5), 2))
        body = shadow + (sand - shadow) * lit[:, :, None]
        body = body * (1 + 0.05 * (0.3 + near) * wave[:, :, None])
        body = low * (0.45 * (1 - near)) + body * (1 - 0.45 * (1 - near))
        paint(canvas, below(line, height), body.astype(np.float32))
    vignette(canvas, 0.2)
    return finish(rng, canvas)
