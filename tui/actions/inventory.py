"""The keys of the inventory and of the refused files."""

from __future__ import annotations

from collections.abc import Iterator

from tui.actions.model import Action, Place


def inventory() -> Iterator[Action]:
    """The actions of `inventory`."""
    place: Place = "inventory"
    yield Action(
        "inventory.filter",
        ("/",),
        "filter",
        "Show only images whose name, project or format holds what you type.",
        place,
        "filter",
        footer=1,
    )
    yield Action(
        "inventory.open",
        ("enter", "z"),
        "look closer",
        "The selected image on the whole screen.",
        place,
        "zoom",
        footer=2,
        brief="closer",
    )
    yield Action(
        "inventory.sort",
        ("s",),
        "sort",
        "By name, capture time, size, resolution or project, in turn.",
        place,
        "sort",
        footer=3,
    )
    yield Action(
        "inventory.refused",
        ("r",),
        "refused files",
        "Files that could not be read, each with its reason.",
        place,
        "refused",
        footer=4,
        brief="refused",
    )
    yield Action("inventory.down", ("down", "j"), "next", "The next image.", place, "move(1)")
    yield Action("inventory.up", ("up", "k"), "previous", "The previous image.", place, "move(-1)")
    yield Action("inventory.page_down", ("pagedown", "ctrl+f"), "page down", "One screen further.", place, "page(1)")
    yield Action("inventory.page_up", ("pageup", "ctrl+b"), "page up", "One screen back.", place, "page(-1)")
    yield Action("inventory.top", ("home", "g"), "first", "The first image.", place, "edge(-1)")
    yield Action("inventory.bottom", ("end", "G"), "last", "The last image.", place, "edge(1)")
    yield Action(
        "inventory.clear",
        ("escape",),
        "clear the filter",
        "Show every image again.",
        place,
        "clear_filter",
        footer=5,
        brief="clear",
    )


def refused() -> Iterator[Action]:
    """The actions of `refused`."""
    place: Place = "refused"
    yield Action("refused.down", ("down", "j"), "next", "The next file.", place, "move(1)", footer=1)
    yield Action("refused.up", ("up", "k"), "previous", "The previous file.", place, "move(-1)", footer=2)
    yield Action("refused.page_down", ("pagedown", "ctrl+f"), "page down", "One screen further.", place, "page(1)")
    yield Action("refused.page_up", ("pageup", "ctrl+b"), "page up", "One screen back.", place, "page(-1)")
    yield Action("refused.top", ("home", "g"), "first", "The first file.", place, "edge(-1)")
    yield Action("refused.bottom", ("end", "G"), "last", "The last file.", place, "edge(1)")
    yield Action(
        "refused.back",
        ("escape", "r"),
        "back",
        "Back to the images.",
        place,
        "back",
        footer=3,
        in_palette=False,
    )
