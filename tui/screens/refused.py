"""Files that could not be read, each with its reason: nothing is skipped in silence.

A list like the inventory's, fetched by page from `engine.library.refused`. Reads only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize
from textual.message import Message

from tui.actions import bindings
from tui.messages import EngineReady, LibraryGrew
from tui.screens.base import Page
from tui.widgets.chrome import fold
from tui.widgets.lines import Lines, Row, Span, clip, row
from tui.widgets.rowlist import PAGE, RowList

if TYPE_CHECKING:
    from engine.library.model import Refusal


@dataclass
class RefusalsPaged(Message, bubble=False):
    """One page of refusals."""

    start: int
    refusals: list[Refusal]
    edition: int


@dataclass
class RefusalsCounted(Message, bubble=False):
    """How many there are, of each code."""

    codes: tuple[tuple[str, int], ...]


class RefusedScreen(Page):
    """What the scan passed over, and why."""

    place = "refused"
    BINDINGS = bindings("refused")

    def compose_body(self) -> ComposeResult:
        self.rows = RowList(self._row, id="refusals")
        self.details = Lines(id="refusal")
        self.hollow = Lines(classes="empty")
        with Container(classes="body"):
            yield self.rows
            yield self.hollow
            yield self.details

    @on(EngineReady)
    @on(LibraryGrew)
    def _begin(self) -> None:
        if self.proof.engine is not None:
            self.work(self._count, group="count", exclusive=True)

    async def _count(self) -> None:
        self.post_message(RefusalsCounted(await self.engine.library.refused_by_code()))

    @on(RefusalsCounted)
    def _counted(self, event: RefusalsCounted) -> None:
        count = sum(held for _, held in event.codes)
        self.rows.begin(count, self.rows.cursor)
        self.rows.display, self.hollow.display = bool(count), not count
        self.hollow.put(row(("Every file could be read.", "strong")))
        dot: Span = ("  ·  ", "faint")
        here: list[Span] = [("refused files", "strong bold"), dot, (f"{count:,}", "danger" if count else "dim")]
        if len(event.codes) > 1:
            for code, held in event.codes:
                here += [dot, (code.replace("_", " "), "text"), (f" {held:,}", "dim")]
        self.top.here(*here)
        self.status.fact(*([("the files themselves were not touched", "dim")] if count else []))
        self.offer(None if count else ["refused.back"])

    @on(RowList.Wanted)
    def _wanted(self, event: RowList.Wanted) -> None:
        event.stop()
        self.work(self._fetch, event.start, event.edition)

    async def _fetch(self, start: int, edition: int) -> None:
        self.post_message(RefusalsPaged(start, await self.engine.library.refused(PAGE, start), edition))

    @on(RefusalsPaged)
    def _paged(self, event: RefusalsPaged) -> None:
        self.rows.fill(event.start, event.refusals, event.edition)
        self._describe()

    @on(RowList.Moved)
    def _moved(self, event: RowList.Moved) -> None:
        event.stop()
        self._describe()

    def _describe(self) -> None:
        refusal = cast("Refusal | None", self.rows.value(self.rows.cursor))
        if refusal is not None:
            reason = fold(refusal.reason, max(20, self.size.width - 6))
            self.details.put(row((f"   {refusal.path}", "dim")), *(row((f"   {line}", "danger")) for line in reason))

    def on_resize(self, event: Resize) -> None:
        super().on_resize(event)
        self._describe()

    def _row(self, value: object, selected: bool) -> Row:
        refusal = cast("Refusal", value)
        path = PurePath(refusal.path)
        name = max(16, min(36, self.size.width // 3))
        ground = " on raised" if selected else ""
        spans: tuple[Span, ...] = (
            (" ▸ " if selected else "   ", "suggest" + ground),
            (clip(path.name, name).ljust(name), ("strong" if selected else "text") + ground),
            (f"  {refusal.code.replace('_', ' '):<14}", "danger" + ground),
            (refusal.reason, "dim" + ground),
        )
        return Row(spans, ink="dim" + ground)

    def action_move(self, step: int) -> None:
        self.rows.move(self.rows.cursor + step)

    def action_page(self, step: int) -> None:
        self.rows.move(self.rows.cursor + step * max(1, self.rows.size.height - 1))

    def action_edge(self, end: int) -> None:
        self.rows.move(0 if end < 0 else self.rows.count - 1)

    def action_back(self) -> None:
        if not self.banner.close():
            self.dismiss()
