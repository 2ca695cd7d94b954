"""What the schedule speaks of: a job, one time that it ran, and how it stands. Plain values."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from engine.schedule.periods import Every

Work = Callable[[datetime], Awaitable[Mapping[str, Any]]]


@dataclass(frozen=True)
class Job:
    """Something to be done once a period. `work` gets the moment and returns what came of it, JSON-able.

    It may be begun again after a crash, so doing it twice must do no harm.
    """

    name: str
    title: str
    every: Every
    work: Work
    is_on: bool = True  # before a person said otherwise


@dataclass(frozen=True)
class JobRun:
    """One time that a job ran; times are ISO 8601 with Z. `state` is running, done or failed."""

    job: str
    period: str
    is_manual: bool
    state: str
    attempts: int
    started_at: str
    finished_at: str | None
    result: Mapping[str, Any] | None
    error: str | None


@dataclass(frozen=True)
class JobStatus:
    """How a job stands: the last time it ran, and when it is due next (None: switched off)."""

    name: str
    title: str
    every: Every
    is_enabled: bool
    is_due: bool
    next_at: str | None
    last: JobRun | None

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self)
