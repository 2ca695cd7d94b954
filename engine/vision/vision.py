"""The door of the vision room: pictures in, vectors and plain readings out, each computed once.

Relies on the library for pictures, on the encoders for what they look like as numbers, on the shelves for keeping
them, and on runs for the long work of a whole library. Never opens a source file for writing, and never lets vectors
of two projects or two encoders into one answer.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from engine.errors import ProofsheetError, UsageError
from engine.library import Library, catalog
from engine.library.model import Image
from engine.logs.errors import ErrorLog
from engine.runs import Run, RunContext, Runs
from engine.runs.lanes import LaneName, gpu_count
from engine.settings import Settings, is_encoder_name
from engine.store import Store
from engine.store.schema import images as image_table
from engine.store.schema import projects as project_table
from engine.vision import encoders
from engine.vision.builtin import Floats, Readings
from engine.vision.encoders import Encoder
from engine.vision.vectors import Shelf
from engine.workspace import Workspace

if TYPE_CHECKING:
    from engine.changes import Changes, ChangeSet, Operation
    from engine.vision.crops import Crops
    from engine.vision.embedding import Embedder, Tally
    from engine.vision.pixels import Source

KIND = "embed"
IMPORT_KIND = "import-embeddings"


@dataclass(frozen=True)
class EncoderNote:
    """Which encoder is in use, why, and how to take another; for people. `remedy` is empty where it is as asked for."""

    spec: str
    id: str
    reason: str
    remedy: str = ""


class Vision:
    """Vectors and readings of the library's pictures. The synchronous methods may be called from any thread.

    What looks into files is imported when it is first asked to: opening the room must not wait for it.
    """

    def __init__(self, workspace: Workspace, settings: Settings, store: Store, runs: Runs, library: Library) -> None:
        self._workspace = workspace
        self._settings = settings
        self._store = store
        self._runs = runs
        self._library = library
        self._workers = settings.cpu_workers or os.cpu_count() or 1
        self._lock = threading.Lock()
        self._loading = threading.RLock()
        self._encoders: dict[tuple[str, str], Encoder] = {}
        self._choice: encoders.Choice | None = None
        self._shelves: dict[tuple[str, str], Shelf] = {}
        runs.register(KIND, self._embed, lane=lane_for(settings.device))
        runs.register(IMPORT_KIND, self._import)

    def encoder(self, spec: str | None = None, device: str | None = None, *, fetch: bool = False) -> Encoder:
        """The encoder that `spec` names, or the one of the settings, on `device` or the one of the settings.

        `auto` is settled once, and settled anew with `fetch`, which may bring its weights here; where they are here and
        do not load, it is the built-in one. Raises UsageError when there is no such encoder, ProofsheetError when its
        weights cannot be had.
        """
        try:
            return self._loaded(self.resolved(spec, fetch=fetch), device)
        except ProofsheetError as error:
            if (spec or self._settings.encoder) != "auto" or self._choice is None:
                raise
            from engine.vision.device import choose as device_of

            device_of(device or self._settings.device)  # one that is not there is no fault of the weights
            failed = self._choice.failed or f"{self._choice.spec} does not load: {error.message}"
            self._choice = encoders.Choice("builtin", failed, failed)
            return self._loaded("builtin", device)

    def _tell_failed(self, run: RunContext, asked: str) -> None:
        """Tell a run that the encoder which `auto` would have been did not load."""
        if asked == "auto" and self._choice is not None and self._choice.failed:
            run.recovered("model-load", f"{self._choice.failed}; the built-in encoder took its place")

    def _loaded(self, wanted: str, device: str | None) -> Encoder:
        place = device or self._settings.device
        known = self._encoders.get((wanted, place))
        if known is not None:
            return known
        with self._loading:  # a CLIP takes seconds, in which the built-in one must not have to wait
            if (wanted, place) not in self._encoders:
                self._encoders[wanted, place] = encoders.load(
                    wanted,
                    device=place,
                    embeddings=self._workspace.embeddings,
                    notes=self._workspace.cache / "devices.json",
                )
            return self._encoders[wanted, place]

    def resolved(self, spec: str | None = None, *, fetch: bool = False) -> str:
        """What `spec`, or the one of the settings, comes to: itself, or what `auto` chose."""
        wanted = spec or self._settings.encoder
        if wanted != "auto":
            return wanted
        if self._choice is None or (fetch and self._choice.spec == "builtin" and not self._choice.failed):
            memory = self._workspace.cache / "hub.json"
            self._choice = encoders.choose(self._settings.clip, fetch=fetch, memory=memory)
        return self._choice.spec

    def encoder_note(self, spec: str | None = None) -> EncoderNote:
        """Which encoder `spec`, or the one of the settings, is, and how to change it. Loads it."""
        asked = spec or self._settings.encoder
        found = self.encoder(spec)
        if asked != "auto" or self._choice is None:
            return EncoderNote(found.spec, found.id, f"it was asked for as {asked}")
        if self._choice.spec == "builtin":
            remedy = "Set `clip` to open_clip:ARCH/FILE or open_clip:ARCH/local-dir:FOLDER with weights that are here. "
        else:
            remedy = ""
        return EncoderNote(found.spec, found.id, f"auto: {self._choice.reason}", remedy + encoders.HOW_TO_CHOOSE)

    async def embed(
        self,
        image_ids: Sequence[int] | None = None,
        project: str | None = None,
        force: bool = False,
        max_images: int | None = None,
        detach: bool = False,
        *,
        under: Sequence[Path] = (),
        encoder: str | None = None,
        device: str | None = None,
    ) -> Run:
        """Start a run that gives every image (or these, or a project's, or those under some folders) its vector.

        The run's result is `{"run","encoder","dim","embedded","cached","refused","images_per_second"}`. What has a
        vector is left alone unless `force`; `max_images` ends it after so many. Interrupted, it goes on where it was.
        Raises UsageError or ProofsheetError at once for an encoder or a device that cannot be had.
        """
        spec = encoder or self._settings.encoder
        if not detach:
            spec = await self.check(encoder, device)
        params = {
            "image_ids": None if image_ids is None else [int(one) for one in image_ids],
            "project": project,
            "force": force,
            "max_images": max_images,
            "under": [str(path) for path in under],
            "encoder": spec,
            "asked": encoder or self._settings.encoder,
            "device": device,
        }
        return await self._runs.start(KIND, params, project=project, detach=detach)

    async def check(self, encoder: str | None = None, device: str | None = None) -> str:
        """The exact spec of the encoder that would embed, loaded (and for `auto` fetched, if that can be).

        Raises UsageError or ProofsheetError when it cannot be had on this device, or was imported and cannot embed.
        """
        if device is not None:  # asked for by name: also where the encoder (the built-in) would not use it
            from engine.vision.device import choose

            await asyncio.to_thread(choose, device)
        found = await asyncio.to_thread(self._able, encoder or self._settings.encoder, device, fetch=True)
        return found.spec

    async def import_embeddings(self, source: Path, name: str) -> Run:
        """Start a run that brings in a parquet file (columns image, embedding and, where wanted, project) or a folder
        of `{content hash}.npy`, under a name that is an encoder from then on.

        The run's result is `{"run","encoder","id","dim","imported","replaced","projects","refused"}`, the last with
        `{"row","reason"}` each.
        Raises UsageError at once for a name that cannot be one, or a file that is not there.
        """
        from engine.vision.imported import NAMING

        if not is_encoder_name(name):
            raise UsageError(
                f"{name!r} is no name for imported embeddings",
                remedy=NAMING,
            )
        if not source.exists():
            raise UsageError(f"there is no file {source}", remedy="Name a .parquet file, or a folder of {hash}.npy.")
        return await self._runs.start(IMPORT_KIND, {"source": str(source.absolute()), "name": name})

    def take_vectors(self, name: str, vectors: Mapping[int, NDArray[np.float32]]) -> int:
        """Keep vectors (image id -> (d,) numbers) that somebody computed before, under a name that is an encoder from
        then on; how many were kept. For any thread. Raises UsageError for a name that cannot be one."""
        from engine.vision.import_sources import Row
        from engine.vision.imported import Importer

        with self._store.reading() as connection:
            known = catalog.page(connection, list(vectors))
        rows = [Row(str(image.path), str(image.path), image.project, vectors[image.id]) for image in known]
        found = Importer(self._workspace, self._store).bring_in(rows, name, self._shelf)
        return found.imported + found.replaced

    async def export_embeddings(
        self,
        changes: Changes,
        file: Path | None,
        npy: Path | None,
        encoder: str | None = None,
        project: str | None = None,
    ) -> ChangeSet:
        """Plan to write every vector of an encoder to a parquet file, and (or) each to `{content hash}.npy` in a
        folder.

        Raises UsageError when there is nothing to write.
        """
        from engine.vision.exporting import Exporter

        def plan() -> tuple[list[Operation], str, list[Path]]:
            found = self.encoder(encoder)
            exporter = Exporter(self._store, self._workspace.cache / "exports", found)
            return exporter.plan(file, npy, project, lambda key: self._shelf(found, key))

        operations, title, roots = await asyncio.to_thread(plan)
        return await changes.plan(operations, title, roots, kind="export")

    def vectors(self, images: Sequence[Image], encoder: str | None = None) -> Floats:
        """(n, d) float32 vectors of n images of one project, computed and kept where they are missing.

        Raises ProofsheetError when the images are of several projects, or one cannot be read.
        """
        shelf, rows = self._shelved(images, self.encoder(encoder))
        return shelf.read([rows[image.content_hash] for image in images])

    def readings(self, images: Sequence[Image], encoder: str | None = None) -> list[Readings]:
        """The plain readings of n images of one project, computed and kept where missing; raises as `vectors`.

        They are the picture's, whichever encoder is in use, and are kept with the built-in's vectors.
        """
        del encoder
        shelf, rows = self._shelved(images, self.encoder("builtin"))
        return shelf.read_readings([rows[image.content_hash] for image in images])

    def prepare(
        self,
        images: Iterable[Image],
        encoder: str | None = None,
        run: RunContext | None = None,
        *,
        readings: bool = True,
    ) -> dict[int, str]:
        """Compute whatever is missing of the vectors (and readings) of images of any number of projects, in bulk.

        Tells `run` how far it is and stops when it is stopped. The answer is why an image has none, by its id.
        """
        wanted = list(images)
        lacking: dict[int, str] = {}
        for one in {found.id: found for found in self._needed(encoder, readings)}.values():
            tally = self._fill(one, wanted, run)
            reasons = {source.content_hash: reason for source, reason in tally.refused}
            lacking |= {i.id: reasons[i.content_hash] for i in wanted if i.content_hash in reasons}
        if run is not None:
            self._tell_failed(run, encoder or self._settings.encoder)
        return lacking

    def describe(self, path: Path, encoder: str | None = None) -> tuple[Floats, Readings]:
        """Vector (d,) and readings of a file that need not be in the library; nothing is kept.

        Raises UnreadableImage, and UsageError when the encoder was imported and cannot look at pictures.
        """
        from engine.library.apart import decode

        found = self._able(encoder or self._settings.encoder)
        with_size = decode(path, None, self._settings.max_pixels)
        boxes = found.box_for(*with_size.size), encoders.builtin_box(*with_size.size)
        least = max(boxes[0][0], boxes[1][0]), max(boxes[0][1], boxes[1][1])
        picture = with_size.resize(least, reducing_gap=3.0) if least != with_size.size else with_size
        vectors, readings = found.examine([picture])
        return vectors[0], readings[0]

    def crop_vectors(
        self,
        sets: Sequence[Sequence[Image]],
        encoder: str | None = None,
        run: RunContext | None = None,
        *,
        compute: bool = True,
    ) -> list[Crops | None]:
        """For each set of images, the vectors of the two or three parts in which its images differ most.

        None for a set of fewer than two images, or with one that cannot be read, or (without `compute`) that was not
        computed before. Stored as they come, so that an interrupted run goes on; tells `run` how far it is. Raises
        UsageError when the encoder was imported, ProofsheetError for a set of several projects.
        """
        from engine.vision.crops import Cropper
        from engine.vision.pixels import Source

        cropper = Cropper(
            self._able(encoder or self._settings.encoder),
            lambda found, key: self._shelf(found, key, is_for_crops=True),
            threads=self._workers,
            max_pixels=self._settings.max_pixels,
            run=run,
        )
        return cropper.crops([[(one.project, Source.of(one)) for one in images] for images in sets], compute=compute)

    def _able(self, spec: str, device: str | None = None, *, fetch: bool = False) -> Encoder:
        found = self.encoder(spec, device, fetch=fetch)
        if not found.can_embed:
            raise UsageError(
                f"{spec} holds imported vectors; it cannot look at pictures",
                remedy="Import vectors for the new images too, or take another encoder: --encoder builtin.",
            )
        return found

    def _needed(self, spec: str | None, readings: bool) -> Iterable[Encoder]:
        yield self.encoder(spec)
        if readings:
            yield self.encoder("builtin")

    def _shelved(self, images: Sequence[Image], encoder: Encoder) -> tuple[Shelf, dict[str, int]]:
        projects = {image.project.casefold(): image.project for image in images}
        if len(projects) != 1:
            named = ", ".join(sorted(projects.values())) or "none at all"
            raise ProofsheetError(
                f"vectors are compared within one project, and these images are of {named}",
                remedy="Ask for one project at a time.",
            )
        shelf = self._shelf(encoder, next(iter(projects)))
        rows = shelf.rows([image.content_hash for image in images])
        missing = [image for image in images if image.content_hash not in rows]
        if missing:
            tally = self._fill(encoder, missing, None)
            for source, reason in tally.refused:
                raise ProofsheetError(f"{source.path}: {reason}", remedy="Scan its folder again, then repeat this.")
            rows |= shelf.rows([image.content_hash for image in missing])
        return shelf, rows

    def _fill(self, encoder: Encoder, images: Sequence[Image], run: RunContext | None) -> Tally:
        """Compute what is missing of these images; for an imported encoder only say what is."""
        from engine.vision.embedding import Tally
        from engine.vision.pixels import Source

        wanted: dict[str, list[Source]] = {}
        for image in images:
            wanted.setdefault(image.project.casefold(), []).append(Source.of(image))
        if encoder.can_embed:
            return self._embedder(encoder, run).embed(wanted)
        tally = Tally()
        for key, sources in wanted.items():
            there = self._shelf(encoder, key).rows([one.content_hash for one in sources])
            tally.refused += [
                (one, f"nothing was imported for it as {encoder.spec}")
                for one in sources
                if one.content_hash not in there
            ]
        return tally

    def _embedder(self, encoder: Encoder, run: RunContext | None) -> Embedder:
        from engine.vision.embedding import Embedder

        return Embedder(
            encoder,
            lambda key: self._shelf(encoder, key),
            threads=run.workers if run is not None else self._workers,
            max_pixels=self._settings.max_pixels,
            run=run,
            errors=ErrorLog(self._workspace.logs / "errors.jsonl"),
        )

    def _shelf(self, encoder: Encoder, project_key: str, *, is_for_crops: bool = False) -> Shelf:
        name = (f"{encoder.id}{'@crops' if is_for_crops else ''}", project_key)
        with self._lock:
            known = self._shelves.get(name)
        if known is not None:
            return known
        with self._store.reading() as connection:
            asked = sa.select(project_table.c.id).where(project_table.c.key == project_key)
            project_id = connection.execute(asked).scalar()
        if project_id is None:
            raise ProofsheetError(f"there is no project {project_key}", remedy="Scan its folder first.")
        shelf = Shelf(
            self._workspace.embeddings, self._store, encoder, project_id, project_key, is_for_crops=is_for_crops
        )
        with self._lock:
            return self._shelves.setdefault(name, shelf)

    def _embed(self, run: RunContext) -> dict[str, Any]:
        """The work of an embed run."""
        spec = str(run.params.get("encoder") or self._settings.encoder)
        encoder = self._able(spec, run.params.get("device"), fetch=True)
        self._tell_failed(run, str(run.params.get("asked") or spec))
        wanted = self._wanted(run)
        before: Mapping[str, int] | None = None
        if run.params.get("force"):
            before = (run.resumed or {}).get("before") or {key: self._shelf(encoder, key).next_row for key in wanted}
            run.checkpoint({"before": dict(before)})
        tally = self._embedder(encoder, run).embed(wanted, before)
        return {
            "run": run.id,
            "encoder": encoder.id,
            "dim": encoder.dimension,
            "embedded": tally.embedded,
            "cached": tally.cached,
            "refused": [{"path": str(source.path), "reason": reason} for source, reason in tally.refused],
            "images_per_second": round(tally.embedded / tally.seconds, 1) if tally.embedded else 0.0,
        }

    def _import(self, run: RunContext) -> dict[str, Any]:
        """The work of an import."""
        from engine.vision.imported import Importer

        importer = Importer(self._workspace, self._store, run)
        found = importer.bring_in(Path(run.params["source"]), str(run.params["name"]), self._shelf)
        return {"run": run.id, **found.document()}

    def _wanted(self, run: RunContext) -> dict[str, list[Source]]:
        """The images that the run's parameters ask for, by project key."""
        from engine.vision.pixels import Source

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
                sa.case((columns.format == "jpeg", columns.orientation), else_=0),
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
        found: dict[str, list[Source]] = {}
        left = run.params.get("max_images")
        with self._store.reading() as connection:
            for part in [None] if ids is None else _parts(ids, 500):
                chosen = asked if part is None else asked.where(columns.id.in_(part))
                if left is not None:
                    chosen = chosen.limit(left)
                for key, path, *rest in connection.execute(chosen):
                    found.setdefault(key, []).append(Source(Path(path), *rest))
                    left = None if left is None else left - 1
        return found


def lane_for(device: str) -> LaneName:
    """The lane in which encoders work: the GPU's own where there is one that may be used."""
    is_apple = sys.platform == "darwin" and os.uname().machine == "arm64"
    has_gpu = (device in ("auto", "cuda") and gpu_count() > 0) or (device in ("auto", "mps") and is_apple)
    return "gpu" if has_gpu else "cpu"


def _parts(ids: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (ids[start : start + size] for start in range(0, len(ids), size))
