"""What a person should hear of without asking: a target missed, a ratio that cannot be, too many failures. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from engine.experiments.report import Analysis

ERROR_RATE = 0.05  # of the last days' sessions
RECENT_DAYS = 7
LEAST_SESSIONS = 20  # below which a rate is told by chance
_TARGETS = {
    "success_rate": ("success", "{:.0%}"),
    "feedback_rate": ("feedback", "{:.0%}"),
    "processing_ms": ("time", "{:,.0f} ms"),
    "confidence": ("confidence", "{:.0%}"),
}


@dataclass(frozen=True)
class Alert:
    """One thing, in a sentence, and what to do about it."""

    kind: Literal["target", "ratio", "errors"]
    message: str
    remedy: str


def alerts(analysis: Analysis) -> list[Alert]:
    """The gravest first. A confidence that is not reached yet is no alarm: it takes its time."""
    return [*_ratio(analysis), *_errors(analysis), *_targets(analysis)]


def recent_error_rate(analysis: Analysis) -> tuple[float | None, int]:
    """The share of failed sessions over the last RECENT_DAYS days of use, and of how many sessions."""
    days = analysis.daily[-RECENT_DAYS:]
    sessions = sum(day.active_sessions for day in days)
    failed = sum((day.error_rate or 0.0) * day.active_sessions for day in days)
    return (failed / sessions if sessions else None), sessions


def _ratio(analysis: Analysis) -> Iterator[Alert]:
    if analysis.srm.frozen:
        p = f" (p = {analysis.srm.p:.2g})" if analysis.srm.p is not None else ""
        yield Alert(
            "ratio",
            f"users are not split as the weights say{p}: no comparison can be trusted, and weights are frozen",
            "Look for a client that assigns by itself, or sessions that are lost for one variant.",
        )


def _errors(analysis: Analysis) -> Iterator[Alert]:
    rate, sessions = recent_error_rate(analysis)
    if rate is not None and sessions >= LEAST_SESSIONS and rate > ERROR_RATE:
        yield Alert(
            "errors",
            f"{rate:.0%} of the last {sessions:,} sessions failed",
            "Open the sessions on the variants screen; `proofsheet doctor` looks at the rest.",
        )


def _targets(analysis: Analysis) -> Iterator[Alert]:
    for name, target in analysis.targets.items():
        if target.met is False and target.value is not None and name != "confidence" and name in _TARGETS:
            word, form = _TARGETS[name]
            yield Alert(
                "target",
                f"{word} is {form.format(target.value)}, the target {form.format(target.target)}",
                "The variants screen shows where.",
            )
