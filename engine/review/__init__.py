"""Review: what the machine suggests, what the person decides, and the way back."""

from engine.review.model import Agreement, Decision, NewDecision, Suggestion, Verdict
from engine.review.review import Review

__all__ = ["Agreement", "Decision", "NewDecision", "Review", "Suggestion", "Verdict"]
