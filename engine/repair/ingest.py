"""Reading error logs: any file, in one pass, whatever it holds, with what could not be read named by line.

A file may mix plain text (tracebacks, pytest output) and JSON lines. It is read in portions, so that a log of any
length fits into memory; a portion never ends inside a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from engine.errors import UsageError
from engine.repair import jsonlines, tracebacks
from engine.repair.record import ErrorRecord, Skipped

PORTION = 20_000  # lines of text that are looked at together
SLACK = 5_000  # lines that a portion may grow beyond, to end between two tracebacks
_ESCAPED = "Traceback (most recent call last):\\n"


def read_log(path: Path) -> Iterator[ErrorRecord | Skipped]:
    """Every error in the file at `path`, in order. Raises UsageError when it cannot be opened."""
    try:
        with path.open("rb") as file:
            if file.read(2) == b"\x1f\x8b":
                raise UsageError(f"{path} is compressed", remedy=f"Unpack it first: gunzip -k {path.name}")
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
        if line.startswith(_ESCAPED):
            waiting += _unescaped(line)  # keeps its number: the records of one such line all bear it
            yield from _at_one_line(_text(waiting, source, begun), number)
            waiting, begun = [], number + 1
            continue
        if line[:1] == "{" and not _is_inside(waiting):
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
        yield replace(one, line=one.line + begun - 1)


def _is_inside(lines: list[str]) -> bool:
    """Whether the last lines belong to something that goes on: a frame, a chain, a pytest section."""
    for line in reversed(lines[-3:]):
        if tracebacks.HEADER.match(line) or tracebacks.FRAME.match(line) or tracebacks.CHAINED.match(line):
            return True
        if line[:1] in " E>|+":
            return True
    return False
