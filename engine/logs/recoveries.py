"""What went wrong and was mended on the spot: recoveries, by kind.

A run is told of them (`RunContext.recovered`) and counts them in its summary. What recovers outside any run, such as a
model that does not load when a screen asks for it, goes to `recoveries.jsonl` in the form of `errors.jsonl`, so that
nothing is counted twice. Relies on `errors` for whole lines.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from engine.clock import Clock, utc_now
from engine.logs.errors import ErrorLog, ErrorRecord

#: A batch was too large for the device and was halved; a text was not in the encoding that it should be in; a file went
#: away between being listed and being read; a model could not be loaded and another, or none, took its place.
Recovery = Literal["out-of-memory", "encoding", "vanished-file", "model-load"]
VANISHED = "vanished"  # the code under which a file is refused that is gone


class RecoveryLog:
    """`recoveries.jsonl`, which need not be there yet."""

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        self._path = path
        self._log = ErrorLog(path, clock=clock)

    def append(self, recovery: Recovery, message: str, *, operation: str, **context: Any) -> None:
        """Note one recovery. Raises OSError when the disk will not."""
        about = {"operation": operation, **context}
        self._log.append([ErrorRecord(type=recovery, message=message, level="warning", context=about)])

    def counted(self, since: str) -> Mapping[str, int]:
        """How many of each kind there were since an ISO time."""
        found: Counter[str] = Counter()
        try:
            with self._path.open(encoding="ascii", errors="replace") as lines:
                for line in lines:
                    try:
                        told = json.loads(line)
                    except ValueError:
                        continue  # cut short by a crash
                    if isinstance(told, dict) and str(told.get("timestamp")) >= since:
                        found[str(told.get("type"))] += 1
        except FileNotFoundError:
            return {}
        return dict(found)
