"""`proofsheet sessions`: resize sessions: import and list."""

from __future__ import annotations

import click


@click.group()
def sessions() -> None:
    """Resize sessions: import and list."""
