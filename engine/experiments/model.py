"""What the room speaks of: variants, epochs, assignments, sessions, feedback. Plain values; nothing reads or writes.

Times are ISO 8601 texts with Z, sizes are canvas pixels, durations milliseconds, probabilities 0 to 1.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import ProofsheetError, UsageError

Metric = Literal["success", "rating"]
Source = Literal["cli", "http", "import"]
State = Literal["open", "done", "failed"]

SEED = "resize-prompt"  # what is hashed with a user's id: the name of the one experiment there is
HASH_VERSION = 2
SUCCESS_RATING = 4  # stars from which on a result counts as a success
KIND_WEIGHTS = "weights"
KIND_EXAMPLE = "training-example"
KIND_DRAFT = "prompt-draft"
RETRAIN = "retrain-model"  # the kind of a learning run


class UnknownSession(UsageError):
    """There is no session of this id."""


class Conflict(ProofsheetError):
    """An idempotency key came again with another content."""


@dataclass(frozen=True)
class Variant:
    """One version of the prompt. `weight` is its share of new users in the epoch in force, 0 when paused."""

    pk: int
    id: str
    content_hash: str
    title: str
    template: str
    placeholders: tuple[str, ...]
    source: str
    parent: str | None
    is_active: bool
    weight: float
    created_at: str


@dataclass(frozen=True)
class Epoch:
    """A stretch of time with the same live arms and weights; `arms` are (variant id, weight) in bucketing order."""

    id: int
    started_at: str
    arms: tuple[tuple[str, float], ...]
    coverage: float
    seed: str
    hash_version: int
    bucket_version: int
    metric: Metric
    is_adaptive: bool
    allocation_id: int | None
    actor: str
    why: str


@dataclass(frozen=True)
class VariantEvent:
    """Who did what to which variant (None: to all of them at once), when and why."""

    id: int
    variant: str | None
    action: Literal["added", "paused", "resumed", "weights"]
    value: Mapping[str, Any]
    actor: str
    why: str
    at: str


@dataclass(frozen=True)
class Assignment:
    """Which variant a user has, and all that is needed to draw it again.

    `epoch_id` is the epoch in force now, `assigned_epoch_id` the one in which the user got the variant. One
    that came with imported sessions was drawn elsewhere and has no bucket.
    """

    user_id: str
    variant_id: str
    epoch_id: int
    assigned_epoch_id: int
    seed: str
    hash_version: int
    bucket_version: int
    bucket: float | None
    probability: float | None
    is_sticky: bool


@dataclass(frozen=True)
class NewSession:
    """A resize about to begin. `features` are the canvas's numbers where the caller has computed them."""

    user_id: str
    source: Source
    project: str | None = None
    canvas: Mapping[str, Any] | None = None
    target: tuple[float, float] | None = None
    features: Mapping[str, float] | None = None


@dataclass(frozen=True)
class StartedSession:
    """A recorded session. `token` lets its holder update and rate it; only its hash is kept."""

    id: str
    token: str
    assignment: Assignment
    variant: Variant
    created_at: str


@dataclass(frozen=True)
class SessionUpdate:
    """What became of a session; fields left None stay as they are.

    `corrections` is the structured diff of the canvas: a list of changes; `corrections_count` counts them where the
    list itself is not at hand.
    """

    session_id: str
    result: Mapping[str, Any] | None = None
    processing_ms: float | None = None
    corrections: Sequence[Any] | Mapping[str, Any] | None = None
    corrections_count: int | None = None
    state: State | None = None
    solver: str | None = None
    error: str | None = None


@dataclass(frozen=True)
class NewFeedback:
    """What a person says of a result. It replaces what they said before; everything said is kept."""

    session_id: str
    rating: int | None = None
    helpful: bool | None = None
    text: str | None = None
    idempotency_key: str | None = None


@dataclass(frozen=True)
class FeedbackReceipt:
    """`is_repeat`: the same key had come before, and nothing was recorded again."""

    id: int
    session_id: str
    is_repeat: bool
    at: str


@dataclass(frozen=True)
class Session:
    """One session as it stands, with the feedback in force."""

    id: str
    user_id: str
    project: str | None
    variant_id: str
    epoch_id: int
    source: Source
    target: tuple[float, float] | None
    processing_ms: float | None
    corrections: int | None
    state: State
    solver: str | None
    error: str | None
    rating: int | None
    helpful: bool | None
    created_at: str
    updated_at: str


@dataclass(frozen=True)
class Feedback:
    """One piece of feedback; of a session's, the newest is in force."""

    id: int
    rating: int | None
    helpful: bool | None
    text: str | None
    at: str


@dataclass(frozen=True)
class SessionDetail:
    """A session with its wide documents and every piece of feedback, oldest first."""

    session: Session
    canvas: Mapping[str, Any] | None
    result: Mapping[str, Any] | None
    corrections: Any
    features: Mapping[str, float] | None
    feedback: tuple[Feedback, ...]
