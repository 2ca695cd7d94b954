"""Sidecars: files that Proofsheet writes beside images on request, and takes away again before delivery.

`a.phash` holds imagehash's hexadecimal string of `a.jpg`, `a.embedding.npy` its vector as float32. Where several images
share a stem, the sidecar carries the whole name (`a.jpg.phash`), so that it is plain whose it is. Everything is planned
as a change set: shown first, applied on a yes, reversible. A ledger keeps what was written, with its hash; only such a
file, and only while it is as it was written, is ever removed. Relies on the store and on change sets; the vectors are
handed in by the hallway.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from engine.changes import Changes, ChangeSet, Create, Delete, Operation, State
from engine.clock import Clock, iso
from engine.errors import ProofsheetError, UsageError
from engine.library import catalog
from engine.library.facts import facts_of, hexadecimal
from engine.library.model import Image
from engine.store import Store
from engine.store.schema import images
from engine.store.schema.delivery import sidecars

Kind = Literal["embedding", "phash"]
KINDS: tuple[Kind, ...] = get_args(Kind)
SUFFIXES: dict[Kind, str] = {"embedding": ".embedding.npy", "phash": ".phash"}
#: Kinds that people know, and why they cannot be written yet.
LATER = {
    "saliency": "saliency maps come with the vision room's saliency, which is not there yet",
    "hands": "hands come with the optional hand detector, which is not there yet",
}
FileState = Literal["written", "changed", "unreadable"]
VectorsOf = Callable[[Sequence[Image]], NDArray[np.float32]]
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A file of the ledger that is on the disk. `state` is `changed` when it is not as Proofsheet wrote it."""

    path: Path
    kind: Kind
    image_id: int
    sha256: str
    size: int
    written_at: str
    state: FileState


@dataclass(frozen=True, slots=True)
class SidecarPlan:
    """What is planned: the change set (None: nothing to do), sidecars that are there already as they would become,
    and files or images that are left out, each with the reason."""

    change_set: ChangeSet | None
    unchanged: tuple[Path, ...]
    skipped: tuple[tuple[Path, str], ...]


def checked_kinds(names: Iterable[str]) -> list[Kind]:
    """The kinds by these names. Raises UsageError for one that is not known or not available, saying why."""
    found: list[Kind] = []
    for name in names:
        if name in LATER:
            raise UsageError(f"{name}: not available yet: {LATER[name]}", remedy=f"Kinds: {', '.join(KINDS)}.")
        kind = next((each for each in KINDS if each == name), None)
        if kind is None:
            raise UsageError(f"there is no kind of sidecar '{name}'", remedy=f"Kinds: {', '.join(KINDS)}.")
        if kind not in found:
            found.append(kind)
    return found


class Sidecars:
    """The sidecars of one workspace. `vectors_of` (images of one project -> (n, d)) is handed in by the hallway."""

    def __init__(self, store: Store, changes: Changes, clock: Clock) -> None:
        self._store = store
        self._changes = changes
        self._clock = clock

    async def plan_writing(
        self, image_ids: Sequence[int], kinds: Sequence[Kind], vectors_of: VectorsOf | None
    ) -> SidecarPlan:
        """Plan the sidecars of these images; nothing is written until the change set is applied.

        A sidecar that is there with other content stays, and is told. Raises ProofsheetError when vectors are asked for
        and cannot be had.
        """
        if "embedding" in kinds and vectors_of is None:
            raise ProofsheetError("embeddings are not available: no encoder is open")
        wanted, contents, skipped = await self._store.read(
            lambda connection: self._contents(connection, image_ids, kinds, vectors_of)
        )
        operations: list[Operation] = []
        rows: list[dict[str, object]] = []
        unchanged: list[Path] = []
        roots: set[Path] = set()
        now = iso(self._clock())
        for (image, kind), content in contents.items():
            path = wanted[image, kind]
            there = _bytes_at(path)
            if there == content:
                unchanged.append(path)
                continue
            if there is not None or os.path.lexists(path):
                skipped.append((path, "is there already with other content"))
                continue
            operations.append(Create(path, content))
            roots.add(path.parent)
            rows.append(
                {
                    "image_id": image,
                    "kind": kind,
                    "path": str(path),
                    "sha256": hashlib.sha256(content).hexdigest(),
                    "size": len(content),
                    "planned_at": now,
                }
            )
        if not operations:
            return SidecarPlan(None, tuple(unchanged), tuple(skipped))
        count = len(operations)
        title = (
            f"{count:,} {'sidecar' if count == 1 else 'sidecars'} beside {len({r['image_id'] for r in rows}):,} images"
        )
        planned = await self._changes.plan(operations, title, sorted(roots), kind="sidecars")
        for row in rows:
            row["change_set"] = planned.id
        await self._store.write(lambda connection: connection.execute(sa.insert(sidecars), rows), durable=True)
        return SidecarPlan(planned, tuple(unchanged), tuple(skipped))

    async def written(self, image_ids: Sequence[int] | None = None, kinds: Sequence[Kind] = KINDS) -> list[Sidecar]:
        """What Proofsheet wrote and what is still there, by path; of these images, or of all."""
        await self._settle()
        return await self._store.read(lambda connection: _present(connection, image_ids, kinds))

    async def plan_cleaning(self, image_ids: Sequence[int] | None = None, kinds: Sequence[Kind] = KINDS) -> SidecarPlan:
        """Plan to remove exactly what Proofsheet wrote; a file that was changed since is kept, and told."""
        found = await self.written(image_ids, kinds)
        mine = [each for each in found if each.state == "written"]
        words = {
            "changed": "was changed since it was written, and is kept",
            "unreadable": "cannot be read, and is kept",
        }
        kept = tuple((each.path, words[each.state]) for each in found if each.state != "written")
        if not mine:
            return SidecarPlan(None, (), kept)
        title = f"{len(mine):,} {'sidecar' if len(mine) == 1 else 'sidecars'} taken away"
        planned = await self._changes.plan(
            [Delete(each.path) for each in mine], title, sorted({each.path.parent for each in mine}), kind="sidecars"
        )
        return SidecarPlan(planned, (), kept)

    async def _settle(self) -> None:
        """Note in the ledger which planned sidecars were written since, whoever applied the change set."""

        def waiting(connection: sa.Connection) -> set[str]:
            query = sa.select(sidecars.c.change_set).where(sidecars.c.written_at.is_(None)).distinct()
            return set(connection.execute(query).scalars())

        pending = await self._store.read(waiting)
        if not pending:
            return
        applied = {
            each.id: iso(each.finished_at or each.created_at)
            for each in await self._changes.list()
            if each.id in pending and each.state is State.APPLIED
        }

        def note(connection: sa.Connection) -> None:
            for change_set, at in applied.items():
                of = sidecars.c.change_set == change_set
                connection.execute(sa.update(sidecars).where(of).values(written_at=at))

        if applied:
            await self._store.write(note, durable=True)

    def _contents(
        self,
        connection: sa.Connection,
        image_ids: Sequence[int],
        kinds: Sequence[Kind],
        vectors_of: VectorsOf | None,
    ) -> tuple[dict[tuple[int, Kind], Path], dict[tuple[int, Kind], bytes], list[tuple[Path, str]]]:
        """Where each sidecar goes, what it holds, and which images go without, with the reason."""
        found = catalog.page(connection, image_ids)
        shared = _shared_stems(connection, found)
        paths = {(image.id, kind): _beside(image.path, kind, shared) for image in found for kind in kinds}
        contents: dict[tuple[int, Kind], bytes] = {}
        skipped: list[tuple[Path, str]] = []
        if "phash" in kinds:
            facts = facts_of(connection, image_ids)
            for image in found:
                if image.id in facts:
                    contents[image.id, "phash"] = hexadecimal(facts[image.id].phash).encode()
                else:
                    skipped.append((image.path, "was not studied yet, so that its hash is not known"))
        if "embedding" in kinds and vectors_of is not None:
            projects: dict[str, list[Image]] = {}
            for image in found:
                projects.setdefault(image.project.casefold(), []).append(image)
            for members in projects.values():
                for image, vector in zip(members, vectors_of(members), strict=True):
                    contents[image.id, "embedding"] = npy(vector)
        return paths, contents, skipped


def npy(vector: NDArray[np.float32]) -> bytes:
    """A vector as the bytes of a `.npy` file, float32, without pickle."""
    out = io.BytesIO()
    np.save(out, np.ascontiguousarray(vector, dtype=np.float32), allow_pickle=False)
    return out.getvalue()


def _beside(image: Path, kind: Kind, shared: set[Path]) -> Path:
    stem = image.with_suffix("")
    return image.with_name((image.name if stem in shared else stem.name) + SUFFIXES[kind])


def _shared_stems(connection: sa.Connection, found: Sequence[Image]) -> set[Path]:
    """Paths without suffix that more than one image of the library has."""
    folders = sorted({str(image.path.parent) for image in found})
    stems: Counter[Path] = Counter()
    for at in range(0, len(folders), _CHUNK):
        query = sa.select(images.c.path).where(
            images.c.folder.in_(folders[at : at + _CHUNK]), images.c.removed_at.is_(None)
        )
        stems.update(Path(path).with_suffix("") for path in connection.execute(query).scalars())
    return {stem for stem, count in stems.items() if count > 1}


def _present(connection: sa.Connection, image_ids: Sequence[int] | None, kinds: Sequence[Kind]) -> list[Sidecar]:
    """The newest row of each path whose file is there, with what became of it."""
    query = (
        sa.select(sidecars)
        .where(sidecars.c.written_at.is_not(None), sidecars.c.kind.in_(kinds))
        .order_by(sidecars.c.path, sidecars.c.written_at.desc(), sidecars.c.id.desc())
    )
    wanted = None if image_ids is None else {int(each) for each in image_ids}
    hashes: dict[str, set[str]] = {}
    newest: dict[str, sa.Row[tuple[object, ...]]] = {}
    for row in connection.execute(query):
        if wanted is None or row.image_id in wanted:
            newest.setdefault(row.path, row)
            hashes.setdefault(row.path, set()).add(row.sha256)
    found = []
    for path, row in newest.items():
        state = _state(Path(path), hashes[path])
        if state is not None:
            found.append(Sidecar(Path(path), row.kind, row.image_id, row.sha256, row.size, row.written_at, state))
    return found


def _state(path: Path, hashes: set[str]) -> FileState | None:
    """What became of a file; None when it is gone."""
    try:
        if path.is_symlink() or not path.is_file():
            return "changed" if os.path.lexists(path) else None
        return "written" if hashlib.sha256(path.read_bytes()).hexdigest() in hashes else "changed"
    except FileNotFoundError:
        return None
    except OSError:
        return "unreadable"


def _bytes_at(path: Path) -> bytes | None:
    """What is in a regular file; None where there is none or it cannot be read."""
    try:
        return path.read_bytes() if path.is_file() and not path.is_symlink() else None
    except OSError:
        return None
