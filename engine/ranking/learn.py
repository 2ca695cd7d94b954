"""Learning a taste: a linear Plackett-Luce model on set-centred features, its strength of shrinkage, its temperature.

Relies on torch (L-BFGS in float64) and numpy; given the same examples it gives the same weights. Knows arrays only:
reading verdicts, splitting and saving are others' work. Torch is imported when a fit begins, never at start.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from engine.ranking.measures import Floats, Ints, pair_accuracy, segment_losses

ALPHAS: tuple[float, ...] = tuple(float(value) for value in np.logspace(3, -3, 13))
MAX_STEPS = 60
_INNER_ITERATIONS = 4
_TOLERANCE = 1e-6
_ROUGHLY = 1e-3  # near enough to compare strengths of shrinkage by
_SMALL = (
    2_000_000  # numbers; below this, threads cost more than they bring, and the person at the keys wants the other core
)
_MANY_SETS = 1_500
_FOLDS = 5

StepHook = Callable[[int, float, Floats], None]


@dataclass(frozen=True)
class Examples:
    """Choices as arrays: `features` (N, d) float64 already centred by set; set i is rows offsets[i]:offsets[i + 1],
    its winner first; `groups` (n,) int says which sets share near-duplicates and must stay together."""

    features: Floats
    offsets: Ints
    groups: Ints

    @property
    def count(self) -> int:
        """How many sets."""
        return len(self.offsets) - 1

    def take(self, picked: Ints) -> Examples:
        """These sets only, in the order given."""
        return Examples(
            self.features[rows_of(self.offsets, picked)],
            offsets_of(np.diff(self.offsets)[picked]),
            self.groups[picked],
        )

    def scaled(self, scale: Floats) -> Examples:
        """Features divided by `scale` (d,)."""
        return replace(self, features=self.features / scale)


def offsets_of(counts: Ints) -> Ints:
    """Where each set begins, given how many images each has; (n + 1,)."""
    return np.concatenate(([0], np.cumsum(counts))).astype(np.int64)


def rows_of(offsets: Ints, picked: Ints) -> Ints:
    """Row numbers of the picked sets, one set after another."""
    starts, counts = offsets[:-1][picked], np.diff(offsets)[picked]
    within = np.arange(counts.sum()) - np.repeat(offsets_of(counts)[:-1], counts)
    return np.asarray(np.repeat(starts, counts) + within, dtype=np.int64)


def centre(vectors: Floats, offsets: Ints) -> Floats:
    """(N, d) the vectors with their set's mean taken off: what sets an image apart from its rivals."""
    means = np.add.reduceat(vectors, offsets[:-1], axis=0) / np.diff(offsets)[:, None]
    return np.asarray(vectors - np.repeat(means, np.diff(offsets), axis=0), dtype=np.float64)


def feature_scale(centred: Floats) -> Floats:
    """(d,) typical size of each feature within a set, so that one strength of shrinkage suits all.

    A feature that hardly varies is not blown up: the floor is a tenth of the median of those that vary at all.
    """
    spread = np.sqrt(np.mean(np.square(centred), axis=0))
    varying = spread[spread > 0]
    if varying.size == 0:
        return np.ones_like(spread)
    return np.asarray(np.maximum(spread, 0.1 * float(np.median(varying))), dtype=np.float64)


def fit(
    examples: Examples,
    alpha: float,
    *,
    start: Floats | None = None,
    tolerance: float = _TOLERANCE,
    on_step: StepHook | None = None,
    check: Callable[[], None] = lambda: None,
) -> Floats:
    """Weights (d,) float64 that minimise the summed Plackett-Luce loss plus alpha/2 |w|^2.

    L-BFGS with strong Wolfe line search (Nocedal and Wright 2006, ch. 7) until no slope of the loss is steeper
    than `tolerance` times the steepest at the start. `check` is called at every evaluation and
    may raise; `on_step(step, loss a set, weights)` once a step.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1 if examples.features.size < _SMALL else threads)
    try:
        return _fit(examples, alpha, start, tolerance, on_step, check)
    finally:
        torch.set_num_threads(threads)


def _fit(
    examples: Examples,
    alpha: float,
    start: Floats | None,
    tolerance: float,
    on_step: StepHook | None,
    check: Callable[[], None],
) -> Floats:
    import torch

    features = torch.from_numpy(np.ascontiguousarray(examples.features))
    index, mask = _padded(examples.offsets)
    places, absent = torch.from_numpy(index), torch.from_numpy(~mask)
    # At weights of zero every image of a set is as likely, and the slope is minus the mean winner (sets are centred).
    tolerance *= float(np.abs(examples.features[examples.offsets[:-1]].mean(axis=0)).max()) or 1.0
    weights = torch.zeros(features.shape[1], dtype=torch.float64)
    if start is not None:
        weights.copy_(torch.from_numpy(start))
    weights.requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [weights],
        max_iter=_INNER_ITERATIONS,
        history_size=20,
        line_search_fn="strong_wolfe",
        tolerance_grad=tolerance,
        tolerance_change=1e-12,
    )

    def closure() -> float:
        check()
        optimizer.zero_grad()
        scores = (features @ weights)[places].masked_fill(absent, float("-inf"))
        likelihood = torch.logsumexp(scores, dim=1).sum() - scores[:, 0].sum()
        # Divided by the number of sets, so that the tolerances mean the same for ten sets and ten thousand.
        loss = (likelihood + alpha / 2 * weights.square().sum()) / examples.count
        loss.backward()  # type: ignore[no-untyped-call]
        return float(loss.detach())

    last = float("inf")
    for step in range(MAX_STEPS):
        loss = float(optimizer.step(closure))  # type: ignore[no-untyped-call]
        gradient = weights.grad
        if on_step is not None:
            on_step(step, loss, weights.detach().numpy().copy())
        if gradient is None or float(gradient.abs().max()) < tolerance or last - loss < 1e-12:
            break
        last = loss
    return np.asarray(weights.detach().numpy(), dtype=np.float64).copy()


def _padded(offsets: Ints) -> tuple[Ints, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]:
    """(n, longest) row numbers of each set, and which of them are real."""
    counts = np.diff(offsets)
    columns = np.arange(counts.max())[None, :]
    mask = columns < counts[:, None]
    return np.where(mask, offsets[:-1, None] + columns, 0).astype(np.int64), mask


@dataclass(frozen=True)
class Tuned:
    """What the inner split chose: the shrinkage, and the scores of the inner held-out sets to calibrate on."""

    alpha: float
    scores: Floats
    offsets: Ints
    folds: int
    loss: float


def tune(
    examples: Examples,
    *,
    seed: int,
    alphas: Sequence[float] = ALPHAS,
    check: Callable[[], None] = lambda: None,
    on_alpha: Callable[[float, float, float], None] | None = None,
) -> Tuned:
    """Choose alpha by the loss on inner held-out sets.

    With few sets by cross-validation over groups, so that every set is held out once; with many by one inner split
    forward in time. From strong to weak shrinkage, each fit starting at the last; it ends when things only get worse.
    `on_alpha(alpha, loss a set, pair accuracy)` tells how it goes.
    """
    splits = list(inner_splits(examples, seed))
    starts: list[Floats | None] = [None] * len(splits)
    best: tuple[float, float, Floats, Ints] | None = None
    worse = 0
    for alpha in alphas:
        scores, counts = [], []
        for number, (train, held_out) in enumerate(splits):
            weights = fit(examples.take(train), alpha, start=starts[number], tolerance=_ROUGHLY, check=check)
            starts[number] = weights
            part = examples.take(held_out)
            scores.append(part.features @ weights)
            counts.append(np.diff(part.offsets))
        pooled, offsets = np.concatenate(scores), offsets_of(np.concatenate(counts))
        loss = float(segment_losses(pooled, offsets).mean())
        if on_alpha is not None:
            on_alpha(alpha, loss, pair_accuracy(pooled, offsets))
        if best is None or loss < best[0]:
            best, worse = (loss, alpha, pooled, offsets), 0
        else:
            worse += 1
            if worse == 2:
                break
    if best is None:
        raise ValueError("no alpha to try")
    loss, alpha, pooled, offsets = best
    return Tuned(alpha, pooled, offsets, len(splits), loss)


def inner_splits(examples: Examples, seed: int) -> Iterator[tuple[Ints, Ints]]:
    """(train, held out) set numbers: folds over whole groups, or for many sets the newest fifth against the rest.

    Groups that would be on both sides of the cut are left out of its training side.
    """
    everything = np.arange(examples.count)
    if examples.count > _MANY_SETS:
        cut = int(examples.count * 0.8)
        held_out = everything[cut:]
        train = everything[:cut][~np.isin(examples.groups[:cut], examples.groups[held_out])]
        if len(train) >= cut // 2:
            yield train, held_out
            return
    names, sizes = np.unique(examples.groups, return_counts=True)
    if len(names) < 2:  # one group alone cannot be kept apart from itself
        names, sizes = everything, np.ones_like(everything)
        groups = everything
    else:
        groups = examples.groups
    folds = min(_FOLDS, len(names))
    order = np.random.default_rng(seed).permutation(len(names))
    order = order[np.argsort(-sizes[order], kind="stable")]  # the largest first, so that folds come out even
    load = np.zeros(folds, dtype=np.int64)
    fold_of = {}
    for index in order:
        fold = int(load.argmin())
        load[fold] += sizes[index]
        fold_of[int(names[index])] = fold
    folded = np.array([fold_of[int(group)] for group in groups])
    for fold in range(folds):
        yield everything[folded != fold], everything[folded == fold]


def fit_logistic_difference(examples: Examples, *, seed: int, check: Callable[[], None] = lambda: None) -> Floats:
    """Weights (d,) of scikit-learn's logistic regression on winner-minus-loser differences: the reference.

    Same features; its C is chosen on the same inner splits, so that the comparison is fair.
    """
    splits = list(inner_splits(examples, seed))
    best, best_loss = 1.0, float("inf")
    for strength in (1e-4, 1e-3, 1e-2, 1e-1, 1.0):
        losses = []
        for train, held_out in splits:
            check()
            part = examples.take(held_out)
            difference = _differences(part) @ _logistic(examples.take(train), strength)
            losses.append(np.logaddexp(0, -difference))
        loss = float(np.concatenate(losses).mean())
        if loss < best_loss:
            best, best_loss = strength, loss
    check()
    return _logistic(examples, best)


def _differences(examples: Examples) -> Floats:
    counts = np.diff(examples.offsets)
    winners = np.repeat(examples.features[examples.offsets[:-1]], counts, axis=0)
    is_loser = np.ones(len(examples.features), dtype=bool)
    is_loser[examples.offsets[:-1]] = False
    return np.asarray((winners - examples.features)[is_loser], dtype=np.float64)


def _logistic(examples: Examples, strength: float) -> Floats:
    from sklearn.linear_model import LogisticRegression

    differences = _differences(examples)
    # Without an intercept the loss of (x, 1) and of (-x, 0) is the same; it only has to see both classes.
    signs = np.where(np.arange(len(differences)) % 2 == 0, 1.0, -1.0)
    model = LogisticRegression(C=strength, fit_intercept=False, max_iter=1_000)
    model.fit(differences * signs[:, None], signs)
    return np.asarray(model.coef_[0], dtype=np.float64)
