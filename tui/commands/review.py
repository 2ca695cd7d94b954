"""`proofsheet review`: decide sets without a screen: the next one, and its verdict."""

from __future__ import annotations

import click


@click.group()
def review() -> None:
    """Decide sets without a screen: the next one, and its verdict."""
