"""`proofsheet serve`: answer HTTP on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tui.commands.common import emit, engine_command, json_option, note, say

if TYPE_CHECKING:
    from engine.engine import Engine

HOST, PORT = "127.0.0.1", 8737


@click.command("serve", help="Answer HTTP on this machine: resize sessions, feedback, analytics, retraining.")
@click.option(
    "--host", default=HOST, show_default=True, help="Where to listen; another than loopback is heard by others."
)
@click.option("--port", type=click.IntRange(0, 65535), default=PORT, show_default=True, help="0 takes a free one.")
@click.option(
    "--allow-host", multiple=True, metavar="NAME", help="A name of this server that the Host header may have."
)
@click.option("--new-admin-key", is_flag=True, help="Make the key for retraining, show it once, and end.")
@json_option
@engine_command
async def serve(
    engine: Engine, host: str, port: int, allow_host: tuple[str, ...], new_admin_key: bool, as_json: bool
) -> int | None:
    """Until Ctrl+C; the schedule runs meanwhile. With --json the address is printed as one document."""
    if new_admin_key:
        from engine.http.admin import new_key

        key = new_key(engine.workspace)
        note("This key is shown once; only its hash is kept. An earlier one is no longer valid.")
        emit({"admin_key": key}) if as_json else say(key)
        return None
    from engine.http.guard import is_loopback
    from engine.http.server import serve as answer

    if not is_loopback(host):
        note(f"proofsheet: listening at {host} lets other machines in; there is no encryption and no login")

    def listening(url: str) -> None:
        emit({"url": url, "workspace": str(engine.workspace.root)}) if as_json else say(f"{url}  (Ctrl+C ends)")

    return await answer(engine, host, port, allow_hosts=allow_host, listening=listening)
