"""The repair room's door."""

from __future__ import annotations

from engine.changes import Changes
from engine.clock import Clock, utc_now
from engine.review import Review
from engine.runs import Runs
from engine.settings import Settings
from engine.store import Store
from engine.workspace import Workspace


class Repair:
    """Every recurring error of one workspace, and the fixes proposed for it."""

    def __init__(
        self,
        workspace: Workspace,
        settings: Settings,
        store: Store,
        runs: Runs,
        review: Review,
        changes: Changes,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._workspace = workspace
        self._settings = settings
        self._store = store
        self._runs = runs
        self._review = review
        self._changes = changes
        self._clock = clock
