"""Self-consistency: a few sets come back silently, and show how far a person agrees with themself.

That agreement is the anchor of every accuracy: nobody can be predicted better than they repeat themselves. Relies on
the store and on verdicts in force; works inside the caller's transaction. A repeat is a decision of a kind of its own,
so that the first verdict stays in force and training never sees the second. The draw is seeded: the same verdicts give
the same repeats.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.ranking import catalogue
from engine.ranking.model import KIND
from engine.review import Verdict
from engine.store.schema import decisions, projects, sets
from engine.store.schema.taste import repeats

REPEAT = "repeat"
BETWEEN = 60
"""Verdicts that lie between a set and its return, so that it is judged anew and not remembered."""
_GIVEN = (Verdict.APPROVED, Verdict.MODIFIED, Verdict.REJECTED)
_TRIED = 12
_Z = 1.959963984540054  # the normal's 97.5 % point


@dataclass(frozen=True, slots=True)
class Repeat:
    """A set to ask again, and the verdict that the answer is held against."""

    set_pk: int
    original_id: int


@dataclass(frozen=True, slots=True)
class Consistency:
    """How often a person said the same again, with Wilson's 95 % interval (1927); None while nothing is known."""

    agreed: int
    of: int
    low: float | None
    high: float | None

    @property
    def share(self) -> float | None:
        """Agreement, 0 to 1."""
        return self.agreed / self.of if self.of else None

    def document(self) -> dict[str, Any]:
        interval = None if self.low is None else [self.low, self.high]
        return {"agreement": self.share, "interval": interval, "agreed": self.agreed, "repeats": self.of}


def wilson(agreed: int, of: int) -> tuple[float, float]:
    """The 95 % score interval of a share."""
    share, square = agreed / of, _Z * _Z
    middle = (share + square / (2 * of)) / (1 + square / of)
    reach = _Z / (1 + square / of) * math.sqrt(share * (1 - share) / of + square / (4 * of * of))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def consistency(connection: sa.Connection, actor: str, project: str | None = None) -> Consistency:
    """The actor's agreement with themself over every repeat that was answered (a skipped one says nothing)."""
    first, undone = decisions.alias("first"), decisions.alias("undone")
    query = (
        sa.select(decisions.c.verdict, decisions.c.value, first.c.verdict.label("was"), first.c.value.label("had"))
        .select_from(repeats)
        .join(decisions, decisions.c.id == repeats.c.decision_id)
        .join(first, first.c.id == repeats.c.original_id)
        .where(
            repeats.c.actor == actor,
            decisions.c.verdict.in_(_GIVEN),
            ~sa.exists().where(undone.c.undoes == decisions.c.id),
        )
    )
    if project is not None:
        query = query.join(sets, sets.c.id == repeats.c.set_pk).where(sets.c.project_id == _project(project))
    answers = [_says_the_same(row) for row in connection.execute(query)]
    if not answers:
        return Consistency(0, 0, None, None)
    return Consistency(sum(answers), len(answers), *wilson(sum(answers), len(answers)))


def due(
    connection: sa.Connection, actor: str, share: float, seed: int, project: str | None = None, ahead: int = 0
) -> Repeat | None:
    """The set to ask again now (or `ahead` verdicts from now), if any: one left open, else one drawn.

    One in 1/`share` verdicts is followed by a repeat, at a place in each stretch that the seed gives; the set is one
    of those judged at least `BETWEEN` verdicts ago, seen by the person, whole, and never repeated.
    """
    if share <= 0:
        return None
    found = _left_open(connection, actor, project)
    if found is not None:
        return found
    had = connection.execute(sa.select(sa.func.count()).where(*_given_by(actor))).scalar_one()
    count, stretch = had + ahead, max(2, round(1 / share))
    place = _lot(seed, actor, count // stretch) % stretch
    if count % stretch != place or had <= BETWEEN or (not ahead and _has_just_been(connection, actor)):
        return None
    given = _given(connection, actor)
    asked = set(connection.execute(sa.select(repeats.c.original_id).where(repeats.c.actor == actor)).scalars())
    old = given[: len(given) + min(ahead, 1) - BETWEEN]
    wanted = sorted((one for one in old if one[0] not in asked), key=lambda one: _lot(seed, actor, one[0]))
    if project is not None:
        within = set(connection.execute(sa.select(sets.c.id).where(sets.c.project_id == _project(project))).scalars())
        wanted = [one for one in wanted if one[1] in within]
    for original_id, set_pk in wanted[:_TRIED]:
        if _is_whole(connection, original_id, set_pk):
            return Repeat(set_pk, original_id)
    return None


def ask(connection: sa.Connection, actor: str, repeat: Repeat, now: str) -> None:
    """Note that the set is asked again, so that its next verdict is known for a repeat; twice changes nothing."""
    known = sa.select(repeats.c.id).where(repeats.c.original_id == repeat.original_id)
    if connection.execute(known).scalar() is None:
        row = {"actor": actor, "set_pk": repeat.set_pk, "original_id": repeat.original_id, "asked_at": now}
        connection.execute(sa.insert(repeats).values(row))


def is_open(connection: sa.Connection, actor: str, set_pk: int) -> Repeat | None:
    """The repeat of this set that waits for its answer."""
    return next((one for one in _open(connection, actor, repeats.c.set_pk == set_pk)), None)


def answer(connection: sa.Connection, repeat: Repeat, decision_id: int) -> None:
    """Tie the answer to what was asked, in the transaction that records it."""
    mine = repeats.c.original_id == repeat.original_id
    connection.execute(sa.update(repeats).where(mine).values(decision_id=decision_id))


def _left_open(connection: sa.Connection, actor: str, project: str | None) -> Repeat | None:
    where: sa.ColumnElement[bool] = sa.true()
    if project is not None:
        where = repeats.c.set_pk.in_(sa.select(sets.c.id).where(sets.c.project_id == _project(project)))
    for one in _open(connection, actor, where):
        if _is_whole(connection, one.original_id, one.set_pk):
            return one
    return None


def _open(connection: sa.Connection, actor: str, where: sa.ColumnElement[bool]) -> list[Repeat]:
    """Repeats without an answer, or with one taken back, whose first verdict is still in force."""
    undone, newer = decisions.alias("undone"), decisions.alias("newer")
    query = (
        sa.select(repeats.c.set_pk, repeats.c.original_id)
        .where(
            repeats.c.actor == actor,
            where,
            repeats.c.decision_id.is_(None) | sa.exists().where(undone.c.undoes == repeats.c.decision_id),
            ~sa.exists().where(newer.c.supersedes == repeats.c.original_id),
        )
        .order_by(repeats.c.id)
    )
    return [Repeat(row.set_pk, row.original_id) for row in connection.execute(query)]


def _given(connection: sa.Connection, actor: str) -> list[tuple[int, int]]:
    """(decision, set) of every verdict in force that the actor gave with the set before them, oldest first."""
    query = sa.select(decisions.c.id, decisions.c.subject).where(*_given_by(actor)).order_by(decisions.c.id)
    return [(row.id, catalogue.set_of(row.subject)) for row in connection.execute(query)]


def _given_by(actor: str) -> list[sa.ColumnElement[bool]]:
    newer = decisions.alias("newer")
    return [
        decisions.c.kind == KIND,
        decisions.c.actor == actor,
        decisions.c.verdict.in_(_GIVEN),
        decisions.c.group_id.is_(None),
        ~sa.exists().where(newer.c.supersedes == decisions.c.id),
    ]


def _has_just_been(connection: sa.Connection, actor: str) -> bool:
    """Whether the newest decision of the actor is itself a repeat: two never follow one another."""
    query = (
        sa.select(decisions.c.kind)
        .where(decisions.c.actor == actor, decisions.c.kind.in_([KIND, REPEAT]))
        .order_by(decisions.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).scalar() == REPEAT


def _is_whole(connection: sa.Connection, original_id: int, set_pk: int) -> bool:
    """Whether the set still is what was judged: the same images, all of them there."""
    row = connection.execute(sa.select(decisions.c.value).where(decisions.c.id == original_id)).one()
    found = catalogue.image_sets(connection, [set_pk]).get(set_pk)
    return found is not None and set(found.image_ids) == _judged(row.value)


def _judged(value: Mapping[str, Any]) -> set[int]:
    winner = [int(value["image"])] if value.get("image") is not None else []
    return {*winner, *(int(one) for one in value.get("losers", ()))}


def _says_the_same(row: Any) -> bool:
    if Verdict.REJECTED in (row.verdict, row.was):
        return bool(row.verdict == row.was)
    return bool(row.value.get("image") == row.had.get("image"))


def _lot(seed: int, actor: str, number: int) -> int:
    """A number that looks drawn, and is the same each time."""
    told = f"{seed}:{actor}:{number}".encode()
    return int.from_bytes(hashlib.blake2b(told, digest_size=8).digest(), "big")


def _project(name: str) -> Any:
    return sa.select(projects.c.id).where(projects.c.key == name.casefold()).scalar_subquery()
