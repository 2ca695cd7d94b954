"""What went wrong and was mended on the spot: recoveries, by kind.

A run is told of them (`RunContext.recovered`) and counts them in its summary. What recovers outside any run, such as a
model that does not load when a screen asks for it, goes to `recoveries.jsonl` in the form of `errors.jsonl`, so that
nothing is counted twice. Relies on `errors` for whole lines.
"""

from __future__ import annotations

import itertools
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from engine.clock import Clock, utc_now
from engine.logs.errors import ErrorLog, ErrorRecord
from engine.logs.masking import masked

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

    def append_once(self, recovery: Recovery, message: str, *, operation: str, **context: Any) -> None:
        """Note one recovery unless it is noted already with this very context, by whichever process. Raises OSError."""
        about = masked({"operation": operation, **context})
        if all((told.get("type"), told.get("context")) != (recovery, about) for told in self._told()):
            self.append(recovery, message, operation=operation, **context)

    def counted(self, since: str) -> Mapping[str, int]:
        """How many of each kind there were since an ISO time, full files that were put aside included."""
        return dict(Counter(str(told.get("type")) for told in self._told() if str(told.get("timestamp")) >= since))

    def _told(self) -> Iterator[Mapping[str, Any]]:
        seen: set[tuple[int, int]] = set()
        # The file in use comes first: when it is put aside meanwhile, it is met again under its new name, not missed.
        for path in itertools.chain([self._path], _put_aside(self._path)):
            try:
                with path.open(encoding="ascii", errors="replace") as lines:
                    about = os.fstat(lines.fileno())
                    if (about.st_dev, about.st_ino) not in seen:
                        seen.add((about.st_dev, about.st_ino))
                        yield from _entries(lines)
            except FileNotFoundError:
                continue


def _put_aside(path: Path) -> Iterator[Path]:
    """The full files of this log, looked for only when asked."""
    yield from sorted(path.parent.glob(f"{path.stem}-*{path.suffix}"))


def _entries(lines: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    for line in lines:
        try:
            told = json.loads(line)
        except ValueError:
            continue  # cut short by a crash
        if isinstance(told, dict):
            yield told
