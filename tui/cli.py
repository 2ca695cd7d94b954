"""`proofsheet`: every capability without a screen, and the door to the screens.

Relies on click and on nothing else until a command is called: each command lives in a file of its own
under tui.commands and is imported then, so that `--help` and completions come at once. Holds no logic.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import click

# name -> (where it lives, the line that `--help` shows). Only a called command is imported.
COMMANDS: dict[str, tuple[str, str]] = {
    "open": ("tui.commands.open:open_app", "Open the app; with folders, scan them behind the first picture."),
    "demo": ("tui.commands.demo:demo", "Try everything on generated and bundled pictures."),
    "scan": ("tui.commands.scan:scan", "Read folders of images into the library."),
    "inventory": ("tui.commands.inventory:inventory", "Show what is in the library."),
    "projects": ("tui.commands.projects:projects", "Show how far each project has come."),
    "list": ("tui.commands.list_images:list_images", "List images by a query: camera:nikon taken:2024-05 blur:>0.6."),
    "metadata": ("tui.commands.metadata:metadata", "Show what image files say of themselves."),
    "analyze": ("tui.commands.analyze:analyze", "Metadata, content, hashes, streamed to a file."),
    "duplicates": (
        "tui.commands.duplicates:duplicates",
        "Find pictures that are there twice; keep one.",
    ),
    "sidecars": ("tui.commands.sidecars:sidecars", "Write, list and remove sidecar files."),
    "sets": ("tui.commands.sets:sets", "List image sets, or make them from stages, bursts and folders."),
    "import": ("tui.commands.imports:imports", "Bring in a selection log."),
    "embed": ("tui.commands.embed:embed", "Describe images as vectors."),
    "train": ("tui.commands.train:train", "Train the ranker on the verdicts so far."),
    "rank": ("tui.commands.rank:rank", "Rank images by the learned taste."),
    "review": ("tui.commands.review:review", "Decide sets without a screen: the next one, and its verdict."),
    "bulk-approve": (
        "tui.commands.bulk_approve:bulk_approve",
        "Approve together what can be trusted.",
    ),
    "models": ("tui.commands.models:models", "List the ranker's versions; go back to any of them."),
    "export": ("tui.commands.export:export", "Take picks out: log, list, folder, XMP ratings."),
    "variants": ("tui.commands.variants:variants", "Prompt variants: list, add, pause, weigh, analyze."),
    "sessions": ("tui.commands.sessions:sessions", "Resize sessions: import and list."),
    "resize": ("tui.commands.resize:resize", "Fit a canvas to another size."),
    "serve": ("tui.commands.serve:serve", "Answer HTTP on this machine."),
    "schedule": ("tui.commands.schedule:schedule", "What runs by itself, and when."),
    "errors": ("tui.commands.errors:errors", "Read error logs; list what recurs."),
    "fix": ("tui.commands.fix:fix", "Propose, prove, apply and take back code fixes."),
    "changes": ("tui.commands.changes:changes", "List, show, apply and roll back change sets."),
    "runs": ("tui.commands.runs:runs", "List, follow, cancel and resume long work."),
    "monitor": ("tui.commands.monitor:monitor", "Live meters: devices, images a second, errors."),
    "init": ("tui.commands.init:init", "Make a workspace."),
    "config": ("tui.commands.config:config", "Show every setting and where it came from."),
    "doctor": ("tui.commands.doctor:doctor", "Check terminal, device, encoder, database and disk."),
    "completions": ("tui.commands.completions:completions", "Print the completion script of your shell."),
}


class Commands(click.Group):
    """The lazy table of commands; a first word that is a folder or a file opens the app on it."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """In the order a person meets them."""
        return list(COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command's file and return it."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute = COMMANDS[cmd_name][0].split(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """`proofsheet ~/Pictures` means `proofsheet open ~/Pictures`."""
        first = args[0]
        if first not in COMMANDS and (Path(first).expanduser().exists() or "/" in first):
            return "open", self.get_command(ctx, "open"), args
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table's own lines, so that help imports no command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`proofsheet FOLDER` opens the app on a folder. Exit codes: 0 done, 1 failed, 2 usage, "
    "3 done but some inputs refused, 130 interrupted.",
)
@click.option("--workspace", "-w", type=click.Path(path_type=Path), help="The workspace; made on first use.")
@click.option("--images", help="How pictures are drawn: auto, kitty, sixel, half or off.")
@click.option("--theme", help="A theme's name.")
@click.version_option(package_name="proofsheet")
@click.pass_context
def main(ctx: click.Context, /, workspace: Path | None, **flags: Any) -> None:
    """A terminal darkroom that learns your taste."""
    ctx.obj = {"workspace": workspace, "flags": {key: value for key, value in flags.items() if value is not None}}
    if ctx.invoked_subcommand is None:
        command = main.get_command(ctx, "open")
        if command is not None:
            ctx.invoke(command, paths=())


if __name__ == "__main__":
    sys.exit(main())
