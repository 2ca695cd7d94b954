"""What the ranking screen's workers tell it: a set is loaded, a suggestion came, a verdict is durable or taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from engine.ranking.bulk import BulkPlan
    from engine.ranking.model import ImageSet, RankerStatus
    from engine.review import Agreement, Suggestion


@dataclass
class SetLaid(Message, bubble=False):
    """The set to be shown is loaded."""

    shown: ImageSet


@dataclass
class Suggested(Message, bubble=False):
    """What the machine would pick in a set."""

    set_id: int
    suggestion: Suggestion | None


@dataclass
class Kept(Message, bubble=False):
    """A verdict is durable."""

    set_id: int


@dataclass
class TakenBack(Message, bubble=False):
    """An undo reached this set; None: there was nothing left to undo."""

    set_id: int | None
    is_repeat: bool = False
    together: int = 1  # how many verdicts it took back


@dataclass
class Surveyed(Message, bubble=False):
    """Which sets could be approved together, by the model in use."""

    plan: BulkPlan


@dataclass
class Standing(Message, bubble=False):
    """How the suggestions fare."""

    agreement: Agreement
    status: RankerStatus
    pace: float | None = None  # seconds a set
