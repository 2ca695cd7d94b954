"""`proofsheet inventory`: how many images there are, of which kinds, in which projects, and what was refused.

Relies on the library's door. Reads the store only; no image is opened.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tui.commands.common import emit, engine_command, json_option, say

if TYPE_CHECKING:
    from engine.engine import Engine

BAR = 24
# Longer distributions are summed up in one last line.
ROWS = 20
_EVERYTHING = 1_000_000_000


@click.command("inventory", help="Show what is in the library: formats, resolutions, projects, refused files.")
@click.option("--refused", "only_refused", is_flag=True, help="List every refused file with its reason.")
@json_option
@engine_command
async def inventory(engine: Engine, only_refused: bool, as_json: bool) -> None:
    """Count and print."""
    found = await engine.library.inventory()
    if as_json or only_refused:
        refused = await engine.library.refused(limit=_EVERYTHING)
    if as_json:
        emit(
            {
                "images": found.counts.images,
                "bytes": found.bytes,
                "formats": dict(found.formats),
                "resolutions": dict(found.resolutions),
                "projects": dict(found.projects),
                "refused": [{"path": one.path, "code": one.code, "reason": one.reason} for one in refused],
            }
        )
        return
    if only_refused:
        for one in refused:
            say(f"{one.path}\n    {one.code}: {one.reason}")
        return
    if not found.counts.images and not found.counts.refused:
        say("No images yet. `proofsheet scan FOLDER` reads some in.")
        return
    say(f"{found.counts.images:,} images ({_size(found.bytes)}), {found.counts.refused:,} refused")
    _distribution("Projects", found.projects)
    _distribution("Formats", found.formats)
    _distribution("Resolutions", found.resolutions)
    _distribution("Refused", found.refused)
    if found.counts.refused:
        say("\n`proofsheet inventory --refused` lists the refused files with their reasons.")


def _distribution(title: str, rows: Sequence[tuple[str, int]]) -> None:
    if not rows:
        return
    say(f"\n{title}")
    most = max(count for _, count in rows)
    width = max(len(label) for label, _ in rows[:ROWS])
    for label, count in rows[:ROWS]:
        say(f"  {label:<{width}} {count:>9,}  {'█' * max(1, round(BAR * count / most))}")
    if len(rows) > ROWS:
        rest = sum(count for _, count in rows[ROWS:])
        say(f"  {f'and {len(rows) - ROWS:,} more':<{width}} {rest:>9,}")


def _size(count: float) -> str:
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1000
    return f"{count:,.1f} TB"
