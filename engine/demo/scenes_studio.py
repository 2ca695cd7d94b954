"""Studio pictures for the demo: fruit on a table, a sitter, a flower close up, cut paper.

Relies on the brushes only. As with every scene, the picture returned is the one that was meant: well exposed, level,
sharp; the variations spoil it.
"""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from engine.demo.brushes import (
    Array,
    Canvas,
    Draw,
    Pen,
    Plane,
    bokeh,
    colour,
    finish,
    glow,
    ink,
    layer,
    mix,
    noise,
    paint,
    shape,
    sky,
    vignette,
)

_WALLS = ("5b6b70", "8a6f5c", "39424e", "a79b86", "6a4f4b", "51624f", "7b7fa0")
_FRUIT = ("c9402b", "e58e26", "e7c14a", "7f9f3f", "8c2f39", "b9c46a", "5c3a6b")
_CLAY = ("c8bfae", "3f5a66", "b4603f", "e8e2d6", "6d7f6a", "23303a")


def _pick(rng: np.random.Generator, names: tuple[str, ...]) -> Array:
    return colour(names[int(rng.integers(len(names)))])


def still_life(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Fruit and a vase on a table, one window for a light."""
    wall, wood = _pick(rng, _WALLS), _pick(rng, ("7a4f33", "9b7653", "5a4034", "b08d66", "d3c7b3"))
    table = int(height * rng.uniform(0.6, 0.68))
    side = 1.0 if rng.random() < 0.5 else -1.0
    canvas = sky(width, height, [(0, wall * 0.75), (0.7, wall * 1.05), (1, wall)])
    plaster = noise(rng, width, height, (7, 5), 6, 0.6)
    canvas *= 1 + 0.09 * plaster[:, :, None]
    glow(canvas, width * (0.5 + 0.45 * side), height * 0.12, 0.55 * width, (1, 0.93, 0.8), 0.42)
    grain = noise(rng, width, height - table, (3, 46), 5, 0.65)
    depth = np.linspace(0.72, 1.05, height - table, dtype=np.float32)[:, None, None]
    canvas[table:] = wood * depth * (1 + 0.16 * grain[:, :, None])
    canvas[table : table + 3] *= 1.25
    _vase(rng, canvas, table, side)
    count = int(rng.integers(3, 6))
    spots = np.linspace(0.22, 0.78, count) + rng.uniform(-0.035, 0.035, count)
    fruit = []
    for spot in spots:
        radius = height * rng.uniform(0.075, 0.125)
        fruit.append((spot * width, table + height * rng.uniform(0.04, 0.17), radius, _pick(rng, _FRUIT)))
    for x, foot, radius, shade in sorted(fruit, key=lambda one: one[1]):
        _shadow(canvas, x, foot, radius, side)
        _sphere(rng, canvas, (x, foot - radius * 0.92), radius, shade, side)
    vignette(canvas, 0.3)
    return finish(rng, canvas)


def _shadow(canvas: Canvas, x: float, foot: float, radius: float, side: float) -> None:
    height, width = canvas.shape[:2]

    def cast(pen: Pen, scale: float) -> None:
        far = x - side * radius * 1.1
        box = (min(x, far) - radius * 0.9, foot - radius * 0.26, max(x, far) + radius * 0.9, foot + radius * 0.26)
        pen.ellipse(tuple(edge * scale for edge in box), fill=255)

    paint(canvas, shape(width, height, cast, radius * 0.13), (0.06, 0.04, 0.05), 0.55)


def _sphere(
    rng: np.random.Generator, canvas: Canvas, centre: tuple[float, float], radius: float, shade: Array, side: float
) -> None:
    height, width = canvas.shape[:2]
    x, y = centre
    rows = slice(max(0, int(y - radius - 3)), min(height, int(y + radius + 4)))
    columns = slice(max(0, int(x - radius - 3)), min(width, int(x + radius + 4)))
    down, across = np.mgrid[rows, columns].astype(np.float32)
    u, v = (across - x) / radius, (down - y) / radius
    far = np.sqrt(u * u + v * v)
    facing = np.sqrt(np.clip(1 - far * far, 0, 1))
    light = np.clip(0.55 * side * u - 0.55 * v + 0.63 * facing, 0, 1)
    skin = noise(rng, u.shape[1], u.shape[0], (14, 14), 4, 0.7)
    body = shade * (0.20 + 0.95 * light)[:, :, None] * (1 + 0.14 * skin)[:, :, None]
    body = body + (np.clip(v, 0, 1) * (1 - facing) * 0.16)[:, :, None] * colour("c79a6b")
    body = body + (np.clip(light, 0, 1) ** 26 * 0.65)[:, :, None]
    cover = np.clip((1 - far) * radius + 0.5, 0, 1)[:, :, None]
    canvas[rows, columns] += cover * (body - canvas[rows, columns])


def _vase(rng: np.random.Generator, canvas: Canvas, table: int, side: float) -> None:
    """A turned vase with a few dry stems, behind where the fruit will lie."""
    height, width = canvas.shape[:2]
    x, foot = width * rng.uniform(0.36, 0.64), table + height * 0.05
    tall, wide = height * rng.uniform(0.30, 0.42), height * rng.uniform(0.075, 0.11)
    clay = _pick(rng, _CLAY)
    share = np.linspace(0, 1, 60)
    waist = rng.uniform(0.35, 0.6)
    profile = wide * (
        0.55 + 0.75 * np.exp(-(((share - waist) / 0.27) ** 2)) - 0.25 * np.exp(-(((share - 0.9) / 0.09) ** 2))
    )

    def body(pen: Pen, scale: float) -> None:
        left = [((x - p) * scale, (foot - tall * s) * scale) for p, s in zip(profile, share, strict=True)]
        right = [((x + p) * scale, (foot - tall * s) * scale) for p, s in zip(profile, share, strict=True)]
        pen.polygon(left + right[::-1], fill=255)

    def stems(pen: Pen, scale: float) -> None:
        for _ in range(int(rng.integers(4, 8))):
            lean, reach = rng.uniform(-0.9, 0.9), tall * rng.uniform(0.5, 1.0)
            line = [(x + lean * reach * t**1.5 * 0.8, foot - tall * 0.95 - reach * t) for t in np.linspace(0, 1, 14)]
            pen.line([(px * scale, py * scale) for px, py in line], fill=255, width=4)
            for px, py in line[5:]:
                size = rng.uniform(2.5, 6.0)
                dx, dy = rng.uniform(-5, 5, 2)
                box = (px + dx - size, py + dy - size * 1.6, px + dx + size, py + dy + size * 1.6)
                pen.ellipse(tuple(edge * scale for edge in box), fill=255)

    _shadow(canvas, x, foot, wide * 1.1, side)
    paint(
        canvas, shape(width, height, stems), mix(_pick(rng, ("b58b5a", "8a5a44", "d9c9a0", "7c8a5a")), (0, 0, 0), 0.12)
    )
    across = np.clip((np.arange(width, dtype=np.float32) - x) / (wide * 1.3), -1, 1)
    light = np.clip(0.62 + 0.45 * across * side - 0.25 * across**2, 0.12, 1.2)
    shine = np.exp(-(((across - 0.45 * side) / 0.13) ** 2)) * 0.22
    glaze = noise(rng, width, height, (60, 90), 3, 0.7) * 0.05
    surface = clay * (light[None, :, None] + glaze[:, :, None]) + shine[None, :, None]
    paint(canvas, shape(width, height, body), surface.astype(np.float32))


# A sitter's outlines, in heads from the middle of the face; smoothed before they are drawn.
_SHOULDERS = ((-0.5, 1.3), (-1.5, 1.75), (-2.25, 2.5), (-2.5, 5.5), (2.5, 5.5), (2.25, 2.5), (1.5, 1.75), (0.5, 1.3))
_NECK = ((-0.36, 0.6), (-0.42, 1.7), (0.42, 1.7), (0.36, 0.6))
_FACE = ((-0.78, -0.35), (-0.76, 0.3), (-0.5, 0.85), (0, 1.1), (0.5, 0.85), (0.76, 0.3), (0.78, -0.35))
_FOREHEAD = ((0.5, -1.0), (0, -1.12), (-0.5, -1.0))
_FRINGE = ((-0.9, 0.05), (-0.92, -0.6), (-0.5, -1.2), (0.1, -1.3), (0.75, -1.0), (0.92, -0.1), (0.7, -0.55))
_PARTING = ((0.1, -0.76), (-0.55, -0.6))
_LONG_HAIR = ((-0.98, -0.2), (-1.15, 1.2), (-0.8, 2.2), (0.8, 2.2), (1.15, 1.2), (0.98, -0.2))
_SCARF = ((-0.75, 1.2), (-0.95, 1.55), (-0.6, 1.95), (0.1, 2.05), (0.7, 1.9), (0.95, 1.5), (0.75, 1.2), (0, 1.42))
_CROWN = ((-0.9, -0.75), (-0.86, -1.5), (-0.5, -1.78), (0, -1.66), (0.5, -1.78), (0.86, -1.5), (0.9, -0.75), (0, -0.85))
_BRIM = ((-1.6, -0.62), (-1.1, -0.9), (0, -0.98), (1.1, -0.9), (1.6, -0.62), (1.0, -0.56), (0, -0.6), (-1.0, -0.56))
Outline = tuple[tuple[float, float], ...]


def sitter(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """A figure before a painted backdrop, lit from one side; a hat, a scarf, no face: a study in tone."""
    back = _pick(rng, _WALLS)
    side = 1.0 if rng.random() < 0.5 else -1.0
    canvas = sky(width, height, [(0, back * 0.8), (1, back * 0.95)])
    canvas *= 1 + 0.16 * noise(rng, width, height, (4, 3), 6, 0.55)[:, :, None]
    x, unit, head = width * rng.uniform(0.4, 0.6), height * rng.uniform(0.145, 0.165), height * rng.uniform(0.36, 0.40)
    glow(canvas, x - side * 1.5 * unit, height * 0.35, 0.35 * width, (1, 0.94, 0.84), 0.38)
    skin = _pick(rng, ("f0c8a4", "d9a066", "a86f4a", "6f4632", "f3d3b8"))
    coat, scarf = _pick(rng, ("2f4858", "7a3b3b", "3b4a3a", "c9a227", "22262e", "8d6a9f")), _pick(rng, _FRUIT)
    hair = _pick(rng, ("2a1d1a", "5b3a29", "b0793e", "1b1b22", "8c8c8c"))
    cloth = noise(rng, width, height, (5, 26), 4, 0.6)
    weave = noise(rng, width, height, (150, 150), 2, 0.9)
    across = (np.arange(width, dtype=np.float32)[None, :] - x) / unit
    body_light = 0.62 + 0.26 * np.clip(side * across / 2.2, -1, 1) + 0.10 * cloth + 0.05 * weave
    head_light = np.clip(0.80 + 0.36 * np.clip(side * across / 0.9, -1, 1) + 0.02 * weave, 0, 1.15)

    def wear(parts: tuple[Outline, ...], shade: Array, light: Array, soft: float = 0, strength: float = 1) -> None:
        def draw(pen: Pen, scale: float) -> None:
            for outline in parts:
                points = [((x + px * unit) * scale, (head + py * unit) * scale) for px, py in _smooth(list(outline))]
                pen.polygon(points, fill=255)

        paint(canvas, shape(width, height, draw, soft), shade * light[:, :, None], strength)

    style = int(rng.integers(3))
    behind = (_oval(0, -0.12, 0.98, 1.18), *(((_LONG_HAIR,), (_oval(0, -1.35, 0.48, 0.44),), ())[style]))
    wear(behind, hair, head_light * 0.9)
    wear((_SHOULDERS,), coat, body_light * 1.25)
    wear((_NECK,), skin, head_light * 0.72, 1.0)
    wear(((*_FACE, *_FOREHEAD),), skin, head_light)
    cheeks = (_oval(-0.42, 0.34, 0.2, 0.15), _oval(0.42, 0.34, 0.2, 0.15))
    wear(cheeks, mix(skin, (0.85, 0.25, 0.2), 0.5), head_light, unit * 0.1, 0.35)
    wear(((*_FRINGE, *_PARTING),), hair, head_light + 0.12 * cloth)
    wear((_SCARF,), scarf, body_light + 0.22 * cloth)
    if style == 2:
        felt = mix(coat, scarf, 0.35)
        wear((_CROWN,), felt, head_light * 0.9 + 0.06 * weave)
        wear((_BRIM,), felt, head_light * 0.72)
    vignette(canvas, 0.3)
    return finish(rng, canvas)


def _oval(x: float, y: float, wide: float, tall: float) -> Outline:
    turns = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return tuple((x + wide * float(np.cos(turn)), y + tall * float(np.sin(turn))) for turn in turns)


def _smooth(points: list[tuple[float, float]], rounds: int = 3) -> list[tuple[float, float]]:
    """Chaikin's corner cutting: a polygon as a soft closed curve."""
    for _ in range(rounds):
        pairs = zip(points, points[1:] + points[:1], strict=True)
        points = [
            (a * keep + c * (1 - keep), b * keep + d * (1 - keep)) for (a, b), (c, d) in pairs for keep in (0.75, 0.25)
        ]
    return points


def blossom(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """One flower close up, everything behind it melted to discs of light."""
    ground = _pick(rng, ("3d5a3c", "2f4a4a", "56683c", "4a4460", "6b5a3a"))
    canvas = sky(width, height, [(0, mix(ground, (1, 1, 0.9), 0.25)), (1, ground * 0.7)])
    canvas *= 1 + 0.2 * noise(rng, width, height, (3, 2), 3)[:, :, None]
    lights = [
        mix(_pick(rng, ("dfe8a0", "f6e3c0", "a8c686", "f2b5a7")), ground, rng.uniform(0.2, 0.7)) for _ in range(26)
    ]
    bokeh(rng, canvas, lights, (0.02, 0.07), (0.1, 0.3))
    x, y, size = width * rng.uniform(0.36, 0.64), height * rng.uniform(0.42, 0.54), height * rng.uniform(0.30, 0.38)

    def stem(pen: Pen, scale: float) -> None:
        bend = rng.uniform(-0.15, 0.15) * width
        points = [(x + bend * t * t, y + (height - y + 9) * t) for t in np.linspace(0, 1, 20)]
        pen.line([(px * scale, py * scale) for px, py in points], fill=255, width=int(size * 0.12))

    paint(canvas, shape(width, height, stem, 1.2), mix(ground, colour("88a04a"), 0.6))
    petal = _pick(rng, ("e8505b", "f7b801", "f4f1ea", "d16ba5", "8e6bbf", "f08a5d", "f6c6d0", "5f7fd0"))
    around = noise(rng, width, height, (70, 70), 3, 0.7)
    petals = int(rng.integers(8, 15))
    for ring in range(3):
        reach = size * (1 - 0.24 * ring)
        turn = rng.uniform(0, 1)
        for index in range(petals):
            angle = 2 * np.pi * (index + turn + 0.5 * ring) / petals + rng.uniform(-0.05, 0.05)
            _petal(canvas, (x, y), angle, reach * rng.uniform(0.92, 1.06), petals, petal * (0.78 + 0.13 * ring), around)
    _sphere(rng, canvas, (x, y), size * 0.2, _pick(rng, ("5a3d1e", "c58b1b", "3a2a1e")), -1.0)

    def pollen(pen: Pen, scale: float) -> None:
        for index in range(120):
            far, angle = size * 0.2 * np.sqrt(index / 120), index * 2.39996
            px, py = x + far * np.cos(angle), y + far * np.sin(angle)
            pen.ellipse(
                tuple(v * scale for v in (px - 1.7, py - 1.7, px + 1.7, py + 1.7)), fill=ink((0.98, 0.82, 0.35))
            )

    dots, cover = layer(width, height, pollen)
    paint(canvas, cover, dots)
    vignette(canvas, 0.25)
    return finish(rng, canvas)


def _petal(
    canvas: Canvas, centre: tuple[float, float], angle: float, reach: float, count: int, shade: Array, skin: Plane
) -> None:
    height, width = canvas.shape[:2]
    x, y = centre
    tip_x, tip_y, side = x + reach * np.cos(angle), y + reach * np.sin(angle), reach * 1.7 / count + 3
    rows = slice(max(0, int(min(y, tip_y) - side)), min(height, int(max(y, tip_y) + side)))
    columns = slice(max(0, int(min(x, tip_x) - side)), min(width, int(max(x, tip_x) + side)))
    down, across = np.mgrid[rows, columns].astype(np.float32)
    along = ((across - x) * np.cos(angle) + (down - y) * np.sin(angle)) / reach
    beside = ((down - y) * np.cos(angle) - (across - x) * np.sin(angle)) / reach
    half = 2.7 / count * np.clip(along, 0, 1) ** 0.75 * np.sqrt(np.clip(1 - along, 0, 1)) * 1.35
    cover = np.clip((half - np.abs(beside)) * reach + 0.3, 0, 1) * (along > 0)
    vein = 0.05 * np.sin(beside * 130 / (0.3 + along.clip(0.1, 1)))
    light = 0.68 + 0.4 * along + 0.9 * beside - 0.5 * (np.abs(beside) / (half + 1e-3)).clip(0, 1) ** 4 * 0.5
    body = shade * (light + vein + 0.05 * skin[rows, columns])[:, :, None]
    shadow = np.clip((half * 1.25 - np.abs(beside + 0.015)) * reach * 0.12, 0, 1) * (along > 0) * (along < 1.02)
    canvas[rows, columns] *= 1 - 0.22 * shadow[:, :, None]
    canvas[rows, columns] += cover[:, :, None] * (body - canvas[rows, columns])


_PAPERS = (
    ("f2e9dc", "d1495b", "edae49", "00798c", "30638e", "2e294e"),
    ("efe6dd", "f3722c", "f9c74f", "43aa8b", "577590", "3d405b"),
    ("e9e3d5", "b56576", "e8ac65", "6d9f71", "355070", "22223b"),
    ("f7f3e9", "ef6f6c", "7fb685", "426a5a", "ddae7e", "465775"),
)


def cut_paper(rng: np.random.Generator, width: int, height: int) -> Image.Image:
    """Sheets of coloured paper laid over one another, each with its shadow."""
    shades = [colour(name) for name in _PAPERS[int(rng.integers(len(_PAPERS)))]]
    fibre = noise(rng, width, height, (width / 14, height / 14), 4, 0.8)
    canvas = np.broadcast_to(shades[0], (height, width, 3)).astype(np.float32) * (1 + 0.035 * fibre)[:, :, None]
    for index in range(int(rng.integers(6, 10))):
        mask = shape(width, height, _sheet(rng, width, height))
        soft = Image.fromarray((mask * 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(7))
        shadow = np.roll(np.asarray(soft, np.float32) / 255, (7, 5), axis=(0, 1))
        paint(canvas, shadow, (0.1, 0.06, 0.1), 0.4)
        face = shades[1 + index % 5] * (1 + 0.06 * np.roll(fibre, 97 * index, axis=1))[:, :, None]
        paint(canvas, mask, face.astype(np.float32))
    glow(canvas, width * rng.uniform(0.1, 0.9), -0.1 * height, 0.6 * width, (1, 0.96, 0.88), 0.22)
    vignette(canvas, 0.2)
    return finish(rng, canvas)


def _sheet(rng: np.random.Generator, width: int, height: int) -> Draw:
    x, y = rng.uniform(0.1, 0.9) * width, rng.uniform(0.1, 0.9) * height
    size, kind, turn = height * rng.uniform(0.14, 0.34), int(rng.integers(4)), rng.uniform(0, np.pi)

    def draw(pen: Pen, scale: float) -> None:
        if kind == 0:
            pen.ellipse(tuple(v * scale for v in (x - size, y - size, x + size, y + size)), fill=255)
            return
        angles = {1: [0, 0.5, 1, 1.5], 2: [0, 0.6, 1.25], 3: list(np.linspace(0, 1, 18))}[kind]
        reach = {1: (1, 0.8), 2: (1.2, 1.2), 3: (1.25, 1.25)}[kind]
        points = [
            (x + size * reach[0] * np.cos(a * np.pi + turn), y + size * reach[1] * np.sin(a * np.pi + turn))
            for a in angles
        ]
        pen.polygon([(px * scale, py * scale) for px, py in points], fill=255)

    return draw
