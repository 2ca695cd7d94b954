"""`proofsheet serve`: answer HTTP on this machine."""

from __future__ import annotations

import click


@click.group()
def serve() -> None:
    """Answer HTTP on this machine."""
