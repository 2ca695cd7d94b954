"""`proofsheet analyze`: metadata, content and hashes of folders, streamed to a file that a later run goes on with.

Relies on the library's door: it scans, studies what is not known yet, and writes as it goes. Exit code 3 when files
were refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.commands.common import DONE, SOME_REFUSED, emit, engine_command, json_option, note, read_paths, say
from tui.commands.scan import follow

if TYPE_CHECKING:
    from engine.engine import Engine


@click.command(
    "analyze",
    help="""Write everything that is known of the images in folders to one file.

    A name that ends in .jsonl gets a line an image as they come; any other becomes one JSON array, put in place when it
    is complete. A run that was interrupted goes on where it was. Images themselves are only read.
    """,
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", required=True, type=click.Path(path_type=Path), help="The file to write: .json or .jsonl."
)
@click.option("--force", is_flag=True, help="Write over a file that is not an earlier analysis.")
@json_option
@engine_command
async def analyze(engine: Engine, paths: tuple[Path, ...], output: Path, force: bool, as_json: bool) -> int:
    """Scan, analyze, and print the summary."""
    where = read_paths(paths)
    target = output.expanduser().absolute()
    await engine.library.check_output(target, force=force)
    await follow(engine, await engine.library.scan(where), "Scanning")
    summary = await follow(engine, await engine.library.analyze(where, target, force=force), "Analyzing")
    if as_json:
        emit(dict(summary))
    else:
        _tell(summary)
    return SOME_REFUSED if summary["refused"] else DONE


def _tell(summary: Mapping[str, Any]) -> None:
    say(f"{summary['analyzed']:,} images in {summary['output']}")
    say(f"  {summary['seconds']:.1f} s, {summary['images_per_second']:,.1f} images a second")
    if summary["resumed"]:
        say(f"  {summary['resumed']:,} of them were there from an earlier run")
    for name, count in summary["quality"].items():
        if count:
            say(f"  {count:>9,} {name}")
    for code, count in summary["errors"].items():
        say(f"  {count:>9,} refused: {code}")
    for one in summary["refused"]:
        note(f"{one['path']}\n    {one['reason']}")
