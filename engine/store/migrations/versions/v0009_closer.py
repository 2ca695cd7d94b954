"""A closer look at images that look alike; what was compared without it is compared anew."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns, and have every likeness looked for again."""
    op.add_column("image_links", sa.Column("look", sa.String(), nullable=False, server_default="prints"))
    for name in ("outside", "common", "off", "surely", "off_tenth", "surely_tenth"):
        op.add_column("image_links", sa.Column(name, sa.Float(), nullable=True))
    op.execute("delete from image_links")
    op.execute("update image_prints set searched = null")
