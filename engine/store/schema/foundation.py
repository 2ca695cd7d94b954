"""The tables, as SQLAlchemy Core sees them. What a migration makes and what this file says are held equal by a test.

Relies on SQLAlchemy alone. Times are ISO 8601 texts with Z; capture times keep their own offset. Every
constraint has a name, so that a later migration can speak of it on any database.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
)

from engine.store.collation import BY_BYTES

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# What a person looks at: one row a subject, `key` being the casefolded id, so that 'Mojo1' and 'mojo1' are one.
projects = Table(
    "projects",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("key", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("title", String),
    Column("started_at", String),
    Column("finished_at", String),
    Column("manifest", String),
)

# `removed_at` marks a file that is gone; the row stays, because decisions speak of it and it may come back.
images = Table(
    "images",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", BY_BYTES, nullable=False, unique=True),
    Column("folder", BY_BYTES, nullable=False),
    Column("name", String, nullable=False),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("format", String, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("mtime_ns", BigInteger, nullable=False),
    Column("content_hash", String, nullable=False),
    Column("orientation", Integer, nullable=False),
    Column("taken_at", String),
    Column("taken_at_source", String),
    Column("added_at", String, nullable=False),
    Column("removed_at", String),
)
# Each order of the inventory is one covering index, so that 500,000 ids come back without touching the table.
Index("ix_images_project_id_name", images.c.project_id, images.c.name, images.c.removed_at)
Index("ix_images_name", images.c.name, images.c.removed_at)
Index("ix_images_folder", images.c.folder, images.c.removed_at)
Index("ix_images_content_hash", images.c.content_hash)
Index("ix_images_taken_at", images.c.taken_at, images.c.removed_at)
Index("ix_images_size", images.c.size, images.c.removed_at)
Index("ix_images_format", images.c.format, images.c.removed_at)

companions = Table(
    "companions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image_id", ForeignKey("images.id"), nullable=False, index=True),
    Column("path", String, nullable=False),
    Column("kind", String, nullable=False),
    UniqueConstraint("image_id", "path"),
)

refusals = Table(
    "refusals",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("path", BY_BYTES, nullable=False, unique=True),
    Column("code", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("size", BigInteger),
    Column("mtime_ns", BigInteger),
    Column("seen_at", String, nullable=False),
)

scan_roots = Table(
    "scan_roots",
    metadata,
    Column("path", String, primary_key=True),
    Column("scanned_at", String, nullable=False),
)

# A folder's listing as the last scan left it: while its fingerprint holds, none of its images need be looked up.
scan_folders = Table(
    "scan_folders",
    metadata,
    Column("path", BY_BYTES, primary_key=True),
    Column("fingerprint", String, nullable=False),
    Column("images", Integer, nullable=False),
)

# A vector exists for readers only once its row is here, and its row is here only once the bytes are on disk.
vectors = Table(
    "vectors",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("encoder", String, nullable=False),
    Column("content_hash", String, nullable=False),
    Column("row", Integer, nullable=False),
    UniqueConstraint("project_id", "encoder", "content_hash"),
)

sets = Table(
    "sets",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("session_id", String, nullable=False),
    Column("set_id", String, nullable=False),
    Column("source", String, nullable=False),
    Column("title", String, nullable=False),
    Column("folder", String),
    Column("taken_at", String),
    Column("created_at", String, nullable=False),
    Column("retired_at", String),
    UniqueConstraint("project_id", "session_id", "set_id"),
    CheckConstraint("source in ('log', 'stages', 'bursts', 'folder')", name="source"),
)
Index("ix_sets_taken_at_id", sets.c.retired_at, sets.c.taken_at, sets.c.id)
Index("ix_sets_folder", sets.c.folder)

set_members = Table(
    "set_members",
    metadata,
    Column("set_pk", ForeignKey("sets.id"), primary_key=True),
    Column("image_id", ForeignKey("images.id"), primary_key=True, index=True),
    Column("position", Integer, nullable=False),
    Column("label", String, nullable=False),
)

# What a selection log said: observations. Verdicts given here are decisions.
selections = Table(
    "selections",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("set_pk", ForeignKey("sets.id"), nullable=False, index=True),
    Column("chosen_image_id", ForeignKey("images.id"), nullable=False),
    Column("losers", JSON, nullable=False),
    Column("chosen_at", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("source", String, nullable=False),
    Column("line", Integer, nullable=False),
    UniqueConstraint("set_pk", "chosen_image_id", "chosen_at"),
)

suggestions = Table(
    "suggestions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("project_id", ForeignKey("projects.id")),
    Column("proposal", JSON, nullable=False),
    Column("confidence", Float),
    Column("model", String, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("created_at", String, nullable=False),
    UniqueConstraint("kind", "subject", "model"),
    CheckConstraint("confidence is null or (confidence >= 0 and confidence <= 1)", name="confidence"),
)

# Append-only. The verdict in force is the newest of its subject that no other decision supersedes;
# an undo is a decision too: it `undoes` one, supersedes it, and carries the verdict that comes back in force.
decisions = Table(
    "decisions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("project_id", ForeignKey("projects.id")),
    Column("suggestion_id", ForeignKey("suggestions.id")),
    Column("verdict", String, nullable=False),
    Column("value", JSON, nullable=False),
    Column("actor", String, nullable=False),
    Column("decided_at", String, nullable=False),
    Column("supersedes", ForeignKey("decisions.id"), unique=True),
    Column("undoes", ForeignKey("decisions.id"), unique=True),
    Column("group_id", String),
    Column("blind", Boolean(name="blind"), nullable=False),
    CheckConstraint("verdict in ('approved', 'modified', 'rejected', 'skipped', 'withdrawn')", name="verdict"),
)
Index("ix_decisions_kind_subject", decisions.c.kind, decisions.c.subject)
Index("ix_decisions_kind_actor_id", decisions.c.kind, decisions.c.actor, decisions.c.id)

runs = Table(
    "runs",
    metadata,
    Column("id", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("project", String),
    Column("state", String, nullable=False),
    Column("params", JSON, nullable=False),
    Column("result", JSON),
    Column("error", String),
    Column("checkpoint", JSON),
    Column("seed", Integer, nullable=False),
    Column("created_at", String, nullable=False),
    Column("started_at", String),
    Column("finished_at", String),
    Column("host", String),
    Column("pid", Integer),
    Column("boot_id", String),
    Column("detached", Boolean(name="detached"), nullable=False),
    Column("cancel_requested", Boolean(name="cancel_requested"), nullable=False),
    Column("resumes", ForeignKey("runs.id")),
    CheckConstraint(
        "state in ('queued', 'running', 'done', 'failed', 'cancelled', 'interrupted')",
        name="state",
    ),
)
Index("ix_runs_created_at", runs.c.created_at)
Index("ix_runs_state", runs.c.state)

# A run of one kind on one project at a time, whichever process it runs in.
leases = Table(
    "leases",
    metadata,
    Column("key", String, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("boot_id", String, nullable=False),
    Column("heartbeat_at", String, nullable=False),
)

models = Table(
    "models",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", String, nullable=False),
    Column("project_id", ForeignKey("projects.id")),
    Column("actor", String),
    Column("encoder", String, nullable=False),
    Column("path", String, nullable=False),
    Column("card", JSON, nullable=False),
    Column("run_id", ForeignKey("runs.id")),
    Column("created_at", String, nullable=False),
    Column("promoted_at", String),
    UniqueConstraint("name", "version"),
)

# Where each screen was left: set, cursor, zoom, filter.
view_state = Table(
    "view_state",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", JSON, nullable=False),
    Column("updated_at", String, nullable=False),
)
