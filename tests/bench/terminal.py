"""Watch a terminal program from outside: how long to its first picture, how long from a key to the answer."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from types import TracebackType

# What a plain colour terminal without graphics answers to the questions a program may ask at start.
_ANSWERS = {b"\x1b[c": b"\x1b[?62;22c", b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[6n": b"\x1b[1;1R"}


class Watched:
    """A program in a pseudo-terminal of its own."""

    def __init__(
        self, command: Sequence[str], *, size: tuple[int, int] = (24, 80), environment: Mapping[str, str] | None = None
    ) -> None:
        self.begun = time.monotonic()
        self.seen = b""
        self._child, self._master = pty.fork()
        if self._child == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor", **(environment or {}))
            os.execvp(command[0], list(command))
        rows, columns = size
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, columns * 10, rows * 20))

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def until(self, marker: bytes, limit: float = 60.0) -> float:
        """Seconds from the start until `marker` was printed. Raises TimeoutError with what was seen."""
        end = time.monotonic() + limit
        while marker not in self.seen:
            if not self._read(max(0.0, end - time.monotonic())):
                raise TimeoutError(f"{marker!r} not seen in {limit} s; last: {self.seen[-300:]!r}")
        return time.monotonic() - self.begun

    def settle(self, quiet: float = 0.3, limit: float = 20.0) -> None:
        """Wait until nothing was printed for `quiet` seconds."""
        end = time.monotonic() + limit
        while time.monotonic() < end and self._read(quiet):
            pass

    def press(self, key: bytes, *, quiet: float = 0.12, limit: float = 3.0) -> tuple[float, float, int]:
        """Milliseconds from the key to the first byte of the answer and to its last one, and the bytes."""
        self._drain()
        before = len(self.seen)
        pressed = time.monotonic()
        os.write(self._master, key)
        first = last = None
        while self._read(quiet if last else limit):
            last = time.monotonic()
            first = first or last
        if first is None or last is None:
            raise TimeoutError(f"no answer to {key!r}")
        return (first - pressed) * 1000, (last - pressed) * 1000, len(self.seen) - before

    def hang_up(self, limit: float = 5.0) -> tuple[int, float]:
        """Drop the connection; the program's exit code and how many seconds it took to end. Raises TimeoutError."""
        os.close(self._master)
        self._master = -1
        begun = time.monotonic()
        while time.monotonic() - begun < limit:
            ended, status = os.waitpid(self._child, os.WNOHANG)
            if ended:
                self._child = 0
                return os.waitstatus_to_exitcode(status), time.monotonic() - begun
            time.sleep(0.01)
        raise TimeoutError(f"still there {limit} s after the terminal was gone")

    def close(self) -> None:
        """End the program."""
        if self._child == 0:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self._child, number)
            except ProcessLookupError:
                break
            end = time.monotonic() + 1.5
            while time.monotonic() < end and os.waitpid(self._child, os.WNOHANG) == (0, 0):
                self._read(0.05) if self._master >= 0 else time.sleep(0.05)
            else:
                if time.monotonic() < end:
                    break
        if self._master >= 0:
            os.close(self._master)

    def _drain(self) -> None:
        while self._read(0):
            pass

    def _read(self, wait: float) -> bool:
        if not select.select([self._master], [], [], wait)[0]:
            return False
        try:
            data = os.read(self._master, 1 << 20)
        except OSError:
            return False
        for question, answer in _ANSWERS.items():
            for _ in range(data.count(question)):
                os.write(self._master, answer)
        self.seen += data
        return bool(data)
