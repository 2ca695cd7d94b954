"""Approving together what can be trusted unseen: which sets, how right that is expected to be, and why not yet.

A set may be approved when its suggestion is at least as sure as the threshold that the model's own held-out sets vouch
for (`conformal_threshold`). They are of the set's own project: no project is promised what was
measured on others. Relies on the model's card for those and on `Suggester` for today's suggestions; pure but for the
asking. Nothing is approved here.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.ranking.conformal import RISK, accuracy_bound, conformal_threshold, coverage_curve
from engine.ranking.model import ImageSet
from engine.review import Suggestion

TARGET = 0.95
LOWEST, HIGHEST = 0.5, 0.999
_AT_A_TIME = 1.15
_MOST_GROWTH = 50.0


@dataclass(frozen=True)
class Promise:
    """What a model's held-out sets vouch for at a target accuracy.

    `threshold`: the confidence from which on suggestions may be approved unseen, None when no level keeps the
    target; then `why_not` says what is missing and `more` about how many more decided sets (None: not
    known). `measured`: how many of the held-out suggestions at least that sure were right; `promised`: the bound below.
    """

    target: float
    threshold: float | None
    measured: float | None
    promised: float | None
    why_not: str = ""
    more: int | None = None


@dataclass(frozen=True)
class BulkSet:
    """One set that would be approved, with the suggestion that would become its verdict."""

    shown: ImageSet
    suggestion: Suggestion

    @property
    def image_id(self) -> int:
        """The suggested winner."""
        return int(self.suggestion.proposal["image"])

    @property
    def winner(self) -> str:
        """Its path."""
        return next(str(one.image.path) for one in self.shown.members if one.image.id == self.image_id)


@dataclass(frozen=True)
class BulkPlan:
    """What would be approved together, the surest first; `why_not` says why nothing is."""

    project: str | None
    target: float
    remaining: int
    sets: tuple[BulkSet, ...] = ()
    expected_accuracy: float | None = None
    promised: float | None = None
    threshold: float | None = None
    model: str | None = None
    why_not: str = ""
    more: int | None = None
    promises: Mapping[str, Promise] = field(default_factory=dict)

    def document(self, approved: int = 0, listed: int | None = None) -> dict[str, Any]:
        """The document of `bulk-approve --json`; `listed` is how many of the sets are named."""
        found: dict[str, Any] = {
            "sets": len(self.sets),
            "expected_accuracy": self.expected_accuracy,
            "approved": approved,
            "project": self.project,
            "min_accuracy": self.target,
            "promised": self.promised,
            "threshold": self.threshold,
            "model": self.model,
            "remaining": self.remaining,
            "why_not": self.why_not or None,
            "more_needed": self.more,
            "list": [
                {
                    "set": one.shown.id,
                    "winner": one.winner,
                    "confidence": one.suggestion.confidence,
                    "because": list(one.suggestion.reasons),
                }
                for one in self.sets[:listed]
            ],
        }
        return found


def promise(card: Mapping[str, Any], target: float, project: str | None = None) -> Promise:
    """What the held-out sets on a ranker's card vouch for at this target: all of them, or those of one project.

    A project is vouched for by its own sets alone: what holds on average over projects need not hold in each.
    """
    pairs = card.get("calibration_pairs") or {}
    confidence = np.asarray(pairs.get("confidence", ()), dtype=np.float64)
    correct = np.asarray(pairs.get("correct", ()), dtype=np.float64)
    if project is None:
        return _promise(confidence, correct, target)
    owners = pairs.get("project")
    if owners is None:  # written before projects stood beside the pairs
        measured = list((card.get("held_out") or {}).get("by_project") or ())
        if project in measured and len(measured) > 1:
            why_not = "this version does not say which sets were of which project: train anew"
            return Promise(target, None, None, None, why_not)
        owners = (measured or [None]) * confidence.size
    is_own = np.array([one == project for one in owners], dtype=bool)
    return _promise(confidence[is_own], correct[is_own], target, f" for {project}" if not is_own.all() else "")


def _promise(confidence: np.ndarray, correct: np.ndarray, target: float, whose: str = "") -> Promise:
    """What these held-out sets, confidence and outcome (n,), vouch for; `whose` goes into the words."""
    fewest = math.ceil(math.log(RISK) / math.log(target))
    if confidence.size < fewest:
        more = fewest - int(confidence.size)
        return Promise(
            target,
            None,
            None,
            None,
            f"not enough data to promise {spoken(target)}{whose}: "
            f"at least {more:,} more decided set{'s' if more > 1 else ''}",
            more,
        )
    threshold = conformal_threshold(confidence, correct, target)
    if not math.isfinite(threshold):
        return _too_unsure(confidence, correct, target)
    right = correct[confidence >= threshold]
    return Promise(
        target, threshold, float(right.mean()), min(accuracy_bound(float(right.sum()), right.size), float(right.mean()))
    )


def _too_unsure(confidence: np.ndarray, correct: np.ndarray, target: float) -> Promise:
    """No level keeps the target: how far the surest are from it, and how much data would do if they stay as right."""
    smallest = math.ceil(math.log(RISK) / math.log(target))
    parts = [(round(one["coverage"] * confidence.size), one["accuracy"]) for one in coverage_curve(confidence, correct)]
    able = [(count, share) for count, share in parts if count >= smallest // 2 and share > target]
    if not able:
        best = max(share for count, share in parts if count >= smallest)
        return Promise(
            target,
            None,
            None,
            None,
            f"its surest suggestions match your pick {spoken(best)} of the time; {spoken(target)} is asked for",
        )
    # The part that needs the least growth until its accuracy is vouched for, were it to stay as accurate as now.
    growth = min(_growth(count, share, target) for count, share in able)
    if not math.isfinite(growth):
        return Promise(target, None, None, None, f"its surest suggestions are barely {spoken(target)} right so far")
    more = max(1, math.ceil(confidence.size * (growth - 1)))
    wanted = f"{more:,} more decided set{'s' if more > 1 else ''}"
    return Promise(target, None, None, None, f"not enough data to promise {spoken(target)}: about {wanted}", more)


def _growth(count: int, share: float, target: float) -> float:
    """By how much `count` sets of which `share` are right must grow until the bound reaches the target."""
    growth = 1.0
    while growth < _MOST_GROWTH:
        if accuracy_bound(share * count * growth, int(count * growth)) >= target:
            return growth
        growth *= _AT_A_TIME
    return math.inf


def spoken(share: float) -> str:
    """`95 %`, `99.5 %`."""
    text = f"{share * 100:.1f}".removesuffix(".0")
    return f"{text} %"


def plan(
    project: str | None,
    target: float,
    remaining: int,
    suggested: Sequence[tuple[ImageSet, Suggestion]],
    promises: Mapping[str, Promise],
) -> BulkPlan:
    """Choose among today's suggestions those at or above their project's threshold (`promises` by project), the surest
    first."""
    chosen: list[BulkSet] = []
    for shown, suggestion in suggested:
        given = promises.get(shown.project)
        if given is None or given.threshold is None or suggestion.confidence is None:
            continue
        if suggestion.confidence >= given.threshold:
            chosen.append(BulkSet(shown, suggestion))
    chosen.sort(key=lambda one: (-(one.suggestion.confidence or 0.0), one.shown.id))
    models = {one.suggestion.model for one in chosen}
    projects = Counter(one.shown.project for one in chosen)
    holding = [promises[name] for name in projects]
    kept = [one for one in promises.values() if one.threshold is not None]
    why_not, more = "", None
    if not chosen:
        failing = next((one for one in promises.values() if one.threshold is None), None)
        if not kept and failing is not None:
            why_not, more = failing.why_not, failing.more
        else:
            why_not = f"none of the {remaining:,} remaining sets is sure enough for {spoken(target)}"
            if not remaining:
                why_not = "every set has a verdict"
    weights = list(projects.values())
    return BulkPlan(
        project=project,
        target=target,
        remaining=remaining,
        sets=tuple(chosen),
        expected_accuracy=_mean([one.measured for one in holding], weights),
        promised=_mean([one.promised for one in holding], weights),
        threshold=min((one.threshold for one in holding if one.threshold is not None), default=None),
        model=", ".join(sorted(models)) or None,
        why_not=why_not,
        more=more,
        promises=dict(promises),
    )


def _mean(values: Sequence[float | None], weights: Sequence[int]) -> float | None:
    pairs = [(value, weight) for value, weight in zip(values, weights, strict=True) if value is not None]
    total = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / total if total else None
