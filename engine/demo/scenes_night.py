"""Night pictures for the demo: a city by the water, northern lights, lanterns, a forest under the moon.

Relies on the brushes only. Dark, but never without detail in the shadows: that is where noise and exposure show.
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from engine.demo.brushes import (
    Array,
    Canvas,
    Draw,
    Pen,
    below,
    bokeh,
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
    stars,
    vignette,
)

_NIGHTS = (
    ("0b1230", "2a3b6e", "c9776a"),
    ("0a1a2f", "1f4e6b", "79a7a8"),
    ("140f2d", "4a2c63", "e07a5f"),
    ("101820", "2c4a5a", "d9b27c"),
    ("0d1b3e", "3f3d78", "f2a07b"),
)


def _night(rng: np.random.Generator) -> list[Array]:
    return [colour(text) for text in _NIGHTS[int(rng.integers(len(_NIGHTS)))]]


def _moon(rng: np.random.Generator, canvas: Canvas, x: float, y: float, radius: float) -> None:
    height, width = canvas.shape[:2]
    glow(canvas, x, y, radius * 3.4, (0.85, 0.9, 1.0), 0.55)
    seas = noise(rng, width, height, (width / radius, height / radius), 4, 0.6)
    face = colour("f6f0dc") * (0.93 + 0.10 * seas)[:, :, None]
    paint(canvas, disc(width, height, x, y, radius, 1.6), face.astype(np.float32))


def skyline(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Towers with lit windows at the blue hour, and their lights in the river."""
    top, middle, low = _night(rng)
    horizon = int(height * rng.uniform(0.66, 0.74))
    canvas = sky(width, height, [(0, top), (0.42, middle), (horizon / height, low), (1, low)])
    stars(rng, canvas, 260, 0.45)
    haze = noise(rng, width, height, (3, 7), 5)
    canvas *= 1 + 0.10 * haze[:, :, None]
    if rng.random() < 0.75:
        _moon(rng, canvas, width * rng.uniform(0.12, 0.88), height * rng.uniform(0.12, 0.26), height * 0.05)
    for depth in range(3):
        near = (depth + 1) / 3
        wall = mix(mix(middle, low, 0.25), top * 0.55, 0.35 + 0.6 * near)
        city, cover = layer(width, height, _towers(rng, width, height, horizon, near, wall))
        paint(canvas, cover, city)
    glow(canvas, width * 0.5, horizon, width * 0.5, mix(low, (1, 0.8, 0.5), 0.5), 0.14)
    mirror(rng, canvas, horizon, top * 0.7, 0.30, 6)
    vignette(canvas, 0.2)
    return finish(rng, canvas)


def _towers(rng: np.random.Generator, width: int, height: int, foot: int, near: float, wall: Array) -> Draw:
    lamps = [ink(colour(text)) for text in ("ffd98a", "ffe9b8", "ffc46b", "bfe3ff", "fff4d9")]

    def draw(pen: Pen, scale: float) -> None:
        x = -rng.uniform(0, 40)
        while x < width:
            wide = width * rng.uniform(0.035, 0.085)
            crowd = np.exp(-(((x / width - 0.5) / 0.33) ** 2))
            tall = height * (0.10 + 0.16 * rng.random() + 0.26 * crowd * rng.random() ** 1.4) * (1.15 - 0.35 * near)
            body = ink(wall * rng.uniform(0.85, 1.15))
            left, right, roof = x, x + wide, foot - tall
            pen.rectangle((left * scale, roof * scale, right * scale, foot * scale), fill=body)
            if rng.random() < 0.3:
                inset = wide * 0.28
                pen.rectangle(
                    ((left + inset) * scale, (roof - tall * 0.12) * scale, (right - inset) * scale, roof * scale),
                    fill=body,
                )
            if rng.random() < 0.22:
                mast = (left + right) / 2
                pen.line((mast * scale, roof * scale, mast * scale, (roof - tall * 0.3) * scale), fill=body, width=3)
            pitch, lit = 5.2 + 2.6 * near, rng.uniform(0.15, 0.6)
            across = int((wide - 5) / pitch)
            for row in range(int(tall / (pitch * 1.35)) - 1):
                for column in np.flatnonzero(rng.random(max(across, 1)) < lit):
                    px, py = left + 3.5 + column * pitch, roof + 5 + row * pitch * 1.35
                    pane = (px * scale, py * scale, (px + pitch * 0.5) * scale, (py + pitch * 0.66) * scale)
                    pen.rectangle(pane, fill=lamps[int(rng.integers(len(lamps)))])
            x += wide * rng.uniform(0.85, 1.25)

    return draw


def northern_lights(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Curtains of green and violet over a lake in the mountains."""
    horizon = int(height * rng.uniform(0.66, 0.74))
    canvas = sky(width, height, [(0, colour("060b1e")), (0.5, colour("10284a")), (1, colour("1f4a55"))])
    stars(rng, canvas, 900, 0.7)
    green, violet = (
        colour(("4fe3a1", "6df0c2", "8df06a")[int(rng.integers(3))]),
        colour(("9b5de5", "d65db1", "5f7fff")[int(rng.integers(3))]),
    )
    rows = np.arange(height, dtype=np.float32)[:, None]
    for _ in range(3):
        base = height * (rng.uniform(0.36, 0.56) + 0.13 * ridge(rng, width, 1.6, 3, 0.4))
        fold = np.clip(0.55 + 0.6 * ridge(rng, width, 9, 4, 0.7), 0.05, 1.4)
        reach = height * (0.26 + 0.12 * ridge(rng, width, 5, 3, 0.6))
        above = base[None, :] - rows
        curtain = np.where(above > 0, np.exp(-above / reach[None, :]), np.exp(above / (height * 0.018))) * fold[None, :]
        share = np.clip(above / (height * 0.34), 0, 1)[:, :, None]
        light = green * (1 - share) + violet * share
        canvas += (0.62 * curtain)[:, :, None] * light * (1 - canvas)
    for depth, lift in ((0, 0.17), (1, 0.10)):
        peaks = horizon - height * lift * (0.55 + 0.75 * ridge(rng, width, 3 + 2 * depth, 7, 0.5))
        mask = below(peaks, height)
        mask[horizon:] = 0
        face = noise(rng, width, height, (30, 30), 5, 0.65)
        rock = mix(colour("22394a"), colour("0a141c"), 0.35 + 0.5 * depth) * (1 + 0.35 * face)[:, :, None]
        snow = np.clip((0.10 * height - (rows - peaks[None, :])) / (0.08 * height) + face * 0.9 - 0.3, 0, 1) * (
            1 - depth
        )
        paint(canvas, mask, (rock + (colour("a9c4cf") - rock) * (0.7 * snow)[:, :, None]).astype(np.float32))
    mirror(rng, canvas, horizon, colour("08141f"), 0.22, 3)
    vignette(canvas, 0.22)
    return finish(rng, canvas)


def lanterns(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Paper lanterns on strings over a blurred street."""
    top, middle, low = _night(rng)
    canvas = sky(width, height, [(0, top * 0.9), (0.6, middle * 0.75), (1, mix(middle, low, 0.35) * 0.7)])
    canvas *= 1 + 0.18 * noise(rng, width, height, (4, 3), 4)[:, :, None]
    street = ("ffb45e", "ff7b54", "ffd56b", "7fc8f8", "ff5d73", "b8f2c9")
    bokeh(
        rng, canvas, [colour(street[int(rng.integers(6))]) for _ in range(42)], (0.012, 0.045), (0.18, 0.55), (0.5, 1.0)
    )
    paper = ("e63946", "f4a261", "ffd166", "ef476f", "f3f0e6", "83c5be")
    hung: list[tuple[float, float, float, Array]] = []
    for string in range(3):
        start, end, sag = rng.uniform(-0.05, 0.3), rng.uniform(-0.05, 0.3), rng.uniform(0.08, 0.2)
        share = np.linspace(0, 1, 60)
        line = (start + (end - start) * share + 4 * sag * share * (1 - share)) * height

        def cord(pen: Pen, scale: float, line: Array = line) -> None:
            points = [(width * t * scale, y * scale) for t, y in zip(np.linspace(0, 1, 60), line, strict=True)]
            pen.line(points, fill=255, width=3)

        paint(canvas, shape(width, height, cord), colour("0d0d14"), 0.9)
        for spot in np.arange(rng.uniform(0.03, 0.12), 1, rng.uniform(0.13, 0.18)):
            size = height * (0.040 + 0.022 * string) * rng.uniform(0.9, 1.1)
            hung.append(
                (
                    spot * width,
                    float(np.interp(spot, share, line)) + size * 1.15,
                    size,
                    colour(paper[int(rng.integers(6))]),
                )
            )
    for x, y, size, shade in hung:
        _lantern(rng, canvas, x, y, size, shade)
    vignette(canvas, 0.25)
    return finish(rng, canvas)


def _lantern(rng: np.random.Generator, canvas: Canvas, x: float, y: float, size: float, shade: Array) -> None:
    rows, columns = _around(canvas, x, y, size * 7)  # as far as the light can be told from the dark
    glow(canvas[rows, columns], x - columns.start, y - rows.start, size * 1.5, shade, 0.5)
    rows, columns = _around(canvas, x, y, size * 1.3)
    part = canvas[rows, columns]
    if not part.size:
        return
    down, across = np.mgrid[rows, columns].astype(np.float32)
    u, v = (across - x) / (size * 1.08), (down - y) / (size * 0.92)
    far = np.sqrt(u * u + v * v)
    ribs = 0.5 + 0.5 * np.cos(v * 24)
    crease = noise(rng, part.shape[1], part.shape[0], (40, 40), 3, 0.7)
    light = (0.62 + 0.55 * np.exp(-((u / 0.5) ** 2) - ((v - 0.1) / 0.6) ** 2)) * (1 - 0.13 * ribs) * (1 + 0.07 * crease)
    body = mix(shade, (1, 0.9, 0.7), 0.25) * light[:, :, None]
    cover = np.clip((1 - far) * size + 0.5, 0, 1)[:, :, None]
    part += cover * (body - part)
    caps = np.clip((0.34 - np.abs(u)) * size, 0, 1) * np.clip((0.1 - np.abs(np.abs(v) - 0.98)) * size, 0, 1)
    part += caps[:, :, None] * (colour("1a1416") - part)


def _around(canvas: Canvas, x: float, y: float, reach: float) -> tuple[slice, slice]:
    height, width = canvas.shape[:2]
    rows = slice(min(height, max(0, int(y - reach))), min(height, max(0, int(y + reach))))
    return rows, slice(min(width, max(0, int(x - reach))), min(width, max(0, int(x + reach))))


def moonlit_forest(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Trunks in blue fog, the moon between them."""
    fog = colour(("7fa0b8", "8fa8a0", "9a94b8", "b0a690")[int(rng.integers(4))])
    canvas = sky(width, height, [(0, fog * 0.35), (0.55, fog * 0.85), (1, fog * 0.4)])
    stars(rng, canvas, 120, 0.3)
    x, y = width * rng.uniform(0.25, 0.75), height * rng.uniform(0.2, 0.36)
    _moon(rng, canvas, x, y, height * rng.uniform(0.05, 0.075))
    canvas *= 1 + 0.16 * noise(rng, width, height, (3, 6), 5)[:, :, None]
    bark = noise(rng, width, height, (110, 9), 4, 0.7)
    leaves = noise(rng, width, height, (50, 70), 3, 0.8)
    drift = np.clip(0.5 + 0.5 * noise(rng, width, height, (3, 5), 3), 0, 1)
    for depth in range(4):
        near = depth / 3
        shade = mix(fog * 0.62, fog * 0.07, near**0.7)
        trunks = shape(width, height, _trunks(rng, width, height, near))
        paint(canvas, trunks, (shade * (1 + 0.30 * near * bark)[:, :, None]).astype(np.float32))
        ground = height * (0.72 + 0.17 * near) + height * 0.03 * ridge(rng, width, 4, 6)
        floor = shade * (1 + 0.35 * np.roll(leaves, 97 * depth, axis=1))[:, :, None]
        paint(canvas, below(ground, height), floor.astype(np.float32))
        veil = np.exp(-(((np.arange(height) / height - 0.66 - 0.1 * near) / 0.16) ** 2)).astype(np.float32)
        paint(canvas, veil[:, None] * np.roll(drift, 211 * depth, axis=1), fog, 0.42 * (1 - near * 0.7))
    vignette(canvas, 0.25)
    return finish(rng, canvas)


def _trunks(rng: np.random.Generator, width: int, height: int, near: float) -> Draw:
    count = int(20 - 14 * near)

    def draw(pen: Pen, scale: float) -> None:
        for place in (np.arange(count) + rng.uniform(0.1, 0.9, count)) / count * width:
            half = width * (0.003 + 0.013 * near) * rng.uniform(0.7, 1.4)
            foot, lean = height * (0.75 + 0.17 * near), rng.uniform(-0.03, 0.03) * width
            points = [
                (place - half * 1.5, foot + 8),
                (place - half, foot - 0.1 * height),
                (place + lean - half * 0.6, -5),
                (place + lean + half * 0.6, -5),
                (place + half, foot - 0.1 * height),
                (place + half * 1.5, foot + 8),
            ]
            pen.polygon([(px * scale, py * scale) for px, py in points], fill=255)
            for _ in range(int(3 + 4 * near)):
                up, side = rng.uniform(0.25, 0.95), rng.choice([-1, 1])
                x, y, reach = place + lean * up, foot * (1 - up), width * rng.uniform(0.02, 0.06) * (0.6 + near)
                twig = [(x, y), (x + side * reach * 0.6, y - reach * 0.35), (x + side * reach, y - reach * 0.75)]
                pen.line([(px * scale, py * scale) for px, py in twig], fill=255, width=max(2, int(half * 0.7)))

    return draw
