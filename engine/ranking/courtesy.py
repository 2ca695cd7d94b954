"""Training that began by itself gives way to the person at the keys: it works in the pauses of the review only.

Relies on the store for the newest verdict and on the run for waiting. What single verdicts teach is not held up by
this: they move the next suggestion at once, without training.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa

from engine.clock import Clock, parse_iso
from engine.ranking.model import KIND
from engine.runs import RunContext
from engine.store import Store
from engine.store.schema import decisions

_LOOK_SECONDS = 0.25


class Courtesy:
    """Called at every step of a training; returns once nobody has given a verdict for `pause` seconds."""

    def __init__(
        self,
        run: RunContext,
        store: Store,
        clock: Clock,
        pause: float,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._run = run
        self._store = store
        self._clock = clock
        self._pause = pause
        self._monotonic = monotonic
        self._looked = -_LOOK_SECONDS

    def __call__(self) -> None:
        """Wait while the review is busy. Raises RunCancelled once the run was asked to stop."""
        if self._monotonic() - self._looked < _LOOK_SECONDS:
            return
        while self.is_busy():
            self._run.progress(0, None, "waiting for a pause in the review")
            self._run.wait(_LOOK_SECONDS)
        self._looked = self._monotonic()

    def is_busy(self) -> bool:
        """Whether a verdict was given within the last `pause` seconds; one from the future says nothing."""
        newest = sa.select(decisions.c.decided_at).where(decisions.c.kind == KIND).order_by(decisions.c.id.desc())
        with self._store.reading() as connection:
            moment = connection.execute(newest.limit(1)).scalar()
        if moment is None:
            return False
        return 0 <= (self._clock() - parse_iso(moment)).total_seconds() < self._pause
