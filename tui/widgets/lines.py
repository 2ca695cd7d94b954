"""Rows of styled text, drawn by the line API: the top line, the bottom line, captions, cards, logs.

A `Row` has a left part, a right part and what fills the gap; `lay_out` is the pure function that fits it into a
width. `Lines` draws a list of rows and repaints only the rows that changed, which is what keeps a verdict within a
few milliseconds of its key. Colours are looked up by role in `Inks`, made once per theme. Never wraps, never scrolls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

if TYPE_CHECKING:
    from tui.app import ProofsheetApp
    from tui.theme import Palette

_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

#: A text and its ink: words out of theme roles and `bold`, `reverse`, `underline`, `on <role>`.
Span = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """One line: `left` and `right` parts, with `fill` between them."""

    left: tuple[Span, ...] = ()
    right: tuple[Span, ...] = ()
    fill: str = " "
    ink: str = "text"


BLANK = Row()


def row(*left: Span | str, right: Sequence[Span] = (), fill: str = " ", ink: str = "text") -> Row:
    """A row from spans; a bare string is written in the ordinary ink."""
    return Row(tuple(span if isinstance(span, tuple) else (span, ink) for span in left), tuple(right), fill, ink)


def rule(heavy: bool = False, ink: str = "rule") -> Row:
    """A thin (or heavy) horizontal line."""
    return Row(fill="━" if heavy else "─", ink=ink)


def width_of(spans: Iterable[Span]) -> int:
    """The width in terminal cells."""
    return sum(cell_len(text) for text, _ in spans)


def clip(text: str, width: int) -> str:
    """The text, cut to `width` cells with an ellipsis where it is longer."""
    if cell_len(text) <= width:
        return text
    if width <= 1:
        return "…"[: max(width, 0)]
    return set_cell_size(text, width - 1).rstrip() + "…"


def clip_middle(text: str, width: int) -> str:
    """The text, cut to `width` cells in its middle where it is longer: names of copies differ at their ends."""
    if cell_len(text) <= width or width < 4:
        return clip(text, width)
    head = set_cell_size(text, (width - 1) // 2).rstrip()
    tail = text[-1]
    for character in reversed(text[:-1]):
        if cell_len(head) + 1 + cell_len(tail) + cell_len(character) > width:
            break
        tail = character + tail
    return f"{head}…{tail}"


def clip_spans(spans: Sequence[Span], width: int) -> list[Span]:
    """The spans, cut to `width` cells; the span that crosses the edge ends in an ellipsis."""
    kept: list[Span] = []
    left = width
    for index, (text, ink) in enumerate(spans):
        size = cell_len(text)
        more = any(rest.strip() for rest, _ in spans[index + 1 :])
        if size < left or (size == left and not more):
            kept.append((text, ink))
            left -= size
            continue
        if size > left or more:
            kept.append((clip(text, left) if size > left else clip(text + "…", left), ink))
        break
    return kept


def _printable(text: str) -> str:
    """The text with a mark in place of each control character: a file name may hold any, and a line break in it, or an
    escape sequence, would be carried out by the terminal."""
    return text if text.isprintable() else _CONTROLS.sub("�", text)


def lay_out(line: Row, width: int) -> list[Span]:
    """Spans of exactly `width` cells. The right part loses spans until the left one has 8 cells."""
    if width <= 0:
        return []
    right = [(_printable(text), ink) for text, ink in line.right]
    wanted = min(width_of(line.left), 8)
    while right and width_of(right) + wanted + 1 > width:
        right.pop(0)
    room = width - width_of(right) - (1 if right and line.left else 0)
    left = clip_spans([(_printable(text), ink) for text, ink in line.left], room)
    gap = width - width_of(left) - width_of(right)
    return [*left, (line.fill * gap, line.ink), *right] if gap else [*left, *right]


class Inks:
    """Rich styles by ink: `inks("suggest bold")`. One for each theme; cached for good."""

    def __init__(self, palette: Palette, ground: str = "background") -> None:
        self._palette = palette
        self._colours = palette.colours
        self._ground = ground
        self._styles: dict[str, Style] = {}
        self._others: dict[str, Inks] = {ground: self}

    def on(self, ground: str) -> Inks:
        """The same inks on another ground ('raised')."""
        if ground not in self._others:
            self._others[ground] = Inks(self._palette, ground)
        return self._others[ground]

    def __call__(self, ink: str) -> Style:
        found = self._styles.get(ink)
        if found is None:
            found = self._styles[ink] = self._make(ink)
        return found

    def _make(self, ink: str) -> Style:
        words = iter(ink.split())
        colour, ground = None, self._colours[self._ground]
        marks: dict[str, bool] = {}
        for word in words:
            if word == "on":
                ground = self._colours[next(words)]
            elif word in self._colours:
                colour = self._colours[word]
            else:
                marks[word] = True
        return Style(
            color=colour or self._colours["text"],
            bgcolor=ground,
            bold=marks.get("bold"),
            reverse=marks.get("reverse"),
            underline=marks.get("underline"),
            italic=marks.get("italic"),
        )


def strip_of(line: Row, width: int, inks: Inks) -> Strip:
    """A row as Textual draws it."""
    return Strip([Segment(text, inks(ink)) for text, ink in lay_out(line, width)], width)


class Lines(Widget):
    """A fixed block of rows. `put` changes them and repaints just those that differ."""

    DEFAULT_CSS = """
    Lines { width: 1fr; height: 1; }
    """

    def __init__(
        self,
        rows: Sequence[Row] = (),
        *,
        id: str | None = None,
        classes: str | None = None,
        ground: str = "background",
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.rows: tuple[Row, ...] = tuple(rows)
        self.ground = ground
        self._strips: dict[int, tuple[Row, int, Inks, Strip]] = {}

    def put(self, *rows: Row) -> None:
        """Show these rows; those beyond the widget's height are not drawn."""
        old, self.rows = self.rows, rows
        width, height = self.size
        if len(old) != len(rows) and self.styles.is_auto_height:
            self.refresh(layout=True)
            return
        if not height:  # hidden: what it drew last is still kept somewhere, and would be seen again
            if old != rows:
                self.refresh()
            return
        changed = [
            Region(0, y, width, 1)
            for y in range(min(max(len(old), len(rows)), height))
            if (old[y] if y < len(old) else None) != (rows[y] if y < len(rows) else None)
        ]
        if changed:
            self.refresh(*changed)

    @property
    def text(self) -> str:
        """What is written, without styles: for tests and for screen readers."""
        width = self.size.width or 80
        return "\n".join("".join(text for text, _ in lay_out(line, width)).rstrip() for line in self.rows)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:  # noqa: ARG002  # Textual's
        return len(self.rows)

    def render_line(self, y: int) -> Strip:
        width, inks = self.size.width, inks_of(self, self.ground)
        if y >= len(self.rows):
            return Strip.blank(width, inks("text"))
        cached = self._strips.get(y)
        line = self.rows[y]
        if cached is None or cached[0] is not line or cached[1] != width or cached[2] is not inks:
            cached = self._strips[y] = (line, width, inks, strip_of(line, width, inks))
        return cached[3]


def inks_of(widget: Widget, ground: str = "background") -> Inks:
    """The inks of the theme in force."""
    return cast("ProofsheetApp", widget.app).inks.on(ground)
