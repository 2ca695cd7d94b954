"""Zooming and comparing: the region is inside the image, keeps its place, and finds what differs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from tests.tui.fake_pictures import draw_scene
from tui.screens.layout import plan_for
from tui.viewport import LARGEST, Viewport, differs_most

sizes = st.tuples(st.integers(1, 9000), st.integers(1, 9000))


@given(st.floats(1, LARGEST), st.floats(-1, 2), st.floats(-1, 2), sizes, sizes)
def test_a_region_lies_inside_the_image(scale, x, y, image, area) -> None:
    left, top, right, bottom = Viewport(scale, x, y).region(image, area)
    assert -1e-9 <= left < right <= 1 + 1e-9
    assert -1e-9 <= top < bottom <= 1 + 1e-9


def test_at_scale_one_the_whole_image_is_shown() -> None:
    assert Viewport().region((400, 300), (1000, 200)) == (0.0, 0.0, 1.0, 1.0)


def test_closer_the_region_takes_the_shape_of_the_area() -> None:
    left, top, right, bottom = Viewport(4.0).region((1000, 1000), (2000, 1000))
    assert (right - left) / (bottom - top) == pytest.approx(2.0)


def test_panning_stops_at_the_edge_and_comes_straight_back() -> None:
    image, area = (1000, 800), (1000, 800)
    view = Viewport(2.0)
    for _ in range(9):
        view = view.panned(1, 0, image, area)
    assert view.region(image, area)[2] == pytest.approx(1.0)
    assert view.panned(-1, 0, image, area).region(image, area)[2] < 1.0


def test_zooming_in_and_out_again_changes_nothing() -> None:
    assert Viewport().zoomed(3).zoomed(-3).scale == pytest.approx(1.0)
    assert Viewport().zoomed(-5).scale == 1.0
    assert Viewport().zoomed(99).scale == LARGEST


def test_the_difference_is_found_although_the_whole_picture_is_lighter() -> None:
    first = draw_scene(3, (600, 400))
    second = Image.eval(first.copy(), lambda value: min(255, value + 25))
    ImageDraw.Draw(second).ellipse([480, 300, 560, 380], fill=(250, 20, 20))
    left, top, right, bottom = differs_most(first, second)
    assert left <= 0.82 <= right and left <= 0.92 <= right
    assert top <= 0.76 <= bottom and top <= 0.94 <= bottom


def test_two_equal_pictures_are_compared_in_the_middle() -> None:
    picture = draw_scene(4)
    left, top, right, bottom = differs_most(picture, picture)
    assert (left + right) / 2 == pytest.approx(0.5)
    assert (top + bottom) / 2 == pytest.approx(0.5)


def test_pictures_of_different_size_can_be_compared() -> None:
    differs_most(draw_scene(3, (640, 480)), draw_scene(3, (320, 240)))


@given(st.lists(sizes, min_size=1, max_size=9), st.integers(20, 300), st.integers(8, 100))
def test_a_grid_has_a_place_for_every_image_and_fits(images, width: int, height: int) -> None:
    plan = plan_for(images, width, height, (10, 20))
    assert plan.columns * plan.rows >= len(images)
    assert plan.height <= height


def test_landscapes_stand_in_one_row_and_many_images_in_several() -> None:
    assert plan_for([(600, 400)] * 3, 140, 37, (10, 20)).columns == 3
    assert plan_for([(600, 400)] * 9, 140, 37, (10, 20)).rows > 1
