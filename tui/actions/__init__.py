"""The one registry of keys and actions.

Every key the app answers to is written down here once, and everything that speaks of keys is made from it: the
bindings of the screens, the bottom line, the `?` help, the Ctrl+P palette and the documentation. A person's
`keymap` setting is laid over it by `tui.keymap`. Imports no Textual, so that documentation can be made from it
without a terminal; it never runs an action itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from tui.actions.duplicates import duplicates
from tui.actions.everywhere import everywhere
from tui.actions.fixes import fixes, trends
from tui.actions.help import help_overlay
from tui.actions.inventory import gaps, inventory, refused
from tui.actions.model import Action, Place
from tui.actions.ranking import bulk, projects, ranking, taste, zoom
from tui.actions.training import training
from tui.actions.variants import variants
from tui.keymap import key_name

__all__ = ["ACTIONS", "TITLES", "Action", "Place", "actions", "bindings", "footer"]

if TYPE_CHECKING:
    from textual.binding import BindingType

ACTIONS: tuple[Action, ...] = (
    *everywhere(),
    *ranking(),
    *zoom(),
    *bulk(),
    *taste(),
    *projects(),
    *inventory(),
    *gaps(),
    *refused(),
    *training(),
    *duplicates(),
    *variants(),
    *fixes(),
    *trends(),
    *help_overlay(),
)
TITLES: dict[Place, str] = {
    "everywhere": "Everywhere",
    "ranking": "Ranking",
    "zoom": "Zoom and compare",
    "bulk": "Approve together",
    "taste": "Your taste",
    "projects": "Projects",
    "inventory": "Inventory",
    "gaps": "Gaps",
    "refused": "Refused files",
    "training": "Training",
    "duplicates": "Duplicates",
    "variants": "Variants",
    "fixes": "Fixes",
    "trends": "How it goes",
    "help": "Help",
}


def bindings(place: Place) -> list[BindingType]:
    """The Textual bindings of one screen (of the app, for `everywhere`); their ids are what a keymap changes."""
    from textual.binding import Binding

    made: list[BindingType] = []
    for action in actions(place):
        if action.numbered:
            for number, key in enumerate(action.keys, 1):
                name = f"{action.id}.{number}"
                made.append(Binding(key_name(key), f"{action.call}({number})", action.label, show=False, id=name))
        else:
            keys = ",".join(map(key_name, action.keys))
            priority = action.keys[0].startswith("ctrl+")
            made.append(Binding(keys, action.call, action.label, show=False, priority=priority, id=action.id))
    return made


def actions(place: Place) -> list[Action]:
    """The actions of one place, in the registry's order."""
    return [action for action in ACTIONS if action.place == place]


def footer(place: Place, only: Iterable[str] | None = None) -> list[Action]:
    """The actions worth a place in the bottom line, most important first; `only` narrows them to what matters now."""
    wanted = None if only is None else set(only)
    shown = [
        action
        for action in ACTIONS
        if action.footer
        and (action.place == place if wanted is None else action.id in wanted)
        and action.place != "everywhere"
    ]
    return sorted(shown, key=lambda action: action.footer)
