"""`proofsheet sessions`: resize sessions: import and list."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.common import (
    DONE,
    SOME_REFUSED,
    emit,
    engine_command,
    json_option,
    list_by_default,
    note,
    say,
)

if TYPE_CHECKING:
    from engine.engine import Engine

_SHOWN = 20


@click.group(invoke_without_command=True)
@json_option
@click.pass_context
def sessions(ctx: click.Context, as_json: bool) -> None:
    """Resize sessions: import and list."""
    list_by_default(ctx, list_sessions, as_json)


@sessions.command("import", help="Import a JSON Lines file: one session a line, `user` and `variant` at least.")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@engine_command
async def import_sessions(engine: Engine, file: Path, as_json: bool) -> int:
    """Lines that cannot be taken are named with their number and the reason; the rest is taken, and never twice."""
    found = await engine.experiments.import_sessions(file.expanduser().absolute())
    if as_json:
        emit(found.document())
    else:
        say(f"{found.new:,} new sessions, {found.known:,} known already")
    for line in found.refused[:_SHOWN]:
        note(f"  line {line.line}: {line.reason}")
    if len(found.refused) > _SHOWN:
        note(f"  and {len(found.refused) - _SHOWN:,} more refused lines; --json lists them all")
    return SOME_REFUSED if found.refused else DONE


@sessions.command("list", help="The newest sessions first.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 100_000), help="How many.")
@click.option("--variant", help="Of this variant alone.")
@click.option("--user", help="Of this user alone.")
@json_option
@engine_command
async def list_sessions(
    engine: Engine, limit: int = 50, variant: str | None = None, user: str | None = None, as_json: bool = False
) -> None:
    """One line a session."""
    if variant is not None:
        await engine.experiments.variant(variant)  # an unknown one is told, not shown as empty
    found = await engine.experiments.sessions(limit, variant=variant, user=user)
    if as_json:
        emit([asdict(one) for one in found])
        return
    if not found:
        say("No sessions. `proofsheet sessions import FILE.jsonl` brings some in.")
    for one in found:
        stars = "★" * one.rating + "·" * (5 - one.rating) if one.rating else "     "
        size = f"{one.target[0]:g}x{one.target[1]:g}" if one.target else "-"
        took = f"{one.processing_ms / 1000:.1f} s" if one.processing_ms is not None else "-"
        created = one.created_at[:16].replace("T", " ")
        say(f"{one.id}  {created}  {one.variant_id:<20} {stars}  {size:>11}  {took:>8}  {one.state:<6} {one.user_id}")
