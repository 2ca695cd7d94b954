"""When images were shot, as far as their cameras say it.

Relies on the store. A time that only a file's name or its date suggests is no moment of a shot. Never touches a file.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import sqlalchemy as sa

from engine.library.grouping import Picture
from engine.store.schema import images

_CHUNK = 500


def near_in_time(connection: sa.Connection, project_id: int, seconds: float) -> list[int]:
    """Images shot within `seconds` of another, by what the camera says."""
    query = (
        sa.select(images.c.id, images.c.taken_at)
        .where(
            images.c.project_id == project_id,
            images.c.removed_at.is_(None),
            images.c.taken_at_source == "exif:original",
        )
        .order_by(images.c.taken_at)
    )
    timed = sorted(
        (moment.timestamp(), image)
        for image, text in connection.execute(query)
        if (moment := _moment(text)) is not None
    )
    close: set[int] = set()
    for (one_at, one), (other_at, other) in pairwise(timed):
        if other_at - one_at <= seconds:
            close |= {one, other}
    return sorted(close)


def _moment(text: str | None) -> datetime | None:
    """A capture time as the camera's clock showed it: frames of one burst compare, whatever zone one of them names."""
    return datetime.fromisoformat(text).replace(tzinfo=None) if text else None


def pictures_of(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, Picture]:
    """Image id -> what grouping needs to know of it."""
    found: dict[int, Picture] = {}
    columns = (
        images.c.id, images.c.content_hash, images.c.width, images.c.height, images.c.taken_at,
        images.c.taken_at_source,
    )  # fmt: skip
    for at in range(0, len(image_ids), _CHUNK):
        query = sa.select(*columns).where(images.c.id.in_(image_ids[at : at + _CHUNK]))
        for image, content_hash, width, height, taken_at, source in connection.execute(query):
            moment = _moment(taken_at) if source == "exif:original" else None
            is_whole = moment is not None and moment.microsecond == 0
            found[image] = Picture(image, content_hash, width, height, moment, is_whole)
    return found
