"""What one error is, as every part of this room sees it: who raised what, where, and while doing what.

Pure data. The JSON form is a line of `errors.jsonl`; fields that a log did not tell are None or empty, never invented.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame of a traceback, outermost first in a record. `line` is 1-based, 0 where it was not told.

    `columns` is what the traceback underlined as having failed: from and to (exclusive) in characters of `code`, which
    has no indentation; None where it underlined nothing.
    """

    file: str
    line: int
    function: str
    code: str = ""
    columns: tuple[int, int] | None = None

    def document(self) -> dict[str, Any]:
        """The JSON form; `columns` is there only where they were told."""
        told = {"file": self.file, "line": self.line, "function": self.function, "code": self.code}
        return told if self.columns is None else {**told, "columns": list(self.columns)}


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """One error event. `type` is the exception's name without its module where that is a builtin, in full otherwise."""

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    timestamp: str | None = None
    run: str | None = None
    level: str = "error"
    context: Mapping[str, Any] = field(default_factory=dict)
    python: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    line: int = 0

    def document(self) -> dict[str, Any]:
        """The JSON form of `errors.jsonl`, without the fingerprint, which grouping gives it."""
        return {
            "timestamp": self.timestamp,
            "run": self.run,
            "level": self.level,
            "type": self.type,
            "message": self.message,
            "frames": [frame.document() for frame in self.frames],
            "context": dict(self.context),
            "python": self.python,
            "versions": dict(self.versions),
        }


@dataclass(frozen=True, slots=True)
class Skipped:
    """A piece of a log that looked like an error and could not be read: its file, its line (1-based) and why."""

    source: str
    line: int
    reason: str
