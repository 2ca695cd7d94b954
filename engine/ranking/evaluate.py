"""Is the ranker worth following? Held-out figures, naive baselines, the reference, and the verdict on promotion.

Relies on `measures`; pure over arrays and small values. Every report names the baselines beside the model, and a model
that does not beat them by more than chance is not promoted, with the reason in words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.library.model import Image
from engine.ranking.conformal import conformal_threshold
from engine.ranking.measures import (
    Calibration,
    Floats,
    Ints,
    bootstrap_gap,
    bootstrap_share,
    brier_score,
    calibration_floor,
    expected_calibration_error,
    pair_accuracy,
    pair_hits,
    segment_losses,
    top_hits,
)
from engine.ranking.sets import stage_name
from engine.vision.builtin import Readings

BASELINES = ("random", "first", "last", "largest_file", "last_stage", "sharpest")
LEARNED = ("nearest_winners", "aesthetic_head")
"""Baselines that have learned something too, here or elsewhere: like the reference, they must not be better."""
DEFAULT_BASELINE = "sharpest"
REFERENCE_TOLERANCE = 0.005
_ROUNDING = 1e-5  # nats a set: a saved ranker scores in single precision
NAMES = {
    "random": "chance",
    "first": "always the first",
    "last": "always the last",
    "largest_file": "the largest file",
    "last_stage": "the last stage",
    "sharpest": "the sharpest",
    "nearest_winners": "the likeness to earlier winners",
    "aesthetic_head": "the LAION aesthetic model",
}


def baseline_scores(name: str, images: Sequence[Image], places: Sequence[int], readings: Sequence[Readings]) -> Floats:
    """(n,) scores that a naive baseline gives the images of one set; `random` finds all equal."""
    if name == "first":
        return -np.asarray(places, dtype=np.float64)
    if name == "last":
        return np.asarray(places, dtype=np.float64)
    if name == "largest_file":
        return np.array([image.size for image in images], dtype=np.float64)
    if name == "last_stage":
        stages = [stage_name(image.name) for image in images]
        return np.array([stage.stage if stage is not None else 0 for stage in stages], dtype=np.float64)
    if name == "sharpest":
        return np.array([reading.sharpness for reading in readings], dtype=np.float64)
    if name == "random":
        return np.zeros(len(images))
    raise ValueError(f"no baseline '{name}'")


@dataclass(frozen=True)
class HeldOut:
    """The held-out sets as arrays: the model's log-probabilities (N,) and every other scorer's scores (N,) over the
    same sets, and each set's project."""

    offsets: Ints
    projects: tuple[str, ...]
    model: Floats
    baselines: Mapping[str, Floats]
    reference: Floats


@dataclass(frozen=True)
class Report:
    """Figures on the held-out sets, and whether they earn the model its promotion."""

    pair_accuracy: float
    pair_accuracy_ci: tuple[float, float]
    top1_accuracy: float
    ece: float
    ece_floor: float
    brier: float
    log_loss: float
    by_project: dict[str, float]
    baselines: dict[str, float]
    intervals: dict[str, tuple[float, float]]
    logistic_difference: float
    logistic_gap: tuple[float, float]
    confidence: Floats
    correct: Floats
    why_not: tuple[str, ...]

    @property
    def is_worthy(self) -> bool:
        return not self.why_not

    def document(self) -> dict[str, Any]:
        """What `train ranker --json` says under held_out, baselines and references."""
        return {
            "held_out": {
                "pair_accuracy": self.pair_accuracy,
                "pair_accuracy_ci": list(self.pair_accuracy_ci),
                "top1_accuracy": self.top1_accuracy,
                "ece": self.ece,
                "ece_floor": self.ece_floor,
                "brier": self.brier,
                "by_project": self.by_project,
            },
            "baselines": self.baselines,
            "references": {"logistic_difference": self.logistic_difference},
        }


def evaluate(held_out: HeldOut, calibration: Calibration, *, seed: int) -> Report:
    """Measure the model beside baselines and reference, and say what speaks against it, if anything.

    A naive baseline must be beaten by more than chance (paired bootstrap by set, 95 %). The reference, logistic
    regression on differences, and the baselines that learn see the same sets and are hardly ever far away; asking for
    half a point alone would let a single pair of a few dozen block a good model. They block when they are ahead by
    more than half a point and chance does not explain it (the paired 95 % interval lies wholly on their side).
    """
    offsets = held_out.offsets
    hits, pairs = pair_hits(held_out.model, offsets)
    accuracy = float(hits.sum() / pairs.sum())
    correct = top_hits(held_out.model, offsets)
    baselines: dict[str, float] = {}
    intervals: dict[str, tuple[float, float]] = {}
    why_not: list[str] = []
    for name, scores in held_out.baselines.items():
        others, _ = pair_hits(scores, offsets)
        baselines[name] = float(others.sum() / pairs.sum())
        intervals[name] = bootstrap_gap(hits, others, pairs, seed=seed)
        if name in LEARNED:
            is_beaten = accuracy >= baselines[name] - REFERENCE_TOLERANCE or intervals[name][1] >= 0
        else:
            is_beaten = intervals[name][0] > 0
        if not is_beaten:
            why_not.append(_not_beaten(name, accuracy, baselines[name], intervals[name], len(offsets) - 1))
    theirs, _ = pair_hits(held_out.reference, offsets)
    reference = float(theirs.sum() / pairs.sum())
    gap = bootstrap_gap(hits, theirs, pairs, seed=seed)
    if accuracy < reference - REFERENCE_TOLERANCE and gap[1] < 0:
        why_not.append(
            f"logistic regression on differences does better on the same held-out sets: "
            f"{reference:.1%} of pairs against {accuracy:.1%}, and chance does not explain it"
        )
    chances = calibration.probabilities(held_out.model, offsets)
    confidence = np.asarray(np.maximum.reduceat(chances, offsets[:-1]), dtype=np.float64)
    return Report(
        pair_accuracy=accuracy,
        pair_accuracy_ci=bootstrap_share(hits, pairs, seed=seed),
        top1_accuracy=float(correct.mean()),
        ece=expected_calibration_error(confidence, correct, _bins(len(correct))),
        ece_floor=calibration_floor(confidence, _bins(len(correct)), seed=seed),
        brier=brier_score(chances, offsets),
        log_loss=float(-np.log(chances[offsets[:-1]]).mean()),
        by_project=_by_project(hits, pairs, held_out.projects),
        baselines=baselines,
        intervals=intervals,
        logistic_difference=reference,
        logistic_gap=gap,
        confidence=confidence,
        correct=correct,
        why_not=tuple(why_not),
    )


def coverage_at(target: float, confidence: Floats, correct: Floats, held_out: Floats) -> tuple[float, float]:
    """(threshold, share of the held-out sets at or above it) for a promised accuracy; (inf, 0) when none holds.

    `confidence` and `correct` (n,) are what the promise is drawn from, `held_out` (m,) the held-out sets' confidence.
    """
    threshold = conformal_threshold(confidence, correct, target)
    return threshold, float((held_out >= threshold).mean()) if held_out.size else 0.0


def is_gain(better: Floats, worse: Floats, offsets: Ints, *, seed: int) -> bool:
    """Whether one scorer orders more pairs rightly than another by more than chance (paired bootstrap, 95 %)."""
    hits, pairs = pair_hits(better, offsets)
    return bootstrap_gap(hits, pair_hits(worse, offsets)[0], pairs, seed=seed)[0] > 0


def compare_with_last(
    name: str, model: Floats, last: Floats, offsets: Ints, calibrations: tuple[Calibration, Calibration]
) -> str:
    """Why the new model should not replace the last promoted one, on the same held-out sets; empty if it should.

    Better is a higher pair accuracy, or the same with the winners more likely.
    """
    new, old = pair_accuracy(model, offsets), pair_accuracy(last, offsets)
    if new != old:
        is_better = new > old
    else:
        losses = [
            float(segment_losses(scores / calibration.temperature, offsets).mean())
            for scores, calibration in zip((model, last), calibrations, strict=True)
        ]
        is_better = losses[0] < losses[1] - _ROUNDING
    if is_better:
        return ""
    return f"{name} is as good or better on the same {len(offsets) - 1} held-out sets: {old:.1%} against {new:.1%}"


def best_baseline(scores: Mapping[str, Floats], offsets: Ints) -> str:
    """The naive baseline to follow while nothing is promoted: the best on the verdicts so far, `sharpest` in doubt."""
    found = {name: pair_accuracy(each, offsets) for name, each in scores.items() if name != "random"}
    best = max(found, key=lambda name: found[name])
    return best if found[best] > found[DEFAULT_BASELINE] else DEFAULT_BASELINE


def _not_beaten(name: str, accuracy: float, baseline: float, interval: tuple[float, float], sets: int) -> str:
    if accuracy <= baseline:
        return f"it orders {accuracy:.1%} of pairs rightly, {NAMES[name]} {baseline:.1%}"
    return (
        f"it is ahead of {NAMES[name]} by {accuracy - baseline:+.1%} on {sets} held-out sets, "
        f"which can be chance (95 % interval {interval[0]:+.1%} to {interval[1]:+.1%})"
    )


def _bins(count: int) -> int:
    """At least ten sets a bin: with fewer, luck alone would look like bad calibration."""
    return max(1, min(15, count // 10))


def _by_project(hits: Floats, pairs: Floats, projects: Sequence[str]) -> dict[str, float]:
    names = np.array(projects)
    return {str(name): float(hits[names == name].sum() / pairs[names == name].sum()) for name in sorted(set(projects))}
