"""`proofsheet bulk-approve`: approve together the sets whose suggestions can be trusted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import click

from engine.errors import UsageError
from tui.commands.common import emit, engine_command, json_option, say
from tui.commands.following import ProgressLine

if TYPE_CHECKING:
    from engine.engine import Engine

_LISTED = 12


@click.command("bulk-approve", help="Approve together the sets whose suggestions can be trusted.")
@click.option("--project", help="Only this project's sets.")
@click.option(
    "--min-accuracy",
    "target",
    type=float,
    default=0.95,
    show_default=True,
    help="At least this share of them matches the pick you would make.",
)
@click.option("--dry-run", is_flag=True, help="Only say what would be approved.")
@click.option("--all-projects", is_flag=True, help="Every project at once.")
@json_option
@engine_command
async def bulk_approve(
    engine: Engine, project: str | None, target: float, dry_run: bool, all_projects: bool, as_json: bool
) -> None:
    """One decision, taken back by one `proofsheet review undo`."""
    if (project is None) == (not all_projects):
        raise UsageError("which project?", remedy="Give --project P, or --all-projects.")

    line = ProgressLine()

    async def tell(done: int, total: int) -> None:
        line.tell(f"  suggesting anew {done:,}/{total:,}")

    plan = await engine.ranking.bulk_plan(project, target, tell)
    line.clear()
    made = [] if dry_run else await engine.ranking.bulk_approve(plan)
    if as_json:
        emit(plan.document(len(made)))
        return
    if not plan.sets:
        say(f"nothing can be approved unseen: {plan.why_not}")
        return
    sure = f"{plan.expected_accuracy:.1%}" if plan.expected_accuracy is not None else "unknown"
    bound = f", at least {math.floor(plan.promised * 1000) / 1000:.1%}" if plan.promised is not None else ""
    say(f"{len(plan.sets):,} of {plan.remaining:,} remaining sets; expected to match your pick: {sure}{bound}")
    for one in plan.sets[:_LISTED]:
        say(f"  {one.shown.id:>7}  {one.suggestion.confidence or 0:>5.1%}  {one.winner}")
    if len(plan.sets) > _LISTED:
        say(f"  and {len(plan.sets) - _LISTED:,} more")
    if dry_run:
        say("nothing was approved; without --dry-run these are")
    else:
        say(f"{len(made):,} approved as one decision; `proofsheet review undo` takes them back together")
