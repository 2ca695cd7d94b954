"""Keeping the generated sets in step with the library: made for new images, replaced when folders change.

Relies on the grouping in `sets` and on the store. Works folder by folder in short transactions, so that it can be
called with each finished folder while a scan goes on. A set that was decided, and a set from a log, is never touched;
an undecided one that no longer matches its folder is retired, and comes back if it matches again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso
from engine.ranking.catalogue import chunks, decided_clause
from engine.ranking.model import GENERATED, SetSource
from engine.ranking.sets import NewSet, Record, generate, session_of, wall_clock
from engine.settings import Settings
from engine.store import Store
from engine.store.schema import images, set_members, sets

FOLDERS_AT_ONCE = 200
# These say when a file was copied or edited, not when the picture was shot: they would make one burst of a whole copy.
_NOT_CAPTURED = frozenset({"mtime", "exif:modified"})


@dataclass(frozen=True, slots=True)
class _Standing:
    """A generated set in the store."""

    id: int
    folder: str
    is_decided: bool
    is_retired: bool


_Key = tuple[int, str, str]


def build(
    store: Store,
    settings: Settings,
    clock: Clock,
    folders: Sequence[str] | None = None,
    sources: Collection[SetSource] = GENERATED,
) -> int:
    """Bring the generated sets of these folders (None: of all) up to date; returns how many are new.

    `sources` are the kinds of set wanted; undecided sets of other kinds are retired. Calling it again changes nothing.
    """
    if folders is None:
        with store.reading() as connection:
            of_images = sa.select(images.c.folder).where(images.c.removed_at.is_(None))
            of_sets = sa.select(sets.c.folder).where(sets.c.folder.is_not(None), sets.c.retired_at.is_(None))
            folders = sorted(connection.execute(of_images.union(of_sets)).scalars())
    made = 0
    for some in chunks(dict.fromkeys(folders), FOLDERS_AT_ONCE):
        with store.writing() as connection:
            made += _Rebuild(connection, settings, iso(clock())).run(some, sources)
    return made


class _Rebuild:
    """One transaction over a few folders."""

    def __init__(self, connection: sa.Connection, settings: Settings, now: str) -> None:
        self._connection = connection
        self._settings = settings
        self._now = now

    def run(self, folders: Sequence[str], sources: Collection[SetSource]) -> int:
        folders = self._with_folders_left(folders)
        groups = self._records(folders)
        standing = self._standing(folders)
        decided = [one.id for one in standing.values() if one.is_decided]
        taken = self._taken(folders, decided)
        wanted: dict[_Key, tuple[str, NewSet]] = {}
        for (folder, project_id), records in sorted(groups.items()):
            for one in generate(
                records,
                folder,
                sources=sources,
                taken=taken,
                burst_seconds=self._settings.burst_seconds,
                folder_set_size=self._settings.folder_set_size,
            ):
                wanted[(project_id, session_of(one.source, folder), one.key)] = (folder, one)
        retire = [s.id for key, s in standing.items() if key not in wanted and not s.is_decided and not s.is_retired]
        revive = [s.id for key, s in standing.items() if key in wanted and not s.is_decided and s.is_retired]
        self._mark(retire, self._now)
        self._mark(revive, None)
        fresh = {key: value for key, value in wanted.items() if key not in standing}
        self._insert(fresh)
        return len(fresh) + len(revive)

    def _with_folders_left(self, folders: Sequence[str]) -> list[str]:
        """The folders, and those whose sets still hold an image that has moved into one of them."""
        moved = (
            sa.select(sets.c.folder)
            .distinct()
            .join_from(sets, set_members)
            .join(images, images.c.id == set_members.c.image_id)
            .where(images.c.folder.in_(folders), sets.c.folder != images.c.folder, sets.c.retired_at.is_(None))
        )
        return list(dict.fromkeys([*folders, *self._connection.execute(moved).scalars()]))

    def _records(self, folders: Sequence[str]) -> dict[tuple[str, int], list[Record]]:
        query = sa.select(
            images.c.id,
            images.c.name,
            images.c.folder,
            images.c.project_id,
            images.c.taken_at,
            images.c.taken_at_source,
        ).where(images.c.folder.in_(folders), images.c.removed_at.is_(None))
        groups: dict[tuple[str, int], list[Record]] = defaultdict(list)
        for row in self._connection.execute(query):
            moment = None if row.taken_at_source in _NOT_CAPTURED else wall_clock(row.taken_at)
            groups[(row.folder, row.project_id)].append(Record(row.id, row.name, moment))
        return groups

    def _standing(self, folders: Sequence[str]) -> dict[_Key, _Standing]:
        """Every generated set of these folders, retired ones too."""
        query = sa.select(
            sets.c.id,
            sets.c.project_id,
            sets.c.session_id,
            sets.c.set_id,
            sets.c.folder,
            sets.c.retired_at,
            decided_clause().label("is_decided"),
        ).where(sets.c.folder.in_(folders), sets.c.source != SetSource.LOG)
        return {
            (row.project_id, row.session_id, row.set_id): _Standing(
                row.id, row.folder, bool(row.is_decided), row.retired_at is not None
            )
            for row in self._connection.execute(query)
        }

    def _taken(self, folders: Sequence[str], decided: Sequence[int]) -> set[int]:
        """Images of these folders that a log set or a decided set already holds."""
        of_logs = (
            sa.select(set_members.c.image_id)
            .join_from(images, set_members)
            .join(sets, sets.c.id == set_members.c.set_pk)
            .where(images.c.folder.in_(folders), sets.c.source == SetSource.LOG, sets.c.retired_at.is_(None))
        )
        taken = set(self._connection.execute(of_logs).scalars())
        for some in chunks(decided):
            held = sa.select(set_members.c.image_id).where(set_members.c.set_pk.in_(some))
            taken.update(self._connection.execute(held).scalars())
        return taken

    def _mark(self, ids: Iterable[int], retired_at: str | None) -> None:
        for some in chunks(ids):
            self._connection.execute(sa.update(sets).where(sets.c.id.in_(some)).values(retired_at=retired_at))

    def _insert(self, fresh: dict[_Key, tuple[str, NewSet]]) -> None:
        if not fresh:
            return
        rows: list[dict[str, Any]] = [
            {
                "project_id": project_id,
                "session_id": session_id,
                "set_id": set_id,
                "source": one.source,
                "title": one.title,
                "folder": folder,
                "taken_at": one.taken_at,
                "created_at": self._now,
            }
            for (project_id, session_id, set_id), (folder, one) in fresh.items()
        ]
        self._connection.execute(sa.insert(sets), rows)
        members: list[dict[str, Any]] = []
        for some in chunks({session_id for _, session_id, _ in fresh}):
            query = sa.select(sets.c.id, sets.c.project_id, sets.c.session_id, sets.c.set_id)
            for row in self._connection.execute(query.where(sets.c.session_id.in_(some))):
                found = fresh.get((row.project_id, row.session_id, row.set_id))
                if found is not None:
                    pairs = zip(found[1].image_ids, found[1].labels, strict=True)
                    members.extend(
                        {"set_pk": row.id, "image_id": image_id, "position": place, "label": label}
                        for place, (image_id, label) in enumerate(pairs)
                    )
        self._connection.execute(sa.insert(set_members), members)
