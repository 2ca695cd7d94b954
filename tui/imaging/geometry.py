"""Where a picture lies in its cells: aspect kept, centred, in whole cells. Pure arithmetic on pixels and cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

Region = tuple[float, float, float, float]
"""A part of an image as displayed: (left, top, right, bottom), fractions of its width and height."""

WHOLE: Region = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Placement:
    """A picture in a slot: its cells (x, y, columns, rows) within the slot, and its own size in pixels within them."""

    x: int
    y: int
    columns: int
    rows: int
    width: int
    height: int


def fit(size: tuple[int, int], slot: tuple[int, int], cell: tuple[int, int]) -> Placement:
    """Place an image of `size` pixels in a slot of (columns, rows) cells of `cell` pixels, as large as it goes."""
    (width, height), (columns, rows), (cell_width, cell_height) = size, slot, cell
    scale = min(columns * cell_width / width, rows * cell_height / height)
    shown_width = min(columns * cell_width, max(1, round(width * scale)))
    shown_height = min(rows * cell_height, max(1, round(height * scale)))
    used_columns, used_rows = math.ceil(shown_width / cell_width), math.ceil(shown_height / cell_height)
    return Placement(
        (columns - used_columns) // 2,
        (rows - used_rows) // 2,
        used_columns,
        used_rows,
        shown_width,
        shown_height,
    )


def crop_box(size: tuple[int, int], region: Region) -> tuple[int, int, int, int]:
    """The region in whole pixels of an image of `size`, at least one pixel each way and never outside."""
    (width, height), (left, top, right, bottom) = size, region
    x0 = min(width - 1, max(0, math.floor(left * width)))
    y0 = min(height - 1, max(0, math.floor(top * height)))
    return (
        x0,
        y0,
        min(width, max(x0 + 1, math.ceil(right * width))),
        min(height, max(y0 + 1, math.ceil(bottom * height))),
    )


def decode_box(pixels: tuple[int, int], region: Region) -> tuple[int, int]:
    """How large the whole image must be decoded for its region to fill `pixels`."""
    left, top, right, bottom = region
    return (
        math.ceil(pixels[0] / max(right - left, 1e-3)),
        math.ceil(pixels[1] / max(bottom - top, 1e-3)),
    )
