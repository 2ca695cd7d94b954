"""A terminal for tests: the other end of a pty that answers questions as scripted, late, in pieces, or not at all."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import termios
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager

KITTY, NAME, COLOUR = "\x1b_Gi=31", "\x1b[>q", "\x1bP$qm"
CELL, AREA, SIZE, CURSOR, ATTRIBUTES = "\x1b[16t", "\x1b[14t", "\x1b[18t", "\x1b[6n", "\x1b[c"
XTERM = {
    NAME: "\x1bP>|XTerm(379)\x1b\\",
    COLOUR: "\x1bP1$r0;48:2::1:2:3m\x1b\\",
    CELL: "\x1b[6;17;8t",
    AREA: "\x1b[4;408;640t",
    SIZE: "\x1b[8;42;140t",
    CURSOR: "\x1b[42;140R",
    ATTRIBUTES: "\x1b[?62;4;22c",
}


class FakeTerminal(AbstractContextManager["FakeTerminal"]):
    """Answers each question once, in the order asked. `size` is (rows, columns); `delay` seconds before any answer.

    `pieces` sends answers in portions of so many bytes; `typed` is sent before the first answer.
    """

    def __init__(
        self,
        answers: Mapping[str, str],
        *,
        size: tuple[int, int] = (24, 80),
        delay: float = 0.0,
        pieces: int = 0,
        typed: str = "",
    ) -> None:
        self.answers, self.delay, self.pieces, self.typed = dict(answers), delay, pieces, typed
        self.master, self.tty = os.openpty()
        fcntl.ioctl(self.tty, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        self.said = ""
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def __enter__(self) -> FakeTerminal:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(5)
        os.close(self.master)
        os.close(self.tty)

    @property
    def size(self) -> tuple[int, int]:
        """(rows, columns) that the tty believes in now."""
        rows, columns, _, _ = struct.unpack("HHHH", fcntl.ioctl(self.tty, termios.TIOCGWINSZ, b"\0" * 8))
        return rows, columns

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def unread(self) -> str:
        """What lies in the tty for the next reader."""
        before = termios.tcgetattr(self.tty)
        raw = termios.tcgetattr(self.tty)
        raw[3] &= ~(termios.ICANON | termios.ECHO)
        termios.tcsetattr(self.tty, termios.TCSANOW, raw)
        try:
            ready = select.select([self.tty], [], [], 0)[0]
            return os.read(self.tty, 4096).decode() if ready else ""
        finally:
            termios.tcsetattr(self.tty, termios.TCSANOW, before)

    def _live(self) -> None:
        waiting = ""
        while not self._stop.is_set():
            if not select.select([self.master], [], [], 0.02)[0]:
                continue
            text = os.read(self.master, 65536).decode("utf-8", "replace")
            self.said += text
            waiting += text
            found = sorted((waiting.find(question), question) for question in self.answers if question in waiting)
            if not found:
                continue
            waiting = ""
            if self._stop.wait(self.delay):
                return
            reply = self.typed + "".join(self.answers[question] for _, question in found)
            self.typed = ""
            data = reply.encode()
            step = self.pieces or len(data)
            for start in range(0, len(data), step):
                os.write(self.master, data[start : start + step])
                if self.pieces:
                    time.sleep(0.002)
