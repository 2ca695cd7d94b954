"""`proofsheet changes`: list, show, apply, roll back and prune change sets, from any terminal.

Relies on click and the room's door. Never changes a file without a person's yes: an answer at the terminal, or `--yes`.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from engine.changes import printable
from engine.clock import iso
from engine.errors import UsageError
from tui.commands.common import FAILED, emit, engine_command, json_option, list_by_default, note, say

if TYPE_CHECKING:
    from engine.changes import ChangeSet
    from engine.engine import Engine

GLYPHS = {
    "planned": "·",
    "applying": "◐",
    "applied": "✓",
    "rolling_back": "◐",
    "rolled_back": "↶",
    "failed": "✗",
    "damaged": "!",
}
yes_option = click.option("--yes", "-y", is_flag=True, help="Do it without asking.")


@click.group("changes", invoke_without_command=True, help="List, show, apply and roll back change sets.")
@json_option
@click.pass_context
def changes(ctx: click.Context, /, as_json: bool) -> None:
    """Without a word more: the list."""
    list_by_default(ctx, list_changes, as_json)


@changes.command("list", help="The newest change sets first.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 100_000))
@json_option
@engine_command
async def list_changes(engine: Engine, limit: int = 20, as_json: bool = False) -> None:
    """One line a change set."""
    found = (await engine.changes.list())[:limit]
    if as_json:
        emit({"change_sets": [summary(change_set) for change_set in found]})
        return
    if not found:
        say("No change sets yet. `proofsheet export` plans one.")
    for change_set in found:
        count = len(change_set.operations)
        say(
            f"{GLYPHS[change_set.state]} {change_set.id}  {_spoken(change_set):<12} "
            f"{count:>6,} {'file ' if count == 1 else 'files'}  {printable(change_set.title or change_set.reason)}"
        )
    if half_done := [change_set.id for change_set in found if change_set.state in ("applying", "rolling_back")]:
        note(f"A crash left {half_done[0]} half done.")
        note(f"  `proofsheet changes rollback {half_done[0]}` says what is in the way.")


@changes.command("show", help="What a change set does: a unified diff of texts, a from-to table of files.")
@click.argument("change_set_id", metavar="ID")
@json_option
@engine_command
async def show(engine: Engine, change_set_id: str, as_json: bool) -> None:
    """Its state in a few lines, then the whole preview."""
    change_set = await engine.changes.get(change_set_id)
    preview = engine.changes.preview(change_set)
    if as_json:
        emit({**document(change_set), "preview": preview})
        return
    say(printable(change_set.title))
    say(f"{change_set.id}, {_spoken(change_set)} {iso(change_set.finished_at or change_set.created_at)}")
    if change_set.reason:
        say(printable(change_set.reason))
    for path in change_set.kept:
        say(f"left as it was: {printable(str(path))}")
    say(f"\n{preview}".rstrip("\n"))


@changes.command("apply", help="Carry out a planned change set, wholly or not at all.")
@click.argument("change_set_id", metavar="ID")
@yes_option
@json_option
@engine_command
async def apply(engine: Engine, change_set_id: str, yes: bool, as_json: bool) -> int | None:
    """Show it, ask, apply it."""
    change_set = await engine.changes.get(change_set_id)
    if not yes and change_set.state == "planned":
        if not sys.stdin.isatty():
            raise UsageError(
                f"change set {change_set.id} waits for a yes",
                remedy=f"Look at it (proofsheet changes show {change_set.id}), then apply it with --yes.",
            )
        note(engine.changes.preview(change_set))
        if not click.confirm(f"Apply this ({len(change_set.operations):,} files)?", err=True):
            note("Nothing was touched.")
            return FAILED
    done = await engine.changes.apply(change_set.id)
    _report(done, f"Applied. `proofsheet changes rollback {done.id}` takes it back.", as_json)
    return None


@changes.command("rollback", help="Take an applied change set back: bytes, names, modes and times as they were.")
@click.argument("change_set_id", metavar="ID")
@click.option("--keep-changed", is_flag=True, help="Leave files that changed since as they are; take the others back.")
@json_option
@engine_command
async def rollback(engine: Engine, change_set_id: str, keep_changed: bool, as_json: bool) -> None:
    """Refused, naming the files, when some have changed since."""
    done = await engine.changes.rollback(change_set_id, keep_changed=keep_changed)
    kept = "".join(f"\nleft as it was: {printable(str(path))}" for path in done.kept)
    _report(done, f"Rolled back.{kept}", as_json)


@changes.command("prune", help="Remove finished change sets and their backups; without IDs, all of them.")
@click.argument("change_set_ids", metavar="[ID]...", nargs=-1)
@click.option("--older-than", metavar="DAYS", type=click.FloatRange(min=0), help="Only those this many days old.")
@yes_option
@json_option
@engine_command
async def prune(
    engine: Engine, change_set_ids: tuple[str, ...], older_than: float | None, yes: bool, as_json: bool
) -> int | None:
    """The files stay as they are; what is pruned can no longer be rolled back."""
    if not yes and sys.stdin.isatty() and not click.confirm("Remove backups? They cannot be brought back.", err=True):
        note("Nothing was removed.")
        return FAILED
    pruned = await engine.changes.prune(older_than, change_set_ids or None)
    if as_json:
        emit({"pruned": list(pruned.ids), "bytes": pruned.size})
    else:
        count = len(pruned.ids)
        say(f"Removed {count:,} change {'set' if count == 1 else 'sets'}, {pruned.size:,} bytes.")
    return None


def _spoken(change_set: ChangeSet) -> str:
    return change_set.state.replace("_", " ")


def _report(change_set: ChangeSet, line: str, as_json: bool) -> None:
    if as_json:
        emit(document(change_set))
    else:
        say(line)


def summary(change_set: ChangeSet) -> dict[str, Any]:
    """A change set in a list: everything but its operations, which are counted."""
    return {
        "id": change_set.id,
        "title": change_set.title,
        "kind": change_set.kind,
        "state": change_set.state.value,
        "operations": len(change_set.operations),
        "created_at": iso(change_set.created_at),
        "finished_at": iso(change_set.finished_at) if change_set.finished_at else None,
        "reason": change_set.reason,
        "roots": [str(root) for root in change_set.roots],
        "kept": [str(path) for path in change_set.kept],
    }


def document(change_set: ChangeSet) -> dict[str, Any]:
    """A change set in full: `operations` names every file, with the hash it had and the one it gets."""
    operations = [
        {
            "action": step.action.value,
            "path": str(step.path),
            "source": str(step.source) if step.source else None,
            "sha256_before": step.before.sha256 if step.before else None,
            "sha256_after": step.after,
            "size": step.size,
        }
        for step in change_set.operations
    ]
    return {**summary(change_set), "operations": operations}
