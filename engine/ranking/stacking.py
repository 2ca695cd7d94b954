"""Two estimates of one taste, and how much each has to say: by the likelihood of whole choices, and by single pairs.

The winner of a set follows Plackett-Luce, and so do its pairs, each by itself a Bradley-Terry choice (Luce 1959).
Fitting the pairs as if they were independent (a composite likelihood: Varin, Reid and Firth 2011), shrunk more firmly,
wastes something of many sets and is steadier on few. The two err in ways of their own, so that with few sets their
average errs less than the worse of them. How much the pairs say is weighed by what they are worth on sets left out
(stacking: Yao et al. 2018), averaged over what the sets cannot tell apart. Pure over arrays.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from engine.ranking import learn
from engine.ranking.learn import Examples, Weights
from engine.ranking.measures import Floats, fit_calibration, segment_losses

MOST_SETS = 600
"""Sets above which the choices stand alone: the pairs would have a sixth of the say at most, and every fit is dear."""
_LEAST = 0.02  # a share that changes nothing is not worth a fit of the pairs each time
_FEW = 100
PRECISION = 1.0
"""Of the pairs' weights, with features that are scaled to a length of one a block."""
_SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
# Before anything is known an average of equals is the likeliest to be best; these are the odds of four fair coins.
_BEFORE = (1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16)

Fit = Callable[[Examples], Weights]


def pairs_of(examples: Examples) -> Examples:
    """Each (winner, loser) pair as a set of two, with its set's group, weight and project."""
    counts = np.diff(examples.offsets)
    is_loser = np.ones(len(examples.features), dtype=bool)
    is_loser[examples.offsets[:-1]] = False
    rows = np.empty(2 * int(is_loser.sum()), dtype=np.int64)
    rows[0::2], rows[1::2] = np.repeat(examples.offsets[:-1], counts - 1), np.flatnonzero(is_loser)
    return Examples(
        examples.features[rows],
        np.arange(0, len(rows) + 1, 2),
        np.repeat(examples.groups, counts - 1),
        None if examples.weights is None else np.repeat(examples.weights, counts - 1),
        None if examples.projects is None else np.repeat(examples.projects, counts - 1),
    )


def joined(choices: Weights, pairs: Weights, share: float) -> Weights:
    """The weights with `share` (0 to 1) of their direction from `pairs`, at the length of `choices`."""
    length, width = float(np.linalg.norm(choices.shared)), float(np.linalg.norm(pairs.shared))
    if not share or not length or not width:
        return choices
    size = length / width

    def mean(ours: Floats, theirs: Floats) -> Floats:
        return np.asarray((1 - share) * ours + share * size * theirs, dtype=np.float64)

    nothing = np.zeros_like(pairs.shared)
    return Weights(
        mean(choices.shared, pairs.shared),
        {one: mean(value, pairs.deviations.get(one, nothing)) for one, value in choices.deviations.items()},
    )


def share_of_pairs(examples: Examples, by_choices: Fit, by_pairs: Fit, *, seed: int = 0) -> float:
    """How much the pairs have to say, 0 to 1, by how likely each share makes the winners of sets that were left out
    (whole groups at a time), with temperature and lapse fitted to each.

    The mean over the shares and one standard deviation: in doubt it leans to the steadier of the two, since a share too
    large costs everybody a little, and one too small costs a few people a lot. Above a hundred sets it falls with their
    number, as the risk does that it insures against.
    """
    scores: list[list[Floats]] = [[] for _ in _SHARES]
    counts = []
    for train, held_out in learn.inner_splits(examples, seed):
        part, rest = examples.take(train), examples.take(held_out)
        choices, pairs = by_choices(part), by_pairs(part)
        for found, share in zip(scores, _SHARES, strict=True):
            found.append(joined(choices, pairs, share).scores(rest))
        counts.append(np.diff(rest.offsets))
    offsets = learn.offsets_of(np.concatenate(counts))
    likely = np.empty(len(_SHARES))
    for number, found in enumerate(scores):
        all_scores = np.concatenate(found)
        chances = fit_calibration(all_scores, offsets).probabilities(all_scores, offsets)
        likely[number] = -segment_losses(np.log(chances), offsets).sum()
    weight = np.exp(likely - likely.max()) * np.array(_BEFORE)
    weight /= weight.sum()
    mean = float(weight @ np.array(_SHARES))
    doubt = float(np.sqrt(weight @ np.square(np.array(_SHARES) - mean)))
    share = min(1.0, mean + doubt) * min(1.0, _FEW / examples.count)
    return share if share >= _LEAST else 0.0
