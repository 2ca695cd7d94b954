"""What the trends panel says: the improvement report as rows, one screen high. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.changes import printable
from engine.repair.report_words import SAID, share, spark
from tui.screens.errors_words import DAYS, lately, place, times
from tui.screens.fixes_words import day_of
from tui.widgets.lines import Row, Span, clip, row

LABEL = 22  # cells
WIDE_FROM = 110  # columns from which there is room for what is good to know
CHANCE = 0.5  # of pairs, by lot: where the curve of a model's accuracy begins
MODELS = 3


def is_empty(report: Mapping[str, Any]) -> bool:
    """Whether nothing is known yet that a curve could show."""
    return not (report["runs"] or report["top"] or report["fixes"] or report["models"] or report["recoveries"])


def nothing() -> list[Row]:
    """The panel's face before there is anything to tell."""
    return [
        row(""),
        row(("   Nothing to compare yet.", "strong")),
        row(("   Runs, errors and fixes leave their marks here, day by day.", "dim")),
        row(("   Scan a folder, or read a log: proofsheet errors ingest run.log", "dim")),
    ]


def title(report: Mapping[str, Any] | None) -> list[Span]:
    """The top line."""
    spans: list[Span] = [("how it goes", "strong bold")]
    if report is not None:
        runs = f"{report['runs']:,} {'run' if report['runs'] == 1 else 'runs'}"
        spans += [("  ·  ", "faint"), (f"last {report['days']} days", "text"), ("  ·  ", "faint"), (runs, "text")]
    return spans


def panel(report: Mapping[str, Any], width: int, height: int) -> list[Row]:
    """Everything, in `height` rows: of what recurs and of the models as many as have room."""
    daily = report["daily"]
    head = [
        row(""),
        _curve("errors per 1,000 files", [day["errors_per_1000"] for day in daily], _rate(daily), "danger"),
        _curve("files a second", [day["per_second"] for day in daily], _pace(daily), "suggest"),
        row(""),
        row((" fixes, by what became of them", "strong")),
        *_outcomes(report, width),
        row(""),
    ]
    models = _models(report["models"], width)
    foot = [row(""), row((" models, held-out pairs", "strong")), *models, _mended(report, width)]
    room = max(1, height - len(head) - len(foot) - 1)
    return [*head, *_recurring(report, width, room), *foot]


def _label(text: str) -> Span:
    return (f"  {text:<{LABEL}} ", "dim")


def _rate(daily: Sequence[Mapping[str, Any]]) -> str:
    files, errors = sum(day["files"] for day in daily), sum(day["errors"] for day in daily)
    return f"{1000 * errors / files:,.1f} over {files:,} files" if files else "no files yet"


def _pace(daily: Sequence[Mapping[str, Any]]) -> str:
    known = [day["per_second"] for day in daily if day["per_second"]]
    return f"{known[-1]:,.1f} on the last day" if known else "not known yet"


def _curve(label: str, values: Sequence[float | None], said: str, ink: str) -> Row:
    return row(_label(label), (spark(values), ink), (f"  {said}", "text"))


def _outcomes(report: Mapping[str, Any], width: int) -> list[Row]:
    made = []
    for kind, one in report["outcomes"].items():
        said: list[Span] = [(f"{one['good']:,} of {one['of']:,}", "text")] if one["of"] else [("none yet", "dim")]
        if one["rejected"]:
            said.append((f", {one['rejected']:,} rejected{' beforehand' if width >= WIDE_FROM else ''}", "dim"))
        if kind == "tests" and width >= WIDE_FROM:
            said.append((", which alone proves little", "dim"))
        curve = spark([_share_on(one["daily"].get(day["day"])) for day in report["daily"]])
        made.append(row(_label(SAID[kind]), (curve, "decided" if kind != "tests" else "dim"), ("  ", "text"), *said))
    return made


def _share_on(day: Sequence[int] | None) -> float | None:
    return day[0] / day[1] if day and day[1] else None


def _recurring(report: Mapping[str, Any], width: int, room: int) -> list[Row]:
    count = report["recurring"]
    said = f"{count} {'recurs' if count == 1 else 'recur'}" if count else "nothing recurs"
    made = [row((" errors, most frequent first", "strong"), (f"   {said}", "dim"))]
    for group in report["top"][:room]:
        where = group["location"]
        at = place(where["file"], where["function"]) or "-"
        told = group["fixable"] or "manual"
        is_wide = width >= WIDE_FROM
        where_words: Span = (f"{clip(at, 30):<30} ", "dim") if is_wide else ("", "dim")
        bars = lately(group["daily"], len(group["daily"]) if is_wide else DAYS)
        left = width - 28 - len(bars) - len(where_words[0])
        made.append(
            row(
                (f"   {times(group['count'])}", "strong"),
                (clip(printable(group["title"]), max(10, left)), "text"),
                right=((f" {bars}  ", "dim"), where_words, (f"{told:<14}", "text")),
            )
        )
    return made


def _models(models: Sequence[Mapping[str, Any]], width: int) -> list[Row]:
    by_name: dict[str, list[Mapping[str, Any]]] = {}
    for one in models:
        by_name.setdefault(one["name"], []).append(one)
    made = []
    for name, versions in list(by_name.items())[:MODELS]:
        known = [one["pair_accuracy"] for one in versions]
        newest = versions[-1]
        curve = spark([None if value is None else max(0.0, value - CHANCE) for value in known[-28:]])
        said = f"v{newest['version']} {share(newest['pair_accuracy'])}"
        said += f", trained {day_of(newest['at'])}" if width >= WIDE_FROM else ""
        best = max((value for value in known if value is not None), default=None)
        made.append(
            row(
                _label(name),
                (f"{curve:<28}", "suggest"),
                (f"  {said}", "text"),
                (f", best {share(best)}" if len(versions) > 1 and best is not None else "", "dim"),
            )
        )
    return made or [row(_label("none trained yet"))]


def _mended(report: Mapping[str, Any], width: int) -> Row:
    mended = ", ".join(f"{count:,} {kind}" for kind, count in report["recoveries"].items())
    return row(_label("recovered from"), (clip(mended or "nothing", max(10, width - LABEL - 4)), "text"))
