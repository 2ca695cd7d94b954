"""The page of gaps: what there is against what is recommended, how far each project is, and what was refused.

Every bar can be chosen; Enter closes the page and lists its images. With a filter the page is about what the filter
finds, so that choosing a project and coming back shows the mix of that project. Reads only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from tui.actions import bindings
from tui.messages import EngineReady, LibraryGrew
from tui.screens.base import Page
from tui.screens.gaps_words import Bar, Line, Part, advice, heading, line_row, parts
from tui.widgets.lines import Lines, Row, Span, row
from tui.widgets.rowlist import RowList

if TYPE_CHECKING:
    from engine.library.distribution import Mix
    from engine.library.progress import Progress

GROWS_EVERY = 10.0  # seconds between counts while the library grows


@dataclass
class Weighed(Message, bubble=False):
    """The mix of what the filter finds, and every project's progress."""

    mix: Mix
    progress: list[Progress]


class GapsScreen(Page):
    """What there is, what is wanted. Its result is the query of the bar that was chosen, or None."""

    place = "gaps"
    BINDINGS = bindings("gaps")

    def __init__(self, filter: str = "") -> None:
        super().__init__()
        self.filter = filter
        self.mix: Mix | None = None
        self._progress: list[Progress] = []
        self._lines: list[Part | Line | Bar] = []

    def compose_body(self) -> ComposeResult:
        self.rows = RowList(self._row, id="gaps")
        self.advice = Lines(id="advice")
        self.hollow = Lines(classes="empty")
        with Container(classes="body"), Container(id="weighed"):
            yield self.rows
            yield self.advice
            yield self.hollow

    @on(EngineReady)
    def _begin(self) -> None:
        self._say()
        self.work(self._weigh, group="weigh", exclusive=True)

    @on(LibraryGrew)
    def _grew(self) -> None:
        self.calmly(self._begin, GROWS_EVERY)

    async def _weigh(self) -> None:
        mix = await self.engine.library.mix(self.filter, with_coverage=False)
        self.post_message(Weighed(mix, await self.engine.library.progress()))

    @on(Weighed)
    def _weighed(self, event: Weighed) -> None:
        first = self.mix is None
        self.mix, self._progress = event.mix, event.progress
        self._lay_out(self._first() if first else self.rows.cursor)

    def _lay_out(self, cursor: int) -> None:
        if self.mix is None:
            return
        self._lines = parts(self.mix, self._progress)
        self.rows.begin(len(self._lines), min(cursor, len(self._lines) - 1))
        self.rows.fill(0, self._lines, self.rows.edition)
        if cursor == 0:
            self.rows.move(self._first())
        self.advice.put(*advice(self.mix, self._progress))
        self._say()

    def relaid(self) -> None:
        self.rows.refresh()

    def _say(self) -> None:
        dot: Span = ("  ·  ", "faint")
        here: list[Span] = [("gaps", "strong bold")]
        if self.mix is not None:
            here += [dot, (f"{self.mix.images:,}", "strong"), (" image" + "s" * (self.mix.images != 1), "dim")]
            if self.filter:
                here += [dot, (f"of “{self.filter}”", "decided")]
            if self.mix.studied < self.mix.images:
                here += [dot, (f"{self.mix.images - self.mix.studied:,}", "suggest"), (" not looked at yet", "dim")]
        self.top.here(*here)
        self.hollow.display = self.mix is None
        if self.mix is None:
            self.hollow.put(row(("Counting…", "dim")))
        else:
            self.status.fact(("recommended: ", "dim"), (self.mix.recommended_file.rpartition("/")[2], "text"))

    def _row(self, value: object, selected: bool) -> Row:
        width = self.rows.scrollable_content_region.width or self.size.width
        if isinstance(value, Part):
            return heading(value, width)
        assert isinstance(value, (Line, Bar))  # noqa: S101  # for the type checker: `_lines` holds nothing else
        return line_row(value, width, selected)

    # -- moving -------------------------------------------------------------------------------------------------------

    def _first(self) -> int:
        return next((at for at, line in enumerate(self._lines or ()) if not isinstance(line, Part)), 0)

    def _step(self, start: int, step: int) -> int:
        """The next place from `start` that can be chosen; `start` when there is none."""
        at = start + step
        while 0 <= at < len(self._lines):
            if not isinstance(self._lines[at], Part):
                return at
            at += step
        return start

    def action_move(self, step: int) -> None:
        self.rows.move(self._step(self.rows.cursor, step))

    def action_page(self, step: int) -> None:
        to = self.rows.cursor + step * max(1, self.rows.size.height - 1)
        to = max(0, min(to, len(self._lines) - 1))
        self.rows.move(to if self._lines and not isinstance(self._lines[to], Part) else self._step(to, 1))

    def action_edge(self, end: int) -> None:
        self.rows.move(self._first() if end < 0 else len(self._lines) - 1)

    def action_part(self, step: int) -> None:
        """To the first bar of the next part, or of the part before."""
        heads = [at for at, line in enumerate(self._lines) if isinstance(line, Part)]
        own = max((at for at in heads if at < self.rows.cursor), default=0)
        places: Sequence[int] = [at for at in heads if at > own] if step > 0 else [at for at in heads if at < own][::-1]
        if places:
            self.rows.move(self._step(places[0], 1))

    # -- choosing -----------------------------------------------------------------------------------------------------

    @on(RowList.Opened)
    def _opened(self, event: RowList.Opened) -> None:
        event.stop()
        self.action_choose()

    def action_choose(self) -> None:
        line = self.rows.value(self.rows.cursor)
        if isinstance(line, Bar) and line.share.query:
            self.dismiss(line.share.query)
        elif isinstance(line, Line) and line.query == "refused":
            from tui.screens.refused import RefusedScreen

            self.proof.push_screen(RefusedScreen())
        elif isinstance(line, Line) and line.query:
            self.dismiss(line.query)
        else:
            self.notice("this one is not a list of images")

    def action_back(self) -> None:
        if not self.banner.close():
            self.dismiss(None)
