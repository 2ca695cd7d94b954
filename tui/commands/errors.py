"""`proofsheet errors`: read error logs; list what recurs."""

from __future__ import annotations

import click


@click.group()
def errors() -> None:
    """Read error logs; list what recurs."""
