"""The taste card: plain words, only what is more than chance, proven by the person's own pairs."""

from __future__ import annotations

import numpy as np
import pytest

from engine.ranking.taste import ENOUGH, PROOFS, traits_of, words_for
from tests.engine.ranking.conftest import World, simulate
from tests.engine.ranking.test_bulk import put_on_the_card

SHARPER = {"feature": "sharpness", "label": "sharper", "unit": "steps", "typical": 1.0, "strength": 1.5, "sure": 0.999}


@pytest.fixture
async def learned(world: World) -> World:
    """A ranker on 100 sets; half of the winners are made the sharpest of their set."""
    await simulate(world, 100, seed=1)
    run = await world.ranking.train()
    result = (await world.runs.finished(run.id)).result
    assert result is not None and result["promoted"]
    random = np.random.default_rng(3)
    winners = {image.name for image in await world.ranking.winners()}
    for name in world.vision.sharpness:
        world.vision.sharpness[name] = float(random.normal(1.0 if name in winners else 0.0))
    return world


async def test_a_trait_is_said_with_three_pairs_of_three_sets_that_differ_most(learned: World) -> None:
    put_on_the_card(learned, taste=[SHARPER])
    card = await learned.ranking.taste("mojo1")
    (trait,) = card.traits
    assert (trait.words, card.picks, card.why_not) == ("sharper", 100, "")
    assert trait.agrees > trait.against > 0, "the pairs that speak against are counted too"
    assert len(trait.proof) == PROOFS == len({one.set_pk for one in trait.proof})
    sharp = learned.vision.sharpness
    for one in trait.proof:
        assert one.difference == pytest.approx(sharp[one.winner.name] - sharp[one.loser.name])
    differences = [one.difference for one in trait.proof]
    assert differences == sorted(differences, reverse=True) and differences[-1] > 1.5
    told = card.document()["traits"][0]
    assert told["for"] == trait.agrees and told["proof"][0]["winner"] == str(trait.proof[0].winner.path)


async def test_what_may_be_chance_and_what_the_pairs_contradict_is_not_said(learned: World) -> None:
    unsure = {**SHARPER, "sure": 0.9}
    wrong = {**SHARPER, "strength": -1.5}
    unnamed = {**SHARPER, "feature": "embedding_7"}
    put_on_the_card(learned, taste=[unsure, wrong, unnamed])
    card = await learned.ranking.taste()
    assert card.traits == () and "nothing yet that is more than chance" in card.why_not
    random = np.random.default_rng(4)
    for name in learned.vision.sharpness:
        learned.vision.sharpness[name] = float(random.normal())
    put_on_the_card(learned, taste=[SHARPER])
    assert (await learned.ranking.taste()).traits == (), "the pairs fall on either side about as often"


async def test_pairs_that_cannot_be_read_any_more_are_passed_over(learned: World) -> None:
    put_on_the_card(learned, taste=[SHARPER])
    before = (await learned.ranking.taste()).traits[0]
    ids = [image.id for image in await learned.ranking.winners()]
    learned.remove(*ids[:50])
    after = (await learned.ranking.taste()).traits[0]
    assert after.agrees + after.against < before.agrees + before.against


async def test_with_few_picks_or_no_model_it_says_what_is_missing(world: World) -> None:
    card = await world.ranking.taste()
    assert card.why_not == f"not enough picks: {ENOUGH} more until a taste can be told"
    await simulate(world, 40, seed=2)
    card = await world.ranking.taste()
    assert card.picks == 40 and card.why_not.startswith("no model has found a taste yet")


def test_less_of_something_has_words_of_its_own() -> None:
    assert words_for("clipped", "more clipping", is_more=False) == "less clipping"
    assert words_for("warmth", "warmer", is_more=False) == "cooler"
    assert words_for("noise", "", is_more=False) == "less noise"
    assert words_for("anything", "more grain", is_more=False) == "less grain"
    assert words_for("warmth", "warmer", is_more=True) == "warmer"
    assert traits_of([], [], {}, {}) == []
