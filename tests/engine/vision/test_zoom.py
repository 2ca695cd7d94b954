"""Tighter or wider: a crop is found inside the picture it was cut from, and nothing is found where nothing is."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from engine.library.prints import reduced
from engine.vision.zoom import share_of_frame, tighter_by
from tests.engine.vision.test_builtin import scene

PHOTOS = Path(__file__).parents[4] / "shared" / "data" / "photos"


def frame(picture: Image.Image) -> np.ndarray:
    return reduced(np.asarray(picture.convert("L")))


def part(picture: Image.Image, share: float, across: float, down: float) -> Image.Image:
    left, top = across * (1 - share) * picture.width, down * (1 - share) * picture.height
    return picture.crop((int(left), int(top), int(left + share * picture.width), int(top + share * picture.height)))


@pytest.mark.parametrize("share", [0.45, 0.6, 0.8])
def test_a_crop_is_tighter_by_as_much_as_was_cut_away(share: float) -> None:
    whole = scene(3, 800, 600)
    found = tighter_by(frame(part(whole, share, 0.4, 0.6)), frame(whole))
    assert found == pytest.approx(-math.log2(share), abs=0.2)
    assert tighter_by(frame(whole), frame(part(whole, share, 0.4, 0.6))) == -found


def test_other_scenes_other_light_and_flat_pictures_are_neither_tighter_nor_wider() -> None:
    first, second = frame(scene(1, 400, 300)), frame(scene(2, 400, 300))
    brighter = np.clip(first.astype(int) + 30, 0, 255).astype(np.uint8)
    flat = np.full_like(first, 90)
    for one, other in ((first, second), (first, brighter), (first, first), (flat, first), (first, flat)):
        assert tighter_by(one, other) == tighter_by(other, one) == 0


def test_frames_of_two_sizes_are_not_compared() -> None:
    with pytest.raises(ValueError, match="one size"):
        tighter_by(np.zeros((32, 32), np.uint8), np.zeros((16, 32), np.uint8))


@pytest.mark.skipif(not PHOTOS.exists(), reason="the shared photographs are not here")
def test_crops_of_real_photographs_read_as_tighter_and_other_photographs_do_not() -> None:
    draw = np.random.default_rng(0)
    frames, right, wrong, tried = [], 0, 0, 0
    for file in sorted(PHOTOS.rglob("*.jpg"))[::3]:
        try:
            with Image.open(file) as opened:
                picture = ImageOps.exif_transpose(opened).convert("L")
        except OSError:
            continue
        picture.thumbnail((1000, 1000))
        frames.append(frame(picture))
        for share in (0.8, 0.65, 0.5):
            lead = tighter_by(frame(part(picture, share, *draw.random(2))), frames[-1])
            right, wrong, tried = right + (lead > 0.2), wrong + (lead < 0), tried + 1
    assert tried > 60
    assert right >= 0.9 * tried
    assert wrong == 0
    apart = [share_of_frame(one, other) for one in frames[:10] for other in frames[:10] if one is not other]
    assert np.mean(np.array(apart) < 1) < 0.05
