"""Rated sessions as material for learning: features, what should have come out, how good it was.

Relies on the store, on `canvas_features` for the numbers and on `quality` for the score. Derived rows only; sessions
are never changed. Whether a person validated an example is a decision of kind 'training-example' on the session.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from engine.errors import ProofsheetError
from engine.experiments.model import KIND_EXAMPLE
from engine.experiments.quality import opinions_of, shrunken, variant_means
from engine.review import Verdict
from engine.review.review import standing_decisions
from engine.store import upsert
from engine.store.schema.experiments import (
    participants,
    resize_sessions,
    session_documents,
    training_examples,
    variants,
)


@dataclass(frozen=True)
class Rated:
    """A rated session with its canvas in numbers. `probability` is that of its variant when it was assigned."""

    pk: int
    id: str
    user: str
    variant: str
    rating: int
    helpful: bool | None
    probability: float | None
    day: int
    created_at: str
    features: Mapping[str, float]
    result: Mapping[str, Any] | None
    corrections: Any


@dataclass(frozen=True)
class Example:
    """A training example. `is_validated`: approved, rejected (False), or not looked at (None)."""

    session_id: str
    features: Mapping[str, float]
    expected: Mapping[str, Any]
    quality: float
    quality_low: float
    quality_high: float
    is_validated: bool | None


def rated_sessions(connection: sa.Connection, since_day: int | None, refuse: Callable[[str, str], None]) -> list[Rated]:
    """Rated sessions that have a canvas, oldest first; those whose canvas cannot be read are refused."""
    from engine.experiments.canvas_features import features_of

    columns = resize_sessions.c
    query = (
        sa.select(resize_sessions, participants.c.user_id, variants.c.id.label("variant_id"), session_documents)
        .join(participants, participants.c.pk == columns.participant_pk)
        .join(variants, variants.c.pk == columns.variant_pk)
        .join(session_documents, session_documents.c.session_pk == columns.pk)
        .where(columns.rating.is_not(None), session_documents.c.canvas.is_not(None))
        .order_by(columns.created_at, columns.pk)
    )
    if since_day is not None:
        query = query.where(columns.day >= since_day)
    found = []
    for row in connection.execute(query).mappings():
        target = (row["target_width"], row["target_height"])
        features = row["features"]
        try:
            if features is None:
                features = features_of(row["canvas"], None if None in target else target)
        except ProofsheetError as problem:
            refuse(row["id"], problem.message)
            continue
        found.append(
            Rated(
                pk=row["pk"],
                id=row["id"],
                user=row["user_id"],
                variant=row["variant_id"],
                rating=row["rating"],
                helpful=row["helpful"],
                probability=row["probability"],
                day=row["day"],
                created_at=row["created_at"],
                features={name: float(value) for name, value in features.items()},
                result=row["result"],
                corrections=row[session_documents.c.corrections],
            )
        )
    return found


def derive(connection: sa.Connection, rated: Sequence[Rated], min_rating: int, now: str) -> int:
    """Bring the training examples up to date: sessions with a result and at least `min_rating` stars; how many.

    What falls short of it now (it was rated anew, or the minimum was lower before) is none any more, unless a person
    validated it.
    """
    means = variant_means(connection)
    pks = {row.id: row.pk for row in connection.execute(sa.select(variants.c.id, variants.c.pk))}
    rows = []
    for one in rated:
        if one.rating < min_rating or one.result is None:
            continue
        score = shrunken(opinions_of(one.rating, one.helpful), means[pks[one.variant]])
        rows.append(
            {
                "session_pk": one.pk,
                "features": dict(one.features),
                "expected": corrected(one.result, one.corrections),
                "quality": score.score,
                "quality_low": score.low,
                "quality_high": score.high,
                "derived_at": now,
            }
        )
    changing = ("features", "expected", "quality", "quality_low", "quality_high", "derived_at")
    upsert(connection, training_examples, rows, key=("session_pk",), update=changing)
    kept = {row["session_pk"] for row in rows}
    validated = {
        one.subject
        for one in standing_decisions(connection, KIND_EXAMPLE, None)
        if one.verdict in (Verdict.APPROVED, Verdict.MODIFIED)
    }
    gone = [{"gone": one.pk} for one in rated if one.pk not in kept and one.id not in validated]
    if gone:
        connection.execute(
            sa.delete(training_examples).where(training_examples.c.session_pk == sa.bindparam("gone")), gone
        )
    return len(rows)


def corrected(result: Mapping[str, Any], corrections: Any) -> dict[str, Any]:
    """The result as the person left it: changed fields set, removed objects gone. What cannot be placed is left out.

    Objects are named by id, else by type and place ('text#2'), as `canvas.differences` names them.
    """
    document = deepcopy(dict(result))
    objects = document.get("objects")
    if not isinstance(objects, list) or not isinstance(corrections, list):
        return document
    named: dict[str, dict[str, Any]] = {}
    for place, one in enumerate(objects):
        if isinstance(one, dict):
            named.setdefault(str(one.get("id") or f"{str(one.get('type', '')).lower()}#{place}"), one)
    gone = set()
    for change in corrections:
        if not isinstance(change, dict) or not isinstance(change.get("object"), str):
            continue
        key = change["object"]
        if change.get("op") == "removed":
            gone.add(key)
        elif change.get("op") == "changed" and key in named and isinstance(change.get("field"), str):
            named[key][change["field"]] = change.get("after")
    removed = [named[key] for key in gone if key in named]
    document["objects"] = [one for one in objects if not any(one is other for other in removed)]
    return document


def examples(connection: sa.Connection, limit: int) -> list[Example]:
    """The newest examples first, with whether each was validated."""
    verdicts = {one.subject: one.verdict for one in standing_decisions(connection, KIND_EXAMPLE, None)}
    query = (
        sa.select(training_examples, resize_sessions.c.id.label("session_id"))
        .join(resize_sessions, resize_sessions.c.pk == training_examples.c.session_pk)
        .order_by(training_examples.c.session_pk.desc())
        .limit(limit)
    )
    said = {Verdict.APPROVED: True, Verdict.MODIFIED: True, Verdict.REJECTED: False}
    return [
        Example(
            row.session_id,
            row.features,
            row.expected,
            row.quality,
            row.quality_low,
            row.quality_high,
            said.get(verdicts[row.session_id]) if row.session_id in verdicts else None,
        )
        for row in connection.execute(query)
    ]
