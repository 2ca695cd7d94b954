"""`proofsheet resize`: fit a canvas to another size."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import ProofsheetError, UsageError
from tui.commands.common import emit, engine_command, json_option, note, say

if TYPE_CHECKING:
    from engine.engine import Engine


@click.command("resize", help="Fit a canvas (Fabric.js JSON, - for stdin) to another size.")
@click.argument("canvas_file", metavar="CANVAS.json", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--to", "size", required=True, metavar="WIDTHxHEIGHT", help="The size that is wanted, pixels.")
@click.option("--user", help="Whose resize it is; a user keeps the same prompt variant (default: you).")
@click.option("--project", help="The project that the session is recorded for.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write the resized canvas to this file.")
@json_option
@engine_command
async def resize(
    engine: Engine,
    canvas_file: Path,
    size: str,
    user: str | None,
    project: str | None,
    output: Path | None,
    as_json: bool,
) -> None:
    """By the configured endpoint with the user's prompt variant, else by the built-in solver; recorded either way."""
    import json

    from engine.experiments import canvas as canvases
    from engine.experiments.resizing import resize as carry_out

    target = canvases.size(size)
    before = canvases.parse_text(_read(canvas_file))
    if output is not None and not output.expanduser().absolute().parent.is_dir():
        raise UsageError(f"there is no folder {output.expanduser().absolute().parent}")
    settings = engine.settings
    done = await carry_out(
        engine.experiments,
        before,
        target,
        user if user is not None else settings.actor,
        model=settings.resize_model,
        patience=settings.resize_timeout,
        project=project,
    )
    if done.message:
        note(f"laid out by the built-in solver ({done.method}): {done.message}")
    for one in done.notes:
        note(one)
    if output is not None:
        text = json.dumps(done.canvas.document(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"
        try:
            output.expanduser().write_text(text, encoding="utf-8")
        except OSError as error:
            raise ProofsheetError(f"{output} cannot be written: {error.strerror}") from error
    if as_json:
        emit(done.document())
    elif output is not None:
        say(f"{output}  {target[0]}x{target[1]}  by {done.variant if done.solver == 'endpoint' else 'the solver'}")
    else:
        emit(done.canvas.document())


def _read(file: Path) -> bytes:
    from engine.experiments.canvas import MAX_BYTES

    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(MAX_BYTES + 1)
        with file.expanduser().open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise UsageError(f"there is no file {file}") from error
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {error.strerror}") from error
