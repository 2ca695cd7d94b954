"""What the training screen says, as pure functions: runs, figures, the ranker's card against its baselines, the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

from engine.clock import parse_iso, utc_now
from tui.runwatch import GLYPHS, INKS, Activity
from tui.widgets.chrome import bar, fold
from tui.widgets.lines import Row, Span, row

if TYPE_CHECKING:
    from engine.ranking.model import RankerStatus
    from engine.runs import Progress, Run

Points = Sequence[tuple[float, float]]

#: The curves of a panel in turn; the figures above them are named in the same ink.
CURVE_INKS = ("suggest", "decided", "text", "dim")

#: How they are drawn: whole, then in dashes, so that they are told apart without colours too.
CURVE_STROKES = ("─", "╌")

#: Metric names that are costs (drawn in the left panel); the others are rates and drawn in the right one.
COSTS = ("loss", "nll", "cost", "error")


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot: a title and its curves."""

    title: str
    curves: tuple[tuple[str, tuple[tuple[float, float], ...]], ...]


def legend(panel: Panel) -> dict[str, tuple[str, str]]:
    """(stroke, ink) of each curve by its name; strokes stand for how it is drawn, where there is more than one."""
    several = len(panel.curves) > 1
    return {
        name: (f"{CURVE_STROKES[place % len(CURVE_STROKES)]} " if several else "", CURVE_INKS[place % len(CURVE_INKS)])
        for place, (name, _) in enumerate(panel.curves)
    }


def spoken(name: str) -> str:
    """`held_out_accuracy` is said `held out accuracy`."""
    return name.replace("_", " ")


def _short(name: str) -> str:
    """The name for a narrow screen: `held_out_pair_accuracy` is said `pair`; its plot already says 'held out'."""
    return spoken(name) if _is_cost(name) else spoken(name).removeprefix("held out ").removesuffix(" accuracy")


def title(run: Run) -> tuple[Span, ...]:
    """Which run is shown."""
    project: tuple[Span, ...] = ((f" {run.project}", "text"),) if run.project else ()
    state = str(run.state)
    return ((run.kind, "strong"), *project, ("  ", "dim"), (f"{GLYPHS[state]} {state}", INKS[state]))


def run_rows(
    activities: Sequence[Activity], selected: str | None, room: int, narrow: bool = False, today: date | None = None
) -> list[Row]:
    """The runs, newest first, the selected one in view. Narrow, of today's the hour is said, of older ones the day."""
    names = [activity.run.id for activity in activities]
    place = names.index(selected) if selected in names else 0
    first = max(0, min(place - room // 2, len(activities) - room))
    by = (today or utc_now().astimezone().date()) if narrow else None
    return [_run_row(activity, activity.run.id == selected, by) for activity in activities[first : first + room]]


def _run_row(activity: Activity, is_selected: bool, today: date | None) -> Row:
    run, state = activity.run, str(activity.run.state)
    ink = "strong" if is_selected else "text"
    share = activity.share
    if not run.state.is_final and share is not None:
        tail: tuple[Span, ...] = ((f"{share:.0%}".replace("%", " %"), "text"),)
    else:
        tail = ((_when(run, today), "faint"),)
    edge: Span = ("▸ ", "suggest") if is_selected else ("  ", "dim")
    detached: tuple[Span, ...] = ((" detached", "dim"),) if run.detached and not run.state.is_final else ()
    project: tuple[Span, ...] = ((f" {run.project}", "dim"),) if run.project else ()
    return Row((edge, (GLYPHS[state], INKS[state]), (f" {run.kind}", ink), *project, *detached), tail)


def _when(run: Run, today: date | None) -> str:
    """Month, day and minute, by this machine's clock; the shorter half of it where `today` is given."""
    told = run.finished_at or run.started_at or run.created_at
    if not told:
        return ""
    moment = parse_iso(told).astimezone()
    if today is None:
        return f"{moment:%m-%d %H:%M}"
    return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%m-%d}"


def nothing_yet(is_open: bool) -> list[Row]:
    """The face without any run."""
    if not is_open:
        return [row(("Opening the library…", "dim"))]
    return [
        row(("No runs yet.", "strong")),
        row(("t", "strong bold"), ("  train the ranker", "dim")),
        row(("F2", "strong bold"), (" pick some winners first", "dim")),
    ]


def figures(curves: Mapping[str, Points], progress: Progress | None, run: Run | None, narrow: bool = False) -> Row:
    """The newest value of each curve, and how far the run is."""
    spans: list[Span] = []
    keys = {name: key for panel in panels(curves) for name, key in legend(panel).items()}
    for name, points in curves.items():
        said = _short(name) if narrow else spoken(name)
        gap = "  " if narrow else "   "
        stroke, ink = keys[spoken(name)]
        spans += [(f"{stroke}{said} ", ink), (number(points[-1][1]), "strong"), (gap, "dim")]
    if not curves and run is not None:
        failed = (run.error.splitlines()[0], "danger") if run.error else None
        return Row((failed,)) if failed else Row((("this run has no curves", "faint"),), _how_far(progress, run))
    return Row(tuple(spans), _how_far(progress, run))


def _how_far(progress: Progress | None, run: Run | None) -> tuple[Span, ...]:
    tail: list[Span] = []
    if progress is not None and run is not None and not run.state.is_final:
        if progress.total:
            share = progress.done / progress.total
            tail = [*bar(share, 12, "suggest"), (f" {progress.done:,}", "text"), (f"/{progress.total:,}", "dim")]
        elif progress.done:
            tail = [(f"{progress.done:,}", "text")]
        if progress.message:
            tail = [(f"{progress.message}  " if tail else progress.message, "dim"), *tail]
    elif run is not None and run.error:
        tail = [(run.error.splitlines()[0], "danger")]
    return tuple(tail)


def number(value: float) -> str:
    """Three significant figures, without a leading zero: `.741`, `12.3`."""
    if value != value:
        return "-"
    if abs(value) < 1:
        text = f"{value:.3f}"
        return text.replace("0.", ".", 1) if text not in ("1.000", "-1.000") else text
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def panels(curves: Mapping[str, Points]) -> tuple[Panel, ...]:
    """Costs in one plot, rates in the other; a run without metrics has none."""
    costs = [(spoken(name), tuple(points)) for name, points in curves.items() if _is_cost(name)]
    rates = [(spoken(name), tuple(points)) for name, points in curves.items() if not _is_cost(name)]
    found = [("loss", costs), ("held out", rates)]
    return tuple(Panel(name, tuple(lines)) for name, lines in found if lines)


def _is_cost(name: str) -> bool:
    return any(word in name for word in COSTS)


def card(status: RankerStatus | None, narrow: bool, width: int) -> list[Row]:
    """The model in use against its baselines, and why it is in use or not, in rows of `width` cells."""
    if status is None:
        return []
    content = status.card
    head: tuple[Span, ...]
    if status.model:
        head = ((status.model.replace("_", " "), "strong bold"), ("  ✓ suggests now", "decided"))
    else:
        head = (
            (f"baseline:{status.baseline.removeprefix('baseline:')}", "suggest"),
            ("  suggests now; no model yet", "dim"),
        )
    rows = [row(), row(*head)]
    if status.why_not:
        why = f"a newer one was kept back: {status.why_not}" if status.model else status.why_not
        rows += [row((line, "text")) for line in fold(why, max(20, width))]
    rows += _held_out(content, narrow)
    if content.get("without"):
        rows.append(row((f"switched off: {', '.join(content['without'])}", "dim")))
    rows += _bars(content, narrow)
    return rows if narrow else [*rows, row()]


def _held_out(content: Mapping[str, Any], narrow: bool) -> list[Row]:
    held: Mapping[str, Any] = content.get("held_out") or {}
    sets: Mapping[str, Any] = content.get("sets") or {}
    if not held:
        return []
    spans: list[Span] = []
    long = (("pair_accuracy", "held-out pairs"), ("top1_accuracy", "winners"), ("ece", "calibration ECE"))
    short = (("pair_accuracy", "pairs"), ("top1_accuracy", "winners"), ("ece", "ECE"))
    for key, said in short if narrow else long:
        if held.get(key) is not None:
            gap: Span = (" · ", "faint") if narrow else ("   ", "dim")
            spans += [(f"{said} ", "dim"), (number(float(held[key])), "strong")]
            if key == "ece" and not narrow and held.get("ece_floor") is not None:
                spans.append((f" (by chance {number(float(held['ece_floor']))})", "dim"))
            spans.append(gap)
    if sets:
        learned, kept = sets.get("train", 0), sets.get("held_out", 0)
        spans += [(f"{learned:,}+{kept:,} sets" if narrow else f"{learned:,} sets learned, {kept:,} held out", "dim")]
    return [Row(tuple(spans))]


def _bars(content: Mapping[str, Any], narrow: bool) -> list[Row]:
    """Accuracy of the model and of what it has to beat, best first, on the same held-out sets."""
    held: Mapping[str, Any] = content.get("held_out") or {}
    compared: dict[str, float] = {}
    for group in ("baselines", "references"):
        for name, value in (content.get(group) or {}).items():
            accuracy = _accuracy(value)
            if accuracy is not None:
                compared[spoken(name)] = accuracy
    best = sorted(compared.items(), key=lambda item: -item[1])[: 3 if narrow else 5]
    own = held.get("pair_accuracy")
    rows = [_bar_row("this ranker", float(own), "decided", narrow)] if own is not None else []
    return rows + [_bar_row(name, value, "dim", narrow) for name, value in best]


def _accuracy(value: Any) -> float | None:
    """The pair accuracy in an entry of the card; None for entries that are something else, such as an interval."""
    if isinstance(value, Mapping):
        value = value.get("pair_accuracy")
    return float(value) if isinstance(value, (int, float)) else None


def _bar_row(name: str, value: float, ink: str, narrow: bool) -> Row:
    width = 14 if narrow else 30
    return Row(((f"{name:<20}", "dim"), *bar(value, width, ink), (f"  {number(value)}", "text")))


def log_rows(log: Sequence[tuple[str, str]]) -> list[Row]:
    """The end of the log; warnings and refusals stand out by their mark."""
    marks = {
        "error": ("✗ ", "danger"),
        "warning": ("! ", "danger"),
        "refused": ("– ", "danger"),
        "state": ("· ", "faint"),
    }
    return [row(marks.get(level, ("  ", "dim")), (text, "dim")) for level, text in log]
