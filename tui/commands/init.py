"""`proofsheet init DIR`: make a workspace."""

from __future__ import annotations

from pathlib import Path

import click

from tui.commands.common import emit, ending, json_option, say


@click.command("init", help="Make a workspace at DIR (or complete one that is there) and say where things lie in it.")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def init(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Make the folders, the settings file and the database."""

    def work() -> int:
        from engine.store import Store
        from engine.workspace import Workspace

        workspace = Workspace.init(folder)
        Store.open(workspace.database_file).close()
        if as_json:
            emit({"workspace": str(workspace.root), "settings": str(workspace.settings_file)})
        else:
            say(f"Workspace {workspace.root}\n  settings   {workspace.settings_file}")
            say(f"Next: proofsheet --workspace {workspace.root} ~/Pictures")
        return 0

    ctx.exit(ending(work))
