"""Questions to the library: which images, in which order, how many of what. SQL only; nothing here touches a file.

Relies on the store's tables. Each order of the list is served by a covering index, so that all ids of a library of
500,000 come in a fraction of a second, and a page of rows in a few milliseconds. Never writes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TypeVar

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from engine.errors import UsageError
from engine.library import fields
from engine.library.fields import Condition
from engine.library.model import Counts, Image, Inventory, Project, Refusal
from engine.store.schema import companions, images, projects, refusals

SORTS = ("name", "project", "taken", "size", "format", "resolution")
# Upper bounds in pixels, ascending: (label, fewer pixels than this).
RESOLUTIONS: tuple[tuple[str, int | None], ...] = (
    ("below VGA", 640 * 480),
    ("VGA, under 1 MP", 1_000_000),
    ("1 to 2 MP", 2_000_000),
    ("2 to 4 MP", 4_000_000),
    ("4 to 8 MP", 8_000_000),
    ("8 to 16 MP (4K)", 16_000_000),
    ("16 MP and more", None),
)
Key = TypeVar("Key")
_CHUNK = 500
_PRESENT = images.c.removed_at.is_(None)


def ids(
    connection: sa.Connection,
    filter_text: str = "",
    sort: str = "name",
    project: str | None = None,
    limit: int | None = None,
    hooks: Mapping[str, Condition] | None = None,
) -> NDArray[np.int64]:
    """Ids of the images present (the first `limit` of them), (n,) int64, in order. See `conditions` for the filter.

    A sort with `-` before it descends.

    Raises UsageError for an unknown sort, QueryError for a filter that cannot be read.
    """
    name = sort.removeprefix("-")
    if name not in SORTS:
        known = ", ".join(SORTS)
        raise UsageError(f"unknown sort '{sort}'", remedy=f"Use one of {known}; a - before it descends.")
    orders: dict[str, list[sa.ColumnElement[object]]] = {
        "name": [images.c.name],
        "project": [projects.c.key, images.c.name],
        "taken": [images.c.taken_at],
        "size": [images.c.size],
        "format": [images.c.format],
        "resolution": [images.c.width * images.c.height],
    }
    query = sa.select(images.c.id).where(_PRESENT, *conditions(connection, filter_text, project, hooks))
    if name == "project":
        query = query.join(projects, projects.c.id == images.c.project_id)
    order = [column.desc() if sort.startswith("-") else column.asc() for column in orders[name]]
    # The driver's own rows: wrapping half a million of them would take longer than finding them.
    cursor = connection.execute(query.order_by(*order).limit(limit)).cursor
    rows: Iterable[tuple[int]] = cursor.fetchall() if cursor is not None else ()
    return np.fromiter(chain.from_iterable(rows), dtype=np.int64)


def conditions(
    connection: sa.Connection, text: str, project: str | None = None, hooks: Mapping[str, Condition] | None = None
) -> list[Condition]:
    """What a query asks for, all of it at once, of one project when named. See `engine.library.query`.

    hooks: what rooms know beside the tables, by field (`dup`). Raises QueryError.
    """
    asked = fields.conditions(fields.Asking(connection, hooks or {}), text)
    if project is not None:
        asked.append(fields.of_project(connection, project, is_exact=True))
    return asked


def page(connection: sa.Connection, image_ids: Sequence[int]) -> list[Image]:
    """Those images, in that order; ids that the library does not have are left out."""
    columns = images.c
    query = sa.select(
        columns.id, columns.path, columns.name, projects.c.name.label("project"), columns.format, columns.width,
        columns.height, columns.size, columns.mtime_ns, columns.content_hash, columns.orientation, columns.taken_at,
        columns.taken_at_source,
    ).join(projects, projects.c.id == columns.project_id)  # fmt: skip
    found: dict[int, Image] = {}
    wanted = [int(image) for image in image_ids]
    for at in range(0, len(wanted), _CHUNK):
        # The driver's own rows, as in `ids`: groups of duplicates ask for a hundred thousand images.
        cursor = connection.execute(query.where(columns.id.in_(wanted[at : at + _CHUNK]))).cursor
        for image, path, *rest in cursor.fetchall() if cursor is not None else ():
            found[image] = Image(image, Path(path), *rest)
    return [found[image] for image in wanted if image in found]


def ids_by_path(connection: sa.Connection, paths: Sequence[str]) -> dict[str, int]:
    """Path -> id, for those that the library has and that are present."""
    found: dict[str, int] = {}
    for at in range(0, len(paths), _CHUNK):
        query = sa.select(images.c.path, images.c.id).where(_PRESENT, images.c.path.in_(paths[at : at + _CHUNK]))
        found.update((path, image) for path, image in connection.execute(query))
    return found


def blamed(connection: sa.Connection, path: Path) -> str | None:
    """Why the file at `path`, as it is now, is not to be decoded: it ended a decoder. None for all others."""
    asked = sa.select(refusals.c.reason, refusals.c.size, refusals.c.mtime_ns)
    row = connection.execute(asked.where(refusals.c.path == str(path), refusals.c.code == "decoder_crash")).first()
    if row is None:
        return None
    try:
        state = path.stat()
    except OSError:
        return str(row.reason)
    return str(row.reason) if (state.st_size, state.st_mtime_ns) == (row.size, row.mtime_ns) else None


def companions_of(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, list[Path]]:
    """Image id -> its companions, by path; images without any are left out."""
    found: dict[int, list[Path]] = {}
    wanted = [int(image) for image in image_ids]
    for at in range(0, len(wanted), _CHUNK):
        query = (
            sa.select(companions.c.image_id, companions.c.path)
            .where(companions.c.image_id.in_(wanted[at : at + _CHUNK]))
            .order_by(companions.c.path)
        )
        for image, path in connection.execute(query):
            found.setdefault(image, []).append(Path(path))
    return found


def counts(connection: sa.Connection) -> Counts:
    """How much there is: images present, files refused, projects with images."""
    held = sa.select(sa.func.count()).select_from(images).where(_PRESENT).scalar_subquery()
    refused = sa.select(sa.func.count()).select_from(refusals).scalar_subquery()
    some = sa.exists().where(images.c.project_id == projects.c.id, _PRESENT)
    subjects = sa.select(sa.func.count()).select_from(projects).where(some).scalar_subquery()
    row = connection.execute(sa.select(held, refused, subjects)).one()
    return Counts(images=row[0], refused=row[1], projects=row[2])


def inventory(connection: sa.Connection, among: Sequence[Condition] = ()) -> Inventory:
    """The library in figures; of images, only those that fulfil all of `among`."""
    pixels = images.c.width * images.c.height
    label = sa.case(
        *((pixels < bound, at) for at, (_, bound) in enumerate(RESOLUTIONS) if bound is not None),
        else_=len(RESOLUTIONS) - 1,
    )

    def counted(column: sa.ColumnElement[Key]) -> dict[Key, int]:
        query = sa.select(column, sa.func.count()).where(_PRESENT, *among).group_by(column)
        return {row[0]: row[1] for row in connection.execute(query)}

    # One question each: every one but that for resolutions is answered by an index alone.
    formats, subjects, resolutions = counted(images.c.format), counted(images.c.project_id), counted(label)
    held_bytes = connection.execute(sa.select(sa.func.sum(images.c.size)).where(_PRESENT, *among)).scalar_one()
    names = {row.id: row.name for row in connection.execute(sa.select(projects.c.id, projects.c.name))}
    codes = refused_by_code(connection)
    return Inventory(
        counts=Counts(sum(formats.values()), sum(count for _, count in codes), len(subjects)),
        bytes=int(held_bytes or 0),
        formats=_largest_first(formats.items()),
        resolutions=tuple((name, resolutions[at]) for at, (name, _) in enumerate(RESOLUTIONS) if at in resolutions),
        projects=_largest_first((names[key], count) for key, count in subjects.items()),
        refused=codes,
    )


def refused(connection: sa.Connection, limit: int, offset: int) -> list[Refusal]:
    """Files that were passed over, by path."""
    query = sa.select(refusals.c.path, refusals.c.code, refusals.c.reason).order_by(refusals.c.path)
    return [Refusal(*row) for row in connection.execute(query.limit(limit).offset(offset))]


def refused_by_code(connection: sa.Connection) -> tuple[tuple[str, int], ...]:
    """How many files were passed over for each reason, the most frequent first."""
    query = sa.select(refusals.c.code, sa.func.count()).group_by(refusals.c.code)
    return _largest_first((code, count) for code, count in connection.execute(query))


def all_projects(connection: sa.Connection) -> list[Project]:
    """Every project that has images or a manifest, by id."""
    held = (
        sa.select(images.c.project_id, sa.func.count().label("images"))
        .where(_PRESENT)
        .group_by(images.c.project_id)
        .subquery()
    )
    query = (
        sa.select(projects, sa.func.coalesce(held.c.images, 0).label("images"))
        .outerjoin(held, held.c.project_id == projects.c.id)
        .where(sa.or_(held.c.images > 0, projects.c.manifest.is_not(None)))
        .order_by(projects.c.key)
    )
    return [
        Project(
            id=row.name,
            title=row.title,
            started_at=row.started_at,
            finished_at=row.finished_at,
            manifest=Path(row.manifest) if row.manifest else None,
            images=row.images,
        )
        for row in connection.execute(query)
    ]


def _sums(pairs: Iterable[tuple[Key, int]]) -> dict[Key, int]:
    found: dict[Key, int] = {}
    for key, count in pairs:
        found[key] = found.get(key, 0) + count
    return found


def _largest_first(pairs: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(_sums(pairs).items(), key=lambda pair: (-pair[1], pair[0])))
