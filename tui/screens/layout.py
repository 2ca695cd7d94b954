"""How the images of a set stand side by side: pure geometry of the ranking grid."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CAPTION = 4  # rows of head and foot around each picture
GUTTER = (1, 3)  # rows and columns between cells
MARGIN = (1, 4)  # rows and columns around the grid


@dataclass(frozen=True, slots=True)
class Plan:
    """A grid of `columns` × `rows` equal cells, `width` × `height` terminal cells in all, its margin included."""

    columns: int
    rows: int
    width: int
    height: int


def plan_for(sizes: Sequence[tuple[int, int]], width: int, height: int, cell: tuple[int, int]) -> Plan:
    """The grid in `width` × `height` terminal cells that shows images of these (w, h) pixels largest.

    `cell` is a terminal cell's (width, height) in pixels. Captions stay close to the pictures: the grid is only as
    tall as its tallest picture needs. Of two plans about as good, the one with fewer rows, because eyes compare
    along a line.
    """
    best, best_size = Plan(1, max(1, len(sizes)), width, height), 0.0
    shape = cell[0] / cell[1]  # rows that one column of a square picture needs
    for wanted in range(1, len(sizes) + 1):
        columns = math.ceil(len(sizes) / wanted)  # as even as it goes: four are two and two, not three and one
        rows = math.ceil(len(sizes) / columns)
        across = (width - MARGIN[1] - GUTTER[1] * (columns - 1)) // columns
        down = (height - MARGIN[0] - GUTTER[0] * (rows - 1)) // rows - CAPTION
        if across < 1 or down < 1:
            continue
        shown = [min(across, down / shape * w / h) for w, h in sizes]
        size = sum(shown) / len(shown) if shown else 0.0
        if size > best_size * 1.08:
            tallest = max(min(down, math.ceil(across * shape * h / w)) for w, h in sizes)
            tall = rows * (tallest + CAPTION) + GUTTER[0] * (rows - 1) + MARGIN[0]
            wide = columns * across + GUTTER[1] * (columns - 1) + MARGIN[1]
            best, best_size = Plan(columns, rows, wide, min(tall, height)), size
    return best
