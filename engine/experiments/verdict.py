"""The verdict in words: which prompt is better, or that it cannot be said yet and what is missing. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from engine.experiments.model import Metric
from engine.experiments.report import Comparison, VariantReport


def verdict(
    variants: Sequence[VariantReport], comparisons: Sequence[Comparison], metric: Metric, *, is_frozen: bool
) -> str:
    """One or two sentences for a person."""
    if not any(one.sessions for one in variants):
        return "No sessions yet."
    if is_frozen:
        return (
            "No verdict: users did not come to the arms as the weights said (sample-ratio mismatch). "
            "Find out why before reading anything into these numbers."
        )
    live = {one.id for one in variants if one.is_active}
    if len(live) < 2:
        return "Only one variant runs: there is nothing to compare it with."
    between = [one for one in comparisons if one.a in live and one.b in live]
    found = [one for one in between if one.significant]
    if found:
        return _winners(live, found, metric)
    missing = max((one.users_missing for one in between), default=0)
    if missing:
        return f"Not enough data: about {missing:,} more users with a rating are needed in the smallest arm."
    return f"No difference worth having: {_gap(between, metric)}."


def _winners(live: set[str], found: Sequence[Comparison], metric: Metric) -> str:
    """Who beats whom; whether one beats all."""
    beaten: dict[str, set[str]] = {}
    for one in found:
        low, _high = one.always_valid_ci or (0.0, 0.0)
        winner, loser = (one.b, one.a) if low > 0 else (one.a, one.b)
        beaten.setdefault(winner, set()).add(loser)
    for winner, losers in beaten.items():
        if losers == live - {winner}:
            others = _and(sorted(losers)) if len(losers) == 1 else f"all {len(losers)} others"
            return f"'{winner}' is better than {others}: {_by(found, winner, metric)}."
    said = [f"'{winner}' is better than {_and(sorted(losers))}" for winner, losers in sorted(beaten.items())]
    return "; ".join(said) + ". Which is best cannot be said yet."


def _by(found: Sequence[Comparison], winner: str, metric: Metric) -> str:
    """The smallest of the winner's leads, with its interval."""
    leads = []
    for one in found:
        if winner not in (one.a, one.b) or one.always_valid_ci is None or one.estimate is None:
            continue
        low, high = one.always_valid_ci
        leads.append((one.estimate, low, high) if one.b == winner else (-one.estimate, -high, -low))
    lead, low, high = min(leads)
    ends = f"{_amount(low, metric).split()[0]} to {_amount(high, metric).split()[0]}"
    return f"{_amount(lead, metric)} ({ends}, valid at every look)"


def _gap(between: Sequence[Comparison], metric: Metric) -> str:
    widest = max((abs(end) for one in between for end in one.always_valid_ci or ()), default=0.0)
    return f"whatever there is lies within {_amount(widest, metric).lstrip('+')}"


def _amount(value: float, metric: Metric) -> str:
    return f"{value * 100:+.1f} points of success" if metric == "success" else f"{value:+.2f} stars"


def _and(names: Sequence[str]) -> str:
    quoted = [f"'{name}'" for name in names]
    return quoted[0] if len(quoted) == 1 else ", ".join(quoted[:-1]) + " and " + quoted[-1]
