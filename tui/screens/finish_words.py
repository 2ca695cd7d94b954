"""The finish line in words: how far, how long still, what can be approved together, what can be exported.

Pure functions from values to spans. The line is always in sight, so it says little and says it in the same place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.widgets.chrome import bar
from tui.widgets.lines import Row, Span

if TYPE_CHECKING:
    from engine.ranking import ProjectProgress

NO_SPANS: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Trusted:
    """What a survey of the remaining sets found: how many can be approved together, or what is missing for it."""

    count: int
    target: float
    why_not: str = ""
    more: int | None = None


def duration(seconds: float) -> str:
    """`40 s`, `38 min`, `2 h 10`, `3 days` for the eye."""
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if minutes < 90:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60:02d}"
    return f"{minutes / 60 / 24:.0f} days"


def percent(share: float) -> str:
    """`95 %`, `99.5 %`."""
    return f"{share * 100:.1f}".removesuffix(".0") + " %"


def line(
    decided: int,
    left: int,
    seconds_left: float | None,
    trusted: Trusted | None,
    share_looked: float | None,
    narrow: bool,
    keys: tuple[str, str] = ("b", "e"),
) -> Row:
    """`212 done ━━━─── 980 left · about 38 min      b  412 can be approved at 95 %     e  export the winners`"""
    total = max(1, decided + left)
    gap: Span = ("   " if not narrow else "  ", "dim")
    how_long = "" if seconds_left is None or not left else duration(seconds_left)
    spans: list[Span] = [(" ", "dim"), (f"{decided:,}", "strong"), (" done ", "dim")]
    if not narrow:
        spans += [*bar(decided / total, 16, "decided"), (" ", "dim")]
    else:
        spans += [("· ", "faint")]
    spans += [(f"{left:,}", "text"), (" left", "dim")]
    if how_long:
        spans += [(" · ", "faint"), (f"{'' if narrow else 'about '}{how_long}", "dim")]
    together = _together(trusted, share_looked, narrow, keys[0])
    return Row(tuple(spans), (*together, gap, *_way_out(decided, narrow, keys[1]), (" ", "dim")))


def _together(trusted: Trusted | None, share_looked: float | None, narrow: bool, key: str) -> tuple[Span, ...]:
    if trusted is None or share_looked is not None:
        if share_looked is None or narrow:
            return NO_SPANS
        return ((f"looking what can be approved together {share_looked:.0%}".replace("%", " %"), "faint"),)
    if trusted.count:
        said = f" {trusted.count:,} at {percent(trusted.target)}" if narrow else ""
        words = said or f" {trusted.count:,} can be approved at {percent(trusted.target)}"
        return ((key, "strong bold"), (words, "suggest"))
    if trusted.more is not None and not narrow:
        sets = "set" if trusted.more == 1 else "sets"
        return ((f"about {trusted.more:,} more {sets} until some can be approved unseen", "faint"),)
    return NO_SPANS


def _way_out(decided: int, narrow: bool, key: str) -> tuple[Span, ...]:
    if not decided:
        return NO_SPANS
    return ((key, "strong bold"), (" export" if narrow else " export the winners", "dim"))


def projects(found: list[ProjectProgress], cursor: int, chosen: str | None, width: int) -> list[Row]:
    """Every project with its bar; the first line is all of them."""
    rows: list[Row] = []
    name_room = max(10, min(30, width - 52))
    for place, one in enumerate(found):
        counts = one.counts
        ink = "strong" if place == cursor else "text"
        edge: Span = ("▸ ", "suggest") if place == cursor else ("  ", "dim")
        name = one.project or "all projects"
        mark = "•" if one.project == chosen else " "
        share = counts.decided / counts.total if counts.total else 0.0
        left = one.seconds_left
        when = f"{duration(left):>8}" if left and counts.remaining else "    done" if not counts.remaining else " " * 8
        rows.append(
            Row(
                (
                    edge,
                    (f"{name[:name_room]:<{name_room}}", ink),
                    (f" {mark} ", "suggest"),
                    *bar(share, 12, "decided"),
                    (f" {counts.decided:>7,}", "text"),
                    (f" of {counts.total:<7,}", "dim"),
                    (when, "dim"),
                )
            )
        )
    return rows
