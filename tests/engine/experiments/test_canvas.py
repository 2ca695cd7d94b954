"""A canvas: what is refused and where, what a person changed, what it is like in numbers."""

from __future__ import annotations

import copy
import math

import pytest
from hypothesis import given, settings

from engine.errors import UsageError
from engine.experiments import canvas as canvases
from engine.experiments.canvas import CanvasError, differences, overlapping, parse, parse_text
from engine.experiments.canvas_features import FEATURES, covered_area, features, features_of
from tests.engine.experiments.designs import BANNER
from tests.engine.experiments.designs import canvases as any_canvas


def one(**fields: object) -> dict:
    shape = {"type": "rect", "left": 0, "top": 0, "width": 10, "height": 20}
    return {"width": 100, "height": 100, "objects": [{**shape, **fields}]}


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], "canvas"),
        ({"width": 10, "height": 10}, "canvas.objects"),
        ({"objects": []}, "canvas.width"),
        ({"width": 0, "height": 10, "objects": []}, "canvas.width"),
        ({"width": 1e9, "height": 10, "objects": []}, "canvas.width"),
        (one(left="3"), "canvas.objects[0].left"),
        (one(left=None), "canvas.objects[0].left"),
        (one(top=True), "canvas.objects[0].top"),
        (one(left=float("nan")), "canvas.objects[0].left"),
        (one(width=-1), "canvas.objects[0].width"),
        (one(scaleX=0), "canvas.objects[0].scaleX"),
        (one(originX="middle"), "canvas.objects[0].originX"),
        (one(type=""), "canvas.objects[0].type"),
        (one(text=5), "canvas.objects[0].text"),
        (one(objects=[5]), "canvas.objects[0].objects[0]"),
        (one(shadow={"blur": float("inf")}), "canvas.objects[0].shadow.blur"),
        ({"width": 1, "height": 1, "objects": [{}] * 1001}, "canvas.objects"),
    ],
)
def test_a_wrong_field_is_named(document: object, path: str) -> None:
    with pytest.raises(CanvasError) as caught:
        parse(document)
    assert caught.value.path == path


def test_an_id_that_comes_twice_names_only_the_first() -> None:
    document = copy.deepcopy(BANNER)
    document["objects"][3]["id"] = "title"
    assert [one.key for one in parse(document).objects][2:4] == ["title", "textbox#3"]


@pytest.mark.parametrize("text", ["", "{", "NaN", '{"width": Infinity}', b"\xff\xfe", "[" * 100_000])
def test_what_is_no_json_is_refused_with_words(text: str | bytes) -> None:
    with pytest.raises(CanvasError):
        parse_text(text)


def test_a_page_without_a_size_ends_where_its_objects_end() -> None:
    found = parse({"objects": [{"type": "rect", "left": 10, "top": 5, "width": 90.5, "height": 20}]})
    assert (found.width, found.height) == (101, 25)


def test_unknown_fields_are_kept() -> None:
    assert parse(BANNER).document() == BANNER


@pytest.mark.parametrize(("text", "size"), [("1080x1920", (1080, 1920)), (" 1×2 ", (1, 2)), ("10X20", (10, 20))])
def test_sizes_are_read(text: str, size: tuple[int, int]) -> None:
    assert canvases.size(text) == size


@pytest.mark.parametrize("text", ["", "10", "10x", "x10", "0x10", "10x-1", "1.5x2", "99999x2", "1x2x3", "²x3"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        canvases.size(text)


def test_a_turned_object_takes_the_room_that_it_takes() -> None:
    box = parse(one(angle=90, left=50, top=50)).objects[0].box
    assert box == pytest.approx((30, 50, 50, 60))
    centred = parse(one(angle=45, left=50, top=50, width=10, height=10, originX="center", originY="center")).objects[0]
    half = math.sqrt(50)
    assert centred.box == pytest.approx((50 - half, 50 - half, 50 + half, 50 + half))


def test_corrections_name_object_field_and_values() -> None:
    after = copy.deepcopy(BANNER)
    after["objects"][2]["left"] = 600
    after["objects"][2]["fill"] = "red"
    after["objects"][3]["top"] += 0.001  # no correction: the client's rounding
    del after["objects"][4]
    after["objects"].append({"type": "circle", "id": "new", "left": 0, "top": 0, "width": 5, "height": 5})
    found = [change.document() for change in differences(parse(BANNER), parse(after))]
    assert found == [
        {"op": "changed", "object": "title", "type": "textbox", "field": "left", "before": 620, "after": 600},
        {"op": "changed", "object": "title", "type": "textbox", "field": "fill", "before": None, "after": "red"},
        {"op": "removed", "object": "button", "type": "rect"},
        {"op": "added", "object": "new", "type": "circle"},
    ]
    assert differences(parse(BANNER), parse(BANNER)) == []


def test_overlaps_are_pairs_and_touching_is_none() -> None:
    shapes = [(0, 0, 10, 10), (10, 0, 10, 10), (5, 5, 10, 10)]
    objects = [{"type": "rect", "left": x, "top": y, "width": w, "height": h} for x, y, w, h in shapes]
    assert overlapping(parse({"width": 50, "height": 50, "objects": objects})) == {(0, 2), (1, 2)}


def test_features_say_what_is_seen() -> None:
    found = features_of(BANNER, (1080, 1920))
    assert list(found) == list(FEATURES)
    assert (found["objects"], found["texts"], found["images"], found["shapes"]) == (6, 3, 1, 2)
    assert found["coverage"] == pytest.approx(1)
    assert found["margin_left"] == found["margin_top"] == 0
    assert found["text_size"] == pytest.approx(28 / 628)
    assert found["aspect_change"] == pytest.approx(math.log(1080 / 1920) - math.log(1200 / 628))
    assert found["scale_change"] == pytest.approx(0.5 * math.log(1080 * 1920 / (1200 * 628)))
    assert features_of(BANNER)["aspect_change"] == 0


@given(any_canvas())
@settings(max_examples=60, deadline=None)
def test_features_are_finite_and_coverage_agrees_with_a_raster(document: dict) -> None:
    canvas = parse(document)
    found = features(canvas, (640, 480))
    assert all(math.isfinite(value) for value in found.values())
    assert 0 <= found["coverage"] <= 1 + 1e-9 and 0 <= found["alignment"] <= 1
    steps = 60
    hits = sum(
        any(
            b.left <= (x + 0.5) / steps * canvas.width < b.right
            and b.top <= (y + 0.5) / steps * canvas.height < b.bottom
            for b in [o.box for o in canvas.objects]
        )
        for x in range(steps)
        for y in range(steps)
    )
    share = covered_area([o.box for o in canvas.objects], canvas.page) / canvas.page.area
    assert share == pytest.approx(hits / steps**2, abs=0.08)
