"""A scan: walk the folders, read what is new or changed, write it in batches, and at the end mark what is gone.

Relies on walk, reading, known, batch and rules. Walking runs ahead of reading by a little and no more, so that memory
stays small; reading runs in a few threads; a batch is written about four times a second, each in one transaction,
so that a scan that is killed at any instant leaves a consistent library, and the next one completes it. Never
writes to, moves or re-times a source.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso
from engine.library.batch import Batch, Read, Recorder, Refused
from engine.library.companions import companions_of
from engine.library.known import Known, is_under, under
from engine.library.model import CURABLE
from engine.library.project import Rules, by_component, by_date, by_pattern, declared_project, folder_project
from engine.library.reading import Reading, read_image
from engine.library.rules import Manifests, rules_for
from engine.library.source import UnreadableImage, printable
from engine.library.walk import Found, Listing, list_folder, walk
from engine.runs import RunCancelled, RunContext
from engine.settings import Settings
from engine.store import Store, upsert
from engine.store.schema import images, projects, scan_roots
from engine.workspace import Workspace

OnBatch = Callable[[Sequence[int], Sequence[str]], None]

BATCH_SECONDS = 0.25
BATCH_SIZE = 1000
# Files in flight for each thread: enough to keep it busy, few enough to stop at once.
AHEAD = 8
_PATIENCE = 0.05


@dataclass(frozen=True, slots=True)
class Root:
    """Where to scan: a folder, or (`only`) one file of it."""

    folder: str
    only: str | None = None

    @property
    def path(self) -> str:
        """The folder, or the file."""
        return self.only or self.folder


@dataclass(frozen=True, slots=True)
class _Pending:
    """A file being read. `image` is the id that it is known by, `was_present` whether it was there before."""

    found: Found
    future: Future[Reading | UnreadableImage]
    project: str
    image: int | None
    was_present: bool


@dataclass(frozen=True, slots=True)
class _EndOfFolder:
    """All images of a folder came before this."""

    folder: str


class Scan:
    """One scan, run once: `Scan(...).run()`."""

    def __init__(
        self,
        context: RunContext,
        store: Store,
        workspace: Workspace,
        settings: Settings,
        clock: Clock,
        on_batch: OnBatch,
    ) -> None:
        self._context = context
        self._store = store
        self._workspace = workspace
        self._settings = settings
        self._clock = clock
        self._on_batch = on_batch
        self._recorder = Recorder(store, clock)
        self._manifests = Manifests(store)
        self._known = Known()
        self._batch = Batch()
        self._companions: dict[str, list[tuple[str, str]]] = {}
        self._pending: deque[_Pending | _EndOfFolder] = deque()
        self._refused: dict[str, str] = {}
        self._out_of_sight: list[str] = []
        self._names: dict[int, str] = {}
        self._added = self._changed = self._unchanged = self._removed = self._links = 0
        self._written_at = time.monotonic()

    def run(self) -> dict[str, Any]:
        """The whole scan; the issue's document. Raises RunCancelled once the run was asked to stop."""
        started = time.monotonic()
        roots = outermost(self._context.params["paths"])
        self._manifests.gather(self._workspace.projects)
        with self._store.reading() as connection:
            self._known = Known.load(connection, self._scope(roots))
            self._names = {row.id: row.name for row in connection.execute(sa.select(projects.c.id, projects.c.name))}
        declared_before = set(self._manifests.by_key)
        pool = ThreadPoolExecutor(self._context.workers, thread_name_prefix="scan")
        try:
            for root in roots:
                self._scan_root(root, pool)
            self._drain(0)
            self._write()
        except RunCancelled:
            self._write()  # what is finished need not be read again
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        if set(self._manifests.by_key) != declared_before:
            self._attribute_again(roots)
        self._finish(roots)
        return {
            "run": self._context.id,
            "added": self._added,
            "changed": self._changed,
            "unchanged": self._unchanged,
            "removed": self._removed,
            "refused": [{"path": path, "reason": reason} for path, reason in sorted(self._refused.items())],
            "seconds": round(time.monotonic() - started, 3),
        }

    def _scope(self, roots: Sequence[Root]) -> list[str]:
        """What this scan can speak about: the roots, and the workspace's manifests."""
        return [*(root.path for root in roots), str(self._workspace.projects)]

    # Walking

    def _scan_root(self, root: Root, pool: ThreadPoolExecutor) -> None:
        with self._store.reading() as connection:
            rules, top = rules_for(connection, root.folder, self._manifests, self._settings.projects)
        for listing in self._listings(root):
            for path in listing.manifests:
                if self._manifests.add(path):
                    with self._store.reading() as connection:
                        rules, top = rules_for(connection, root.folder, self._manifests, self._settings.projects)
            self._take(listing, rules, top, pool)
            self._links += listing.links

    def _listings(self, root: Root) -> Iterator[Listing]:
        if root.only is None:
            yield from walk(root.folder, self._own_folders(), self._context.check)
            return
        listing = list_folder(root.folder, frozenset(), self._context.check)
        listing.images = [found for found in listing.images if found.path == root.only]
        listing.refused = [each for each in listing.refused if each[0] == root.only]
        yield listing

    def _own_folders(self) -> frozenset[str]:
        """The workspace holds no photographs of the person's, only the engine's files."""
        own = self._workspace
        folders = (own.root, own.projects, own.training, own.root / "ai_data", own.logs, own.changes, own.cache)
        return frozenset(os.path.realpath(folder) for folder in folders)

    def _take(self, listing: Listing, rules: Rules, top: str, pool: ThreadPoolExecutor) -> None:
        """Sort a folder's images into unchanged and to be read."""
        known, at = self._known, self._known.at
        self._refuse_unopened(listing)
        expected = self._expected_project(listing.folder, rules, top)
        to_read: list[Found] = []
        for found in listing.images:
            index = at.get(found.path)
            if index is None or not known.is_unchanged(index, found) or not known.present[index]:
                to_read.append(found)
                continue
            known.seen[index] = 1
            self._unchanged += 1
            if expected is not None:
                project = expected(found)
                if project is not None and self._names.get(known.projects[index], "").casefold() != project.casefold():
                    self._batch.moved_project.append((known.ids[index], project))
                    self._unchanged -= 1
                    self._changed += 1
        self._note_companions(listing)
        if to_read:
            to_read.sort(key=lambda found: found.path)
            for found in to_read:
                self._begin(found, rules, top, pool)
            self._pending.append(_EndOfFolder(listing.folder))
        self._drain(self._context.workers * AHEAD)
        self._tell()

    def _expected_project(self, folder: str, rules: Rules, top: str) -> Callable[[Found], str | None] | None:
        """What manifests and settings say of this folder's images; None where they say nothing.

        Only they move an image that is known already: folder names do not, or a new neighbour would re-sort old work.
        """
        declared = Rules(declared=rules.declared, not_subjects=rules.not_subjects)
        project = by_component(folder, top, declared)
        if project is not None:
            return lambda _found: project
        if rules.patterns or rules.dated:
            return lambda found: by_pattern(found.path, rules.patterns) or by_date(found.mtime_ns, rules.manifests)
        return None

    def _begin(self, found: Found, rules: Rules, top: str, pool: ThreadPoolExecutor) -> None:
        """Queue a file for reading, unless it is known to be beyond reading or has only come back."""
        known = self._known
        refusal = known.refused.get(found.path)
        if refusal is not None and refusal[:2] == (found.size, found.mtime_ns) and refusal[2] not in CURABLE:
            self._refuse(found.path, refusal[3])
            self._see(found.path)
            return
        index = known.at.get(found.path)
        if index is not None and refusal is None and known.is_unchanged(index, found):
            known.seen[index] = 1
            self._batch.restored.append(known.ids[index])
            self._added += 1
            return
        project = declared_project(found.path, found.mtime_ns, rules, top)
        image, was_present = None, False
        if index is not None:
            image, was_present = known.ids[index], bool(known.present[index])
            project = project or self._names.get(known.projects[index])
        project = project or folder_project(found.path, top)
        future = pool.submit(_read, found.path, self._settings.max_pixels)
        self._pending.append(_Pending(found, future, project, image, was_present))
        self._drain(self._context.workers * AHEAD)

    def _note_companions(self, listing: Listing) -> None:
        """Companions that came or went, for the images of one folder."""
        before = self._known.companions.get(listing.folder)
        if not listing.others and not before:
            return
        prefix = listing.folder.rstrip("/") + "/"
        names = [found.path[len(prefix) :] for found in listing.images]
        found = companions_of(names, listing.others)
        now = {prefix + other: prefix + image for image, noted in found.items() for other, _ in noted}
        earlier = before or {}
        at, ids = self._known.at, self._known.ids
        owners = {owner for path, owner in now.items() if earlier.get(path) != self._id_of(owner)}
        lost = {image for path, image in earlier.items() if path not in now}
        if lost:
            owners.update(path for path in (prefix + name for name in names) if path in at and ids[at[path]] in lost)
        for owner in owners:
            noted = [(prefix + other, kind) for other, kind in found.get(owner[len(prefix) :], [])]
            # An image without an id yet has one only once it was read.
            (self._batch.companions if owner in at else self._companions)[owner] = noted

    # Reading

    def _drain(self, most: int) -> None:
        """Take in finished files, in order, until at most `most` are still in flight; write when it is time."""
        while self._pending:
            self._context.check()
            first = self._pending[0]
            if isinstance(first, _EndOfFolder):
                self._batch.folders.append(first.folder)
            else:
                if len(self._pending) <= most and not first.future.done():
                    break
                try:
                    outcome = first.future.result(timeout=_PATIENCE)
                except NotYet:
                    self._write_if_due()
                    continue
                self._settle(first, outcome)
            self._pending.popleft()
            self._write_if_due()
        self._write_if_due()

    def _settle(self, pending: _Pending, outcome: Reading | UnreadableImage) -> None:
        found = pending.found
        self._see(found.path)
        companions = self._companions.pop(found.path, None)
        if isinstance(outcome, UnreadableImage):
            self._refuse(found.path, outcome.reason)
            self._batch.refused.append(
                Refused(found.path, outcome.code, outcome.reason, found.size, found.mtime_ns, pending.image)
            )
            return
        self._batch.read.append(Read(found.path, outcome, pending.project, pending.image, pending.was_present))
        if companions:
            self._batch.companions[found.path] = companions
        if found.path in self._known.refused:
            self._batch.cured.append(found.path)

    def _refuse(self, path: str, reason: str) -> None:
        """Refused, now or before: told in the result and in the run's log."""
        shown = printable(path)
        self._refused[shown] = reason
        self._known.refused_seen.add(shown)
        self._context.refuse(shown, reason)

    def _refuse_unopened(self, listing: Listing) -> None:
        if not listing.is_whole:
            self._out_of_sight.append(listing.folder)
        for path, code, reason in listing.refused:
            self._refuse(path, reason)
            self._see(path)
            self._batch.refused.append(Refused(path, code, reason))

    def _see(self, path: str) -> None:
        index = self._known.at.get(path)
        if index is not None:
            self._known.seen[index] = 1

    def _id_of(self, path: str) -> int | None:
        index = self._known.at.get(path)
        return None if index is None else self._known.ids[index]

    # Writing

    def _write_if_due(self) -> None:
        waited = time.monotonic() - self._written_at
        if waited >= BATCH_SECONDS or len(self._batch) >= BATCH_SIZE:
            self._write()

    def _write(self) -> None:
        """Write the batch and tell whoever builds on it. Nothing to write is no transaction."""
        batch, self._batch = self._batch, Batch()
        self._written_at = time.monotonic()
        if not len(batch):
            return
        written = self._recorder.write(batch, self._id_of)
        self._added += written.added
        self._changed += len(batch.read) - written.added
        for old_path in written.moved.values():
            self._see(old_path)
        self._on_batch(written.image_ids, batch.folders)
        self._tell()
        self._written_at = time.monotonic()

    def _attribute_again(self, roots: Sequence[Root]) -> None:
        """Manifests that were met on the way speak also of the images that were read before them."""
        batch = Batch()
        for root in roots:
            with self._store.reading() as connection:
                rules, top = rules_for(connection, root.folder, self._manifests, self._settings.projects)
                query = (
                    sa.select(images.c.id, images.c.path, images.c.folder, images.c.mtime_ns, projects.c.key)
                    .join(projects, projects.c.id == images.c.project_id)
                    .where(images.c.removed_at.is_(None), under(images.c.folder, images.c.path, root.path))
                )
                for image, path, folder, mtime, key in connection.execute(query):
                    expected = self._expected_project(folder, rules, top)
                    project = expected(Found(path, 0, mtime)) if expected else None
                    if project is not None and project.casefold() != key:
                        batch.moved_project.append((image, project))
        if batch.moved_project:
            written = self._recorder.write(batch, self._id_of)
            self._on_batch(written.image_ids, [])

    def _finish(self, roots: Sequence[Root]) -> None:
        """Mark what is gone, forget refusals that no longer hold, and say that these roots are complete."""
        for path, reason in self._manifests.refused:
            self._refuse(path, reason)
            self._batch.refused.append(Refused(path, "bad_manifest", reason))
        self._write()
        paths = self._scope(roots)
        gone = self._known.unseen(paths, self._out_of_sight)
        self._context.check()
        self._recorder.remove([image for image, _ in gone], self._known.unseen_refusals(paths, self._out_of_sight))
        self._removed = len(gone)
        if gone:
            self._on_batch([], sorted({path.rpartition("/")[0] or "/" for _, path in gone}))
        now = iso(self._clock())
        rows = [{"path": root.folder, "scanned_at": now} for root in roots if root.only is None]
        with self._store.writing() as connection:
            upsert(connection, scan_roots, rows, key=["path"], update=["scanned_at"])
        if self._links:
            self._context.log(f"{self._links:,} links were not followed; name what they lead to as a path of its own")
        self._tell()
        self._context.flush()

    def _tell(self) -> None:
        done = self._unchanged + self._added + self._changed + len(self._refused)
        self._context.progress(done, None, f"{done:,} files, {len(self._refused):,} refused")


def _read(path: str, max_pixels: int) -> Reading | UnreadableImage:
    try:
        return read_image(path, max_pixels)
    except UnreadableImage as error:
        error.__traceback__ = error.__cause__ = error.__context__ = None  # they would keep the file's bytes alive
        return error


def outermost(paths: Sequence[str]) -> list[Root]:
    """The roots to walk, without links, each once: what lies inside another is part of it."""
    real = sorted({os.path.realpath(path) for path in paths}, key=lambda path: (len(path), path))
    kept: list[str] = []
    for path in real:
        if not any(is_under(path, other) for other in kept):
            kept.append(path)
    return [Root(path) if Path(path).is_dir() else Root(str(Path(path).parent), path) for path in sorted(kept)]
