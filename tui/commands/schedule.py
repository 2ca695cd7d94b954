"""`proofsheet schedule`: what runs by itself, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.commands.common import DONE, FAILED, emit, engine_command, json_option, list_by_default, note, say

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.schedule import JobStatus


@click.group("schedule", invoke_without_command=True, help="What runs by itself, and when.")
@json_option
@click.pass_context
def schedule(ctx: click.Context, /, as_json: bool) -> None:
    """Jobs run while the app or `proofsheet serve` is open; what was missed is caught up with once."""
    list_by_default(ctx, listing, as_json)


@schedule.command("list", help="Every job, whether it is on, and when it is due.")
@json_option
@engine_command
async def listing(engine: Engine, as_json: bool) -> None:
    """The jobs."""
    jobs = await engine.schedule.status()
    if as_json:
        emit({"jobs": [one.document() for one in jobs]})
    else:
        _print(jobs)


@schedule.command("status", help="The jobs, and the last times that they ran.")
@json_option
@engine_command
async def status(engine: Engine, as_json: bool) -> None:
    """The jobs with their history."""
    from dataclasses import asdict

    jobs, history = await engine.schedule.status(), await engine.schedule.history()
    if as_json:
        emit({"jobs": [one.document() for one in jobs], "history": [asdict(one) for one in history]})
        return
    _print(jobs)
    if history:
        say()
    for one in history[:20]:
        how = "asked for" if one.is_manual else one.period
        wrong = f"  {one.error.splitlines()[0]}" if one.error else ""
        say(f"  {one.started_at[:16].replace('T', ' ')}  {one.job:<12} {one.state:<8} {how}{wrong}")


@schedule.command("run", help="Do a job now, whatever is due.")
@click.argument("name")
@json_option
@engine_command
async def run(engine: Engine, name: str, as_json: bool) -> int:
    """One job."""
    from dataclasses import asdict

    done = await engine.schedule.run_now(name)
    if as_json:
        emit(asdict(done))
    elif done.state == "done":
        say(f"{name}: done")
        for key, value in (done.result or {}).items():
            if isinstance(value, (str, int, float)):
                say(f"  {key}: {value}")
    if done.error is not None:
        note(f"proofsheet: {done.error}")
    return DONE if done.state == "done" else FAILED


@schedule.command("enable", help="From the next day, week or month on, run this job by itself.")
@click.argument("name")
@json_option
@engine_command
async def enable(engine: Engine, name: str, as_json: bool) -> None:
    """Switch on."""
    _tell(await engine.schedule.enable(name), as_json)


@schedule.command("disable", help="Run this job only when it is asked for.")
@click.argument("name")
@json_option
@engine_command
async def disable(engine: Engine, name: str, as_json: bool) -> None:
    """Switch off."""
    _tell(await engine.schedule.disable(name), as_json)


def _tell(job: JobStatus, as_json: bool) -> None:
    emit(job.document()) if as_json else _print([job])


def _print(jobs: list[JobStatus]) -> None:
    for one in jobs:
        due = "now" if one.is_due else (one.next_at or "")[:16].replace("T", " ")
        last = f"last {one.last.started_at[:10]} {one.last.state}" if one.last else "has not run yet"
        when = f"next {due}" if one.is_enabled else "off"
        say(f"  {one.name:<12} every {one.every:<6} {when:<22} {last:<24} {one.title}")
