"""`proofsheet projects`: how far each project has come, and where its manifest says otherwise than the library.

Relies on the library's door. Manifests are read as they are; nothing is ever mended in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tui.commands.common import emit, engine_command, json_option, say

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.library.progress import Progress

_STAGES = ("initial", "reviewed", "selected", "cropped", "final")


@click.command("projects", help="How far each project has come: initial, reviewed, selected, cropped, final.")
@json_option
@engine_command
async def projects(engine: Engine, as_json: bool) -> None:
    """Count and print."""
    found = await engine.library.progress()
    if as_json:
        from engine.library.listing import progress_document

        emit({"projects": [progress_document(one) for one in found]})
        return
    tell_projects(found)


def tell_projects(found: Sequence[Progress]) -> None:
    """A line a project, and below it what its manifest says otherwise."""
    if not found:
        say("No projects yet. `proofsheet scan FOLDER` reads some in.")
        return
    width = max(7, *(len(one.project) for one in found))
    say(f"{'project':<{width}}" + "".join(f"{stage:>10}" for stage in _STAGES) + "  taken")
    for one in found:
        dates = " to ".join(dict.fromkeys(each[:10] for each in (one.first_taken, one.last_taken) if each))
        say(f"{one.project:<{width}}" + "".join(f"{one.stages[stage]:>10,}" for stage in _STAGES) + f"  {dates}")
        if one.problem:
            say(f"  the manifest {one.manifest} cannot be read: {one.problem}")
        for each in one.mismatches:
            say(f"  {each}")
