"""The words that a library's own images offer for a query: cameras, lenses, projects, keywords, people, formats.

Relies on the store's tables; reads only. The commonest values come first; of long lists, the first `MOST`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from engine.store.schema import images, projects
from engine.store.schema.facts import image_metadata

MOST = 200


def vocabulary(connection: sa.Connection) -> dict[str, tuple[str, ...]]:
    """Field -> values; fields that no image has a value for are left out."""
    told = image_metadata.c
    found = {
        "camera": _column(connection, told.camera_model) or _column(connection, told.camera_make),
        "make": _column(connection, told.camera_make),
        "lens": _column(connection, told.lens),
        "project": _projects(connection),
        "format": _column(connection, images.c.format),
        "keyword": _listed(connection, told.keywords),
        "people": _listed(connection, told.people),
        "taken": _years(connection),
    }
    return {name: values for name, values in found.items() if values}


def _column(connection: sa.Connection, column: sa.Column[Any]) -> tuple[str, ...]:
    query = sa.select(column).where(column.is_not(None)).group_by(column).order_by(sa.func.count().desc(), column)
    return tuple(str(each) for each in connection.execute(query.limit(MOST)).scalars())


def _projects(connection: sa.Connection) -> tuple[str, ...]:
    some = sa.exists().where(images.c.project_id == projects.c.id, images.c.removed_at.is_(None))
    query = sa.select(projects.c.name).where(some).order_by(projects.c.key).limit(MOST)
    return tuple(connection.execute(query).scalars())


def _listed(connection: sa.Connection, column: sa.Column[Any]) -> tuple[str, ...]:
    """The texts in a JSON list of each image."""
    if connection.dialect.name == "postgresql":
        each = sa.func.json_array_elements_text(column).table_valued("value")
    else:
        each = sa.func.json_each(column).table_valued("value")
    query = (
        sa.select(each.c.value)
        .select_from(image_metadata.join(each, sa.true()))
        .where(sa.cast(column, sa.String) != "[]")
        .group_by(each.c.value)
        .order_by(sa.func.count().desc(), each.c.value)
    )
    return tuple(str(found) for found in connection.execute(query.limit(MOST)).scalars())


def _years(connection: sa.Connection) -> tuple[str, ...]:
    year = sa.func.substr(images.c.taken_at, 1, 4)
    first, last = connection.execute(sa.select(sa.func.min(images.c.taken_at), sa.func.max(images.c.taken_at))).one()
    if first is None:
        return ()
    if int(str(last)[:4]) - int(str(first)[:4]) > MOST:
        return tuple(connection.execute(sa.select(year).distinct().order_by(year.desc()).limit(MOST)).scalars())
    return tuple(str(each) for each in range(int(str(last)[:4]), int(str(first)[:4]) - 1, -1))
