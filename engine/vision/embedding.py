"""Giving pictures their vectors: read, prepared, run through the encoder, stored, so many at a time.

Relies on the pipeline and the shelves. What was stored is the checkpoint: an interrupted run loses the batch under way
and nothing else. Refuses single pictures with the reason and goes on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, field

from engine.library.source import printable
from engine.logs.errors import ErrorLog, refusal
from engine.runs import RunContext
from engine.vision import pixels
from engine.vision.encoders import Encoder
from engine.vision.pipeline import Described, Pipeline, Refused
from engine.vision.pixels import Source
from engine.vision.vectors import Entry, Shelf

COMMIT = 64  # pictures a commit, at the least: about half a second's work is the most that a crash can cost


@dataclass
class Tally:
    """What became of the pictures; `seconds` is the time spent on those that were not there already."""

    embedded: int = 0
    cached: int = 0
    refused: list[tuple[Source, str]] = field(default_factory=list)
    seconds: float = 0.0


class Embedder:
    """Embeds the pictures of projects with one encoder. What a decoder refuses is told in `errors` too."""

    def __init__(
        self,
        encoder: Encoder,
        shelf_of: Callable[[str], Shelf],
        *,
        threads: int,
        max_pixels: int,
        run: RunContext | None = None,
        errors: ErrorLog | None = None,
    ) -> None:
        self._encoder = encoder
        self._shelf_of = shelf_of
        self._threads = threads
        self._max_pixels = max_pixels
        self._run = run
        self._errors = errors

    def embed(self, wanted: Mapping[str, Sequence[Source]], done_before: Mapping[str, int] | None = None) -> Tally:
        """Every picture (by project key) that has no vector yet.

        With `done_before`, a row for each project, also those whose vector stands in an earlier row: so a forced run
        computes everything again, and when it is resumed only what it had not come to.
        """
        tally = Tally()
        total = sum(map(len, wanted.values()))
        for project_key, sources in wanted.items():
            shelf = self._shelf_of(project_key)
            there = shelf.rows([one.content_hash for one in sources])
            if done_before is not None:
                there = {one: row for one, row in there.items() if row >= done_before.get(project_key, 0)}
            todo = {one.content_hash: one for one in sources if one.content_hash not in there}
            tally.cached += len(sources) - len(todo)
            begun = time.monotonic()
            try:
                self._work_through(shelf, list(todo.values()), tally, project_key, total, done_before is not None)
            finally:
                tally.seconds += time.monotonic() - begun
        return tally

    def _work_through(
        self, shelf: Shelf, todo: Sequence[Source], tally: Tally, project_key: str, total: int, replace: bool
    ) -> None:
        pipeline: Pipeline[Source] = Pipeline(
            self._encoder,
            self._prepared,
            threads=max(1, min(self._threads, len(todo))),
            check=self._run.check if self._run is not None else lambda: None,
            on_recovery=self._run.recovered if self._run is not None else lambda _recovery, _message: None,
        )
        entries: dict[str, Entry] = {}
        try:
            for one in pipeline.run(todo):
                if one.vector is None:
                    self._refuse(one, tally)
                else:
                    beside = astuple(one.prepared[1]) if shelf.beside is not None else ()
                    entries[one.item.content_hash] = Entry(one.vector, beside)
                    tally.embedded += 1
                if self._run is not None:
                    self._run.handled(failed=int(one.vector is None))
                    self._run.progress(tally.embedded + tally.cached + len(tally.refused), total, project_key)
                if len(entries) >= COMMIT:
                    shelf.add(entries, replace=replace)
                    entries = {}
        finally:  # a run that is stopped keeps what it has
            shelf.add(entries, replace=replace)

    def _prepared(self, source: Source) -> object:
        found = pixels.prepared(source, self._encoder, self._max_pixels)
        return Refused(found.reason, found.code) if isinstance(found, pixels.Unread) else found

    def _refuse(self, one: Described[Source], tally: Tally) -> None:
        tally.refused.append((one.item, one.reason))
        if self._run is not None:
            self._run.refuse(one.item.path, one.reason, one.code)
        if self._errors is not None and one.code:
            run = self._run.id if self._run is not None else None
            path = printable(str(one.item.path))
            self._errors.append([refusal(path, one.code, one.reason, operation="embed", run=run)])
