"""`proofsheet sidecars`: write, list and remove sidecar files."""

from __future__ import annotations

import click


@click.group()
def sidecars() -> None:
    """Write, list and remove sidecar files."""
