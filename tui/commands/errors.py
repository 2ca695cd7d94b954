"""`proofsheet errors`: read error logs; list what recurs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.common import DONE, SOME_REFUSED, emit, engine_command, json_option, note, say

if TYPE_CHECKING:
    from engine.engine import Engine


@click.group()
def errors() -> None:
    """Read error logs; list what recurs.

    Plain Python tracebacks, pytest's output and JSON lines are read; a log that was read before is read on from there.
    """


@errors.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
@engine_command
async def ingest(engine: Engine, files: tuple[Path, ...], as_json: bool) -> int:
    """Count the errors in log FILES, by group."""
    found = await engine.repair.ingest([file.expanduser() for file in files])
    for one in found.skipped[:20]:
        note(f"{one.source}, line {one.line}: {one.reason}")
    if len(found.skipped) > 20:
        note(f"... and {len(found.skipped) - 20:,} more")
    if as_json:
        emit(found.document())
    else:
        say(f"{found.records:,} errors in {len(found.groups):,} groups, {len(found.skipped):,} lines skipped")
    return SOME_REFUSED if found.skipped else DONE


@errors.command("list")
@click.option("--all", "everything", is_flag=True, help="Also groups that do not recur.")
@json_option
@engine_command
async def listing(engine: Engine, everything: bool, as_json: bool) -> None:
    """List groups of errors, most frequent first."""
    groups = await engine.repair.groups(with_samples=as_json)
    if as_json:
        fixable = await engine.repair.fixes.recognise(groups)
        emit({"groups": [{**group.document(), "fixable": fixable[group.id]} for group in groups]})
        return
    shown = [group for group in groups if everything or group.is_recurring]
    if not shown:
        say("Nothing recurs." if groups else "No errors yet. Read a log: proofsheet errors ingest FILE")
    for group in shown:
        place = f"{group.file}:{group.line}" if group.file else "-"
        say(f"{group.count:>7,}×  {group.title:<70.70}  {group.trend:<8} {place}  {group.id}")
    if len(groups) > len(shown):
        note(f"{len(groups) - len(shown):,} more do not recur (three times, in two runs); --all lists them")


@errors.command()
@click.argument("group")
@click.argument("into")
@engine_command
async def merge(engine: Engine, group: str, into: str) -> None:
    """Remember that GROUP is the same fault as INTO."""
    await engine.repair.merge([group], into)
    say(f"{group} counts for {into} from now on")


@errors.command()
@click.argument("group")
@click.option("--by", type=click.Choice(["message", "run"]), default="message", show_default=True)
@engine_command
async def split(engine: Engine, group: str, by: str) -> None:
    """Remember that GROUP is several faults, told apart by what they say or by the log they come from."""
    await engine.repair.split(group, by)
    say(f"new errors of {group} are told apart by {by}")


@errors.command()
@json_option
@engine_command
async def report(engine: Engine, as_json: bool) -> None:
    """Write the improvement report: errors over time, what recurs, how fixes did."""
    from engine.repair.report_words import text

    made, files = await engine.repair.write_report()
    if as_json:
        emit({**made, "files": [str(file) for file in files]})
    else:
        say(text(made).rstrip())
    note("written to " + ", ".join(str(file) for file in files))
