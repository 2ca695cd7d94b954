"""What recurs, the fixes proposed for it, and how they did.

The truth about errors is `errors.jsonl`; these tables are an index of it that can be rebuilt. Fixes and outcomes are
kept in `fixes.jsonl` too.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, CheckConstraint, Column, ForeignKey, Index, Integer, String, Table

from engine.store.schema.foundation import metadata

# How far each log was read: a log that grew is read from there on, the same log is never counted twice.
error_logs = Table(
    "error_logs",
    metadata,
    Column("path", String, primary_key=True),
    Column("offset", BigInteger, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("head", String, nullable=False),
    Column("read_at", String, nullable=False),
)

# `samples` are the newest records of the group in full, newest first.
error_groups = Table(
    "error_groups",
    metadata,
    Column("id", String, primary_key=True),
    Column("type", String, nullable=False),
    Column("title", String, nullable=False),
    Column("file", String, nullable=False),
    Column("function", String, nullable=False),
    Column("line", Integer, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first_seen", String, nullable=False),
    Column("last_seen", String, nullable=False),
    Column("seconds_lost", Integer),
    Column("samples", JSON, nullable=False),
)

error_counts = Table(
    "error_counts",
    metadata,
    Column("group_id", ForeignKey("error_groups.id"), primary_key=True),
    Column("run", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("count", Integer, nullable=False),
)
Index("ix_error_counts_day", error_counts.c.day)

# Groups that a person put together, or took apart by what their messages say.
error_merges = Table(
    "error_merges",
    metadata,
    Column("group_id", String, primary_key=True),
    Column("into_id", String),
    Column("split_by", String),
    Column("actor", String, nullable=False),
    Column("at", String, nullable=False),
    CheckConstraint("(into_id is null) <> (split_by is null)", name="one_of"),
)

# `edits` holds the paths relative to `root` with their bytes before and after (base64); `context` is what confidence is
# learnt for besides pattern and operator: the error's type; `details` is what only some states have (see `ledger`).
fixes = Table(
    "fixes",
    metadata,
    Column("id", String, primary_key=True),
    Column("pattern", String, nullable=False),
    Column("operator", String, nullable=False),
    Column("context", String, nullable=False),
    Column("group_id", String, nullable=False, index=True),
    Column("root", String, nullable=False),
    Column("file", String, nullable=False),
    Column("line", Integer, nullable=False),
    Column("applicability", String, nullable=False),
    Column("why", String, nullable=False),
    Column("diff", String, nullable=False),
    Column("evidence", JSON, nullable=False),
    Column("edits", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("change_set", String),
    Column("proof", JSON),
    Column("details", JSON, nullable=False),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
    CheckConstraint("applicability in ('safe', 'review', 'display-only')", name="applicability"),
)

# The three outcomes are kept apart: only 'kept' and 'recurrence' count as success.
fix_outcomes = Table(
    "fix_outcomes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("fix_id", ForeignKey("fixes.id"), nullable=False, index=True),
    Column("pattern", String, nullable=False),
    Column("operator", String, nullable=False),
    Column("context", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("is_success", Boolean(name="is_success"), nullable=False),
    Column("detail", String),
    Column("at", String, nullable=False),
    CheckConstraint("kind in ('tests', 'kept', 'recurrence')", name="kind"),
)
