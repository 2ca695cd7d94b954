"""Variants, epochs, sessions and feedback as the store holds them. Each function reads inside the caller's transaction.

Relies on the store. The current epoch is the newest; a variant's weight is its share in that epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from engine.errors import UsageError
from engine.experiments.model import (
    Epoch,
    Feedback,
    Session,
    SessionDetail,
    UnknownSession,
    Variant,
    VariantEvent,
)
from engine.review import Suggestion
from engine.store.schema import decisions, suggestions
from engine.store.schema.experiments import (
    epochs,
    feedback,
    participants,
    resize_sessions,
    session_documents,
    variant_events,
    variants,
)


def has_begun(connection: sa.Connection) -> bool:
    """Whether there is an epoch: none means that this workspace has never looked at its experiments."""
    return connection.execute(sa.select(epochs.c.id).limit(1)).first() is not None


def current_epoch(connection: sa.Connection) -> Epoch:
    """The epoch in force."""
    return _epoch(connection.execute(sa.select(epochs).order_by(epochs.c.id.desc()).limit(1)).one())


def epoch(connection: sa.Connection, epoch_id: int) -> Epoch:
    """One epoch by its id."""
    return _epoch(connection.execute(sa.select(epochs).where(epochs.c.id == epoch_id)).one())


def all_epochs(connection: sa.Connection) -> list[Epoch]:
    """Every epoch, oldest first."""
    return [_epoch(row) for row in connection.execute(sa.select(epochs).order_by(epochs.c.id))]


def all_variants(connection: sa.Connection) -> list[Variant]:
    """Every variant in the order they were added, with its weight now."""
    weights = dict(current_epoch(connection).arms)
    parent = variants.alias("parent")
    query = sa.select(variants, parent.c.id.label("parent_id")).outerjoin(parent, parent.c.pk == variants.c.parent_pk)
    return [_variant(row, weights.get(row.id, 0.0)) for row in connection.execute(query.order_by(variants.c.pk))]


def variant(connection: sa.Connection, variant_id: str) -> Variant:
    """One variant. Raises UsageError for an unknown id."""
    known = all_variants(connection)
    for one in known:
        if one.id == variant_id:
            return one
    raise UsageError(f"there is no variant '{variant_id}'", remedy=f"There are: {', '.join(one.id for one in known)}.")


def events(connection: sa.Connection, variant_id: str | None = None) -> list[VariantEvent]:
    """What was done to the variants, newest first; of one when named."""
    query = sa.select(variant_events, variants.c.id.label("variant_id")).outerjoin(
        variants, variants.c.pk == variant_events.c.variant_pk
    )
    if variant_id is not None:
        query = query.where(variants.c.id == variant_id)
    return [
        VariantEvent(row.id, row.variant_id, row.action, row.value, row.actor, row.why, row.at)
        for row in connection.execute(query.order_by(variant_events.c.id.desc()))
    ]


_SESSION = (
    sa.select(resize_sessions, participants.c.user_id, variants.c.id.label("variant_id"))
    .join(participants, participants.c.pk == resize_sessions.c.participant_pk)
    .join(variants, variants.c.pk == resize_sessions.c.variant_pk)
)


def sessions(
    connection: sa.Connection,
    *,
    limit: int,
    variant_id: str | None = None,
    user_id: str | None = None,
    rated: bool | None = None,
    before: str | None = None,
) -> list[Session]:
    """The newest sessions first; `before` is the id of a session, and those older than it come."""
    query = _SESSION
    if variant_id is not None:
        query = query.where(variants.c.id == variant_id)
    if user_id is not None:
        query = query.where(participants.c.user_id == user_id)
    if rated is not None:
        query = query.where(resize_sessions.c.rating.is_not(None) if rated else resize_sessions.c.rating.is_(None))
    if before is not None:
        query = query.where(resize_sessions.c.pk < session_pk(connection, before))
    return [_session(row) for row in connection.execute(query.order_by(resize_sessions.c.pk.desc()).limit(limit))]


def session_pk(connection: sa.Connection, session_id: str) -> int:
    """The internal key of a session. Raises UnknownSession."""
    found = connection.execute(sa.select(resize_sessions.c.pk).where(resize_sessions.c.id == session_id)).scalar()
    if found is None:
        raise UnknownSession(f"there is no session '{session_id}'", remedy="`proofsheet sessions list` shows them.")
    return int(found)


def session_detail(connection: sa.Connection, session_id: str) -> SessionDetail:
    """One session with its documents and feedback. Raises UnknownSession."""
    pk = session_pk(connection, session_id)
    row = connection.execute(_SESSION.where(resize_sessions.c.pk == pk)).one()
    wide = connection.execute(sa.select(session_documents).where(session_documents.c.session_pk == pk)).one_or_none()
    said = connection.execute(sa.select(feedback).where(feedback.c.session_pk == pk).order_by(feedback.c.id))
    return SessionDetail(
        session=_session(row),
        canvas=wide.canvas if wide else None,
        result=wide.result if wide else None,
        corrections=wide.corrections if wide else None,
        features=wide.features if wide else None,
        feedback=tuple(Feedback(one.id, one.rating, one.helpful, one.text, one.at) for one in said),
    )


def pending(connection: sa.Connection, kind: str) -> list[Suggestion]:
    """Suggestions of a kind on which no decision stands, oldest first: one that was taken back waits again."""
    undone = decisions.alias("undone")
    decided = sa.exists().where(
        decisions.c.suggestion_id == suggestions.c.id,
        decisions.c.undoes.is_(None),
        ~sa.exists().where(undone.c.undoes == decisions.c.id),
    )
    query = sa.select(suggestions).where(suggestions.c.kind == kind, ~decided).order_by(suggestions.c.id)
    return [
        Suggestion(row.kind, row.subject, row.proposal, row.model, None, row.confidence, tuple(row.reasons), row.id)
        for row in connection.execute(query)
    ]


def token_hash(connection: sa.Connection, session_id: str) -> str | None:
    """The hash of a session's token; None for an unknown session, and for one that has none."""
    query = sa.select(resize_sessions.c.token_hash).where(resize_sessions.c.id == session_id)
    return connection.execute(query).scalar()


def keys_of(
    connection: sa.Connection, column: sa.Column[Any], pk: sa.Column[Any], values: Sequence[Any]
) -> dict[Any, int]:
    """Of each value that is there: the internal key of its row."""
    found: dict[Any, int] = {}
    wanted = list(dict.fromkeys(values))
    for begin in range(0, len(wanted), 5_000):
        some = wanted[begin : begin + 5_000]
        found.update((row[0], row[1]) for row in connection.execute(sa.select(column, pk).where(column.in_(some))))
    return found


def _epoch(row: Any) -> Epoch:
    return Epoch(
        id=row.id,
        started_at=row.started_at,
        arms=tuple((str(one), float(weight)) for one, weight in row.arms),
        coverage=row.coverage,
        seed=row.seed,
        hash_version=row.hash_version,
        bucket_version=row.bucket_version,
        metric=row.metric,
        is_adaptive=bool(row.is_adaptive),
        allocation_id=row.allocation_id,
        actor=row.actor,
        why=row.why,
    )


def _variant(row: Any, weight: float) -> Variant:
    return Variant(
        pk=row.pk,
        id=row.id,
        content_hash=row.content_hash,
        title=row.title,
        template=row.template,
        placeholders=tuple(row.placeholders),
        source=row.source,
        parent=row.parent_id,
        is_active=bool(row.is_active),
        weight=weight,
        created_at=row.created_at,
    )


def _session(row: Any) -> Session:
    has_target = row.target_width is not None and row.target_height is not None
    return Session(
        id=row.id,
        user_id=row.user_id,
        project=row.project,
        variant_id=row.variant_id,
        epoch_id=row.epoch_id,
        source=row.source,
        target=(row.target_width, row.target_height) if has_target else None,
        processing_ms=row.processing_ms,
        corrections=row.corrections,
        state=row.state,
        solver=row.solver,
        error=row.error,
        rating=row.rating,
        helpful=None if row.helpful is None else bool(row.helpful),
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
