"""What the taste card says, as pure functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len

from tui.widgets.chrome import bar, fold
from tui.widgets.lines import Row, Span, clip, row

if TYPE_CHECKING:
    from engine.ranking import Consistency
    from engine.ranking.taste import TasteCard, Trait


def card(found: TasteCard, own: Consistency | None, cursor: int, width: int) -> list[Row]:
    """The preferences, the strongest first, and how far the person agrees with themself."""
    if not found.traits:
        said = f"{found.why_not[:1].upper()}{found.why_not[1:]}."
        rows = [row(), row(("Nothing to say of your taste yet.", "strong"))]
        rows += [row((line, "text")) for line in fold(said, width)]
        return [*rows, row(), *consistency(own, width)]
    strongest = max(abs(one.strength) for one in found.traits)
    rows = [row((f"From {found.picks:,} picks, you prefer", "dim")), row()]
    room = max(14, min(20, width - 18), *(len(trait.words) + 1 for trait in found.traits))
    for place, trait in enumerate(found.traits):
        rows += _trait(trait, place == cursor, strongest, room, width)
    return [*rows, row(), *consistency(own, width)]


def _trait(trait: Trait, is_marked: bool, strongest: float, room: int, width: int) -> list[Row]:
    edge: Span = ("▸ ", "suggest") if is_marked else ("  ", "dim")
    ink = "strong bold" if is_marked else "text"
    length = max(4, min(14, width - room - 3))
    return [
        Row((edge, (f"{trait.words:<{room}}", ink), *bar(abs(trait.strength) / strongest, length, "decided"))),
        row((f"    {trait.agrees:,}", "text"), (f" pairs for, {trait.against:,} against", "dim")),
    ]


def consistency(own: Consistency | None, width: int) -> list[Row]:
    """`You agree with yourself in 27 of 30 sets that came back`; nothing while it is unknown."""
    if own is None or own.share is None or own.low is None or own.high is None:
        return []
    said = (
        f"You agree with yourself in {own.agreed} of {own.of} sets that came back "
        f"({own.low * 100:.0f} to {own.high * 100:.0f} %)."
    )
    return [row((line, "dim")) for line in fold(said, width)]


def heading(name: str, is_winner: bool, width: int) -> Row:
    """Over one picture of a pair, centred as the picture is: its mark and its file's name."""
    said = clip(name, max(8, width - 2))
    before = " " * ((width - 2 - cell_len(said)) // 2)
    mark: Span = ("✓ ", "decided bold") if is_winner else ("✗ ", "faint")
    return row((before, "dim"), mark, (said, "text" if is_winner else "dim"))
