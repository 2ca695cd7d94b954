"""What a canvas is like, in numbers that a model can learn from. Pure; each name, unit and range is written here once.

FEATURES lists the names in their order. Fractions are of the page or of the objects' own area, 0 to 1; counts are
whole numbers; changes are natural logarithms, 0 when nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from engine.experiments.canvas import Box, Canvas, parse

FEATURES: dict[str, str] = {
    "objects": "objects on the page, a group being one",
    "texts": "text objects",
    "images": "pictures",
    "shapes": "drawn shapes",
    "groups": "groups",
    "coverage": "share of the page that any object covers",
    "overlap": "area that two objects share, over the area of all objects (over 1 in a pile)",
    "margin_left": "empty share of the width left of everything; negative when it juts out",
    "margin_top": "empty share of the height above everything",
    "margin_right": "empty share of the width right of everything",
    "margin_bottom": "empty share of the height below everything",
    "alignment": "share of objects with an edge or middle in line with another's or the page's middle (1 % of a side)",
    "text_share": "area of text over the area of all objects",
    "text_size": "smallest letter height over the page's shorter side; 0 without text",
    "aspect": "log of the page's width over its height",
    "aspect_change": "log of the target's aspect over the page's: above 0 it grows wider",
    "scale_change": "half the log of the target's area over the page's: above 0 it grows larger",
}


def features(canvas: Canvas, target: tuple[float, float] | None = None) -> dict[str, float]:
    """The numbers of FEATURES for a canvas and the (width, height) pixels it is to become (None: it stays)."""
    boxes = [one.box for one in canvas.objects]
    kinds = [one.kind for one in canvas.objects]
    area = sum(box.area for box in boxes)
    letters = [size for one in canvas.objects if (size := one.text_height) is not None]
    width, height = target or (canvas.width, canvas.height)
    left, top, right, bottom = _margins(boxes, canvas)
    return {
        "objects": float(len(boxes)),
        "texts": float(kinds.count("text")),
        "images": float(kinds.count("image")),
        "shapes": float(kinds.count("shape")),
        "groups": float(kinds.count("group")),
        "coverage": covered_area(boxes, canvas.page) / canvas.page.area,
        "overlap": _shared_area(boxes) / area if area > 0 else 0.0,
        "margin_left": left,
        "margin_top": top,
        "margin_right": right,
        "margin_bottom": bottom,
        "alignment": _aligned_share(boxes, canvas),
        "text_share": sum(b.area for b, kind in zip(boxes, kinds, strict=True) if kind == "text") / area
        if area > 0
        else 0.0,
        "text_size": min(letters) / min(canvas.width, canvas.height) if letters else 0.0,
        "aspect": math.log(canvas.width / canvas.height),
        "aspect_change": math.log(width / height) - math.log(canvas.width / canvas.height),
        "scale_change": 0.5 * math.log(width * height / (canvas.width * canvas.height)),
    }


def covered_area(boxes: Sequence[Box], page: Box) -> float:
    """Square pixels of the page under at least one box, exactly: by strips between the boxes' edges."""
    seen = [common for box in boxes if (common := box.common(page)) is not None]
    edges = sorted({x for box in seen for x in (box.left, box.right)})
    total = 0.0
    for left, right in pairwise(edges):
        spans = sorted((box.top, box.bottom) for box in seen if box.left <= left and box.right >= right)
        length, end = 0.0, -math.inf
        for low, high in spans:
            if high > end:
                length += high - max(low, end)
                end = high
        total += length * (right - left)
    return total


def _shared_area(boxes: Sequence[Box]) -> float:
    total = 0.0
    ordered = sorted(boxes)
    for place, one in enumerate(ordered):
        for other in ordered[place + 1 :]:
            if other.left >= one.right:
                break
            common = one.common(other)
            total += common.area if common else 0.0
    return total


def _margins(boxes: Sequence[Box], canvas: Canvas) -> tuple[float, float, float, float]:
    if not boxes:
        return 1.0, 1.0, 1.0, 1.0
    return (
        min(box.left for box in boxes) / canvas.width,
        min(box.top for box in boxes) / canvas.height,
        1.0 - max(box.right for box in boxes) / canvas.width,
        1.0 - max(box.bottom for box in boxes) / canvas.height,
    )


def _aligned_share(boxes: Sequence[Box], canvas: Canvas) -> float:
    """An object is in line when one of its six lines is within 1 % of the side of another's same line."""
    if not boxes:
        return 0.0
    lines = [
        ([(b.left, b.right, (b.left + b.right) / 2) for b in boxes], canvas.width),
        ([(b.top, b.bottom, (b.top + b.bottom) / 2) for b in boxes], canvas.height),
    ]
    aligned = set()
    for rows, side in lines:
        near = 0.01 * side
        aligned |= {i for i, line in enumerate(rows) if abs(line[2] - side / 2) <= near}
        for part in range(3):
            order = sorted(range(len(rows)), key=lambda i, rows=rows, part=part: rows[i][part])  # type: ignore[misc]
            for one, other in pairwise(order):
                if rows[other][part] - rows[one][part] <= near:
                    aligned |= {one, other}
    return len(aligned) / len(boxes)


def features_of(document: Mapping[str, Any], target: tuple[float, float] | None = None) -> dict[str, float]:
    """The same for a canvas as JSON. Raises CanvasError naming the field that is wrong."""
    return features(parse(document), target)
