"""The keys of the duplicates screen."""

from __future__ import annotations

from collections.abc import Iterator

from tui.actions.model import Action, Place


def duplicates() -> Iterator[Action]:
    """The actions of `duplicates`."""
    place: Place = "duplicates"
    yield Action(
        "duplicates.approve",
        ("enter",),
        "keep, trash the rest",
        "Keep the marked image (★ is the suggested one) and move the others of the group to the trash folder.",
        place,
        "approve",
        footer=1,
        brief="keep ★",
    )
    yield Action(
        "duplicates.left", ("left", "h"), "keep the one before", "Mark the image before, to keep it.", place, "keep(-1)"
    )
    yield Action(
        "duplicates.right",
        ("right", "l"),
        "keep the next one",
        "Mark the next image, to keep that one.",
        place,
        "keep(1)",
        footer=2,
        brief="keep another",
        terse=2,
    )
    yield Action(
        "duplicates.number",
        tuple("123456789"),
        "keep by number",
        "Mark the image with this number, to keep it.",
        place,
        "number",
        numbered=True,
        in_palette=False,
    )
    yield Action(
        "duplicates.reject",
        ("x",),
        "not duplicates",
        "These are different pictures: remembered, and never grouped again.",
        place,
        "reject",
        footer=3,
        brief="not duplicates",
    )
    yield Action(
        "duplicates.undo",
        ("u",),
        "undo",
        "Take the last verdict back; its files return from the trash.",
        place,
        "undo",
        footer=4,
    )
    yield Action("duplicates.up", ("up", "k"), "group before", "The group before this one.", place, "step(-1)")
    yield Action(
        "duplicates.down",
        ("down", "j", "space"),
        "next group",
        "The next group; this one stays undecided.",
        place,
        "step(1)",
        footer=5,
        brief="next",
        terse=1,
    )
    yield Action(
        "duplicates.bulk",
        ("b",),
        "all identical files",
        "Approve every group of identical files together; one undo takes it all back.",
        place,
        "bulk",
        footer=6,
        brief="identical",
        terse=3,
    )
    yield Action(
        "duplicates.filter",
        ("f",),
        "one kind only",
        "Show identical files, copies or bursts only, in turn, or all.",
        place,
        "filter",
        footer=7,
        brief="kind",
        terse=3,
    )
    yield Action(
        "duplicates.compare",
        ("c",),
        "compare",
        "Flicker between the marked image and another of the group, where they differ most.",
        place,
        "look(True)",
        footer=8,
        terse=3,
    )
    yield Action(
        "duplicates.zoom",
        ("z",),
        "zoom",
        "The marked image on the whole screen.",
        place,
        "look(False)",
        footer=9,
        terse=3,
    )
    yield Action(
        "duplicates.merge",
        ("m",),
        "merge metadata",
        "Write the keywords, texts and rating that only the others have into a sidecar of the one that is kept.",
        place,
        "merge",
        footer=10,
        brief="merge",
    )
    yield Action(
        "duplicates.search", ("r",), "look again", "Compare what is new with all the rest, now.", place, "search"
    )
