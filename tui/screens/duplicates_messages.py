"""What the duplicates screen's workers tell it: the groups, a verdict that is carried out, one that is taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tui.widgets.lines import Span

if TYPE_CHECKING:
    from engine.library.duplicates import Found, Undone


@dataclass
class Listed(Message, bubble=False):
    """Every group; `is_whole` once what is new was looked at, too."""

    found: Found
    is_whole: bool


@dataclass
class Done(Message, bubble=False):
    """These groups have their verdict, and their files are where it puts them."""

    groups: tuple[str, ...]
    said: tuple[Span, ...]


@dataclass
class Failed(Message, bubble=False):
    """A verdict could not be carried out; everything is as it was."""


@dataclass
class Reversed(Message, bubble=False):
    """An undo is done; None: there was nothing left to undo."""

    undone: Undone | None
