"""`proofsheet export`: take picks and embeddings out again. Each export is a change set: shown first, applied with
--yes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from tui.commands.common import emit, engine_command, json_option, say

if TYPE_CHECKING:
    from engine.changes import ChangeSet
    from engine.engine import Engine

yes_option = click.option("--yes", is_flag=True, help="Apply it at once; otherwise it is only planned and shown.")
project_option = click.option("--project", help="Only this project's picks.")


@click.group("export", help="Take picks out: log, list, folder, XMP ratings; or embeddings.")
def export() -> None:
    """One command a form."""


@export.command("selections", help="Write every pick as a selection_only_log.csv.")
@click.argument("file", type=click.Path(path_type=Path))
@project_option
@yes_option
@json_option
@engine_command
async def selections(engine: Engine, file: Path, project: str | None, yes: bool, as_json: bool) -> None:
    """The same form that `import selections` reads."""
    await _conclude(engine, await engine.ranking.export_selections(file, project), yes, as_json)


@export.command("winners", help="Write the winners' paths as a list.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["txt", "json", "csv"]), default="txt", show_default=True)
@project_option
@yes_option
@json_option
@engine_command
async def winners(
    engine: Engine, file: Path, form: Literal["txt", "json", "csv"], project: str | None, yes: bool, as_json: bool
) -> None:
    """One path a line, a JSON list, or CSV."""
    await _conclude(engine, await engine.ranking.export_winners(file, form, project), yes, as_json)


@export.command("folder", help="Copy the winners and their companions into a folder.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--link", is_flag=True, help="Hard links instead of copies (same volume).")
@project_option
@yes_option
@json_option
@engine_command
async def folder(engine: Engine, folder: Path, link: bool, project: str | None, yes: bool, as_json: bool) -> None:
    """DIR/<project>/<name>; nothing is ever overwritten."""
    await _conclude(engine, await engine.ranking.export_folder(folder, link, project), yes, as_json)


@export.command("xmp", help="Rate the winners in their XMP sidecars; all else in them stays as it is.")
@click.option("--rating", type=click.IntRange(-1, 5), default=5, show_default=True)
@click.option("--skip-damaged", is_flag=True, help="Pass over sidecars that cannot be edited without loss.")
@project_option
@yes_option
@json_option
@engine_command
async def xmp(engine: Engine, rating: int, skip_damaged: bool, project: str | None, yes: bool, as_json: bool) -> None:
    """A sidecar that is missing is made beside its image."""
    planned = await engine.ranking.export_xmp(rating, project, skip_damaged=skip_damaged)
    await _conclude(engine, planned, yes, as_json)


@export.command("embeddings", help="Write an encoder's vectors as parquet, or each as {content hash}.npy.")
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--npy", metavar="DIR", type=click.Path(path_type=Path), help="Also (or only) one .npy an image, in DIR.")
@click.option("--encoder", metavar="SPEC", help="Whose vectors (default: the encoder of the settings).")
@click.option("--project", help="Only this project's vectors.")
@yes_option
@json_option
@engine_command
async def embeddings(
    engine: Engine,
    file: Path | None,
    npy: Path | None,
    encoder: str | None,
    project: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Columns image, project, content_hash, embedding: the same form that `import embeddings` reads."""
    places = [None if one is None else one.expanduser().absolute() for one in (file, npy)]
    planned = await engine.vision.export_embeddings(engine.changes, places[0], places[1], encoder, project)
    await _conclude(engine, planned, yes, as_json)


async def _conclude(engine: Engine, planned: ChangeSet, yes: bool, as_json: bool) -> None:
    """Show the plan; apply it when told to, else say how."""
    preview = engine.changes.preview(planned)
    if yes:
        planned = await engine.changes.apply(planned.id)
    if as_json:
        files = [str(step.path) for step in planned.operations]
        emit({"change_set": planned.id, "title": planned.title, "state": planned.state, "files": files})
        return
    say(preview)
    if yes:
        say(f"Done. Take it back at any time: proofsheet changes rollback {planned.id}")
    else:
        say(f"Planned, nothing is changed yet: proofsheet changes apply {planned.id}")
