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
    yield Action(
        "training.down", ("down", "j"), "next", "The next run, or the next version.", place, "move(1)", footer=3
    )
    yield Action("training.up", ("up", "k"), "previous", "The previous run or version.", place, "move(-1)")
    yield Action(
        "training.report",
        ("v",),
        "versions",
        "The versions of the ranker and what is known of each; and back to the runs.",
        place,
        "report",
        footer=2,
    )
    yield Action(
        "training.use",
        ("enter",),
        "use it",
        "Let the selected version suggest from now on; any other can be taken again.",
        place,
        "use",
        footer=4,
    )
    yield Action(
        "training.further", ("pagedown", "ctrl+f"), "further down", "Scroll the report down.", place, "scroll_report(1)"
    )
    yield Action(
        "training.back_up", ("pageup", "ctrl+b"), "further up", "Scroll the report up.", place, "scroll_report(-1)"
    )
    yield Action(
        "training.cancel",
        ("x",),
        "stop",
        "Stop the selected run within one step; it can be resumed.",
        place,
        "cancel",
        footer=5,
    )
    yield Action(
        "training.resume",
        ("r",),
        "resume",
        "Go on with the selected run where it stopped.",
        place,
        "resume",
        footer=6,
    )
    yield Action(
        "training.detach",
        ("D",),
        "detach",
        "Let the selected run go on when you leave; any app follows it.",
        place,
        "detach",
        footer=7,
    )
