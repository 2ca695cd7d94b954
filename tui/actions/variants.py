"""The keys of the variants screen."""

from __future__ import annotations

from collections.abc import Iterator

from tui.actions.model import Action, Place


def variants() -> Iterator[Action]:
    """The actions of `variants`."""
    place: Place = "variants"
    yield Action(
        "variants.approve",
        ("enter",),
        "look, then approve",
        "Show the proposed weights, or a drafted prompt's lessons; again, and they are in force.",
        place,
        "approve",
        footer=1,
        brief="proposal",
    )
    yield Action(
        "variants.reject", ("x",), "decline", "Leave the weights as they are; or no draft.", place, "reject", footer=2
    )
    yield Action(
        "variants.draft",
        ("b",),
        "better prompt",
        "A prompt drafted from what ratings have taught; enter then makes it a variant.",
        place,
        "draft",
        footer=3,
        brief="draft",
    )
    yield Action(
        "variants.undo",
        ("u",),
        "undo",
        "Take back the newest decision on weights or a draft.",
        place,
        "undo",
        footer=9,
    )
    yield Action(
        "variants.propose",
        ("w",),
        "propose weights",
        "Work out from all ratings where new users should go; nothing changes before you approve.",
        place,
        "propose",
        footer=3,
        brief="weights",
    )
    yield Action(
        "variants.pause",
        ("p",),
        "pause",
        "Give the selected variant no more users, or let it have users again.",
        place,
        "pause",
        footer=4,
    )
    yield Action(
        "variants.add",
        ("a",),
        "add",
        "Add a prompt from a text file.",
        place,
        "add",
        footer=5,
    )
    yield Action(
        "variants.sessions",
        ("s",),
        "sessions",
        "The newest sessions of the selected variant.",
        place,
        "view('sessions')",
        footer=6,
    )
    yield Action("variants.prompt", ("v",), "prompt", "The prompt itself.", place, "view('prompt')", footer=7)
    yield Action(
        "variants.diff",
        ("d",),
        "diff",
        "What differs between the selected prompt and the next one.",
        place,
        "view('diff')",
        footer=8,
    )
    yield Action("variants.down", ("down", "j"), "next", "The next variant.", place, "move(1)")
    yield Action("variants.up", ("up", "k"), "previous", "The previous variant.", place, "move(-1)")
    yield Action("variants.scroll_down", ("pagedown", "]"), "scroll down", "Further down below.", place, "scroll(1)")
    yield Action("variants.scroll_up", ("pageup", "["), "scroll up", "Back up below.", place, "scroll(-1)")
    yield Action("variants.back", ("escape",), "back", "Back to the comparison.", place, "back", in_palette=False)
