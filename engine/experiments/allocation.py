"""Where new users should go: Thompson sampling with a floor, and the reason in words.

Pure functions: the same counts and the same seed give the same weights. Sources: Thompson (1933); the probability of
being best as the share (Scott 2010), with an additive floor so that every arm goes on being measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.experiments.arms import Arms, effective_counts
from engine.experiments.model import Metric
from engine.experiments.statistics import rating_draws
from engine.experiments.stratified import adjusted_means

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

FLOOR = 0.05
USERS_FIRST = 100  # users an arm until which new users are split equally
DRAWS = 20_000
_WORTH_CHANGING = 0.005


@dataclass(frozen=True)
class Proposal:
    """Shares of new users by variant id, what they were, and why. `inputs` is all that the draw was made from."""

    weights: dict[str, float]
    before: dict[str, float]
    p_best: dict[str, float]
    users: dict[str, int]
    why: str
    is_change: bool
    inputs: dict[str, Any]


def propose(
    arms: Arms,
    metric: Metric,
    before: dict[str, float],
    *,
    seed: int,
    is_frozen: bool,
    floor: float = FLOOR,
    draws: int = DRAWS,
) -> Proposal:
    """Weights for the live arms from users whose feedback has had its time; P(best) comes from that many draws."""
    import numpy as np

    live = [index for index, one in enumerate(arms.known) if one.is_active]
    names = [arms.known[index].id for index in live]
    users = {name: arms.users[index] for name, index in zip(names, live, strict=True)}
    held = {name: before.get(name, 0.0) for name in names}
    equal = dict.fromkeys(names, 1 / len(names))
    inputs: dict[str, Any] = {"users": users, "metric": metric}
    if is_frozen:
        why = "Nothing changes: users did not come to the arms as the weights said, and that must be explained first."
        return Proposal(held, held, {}, users, why, False, inputs)
    if len(live) < 2:
        why = "Only one variant runs; it gets every user."
        return Proposal(equal, held, {}, users, why, _moves(equal, held), inputs)
    short = {name: USERS_FIRST - count for name, count in users.items() if count < USERS_FIRST}
    if short:
        missing = ", ".join(f"'{name}' lacks {count}" for name, count in short.items())
        why = f"An equal split until every arm has {USERS_FIRST} users: {missing}."
        return Proposal(equal, held, {}, users, why, _moves(equal, held), inputs)
    drawn, counts = draw_metric(arms, live, metric, np.random.default_rng(seed), draws)
    inputs |= counts
    best = np.bincount(drawn.argmax(axis=1), minlength=len(live)) / draws
    weights = dict(zip(names, with_floor(best, floor), strict=True))
    p_best = {name: float(one) for name, one in zip(names, best, strict=True)}
    why = _why(arms, live, weights, held, p_best, metric, floor)
    return Proposal(weights, held, p_best, users, why, _moves(weights, held), inputs)


def draw_metric(
    arms: Arms, live: Sequence[int], metric: Metric, draw: np.random.Generator, draws: int = DRAWS
) -> tuple[NDArray[np.float64], dict[str, Any]]:
    """(draws, arms) posterior draws of the metric, epochs' effects taken out, and the counts they were made from."""
    import numpy as np

    has_epochs = int((arms.cells(metric).n.sum(axis=1) > 0).sum()) > 1
    if metric == "success":
        successes = [float(arms.success[index].sum()) for index in live]
        n = [float(len(arms.success[index])) for index in live]
        if has_epochs:
            successes, n = effective_counts(arms, live)
        above, below = 1 + np.array(successes), 1 + np.array(n) - np.array(successes)
        return draw.beta(above, below, size=(draws, len(live))), {"successes": successes, "n": n}
    histograms = arms.histograms[list(live)]
    drawn = rating_draws(histograms, draw, draws)
    shift = np.zeros(len(live))
    if has_epochs:
        plain = np.array([arms.rating[index].mean() if len(arms.rating[index]) else np.nan for index in live])
        shift = np.nan_to_num(adjusted_means(arms.rating_cells).mean[list(live)] - plain)
    return drawn + shift, {"histograms": histograms.tolist(), "shift": shift.tolist()}


def with_floor(p_best: NDArray[np.float64], floor: float) -> list[float]:
    """Each arm's floor, and the rest by the probability of being best; they add to 1. Too many arms: an equal split."""
    arms = len(p_best)
    floor = min(floor, 1 / arms)
    return [float(floor + (1 - arms * floor) * one) for one in p_best]


def _certainty(p: float) -> str:
    """A probability that is never said to be 0 or 1."""
    return "above 0.99" if p > 0.995 else "below 0.01" if p < 0.005 else f"{p:.2f}"


def _moves(weights: dict[str, float], before: dict[str, float]) -> bool:
    return any(abs(weights[name] - before[name]) >= _WORTH_CHANGING for name in weights)


def _why(
    arms: Arms,
    live: Sequence[int],
    weights: dict[str, float],
    before: dict[str, float],
    p_best: dict[str, float],
    metric: Metric,
    floor: float,
) -> str:
    parts = []
    for index in sorted(live, key=lambda one: -p_best[arms.known[one].id]):
        name, values = arms.known[index].id, arms.outcome(metric, index)
        if not len(values):
            result = "no ratings yet"
        elif metric == "success":
            result = f"{values.mean():.1%} success over {len(values):,} rated users"
        else:
            result = f"{values.mean():.2f} stars over {len(values):,} rated users"
        parts.append(
            f"'{name}' goes from {before[name]:.0%} to {weights[name]:.0%}: "
            f"best with probability {_certainty(p_best[name])} ({result})"
        )
    return "; ".join(parts) + f". Every arm keeps at least {floor:.0%}."
