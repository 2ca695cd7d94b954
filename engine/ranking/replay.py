"""Replay: how many verdicts each order of asking would have needed, on what a person has decided already.

Relies on `posterior` and `online` for learning and on `information` for the order. The newest quarter of the sets is
never asked, only measured on; the older sets are asked in the order of each policy, and after every few answers the
belief is measured. Pure over arrays but for `replay_recorded`, which reads the choices.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.errors import ProofsheetError
from engine.ranking import catalogue, learn
from engine.ranking.features import EMBEDDING, QUALITY, Layout, of_images, scale_of
from engine.ranking.information import pick_batch
from engine.ranking.learn import Examples
from engine.ranking.measures import Floats, pair_accuracy
from engine.ranking.model import MIN_SETS
from engine.ranking.online import Belief, learn_one
from engine.ranking.posterior import Gaussian, Prior
from engine.store import Store
from engine.vision import Vision

SHARE = 0.9
"""Of the final accuracy (above chance it would be a stricter goal; the whole accuracy is what a person sees)."""
_HELD_OUT = 0.25
_STEP = 2

Policy = Callable[[Gaussian, list[int], int], list[int]]


@dataclass(frozen=True)
class Course:
    """Held-out pair accuracy after so many verdicts, for one order."""

    verdicts: tuple[int, ...]
    accuracy: tuple[float, ...]

    def needed(self, accuracy: float) -> int:
        """The verdicts after which the accuracy is reached, and held at the next measurement too (one lucky
        measurement is none)."""
        for place, value in enumerate(self.accuracy):
            after = self.accuracy[min(place + 1, len(self.accuracy) - 1)]
            if value >= accuracy and after >= accuracy:
                return self.verdicts[place]
        return self.verdicts[-1]


def follow(asked: Examples, held_out: Examples, prior: Prior, policy: Policy, *, step: int = _STEP) -> Course:
    """Ask the sets in the policy's order, `step` at a time, and measure after each step."""
    precision = prior.precision
    belief = Belief(np.zeros(len(precision)), np.diag(1 / precision))
    left = list(range(asked.count))
    verdicts, accuracy = [0], [0.5]
    while left:
        for one in policy(belief.taste, left, step):
            left.remove(one)
            looks = asked.features[asked.offsets[one] : asked.offsets[one + 1]]
            change = learn_one(belief.taste, looks, 0, lapse=prior.lapse)
            belief.mean = belief.mean + change.step
            moved = change.left @ change.right
            belief.covariance = belief.covariance - (moved + moved.T) / 2
        verdicts.append(asked.count - len(left))
        accuracy.append(pair_accuracy(np.asarray(held_out.features @ belief.mean), held_out.offsets))
    return Course(tuple(verdicts), tuple(accuracy))


def by_information(asked: Examples, lapse: float) -> Policy:
    """The most telling sets first."""

    def policy(taste: Gaussian, left: list[int], count: int) -> list[int]:
        rows = asked.take(np.array(left, dtype=np.int64))
        places = pick_batch(taste, rows.features, rows.offsets, count, lapse=lapse)
        return [left[place] for place in places]

    return policy


def at_random(seed: int) -> Policy:
    """By lot."""
    random = np.random.default_rng(seed)
    return lambda _taste, left, count: [int(one) for one in random.permutation(left)[:count]]


def by_date(_taste: Gaussian, left: list[int], count: int) -> list[int]:
    """The oldest first."""
    return left[:count]


def replay(examples: Examples, blocks: Mapping[str, slice], *, seed: int, orders: int = 5) -> dict[str, Any]:
    """The verdicts that each order needs for nine tenths of the final accuracy: information, date, and the median of
    so many random `orders`. The document of `train replay --json` less the names."""
    cut = examples.count - max(1, round(examples.count * _HELD_OUT))
    held_out = examples.take(np.arange(cut, examples.count))
    old = np.flatnonzero(~np.isin(examples.groups[:cut], held_out.groups))
    asked = examples.take(old if len(old) >= cut // 2 else np.arange(cut))
    prior = Prior.first(blocks)
    courses: dict[str, list[Course]] = {
        "information": [follow(asked, held_out, prior, by_information(asked, prior.lapse))],
        "date": [follow(asked, held_out, prior, by_date)],
        "random": [follow(asked, held_out, prior, at_random(seed + number)) for number in range(orders)],
    }
    final = float(np.mean([course.accuracy[-1] for course in courses["random"]]))
    goal = SHARE * final
    needed = {name: float(np.median([course.needed(goal) for course in some])) for name, some in courses.items()}
    return {
        "sets": {"asked": asked.count, "held_out": held_out.count},
        "final_pair_accuracy": final,
        "goal": goal,
        "needed": needed,
        "information_against_random": needed["information"] / max(needed["random"], 1.0),
        "curves": {
            name: [{"verdicts": v, "pair_accuracy": a} for v, a in zip(some[0].verdicts, some[0].accuracy, strict=True)]
            for name, some in courses.items()
        },
    }


def replay_recorded(
    store: Store,
    vision: Vision,
    actor: str,
    project: str | None,
    *,
    seed: int,
    orders: int,
    without: Collection[str] = (),
) -> dict[str, Any]:
    """`replay` of a person's choices in force. Raises ProofsheetError when there are fewer than twelve, or when the
    blocks `without` leave nothing that it looks at."""
    if {EMBEDDING, QUALITY} <= set(without):
        raise ProofsheetError(
            "a replay looks at embedding and quality, and both are switched off",
            remedy="Add one of them to the setting `features`.",
        )
    with store.reading() as connection:
        choices = catalogue.choices(connection, actor, project)
        images = catalogue.images_by_id(connection, {one for choice in choices for one in choice.image_ids})
    rows, counts = [], []
    for choice in choices:
        members = [images[one] for one in choice.image_ids]
        try:
            seen = of_images(members, vision.vectors(members), vision.readings(members))
        except ProofsheetError:
            continue  # gone since it was decided; the others tell enough
        if np.isfinite(seen).all():
            rows.append(seen)
            counts.append(len(members))
    if len(counts) < MIN_SETS:
        raise ProofsheetError(
            f"there is too little to replay: {len(counts)} decided sets, and {MIN_SETS} are needed",
            remedy="Pick winners with `proofsheet`, or bring a log: proofsheet import selections FILE",
        )
    offsets = learn.offsets_of(np.array(counts, dtype=np.int64))
    centred: Floats = learn.centre(np.concatenate(rows).astype(np.float64), offsets)
    blocks = Layout(vision.encoder().dimension).blocks
    examples = Examples(centred / scale_of(centred, blocks, without), offsets, np.arange(len(counts)))
    return replay(examples, blocks, seed=seed, orders=orders)
