"""`proofsheet scan`: read folders of images into the library, and say what was refused and why.

Relies on the library's door and on the run's own log for progress. Exit code 3 when files were refused.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.commands.common import DONE, SOME_REFUSED, emit, engine_command, json_option, note, read_paths, say

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.runs import Run

# Longer lists of refused files end with a pointer to the rest.
SHOWN = 40
_REDRAW_SECONDS = 0.2


@click.command(
    "scan",
    help="""Read folders of images (or single files) into the library.

    A rescan opens only what is new or changed. Files that cannot be read are listed with the reason, and never stop
    the scan. Links inside a folder are not followed; name what they lead to. Nothing outside the workspace is written.
    """,
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--detach", is_flag=True, help="Scan in a process of its own that outlives this terminal.")
@json_option
@engine_command
async def scan(engine: Engine, paths: tuple[Path, ...], detach: bool, as_json: bool) -> int:
    """Start the run, follow it, and print what came of it."""
    run = await engine.library.scan(read_paths(paths), detach=detach)
    if detach:
        if as_json:
            emit({"run": run.id})
        else:
            say(f"Scanning as run {run.id}. Follow it with: proofsheet runs tail {run.id}")
        return DONE
    result = await follow(engine, run, "Scanning")
    if as_json:
        emit(dict(result))
    else:
        _tell(result)
    return SOME_REFUSED if result["refused"] else DONE


async def follow(engine: Engine, run: Run, doing: str) -> Mapping[str, Any]:
    """Wait for the run's result; on a terminal, one calm line says how far it is. Raises RunFailed."""
    if sys.stderr.isatty():
        drawn_at = 0.0
        try:
            async for event in engine.runs.tail(run.id):
                if event.type == "progress" and time.monotonic() - drawn_at >= _REDRAW_SECONDS:
                    drawn_at = time.monotonic()
                    click.echo(f"\r\x1b[2K{doing}: {event.data['message']}", nl=False, err=True)
        finally:
            click.echo("\r\x1b[2K", nl=False, err=True)
    return (await engine.runs.finished(run.id)).result or {}


def _tell(result: Any) -> None:
    held = result["added"] + result["changed"] + result["unchanged"]
    say(f"{_count(held, 'image')} in {result['seconds']:.1f} s")
    for word in ("added", "changed", "unchanged", "removed"):
        if result[word]:
            say(f"  {result[word]:>9,} {word}")
    refused = result["refused"]
    if not refused:
        return
    say(f"  {len(refused):>9,} refused")
    say()
    for one in refused[:SHOWN]:
        say(f"{one['path']}\n    {one['reason']}")
    if len(refused) > SHOWN:
        note(f"... and {len(refused) - SHOWN:,} more; `proofsheet inventory --refused` lists them all")


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"
