"""The keys of the duplicates screen."""

from __future__ import annotations

from collections.abc import Iterator

from tui.actions.model import Action


def duplicates() -> Iterator[Action]:
    """The actions of `duplicates`."""
    yield from ()
