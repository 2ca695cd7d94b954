"""One pass: hashes are imagehash's, blur is told from sharpness, and classes are what a person would say."""

from __future__ import annotations

import io
import random
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from engine.library import colours, hashes, quality
from engine.library.facts import Facts, hexadecimal
from engine.library.onepass import perceptual_hashes, study_file
from engine.library.source import UnreadableImage
from tests.engine.library.negatives import dng
from tests.engine.library.pictures import put, scene

MAX = 400_000_000


def facts(path: Path) -> Facts:
    return study_file(str(path), MAX).facts


def saved(picture: Image.Image, path: Path, **options: object) -> Path:
    picture.save(path, **({"quality": 92} | options if path.suffix == ".jpg" else options))
    return path


def detailed(seed: int = 0, size: tuple[int, int] = (1200, 900)) -> Image.Image:
    """Something like a photograph: shapes with hard edges over soft colours, and a little grain."""
    picture = scene(seed, size).copy()
    draw, rng = ImageDraw.Draw(picture), random.Random(seed)
    for _ in range(250):
        x, y = rng.randrange(size[0]), rng.randrange(size[1])
        box = (x, y, x + rng.randrange(10, 120), y + rng.randrange(10, 120))
        draw.ellipse(box, fill=tuple(rng.randrange(20, 235) for _ in range(3)))
    grain = np.random.default_rng(seed).normal(0, 2, (size[1], size[0], 3))
    return Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))


def distance(one: int, other: int) -> int:
    return (one ^ other).bit_count()


def test_hashes_are_those_of_imagehash_for_the_same_pixels() -> None:
    for seed in range(25):
        grey = detailed(seed, (257, 190)).convert("L")
        assert f"{hashes.phash(grey):016x}" == str(imagehash.phash(grey))
        assert f"{hashes.dhash(grey):016x}" == str(imagehash.dhash(grey))


def test_a_picture_of_one_colour_has_one_hash_whatever_its_size() -> None:
    found = {hashes.hashes_of(Image.new("L", size, 137)) for size in ((10, 10), (500, 300), (333, 900))}
    assert len(found) == 1


def test_the_scaled_decode_hashes_like_the_full_one(photos: Path) -> None:
    near = total = 0
    for path in photos.rglob("*.jpg"):
        if path.stat().st_size > 700_000 or path.stem.endswith(("_5", "_6", "_7", "_8")):
            continue  # enough without them, and quicker
        try:
            quick = perceptual_hashes(str(path))[0]
            whole = facts(path).phash & 0xFFFFFFFFFFFFFFFF
        except UnreadableImage:
            continue
        with Image.open(path) as image:
            if len(image.convert("L").getcolors(256) or ()) < 3 or min(image.size) < 50:
                continue  # nothing in it, or a sliver: no hash means anything
            full = int(str(imagehash.phash(image)), 16)
        total += 1
        near += distance(quick, full) <= 2 and distance(whole, full) <= 2
    assert total > 60
    assert near / total >= 0.99


def test_blur_is_told_from_sharpness(photos: Path, tmp_path: Path) -> None:
    sharp, blurred = [], []
    for path in sorted(photos.rglob("*.jpg"))[::3]:
        with Image.open(path) as opened:
            if min(opened.size) < 440 or path.parent.name == "orientation" or "length_string" in path.name:
                continue
            picture = opened.convert("RGB")
        picture.thumbnail((1000, 1000))
        sharp.append(facts(saved(picture, tmp_path / "a.jpg")).sharpness)
        for radius in (2, 4):
            soft = picture.filter(ImageFilter.GaussianBlur(radius))
            blurred.append(facts(saved(soft, tmp_path / "b.jpg")).sharpness)
        moved = picture.filter(ImageFilter.BoxBlur((6, 0)))
        blurred.append(facts(saved(moved, tmp_path / "b.jpg")).sharpness)
    assert len(sharp) >= 9
    pairs = np.array(blurred)[:, None] < np.array(sharp)[None, :]
    ties = np.array(blurred)[:, None] == np.array(sharp)[None, :]
    assert (pairs + ties / 2).mean() >= 0.95  # the area under the curve; 0.93 is what half scale allows elsewhere


def test_differences_are_counted_as_they_are_up_to_the_hardest_edge() -> None:
    rng = np.random.default_rng(3)
    for height, width in ((100, 140), (420, 800), (20, 300)):
        grey = rng.choice(np.array([0, 1, 254, 255], dtype=np.uint8), (height, width))
        found = quality.energies_of(grey)
        rows = max(grey.shape[0], quality.TILE + 4)
        padded = np.pad(grey, ((0, rows - height), (0, 0)), mode="edge").astype(float)
        step = quality.step_of(grey)
        tile = quality.TILE
        for (down, across), seen in zip(((0, 1), (1, 0), (0, 4), (4, 0)), (*found.near, *found.far), strict=True):
            for row, column in np.ndindex(seen.shape):
                y, x = np.arange(row * tile, (row + 1) * tile, step), slice(column * tile, (column + 1) * tile)
                other = slice(x.start + across, x.stop + across)
                expected = ((padded[y + down, other] - padded[y, x]) ** 2).mean()
                assert seen[row, column] == pytest.approx(expected, rel=1e-5)


def test_a_sharp_subject_before_a_soft_ground_is_sharp(tmp_path: Path) -> None:
    whole = detailed(1)
    ground = whole.filter(ImageFilter.GaussianBlur(8))
    ground.paste(whole.crop((350, 250, 850, 650)), (350, 250))
    one = facts(saved(ground, tmp_path / "a.jpg"))
    assert one.subject_sharpness > 0.4
    assert "blurred" not in one.quality_reason
    soft = facts(saved(whole.filter(ImageFilter.GaussianBlur(8)), tmp_path / "b.jpg"))
    assert (soft.quality, "blurred" in soft.quality_reason) == ("poor", True)


def test_exposure_contrast_and_noise_go_the_right_way(tmp_path: Path) -> None:
    normal = detailed(2)
    one = facts(saved(normal, tmp_path / "a.jpg"))
    dark = facts(saved(ImageEnhance.Brightness(normal).enhance(0.15), tmp_path / "b.jpg"))
    bright = facts(saved(ImageEnhance.Brightness(normal).enhance(4), tmp_path / "c.jpg"))
    flat = facts(saved(ImageEnhance.Contrast(normal).enhance(0.2), tmp_path / "d.jpg"))
    grain = np.random.default_rng(0).normal(0, 25, (900, 1200, 3))
    noisy = facts(
        saved(Image.fromarray(np.clip(np.asarray(normal) + grain, 0, 255).astype(np.uint8)), tmp_path / "e.jpg")
    )
    grey = facts(saved(normal.convert("L").convert("RGB"), tmp_path / "f.jpg"))
    assert dark.exposure < one.exposure < bright.exposure
    assert ("dark" in dark.flags, "overexposed" in bright.flags) == (True, True)
    assert dark.lighting == bright.lighting == "challenging"
    assert flat.contrast < one.contrast / 2
    assert noisy.noise > 3 * one.noise
    assert grey.colourfulness < 0.02 < one.colourfulness
    assert bright.clipped_high > 0.3 > one.clipped_high
    assert one.quality in ("good", "excellent")


def test_screens_documents_and_empty_pictures_are_flagged(tmp_path: Path) -> None:
    screen = Image.new("RGB", (1920, 1080), (40, 44, 52))
    draw = ImageDraw.Draw(screen)
    for row in range(20):
        draw.text((60, 60 + row * 40), "the quick brown fox jumps over the lazy dog " * 3, fill=(220, 220, 220))
    assert "screenshot" in facts(saved(screen, tmp_path / "a.png")).flags
    page = Image.new("RGB", (1000, 1400), (250, 250, 248))
    draw = ImageDraw.Draw(page)
    for row in range(85):
        draw.text((60, 40 + row * 16), "the quick brown fox jumps over the lazy dog " * 4, fill=(20, 20, 20))
    assert "document" in facts(saved(page, tmp_path / "b.jpg")).flags
    nothing = facts(saved(Image.new("RGB", (800, 600), (120, 130, 140)), tmp_path / "c.jpg"))
    assert ("low_information" in nothing.flags, nothing.quality) == (True, "poor")
    assert facts(saved(detailed(3), tmp_path / "d.jpg")).flags == []


def test_colours_have_names() -> None:
    for colour, name in (
        ((220, 30, 30), "red"), ((30, 80, 200), "blue"), ((40, 140, 60), "green"), ((5, 5, 5), "black"),
        ((250, 250, 250), "white"), ((130, 130, 130), "grey"), ((240, 215, 40), "yellow"), ((230, 126, 34), "orange"),
    ):  # fmt: skip
        found = colours.dominant(np.full((20, 20, 3), colour, dtype=np.uint8))
        assert [one["name"] for one in found] == [name]
        assert found[0]["share"] == 1.0
    half = np.zeros((20, 20, 3), dtype=np.uint8)
    half[:12] = (30, 80, 200)
    assert [(one["name"], one["share"]) for one in colours.dominant(half)] == [("blue", 0.6), ("black", 0.4)]


def test_the_jpeg_quality_is_the_one_it_was_saved_at(tmp_path: Path) -> None:
    for written in (30, 50, 75, 90, 96):
        found = facts(saved(detailed(4, (320, 240)), tmp_path / "a.jpg", quality=written)).jpeg_quality
        assert found is not None
        assert abs(found - written) <= 1
    assert facts(saved(scene(), tmp_path / "a.png")).jpeg_quality is None
    assert quality.jpeg_quality([]) is None


def test_a_raw_file_is_studied_by_its_preview_and_without_one_developed(tmp_path: Path) -> None:
    exif = {0x829A: (5, ((1, 125),)), 0x8827: (3, 400), 0x9003: (2, b"2020:01:02 03:04:05\0")}
    for has_preview in (True, False):
        data = dng(detailed(5, (900, 700)), orientation=6, has_preview=has_preview, exif=exif)
        found = study_file(str(put(tmp_path / "a.dng", data)), MAX)
        assert (found.format, found.size) == ("raw", (700, 900))
        said = found.metadata
        assert (said.stored.exposure_time, said.stored.iso, said.orientation) == (0.008, 400, 6)
        assert said.taken_at == "2020-01-02T03:04:05.000000"
        assert found.facts.quality != "poor"
        if has_preview:  # developing makes another picture of it, brighter and in other colours
            reference = int(str(imagehash.phash(detailed(5, (900, 700)))), 16)
            assert distance(found.facts.phash & 0xFFFFFFFFFFFFFFFF, reference) <= 2


def test_hashes_are_written_as_imagehash_writes_them() -> None:
    assert hexadecimal(-1) == "f" * 16
    assert hexadecimal(5) == "0000000000000005"


def test_files_that_the_quick_decoder_refuses_are_read_all_the_same(tmp_path: Path) -> None:
    picture = detailed(6, (600, 500))
    buffer = io.BytesIO()
    picture.convert("CMYK").save(buffer, "JPEG", quality=92)
    one = facts(put(tmp_path / "cmyk.jpg", buffer.getvalue()))
    other = facts(saved(picture, tmp_path / "rgb.jpg"))
    assert distance(one.phash, other.phash) <= 4
    assert facts(saved(picture.convert("L"), tmp_path / "grey.jpg")).colourfulness == pytest.approx(0, abs=0.01)
