"""The keys of the inventory, of its gaps and of the refused files."""

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
        "Show only images that a query finds: sunset camera:nikon taken:2024-05 blur:>0.6. Tab completes.",
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
        "inventory.gaps",
        ("g",),
        "gaps",
        "What there is against the recommended mix, what to add, and each project. Enter lists a bar.",
        place,
        "gaps",
        footer=4,
    )
    yield Action(
        "inventory.refused",
        ("r",),
        "refused files",
        "Files that could not be read, each with its reason.",
        place,
        "refused",
        footer=5,
        brief="refused",
    )
    yield Action("inventory.down", ("down", "j"), "next", "The next image.", place, "move(1)")
    yield Action("inventory.up", ("up", "k"), "previous", "The previous image.", place, "move(-1)")
    yield Action("inventory.page_down", ("pagedown", "ctrl+f"), "page down", "One screen further.", place, "page(1)")
    yield Action("inventory.page_up", ("pageup", "ctrl+b"), "page up", "One screen back.", place, "page(-1)")
    yield Action("inventory.top", ("home",), "first", "The first image.", place, "edge(-1)")
    yield Action("inventory.bottom", ("end", "G"), "last", "The last image.", place, "edge(1)")
    yield Action(
        "inventory.clear",
        ("escape",),
        "clear the filter",
        "Show every image again.",
        place,
        "clear_filter",
        footer=6,
        brief="clear",
    )


def gaps() -> Iterator[Action]:
    """The actions of `gaps`."""
    place: Place = "gaps"
    yield Action("gaps.open", ("enter",), "its images", "List the images of the chosen bar.", place, "choose", footer=1)
    yield Action("gaps.down", ("down", "j"), "next", "The next bar.", place, "move(1)", footer=2)
    yield Action("gaps.up", ("up", "k"), "previous", "The bar before.", place, "move(-1)", footer=3)
    yield Action(
        "gaps.next", ("right", "l", "tab"), "next part", "The next part of the page.", place, "part(1)", footer=4
    )
    yield Action("gaps.previous", ("left", "h", "shift+tab"), "part before", "The part before.", place, "part(-1)")
    yield Action("gaps.page_down", ("pagedown", "ctrl+f"), "page down", "One screen further.", place, "page(1)")
    yield Action("gaps.page_up", ("pageup", "ctrl+b"), "page up", "One screen back.", place, "page(-1)")
    yield Action("gaps.top", ("home",), "first", "The first bar.", place, "edge(-1)")
    yield Action("gaps.bottom", ("end", "G"), "last", "The last bar.", place, "edge(1)")
    yield Action("gaps.back", ("escape", "g"), "back", "Back to the images.", place, "back", footer=5, in_palette=False)


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
