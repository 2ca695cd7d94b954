"""Simulated canvases: one by hand, and any number by hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

BANNER: dict[str, Any] = {
    "version": "6.0.0",
    "width": 1200,
    "height": 628,
    "objects": [
        {"type": "rect", "id": "ground", "left": 0, "top": 0, "width": 1200, "height": 628, "fill": "#eee"},
        {
            "type": "image",
            "id": "photo",
            "left": 60,
            "top": 60,
            "width": 1000,
            "height": 1016,
            "scaleX": 0.5,
            "scaleY": 0.5,
        },
        {
            "type": "textbox",
            "id": "title",
            "left": 620,
            "top": 90,
            "width": 520,
            "height": 140,
            "text": "Big Sale",
            "fontSize": 64,
        },
        {
            "type": "textbox",
            "id": "body",
            "left": 620,
            "top": 260,
            "width": 520,
            "height": 120,
            "text": "Now",
            "fontSize": 28,
        },
        {"type": "rect", "id": "button", "left": 620, "top": 430, "width": 220, "height": 70},
        {
            "type": "text",
            "id": "label",
            "left": 650,
            "top": 445,
            "width": 160,
            "height": 40,
            "text": "Shop",
            "fontSize": 30,
        },
    ],
}

sides = st.floats(1, 400, allow_nan=False)


@st.composite
def canvases(draw: st.DrawFn, most: int = 8) -> dict[str, Any]:
    """A page of any shape with objects anywhere on it, some jutting out, some turned."""
    width, height = draw(st.integers(16, 3000)), draw(st.integers(16, 3000))
    objects = []
    for _ in range(draw(st.integers(0, most))):
        kind = draw(st.sampled_from(["rect", "image", "textbox", "circle", "group"]))
        one: dict[str, Any] = {
            "type": kind,
            "left": draw(st.floats(-0.1, 1.0)) * width,
            "top": draw(st.floats(-0.1, 1.0)) * height,
            "width": draw(sides),
            "height": draw(sides),
            "scaleX": draw(st.sampled_from([1, 0.5, 2])),
            "angle": draw(st.sampled_from([0, 0, 0, 30, 90])),
            "originX": draw(st.sampled_from(["left", "center"])),
        }
        if kind == "textbox":
            one |= {"text": draw(st.text(max_size=5)), "fontSize": draw(st.floats(4, 80))}
        objects.append(one)
    return {"width": width, "height": height, "objects": objects}
