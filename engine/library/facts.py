"""The rows in the store of what is known of an image's content and metadata.

Relies on findings.py for the values and on the store's tables. Facts belong to bytes: a row whose `content_hash` is not
that of its image any more is stale, and is left out of every answer here. Never touches a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from engine.library.findings import Facts, Flag, Lighting, Quality, Source, StoredMetadata, hexadecimal, signed
from engine.library.known import within
from engine.store import upsert
from engine.store.schema import images, projects, refusals
from engine.store.schema.facts import image_facts, image_metadata

__all__ = [
    "VERSION",
    "Facts",
    "Flag",
    "Lighting",
    "Measured",
    "Quality",
    "Source",
    "StoredMetadata",
    "Studied",
    "Unstudied",
    "count_unstudied",
    "document",
    "facts_of",
    "hashes",
    "hexadecimal",
    "measured",
    "metadata_of",
    "signed",
    "those_unstudied",
    "waiting",
    "write",
]

# Raised when a measure changes its meaning, so that the next study measures everything anew.
VERSION = 3
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Studied:
    """What one pass over one image found out, to be written."""

    image_id: int
    content_hash: str
    facts: Facts
    metadata: StoredMetadata


@dataclass(frozen=True, slots=True)
class Unstudied:
    """An image whose facts are missing or stale, and the state of its file when it was scanned."""

    image_id: int
    path: str
    content_hash: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class Measured:
    """The few facts that tell copies of one picture apart: there may be a hundred thousand of them at once."""

    sharpness: float
    jpeg_quality: int | None
    quality: Quality
    has_camera: bool
    has_words: bool


_FACTS = tuple(field.name for field in fields(Facts))
_METADATA = tuple(field.name for field in fields(StoredMetadata))
_IS_FRESH = sa.and_(
    image_facts.c.image_id == images.c.id,
    image_facts.c.content_hash == images.c.content_hash,
    image_facts.c.version == VERSION,
)


def facts_of(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, Facts]:
    """Image id -> its facts; images without any, or with stale ones, are left out."""
    return _rows(connection, image_facts, _FACTS, Facts, image_ids)


def measured(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, Measured]:
    """Image id -> a few of its facts, whether a camera is named, and whether there is a title, a description, a
    keyword, a person or a rating; images without facts, or with stale ones, are left out."""
    said = image_metadata.c
    has_words = sa.or_(
        sa.func.coalesce(said.title, "") != "",
        sa.func.coalesce(said.description, "") != "",
        said.rating.is_not(None),
        sa.cast(said.keywords, sa.Text) != "[]",
        sa.cast(said.people, sa.Text) != "[]",
    )
    query = (
        sa.select(
            images.c.id,
            image_facts.c.sharpness,
            image_facts.c.jpeg_quality,
            image_facts.c.quality,
            sa.func.coalesce(said.camera_model, "") != "",
            has_words,
        )
        .join(image_facts, _IS_FRESH)
        .join(image_metadata, said.image_id == images.c.id)
    )
    found: dict[int, Measured] = {}
    for at in range(0, len(image_ids), _CHUNK):
        rows = connection.execute(query.where(images.c.id.in_([int(one) for one in image_ids[at : at + _CHUNK]])))
        found.update((image, Measured(*values)) for image, *values in rows)
    return found


def metadata_of(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, StoredMetadata]:
    """Image id -> its metadata; images that were not studied yet are left out."""
    return _rows(connection, image_metadata, _METADATA, StoredMetadata, image_ids)


def hashes(
    connection: sa.Connection, project: str | None = None
) -> tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.uint64], NDArray[np.int64]]:
    """All images present with facts: ids (n,) int64, phash (n,) uint64, dhash (n,) uint64, project ids (n,) int64.

    `project` as written, compared casefolded; None for all projects. Ordered by image id.
    """
    query = (
        sa.select(images.c.id, image_facts.c.phash, image_facts.c.dhash, images.c.project_id)
        .join(image_facts, _IS_FRESH)
        .where(images.c.removed_at.is_(None))
        .order_by(images.c.id)
    )
    if project is not None:
        query = query.join(projects, projects.c.id == images.c.project_id).where(projects.c.key == project.casefold())
    rows = connection.execute(query).cursor
    table = np.array(rows.fetchall() if rows is not None else [], dtype=np.int64).reshape(-1, 4)
    whole = np.ascontiguousarray(table.T)
    return whole[0], whole[1].view(np.uint64), whole[2].view(np.uint64), whole[3]


def waiting(connection: sa.Connection, *, project: str | None = None, roots: Sequence[str] = ()) -> NDArray[np.int64]:
    """Ids of all images present whose facts are missing or stale, (n,) int64 ascending; what was refused is left out.

    project: as written, or None for all; roots: absolute paths of folders or files to stay within, or none for all.
    """
    query = sa.select(images.c.id).select_from(sa.outerjoin(images, image_facts, _IS_FRESH))
    cursor = connection.execute(query.where(*_waiting(project, roots))).cursor
    rows = cursor.fetchall() if cursor is not None else []
    return np.sort(np.fromiter((row[0] for row in rows), dtype=np.int64, count=len(rows)))


def those_unstudied(connection: sa.Connection, image_ids: Sequence[int]) -> list[Unstudied]:
    """Of these images the ones that still wait for a study, by id."""
    columns = (images.c.id, images.c.path, images.c.content_hash, images.c.size, images.c.mtime_ns)
    query = sa.select(*columns).outerjoin_from(images, image_facts, _IS_FRESH).where(*_waiting(None, ()))
    found: list[Unstudied] = []
    for at in range(0, len(image_ids), _CHUNK):
        wanted = [int(image) for image in image_ids[at : at + _CHUNK]]
        rows = connection.execute(query.where(images.c.id.in_(wanted)).order_by(images.c.id))
        found.extend(Unstudied(*row) for row in rows)
    return found


def count_unstudied(connection: sa.Connection, *, project: str | None = None, roots: Sequence[str] = ()) -> int:
    """How many images `waiting` would give."""
    query = sa.select(sa.func.count()).select_from(sa.outerjoin(images, image_facts, _IS_FRESH))
    return int(connection.execute(query.where(*_waiting(project, roots))).scalar_one())


def write(connection: sa.Connection, studied: Sequence[Studied]) -> None:
    """Write facts and metadata of some images; rows that are there are replaced."""
    rows = [
        {"image_id": one.image_id, "content_hash": one.content_hash, "version": VERSION, **asdict(one.facts)}
        for one in studied
    ]
    upsert(connection, image_facts, rows, key=["image_id"], update=["content_hash", "version", *_FACTS])
    described = [{"image_id": one.image_id, **asdict(one.metadata)} for one in studied]
    upsert(connection, image_metadata, described, key=["image_id"], update=_METADATA)


def _waiting(project: str | None, roots: Sequence[str]) -> Iterator[sa.ColumnElement[bool]]:
    yield images.c.removed_at.is_(None)
    yield image_facts.c.image_id.is_(None)
    yield ~sa.exists().where(
        refusals.c.path == images.c.path, refusals.c.size == images.c.size, refusals.c.mtime_ns == images.c.mtime_ns
    )
    if project is not None:
        of = sa.select(projects.c.id).where(projects.c.key == project.casefold())
        yield images.c.project_id.in_(of)
    if roots:
        yield sa.or_(*(within(root) for root in roots))


def _rows(
    connection: sa.Connection, table: sa.Table, names: Sequence[str], make: Any, image_ids: Sequence[int]
) -> dict[int, Any]:
    found: dict[int, Any] = {}
    wanted = [int(image) for image in image_ids]
    columns = [table.c[name] for name in names]
    query = sa.select(images.c.id, *columns).join(image_facts, _IS_FRESH)
    if table is not image_facts:
        query = query.join(table, table.c.image_id == images.c.id)
    for at in range(0, len(wanted), _CHUNK):
        for image, *values in connection.execute(query.where(images.c.id.in_(wanted[at : at + _CHUNK]))):
            found[image] = make(*values)
    return found


def document(facts: Facts, metadata: StoredMetadata | None = None) -> Mapping[str, Any]:
    """Facts as JSON shows them: hashes in hexadecimal, measures by their names."""
    written: dict[str, Any] = asdict(facts)
    written["phash"], written["dhash"] = hexadecimal(facts.phash), hexadecimal(facts.dhash)
    if metadata is not None:
        written["people"] = metadata.people
    return written
