"""Experiments: prompt variants, assignment, sessions, feedback, statistics, allocation. The door is `Experiments`."""

from engine.experiments.experiments import Experiments
from engine.experiments.model import (
    Assignment,
    Conflict,
    Epoch,
    Feedback,
    FeedbackReceipt,
    NewFeedback,
    NewSession,
    Session,
    SessionDetail,
    SessionUpdate,
    StartedSession,
    UnknownSession,
    Variant,
    VariantEvent,
)

__all__ = [
    "Assignment",
    "Conflict",
    "Epoch",
    "Experiments",
    "Feedback",
    "FeedbackReceipt",
    "NewFeedback",
    "NewSession",
    "Session",
    "SessionDetail",
    "SessionUpdate",
    "StartedSession",
    "UnknownSession",
    "Variant",
    "VariantEvent",
]
