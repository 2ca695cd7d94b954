"""The two nouns of every room: a Suggestion and a Decision. Plain values; nothing here reads or writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Verdict(StrEnum):
    """What a person said. `withdrawn` is what an undo leaves when nothing was decided before."""

    APPROVED = "approved"
    MODIFIED = "modified"
    REJECTED = "rejected"
    SKIPPED = "skipped"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True)
class Suggestion:
    """A proposal about one subject by one model, with the model's calibrated confidence or none at all."""

    kind: str
    subject: str
    proposal: Mapping[str, Any]
    model: str
    project: str | None = None
    confidence: float | None = None  # 0 to 1, calibrated on held-out data; None when nothing calibrated it
    reasons: tuple[str, ...] = ()
    id: int | None = None


@dataclass(frozen=True)
class NewDecision:
    """A decision about to be recorded. `suggestion` is what was on the screen, and None when none was shown."""

    kind: str
    subject: str
    verdict: Verdict
    value: Mapping[str, Any] = field(default_factory=dict)
    project: str | None = None
    suggestion: Suggestion | None = None
    blind: bool = False  # suggestions were switched off, so this pick owes nothing to the machine


@dataclass(frozen=True)
class Decision:
    """A recorded decision; `supersedes` and `undoes` name older ones by id."""

    id: int
    kind: str
    subject: str
    project: str | None
    verdict: Verdict
    value: Mapping[str, Any]
    actor: str
    decided_at: str
    supersedes: int | None
    undoes: int | None
    group_id: str | None
    blind: bool
    suggestion_id: int | None


@dataclass(frozen=True)
class Agreement:
    """How often the suggestion on the screen was the one picked, over the last `of` picks that had one."""

    agreed: int
    of: int
