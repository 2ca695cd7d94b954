"""How the page of gaps is worded and drawn: its parts, its lines, and the advice beside them. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.screens.inventory_words import bar_row
from tui.widgets.lines import Row, Span, clip, row

if TYPE_CHECKING:
    from engine.library.distribution import Distribution, Mix, Share
    from engine.library.progress import Progress

_TITLES = {
    "format": "formats",
    "resolution": "resolution",
    "quality": "quality",
    "lighting": "lighting",
    "source": "source",
    "project": "projects",
    "date": "dates",
    "camera": "cameras",
}
_STAGES = ("initial", "reviewed", "selected", "cropped", "final")
MOST_ADVICE = 10


@dataclass(frozen=True, slots=True)
class Part:
    """The head of a part: not to be chosen. `note` stands at its right."""

    title: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A line without a bar; `query` is what Enter lists ('refused': the refused files)."""

    spans: tuple[Span, ...]
    query: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A class of one axis."""

    share: Share
    of: Distribution


def parts(found: Mix, progress: Sequence[Progress]) -> list[Part | Line | Bar]:
    """Every line of the page, heads among them."""
    lines: list[Part | Line | Bar] = []
    for axis, title in _TITLES.items():
        distribution = found.distributions[axis]
        if not distribution.known:
            continue
        lines.append(Part(title, _note(distribution)))
        lines += [Bar(share, distribution) for share in distribution.shares if share.images or share.wanted]
    if progress:
        lines.append(Part("progress", "  ".join(f"{stage:>9}" for stage in _STAGES)))
        lines += [line for each in progress for line in _progress(each)]
    if found.refused:
        lines.append(Part("refused"))
        lines += [
            Line(((f"{code.replace('_', ' '):<24}", "danger"), (f"{count:>10,}", "text")), "refused")
            for code, count in found.refused
        ]
    return lines


def _note(found: Distribution) -> str:
    said = []
    if found.evenness is not None:
        said.append(f"evenness {found.evenness:.2f}")
    if found.unknown:
        said.append(f"{found.unknown:,} not known")
    return "   ".join(said)


def _progress(found: Progress) -> list[Line]:
    figures = "  ".join(f"{found.stages[stage]:>9,}" for stage in _STAGES)
    name = f'project:"{found.project}"' if " " in found.project else f"project:{found.project}"
    lines = [Line(((f"{clip(found.project, 24):<24}", "text"), (figures, "dim")), name)]
    said = [found.problem] if found.problem else [str(each) for each in found.mismatches]
    return [*lines, *(Line((("  " + each, "danger"),), name) for each in said)]


def heading(part: Part, width: int) -> Row:
    """The head of a part: its name, a thin line, and what is to be said of it as a whole."""
    if part.title == "progress":
        return row((f"   {part.title:<24}", "strong"), (part.note, "dim"))
    note = f" {part.note}" if part.note else ""
    line = "─" * max(0, width - len(part.title) - len(note) - 8)
    return row((f"   {part.title} ", "strong"), (line, "rule"), (note, "dim"))


def line_row(line: Line | Bar, width: int, selected: bool) -> Row:
    """A bar or a plain line of the page."""
    if isinstance(line, Bar):
        return bar_row(line.share, line.of, width, selected)
    ground = " on raised" if selected else ""
    mark: Span = (" ▸ " if selected else "   ", "suggest" + ground)
    return Row((mark, *((text, ink + ground) for text, ink in line.spans)), ink="dim" + ground)


def advice(found: Mix, progress: Sequence[Progress]) -> list[Row]:
    """What to add, how varied the library is, and where manifests say otherwise."""
    rows = [row(), row(("what to add", "strong"))]
    if not found.gap_list:
        rows.append(row(("nothing: this is the recommended mix", "decided")))
    for axis, _, label, count in found.gap_list[:MOST_ADVICE]:
        rows.append(row((f"{f'+{count:,}':>10}  ", "suggest"), (label, "text"), right=[(axis, "faint")]))
    if found.gap_list:
        rows += [
            row(),
            row(("the fewest that bring each share of an", "dim")),
            row(("axis to its recommendation; every axis", "dim")),
            row(("by itself, nothing taken away", "dim")),
        ]
    rows += [row(), row(("diversity", "strong"))]
    for axis in ("format", "resolution", "quality", "lighting", "source", "project", "date"):
        value = found.distributions[axis].evenness
        if value is not None:
            rows.append(row((_TITLES[axis], "text"), right=[(f"{value:.2f}", "dim")]))
    if found.near_duplicates is not None:
        rows.append(row(("near duplicates", "text"), right=[(f"{found.near_duplicates:.1%}", "dim")]))
    for project, each in list(found.coverage.items())[:3]:
        figure = f"{each.effective_rank:.0f} of {each.dimension} directions"
        rows.append(row((project, "text"), right=[(figure, "dim")]))
    told = sum(len(each.mismatches) + bool(each.problem) for each in progress)
    if told:
        said = "1 difference from a manifest" if told == 1 else f"{told} differences from manifests"
        rows += [row(), row((f"{said}, below", "danger"))]
    return rows
