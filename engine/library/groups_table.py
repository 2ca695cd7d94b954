"""The duplicate groups as they were last looked at, in the store, for whoever asks of an image whether it has a twin.

Relies on the store's tables. Groups themselves are formed anew from likenesses each time; this is their shadow, so that
lists and counts need not form them. A member that is in the trash counts for nothing. Never touches a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from engine.store import upsert
from engine.store.schema import images
from engine.store.schema.duplicates import grouped_projects, image_groups

#: Frames of a burst are pictures of their own: they are no duplicates.
KINDS = ("exact", "same")
_CHUNK = 500

#: A group: its name, its kind, and its members' ids.
Named = tuple[str, str, Sequence[int]]


def keep(connection: sa.Connection, projects: Mapping[int, Sequence[Named]], distance: int) -> None:
    """Keep these as the groups of each project (by row id), in place of those that were kept; what is so already is not
    written."""
    for project, groups in projects.items():
        wanted = {(name, image): kind for name, kind, members in groups for image in members}
        query = sa.select(image_groups.c.group_id, image_groups.c.image_id).where(image_groups.c.project_id == project)
        there = {(name, image) for name, image in connection.execute(query)}
        forget(connection, {name for name, image in there - wanted.keys()})
        gone = {name for name, _ in there - wanted.keys()}
        rows = [
            {"group_id": name, "image_id": image, "project_id": project, "kind": kind}
            for (name, image), kind in wanted.items()
            if (name, image) not in there or name in gone
        ]
        upsert(connection, image_groups, rows, key=["group_id", "image_id"], update=["project_id", "kind"])
    searched = [{"project_id": project, "distance": distance} for project in projects]
    upsert(connection, grouped_projects, searched, key=["project_id"], update=["distance"])


def forget(connection: sa.Connection, group_ids: Iterable[str]) -> None:
    """These are no groups any more."""
    names = sorted(group_ids)
    for at in range(0, len(names), _CHUNK):
        connection.execute(sa.delete(image_groups).where(image_groups.c.group_id.in_(names[at : at + _CHUNK])))


def has_twin(connection: sa.Connection) -> sa.ColumnElement[bool] | None:
    """The condition on `images` that another one, which is present, is the same file or the same picture; None where
    nobody has looked for any."""
    if connection.execute(sa.select(grouped_projects.c.project_id).limit(1)).first() is None:
        return None
    mine, other, twin = image_groups.alias("mine"), image_groups.alias("other"), images.alias("twin")
    joined = mine.join(other, other.c.group_id == mine.c.group_id).join(twin, twin.c.id == other.c.image_id)
    ids = (
        sa.select(mine.c.image_id)
        .select_from(joined)
        .where(mine.c.kind.in_(KINDS), other.c.image_id != mine.c.image_id, twin.c.removed_at.is_(None))
    )
    return images.c.id.in_(ids)


def others(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, int]:
    """Image id -> how many other images, which are present, are the same file or picture; images of projects that
    nobody has looked at are left out."""
    found: dict[int, int] = {}
    mine, other, twin = image_groups.alias("mine"), image_groups.alias("other"), images.alias("twin")
    is_other = sa.and_(other.c.group_id == mine.c.group_id, other.c.image_id != mine.c.image_id)
    joined = (
        images.join(grouped_projects, grouped_projects.c.project_id == images.c.project_id)
        .outerjoin(mine, sa.and_(mine.c.image_id == images.c.id, mine.c.kind.in_(KINDS)))
        .outerjoin(other, is_other)
        .outerjoin(twin, sa.and_(twin.c.id == other.c.image_id, twin.c.removed_at.is_(None)))
    )
    count = sa.func.count(sa.distinct(twin.c.id))
    query = sa.select(images.c.id, count).select_from(joined).group_by(images.c.id)
    wanted = [int(image) for image in image_ids]
    for at in range(0, len(wanted), _CHUNK):
        found.update((image, number) for image, number in connection.execute(
            query.where(images.c.id.in_(wanted[at : at + _CHUNK]))
        ))  # fmt: skip
    return found
