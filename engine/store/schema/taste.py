"""What the taste keeps: the sets that came back silently, to see how a person agrees with themself."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table

from engine.store.schema.foundation import metadata

# One row a set that was asked again. `original_id` is the verdict it is held against; `decision_id` the answer, a
# decision of a kind of its own, so that the verdict in force stays. Without an answer, or with one taken back, open.
repeats = Table(
    "repeats",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("actor", String, nullable=False),
    Column("set_pk", ForeignKey("sets.id"), nullable=False, index=True),
    Column("original_id", ForeignKey("decisions.id"), nullable=False, unique=True),
    Column("decision_id", ForeignKey("decisions.id"), unique=True),
    Column("asked_at", String, nullable=False),
)
Index("ix_repeats_actor", repeats.c.actor)
