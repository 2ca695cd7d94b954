"""Controls of a training: what each block of features is worth, and what comes of winners drawn by lot.

Both fit weights anew, roughly, on the training sets and measure them on the held-out ones. Pure but for telling how far
they are; relies on `learn` for the fits.
"""

from __future__ import annotations

import numpy as np

from engine.ranking import learn, posterior, stacking
from engine.ranking.learn import Examples, Weights
from engine.ranking.lesson import Lesson, Plan, Watch
from engine.ranking.measures import Floats, pair_accuracy
from engine.ranking.posterior import Belief

_PERMUTATIONS = 5
_STREAM = 7  # another stream of chance than the splits'


def ablation(lesson: Lesson, plan: Plan, belief: Belief, watch: Watch) -> dict[str, float]:
    """For each block that has something to say: held-out pair accuracy of weights learned without it."""
    held_out = lesson.examples.take(lesson.held_out)
    present = [name for name, block in lesson.blocks.items() if np.any(lesson.examples.features[:, block])]
    found = {}
    for number, name in enumerate(present):
        watch.progress(number, len(present), f"measuring without {name}")
        prior = plan.prior(lesson.blocks).without(name)
        evidence = lesson.evidence(lesson.train, refusals=False, modified=plan.weighs_modified)
        own = [one for one in lesson.own(lesson.train) if one in belief.weights.deviations]
        weights = learn.fit_weights(
            evidence,
            prior.precision,
            start=_emptied(belief.weights, lesson.blocks[name]),
            lapse=prior.lapse,
            own=own,
            closeness=prior.closeness,
            tolerance=learn.ROUGHLY,
            check=watch.check,
        )
        if prior.pairs:
            other = posterior.by_pairs(evidence, prior, own, watch.check)
            weights = stacking.joined(weights, other, prior.pairs)
        # What little weight is left would still decide where no other block says anything.
        emptied = _emptied(weights, lesson.blocks[name])
        found[name] = pair_accuracy(emptied.scores(held_out), held_out.offsets)
    return found


def permuted(lesson: Lesson, plan: Plan, watch: Watch) -> float:
    """Held-out pair accuracy when every set's winner is drawn by lot, in training and in measuring: a half, unless
    something about a set but its images tells the winner. The mean of a few such draws."""
    random = np.random.default_rng((lesson.seed, _STREAM))
    train, held_out = lesson.examples.take(lesson.train), lesson.examples.take(lesson.held_out)
    hits = []
    for number in range(_PERMUTATIONS):
        watch.progress(number, _PERMUTATIONS, "measuring with winners drawn by lot")
        weights = learn.fit(
            by_lot(train, random),
            plan.prior(lesson.blocks).precision,
            lapse=plan.lapse,
            tolerance=learn.ROUGHLY,
            check=watch.check,
        )
        drawn = by_lot(held_out, random)
        hits.append(pair_accuracy(np.asarray(drawn.features @ weights, dtype=np.float64), drawn.offsets))
    return float(np.mean(hits))


def by_lot(examples: Examples, random: np.random.Generator) -> Examples:
    """The same sets, each with a winner drawn by lot."""
    starts, counts = examples.offsets[:-1], np.diff(examples.offsets)
    drawn = starts + random.integers(0, counts)
    rows = np.arange(len(examples.features))
    rows[starts], rows[drawn] = drawn, starts
    return Examples(examples.features[rows], examples.offsets, examples.groups, examples.weights, examples.projects)


def _emptied(weights: Weights, block: slice) -> Weights:
    def emptied(values: Floats) -> Floats:
        found = values.copy()
        found[block] = 0.0
        return found

    return Weights(emptied(weights.shared), {one: emptied(value) for one, value in weights.deviations.items()})
