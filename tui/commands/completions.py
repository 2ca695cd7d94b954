"""`proofsheet completions SHELL`: the script that teaches a shell our commands."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from tui.commands.common import say


@click.command("completions", help='Print the completion script: eval "$(proofsheet completions bash)".')
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completions(ctx: click.Context, shell: str) -> None:
    """Click's own script for that shell."""
    maker = get_completion_class(shell)
    if maker is None:
        raise click.UsageError(f"no completions for {shell}")
    say(maker(ctx.find_root().command, {}, "proofsheet", "_PROOFSHEET_COMPLETE").source())
