"""Importing sessions: bad lines by number, the rest taken, and nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from engine.errors import UsageError
from engine.experiments import Experiments, NewSession
from tests.engine.experiments.conftest import Clock

Write = Callable[[Iterable[Mapping[str, Any] | str | bytes]], Path]
GOOD = {"user": "ada", "variant": "original"}


async def test_every_field_arrives(room: Experiments, jsonl: Write) -> None:
    row = GOOD | {
        "rating": 4,
        "helpful": True,
        "processing_ms": 1200.5,
        "corrections": [{"op": "removed", "object": "a"}, {"op": "removed", "object": "b"}],
        "created_at": "2026-02-03T04:05:06+02:00",
        "canvas": {"width": 10, "height": 10, "objects": []},
        "target": {"width": 1080, "height": 1920},
    }
    found = await room.import_sessions(jsonl([row]))
    assert (found.new, found.known, found.refused) == (1, 0, ())
    one = (await room.sessions())[0]
    assert (one.rating, one.helpful, one.processing_ms, one.corrections) == (4, True, 1200.5, 2)
    assert (one.target, one.created_at, one.source) == ((1080, 1920), "2026-02-03T02:05:06.000000Z", "import")
    detail = await room.session(one.id)
    assert (detail.canvas, len(detail.corrections), detail.feedback[0].rating) == (row["canvas"], 2, 4)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (GOOD | {"rating": 6}, "a rating of 6"),
        (GOOD | {"rating": 0}, "a rating of 0"),
        (GOOD | {"rating": 3.5}, "a rating of 3.5"),
        (GOOD | {"rating": "4"}, "a rating of '4'"),
        (GOOD | {"variant": "nobody"}, "unknown variant 'nobody'"),
        ({"user": "ada"}, "variant is missing"),
        ({"variant": "original"}, "user is missing"),
        (GOOD | {"user": ""}, "user is missing"),
        (GOOD | {"user": 7}, "user is missing or is no text"),
        (GOOD | {"helpful": "yes"}, "neither true nor false"),
        (GOOD | {"processing_ms": -1}, "no duration"),
        (GOOD | {"created_at": "2026-03-02T00:00:00Z"}, "lies in the future"),
        (GOOD | {"created_at": "yesterday"}, "no ISO 8601 time"),
        (GOOD | {"created_at": 5}, "is no text"),
        (GOOD | {"canvas": []}, "canvas is no object"),
        (GOOD | {"target": [0, 5]}, "target is no size"),
        (GOOD | {"target": "wide"}, "target is no size"),
        (GOOD | {"corrections": "many"}, "neither a list"),
        ('{"user": "ada", "variant": "original", "rating": NaN}', "NaN is no number"),
        ('{"user": "ada", "variant": "original", "processing_ms": 1e999}', "too large"),
        ('{"user": "ada", "user": "eve", "variant": "original"}', "'user' stands there twice"),
        ('{"user": "ada", "variant": "original"', "not JSON"),
        ('"ada"', "not a JSON object"),
        (b'{"user": "ad\xff", "variant": "original"}', "not UTF-8 at byte 13"),
        ('{"user": "\\ud800", "variant": "original"}', "no valid Unicode"),
        ("[" * 100_000, "nested too deeply"),
        (b'{"user": "' + b"x" * 4_100_000 + b'", "variant": "original"}', "longer than 4,000,000 bytes"),
    ],
)
async def test_a_bad_line_is_refused_with_its_number_and_the_rest_is_taken(
    room: Experiments, jsonl: Write, line: Any, reason: str
) -> None:
    found = await room.import_sessions(jsonl([GOOD | {"user": "first"}, "", line, GOOD | {"user": "last"}]))
    assert found.new == 2
    assert [one.line for one in found.refused] == [3]
    assert reason in found.refused[0].reason
    assert {one.user_id for one in await room.sessions()} == {"first", "last"}


async def test_importing_again_records_nothing_twice(room: Experiments, jsonl: Write) -> None:
    rows = [GOOD | {"rating": 4}, GOOD | {"rating": 4}, GOOD | {"rating": 5}]
    assert (await room.import_sessions(jsonl(rows))).new == 3  # equal lines are sessions of their own
    again = await room.import_sessions(jsonl(rows))
    assert (again.new, again.known) == (0, 3)
    more = await room.import_sessions(jsonl([*rows, GOOD | {"rating": 4}]))
    assert (more.new, more.known) == (1, 3)


async def test_a_file_without_sessions_and_one_that_is_not_there(room: Experiments, jsonl: Write) -> None:
    assert (await room.import_sessions(jsonl([]))).document()["new"] == 0
    with pytest.raises(UsageError, match="cannot be read"):
        await room.import_sessions(Path("/nowhere/sessions.jsonl"))


async def test_imported_users_keep_their_variant(room: Experiments, jsonl: Write) -> None:
    rows = [{"user": f"u{number}", "variant": "original"} for number in range(20)]
    await room.import_sessions(jsonl(rows))
    for number in range(20):
        made = await room.start_session(NewSession(f"u{number}", "http"))
        assert (made.variant.id, made.assignment.is_sticky) == ("original", True)
    replayed = await room.replay_assignments()
    assert (replayed.checked, replayed.imported, replayed.different) == (0, 40, ())


async def test_sessions_belong_to_the_epoch_of_their_time(room: Experiments, jsonl: Write, clock: Clock) -> None:
    await room.variants()  # the first epoch begins
    clock.forward(days=2)
    await room.set_weights({"original": 0.9, "enhanced-v1": 0.1})
    clock.forward(days=2)
    rows = [
        GOOD | {"user": "old", "created_at": "2020-01-01T00:00:00Z"},
        GOOD | {"user": "then", "created_at": "2026-03-02T00:00:00Z"},
        GOOD | {"user": "now"},
    ]
    await room.import_sessions(jsonl(rows))
    assert {one.user_id: one.epoch_id for one in await room.sessions()} == {"old": 2, "then": 1, "now": 2}
