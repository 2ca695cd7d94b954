"""`proofsheet variants`: prompt variants: list, add, pause, weigh, analyze."""

from __future__ import annotations

import click


@click.group()
def variants() -> None:
    """Prompt variants: list, add, pause, weigh, analyze."""
