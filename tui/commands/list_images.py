"""`proofsheet list`: list images by a query: camera:nikon taken:2024-05 blur:>0.6."""

from __future__ import annotations

import click


@click.group()
def list_images() -> None:
    """List images by a query: camera:nikon taken:2024-05 blur:>0.6."""
