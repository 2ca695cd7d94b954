"""`proofsheet models`: list the ranker's versions; go back to any of them."""

from __future__ import annotations

import click


@click.group()
def models() -> None:
    """List the ranker's versions; go back to any of them."""
