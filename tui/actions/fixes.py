"""The keys of the fixes screen."""

from __future__ import annotations

from collections.abc import Iterator

from tui.actions.model import Action


def fixes() -> Iterator[Action]:
    """The actions of `fixes`."""
    yield from ()
