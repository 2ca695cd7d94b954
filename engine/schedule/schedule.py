"""The schedule's door."""

from __future__ import annotations

from engine.clock import Clock, utc_now
from engine.runs import Runs
from engine.settings import Settings
from engine.store import Store


class Schedule:
    """Jobs that run by themselves: daily, weekly, monthly; none missed, none twice."""

    def __init__(self, settings: Settings, store: Store, runs: Runs, *, clock: Clock = utc_now) -> None:
        self._settings = settings
        self._store = store
        self._runs = runs
        self._clock = clock
