"""`proofsheet fix`: propose, prove, apply and take back code fixes."""

from __future__ import annotations

import click


@click.group()
def fix() -> None:
    """Propose, prove, apply and take back code fixes."""
