"""What runs by itself, and when it ran.

Relies on the foundation's metadata. A job runs once a period: the pair (job, period) is unique, and the row is the
lease of whoever carries it out.
"""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, CheckConstraint, Column, Integer, String, Table, UniqueConstraint

from engine.store.schema.foundation import metadata

# `since` is the period in which the job came to be (or was switched on): it runs in later ones.
schedule_jobs = Table(
    "schedule_jobs",
    metadata,
    Column("name", String, primary_key=True),
    Column("is_enabled", Boolean(name="is_enabled"), nullable=False),
    Column("since", String, nullable=False),
    Column("actor", String, nullable=False),
    Column("changed_at", String, nullable=False),
)

# `period` is '2026-11-21', '2026-W47' or '2026-11'; one that a person asked for has `is_manual` and its moment instead.
schedule_runs = Table(
    "schedule_runs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("job", String, nullable=False),
    Column("period", String, nullable=False),
    Column("is_manual", Boolean(name="is_manual"), nullable=False),
    Column("state", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("host", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("boot_id", String, nullable=False),
    Column("heartbeat_at", String, nullable=False),
    Column("started_at", String, nullable=False),
    Column("finished_at", String),
    Column("result", JSON),
    Column("error", String),
    UniqueConstraint("job", "period"),
    CheckConstraint("state in ('running', 'done', 'failed')", name="state"),
)
