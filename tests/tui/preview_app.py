"""The app behind `preview_demo.py`, also used by the pilot tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual import events, on
from textual.app import App, ComposeResult
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from tui.images import PreviewService
from tui.imaging.driver import driver_for
from tui.imaging.render import open_plainly
from tui.terminal import Choice, Terminal
from tui.widgets.preview import PreviewImage


class Note(ModalScreen[None]):
    """Something that lies over the pictures."""

    CSS = "Note { align: center middle; } Static { width: 40; height: 7; border: round $accent; }"
    BINDINGS: ClassVar = [("escape", "dismiss", "back")]

    def compose(self) -> ComposeResult:
        yield Static("A modal over the pictures.\n\nEscape goes back.")


class PreviewApp(App[None]):
    """Three previews, or one large, and a line that shows every key that arrived."""

    CSS = """
    #row { height: 1fr; }
    .frame { border: round $foreground 20%; margin: 0 1; }
    #keys { height: 1; }
    """
    BINDINGS: ClassVar = [
        ("right", "move(1)", "next"),
        ("left", "move(-1)", "back"),
        ("t", "toggle", "protocol"),
        ("m", "modal", "modal"),
        ("n", "note", "notify"),
        ("z", "zoom", "zoom"),
        ("q", "quit", "quit"),
    ]

    def __init__(
        self,
        terminal: Terminal,
        choice: Choice,
        files: list[Path],
        record: Callable[..., None] = lambda event, **data: None,
        *,
        decode=open_plainly,
        panes: int = 3,
    ) -> None:
        super().__init__(driver_class=driver_for(terminal))
        self.previews = PreviewService(decode, terminal, choice)
        self.files, self.at, self.panes = files, 0, panes
        self.record = record
        self.typed = ""

    def compose(self) -> ComposeResult:
        yield Static(f"{self.previews.terminal.name} · {self.previews.protocol}", id="title")
        with Horizontal(id="row"):
            for number in range(self.panes):
                with Vertical(classes="frame"):
                    yield PreviewImage(id=f"p{number}")
                    yield Static("", id=f"c{number}")
        yield Static("", id="keys")
        yield Static("footer: the last line stays text")

    def on_mount(self) -> None:
        self.show()

    def show(self) -> None:
        for number in range(self.panes):
            if not self.files:
                continue
            file = self.files[(self.at + number) % len(self.files)]
            self.query_one(f"#p{number}", PreviewImage).show(file)
            self.query_one(f"#c{number}", Static).update(f"[b]{number + 1}[/b] {file.name}")
        self.query_one("#title", Static).update(f"{self.previews.terminal.name} · {self.previews.protocol} · {self.at}")

    def on_key(self, event: events.Key) -> None:
        self.typed += f" {event.key}"
        self.record("key", key=event.key)
        self.query_one("#keys", Static).update(self.typed[-100:])

    @on(PreviewImage.Shown)
    def shown(self, event: PreviewImage.Shown) -> None:
        self.record("shown", slot=event.preview.id, path=event.path.name)

    @on(PreviewImage.Refused)
    def refused(self, event: PreviewImage.Refused) -> None:
        self.record("refused", slot=event.preview.id, path=event.path.name, reason=event.reason)

    def action_move(self, by: int) -> None:
        self.at += by
        self.show()
        nearby = [self.files[(self.at + self.panes + n) % len(self.files)] for n in range(2)]
        self.query_one("#p0", PreviewImage).prefetch(nearby)

    def action_toggle(self) -> None:
        self.previews.next_protocol()
        self.show()

    def action_modal(self) -> None:
        self.push_screen(Note())

    def action_note(self) -> None:
        self.notify("A notification over the pictures.", timeout=3)

    def action_zoom(self) -> None:
        for number in range(1, self.panes):
            frame = self.query_one(f"#p{number}").parent
            frame.display = not frame.display

    def on_unmount(self) -> None:
        self.previews.close()
