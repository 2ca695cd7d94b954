"""Approving together: only what is vouched for, as one decision, and never on a promise that no longer holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import sqlalchemy as sa

from engine.errors import ProofsheetError, UsageError
from engine.ranking import catalogue
from engine.ranking.bulk import promise
from engine.ranking.conformal import accuracy_bound
from engine.review import Review, Verdict
from engine.store.schema import models
from tests.engine.ranking.conftest import World, simulate

SURE = {"confidence": [0.99] * 300 + [0.6] * 100, "correct": [1] * 298 + [0] * 2 + [1, 0] * 50}


def put_on_the_card(world: World, **said: Any) -> None:
    """What the training would have measured, as this test wants it; the ranker itself is left as it is."""
    with world.store.writing() as connection:
        for row in connection.execute(sa.select(models.c.id, models.c.card)).all():
            connection.execute(sa.update(models).where(models.c.id == row.id).values(card={**row.card, **said}))


@pytest.fixture
async def learned(world: World) -> World:
    """A ranker that has learned a simulated taste from 120 sets, and 20 sets yet to decide."""
    await simulate(world, 120, seed=1)
    random = np.random.default_rng(9)
    for number in range(20):
        names = [f"n{number}{letter}.png" for letter in "abc"]
        for name in names:
            world.vision.by_name[name] = random.normal(size=8)
        world.add(f"/pictures/mojo1/new{number:02}", names, project="mojo1")
    await world.ranking.build_sets()
    run = await world.ranking.train()
    result = (await world.runs.finished(run.id)).result
    assert result is not None and result["promoted"], result
    put_on_the_card(world, calibration_pairs=SURE)
    return world


async def test_only_sets_as_sure_as_the_threshold_are_in_the_plan_the_surest_first(learned: World) -> None:
    plan = await learned.ranking.bulk_plan("mojo1", 0.95)
    assert plan.threshold is not None and plan.remaining == 20
    confidences = [one.suggestion.confidence or 0 for one in plan.sets]
    assert confidences == sorted(confidences, reverse=True) and min(confidences) >= plan.threshold
    every = [await learned.ranking.suggest(one) for one in await learned.ranking.queue()]
    assert len(plan.sets) == sum((one.confidence or 0) >= plan.threshold for one in every if one is not None) > 0
    assert plan.expected_accuracy is not None and plan.promised is not None
    assert 0.95 <= plan.promised <= plan.expected_accuracy
    told = plan.document()
    assert (told["sets"], told["approved"]) == (len(plan.sets), 0)
    assert await learned.review.standing("ranking") == [], "looking approves nothing"


async def test_they_are_one_decision_undone_by_one_undo_and_no_evidence(learned: World) -> None:
    with learned.store.reading() as connection:
        before = catalogue.count_choices(connection, "ada")
    plan = await learned.ranking.bulk_plan("mojo1", 0.95)
    made = await learned.ranking.bulk_approve(plan)
    assert len(made) == len(plan.sets) and len({one.group_id for one in made}) == 1
    assert (await learned.ranking.total()).remaining == 20 - len(made)
    with learned.store.reading() as connection:
        assert catalogue.count_choices(connection, "ada") == before
        assert len(catalogue.choices(connection, "ada")) == before, "the model's own word teaches nothing"
        assert len(catalogue.choices(connection, "ada", unseen=True)) == before + len(made)
    assert len(await learned.ranking.winners()) == 120 + len(made)
    assert (await learned.ranking.agreement(50)).of == 0
    undone = await learned.ranking.take_back()
    assert {one.undoes for one in undone} == {one.id for one in made}
    assert (await learned.ranking.total()).remaining == 20
    assert await learned.ranking.undo() is None


async def test_approving_unseen_does_not_make_the_rest_surer(learned: World) -> None:
    plan = await learned.ranking.bulk_plan("mojo1", 0.95)
    trusted = {one.shown.id for one in plan.sets}
    left = next(one for one in await learned.ranking.queue() if one not in trusted)
    before = await learned.ranking.suggest(left)
    await learned.ranking.bulk_approve(plan)
    after = await learned.ranking.suggest(left)
    assert before is not None and after is not None and after.confidence == before.confidence


async def test_a_set_decided_meanwhile_is_passed_over(learned: World) -> None:
    plan = await learned.ranking.bulk_plan("mojo1", 0.95)
    taken = plan.sets[0]
    other = next(one for one in taken.shown.image_ids if one != taken.image_id)
    elsewhere = Review(learned.workspace, learned.store, "bea")
    await elsewhere.decide("ranking", f"set:{taken.shown.id}", Verdict.APPROVED, {"image": other}, project="mojo1")
    made = await learned.ranking.bulk_approve(plan)
    assert len(made) == len(plan.sets) - 1
    in_force = await learned.review.in_force("ranking", f"set:{taken.shown.id}")
    assert in_force is not None and in_force.value["image"] == other


async def test_a_plan_of_an_older_model_is_refused(learned: World) -> None:
    plan = await learned.ranking.bulk_plan("mojo1", 0.95)
    with learned.store.writing() as connection:
        row = connection.execute(sa.select(models)).mappings().one()
        later = {**row, "id": row["id"] + 1, "version": row["version"] + 1}
        connection.execute(sa.insert(models).values(later))
    with pytest.raises(ProofsheetError, match="no longer suggests"):
        await learned.ranking.bulk_approve(plan)
    assert await learned.review.standing("ranking") == []


async def test_suggestions_of_an_older_model_are_made_anew(learned: World) -> None:
    queue = await learned.ranking.queue()
    first = await learned.ranking.suggest(queue[0])
    assert first is not None
    await learned.review.suggest([first.__class__(**{**vars(first), "model": "ranker_v0", "confidence": 1.0})])
    plan = await learned.ranking.bulk_plan("mojo1", 0.95)
    assert {one.suggestion.model for one in plan.sets} == {first.model}


async def test_many_are_suggested_as_each_by_itself(learned: World) -> None:
    learned.add("/pictures/mojo1/lost", ["lost1.png", "lost2.png"], project="mojo1")
    await learned.ranking.build_sets()
    ids = await learned.ranking.queue()
    plan = await learned.ranking.bulk_plan("mojo1", 0.5)
    assert plan.sets
    for one in plan.sets:
        alone = await learned.ranking.suggest(one.shown.id)
        assert alone is not None and one.shown.id in ids
        assert alone.proposal["image"] == one.image_id and alone.model == one.suggestion.model
        assert alone.confidence == pytest.approx(one.suggestion.confidence, abs=1e-6)
        assert alone.reasons == one.suggestion.reasons


async def test_what_other_projects_vouch_for_is_not_said_of_one_that_was_hardly_measured(learned: World) -> None:
    put_on_the_card(learned, calibration_pairs={**SURE, "project": ["mojo2"] * 390 + ["mojo1"] * 10})
    plan = await learned.ranking.bulk_plan("mojo1", 0.95)
    assert plan.sets == () and plan.more == 35
    assert plan.why_not == "not enough data to promise 95 % for mojo1: at least 35 more decided sets"
    assert await learned.ranking.bulk_approve(plan) == []


async def test_without_a_model_it_says_what_is_missing(world: World) -> None:
    world.add("/lib/mojo1/0", ["a.png", "b.png"], project="mojo1")
    await world.ranking.build_sets()
    plan = await world.ranking.bulk_plan("mojo1", 0.95)
    assert (plan.sets, plan.expected_accuracy) == ((), None)
    assert plan.why_not == "no model has earned a promise yet: 0 decided sets; 12 more are needed before it can learn"


async def test_too_few_measured_sets_are_counted(learned: World) -> None:
    put_on_the_card(learned, calibration_pairs={"confidence": [0.9] * 30, "correct": [1] * 30})
    plan = await learned.ranking.bulk_plan("mojo1", 0.95)
    assert plan.sets == () and plan.more == 15
    assert plan.why_not == "not enough data to promise 95 %: at least 15 more decided sets"
    assert await learned.ranking.bulk_approve(plan) == []


@pytest.mark.parametrize("target", [0.2, 1.0, 95.0, -1.0, float("nan")])
async def test_a_target_that_is_no_accuracy_is_refused(world: World, target: float) -> None:
    with pytest.raises(UsageError, match="cannot be asked for"):
        await world.ranking.bulk_plan("mojo1", target)


async def test_an_unknown_project_is_refused(world: World) -> None:
    with pytest.raises(ProofsheetError, match="no project 'nobody'"):
        await world.ranking.bulk_plan("nobody", 0.95)


def test_a_promise_holds_by_its_bound_and_says_what_is_missing_otherwise() -> None:
    held = promise({"calibration_pairs": SURE}, 0.95)
    assert held.threshold == 0.99 and held.measured == pytest.approx(298 / 300)
    assert held.promised == pytest.approx(accuracy_bound(298, 300))
    assert promise({}, 0.95).more == 45
    lucky = promise({"calibration_pairs": {"confidence": [0.9] * 60, "correct": [1] * 58 + [0] * 2}}, 0.95)
    assert lucky.threshold is None and lucky.more is not None and lucky.more > 60
    unsure = promise({"calibration_pairs": {"confidence": [0.9] * 200, "correct": [1, 0] * 100}}, 0.95)
    assert unsure.threshold is None and unsure.more is None and "95 % is asked for" in unsure.why_not


def whose(*counts: tuple[str, int]) -> list[str]:
    return [name for name, count in counts for _ in range(count)]


def test_a_project_is_vouched_for_by_its_own_sets_alone() -> None:
    pairs = {**SURE, "project": whose(("strong", 200), ("good", 100), ("strong", 50), ("good", 50))}
    assert promise({"calibration_pairs": pairs}, 0.95, "strong").measured == 1.0
    good = promise({"calibration_pairs": pairs}, 0.9, "good")
    assert good.threshold == 0.99 and good.measured == pytest.approx(0.98)
    assert promise({"calibration_pairs": pairs}, 0.95, "good").more == 23, "98 of 100 do not vouch for 95 %"
    assert promise({"calibration_pairs": pairs}, 0.95, "unknown").more == 45

    odd = {
        "confidence": [0.99] * 390,
        "correct": [1] * 300 + [1, 0, 0] * 30,
        "project": whose(("strong", 300), ("odd", 90)),
    }
    assert promise({"calibration_pairs": odd}, 0.7).threshold == 0.99, "together they hold"
    assert promise({"calibration_pairs": odd}, 0.7, "odd").threshold is None
    assert promise({"calibration_pairs": odd}, 0.95, "strong").threshold == 0.99


def test_an_older_card_vouches_only_for_the_one_project_that_it_was_measured_on() -> None:
    card = {"calibration_pairs": SURE, "held_out": {"by_project": {"mojo1": 0.9}}}
    assert promise(card, 0.95, "mojo1").threshold == 0.99
    assert promise(card, 0.95, "mojo2").why_not == (
        "not enough data to promise 95 % for mojo2: at least 45 more decided sets"
    )
    several = {"calibration_pairs": SURE, "held_out": {"by_project": {"mojo1": 0.9, "mojo2": 0.9}}}
    assert "train anew" in promise(several, 0.95, "mojo1").why_not
