"""Reading error logs: any file, in one pass, whatever it holds, with what could not be read named by line.

A file may mix plain text (tracebacks, pytest output) and JSON lines. It is read in portions, so that a log of any
length fits into memory; a portion never ends inside a traceback.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from engine.errors import UsageError
from engine.repair import jsonlines, tracebacks
from engine.repair.log_times import Times, time_of
from engine.repair.record import ErrorRecord, Skipped

PORTION = 20_000  # lines of text that are looked at together
SLACK = 5_000  # lines that a portion may grow beyond, to end between two tracebacks
_ESCAPED = "Traceback (most recent call last):\\n"
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_DOCKER = ('{"log":"', '{"log": "')  # a container's log: a JSON object for each line that was printed
_DOCKER_KEYS = {"log", "stream", "time", "attrs"}  # others are a logger's own, and `log` is its message


def read_log(path: Path) -> Iterator[ErrorRecord | Skipped]:
    """Every error in the file at `path`, in order. Raises UsageError when it cannot be opened."""
    try:
        with path.open("rb") as file:
            problem = why_unreadable(path, file.read(2))
            if problem:
                raise problem
            file.seek(0)
            yield from read_lines((raw.decode("utf-8", "replace") for raw in file), str(path))
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", remedy="Name a log file that is yours to read."
        ) from error


def read_lines(lines: Iterable[str], source: str, first: int = 1) -> Iterator[ErrorRecord | Skipped]:
    """Every error in `lines`, whose first has the number `first`."""
    waiting = _Waiting(source)
    for number, raw in enumerate(lines, first):
        line = raw.rstrip("\r\n")
        printed_at = None
        if "\x1b" in line:
            line = _COLOURS.sub("", line)
        if line.startswith(_DOCKER):
            line, printed_at = _of_docker(line)
        if line.startswith(_ESCAPED):
            waiting.add(_unescaped(line), number, printed_at)
            yield from waiting.take()
        elif _is_json(line) and not _is_inside(waiting.lines):
            yield from waiting.take()
            for one in jsonlines.read_line(line, source, number):
                is_untimed = isinstance(one, ErrorRecord) and one.timestamp is None
                yield replace(one, timestamp=printed_at) if is_untimed else one  # type: ignore[arg-type]
        else:
            waiting.add(line.split("\r"), number, printed_at)  # a progress bar returns to the line's start
            count = len(waiting.lines)
            if count >= PORTION and (not _is_inside(waiting.lines) or count >= PORTION + SLACK):
                yield from waiting.take(above=line)
    yield from waiting.take()


class _Waiting:
    """Lines of text that were not looked at yet, the number that each has in its file (several have the same where
    one line of the file holds more), and what the containers' log said of when they were printed."""

    def __init__(self, source: str) -> None:
        self.lines: list[str] = []
        self._numbers: list[int] = []
        self._source = source
        self._above = ""
        self._printed: dict[int, str] = {}

    def add(self, parts: Sequence[str], number: int, printed_at: str | None) -> None:
        if printed_at is not None:
            self._printed.update(dict.fromkeys(range(len(self.lines), len(self.lines) + len(parts)), printed_at))
        self.lines += parts
        self._numbers += [number] * len(parts)

    def take(self, above: str = "") -> Iterator[ErrorRecord | Skipped]:
        """What these lines tell; `above` is the line directly above the next ones."""
        if not self.lines:
            self._above = above
            return iter(())
        found = _text(self.lines, self._numbers, self._source, self._above, self._printed)
        self.lines, self._numbers, self._printed, self._above = [], [], {}, above
        return found


def _is_json(line: str) -> bool:
    """Whether a line is to be read as JSON. One that begins as an object is; one that begins as a list of objects only
    where it is one, for Python prints its lists so too."""
    return line[:1] == "{" or (line[:2] == "[{" and jsonlines.is_list(line))


def _of_docker(line: str) -> tuple[str, str | None]:
    """What was printed, of a line of a container's log, and when; the line itself where it is something else."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return line, None
    if not isinstance(data["log"], str) or not data.keys() <= _DOCKER_KEYS:
        return line, None
    return data["log"].rstrip("\r\n"), time_of(str(data.get("time") or ""))


def why_unreadable(path: Path, head: bytes) -> UsageError | None:
    """Why a log that begins so cannot be read, with the remedy."""
    if head.startswith(b"\x1f\x8b"):
        return UsageError(f"{path} is compressed", remedy=f"Unpack it first: gunzip -k {path.name}")
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        remedy = f"Convert it first: iconv -f utf-16 -t utf-8 {path.name} > utf8.log"
        return UsageError(f"{path} is in UTF-16, as PowerShell writes it", remedy=remedy)
    return None


def _unescaped(line: str) -> list[str]:
    """The lines of a traceback that pytest wrote as one line, escaped, since the locale could not print it."""
    try:
        return line.encode("ascii").decode("unicode-escape").split("\n")
    except UnicodeError:
        return line.split("\\n")


def _text(
    lines: list[str], numbers: Sequence[int], source: str, above: str, printed: Mapping[int, str]
) -> Iterator[ErrorRecord | Skipped]:
    times: Times | None = None
    for one in tracebacks.read_lines(lines, source):
        at = one.line - 1
        if isinstance(one, ErrorRecord):
            times = times or Times(lines, above)
            one = replace(one, timestamp=printed.get(at) or times.of(one, at))
        yield replace(one, line=numbers[at])


def _is_inside(lines: list[str]) -> bool:
    """Whether the last lines belong to something that goes on: a frame, a chain, a pytest section."""
    for line in reversed(lines[-3:]):
        if tracebacks.HEADER.match(line) or tracebacks.FRAME.match(line) or tracebacks.CHAINED.match(line):
            return True
        if line[:1] in " E>|+":
            return True
    return False
