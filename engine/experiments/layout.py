"""The built-in solver: a canvas laid out on a page of another shape, without any model and without a key.

Relies on kiwisolver (Cassowary: linear constraints with strengths). Objects that overlap belong together and move as
one block, so that no overlap arises and no letter leaves its picture; a background that lies under everything is
stretched to the new page. Blocks keep their order, or flow into rows, whichever lets them be larger; every block
is as large as fits, letters stay readable where there is room, and blocks keep to the edge or middle they were at.
What it returns was checked by the same rules as a model's answer (`problems`). Pure and deterministic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal

from engine.experiments.canvas import Box, Canvas, CanvasObject, overlapping

if TYPE_CHECKING:
    from kiwisolver import Solver

MOST_BLOCKS = 40  # more are laid out in proportion: pairs grow with the square
KEEPS_ORDER = 0.75  # the order is kept while it costs less than a quarter of the size
GAP = 0.02  # between blocks that flow, over the old page's shorter side
MOST_MARGIN = 0.08  # of the shorter side
READABLE = 0.018  # letter height over the page's shorter side that is worth making room for
LEAST_READABLE = 10.0  # pixels
GROWTH = 1.6  # a block may grow this much beyond what the tightest row allows
TOLERANCE = 0.5  # pixels within which an edge counts as inside, and an overlap as none
BACKGROUND = 0.9  # share of both sides that a background covers

Axis = Literal["x", "y"]


@dataclass(frozen=True)
class Layout:
    """A canvas on its new page, how it came to be, and what a person should know of it."""

    canvas: Canvas
    method: Literal["constraints", "proportional"]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Block:
    """Objects that move as one: their places in the canvas, and the box around them."""

    members: tuple[int, ...]
    box: Box


@dataclass(frozen=True)
class _Apart:
    """`first` ends before `second` begins, by at least `gap` pixels of the old page."""

    axis: Axis
    first: int
    second: int
    gap: float


def solve(canvas: Canvas, target: tuple[int, int]) -> Layout:
    """Lay the canvas out on a page of `target` (width, height) pixels. Never fails: what the constraints cannot do is
    scaled in proportion."""
    if not canvas.objects:
        return Layout(_with(canvas, target, ()), "proportional", ("there was nothing to lay out",))
    backgrounds = _backgrounds(canvas)
    blocks = _blocks(canvas, backgrounds)
    if len(blocks) > MOST_BLOCKS:
        note = f"{len(blocks)} separate parts are more than the {MOST_BLOCKS} that are arranged; scaled in proportion"
        return Layout(proportional(canvas, target), "proportional", (note,))
    if blocks:
        for relations in _arrangements(blocks, canvas, target):
            laid = _solved(canvas, target, blocks, backgrounds, relations)
            if laid is not None and not problems(canvas, laid, target):
                return Layout(laid, "constraints", tuple(_notes(laid)))
    laid = proportional(canvas, target)
    return Layout(laid, "proportional", tuple(_notes(laid)))


def proportional(canvas: Canvas, target: tuple[int, int]) -> Canvas:
    """Everything in one scale, in the middle of the new page; what jutted out of the old one is brought in."""
    extent = canvas.page
    for one in canvas.objects:
        extent = extent.around(one.box)
    scale = min(target[0] / extent.width, target[1] / extent.height)
    left = (target[0] - extent.width * scale) / 2
    top = (target[1] - extent.height * scale) / 2
    moved = [_moved(one, extent, (left, top), (scale, scale)) for one in canvas.objects]
    return _with(canvas, target, moved)


def problems(before: Canvas, after: Canvas, target: tuple[int, int]) -> list[str]:
    """What is wrong with a resized canvas, in words; empty when nothing is: all objects are kept, inside the page,
    and none lies over another that it did not lie over."""
    found: list[str] = []
    if abs(after.width - target[0]) > TOLERANCE or abs(after.height - target[1]) > TOLERANCE:
        found.append(f"the page is {after.width:g}x{after.height:g}, not {target[0]}x{target[1]}")
    old, new = [one.key for one in before.objects], [one.key for one in after.objects]
    missing, extra = [key for key in old if key not in set(new)], [key for key in new if key not in set(old)]
    found += [f"the object '{key}' is missing" for key in missing[:5]]
    found += [f"the object '{key}' was not there before" for key in extra[:5]]
    if missing or extra:
        return found
    if old != new:
        found.append("the objects are in another order")
        return found
    for was, now in zip(before.objects, after.objects, strict=True):
        if was.type != now.type or was.text != now.text:
            found.append(f"the {'text' if was.type == now.type else 'type'} of '{now.key}' was changed")
        box = now.box
        if (
            box.left < -TOLERANCE
            or box.top < -TOLERANCE
            or box.right > target[0] + TOLERANCE
            or box.bottom > target[1] + TOLERANCE
        ):
            found.append(f"'{now.key}' juts out of the page")
        if was.box.area > 0 and box.area <= 0:
            found.append(f"'{now.key}' has no size any more")
    fresh = sorted(overlapping(after, TOLERANCE) - overlapping(before))
    found += [f"'{after.objects[i].key}' lies over '{after.objects[j].key}', which it did not" for i, j in fresh[:5]]
    return found


def _backgrounds(canvas: Canvas) -> frozenset[int]:
    """Objects that cover nearly the whole page and touch every other one: stretching them makes no new overlap."""
    pairs = overlapping(canvas)
    every = len(canvas.objects) - 1
    met = [0] * len(canvas.objects)
    for pair in pairs:
        for index in pair:
            met[index] += 1
    return frozenset(
        index
        for index, one in enumerate(canvas.objects)
        if one.angle % 360 == 0
        and met[index] == every
        and (common := one.box.common(canvas.page)) is not None
        and common.width >= BACKGROUND * canvas.width
        and common.height >= BACKGROUND * canvas.height
        and one.kind in ("shape", "image")
    )


def _blocks(canvas: Canvas, apart: frozenset[int]) -> list[Block]:
    """Connected parts of the overlaps; joined until no two of their boxes overlap either."""
    boxes = [one.box for one in canvas.objects]
    blocks = [Block((index,), boxes[index]) for index in range(len(boxes)) if index not in apart]
    merged = True
    while merged:
        merged = False
        kept: list[Block] = []
        for block in blocks:
            for place, other in enumerate(kept):
                if block.box.common(other.box) is not None:
                    kept[place] = Block(tuple(sorted((*other.members, *block.members))), other.box.around(block.box))
                    merged = True
                    break
            else:
                kept.append(block)
        blocks = kept
    return sorted(blocks, key=lambda block: block.members)


def _arrangements(blocks: Sequence[Block], canvas: Canvas, target: tuple[int, int]) -> Iterator[list[_Apart]]:
    """Ways to order the blocks, the best first: as they stand, or flowing in reading order into rows of 1, 2, 3..."""
    keep = _as_they_stand(blocks, canvas)
    order = _reading_order(blocks)
    flows = [_in_rows(order, count, GAP * min(canvas.width, canvas.height)) for count in range(1, len(blocks) + 1)]
    margin = _margin(blocks, canvas, target)
    ceiling = _ceiling(canvas, target)
    rated = [(_largest_scale(blocks, target, relations, margin, ceiling), relations) for relations in (keep, *flows)]
    best = max(scale for scale, _ in rated)
    if rated[0][0] >= KEEPS_ORDER * best:
        yield keep
    yield from (relations for _, relations in sorted(rated, key=lambda one: -one[0])[:4])


def _as_they_stand(blocks: Sequence[Block], canvas: Canvas) -> list[_Apart]:
    """For each two blocks the direction in which they are further apart, relative to the page."""
    found: list[_Apart] = []
    most = 2 * GAP * min(canvas.width, canvas.height)
    for i in range(len(blocks)):
        for j in range(i + 1, len(blocks)):
            a, b = blocks[i].box, blocks[j].box
            ways = (
                ((b.left - a.right) / canvas.width, "x", i, j, b.left - a.right),
                ((a.left - b.right) / canvas.width, "x", j, i, a.left - b.right),
                ((b.top - a.bottom) / canvas.height, "y", i, j, b.top - a.bottom),
                ((a.top - b.bottom) / canvas.height, "y", j, i, a.top - b.bottom),
            )
            _, axis, first, second, gap = max(ways, key=lambda way: way[0])
            found.append(_Apart("x" if axis == "x" else "y", first, second, min(max(gap, 0.0), most)))
    return found


def _reading_order(blocks: Sequence[Block]) -> list[int]:
    """Row by row, left to right: a block is of a row when its middle is above the bottom of the row's first."""
    left = sorted(range(len(blocks)), key=lambda index: (blocks[index].box.top, blocks[index].box.left))
    order: list[int] = []
    while left:
        end = blocks[left[0]].box.bottom
        in_row = [i for i in left if (blocks[i].box.top + blocks[i].box.bottom) / 2 < end or i == left[0]]
        order += sorted(in_row, key=lambda index: blocks[index].box.left)
        left = [index for index in left if index not in in_row]
    return order


def _in_rows(order: Sequence[int], count: int, gap: float) -> list[_Apart]:
    """Rows of `count` blocks, in order."""
    rows = [order[start : start + count] for start in range(0, len(order), count)]
    found = [_Apart("x", a, b, gap) for row in rows for a, b in pairwise(row)]
    found += [_Apart("y", a, b, gap) for one, other in pairwise(rows) for a in one for b in other]
    return found


def _margin(blocks: Sequence[Block], canvas: Canvas, target: tuple[int, int]) -> float:
    """The old page's smallest margin, carried over, pixels."""
    smallest = min(min(b.box.left, b.box.top, canvas.width - b.box.right, canvas.height - b.box.bottom) for b in blocks)
    share = min(MOST_MARGIN, max(0.0, smallest / min(canvas.width, canvas.height)))
    return share * min(target)


def _ceiling(canvas: Canvas, target: tuple[int, int]) -> float:
    """No block grows beyond what the page itself did."""
    return float(max(target[0] / canvas.width, target[1] / canvas.height))


def _largest_scale(
    blocks: Sequence[Block], target: tuple[int, int], relations: Sequence[_Apart], margin: float, ceiling: float
) -> float:
    """The largest common scale at which the relations and the page hold: a linear programme with one wish."""
    from kiwisolver import Solver, Variable

    solver = Solver()
    scale = Variable("scale")
    solver.addConstraint(scale >= 0)
    solver.addConstraint((scale == ceiling) | "strong")
    places = {axis: [Variable(f"{axis}{i}") for i in range(len(blocks))] for axis in ("x", "y")}
    for axis, side in (("x", target[0]), ("y", target[1])):
        for place, block in zip(places[axis], blocks, strict=True):
            extent = block.box.width if axis == "x" else block.box.height
            solver.addConstraint(place >= margin)
            solver.addConstraint(place + scale * extent <= side - margin)
    for one in relations:
        box = blocks[one.first].box
        extent = (box.width if one.axis == "x" else box.height) + one.gap
        solver.addConstraint(places[one.axis][one.second] >= places[one.axis][one.first] + scale * extent)
    solver.updateVariables()
    return round(float(scale.value()), 9)


def _solved(
    canvas: Canvas,
    target: tuple[int, int],
    blocks: Sequence[Block],
    backgrounds: frozenset[int],
    relations: Sequence[_Apart],
) -> Canvas | None:
    """Sizes and places of the blocks under one arrangement; None where there is no room at all."""
    from kiwisolver import Solver, UnsatisfiableConstraint, Variable

    margin = _margin(blocks, canvas, target)
    ceiling = _ceiling(canvas, target)
    base = _largest_scale(blocks, target, relations, margin, ceiling)
    if base <= 1e-9:
        return None
    base *= 1 - 1e-6  # what was just feasible stays so under rounding
    solver: Solver = Solver()
    scales = [Variable(f"s{i}") for i in range(len(blocks))]
    places = {axis: [Variable(f"{axis}{i}") for i in range(len(blocks))] for axis in ("x", "y")}
    readable = max(LEAST_READABLE, READABLE * min(target))
    wishes: list[tuple[int, Any, Any]] = []  # (what comes first, variable, the constraint that is wished for)
    try:
        for index, block in enumerate(blocks):
            scale, top = scales[index], min(ceiling, base * GROWTH)
            letters = [s for m in block.members if (s := canvas.objects[m].text_height) is not None]
            is_small = bool(letters) and min(letters) * base < readable
            if is_small:
                top = max(top, min(readable / min(letters), ceiling * 2))
            solver.addConstraint(scale >= base)
            solver.addConstraint(scale <= top)
            wishes.append((0 if is_small else 1, scale, scale == top))
            wishes += _anchors(solver, places, scale, index, block, canvas, target, margin)
        for one in relations:
            box = blocks[one.first].box
            extent = box.width if one.axis == "x" else box.height
            first, second = places[one.axis][one.first], places[one.axis][one.second]
            solver.addConstraint(second >= first + scales[one.first] * extent + base * one.gap)
        for _, variable, wish in sorted(wishes, key=lambda one: one[0]):
            # One wish after the other: each has a single best value, so that the same canvas always comes out the same,
            # which the many equally good corners of all wishes together do not promise.
            wanted = wish | "strong"
            solver.addConstraint(wanted)
            solver.updateVariables()
            value = variable.value()
            solver.removeConstraint(wanted)
            solver.addConstraint(variable == value)
    except UnsatisfiableConstraint:
        return None
    solver.updateVariables()
    moved: dict[int, CanvasObject] = {}
    for index, block in enumerate(blocks):
        size = round(float(scales[index].value()), 9)
        at = (float(places["x"][index].value()), float(places["y"][index].value()))
        for member in block.members:
            moved[member] = _moved(canvas.objects[member], block.box, at, (size, size))
    for index in backgrounds:
        ground = canvas.objects[index]
        both = (target[0] / ground.box.width, target[1] / ground.box.height)
        moved[index] = _moved(ground, ground.box, (0.0, 0.0), both)
    return _with(canvas, target, [moved[index] for index in range(len(canvas.objects))])


def _anchors(
    solver: Solver,
    places: dict[str, list[Any]],
    scale: Any,
    index: int,
    block: Block,
    canvas: Canvas,
    target: tuple[int, int],
    margin: float,
) -> Iterator[tuple[int, Any, Any]]:
    """Hold the block inside the margins, and wish it to the near edge, to the middle, or in proportion."""
    sides = (
        ("x", block.box.left, block.box.width, canvas.width, target[0]),
        ("y", block.box.top, block.box.height, canvas.height, target[1]),
    )
    for axis, start, extent, old, new in sides:
        place = places[axis][index]
        end = place + scale * extent
        solver.addConstraint(place >= margin)
        solver.addConstraint(end <= new - margin)
        before, after = start / old, (old - start - extent) / old
        if abs(before - after) < 0.04:
            wish = place + scale * (extent / 2) == new / 2
        elif before < 0.15 and before < after:
            wish = place == max(margin, before * new)
        elif after < 0.15:
            wish = end == new - max(margin, after * new)
        else:
            wish = place + scale * (extent / 2) == (start + extent / 2) / old * new
        yield 2, place, wish


def _moved(one: CanvasObject, box: Box, at: tuple[float, float], scale: tuple[float, float]) -> CanvasObject:
    """The object as a part of `box`, once that box's corner is `at` and its sides are scaled."""
    left = at[0] + (one.left - box.left) * scale[0]
    top = at[1] + (one.top - box.top) * scale[1]
    scale_x, scale_y = one.scale_x * scale[0], one.scale_y * scale[1]
    left, top = round(left, 6), round(top, 6)
    raw = {**one.raw, "left": left, "top": top, "scaleX": scale_x, "scaleY": scale_y}
    raw.pop("scale", None)
    return replace(one, left=left, top=top, scale_x=scale_x, scale_y=scale_y, raw=raw)


def _with(canvas: Canvas, target: tuple[int, int], objects: Sequence[CanvasObject]) -> Canvas:
    return Canvas(float(target[0]), float(target[1]), tuple(objects), canvas.raw)


def _notes(canvas: Canvas) -> Iterator[str]:
    readable = LEAST_READABLE
    small = [one.key for one in canvas.objects if (size := one.text_height) is not None and size < readable]
    if small:
        yield f"letters under {readable:.0f} pixels: {', '.join(small[:5])}{' ...' if len(small) > 5 else ''}"
