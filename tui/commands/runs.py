"""`proofsheet runs`: list, show, follow, cancel and resume long work, from any terminal."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any

import click

from tui import metering
from tui.commands.common import emit, engine_command, json_option, list_by_default, note, say

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.runs import Run, RunEvent

GLYPHS = {"queued": "·", "running": "◐", "done": "✓", "failed": "✗", "cancelled": "–", "interrupted": "‖"}


@click.group("runs", invoke_without_command=True, help="List, follow, cancel and resume long work.")
@json_option
@click.pass_context
def runs(ctx: click.Context, /, as_json: bool) -> None:
    """Without a word more: the list."""
    list_by_default(ctx, list_runs, as_json)


@runs.command("list", help="The newest runs first.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 10_000))
@json_option
@engine_command
async def list_runs(engine: Engine, limit: int = 20, as_json: bool = False) -> None:
    """One line a run."""
    found = await engine.runs.list(limit)
    if as_json:
        emit({"runs": [dataclasses.asdict(run) for run in found]})
        return
    if not found:
        say("No runs yet. `proofsheet scan FOLDER` starts one.")
    paces = {pace.id: pace.images_per_second for pace in await engine.monitor.runs()}
    for run in found:
        progress = await engine.runs.progress(run.id) if not run.state.is_final else None
        far = f"  {progress.done:,}/{progress.total:,}" if progress and progress.total else ""
        pace = paces.get(run.id)
        fast = f"  {metering.speed(pace)}" if pace is not None else ""
        say(
            f"{GLYPHS[run.state]} {run.id:<34} {run.state:<12} {run.project or '':<12} {run.created_at[:19]}{far}{fast}"
        )


@runs.command("show", help="One run: its inputs, its result, or why it failed.")
@click.argument("run_id", metavar="ID")
@json_option
@engine_command
async def show(engine: Engine, run_id: str, as_json: bool) -> None:
    """Everything the store knows of it."""
    run = await engine.runs.get(run_id)
    if as_json:
        emit(dataclasses.asdict(run))
        return
    for field in dataclasses.fields(run):
        value = getattr(run, field.name)
        if value not in (None, {}, False):
            say(f"{field.name:<12} {json.dumps(value) if isinstance(value, dict) else value}")
    say(f"{'log':<12} {engine.runs.log_file(run_id)}")


@runs.command("tail", help="Follow a run's events until it is over, wherever it runs.")
@click.argument("run_id", metavar="ID")
@click.option("--no-follow", is_flag=True, help="Print what is there and stop.")
@json_option
@engine_command
async def tail(engine: Engine, run_id: str, no_follow: bool, as_json: bool) -> None:
    """With --json, one event a line: a stream has no end to close a document at."""
    async for event in engine.runs.tail(run_id, follow=not no_follow):
        if as_json:
            line = {"seq": event.seq, "at": event.at, "type": event.type, "data": dict(event.data)}
            say(json.dumps(line, ensure_ascii=False))
        else:
            say(_line(event))


@runs.command("cancel", help="Ask a run to stop at its next step, in whichever process it is.")
@click.argument("run_id", metavar="ID")
@json_option
@engine_command
async def cancel(engine: Engine, run_id: str, as_json: bool) -> None:
    """Ask, then wait until it has stopped."""
    await engine.runs.cancel(run_id)
    _tell(await engine.runs.wait(run_id), as_json)


@runs.command("resume", help="Take an unfinished run up again from its checkpoint.")
@click.argument("run_id", metavar="ID")
@click.option("--detach", is_flag=True, help="In a process that outlives this terminal.")
@json_option
@engine_command
async def resume(engine: Engine, run_id: str, detach: bool, as_json: bool) -> int:
    """A new run that names the old one."""
    run = await engine.runs.resume(run_id, detach=detach)
    if not detach:
        run = await engine.runs.wait(run.id)
    _tell(run, as_json)
    return 0 if detach or run.state == "done" else 1


def _tell(run: Run, as_json: bool) -> None:
    if as_json:
        emit(dataclasses.asdict(run))
    else:
        say(f"{GLYPHS[run.state]} {run.id} {run.state}")
        if run.error:
            note(run.error)


def _line(event: RunEvent) -> str:
    data: dict[str, Any] = dict(event.data)
    match event.type:
        case "progress":
            text = f"{data['done']:,}/{data['total']:,} {data['message']}" if data["total"] else f"{data['done']:,}"
        case "metric":
            text = "  ".join(f"{key} {value:.4g}" for key, value in data["points"][-1].items())
        case "refused":
            text = "\n".join(f"{file['path']}: {file['reason']}" for file in data["files"])
        case "recovered":
            text = "\n".join(" ".join(filter(None, (one["path"], one["message"]))) for one in data["what"])
        case "log":
            text = data["message"]
        case _:
            text = "  ".join(f"{key} {value}" for key, value in data.items() if value is not None)
    return f"{event.at[11:19]}  {event.type:<10}  {text}"
