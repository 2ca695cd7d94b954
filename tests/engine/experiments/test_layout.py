"""The built-in solver: everything kept, inside the page, nothing newly covered; from any shape to any."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.experiments.canvas import overlapping, parse
from engine.experiments.layout import LEAST_READABLE, problems, proportional, solve
from tests.engine.experiments.designs import BANNER, canvases

targets = st.tuples(st.integers(16, 3000), st.integers(16, 3000))


@given(canvases(), targets)
@settings(max_examples=120, deadline=None)
def test_any_canvas_fits_any_page(document: dict, target: tuple[int, int]) -> None:
    before = parse(document)
    laid = solve(before, target)
    after = parse(laid.canvas.document())  # what is written is what a client reads
    assert (after.width, after.height) == target
    assert [(o.key, o.type, o.text) for o in after.objects] == [(o.key, o.type, o.text) for o in before.objects]
    for one in after.objects:
        assert -1e-3 <= one.box.left <= one.box.right <= target[0] + 1e-3
        assert -1e-3 <= one.box.top <= one.box.bottom <= target[1] + 1e-3
    assert overlapping(after, 1e-3) <= overlapping(before)
    assert solve(before, target) == laid


@given(canvases(), targets)
@settings(max_examples=40, deadline=None)
def test_proportional_keeps_every_shape(document: dict, target: tuple[int, int]) -> None:
    before = parse(document)
    after = proportional(before, target)
    assert problems(before, after, target) == []
    scales = {round(now.scale_x / was.scale_x, 9) for was, now in zip(before.objects, after.objects, strict=True)}
    assert len(scales) <= 1


@pytest.mark.parametrize("target", [(1080, 1920), (1080, 1080), (1200, 628), (300, 250), (160, 600)])
def test_a_banner_is_laid_out_by_constraints(target: tuple[int, int]) -> None:
    laid = solve(parse(BANNER), target)
    assert laid.method == "constraints"
    boxes = {one.key: one.box for one in laid.canvas.objects}
    assert boxes["ground"] == pytest.approx((0, 0, *target))
    label, button = boxes["label"], boxes["button"]
    assert button.left < label.left and label.right < button.right, "a label stays on its button"
    photo = boxes["photo"]
    assert photo.width / photo.height == pytest.approx(500 / 508), "a picture is never stretched"


def test_a_tall_page_stacks_what_stood_side_by_side() -> None:
    boxes = {one.key: one.box for one in solve(parse(BANNER), (1080, 1920)).canvas.objects}
    assert boxes["photo"].bottom <= boxes["title"].top
    assert boxes["photo"].width > 0.7 * 1080
    margins = [(boxes["photo"].left), 1080 - boxes["photo"].right]
    assert min(margins) >= 50, "the margin is kept"


def test_letters_are_made_readable_where_there_is_room() -> None:
    document = {"width": 2000, "height": 2000, "objects": [
        {"type": "image", "id": "photo", "left": 100, "top": 100, "width": 1800, "height": 1200},
        {"type": "text", "id": "small", "left": 100, "top": 1500, "width": 200, "height": 30, "text": "x",
         "fontSize": 24},
    ]}  # fmt: skip
    sizes = {one.key: one.text_height for one in solve(parse(document), (500, 900)).canvas.objects}
    assert sizes["small"] >= LEAST_READABLE


def test_letters_too_small_are_told() -> None:
    assert any("letters under" in note for note in solve(parse(BANNER), (120, 60)).notes)


def test_the_rules_see_what_is_wrong() -> None:
    before = parse(BANNER)
    good = solve(before, (1080, 1920)).canvas.document()

    def said(**change: object) -> str:
        document = copy.deepcopy(good)
        document["objects"][2].update(change)
        return " ".join(problems(before, parse(document), (1080, 1920)))

    assert said() == ""
    assert "juts out" in said(left=1000)
    assert "lies over" in said(left=100, top=100)
    assert "text of 'title'" in said(text="Small Sale")
    assert "type of 'title'" in said(type="text")
    assert "no size" in said(width=0)
    assert "not 10x10" in " ".join(problems(before, parse(good), (10, 10)))
    fewer = copy.deepcopy(good)
    fewer["objects"].pop()
    assert problems(before, parse(fewer), (1080, 1920)) == ["the object 'label' is missing"]


def test_very_many_parts_are_scaled_in_proportion_and_that_is_said() -> None:
    objects = [
        {"type": "rect", "left": 20 * (i % 10), "top": 20 * (i // 10), "width": 9, "height": 9} for i in range(60)
    ]
    laid = solve(parse({"width": 200, "height": 120, "objects": objects}), (300, 900))
    assert laid.method == "proportional" and "60 separate parts" in laid.notes[0]


def test_an_empty_page_stays_empty() -> None:
    assert solve(parse({"width": 5, "height": 5, "objects": []}), (10, 20)).canvas.document()["objects"] == []
