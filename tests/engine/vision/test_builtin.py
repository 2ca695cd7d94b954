"""The built-in descriptor: finite, the same every time, blind to re-encoding, and not blind to what a person sees."""

from __future__ import annotations

import io
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageEnhance, ImageFilter

from engine.vision import builtin

pictures = arrays.arrays(
    np.uint8, st.tuples(st.integers(1, 90), st.integers(1, 90), st.just(3)), elements=st.integers(0, 255)
)


def scene(seed: int, width: int = 1600, height: int = 1200) -> Image.Image:
    """Something with broad light, hard edges and fine texture, as photographs have."""
    rng = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for cells, strength in ((5, 120), (20, 50), (90, 30), (500, 26)):
        grid = rng.normal(0, 1, (3, cells, cells)).astype(np.float32)
        layers = [np.asarray(Image.fromarray(one).resize((width, height), Image.Resampling.BICUBIC)) for one in grid]
        total += strength * np.stack(layers, axis=2) * np.float32(0.5)
    total[height // 3 : height // 2, width // 4 : width // 2] += 70
    return Image.fromarray(np.clip(total + 118, 0, 255).astype(np.uint8))


def encoded(picture: Image.Image, quality: int = 96) -> np.ndarray:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    with Image.open(file) as again:
        again.draft("RGB", (picture.width // 4, picture.height // 4))
        return np.asarray(again)


def distance(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.linalg.norm(builtin.describe(first) - builtin.describe(second)))


@given(pictures)
@settings(max_examples=60, deadline=None)
def test_any_picture_gets_finite_blocks_of_length_one(rgb: np.ndarray) -> None:
    vector = builtin.describe(rgb)
    assert vector.shape == (builtin.DIMENSION,)
    assert vector.dtype == np.float32
    assert np.isfinite(vector).all()
    for name, place in builtin.BLOCKS.items():
        assert np.linalg.norm(vector[place]) == pytest.approx(1, abs=1e-4), name


@given(pictures)
@settings(max_examples=30, deadline=None)
def test_the_same_pixels_give_the_same_numbers_and_are_left_alone(rgb: np.ndarray) -> None:
    before = rgb.copy()
    assert np.array_equal(builtin.describe(rgb), builtin.describe(rgb))
    assert builtin.readings(rgb) == builtin.readings(rgb)
    assert np.array_equal(rgb, before)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=8, deadline=None)
def test_re_encoding_at_quality_90_moves_it_far_less_than_a_slight_blur(seed: int) -> None:
    original = scene(seed)
    first = encoded(original)
    again = distance(first, encoded(original, quality=90))
    blurred = distance(first, encoded(original.filter(ImageFilter.GaussianBlur(1.5))))
    assert again < 0.15
    assert blurred > 3 * again
    assert blurred > 0.3


@given(st.integers(0, 2**32 - 1), st.sampled_from([1.5, 3.0, 6.0]))
@settings(max_examples=8, deadline=None)
def test_blur_lowers_the_sharpness_reading(seed: int, sigma: float) -> None:
    original = scene(seed)
    blurred = original.filter(ImageFilter.GaussianBlur(sigma))
    assert builtin.readings(encoded(blurred)).sharpness < builtin.readings(encoded(original)).sharpness


@pytest.mark.parametrize(
    ("block", "change"),
    [
        ("exposure", lambda one: ImageEnhance.Brightness(one).enhance(1.2)),
        ("contrast", lambda one: ImageEnhance.Contrast(one).enhance(0.75)),
        ("saturation", lambda one: ImageEnhance.Color(one).enhance(0.6)),
        ("cast", lambda one: one.convert("RGB", (1.08, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0.9, 0))),
        ("detail", lambda one: one.filter(ImageFilter.GaussianBlur(2))),
        ("tilt", lambda one: one.rotate(4, Image.Resampling.BICUBIC).crop((150, 150, 1450, 1050))),
        ("framing", lambda one: one.crop((0, 0, 1000, 750))),
    ],
)
def test_each_fault_shows_in_its_own_block(block: str, change) -> None:
    original = scene(7)
    place = builtin.BLOCKS[block]
    first = builtin.describe(encoded(original))[place]
    same = builtin.describe(encoded(original, 90))[place]
    other = builtin.describe(encoded(change(original)))[place]
    assert np.linalg.norm(other - first) > 5 * np.linalg.norm(same - first)
    assert np.linalg.norm(other - first) > 0.04


def test_the_level_of_exposure_survives_normalisation_so_that_the_middle_can_be_preferred() -> None:
    greys = [np.full((64, 96, 3), level, np.uint8) for level in range(8, 248, 16)]
    features = np.stack([builtin.describe(grey)[builtin.BLOCKS["exposure"]] for grey in greys])
    liked = -np.abs(np.arange(len(greys)) - len(greys) // 2).astype(float)
    weights = np.linalg.lstsq(features - features.mean(0), liked - liked.mean(), rcond=1e-3)[0]
    assert np.argmax(features @ weights) == len(greys) // 2


def test_one_scene_at_two_sizes_is_described_alike() -> None:
    large = scene(3, 3200, 2400)
    small = large.resize((1600, 1200), Image.Resampling.LANCZOS)
    assert distance(np.asarray(large), np.asarray(small)) < 0.35


def test_readings_say_what_a_person_sees() -> None:
    original = scene(5)
    plain = builtin.readings(encoded(original))
    dark = builtin.readings(encoded(ImageEnhance.Brightness(original).enhance(0.5)))
    grey = builtin.readings(encoded(ImageEnhance.Color(original).enhance(0.0)))
    grain = np.random.default_rng(0).normal(0, 40, (1200, 1600, 3))
    noisy = builtin.readings(encoded(Image.fromarray(np.clip(np.asarray(original) + grain, 0, 255).astype(np.uint8))))
    white = builtin.readings(np.full((80, 120, 3), 255, np.uint8))
    assert dark.exposure < plain.exposure * 0.6
    assert grey.colourfulness < 2 < plain.colourfulness
    assert noisy.noise > plain.noise * 1.3
    assert white.clipped == 1.0
    assert white.contrast == 0.0


@given(st.floats(-50, 350), st.integers(5, 14))
def test_a_small_change_of_a_level_is_a_small_change_of_its_numbers(value: float, count: int) -> None:
    first = builtin.spread(value, 0, 255, count)
    near = builtin.spread(value + 0.5, 0, 255, count)
    assert first.shape == (count,)
    assert np.linalg.norm(near - first) < 0.05


def test_blocks_cover_the_descriptor_without_a_gap() -> None:
    places = list(builtin.BLOCKS.values())
    assert places[0].start == 0
    assert all(first.stop == after.start for first, after in pairwise(places))
    assert places[-1].stop == builtin.DIMENSION


@pytest.mark.parametrize(
    "wrong", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 3), np.float32), np.zeros((0, 4, 3), np.uint8)]
)
def test_what_is_no_picture_is_refused(wrong: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        builtin.describe(wrong)
