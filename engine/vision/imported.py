"""Embeddings that somebody else computed, brought in under a name: the name is then an encoder like any other.

Their columns are standardised before they become float16, because foreign vectors may have any scale; the statistics
are taken from the first file and kept on the encoder's card, so that what is imported later lies in the same space.
Rows are looked at one by one, and a row that cannot be trusted is refused with its number and the reason. Files are
streamed: a batch of rows is all that is in memory. Relies on the shelves and the store.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray
from PIL import Image

from engine.errors import ProofsheetError, UsageError
from engine.runs import RunContext
from engine.settings import imported_folder, is_encoder_name
from engine.store import Store
from engine.store.schema import images as image_table
from engine.store.schema import projects as project_table
from engine.vision.batching import Batches
from engine.vision.builtin import Floats, Readings
from engine.vision.encoders import EncoderCard
from engine.vision.vectors import Entry, Shelf
from engine.workspace import Workspace

ROWS = 512  # rows in memory at once
_WIDEST = 1_000_000
_TOO_FAR = "its numbers are too far from those imported first under this name"
NAMING = "Letters, digits, '.', '_' and '-', at most 64; not builtin, auto, or one that begins with open_clip."


class ImportedEncoder:
    """Vectors that were imported under a name. It cannot look at pictures."""

    can_embed = False
    is_elsewhere = False

    def __init__(self, name: str, mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> None:
        self.spec = name
        self.mean = mean
        self.deviation = deviation
        self.dimension = len(mean)
        statistics = hashlib.sha256(np.stack([mean, deviation]).astype("<f8").tobytes()).hexdigest()
        self.card = EncoderCard(
            name=name,
            architecture="imported",
            weights_sha256=statistics,
            preprocessing="columns standardised, then float16",
            dimension=self.dimension,
        )
        self.id = f"imported-{name}-{self.card.identity[:6]}"

    @classmethod
    def load(cls, embeddings: Path, name: str) -> ImportedEncoder:
        """What was imported as `name`. Raises UsageError when nothing was, ProofsheetError when its card is damaged."""
        folder = imported_folder(Workspace(embeddings.parent.parent), name)
        if folder is None:
            raise UsageError(
                f"there is no encoder {name!r}: nothing was imported under that name",
                remedy=f"Import its vectors: proofsheet import embeddings FILE.parquet --encoder {name}",
            )
        try:
            columns = json.loads((folder / "card.json").read_text(encoding="utf-8"))["columns"]
            found = cls(name, np.array(columns["mean"], np.float64), np.array(columns["deviation"], np.float64))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(folder) from error
        if found.id != folder.name:
            raise _damaged(folder)
        return found

    def save(self, embeddings: Path) -> None:
        """Write the card with the statistics, before the first vector."""
        folder = embeddings / self.id
        folder.mkdir(parents=True, exist_ok=True)
        columns = {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}
        temporary = folder / f"card.{os.getpid()}.tmp"
        with temporary.open("w", encoding="utf-8") as file:
            json.dump({**asdict(self.card), "columns": columns}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(folder / "card.json")

    def standardised(self, vectors: NDArray[Any]) -> Floats:
        """(n, d) float32 as they are stored."""
        found: Floats = ((np.asarray(vectors, np.float64) - self.mean) / self.deviation).astype(np.float32)
        return found

    def keep_to_cores(self, count: int) -> None:
        """Nothing to do: nothing is computed."""

    def batches(self) -> Batches:
        """Of no meaning here."""
        return Batches(1, 1)

    def box_for(self, width: int, height: int) -> tuple[int, int]:
        """The picture as it is."""
        return width, height

    def prepare(self, picture: Image.Image) -> Any:  # noqa: ARG002
        """Raises UsageError."""
        raise self._blind()

    def finish(self, prepared: Sequence[Any]) -> Callable[[], Floats]:  # noqa: ARG002
        """Raises UsageError."""
        raise self._blind()

    def encode(self, pictures: Sequence[Image.Image]) -> Floats:  # noqa: ARG002
        """Raises UsageError."""
        raise self._blind()

    def examine(self, pictures: Sequence[Image.Image]) -> tuple[Floats, list[Readings]]:  # noqa: ARG002
        """Raises UsageError."""
        raise self._blind()

    def _blind(self) -> UsageError:
        return UsageError(
            f"{self.spec} holds imported vectors; it cannot look at pictures",
            remedy="Import vectors for the new images too, or take another encoder: --encoder builtin.",
        )


@dataclass(frozen=True)
class Row:
    """One row of a file to import: its number (from 1), or the name of its file, whose it is, and its numbers."""

    place: int | str
    image: Any
    project: Any
    vector: Any


#: Where rows come from: a parquet file, a folder of `{hash}.npy`, or memory.
Origin = Path | Sequence[Row]


@dataclass
class Imported:
    """What an import came to: vectors that are new, those that replaced another, how many rows each project had, and
    the refused rows (their number, or the name of the .npy file) with the reason."""

    encoder: str
    id: str
    dim: int
    imported: int = 0
    replaced: int = 0
    projects: Counter[str] = field(default_factory=Counter)
    refused: list[dict[str, Any]] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**asdict(self), "projects": dict(self.projects)}


@dataclass(frozen=True)
class _Known:
    """An image of the library, as far as a row must name it."""

    path: str
    project: str
    content_hash: str


class Importer:
    """Brings a parquet file, or a folder of `{hash}.npy`, into the shelves of one name."""

    def __init__(self, workspace: Workspace, store: Store, run: RunContext | None = None) -> None:
        self._workspace = workspace
        self._store = store
        self._run = run

    def bring_in(self, source: Origin, name: str, shelf_of: Callable[[ImportedEncoder, str], Shelf]) -> Imported:
        """Import every row that can be trusted. Raises UsageError or ProofsheetError when there is none, or the name or
        the file is no good; then nothing was stored."""
        if not is_encoder_name(name):
            raise UsageError(
                f"{name!r} is no name for imported embeddings",
                remedy=NAMING,
            )
        folder = imported_folder(self._workspace, name)
        known = ImportedEncoder.load(self._workspace.embeddings, name) if folder is not None else None
        total = _count(source)
        encoder = known or self._measured(source, name, total)
        found = Imported(name, encoder.id, encoder.dimension)
        seen: dict[tuple[str, str], int | str] = {}
        done = 0
        for rows in _rows_of(source):
            self._check()
            entries: dict[str, dict[str, Entry]] = {}
            for row, image, vector in self._judged(rows, encoder.dimension, found.refused):
                key = (image.project.casefold(), image.content_hash)
                if key in seen:
                    if seen[key] != image.path:
                        continue  # the same bytes under another path: they have their vector
                    _refuse(found.refused, row.place, f"{image.path} was in an earlier row")
                    continue
                stored = encoder.standardised(vector[None])[0]
                with np.errstate(over="ignore"):
                    if not np.isfinite(stored.astype(np.float16)).all():
                        _refuse(
                            found.refused,
                            row.place,
                            _TOO_FAR,
                        )
                        continue
                seen[key] = image.path
                entries.setdefault(key[0], {})[image.content_hash] = Entry(stored)
                found.projects[image.project] += 1
            if entries and not (self._workspace.embeddings / encoder.id / "card.json").is_file():
                encoder.save(self._workspace.embeddings)
            for project, part in entries.items():
                shelf = shelf_of(encoder, project)
                there = shelf.rows(list(part))
                kept = dict(zip(there, shelf.read(list(there.values())), strict=True))
                fresh = {one: entry for one, entry in part.items() if one not in kept or not _equal(kept[one], entry)}
                shelf.add(fresh, replace=True)
                found.replaced += sum(1 for one in fresh if one in there)
                found.imported += len(part) - len(there)
            done += len(rows)
            self._tell(done, total, "importing")
        for one in found.refused:
            if self._run is not None:
                self._run.refuse(f"{_named(source)}, row {one['row']}", one["reason"], "bad_row")
        return found

    def _check(self) -> None:
        if self._run is not None:
            self._run.check()

    def _tell(self, done: int, total: int, doing: str) -> None:
        if self._run is not None:
            self._run.progress(done, total, doing)

    def _measured(self, source: Origin, name: str, total: int) -> ImportedEncoder:
        """The encoder that a first import makes: its width the most frequent, its statistics over all good rows.

        Mean and variance are updated batch by batch (Chan, Golub and LeVeque, 1983).
        """
        widths: Counter[int] = Counter()
        for rows in _rows_of(source):
            self._check()
            widths.update(len(vector) for row in rows if (vector := _numbers(row.vector)) is not None)
        if not widths:
            raise ProofsheetError(
                f"{_named(source)} has no row with numbers in its column 'embedding'",
                remedy="Write a column `image` and a column `embedding` that holds a list of numbers.",
            )
        width = widths.most_common(1)[0][0]
        count, mean, squares = 0, np.zeros(width), np.zeros(width)
        ignored: list[dict[str, Any]] = []
        done = 0
        for rows in _rows_of(source):
            self._check()
            good = [vector for _, _, vector in self._judged(rows, width, ignored)]
            if good:
                batch = np.stack(good)
                more, middle = len(batch), batch.mean(0)
                apart = middle - mean
                squares += ((batch - middle) ** 2).sum(0) + apart**2 * (count * more / (count + more))
                mean += apart * (more / (count + more))
                count += more
            done += len(rows)
            self._tell(done, total, "measuring the columns")
        if not count:
            shown = "; ".join(f"row {one['row']}: {one['reason']}" for one in ignored[:3])
            raise ProofsheetError(
                f"nothing in {_named(source)} can be imported: {shown}",
                remedy="Scan the images' folders first, or mend the file.",
            )
        deviation = np.sqrt(squares / count)
        deviation[~(deviation > 1e-12 * np.maximum(1.0, np.abs(mean)))] = 1.0  # a constant column says nothing
        return ImportedEncoder(name, mean, deviation)

    def _judged(
        self, rows: Sequence[Row], width: int, refused: list[dict[str, Any]]
    ) -> Iterator[tuple[Row, _Known, NDArray[np.float64]]]:
        """The rows that can be trusted, with their image and numbers; the others are refused."""
        images = self._images(rows)
        for row in rows:
            vector = _numbers(row.vector)
            if not isinstance(row.image, str) or not row.image:
                reason = "it names no image"
            elif vector is None:
                reason = "its embedding is no list of numbers"
            elif len(vector) != width:
                reason = f"its embedding has {len(vector)} numbers, not {width}"
            elif not np.isfinite(vector).all():
                reason = "its embedding holds NaN or an infinite number"
            else:
                found = _chosen(row, images.get(row.image, ()))
                if isinstance(found, _Known):
                    yield row, found, vector
                    continue
                reason = found
            _refuse(refused, row.place, reason)

    def _images(self, rows: Sequence[Row]) -> dict[str, list[_Known]]:
        """The library's images by what rows call them: a path, a name, or a content hash."""
        named = {row.image for row in rows if isinstance(row.image, str) and row.image}
        by_path = {_path(one): one for one in named if "/" in one}
        hashes = {one for one in named if "/" not in one and _is_hash(one)}
        names = {one for one in named if "/" not in one} - hashes
        found: dict[str, list[_Known]] = {}
        columns = image_table.c
        asked = sa.select(columns.path, project_table.c.name, columns.content_hash, columns.name).join(
            project_table, columns.project_id == project_table.c.id
        )
        asked = asked.where(columns.removed_at.is_(None))
        with self._store.reading() as connection:
            for path, project, content_hash, _ in connection.execute(asked.where(columns.path.in_(list(by_path)))):
                found.setdefault(by_path[path], []).append(_Known(path, project, content_hash))
            for path, project, content_hash, _ in connection.execute(
                asked.where(columns.content_hash.in_(list(hashes)))
            ):
                found.setdefault(content_hash, []).append(_Known(path, project, content_hash))
            for path, project, content_hash, name in connection.execute(asked.where(columns.name.in_(list(names)))):
                found.setdefault(name, []).append(_Known(path, project, content_hash))
        return found


def _chosen(row: Row, candidates: Sequence[_Known]) -> _Known | str:
    """The one image that a row means, or why there is none."""
    if not candidates:
        return f"the library has no image {row.image}"
    if row.project is not None:
        wanted = str(row.project)
        mine = [one for one in candidates if one.project.casefold() == wanted.casefold()]
        if not mine:
            told = ", ".join(sorted({one.project for one in candidates}))
            return f"it says project {wanted}, and {row.image} is of {told}"
        candidates = mine
    if len({(one.project, one.content_hash) for one in candidates}) > 1:
        return f"{len(candidates)} images are called {row.image}; write the whole path"
    return candidates[0]


def _rows_of(source: Origin) -> Iterator[Sequence[Row]]:
    """The rows of a parquet file or a folder of `{hash}.npy`, a batch at a time."""
    if not isinstance(source, Path):
        yield from (source[at : at + ROWS] for at in range(0, len(source), ROWS))
        return
    yield from _npy_rows(source) if source.is_dir() else _parquet_rows(source)


def _named(source: Origin) -> str:
    return str(source) if isinstance(source, Path) else "what was handed over"


def _count(source: Origin) -> int:
    if not isinstance(source, Path):
        return len(source)
    if source.is_dir():
        return sum(1 for _ in source.glob("*.npy"))
    file = _parquet(source)
    names = set(file.schema_arrow.names)
    missing = [name for name in ("image", "embedding") if name not in names]
    if missing:
        raise UsageError(
            f"{source} has no column {' and no column '.join(missing)}; it has {', '.join(sorted(names)) or 'none'}",
            remedy="Name them image, embedding and, where wanted, project.",
        )
    return int(file.metadata.num_rows)


def _parquet(source: Path) -> Any:
    import pyarrow as pa
    from pyarrow import parquet

    if not source.is_file():
        raise UsageError(f"there is no file {source}", remedy="Name a .parquet file, or a folder of {hash}.npy.")
    try:
        return parquet.ParquetFile(source)
    except (pa.ArrowException, OSError) as error:
        raise ProofsheetError(
            f"{source} is not readable as parquet: {_gist(error)}", remedy="Write it again."
        ) from error


def _parquet_rows(source: Path) -> Iterator[list[Row]]:
    import pyarrow as pa

    file = _parquet(source)
    columns = [name for name in ("image", "embedding", "project") if name in file.schema_arrow.names]
    number = 0
    try:
        for batch in file.iter_batches(batch_size=ROWS, columns=columns):
            images = batch.column("image").to_pylist()
            projects = batch.column("project").to_pylist() if "project" in columns else [None] * len(images)
            vectors = batch.column("embedding")
            rows = []
            for index, (image, project) in enumerate(zip(images, projects, strict=True)):
                number += 1
                rows.append(Row(number, image, project, vectors[index]))
            yield rows
    except (pa.ArrowException, OSError) as error:
        raise ProofsheetError(
            f"{source} is damaged after row {number}: {_gist(error)}",
            remedy="Write it again; what came before is kept.",
        ) from error


def _npy_rows(source: Path) -> Iterator[list[Row]]:
    files = sorted(source.glob("*.npy"))
    for start in range(0, len(files), ROWS):
        rows = []
        for file in files[start : start + ROWS]:
            try:
                vector: Any = np.load(file, allow_pickle=False)
            except (OSError, ValueError, EOFError):
                vector = None
            rows.append(Row(file.name, file.stem, None, vector))
        yield rows


def _numbers(value: Any) -> NDArray[np.float64] | None:
    """A cell as (d,) float64; None when it is no list of numbers."""
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        inner = getattr(value, "values", None)  # an Arrow list: its numbers without a Python object for each
        if inner is None:
            return None
        try:
            value = inner.to_numpy(zero_copy_only=False)
        except (ValueError, TypeError, NotImplementedError):
            return None
    if value.ndim != 1 or not 1 <= value.size <= _WIDEST or value.dtype.kind not in "fiu":
        return None
    found: NDArray[np.float64] = value.astype(np.float64)
    return found


def _equal(stored: Floats, entry: Entry) -> bool:
    return bool(np.array_equal(stored.astype(np.float16), entry.vector.astype(np.float16)))


def _path(text: str) -> str:
    return os.path.realpath(Path(text).expanduser()) if text.startswith(("/", "~")) else os.path.realpath(text)


def _is_hash(text: str) -> bool:
    return len(text) >= 32 and all(sign in "0123456789abcdef" for sign in text)


def _refuse(refused: list[dict[str, Any]], place: int | str, reason: str) -> None:
    refused.append({"row": place, "reason": reason})


def _damaged(folder: Path) -> ProofsheetError:
    return ProofsheetError(
        f"the card in {folder} is damaged", remedy="Move that folder away and import its embeddings again."
    )


def _gist(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:160]
