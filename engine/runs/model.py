"""What a run is, as every face sees it. Plain values; nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

from engine.errors import ProofsheetError

EventType = Literal["state", "progress", "metric", "log", "refused", "recovered", "checkpoint"]


class RunState(StrEnum):
    """Where a run stands. `interrupted` means that its process ended or was left; it can be resumed."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"

    @property
    def is_final(self) -> bool:
        """Nothing more will happen in this run."""
        return self not in (RunState.QUEUED, RunState.RUNNING)


@dataclass(frozen=True)
class Progress:
    """`done` of `total` steps (None while the total is unknown), with a short message for people."""

    done: int
    total: int | None
    message: str


@dataclass(frozen=True)
class Run:
    """One piece of long work; times are ISO 8601 with Z."""

    id: str
    kind: str
    project: str | None
    state: RunState
    params: Mapping[str, Any]
    result: Mapping[str, Any] | None
    error: str | None
    checkpoint: Mapping[str, Any] | None
    seed: int
    created_at: str
    started_at: str | None
    finished_at: str | None
    host: str | None
    pid: int | None
    detached: bool
    resumes: str | None

    @property
    def is_resumable(self) -> bool:
        """It ended before its work was done, and may be taken up again."""
        return self.state in (RunState.INTERRUPTED, RunState.CANCELLED, RunState.FAILED)


@dataclass(frozen=True)
class RunEvent:
    """One line of a run's event log. `next_offset` is where in the file the following event begins, bytes."""

    seq: int
    at: str
    type: EventType
    data: Mapping[str, Any]
    next_offset: int = 0


class RunCancelled(Exception):
    """Raised inside work by `RunContext.check` when the run is to stop."""


class RunFailed(ProofsheetError):
    """A run that was waited for did not finish its work."""

    def __init__(self, run: Run) -> None:
        if run.state is RunState.FAILED:
            message, remedy = run.error or f"the {run.kind} run {run.id} failed", ""
        else:
            message = f"the {run.kind} run {run.id} was {run.state}"
            remedy = f"Take it up again with: proofsheet runs resume {run.id}"
        super().__init__(message, remedy=remedy)
        self.run = run
        if run.state in (RunState.CANCELLED, RunState.INTERRUPTED):
            self.exit_code = 130
