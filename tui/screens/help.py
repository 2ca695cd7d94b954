"""The help overlay: every key of the screen below it, then those that hold everywhere, from the action registry."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen

from tui.actions import TITLES, Place, actions, bindings
from tui.widgets.lines import Lines, Row, Span, row, width_of

if TYPE_CHECKING:
    from tui.app import ProofsheetApp
    from tui.keymap import Keymap

KEYS = 18  # columns for the keys
IDS_FROM = 100  # columns from which the action ids have room


class HelpScreen(ModalScreen[None]):
    """`?`"""

    BINDINGS = bindings("help")
    AUTO_FOCUS = ""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.about = place

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="sheet", can_focus=False):
            width = min(112, int(self.app.size.width * 0.96)) - 6
            yield Lines(help_rows(self.about, cast("ProofsheetApp", self.app).keymap, width), ground="raised")

    def action_scroll(self, step: int) -> None:
        self.query_one("#sheet", VerticalScroll).scroll_relative(y=step * 2, animate=False)

    def action_back(self) -> None:
        self.dismiss()

    def on_click(self, event: events.Click) -> None:
        if self.get_widget_at(event.screen_x, event.screen_y)[0] is self:
            self.dismiss()


def help_rows(place: Place, keymap: Keymap, width: int) -> list[Row]:
    """The rows of the help for one screen, folded into `width` cells."""
    made: list[Row] = []
    for section in dict.fromkeys((place, "everywhere")):
        made.append(row((TITLES[section], "strong bold")))
        for action in actions(section):
            ids: tuple[Span, ...] = ((action.id, "faint"),) if width >= IDS_FROM else ()
            room = max(20, width - KEYS - (width_of(ids) + 2 if ids else 0))
            lines = textwrap.wrap(action.help, room)
            keys = keymap.shown(action, most=3)
            made.append(row((f"{keys:<{KEYS}}", "suggest"), (lines[0], "text"), right=ids))
            made += [row((" " * KEYS + line, "text")) for line in lines[1:]]
        made.append(row())
    example = 'keymap = { "ranking.skip" = "n,space" }'
    made.append(row(("Keys are yours to change, in proofsheet.toml:  ", "dim"), (example, "text")))
    return made
