"""`proofsheet` and `proofsheet FOLDER...`: open the app."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

import click

from engine.errors import UsageError
from tui.commands.common import ending, flags_of, read_paths, workspace_of


@click.command("open", help="Open the app. With folders, the first set shows while the scan goes on behind it.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--screen",
    type=click.Choice(["ranking", "inventory", "training", "duplicates", "variants", "fixes"]),
    help="The screen to begin with.",
)
@click.pass_context
def open_app(ctx: click.Context, paths: tuple[Path, ...], screen: str | None = None) -> None:
    """Hand over to the screens."""

    def work() -> int | None:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UsageError(
                "the app needs a terminal, and there is none here",
                remedy="Use a command instead, for example: proofsheet scan FOLDER --json",
            )
        folders = read_paths(paths)
        # Nothing made while starting is ever garbage: looking for some would cost a tenth of the start. The app
        # switches it on again once it is up.
        gc.disable()
        from tui.running import run_app

        return run_app(workspace_of(ctx), paths=folders, screen=screen, flags=flags_of(ctx))

    ctx.exit(ending(work, lambda: workspace_of(ctx).logs))
