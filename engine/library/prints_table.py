"""Prints and likenesses in the store: written in batches, read as arrays.

Relies on the store's tables. A print belongs to bytes: where its `content_hash` is not that of its image any more it
is stale, and is left out of every answer. Never touches a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import sqlalchemy as sa
from numpy.typing import NDArray

from engine.library.closer import Closer
from engine.library.prints import SIDE, VERSION, Prints, frequencies, hash_of
from engine.store import upsert
from engine.store.schema import images, projects
from engine.store.schema.duplicates import image_links, image_prints

# "prints": they say enough; "seen": looked at closely; "passed": not looked at, because others had been that tell;
# "unread": a look was needed, and one of the two could not be read. The next search tries again.
Look = Literal["prints", "seen", "passed", "unread"]

_MEASURES = ("outside", "common", "off", "surely", "off_tenth", "surely_tenth")
_CHUNK = 500
_IS_FRESH = sa.and_(
    image_prints.c.image_id == images.c.id,
    image_prints.c.content_hash == images.c.content_hash,
    image_prints.c.version == VERSION,
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """The prints of one project, one for each content: `ids` (n,) int64 ascending, `phash` (n,) uint64, `owner` (k,)
    and `turned` (k,) uint64 the hashes of canonical positions with the place of their image in `ids`, `is_known` (n,)
    whether an image's neighbours are known within the radius asked for."""

    ids: NDArray[np.int64]
    phash: NDArray[np.uint64]
    owner: NDArray[np.int64]
    turned: NDArray[np.uint64]
    is_known: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Link:
    """Two images that look alike, `first` the smaller id; the measures of `engine.library.likeness`. `look`: whether a
    closer look was taken, and `closer` what it found, None where there was nothing to be seen."""

    first: int
    second: int
    distance: int
    phash: int
    dhash: int
    correlation: float
    worst: float
    look: Look = "prints"
    closer: Closer | None = None

    @property
    def is_another_exposure(self) -> bool:
        """Whether a closer look says so, at these or at others from which it follows."""
        return self.look == "passed" or (self.closer is not None and self.closer.is_another_exposure)


def write_prints(connection: sa.Connection, rows: Iterable[tuple[int, str, Prints]]) -> None:
    """Keep the prints of images, (image id, content hash, print); what was known of their neighbours is forgotten."""
    values = [
        {
            "image_id": image,
            "content_hash": content_hash,
            "version": VERSION,
            "phash": _signed(int(hash_of(frequencies(one.luma)))),
            "turned": [_signed(int(value)) for value in one.turned],
            "contrast": one.contrast,
            "luma": one.luma.tobytes(),
            "searched": None,
        }
        for image, content_hash, one in rows
    ]
    update = [name for name in image_prints.c.keys() if name != "image_id"]  # noqa: SIM118  # columns, not a dict
    upsert(connection, image_prints, values, key=["image_id"], update=update)
    ids = [int(str(value["image_id"])) for value in values]
    for at in range(0, len(ids), _CHUNK):
        some = ids[at : at + _CHUNK]
        connection.execute(
            sa.delete(image_links).where(image_links.c.first_id.in_(some) | image_links.c.second_id.in_(some))
        )


def fresh(connection: sa.Connection, image_ids: Sequence[int]) -> set[int]:
    """Which of these images have a print of the bytes that they have now."""
    found: set[int] = set()
    for at in range(0, len(image_ids), _CHUNK):
        query = sa.select(images.c.id).join(image_prints, _IS_FRESH).where(images.c.id.in_(image_ids[at : at + _CHUNK]))
        found.update(connection.execute(query).scalars())
    return found


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


def unprinted(connection: sa.Connection, project: str | None, after: int, limit: int) -> list[tuple[int, str, str]]:
    """The next images present without a fresh print: (id, path, content hash), by id above `after`."""
    query = (
        sa.select(images.c.id, images.c.path, images.c.content_hash)
        .outerjoin(image_prints, _IS_FRESH)
        .where(images.c.removed_at.is_(None), image_prints.c.image_id.is_(None), images.c.id > after)
        .order_by(images.c.id)
        .limit(limit)
    )
    if project is not None:
        wanted = sa.select(projects.c.id).where(projects.c.key == project.casefold())
        query = query.where(images.c.project_id.in_(wanted))
    return [(row.id, row.path, row.content_hash) for row in connection.execute(query)]


def shelf(connection: sa.Connection, project_id: int, least_contrast: float, radius: int) -> Shelf:
    """The prints of a project's images present, blank ones (less varied than `least_contrast`) left out; of identical
    files the one that was found first."""
    first = (
        sa.select(sa.func.min(images.c.id).label("id"))
        .where(images.c.project_id == project_id, images.c.removed_at.is_(None))
        .group_by(images.c.content_hash)
        .subquery()
    )
    query = (
        sa.select(image_prints.c.image_id, image_prints.c.phash, image_prints.c.turned, image_prints.c.searched)
        .join(first, first.c.id == image_prints.c.image_id)
        .join(images, _IS_FRESH)
        .where(image_prints.c.contrast >= least_contrast)
        .order_by(image_prints.c.image_id)
    )
    ids: list[int] = []
    phash: list[int] = []
    owner: list[int] = []
    turned: list[int] = []
    known: list[bool] = []
    for image, value, positions, searched in connection.execute(query):
        owner.extend([len(ids)] * len(positions))
        turned.extend(positions)
        ids.append(image)
        phash.append(value)
        known.append(searched is not None and searched >= radius)
    return Shelf(
        np.array(ids, dtype=np.int64),
        np.array(phash, dtype=np.int64).view(np.uint64),
        np.array(owner, dtype=np.int64),
        np.array(turned, dtype=np.int64).view(np.uint64),
        np.array(known, dtype=bool),
    )


def lumas(connection: sa.Connection, image_ids: Sequence[int]) -> dict[int, NDArray[np.uint8]]:
    """Image id -> its 32x32 grey values; images without a print are left out."""
    found: dict[int, NDArray[np.uint8]] = {}
    wanted = sorted({int(image) for image in image_ids})
    for at in range(0, len(wanted), _CHUNK):
        query = sa.select(image_prints.c.image_id, image_prints.c.luma).where(
            image_prints.c.image_id.in_(wanted[at : at + _CHUNK])
        )
        for image, luma in connection.execute(query):
            found[image] = np.frombuffer(luma, dtype=np.uint8).reshape(SIDE, SIDE)
    return found


def write_links(connection: sa.Connection, links: Sequence[Link]) -> None:
    """Keep likenesses; of a pair that is known already, the measures are replaced."""
    rows = [
        {
            "first_id": one.first,
            "second_id": one.second,
            "distance": one.distance,
            "phash": one.phash,
            "dhash": one.dhash,
            "correlation": one.correlation,
            "worst": one.worst,
            "look": one.look,
            **{name: getattr(one.closer, name, None) for name in _MEASURES},
        }
        for one in links
    ]
    update = ["distance", "phash", "dhash", "correlation", "worst", "look", *_MEASURES]
    upsert(connection, image_links, rows, key=["first_id", "second_id"], update=update)


def mark_searched(connection: sa.Connection, image_ids: Sequence[int], radius: int) -> None:
    """The neighbours of these prints are known within `radius` bits."""
    for at in range(0, len(image_ids), _CHUNK):
        some = [int(image) for image in image_ids[at : at + _CHUNK]]
        connection.execute(sa.update(image_prints).where(image_prints.c.image_id.in_(some)).values(searched=radius))


def hand_over(connection: sa.Connection, gone: Sequence[int]) -> None:
    """These images are here no more: what was known of their neighbours is known of the first file of the same content
    that is left, which stands for that content from now on."""
    for at in range(0, len(gone), _CHUNK):
        heirs = _heirs(connection, gone[at : at + _CHUNK])
        theirs = list(heirs)
        either = image_links.c.first_id.in_(theirs) | image_links.c.second_id.in_(theirs)
        inherited = []
        for row in connection.execute(sa.select(image_links).where(either)):
            ends = sorted({heirs.get(row.first_id, row.first_id), heirs.get(row.second_id, row.second_id)})
            if len(ends) == 2:
                inherited.append(replace(_link(row), first=ends[0], second=ends[1]))
        write_links(connection, inherited)
        known = sa.select(image_prints.c.image_id, image_prints.c.searched).where(
            image_prints.c.image_id.in_(theirs), image_prints.c.searched.is_not(None)
        )
        for image, radius in connection.execute(known).all():
            mark_searched(connection, [heirs[image]], radius)


def _heirs(connection: sa.Connection, gone: Sequence[int]) -> dict[int, int]:
    """Of images that are gone, the first of those that are left with the same content in the same project."""
    mine, heir = images.alias("mine"), images.alias("heir")
    is_heir = sa.and_(
        heir.c.content_hash == mine.c.content_hash,
        heir.c.project_id == mine.c.project_id,
        heir.c.removed_at.is_(None),
    )
    query = sa.select(mine.c.id, sa.func.min(heir.c.id)).select_from(mine.join(heir, is_heir))
    found = connection.execute(query.where(mine.c.id.in_(gone)).group_by(mine.c.id))
    return {int(image): int(first) for image, first in found}


def links(connection: sa.Connection, project_id: int) -> Iterator[Link]:
    """Every likeness between images of a project that are present."""
    one, other = images.alias("one"), images.alias("other")
    # Computed, so that no index on the project is taken: SQLite would try every image of it with every other.
    here = one.c.project_id + 0
    query = (
        sa.select(image_links)
        .join(one, one.c.id == image_links.c.first_id)
        .join(other, other.c.id == image_links.c.second_id)
        .where(
            here == project_id,
            other.c.project_id + 0 == project_id,
            one.c.removed_at.is_(None),
            other.c.removed_at.is_(None),
        )
    )
    for row in connection.execute(query):
        yield _link(row)


def seen(connection: sa.Connection, pairs: Sequence[tuple[int, int]]) -> dict[tuple[int, int], Link]:
    """Of these pairs (smaller id first), the likenesses that are kept already with what a closer look found."""
    wanted = set(pairs)
    found: dict[tuple[int, int], Link] = {}
    firsts = sorted({first for first, _ in wanted})
    for at in range(0, len(firsts), _CHUNK):
        some = image_links.c.first_id.in_(firsts[at : at + _CHUNK])
        for row in connection.execute(sa.select(image_links).where(some, image_links.c.look == "seen")):
            if (row.first_id, row.second_id) in wanted:
                found[row.first_id, row.second_id] = _link(row)
    return found


def _link(row: sa.Row[Any]) -> Link:
    closer = None if row.outside is None else Closer(*(getattr(row, name) for name in _MEASURES))
    return Link(
        row.first_id, row.second_id, row.distance, row.phash, row.dhash, row.correlation, row.worst, row.look, closer
    )
