"""Prints of images, and which of them are alike."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "image_prints",
        sa.Column("image_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("phash", sa.BigInteger(), nullable=False),
        sa.Column("turned", sa.JSON(), nullable=False),
        sa.Column("contrast", sa.Float(), nullable=False),
        sa.Column("luma", sa.LargeBinary(), nullable=False),
        sa.Column("searched", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_image_prints_image_id_images")),
        sa.PrimaryKeyConstraint("image_id", name=op.f("pk_image_prints")),
    )
    op.create_table(
        "image_links",
        sa.Column("first_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("second_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("distance", sa.Integer(), nullable=False),
        sa.Column("phash", sa.Integer(), nullable=False),
        sa.Column("dhash", sa.Integer(), nullable=False),
        sa.Column("correlation", sa.Float(), nullable=False),
        sa.Column("worst", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["first_id"], ["images.id"], name=op.f("fk_image_links_first_id_images")),
        sa.ForeignKeyConstraint(["second_id"], ["images.id"], name=op.f("fk_image_links_second_id_images")),
        sa.PrimaryKeyConstraint("first_id", "second_id", name=op.f("pk_image_links")),
    )
    op.create_index(op.f("ix_image_links_second_id"), "image_links", ["second_id"])
    op.create_table(
        "image_groups",
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("image_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["image_id"], ["images.id"], name=op.f("fk_image_groups_image_id_images")),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_image_groups_project_id_projects")),
        sa.PrimaryKeyConstraint("group_id", "image_id", name=op.f("pk_image_groups")),
    )
    op.create_index(op.f("ix_image_groups_image_id"), "image_groups", ["image_id"])
    op.create_index(op.f("ix_image_groups_project_id"), "image_groups", ["project_id"])
    op.create_table(
        "grouped_projects",
        sa.Column("project_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("distance", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_grouped_projects_project_id_projects")),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_grouped_projects")),
    )
