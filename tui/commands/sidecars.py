"""`proofsheet sidecars`: write files beside images, list what was written, take exactly that away again.

Relies on the library's door. Every write and removal is a change set: planned and shown, applied with --yes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import UsageError
from tui.commands.common import DONE, SOME_REFUSED, emit, engine_command, json_option, list_by_default, read_paths, say
from tui.commands.following import study_first

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.library.sidecars import SidecarPlan

yes_option = click.option("--yes", "-y", is_flag=True, help="Apply it at once; otherwise it is only planned and shown.")
kind_option = click.option(
    "--kind", "kinds", default="embedding,phash", show_default=True, metavar="LIST", help="embedding, phash; by comma."
)
what_argument = click.argument("what", metavar="[PATHS | QUERY]...", nargs=-1)
SHOWN = 40


@click.group("sidecars", invoke_without_command=True, help="Write, list and remove sidecar files.")
@json_option
@click.pass_context
def sidecars(ctx: click.Context, /, as_json: bool) -> None:
    """Without a word more: the list."""
    list_by_default(ctx, list_sidecars, as_json)


@sidecars.command("write", help="Write .embedding.npy and .phash beside images: of files, folders, or a query.")
@what_argument
@kind_option
@yes_option
@json_option
@engine_command
async def write(engine: Engine, what: tuple[str, ...], kinds: str, yes: bool, as_json: bool) -> int:
    """Plan, show, apply when told to."""
    from engine.library.sidecars import checked_kinds

    wanted = checked_kinds(_split(kinds))
    ids = await _chosen(engine, what)
    if not ids:
        raise UsageError("no image is meant", remedy="Scan a folder first, or name other paths or another query.")
    if "phash" in wanted:
        await study_first(engine)
    return await _conclude(engine, await engine.library.plan_sidecars(ids, wanted), yes, as_json)


@sidecars.command("list", help="What Proofsheet wrote beside images and what became of it.")
@what_argument
@json_option
@engine_command
async def list_sidecars(engine: Engine, what: tuple[str, ...] = (), as_json: bool = False) -> None:
    """One line a file; those that changed since are marked."""
    found = await engine.library.sidecars.written(await _chosen(engine, what) if what else None)
    if as_json:
        told = [
            {
                "path": str(each.path),
                "kind": each.kind,
                "image_id": each.image_id,
                "sha256": each.sha256,
                "size": each.size,
                "written_at": each.written_at,
                "state": each.state,
            }
            for each in found
        ]
        emit({"sidecars": told})
        return
    if not found:
        say("No sidecars. `proofsheet sidecars write` writes some.")
    for each in found:
        say(f"{each.path}" + ("" if each.state == "written" else f"  ({each.state} since)"))


@sidecars.command("clean", help="Take away exactly what Proofsheet wrote; what was changed since is kept, and told.")
@what_argument
@kind_option
@yes_option
@json_option
@engine_command
async def clean(engine: Engine, what: tuple[str, ...], kinds: str, yes: bool, as_json: bool) -> int:
    """Plan, show, apply when told to."""
    from engine.library.sidecars import checked_kinds

    ids = await _chosen(engine, what) if what else None
    planned = await engine.library.sidecars.plan_cleaning(ids, checked_kinds(_split(kinds)))
    return await _conclude(engine, planned, yes, as_json)


@sidecars.command("read", help="Read what a folder has from before: hashes, embeddings, processed files.")
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
@engine_command
async def read(engine: Engine, folder: Path, as_json: bool) -> int:
    """Recognise, check against the library, and take in what may be taken in. Changes no file."""
    (place,) = read_paths((folder,))
    await study_first(engine)
    found = await engine.library.read_earlier(place)
    if as_json:
        emit({"folder": str(place), "files": [each.document() for each in found]})
    elif not found:
        say(f"Nothing from before in {place}: no sidecar/hashes.parquet, sidecar/embeddings.parquet,")
        say("ai_data/cache/processed_files.jsonl or embeddings/*.npy.")
    else:
        for each in found:
            say(f"{each.path}\n  {each.kind}: {each.rows:,} rows, {each.matched:,} of the library, {each.told}")
            for one in each.refused[:SHOWN]:
                say(f"  {one.where}: {one.reason}")
            if len(each.refused) > SHOWN:
                say(f"  and {len(each.refused) - SHOWN:,} more")
    return SOME_REFUSED if any(each.refused for each in found) else DONE


def _split(kinds: str) -> list[str]:
    return [each.strip().lower() for each in kinds.split(",") if each.strip()]


async def _chosen(engine: Engine, what: tuple[str, ...]) -> list[int]:
    """Ids of the images that paths name (all of them paths) or a query finds; everything when nothing is said."""
    paths = [Path(each).expanduser() for each in what]
    if what and all(path.exists() for path in paths):
        wanted: set[int] = set()
        for path in paths:
            wanted |= {int(each) for each in await engine.library.ids(f'under:"{path.resolve()}"')}
        return sorted(wanted)
    missing = [each for each in what if each.startswith(("/", "./", "../", "~"))]
    if missing:
        raise UsageError(f"there is no file or folder {missing[0]}")
    return [int(each) for each in await engine.library.ids(" ".join(what))]


async def _conclude(engine: Engine, plan: SidecarPlan, yes: bool, as_json: bool) -> int:
    """Show the plan; apply it when told to, else say how."""
    planned = plan.change_set
    preview = engine.changes.preview(planned) if planned else ""
    if planned is not None and yes:
        planned = await engine.changes.apply(planned.id)
    if as_json:
        document: dict[str, Any] = {
            "change_set": planned.id if planned else None,
            "state": planned.state.value if planned else None,
            "files": [str(step.path) for step in planned.operations] if planned else [],
            "unchanged": [str(path) for path in plan.unchanged],
            "skipped": [{"path": str(path), "reason": reason} for path, reason in plan.skipped],
        }
        emit(document)
    else:
        for path, reason in plan.skipped[:SHOWN]:
            say(f"{path} {reason}")
        if len(plan.skipped) > SHOWN:
            say(f"and {len(plan.skipped) - SHOWN:,} more")
        if planned is None:
            say("Nothing to do.")
        else:
            say(preview)
            if yes:
                say(f"Done. Take it back at any time: proofsheet changes rollback {planned.id}")
            else:
                say(f"Planned, nothing is changed yet: proofsheet changes apply {planned.id}")
    return SOME_REFUSED if plan.skipped else DONE
