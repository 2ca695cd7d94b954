"""What is known of one version of the ranker: its figures, the coverage curve, and bars beside bars.

Scrolls as a whole where there is little room. Relies on `training_report` for what is said; asks the engine nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize

from tui.screens import training_report as words
from tui.widgets.curves import Curves
from tui.widgets.lines import Lines, Row, row

if TYPE_CHECKING:
    from engine.ranking import Consistency
    from engine.ranking.registry import ModelRow

TWO_COLUMNS_FROM = 90  # cells


class Report(VerticalScroll, can_focus=False):
    """The report on a version."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._shown: tuple[ModelRow | None, Consistency | None] = (None, None)

    def compose(self) -> ComposeResult:
        self.head = Lines(id="head")
        self.coverage = Curves(id="coverage")
        self.told = Lines(id="told")
        yield self.head
        yield self.coverage
        yield self.told

    def show(self, one: ModelRow | None, own: Consistency | None) -> None:
        """Show this version."""
        if self._shown[0] is not one:
            self.scroll_home(animate=False)
        self._shown = (one, own)
        width = (self.size.width or 80) - 3
        self.head.put(*words.head(one, own, width))
        panels = words.curve(one.card) if one is not None else ()
        self.coverage.display = bool(panels)
        self.coverage.draw(panels)
        self.told.put(*self._rows(one, width))

    def _rows(self, one: ModelRow | None, width: int) -> list[Row]:
        if one is None or width < TWO_COLUMNS_FROM:
            return words.report(one, width)
        half = width // 2 - 2
        left = words.beside(one.card, half)
        right = [*words.parts(one.card, half), row(), *words.projects(one.card, half)]
        return words.columns(left, right, width)

    def on_resize(self, event: Resize) -> None:
        del event
        self.show(*self._shown)

    def turn(self, step: int) -> None:
        """Scroll by about a screen."""
        self.scroll_relative(y=step * max(1, self.size.height - 2), animate=False)
