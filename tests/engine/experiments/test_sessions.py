"""Sessions and feedback: durable, replaced but kept, and never twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.errors import UsageError
from engine.experiments import (
    Conflict,
    Experiments,
    NewFeedback,
    NewSession,
    SessionUpdate,
    UnknownSession,
)
from engine.experiments.quality import shrunken
from engine.store import Store
from engine.store.schema.experiments import exposures, feedback
from engine.workspace import Workspace
from tests.conftest import ROOT
from tests.engine.experiments.conftest import Clock

CANVAS = {"width": 100, "height": 50, "objects": [{"id": "t", "type": "textbox"}]}


async def test_a_session_from_beginning_to_rating(room: Experiments, clock: Clock) -> None:
    new = NewSession("ada", "http", project="shop", canvas=CANVAS, target=(50, 100), features={"texts": 1.0})
    made = await room.start_session(new)
    clock.forward(seconds=3)
    moved = [{"op": "changed", "object": "t", "field": "left", "before": 0, "after": 4}]
    await room.update_session(
        SessionUpdate(made.id, result={"objects": []}, processing_ms=2_500, corrections=moved, solver="builtin")
    )
    await room.give_feedback(NewFeedback(made.id, rating=4, helpful=True, text="good"))
    found = await room.session(made.id)
    one = found.session
    assert (one.user_id, one.project, one.target, one.state, one.solver) == (
        "ada",
        "shop",
        (50, 100),
        "done",
        "builtin",
    )
    assert (one.processing_ms, one.corrections, one.rating, one.helpful) == (2_500, 1, 4, True)
    assert (found.canvas, found.result, found.corrections, found.features) == (
        CANVAS,
        {"objects": []},
        moved,
        {"texts": 1.0},
    )
    assert one.created_at < one.updated_at


async def test_later_feedback_replaces_and_all_is_kept(room: Experiments) -> None:
    made = await room.start_session(NewSession("ada", "cli"))
    await room.give_feedback(NewFeedback(made.id, rating=2, text="crooked"))
    await room.give_feedback(NewFeedback(made.id, rating=5))
    found = await room.session(made.id)
    assert found.session.rating == 5
    assert [(one.rating, one.text) for one in found.feedback] == [(2, "crooked"), (5, None)]


async def test_the_same_key_again_records_nothing(room: Experiments, store: Store) -> None:
    made = await room.start_session(NewSession("ada", "http"))
    said = NewFeedback(made.id, rating=3, idempotency_key="k")
    first, again = await room.give_feedback(said), await room.give_feedback(said)
    assert (first.is_repeat, again.is_repeat, again.id, again.at) == (False, True, first.id, first.at)
    both = await asyncio.gather(
        *(room.give_feedback(NewFeedback(made.id, helpful=True, idempotency_key="m")) for _ in "ab")
    )
    assert sorted(one.is_repeat for one in both) == [False, True]
    with pytest.raises(Conflict, match="other feedback"):
        await room.give_feedback(NewFeedback(made.id, rating=4, idempotency_key="k"))
    with store.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(feedback)).scalar() == 2


@pytest.mark.parametrize("rating", [0, 6, -1, 3.5, float("nan"), True, "5"])
async def test_ratings_outside_one_to_five_are_refused(room: Experiments, rating: object) -> None:
    made = await room.start_session(NewSession("ada", "http"))
    with pytest.raises(UsageError, match="is not 1, 2, 3, 4 or 5"):
        await room.give_feedback(NewFeedback(made.id, rating=rating))  # type: ignore[arg-type]
    assert (await room.session(made.id)).feedback == ()


async def test_feedback_that_says_nothing_and_unknown_sessions_are_refused(room: Experiments) -> None:
    made = await room.start_session(NewSession("ada", "http"))
    with pytest.raises(UsageError, match="says nothing"):
        await room.give_feedback(NewFeedback(made.id))
    with pytest.raises(UnknownSession):
        await room.give_feedback(NewFeedback("nowhere", rating=3))
    with pytest.raises(UnknownSession):
        await room.update_session(SessionUpdate("nowhere", state="failed"))
    with pytest.raises(UnknownSession):
        await room.session("nowhere")


@pytest.mark.parametrize("duration", [-1.0, float("nan"), float("inf")])
async def test_a_duration_that_is_none_is_refused(room: Experiments, duration: float) -> None:
    made = await room.start_session(NewSession("ada", "http"))
    with pytest.raises(UsageError, match="no duration"):
        await room.update_session(SessionUpdate(made.id, processing_ms=duration))


async def test_only_the_holder_of_the_token_is_let_in(room: Experiments) -> None:
    one, other = await room.start_session(NewSession("a", "http")), await room.start_session(NewSession("b", "http"))
    assert await room.is_token_of(one.id, one.token)
    assert not await room.is_token_of(one.id, other.token)
    assert not await room.is_token_of("nowhere", one.token)
    assert not await room.is_token_of(one.id, "")


async def test_one_refused_item_spoils_no_other_in_its_transaction(room: Experiments) -> None:
    made = [await room.start_session(NewSession(f"u{number}", "http")) for number in range(3)]
    wanted = [NewFeedback(made[0].id, rating=5), NewFeedback("nowhere", rating=5), NewFeedback(made[2].id, rating=1)]
    outcomes = await asyncio.gather(*(room.give_feedback(one) for one in wanted), return_exceptions=True)
    assert isinstance(outcomes[1], UnknownSession)
    assert [(await room.session(one.id)).session.rating for one in made] == [5, None, 1]


async def test_a_transaction_that_fails_as_a_whole_is_tried_one_by_one(room: Experiments) -> None:
    bad = NewSession("u", "fax")  # type: ignore[arg-type]  # the database's own check refuses it
    outcomes = await asyncio.gather(
        room.start_session(NewSession("a", "http")),
        room.start_session(bad),
        room.start_session(NewSession("b", "http")),
        return_exceptions=True,
    )
    assert isinstance(outcomes[1], Exception)
    assert {one.user_id for one in await room.sessions()} == {"a", "b"}


async def test_one_user_many_times_at_once_is_one_assignment(room: Experiments, store: Store) -> None:
    made = await asyncio.gather(*(room.start_session(NewSession("ada", "http")) for _ in range(20)))
    assert len({one.variant.id for one in made}) == 1
    assert sum(not one.assignment.is_sticky for one in made) == 1
    with store.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(exposures)).scalar() == 20


async def test_listing_pages_back_from_the_newest(room: Experiments) -> None:
    made = [(await room.start_session(NewSession(f"u{number}", "http"))).id for number in range(5)]
    first = await room.sessions(2)
    assert [one.id for one in first] == [made[4], made[3]]
    assert [one.id for one in await room.sessions(10, before=first[-1].id)] == made[2::-1]
    assert [one.id for one in await room.sessions(user="u1")] == [made[1]]


def test_quality_is_drawn_toward_the_variants_mean_by_how_little_was_said() -> None:
    nothing, one, many = shrunken([], 0.8), shrunken([(0.0, 1.0)], 0.8), shrunken([(0.0, 1.0)] * 40, 0.8)
    assert nothing.score == pytest.approx(0.8)
    assert one.score == pytest.approx(0.8 * 4 / 5)
    assert many.score < 0.1
    assert nothing.high - nothing.low > many.high - many.low
    assert 0 <= many.low < many.score < many.high <= 1


async def test_quality_of_a_session(room: Experiments) -> None:
    low, high = [await room.start_session(NewSession("ada", "http")) for _ in range(2)]
    await room.give_feedback(NewFeedback(low.id, rating=1, helpful=False))
    await room.give_feedback(NewFeedback(high.id, rating=5))
    assert (await room.quality(low.id)).score < 0.5 < (await room.quality(high.id)).score


def test_nothing_acknowledged_is_lost_when_the_process_is_killed(workspace: Workspace) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.engine.experiments.killed", str(workspace.root)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert child.stdout is not None
    told = [child.stdout.readline().split() for _ in range(150)]
    child.send_signal(signal.SIGKILL)
    told += [line.split() for line in child.stdout.read().splitlines() if len(line.split()) == 2]
    child.wait()
    child.stdout.close()
    assert not Path(f"/proc/{child.pid}").exists()
    store = Store.open(workspace.database_file)
    with store.reading() as connection:
        text = "select id, rating from resize_sessions"
        kept = {row[0]: row[1] for row in connection.exec_driver_sql(text)}
    store.close()
    assert len(told) >= 150
    for kind, session_id in told:
        assert session_id in kept
        assert kind == "session" or kept[session_id] == 5
