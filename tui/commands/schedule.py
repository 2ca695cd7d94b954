"""`proofsheet schedule`: what runs by itself, and when."""

from __future__ import annotations

import click


@click.group()
def schedule() -> None:
    """What runs by itself, and when."""
