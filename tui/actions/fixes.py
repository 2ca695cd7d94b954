"""The keys of the fixes screen, and of its page of trends."""

from __future__ import annotations

from collections.abc import Iterator

from tui.actions.model import Action, Place


def fixes() -> Iterator[Action]:
    """The actions of `fixes`."""
    place: Place = "fixes"
    yield Action(
        "fixes.dry_run",
        ("d",),
        "dry-run",
        "Try the fix on a copy: compile it, and run the tests before and after.",
        place,
        "dry_run",
        footer=1,
    )
    yield Action(
        "fixes.approve",
        ("a", "y"),
        "approve",
        "Apply the fix (of its hunks those that are marked), with the tests run in place.",
        place,
        "approve",
        footer=2,
    )
    yield Action(
        "fixes.reject",
        ("x", "n"),
        "reject",
        "Refuse the fix and say why; it is not proposed again.",
        place,
        "reject",
        footer=3,
    )
    yield Action(
        "fixes.edit", ("e",), "edit", "Change the fix in your editor; it is tried again.", place, "edit", footer=4
    )
    yield Action("fixes.undo", ("u",), "undo", "Take the applied fix, or the rejection, back.", place, "undo", footer=5)
    yield Action(
        "fixes.next_hunk", ("]",), "next hunk", "The next part of the change.", place, "hunk(1)", footer=6, brief="hunk"
    )
    yield Action("fixes.previous_hunk", ("[",), "previous hunk", "The part of the change before.", place, "hunk(-1)")
    yield Action(
        "fixes.mark", ("space",), "mark", "Mark this hunk: only marked ones are applied.", place, "mark", footer=9
    )
    yield Action(
        "fixes.view", ("tab",), "side by side", "The change as one column, or old and new side by side.", place, "view"
    )
    yield Action(
        "fixes.bulk",
        ("b",),
        "all safe ones",
        "Apply every fix that is safe and proven, together; asks once more.",
        place,
        "bulk",
        footer=11,
    )
    yield Action(
        "fixes.look",
        ("s",),
        "look in a project",
        "Look for fixes in a project's folder.",
        place,
        "look",
        footer=7,
        brief="look",
    )
    yield Action(
        "fixes.trends", ("t",), "trends", "How it goes: errors, fixes, throughput, models.", place, "trends", footer=10
    )
    yield Action("fixes.down", ("j", "down"), "next", "The next error.", place, "move(1)")
    yield Action("fixes.up", ("k", "up"), "previous", "The previous error.", place, "move(-1)")
    yield Action("fixes.page_down", ("pagedown", "ctrl+f"), "page down", "Further down the change.", place, "page(1)")
    yield Action("fixes.page_up", ("pageup", "ctrl+b"), "page up", "Further up the change.", place, "page(-1)")


def trends() -> Iterator[Action]:
    """The actions of `trends`."""
    place: Place = "trends"
    yield Action(
        "trends.write", ("w",), "write the report", "Write the report, as text, Markdown and JSON.", place, "write", 1
    )
    yield Action("trends.back", ("escape", "t"), "back", "Back to the fixes.", place, "back", 2, in_palette=False)
