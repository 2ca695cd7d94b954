"""`training_log.jsonl`: one line an epoch, as other programs read it. Relies on the run for everything else.

Lines are appended and flushed as they come, one write a line, so that several processes may log at once and a crash
loses at most the line under way. A file that cannot be written is said in the run's log, and ends nothing.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

from engine.clock import Clock, iso
from engine.runs import RunContext


class EpochLog:
    """The file, opened for each line."""

    def __init__(self, file: Path, clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def append(self, **fields: object) -> None:
        """Add one line with the time. Raises OSError when the file cannot be written."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"timestamp": iso(self._clock()), **fields}, ensure_ascii=False) + "\n"
        handle = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)


class Told:
    """A run that also writes each epoch to the training log."""

    def __init__(self, run: RunContext, log: EpochLog, give_way: Callable[[], None] = lambda: None) -> None:
        self._run = run
        self._give_way = give_way
        self._log = log
        self._is_broken = False

    def check(self) -> None:
        """As the run's; and the place where a training waits that gives way."""
        self._run.check()
        self._give_way()

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        """As the run's."""
        self._run.progress(done, total, message)

    def log(self, message: str, level: str = "info") -> None:
        """As the run's."""
        self._run.log(message, level)

    def metric(self, step: int, **values: float) -> None:
        """One epoch: a point of the curves, and a line."""
        self._run.metric(step, **values)
        self.epoch("linear", step, **values)

    def epoch(self, candidate: str, step: int, **values: float) -> None:
        """One line of the training log."""
        self._write(event="epoch", candidate=candidate, epoch=step, **values)

    def end(self, model: str) -> None:
        """The line that says which version came of it."""
        self._write(event="trained", model=model)

    def _write(self, **fields: object) -> None:
        if self._is_broken:
            return
        try:
            self._log.append(run=self._run.id, **fields)
        except OSError as error:
            self._is_broken = True
            self._run.log(f"training_log.jsonl cannot be written: {error.strerror}", "warning")
