"""When a traceback in plain text was: what the log line directly above it says, or its own line.

Relies on text alone. A fix is judged by whether an error came again after it, so a wrong time is worse than none: dates
in messages, in source lines and on lines further up (a banner of the start) are never taken.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime

from engine.clock import iso
from engine.repair.record import ErrorRecord
from engine.repair.tracebacks import CHAINED, HEADER, LOG_LINE

_BEGINS_WITH_TIME = re.compile(
    r"(?:\[?(?:DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL|NOTICE|TRACE)\b\]?:?[ \t]{0,8})?"
    r"\[?(?P<time>\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)(?!\d)"
    r" ?(?P<offset>Z|[+-]\d\d:?\d\d)?"
)


def time_of(line: str) -> str | None:
    """The time that a log line begins with, after a level or a bracket at most; one without an offset is this
    machine's. None where it begins otherwise."""
    found = _BEGINS_WITH_TIME.match(line)
    if not found:
        return None
    try:
        when = datetime.fromisoformat(found["time"].replace(",", ".") + (found["offset"] or ""))
        return iso(when.astimezone(UTC))
    except (ValueError, OverflowError):
        return None


class Times:
    """The times of the tracebacks in `lines`, found in one pass; `above` is the line before the first, if any."""

    def __init__(self, lines: Sequence[str], above: str = "") -> None:
        self._lines = lines
        self._above = above
        self._begins: list[int] = []  # indexes of headers, ascending
        self._told: list[str | None] = []
        chained = -1
        for index, line in enumerate(lines):
            if "above exception" in line:
                chained = index
            elif "Traceback (most" in line and (header := HEADER.match(line)):
                if line.lstrip()[:1] == "|":
                    continue  # within a group, which has one time
                before = "" if header["group"] else header["before"]
                told = time_of(line) or time_of(self._line_above(index).removeprefix(before))
                if self._goes_on(chained, index, before):
                    told = self._told[-1]  # the chain's time: the log line stands above its first traceback
                self._begins.append(index)
                self._told.append(told)

    def of(self, one: ErrorRecord, index: int) -> str | None:
        """The time of a record whose traceback begins at this index; None where no line tells."""
        at = bisect_right(self._begins, index) - 1
        if at >= 0 and (self._begins[at] == index or "group" in one.context):
            return self._told[at]
        return time_of(self._line_above(index))

    def _line_above(self, index: int) -> str:
        return self._lines[index - 1] if index else self._above

    def _goes_on(self, chained: int, index: int, before: str) -> bool:
        """Whether the header at `index` follows from the traceback before it, by the words at `chained`."""
        if not self._begins or chained < self._begins[-1]:
            return False
        between = (line.removeprefix(before) for line in self._lines[chained + 1 : index])
        words = self._lines[chained].removeprefix(before)
        return bool(CHAINED.match(words)) and all(not line.strip() or LOG_LINE.match(line) for line in between)
