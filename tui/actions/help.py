"""The keys of the help overlay."""

from __future__ import annotations

from collections.abc import Iterator

from tui.actions.model import Action, Place


def help_overlay() -> Iterator[Action]:
    """The actions of `help`."""
    place: Place = "help"
    yield Action("help.down", ("down", "j"), "down", "Scroll down.", place, "scroll(1)", footer=1)
    yield Action("help.up", ("up", "k"), "up", "Scroll up.", place, "scroll(-1)", footer=2)
    yield Action(
        "help.back",
        ("escape", "q", "enter", "space"),
        "close",
        "Back to work.",
        place,
        "back",
        footer=3,
        in_palette=False,
    )
