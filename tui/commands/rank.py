"""`proofsheet rank`: order images by the learned taste, for people and for scripts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from engine.errors import UsageError
from tui.commands.common import (
    DONE,
    SOME_REFUSED,
    emit,
    engine_command,
    json_option,
    note,
    read_paths,
    say,
    tell_of_unusable,
)

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.ranking import RankedSet


@click.command("rank", help="Rank images as one set, or with --sets each line of a file as one.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--sets",
    "sets_file",
    type=click.Path(path_type=Path),
    help="JSON Lines: on each line a JSON list of paths (relative ones from the current folder).",
)
@json_option
@engine_command
async def rank(engine: Engine, paths: tuple[Path, ...], sets_file: Path | None, as_json: bool) -> int:
    """The images need not be in the library. Without a promoted ranker: the sharpest first, and no confidence."""
    if bool(paths) == (sets_file is not None):
        raise UsageError("name images, or a file with --sets", remedy="proofsheet rank A.jpg B.jpg")
    await tell_of_unusable(engine)
    if sets_file is None:
        wanted = [Path(os.path.abspath(path)) for path in paths]  # noqa: PTH100 - a name with .. need not exist
        if not any(_is_there(path) for path in wanted):
            read_paths(paths)  # says which of them is not there
        found = await engine.ranking.rank(wanted)
        if as_json:
            emit(found.document())
        else:
            _print(found)
        return SOME_REFUSED if found.refused else DONE
    sets, refused = await engine.ranking.rank_sets(sets_file.expanduser().absolute())
    if as_json:
        lines = [{"line": row.line, "reason": row.reason} for row in refused]
        emit({"sets": [one.document() for one in sets], **({"refused": lines} if lines else {})})
    else:
        for one in sets:
            say(f"line {one.line}")
            _print(one)
        for row in refused:
            note(f"line {row.line}: {row.reason}")
    return SOME_REFUSED if refused or any(one.refused for one in sets) else DONE


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _print(found: RankedSet) -> None:
    sure = f", confidence {found.confidence:.0%}" if found.confidence is not None else ", no confidence is claimed"
    say(f"by {found.model}{sure}")
    for place, image in enumerate(found.ranking, start=1):
        chance = f"{image.probability:>4.0%}" if image.probability is not None else f"{image.score:>7.2f}"
        say(f"  {'>' if place == 1 else ' '} {place:>3}  {chance}  {image.path}")
    if found.because:
        say(f"  because: {', '.join(found.because)}")
    for path, reason in found.refused:
        note(f"  passed over: {path}: {reason}")
