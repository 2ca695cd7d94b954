"""`proofsheet duplicates`: find the same picture twice; keep one, move the others to the trash folder."""

from __future__ import annotations

import click


@click.group()
def duplicates() -> None:
    """Find the same picture twice; keep one, move the others to the trash folder."""
