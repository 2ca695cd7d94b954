"""Recording sessions and feedback, many at once: the bulk work that `commit` puts into one transaction.

Relies on the store and on `assignment`. Feedback is appended, never changed; the rating in force is copied to its
session. Values are checked here too, so that no face can record what an analysis could not read.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from engine.errors import ProofsheetError, UsageError
from engine.experiments import assignment, catalogue
from engine.experiments.model import (
    Conflict,
    FeedbackReceipt,
    NewFeedback,
    NewSession,
    SessionUpdate,
    StartedSession,
    UnknownSession,
)
from engine.store import upsert
from engine.store.schema.experiments import feedback, resize_sessions, session_documents

MAX_USER_ID = 500
MAX_TEXT = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def new_session_id() -> str:
    """An id that nobody can guess: 24 hexadecimal digits."""
    return secrets.token_hex(12)


def hash_token(token: str) -> str:
    """What is kept of a token: its SHA-256; a token has 192 bits of chance, so no salt is needed."""
    return hashlib.sha256(token.encode()).hexdigest()


def day_of(moment: datetime) -> int:
    """Days since 1970-01-01 UTC."""
    return (moment - _EPOCH).days


def check_user(user_id: object) -> str:
    """A user's id. Raises UsageError for what is none: empty, too long, not text, not encodable as UTF-8."""
    if not isinstance(user_id, str) or not user_id.strip():
        raise UsageError("the user is missing or is no text")
    if len(user_id) > MAX_USER_ID:
        raise UsageError(f"the user's id is longer than {MAX_USER_ID} characters")
    try:
        user_id.encode()
    except UnicodeEncodeError as error:
        raise UsageError("the user's id is no valid Unicode text") from error
    return user_id


def check_rating(rating: object) -> int | None:
    """A rating of 1 to 5 stars, or None. Raises UsageError."""
    if rating is None:
        return None
    is_whole = isinstance(rating, (int, float)) and not isinstance(rating, bool) and rating in (1, 2, 3, 4, 5)
    if not is_whole:
        raise UsageError(f"a rating of {_short(rating)} is not 1, 2, 3, 4 or 5")
    return int(rating)  # type: ignore[call-overload, no-any-return]


def check_duration(value: object) -> float | None:
    """A duration in milliseconds, or None. Raises UsageError for what is negative, endless or no number."""
    if value is None:
        return None
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or value < 0:  # type: ignore[arg-type, operator]
        raise UsageError(f"a processing time of {_short(value)} is no duration in milliseconds")
    return float(value)  # type: ignore[arg-type]


def count_corrections(corrections: object) -> int | None:
    """How many corrections a diff holds: the length of a list, the sum of a mapping's lists, or the number itself.

    Raises UsageError for anything else.
    """
    if corrections is None:
        return None
    if isinstance(corrections, int) and not isinstance(corrections, bool) and 0 <= corrections < 2**31:
        return corrections
    if isinstance(corrections, list | tuple):
        return len(corrections)
    if isinstance(corrections, dict):
        return sum(len(value) if isinstance(value, list | dict) else 1 for value in corrections.values())
    raise UsageError(f"corrections of {_short(corrections)} are neither a list, an object nor a count")


def start(
    connection: sa.Connection, items: Sequence[tuple[NewSession, str]], now: datetime
) -> list[StartedSession | ProofsheetError]:
    """Assign a variant to each user and record exposure and session. Items come with the token to be given out."""
    from engine.clock import iso

    stamp = iso(now)
    known = assignment.known(connection)
    users = [new.user_id for new, _ in items]
    keys = assignment.join(connection, users, stamp)
    assigned = assignment.assign(connection, known, users, keys, stamp)
    assignment.expose(connection, known, assigned, keys, stamp)
    ids = [new_session_id() for _ in items]
    rows = []
    for (new, token), one, session_id in zip(items, assigned, ids, strict=True):
        width, height = new.target or (None, None)
        rows.append(
            {
                "id": session_id,
                "token_hash": hash_token(token),
                "participant_pk": keys[new.user_id],
                "variant_pk": known.by_id[one.variant_id].pk,
                "epoch_id": one.epoch_id,
                "assigned_epoch_id": one.assigned_epoch_id,
                "probability": one.probability,
                "project": new.project,
                "source": new.source,
                "target_width": width,
                "target_height": height,
                "state": "open",
                "day": day_of(now),
                "created_at": stamp,
                "updated_at": stamp,
            }
        )
    connection.execute(sa.insert(resize_sessions), rows)
    wide = [
        {"id": session_id, "canvas": new.canvas, "features": new.features}
        for (new, _), session_id in zip(items, ids, strict=True)
        if new.canvas is not None or new.features is not None
    ]
    pks = catalogue.keys_of(connection, resize_sessions.c.id, resize_sessions.c.pk, [one["id"] for one in wide])
    if wide:
        documents = [
            {"session_pk": pks[one["id"]], "canvas": one["canvas"], "features": one["features"]} for one in wide
        ]
        connection.execute(sa.insert(session_documents), documents)
    return [
        StartedSession(session_id, token, one, known.by_id[one.variant_id], stamp)
        for (_, token), one, session_id in zip(items, assigned, ids, strict=True)
    ]


def update(connection: sa.Connection, items: Sequence[SessionUpdate], now: datetime) -> list[str | ProofsheetError]:
    """Record what became of sessions; the id of each, or why not."""
    from engine.clock import iso

    pks = catalogue.keys_of(connection, resize_sessions.c.id, resize_sessions.c.pk, [one.session_id for one in items])
    outcomes: list[str | ProofsheetError] = []
    for one in items:
        pk = pks.get(one.session_id)
        if pk is None:
            outcomes.append(UnknownSession(f"there is no session '{one.session_id}'"))
            continue
        values: dict[str, Any] = {
            name: value
            for name, value in (
                ("processing_ms", one.processing_ms),
                ("state", one.state or ("done" if one.result is not None else None)),
                ("solver", one.solver),
                ("error", one.error),
            )
            if value is not None
        }
        if one.corrections is not None or one.corrections_count is not None:
            counted = one.corrections_count
            values["corrections"] = count_corrections(one.corrections) if counted is None else counted
        connection.execute(
            sa.update(resize_sessions).where(resize_sessions.c.pk == pk).values(updated_at=iso(now), **values)
        )
        wide = {
            name: value
            for name, value in (("result", one.result), ("corrections", one.corrections))
            if value is not None
        }
        if wide:
            row = {"session_pk": pk, **wide}
            upsert(connection, session_documents, [row], key=("session_pk",), update=tuple(wide))
        outcomes.append(one.session_id)
    return outcomes


def give(
    connection: sa.Connection, items: Sequence[NewFeedback], now: datetime
) -> list[FeedbackReceipt | ProofsheetError]:
    """Append feedback and put it in force; a receipt each, or why not."""
    from engine.clock import iso

    stamp = iso(now)
    pks = catalogue.keys_of(connection, resize_sessions.c.id, resize_sessions.c.pk, [one.session_id for one in items])
    outcomes: list[FeedbackReceipt | ProofsheetError] = []
    for one in items:
        pk = pks.get(one.session_id)
        if pk is None:
            outcomes.append(UnknownSession(f"there is no session '{one.session_id}'"))
            continue
        before = None
        if one.idempotency_key is not None:
            before = connection.execute(
                sa.select(feedback).where(
                    feedback.c.session_pk == pk, feedback.c.idempotency_key == one.idempotency_key
                )
            ).one_or_none()
        if before is not None:
            is_same = (before.rating, before.helpful, before.text) == (one.rating, one.helpful, one.text)
            outcomes.append(
                FeedbackReceipt(before.id, one.session_id, True, before.at)
                if is_same
                else Conflict(
                    f"the idempotency key '{one.idempotency_key}' came before with other feedback",
                    remedy="Send another key for other feedback.",
                )
            )
            continue
        said = {"rating": one.rating, "helpful": one.helpful}
        made = connection.execute(
            sa.insert(feedback).values(
                session_pk=pk, text=one.text, idempotency_key=one.idempotency_key, at=stamp, **said
            )
        )
        connection.execute(
            sa.update(resize_sessions).where(resize_sessions.c.pk == pk).values(updated_at=stamp, **said)
        )
        key = made.inserted_primary_key
        outcomes.append(FeedbackReceipt(int(key[0]) if key else 0, one.session_id, False, stamp))
    return outcomes


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."
