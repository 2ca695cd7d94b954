"""What runs by itself: daily weights, the weekly report, monthly retraining (off until a person switches it on).

Relies on the experiments' door. Each job may be begun again after a crash: a proposal replaces the one before it, a
report is written anew, a retraining waits for the one that is going on.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from engine.experiments import Experiments
from engine.runs import Runs
from engine.schedule.model import Job
from engine.schedule.periods import period_of
from engine.settings import Settings
from engine.workspace import Workspace


def standard_jobs(workspace: Workspace, settings: Settings, runs: Runs, experiments: Experiments) -> tuple[Job, ...]:
    """The jobs of one workspace."""

    async def weights(_now: datetime) -> Mapping[str, Any]:
        proposed = await experiments.propose_weights()
        proposal = proposed.proposal
        return {"suggestion": proposed.id, "weights": dict(proposal["weights"]), "why": proposal["why"]}

    async def report(now: datetime) -> Mapping[str, Any]:
        from engine.schedule.report import write_report

        analysis = await experiments.analyze()
        name = f"variants-{period_of('week', now, settings.schedule_time)}"
        markdown, data = write_report(workspace, name, analysis, await experiments.why_weights(), now)
        return {"markdown": str(markdown), "json": str(data), "verdict": analysis.verdict}

    async def retraining(_now: datetime) -> Mapping[str, Any]:
        run = await experiments.retrain()
        return {"run": run.id, **((await runs.finished(run.id)).result or {})}

    return (
        Job("weights", "propose weights for the variants", "day", weights),
        Job("report", "write the variants' report", "week", report),
        Job("retraining", "learn anew which layouts work", "month", retraining, is_on=False),
    )
