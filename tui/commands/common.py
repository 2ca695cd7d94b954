"""What every command shares: one way to open the engine, to print, and to end.

Relies on click. stdout is data (one JSON document with --json, plain lines otherwise), stderr is for
people. A ProofsheetError is printed and becomes its exit code; a traceback never reaches the screen.
"""

from __future__ import annotations

import asyncio
import functools
import json
import sys
import traceback
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from engine.errors import ProofsheetError, UsageError

if TYPE_CHECKING:
    from engine.engine import Engine
    from engine.workspace import Workspace

DONE, FAILED, USAGE, SOME_REFUSED, INTERRUPTED = 0, 1, 2, 3, 130

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.")


def emit(document: object) -> None:
    """One JSON document on stdout."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def say(text: str = "") -> None:
    """A line of the answer, on stdout."""
    click.echo(text)


def note(text: str) -> None:
    """A line for the person, on stderr, so that stdout stays data."""
    click.echo(text, err=True)


async def tell_of_unusable(engine: Engine, project: str | None = None) -> None:
    """A line on stderr when the ranker that was promoted cannot be used: something else suggests in its place."""
    status = await engine.ranking.status(project)
    if status.unusable is not None:
        note(f"proofsheet: {status.unusable} does not suggest: {status.why_not}")
        note("  `proofsheet models rollback` goes back to the one before.")


def workspace_of(ctx: click.Context, create: bool = True) -> Workspace:
    """The workspace that the flags, the environment or the current folder name; made if need be, unless told not to."""
    from engine.workspace import Workspace

    return Workspace.locate((ctx.find_root().obj or {}).get("workspace"), create=create)


def flags_of(ctx: click.Context) -> dict[str, Any]:
    """Settings given as global flags."""
    return dict((ctx.find_root().obj or {}).get("flags", {}))


def ending(work: Callable[[], int | None], log: Callable[[], Path] | None = None) -> int:
    """Call `work` and turn whatever happens into an exit code and, where needed, a line on stderr."""
    try:
        return work() or DONE
    except ProofsheetError as error:
        note(f"proofsheet: {error}")
        return error.exit_code
    except (KeyboardInterrupt, asyncio.CancelledError):
        note("proofsheet: interrupted; nothing that was decided is lost")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away: point stdout elsewhere so that the interpreter's last flush is quiet.
        sys.stdout = None
        return FAILED
    except click.exceptions.ClickException:
        raise
    except Exception as error:  # noqa: BLE001 - the person gets one line; the whole story goes to the log
        where = f"\n  The whole story is in {_keep(log())}" if log else ""
        note(f"proofsheet: unexpected {type(error).__name__}: {error}{where}")
        return FAILED


def engine_command(function: Callable[..., Awaitable[int | None]]) -> Callable[..., None]:
    """Make an async function a command body: it gets the open Engine first and returns its exit code."""

    @click.pass_context
    @functools.wraps(function)
    def body(ctx: click.Context, /, *args: Any, **kwargs: Any) -> None:
        async def call(workspace: Workspace) -> int | None:
            from engine.engine import Engine

            async with Engine.open(workspace, flags=flags_of(ctx)) as engine:
                for one in engine.recoveries:
                    how = "every file is as it was before" if one.is_complete else f"not put back: {one.reason}"
                    note(f"proofsheet: the change set {one.id} ('{one.title}') was cut short by a crash; {how}")
                return await function(engine, *args, **kwargs)

        located: list[Workspace] = []

        def work() -> int | None:
            located.append(workspace_of(ctx))
            return asyncio.run(call(located[0]))

        ctx.exit(ending(work, lambda: located[0].logs if located else Path.home()))

    return body


def list_by_default(ctx: click.Context, listing: click.Command, as_json: bool) -> None:
    """What a group does when it is called alone: its list."""
    if ctx.invoked_subcommand is None:
        ctx.invoke(listing, as_json=as_json)
    elif as_json:
        raise click.UsageError(f"--json comes after the word: {ctx.command_path} {ctx.invoked_subcommand} --json", ctx)


def read_paths(paths: tuple[Path, ...]) -> list[Path]:
    """Absolute paths, each of which exists. Raises UsageError naming the first that does not."""
    for path in paths:
        try:
            is_there = path.expanduser().exists()
        except OSError as error:  # a name that is too long, a folder that is not ours to look into
            raise UsageError(f"{path} cannot be looked up: {error.strerror}") from error
        except RuntimeError as error:  # what pathlib raises for `~somebody` whom the system does not know
            raise UsageError(f"there is no such home folder: {path}") from error
        if not is_there:
            raise UsageError(f"there is no file or folder {path}")
    return [path.expanduser().absolute() for path in paths]


def _keep(folder: Path) -> Path:
    file = folder / "crash.log"
    with file.open("a", encoding="utf-8") as log:
        log.write(traceback.format_exc() + "\n")
    return file
