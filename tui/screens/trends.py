"""How it goes: errors, throughput, what recurs, what became of fixes and how good the models are, over four weeks.

The same figures as `proofsheet errors report`; `w` writes them to files. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.message import Message

from tui.actions import bindings
from tui.messages import EngineReady
from tui.screens import trends_words as words
from tui.screens.base import Page
from tui.widgets.lines import Lines, row


@dataclass
class Told(Message, bubble=False):
    """The report."""

    report: Mapping[str, Any]


@dataclass
class Written(Message, bubble=False):
    """Where the report was written to."""

    files: list[Path]


class TrendsScreen(Page):
    """`t` on the fixes."""

    place = "trends"
    BINDINGS = bindings("trends")

    def __init__(self) -> None:
        super().__init__()
        self.report: Mapping[str, Any] | None = None

    def compose_body(self) -> ComposeResult:
        self.view = Lines(id="trends")
        with Container(classes="body"):
            yield self.view

    def on_mount(self) -> None:
        super().on_mount()
        self._draw()

    @on(EngineReady)
    def _begin(self) -> None:
        self.work(self._fetch, group="fetch", exclusive=True)

    async def _fetch(self) -> None:
        self.post_message(Told(await self.engine.repair.report()))

    @on(Told)
    def _told(self, event: Told) -> None:
        self.report = event.report
        self._draw()

    def _draw(self) -> None:
        self.top.here(*words.title(self.report))
        if self.report is None:
            self.view.put(row(""), row(("   Adding up ...", "dim")))
        elif words.is_empty(self.report):
            self.view.put(*words.nothing())
        else:
            self.view.put(*words.panel(self.report, max(60, self.view.size.width), self.view.size.height or 18))

    def relaid(self) -> None:
        self._draw()

    def on_resize(self, event: Any) -> None:
        super().on_resize(event)
        self.call_after_refresh(self._draw)

    def action_write(self) -> None:
        self.work(self._write, group="write", exclusive=True)

    async def _write(self) -> None:
        _report, files = await self.engine.repair.write_report()
        self.post_message(Written(files))

    @on(Written)
    def _written(self, event: Written) -> None:
        first = event.files[0]
        self.notice(f"written: {first.name}, .md and .json in {first.parent}", "good")

    def action_back(self) -> None:
        if not self.banner.close():
            self.dismiss(None)

    def view_state(self) -> dict[str, Any]:
        return {}
