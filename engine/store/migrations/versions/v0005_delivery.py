"""Sidecars written, and the indexes of the inventory's figures."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the ledger and the indexes."""
    op.create_table(
        "sidecars",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("change_set", sa.String(), nullable=False),
        sa.Column("planned_at", sa.String(), nullable=False),
        sa.Column("written_at", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_sidecars_image_id_images")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sidecars")),
        sa.UniqueConstraint("path", "change_set", name=op.f("uq_sidecars_path_change_set")),
    )
    op.create_index(op.f("ix_sidecars_image_id"), "sidecars", ["image_id"])
    op.create_index("ix_image_facts_kinds", "image_facts", ["quality", "lighting", "source"])
    op.create_index("ix_image_facts_sharpness", "image_facts", ["sharpness"])
    op.create_index("ix_image_metadata_camera", "image_metadata", ["camera_make", "camera_model"])
    op.create_index("ix_image_metadata_lens", "image_metadata", ["lens"])
