"""Reading sessions from a JSON Lines file: good lines recorded, bad ones refused by line with the reason.

Relies on the store and on `sessions` for what a value may be. Importing a file again records nothing twice: a line is
known by its content, and the n-th of equal lines by its number among them. Sessions from before this workspace began
belong to the epoch in force now; later ones to the epoch of their time.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso, parse_iso
from engine.errors import ProofsheetError, UsageError
from engine.experiments import assignment, catalogue
from engine.experiments.model import Epoch, Variant
from engine.experiments.sessions import (
    check_duration,
    check_rating,
    check_user,
    count_corrections,
    day_of,
    new_session_id,
)
from engine.store import Store, upsert
from engine.store.schema.experiments import assignments, exposures, feedback, resize_sessions, session_documents

MAX_LINE_BYTES = 4_000_000
LINES_AT_ONCE = 5_000
MAX_SIDE = 100_000  # pixels
_AHEAD = timedelta(minutes=5)  # how far another machine's clock may be ahead


@dataclass(frozen=True)
class RefusedLine:
    """A line that was not taken, and why."""

    line: int
    reason: str


@dataclass(frozen=True)
class SessionImport:
    """What an import did: sessions recorded now, known already, and refused."""

    file: str
    new: int
    known: int
    refused: tuple[RefusedLine, ...]

    def document(self) -> dict[str, Any]:
        """As `sessions import --json` prints it."""
        return asdict(self)


@dataclass(frozen=True)
class _Line:
    """A good line. `key` tells it from every other."""

    key: str
    user: str
    variant: str
    rating: int | None
    helpful: bool | None
    processing_ms: float | None
    corrections: Any
    created_at: datetime | None
    canvas: Mapping[str, Any] | None
    target: tuple[float, float] | None


class _Refused(Exception):
    """Why a line cannot be taken."""


def import_file(store: Store, file: Path, clock: Clock) -> SessionImport:
    """Import a file of sessions. Raises UsageError when it cannot be read."""
    with store.reading() as connection:
        known = {one.id: one for one in catalogue.all_variants(connection)}
        epochs = catalogue.all_epochs(connection)
    now = clock()
    refused: list[RefusedLine] = []
    seen: Counter[str] = Counter()
    new, total = 0, 0
    held: list[_Line] = []

    def record() -> int:
        with store.writing(durable=True) as connection:
            return _record(connection, held, known, epochs, now)

    try:
        with file.open("rb") as source:
            for number, data in _lines(source):
                try:
                    held.append(_parse(data, known, now, seen))
                except _Refused as reason:
                    refused.append(RefusedLine(number, str(reason)))
                except ProofsheetError as problem:
                    refused.append(RefusedLine(number, problem.message))
                if len(held) >= LINES_AT_ONCE:
                    new, total = new + record(), total + len(held)
                    held.clear()
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
    new, total = new + record(), total + len(held)
    return SessionImport(str(file), new, total - new, tuple(refused))


def chunks(keys: Sequence[int], size: int = 5_000) -> Iterator[Sequence[int]]:
    """The keys in lists small enough to bind as parameters of one statement."""
    for begin in range(0, len(keys), size):
        yield keys[begin : begin + size]


def _lines(source: Any) -> Iterator[tuple[int, bytes | None]]:
    """(number, content) of each line that is not blank; None for one that is too long, which is never held whole."""
    number = 0
    while data := source.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(data) > MAX_LINE_BYTES and not data.endswith(b"\n"):
            while (rest := source.readline(MAX_LINE_BYTES)) and not rest.endswith(b"\n"):
                pass
            yield number, None
        elif data.strip():
            yield number, data.removeprefix(b"\xef\xbb\xbf") if number == 1 else data


def _parse(data: bytes | None, known: Mapping[str, Variant], now: datetime, seen: Counter[str]) -> _Line:
    """Raises _Refused or ProofsheetError with the reason."""
    if data is None:
        raise _Refused(f"longer than {MAX_LINE_BYTES:,} bytes")
    try:
        row = json.loads(data.decode("utf-8"), parse_constant=_no_constant, object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise _Refused(f"not UTF-8 at byte {error.start + 1}") from error
    except RecursionError as error:
        raise _Refused("nested too deeply") from error
    except ValueError as error:
        raise _Refused(f"not JSON: {error}") from error
    if not isinstance(row, dict):
        raise _Refused("not a JSON object")
    user = check_user(row.get("user"))
    variant = row.get("variant")
    if not isinstance(variant, str) or not variant:
        raise _Refused("the variant is missing or is no text")
    if variant not in known:
        raise _Refused(f"unknown variant {variant[:80]!r}; there are: {', '.join(known)}")
    helpful = row.get("helpful")
    if helpful is not None and not isinstance(helpful, bool):
        raise _Refused("'helpful' is neither true nor false")
    count_corrections(row.get("corrections"))
    canvas = row.get("canvas")
    if canvas is not None and not isinstance(canvas, dict):
        raise _Refused("the canvas is no object")
    content = hashlib.sha256(json.dumps(row, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    line = _Line(
        key=f"{content}:{seen[content]}",
        user=user,
        variant=variant,
        rating=check_rating(row.get("rating")),
        helpful=helpful,
        processing_ms=check_duration(row.get("processing_ms")),
        corrections=row.get("corrections"),
        created_at=_moment(row.get("created_at"), now),
        canvas=canvas,
        target=_target(row.get("target")),
    )
    seen[content] += 1
    return line


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no number in JSON")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise ValueError(f"the key {twice[:80]!r} stands there twice")
    for value in found.values():
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            raise ValueError("a number is too large")
    return found


def _moment(text: object, now: datetime) -> datetime | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise _Refused("'created_at' is no text")
    try:
        moment = parse_iso(text)
    except (ValueError, OverflowError) as error:
        raise _Refused(f"'created_at' is no ISO 8601 time: {text[:40]!r}") from error
    if moment > now + _AHEAD:
        raise _Refused(f"'created_at' lies in the future: {text[:40]}")
    return moment


def _target(value: object) -> tuple[float, float] | None:
    """A size from {"width", "height"}, [width, height] or "1080x1920"."""
    if value is None:
        return None
    sides: list[Any] = []
    if isinstance(value, dict):
        sides = [value.get("width"), value.get("height")]
    elif isinstance(value, list):
        sides = list(value)
    elif isinstance(value, str):
        sides = [int(one) if one.isascii() and one.isdigit() and len(one) < 10 else None for one in value.split("x")]
    if len(sides) != 2 or not all(
        isinstance(one, (int, float)) and not isinstance(one, bool) and 0 < one <= MAX_SIDE for one in sides
    ):
        raise _Refused('the target is no size; write {"width": 1080, "height": 1920}')
    return float(sides[0]), float(sides[1])


def _record(
    connection: sa.Connection,
    lines: Sequence[_Line],
    known: Mapping[str, Variant],
    epochs: Sequence[Epoch],
    now: datetime,
) -> int:
    """Record the lines that are not there yet; how many there were."""
    there = catalogue.keys_of(
        connection, resize_sessions.c.import_key, resize_sessions.c.pk, [one.key for one in lines]
    )
    fresh = [one for one in lines if one.key not in there]
    if not fresh:
        return 0
    stamp = iso(now)
    users = assignment.join(connection, [one.user for one in fresh], stamp)
    begins = [epoch.started_at for epoch in epochs]
    rows, shown, ids = [], [], {}
    held = {
        row.participant_pk: row._asdict()
        for some in chunks(list(users.values()))
        for row in connection.execute(sa.select(assignments).where(assignments.c.participant_pk.in_(some)))
    }
    first: list[dict[str, Any]] = []
    for one in fresh:
        moment = one.created_at or now
        created = iso(moment)
        place = bisect_right(begins, created) - 1
        epoch = epochs[place] if place >= 0 else epochs[-1]
        shares = dict(epoch.arms)
        variant, user = known[one.variant].pk, users[one.user]
        is_sticky = user in held
        if not is_sticky:
            held[user] = {
                "participant_pk": user,
                "bucket_version": epoch.bucket_version,
                "variant_pk": variant,
                "epoch_id": epoch.id,
                "bucket": None,
                "probability": shares.get(one.variant),
                "assigned_at": created,
            }
            first.append(held[user])
        is_own = held[user]["variant_pk"] == variant
        ids[one.key] = new_session_id()
        width, height = one.target or (None, None)
        common = {
            "participant_pk": user,
            "variant_pk": variant,
            "epoch_id": epoch.id,
            "assigned_epoch_id": held[user]["epoch_id"] if is_own else epoch.id,
            "probability": shares.get(one.variant),
        }
        rows.append(
            {
                **common,
                "id": ids[one.key],
                "source": "import",
                "target_width": width,
                "target_height": height,
                "processing_ms": one.processing_ms,
                "corrections": count_corrections(one.corrections),
                "state": "done",
                "rating": one.rating,
                "helpful": one.helpful,
                "import_key": one.key,
                "day": day_of(moment),
                "created_at": created,
                "updated_at": stamp,
            }
        )
        shown.append(
            {
                **common,
                "seed": epoch.seed,
                "hash_version": epoch.hash_version,
                "bucket_version": epoch.bucket_version,
                "bucket": None,
                "is_sticky": is_sticky,
                "at": created,
            }
        )
    upsert(connection, assignments, first, key=("participant_pk", "bucket_version"))
    connection.execute(sa.insert(exposures), shown)
    connection.execute(sa.insert(resize_sessions), rows)
    pks = catalogue.keys_of(connection, resize_sessions.c.id, resize_sessions.c.pk, list(ids.values()))
    said = [
        {"session_pk": pks[ids[one.key]], "rating": one.rating, "helpful": one.helpful, "at": stamp}
        for one in fresh
        if one.rating is not None or one.helpful is not None
    ]
    wide = [
        {
            "session_pk": pks[ids[one.key]],
            "canvas": one.canvas,
            "corrections": one.corrections if isinstance(one.corrections, list | dict) else None,
        }
        for one in fresh
        if one.canvas is not None or isinstance(one.corrections, list | dict)
    ]
    if said:
        connection.execute(sa.insert(feedback), said)
    if wide:
        connection.execute(sa.insert(session_documents), wide)
    return len(fresh)
