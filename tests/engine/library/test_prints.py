"""Prints: imagehash's own hash, positions that turning cannot change, and likeness of what two pictures share."""

from __future__ import annotations

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from engine.library.likeness import likeness
from engine.library.prints import (
    POSITIONS,
    distance,
    frequencies,
    hash_of,
    in_position,
    prints,
    reduced,
    turned_luma,
)
from tests.tui.fake_pictures import draw_scene


def grey(picture: Image.Image) -> np.ndarray:
    return np.asarray(picture.convert("L"), dtype=np.uint8)


@pytest.mark.parametrize("seed", range(8))
def test_the_hash_is_that_of_imagehash(seed: int) -> None:
    picture = draw_scene(seed).convert("L")
    assert f"{int(hash_of(frequencies(reduced(np.asarray(picture))))):016x}" == str(imagehash.phash(picture))


@pytest.mark.parametrize("seed", range(6))
def test_hashes_of_all_positions_follow_from_one_transform(seed: int) -> None:
    luma = reduced(grey(draw_scene(seed)))
    low = frequencies(luma)
    for position in range(len(POSITIONS)):
        assert distance(hash_of(in_position(low, position)), hash_of(frequencies(turned_luma(luma, position)))) == 0


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("turn", list(Image.Transpose))
def test_a_turned_or_mirrored_picture_shares_a_position(seed: int, turn: Image.Transpose) -> None:
    picture = draw_scene(seed)
    one, other = prints(grey(picture)), prints(grey(picture.transpose(turn)))
    assert distance(one.turned[:, None], other.turned[None, :]).min() <= 4


def test_a_blank_picture_has_no_contrast() -> None:
    assert prints(np.full((64, 64), 9, dtype=np.uint8)).contrast == 0


def cropped(picture: Image.Image, left: float, top: float, right: float, bottom: float) -> Image.Image:
    w, h = picture.size
    return picture.crop((round(w * left), round(h * top), round(w * (1 - right)), round(h * (1 - bottom))))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    "change",
    [
        lambda p: p.resize((100, 70)),
        lambda p: cropped(p, 0.025, 0.025, 0.025, 0.025),
        lambda p: cropped(p, 0.05, 0, 0, 0),
        lambda p: cropped(p, 0, 0.05, 0, 0),
        lambda p: ImageEnhance.Contrast(p).enhance(0.8),
    ],
    ids=["resized", "cropped all round", "cropped left", "cropped above", "paler"],
)
def test_a_copy_is_laid_over_its_original(seed: int, change) -> None:
    picture = draw_scene(seed, (640, 480))
    found = likeness(prints(grey(picture)).luma[None], prints(grey(change(picture))).luma[None])
    assert found.correlation[0] > 0.95
    assert found.phash[0] <= 10


def test_different_pictures_are_not_alike_however_they_are_moved() -> None:
    lumas = np.stack([prints(grey(draw_scene(seed))).luma for seed in range(10)])
    other = np.stack([prints(grey(ImageOps.flip(draw_scene(seed + 20)))).luma for seed in range(10)])
    assert (likeness(lumas, other).correlation < 0.95).all()


def test_nothing_to_compare_is_no_error() -> None:
    nothing = np.zeros((0, 32, 32), dtype=np.uint8)
    assert len(likeness(nothing, nothing).correlation) == 0
