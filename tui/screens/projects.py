"""Progress by project, over the ranking screen: how far each is, how long the rest may take, and the way to review one.

Relies on `engine.ranking.progress_by_project`; answers with the project chosen in a tuple, or None.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.screen import ModalScreen

from tui.actions import bindings
from tui.screens import finish_words as words
from tui.widgets.lines import Lines, row

if TYPE_CHECKING:
    from engine.ranking import ProjectProgress
    from tui.app import ProofsheetApp


@dataclass
class Counted(Message, bubble=False):
    """How far every project is; the first entry is all of them."""

    found: list[ProjectProgress]


class ProjectsScreen(ModalScreen[tuple[str | None] | None]):
    """`P`"""

    BINDINGS = bindings("projects")
    AUTO_FOCUS = ""

    def __init__(self, chosen: str | None) -> None:
        super().__init__()
        self.chosen = chosen
        self.found: list[ProjectProgress] = []
        self.cursor = 0

    def compose(self) -> ComposeResult:
        self.table = Lines([row(("counting…", "dim"))], ground="raised")
        with VerticalScroll(id="sheet", can_focus=False):
            yield self.table

    def on_mount(self) -> None:
        self.run_worker(self.proof.guarded(self._count), exit_on_error=False)

    @property
    def proof(self) -> ProofsheetApp:
        """The app, by its own type."""
        return cast("ProofsheetApp", self.app)

    async def _count(self) -> None:
        engine = self.proof.engine
        if engine is not None:
            every = await engine.ranking.progress()
            self.post_message(Counted([every, *await engine.ranking.progress_by_project()]))

    @on(Counted)
    def _counted(self, event: Counted) -> None:
        self.found = event.found
        names = [one.project for one in self.found]
        self.cursor = names.index(self.chosen) if self.chosen in names else 0
        self._draw()

    def _draw(self) -> None:
        width = min(90, int(self.app.size.width * 0.96)) - 4
        rows = words.projects(self.found, self.cursor, self.chosen, width)
        keys = row(("enter", "strong bold"), (" review it   ", "dim"), ("esc", "strong bold"), (" back", "dim"))
        self.table.put(row(("Progress by project", "strong bold")), row(), *rows, row(), keys)
        self.query_one("#sheet", VerticalScroll).scroll_to(y=max(0, self.cursor - 8), animate=False)

    def action_move(self, step: int) -> None:
        if self.found:
            self.cursor = max(0, min(len(self.found) - 1, self.cursor + step))
            self._draw()

    def action_open(self) -> None:
        self.dismiss((self.found[self.cursor].project,) if self.found else None)

    def action_back(self) -> None:
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        if self.get_widget_at(event.screen_x, event.screen_y)[0] is self:
            self.dismiss(None)
