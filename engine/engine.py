"""The hallway: it opens the workspace and wires the rooms. Every face enters here and leaves through `close`.

Relies on every room's door and holds no logic of its own. Opening imports neither torch nor pandas: a room
loads what is heavy when it is first asked for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.changes import Changes, Recovery
from engine.errors import ProofsheetError
from engine.experiments import Experiments
from engine.library import Library
from engine.library.duplicates import Duplicates
from engine.library.model import Image
from engine.logs.errors import ErrorLog
from engine.monitor import Monitor
from engine.ranking import Ranking
from engine.review import Review
from engine.runs import Runs
from engine.runs.lanes import share_the_interpreter
from engine.schedule import Schedule, standard_jobs
from engine.settings import LoadedSettings, Settings, load
from engine.store import Store
from engine.views import Views
from engine.vision import Vision
from engine.workspace import Workspace

if TYPE_CHECKING:
    from engine.repair import Repair


class Engine:
    """One workspace, open: one attribute a room."""

    def __init__(self, workspace: Workspace, loaded: LoadedSettings, store: Store) -> None:
        self.workspace = workspace
        self.loaded = loaded
        self.settings: Settings = loaded.values
        self.store = store
        self.views = Views(store)
        self.runs = Runs(workspace, store, seed=self.settings.seed, workers=self.settings.cpu_workers)
        self.monitor = Monitor(self.runs)
        self.review = Review(workspace, store, self.settings.actor)
        self.changes = Changes(workspace)
        self.library = Library(workspace, self.settings, store, self.runs)
        errors = ErrorLog(workspace.logs / "errors.jsonl")
        self.duplicates = Duplicates(self.settings, store, self.runs, self.review, self.changes, self.library, errors)
        self.vision = Vision(workspace, self.settings, store, self.runs, self.library)
        self.library.embeddings = self.vision
        self.ranking = Ranking(
            workspace, self.settings, store, self.runs, self.review, self.changes, self.library, self.vision
        )
        self.experiments = Experiments(workspace, self.settings, store, self.runs, self.review, self.changes)
        jobs = standard_jobs(workspace, self.settings, self.runs, self.experiments)
        self.schedule = Schedule(self.settings, store, self.runs, jobs)
        self.library.on_batch = self.ranking.images_arrived
        self.duplicates.score = self._liked
        self.library.hooks, self.library.duplicates_of = self.duplicates.conditions, self.duplicates.others
        self.library.take_vectors = self.vision.take_vectors
        self.recoveries: tuple[Recovery, ...] = ()  # what a crash had left half done, and how that ended

    @classmethod
    @asynccontextmanager
    async def open(cls, workspace: Workspace, *, flags: Mapping[str, Any] | None = None) -> AsyncIterator[Engine]:
        """Open a workspace, finish what a crash left half done, and close it at the end.

        Raises UsageError for bad settings, DatabaseTooNew, DatabaseCorrupt and ProofsheetError.
        """
        share_the_interpreter()
        engine = await asyncio.to_thread(cls._open, workspace, flags)
        try:
            engine.recoveries = tuple(await engine.changes.recover())
            await engine.runs.reap()
            await engine.review.catch_up_log()
            yield engine
        finally:
            await engine.close()

    @classmethod
    def _open(cls, workspace: Workspace, flags: Mapping[str, Any] | None) -> Engine:
        loaded = load(workspace, flags=flags)
        return cls(workspace, loaded, Store.open(loaded.values.database_url or workspace.database_file))

    @cached_property
    def repair(self) -> Repair:
        """Wired when it is first entered: no kind of run is its own, and no first page should wait for its modules."""
        from engine.repair import Repair

        return Repair(self.workspace, self.settings, self.store, self.runs, self.review, self.changes)

    async def _liked(self, images: Sequence[Image]) -> dict[int, float]:
        """How much each image is liked, by the promoted ranker of its project; nothing where there is none."""
        liked: dict[int, float] = {}
        for project in sorted({image.project for image in images}):
            ids = {str(image.path): image.id for image in images if image.project == project}
            if (await self.ranking.status(project)).model is not None:
                # A ranker that cannot answer leaves the choice to what is known of the files.
                with suppress(ProofsheetError):
                    ranked = await self.ranking.rank([Path(path) for path in ids])
                    liked.update({ids[one.path]: one.score for one in ranked.ranking if one.path in ids})
        return liked

    async def close(self) -> None:
        """Stop what runs here within a second and let the database go."""
        try:
            await self.runs.close()
        finally:  # whatever a run did: no decoder outlives this, and the database is let go
            await asyncio.to_thread(self.monitor.close)
            await asyncio.to_thread(self.library.close)
            await asyncio.to_thread(self.store.close)
