"""A scan: walk the folders, read what is new or changed, write it in batches, and at the end mark what is gone.

Relies on walk, known, readers, batch and rules. A folder whose listing is as it was is passed over as a whole; in the
others each file is compared, and only what differs is opened. A batch is written about four times a second, each in
one transaction, so that a scan that is killed at any instant leaves a consistent library, and the next one
completes it. Never writes to, moves or re-times a source.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso
from engine.library.batch import Batch, Folder, Read, Recorder, Refused, folder_of
from engine.library.companions import companions_of
from engine.library.ground import Ground, Root, outermost
from engine.library.known import (
    Known,
    KnownImage,
    KnownRefusal,
    companions_in,
    images_in,
    project_at_home,
    within,
)
from engine.library.project import project_of
from engine.library.readers import Asked, Readers
from engine.library.reading import Reading
from engine.library.rules import Manifests, digest_of, rules_for
from engine.library.source import UnreadableImage, printable
from engine.library.walk import Listing, list_folder, walk
from engine.logs.errors import ErrorLog, refusal
from engine.runs import RunCancelled, RunContext
from engine.settings import Settings
from engine.store import Store, upsert
from engine.store.schema import images, projects, scan_roots
from engine.workspace import Workspace

OnBatch = Callable[[Sequence[int], Sequence[str]], None]
Beside = dict[str, list[tuple[str, str]]]

BATCH_SECONDS = 0.25
BATCH_SIZE = 1000
_CHUNK = 500


def own_folders(workspace: Workspace) -> frozenset[str]:
    """Real paths of the folders that only the engine writes to. Not the workspace itself, which may be a folder of
    photographs, nor `projects`, where manifests lie: whatever else is in those is the person's."""
    own = (workspace.training, workspace.root / "ai_data", workspace.logs, workspace.changes, workspace.cache)
    return frozenset(os.path.realpath(folder) for folder in own)


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
        self._errors = ErrorLog(workspace.logs / "errors.jsonl", clock=clock)
        self._manifests = Manifests(store)
        self._known = Known()
        self._batch = Batch()
        self._refused: dict[str, tuple[str, str]] = {}
        self._gone: dict[str, int] = {}
        self._visited: set[str] = set()
        self._out_of_sight: set[str] = set()
        self._own = own_folders(workspace)
        self._added = self._changed = self._unchanged = self._links = 0
        self._written_at = time.monotonic()
        self._readers = Readers(
            context.workers,
            settings.max_pixels,
            settle=self._settle,
            close_folder=lambda folder: self._batch.folders.append(folder),
            tick=self._tick,
        )

    def run(self) -> dict[str, Any]:
        """The whole scan, as the document that `proofsheet scan --json` prints.

        Raises RunCancelled once the run was asked to stop.
        """
        started = time.monotonic()
        roots = outermost(self._context.params["paths"])
        self._manifests.gather(self._workspace.projects)
        with self._store.reading() as connection:
            self._known = Known.load(connection, [*(root.path for root in roots), str(self._workspace.projects)])
        declared_before = set(self._manifests.by_key)
        try:
            for root in roots:
                self._scan_root(root)
            self._readers.take_in()
            self._write()
        except RunCancelled:
            self._write()  # what is finished need not be read again
            raise
        finally:
            self._readers.close()
        if set(self._manifests.by_key) != declared_before:
            self._attribute_again(roots)
        self._finish(roots)
        return {
            "run": self._context.id,
            "added": self._added,
            "changed": self._changed,
            "unchanged": self._unchanged,
            "removed": len(self._gone),
            "refused": [
                {"path": path, "code": code, "reason": reason} for path, (code, reason) in sorted(self._refused.items())
            ],
            "seconds": round(time.monotonic() - started, 3),
        }

    # Walking

    def _scan_root(self, root: Root) -> None:
        ground = self._ground(root)
        for listing in self._listings(root):
            news = [path for path in listing.manifests if self._manifests.add(path)]
            if news:
                ground = self._ground(root)
            self._take(listing, ground, root.only)
            self._links += listing.links
            for path in listing.vanished:
                self._context.recovered("vanished-file", "it went away while its folder was read", printable(path))

    def _ground(self, root: Root) -> Ground:
        with self._store.reading() as connection:
            rules, top = rules_for(connection, root.folder, self._manifests, self._settings.projects)
        return Ground(rules, top, digest_of(rules, top))

    def _listings(self, root: Root) -> Iterator[Listing]:
        if root.only is None:
            yield from walk(root.folder, self._own, self._context.check)
            return
        listing = list_folder(root.folder, frozenset(), self._context.check)
        listing.refused = [each for each in listing.refused if each[0] in (root.only, root.folder)]
        listing.manifests = []
        yield listing

    def _take(self, listing: Listing, ground: Ground, only: str | None) -> None:
        """Pass a folder over as a whole where its listing is as it was, else compare it."""
        self._refuse_unopened(listing)
        self._visited.add(listing.folder)
        fingerprint = listing.fingerprint(ground.digest)
        stored, count = self._known.fingerprints.get(listing.folder, (None, 0))
        refusals = self._known.refused.get(listing.folder, {})
        is_same = stored == fingerprint and not any(each.is_curable for each in refusals.values())
        if is_same and only is None:
            self._unchanged += count
            for refusal in refusals.values():
                self._refuse(refusal.path, refusal.code, refusal.reason)
        else:
            is_complete = listing.is_whole and only is None
            folder = Folder(listing.folder, fingerprint if is_complete else None)
            self._compare(listing, folder, refusals, ground, only)
            self._readers.end(folder)
        self._tick()
        self._tell()

    def _compare(
        self,
        listing: Listing,
        folder: Folder,
        refusals: dict[str, KnownRefusal],
        ground: Ground,
        only: str | None,
    ) -> None:
        """Look at each image of a folder: as it was, back again, changed, or new. What is left over is gone."""
        known: dict[str, KnownImage] = {}
        if listing.folder in self._known.held or only is not None:
            with self._store.reading() as connection:
                known = images_in(connection, listing.folder)
        beside = self._beside(listing, known)
        expected = ground.expected(listing.folder)
        at_home = project_at_home(known.values())
        prefix, sizes, times = listing.prefix, listing.numbers[::2], listing.numbers[1::2]
        for name, size, mtime_ns in sorted(zip(listing.images, sizes, times, strict=True)):
            path = prefix + name
            if only is not None and path != only:
                known.pop(path, None)
                continue
            image, refusal = known.pop(path, None), refusals.get(path)
            if refusal and not refusal.is_curable and (refusal.size, refusal.mtime_ns) == (size, mtime_ns):
                self._refuse(path, refusal.code, refusal.reason)
            elif image and not refusal and (image.size, image.mtime_ns) == (size, mtime_ns):
                self._keep(image, folder, expected(path, mtime_ns) if expected else None)
            else:
                project = expected(path, mtime_ns) if expected else None
                if project is None and image is None:
                    project = at_home or project_of(path, ground.top, mtime_ns, ground.rules)
                identity, was_present = (image.id, image.is_present) if image else (None, False)
                self._readers.read(
                    Asked(
                        path,
                        size,
                        mtime_ns,
                        folder,
                        project,
                        identity,
                        was_present,
                        bool(refusal),
                        beside.get(path, []),
                    )
                )
        if listing.is_whole:
            self._gone.update(
                (path, image.id) for path, image in known.items() if image.is_present and only in (None, path)
            )

    def _keep(self, image: KnownImage, folder: Folder, project: str | None) -> None:
        """A file that is as it was: still there, or back again; perhaps a manifest or a setting moves it."""
        folder.images += 1
        is_moved = project is not None and project.casefold() != image.project.casefold()
        if project is not None and is_moved:
            self._batch.moved_project.append((image.id, project))
        if not image.is_present:
            self._batch.restored.append(image.id)
            self._added += 1
        elif is_moved:
            self._changed += 1
        else:
            self._unchanged += 1
            return
        folder.is_touched = True

    def _beside(self, listing: Listing, known: dict[str, KnownImage]) -> Beside:
        """Companions of the folder's images, by the image's path. Those of known images that came or went go into the
        batch; those of new ones wait until they have an id."""
        earlier: dict[str, int] = {}
        if known:
            with self._store.reading() as connection:
                earlier = companions_in(connection, listing.folder)
        if not listing.others and not earlier:
            return {}
        prefix = listing.prefix
        found = {
            prefix + image: [(prefix + other, kind) for other, kind in noted]
            for image, noted in companions_of(listing.images, listing.others).items()
        }
        now = {other: path for path, noted in found.items() for other, _ in noted}
        lost = {image for other, image in earlier.items() if other not in now}
        for path, image in known.items():
            noted = found.get(path, [])
            if image.id in lost or any(earlier.get(other) != image.id for other, _ in noted):
                self._batch.companions[image.id] = noted
        return found

    # Taking in

    def _settle(self, asked: Asked, outcome: Reading | UnreadableImage) -> None:
        self._context.handled(failed=int(isinstance(outcome, UnreadableImage)))
        if isinstance(outcome, UnreadableImage):
            self._refuse(asked.path, outcome.code, outcome.reason)
            self._batch.refused.append(
                Refused(
                    asked.path, outcome.code, outcome.reason, asked.size, asked.mtime_ns, asked.image, outcome.frames
                )
            )
            return
        asked.folder.images += 1
        asked.folder.is_touched = True
        self._batch.read.append(
            Read(asked.path, outcome, asked.project, asked.image, asked.was_present, asked.companions)
        )
        if asked.is_refused:
            self._batch.cured.append(asked.path)

    def _refuse(self, path: str, code: str, reason: str) -> None:
        """Refused, now or before: told in the result and in the run's log."""
        shown = printable(path)
        self._refused[shown] = (code, reason)
        self._context.refuse(shown, reason, code)

    def _refuse_unopened(self, listing: Listing) -> None:
        if not listing.is_whole:
            self._out_of_sight.add(listing.folder)
        self._out_of_sight.update(listing.passed_over)
        for folder in self._own.intersection(listing.passed_over):
            if any(inner.images for inner in walk(folder, frozenset(), self._context.check)):
                self._context.log(f"{folder} was passed over: it is the workspace's own; name it to scan what is in it")
        for path, code, reason in listing.refused:
            self._refuse(path, code, reason)
            self._batch.refused.append(Refused(path, code, reason))

    # Writing

    def _tick(self) -> None:
        """Called at every step: stop where that was asked for, write where it is time."""
        self._context.check()
        if len(self._batch) >= BATCH_SIZE or time.monotonic() - self._written_at >= BATCH_SECONDS:
            self._write()

    def _write(self) -> None:
        """Write the batch and tell whoever builds on it. Nothing to write is no transaction."""
        batch, self._batch = self._batch, Batch()
        self._written_at = time.monotonic()
        if not len(batch):
            return
        written = self._recorder.write(batch)
        run = self._context.id
        self._errors.append(
            refusal(printable(one.path), one.code, one.reason, operation="scan", run=run, frames=one.frames)
            for one in batch.refused
            if printable(one.path) not in self._known.refused_paths  # told when it was first met
        )
        self._added += written.added
        self._changed += len(batch.read) - written.added
        for old_path in written.moved.values():
            self._gone.pop(old_path, None)
        folders = [folder.path for folder in batch.folders if folder.is_touched]
        if written.image_ids or folders:
            self._on_batch(written.image_ids, folders)
        self._tell()
        self._written_at = time.monotonic()

    def _attribute_again(self, roots: Sequence[Root]) -> None:
        """Manifests that were met on the way speak also of the images that were looked at before them."""
        moved: list[tuple[int, str]] = []
        folders: set[str] = set()
        columns = (images.c.id, images.c.path, images.c.folder, images.c.mtime_ns, projects.c.key)
        for root in roots:
            ground = self._ground(root)
            query = sa.select(*columns).join(projects, projects.c.id == images.c.project_id)
            with self._store.reading() as connection:
                for image, path, folder, mtime_ns, key in connection.execute(query.where(within(root.path))):
                    expected = ground.expected(folder)
                    project = expected(path, mtime_ns) if expected else None
                    if project is not None and project.casefold() != key:
                        moved.append((image, project))
                        folders.add(folder)
        if moved:
            self._recorder.write(Batch(moved_project=moved))
            self._on_batch([image for image, _ in moved], sorted(folders))

    def _finish(self, roots: Sequence[Root]) -> None:
        """Mark what is gone, forget refusals that no longer hold, and say that these roots are complete."""
        for path, reason in dict(self._manifests.refused).items():
            self._refuse(path, "bad_manifest", reason)
            self._batch.refused.append(Refused(path, "bad_manifest", reason))
        self._write()
        self._gone.update(self._in_folders_gone())
        self._context.check()
        manifests = str(self._workspace.projects)  # read by every scan, wherever it walks
        stale = [
            path
            for path in self._known.refused_paths - self._refused.keys()
            if folder_of(path) == manifests or not self._is_out_of_sight(path)
        ]
        self._recorder.remove(self._gone, stale)
        if self._gone:
            self._on_batch([], sorted({folder_of(path) for path in self._gone}))
        now = iso(self._clock())
        rows = [{"path": root.folder, "scanned_at": now} for root in roots if root.only is None]
        with self._store.writing() as connection:
            upsert(connection, scan_roots, rows, key=["path"], update=["scanned_at"])
        if self._links:
            self._context.log(f"{self._links:,} links were not followed; name what they lead to as a path of its own")
        self._tell()
        self._context.flush()

    def _in_folders_gone(self) -> dict[str, int]:
        """Images (path -> id) of folders that were there and that the walk has not come across."""
        folders = [
            folder
            for folder, has_images in self._known.held.items()
            if has_images and folder not in self._visited and not self._is_out_of_sight(folder)
        ]
        found: dict[str, int] = {}
        with self._store.reading() as connection:
            for at in range(0, len(folders), _CHUNK):
                query = sa.select(images.c.path, images.c.id).where(
                    images.c.folder.in_(folders[at : at + _CHUNK]), images.c.removed_at.is_(None)
                )
                found.update((path, image) for path, image in connection.execute(query))
        return found

    def _is_out_of_sight(self, path: str) -> bool:
        """Whether the path is, or lies in, a folder that this scan could not or would not look into."""
        while path not in self._out_of_sight:
            above = folder_of(path)
            if above == path:
                return False
            path = above
        return True

    def _tell(self) -> None:
        done = self._unchanged + self._added + self._changed + len(self._refused)
        self._context.progress(done, None, f"{done:,} files, {len(self._refused):,} refused")
