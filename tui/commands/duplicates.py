"""`proofsheet duplicates`: find the same picture twice; keep one, move the others to the trash folder.

Relies on the door `engine.duplicates`. Called alone it lists the groups; files move only by `approve --yes`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import UsageError
from tui.commands.common import emit, engine_command, json_option, note, say

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.library.duplicates import Found, Group, Settled

# Longer lists end with a pointer to the rest.
SHOWN = 40
TITLES = {"exact": "identical files", "same": "copies of one picture", "burst": "burst"}

project_option = click.option("--project", help="Only this project's images.")
distance_option = click.option(
    "--distance", type=int, help="Bits of 64 by which copies may differ; 10 unless set otherwise."
)
yes_option = click.option("--yes", is_flag=True, help="Move the files at once; otherwise it is only planned and shown.")


@click.group(
    invoke_without_command=True,
    help="""Find pictures that are there twice: identical files, copies (resized, recompressed, turned, mirrored,
    cropped, edited) and bursts, each in its own project.

    Alone it lists them, each with the one to keep and why. Nothing is ever deleted: approved groups move to a folder
    .proofsheet-trash on the same volume, and `duplicates undo` brings them back.
    """,
)
@project_option
@distance_option
@json_option
@click.pass_context
def duplicates(ctx: click.Context, project: str | None, distance: int | None, as_json: bool) -> None:
    """The list, when called alone."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(_listed, project=project, distance=distance, as_json=as_json)
    elif project is not None or distance is not None or as_json:
        raise click.UsageError(f"options come after the word: {ctx.command_path} {ctx.invoked_subcommand} ...", ctx)


@click.command()
@engine_command
async def _listed(engine: Engine, project: str | None, distance: int | None, as_json: bool) -> None:
    """Every group."""
    found = await engine.duplicates.find(project, distance)
    if as_json:
        emit(document(found))
        return
    for group in found.groups[:SHOWN]:
        _tell(group)
    if len(found.groups) > SHOWN:
        note(f"... and {len(found.groups) - SHOWN:,} more; --json lists them all")
    spare = len({one.image.id for group in found.groups if group.kind != "burst" for one in group.members[1:]})
    say(
        f"{len(found.groups):,} groups among {found.images:,} images in {found.seconds:.1f} s; "
        f"{spare:,} files could go (bursts not counted)"
    )
    if found.groups:
        say("Approve one with: proofsheet duplicates approve GROUP   all identical files with: approve --exact")


@duplicates.command("approve", help="Keep one image of each GROUP and move the others to the trash folder.")
@click.argument("groups", nargs=-1)
@click.option("--exact", is_flag=True, help="All groups of identical files.")
@click.option(
    "--keep", type=click.Path(path_type=Path), help="Keep this image instead of the suggested one (one group)."
)
@click.option(
    "--merge", is_flag=True, help="Write what the others' metadata adds into a sidecar of the one that is kept."
)
@click.option("--dry-run", is_flag=True, help="Show what would move, and move nothing: the same as without --yes.")
@yes_option
@project_option
@distance_option
@json_option
@engine_command
async def approve(
    engine: Engine,
    groups: tuple[str, ...],
    exact: bool,
    keep: Path | None,
    merge: bool,
    dry_run: bool,
    yes: bool,
    project: str | None,
    distance: int | None,
    as_json: bool,
) -> None:
    """As one change set."""
    if not groups and not exact:
        raise UsageError("no group named", remedy="Name groups as `proofsheet duplicates` lists them, or use --exact.")
    if yes and dry_run:
        raise UsageError("--yes and --dry-run contradict each other")
    found = await engine.duplicates.find(project, distance)
    chosen = _chosen(found, groups)
    if exact:
        chosen += [group for group in found.groups if group.kind == "exact" and group not in chosen]
        if not chosen:
            raise UsageError("there are no identical files")
    keeper = _image_at(chosen, keep) if keep is not None else None
    settled = await engine.duplicates.approve(chosen, keeper, merge=merge, dry_run=not yes)
    if as_json:
        emit(_settled(settled))
        return
    if not yes:
        say(settled.preview)
        say(f"Planned, nothing has moved yet: the same with --yes, or proofsheet changes apply {settled.change_set.id}")
        return
    say(f"Moved {len(settled.moved):,} to the trash, kept {len(settled.kept):,}.")
    say("Take it back at any time: proofsheet duplicates undo")


@duplicates.command("reject", help="These are no duplicates: never group the images of GROUP again.")
@click.argument("group")
@click.option("--dry-run", is_flag=True, help="Only show which images would never be grouped again.")
@project_option
@distance_option
@json_option
@engine_command
async def reject(
    engine: Engine, group: str, dry_run: bool, project: str | None, distance: int | None, as_json: bool
) -> None:
    """Remembered of every two of them."""
    (chosen,) = _chosen(await engine.duplicates.find(project, distance), (group,))
    if not dry_run:
        await engine.duplicates.reject(chosen)
    if as_json:
        members = [str(member.image.path) for member in chosen.members]
        emit({"group": chosen.id, "members": members, "rejected": not dry_run})
        return
    say(f"{'Would remember' if dry_run else 'Remembered'}: these {len(chosen.members)} are no duplicates.")
    for member in chosen.members:
        say(f"  {member.image.path}")


@duplicates.command("undo", help="Take the last verdict back, and bring its files back from the trash.")
@json_option
@engine_command
async def undo(engine: Engine, as_json: bool) -> None:
    """As often as there are verdicts."""
    undone = await engine.duplicates.undo()
    if as_json:
        groups = list(undone.groups) if undone else []
        emit({"groups": groups, "restored": undone.restored if undone else 0, "verdict": undone and undone.verdict})
    elif undone is None:
        say("Nothing left to undo.")
    else:
        files = "file is" if undone.restored == 1 else "files are"
        what = f"{undone.restored:,} {files} back" if undone.restored else "open again"
        say(f"Taken back: {', '.join(undone.groups)} ({undone.verdict}); {what}.")


def document(found: Found) -> dict[str, Any]:
    """The answer of `duplicates --json`."""
    return {
        "groups": [
            {
                "id": group.id,
                "kind": group.kind,
                "project": group.project,
                "keeper": str(group.members[0].image.path),
                "reason": group.reason,
                "members": [{"path": str(member.image.path), "distance": member.distance} for member in group.members],
                "offered": {
                    "title": group.offered.title,
                    "description": group.offered.description,
                    "keywords": list(group.offered.keywords),
                    "rating": group.offered.rating,
                },
            }
            for group in found.groups
        ],
        "images": found.images,
        "pairs_within": found.pairs_within,
        "distance": found.distance,
        "seconds": found.seconds,
    }


def _settled(settled: Settled) -> dict[str, Any]:
    return {
        "change_set": settled.change_set.id,
        "state": settled.change_set.state,
        "groups": list(settled.groups),
        "kept": [str(path) for path in settled.kept],
        "moved": [str(path) for path in settled.moved],
        "files": [
            {"action": step.action, "from": str(step.source) if step.source else None, "to": str(step.path)}
            for step in settled.change_set.operations
        ],
    }


def _chosen(found: Found, names: Sequence[str]) -> list[Group]:
    """The groups whose ids begin so. Raises UsageError for none or several."""
    chosen: list[Group] = []
    for name in names:
        fitting = [group for group in found.groups if group.id.startswith(name)]
        if len(fitting) != 1:
            problem = f"{len(fitting)} groups begin with '{name}'" if fitting else f"there is no group '{name}'"
            raise UsageError(
                problem, remedy="`proofsheet duplicates` lists them; their names change with their images."
            )
        if fitting[0] not in chosen:
            chosen.append(fitting[0])
    return chosen


def _image_at(groups: Sequence[Group], path: Path) -> int:
    wanted = path.expanduser().absolute()
    for group in groups:
        for member in group.members:
            if member.image.path == wanted:
                return member.image.id
    raise UsageError(f"{path} is in none of these groups")


def _tell(group: Group) -> None:
    say(f"{group.id}  {TITLES[group.kind]}, {group.project}")
    for member in group.members:
        image = member.image
        mark = "keep" if image.id == group.keeper else f"{member.distance:>2} b"
        say(f"  {mark}  {image.width}×{image.height}  {image.size / 1e6:.1f} MB  {image.path}")
    say(f"  why: {group.reason}")
    if group.offered:
        say("  the others' metadata adds something; --merge keeps it")
    say()
