"""The keys that every screen answers to."""

from __future__ import annotations

from collections.abc import Iterator

from tui.actions.model import Action, Place


def everywhere() -> Iterator[Action]:
    """The actions of `everywhere`."""
    place: Place = "everywhere"
    yield Action("app.help", ("?", "f1"), "help", "Every key of this screen.", place, "app.help", footer=90)
    yield Action(
        "app.palette",
        ("ctrl+p", ":"),
        "palette",
        "Find any action, screen, theme or run by typing a part of its name.",
        place,
        "app.command_palette",
        in_palette=False,
    )
    yield Action(
        "app.ranking",
        ("f2",),
        "go to ranking",
        "Image sets side by side: pick the best one.",
        place,
        "app.go('ranking')",
    )
    yield Action(
        "app.inventory",
        ("f3",),
        "go to inventory",
        "Every image of the library.",
        place,
        "app.go('inventory')",
    )
    yield Action(
        "app.training",
        ("f4",),
        "go to training",
        "Runs with live curves, and the model's card.",
        place,
        "app.go('training')",
    )
    yield Action(
        "app.duplicates",
        ("f5",),
        "go to duplicates",
        "Groups of the same picture: keep one, move the others to the trash folder.",
        place,
        "app.go('duplicates')",
    )
    yield Action(
        "app.variants",
        ("f6",),
        "go to variants",
        "Prompt variants: which one is winning.",
        place,
        "app.go('variants')",
    )
    yield Action(
        "app.fixes",
        ("f7",),
        "go to fixes",
        "Recurring errors, and the edits that would end them.",
        place,
        "app.go('fixes')",
    )
    yield Action(
        "app.scan",
        ("o",),
        "open a folder",
        "Scan a folder of images; what is found appears while the scan goes on.",
        place,
        "app.open_folder",
    )
    yield Action(
        "app.images",
        ("i",),
        "pictures",
        "Draw pictures the next way this terminal knows: kitty, sixel, half blocks, off.",
        place,
        "app.cycle_images",
    )
    yield Action("app.theme", ("f9",), "next theme", "Change the colours at once.", place, "app.cycle_theme")
    yield Action(
        "app.redraw",
        ("ctrl+l",),
        "redraw",
        "Paint the whole screen again, after another program wrote over it.",
        place,
        "app.redraw",
    )
    yield Action(
        "app.quit",
        ("q", "ctrl+q", "ctrl+c"),
        "leave",
        "Leave. Every verdict is kept, runs stop cleanly and can be resumed, and you come back to this place.",
        place,
        "app.quit",
    )
