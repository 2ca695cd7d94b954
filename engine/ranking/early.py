"""The first dozens of verdicts: what they say before any ranker has earned its promotion. Never claims a confidence.

Relies on the store for the newest choices, on the vision room for numbers and on `posterior`. It is followed only where
it does better, on the newest third of the choices and learned from the others alone, than every naive baseline does.
Nothing is saved.
"""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from engine.errors import ProofsheetError
from engine.ranking import catalogue, learn, posterior
from engine.ranking.evaluate import BASELINES, baseline_scores
from engine.ranking.features import EMBEDDING, QUALITY, Features, Layout, of_images, scale_of
from engine.ranking.learn import Examples
from engine.ranking.measures import Calibration, Floats, pair_accuracy
from engine.ranking.model import MIN_SETS
from engine.ranking.ranker import LinearRanker
from engine.store import Store
from engine.vision import Vision

NAME = "early_taste"
_NEWEST = 240
_HELD_OUT = 3


def early_taste(
    store: Store, vision: Vision, actor: str, project: str | None, without: Collection[str] = ()
) -> LinearRanker | None:
    """A belief from the newest choices as a ranker without a version; None while it is no better than a baseline, and
    where the blocks `without` leave nothing that it looks at (it never cuts crops)."""
    if {EMBEDDING, QUALITY} <= set(without):
        return None
    with store.reading() as connection:
        since = catalogue.last_decision(connection)
        choices = catalogue.choices(connection, actor, project, newest=_NEWEST)[-_NEWEST:]
        if len(choices) < MIN_SETS:
            return None
        images = catalogue.images_by_id(connection, {one for choice in choices for one in choice.image_ids})
        places = catalogue.positions(connection, {choice.set_pk for choice in choices})
    encoder = vision.encoder()
    rows: list[Features] = []
    counts: list[int] = []
    baselines: dict[str, list[Floats]] = {name: [] for name in BASELINES}
    for choice in choices:
        members = [images[one] for one in choice.image_ids]
        try:
            readings = vision.readings(members)
            seen = of_images(members, vision.vectors(members), readings)
        except ProofsheetError:
            continue  # a file is gone or changed; the other choices speak
        if not np.isfinite(seen).all():
            continue
        place = [places.get(choice.set_pk, {}).get(image.id, 0) for image in members]
        for name in BASELINES:
            baselines[name].append(baseline_scores(name, members, place, readings))
        rows.append(seen)
        counts.append(len(members))
    if len(counts) < MIN_SETS:
        return None
    offsets = learn.offsets_of(np.array(counts, dtype=np.int64))
    centred = learn.centre(np.concatenate(rows).astype(np.float64), offsets)
    blocks = Layout(encoder.dimension).blocks
    scale = scale_of(centred, blocks, without)
    examples = Examples(centred / scale, offsets, np.arange(len(counts)))
    cut = len(counts) - len(counts) // _HELD_OUT
    older, newer = examples.take(np.arange(cut)), examples.take(np.arange(cut, len(counts)))
    belief = posterior.believe(older, blocks)
    ours = pair_accuracy(np.asarray(newer.features @ belief.shared.mean), newer.offsets)
    theirs = max(pair_accuracy(np.concatenate(scores[cut:]), newer.offsets) for scores in baselines.values())
    if ours <= theirs:
        return None
    final = posterior.believe(examples, blocks, prior=belief.prior, start=belief).shared
    weight = final.mean / scale
    card = {
        "encoder": {"id": encoder.id, "spec": encoder.spec},
        "data": {"last_decision": since},
        "prior": {"lapse": belief.prior.lapse},
        "created_at": str(since),
    }
    covariance = final.covariance / np.outer(scale, scale)
    return LinearRanker(NAME, 0, encoder.id, weight, weight, Calibration(), card=card, covariance=covariance)
