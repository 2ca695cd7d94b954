"""`proofsheet resize`: fit a canvas to another size."""

from __future__ import annotations

import click


@click.group()
def resize() -> None:
    """Fit a canvas to another size."""
