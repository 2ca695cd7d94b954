"""The one registry of keys and actions.

Every key the app answers to is written down here once, and everything that speaks of keys is made from it: the
bindings of the screens, the bottom line, the `?` help, the Ctrl+P palette and the documentation. A person's
`keymap` setting is laid over it by `tui.keymap`. Imports no Textual, so that documentation can be made from it
without a terminal; it never runs an action itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tui.keymap import key_name

if TYPE_CHECKING:
    from textual.binding import BindingType

Place = Literal["everywhere", "ranking", "zoom", "inventory", "refused", "training", "help"]


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a person can ask for.

    `call` is the Textual action (`pick`, `app.palette`); `footer` is its place in the bottom line (0: never shown,
    1 comes first and is dropped last); where room is short, those with `terse` give up their words and keep their
    keys, which speak for themselves, 1 before the others; with `numbered`, the n-th key calls `call(n)`.
    """

    id: str
    keys: tuple[str, ...]
    label: str
    help: str
    place: Place
    call: str
    footer: int = 0
    brief: str = ""
    terse: int = 0
    numbered: bool = False
    in_palette: bool = True


def _everywhere() -> Iterator[Action]:
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


def _ranking() -> Iterator[Action]:
    place: Place = "ranking"
    yield Action(
        "ranking.pick",
        ("enter",),
        "pick",
        "Pick the marked image: the suggestion (★) until you move.",
        place,
        "pick",
        footer=1,
    )
    yield Action(
        "ranking.number",
        tuple("123456789"),
        "pick by number",
        "Pick the image with this number.",
        place,
        "number",
        footer=2,
        brief="pick",
        terse=1,
        numbered=True,
        in_palette=False,
    )
    yield Action("ranking.left", ("left", "h"), "move left", "Mark the image to the left.", place, "move(-1, 0)")
    yield Action(
        "ranking.right",
        ("right", "l"),
        "move right",
        "Mark the image to the right.",
        place,
        "move(1, 0)",
        footer=3,
        brief="move",
        terse=1,
    )
    yield Action("ranking.up", ("up", "k"), "move up", "Mark the image above.", place, "move(0, -1)")
    yield Action("ranking.down", ("down", "j"), "move down", "Mark the image below.", place, "move(0, 1)")
    yield Action(
        "ranking.zoom",
        ("z",),
        "zoom",
        "The marked image on the whole screen.",
        place,
        "zoom",
        footer=5,
        terse=3,
    )
    yield Action(
        "ranking.compare",
        ("c",),
        "compare",
        "Flicker between the marked image and its rival, where they differ most.",
        place,
        "compare",
        footer=6,
        terse=3,
    )
    yield Action("ranking.none", ("x",), "none", "None of them is good: reject all.", place, "none", footer=7)
    yield Action(
        "ranking.skip",
        ("space",),
        "skip",
        "Leave this set undecided and go on to the next.",
        place,
        "skip",
        footer=8,
        terse=2,
    )
    yield Action(
        "ranking.undo",
        ("u",),
        "undo",
        "Take the last verdict back and return to its set; as often as you like.",
        place,
        "undo",
        footer=9,
    )
    yield Action(
        "ranking.suggestions",
        ("s",),
        "suggestions on/off",
        "Hide or show what the machine would pick; picks made without it are recorded as blind.",
        place,
        "toggle_suggestions",
        footer=10,
        brief="suggestions",
        terse=2,
    )
    yield Action(
        "ranking.next_page",
        ("pagedown", "]"),
        "next images",
        "The next images of a set with more than fit.",
        place,
        "page(1)",
        footer=4,
        brief="images",
    )
    yield Action("ranking.previous_page", ("pageup", "["), "previous images", "Back by one page.", place, "page(-1)")
    yield Action(
        "ranking.project",
        ("p",),
        "next project",
        "Review one project only, the next one, or all.",
        place,
        "next_project",
    )
    yield Action(
        "ranking.train",
        ("t",),
        "train now",
        "Train the ranker on every verdict so far; reviewing goes on meanwhile.",
        place,
        "train",
    )


def _zoom() -> Iterator[Action]:
    place: Place = "zoom"
    yield Action("zoom.pick", ("enter",), "pick", "Pick the image that is shown.", place, "pick", footer=1)
    yield Action(
        "zoom.number",
        tuple("123456789"),
        "show by number",
        "Show the image with this number, at the same region.",
        place,
        "number",
        footer=2,
        brief="show",
        terse=1,
        numbered=True,
        in_palette=False,
    )
    yield Action("zoom.left", ("left", "h"), "pan left", "Move the region to the left.", place, "pan(-1, 0)")
    yield Action(
        "zoom.right",
        ("right", "l"),
        "pan right",
        "Move the region to the right.",
        place,
        "pan(1, 0)",
        footer=3,
        brief="pan",
        terse=1,
    )
    yield Action("zoom.up", ("up", "k"), "pan up", "Move the region up.", place, "pan(0, -1)")
    yield Action("zoom.down", ("down", "j"), "pan down", "Move the region down.", place, "pan(0, 1)")
    yield Action(
        "zoom.in",
        ("+", "="),
        "closer",
        "Zoom in; up to the pixels of the file.",
        place,
        "zoom(1)",
        footer=4,
        terse=2,
    )
    yield Action(
        "zoom.out",
        ("-",),
        "wider",
        "Zoom out, to the whole image.",
        place,
        "zoom(-1)",
        footer=5,
        terse=2,
    )
    yield Action(
        "zoom.fit",
        ("0",),
        "whole image",
        "Show the whole image again.",
        place,
        "fit",
        footer=9,
        brief="whole",
        terse=3,
    )
    yield Action(
        "zoom.compare",
        ("c",),
        "compare",
        "Flicker between this image and its rival, where they differ most.",
        place,
        "compare",
        footer=6,
    )
    yield Action(
        "zoom.flip",
        ("space",),
        "flip by hand",
        "Stop the flicker and turn over by hand; c starts it again.",
        place,
        "flip",
        footer=8,
        brief="flip",
        terse=3,
    )
    yield Action("zoom.back", ("escape", "z"), "back", "Back to the set.", place, "back", footer=7, in_palette=False)


def _inventory() -> Iterator[Action]:
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


def _refused() -> Iterator[Action]:
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


def _training() -> Iterator[Action]:
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


def _help() -> Iterator[Action]:
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


ACTIONS: tuple[Action, ...] = (
    *_everywhere(),
    *_ranking(),
    *_zoom(),
    *_inventory(),
    *_refused(),
    *_training(),
    *_help(),
)
TITLES: dict[Place, str] = {
    "everywhere": "Everywhere",
    "ranking": "Ranking",
    "zoom": "Zoom and compare",
    "inventory": "Inventory",
    "refused": "Refused files",
    "training": "Training",
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
