"""Variants, epochs, assignments, sessions and feedback.

Relies on the foundation's metadata. What happened is appended (variant events, epochs, exposures, feedback); the rating
in force stands on the session as well, so that an analysis reads one narrow table, and can be rebuilt from feedback.
The wide documents (canvases, results) lie in a table of their own for the same reason. Integer keys are internal; the
ids that people and clients see are texts. Portable SQL only: no triggers, no partial indexes, no JSON operators.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from engine.store.schema.foundation import metadata

# A prompt template, never changed once it is here: `content_hash` is the SHA-256 of its text.
variants = Table(
    "variants",
    metadata,
    Column("pk", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("content_hash", String, nullable=False, unique=True),
    Column("title", String, nullable=False),
    Column("template", String, nullable=False),
    Column("placeholders", JSON, nullable=False),
    Column("source", String, nullable=False),
    Column("parent_pk", ForeignKey("variants.pk")),
    Column("is_active", Boolean(name="is_active"), nullable=False),
    Column("created_at", String, nullable=False),
    CheckConstraint("source in ('shipped', 'file', 'draft')", name="source"),
)

# Who added, paused, resumed or re-weighted what, when, and why. Append-only; `variant_pk` is null for all at once.
variant_events = Table(
    "variant_events",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("variant_pk", ForeignKey("variants.pk")),
    Column("action", String, nullable=False),
    Column("value", JSON, nullable=False),
    Column("actor", String, nullable=False),
    Column("why", String, nullable=False),
    Column("at", String, nullable=False),
    CheckConstraint("action in ('added', 'paused', 'resumed', 'weights')", name="action"),
)

# Every proposal that was ever computed: with its inputs and its seed it can be drawn again.
allocations = Table(
    "allocations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch_id", Integer, nullable=False),
    Column("metric", String, nullable=False),
    Column("seed", Integer, nullable=False),
    Column("draws", Integer, nullable=False),
    Column("floor", Float, nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("weights", JSON, nullable=False),
    Column("why", String, nullable=False),
    Column("data_until", String, nullable=False),
    Column("computed_at", String, nullable=False),
)

# A stretch of time with the same live arms and weights. `arms` is a list of [variant id, weight] in bucketing order.
epochs = Table(
    "epochs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started_at", String, nullable=False),
    Column("arms", JSON, nullable=False),
    Column("coverage", Float, nullable=False),
    Column("seed", String, nullable=False),
    Column("hash_version", Integer, nullable=False),
    Column("bucket_version", Integer, nullable=False),
    Column("metric", String, nullable=False),
    Column("is_adaptive", Boolean(name="is_adaptive"), nullable=False),
    Column("allocation_id", ForeignKey("allocations.id")),
    Column("actor", String, nullable=False),
    Column("why", String, nullable=False),
)

participants = Table(
    "participants",
    metadata,
    Column("pk", Integer, primary_key=True),
    Column("user_id", String, nullable=False, unique=True),
    Column("first_seen_at", String, nullable=False),
)

# The variant a user stays with. It moves only when that variant is paused, or with a new bucket version. One that came
# with imported sessions was drawn by nobody here: it has no bucket.
assignments = Table(
    "assignments",
    metadata,
    Column("participant_pk", ForeignKey("participants.pk"), primary_key=True),
    Column("bucket_version", Integer, primary_key=True),
    Column("variant_pk", ForeignKey("variants.pk"), nullable=False),
    Column("epoch_id", ForeignKey("epochs.id"), nullable=False),
    Column("bucket", Float),
    Column("probability", Float),
    Column("assigned_at", String, nullable=False),
)

# Each time a variant was shown: all that is needed to draw the assignment again, and for off-policy evaluation.
# `epoch_id` is when it was shown, `assigned_epoch_id` when the user got the variant; an imported one has no bucket.
exposures = Table(
    "exposures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("participant_pk", ForeignKey("participants.pk"), nullable=False),
    Column("variant_pk", ForeignKey("variants.pk"), nullable=False),
    Column("epoch_id", ForeignKey("epochs.id"), nullable=False),
    Column("assigned_epoch_id", ForeignKey("epochs.id"), nullable=False),
    Column("seed", String, nullable=False),
    Column("hash_version", Integer, nullable=False),
    Column("bucket_version", Integer, nullable=False),
    Column("bucket", Float),
    Column("probability", Float),
    Column("is_sticky", Boolean(name="is_sticky"), nullable=False),
    Column("at", String, nullable=False),
)
Index("ix_exposures_participant_pk", exposures.c.participant_pk)
Index("ix_exposures_assigned_epoch_id", exposures.c.assigned_epoch_id)

# One resize. `day` counts days since 1970-01-01 UTC; `rating` and `helpful` are those of the feedback in force.
resize_sessions = Table(
    "resize_sessions",
    metadata,
    Column("pk", Integer, primary_key=True),
    Column("id", String, nullable=False, unique=True),
    Column("token_hash", String),
    Column("participant_pk", ForeignKey("participants.pk"), nullable=False),
    Column("variant_pk", ForeignKey("variants.pk"), nullable=False),
    Column("epoch_id", ForeignKey("epochs.id"), nullable=False),
    Column("assigned_epoch_id", ForeignKey("epochs.id"), nullable=False),
    Column("probability", Float),
    Column("project", String),
    Column("source", String, nullable=False),
    Column("target_width", Float),
    Column("target_height", Float),
    Column("processing_ms", Float),
    Column("corrections", Integer),
    Column("state", String, nullable=False),
    Column("solver", String),
    Column("error", String),
    Column("rating", Integer),
    Column("helpful", Boolean(name="helpful")),
    Column("import_key", String, unique=True),
    Column("day", Integer, nullable=False),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
    CheckConstraint("source in ('cli', 'http', 'import')", name="source"),
    CheckConstraint("state in ('open', 'done', 'failed')", name="state"),
    CheckConstraint("rating is null or (rating >= 1 and rating <= 5)", name="rating"),
)
Index("ix_resize_sessions_created_at", resize_sessions.c.created_at)
Index("ix_resize_sessions_participant_pk", resize_sessions.c.participant_pk)

# The wide parts of a session, each null until it is known. `features` maps a feature's name to its number.
session_documents = Table(
    "session_documents",
    metadata,
    Column("session_pk", ForeignKey("resize_sessions.pk"), primary_key=True),
    Column("canvas", JSON(none_as_null=True)),
    Column("result", JSON(none_as_null=True)),
    Column("corrections", JSON(none_as_null=True)),
    Column("features", JSON(none_as_null=True)),
)

# Append-only: the newest row of a session is in force. A key is told apart from others of its own session only.
feedback = Table(
    "feedback",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("session_pk", ForeignKey("resize_sessions.pk"), nullable=False),
    Column("rating", Integer),
    Column("helpful", Boolean(name="helpful")),
    Column("text", String),
    Column("idempotency_key", String),
    Column("at", String, nullable=False),
    UniqueConstraint("session_pk", "idempotency_key"),
    CheckConstraint("rating is null or (rating >= 1 and rating <= 5)", name="rating"),
)

# Derived from sessions; whether a person validated one is a decision of kind 'training-example'.
training_examples = Table(
    "training_examples",
    metadata,
    Column("session_pk", ForeignKey("resize_sessions.pk"), primary_key=True),
    Column("features", JSON, nullable=False),
    Column("expected", JSON, nullable=False),
    Column("quality", Float, nullable=False),
    Column("quality_low", Float, nullable=False),
    Column("quality_high", Float, nullable=False),
    Column("derived_at", String, nullable=False),
)
