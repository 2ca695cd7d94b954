"""The keys of the ranking screen, of zoom and compare, and of what opens over it."""

from __future__ import annotations

from collections.abc import Iterator

from tui.actions.model import Action, Place


def ranking() -> Iterator[Action]:
    """The actions of `ranking`."""
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
    yield Action("ranking.first", ("home",), "first image", "The first image of the set.", place, "edge(-1)")
    yield Action("ranking.last", ("end",), "last image", "The last image of the set.", place, "edge(1)")
    yield Action(
        "ranking.star", ("asterisk",), "to the ★", "Mark the suggested image, whatever page it is on.", place, "star"
    )
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
    yield Action(
        "ranking.bulk",
        ("b",),
        "approve together",
        "The sets whose suggestions can be trusted, listed before they are approved as one.",
        place,
        "bulk",
    )
    yield Action(
        "ranking.export",
        ("e",),
        "export the winners",
        "Write the winners' paths to a file, after a question; u right after takes it back.",
        place,
        "export",
    )
    yield Action(
        "ranking.projects",
        ("P",),
        "progress by project",
        "How far each project is; enter reviews that project.",
        place,
        "projects",
    )
    yield Action(
        "ranking.taste",
        ("T",),
        "your taste",
        "What you prefer, in plain words, each with pairs of your own as proof.",
        place,
        "taste",
    )


def zoom() -> Iterator[Action]:
    """The actions of `zoom`."""
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


def bulk() -> Iterator[Action]:
    """The actions of `bulk`."""
    place: Place = "bulk"
    yield Action(
        "bulk.approve",
        ("enter",),
        "approve all",
        "Approve every set of the list as one decision; one undo takes them all back.",
        place,
        "approve",
        footer=1,
    )
    yield Action("bulk.down", ("down", "j"), "next", "Look at the next set.", place, "move(1)", footer=2)
    yield Action("bulk.up", ("up", "k"), "previous", "Look at the previous set.", place, "move(-1)", footer=3)
    yield Action("bulk.page_down", ("pagedown", "ctrl+f"), "page down", "One screen further.", place, "page(1)")
    yield Action("bulk.page_up", ("pageup", "ctrl+b"), "page up", "One screen back.", place, "page(-1)")
    yield Action(
        "bulk.stricter",
        ("+", "="),
        "stricter",
        "Ask for a higher accuracy: 90, 95, 98, 99 %.",
        place,
        "target(1)",
        footer=4,
    )
    yield Action("bulk.laxer", ("-",), "laxer", "Be content with a lower accuracy.", place, "target(-1)", footer=5)
    yield Action(
        "bulk.back", ("escape", "b"), "back", "Back; nothing is approved.", place, "back", footer=6, in_palette=False
    )


def taste() -> Iterator[Action]:
    """The actions of `taste`."""
    place: Place = "taste"
    yield Action("taste.down", ("down", "j"), "next", "The next preference.", place, "move(1)", footer=1)
    yield Action("taste.up", ("up", "k"), "previous", "The previous preference.", place, "move(-1)", footer=2)
    yield Action("taste.back", ("escape", "T"), "back", "Back to the sets.", place, "back", footer=3, in_palette=False)


def projects() -> Iterator[Action]:
    """The actions of `projects`."""
    place: Place = "projects"
    yield Action(
        "projects.open",
        ("enter",),
        "review it",
        "Review this project only; the first line is all of them.",
        place,
        "open",
        footer=1,
    )
    yield Action("projects.down", ("down", "j"), "next", "The next project.", place, "move(1)", footer=2)
    yield Action("projects.up", ("up", "k"), "previous", "The previous project.", place, "move(-1)", footer=3)
    yield Action(
        "projects.back", ("escape", "P"), "back", "Back to the sets.", place, "back", footer=4, in_palette=False
    )
