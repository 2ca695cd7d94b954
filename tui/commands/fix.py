"""`proofsheet fix`: propose, prove, apply and take back code fixes.

Relies on click and the repair room's door. Nothing is edited but by `apply`, and there only what was named, or what
`--auto-approve` may take. With --json the document comes at every exit code but 2.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.changes import printable
from engine.errors import ProofsheetError, UsageError
from tui.commands.common import DONE, FAILED, SOME_REFUSED, emit, engine_command, json_option, note, say

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.repair.apply import Applied
    from engine.repair.fix import Fix

root_option = click.option(
    "--root", "root", type=click.Path(path_type=Path), help="The project's folder. Nothing outside it is ever edited."
)
tests_option = click.option(
    "--tests", metavar="CMD", help="The project's test command; without it pytest, where there are tests."
)


@click.group()
def fix() -> None:
    """Propose, prove, apply and take back code fixes."""


@fix.command()
@click.option(
    "--root",
    type=click.Path(path_type=Path),
    required=True,
    help="The project's folder. Nothing outside it is ever edited.",
)
@click.option(
    "--errors", metavar="FILE", multiple=True, type=click.Path(path_type=Path), help="Look at this log (repeatable)."
)
@click.option(
    "--min-count", type=click.IntRange(min=1), help="From so many events, instead of three events in two runs."
)
@json_option
@engine_command
async def suggest(engine: Engine, root: Path, errors: tuple[Path, ...], min_count: int | None, as_json: bool) -> None:
    """Propose a fix for each error that recurs in a project, and say why the others get none."""
    found = await engine.repair.fixes.suggest(root, [file.expanduser() for file in errors], min_count)
    refused = engine.repair.fixes.refused_patterns
    for name, reason in refused.items():
        note(f"The fix pattern {printable(name)} is left out: {printable(reason)}")
    if as_json:
        emit(
            {
                "fixes": [one.document() for one in found.fixes],
                "unmatched": [one.document() for one in found.unmatched],
                "refused_patterns": dict(refused),
            }
        )
        return
    for one in found.fixes:
        say(_line(one))
        say(f"    {printable(one.why)}")
    for left in found.unmatched:
        say(f"-                {printable(left.group.title):.60}  {printable(left.reason)}")
    if not found.fixes:
        note("No fix to propose." if found.unmatched else "No errors are known; read a log: --errors FILE")


@fix.command("list")
@root_option
@json_option
@engine_command
async def listing(engine: Engine, root: Path | None, as_json: bool) -> None:
    """List every fix that was ever proposed, with what became of it."""
    found = await engine.repair.fixes.every(root.expanduser().resolve() if root else None)
    if as_json:
        emit({"fixes": [one.document() for one in found]})
        return
    for one in found:
        say(_line(one))
    if not found:
        note("No fixes yet: proofsheet fix suggest --root DIR --errors FILE")


@fix.command()
@click.argument("fix_id", metavar="ID")
@json_option
@engine_command
async def show(engine: Engine, fix_id: str, as_json: bool) -> None:
    """Show a fix: its evidence, its diff, why, and how sure it is."""
    await engine.repair.fixes.settle()
    one = await engine.repair.fixes.get(fix_id)
    if as_json:
        emit(one.document())
        return
    say(_line(one))
    say(f"why: {printable(one.why)}")
    say(f"confidence: lower bound {one.confidence:.2f} ({one.confidence_reason})")
    for record in one.evidence:
        place = f"{record.get('file') or '-'}:{record.get('line') or 0}"
        say(f"seen: {printable(place)}  {printable(str(record.get('type')))}: {printable(str(record.get('message')))}")
    if one.proof:
        say(f"proof: {one.proof['verdict']}, {printable(one.proof['reason'])}")
    say()
    say("\n".join("\t".join(map(printable, line.split("\t"))) for line in one.diff.rstrip("\n").split("\n")))


@fix.command()
@click.argument("fix_id", metavar="ID")
@tests_option
@json_option
@engine_command
async def prove(engine: Engine, fix_id: str, tests: str | None, as_json: bool) -> int:
    """Try a fix on a copy: compile it, and run the tests before and after."""
    proof = await engine.repair.fixes.prove(fix_id, tests)
    if as_json:
        emit(proof.document())
    else:
        say(f"{proof.verdict}: {proof.reason}")
    return FAILED if proof.verdict == "refuted" else DONE


@fix.command()
@click.argument("fix_ids", metavar="[ID]...", nargs=-1)
@click.option("--auto-approve", is_flag=True, help="Apply what is safe and has proven right often enough here.")
@click.option("--dry-run", is_flag=True, help="Try it on a copy; apply nothing.")
@tests_option
@click.option("--include-uncommitted", is_flag=True, help="Also in files with uncommitted edits.")
@root_option
@json_option
@engine_command
async def apply(
    engine: Engine,
    fix_ids: tuple[str, ...],
    auto_approve: bool,
    dry_run: bool,
    tests: str | None,
    include_uncommitted: bool,
    root: Path | None,
    as_json: bool,
) -> int:
    """Apply fixes as one change set, validated in place: all of them, or none.

    Without ids and without --auto-approve nothing is applied. What newly fails is taken back at once.
    """
    from engine.repair.apply import Applied

    if not fix_ids and not auto_approve:
        note("Nothing was named, and nothing was applied. `proofsheet fix list` names fixes.")
    try:
        done = await engine.repair.fixes.apply(
            fix_ids,
            auto_approve=auto_approve,
            dry_run=dry_run,
            tests=tests,
            include_uncommitted=include_uncommitted,
            root=root,
        )
    except UsageError:
        raise
    except ProofsheetError as error:
        note(f"proofsheet: {error}")
        if as_json:
            emit(Applied(refused=tuple((id_, error.message) for id_ in fix_ids)).document())
        return FAILED
    _report(done, as_json)
    if dry_run and not done.refused and done.proof and not as_json:
        say(f"{done.proof['verdict']}: {done.proof['reason']}")
    return _code(done)


@fix.command()
@click.argument("fix_id", metavar="ID")
@json_option
@engine_command
async def rollback(engine: Engine, fix_id: str, as_json: bool) -> int:
    """Take an applied fix back, at any later time; refused when the file changed since."""
    done = await engine.repair.fixes.rollback(fix_id)
    _report(done, as_json)
    return SOME_REFUSED if done.refused else DONE


@fix.command()
@click.argument("fix_id", metavar="ID")
@click.option("--reason", default="", help="Why: it is remembered, and counts against such fixes.")
@json_option
@engine_command
async def reject(engine: Engine, fix_id: str, reason: str, as_json: bool) -> None:
    """Remember that a fix is not wanted; it is not proposed again."""
    one = await engine.repair.fixes.reject(fix_id, reason)
    if as_json:
        emit(one.document())
    else:
        say(f"{one.id} is rejected")


def _code(done: Applied) -> int:
    if done.rolled_back:
        return FAILED
    return SOME_REFUSED if done.refused else DONE


def _report(done: Applied, as_json: bool) -> None:
    if as_json:
        emit(done.document())
        return
    for words, ids in (
        ("applied", done.applied),
        ("taken back", done.rolled_back),
        ("so already, nothing to do", done.unchanged),
    ):
        for id_ in ids:
            say(f"{id_}  {words}")
    for id_, reason in done.refused:
        say(f"{id_}  refused: {printable(reason)}")
    if done.applied:
        them = "it" if len(done.applied) == 1 else "them"
        note(f"`proofsheet fix rollback {done.applied[0]}` takes {them} back.")


def _line(one: Fix) -> str:
    facts: list[Any] = [one.id, f"{one.pattern:<14}", f"{one.applicability:<12}", f"{one.confidence:.2f}"]
    return "  ".join(map(str, [*facts, f"{one.state.value:<11}", f"{printable(one.file)}:{one.line}"]))
