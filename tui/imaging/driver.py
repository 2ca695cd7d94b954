"""Textual's driver with our filter before its parser: answers of the terminal never become keys.

Also hands on what was typed while the terminal was probed, knows a tty's size when the tty does not, and tells
whoever listens that the terminal has answered (pacing) or that its picture may be gone (resize, resume). Relies on
Textual's Linux driver, whose input loop it replaces; never draws.
"""

from __future__ import annotations

import os
import re
import selectors
import sys
import time
from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import IO, TYPE_CHECKING, Any, cast

from textual import constants, events
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver

from tui.imaging.replies import ESCAPE, ReplyFilter
from tui.terminal import Terminal, settle

if TYPE_CHECKING:
    from textual.app import App

ACKNOWLEDGE = "\x1b[c"  # the one question every terminal answers; its answer has come through already, in the probe
_ANSWER = re.compile(r"\x1b\[\?[\d;]*c")
_GLANCE = 0.02  # seconds between looks while the start of a sequence is held
_IDLE = 0.1


class LastingFile:
    """A terminal to write to that may go away: what is written after that is dropped.

    Textual writes in a thread that dies at the first error, and waits for it at the end: without this, an app whose
    connection dropped would never end.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self.is_gone = False

    def write(self, text: str) -> int:
        """The number of characters taken."""
        if not self.is_gone:
            try:
                return self._file.write(text)
            except (OSError, ValueError):
                self.is_gone = True
        return len(text)

    def flush(self) -> None:
        """Hand on what is buffered."""
        if not self.is_gone:
            try:
                self._file.flush()
            except (OSError, ValueError):
                self.is_gone = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


class TerminalDriver(LinuxDriver):
    """A LinuxDriver that knows the terminal it was probed to be. Made by `driver_for`."""

    terminal: Terminal = Terminal()

    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        if (screen := sys.__stdout__) is not None and screen.isatty() and not (self._file and self._file.isatty()):
            self._file = screen  # standard error goes to a file; the screen does not go with it
        self.on_answer: Callable[[], None] | None = None
        """Called on the event loop for every acknowledgement the terminal sends."""
        self.screens = 0
        """Counts the times the terminal's contents may have been lost: resized, suspended and resumed."""
        self._filter = ReplyFilter(key_delay=constants.ESCAPE_DELAY)
        self._file: Any = LastingFile(cast("IO[str]", self._file))

    def _sigcont_application(self, *arguments: Any) -> None:
        # A hang-up continues the process too, without its having been suspended: nothing is to be set up again.
        if self._must_signal_resume:
            super()._sigcont_application(*arguments)

    def start_application_mode(self) -> None:
        self.screens += 1
        super().start_application_mode()  # type: ignore[no-untyped-call]

    def process_message(self, message: Any) -> None:
        if isinstance(message, events.Resize):
            self.screens += 1
        super().process_message(message)

    def _get_terminal_size(self) -> tuple[int, int]:
        self.screens += 1  # asked at every SIGWINCH, and a resized terminal may have dropped its pictures
        try:
            known = os.get_terminal_size(self.fileno)
        except OSError:
            known = os.terminal_size((0, 0))
        if not all(known) and not (os.environ.get("COLUMNS") and os.environ.get("LINES")):
            return self.terminal.size
        width, height = super()._get_terminal_size()
        return width, height

    def run_input_thread(self) -> None:
        """Read keys until told to stop. What the filter takes out is an answer; the rest is Textual's to parse."""
        parser = XTermParser(self._debug)
        decode = getincrementaldecoder("utf-8")(errors="replace").decode

        def hand_on(text: str) -> None:
            typed, replies = self._filter.feed(text, time.monotonic())
            for reply in replies:
                if _ANSWER.fullmatch(reply) and self.on_answer is not None:
                    self._loop.call_soon_threadsafe(self.on_answer)
            if typed:
                for message in parser.feed(typed):
                    self.process_message(message)

        def tick() -> None:
            late = self._filter.expire(time.monotonic())
            if late == ESCAPE:
                self.process_message(events.Key("escape", ESCAPE))
            elif late:
                for message in parser.feed(late):
                    self.process_message(message)
            for message in parser.tick():
                self.process_message(message)

        try:
            with selectors.SelectSelector() as selector:
                selector.register(self.fileno, selectors.EVENT_READ)
                hand_on(self.terminal.typed)
                while not self.exit_event.is_set():
                    if selector.select(_GLANCE if self._filter.held else _IDLE):
                        try:
                            data = os.read(self.fileno, 4096)
                        except OSError:
                            data = b""
                        if not data:
                            break  # the terminal is gone
                        hand_on(decode(data))
                    tick()
        finally:
            try:
                for _ in parser.feed(""):
                    pass
            except (EOFError, ParseError):
                pass


def driver_for(terminal: Terminal) -> type[Driver]:
    """The driver class to give to `App(driver_class=...)` for a probed terminal, which is settled by this."""
    settle(terminal)
    return type("ProbedTerminalDriver", (TerminalDriver,), {"terminal": terminal})
