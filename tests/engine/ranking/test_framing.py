"""Tighter and wider, in words and on the taste card, from the library's prints."""

from __future__ import annotations

import numpy as np

from engine.library import prints_table
from engine.library.prints import prints, reduced
from engine.ranking import catalogue
from engine.ranking.framing import frames_of, word_for
from tests.engine.ranking.conftest import World, simulate
from tests.engine.ranking.test_bulk import put_on_the_card
from tests.engine.vision.test_builtin import scene
from tests.engine.vision.test_zoom import part


def grey(seed: int, share: float) -> np.ndarray:
    return reduced(np.asarray(part(scene(seed, 320, 240), share, 0.5, 0.5).convert("L")))


def test_the_word_is_said_only_where_it_holds_against_every_other_image() -> None:
    tight, middle, whole = grey(1, 0.5), grey(1, 0.7), grey(1, 1.0)
    assert word_for([whole, tight, middle], 1) == ("tighter",)
    assert word_for([whole, tight, middle], 0) == ("wider",)
    assert word_for([whole, tight, middle], 2) == (), "tighter than one, wider than the other"
    assert word_for([tight, grey(2, 1.0)], 0) == (), "another scene is neither"
    assert word_for([tight, None], 0) == word_for([None, whole], 0) == word_for([tight], 0) == ()


async def test_a_liking_for_tight_frames_is_told_with_three_pairs_as_proof(world: World) -> None:
    await simulate(world, 60, seed=1)
    run = await world.ranking.train()
    assert (await world.runs.finished(run.id)).result
    put_on_the_card(world, taste=[])
    card = await world.ranking.taste("mojo1")
    assert card.traits == (), "no prints, nothing said"
    winners = {image.id for image in await world.ranking.winners()}
    scenes = [np.asarray(scene(seed, 320, 240).convert("L")) for seed in range(4)]
    rows = []
    with world.store.reading() as connection:
        choices = catalogue.choices(connection, "ada", "mojo1")
        images = catalogue.images_by_id(connection, {i for choice in choices for i in choice.image_ids})
    tight = [reduced(one[60:180, 80:240]) for one in scenes]
    whole = [reduced(one) for one in scenes]
    for number, choice in enumerate(choices):
        for image_id in choice.image_ids:
            luma = (tight if image_id in winners else whole)[number % len(scenes)]
            rows.append((image_id, images[image_id].content_hash, prints(luma)))
    with world.store.writing() as connection:
        prints_table.write_prints(connection, rows)
    assert len(frames_of(world.store, list(images.values()))) == len(images)
    (trait,) = (await world.ranking.taste("mojo1")).traits
    assert (trait.words, trait.feature, trait.against) == ("tighter", "tightness", 0)
    assert trait.agrees == len(choices) and len({one.set_pk for one in trait.proof}) == 3
    assert all(0.8 < one.difference < 1.2 and one.winner.id in winners for one in trait.proof)
