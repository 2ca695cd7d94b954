"""How things go over time: errors per 1,000 files, what recurs most, how fixes did, throughput, model accuracy.

Relies on the store and on the runs' summaries in `logs/`. A figure that is not known is None and is said to be so.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.repair.groups import Group
from engine.store.schema import models
from engine.store.schema.repair import fix_outcomes

DAYS = 28
TOP = 10
BARS = "▁▂▃▄▅▆▇█"


def build(connection: sa.Connection, logs: Path, groups: Sequence[Group], today: date, now: str) -> dict[str, Any]:
    """The report as one JSON document."""
    runs = _summaries(logs, today - timedelta(days=DAYS - 1))
    recurring = [group for group in groups if group.is_recurring]
    return {
        "at": now,
        "days": DAYS,
        "daily": _daily(runs, today),
        "runs": len(runs),
        "recoveries": _added(run["recoveries"] for run in runs),
        "errors_by_kind": _added(run["errors"] for run in runs),
        "recurring": len(recurring),
        "top": [group.document() for group in (recurring or list(groups))[:TOP]],
        "fixes": _outcomes(connection),
        "models": _models(connection),
    }


def text(report: Mapping[str, Any]) -> str:
    """The report for people, as plain lines."""
    lines = [f"Improvement report, {report['at'][:16].replace('T', ' ')} UTC, last {report['days']} days", ""]
    daily = report["daily"]
    rates = [day["errors_per_1000"] for day in daily]
    files = sum(day["files"] for day in daily)
    errors = sum(day["errors"] for day in daily)
    lines += ["Errors per 1,000 files", f"  {spark(rates)}   {_rate(errors, files)} over {files:,} files", ""]
    lines += ["Files a second", f"  {spark([day['per_second'] for day in daily])}   {_pace(daily)}", ""]
    lines.append(f"What recurs most ({report['recurring']} groups recur)")
    for group in report["top"]:
        place = group["location"]["file"] or "no place"
        lines.append(f"  {group['count']:>7,}×  {spark(group['daily'])}  {group['title']}  ({place}, {group['trend']})")
    if not report["top"]:
        lines.append("  nothing")
    lines += ["", "Fixes, by what became of them"]
    for one in report["fixes"]:
        said = ", ".join(f"{kind} {good}/{of}" for kind, (good, of) in one["outcomes"].items())
        lines.append(f"  {one['pattern']} ({one['operator']}): {said}")
    if not report["fixes"]:
        lines.append("  none applied yet")
    lines += ["", "Ranker, held-out pairs by version"]
    lines += [
        f"  {one['name']} v{one['version']}  {_share(one['pair_accuracy'])}  {one['at'][:10]}"
        for one in report["models"]
    ]
    if not report["models"]:
        lines.append("  none trained yet")
    if report["recoveries"]:
        lines += [
            "",
            "Recovered by itself: " + ", ".join(f"{count} {kind}" for kind, count in report["recoveries"].items()),
        ]
    return "\n".join(lines) + "\n"


def markdown(report: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    lines = [f"# Improvement report, {report['at'][:10]}", "", "| day | files | errors | per 1,000 | files a second |"]
    lines.append("|---|---:|---:|---:|---:|")
    for day in report["daily"]:
        if day["files"]:
            rate, pace = day["errors_per_1000"], day["per_second"]
            lines.append(f"| {day['day']} | {day['files']:,} | {day['errors']:,} | {_number(rate)} | {_number(pace)} |")
    lines += ["", "## What recurs most", "", "| count | trend | error | place |", "|---:|---|---|---|"]
    for group in report["top"]:
        where = group["location"]
        shown = group["title"].replace("|", "\\|")
        lines.append(f"| {group['count']:,} | {group['trend']} | `{shown}` | {where['file']}:{where['line']} |")
    lines += ["", "## Fixes", "", "| pattern | operator | outcomes |", "|---|---|---|"]
    for one in report["fixes"]:
        said = ", ".join(f"{kind} {good}/{of}" for kind, (good, of) in one["outcomes"].items())
        lines.append(f"| {one['pattern']} | {one['operator']} | {said} |")
    lines += ["", "## Ranker", "", "| version | held-out pairs | trained |", "|---|---:|---|"]
    lines += [
        f"| {one['name']} v{one['version']} | {_share(one['pair_accuracy'])} | {one['at'][:10]} |"
        for one in report["models"]
    ]
    return "\n".join(lines) + "\n"


def spark(values: Sequence[float | None]) -> str:
    """A line of bars, one a value; a dot where there is none."""
    most = max((value for value in values if value), default=0)
    return "".join(
        "·" if value is None else BARS[min(7, int(value / most * 7.999))] if most else BARS[0] for value in values
    )


def _summaries(logs: Path, since: date) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for file in sorted(logs.glob("*_summary.json")):
        try:
            read = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue  # a summary is only a digest: the run's event log still has everything
        if isinstance(read, dict) and str(read.get("finished_at") or "")[:10] >= since.isoformat():
            found.append(read)
    return found


def _daily(runs: Sequence[Mapping[str, Any]], today: date) -> list[dict[str, Any]]:
    by_day: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for run in runs:
        by_day[str(run["finished_at"])[:10]].append(run)
    made = []
    for step in range(DAYS):
        day = (today - timedelta(days=DAYS - 1 - step)).isoformat()
        there = by_day.get(day, [])
        files = sum(run["files"] for run in there)
        errors = sum(sum(run["errors"].values()) for run in there)
        seconds = sum(run["seconds"] or 0 for run in there if run["files"])
        made.append(
            {
                "day": day,
                "files": files,
                "errors": errors,
                "errors_per_1000": 1000 * errors / files if files else None,
                "per_second": files / seconds if seconds else None,
            }
        )
    return made


def _outcomes(connection: sa.Connection) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0]))
    for row in connection.execute(sa.select(fix_outcomes)):
        tally = found[(row.pattern, row.operator)][row.kind]
        tally[0] += bool(row.is_success)
        tally[1] += 1
    return [
        {"pattern": pattern, "operator": operator, "outcomes": {kind: tuple(tally) for kind, tally in kinds.items()}}
        for (pattern, operator), kinds in sorted(found.items())
    ]


def _models(connection: sa.Connection) -> list[dict[str, Any]]:
    rows = connection.execute(sa.select(models).order_by(models.c.name, models.c.version)).all()
    return [
        {
            "name": row.name,
            "version": row.version,
            "pair_accuracy": (row.card.get("held_out") or {}).get("pair_accuracy"),
            "promoted": row.promoted_at is not None,
            "at": row.created_at,
        }
        for row in rows
    ]


def _added(counts: Any) -> dict[str, int]:
    total: dict[str, int] = defaultdict(int)
    for one in counts:
        for kind, count in one.items():
            total[kind] += count
    return dict(sorted(total.items(), key=lambda pair: -pair[1]))


def _rate(errors: int, files: int) -> str:
    return f"{1000 * errors / files:.1f}" if files else "no files yet:"


def _pace(daily: Sequence[Mapping[str, Any]]) -> str:
    known = [day["per_second"] for day in daily if day["per_second"]]
    return f"{known[-1]:,.1f} on the last day" if known else "not known yet"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"


def _share(value: float | None) -> str:
    return "not measured" if value is None else f"{value:.1%}"
