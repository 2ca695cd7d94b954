"""Simulated people, labelled so: a taste linear in hidden attributes, with careless picks or with noisy utilities.

`person(..., noise=0.1)` picks its best image nine times of ten and draws lots the tenth; `logistic=True` adds Gumbel
noise to utilities instead, so that Plackett-Luce is the truth and the chance of each pick is known. In both cases the
true weights are the Bayes-optimal scorer.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from engine.ranking import learn
from engine.ranking.learn import Examples
from engine.ranking.measures import Floats, segment_softmax

BLOCKS_NAME = "embedding"


@dataclass(frozen=True)
class Person:
    """Sets in time order with the winner first, and the true weights on the examples' scale."""

    examples: Examples
    truth: Floats

    @property
    def blocks(self) -> dict[str, slice]:
        return {BLOCKS_NAME: slice(0, len(self.truth))}

    def chances(self, examples: Examples) -> Floats:
        """(N,) the true probability of each image to be picked, for a person with logistic noise."""
        return segment_softmax(np.asarray(examples.features @ self.truth), examples.offsets)


def person(
    sets: int,
    dimension: int,
    seed: int,
    *,
    noise: float = 0.1,
    logistic: bool = False,
    strength: float = 3.0,
    sizes: tuple[int, int] = (2, 5),
) -> Person:
    """One simulated person who has decided so many sets of `sizes` images."""
    random = np.random.default_rng(seed)
    taste = random.normal(size=dimension)
    taste *= strength / np.linalg.norm(taste)
    counts = random.integers(sizes[0], sizes[1] + 1, size=sets)
    offsets = learn.offsets_of(counts)
    attributes = random.normal(size=(int(offsets[-1]), dimension))
    utility = attributes @ taste
    if logistic:
        utility = utility + random.gumbel(size=len(utility))
    for start, stop in itertools.pairwise(offsets):
        is_careless = not logistic and random.random() < noise
        best = int(random.integers(stop - start)) if is_careless else int(utility[start:stop].argmax())
        attributes[[start, start + best]] = attributes[[start + best, start]]
    scale = np.sqrt(dimension)
    features = learn.centre(attributes, offsets) / scale
    return Person(Examples(features, offsets, np.arange(sets)), taste * scale)
