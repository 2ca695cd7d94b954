"""What the duplicates screen's workers tell it: the groups, a verdict that is carried out, one that is taken back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.message import Message

from tui.widgets.lines import Span

if TYPE_CHECKING:
    from engine.library.duplicates import Group, Undone
    from tui.screens.duplicates_words import Totals


@dataclass
class Listed(Message, bubble=False):
    """Every group that is open, by kind, project and name. `projects`: those that were listed anew after a verdict.
    `images`: how many were compared, once what is new was looked at, too."""

    groups: tuple[Group, ...]
    totals: Totals
    projects: tuple[str, ...] = ()
    images: int | None = None


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
