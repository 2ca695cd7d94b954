"""`proofsheet list`: the images that a query finds, with what is known of each.

Relies on the library's door. Reads the store; only `--study` opens images, to learn what is not known of them yet.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from engine.errors import UsageError
from tui.commands.common import emit, engine_command, json_option, note, say, workspace_of
from tui.commands.following import study_first

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.library.listing import Details

SORTS = ("name", "project", "taken", "size", "format", "resolution")
_PAGE = 1000


def _complete(ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Fields and this library's own values, for the shell; nothing where there is no library."""
    import asyncio

    from engine.engine import Engine
    from engine.errors import ProofsheetError

    async def ask() -> list[CompletionItem]:
        workspace = workspace_of(ctx, create=False)
        if not workspace.database_file.exists():
            return []
        async with Engine.open(workspace) as engine:
            found = await engine.library.complete(incomplete)
        return [CompletionItem(found.applied(incomplete, number)[0]) for number in range(len(found.candidates))]

    try:
        return asyncio.run(ask())
    except ProofsheetError:
        return []  # a shell has no place for an error; the command itself will tell it


@click.command(
    "list",
    help="""List images by a query.

    \b
    camera:nikon taken:2024-05..2024-07 blur:>0.6 project:mojo1 sunset
    '"several words" -negated rating:>=4 size:10mb.. format:heic or format:png camera:none'

    All terms must hold; words are looked for in path, title, keywords and description. Put the whole query between
    quotes of your shell; one that begins with a dash comes after `--`: proofsheet list -- '-camera:nikon'
    """,
)
@click.argument("query", nargs=-1, shell_complete=_complete)
@click.option("--sort", default="name", show_default=True, help=f"{', '.join(SORTS)}; a - before it descends.")
@click.option("--limit", type=click.IntRange(min=0), help="At most so many.")
@click.option("--project", help="Only this project's images.")
@click.option("--study", is_flag=True, help="Study images first of which nothing but the header is known.")
@json_option
@engine_command
async def list_images(
    engine: Engine,
    query: tuple[str, ...],
    sort: str,
    limit: int | None,
    project: str | None,
    study: bool,
    as_json: bool,
) -> None:
    """Find, then print."""
    asked = " ".join(query)
    if project is not None and project.casefold() not in {one.id.casefold() for one in await engine.library.projects()}:
        raise UsageError(f"there is no project '{project}'", remedy="`proofsheet projects` lists them.")
    if study:
        await study_first(engine, project)
    ids = await engine.library.ids(asked, sort, project)
    shown = ids if limit is None else ids[:limit]
    found: list[Details] = []
    for at in range(0, len(shown), _PAGE):
        page = await engine.library.details([int(each) for each in shown[at : at + _PAGE]])
        if as_json:
            found += page
        else:
            for one in page:
                say(str(one.image.path))
    if as_json:
        emit({"query": asked, "sort": sort, "total": len(ids), "images": [document(one) for one in found]})
    elif not len(ids):
        note("Nothing matches." if asked else "No images yet. `proofsheet scan FOLDER` reads some in.")


def document(one: Details) -> dict[str, Any]:
    """One image as JSON: what the header says, then `metadata` and `facts`, null until it is studied."""
    image = one.image
    return {
        "id": image.id,
        "path": str(image.path),
        "name": image.name,
        "project": image.project,
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "megapixels": round(image.width * image.height / 1e6, 2),
        "size": image.size,
        "orientation": image.orientation,
        "taken_at": image.taken_at,
        "taken_at_source": image.taken_at_source,
        "content_hash": image.content_hash,
        "duplicates": one.duplicates,
        "metadata": dataclasses.asdict(one.metadata) if one.metadata else None,
        "facts": _facts(one),
    }


def _facts(one: Details) -> dict[str, Any] | None:
    if one.facts is None:
        return None
    from engine.library.facts import document as facts_document

    return {**facts_document(one.facts), "blur": round(1.0 - one.facts.sharpness, 4)}
