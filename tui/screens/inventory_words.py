"""How the inventory is worded and drawn: rows of the list, the panel above it, what is known of one image. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tui.screens.ranking_words import megabytes
from tui.widgets.chrome import bar
from tui.widgets.lines import Row, Span, clip, row, width_of

if TYPE_CHECKING:
    from engine.library.distribution import Distribution, Mix, Share
    from engine.library.listing import Details
    from engine.library.model import Inventory

HEADS = ("name", "project", "taken", "size", "camera", "quality", "blur", "dup")
#: Columns of the list that go first when it is narrow, with the room that the list then needs without them.
_TO_THE_LEFT = {"name", "project", "taken", "camera", "quality"}
_WIDTHS = {"project": 8, "taken": 10, "size": 9, "camera": 12, "quality": 9, "blur": 4, "dup": 3}
_LEAST_FIRST = ("camera", "dup", "taken", "project", "blur", "quality", "size")
_NAME = 18  # cells that a name should have before a column may go

INKS_OF_QUALITY = {"excellent": "decided", "good": "text", "average": "dim", "poor": "danger"}


def widths(room: int) -> tuple[int, ...]:
    """The widths of `HEADS` in `room` cells, 0 for those that there is no room for."""
    shown = dict(_WIDTHS)
    for name in _LEAST_FIRST:
        if room - sum(width + 2 for width in shown.values()) >= _NAME:
            break
        del shown[name]
    return (max(10, room - sum(width + 2 for width in shown.values())), *(shown.get(name, 0) for name in HEADS[1:]))


def columns(cells: Sequence[Span], room: Sequence[int], selected: bool = False) -> Row:
    """One row of the list from (text, ink) of each column: words to the left, figures to the right of theirs."""
    ground = " on raised" if selected else ""
    spans: list[Span] = [(" ▸ " if selected else "   ", "suggest" + ground)]
    for head, (text, ink), width in zip(HEADS, cells, room, strict=True):
        if width:
            fitted = clip(text, width)
            spans.append((fitted.ljust(width) if head in _TO_THE_LEFT else fitted.rjust(width), ink + ground))
            spans.append(("  ", "dim" + ground))
    return Row(tuple(spans[:-1]), ink="dim" + ground)


def heads(room: Sequence[int]) -> Row:
    """The line over the list."""
    return columns([(head, "dim") for head in HEADS], room)


def image_row(one: Details, room: Sequence[int], selected: bool) -> Row:
    """An image in the list; what is not known yet is left blank."""
    image, facts, told = one.image, one.facts, one.metadata
    camera = (told.camera_model or told.camera_make or "-") if told else ""
    quality = facts.quality if facts else ""
    cells: list[Span] = [
        (image.name, "strong" if selected else "text"),
        (image.project, "dim"),
        ((image.taken_at or "")[:10], "dim"),
        (f"{image.width}×{image.height}", "dim"),
        (camera, "dim"),
        (quality, INKS_OF_QUALITY.get(quality, "dim")),
        (f"{1 - facts.sharpness:.2f}".lstrip("0") if facts else "", "dim"),
        ("" if one.duplicates is None else str(one.duplicates or "-"), "suggest" if one.duplicates else "faint"),
    ]
    return columns(cells, room, selected)


def narrowed(asked: str, term: str) -> str:
    """A query with one more term, as a chosen bar gives it; a term that is there already is not said twice."""
    return asked if term in asked.split() else f"{asked} {term}".strip()


def quick_facts(found: Inventory, narrow: bool) -> list[Row]:
    """Formats and resolutions as bars, while the rest is being counted."""
    rows = []
    for title, shares in (("format", found.formats), ("resolution", found.resolutions)):
        total = sum(count for _, count in shares) or 1
        spans: list[Span] = [(f"   {title:<10} ", "dim")]
        for label, count in shares[: 3 if narrow else 5]:
            spans += _bar(label.upper() if title == "format" else label, count / total, None, 4 if narrow else 8)
        rows.append(Row(tuple(spans)))
    return (
        rows[:1]
        if narrow
        else [
            *rows,
            row(("   counting the rest…", "faint")),
            Row((("   ", "dim"),), (("   ", "dim"),), fill="─", ink="rule"),
        ]
    )


def facts(found: Mix, width: int, narrow: bool) -> list[Row]:
    """The panel over the list: what there is against what is wanted, and what to add."""
    gaps = _gaps(found, width)
    if narrow:
        return [gaps if found.gap_list else _axis(found.distributions["format"], width)]
    pairs = (("format", "resolution"), ("quality", "lighting"))
    return [
        *(_side_by_side([_axis(found.distributions[name], width // 2) for name in pair], width) for pair in pairs),
        _side_by_side([_axis(found.distributions["source"], width // 2), gaps], width),
        Row((("   ", "dim"),), (("   ", "dim"),), fill="─", ink="rule"),
    ]


def _axis(found: Distribution, room: int) -> Row:
    """One axis in a line: the classes there are most of, each beside its recommended share, as many as fit whole."""
    spans: list[Span] = [(f"   {found.axis:<10} ", "dim")]
    known = found.known
    if not known:
        return Row((*spans, ("not looked at yet", "faint")))
    for share in sorted((share for share in found.shares if share.images), key=lambda share: -share.images):
        piece = _bar(share.label, share.images / known, share.wanted, 5)
        if width_of([*spans, *piece]) > room:
            break
        spans += piece
    return Row(tuple(spans))


def _bar(label: str, part: float, wanted: float | None, width: int) -> list[Span]:
    percent = "<1 %" if 0 < part < 0.005 else f"{part * 100:.0f} %"
    spans: list[Span] = [(label, "text"), (" ", "dim"), *bar(part, width, "dim"), (f" {percent}", "dim")]
    if wanted is not None:
        spans.append((f"/{wanted * 100:.0f}", "faint"))
    return [*spans, ("  ", "dim")]


def _gaps(found: Mix, width: int) -> Row:
    """What to add, the largest gaps first."""
    spans: list[Span] = [("   gaps       ", "dim")]
    if not found.images:
        return Row()
    if not found.gap_list:
        return Row((*spans, ("none: this is the recommended mix", "decided")))
    room = width // 2 - 4 if width >= 110 else width - 8
    for _, _, label, count in found.gap_list:
        piece: list[Span] = [(label, "text"), (f" +{count:,}", "suggest"), ("   ", "dim")]
        if width_of([*spans, *piece]) > room:
            break
        spans += piece
    return Row((*spans, ("g", "strong bold")))


def _side_by_side(parts: Sequence[Row], width: int) -> Row:
    """Two lines in one, each in its half."""
    from tui.widgets.lines import lay_out

    half = width // len(parts)
    return Row(tuple(span for part in parts for span in lay_out(part, half)))


def bar_row(share: Share, found: Distribution, width: int, selected: bool) -> Row:
    """A class on the page of gaps: how many, which share, beside the recommended one, and what to add."""
    ground = " on raised" if selected else ""
    part = share.images / found.known if found.known else 0.0
    label = max(12, min(24, width // 5))
    drawn = max(8, min(40, width - label - 46))
    short = share.wanted is not None and part < share.wanted - 0.005
    spans: list[Span] = [
        (" ▸ " if selected else "   ", "suggest" + ground),
        (clip(share.label, label).ljust(label), ("strong" if selected else "text") + ground),
        (f"{share.images:>10,}", "text" + ground),
        (f"{part * 100:>6.1f} % ", "dim" + ground),
        *((text, ink + ground) for text, ink in bar(part, drawn, "suggest" if short else "text")),
    ]
    if share.wanted is not None:
        spans.append((f"  want {share.wanted * 100:>3.0f} %", "dim" + ground))
    if found.gaps is not None and share.key in found.gaps.add:
        spans.append((f"  +{found.gaps.add[share.key]:,}", "suggest" + ground))
    return Row(tuple(spans), ink="dim" + ground)


def details(one: Details, companions: Sequence[Path], narrow: bool) -> list[Row]:
    """What is known of the selected image."""
    image, found, told = one.image, one.facts, one.metadata
    taken = (image.taken_at or "unknown").replace("T", " ")[:19]
    rows = [
        row(),
        row((image.name, "strong")),
        row((image.project, "text"), right=[(image.format.upper(), "dim")]),
        row((f"{image.width}×{image.height}", "text"), right=[(megabytes(image.size), "dim")]),
        row((taken, "text"), right=[] if narrow or not image.taken_at_source else [(image.taken_at_source, "faint")]),
    ]
    if told is not None and (told.camera_model or told.camera_make):
        rows.append(row((told.camera_model or told.camera_make or "", "text"), right=_exposure(one)))
    if found is not None:
        ink = INKS_OF_QUALITY.get(found.quality, "text")
        rows.append(row((found.quality, ink), ("  " + found.quality_reason, "dim")))
        if not narrow:
            lighting = "low light" if found.lighting == "challenging" else f"{found.lighting} light"
            rows.append(row((lighting, "dim"), right=[("  ".join(found.flags).replace("_", " "), "dim")]))
    rows.append(row((str(image.path.parent), "faint")))
    if companions:
        names = ", ".join(path.suffix or path.name for path in companions)
        rows.append(row((f"+ {names}", "decided"), (" travels with it", "dim")))
    return rows


def _exposure(one: Details) -> list[Span]:
    """`1/250  f/2.8  ISO 200`, as far as it is known."""
    told = one.metadata
    if told is None:
        return []
    said = []
    if told.exposure_time:
        time = told.exposure_time
        said.append(f"1/{1 / time:.0f}" if time < 0.4 else f"{time:g} s")
    if told.f_number:
        said.append(f"f/{told.f_number:g}")
    if told.iso:
        said.append(f"ISO {told.iso}")
    return [("  ".join(said), "dim")]


def candidates(found: Sequence[str]) -> tuple[Span, ...]:
    """What a word may become, the one that Tab puts in first; nothing where nothing may follow."""
    if not found:
        return ()
    listed = [(each + "  ", "suggest" if not place else "dim") for place, each in enumerate(found[:12])]
    return (("tab  ", "strong bold"), *listed)


def reading() -> list[Row]:
    """What stands in place of a list that is still to come."""
    return [row(("Reading the list of images…", "dim"))]


def unlisted(asked: str) -> list[Row]:
    """What stands in place of a list that did not come; why is said elsewhere."""
    clear = [row(("esc", "strong bold"), ("  show every image", "dim"))] if asked else []
    return [row(("No list could be read.", "strong")), *clear]


def empty(filtered: str) -> list[Row]:
    """What stands in place of an empty list."""
    if filtered:
        return [
            row(("Nothing matches ", "text"), (f"“{filtered}”.", "strong")),
            row(("esc", "strong bold"), ("  show every image again", "dim")),
        ]
    return [
        row(("No images yet.", "strong")),
        row(("Press ", "text"), ("o", "strong bold"), (" to scan a folder.", "text")),
    ]
