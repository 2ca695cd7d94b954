"""What workers tell the screens. Workers never touch widgets: they post one of these, and `@on` handlers own the state.

Small dataclass messages; those that report progress replace an older one still waiting, so a slow terminal is
never behind a fast worker.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.message import Message

if TYPE_CHECKING:
    from tui.runwatch import Activity

Tone = Literal["plain", "good", "danger"]


@dataclass
class EngineReady(Message, bubble=False):
    """The workspace is open; screens may ask the rooms."""


@dataclass
class RunMoved(Message, bubble=False):
    """A run progressed or changed its state."""

    activity: Activity

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, RunMoved) and message.activity.run.id == self.activity.run.id


@dataclass
class RunEnded(Message, bubble=False):
    """A run came to its end; its state says which."""

    activity: Activity


@dataclass
class LibraryGrew(Message, bubble=False):
    """A scan brought images; sets may have formed or grown."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, LibraryGrew)
