"""`proofsheet metadata`: what image files say of themselves. Exit code 3 when files were refused.

Relies on the library's door.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.commands.common import DONE, SOME_REFUSED, emit, engine_command, json_option, note, read_paths, say

if TYPE_CHECKING:
    from engine.engine import Engine


@click.command(
    "metadata",
    help="""Show what image files say of themselves: when, where, which camera, which words.

    Folders are walked. Nothing is invented: what a file does not say is left out (null in JSON). With --json, an array
    of one object a file; files that cannot be read are named on stderr, with the reason.
    """,
)
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--maker-notes", is_flag=True, help="Ask exiftool for lens and ISO where only maker notes have them.")
@json_option
@engine_command
async def metadata(engine: Engine, paths: tuple[Path, ...], maker_notes: bool, as_json: bool) -> int:
    """Read the headers and print them."""
    found, refused = await engine.library.describe(read_paths(paths), maker_notes=maker_notes)
    if as_json:
        emit(found)
    else:
        for one in found:
            _tell(one)
    for refusal in refused:
        note(f"{refusal.path}\n    {refusal.reason} ({refusal.code})")
    return SOME_REFUSED if refused else DONE


def _tell(one: dict[str, Any]) -> None:
    camera, exposure, place = one["camera"], one["exposure"], one["gps"]
    say(one["path"])
    _line("picture", f"{one['format']}, {one['width']} x {one['height']} ({one['megapixels']:.1f} megapixels)")
    _line("taken", f"{one['taken_at']} (by {one['taken_at_source']})")
    _line("camera", " ".join(part for part in (camera["make"], camera["model"]) if part))
    _line("lens", camera["lens"])
    parts = [
        _time(exposure["time"]),
        f"f/{exposure['f']:.3g}" if exposure["f"] else "",
        f"ISO {exposure['iso']}" if exposure["iso"] else "",
        f"{exposure['focal_length']:g} mm" if exposure["focal_length"] else "",
        {True: "flash", False: "no flash", None: ""}[exposure["flash"]],
    ]
    _line("exposure", ", ".join(part for part in parts if part))
    if place:
        height = f", {place['alt']:.0f} m" if place["alt"] is not None else ""
        _line("place", f"{place['lat']:.6f}, {place['lon']:.6f}{height}")
    _line("title", one["title"])
    _line("text", one["description"])
    _line("keywords", ", ".join(one["keywords"]))
    _line("people", ", ".join(one["people"]))
    _line("rating", "" if one["rating"] is None else str(one["rating"]))
    say()


def _line(name: str, value: str | None) -> None:
    if value:
        say(f"  {name:<9} {value}")


def _time(seconds: float | None) -> str:
    if not seconds:
        return ""
    return f"1/{1 / seconds:.0f} s" if seconds < 0.4 else f"{seconds:g} s"
