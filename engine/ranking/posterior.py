"""What is believed of a taste: a Gaussian over weights, found by Laplace's method, that grows surer with every set.

The model is the Bayesian last layer: utilities are linear in the features, the winner of a set follows Plackett-Luce,
and one pick in some owes nothing to the images (the lapse). Each block of features has a prior scale of its own, and
each project may deviate from the shared taste; how much of either is chosen by the evidence (MacKay 1992) and not by
trying. With few sets its direction is averaged with what the pairs by themselves say (`stacking`). Relies on numpy, and
on scipy while fitting; knows arrays only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from engine.ranking import learn, stacking
from engine.ranking.learn import Examples, StepHook, Weights
from engine.ranking.measures import Floats, Ints, segment_slope, segment_softmax
from engine.ranking.narrow import Narrow

LAPSE = 0.05
ROUNDS = 12
_SETTLED = 0.05  # a change in the logarithm of a strength that no longer matters
_WEAKEST, _STRONGEST = 1e-4, 1e4
_CLOSEST, _LOOSEST = 1e3, 0.1
# The lapse's prior, as four careless picks in forty seen before. Left to a hundred sets alone it comes out too small,
# since weights can bend towards the odd pick.
_SLIPS, _PICKS = 4.0, 40.0
_ROWS = 4_096
_BEYOND = 1.0
_SOME = 2_000  # sets that the strengths are first chosen by, where there are many more
_HELD = 1e6  # a precision that is meant to hold weights at nothing
_FAR = 0.7  # a strength that has doubled or halved: the steps are measured out anew


@dataclass(frozen=True)
class Gaussian:
    """Weights with their doubt: `mean` (d,) and `covariance` (d, d)."""

    mean: Floats
    covariance: Floats

    def logits(self, features: Floats, offsets: Ints) -> Floats:
        """(N,) log-probabilities of each image to win its set, the doubt about the weights taken into account."""
        found = np.empty(int(offsets[-1]))
        for first in range(0, len(offsets) - 1, _ROWS):
            some = offsets[first : first + _ROWS + 1]
            rows = features[some[0] : some[-1]]
            utilities = np.asarray(rows @ self.mean, dtype=np.float64)
            spread = rows @ self.covariance
            for start, stop in zip(some[:-1] - some[0], some[1:] - some[0], strict=True):
                part = slice(int(start), int(stop))
                found[some[0] + start : some[0] + stop] = moderated(utilities[part], spread[part] @ rows[part].T)
        return found


def moderated(utilities: Floats, covariance: Floats) -> Floats:
    """(n,) log-probabilities to win, from utilities (n,) that are known up to `covariance` (n, n).

    Each pair's chance is moderated by the doubt about its difference (MacKay 1992: kappa = 1/sqrt(1 + pi/8 variance)),
    and the pairs are joined as in the softmax (mean-field, Lu et al. 2020); without doubt it is the softmax itself.
    """
    own = np.diag(covariance)
    doubt = np.maximum(own[:, None] + own[None, :] - 2 * covariance, 0.0)
    behind = (utilities[None, :] - utilities[:, None]) / np.sqrt(1 + np.pi / 8 * doubt)
    top = np.maximum(behind.max(axis=1), 0.0)
    logits = -(top + np.log(np.exp(behind - top[:, None]).sum(axis=1)))
    peak = logits.max()
    return np.asarray(logits - peak - np.log(np.exp(logits - peak).sum()), dtype=np.float64)


@dataclass(frozen=True)
class Prior:
    """What is assumed before the first set: each block's strength (precision of its weights), how much nearer a
    project is to the shared taste than that is to nothing (`closeness`, a factor on the precision), the lapse, and how
    much of the weights the pairs by themselves have to say (`stacking`)."""

    blocks: Mapping[str, slice]
    strengths: Mapping[str, float]
    closeness: float = 4.0
    lapse: float = LAPSE
    pairs: float = 0.0

    @property
    def precision(self) -> Floats:
        """(d,) precision of each weight."""
        found = np.ones(max((block.stop for block in self.blocks.values()), default=0))
        for name, block in self.blocks.items():
            found[block] = self.strengths[name]
        return found

    def without(self, name: str) -> Prior:
        """The prior that holds a block's weights at nothing."""
        return replace(self, strengths={**self.strengths, name: 1e9})

    @classmethod
    def first(cls, blocks: Mapping[str, slice]) -> Prior:
        """What the evidence starts from, and what holds while there is no set to tell otherwise: utilities that differ
        by about one within a set (features are scaled to a length of one a block)."""
        return cls(blocks, {name: 1.0 / max(1, block.stop - block.start) for name, block in blocks.items()})


@dataclass(frozen=True)
class Belief:
    """The whole posterior: the shared taste, and each deviating project's own (by its number in the examples)."""

    prior: Prior
    weights: Weights
    shared: Gaussian
    own: Mapping[int, Gaussian] = field(default_factory=dict)

    def of(self, project: int) -> Gaussian:
        """The belief about a project; about one that was not seen, the shared taste."""
        return self.own.get(project, self.shared)

    def scores(self, examples: Examples) -> Floats:
        """(N,) utilities."""
        return self._each(examples, lambda taste, part: np.asarray(part.features @ taste.mean, dtype=np.float64))

    def logits(self, examples: Examples) -> Floats:
        """(N,) log-probabilities to win, each set by its project's belief."""
        return self._each(examples, lambda taste, part: taste.logits(part.features, part.offsets))

    def _each(self, examples: Examples, ask: Callable[[Gaussian, Examples], Floats]) -> Floats:
        found = np.empty(len(examples.features))
        owners = np.where(np.isin(examples.owners, list(self.own)), examples.owners, -1)
        for owner in np.unique(owners):
            sets = np.flatnonzero(owners == owner)
            found[learn.rows_of(examples.offsets, sets)] = ask(self.of(int(owner)), examples.take(sets))
        return found


def believe(
    examples: Examples,
    blocks: Mapping[str, slice],
    *,
    prior: Prior | None = None,
    own: Sequence[int] = (),
    closeness: float | None = None,
    start: Belief | None = None,
    from_nothing: bool = False,
    rounds: int = ROUNDS,
    on_step: StepHook | None = None,
    on_round: Callable[[int, Prior], None] = lambda _round, _prior: None,
    check: Callable[[], None] = lambda: None,
) -> Belief:
    """The posterior after these sets. Without a `prior` its strengths are chosen by the evidence.

    `own` are the projects (numbers of `examples.projects`) that may deviate from the shared taste, as far as the
    evidence says, or as far as a `closeness` that is given. The evidence is
    climbed by MacKay's fixed point: a strength becomes the number of weights that the data determine, over the sum of
    their squares; the lapse takes one step of expectation and maximisation a round.
    `start` is a belief to begin near; with `from_nothing` it only tells how long the steps should be, so that they show
    the whole way.
    """
    present = np.unique(examples.owners)
    own = [one for one in own if one in present] if len(present) > 1 else []
    if prior is None and start is None and examples.count >= 2 * _SOME:
        # Every so many sets tell the strengths nearly as well; what is left to do with all of them is a round or two.
        some = examples.take(np.arange(0, examples.count, examples.count // _SOME))
        start = believe(some, blocks, own=own, closeness=closeness, rounds=rounds, on_round=on_round, check=check)
    chosen = prior or (start.prior if start is not None else Prior.first(blocks))
    if closeness is not None and prior is None:
        chosen = replace(chosen, closeness=closeness)
    near = start if start is not None else _at_nothing(examples, chosen, own, check)
    roots = _roots(near, own)
    steps: dict[str, float] = {}
    for round_ in range(0 if prior is not None else rounds):
        found = _fit(examples, chosen, own, near.weights, roots, learn.ROUGHLY, check)
        near, better = _laplace(examples, chosen, found, own, check)
        if closeness is not None:
            better = replace(better, closeness=closeness)
        steps, before = {name: better.strengths[name] / chosen.strengths[name] for name in better.strengths}, steps
        better = replace(better, strengths=_further(better.strengths, steps, before))
        on_round(round_, better)
        moved = _moved(chosen, better)
        if moved > _FAR or round_ == 0:
            roots = _roots(near, own)
        chosen = better
        if moved < _SETTLED:
            break
    begin = None if from_nothing else near.weights
    weights = _fit(examples, chosen, own, begin, roots, learn.TOLERANCE, check, on_step)
    belief = _laplace(examples, chosen, weights, own, check)[0]
    if prior is None:
        is_few = examples.count <= stacking.MOST_SETS
        chosen = replace(chosen, pairs=_share_of_pairs(examples, chosen, own, check) if is_few else 0.0)
        belief = replace(belief, prior=chosen)
    return _joined(belief, by_pairs(examples, chosen, own, check)) if chosen.pairs else belief


def _share_of_pairs(examples: Examples, prior: Prior, own: Sequence[int], check: Callable[[], None]) -> float:
    def by_choices(part: Examples) -> Weights:
        return learn.fit_weights(
            part,
            prior.precision,
            lapse=prior.lapse,
            own=_present(own, part),
            closeness=prior.closeness,
            tolerance=learn.ROUGHLY,
            check=check,
        )

    return stacking.share_of_pairs(examples, by_choices, lambda part: by_pairs(part, prior, own, check))


def by_pairs(examples: Examples, prior: Prior, own: Sequence[int], check: Callable[[], None]) -> Weights:
    """What the pairs by themselves say; a block that the prior holds at nothing stays there."""
    held = np.where(prior.precision >= _HELD, prior.precision, stacking.PRECISION)
    return learn.fit_weights(
        stacking.pairs_of(examples),
        held,
        own=_present(own, examples),
        closeness=prior.closeness,
        tolerance=learn.ROUGHLY,
        check=check,
    )


def _present(own: Sequence[int], part: Examples) -> list[int]:
    return [one for one in own if one in part.owners]


def _joined(belief: Belief, pairs: Weights) -> Belief:
    """The belief with its means moved towards what the pairs say, by the share that the prior gives them."""
    weights = stacking.joined(belief.weights, pairs, belief.prior.pairs)
    own = {one: replace(taste, mean=weights.of(one)) for one, taste in belief.own.items()}
    return replace(belief, weights=weights, shared=replace(belief.shared, mean=weights.shared), own=own)


def _at_nothing(examples: Examples, prior: Prior, own: Sequence[int], check: Callable[[], None]) -> Belief:
    """What would be believed if all weights were nothing: how surely each direction can be told."""
    d = examples.features.shape[1]
    return _laplace(examples, prior, Weights(np.zeros(d), {one: np.zeros(d) for one in own}), own, check)[0]


def _roots(near: Belief, own: Sequence[int]) -> list[Floats]:
    """Roots of how surely each direction is told, of the shared taste and of each project: what the steps go by."""
    tastes = [near.shared, *(near.of(one) for one in own)]
    return [np.asarray(np.linalg.cholesky(taste.covariance), dtype=np.float64) for taste in tastes]


def _fit(
    examples: Examples,
    prior: Prior,
    own: Sequence[int],
    start: Weights | None,
    roots: Sequence[Floats],
    tolerance: float,
    check: Callable[[], None],
    on_step: StepHook | None = None,
) -> Weights:
    """The most likely weights."""
    return learn.fit_weights(
        examples,
        prior.precision,
        start=start,
        lapse=prior.lapse,
        own=own,
        closeness=prior.closeness,
        tolerance=tolerance,
        roots=roots,
        on_step=on_step,
        check=check,
    )


def curvature(examples: Examples, weights: Floats, lapse: float) -> tuple[Floats, Floats]:
    """(d, d) the Fisher information of the sets at these weights, and (n,) how likely each pick owes to the images.

    A set adds X^T (diag p - p p^T) X, times the chance that its pick was no lapse (positive semi-definite always, which
    the exact second derivative of a mixture is not).
    """
    from scipy.sparse import csr_array

    d = examples.features.shape[1]
    found = np.zeros((d, d))
    counts = np.diff(examples.offsets)
    scores = np.asarray(examples.features @ weights.astype(examples.features.dtype), dtype=np.float64)
    chance = segment_softmax(scores, examples.offsets)
    share = segment_slope(scores, examples.offsets, lapse)[2]
    importance = share if examples.weights is None else share * examples.weights
    kind = examples.features.dtype
    for first in range(0, examples.count, _ROWS):
        some = examples.offsets[first : first + _ROWS + 1]
        rows = examples.features[some[0] : some[-1]]
        each = np.repeat(importance[first : first + _ROWS], counts[first : first + _ROWS])
        p = chance[some[0] : some[-1]]
        weighed = rows * np.sqrt(each * p)[:, None].astype(kind)
        found += weighed.T @ weighed
        # As a product with a sparse matrix: adding up rows one set after another takes numpy ten times as long.
        sums = ((p * np.sqrt(each)).astype(kind), np.arange(len(rows)), some - some[0])
        middle = csr_array(sums, shape=(len(some) - 1, len(rows))) @ rows
        found -= middle.T @ middle
    return found, share


def _laplace(
    examples: Examples, prior: Prior, weights: Weights, own: Sequence[int], check: Callable[[], None]
) -> tuple[Belief, Prior]:
    """The Gaussian around the most likely weights, and the prior that the evidence would rather have."""
    narrow = Narrow.of(examples, prior.precision)
    if narrow is None:
        arrow = _arrow(examples, prior.precision, prior, weights, own, check)
        shared, covariances = arrow.shared, arrow.own
    else:
        deviations = {one: narrow.weights(value) for one, value in weights.deviations.items()}
        inside = Weights(narrow.weights(weights.shared), deviations)
        arrow = _arrow(narrow.examples(examples), np.ones(narrow.basis.shape[1]), prior, inside, own, check)
        shared = narrow.covariance(arrow.shared, 1.0)
        far = 1.0 + 1.0 / prior.closeness  # where no set speaks: the shared prior's doubt and a deviation's
        covariances = {one: narrow.covariance(found, far) for one, found in arrow.own.items()}
    doubt = np.diag(shared)
    strengths = {}
    for name, block in prior.blocks.items():
        size = block.stop - block.start
        known = max(size - prior.strengths[name] * float(doubt[block].sum()), 0.0)
        # A weak prior on the strength itself (as a twentieth of a weight of the size first assumed) keeps it finite.
        guess = 1.0 / max(1, size)
        square = float(np.square(weights.shared[block]).sum())
        strengths[name] = float(np.clip((known + 0.05) / (square + 0.05 / guess), _WEAKEST, _STRONGEST))
    closeness = prior.closeness
    if own:
        moved = sum(float((prior.precision * np.square(weights.deviations[one])).sum()) for one in own)
        closeness = float(np.clip((max(arrow.freedom, 0.0) + 1.0) / (moved + 0.25), _LOOSEST, _CLOSEST))
    lapse = float((examples.count - arrow.lapses.sum() + _SLIPS) / (examples.count + _PICKS))
    better = Prior(prior.blocks, strengths, closeness, float(np.clip(lapse, 1e-3, 0.5)), prior.pairs)
    beliefs = {one: Gaussian(weights.of(one), found) for one, found in covariances.items()}
    return Belief(prior, weights, Gaussian(weights.shared, shared), beliefs), better


@dataclass(frozen=True)
class _Arrow:
    """Covariances (d, d) of the shared weights and of each project's, how many weights the projects' data determine,
    and (n,) how likely each pick owes to the images."""

    shared: Floats
    own: Mapping[int, Floats]
    freedom: float
    lapses: Floats


def _arrow(
    examples: Examples,
    precision: Floats,
    prior: Prior,
    weights: Weights,
    own: Sequence[int],
    check: Callable[[], None],
) -> _Arrow:
    """The inverse of the information of all weights.

    With deviations the information has the form of an arrow (each project's weights lean on the shared ones only), so
    that each project costs one inversion: eliminating project p leaves the shared weights H - H (H + B)^-1 H of its
    information H, with B the precision of a deviation.
    """
    near = prior.closeness * precision
    total = np.diag(precision)
    lapses = np.empty(examples.count)
    hessians: dict[int, Floats] = {}
    others = np.flatnonzero(~np.isin(examples.owners, own)) if own else np.arange(examples.count)
    if len(others):
        information, lapses[others] = curvature(examples.take(others), weights.shared, prior.lapse)
        total = total + information
    inverses: dict[int, Floats] = {}
    for one in own:
        check()
        sets = np.flatnonzero(examples.owners == one)
        hessians[one], lapses[sets] = curvature(examples.take(sets), weights.of(one), prior.lapse)
        inverses[one] = _inverse(hessians[one] + np.diag(near))
        total += hessians[one] - hessians[one] @ inverses[one] @ hessians[one]
    shared = _inverse((total + total.T) / 2)
    found: dict[int, Floats] = {}
    freedom = 0.0
    for one in own:
        lean = inverses[one] * near  # how a project's weights follow the shared ones
        found[one] = inverses[one] + lean @ shared @ lean.T
        pull = inverses[one] @ hessians[one]
        spread = np.diag(inverses[one]) + np.einsum("ij,ji->i", pull @ shared, pull.T)
        freedom += len(precision) - float((near * spread).sum())
    return _Arrow(shared, found, freedom, lapses)


def _further(
    strengths: Mapping[str, float], steps: Mapping[str, float], before: Mapping[str, float]
) -> dict[str, float]:
    """The strengths, some way past where a round put them if it moved them (by the factor in `steps`) as the round
    before did: the fixed point is then approached from one side, in steps that shrink slowly."""
    found = {}
    for name, strength in strengths.items():
        goes_on = (steps[name] - 1) * (before.get(name, 1.0) - 1) > 0
        found[name] = float(np.clip(strength * (steps[name] ** _BEYOND if goes_on else 1), _WEAKEST, _STRONGEST))
    return found


def _moved(before: Prior, after: Prior) -> float:
    steps = [abs(np.log(after.strengths[name] / before.strengths[name])) for name in before.blocks]
    return float(
        max([*steps, abs(np.log(after.closeness / before.closeness)), abs(np.log(after.lapse / before.lapse))])
    )


def _inverse(matrix: Floats) -> Floats:
    """Of a positive definite matrix, by Cholesky."""
    from scipy.linalg import cho_factor, cho_solve

    return np.asarray(cho_solve(cho_factor(matrix, lower=True), np.eye(len(matrix))), dtype=np.float64)
