"""What a training is given, what it decides before it measures, and what comes of it. Plain values.

A `Lesson` also says what its sets teach, because every part of a training asks that in the same way. Writes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from engine.ranking.evaluate import Report
from engine.ranking.head import Head
from engine.ranking.learn import Examples
from engine.ranking.measures import Calibration, Floats, Ints
from engine.ranking.model import MIN_SETS
from engine.ranking.posterior import Belief, Prior
from engine.ranking.refusals import Refused, with_refusals

LINEAR = "linear"
TARGET = 0.95
_MODIFIED = 2.0


class Watch(Protocol):
    """Who is told how it goes; `check` may raise to stop it."""

    def check(self) -> None: ...

    def progress(self, done: int, total: int | None = None, message: str = "") -> None: ...

    def metric(self, step: int, **values: float) -> None: ...

    def epoch(self, candidate: str, step: int, **values: float) -> None: ...

    def log(self, message: str, level: str = "info") -> None: ...


@dataclass(frozen=True)
class Lesson:
    """What there is to learn from: set-centred, scaled examples in time order (`projects` numbered as in `names`), the
    blocks of their features, which sets are to be measured on, naive baselines' scores (N,), which picks went against
    a suggestion (n,), and the sets that were refused as a whole."""

    examples: Examples
    blocks: Mapping[str, slice]
    names: tuple[str, ...]
    train: Ints
    held_out: Ints
    baselines: Mapping[str, Floats]
    modified: Ints
    refused: Refused | None
    mode: str
    seed: int

    def evidence(self, sets: Ints, *, refusals: bool, modified: bool) -> Examples:
        """What these sets teach; picks against a suggestion count double with `modified`, sets refused as a whole are
        added with `refusals`."""
        examples = self.examples.take(sets)
        if modified:
            weights = np.where(np.isin(sets, self.modified), _MODIFIED, 1.0)
            examples = Examples(examples.features, examples.offsets, examples.groups, weights, examples.projects)
        if refusals and self.refused is not None:
            examples = with_refusals(examples, sets, self.refused)
        return examples

    def own(self, sets: Ints) -> list[int]:
        """The projects with enough of these sets to deviate from the shared taste."""
        owners, counts = np.unique(self.examples.owners[sets], return_counts=True)
        return [int(one) for one, count in zip(owners, counts, strict=True) if count >= MIN_SETS]


@dataclass(frozen=True)
class Plan:
    """What the slow part chose, before anything is measured; it survives an interruption."""

    strengths: Mapping[str, float]
    closeness: float
    lapse: float
    calibration: Calibration
    calibrated_on: int
    uses_refusals: bool
    weighs_modified: bool
    pairs: float = 0.0

    def prior(self, blocks: Mapping[str, slice]) -> Prior:
        return Prior(blocks, self.strengths, self.closeness, self.lapse, self.pairs)

    def document(self) -> dict[str, Any]:
        return {
            "strengths": dict(self.strengths),
            "closeness": self.closeness,
            "lapse": self.lapse,
            "temperature": self.calibration.temperature,
            "slips": self.calibration.lapse,
            "calibrated_on": self.calibrated_on,
            "uses_refusals": self.uses_refusals,
            "weighs_modified": self.weighs_modified,
            "pairs": self.pairs,
        }

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Plan:
        return cls(
            found["strengths"],
            found["closeness"],
            found["lapse"],
            Calibration(found["temperature"], found["slips"]),
            found["calibrated_on"],
            found["uses_refusals"],
            found["weighs_modified"],
            found.get("pairs", 0.0),
        )


@dataclass(frozen=True)
class Candidate:
    """A model that was trained beside the others, and how it does on the held-out sets."""

    name: str
    pair_accuracy: float
    is_chosen: bool

    def document(self) -> dict[str, Any]:
        return {"name": self.name, "pair_accuracy": self.pair_accuracy, "chosen": self.is_chosen}


@dataclass(frozen=True)
class Judged:
    """Sets that were judged by weights that never saw them: what was claimed (n,), whether it was right (n,), whose."""

    confidence: Floats
    correct: Floats
    projects: tuple[str, ...]


@dataclass(frozen=True)
class Trained:
    """Everything one training found: `evaluated` without the held-out sets, `final` with all."""

    plan: Plan
    calibration: Calibration
    evaluated: Belief
    final: Belief
    head: Head | None
    report: Report
    candidates: tuple[Candidate, ...]
    ablation: dict[str, float]
    permuted: float
    judged: Judged


def counted(names: Sequence[str]) -> tuple[tuple[str, ...], Ints]:
    """Distinct project names as first written, and each set's number among them."""
    distinct: dict[str, str] = {}
    for name in names:
        distinct.setdefault(name.casefold(), name)
    number = {key: index for index, key in enumerate(distinct)}
    return tuple(distinct.values()), np.array([number[name.casefold()] for name in names], dtype=np.int64)
