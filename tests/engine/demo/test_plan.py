"""The demo's recipe and its pictures: the same everywhere, and varied enough to have a taste about."""

from __future__ import annotations

import csv
import json
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from engine.demo.brushes import noise
from engine.demo.pictures import SCENES, write_bad_files, write_set
from engine.demo.recipe import AXES, Recipe, Variation, plan
from engine.demo.variations import vary
from engine.library.decode import decode
from engine.library.source import UnreadableImage

RECIPE = Recipe.shipped()
PLAN = plan(RECIPE)


def test_the_same_recipe_gives_the_same_plan() -> None:
    assert plan(Recipe.shipped()) == PLAN


def test_the_plan_has_what_a_stranger_should_meet() -> None:
    assert {one.project for one in PLAN} == {"harbour", "studio", "night"}
    assert {one.style for one in PLAN} == {"stages", "burst"}
    assert {one.scene for one in PLAN} == set(SCENES)
    assert all(2 <= len(one.frames) <= 5 for one in PLAN)
    assert sum(one.chosen is None for one in PLAN) == RECIPE.undecided
    assert 90 <= len(PLAN) <= 140


def test_names_are_unique_within_a_project() -> None:
    names = Counter((one.project, frame.name) for one in PLAN for frame in one.frames)
    assert max(names.values()) == 1


def test_bursts_are_closer_than_two_seconds_and_sets_further_apart() -> None:
    bursts = [[frame.taken_at for frame in one.frames] for one in PLAN if one.style == "burst"]
    assert all((after - before).total_seconds() < 1 for times in bursts for before, after in pairwise(times))
    for project in ("harbour", "studio", "night"):
        times = [one.frames for one in PLAN if one.project == project]
        assert all((b[0].taken_at - a[-1].taken_at).total_seconds() > 30 for a, b in pairwise(times))


def test_no_lazy_rule_explains_the_simulated_picks() -> None:
    decided = [one for one in PLAN if one.chosen is not None]
    chance = np.mean([1 / len(one.frames) for one in decided])
    assert abs(np.mean([one.chosen == 0 for one in decided]) - chance) < 0.12
    assert abs(np.mean([one.chosen == len(one.frames) - 1 for one in decided]) - chance) < 0.12


def test_the_taste_likes_what_it_says_it_likes() -> None:
    taste = RECIPE.taste
    best = Variation(**{axis: taste.best[axis] for axis in AXES})
    assert taste.appeal(best) == 0
    for axis in AXES:
        worse = Variation(**{one: taste.best[one] + (0.5 * taste.scale[one] if one == axis else 0) for one in AXES})
        assert taste.appeal(worse) < 0
    rng = np.random.default_rng(0)
    blurred = Variation(**{one: getattr(best, one) for one in AXES if one != "focus"}, focus=1.0)
    picks = [taste.choose(rng, (blurred, best)) for _ in range(400)]
    assert 0.8 < np.mean(picks) < 1.0, "it prefers the sharp one, and like a person not always"


@pytest.mark.parametrize("name", sorted(SCENES))
def test_every_scene_is_drawn_alike_from_one_seed_and_differs_from_another(name: str) -> None:
    first, again, other = (SCENES[name](np.random.default_rng(seed), 192, 128) for seed in (1, 1, 2))
    assert first.size == (192, 128)
    assert first.mode == "RGB"
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()
    levels = np.asarray(first.convert("L"), np.float32)
    assert 20 < levels.mean() < 225, "neither black nor white"
    assert levels.std() > 8, "something to see"


@given(st.floats(-1.5, 1.5), st.floats(0, 4), st.floats(0, 30), st.floats(-8, 8), st.floats(-1.2, 1.2), st.floats(1, 2))
def test_a_varied_picture_keeps_its_size_and_has_no_empty_corner(exposure, focus, noisy, tilt, warmth, crop) -> None:
    scene = Image.new("RGB", (96, 64), (200, 180, 160))
    variation = Variation(
        exposure=exposure, focus=focus, noise=noisy, tilt=tilt, warmth=warmth, crop=crop, aside=(0.9, -0.9)
    )
    varied = vary(scene, variation, np.random.default_rng(0))
    assert varied.size == scene.size
    corners = [varied.getpixel(place) for place in ((0, 0), (95, 0), (0, 63), (95, 63))]
    if noisy < 1:
        assert np.ptp(np.array(corners), axis=0).max() <= 12


def test_variations_do_what_they_are_called() -> None:
    rng = np.random.default_rng(0)
    scene = SCENES["quay"](np.random.default_rng(3), 384, 256)
    level = lambda picture: float(np.asarray(picture, np.float32).mean())  # noqa: E731
    plain = vary(scene, Variation(), rng)
    assert level(vary(scene, Variation(exposure=0.8), rng)) > level(plain) + 15
    assert level(vary(scene, Variation(exposure=-0.8), rng)) < level(plain) - 15
    red, _, blue = np.asarray(vary(scene, Variation(warmth=1), rng), np.float32).mean((0, 1))
    plain_red, _, plain_blue = np.asarray(plain, np.float32).mean((0, 1))
    assert red - blue > plain_red - plain_blue + 10
    assert np.asarray(vary(scene, Variation(saturation=0.0), rng)).std(axis=2).mean() < 4


def test_pictures_say_that_they_are_simulated_and_when_they_were_taken(tmp_path: Path) -> None:
    burst = next(one for one in PLAN if one.style == "burst" and one.scene == "china")
    (tmp_path / burst.project).mkdir()
    files = write_set(tmp_path, RECIPE, burst)
    with Image.open(files[0]) as picture:
        assert picture.size == (RECIPE.width, RECIPE.height)
        exif = picture.getexif()
    assert exif[0x010E].startswith("simulated")
    assert exif.get_ifd(0x8769)[0x9003] == f"{burst.frames[0].taken_at:%Y:%m:%d %H:%M:%S}"
    again = [file.read_bytes() for file in files]
    assert [file.read_bytes() for file in write_set(tmp_path, RECIPE, burst)] == again


def test_the_bad_files_are_bad(tmp_path: Path) -> None:
    for name in ("harbour", "studio", "night"):
        (tmp_path / name).mkdir()
    planned = next(one for one in PLAN if one.project == "harbour" and one.scene == "china")
    bad = write_bad_files(tmp_path, write_set(tmp_path, RECIPE, planned)[0])
    codes = []
    for file in bad:
        with pytest.raises(UnreadableImage) as refusal:
            decode(file)
        codes.append(refusal.value.code)
    assert codes == ["truncated", "empty", "not_an_image"]


def test_the_log_has_the_form_that_people_have(tmp_path: Path) -> None:
    from engine.demo.demo import write_log

    count = write_log(tmp_path / "log.csv", PLAN)
    with (tmp_path / "log.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count == len(PLAN) - RECIPE.undecided
    assert list(rows[0]) == ["session_id", "set_id", "chosen_path", "neg_paths", "timestamp"]
    assert all(row["session_id"].startswith("simulated-") for row in rows)
    assert all(row["chosen_path"] not in json.loads(row["neg_paths"]) for row in rows)
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)


@given(st.integers(0, 1000), st.floats(1, 60), st.floats(1, 60), st.integers(1, 5))
def test_noise_is_finite_and_bounded(seed: int, across: float, down: float, octaves: int) -> None:
    field = noise(np.random.default_rng(seed), 64, 48, (across, down), octaves)
    assert field.shape == (48, 64)
    assert np.isfinite(field).all()
    assert np.abs(field).max() < 3
