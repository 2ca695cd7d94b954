"""A run's event log: one JSON object a line, appended, so that anybody can tail it while it grows.

Relies on the clock. Lines are `{"seq", "at", "type", "data"}`. State changes and checkpoints are fsynced;
a torn last line (power loss) is passed over by readers and closed off by the next writer.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from engine.clock import Clock, iso, utc_now
from engine.runs.model import EventType, RunEvent

_DURABLE: frozenset[EventType] = frozenset({"state", "checkpoint"})


class EventLog:
    """Appends events of one run; safe to call from any thread."""

    def __init__(self, file: Path, *, clock: Clock = utc_now) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        file.parent.mkdir(parents=True, exist_ok=True)
        self._descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
        size = os.fstat(self._descriptor).st_size
        self._seq = len(read_events(file)) if size else 0
        if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
            os.write(self._descriptor, b"\n")

    def append(self, kind: EventType, data: Mapping[str, Any]) -> None:
        """Write one event; silently nothing once the log is closed, because the run is over."""
        with self._lock:
            if self._descriptor < 0:
                return
            line = {"seq": self._seq, "at": iso(self._clock()), "type": kind, "data": dict(data)}
            self._seq += 1
            os.write(self._descriptor, json.dumps(line, ensure_ascii=False, default=str).encode() + b"\n")
            if kind in _DURABLE:
                os.fsync(self._descriptor)

    def close(self) -> None:
        """Let the file go."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1


def read_events(file: Path, offset: int = 0) -> list[RunEvent]:
    """The whole events from byte `offset` on; an unfinished or damaged line is passed over. Empty without a file."""
    try:
        with file.open("rb") as log:
            log.seek(offset)
            block = log.read()
    except FileNotFoundError:
        return []
    found: list[RunEvent] = []
    position = offset
    for line in block.splitlines(keepends=True):
        if not line.endswith(b"\n"):
            break
        position += len(line)
        try:
            read = json.loads(line)
            found.append(RunEvent(read["seq"], read["at"], read["type"], read["data"], position))
        except (ValueError, KeyError, TypeError):
            continue
    return found
