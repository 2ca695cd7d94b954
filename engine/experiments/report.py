"""What an analysis says, as plain values that mirror the keys of `variants analyze --json`. Nothing here computes.

Rates and probabilities are 0 to 1, durations milliseconds. None means that there is not enough to say it.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from engine.experiments.model import Metric
from engine.experiments.statistics import Interval


@dataclass(frozen=True)
class VariantReport:
    """One arm. `rating_histogram` counts sessions by stars; rates, means and intervals are over users."""

    id: str
    title: str
    is_active: bool
    weight: float
    users: int
    rated_users: int
    sessions: int
    feedback_rate: float | None
    rating_mean: float | None
    rating_histogram: list[int]
    success_rate: float | None
    success_ci: Interval | None
    p_best: float | None
    processing_ms_median: float | None
    corrections_mean: float | None
    error_rate: float | None


@dataclass(frozen=True)
class Comparison:
    """b against a: differences are b minus a, `p_superior` is P(B > A) plus half the ties.

    `always_valid_ci` is on the decision metric, holds at every look and over all comparisons at once, and alone decides
    `significant`; `estimate` is its middle, with drift taken out. `method` says which sequence it is. `holm_p` are the
    other tests' p values, corrected for one another.
    """

    a: str
    b: str
    p_superior: float | None
    brunner_munzel_p: float | None
    welch_p: float | None
    mean_difference: float | None
    success_difference: float | None
    newcombe_ci: Interval | None
    p_better: float | None
    estimate: float | None
    always_valid_ci: Interval | None
    method: str
    significant: bool
    users_missing: int
    holm_p: dict[str, float | None]


@dataclass(frozen=True)
class Ratio:
    """Sample-ratio check: `frozen` stops optimisation."""

    p: float | None
    frozen: bool


@dataclass(frozen=True)
class Bounds:
    """What the difference may be once those who gave no rating are thought of."""

    a: str
    b: str
    manski: Interval
    lee: Interval | None


@dataclass(frozen=True)
class SelectionReport:
    """Whether arms differ in how many users rate, and if so bounds on the decision metric."""

    p: float | None
    flagged: bool
    bounds: list[Bounds] = field(default_factory=list)


@dataclass(frozen=True)
class Target:
    """A target, what was reached, and whether that meets it (None: unknown)."""

    value: float | None
    target: float
    met: bool | None


@dataclass(frozen=True)
class Day:
    """One day of use; `day` is a date, UTC. Rates are over that day's sessions."""

    day: str
    active_sessions: int
    active_users: int
    feedback_rate: float | None
    rating_mean: float | None
    success_rate: float | None
    error_rate: float | None


@dataclass(frozen=True)
class Analysis:
    """Everything that is told of the variants; `document()` is the JSON."""

    metric: Metric
    users: int
    sessions: int
    feedback_rate: float | None
    error_rate: float | None
    srm: Ratio
    variants: list[VariantReport]
    comparisons: list[Comparison]
    targets: dict[str, Target]
    verdict: str
    selection: SelectionReport
    daily: list[Day]
    crossed_users: int
    epochs: int
    warnings: list[str]

    def document(self) -> dict[str, Any]:
        """As `--json` prints it."""
        return asdict(self)
