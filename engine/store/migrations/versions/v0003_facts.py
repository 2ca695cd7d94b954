"""What the library knows of each image: metadata, quality, hashes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "image_facts",
        sa.Column("image_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("phash", sa.BigInteger(), nullable=False),
        sa.Column("dhash", sa.BigInteger(), nullable=False),
        sa.Column("sharpness", sa.Float(), nullable=False),
        sa.Column("subject_sharpness", sa.Float(), nullable=False),
        sa.Column("brightness", sa.Float(), nullable=False),
        sa.Column("exposure", sa.Float(), nullable=False),
        sa.Column("clipped_low", sa.Float(), nullable=False),
        sa.Column("clipped_high", sa.Float(), nullable=False),
        sa.Column("contrast", sa.Float(), nullable=False),
        sa.Column("noise", sa.Float(), nullable=False),
        sa.Column("colourfulness", sa.Float(), nullable=False),
        sa.Column("information", sa.Float(), nullable=False),
        sa.Column("jpeg_quality", sa.Integer(), nullable=True),
        sa.Column("colours", sa.JSON(), nullable=False),
        sa.Column("flags", sa.JSON(), nullable=False),
        sa.Column("quality", sa.String(), nullable=False),
        sa.Column("quality_reason", sa.String(), nullable=False),
        sa.Column("lighting", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.CheckConstraint("quality in ('excellent', 'good', 'average', 'poor')", name=op.f("ck_image_facts_quality")),
        sa.CheckConstraint(
            "lighting in ('natural', 'artificial', 'challenging')", name=op.f("ck_image_facts_lighting")
        ),
        sa.CheckConstraint("source in ('phone', 'dslr', 'other')", name=op.f("ck_image_facts_source")),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_image_facts_image_id_images")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_image_facts")),
    )
    op.create_table(
        "image_metadata",
        sa.Column("image_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("camera_make", sa.String(), nullable=True),
        sa.Column("camera_model", sa.String(), nullable=True),
        sa.Column("lens", sa.String(), nullable=True),
        sa.Column("exposure_time", sa.Float(), nullable=True),
        sa.Column("f_number", sa.Float(), nullable=True),
        sa.Column("iso", sa.Integer(), nullable=True),
        sa.Column("focal_length", sa.Float(), nullable=True),
        sa.Column("flash", sa.Boolean(name="flash"), nullable=True),
        sa.Column("latitude", sa.Float(), nullable=True),
        sa.Column("longitude", sa.Float(), nullable=True),
        sa.Column("altitude", sa.Float(), nullable=True),
        sa.Column("taken_offset", sa.String(), nullable=True),
        sa.Column("title", sa.String(), nullable=True),
        sa.Column("description", sa.String(), nullable=True),
        sa.Column("keywords", sa.JSON(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_image_metadata_image_id_images")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_image_metadata")),
    )
