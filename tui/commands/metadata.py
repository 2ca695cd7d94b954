"""`proofsheet metadata`: show what image files say of themselves."""

from __future__ import annotations

import click


@click.group()
def metadata() -> None:
    """Show what image files say of themselves."""
