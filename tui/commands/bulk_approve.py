"""`proofsheet bulk-approve`: approve together the sets whose suggestions can be trusted."""

from __future__ import annotations

import click


@click.group()
def bulk_approve() -> None:
    """Approve together the sets whose suggestions can be trusted."""
