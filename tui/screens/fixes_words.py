"""What the fixes screen says: rows for the list of errors, and for what is known of one. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from engine.changes import printable
from engine.repair.report_words import spark
from tui.screens.errors_words import DAYS, lately, place, times
from tui.widgets.chrome import fold
from tui.widgets.lines import Row, Span, clip, row

if TYPE_CHECKING:
    from engine.repair.fix import Fix
    from engine.repair.groups import Group

INKS = {
    "proposed": "suggest",
    "proven": "suggest",
    "plausible": "suggest",
    "refuted": "danger",
    "applying": "text",
    "applied": "decided",
    "rolling back": "text",
    "rolled back": "dim",
    "recurred": "danger",
    "rejected": "dim",
}


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list: a group of errors, and the fix proposed for it."""

    group: Group
    fix: Fix | None

    @property
    def key(self) -> str:
        """What the cursor stays on."""
        return f"{self.group.id}/{self.fix_id}"

    @property
    def fix_id(self) -> str:
        """The fix's id; empty where there is none."""
        return self.fix.id if self.fix else ""


def state_of(fix: Fix) -> str:
    """The state in words; a proposal that was tried and is no more than plausible says so."""
    state = fix.state.value.replace("-", " ")
    if state == "proposed" and fix.proof and fix.proof.get("verdict") == "plausible":
        return "plausible"
    return state


def bound(fix: Fix) -> str:
    """`.91`."""
    return f"{fix.confidence:.2f}".removeprefix("0")


def list_rows(items: Sequence[Item], cursor: int, height: int, width: int, narrow: bool) -> list[Row]:
    """The errors, most frequent first: two rows each beside the change, one row each above it."""
    each = 1 if narrow else 2
    room = max(1, height // each)
    top = max(0, min(cursor - room // 2, len(items) - room))
    made: list[Row] = []
    for number, item in enumerate(items[top : top + room], top):
        made += _item(item, number == cursor, width, narrow)
    return made


def _item(item: Item, selected: bool, width: int, narrow: bool) -> list[Row]:
    group, fix = item.group, item.fix
    ground = " on raised" if selected else ""
    pointer: Span = (" ▸" if selected else "  ", "suggest" + ground)
    count: Span = (times(group.count), "strong" + ground)
    bars: Span = (lately(group.daily), "dim" + ground)
    name = group.type.rpartition(".")[2]
    where = place(group.file, group.function)
    told = "manual" if fix is None else fix.pattern
    state = state_of(fix) if fix else ""
    ink = INKS.get(state, "text")
    if narrow:
        left = clip(f"{name}  {where}", max(10, width - 51))
        right = ((f"  {told:<14}", "text" + ground), (f"{bound(fix) if fix else '-':>4} ", "dim" + ground))
        return [
            Row(
                (pointer, count, (left, ("strong" if selected else "text") + ground)),
                ((" ", "dim" + ground), bars, *right, (f"{state:<11}", ink + ground)),
                ink="dim" + ground,
            )
        ]
    first = Row(
        (pointer, count, (clip(name, width - 18), ("strong" if selected else "text") + ground)),
        ((" ", "dim" + ground), bars),
        ink="dim" + ground,
    )
    shown = clip(where, max(8, width - 13 - len(told) - len(state)))
    second = Row(
        (("         ", "dim" + ground), (shown, "dim" + ground)),
        ((f" {told}", "text" + ground), (f"  {state}" if state else "", ink + ground)),
        ink="dim" + ground,
    )
    return [first, second]


def about(item: Item, why_none: str, width: int, narrow: bool = False) -> list[Row]:
    """Evidence, why, confidence and state of one item; the change follows."""
    group, fix = item.group, item.fix
    line = f"{fix.file}:{fix.line}" if fix else f"{group.file}:{group.line}" if group.file else "no place told"
    seen = f"first {day_of(group.first_seen)}, last {day_of(group.last_seen)}, {group.runs} {_runs(group.runs)}"
    made = [row((clip(printable(line), max(20, width - 44)), "strong bold"), right=((seen, "dim"),))]
    made += [row((line, "text")) for line in fold(printable(group.title), width)[:2]]
    if fix is None:
        made.append(row(""))
        made += [row((line, "dim")) for line in fold(why_none, width)[:6]]
        return made
    for record in fix.evidence[: 1 if narrow else 2]:
        said = PurePosixPath(str(record.get("file") or "-")).name
        when = day_of(str(record.get("timestamp") or ""))
        words = f"seen {when}  {said}:{record.get('line') or 0}  {record.get('message') or ''}"
        made.append(row((clip(printable(words), width), "dim")))
    made += [
        row(("why  " if not number else "     ", "dim"), (line, "text"))
        for number, line in enumerate(fold(printable(fix.why), width - 5)[:3])
    ]
    state = state_of(fix)
    facts: list[Span] = [(state, INKS.get(state, "text") + " bold"), ("  ·  ", "faint"), (fix.applicability, "text")]
    facts += [("  ·  lower bound ", "dim"), (bound(fix), "strong"), (f", {fix.confidence_reason}", "dim")]
    made.append(row(*facts))
    tried = _tried(fix)
    if tried:
        made += [row((line, "dim")) for line in fold(printable(tried), width)[:2]]
    return made


def _tried(fix: Fix) -> str:
    if fix.state == "rejected":
        return f"rejected: {fix.details.get('reason') or 'no reason given'}"
    if not fix.proof:
        return "not tried yet: d tries it on a copy"
    before, after = fix.proof.get("tests_before"), fix.proof.get("tests_after")
    figures = ""
    if before and after:
        of = after["passed"] + after["failed"]
        figures = (
            f"{before['passed']}/{before['passed'] + before['failed']} tests before, {after['passed']}/{of} after: "
        )
    return f"{figures}{fix.proof.get('reason', '')}"


def _runs(count: int) -> str:
    return "run" if count == 1 else "runs"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day_of(at: str) -> str:
    """`20 Nov` of an ISO time."""
    try:
        return f"{int(at[8:10])} {_MONTHS[int(at[5:7]) - 1]}"
    except (ValueError, IndexError):
        return "-"


def title(items: Sequence[Item]) -> list[Span]:
    """The top line: how much recurs, and how this week went."""
    recurring = sum(item.group.is_recurring for item in items)
    days = [sum(day) for day in zip(*(item.group.daily for item in items), strict=True)][-DAYS:] if items else []
    spans: list[Span] = [("fixes", "strong bold"), ("  ·  ", "faint"), (f"{recurring} recurring", "text")]
    if days:
        spans += [("  ·  ", "faint"), (f"{sum(days):,} errors this week ", "dim"), (spark(days), "suggest")]
    return spans
