"""How a line about errors that recur begins, wherever such lines are listed: how often, how lately, and where. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePosixPath

from engine.changes import printable
from engine.repair.report_words import spark

DAYS = 7


def times(count: int) -> str:
    """`   23× `: seven cells."""
    said = f"{count:,}" if count < 10_000 else f"{count // 1000:,}k"
    return f"{said:>5}× "


def place(file: str, function: str) -> str:
    """`captions.first_line`; empty where no place is told. A log may be another system's: both slashes count."""
    return printable(f"{PurePosixPath(file.replace(chr(92), '/')).stem}.{function}") if file else ""


def lately(daily: Sequence[int], days: int = DAYS) -> str:
    """The last days as bars."""
    return spark(daily[-days:])
