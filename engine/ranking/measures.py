"""The mathematics of ranking measured: likelihood, accuracy, calibration, bootstrap. Pure functions over arrays.

Relies on numpy alone. Sets of different sizes lie one after another: `scores` is (N,) float, and set i is
`scores[offsets[i]:offsets[i + 1]]` with `offsets` (n + 1,) int and every set at least two long; the winner comes first
in its set, which no function here takes as a hint. Higher scores are better.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_HALF_STEPS = 80


def plackett_luce_loss(scores: NDArray[Any], winner: int) -> float:
    """Negative log-likelihood of the winner of one set: -log softmax(scores)[winner], in nats.

    The first choice of the Plackett-Luce model (Luce 1959, Plackett 1975); for two images it is Bradley-Terry.
    """
    values = np.asarray(scores, dtype=np.float64)
    top = values.max()
    return float(top + np.log(np.exp(values - top).sum()) - values[winner])


def segment_losses(scores: Floats, offsets: Ints) -> Floats:
    """(n,) negative log-likelihood of each set's winner."""
    starts, counts = offsets[:-1], np.diff(offsets)
    top = np.maximum.reduceat(scores, starts)
    total = np.add.reduceat(np.exp(scores - np.repeat(top, counts)), starts)
    return np.asarray(top + np.log(total) - scores[starts], dtype=np.float64)


def segment_softmax(scores: Floats, offsets: Ints) -> Floats:
    """(N,) probability of each image to be its set's winner."""
    starts, counts = offsets[:-1], np.diff(offsets)
    top = np.maximum.reduceat(scores, starts)
    exponents = np.exp(scores - np.repeat(top, counts))
    return np.asarray(exponents / np.repeat(np.add.reduceat(exponents, starts), counts), dtype=np.float64)


def segment_slope(scores: Floats, offsets: Ints, lapse: float = 0.0) -> tuple[Floats, Floats, Floats]:
    """Loss of each set (n,), its slope by each score (N,), and (n,) how likely each pick owes anything to the scores.

    The winner's chance is (1 - lapse) softmax + lapse/k; without a lapse the last is 1 for every set, and the slope is
    the probability, less 1 for the winner.
    """
    starts, counts = offsets[:-1], np.diff(offsets)
    slope = segment_softmax(scores, offsets)
    if lapse == 0.0:
        slope[starts] -= 1.0
        return segment_losses(scores, offsets), slope, np.ones(len(starts))
    meant = (1 - lapse) * slope[starts]
    chance = meant + lapse / counts
    share = meant / chance
    slope *= np.repeat(share, counts)
    slope[starts] -= share
    return -np.log(chance), slope, share


def softmax(scores: Floats) -> Floats:
    """(n,) probabilities of one set."""
    exponents = np.exp(scores - scores.max())
    return np.asarray(exponents / exponents.sum(), dtype=np.float64)


MOST_PAIRS = 10


def pair_hits(scores: Floats, offsets: Ints) -> tuple[Floats, Floats]:
    """For each set: how many (winner, loser) pairs the scores order rightly (a tie is half), and how many there are.

    A set counts for `MOST_PAIRS` pairs at most, in proportion: one of hundreds of images must not outvote all others.
    """
    starts, counts = offsets[:-1], np.diff(offsets)
    ahead = np.repeat(scores[starts], counts) - scores
    right = np.where(ahead > 0, 1.0, np.where(ahead == 0, 0.5, 0.0))
    hits, pairs = np.add.reduceat(right, starts) - 0.5, (counts - 1).astype(np.float64)  # the winner ties with itself
    weight = np.minimum(1.0, MOST_PAIRS / np.maximum(pairs, 1.0))
    return hits * weight, pairs * weight


def pair_accuracy(scores: Floats, offsets: Ints) -> float:
    """Share of (winner, loser) pairs in the right order."""
    hits, pairs = pair_hits(scores, offsets)
    return float(hits.sum() / pairs.sum())


def top_hits(scores: Floats, offsets: Ints) -> Floats:
    """(n,) 1 where the winner has the highest score, 1/k where it shares it with k - 1 others, else 0."""
    starts, counts = offsets[:-1], np.diff(offsets)
    top = np.maximum.reduceat(scores, starts)
    shared = np.add.reduceat((scores == np.repeat(top, counts)).astype(np.float64), starts)
    return np.where(scores[starts] == top, 1.0 / shared, 0.0)


def expected_calibration_error(confidence: NDArray[Any], correct: NDArray[Any], bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over bins of equal mass (adaptive bins; Nixon et al. 2019)."""
    confidences = np.asarray(confidence, dtype=np.float64)
    hits = np.asarray(correct, dtype=np.float64)
    if confidences.size == 0:
        return 0.0
    order = np.argsort(confidences, kind="stable")
    gap = 0.0
    for part in np.array_split(order, min(bins, order.size)):
        gap += part.size * abs(float(confidences[part].mean()) - float(hits[part].mean()))
    return gap / order.size


def calibration_floor(confidence: NDArray[Any], bins: int = 15, draws: int = 100, seed: int = 0) -> float:
    """The expected calibration error that a perfectly calibrated model with these confidences (n,) has by chance alone.

    Simulated: each answer is right with the probability that was claimed, `draws` times, and the errors' mean is
    taken. Only what an error is above this says that the confidence is off; with few sets the floor is high.
    """
    claimed = np.asarray(confidence, dtype=np.float64)
    random = np.random.default_rng(seed)
    drawn = (random.random(claimed.size) < claimed for _ in range(draws))
    return float(np.mean([expected_calibration_error(claimed, right, bins) for right in drawn]))


def fit_temperature(logits: Sequence[NDArray[Any]], winners: Sequence[int]) -> float:
    """The T that makes softmax(logits / T) most likely for the winners (temperature scaling; Guo et al. 2017)."""
    ordered = [np.concatenate(([row[w]], np.delete(row, w))) for row, w in zip(logits, winners, strict=True)]
    offsets = np.concatenate(([0], np.cumsum([len(row) for row in ordered]))).astype(np.int64)
    return segment_temperature(np.concatenate(ordered).astype(np.float64), offsets)


def segment_temperature(scores: Floats, offsets: Ints, lowest: float = 1e-3, highest: float = 1e3) -> float:
    """As `fit_temperature`, over sets that lie one after another.

    The likelihood is convex in b = 1/T, and its slope is the sum of E[score] - score of the winner: bisection on log b
    finds the root, clipped to [1/highest, 1/lowest] where the data would have T grow or shrink without end.
    """
    starts = offsets[:-1]

    def slope(inverse: float) -> float:
        expected = np.add.reduceat(segment_softmax(scores * inverse, offsets) * scores, starts)
        return float((expected - scores[starts]).sum())

    low, high = np.log(1 / highest), np.log(1 / lowest)
    for _ in range(_HALF_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(float(np.exp(middle))) < 0 else (low, middle)
    return float(np.exp(-(low + high) / 2))


@dataclass(frozen=True)
class Calibration:
    """How scores become probabilities: softmax(score / temperature), mixed with an even chance for the picks that owe
    nothing to the scores (the lapse rate of psychophysics; Wichmann and Hill 2001)."""

    temperature: float = 1.0
    lapse: float = 0.0

    def probabilities(self, scores: Floats, offsets: Ints) -> Floats:
        """(N,) probability of each image to be its set's winner."""
        counts = np.diff(offsets)
        likely = segment_softmax(scores / self.temperature, offsets)
        return np.asarray((1 - self.lapse) * likely + self.lapse / np.repeat(counts, counts), dtype=np.float64)

    def confidences(self, scores: Floats, offsets: Ints) -> Floats:
        """(n,) probability that the image with the highest score is the winner."""
        return np.asarray(np.maximum.reduceat(self.probabilities(scores, offsets), offsets[:-1]), dtype=np.float64)


def fit_calibration(scores: Floats, offsets: Ints) -> Calibration:
    """The temperature and lapse rate that make the winners most likely, on sets the scores were not learned from.

    Weak priors keep a dozen sets from claiming certainty: log T around 0 with a spread of 1, lapse as one slip in
    twenty picks. Temperature alone would take one unlikely slip for a general lack of taste, and be unsure everywhere.
    """
    from scipy.optimize import minimize

    starts, counts = offsets[:-1], np.diff(offsets)

    def loss(point: Floats) -> float:
        log_temperature, log_odds = float(np.clip(point[0], -7, 7)), float(np.clip(point[1], -12, 0))
        lapse = 1 / (1 + np.exp(-log_odds))
        likely = segment_softmax(scores / np.exp(log_temperature), offsets)[starts]
        prior = 0.5 * log_temperature**2 - np.log(lapse) - 19 * np.log(1 - lapse)
        return float(prior - np.log((1 - lapse) * likely + lapse / counts).sum())

    best = minimize(loss, np.array([np.log(segment_temperature(scores, offsets)), -3.0]), method="Nelder-Mead").x
    lapse = 1 / (1 + np.exp(-np.clip(best[1], -12, 0)))
    return Calibration(float(np.exp(np.clip(best[0], -7, 7))), float(lapse))


def bootstrap_gap(
    hits: Floats, others: Floats, pairs: Floats, *, seed: int, draws: int = 2_000, level: float = 0.95
) -> tuple[float, float]:
    """Interval of the difference in pair accuracy between two scorers on the same sets, resampling whole sets.

    `hits` and `others` are (n,) right pairs by each, `pairs` (n,) pairs in each set.
    """
    random = np.random.default_rng(seed)
    gaps = np.empty(draws)
    difference = hits - others
    for start in range(0, draws, 200):  # in slices: 10,000 sets by 2,000 draws at once would be 160 MB
        stop = min(start + 200, draws)
        drawn = random.integers(0, pairs.size, size=(stop - start, pairs.size))
        gaps[start:stop] = difference[drawn].sum(axis=1) / pairs[drawn].sum(axis=1)
    low, high = np.quantile(gaps, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def bootstrap_share(
    hits: Floats, pairs: Floats, *, seed: int, draws: int = 2_000, level: float = 0.95
) -> tuple[float, float]:
    """Interval of the pair accuracy itself, resampling whole sets; arguments as in `bootstrap_gap`."""
    return bootstrap_gap(hits, np.zeros_like(hits), pairs, seed=seed, draws=draws, level=level)


def brier_score(probabilities: Floats, offsets: Ints) -> float:
    """Mean over sets of the squared distance between the probabilities and the outcome, 0 to 2 (Brier 1950)."""
    starts = offsets[:-1]
    squares = np.add.reduceat(np.square(probabilities), starts)
    return float((squares - 2 * probabilities[starts] + 1).mean())
