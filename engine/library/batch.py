"""One batch of a scan's findings, and writing it: a single transaction, so that a crash loses a batch and no more.

Relies on the store. A new file whose content is that of an image that is gone takes over that image's row: that is
what a move is. Rows of images are never deleted; `removed_at` says that a file is gone. Never touches a source.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso
from engine.library.reading import Reading
from engine.library.source import printable
from engine.store import Store, upsert
from engine.store.schema import companions, images, projects, refusals, scan_folders

_CHUNK = 500


@dataclass(slots=True)
class Read:
    """A file that was read: new when `image` is None, else known by that id. `project` is the id as written, None to
    keep the one that it has. `companions`, as (path, kind), are those of a new file; others are in the batch."""

    path: str
    reading: Reading
    project: str | None
    image: int | None
    was_present: bool
    companions: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Refused:
    """A file that was passed over. `image` is the known image that it used to be; `frames` tell where our own code
    failed over it, if it did."""

    path: str
    code: str
    reason: str
    size: int | None = None
    mtime_ns: int | None = None
    image: int | None = None
    frames: Sequence[Mapping[str, Any]] = ()


@dataclass(slots=True)
class Folder:
    """A folder that was compared file by file. `images` counts those present, `is_touched` tells that any is new,
    changed or has moved. Without a `fingerprint` the next scan compares it again."""

    path: str
    fingerprint: str | None
    images: int = 0
    is_touched: bool = False


@dataclass(slots=True)
class Batch:
    """What is to be written together. `companions` maps an image's id to all its companions, (path, kind)."""

    read: list[Read] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    restored: list[int] = field(default_factory=list)
    moved_project: list[tuple[int, str]] = field(default_factory=list)
    companions: dict[int, list[tuple[str, str]]] = field(default_factory=dict)
    cured: list[str] = field(default_factory=list)
    folders: list[Folder] = field(default_factory=list)

    def __len__(self) -> int:
        return (
            len(self.read) + len(self.refused) + len(self.restored) + len(self.moved_project)
            + len(self.companions) + len(self.folders)
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Written:
    """What became of a batch: ids new or changed, how many were added, and the moves (new path -> old path)."""

    image_ids: list[int]
    added: int
    moved: dict[str, str]


class Recorder:
    """Writes batches. Remembers project ids, so that they are looked up once."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._projects: dict[str, int] = {}

    def write(self, batch: Batch) -> Written:
        """One transaction for the whole batch."""
        now = iso(self._clock())
        with self._store.writing() as connection:
            written = self._write_images(connection, batch, now)
            _by_ids(connection, images, batch.restored, removed_at=None)
            self._move_projects(connection, batch.moved_project)
            self._write_companions(connection, batch.companions)
            self._write_refusals(connection, batch, now)
            self._write_folders(connection, batch.folders, written.moved)
        return written

    def remove(self, gone: Mapping[str, int], refused_paths: Sequence[str]) -> None:
        """Mark images (path -> id) as gone, and forget refusals that no longer hold."""
        now = iso(self._clock())
        with self._store.writing() as connection:
            _by_ids(connection, images, list(gone.values()), removed_at=now)
            _forget(connection, refusals.c.path, refused_paths)
            _forget(connection, scan_folders.c.path, sorted({folder_of(path) for path in gone}))

    def project_id(self, connection: sa.Connection, name: str) -> int:
        """The row of a project, made if it is new. Ids are compared casefolded; the first spelling stays."""
        key = name.casefold()
        if key not in self._projects:
            found = connection.execute(sa.select(projects.c.id).where(projects.c.key == key)).scalar()
            if found is None:
                inserted = connection.execute(sa.insert(projects).values(key=key, name=name).returning(projects.c.id))
                found = inserted.scalar_one()
            self._projects[key] = int(found)
        return self._projects[key]

    def _write_images(self, connection: sa.Connection, batch: Batch, now: str) -> Written:
        origins = self._origins(connection, [one for one in batch.read if one.image is None])
        fresh: list[tuple[Read, dict[str, Any]]] = []
        ids: dict[str, int] = {}
        for one in batch.read:
            row = _row(one.path, one.reading)
            if one.project is not None:
                row["project_id"] = self.project_id(connection, one.project)
            image = one.image if one.image is not None else origins.get(one.path, (None, ""))[0]
            if image is None:
                fresh.append((one, {**row, "added_at": now}))
                continue
            connection.execute(sa.update(images).where(images.c.id == image).values(row))
            ids[one.path] = image
            if one.image is None:
                batch.companions[image] = one.companions  # what lay beside the old place did not come along
        if fresh:
            statement = sa.insert(images).returning(images.c.id, sort_by_parameter_order=True)
            added = connection.execute(statement, [row for _, row in fresh]).scalars()
            for (one, _), image in zip(fresh, added, strict=True):
                ids[one.path] = image
                if one.companions:
                    batch.companions[image] = one.companions
        returned = sum(1 for one in batch.read if one.image is not None and not one.was_present)
        changed = [ids[one.path] for one in batch.read]
        changed += [*batch.restored, *(image for image, _ in batch.moved_project)]
        return Written(changed, len(fresh) + returned, {path: old for path, (_, old) in origins.items()})

    @staticmethod
    def _origins(connection: sa.Connection, fresh: Sequence[Read]) -> dict[str, tuple[int, str]]:
        """Where new files came from: path -> (image id, old path), by equal content and an old path that is gone.

        Of several candidates the one of the same name is taken, then the oldest; each is taken once.
        """
        hashes = sorted({one.reading.content_hash for one in fresh})
        candidates: dict[str, list[tuple[int, str]]] = {}
        for at in range(0, len(hashes), _CHUNK):
            query = (
                sa.select(images.c.content_hash, images.c.id, images.c.path)
                .where(images.c.content_hash.in_(hashes[at : at + _CHUNK]))
                .order_by(images.c.id)
            )
            for content_hash, image, path in connection.execute(query):
                if not os.path.lexists(path):
                    candidates.setdefault(content_hash, []).append((image, path))
        found: dict[str, tuple[int, str]] = {}
        for one in fresh:
            possible = candidates.get(one.reading.content_hash)
            if possible:
                name = one.path.rpartition("/")[2]
                best = next((each for each in possible if each[1].rpartition("/")[2] == name), possible[0])
                possible.remove(best)
                found[one.path] = best
        return found

    def _move_projects(self, connection: sa.Connection, moved: Sequence[tuple[int, str]]) -> None:
        by_project: dict[str, list[int]] = {}
        for image, project in moved:
            by_project.setdefault(project, []).append(image)
        for project, ids in by_project.items():
            _by_ids(connection, images, ids, project_id=self.project_id(connection, project))

    @staticmethod
    def _write_companions(connection: sa.Connection, noted: Mapping[int, Sequence[tuple[str, str]]]) -> None:
        owners = list(noted)
        for at in range(0, len(owners), _CHUNK):
            connection.execute(sa.delete(companions).where(companions.c.image_id.in_(owners[at : at + _CHUNK])))
        rows = [
            {"image_id": image, "path": path, "kind": kind} for image, beside in noted.items() for path, kind in beside
        ]
        if rows:
            connection.execute(sa.insert(companions), rows)

    @staticmethod
    def _write_folders(connection: sa.Connection, folders: Sequence[Folder], moved: Mapping[str, str]) -> None:
        # Where a file came from, the listing speaks of an image that is elsewhere now.
        _forget(connection, scan_folders.c.path, sorted({folder_of(old) for old in moved.values()}))
        rows = [
            {"path": folder.path, "fingerprint": folder.fingerprint, "images": folder.images}
            for folder in folders
            if folder.fingerprint is not None
        ]
        upsert(connection, scan_folders, rows, key=["path"], update=["fingerprint", "images"])

    @staticmethod
    def _write_refusals(connection: sa.Connection, batch: Batch, now: str) -> None:
        rows = [
            {
                "path": printable(one.path),
                "code": one.code,
                "reason": one.reason,
                "size": one.size,
                "mtime_ns": one.mtime_ns,
                "seen_at": now,
            }
            for one in batch.refused
        ]
        upsert(connection, refusals, rows, key=["path"], update=["code", "reason", "size", "mtime_ns", "seen_at"])
        damaged = [one.image for one in batch.refused if one.image is not None]
        _by_ids(connection, images, damaged, removed_at=now)
        _forget(connection, refusals.c.path, batch.cured)


def _row(path: str, reading: Reading) -> dict[str, Any]:
    name = path.rpartition("/")[2]
    return {
        "path": path,
        "folder": folder_of(path),
        "name": unicodedata.normalize("NFC", name),
        "format": reading.format,
        "width": reading.width,
        "height": reading.height,
        "size": reading.size,
        "mtime_ns": reading.mtime_ns,
        "content_hash": reading.content_hash,
        "orientation": reading.orientation,
        "taken_at": reading.taken_at,
        "taken_at_source": reading.taken_at_source,
        "removed_at": None,
    }


def _by_ids(connection: sa.Connection, table: sa.Table, ids: Sequence[int], **values: Any) -> None:
    for at in range(0, len(ids), _CHUNK):
        connection.execute(sa.update(table).where(table.c.id.in_(ids[at : at + _CHUNK])).values(**values))


def _forget(connection: sa.Connection, column: sa.Column[str], paths: Sequence[str]) -> None:
    for at in range(0, len(paths), _CHUNK):
        connection.execute(sa.delete(column.table).where(column.in_(paths[at : at + _CHUNK])))


def folder_of(path: str) -> str:
    """The folder of a file, `/` for one at the very top."""
    return path.rpartition("/")[0] or "/"
