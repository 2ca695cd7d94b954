"""What the screen for approving together says, as pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.screens.finish_words import percent
from tui.screens.ranking_words import model_name, sure
from tui.screens.ranking_words import percent as confidence
from tui.widgets.chrome import bar, fold
from tui.widgets.lines import Row, Span, clip, row

_ROOMY = 56  # cells

if TYPE_CHECKING:
    from engine.ranking.bulk import BulkPlan, BulkSet


def here(project: str | None, target: float, narrow: bool) -> tuple[Span, ...]:
    """The left of the top line."""
    dot: Span = (" · " if narrow else "  ·  ", "faint")
    said = "at " if narrow else "at least "
    return (
        ("approve together", "strong bold"),
        dot,
        (project or "all projects", "text"),
        dot,
        (said, "dim"),
        (percent(target), "suggest"),
        ("" if narrow else " as you would pick", "dim"),
    )


def looking(done: int, total: int) -> list[Row]:
    """The face while the remaining sets are looked at."""
    if not total:
        return [row(), row(("Looking at the remaining sets…", "dim"))]
    return [
        row(),
        row(("Looking at the remaining sets with the model in use…", "dim")),
        row(*bar(done / total, 24, "suggest"), (f"  {done:,}", "text"), (f" of {total:,}", "dim")),
    ]


def nothing(plan: BulkPlan, width: int) -> list[Row]:
    """The face when nothing can be approved unseen: why, and what would change that."""
    rows = [row(), row(("Nothing can be approved unseen.", "strong"))]
    rows += [row((line, "text")) for line in fold(f"{plan.why_not[:1].upper()}{plan.why_not[1:]}.", width)]
    rows.append(row())
    if plan.more is not None:
        rows += [
            row((line, "dim"))
            for line in fold(
                "Every set you decide is also a test of the model; the promise comes from those tests.", width
            )
        ]
    elif plan.remaining:
        rows += [row((line, "dim")) for line in fold("A lower target may do: press -.", width)]
    return rows


def head(plan: BulkPlan, narrow: bool) -> list[Row]:
    """How many, and how right that is expected to be."""
    expected = percent(plan.expected_accuracy) if plan.expected_accuracy is not None else "unknown"
    bound = f"; at least {percent(_down(plan.promised))}" if plan.promised is not None else ""
    verb = "set" if len(plan.sets) == 1 else "sets"
    return [
        row((f"{len(plan.sets):,} {verb}", "strong bold"), (f" of {plan.remaining:,} can be approved", "text")),
        row(
            ("expected right ", "dim"),
            (expected, "suggest"),
            (bound, "dim"),
            ("" if narrow else f"   by {model_name(plan.model or '')}, on sets it had not seen", "dim"),
        ),
        row(),
    ]


def _down(share: float) -> float:
    """A bound is never rounded up."""
    return int(share * 1000) / 1000


def line(one: BulkSet, is_marked: bool, width: int) -> Row:
    """One set: how sure, which image, why."""
    edge: Span = ("▸ ", "suggest") if is_marked else ("  ", "dim")
    ink = "strong" if is_marked else "text"
    share = one.suggestion.confidence or 0.0
    winner = next(member for member in one.shown.members if member.image.id == one.image_id)
    label = winner.label or winner.image.name
    roomy = width >= _ROOMY
    room = max(12, width - (24 if roomy else 10))
    title = one.shown.title or f"{one.shown.session_id} {one.shown.set_id}"
    label = clip(label, room // 2)
    drawn = bar(share, 6, "suggest") if roomy else []
    gap = "  " if roomy else ""
    return Row(
        (edge, (f"{confidence(share):>5} ", "suggest"), *drawn, (gap + clip(title, room - len(label) - 1), ink)),
        ((label, "dim"),),
    )


def told(one: BulkSet, rest: int) -> list[Row]:
    """Below the winner: its label, how sure and why, and who stands below."""
    winner = next(member for member in one.shown.members if member.image.id == one.image_id)
    share = one.suggestion.confidence or 0.0
    others = "the other one" if rest == 1 else f"the {rest} others" if rest <= 3 else f"3 of the {rest} others"
    return [
        row(("★ ", "suggest bold"), (winner.label or winner.image.name, "strong"), (f"  {sure(share)}", "dim")),
        row((" · ".join(one.suggestion.reasons) or "by nothing that has a plain name", "suggest")),
        row((others, "faint")),
    ]
