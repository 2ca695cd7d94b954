"""What the training screen's workers tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

if TYPE_CHECKING:
    from engine.monitor import Reading
    from engine.ranking import Consistency
    from engine.ranking.model import RankerStatus
    from engine.ranking.registry import ModelRow
    from engine.runs import RunEvent


@dataclass
class Told(Message, bubble=False):
    """Events of the selected run."""

    run_id: str
    events: list[RunEvent]


@dataclass
class Judged(Message, bubble=False):
    """The state of the ranker."""

    status: RankerStatus
    versions: list[ModelRow]
    own: Consistency


@dataclass
class Metered(Message, bubble=False):
    """The meters were read."""

    reading: Reading
