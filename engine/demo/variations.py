"""What can happen to a picture: exposure, focus, noise, tilt, warmth, colour, contrast, crop; done as a camera would.

Relies on Pillow and numpy. Pure: the same scene, variation and seed give the same pixels.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from PIL import Image, ImageFilter

from engine.demo.brushes import Array
from engine.demo.recipe import Variation

_GRAIN = 1200  # side of the grain that every picture cuts its noise from, pixels


def vary(scene: Image.Image, variation: Variation, rng: np.random.Generator) -> Image.Image:
    """The scene as this variation shows it, of the same size."""
    picture = _framed(scene, variation)
    if variation.focus > 0.05:
        picture = picture.filter(ImageFilter.GaussianBlur(variation.focus))
    if abs(variation.saturation - 1) > 0.005:
        picture = Image.blend(picture.convert("L").convert("RGB"), picture, variation.saturation)
    picture = picture.point(_curves(variation))
    return _grained(picture, variation.noise, rng) if variation.noise > 0.3 else picture


def _framed(scene: Image.Image, variation: Variation) -> Image.Image:
    """Tilted and cropped in one resampling, always inside the scene, so that no empty corner tells which it was."""
    width, height = scene.size
    angle = np.radians(variation.tilt)
    cosine, sine = float(np.cos(angle)), float(np.sin(angle))
    needed = max(cosine + abs(sine) * height / width, cosine + abs(sine) * width / height)
    zoom = variation.crop * needed
    if zoom < 1.002:
        return scene
    free = (1 - 1 / variation.crop) / 2
    x = width * (0.5 + free * variation.aside[0])
    y = height * (0.5 + free * variation.aside[1])
    a, b, d, e = cosine / zoom, sine / zoom, -sine / zoom, cosine / zoom
    matrix = (a, b, x - a * width / 2 - b * height / 2, d, e, y - d * width / 2 - e * height / 2)
    return scene.transform(scene.size, Image.Transform.AFFINE, matrix, Image.Resampling.BICUBIC)


def _curves(variation: Variation) -> list[int]:
    """The three channels' curves: exposure in linear light with a soft shoulder, white balance, contrast."""
    level = np.linspace(0, 1, 256)
    table = []
    for gain in (1 + 0.13 * variation.warmth, 1 + 0.02 * variation.warmth, 1 - 0.15 * variation.warmth):
        light = level**2.2 * 2.0**variation.exposure * gain**2.2
        shoulder = np.where(light > 0.8, 0.8 + 0.2 * np.tanh((light - 0.8) / 0.2 * 0.9), light)
        shown = np.clip(shoulder, 0, 1) ** (1 / 2.2)
        shown = 0.46 + (shown - 0.46) * variation.contrast
        table += np.clip(shown * 255 + 0.5, 0, 255).astype(int).tolist()
    return table


@cache
def _grain() -> Array:
    """(side, side, 3) float32 of film-like grain, standard deviation about one: mostly luma, a little colour."""
    rng = np.random.default_rng(0)
    luma = rng.standard_normal((_GRAIN, _GRAIN, 1)).astype(np.float32)
    grain = luma + 0.35 * rng.standard_normal((_GRAIN, _GRAIN, 3)).astype(np.float32)
    soft = (grain + np.roll(grain, 1, 0) + np.roll(grain, 1, 1) + np.roll(grain, (1, 1), (0, 1))) / 2
    unit: Array = soft / soft.std()
    return unit


def _grained(picture: Image.Image, deviation: float, rng: np.random.Generator) -> Image.Image:
    grain = _grain()
    down, across = rng.integers(0, _GRAIN - picture.height), rng.integers(0, _GRAIN - picture.width)
    part = grain[down : down + picture.height, across : across + picture.width]
    noisy = np.asarray(picture, np.float32) + part * np.float32(deviation)
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))
