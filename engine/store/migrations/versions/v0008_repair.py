"""What recurs, the fixes proposed for it, and how they did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "error_groups",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("function", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.String(), nullable=False),
        sa.Column("last_seen", sa.String(), nullable=False),
        sa.Column("seconds_lost", sa.Integer(), nullable=True),
        sa.Column("samples", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_error_groups")),
    )
    op.create_table(
        "error_logs",
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("head", sa.String(), nullable=False),
        sa.Column("read_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_error_logs")),
    )
    op.create_table(
        "error_merges",
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("into_id", sa.String(), nullable=True),
        sa.Column("split_by", sa.String(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.CheckConstraint("(into_id is null) <> (split_by is null)", name=op.f("ck_error_merges_one_of")),
        sa.PrimaryKeyConstraint("group_id", name=op.f("pk_error_merges")),
    )
    op.create_table(
        "fixes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("pattern", sa.String(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("context", sa.String(), nullable=False),
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("root", sa.String(), nullable=False),
        sa.Column("file", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("applicability", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("diff", sa.String(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("edits", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("change_set", sa.String(), nullable=True),
        sa.Column("proof", sa.JSON(), nullable=True),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.CheckConstraint("applicability in ('safe', 'review', 'display-only')", name=op.f("ck_fixes_applicability")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fixes")),
    )
    op.create_index(op.f("ix_fixes_group_id"), "fixes", ["group_id"], unique=False)
    op.create_table(
        "error_counts",
        sa.Column("group_id", sa.String(), nullable=False),
        sa.Column("run", sa.String(), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["error_groups.id"], name=op.f("fk_error_counts_group_id_error_groups")),
        sa.PrimaryKeyConstraint("group_id", "run", "day", name=op.f("pk_error_counts")),
    )
    op.create_index("ix_error_counts_day", "error_counts", ["day"], unique=False)
    op.create_table(
        "fix_outcomes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fix_id", sa.String(), nullable=False),
        sa.Column("pattern", sa.String(), nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("context", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("is_success", sa.Boolean(name="is_success"), nullable=False),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("at", sa.String(), nullable=False),
        sa.CheckConstraint("kind in ('tests', 'kept', 'recurrence')", name=op.f("ck_fix_outcomes_kind")),
        sa.ForeignKeyConstraint(["fix_id"], ["fixes.id"], name=op.f("fk_fix_outcomes_fix_id_fixes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fix_outcomes")),
    )
    op.create_index(op.f("ix_fix_outcomes_fix_id"), "fix_outcomes", ["fix_id"], unique=False)
