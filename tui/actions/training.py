"""The keys of the training screen."""

from __future__ import annotations

from collections.abc import Iterator

from tui.actions.model import Action, Place


def training() -> Iterator[Action]:
    """The actions of `training`."""
    place: Place = "training"
    yield Action(
        "training.start",
        ("t",),
        "train",
        "Train the ranker on every verdict so far.",
        place,
        "train",
        footer=1,
    )
    yield Action("training.down", ("down", "j"), "next run", "Show the next run.", place, "move(1)", footer=2)
    yield Action("training.up", ("up", "k"), "previous run", "Show the previous run.", place, "move(-1)")
    yield Action(
        "training.cancel",
        ("x",),
        "stop",
        "Stop the selected run within one step; it can be resumed.",
        place,
        "cancel",
        footer=3,
    )
    yield Action(
        "training.resume",
        ("r",),
        "resume",
        "Go on with the selected run where it stopped.",
        place,
        "resume",
        footer=4,
    )
    yield Action(
        "training.detach",
        ("D",),
        "detach",
        "Let the selected run go on when you leave; any app follows it.",
        place,
        "detach",
        footer=5,
    )
