"""`proofsheet config`: every setting, its value, and where that came from."""

from __future__ import annotations

import re

import click

from tui.commands.common import emit, ending, flags_of, json_option, say, workspace_of


@click.command("config", help="Show each setting with its value and where it came from.")
@json_option
@click.pass_context
def config(ctx: click.Context, as_json: bool) -> None:
    """Load the layers and print them."""

    def work() -> int:
        from engine.settings import Settings, load

        workspace = workspace_of(ctx)
        loaded = load(workspace, flags=flags_of(ctx))
        rows = [
            {
                "key": key,
                "value": _shown(key, getattr(loaded.values, key)),
                "layer": loaded.origins[key].layer,
                "origin": loaded.origins[key].place,
                "meaning": field.description,
            }
            for key, field in Settings.model_fields.items()
        ]
        if as_json:
            emit({"workspace": str(workspace.root), "settings": rows})
            return 0
        say(f"workspace {workspace.root}\n")
        wide = max(len(str(row["key"])) for row in rows)
        for row in rows:
            shown = "-" if row["value"] in (None, {}) else str(row["value"])
            say(f"{row['key']:<{wide}}  {shown:<12}  {row['origin']:<10}  {row['meaning']}")
        return 0

    ctx.exit(ending(work))


def _shown(key: str, value: object) -> object:
    """A setting's value without its secrets."""
    if key == "database_url" and isinstance(value, str):
        return re.sub(r"(://[^:/@]*):[^@]*@", r"\1:***@", value)
    return value
