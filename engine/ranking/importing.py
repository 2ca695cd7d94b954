"""Bringing a selection log into the store: rows matched with the library's images, sets and selections recorded.

Relies on `observe` (rows), `matching` (foreign paths) and the store. Matching reads a snapshot; writing goes in short
transactions, so that verdicts given meanwhile do not wait. What is there already stays as it is: importing a file
twice changes nothing. Never makes up a project, a file or a winner.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso
from engine.errors import UsageError
from engine.ranking.catalogue import chunks, positions
from engine.ranking.matching import Candidate, KnownProjects, match_row, names_wanted
from engine.ranking.model import RefusedRow, SelectionImport, SetSource
from engine.ranking.observe import RowRefused, SelectionRow, read_selection_log
from engine.ranking.sets import stage_name
from engine.store import Store, upsert
from engine.store.schema import images, projects, selections, set_members, sets

ROWS_AT_ONCE = 2_000

_Pick = tuple[int, int, str]  # set, winner, when: what tells one selection from another


@dataclass(frozen=True, slots=True)
class _Matched:
    """A row with its images found: the winner's id first."""

    row: SelectionRow
    project_key: str
    image_ids: tuple[int, ...]

    @property
    def identity(self) -> tuple[str, str, str, int, str]:
        """Rows that share it are one selection, with the losers of all of them."""
        row = self.row
        return self.project_key, row.session_id, row.set_id, self.image_ids[0], row.timestamp


@dataclass(frozen=True, slots=True)
class _Library:
    """What matching and writing need to know of the images that a log mentions."""

    project_ids: Mapping[str, int]
    known: KnownProjects
    by_name: Mapping[str, Mapping[str, Sequence[Candidate]]]  # project key -> NFC name -> images
    exact: Mapping[str, str]  # absolute path -> project key
    names: Mapping[int, str]
    taken_at: Mapping[int, str | None]
    folders: Mapping[int, str]


@dataclass(frozen=True, slots=True)
class Imported:
    """The report for the person, and the folders whose generated sets may have to give way."""

    report: SelectionImport
    folders: tuple[str, ...]


def import_log(store: Store, file: Path, actor: str, clock: Clock) -> Imported:
    """Import one selection log. Raises UsageError when it cannot be read, ProofsheetError when it is no such log."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    rows: list[SelectionRow] = []
    refused: list[RefusedRow] = []
    for found in read_selection_log(data, str(file)):
        if isinstance(found, SelectionRow):
            rows.append(found)
        else:
            refused.append(found)
    with store.reading() as connection:
        library = _library(connection, names_wanted(rows))
    matched: list[_Matched] = []
    for row in rows:
        try:
            key = library.known.of_row(row, library.exact)
            matched.append(_Matched(row, key, match_row(row, library.known.names[key], library.by_name[key])))
        except RowRefused as refusal:
            refused.append(RefusedRow(row.line, str(refusal)))
    new = 0
    for some in chunks(matched, ROWS_AT_ONCE):
        with store.writing(durable=True) as connection:
            new += _write(connection, some, library, actor, file.name, iso(clock()))
    keys = {(one.project_key, one.row.session_id, one.row.set_id) for one in matched}
    per_project = Counter(library.known.names[key] for key, _, _ in keys)
    report = SelectionImport(
        sets=len(keys),
        pairs=len({(*one.identity, loser) for one in matched for loser in one.image_ids[1:]}),
        projects=dict(sorted(per_project.items())),
        refused=tuple(sorted(refused, key=lambda one: one.line)),
        new=new,
    )
    return Imported(report, tuple(dict.fromkeys(library.folders[i] for one in matched for i in one.image_ids)))


def _library(connection: sa.Connection, wanted: set[str]) -> _Library:
    project_ids: dict[str, int] = {}
    names: dict[str, str] = {}
    keys: dict[int, str] = {}
    for row in connection.execute(sa.select(projects.c.id, projects.c.key, projects.c.name)):
        project_ids[row.key], names[row.key], keys[row.id] = row.id, row.name, row.key
    by_name: dict[str, dict[str, list[Candidate]]] = defaultdict(lambda: defaultdict(list))
    exact: dict[str, str] = {}
    image_names: dict[int, str] = {}
    taken_at: dict[int, str | None] = {}
    folders: dict[int, str] = {}
    columns = (images.c.id, images.c.path, images.c.name, images.c.folder, images.c.project_id, images.c.taken_at)
    for some in chunks(sorted(wanted)):
        query = sa.select(*columns).where(images.c.name.in_(some), images.c.removed_at.is_(None))
        for image in connection.execute(query):
            key = keys[image.project_id]
            by_name[key][image.name].append(Candidate(image.id, image.path))
            exact[image.path] = key
            image_names[image.id], taken_at[image.id] = image.name, image.taken_at
            folders[image.id] = image.folder
    return _Library(project_ids, KnownProjects(names), by_name, exact, image_names, taken_at, folders)


def _write(
    connection: sa.Connection, matched: Sequence[_Matched], library: _Library, actor: str, source: str, now: str
) -> int:
    """Record sets, members and selections of these rows; returns how many selections are new.

    A log may tell the losers of one pick in several rows: they become one selection, also with a row of before.
    """
    set_ids = _set_ids(connection, matched, library, now)
    held = positions(connection, set_ids.values())
    grown: dict[int, set[int]] = {}
    losers = _losers(connection, set_ids.values())
    rows: dict[_Pick, dict[str, Any]] = {}
    for one in matched:
        set_pk = set_ids[_key(one, library)]
        if not held.get(set_pk, {}).keys() >= set(one.image_ids):
            grown.setdefault(set_pk, set(held.get(set_pk, ()))).update(one.image_ids)
        pick = (set_pk, one.image_ids[0], one.row.timestamp)
        known = losers.setdefault(pick, [])
        fresh = [image_id for image_id in one.image_ids[1:] if image_id not in known]
        if fresh:
            known.extend(fresh)
            row = {"actor": actor, "source": source, "line": one.row.line}
            key = {"set_pk": set_pk, "chosen_image_id": one.image_ids[0], "chosen_at": one.row.timestamp}
            rows.setdefault(pick, {**key, **row, "losers": known})
    _place_members(connection, grown, library)
    # Imported again after it was retired, a set is wanted again.
    for some in chunks(grown):
        connection.execute(sa.update(sets).where(sets.c.id.in_(some)).values(retired_at=None))
    count = sa.select(sa.func.count()).select_from(selections)
    before = connection.execute(count).scalar_one()
    key_columns = ("set_pk", "chosen_image_id", "chosen_at")
    upsert(connection, selections, list(rows.values()), key=key_columns, update=("losers",))
    return int(connection.execute(count).scalar_one() - before)


def _losers(connection: sa.Connection, set_pks: Iterable[int]) -> dict[_Pick, list[int]]:
    """The losers of every selection that these sets have already."""
    found: dict[_Pick, list[int]] = {}
    columns = selections.c
    for some in chunks(set_pks):
        query = sa.select(columns.set_pk, columns.chosen_image_id, columns.chosen_at, columns.losers)
        for set_pk, winner, chosen_at, losers in connection.execute(query.where(columns.set_pk.in_(some))):
            found[(set_pk, winner, chosen_at)] = list(losers)
    return found


def _key(one: _Matched, library: _Library) -> tuple[int, str, str]:
    return (library.project_ids[one.project_key], one.row.session_id, one.row.set_id)


def _set_ids(
    connection: sa.Connection, matched: Sequence[_Matched], library: _Library, now: str
) -> dict[tuple[int, str, str], int]:
    rows: dict[tuple[int, str, str], dict[str, Any]] = {}
    for one in matched:
        project_id, session_id, set_id = key = _key(one, library)
        moments = [moment for image_id in one.image_ids if (moment := library.taken_at[image_id])]
        rows.setdefault(
            key,
            {
                "project_id": project_id,
                "session_id": session_id,
                "set_id": set_id,
                "source": SetSource.LOG,
                "title": f"{session_id} {set_id}",
                "taken_at": min(moments, default=None),
                "created_at": now,
            },
        )
    upsert(connection, sets, list(rows.values()), key=("project_id", "session_id", "set_id"))
    found = {}
    # By whole keys: a log may be one session of 100,000 sets, or 100,000 sessions of one.
    columns = sa.tuple_(sets.c.project_id, sets.c.session_id, sets.c.set_id)
    for some in chunks(rows):
        query = sa.select(sets.c.id, sets.c.project_id, sets.c.session_id, sets.c.set_id).where(columns.in_(some))
        for row in connection.execute(query):
            found[(row.project_id, row.session_id, row.set_id)] = row.id
    return found


def _place_members(connection: sa.Connection, grown: Mapping[int, set[int]], library: _Library) -> None:
    """Members in name order, never winner first: a place in the set must not give the winner away."""
    missing = {image_id for members in grown.values() for image_id in members} - library.names.keys()
    names = dict(library.names)
    for some in chunks(missing):
        query = sa.select(images.c.id, images.c.name).where(images.c.id.in_(some))
        names.update((row.id, row.name) for row in connection.execute(query))
    rows = []
    for set_pk, members in grown.items():
        for place, image_id in enumerate(sorted(members, key=lambda one: (names[one], one))):
            stage = stage_name(names[image_id])
            rows.append(
                {
                    "set_pk": set_pk,
                    "image_id": image_id,
                    "position": place,
                    "label": stage.label if stage else "",
                }
            )
    upsert(connection, set_members, rows, key=("set_pk", "image_id"), update=("position",))
