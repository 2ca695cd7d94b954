"""`proofsheet embed PATH...`: give images their vectors, and say how fast."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.common import SOME_REFUSED, emit, engine_command, json_option, note, read_paths, say

if TYPE_CHECKING:
    from engine.engine import Engine


@click.command("embed")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--encoder", metavar="SPEC", help="builtin, auto, or open_clip:ARCH/WEIGHTS (tag, file, local-dir:FOLDER)."
)
@click.option("--device", type=click.Choice(["cpu", "cuda", "mps"]), help="Where to compute (default: a GPU if any).")
@click.option("--max-images", type=click.IntRange(min=1), help="Stop after so many images.")
@click.option("--force", is_flag=True, help="Compute vectors again that are there already.")
@json_option
@engine_command
async def embed(
    engine: Engine,
    paths: tuple[Path, ...],
    encoder: str | None,
    device: str | None,
    max_images: int | None,
    force: bool,
    as_json: bool,
) -> int | None:
    """Describe the images under PATH... as vectors (without a PATH: every image of the library).

    Folders are scanned first. What has a vector already is left alone; an interrupted run goes on where it was.
    """
    roots = read_paths(paths)
    await engine.vision.check(encoder, device)  # before a long scan, and with its own exit code
    chosen = await asyncio.to_thread(engine.vision.encoder_note, encoder)
    if chosen.remedy:
        note(f"encoder {chosen.id} ({chosen.reason}). {chosen.remedy}")
    refused: list[dict[str, str]] = []
    if roots:
        scanned = (await engine.runs.finished((await engine.library.scan(roots)).id)).result or {}
        refused = list(scanned.get("refused", ()))
    run = await engine.vision.embed(under=roots, force=force, max_images=max_images, encoder=encoder, device=device)
    try:
        result = dict((await engine.runs.finished(run.id)).result or {})
    except asyncio.CancelledError:
        await engine.runs.cancel(run.id)
        raise
    result["refused"] = refused + list(result.get("refused", ()))
    if as_json:
        emit(result)
    else:
        say(
            f"{result['embedded']:,} embedded, {result['cached']:,} already there "
            f"({result['encoder']}, {result['dim']} numbers, {result['images_per_second']:g} images/s)"
        )
        for one in result["refused"]:
            note(f"refused {one['path']}: {one['reason']}")
    return SOME_REFUSED if result["refused"] else None
