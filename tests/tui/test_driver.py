"""A whole app in a pseudo-terminal: what is typed arrives, what the terminal answers does not, early, late or torn."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image

from tests.tui.fake_terminal import ATTRIBUTES, XTERM

DEMO = Path(__file__).with_name("preview_demo.py")
PLAIN = {ATTRIBUTES: "\x1b[?62;22c", "\x1b[?2026$p": "\x1b[?2026;2$y"}


class Session:
    """The demo app at the far end of a pty; a terminal that answers after `delay` seconds, byte by byte if `torn`."""

    def __init__(
        self, log: Path, answers: dict[str, str], delay: float, torn: bool, size: tuple[int, int], *files: Path
    ):
        self.log, self.answers, self.delay, self.torn = log, answers, delay, torn
        self.said = ""
        self._searched = 0
        self._due: list[tuple[float, bytes]] = []
        child, self.master = pty.fork()
        if child == 0:
            # A whole new environment: readline writes COLUMNS and LINES behind Python's back.
            kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
            environ = {**kept, "TERM": "xterm-256color", "PREVIEW_LOG": str(log)}
            os.execve(sys.executable, [sys.executable, str(DEMO), *map(str, files)], environ)
        self.child = child
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def live_until(self, condition: Callable[[], bool], seconds: float = 15) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"never came true; the app said {self.said[-400:]!r}, logged {self.events()}"
            self._live()

    def live_for(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._live()

    def events(self, kind: str | None = None) -> list[dict[str, object]]:
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        found = [json.loads(line) for line in lines]
        return [event for event in found if kind in (None, event["event"])]

    def keys(self) -> list[object]:
        return [event["key"] for event in self.events("key")]

    def _live(self) -> None:
        if select.select([self.master], [], [], 0.01)[0]:
            try:
                self.said += os.read(self.master, 1 << 20).decode("utf-8", "replace")
            except OSError:
                return
        while True:
            found = [(self.said.find(q, self._searched), q) for q in self.answers if q in self.said[self._searched :]]
            if not found:
                break
            at, question = min(found)
            self._searched = at + len(question)
            self._due.append((time.monotonic() + self.delay, self.answers[question].encode()))
        while self._due and self._due[0][0] <= time.monotonic():
            data = self._due.pop(0)[1]
            for start in range(0, len(data), 1 if self.torn else len(data)):
                os.write(self.master, data[start : start + (1 if self.torn else len(data))])
                if self.torn:
                    time.sleep(0.001)


@contextmanager
def session(
    tmp_path: Path,
    answers: dict[str, str],
    *,
    delay: float = 0.0,
    torn: bool = False,
    size: tuple[int, int] = (24, 80),
    files: tuple[Path, ...] = (),
) -> Iterator[Session]:
    running = Session(tmp_path / "log", answers, delay, torn, size, *files)
    try:
        yield running
        running.type("q")
        running.live_until(lambda: os.waitpid(running.child, os.WNOHANG)[0] != 0)
    except BaseException:
        os.kill(running.child, 9)
        os.waitpid(running.child, 0)
        raise
    finally:
        os.close(running.master)


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.png"
    Image.new("RGB", (64, 48), (200, 40, 40)).save(path)
    return path


def test_keys_typed_while_the_terminal_is_asked_arrive_and_its_answers_do_not(tmp_path: Path) -> None:
    answers = {**XTERM, **PLAIN, ATTRIBUTES: "\x1b[?62;4;22c"}
    with session(tmp_path, answers, delay=0.3) as running:
        running.live_until(lambda: "\x1b[c" in running.said)
        running.type("jk12\x1b[C")
        running.live_until(lambda: len(running.keys()) >= 5)
        running.live_for(0.3)
        assert running.keys() == ["j", "k", "1", "2", "right"]
        probe = running.events("probe")[0]
        assert probe["protocol"] == "sixel" and probe["answered"]


def test_answers_that_come_seconds_late_and_in_pieces_never_become_keys(tmp_path: Path, picture: Path) -> None:
    with session(tmp_path, {**XTERM, **PLAIN}, delay=2.0, torn=True, files=(picture,)) as running:
        running.live_until(lambda: bool(running.events("shown")))
        running.type("x")
        running.live_for(1.5)
        running.type("\x1b")
        running.live_until(lambda: len(running.keys()) >= 2)
        assert running.keys() == ["x", "escape"]
        assert not running.events("probe")[0]["answered"]


def test_a_tty_without_a_size_gets_the_terminals_own(tmp_path: Path) -> None:
    with session(tmp_path, {**XTERM, **PLAIN}, size=(0, 0)) as running:
        running.live_until(lambda: "footer" in running.said)
        assert "\x1b[42;1H" in running.said, "it paints down to the last of 42 lines"
        assert running.events("probe")[0]["size"] == [140, 42]
