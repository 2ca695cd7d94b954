"""What the terminal shows of one picture, and the strips by which Textual draws it.

Textual repaints regions; a picture is expensive to send twice. So a strip decides only when it is written: a block
that the terminal still shows is stepped over, one that an overlay has damaged is sent again once the overlay is gone,
one that is partly hidden is drawn as half-blocks where it can be seen. A block is a row of half-blocks or
placeholders, or several rows of sixels. Nothing here decodes or waits; everything runs on the event loop and costs no
more than joining strings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Protocol as Shape

import numpy as np
import numpy.typing as npt
from rich.color import Color
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from tui.imaging import halfblock, kitty
from tui.imaging.driver import ACKNOWLEDGE
from tui.imaging.geometry import Placement
from tui.terminal import Protocol


@dataclass(frozen=True, slots=True)
class Block:
    """Rows first..last-1 of a picture and what draws them all; an empty string where rows are drawn one by one."""

    first: int
    last: int
    text: str
    size: int


class Picture(Shape):
    """What a surface needs to know of a prepared preview."""

    @property
    def path(self) -> Path: ...
    @property
    def protocol(self) -> Protocol: ...
    @property
    def slot(self) -> tuple[int, int]: ...
    @property
    def placement(self) -> Placement: ...
    @property
    def blocks(self) -> Sequence[Block]: ...
    @property
    def pixels(self) -> halfblock.Pixels: ...
    @property
    def colours(self) -> int: ...
    @property
    def background(self) -> tuple[int, int, int]: ...
    @property
    def identity(self) -> int: ...
    @property
    def transmission(self) -> Sequence[str]: ...
    @property
    def is_frugal(self) -> bool: ...


class BlockState(Enum):
    """ABSENT: to be sent. SHOWN: on the terminal. DAMAGED: shown, but something was drawn over part of it."""

    ABSENT = 0
    SHOWN = 1
    DAMAGED = 2


class Surface:
    """One picture in one slot. `drawn` is called with the bytes of a portion; True asks for a question behind it.

    `over` is the surface of a lesser version of the same picture in the same place, which stays until it is
    overdrawn.
    """

    def __init__(
        self,
        picture: Picture,
        *,
        drawn: Callable[[int], bool] | None = None,
        held: kitty.KittyPictures | None = None,
        tmux: bool = False,
        over: Surface | None = None,
    ) -> None:
        self.picture = picture
        self.states = [BlockState.ABSENT] * len(picture.blocks)
        self.released = 0
        """How many blocks may be drawn; the pacer says."""
        self._drawn = drawn
        self._held = held
        self._tmux = tmux
        self._place: object = over._place if over else None
        self._keeps = over is not None and all(state is BlockState.SHOWN for state in over.states)
        self._covered: frozenset[int] = frozenset()
        self._visible = range(0)
        self._is_whole = True
        self._owed = 0
        placement = picture.placement
        self._is_sixel = picture.protocol == "sixel"
        self._left, self._right = placement.x, placement.x + placement.columns
        self._block_of = {row: n for n, block in enumerate(picture.blocks) for row in range(block.first, block.last)}
        red, green, blue = picture.background
        self._paper = f"\x1b[48;2;{red};{green};{blue}m"
        self._paper_style = Style(bgcolor=Color.from_rgb(red, green, blue))

    @property
    def is_drawn(self) -> bool:
        """Whether every block has been sent since the picture last had to be."""
        return BlockState.ABSENT not in self.states

    @property
    def remaining(self) -> int:
        """Bytes still to be sent for the whole picture."""
        waiting = sum(
            block.size
            for block, state in zip(self.picture.blocks, self.states, strict=True)
            if state is BlockState.ABSENT
        )
        return waiting + (sum(map(len, self.picture.transmission)) if self._must_transmit else 0)

    @property
    def _must_transmit(self) -> bool:
        return bool(self.picture.transmission) and not (self._held and self._held.holds(self.picture.identity))

    def place(self, place: object, visible: range, covered: Iterable[int], *, is_whole: bool, floor: int) -> bool:
        """Tell where the picture is now, before strips are taken. Returns True when all of it has to be sent again.

        `place` is compared with the last one: another position, screen or terminal size means that nothing is left of
        it. `visible` are the slot's rows inside their clip, `is_whole` says that no column is clipped; `covered` are
        rows that something lies over; rows from `floor` on are the terminal's last, where a sixel would scroll the
        screen.
        """
        has_moved = self._place is not None and place != self._place
        self._place = place
        if has_moved:
            self._keeps = False
            self.states = [BlockState.ABSENT] * len(self.states)
        top = self.picture.placement.y
        self._covered = frozenset(row - top for row in covered)
        last = min(visible.stop, floor) if self._is_sixel else visible.stop
        self._visible = range(visible.start - top, last - top)
        self._is_whole = is_whole
        self._keeps = self._keeps and not self._covered
        for row in self._covered:
            number = self._block_of.get(row)
            if number is not None and self.states[number] is BlockState.SHOWN:
                self.states[number] = BlockState.DAMAGED
        return has_moved

    def release(self, portion: int) -> tuple[int, range]:
        """Let the next blocks of about `portion` bytes be drawn. Returns (their bytes, their rows of the slot)."""
        blocks, top = self.picture.blocks, self.picture.placement.y
        size, first = sum(map(len, self.picture.transmission)) if self._must_transmit else 0, self.released
        while self.released < len(blocks) and (size < portion or self.released == first):
            size += blocks[self.released].size
            self.released += 1
        if self.released == first:
            return 0, range(0)
        self._owed += size
        return size, range(top + blocks[first].first, top + blocks[self.released - 1].last)

    def next_size(self, portion: int) -> int:
        """The bytes that `release` would let go, without letting them go."""
        kept, owed = self.released, self._owed
        size, _ = self.release(portion)
        self.released, self._owed = kept, owed
        return size

    def restart(self) -> None:
        """Hold every block again."""
        self.released, self._owed = 0, 0

    def is_held(self, row: int) -> bool:
        """Whether a row of the slot belongs to a block that may not be drawn yet, and has nothing to show meanwhile."""
        number = self._block_of.get(row - self.picture.placement.y)
        return not self._keeps and number is not None and number >= self.released

    def strip(self, row: int) -> PictureStrip:
        """The strip of one row of the slot."""
        return PictureStrip(self, row, 0, self.picture.slot[0])

    def still(self, row: int) -> Strip:
        """One row as ordinary segments: for a tinted background screen, an export, anything but the terminal."""
        return Strip(self.segments(row, 0, self.picture.slot[0]), self.picture.slot[0])

    def segments(self, row: int, start: int, stop: int) -> list[Segment]:
        """Columns start..stop-1 of a row of the slot as half-blocks with the paper around them."""
        pixels = self._pixels(row)
        if pixels is None:
            return [Segment(" " * (stop - start), self._paper_style)] if stop > start else []
        left, right = max(start, self._left), min(stop, self._right)
        parts: list[Segment] = []
        if start < self._left:
            parts.append(Segment(" " * (min(stop, self._left) - start), self._paper_style))
        if left < right:
            parts += halfblock.row_segments(pixels[left - self._left : right - self._left])
        if stop > self._right:
            parts.append(Segment(" " * (stop - max(start, self._right)), self._paper_style))
        return parts

    def emit(self, row: int, start: int, stop: int) -> str:
        """What to write for columns start..stop-1 of a row of the slot, at the cursor. Called while Textual writes."""
        number = self._block_of.get(row - self.picture.placement.y)
        if number is None:
            return self._blank(stop - start)
        if number >= self.released:
            return _step(stop - start) if self._keeps else self._blank(stop - start)
        block, state = self.picture.blocks[number], self.states[number]
        is_covered = any(covered in self._covered for covered in range(block.first, block.last))
        if state is BlockState.SHOWN or (state is BlockState.DAMAGED and is_covered):
            return _step(stop - start)
        is_free = self._is_free(block)
        if not self._is_sixel:
            text = self._cells(block, row, start, stop)
            is_drawn = is_free and stop - start == self.picture.slot[0]
        elif is_free:
            text, is_drawn = self._stamp(block, row, start, stop), True
        else:
            text, is_drawn = self._half(row, start, stop), False
        if is_drawn:
            self.states[number] = BlockState.SHOWN
        return text + self._settle()

    def _is_free(self, block: Block) -> bool:
        """Whether all of a block can be seen: nothing over it, nothing of it clipped."""
        rows = range(block.first, block.last)
        return self._is_whole and all(row in self._visible and row not in self._covered for row in rows)

    def _settle(self) -> str:
        """Behind the last block of a portion that can be drawn comes the question."""
        if not self._owed:
            return ""
        released = zip(self.picture.blocks[: self.released], self.states, strict=False)
        if any(state is BlockState.ABSENT and self._is_free(block) for block, state in released):
            return ""
        owed, self._owed = self._owed, 0
        return ACKNOWLEDGE if self._drawn is not None and self._drawn(owed) else ""

    def _stamp(self, block: Block, row: int, start: int, stop: int) -> str:
        """A block of several rows, drawn from wherever in it the cursor is; the cursor ends behind this row's
        columns.

        The paper beside the picture goes with it, for the block's other rows will be stepped over.
        """
        here = row - self.picture.placement.y
        left, right = self._left, self.picture.slot[0] - self._right
        back = f"\x1b[{start}D" if start else ""
        parts = ["\x1b7"]
        if left or right:
            for other in range(block.first, block.last):
                parts += ["\x1b8", _vertical(other - here), back]
                parts.append(self._blank(left))
                if right:
                    parts += [f"\x1b[{self._right - self._left}C", self._blank(right)]
        parts += ["\x1b8", _vertical(block.first - here), _horizontal(self._left - start), block.text, "\x1b8"]
        return "".join(parts) + _step(stop - start)

    def _cells(self, block: Block, row: int, start: int, stop: int) -> str:
        """A row of half-blocks or placeholders, cut to its columns."""
        left, right = max(start, self._left), min(stop, self._right)
        before = self._blank(min(stop, self._left) - start)
        after = self._blank(stop - max(start, self._right))
        if left >= right:
            return before + after
        if self.picture.transmission:
            middle = kitty.row_text(self.picture.identity, block.first, left - self._left, right - self._left)
            return self._transmit() + before + middle + after
        if (left, right) == (self._left, self._right):
            return before + block.text + after
        return self._half(row, start, stop)

    def _transmit(self) -> str:
        if not self._must_transmit or self._held is None:
            return ""
        surplus = self._held.add(self.picture.identity)
        return "".join([*self.picture.transmission, *(kitty.deletion(old, tmux=self._tmux) for old in surplus)])

    def _half(self, row: int, start: int, stop: int) -> str:
        pixels = self._pixels(row)
        left, right = max(start, self._left), min(stop, self._right)
        if pixels is None or left >= right:
            return self._blank(stop - start)
        middle = halfblock.row_text(pixels[left - self._left : right - self._left], self.picture.colours)
        return self._blank(min(stop, self._left) - start) + middle + self._blank(stop - max(start, self._right))

    def _pixels(self, row: int) -> npt.NDArray[np.uint8] | None:
        inside = row - self.picture.placement.y
        return self.picture.pixels[inside] if 0 <= inside < len(self.picture.pixels) else None

    def _blank(self, count: int) -> str:
        return f"{self._paper}{' ' * count}\x1b[0m" if count > 0 else ""


class PictureStrip(Strip):
    """A row of a surface. Cut like any strip; written by the surface; turned into segments only if someone asks."""

    __slots__ = ("_lazy", "_row", "_start", "_stop", "_surface")

    def __init__(self, surface: Surface, row: int, start: int, stop: int) -> None:
        self._lazy: list[Segment] | None = None
        super().__init__([], stop - start)
        self._lazy = None
        self._surface, self._row, self._start, self._stop = surface, row, start, stop

    @property
    def _segments(self) -> list[Segment]:
        if self._lazy is None:
            self._lazy = self._surface.segments(self._row, self._start, self._stop)
        return self._lazy

    @_segments.setter
    def _segments(self, segments: list[Segment]) -> None:
        self._lazy = segments

    def __bool__(self) -> bool:
        return self._stop > self._start

    def render(self, console: Console) -> str:  # noqa: ARG002
        return self._surface.emit(self._row, self._start, self._stop)

    def crop(self, start: int, end: int | None = None) -> Strip:
        width = self._stop - self._start
        start, end = max(0, start), width if end is None else min(width, end)
        if (start, end) == (0, width):
            return self
        if end <= start:
            return Strip([], 0)
        return PictureStrip(self._surface, self._row, self._start + start, self._start + end)

    def divide(self, cuts: Iterable[int]) -> Sequence[Strip]:
        parts, at = [], 0
        for cut in cuts:
            if cut <= self._stop - self._start:
                parts.append(self.crop(at, cut))
                at = cut
        return parts


def _step(columns: int) -> str:
    """Leave cells as they are."""
    return f"\x1b[{columns}C" if columns else ""


def _vertical(rows: int) -> str:
    return "" if not rows else f"\x1b[{rows}B" if rows > 0 else f"\x1b[{-rows}A"


def _horizontal(columns: int) -> str:
    return "" if not columns else f"\x1b[{columns}C" if columns > 0 else f"\x1b[{-columns}D"
