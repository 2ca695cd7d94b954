"""Embeddings that somebody else computed, brought in under a name: the name is then an encoder like any other.

Their columns are standardised before they become float16, because foreign vectors may have any scale; the statistics
are taken from the first file and kept on the encoder's card, so that what is imported later lies in the same space.
Rows are looked at one by one, and a row that cannot be trusted is refused with its number and the reason. Files are
streamed: a batch of rows is all that is in memory. Relies on the shelves and the store.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from engine.errors import ProofsheetError, UsageError
from engine.runs import RunContext
from engine.settings import imported_folder, is_encoder_name
from engine.store import Store
from engine.store.schema import images as image_table
from engine.store.schema import projects as project_table
from engine.vision.builtin import Floats
from engine.vision.import_sources import Origin, Row, count, named, numbers, rows_of
from engine.vision.imported_encoder import ImportedEncoder
from engine.vision.vectors import Entry, Shelf
from engine.workspace import Workspace

_TOO_FAR = "its numbers are too far from those imported first under this name"
NAMING = "Letters, digits, '.', '_' and '-', at most 64; not builtin, auto, or one that begins with open_clip."


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
        total = count(source)
        encoder = known or self._measured(source, name, total)
        found = Imported(name, encoder.id, encoder.dimension)
        seen: dict[tuple[str, str], int | str] = {}
        done = 0
        for rows in rows_of(source):
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
                self._run.refuse(f"{named(source)}, row {one['row']}", one["reason"], "bad_row")
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
        for rows in rows_of(source):
            self._check()
            widths.update(len(vector) for row in rows if (vector := numbers(row.vector)) is not None)
        if not widths:
            raise ProofsheetError(
                f"{named(source)} has no row with numbers in its column 'embedding'",
                remedy="Write a column `image` and a column `embedding` that holds a list of numbers.",
            )
        width = widths.most_common(1)[0][0]
        count, mean, squares = 0, np.zeros(width), np.zeros(width)
        ignored: list[dict[str, Any]] = []
        done = 0
        for rows in rows_of(source):
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
                f"nothing in {named(source)} can be imported: {shown}",
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
            vector = numbers(row.vector)
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


def _equal(stored: Floats, entry: Entry) -> bool:
    return bool(np.array_equal(stored.astype(np.float16), entry.vector.astype(np.float16)))


def _path(text: str) -> str:
    return os.path.realpath(Path(text).expanduser()) if text.startswith(("/", "~")) else os.path.realpath(text)


def _is_hash(text: str) -> bool:
    return len(text) >= 32 and all(sign in "0123456789abcdef" for sign in text)


def _refuse(refused: list[dict[str, Any]], place: int | str, reason: str) -> None:
    refused.append({"row": place, "reason": reason})
