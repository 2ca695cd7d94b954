"""The keys of the variants screen."""

from __future__ import annotations

from collections.abc import Iterator

from tui.actions.model import Action


def variants() -> Iterator[Action]:
    """The actions of `variants`."""
    yield from ()
