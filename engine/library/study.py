"""The study: one pass over every image whose facts are missing or of other bytes than it has now.

Relies on the decoder processes and on the facts' tables. Written in batches, each in one transaction, so that it may be
stopped or killed at any instant and goes on from there; an image that is known is never opened. What cannot be
decoded is refused with a code, told in the run's result, in the inventory and in errors.jsonl. Sources are only read.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from engine.clock import Clock
from engine.library import facts, prints_table
from engine.library.batch import Batch, Recorder, Refused, folder_of
from engine.library.facts import Facts, StoredMetadata, Studied, Unstudied
from engine.library.prints import Prints, unpacked
from engine.library.workers import Decoders, Outcome
from engine.logs.errors import ErrorLog, refusal
from engine.runs import RunCancelled, RunContext
from engine.settings import Settings
from engine.store import Store
from engine.store.schema import scan_folders
from engine.workspace import Workspace

BATCH_SECONDS = 0.5
BATCH_SIZE = 500
_PAGE = 1000


class Study:
    """One study. `on_gone(folders)` is called after images were refused, as a scan does for images that are gone."""

    def __init__(
        self,
        context: RunContext,
        store: Store,
        workspace: Workspace,
        settings: Settings,
        clock: Clock,
        on_gone: Callable[[Sequence[str]], None] = lambda _folders: None,
    ) -> None:
        self._context = context
        self._store = store
        self._settings = settings
        self._recorder = Recorder(store, clock)
        self._errors = ErrorLog(workspace.logs / "errors.jsonl", clock=clock)
        self._on_gone = on_gone
        self._studied: list[Studied] = []
        self._prints: list[tuple[int, str, Prints]] = []
        self._refused: list[tuple[Unstudied, Outcome[Unstudied]]] = []
        self._written_at = time.monotonic()
        self._qualities: Counter[str] = Counter()
        self._codes: Counter[str] = Counter()
        self._all_refused: list[dict[str, str]] = []

    def run(self) -> dict[str, Any]:
        """The whole study, as a document. Raises RunCancelled once the run was asked to stop."""
        started = time.monotonic()
        project: str | None = self._context.params.get("project")
        roots: Sequence[str] = self._context.params.get("paths") or ()
        with self._store.reading() as connection:
            ids = facts.waiting(connection, project=project, roots=roots)
        if len(ids):
            with Decoders[Unstudied](
                self._context.workers, self._settings.max_pixels, check=self._context.check
            ) as decoders:
                self.over(decoders, self._waiting(ids), len(ids))
        seconds = time.monotonic() - started
        done = sum(self._qualities.values())
        return {
            "run": self._context.id,
            "studied": done,
            "refused": self._all_refused,
            "errors": dict(self._codes.most_common()),
            "quality": {name: self._qualities[name] for name in ("excellent", "good", "average", "poor")},
            "seconds": round(seconds, 3),
            "images_per_second": round(done / seconds, 1) if seconds > 0 else 0.0,
        }

    def over(self, decoders: Decoders[Unstudied], waiting: Iterator[Unstudied], total: int | None) -> None:
        """Study these images and write what comes of it; also what is finished when a stop comes."""
        try:
            for outcome in decoders.study((one, one.path) for one in waiting):
                self._take(outcome)
                if self._is_due():
                    self.write()
                done = sum(self._qualities.values())
                self._context.progress(done + len(self._all_refused), total, f"{done:,} images studied")
        except RunCancelled:
            self.write()
            raise
        self.write()

    @property
    def qualities(self) -> Mapping[str, int]:
        """How many images of each quality were studied."""
        return self._qualities

    @property
    def codes(self) -> Mapping[str, int]:
        """How many files were refused, by code."""
        return self._codes

    def _waiting(self, ids: NDArray[np.int64]) -> Iterator[Unstudied]:
        for at in range(0, len(ids), _PAGE):
            with self._store.reading() as connection:
                page = facts.those_unstudied(connection, ids[at : at + _PAGE].tolist())
            yield from page

    def _take(self, outcome: Outcome[Unstudied]) -> None:
        image = outcome.key
        self._context.handled(failed=int(outcome.found is None))
        if outcome.found is None:
            self._refused.append((image, outcome))
            self._codes[outcome.code] += 1
            self._all_refused.append({"path": image.path, "code": outcome.code, "reason": outcome.reason})
            self._context.refuse(image.path, outcome.reason, outcome.code)
            return
        for what in outcome.found.get("otherwise", ()):
            self._context.recovered("encoding", f"{what} is not UTF-8; it was read as Latin-1", image.path)
        found = Facts(**outcome.found["facts"])
        self._qualities[found.quality] += 1
        said = StoredMetadata(**outcome.found["metadata"])
        self._studied.append(Studied(image.image_id, outcome.found["hash"], found, said))
        self._prints.append((image.image_id, outcome.found["hash"], unpacked(outcome.found["prints"])))

    def _is_due(self) -> bool:
        waiting = len(self._studied) + len(self._refused)
        return waiting >= BATCH_SIZE or (waiting > 0 and time.monotonic() - self._written_at >= BATCH_SECONDS)

    def write(self) -> None:
        """Write what has come in since the last time."""
        studied, self._studied = self._studied, []
        printed, self._prints = self._prints, []
        refused, self._refused = self._refused, []
        if studied:
            with self._store.writing() as connection:
                facts.write(connection, studied)
                # A print of the same bytes stays, and with it what is known of its neighbours.
                known = prints_table.fresh(connection, [one.image_id for one in studied])
                prints_table.write_prints(connection, [row for row in printed if row[0] not in known])
        if refused:
            self._refuse(refused)
        self._written_at = time.monotonic()

    def _refuse(self, refused: Sequence[tuple[Unstudied, Outcome[Unstudied]]]) -> None:
        """As a scan refuses: the file is named with its code, and its image is out of the library until it changes."""
        batch = Batch(
            refused=[
                Refused(image.path, outcome.code, outcome.reason, image.size, image.mtime_ns, image.image_id)
                for image, outcome in refused
            ]
        )
        self._recorder.write(batch)
        folders = sorted({folder_of(image.path) for image, _ in refused})
        with self._store.writing() as connection:  # the next scan compares these folders again
            connection.execute(sa.delete(scan_folders).where(scan_folders.c.path.in_(folders)))
        self._errors.append(
            refusal(
                image.path, outcome.code, outcome.reason, operation="study", run=self._context.id, frames=outcome.frames
            )
            for image, outcome in refused
        )
        self._on_gone(folders)
