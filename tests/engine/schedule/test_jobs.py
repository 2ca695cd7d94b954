"""The jobs themselves: the report that is written, the weights that are proposed, what is alarming."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.engine import Engine
from engine.errors import ProofsheetError
from engine.experiments.alerts import alerts
from engine.experiments.report import Day
from engine.schedule.report import write_report
from engine.workspace import Workspace
from tests.tui.fake_experiments import analysis

NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parents[3]


async def test_the_report_is_written_as_text_and_as_json(workspace: Workspace) -> None:
    async with Engine.open(workspace) as engine:
        run = await engine.schedule.run_now("report")
        assert run.state == "done" and run.result is not None
        document = json.loads(Path(run.result["json"]).read_text())
        assert document["analysis"]["verdict"] == run.result["verdict"]
        assert Path(run.result["markdown"]).read_text().startswith("# Variants, 20")


def test_the_report_tells_alerts_targets_and_trend(workspace: Workspace) -> None:
    markdown, data = write_report(workspace, "variants-2026-W47", analysis(frozen=True), "because", NOW)
    text = markdown.read_text()
    for said in ("users are not split", "success is 60%, the target 70%", "| success_rate | 0.70 | 0.60 | no |",
                 "| enhanced-v1 | 50% |", "| 2026-11-20 |", "Weights: because"):  # fmt: skip
        assert said in text
    assert [one["kind"] for one in json.loads(data.read_text())["alerts"]] == ["ratio", "target"]
    assert sorted(one.name for one in data.parent.iterdir()) == ["variants-2026-W47.json", "variants-2026-W47.md"]


def test_a_report_that_cannot_be_written_is_said(workspace: Workspace) -> None:
    (workspace.root / "reports").write_text("in the way")
    with pytest.raises(ProofsheetError, match="could not be written"):
        write_report(workspace, "variants-2026-W47", analysis(), "", NOW)


async def test_the_daily_job_proposes_weights(workspace: Workspace) -> None:
    async with Engine.open(workspace) as engine:
        run = await engine.schedule.run_now("weights")
        assert (
            run.state == "done" and run.result is not None and set(run.result["weights"]) == {"original", "enhanced-v1"}
        )
        found = {one.name: one.is_enabled for one in await engine.schedule.status()}
        assert found == {"weights": True, "report": True, "retraining": False}


def test_failures_are_alarming_once_there_are_enough() -> None:
    now = analysis()
    many = replace(now, daily=[Day("2026-11-20", 100, 90, None, None, None, 0.2)])
    few = replace(now, daily=[Day("2026-11-20", 5, 5, None, None, None, 1.0)])
    assert [one.kind for one in alerts(many)] == ["errors", "target"]
    assert "20% of the last 100 sessions failed" in alerts(many)[0].message
    assert [one.kind for one in alerts(few)] == ["target"]


def test_a_job_that_was_killed_in_the_middle_is_done_by_the_next_process(workspace: Workspace) -> None:
    """Two real processes: one is killed inside its job, the other takes it up."""
    script = """
import asyncio, os, sys, time
from datetime import UTC, datetime
from pathlib import Path
from engine.runs import Runs
from engine.schedule import Job, Schedule
from engine.settings import Settings
from engine.store import Store
from engine.workspace import Workspace

workspace, marks, dies = Workspace(Path(sys.argv[1])), Path(sys.argv[2]), sys.argv[3] == "dies"
day = [1]

async def work(now):
    with marks.open("a") as file:
        file.write("begun\\n")
    if dies:
        os.kill(os.getpid(), 9)
    return {}

store = Store.open(workspace.database_file)
now = lambda: datetime.now(UTC).replace(year=2030, month=1, day=day[0])
schedule = Schedule(Settings(), store, Runs(workspace, store), [Job("daily", "d", "day", work)], clock=now)
found = asyncio.run(schedule.run_due())
day[0] = 2
found += asyncio.run(schedule.run_due())
print([(run.state, run.attempts) for run in found])
"""
    marks = workspace.root / "marks"
    command = [sys.executable, "-c", script, str(workspace.root), str(marks)]
    options = {"cwd": ROOT, "capture_output": True, "text": True, "timeout": 60}
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    killed = subprocess.run([*command, "dies"], env=environment, **options)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    after = subprocess.run([*command, "lives"], env=environment, **options)
    assert after.stdout.strip() == "[('done', 2)]", after.stderr
    third = subprocess.run([*command, "lives"], env=environment, **options)
    assert third.stdout.strip() == "[]" and marks.read_text() == "begun\nbegun\n"
