"""`proofsheet inventory`: how many images there are, of which kinds, what is missing, and what was refused.

Relies on the library's door. Studies first what is not known yet (`--no-study` leaves that out); changes no file.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import ProofsheetError, UsageError
from tui.commands.common import emit, engine_command, json_option, note, read_paths, say
from tui.commands.following import follow, study_first
from tui.commands.projects import tell_projects

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.library.distribution import Distribution, Mix
    from engine.library.model import Inventory, Refusal

BAR = 24
# Longer distributions are summed up in one last line.
ROWS = 20
_EVERYTHING = 1_000_000_000
_TITLES = {
    "format": "Format, as recommended",
    "resolution": "Resolution",
    "quality": "Quality",
    "lighting": "Lighting",
    "source": "Source",
    "date": "Dates",
    "camera": "Cameras",
}


@click.command(
    "inventory",
    help="""Show what is in the library, against the recommended mix: formats, resolutions, quality, lighting, sources,
    projects, dates, gaps, diversity, refused files.

    What is recommended stands in recommended_distribution.json; a copy in the workspace, changed as you like, counts
    instead.
    """,
)
@click.option("--refused", "only_refused", is_flag=True, help="List every refused file with its reason.")
@click.option("--source", type=click.Path(path_type=Path), help="Only images in this folder; it is scanned first.")
@click.option("--filter", "query", default="", metavar="QUERY", help="Only images that a query finds; see `list`.")
@click.option("--project", help="Only this project's images.")
@click.option("--projects", "only_projects", is_flag=True, help="Show how far each project has come.")
@click.option("--no-study", is_flag=True, help="Leave images that were not studied yet unstudied.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write the JSON document to a new file.")
@json_option
@engine_command
async def inventory(
    engine: Engine,
    only_refused: bool,
    source: Path | None,
    query: str,
    project: str | None,
    only_projects: bool,
    no_study: bool,
    output: Path | None,
    as_json: bool,
) -> None:
    """Count and print."""
    if output is not None:
        _check(output)
    folder = None
    if source is not None:
        (folder,) = (path.resolve() for path in read_paths((source,)))
        await follow(engine, await engine.library.scan([folder]), "Scanning")
        query = f'{query} under:"{folder}"'.strip()
    if project is not None:
        await _check_project(engine, project)
    if only_refused and not as_json and output is None:
        await _tell_refused(engine, folder)
        return
    if not no_study:
        await study_first(engine, project)
    if only_projects and not as_json and output is None:
        tell_projects(await engine.library.progress())
        return
    whole = await engine.library.inventory(query, project)
    found = await engine.library.mix(query, project, with_coverage=True)
    if as_json or output is not None:
        refused = await _refused(engine, folder)
        document = await _document(engine, whole, found, refused, query)
        if output is not None:
            _write(output, document)
            note(f"Written to {output}")
        if as_json:
            emit(document)
        return
    by_code = None if folder is None else _by_code(await _refused(engine, folder))
    _tell(whole, found, by_code, is_part=bool(query or project))


def _check(output: Path) -> None:
    """Before anything is read: whether the document can be written there."""
    if output.exists():
        raise UsageError(f"{output} is there already", remedy="Name a new file; nothing is ever overwritten.")
    if not output.absolute().parent.is_dir():
        raise UsageError(f"there is no folder {output.parent}", remedy="Make it first, or name another file.")


async def _check_project(engine: Engine, name: str) -> None:
    known = [one.id for one in await engine.library.projects()]
    if name.casefold() not in {one.casefold() for one in known}:
        raise UsageError(f"there is no project '{name}'", remedy="`proofsheet projects` lists them.")


async def _refused(engine: Engine, folder: Path | None) -> list[Refusal]:
    """Every refused file, or those in a folder."""
    every = await engine.library.refused(limit=_EVERYTHING)
    return every if folder is None else [one for one in every if Path(one.path).is_relative_to(folder)]


def _by_code(refused: Sequence[Refusal]) -> tuple[tuple[str, int], ...]:
    return tuple(Counter(one.code for one in refused).most_common())


async def _tell_refused(engine: Engine, folder: Path | None) -> None:
    refused = await _refused(engine, folder)
    for one in refused:
        say(f"{one.path}\n    {one.code}: {one.reason}")
    if not refused:
        note("Every file could be read.")


async def _document(
    engine: Engine, whole: Inventory, found: Mix, refused: Sequence[Refusal], query: str
) -> dict[str, Any]:
    from engine.library.listing import mix_document, progress_document

    return {
        "images": whole.counts.images,
        "bytes": whole.bytes,
        "formats": dict(whole.formats),
        "resolutions": dict(whole.resolutions),
        "projects": dict(whole.projects),
        "refused": [{"path": one.path, "code": one.code, "reason": one.reason} for one in refused],
        "query": query,
        **mix_document(found),
        "refused_by_code": dict(_by_code(refused)),
        "progress": [progress_document(one) for one in await engine.library.progress()],
    }


def _write(file: Path, document: dict[str, Any]) -> None:
    try:
        with file.open("x", encoding="utf-8") as out:
            out.write(json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n")
    except OSError as error:
        raise ProofsheetError(f"{file} cannot be written: {error.strerror}") from error


def _tell(whole: Inventory, found: Mix, refused: Sequence[tuple[str, int]] | None, *, is_part: bool) -> None:
    """`refused` by code, where they are not those of the whole library."""
    by_code = whole.refused if refused is None else refused
    count = sum(held for _, held in by_code)
    if not found.images and not count:
        say("Nothing matches." if is_part else "No images yet. `proofsheet scan FOLDER` reads some in.")
        return
    say(f"{found.images:,} images ({_size(whole.bytes)}), {count:,} refused")
    if found.images > found.studied:
        say(f"{found.images - found.studied:,} of them not studied yet: format, resolution and date only")
    _distribution("Projects", whole.projects)
    _distribution("Formats", whole.formats)
    for axis, title in _TITLES.items():
        _shares(title, found.distributions[axis])
    _distribution("Refused", by_code)
    if found.gap_list:
        say("\nGaps: to reach the recommended mix, each axis by itself, add about")
        for axis, _, label, count in found.gap_list:
            say(f"  {count:>9,} {label}  ({axis})")
    _diversity(found)
    if count:
        say("\n`proofsheet inventory --refused` lists the refused files with their reasons.")


def _diversity(found: Mix) -> None:
    even = [(name, each.evenness) for name, each in found.distributions.items() if each.evenness is not None]
    if not even:
        return
    say("\nDiversity, from 0 (all alike) to 1 (evenly spread)")
    for name, value in even:
        say(f"  {name:<12} {value:.2f}")
    if found.near_duplicates is not None:
        say(f"  {found.near_duplicates:.1%} have a near duplicate in their project")
    for project, each in found.coverage.items():
        say(f"  {project}: vectors vary in about {each.effective_rank:.0f} of {each.dimension} directions")


def _shares(title: str, found: Distribution) -> None:
    if not found.known:
        return
    say(f"\n{title}")
    shown = [share for share in found.shares if share.images or share.wanted][:ROWS]
    width = max(len(share.label) for share in shown)
    for share in shown:
        part = share.images / found.known
        wanted = f"  want {share.wanted:.0%}" if share.wanted is not None else ""
        drawn = "█" * round(BAR * part)
        say(f"  {share.label:<{width}} {share.images:>9,} {part:>4.0%}  {drawn:<{BAR}}{wanted}".rstrip())
    if len(found.shares) > ROWS:
        say(f"  and {len(found.shares) - ROWS:,} more")
    if found.unknown:
        say(f"  {'not known':<{width}} {found.unknown:>9,}")


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
