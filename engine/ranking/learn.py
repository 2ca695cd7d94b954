"""Fitting a taste: Plackett-Luce choices on set-centred features, the inner splits, and the reference to compare with.

Relies on numpy and on scipy's L-BFGS; given the same examples it gives the same weights. Knows arrays only: reading
verdicts, choosing the strength of shrinkage, splitting and saving are others' work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.ranking.measures import Floats, Ints, segment_slope

TOLERANCE = 1e-6
ROUGHLY = 1e-3  # near enough to compare strengths of shrinkage by
_MOST_STEPS = 400
_MANY_SETS = 1_500
_FOLDS = 5


@dataclass(frozen=True)
class Examples:
    """Choices as arrays: `features` (N, d) float, already centred by set; set i is rows offsets[i]:offsets[i + 1],
    its winner first; `groups` (n,) int says which sets share near-duplicates and must stay together. `weights` (n,)
    says how much each set counts (all the same when None), `projects` (n,) the number of its project (None: one)."""

    features: NDArray[Any]
    offsets: Ints
    groups: Ints
    weights: Floats | None = None
    projects: Ints | None = None

    @property
    def count(self) -> int:
        """How many sets."""
        return len(self.offsets) - 1

    @property
    def owners(self) -> Ints:
        """(n,) the project of each set."""
        return np.zeros(self.count, dtype=np.int64) if self.projects is None else self.projects

    def take(self, picked: Ints) -> Examples:
        """These sets only, in the order given."""
        if len(picked) == self.count and np.array_equal(picked, np.arange(self.count)):
            return self
        return Examples(
            self.features[rows_of(self.offsets, picked)],
            offsets_of(np.diff(self.offsets)[picked]),
            self.groups[picked],
            None if self.weights is None else self.weights[picked],
            None if self.projects is None else self.projects[picked],
        )

    def scaled(self, scale: Floats) -> Examples:
        """Features divided by `scale` (d,)."""
        return replace(self, features=self.features / scale)


@dataclass(frozen=True)
class Weights:
    """A shared taste (d,), and how projects (by number) deviate from it."""

    shared: Floats
    deviations: Mapping[int, Floats] = field(default_factory=dict)

    def of(self, project: int) -> Floats:
        """(d,) the weights of one project."""
        return self.shared + self.deviations[project] if project in self.deviations else self.shared

    def scores(self, examples: Examples) -> Floats:
        """(N,) utilities, each set by its project's weights."""
        found = np.asarray(examples.features @ self.shared, dtype=np.float64)
        for owner, deviation in self.deviations.items():
            rows = rows_of(examples.offsets, np.flatnonzero(examples.owners == owner))
            found[rows] += examples.features[rows] @ deviation
        return found


StepHook = Callable[[int, float, Weights], None]


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
    means = np.add.reduceat(vectors, offsets[:-1], axis=0, dtype=np.float64) / np.diff(offsets)[:, None]
    found: Floats = np.asarray(vectors) - np.repeat(means.astype(vectors.dtype), np.diff(offsets), axis=0)
    return found


def feature_scale(centred: NDArray[Any]) -> Floats:
    """(d,) typical size of each feature within a set, so that one strength of shrinkage suits all.

    A feature that hardly varies is not blown up: the floor is a tenth of the median of those that vary at all.
    """
    spread = np.sqrt(np.mean(np.square(centred), axis=0, dtype=np.float64))
    varying = spread[spread > 0]
    if varying.size == 0:
        return np.ones_like(spread)
    return np.asarray(np.maximum(spread, 0.1 * float(np.median(varying))), dtype=np.float64)


def fit(
    examples: Examples,
    alpha: float | Floats,
    *,
    lapse: float = 0.0,
    tolerance: float = TOLERANCE,
    check: Callable[[], None] = lambda: None,
) -> Floats:
    """The shared weights (d,) alone; arguments as in `fit_weights`."""
    return fit_weights(examples, alpha, lapse=lapse, tolerance=tolerance, check=check).shared


def fit_weights(
    examples: Examples,
    alpha: float | Floats,
    *,
    start: Weights | None = None,
    lapse: float = 0.0,
    own: Sequence[int] = (),
    closeness: float = 1.0,
    tolerance: float = TOLERANCE,
    roots: Sequence[Floats] | None = None,
    on_step: StepHook | None = None,
    check: Callable[[], None] = lambda: None,
) -> Weights:
    """The weights that minimise the summed Plackett-Luce loss plus alpha/2 w^2, alpha a number or one a weight (d,).

    With `lapse` e the winner's chance is (1 - e) softmax + e/k: a pick that owes nothing to the images then cannot
    pull at the weights without limit. The projects in `own` may deviate from the shared weights, at a cost of closeness
    alpha/2 per squared deviation (a hierarchical prior). L-BFGS (Nocedal and Wright 2006, ch. 7) until no slope is
    steeper than `tolerance` times the steepest at the start. `roots` are (d, d) roots of roughly known covariances, of
    the shared weights and then of each project's in `own`: steps are taken where these look alike in every direction,
    and there are a few instead of a hundred. `check` is called at every evaluation and may raise;
    `on_step(step, loss a set, weights)` once a step.
    """
    from scipy.optimize import minimize

    if own:  # each project's rows in one piece, so that a step costs the same as without deviations
        examples = examples.take(np.argsort(examples.owners, kind="stable"))
    d = examples.features.shape[1]
    precision = np.broadcast_to(np.asarray(alpha, dtype=np.float64), (d,))
    penalty = np.concatenate([precision, *[closeness * precision] * len(own)])
    pieces = [examples.offsets[np.searchsorted(examples.owners, [one, one + 1])] for one in own]
    counts = np.diff(examples.offsets)

    def outward(point: Floats) -> Floats:
        """The weights that a point stands for, one part after another."""
        if roots is None:
            return point
        parts = zip(roots, point.reshape(-1, d), strict=True)
        return np.concatenate([root @ part for root, part in parts])

    def inward(slopes: Floats) -> Floats:
        """The slope by the point, from the slope by the weights."""
        if roots is None:
            return slopes
        parts = zip(roots, slopes.reshape(-1, d), strict=True)
        return np.concatenate([part @ root for root, part in parts])

    def unpack(point: Floats) -> Weights:
        parts = (base + outward(point)).reshape(-1, d)
        return Weights(parts[0].copy(), {one: part.copy() for one, part in zip(own, parts[1:], strict=True)})

    def loss(place: Floats) -> tuple[float, Floats]:
        check()
        point = base + outward(place)
        parts = point.reshape(-1, d).astype(examples.features.dtype, copy=False)
        scores = np.asarray(examples.features @ parts[0], dtype=np.float64)
        for (begin, end), part in zip(pieces, parts[1:], strict=True):
            scores[begin:end] += examples.features[begin:end] @ part
        losses, slope, _ = segment_slope(scores, examples.offsets, lapse)
        if examples.weights is not None:
            losses, slope = losses * examples.weights, slope * np.repeat(examples.weights, counts)
        slope = slope.astype(examples.features.dtype, copy=False)
        slopes = [slope @ examples.features, *(slope[b:e] @ examples.features[b:e] for b, e in pieces)]
        gradient = np.concatenate(slopes).astype(np.float64) + penalty * point
        # Divided by the number of sets, so that the tolerances mean the same for ten sets and ten thousand.
        total = float(losses.sum()) + 0.5 * float(penalty @ np.square(point))
        return total / examples.count, inward(gradient) / examples.count

    origin = np.zeros(d * (1 + len(own)))
    base = origin
    if start is not None:
        base = np.concatenate([start.shared, *(start.deviations.get(one, np.zeros(d)) for one in own)])
    step = 0
    value = 0.0

    def stepped(point: Floats) -> None:
        nonlocal step
        if on_step is not None:
            on_step(step, value, unpack(point))
        step += 1

    def watched(point: Floats) -> tuple[float, Floats]:
        nonlocal value
        value, gradient = loss(point)
        return value, gradient

    if roots is None:
        flat = tolerance * (float(np.abs(loss(-base)[1]).max()) or 1.0)
    else:  # where directions look alike, a slope is a distance in standard deviations; single precision knows no finer
        finest = 1e-3 if examples.features.dtype == np.float32 else 0.0
        flat = max(10 * tolerance, finest) / examples.count
    found = minimize(
        watched,
        origin,
        jac=True,
        method="L-BFGS-B",
        callback=stepped,
        options={"maxiter": _MOST_STEPS, "maxcor": 20, "gtol": flat, "ftol": tolerance * 1e-6},
    )
    return unpack(found.x)


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


def fit_logistic_difference(
    examples: Examples, *, seed: int, strength: float | None = None, check: Callable[[], None] = lambda: None
) -> Floats:
    """Weights (d,) of scikit-learn's logistic regression on winner-minus-loser differences: the reference.

    Same features; its C (`strength`) is chosen on the same inner splits, so that the comparison is fair.
    """
    if strength is None:
        strength = logistic_strength(examples, seed=seed, check=check)
    check()
    return _logistic(examples, strength)


def logistic_strength(examples: Examples, *, seed: int, check: Callable[[], None] = lambda: None) -> float:
    """The reference's C, by the likelihood of inner held-out pairs."""
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
    return best


def _differences(examples: Examples) -> NDArray[Any]:
    counts = np.diff(examples.offsets)
    winners = np.repeat(examples.features[examples.offsets[:-1]], counts, axis=0)
    is_loser = np.ones(len(examples.features), dtype=bool)
    is_loser[examples.offsets[:-1]] = False
    found: NDArray[Any] = (winners - examples.features)[is_loser]
    return found


def _logistic(examples: Examples, strength: float) -> Floats:
    from sklearn.linear_model import LogisticRegression

    differences = _differences(examples)
    # Without an intercept the loss of (x, 1) and of (-x, 0) is the same; it only has to see both classes.
    signs = np.where(np.arange(len(differences)) % 2 == 0, 1.0, -1.0)
    differences *= signs[:, None].astype(differences.dtype)
    model = LogisticRegression(C=strength, fit_intercept=False, max_iter=1_000)
    model.fit(differences, signs)
    return np.asarray(model.coef_[0], dtype=np.float64)
