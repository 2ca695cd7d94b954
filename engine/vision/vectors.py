"""Vectors on disk: for each encoder and project one memory-mapped float16 file; beside it, where there are any, the
plain numbers that came with each vector (the built-in's readings, the place of a crop).

The store says which row belongs to which picture (by content hash), and says so only after the rows are safely on the
disk: numbers first, fsync, then the commit. What lies beyond the last committed row is a torn tail, and the next
writer writes over it; rows that the store knows but a shortened file no longer has are forgotten, and computed again.
Writers of one file queue on a lock file, in this process and across processes; readers only map. A shelf belongs to
one encoder and one project, and hands out nothing else.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from engine.errors import ProofsheetError
from engine.store import Store, upsert
from engine.store.schema import vectors as table
from engine.vision.builtin import Floats, Readings
from engine.vision.encoders import Encoder

READINGS = tuple(field.name for field in fields(Readings))
CROPS = "@crops"
_CHUNK = 500  # hashes a query, below every database's limit on bound values


class RowFile:
    """Rows of `width` numbers of one type in a file: written by row number, read through a memory map."""

    def __init__(self, path: Path, kind: type[np.float16] | type[np.float32], width: int) -> None:
        self.path = path
        self._kind: np.dtype[Any] = np.dtype(kind).newbyteorder("<")
        self._width = width
        self._map: NDArray[Any] | None = None

    @property
    def rows(self) -> int:
        """Whole rows in the file; the part of a row at its end does not count."""
        try:
            return self.path.stat().st_size // (self._kind.itemsize * self._width)
        except FileNotFoundError:
            return 0

    def write(self, start: int, rows: NDArray[Any]) -> None:
        """Write (n, width) rows from row `start` on; on the disk when this returns.

        Raises ValueError on another width.
        """
        if rows.ndim != 2 or rows.shape[1] != self._width:
            raise ValueError(f"{self.path.name} holds rows of {self._width} numbers, not {rows.shape}")
        data = np.ascontiguousarray(rows, self._kind).tobytes()
        is_new = not self.path.exists()
        with self.path.open("r+b" if not is_new else "x+b") as file:
            file.seek(start * self._kind.itemsize * self._width)
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if is_new:
            _sync_folder(self.path.parent)

    def read(self, rows: NDArray[np.int64]) -> Floats:
        """(n, width) float32 of these row numbers."""
        if not rows.size:
            return np.empty((0, self._width), np.float32)
        if self._map is None or int(rows.max()) >= len(self._map):
            self._map = np.memmap(self.path, self._kind, "r", shape=(self.rows, self._width))
        gathered: Floats = self._map[rows].astype(np.float32)
        return gathered


@dataclass(frozen=True)
class Entry:
    """One vector (d,) with the plain numbers that are kept beside it, if the shelf keeps any."""

    vector: Floats
    beside: Sequence[float] = ()


class Shelf:
    """The vectors of one project under one encoder, found by key: the content hash of a picture, or the name of a crop.

    Safe from any thread. With `is_for_crops` it holds the encoder's vectors of parts of pictures, apart from the others.
    """

    def __init__(
        self,
        folder: Path,
        store: Store,
        encoder: Encoder,
        project_id: int,
        project_key: str,
        *,
        is_for_crops: bool = False,
    ) -> None:
        self.encoder_id = encoder.id + (CROPS if is_for_crops else "")
        self.dimension = encoder.dimension
        self._card = encoder.card
        self._folder = folder / self.encoder_id
        self._store = store
        self._project_id = project_id
        self._lock = threading.RLock()
        self._known: dict[str, int] = {}
        name = file_name(project_key)
        self.vectors = RowFile(self._folder / f"{name}.f16", np.float16, encoder.dimension)
        self._readings = RowFile(self._folder / f"{name}.readings.f32", np.float32, len(READINGS))
        self._regions = RowFile(self._folder / f"{name}.regions.f32", np.float32, 4)
        self.beside = self._regions if is_for_crops else self._readings if encoder.card.name == "builtin" else None
        self._lock_file = self._folder / f"{name}.lock"

    @property
    def next_row(self) -> int:
        """The row that a new vector would get, were it added now."""
        mine = (table.c.project_id == self._project_id) & (table.c.encoder == self.encoder_id)
        with self._store.reading() as connection:
            last = connection.execute(sa.select(sa.func.max(table.c.row)).where(mine)).scalar()
        return 0 if last is None else int(last) + 1

    def rows(self, hashes: Sequence[str]) -> dict[str, int]:
        """The row of each of these content hashes that has one whose numbers are really there."""
        with self._lock:
            wanted = list({one for one in hashes if one not in self._known})
            if wanted:
                with self._store.reading() as connection:
                    self._known.update(self._rows_of(connection, wanted))
            there = self._rows_there()
            found = {one: self._known[one] for one in hashes if one in self._known}
            stale = [one for one, row in found.items() if row >= there]
            for one in stale:
                del found[one], self._known[one]
            return found

    def read(self, rows: Sequence[int]) -> Floats:
        """(n, dimension) float32 of these rows, in this order."""
        with self._lock:
            return self.vectors.read(np.asarray(rows, np.int64))

    def read_readings(self, rows: Sequence[int]) -> list[Readings]:
        """The plain readings of these rows, in this order; only the built-in's shelves keep them."""
        return [Readings(*map(float, row)) for row in self.read_beside(rows)]

    def read_beside(self, rows: Sequence[int]) -> Floats:
        """(n, k) float32: the plain numbers of these rows, in this order. Raises ValueError where none are kept."""
        if self.beside is None:
            raise ValueError(f"{self.encoder_id} keeps vectors alone")
        with self._lock:
            return self.beside.read(np.asarray(rows, np.int64))

    def add(self, entries: Mapping[str, Entry], *, replace: bool = False) -> dict[str, int]:
        """Store the entry of each key; returns their rows. Durable before it is committed.

        A key that is there already keeps its row, unless `replace`: then it gets a new one, since a row that readers
        may be looking at is never written again. Raises ProofsheetError for a vector that is not `dimension` finite
        numbers, also as float16.
        """
        if not entries:
            return {}
        for one, entry in entries.items():
            with np.errstate(over="ignore"):
                is_finite = entry.vector.shape == (self.dimension,) and bool(
                    np.isfinite(entry.vector.astype(np.float16)).all()
                )
            if not is_finite:
                raise ProofsheetError(
                    f"the vector of {one[:12]} is not {self.dimension} finite numbers",
                    remedy=f"It was not made by the encoder {self.encoder_id}; embed the picture again.",
                )
        with self._writing():
            present, start = self._prepared(list(entries))
            fresh = {one: entry for one, entry in entries.items() if replace or one not in present}
            if fresh:
                self.vectors.write(start, np.stack([entry.vector for entry in fresh.values()]))
                if self.beside is not None:
                    self.beside.write(start, np.array([entry.beside for entry in fresh.values()], np.float32))
                placed = {one: start + index for index, one in enumerate(fresh)}
                with self._store.writing() as connection:
                    upsert(
                        connection,
                        table,
                        [self._key(one) | {"row": row} for one, row in placed.items()],
                        key=["project_id", "encoder", "content_hash"],
                        update=["row"],
                    )
                present.update(placed)
            with self._lock:
                self._known.update(present)
            return present

    def everything(self) -> Iterator[list[tuple[str, int]]]:
        """Every key with its row, in parts, in the order of the rows."""
        after = -1
        there = self._rows_there()
        while True:
            asked = (
                sa.select(table.c.content_hash, table.c.row)
                .where(table.c.project_id == self._project_id, table.c.encoder == self.encoder_id, table.c.row > after)
                .order_by(table.c.row)
                .limit(_CHUNK)
            )
            with self._store.reading() as connection:
                part = [(str(one), int(row)) for one, row in connection.execute(asked)]
            if not part:
                return
            after = part[-1][1]
            yield [(one, row) for one, row in part if row < there]

    def _prepared(self, hashes: Sequence[str]) -> tuple[dict[str, int], int]:
        """What is there of these hashes, and the first free row; forgets rows that a shortened file has lost."""
        there = self._rows_there()
        mine = (table.c.project_id == self._project_id) & (table.c.encoder == self.encoder_id)
        with self._store.reading() as connection:
            last = connection.execute(sa.select(sa.func.max(table.c.row)).where(mine)).scalar()
        if last is not None and last >= there:
            with self._store.writing() as connection:
                connection.execute(sa.delete(table).where(mine & (table.c.row >= there)))
            with self._lock:
                self._known = {one: row for one, row in self._known.items() if row < there}
            last = there - 1
        with self._store.reading() as connection:
            return self._rows_of(connection, hashes), 0 if last is None else last + 1

    def _rows_there(self) -> int:
        return self.vectors.rows if self.beside is None else min(self.vectors.rows, self.beside.rows)

    def _rows_of(self, connection: sa.Connection, hashes: Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for start in range(0, len(hashes), _CHUNK):
            asked = sa.select(table.c.content_hash, table.c.row).where(
                table.c.project_id == self._project_id,
                table.c.encoder == self.encoder_id,
                table.c.content_hash.in_(hashes[start : start + _CHUNK]),
            )
            found.update((one, row) for one, row in connection.execute(asked))
        return found

    def _key(self, content_hash: str) -> dict[str, Any]:
        return {"project_id": self._project_id, "encoder": self.encoder_id, "content_hash": content_hash}

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One writer at a time, among threads and among processes; the folder's card is this encoder's."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with self._lock_file.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)  # released when the file closes, also by a crash
            self._check_card()
            yield

    def _check_card(self) -> None:
        place = self._folder / "card.json"
        card = asdict(self._card)
        try:
            known = json.loads(place.read_text(encoding="utf-8"))
        except FileNotFoundError:
            temporary = place.with_suffix(f".{os.getpid()}.tmp")
            temporary.write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
            temporary.replace(place)
            return
        except ValueError as error:
            raise ProofsheetError(
                f"{place} is damaged", remedy=f"Delete the folder {self._folder}; its vectors are computed again."
            ) from error
        if {key: known.get(key) for key in card} != card:  # an imported one's says more
            raise ProofsheetError(
                f"{self._folder} holds vectors of another encoder that is also called {self.encoder_id}",
                remedy="Move that folder away; vectors of two encoders are never compared.",
            )


def file_name(project_key: str) -> str:
    """A project's key as a file name: readable, and never the same for two projects."""
    plain = re.sub(r"[^a-z0-9._-]", "_", project_key.casefold()).lstrip(".")[:80]
    if plain == project_key:
        return plain
    return f"{plain}-{hashlib.sha256(project_key.encode()).hexdigest()[:10]}"


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
