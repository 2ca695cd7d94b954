"""`proofsheet analyze`: metadata, content and hashes of a folder, streamed to a file."""

from __future__ import annotations

import click


@click.group()
def analyze() -> None:
    """Metadata, content and hashes of a folder, streamed to a file."""
