"""The improvement report in words, as lines and as Markdown. Pure: from the document that `report.build` makes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

BARS = "▁▂▃▄▅▆▇█"
SAID = {"tests": "tests passed", "kept": "a person kept it", "recurrence": "did not recur"}


def text(report: Mapping[str, Any]) -> str:
    """The report for people, as plain lines."""
    daily = report["daily"]
    lines = [f"Improvement report, {report['at'][:16].replace('T', ' ')} UTC, last {report['days']} days", ""]
    lines += ["Errors per 1,000 files", f"  {spark([day['errors_per_1000'] for day in daily])}   {rate(daily)}", ""]
    lines += ["Files a second", f"  {spark([day['per_second'] for day in daily])}   {pace(daily)}", ""]
    if report["errors_by_kind"]:
        lines += ["Errors of runs by kind", f"  {_counted(report['errors_by_kind'])}", ""]
    lines.append(
        f"What recurs most ({report['recurring']} {'group recurs' if report['recurring'] == 1 else 'groups recur'})"
    )
    for group in report["top"]:
        place = group["location"]["file"] or "no place"
        known = f", {group['fixable']}" if group.get("fixable") else ""
        lines.append(
            f"  {group['count']:>7,}×  {spark(group['daily'])}  {group['title']}  ({place}, {group['trend']}{known})"
        )
    if not report["top"]:
        lines.append("  nothing")
    lines += ["", "Fixes, by what became of them"]
    lines += [f"  {SAID[kind]:<18} {_of(one)}" for kind, one in report["outcomes"].items()]
    for one in report["fixes"]:
        said = ", ".join(f"{SAID[kind]} {good} of {of}" for kind, (good, of) in one["outcomes"].items())
        lines.append(f"    {one['pattern']} ({one['operator']}): {said}")
    lines += ["", "Models, held-out pairs by version"]
    lines += [
        f"  {one['name']} v{one['version']}  {share(one['pair_accuracy'])}  {one['at'][:10]}"
        for one in report["models"]
    ]
    if not report["models"]:
        lines.append("  none trained yet")
    lines += ["", "Recovered from by itself", f"  {_counted(report['recoveries']) or 'nothing'}"]
    return "\n".join(lines) + "\n"


def markdown(report: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    lines = [
        f"# Improvement report, {report['at'][:10]}",
        "",
        f"The last {report['days']} days: {rate(report['daily'])}.",
    ]
    lines += ["", "## Errors and throughput", ""]
    days = [day for day in report["daily"] if day["files"]]
    if days:
        lines += ["| day | files | errors | per 1,000 | files a second |", "|---|---:|---:|---:|---:|"]
    for day in days:
        facts = (day["day"], f"{day['files']:,}", f"{day['errors']:,}")
        lines.append(f"| {' | '.join(facts)} | {_number(day['errors_per_1000'])} | {_number(day['per_second'])} |")
    if report["errors_by_kind"]:
        lines += ["", f"Errors by kind: {_counted(report['errors_by_kind'])}."]
    lines += ["", f"Recovered from by itself: {_counted(report['recoveries']) or 'nothing'}."]
    lines += ["", "## What recurs most", "", "| count | trend | error | place | fixable by |", "|---:|---|---|---|---|"]
    for group in report["top"]:
        where = group["location"]
        place = f"{where['file']}:{where['line']}" if where["file"] else "-"
        cells = (f"{group['count']:,}", group["trend"], f"`{group['title']}`", place, group.get("fixable") or "-")
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    lines += ["", "## Fixes", "", "| outcome | good | of | rejected beforehand |", "|---|---:|---:|---:|"]
    lines += [
        f"| {SAID[kind]} | {one['good']:,} | {one['of']:,} | {one['rejected']:,} |"
        for kind, one in report["outcomes"].items()
    ]
    if report["fixes"]:
        lines += ["", "| pattern | operator | outcomes |", "|---|---|---|"]
    for one in report["fixes"]:
        said = ", ".join(f"{SAID[kind]} {good} of {of}" for kind, (good, of) in one["outcomes"].items())
        lines.append(f"| {one['pattern']} | {one['operator']} | {said} |")
    lines += ["", "## Models", "", "| version | held-out pairs | trained |", "|---|---:|---|"]
    lines += [
        f"| {one['name']} v{one['version']} | {share(one['pair_accuracy'])} | {one['at'][:10]} |"
        for one in report["models"]
    ]
    return "\n".join(lines) + "\n"


def spark(values: Sequence[float | None]) -> str:
    """A line of bars, one a value; a dot where there is none."""
    most = max((value for value in values if value), default=0)
    return "".join(
        "·" if value is None else BARS[min(7, int(value / most * 7.999))] if most else BARS[0] for value in values
    )


def rate(daily: Sequence[Mapping[str, Any]]) -> str:
    """`4.1 errors per 1,000 files, over 12,000 files`."""
    files, errors = sum(day["files"] for day in daily), sum(day["errors"] for day in daily)
    if not files:
        return "no run has looked at files yet"
    return f"{1000 * errors / files:,.1f} errors per 1,000 files, over {files:,} {'file' if files == 1 else 'files'}"


def pace(daily: Sequence[Mapping[str, Any]]) -> str:
    """The files a second on the newest day that has any."""
    known = [day["per_second"] for day in daily if day["per_second"]]
    return f"{known[-1]:,.1f} on the last day with a run" if known else "not known yet"


def share(value: float | None) -> str:
    """`89.9 %`."""
    return "not measured" if value is None else f"{value * 100:.1f} %"


def _of(one: Mapping[str, Any]) -> str:
    said = f"{one['good']:,} of {one['of']:,}" if one["of"] else "none yet"
    return f"{said}; {one['rejected']:,} rejected beforehand" if one["rejected"] else said


def _counted(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count:,} {kind}" for kind, count in counts.items())


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.1f}"
