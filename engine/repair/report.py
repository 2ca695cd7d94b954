"""How things go over time: errors per 1,000 files, what recurs most, how fixes did, throughput, model accuracy.

Relies on the store and on the runs' summaries in `logs/`. A figure that is not known is None and is said to be so. In
words and as Markdown: see `report_words`.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.logs.recoveries import RecoveryLog
from engine.repair.groups import Group
from engine.repair.outcomes import REJECTED
from engine.store.schema import models
from engine.store.schema.repair import fix_outcomes

DAYS = 28
TOP = 10
OUTCOMES = ("tests", "kept", "recurrence")


def build(connection: sa.Connection, logs: Path, groups: Sequence[Group], today: date, now: str) -> dict[str, Any]:
    """The report as one JSON document."""
    since = today - timedelta(days=DAYS - 1)
    runs = _summaries(logs, since)
    outside = RecoveryLog(logs / "recoveries.jsonl").counted(since.isoformat())
    recurring = [group for group in groups if group.is_recurring]
    return {
        "at": now,
        "days": DAYS,
        "daily": _daily(runs, today),
        "runs": len(runs),
        "recoveries": _added([*(run.get("recoveries", {}) for run in runs), outside]),
        "errors_by_kind": _added(run["errors"] for run in runs),
        "recurring": len(recurring),
        "top": [group.document() for group in (recurring or list(groups))[:TOP]],
        "fixes": _outcomes(connection),
        "outcomes": _by_outcome(connection),
        "models": _models(connection),
    }


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


def _by_outcome(connection: sa.Connection) -> dict[str, dict[str, Any]]:
    """Each outcome by itself, over all fixes: how many were good of how many, and the same by day."""
    found: dict[str, dict[str, Any]] = {kind: {"good": 0, "of": 0, "rejected": 0, "daily": {}} for kind in OUTCOMES}
    for row in connection.execute(sa.select(fix_outcomes)):
        if (row.detail or "").startswith(REJECTED):  # refused beforehand: it was never in place
            found[row.kind]["rejected"] += 1
            continue
        day = found[row.kind]["daily"].setdefault(row.at[:10], [0, 0])
        day[0] += bool(row.is_success)
        day[1] += 1
        found[row.kind]["good"] += bool(row.is_success)
        found[row.kind]["of"] += 1
    return found


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
