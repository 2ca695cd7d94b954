"""`proofsheet sets`: the image sets to choose winners from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tui.commands.common import emit, engine_command, json_option, list_by_default, say

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.ranking import ImageSet

SOURCES = ("stages", "bursts", "folder")


@click.group("sets", invoke_without_command=True, help="List image sets, or make them from stages, bursts and folders.")
@json_option
@click.pass_context
def sets(ctx: click.Context, /, as_json: bool) -> None:
    """Without a word more: the list."""
    list_by_default(ctx, list_sets, as_json)


@sets.command("list", help="The sets still to decide, in review order.")
@click.option("--project", help="Only this project's.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1_000_000))
@json_option
@engine_command
async def list_sets(engine: Engine, project: str | None = None, limit: int = 20, as_json: bool = False) -> None:
    """One line a set; the JSON names every image."""
    counts = await engine.ranking.total(project)
    ids = await engine.ranking.queue(project)
    found = await engine.ranking.image_sets(ids[:limit])
    if as_json:
        counted = {"total": counts.total, "decided": counts.decided, "remaining": counts.remaining}
        emit({**counted, "sets": [_document(one) for one in found]})
        return
    say(f"{counts.total:,} sets, {counts.decided:,} decided, {counts.remaining:,} to go")
    for one in found:
        say(f"  {one.id:>7}  {one.project:<16} {one.source:<7} {len(one.members):>3} images  {one.title}")
    if len(ids) > limit:
        say(f"  and {len(ids) - limit:,} more (--limit)")
    if not counts.total:
        say("`proofsheet scan FOLDER` makes some.")


@sets.command("build", help="Bring the generated sets up to date with the library.")
@click.option(
    "--source",
    "sources",
    multiple=True,
    type=click.Choice(SOURCES),
    help="Only sets of this kind (may be repeated; default: all). Decided sets stay, whatever their kind.",
)
@json_option
@engine_command
async def build(engine: Engine, sources: tuple[str, ...], as_json: bool) -> None:
    """Idempotent: a second call makes nothing new."""
    made = await engine.ranking.build_sets(None, sources or SOURCES)
    counts = await engine.ranking.total()
    if as_json:
        emit({"new": made, "total": counts.total, "decided": counts.decided, "remaining": counts.remaining})
    else:
        say(f"{made:,} new sets; {counts.total:,} in all, {counts.remaining:,} to decide")


def _document(one: ImageSet) -> dict[str, Any]:
    return {
        "id": one.id,
        "project": one.project,
        "session_id": one.session_id,
        "set_id": one.set_id,
        "source": one.source,
        "title": one.title,
        "taken_at": one.taken_at,
        "images": [{"id": m.image.id, "path": str(m.image.path), "label": m.label} for m in one.members],
    }
