"""`proofsheet import`: bring in what a person already has. So far: selection logs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.common import DONE, SOME_REFUSED, emit, engine_command, json_option, note, say

if TYPE_CHECKING:
    from engine.engine import Engine

_SHOWN = 20


@click.group("import", help="Bring in a selection log.")
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
