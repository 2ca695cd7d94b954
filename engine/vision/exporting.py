"""Vectors leave again: as one parquet file that any program reads, or as `.npy` under each picture's content hash.

What is to be written is first made in the workspace's cache, streamed, and then only copied by a change set, so that a
library of any size is exported in little memory and nothing outside the workspace is written before a person agrees. An
imported encoder's vectors leave as they came: their columns get their scale back. Relies on the shelves and the store.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from engine.changes import Copy, Edit, Operation
from engine.errors import UsageError
from engine.store import Store
from engine.store.schema import images as image_table
from engine.store.schema import projects as project_table
from engine.vision.builtin import Floats
from engine.vision.encoders import Encoder
from engine.vision.imported_encoder import ImportedEncoder
from engine.vision.vectors import Shelf

_IMAGES = 500  # images in memory at once
_KEPT_SECONDS = 7 * 24 * 3600.0


class Exporter:
    """Plans the export of one encoder's vectors."""

    def __init__(self, store: Store, cache: Path, encoder: Encoder) -> None:
        self._store = store
        self._cache = cache
        self._encoder = encoder

    def plan(
        self, file: Path | None, npy: Path | None, project: str | None, shelf_of: Callable[[str], Shelf]
    ) -> tuple[list[Operation], str, list[Path]]:
        """The operations, a title, and the folders in which they write. Raises UsageError when there is no vector."""
        if file is None and npy is None:
            raise UsageError("nothing to write to", remedy="Name a file: export embeddings FILE.parquet, or --npy DIR.")
        if file is not None and file.is_dir():
            raise UsageError(f"{file} is a folder", remedy="Name a file in it.")
        self._forget_old()
        folder = self._cache / secrets.token_hex(6)
        folder.mkdir(parents=True)
        operations: list[Operation] = []
        roots: list[Path] = []
        count = 0
        if file is not None:
            made = folder / "embeddings.parquet"
            count = self._write_parquet(made, project, shelf_of)
            operations.append(Edit(file, made.read_bytes()) if file.exists() else Copy(made, file))
            roots.append(file.parent)
        if npy is not None:
            made_npy = self._write_npy(folder / "npy", project, shelf_of)
            count = max(count, len(made_npy))
            operations += _each(made_npy, npy)
            roots.append(npy)
        if not count:
            raise UsageError(
                f"there is no vector of {self._encoder.id}" + (f" in {project}" if project else ""),
                remedy=f"Embed first: proofsheet embed --encoder {self._encoder.spec}",
            )
        place = file.name if file is not None else (npy or Path()).name
        return operations, f"{count:,} vectors of {self._encoder.id} to {place}", [*roots, folder]

    def _forget_old(self) -> None:
        """Remove what was prepared for exports that were planned long ago."""
        for folder in self._cache.glob("*/"):
            if time.time() - folder.stat().st_mtime > _KEPT_SECONDS:
                shutil.rmtree(folder)

    def _write_parquet(self, file: Path, project: str | None, shelf_of: Callable[[str], Shelf]) -> int:
        import pyarrow as pa
        from pyarrow import parquet

        card = {b"proofsheet.encoder": json.dumps({"id": self._encoder.id, **asdict(self._encoder.card)}).encode()}
        schema = pa.schema(
            [
                ("image", pa.string()),
                ("project", pa.string()),
                ("content_hash", pa.string()),
                ("embedding", pa.list_(pa.float32())),
            ],
            metadata=card,
        )
        count = 0
        with parquet.ParquetWriter(file, schema) as writer:
            for paths, projects, hashes, vectors in self._parts(project, shelf_of):
                ends = np.arange(0, vectors.size + 1, vectors.shape[1], dtype=np.int32)
                lists = pa.ListArray.from_arrays(pa.array(ends), pa.array(vectors.ravel(), pa.float32()))
                writer.write_table(
                    pa.table([pa.array(paths), pa.array(projects), pa.array(hashes), lists], schema=schema)
                )
                count += len(paths)
        return count

    def _write_npy(self, folder: Path, project: str | None, shelf_of: Callable[[str], Shelf]) -> list[Path]:
        folder.mkdir()
        made: dict[str, tuple[Path, str]] = {}
        for _, projects, hashes, vectors in self._parts(project, shelf_of):
            for name, content_hash, vector in zip(projects, hashes, vectors, strict=True):
                known = made.setdefault(content_hash, (folder / f"{content_hash}.npy", name))
                if known[1].casefold() == name.casefold():
                    np.save(known[0], vector, allow_pickle=False)
        return [file for file, _ in made.values()]

    def _parts(
        self, project: str | None, shelf_of: Callable[[str], Shelf]
    ) -> Iterator[tuple[list[str], list[str], list[str], Floats]]:
        """Paths, projects, hashes and (n, d) vectors of the images that have one, project by project."""
        with self._store.reading() as connection:
            asked = sa.select(project_table.c.id, project_table.c.key, project_table.c.name).order_by(
                project_table.c.key
            )
            projects = [(int(one), str(key), str(name)) for one, key, name in connection.execute(asked)]
        if project is not None:
            projects = [one for one in projects if one[1] == project.casefold()]
            if not projects:
                raise UsageError(f"there is no project {project}", remedy="`proofsheet inventory` lists them.")
        for project_id, key, name in projects:
            shelf = shelf_of(key)
            after = 0
            while part := self._images(project_id, after):
                after = part[-1][0]
                rows = shelf.rows([content_hash for _, _, content_hash in part])
                there = [(path, one) for _, path, one in part if one in rows]
                if there:
                    vectors = shelf.read([rows[one] for _, one in there])
                    if isinstance(self._encoder, ImportedEncoder):
                        vectors = (vectors * self._encoder.deviation + self._encoder.mean).astype(np.float32)
                    yield [path for path, _ in there], [name] * len(there), [one for _, one in there], vectors

    def _images(self, project_id: int, after: int) -> list[tuple[int, str, str]]:
        columns = image_table.c
        asked = (
            sa.select(columns.id, columns.path, columns.content_hash)
            .where(columns.project_id == project_id, columns.removed_at.is_(None), columns.id > after)
            .order_by(columns.id)
            .limit(_IMAGES)
        )
        with self._store.reading() as connection:
            return [(int(one), str(path), str(found)) for one, path, found in connection.execute(asked)]


def _each(made: list[Path], folder: Path) -> list[Operation]:
    """A copy for each file; where one of that name is there already, an edit, or nothing if it is the same."""
    operations: list[Operation] = []
    for file in made:
        target = folder / file.name
        if not target.exists():
            operations.append(Copy(file, target))
        elif target.read_bytes() != (content := file.read_bytes()):
            operations.append(Edit(target, content))
    return operations
