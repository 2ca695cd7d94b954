"""The door of the vision room: pictures in, vectors and plain readings out, each computed once.

Relies on the library for pictures, on the encoders for what they look like as numbers, on the shelves for keeping
them, and on runs for the long work of a whole library. Never opens a source file for writing, and never lets vectors
of two projects or two encoders into one answer.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.errors import ProofsheetError
from engine.library import Library
from engine.library.decode import decode
from engine.library.model import Image
from engine.library.source import UnreadableImage
from engine.runs import Run, RunContext, Runs
from engine.settings import Settings
from engine.store import Store
from engine.store.schema import images as image_table
from engine.store.schema import projects as project_table
from engine.vision import encoders
from engine.vision.builtin import Floats, Readings
from engine.vision.encoders import Encoder
from engine.vision.vectors import Shelf
from engine.workspace import Workspace

KIND = "embed"
_BATCH = 64  # pictures a commit: half a second's work is the most that a crash can cost


@dataclass(frozen=True)
class _Source:
    """What is needed to read one picture, and to know that it is still the one that was scanned."""

    path: Path
    content_hash: str
    width: int
    height: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, image: Image) -> _Source:
        return cls(image.path, image.content_hash, image.width, image.height, image.size, image.mtime_ns)


class Vision:
    """Vectors and readings of the library's pictures. The synchronous methods may be called from any thread."""

    def __init__(self, workspace: Workspace, settings: Settings, store: Store, runs: Runs, library: Library) -> None:
        self._workspace = workspace
        self._settings = settings
        self._store = store
        self._runs = runs
        self._library = library
        self._workers = settings.cpu_workers or os.cpu_count() or 1
        self._lock = threading.Lock()
        self._encoders: dict[str, Encoder] = {}
        self._shelves: dict[tuple[str, str], Shelf] = {}
        runs.register(KIND, self._embed)

    def encoder(self, spec: str | None = None) -> Encoder:
        """The encoder that `spec` names, or the one of the settings. Raises UsageError when there is no such one."""
        wanted = spec or self._settings.encoder
        with self._lock:
            if wanted not in self._encoders:
                self._encoders[wanted] = encoders.load(wanted)
            return self._encoders[wanted]

    async def embed(
        self,
        image_ids: Sequence[int] | None = None,
        project: str | None = None,
        force: bool = False,
        max_images: int | None = None,
        detach: bool = False,
        *,
        under: Sequence[Path] = (),
    ) -> Run:
        """Start a run that gives every image (or these, or a project's, or those under some folders) its vector.

        The run's result is `{"run","encoder","dim","embedded","cached","refused","images_per_second"}`. What has a
        vector is left alone unless `force`; `max_images` ends it after so many. Interrupted, it goes on where it was.
        """
        params = {
            "image_ids": None if image_ids is None else [int(one) for one in image_ids],
            "project": project,
            "force": force,
            "max_images": max_images,
            "under": [str(path) for path in under],
            "encoder": self._settings.encoder,
        }
        return await self._runs.start(KIND, params, project=project, detach=detach)

    def vectors(self, images: Sequence[Image], encoder: str | None = None) -> Floats:
        """(n, d) float32 vectors of n images of one project, computed and kept where they are missing.

        Raises ProofsheetError when the images are of several projects, or one cannot be read.
        """
        shelf, rows = self._shelved(images, encoder)
        return shelf.read([rows[image.content_hash] for image in images])

    def readings(self, images: Sequence[Image], encoder: str | None = None) -> list[Readings]:
        """The plain readings of n images of one project, computed and kept where missing; raises as `vectors`."""
        shelf, rows = self._shelved(images, encoder)
        return shelf.read_readings([rows[image.content_hash] for image in images])

    def _shelved(self, images: Sequence[Image], spec: str | None) -> tuple[Shelf, dict[str, int]]:
        projects = {image.project.casefold(): image.project for image in images}
        if len(projects) != 1:
            named = ", ".join(sorted(projects.values())) or "none at all"
            raise ProofsheetError(
                f"vectors are compared within one project, and these images are of {named}",
                remedy="Ask for one project at a time.",
            )
        encoder = self.encoder(spec)
        shelf = self._shelf(encoder, next(iter(projects)))
        rows = shelf.rows([image.content_hash for image in images])
        missing = {image.content_hash: _Source.of(image) for image in images if image.content_hash not in rows}
        if missing:
            with ThreadPoolExecutor(min(len(missing), self._workers)) as pool:
                seen = list(pool.map(partial(self._seen, encoder), missing.values()))
            for source, found in zip(missing.values(), seen, strict=True):
                if isinstance(found, str):
                    raise ProofsheetError(f"{source.path}: {found}", remedy="Scan its folder again, then repeat this.")
            rows |= shelf.add(
                {one: found for one, found in zip(missing, seen, strict=True) if not isinstance(found, str)}
            )
        return shelf, rows

    def _shelf(self, encoder: Encoder, project_key: str) -> Shelf:
        with self._lock:
            known = self._shelves.get((encoder.id, project_key))
        if known is not None:
            return known
        with self._store.reading() as connection:
            asked = sa.select(project_table.c.id).where(project_table.c.key == project_key)
            project_id = connection.execute(asked).scalar()
        if project_id is None:
            raise ProofsheetError(f"there is no project {project_key}", remedy="Scan its folder first.")
        with self._lock:
            shelf = Shelf(self._workspace.embeddings, self._store, encoder, project_id, project_key)
            return self._shelves.setdefault((encoder.id, project_key), shelf)

    def _seen(self, encoder: Encoder, source: _Source) -> tuple[Floats, Readings] | str:
        """Vector and readings of one picture, or the reason why there are none."""
        try:
            state = source.path.stat()
            if (state.st_size, state.st_mtime_ns) != (source.size, source.mtime_ns):
                return "the file changed since it was scanned"
            box = encoder.box_for(source.width, source.height)
            picture = decode(source.path, box, self._settings.max_pixels)
        except FileNotFoundError:
            return "the file is gone"
        except OSError as error:
            return f"the file cannot be read: {error.strerror}"
        except UnreadableImage as error:
            return error.reason
        vectors, readings = encoder.examine([picture])
        return vectors[0], readings[0]

    def _embed(self, run: RunContext) -> dict[str, Any]:
        """The work of an embed run."""
        encoder = self.encoder(run.params.get("encoder"))
        wanted = self._wanted(run)
        total = sum(map(len, wanted.values()))
        force = bool(run.params.get("force"))
        done = embedded = cached = 0
        refused: list[dict[str, str]] = []
        busy = 0.0
        for project_key, sources in wanted.items():
            shelf = self._shelf(encoder, project_key)
            there = {} if force else shelf.rows([one.content_hash for one in sources])
            todo = {one.content_hash: one for one in sources if one.content_hash not in there}
            cached += len(sources) - len(todo)
            done += len(sources) - len(todo)
            begun = time.monotonic()
            batch: dict[str, tuple[Floats, Readings]] = {}
            try:
                seen = run.map(partial(self._seen, encoder), todo.values())
                for source, found in zip(todo.values(), seen, strict=True):
                    if isinstance(found, str):
                        refused.append({"path": str(source.path), "reason": found})
                        run.refuse(source.path, found)
                    else:
                        batch[source.content_hash] = found
                        embedded += 1
                    done += 1
                    run.progress(done, total, project_key)
                    if len(batch) >= _BATCH:
                        shelf.add(batch, replace=force)
                        batch = {}
            finally:  # a run that is stopped keeps what it has
                shelf.add(batch, replace=force)
            busy += time.monotonic() - begun
        return {
            "run": run.id,
            "encoder": encoder.id,
            "dim": encoder.dimension,
            "embedded": embedded,
            "cached": cached,
            "refused": refused,
            "images_per_second": round(embedded / busy, 1) if embedded else 0.0,
        }

    def _wanted(self, run: RunContext) -> dict[str, list[_Source]]:
        """The images that the run's parameters ask for, by project key."""
        columns = image_table.c
        asked = (
            sa.select(
                project_table.c.key,
                columns.path,
                columns.content_hash,
                columns.width,
                columns.height,
                columns.size,
                columns.mtime_ns,
            )
            .join(project_table, columns.project_id == project_table.c.id)
            .where(columns.removed_at.is_(None))
            .order_by(columns.id)
        )
        if run.params.get("project"):
            asked = asked.where(project_table.c.key == str(run.params["project"]).casefold())
        under = [str(path) for path in run.params.get("under") or ()]
        if under:
            asked = asked.where(
                sa.or_(*(columns.path.startswith(path.rstrip("/") + "/", autoescape=True) for path in under))
                | columns.path.in_(under)
            )
        ids = run.params.get("image_ids")
        found: dict[str, list[_Source]] = {}
        left = run.params.get("max_images")
        with self._store.reading() as connection:
            for part in [None] if ids is None else _parts(ids, 500):
                chosen = asked if part is None else asked.where(columns.id.in_(part))
                if left is not None:
                    chosen = chosen.limit(left)
                for key, path, *rest in connection.execute(chosen):
                    found.setdefault(key, []).append(_Source(Path(path), *rest))
                    left = None if left is None else left - 1
        return found


def _parts(ids: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
