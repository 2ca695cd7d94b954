"""`proofsheet models`: list the ranker's versions, and go back to any of them with one command."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tui.commands.common import emit, engine_command, json_option, list_by_default, note, say

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.ranking.registry import ModelRow


@click.group("models", invoke_without_command=True, help="List the ranker's versions; go back to any of them.")
@json_option
@click.pass_context
def models(ctx: click.Context, as_json: bool) -> None:
    """Alone: the list."""
    list_by_default(ctx, list_models, as_json)


def _document(row: ModelRow) -> dict[str, Any]:
    held_out = row.card.get("held_out", {})
    return {
        "name": row.card.get("name", "ranker"),
        "version": row.version,
        "model": row.label,
        "project": row.project,
        "encoder": row.encoder,
        "mode": row.card.get("mode"),
        "created_at": row.created_at,
        "promoted_at": row.promoted_at,
        "pair_accuracy": held_out.get("pair_accuracy"),
        "why_not": row.card.get("promotion", {}).get("why_not", []),
        "path": str(row.path),
    }


@models.command("list", help="Every version of your ranker, the newest first.")
@json_option
@engine_command
async def list_models(engine: Engine, as_json: bool) -> None:
    """The one in use is marked: the one that was promoted last."""
    rows = await engine.ranking.models()
    using = {}
    for row in sorted(rows, key=lambda row: (row.promoted_at or "", row.version)):
        if row.promoted_at is not None:
            using[row.project] = row.version
    unusable = {}
    for project, version in using.items():
        status = await engine.ranking.status(project)
        if status.unusable is not None:
            unusable[version] = status.why_not
    if as_json:
        told = [(row, {"in_use": using.get(row.project) == row.version}) for row in rows]
        emit({"models": [_document(row) | use | {"unusable": unusable.get(row.version)} for row, use in told]})
        return
    if not rows:
        say("There is no ranker yet: proofsheet train ranker")
    for row in rows:
        mark = ">" if using.get(row.project) == row.version else " "
        accuracy = row.card.get("held_out", {}).get("pair_accuracy")
        pairs = f"{accuracy:>6.1%} of held-out pairs" if accuracy is not None else ""
        state = "promoted" if row.promoted_at else "kept back"
        state = "unusable" if row.version in unusable else state
        say(f"{mark} {row.label:<12} {pairs}  {state:<10} {row.created_at[:16]}  {row.project or 'all projects'}")
    for why in unusable.values():
        note(f"proofsheet: {why}")


@models.command("use", help="Let this version suggest from now on, as: models use ranker 3")
@click.argument("name")
@click.argument("version", type=click.IntRange(1))
@json_option
@engine_command
async def use(engine: Engine, name: str, version: int, as_json: bool) -> None:
    """Nothing is lost: every version stays, and can be used again."""
    row = await engine.ranking.use_model(name, version)
    emit({"in_use": _document(row)}) if as_json else say(f"{row.label} suggests from now on.")


@models.command("rollback", help="Take back the last promotion; the version before it suggests again.")
@click.option("--project", help="Of the ranker made for this project alone.")
@json_option
@engine_command
async def rollback(engine: Engine, project: str | None, as_json: bool) -> None:
    """May be repeated, back to where nothing was promoted."""
    was, now = await engine.ranking.roll_back(project)
    if as_json:
        emit({"was": _document(was), "in_use": _document(now) if now is not None else None})
    elif now is not None:
        say(f"{now.label} suggests again, in place of {was.label}.")
    else:
        say(f"{was.label} no longer suggests, and no other version is promoted.")
