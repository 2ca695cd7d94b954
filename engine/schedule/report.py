"""The weekly report: how the variants did, in words and tables (Markdown) and as JSON, in the workspace's `reports/`.

Relies on the experiments' analysis. Both files are written beside and renamed, so that a reader never sees half of one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.clock import iso
from engine.errors import ProofsheetError
from engine.experiments.alerts import Alert, alerts
from engine.experiments.report import Analysis
from engine.workspace import Workspace

TREND_DAYS = 14


def write_report(workspace: Workspace, name: str, analysis: Analysis, why: str, now: datetime) -> tuple[Path, Path]:
    """Write `reports/NAME.md` and `.json`; their paths. Raises ProofsheetError when they cannot be written."""
    folder = workspace.root / "reports"
    found = alerts(analysis)
    document = {
        "name": name,
        "written_at": iso(now),
        "alerts": [{"kind": one.kind, "message": one.message, "remedy": one.remedy} for one in found],
        "why_weights": why,
        "analysis": analysis.document(),
    }
    markdown, data = folder / f"{name}.md", folder / f"{name}.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(markdown, "\n".join(_markdown(name, analysis, found, why, now)) + "\n")
        _write(data, json.dumps(document, ensure_ascii=False, indent=2) + "\n")
    except OSError as error:
        raise ProofsheetError(f"the report could not be written to {folder}: {error.strerror}") from error
    return markdown, data


def _markdown(name: str, analysis: Analysis, found: Sequence[Alert], why: str, now: datetime) -> Iterator[str]:
    yield f"# Variants, {name.removeprefix('variants-')}"
    yield ""
    yield f"Written {iso(now)[:16].replace('T', ' ')} UTC. {analysis.users:,} users, {analysis.sessions:,} sessions."
    yield ""
    yield f"**{analysis.verdict}**"
    yield ""
    if found:
        yield "## To look at"
        yield ""
        yield from (f"- {one.message}. {one.remedy}" for one in found)
        yield ""
    yield "## Targets"
    yield ""
    yield from _table(
        ("target", "wanted", "reached", "met"),
        [(key, _short(t.target), _short(t.value), _met(t.met)) for key, t in analysis.targets.items()],
    )
    yield "## Variants"
    yield ""
    yield from _table(
        ("variant", "weight", "users", "sessions", "success", "interval", "stars 1-5", "time ms", "P(best)"),
        [
            (
                one.id if one.is_active else f"{one.id} (paused)",
                f"{one.weight:.0%}",
                f"{one.users:,}",
                f"{one.sessions:,}",
                _short(one.success_rate),
                " to ".join(_short(end) for end in one.success_ci) if one.success_ci else "-",
                " ".join(f"{count:,}" for count in one.rating_histogram),
                _short(one.processing_ms_median),
                _short(one.p_best),
            )
            for one in analysis.variants
        ],
    )
    yield f"Weights: {why}"
    yield ""
    yield f"## The last {TREND_DAYS} days of use"
    yield ""
    yield from _table(
        ("day (UTC)", "sessions", "users", "success", "feedback", "failed"),
        [
            (
                day.day,
                f"{day.active_sessions:,}",
                f"{day.active_users:,}",
                _short(day.success_rate),
                _short(day.feedback_rate),
                _short(day.error_rate),
            )
            for day in analysis.daily[-TREND_DAYS:]
        ],
    )
    if analysis.warnings:
        yield "## Warnings"
        yield ""
        yield from (f"- {warning}" for warning in analysis.warnings)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    yield from ("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
    yield ""


def _short(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if abs(value) < 10 else f"{value:,.0f}"


def _met(met: bool | None) -> str:
    return "unknown" if met is None else "yes" if met else "no"


def _write(file: Path, text: str) -> None:
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
