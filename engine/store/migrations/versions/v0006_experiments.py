"""Variants, assignments, sessions and feedback."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "variants",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("content_hash", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("template", sa.String(), nullable=False),
        sa.Column("placeholders", sa.JSON(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("parent_pk", sa.Integer(), nullable=True),
        sa.Column("is_active", sa.Boolean(name="is_active"), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_variants"),
        sa.UniqueConstraint("id", name="uq_variants_id"),
        sa.UniqueConstraint("content_hash", name="uq_variants_content_hash"),
        sa.ForeignKeyConstraint(["parent_pk"], ["variants.pk"], name="fk_variants_parent_pk_variants"),
        sa.CheckConstraint("source in ('shipped', 'file', 'draft')", name=op.f("ck_variants_source")),
    )
    op.create_table(
        "variant_events",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("variant_pk", sa.Integer(), nullable=True),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_variant_events"),
        sa.ForeignKeyConstraint(["variant_pk"], ["variants.pk"], name="fk_variant_events_variant_pk_variants"),
        sa.CheckConstraint(
            "action in ('added', 'paused', 'resumed', 'weights')", name=op.f("ck_variant_events_action")
        ),
    )
    op.create_table(
        "allocations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("epoch_id", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("draws", sa.Integer(), nullable=False),
        sa.Column("floor", sa.Float(), nullable=False),
        sa.Column("inputs", sa.JSON(), nullable=False),
        sa.Column("weights", sa.JSON(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("data_until", sa.String(), nullable=False),
        sa.Column("computed_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_allocations"),
    )
    op.create_table(
        "epochs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.String(), nullable=False),
        sa.Column("arms", sa.JSON(), nullable=False),
        sa.Column("coverage", sa.Float(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("hash_version", sa.Integer(), nullable=False),
        sa.Column("bucket_version", sa.Integer(), nullable=False),
        sa.Column("metric", sa.String(), nullable=False),
        sa.Column("is_adaptive", sa.Boolean(name="is_adaptive"), nullable=False),
        sa.Column("allocation_id", sa.Integer(), nullable=True),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_epochs"),
        sa.ForeignKeyConstraint(["allocation_id"], ["allocations.id"], name="fk_epochs_allocation_id_allocations"),
    )
    op.create_table(
        "participants",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("first_seen_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_participants"),
        sa.UniqueConstraint("user_id", name="uq_participants_user_id"),
    )
    op.create_table(
        "assignments",
        sa.Column("participant_pk", sa.Integer(), nullable=False),
        sa.Column("bucket_version", sa.Integer(), nullable=False),
        sa.Column("variant_pk", sa.Integer(), nullable=False),
        sa.Column("epoch_id", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.Float(), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("assigned_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("participant_pk", "bucket_version", name="pk_assignments"),
        sa.ForeignKeyConstraint(
            ["participant_pk"], ["participants.pk"], name="fk_assignments_participant_pk_participants"
        ),
        sa.ForeignKeyConstraint(["variant_pk"], ["variants.pk"], name="fk_assignments_variant_pk_variants"),
        sa.ForeignKeyConstraint(["epoch_id"], ["epochs.id"], name="fk_assignments_epoch_id_epochs"),
    )
    op.create_table(
        "exposures",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("participant_pk", sa.Integer(), nullable=False),
        sa.Column("variant_pk", sa.Integer(), nullable=False),
        sa.Column("epoch_id", sa.Integer(), nullable=False),
        sa.Column("assigned_epoch_id", sa.Integer(), nullable=False),
        sa.Column("seed", sa.String(), nullable=False),
        sa.Column("hash_version", sa.Integer(), nullable=False),
        sa.Column("bucket_version", sa.Integer(), nullable=False),
        sa.Column("bucket", sa.Float(), nullable=True),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("is_sticky", sa.Boolean(name="is_sticky"), nullable=False),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_exposures"),
        sa.ForeignKeyConstraint(
            ["participant_pk"], ["participants.pk"], name="fk_exposures_participant_pk_participants"
        ),
        sa.ForeignKeyConstraint(["variant_pk"], ["variants.pk"], name="fk_exposures_variant_pk_variants"),
        sa.ForeignKeyConstraint(["epoch_id"], ["epochs.id"], name="fk_exposures_epoch_id_epochs"),
        sa.ForeignKeyConstraint(["assigned_epoch_id"], ["epochs.id"], name="fk_exposures_assigned_epoch_id_epochs"),
    )
    op.create_index("ix_exposures_assigned_epoch_id", "exposures", ["assigned_epoch_id"])
    op.create_index("ix_exposures_participant_pk", "exposures", ["participant_pk"])
    op.create_table(
        "resize_sessions",
        sa.Column("pk", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("token_hash", sa.String(), nullable=True),
        sa.Column("participant_pk", sa.Integer(), nullable=False),
        sa.Column("variant_pk", sa.Integer(), nullable=False),
        sa.Column("epoch_id", sa.Integer(), nullable=False),
        sa.Column("assigned_epoch_id", sa.Integer(), nullable=False),
        sa.Column("probability", sa.Float(), nullable=True),
        sa.Column("project", sa.String(), nullable=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("target_width", sa.Float(), nullable=True),
        sa.Column("target_height", sa.Float(), nullable=True),
        sa.Column("processing_ms", sa.Float(), nullable=True),
        sa.Column("corrections", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("solver", sa.String(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("helpful", sa.Boolean(name="helpful"), nullable=True),
        sa.Column("import_key", sa.String(), nullable=True),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("updated_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_resize_sessions"),
        sa.UniqueConstraint("id", name="uq_resize_sessions_id"),
        sa.ForeignKeyConstraint(
            ["participant_pk"], ["participants.pk"], name="fk_resize_sessions_participant_pk_participants"
        ),
        sa.ForeignKeyConstraint(["variant_pk"], ["variants.pk"], name="fk_resize_sessions_variant_pk_variants"),
        sa.ForeignKeyConstraint(["epoch_id"], ["epochs.id"], name="fk_resize_sessions_epoch_id_epochs"),
        sa.ForeignKeyConstraint(
            ["assigned_epoch_id"], ["epochs.id"], name="fk_resize_sessions_assigned_epoch_id_epochs"
        ),
        sa.UniqueConstraint("import_key", name="uq_resize_sessions_import_key"),
        sa.CheckConstraint("rating is null or (rating >= 1 and rating <= 5)", name=op.f("ck_resize_sessions_rating")),
        sa.CheckConstraint("source in ('cli', 'http', 'import')", name=op.f("ck_resize_sessions_source")),
        sa.CheckConstraint("state in ('open', 'done', 'failed')", name=op.f("ck_resize_sessions_state")),
    )
    op.create_index("ix_resize_sessions_created_at", "resize_sessions", ["created_at"])
    op.create_index("ix_resize_sessions_participant_pk", "resize_sessions", ["participant_pk"])
    op.create_table(
        "session_documents",
        sa.Column("session_pk", sa.Integer(), nullable=False),
        sa.Column("canvas", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("corrections", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("features", sa.JSON(none_as_null=True), nullable=True),
        sa.PrimaryKeyConstraint("session_pk", name="pk_session_documents"),
        sa.ForeignKeyConstraint(
            ["session_pk"], ["resize_sessions.pk"], name="fk_session_documents_session_pk_resize_sessions"
        ),
    )
    op.create_table(
        "feedback",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("session_pk", sa.Integer(), nullable=False),
        sa.Column("rating", sa.Integer(), nullable=True),
        sa.Column("helpful", sa.Boolean(name="helpful"), nullable=True),
        sa.Column("text", sa.String(), nullable=True),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_feedback"),
        sa.ForeignKeyConstraint(["session_pk"], ["resize_sessions.pk"], name="fk_feedback_session_pk_resize_sessions"),
        sa.UniqueConstraint("session_pk", "idempotency_key", name="uq_feedback_session_pk_idempotency_key"),
        sa.CheckConstraint("rating is null or (rating >= 1 and rating <= 5)", name=op.f("ck_feedback_rating")),
    )
    op.create_table(
        "training_examples",
        sa.Column("session_pk", sa.Integer(), nullable=False),
        sa.Column("features", sa.JSON(), nullable=False),
        sa.Column("expected", sa.JSON(), nullable=False),
        sa.Column("quality", sa.Float(), nullable=False),
        sa.Column("quality_low", sa.Float(), nullable=False),
        sa.Column("quality_high", sa.Float(), nullable=False),
        sa.Column("derived_at", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("session_pk", name="pk_training_examples"),
        sa.ForeignKeyConstraint(
            ["session_pk"], ["resize_sessions.pk"], name="fk_training_examples_session_pk_resize_sessions"
        ),
    )
