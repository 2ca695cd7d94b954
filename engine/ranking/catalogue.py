"""Sets and choices as the store holds them: the review queue, one set with its images, every choice in force.

Relies on the store and on the review room's decisions (kind `ranking`, subject `set:<id>`). Each function works inside
the caller's transaction. It only reads; `building` and `importing` write.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from engine.library.model import Image
from engine.ranking.model import KIND, Choice, ImageSet, Refusal, SetCounts, SetMember, SetSource
from engine.review import Verdict
from engine.review.review import standing_decisions
from engine.store.schema import decisions, images, projects, selections, set_members, sets

CHUNK = 5_000
_PICKED = (Verdict.APPROVED, Verdict.MODIFIED)

Item = TypeVar("Item")


def chunks(items: Iterable[Item], size: int = CHUNK) -> Iterator[list[Item]]:
    """The items in lists of at most `size`, small enough to bind as parameters of one statement."""
    held: list[Item] = []
    for item in items:
        held.append(item)
        if len(held) == size:
            yield held
            held = []
    if held:
        yield held


def subject_of(set_pk: int) -> str:
    """What decisions and suggestions call a set."""
    return f"set:{set_pk}"


def set_of(subject: str) -> int:
    """The set that a subject speaks of."""
    return int(subject.removeprefix("set:"))


def decided_clause() -> sa.ColumnElement[bool]:
    """Whether a row of `sets` is decided: by a selection of a log, or by a verdict in force."""
    newer = decisions.alias("newer")
    subject = sa.literal("set:", sa.String) + sa.cast(sets.c.id, sa.String)
    verdict = sa.exists().where(
        decisions.c.kind == KIND,
        decisions.c.subject == subject,
        decisions.c.verdict != Verdict.WITHDRAWN,
        ~sa.exists().where(newer.c.supersedes == decisions.c.id),
    )
    return sa.exists().where(selections.c.set_pk == sets.c.id) | verdict


def _shrunken() -> sa.Select[Any]:
    """Sets of which fewer than two images are still there."""
    gone = (
        sa.select(set_members.c.set_pk)
        .join(images, images.c.id == set_members.c.image_id)
        .where(images.c.removed_at.is_not(None))
    )
    left = sa.func.sum(sa.case((images.c.removed_at.is_(None), 1), else_=0))
    return (
        sa.select(set_members.c.set_pk)
        .join(images, images.c.id == set_members.c.image_id)
        .where(set_members.c.set_pk.in_(gone))
        .group_by(set_members.c.set_pk)
        .having(left < 2)
    )


def standing_sets(project: str | None) -> list[sa.ColumnElement[bool]]:
    """What makes a row of `sets` one to choose from: not retired, and at least two of its images are there."""
    clauses: list[sa.ColumnElement[bool]] = [sets.c.retired_at.is_(None), sets.c.id.not_in(_shrunken())]
    if project is not None:
        key = sa.select(projects.c.id).where(projects.c.key == project.casefold()).scalar_subquery()
        clauses.append(sets.c.project_id == key)
    return clauses


def queue(connection: sa.Connection, project: str | None = None) -> list[int]:
    """Ids of the undecided sets, oldest capture first; fast at 100,000 sets."""
    found = (
        sa.select(sets.c.id)
        .where(*standing_sets(project), ~decided_clause())
        .order_by(sa.func.coalesce(sets.c.taken_at, sets.c.created_at), sets.c.id)
    )
    return list(connection.execute(found).scalars())


def projects_with_sets(connection: sa.Connection, project: str | None = None) -> list[str]:
    """Names of the projects that have sets to choose from: all of them, or the one that is named."""
    query = sa.select(projects.c.name).distinct().join_from(sets, projects).where(*standing_sets(project))
    return sorted(connection.execute(query).scalars())


def skipped(connection: sa.Connection, project: str | None = None) -> list[int]:
    """Ids of the sets that were skipped, in the order they were."""
    return [
        set_of(one.subject) for one in standing_decisions(connection, KIND, project) if one.verdict is Verdict.SKIPPED
    ]


def counts(connection: sa.Connection, project: str | None = None) -> SetCounts:
    """How many sets there are and how many of them are decided."""
    base = sa.select(sa.func.count()).select_from(sets).where(*standing_sets(project))
    total = connection.execute(base).scalar_one()
    return SetCounts(total, total - connection.execute(base.where(~decided_clause())).scalar_one())


def image_sets(connection: sa.Connection, set_pks: Sequence[int]) -> dict[int, ImageSet]:
    """The sets of these ids with the images that are still in the library; an unknown id is left out."""
    members: dict[int, list[SetMember]] = defaultdict(list)
    found: dict[int, ImageSet] = {}
    for some in chunks(set_pks):
        joined = (
            sa.select(set_members.c.set_pk, set_members.c.position, set_members.c.label, *_IMAGE)
            .join_from(set_members, images)
            .join(projects, projects.c.id == images.c.project_id)
            .where(set_members.c.set_pk.in_(some), images.c.removed_at.is_(None))
            .order_by(set_members.c.set_pk, set_members.c.position, images.c.id)
        )
        for row in connection.execute(joined):
            members[row.set_pk].append(SetMember(_image(row), row.position, row.label))
        heads = sa.select(sets, projects.c.name.label("project")).join_from(sets, projects)
        for row in connection.execute(heads.where(sets.c.id.in_(some))):
            found[row.id] = ImageSet(
                id=row.id,
                project=row.project,
                session_id=row.session_id,
                set_id=row.set_id,
                source=SetSource(row.source),
                title=row.title,
                members=tuple(members[row.id]),
                taken_at=row.taken_at,
            )
    return found


def images_by_id(connection: sa.Connection, image_ids: Iterable[int]) -> dict[int, Image]:
    """Images by id, those that left the library too: their vectors may still be there."""
    found: dict[int, Image] = {}
    for some in chunks(image_ids):
        query = sa.select(*_IMAGE).join_from(images, projects).where(images.c.id.in_(some))
        found.update((row.id, _image(row)) for row in connection.execute(query))
    return found


def choices(
    connection: sa.Connection,
    actor: str | None = None,
    project: str | None = None,
    *,
    imported: bool = True,
    newest: int | None = None,
    unseen: bool = False,
) -> list[Choice]:
    """Every choice in force, oldest first: the actor's picks made here (None: everybody's) and the imported logs'.

    A verdict given here replaces what a log said about the set (a skip does not). Of several log rows about
    the same images of one set, the latest counts. `newest` reads only so many rows of the logs. What was approved
    together, unseen, is left out unless asked for: it is the model's own word, and no evidence of the person's taste.
    """
    found: list[Choice] = []
    settled: set[int] = set()
    for one in standing_decisions(connection, KIND, project, actor):
        if one.verdict is not Verdict.SKIPPED:
            settled.add(set_of(one.subject))
        losers = tuple(int(loser) for loser in one.value.get("losers", ()))
        if one.value.get("bulk") and not unseen:
            continue
        if one.verdict in _PICKED and losers and one.project is not None:
            image_ids = (int(one.value["image"]), *losers)
            is_other = one.verdict is Verdict.MODIFIED and not one.blind
            found.append(
                Choice(set_of(one.subject), one.project, image_ids, one.decided_at, one.actor, False, is_other)
            )
    if imported:
        latest: dict[tuple[int, frozenset[int]], Choice] = {}
        for choice in imported_choices(connection, project, newest=newest):
            if choice.set_pk not in settled:
                latest[(choice.set_pk, frozenset(choice.image_ids))] = choice
        found.extend(latest.values())
    return sorted(found, key=lambda choice: (choice.chosen_at, choice.set_pk, choice.winner))


def refusals(connection: sa.Connection, actor: str, project: str | None = None) -> list[Refusal]:
    """The sets that the actor rejected as a whole, in force, oldest first."""
    return [
        Refusal(set_of(one.subject), one.project, tuple(map(int, one.value["losers"])), one.decided_at)
        for one in standing_decisions(connection, KIND, project, actor)
        if one.verdict is Verdict.REJECTED and one.project is not None and one.value.get("losers")
    ]


def last_decision(connection: sa.Connection) -> int:
    """The id of the newest decision about sets; 0 without one."""
    newest = sa.select(sa.func.max(decisions.c.id)).where(decisions.c.kind == KIND)
    return int(connection.execute(newest).scalar() or 0)


def last_selection(connection: sa.Connection) -> int:
    """The id of the newest row of the imported logs; 0 without one."""
    return int(connection.execute(sa.select(sa.func.max(selections.c.id))).scalar() or 0)


def logged_picks(connection: sa.Connection, set_pk: int, until: int) -> tuple[tuple[int, ...], ...]:
    """What the logs' rows up to an id say of one set, as `choices` reads them: image ids, the winner first; the latest
    of those about the same images."""
    query = (
        sa.select(selections.c.chosen_image_id, selections.c.losers)
        .where(selections.c.set_pk == set_pk, selections.c.id <= until)
        .order_by(selections.c.chosen_at, selections.c.id)
    )
    latest: dict[frozenset[int], tuple[int, ...]] = {}
    for row in connection.execute(query):
        images = (int(row.chosen_image_id), *(int(one) for one in row.losers))
        latest[frozenset(images)] = images
    return tuple(latest.values())


def imported_choices(
    connection: sa.Connection, project: str | None = None, *, newest: int | None = None
) -> list[Choice]:
    """What the imported logs say, row by row, oldest first, whether or not a later verdict replaces it."""
    query = (
        sa.select(selections, projects.c.name.label("project"))
        .join_from(selections, sets)
        .join(projects, projects.c.id == sets.c.project_id)
        .order_by(selections.c.chosen_at.desc(), selections.c.id.desc())
        .limit(newest)
    )
    if project is not None:
        query = query.where(projects.c.key == project.casefold())
    found = [
        Choice(row.set_pk, row.project, (row.chosen_image_id, *row.losers), row.chosen_at, row.actor, True)
        for row in connection.execute(query)
    ]
    return found[::-1]


def count_choices(connection: sa.Connection, actor: str, project: str | None = None) -> int:
    """How many sets are decided by the actor or by a log, counted without reading the choices."""
    newer = decisions.alias("newer")
    made = sa.select(decisions.c.subject).where(
        decisions.c.kind == KIND,
        decisions.c.actor == actor,
        decisions.c.verdict.in_(_PICKED),
        decisions.c.group_id.is_(None),
        ~sa.exists().where(newer.c.supersedes == decisions.c.id),
    )
    logged = sa.select(selections.c.set_pk).distinct()
    if project is not None:
        key = sa.select(projects.c.id).where(projects.c.key == project.casefold()).scalar_subquery()
        made = made.where(decisions.c.project_id == key)
        logged = logged.join_from(selections, sets).where(sets.c.project_id == key)
    picked = {set_of(subject) for subject in connection.execute(made).scalars()}
    return len(picked.union(connection.execute(logged).scalars()))


def exportable(connection: sa.Connection, actor: str, project: str | None = None) -> list[Choice]:
    """Every pick that an exported log should hold, oldest first: the actor's, and all rows of the imported logs.

    Earlier rows about a set go out too, because the log is a history; what a person has rejected since does not.
    """
    refused = {
        set_of(one.subject)
        for one in standing_decisions(connection, KIND, project, actor)
        if one.verdict is Verdict.REJECTED
    }
    found = choices(connection, actor, project, imported=False, unseen=True)
    found.extend(choice for choice in imported_choices(connection, project) if choice.set_pk not in refused)
    # A log that was exported and imported again here says nothing new.
    distinct = {(choice.set_pk, choice.winner, choice.chosen_at): choice for choice in found}
    return sorted(distinct.values(), key=lambda choice: (choice.chosen_at, choice.set_pk, choice.winner))


def present(connection: sa.Connection, image_ids: Iterable[int]) -> list[Image]:
    """Those of the images that are still in the library."""
    found: list[Image] = []
    for some in chunks(image_ids):
        query = sa.select(*_IMAGE).join_from(images, projects)
        rows = connection.execute(query.where(images.c.id.in_(some), images.c.removed_at.is_(None)))
        found.extend(_image(row) for row in rows)
    return found


def paths_in(connection: sa.Connection, folders: Iterable[str]) -> list[Path]:
    """Paths of the library's images in these folders."""
    found: list[Path] = []
    for some in chunks(folders):
        query = sa.select(images.c.path).where(images.c.folder.in_(some), images.c.removed_at.is_(None))
        found.extend(Path(path) for path in connection.execute(query).scalars())
    return found


def folders_of_strays(connection: sa.Connection, image_ids: Iterable[int]) -> list[str]:
    """Folders of generated sets that hold one of these images although it is of another project by now."""
    found: set[str] = set()
    for some in chunks(image_ids):
        query = (
            sa.select(sets.c.folder)
            .distinct()
            .join_from(sets, set_members)
            .join(images, images.c.id == set_members.c.image_id)
            # By way of the members, and not of every set there is: the coalesce keeps SQLite from taking the index on
            # retired_at, which made each batch of a first scan slower than the one before.
            .where(
                set_members.c.image_id.in_(some),
                images.c.project_id != sets.c.project_id,
                sa.func.coalesce(sets.c.retired_at, "") == "",
            )
        )
        found.update(folder for folder in connection.execute(query).scalars() if folder is not None)
    return sorted(found)


def positions(connection: sa.Connection, set_pks: Iterable[int]) -> dict[int, dict[int, int]]:
    """For each set: image id -> place in the set."""
    found: dict[int, dict[int, int]] = defaultdict(dict)
    for some in chunks(set_pks):
        query = sa.select(set_members.c.set_pk, set_members.c.image_id, set_members.c.position)
        for set_pk, image_id, position in connection.execute(query.where(set_members.c.set_pk.in_(some))):
            found[set_pk][image_id] = position
    return found


def set_keys(connection: sa.Connection, set_pks: Iterable[int]) -> Mapping[int, tuple[str, str]]:
    """For each set: (session_id, set_id)."""
    found: dict[int, tuple[str, str]] = {}
    for some in chunks(set_pks):
        query = sa.select(sets.c.id, sets.c.session_id, sets.c.set_id).where(sets.c.id.in_(some))
        found.update((row.id, (row.session_id, row.set_id)) for row in connection.execute(query))
    return found


_IMAGE = (
    images.c.id,
    images.c.path,
    images.c.name,
    projects.c.name.label("project"),
    images.c.format,
    images.c.width,
    images.c.height,
    images.c.size,
    images.c.mtime_ns,
    images.c.content_hash,
    images.c.orientation,
    images.c.taken_at,
    images.c.taken_at_source,
)


def _image(row: Any) -> Image:
    return Image(
        id=row.id,
        path=Path(row.path),
        name=row.name,
        project=row.project,
        format=row.format,
        width=row.width,
        height=row.height,
        size=row.size,
        mtime_ns=row.mtime_ns,
        content_hash=row.content_hash,
        orientation=row.orientation,
        taken_at=row.taken_at,
        taken_at_source=row.taken_at_source,
    )
