"""`proofsheet doctor`: what this terminal and this machine can do, each with the remedy if it is not right."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from tui.commands.common import emit, ending, flags_of, json_option, say, workspace_of


@click.command("doctor", help="Check terminal, images, round trip, Python, device, encoder, database and disk.")
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Look at the terminal first, because loading torch would make it wait."""

    def work() -> int:
        from engine.doctor import Finding, examine
        from engine.errors import ProofsheetError
        from engine.settings import Settings, load
        from tui.terminal import findings, probe

        workspace = workspace_of(ctx, create=False)  # a check only reads
        terminal = findings(probe(linger=1.5))
        wrong: list[Finding] = []
        try:
            settings = load(workspace, flags=flags_of(ctx)).values
        except ProofsheetError as error:
            settings = Settings.model_validate({})
            wrong = [Finding("settings", error.message, False, error.remedy)]
        machine = [*wrong, *examine(workspace, settings)]
        found = [*terminal, *machine]
        # A terminal without pictures is no failure: half-blocks will do. What the work itself needs is one.
        is_right = all(finding.is_right for finding in machine)
        if as_json:
            emit({"is_right": is_right, "findings": [dataclasses.asdict(finding) for finding in found]})
        else:
            wide = max(len(finding.name) for finding in found)
            for finding in found:
                say(f"{'✓' if finding.is_right else '✗'} {finding.name:<{wide}}  {finding.value}")
                if not finding.is_right:
                    say(f"  {'':<{wide}}  → {finding.remedy}")
        return 0 if is_right else 1

    ctx.exit(ending(work, Path.home))
