"""One image of a set: its number and label over a rule, the picture, and what is known of it below.

A `Face` says everything a cell shows; `Cell.wear` changes only the rows and the picture that differ, so a verdict
mark costs one line. State is told by glyph and weight first (★ suggested, ✓ picked, ✗ refused, heavy rule: marked),
and by colour second. In the strip of a narrow screen the same cell stands on its side.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from textual import events
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget

from tui.widgets.chrome import bar
from tui.widgets.lines import Lines, Row, Span, row, rule
from tui.widgets.preview import PreviewImage

Mark = Literal["", "picked", "refused", "skipped"]
Shape = Literal["column", "strip", "short"]

_GLYPHS: dict[Mark, Span] = {
    "": ("", "dim"),
    "picked": ("✓", "decided bold"),
    "refused": ("✗", "danger"),
    "skipped": ("–", "dim"),
}


@dataclass(frozen=True, slots=True)
class Face:
    """All that a cell shows."""

    path: Path
    number: int
    label: str
    details: str
    is_marked: bool = False
    is_suggested: bool = False
    confidence: str = ""
    share: float | None = None  # the confidence as a number, for its bar
    sure: str = ""  # and in words
    reasons: str = ""
    mark: Mark = ""
    differences: str = ""  # what sets this one apart from the suggested one


class Cell(Widget):
    """A place for one image; `shape` follows the layout."""

    class Touched(Message):
        """Clicked: once to mark it, twice to pick it."""

        def __init__(self, cell: Cell, twice: bool) -> None:
            super().__init__()
            self.cell = cell
            self.twice = twice

    def __init__(self, place: int) -> None:
        super().__init__(id=f"cell-{place}")
        self.place = place
        self.face: Face | None = None
        self.shape: Shape = "column"
        self.head = Lines(classes="head")
        self.picture = PreviewImage()
        self.foot = Lines(classes="foot")

    def compose(self) -> ComposeResult:
        yield self.head
        yield self.picture
        yield self.foot

    def wear(self, face: Face | None) -> None:
        """Show this; None empties the place but keeps its room."""
        old, self.face = self.face, face
        if face is None:
            if old is not None:
                self.picture.clear()
                self.head.put()
                self.foot.put()
            return
        if old is None or old.path != face.path:
            self.picture.clear()  # never the old picture under the new heading, not even for a moment
            if self.shape != "short":
                self.picture.show(face.path)
        self._write()

    def stand(self, shape: Shape) -> None:
        """Take the form that the layout asks for."""
        if shape == self.shape:
            return
        was, self.shape = self.shape, shape
        self.set_class(shape == "short", "-short")
        if self.face is not None:
            if was == "short":
                self.picture.show(self.face.path)
            self._write()

    def _write(self) -> None:
        face = self.face
        if face is None:
            return
        if self.shape == "column":
            self.head.put(*_column_head(face))
            self.foot.put(*_column_foot(face))
        else:
            self.head.put(*_strip_rows(face, self.shape == "short"))

    def on_click(self, event: events.Click) -> None:
        event.stop()
        self.post_message(self.Touched(self, event.chain == 2))


def _number(face: Face) -> Span:
    return (f" {face.number} ", "strong bold reverse" if face.is_marked else "dim")


def _star(face: Face) -> tuple[Span, ...]:
    if not face.is_suggested:
        return ()
    return (("★", "suggest bold"), (f" {face.confidence}", "suggest")) if face.confidence else (("★", "suggest bold"),)


def _sure(face: Face) -> tuple[Span, ...]:
    """The confidence as a bar and in words."""
    if face.share is None or not face.is_suggested:
        return ()
    return (*bar(face.share, 8, "suggest"), (f" {face.sure}", "dim"))


def _column_head(face: Face) -> tuple[Row, Row]:
    glyph = _GLYPHS[face.mark]
    tail = (*_star(face), (" ", "dim"), glyph) if face.mark else _star(face)
    ink = "strong" if face.is_marked else "text"
    words = Row((_number(face), (" " + face.label, ink)), (*tail, (" ", "dim")) if tail else ())
    line = (
        "decided"
        if face.mark == "picked"
        else "suggest"
        if face.is_suggested
        else "strong"
        if face.is_marked
        else "rule"
    )
    return words, rule(heavy=face.is_marked or face.mark == "picked", ink=line)


def _column_foot(face: Face) -> tuple[Row, Row]:
    below = (face.reasons, "suggest") if face.is_suggested else (face.differences, "text")
    return Row(((face.details, "dim"),), _sure(face)), row(below)


def shorter(reason: str) -> str:
    """A reason where there is little room: `the sharpest of the set` is `sharpest`."""
    return reason.removeprefix("the ").removesuffix(" of the set")


def _strip_rows(face: Face, short: bool) -> tuple[Row, ...]:
    edge: Span = ("▌", "suggest" if face.is_suggested else "strong") if face.is_marked else (" ", "dim")
    ink = "strong" if face.is_marked else "text"
    words: tuple[Span, ...] = (
        edge,
        (f"{face.number}", "strong bold" if face.is_marked else "dim"),
        (f" {face.label}", ink),
    )
    glyph = _GLYPHS[face.mark]
    if short:
        return Row(words, (*_star(face), (" ", "dim"), glyph)), Row((edge, ("  " + face.details, "dim")))
    rows = [Row(words)]
    if face.is_suggested or face.mark:
        gap: Span = ("  " if face.is_suggested and face.mark else "", "dim")
        sure = f"  {face.sure}" if face.sure and face.is_suggested and not face.mark else ""
        rows.append(Row((edge, ("  ", "dim"), *_star(face), (sure, "dim"), gap, glyph)))
    reasons = face.reasons.split(" · ") if face.is_suggested and face.reasons else []
    rows += [Row((edge, ("  " + shorter(reason), "suggest"))) for reason in reasons[:2]]
    if face.differences and not face.is_suggested:
        rows.append(Row((edge, ("  " + face.differences, "text"))))
    rows.append(Row((edge, ("  " + face.details, "dim"))))
    rows += [Row((edge,))] * (4 - len(rows))
    return tuple(rows[:4])
