"""Where new users go: a floor, an equal split at first, proposals that are reviewed and can be drawn again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from engine.errors import ProofsheetError
from engine.experiments import Experiments, NewFeedback, NewSession
from engine.experiments.allocation import propose, with_floor
from engine.experiments.model import KIND_WEIGHTS
from engine.review import Suggestion
from engine.store import Store
from engine.store.schema.experiments import allocations
from tests.bench.experiments import arms, epoch
from tests.engine.experiments.conftest import Clock, MakeRoom
from tests.engine.experiments.test_analysis import simulated

Write = Callable[[Iterable[Mapping[str, Any] | str | bytes]], Path]
CLEAR = {"original": 3.0, "enhanced-v1": 3.9}


def test_every_arm_keeps_the_floor() -> None:
    assert with_floor(np.array([1.0, 0.0, 0.0, 0.0]), 0.05) == pytest.approx([0.85, 0.05, 0.05, 0.05])
    assert with_floor(np.full(40, 1 / 40), 0.05) == pytest.approx([1 / 40] * 40)


def test_an_equal_split_until_every_arm_has_a_hundred_users() -> None:
    def proposed(users: int) -> tuple[dict[str, float], str]:
        variant = np.arange(2 * users) % 2
        seen = arms(variant, np.ones(2 * users, np.int64), 5.0 - 3 * variant, [epoch(1, [0.5, 0.5])])
        found = propose(seen, "success", {"arm-0": 0.5, "arm-1": 0.5}, seed=0, is_frozen=False)
        return found.weights, found.why

    weights, why = proposed(99)
    assert weights == {"arm-0": 0.5, "arm-1": 0.5}
    assert "'arm-0' lacks 1" in why
    weights, why = proposed(100)
    assert weights == pytest.approx({"arm-0": 0.95, "arm-1": 0.05})
    assert "'arm-0' goes from 50% to 95%" in why


def test_the_same_seed_draws_the_same_weights() -> None:
    draw = np.random.default_rng(0)
    variant = np.arange(800) % 4
    rating = draw.integers(1, 6, 800).astype(float)
    seen = arms(variant, np.ones(800, np.int64), rating, [epoch(1, [0.25] * 4)])
    before = {f"arm-{number}": 0.25 for number in range(4)}
    for metric in ("success", "rating"):
        first, again, other = (
            propose(seen, metric, before, seed=seed, is_frozen=False).weights  # type: ignore[arg-type]
            for seed in (7, 7, 8)
        )
        assert first == again != other
        assert sum(first.values()) == pytest.approx(1)
        assert min(first.values()) >= 0.05


async def test_a_proposal_waits_for_a_decision_and_then_begins_an_epoch(
    room: Experiments, jsonl: Write, store: Store
) -> None:
    await room.import_sessions(jsonl(simulated(800, CLEAR)))
    proposed = await room.propose_weights()
    assert proposed.id is not None
    assert [one.weight for one in await room.variants()] == [0.5, 0.5]
    assert await room.pending_weights() is not None
    epoch_now = await room.approve_weights(proposed)
    assert dict(epoch_now.arms) == pytest.approx({"original": 0.05, "enhanced-v1": 0.95})
    assert (epoch_now.is_adaptive, epoch_now.allocation_id) == (True, proposed.proposal["allocation"])
    assert "best with probability" in await room.why_weights()
    assert await room.pending_weights() is None
    with store.reading() as connection:
        row = connection.execute(sa.select(allocations)).one()
    assert (row.weights, row.draws, row.floor) == (dict(proposed.proposal["weights"]), 20_000, 0.05)
    assert row.inputs["n"] == [400, 400]


async def test_a_rejected_proposal_changes_nothing(room: Experiments, jsonl: Write) -> None:
    await room.import_sessions(jsonl(simulated(800, CLEAR)))
    await room.reject_weights(await room.propose_weights())
    assert await room.pending_weights() is None
    assert len(await room.epochs()) == 1


async def test_a_proposal_of_an_older_epoch_cannot_be_approved(room: Experiments, jsonl: Write) -> None:
    await room.import_sessions(jsonl(simulated(800, CLEAR)))
    proposed = await room.propose_weights()
    await room.set_weights({"original": 0.6, "enhanced-v1": 0.4})
    assert await room.pending_weights() is None
    with pytest.raises(ProofsheetError, match="out of date"):
        await room.approve_weights(proposed)


async def test_the_setting_approves_at_once(make_room: MakeRoom, jsonl: Write) -> None:
    room = make_room(experiment_auto_approve=True)
    await room.import_sessions(jsonl(simulated(800, CLEAR)))
    await room.propose_weights()
    assert (await room.variants())[1].weight == pytest.approx(0.95)
    assert "Approved automatically" in await room.why_weights()


async def test_sessions_that_may_still_be_rated_move_no_weights(room: Experiments, clock: Clock) -> None:
    async def one(number: int) -> None:
        made = await room.start_session(NewSession(f"user-{number}", "http"))
        await room.give_feedback(NewFeedback(made.id, rating=5 if made.variant.id == "original" else 1))

    await asyncio.gather(*(one(number) for number in range(260)))
    young = await room.propose_weights()
    assert set(young.proposal["users"].values()) == {0}
    assert not young.proposal["is_change"]
    clock.forward(hours=25)
    assert (await room.propose_weights()).proposal["weights"]["original"] > 0.9


async def test_taking_approved_weights_back_brings_the_earlier_ones_as_an_epoch_of_their_own(
    room: Experiments, jsonl: Write
) -> None:
    await room.import_sessions(jsonl(simulated(800, CLEAR)))
    before = (await room.epochs())[-1]
    approved = await room.approve_weights(await room.propose_weights())
    assert await room.undo() == "the earlier weights are in force again"
    now = (await room.epochs())[-1]
    assert (now.arms, now.allocation_id) == (before.arms, None) and now.id > approved.id
    assert "taken back" in await room.why_weights()
    assert await room.pending_weights() is None  # it was made in another epoch
    assert await room.undo() is None


async def test_two_approvals_are_taken_back_one_after_the_other(room: Experiments, jsonl: Write, clock: Clock) -> None:
    await room.import_sessions(jsonl(simulated(800, CLEAR)))
    first = await room.approve_weights(await room.propose_weights())
    weak = {**(await room.propose_weights()).proposal, "weights": {"original": 0.3, "enhanced-v1": 0.7}}
    await room.approve_weights(Suggestion(KIND_WEIGHTS, "weights", weak | {"allocation": 2}, "thompson-2"))
    await room.undo()
    assert (await room.epochs())[-1].arms == first.arms
    await room.undo()
    assert dict((await room.epochs())[-1].arms) == {"original": 0.5, "enhanced-v1": 0.5}


async def test_weights_that_were_changed_since_are_not_taken_back(room: Experiments, jsonl: Write) -> None:
    await room.import_sessions(jsonl(simulated(800, CLEAR)))
    await room.approve_weights(await room.propose_weights())
    await room.set_weights({"original": 0.4, "enhanced-v1": 0.6}, "an experiment")
    for _attempt in range(2):  # the decision stands, so it is refused again
        with pytest.raises(ProofsheetError, match="no longer in force: an experiment"):
            await room.undo()


async def test_a_declined_proposal_that_is_taken_back_waits_again(room: Experiments, jsonl: Write) -> None:
    await room.import_sessions(jsonl(simulated(800, CLEAR)))
    proposed = await room.propose_weights()
    await room.reject_weights(proposed)
    assert await room.undo() == "the proposal waits again"
    waiting = await room.pending_weights()
    assert waiting is not None and waiting.id == proposed.id
    assert (await room.approve_weights(waiting)).allocation_id == proposed.proposal["allocation"]
