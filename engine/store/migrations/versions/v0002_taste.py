"""What the taste keeps: repeats for self-consistency."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "repeats",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("set_pk", sa.Integer(), nullable=False),
        sa.Column("original_id", sa.Integer(), nullable=False),
        sa.Column("decision_id", sa.Integer(), nullable=True),
        sa.Column("asked_at", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["decision_id"], ["decisions.id"], name=op.f("fk_repeats_decision_id_decisions")),
        sa.ForeignKeyConstraint(["original_id"], ["decisions.id"], name=op.f("fk_repeats_original_id_decisions")),
        sa.ForeignKeyConstraint(["set_pk"], ["sets.id"], name=op.f("fk_repeats_set_pk_sets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_repeats")),
        sa.UniqueConstraint("decision_id", name=op.f("uq_repeats_decision_id")),
        sa.UniqueConstraint("original_id", name=op.f("uq_repeats_original_id")),
    )
    op.create_index(op.f("ix_repeats_set_pk"), "repeats", ["set_pk"], unique=False)
    op.create_index("ix_repeats_actor", "repeats", ["actor"], unique=False)
