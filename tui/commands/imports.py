"""`proofsheet import`: bring in what a person already has: selection logs, and embeddings that another program
computed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.common import DONE, SOME_REFUSED, emit, engine_command, json_option, note, say

if TYPE_CHECKING:
    from engine.engine import Engine

_SHOWN = 20


@click.group("import", help="Bring in a selection log, or embeddings.")
def imports() -> None:
    """One command a kind of file."""


@imports.command("selections", help="Import a selection_only_log.csv: its sets and winners, matched with the library.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--actor", help="Who made these picks (default: you).")
@json_option
@engine_command
async def selections(engine: Engine, file: Path, actor: str | None, as_json: bool) -> int:
    """Rows that cannot be trusted are named with their line and the reason; the rest is taken."""
    found = await engine.ranking.import_selections(file.expanduser().absolute(), actor)
    if as_json:
        emit(found.document())
    else:
        say(f"{found.sets:,} sets with {found.pairs:,} pairs ({found.new:,} new selections)")
        for project, count in found.projects.items():
            say(f"  {project:<24} {count:>8,} sets")
        for row in found.refused[:_SHOWN]:
            note(f"  line {row.line}: {row.reason}")
        if len(found.refused) > _SHOWN:
            note(f"  and {len(found.refused) - _SHOWN:,} more refused lines; --json lists them all")
    return SOME_REFUSED if found.refused else DONE


@imports.command("embeddings", help="Import vectors that another program computed; NAME is then an encoder everywhere.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--encoder", "name", metavar="NAME", required=True, help="What to call them: letters, digits, '.', '_', '-'."
)
@json_option
@engine_command
async def embeddings(engine: Engine, file: Path, name: str, as_json: bool) -> int:
    """FILE is parquet with columns image (a path, a name or a content hash), embedding and, if wanted, project; or a
    folder of {content hash}.npy. Rows, counted from 1, that cannot be trusted are named with the reason."""
    run = await engine.vision.import_embeddings(file.expanduser().absolute(), name)
    try:
        result = dict((await engine.runs.finished(run.id)).result or {})
    except asyncio.CancelledError:
        await engine.runs.cancel(run.id)
        raise
    refused = result["refused"]
    if as_json:
        emit(result)
    else:
        told = f"{result['imported']:,} imported, {result['replaced']:,} replaced"
        say(f"{told} ({result['id']}, {result['dim']} numbers)")
        for project, count in result["projects"].items():
            say(f"  {project:<24} {count:>8,} images")
        for row in refused[:_SHOWN]:
            note(f"  row {row['row']}: {row['reason']}")
        if len(refused) > _SHOWN:
            note(f"  and {len(refused) - _SHOWN:,} more refused rows; --json lists them all")
        say(f"Learn from them: proofsheet train ranker --encoder {name}")
    return SOME_REFUSED if refused else DONE
