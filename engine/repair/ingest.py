"""Reading error logs: any file, in one pass, whatever it holds, with what could not be read named by line.

A file may mix plain text (tracebacks, pytest output) and JSON lines. It is read in portions, so that a log of any
length fits into memory; a portion never ends inside a traceback.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from engine.clock import iso
from engine.errors import UsageError
from engine.repair import jsonlines, tracebacks
from engine.repair.record import ErrorRecord, Skipped

PORTION = 20_000  # lines of text that are looked at together
SLACK = 5_000  # lines that a portion may grow beyond, to end between two tracebacks
_ESCAPED = "Traceback (most recent call last):\\n"
_TIME = re.compile(
    r"[^\d\n]{0,40}(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{3}(?:\d{3})?)?)?)"
    r" ?(?P<offset>Z|[+-]\d\d:?\d\d)?"
)
_LOOK_BACK = 200  # lines
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_DOCKER = ('{"log":"', '{"log": "')  # a container's log: a JSON object for each line that was printed


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
    waiting: list[str] = []
    begun = first
    number = first - 1
    for number, raw in enumerate(lines, first):
        line = raw.rstrip("\r\n")
        if "\x1b" in line:
            line = _COLOURS.sub("", line)
        if line.startswith(_DOCKER):
            line = _of_docker(line)
        if line.startswith(_ESCAPED):
            waiting += _unescaped(line)  # keeps its number: the records of one such line all bear it
            yield from _at_one_line(_text(waiting, source, begun), number)
            waiting, begun = [], number + 1
            continue
        if (line[:1] == "{" or line[:2] == "[{") and not _is_inside(waiting):
            if waiting:
                yield from _text(waiting, source, begun)
                waiting = []
            begun = number + 1
            yield from jsonlines.read_line(line, source, number)
            continue
        waiting.append(line)
        if len(waiting) >= PORTION and (not _is_inside(waiting) or len(waiting) >= PORTION + SLACK):
            yield from _text(waiting, source, begun)
            waiting, begun = [], number + 1
    yield from _text(waiting, source, begun)


def _of_docker(line: str) -> str:
    """What was printed, of a line of a container's log; the line itself where it is something else."""
    try:
        said = json.loads(line)["log"]
    except (ValueError, RecursionError):
        return line
    return str(said).rstrip("\r\n")


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


def _at_one_line(found: Iterator[ErrorRecord | Skipped], number: int) -> Iterator[ErrorRecord | Skipped]:
    for one in found:
        yield replace(one, line=min(one.line, number))


def _text(lines: list[str], source: str, begun: int) -> Iterator[ErrorRecord | Skipped]:
    if not lines:
        return
    for one in tracebacks.read("\n".join(lines), source):
        if isinstance(one, ErrorRecord):
            yield replace(one, line=one.line + begun - 1, timestamp=_written_at(lines, one.line - 1))
        else:
            yield replace(one, line=one.line + begun - 1)


def _written_at(lines: list[str], at: int) -> str | None:
    """The time of the traceback at this index as the log tells it, by its own line or the nearest above that bears one;
    a time without an offset is this machine's. None where no line tells."""
    for line in reversed(lines[max(0, at - _LOOK_BACK) : at + 1]):
        found = _TIME.match(line)
        if found:
            try:
                when = datetime.fromisoformat(found["time"].replace(",", ".") + (found["offset"] or ""))
                return iso(when.astimezone(UTC))
            except (ValueError, OverflowError):
                return None
    return None


def _is_inside(lines: list[str]) -> bool:
    """Whether the last lines belong to something that goes on: a frame, a chain, a pytest section."""
    for line in reversed(lines[-3:]):
        if tracebacks.HEADER.match(line) or tracebacks.FRAME.match(line) or tracebacks.CHAINED.match(line):
            return True
        if line[:1] in " E>|+":
            return True
    return False
