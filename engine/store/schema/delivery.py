"""Sidecars that Proofsheet wrote beside images, and the indexes that the inventory's figures come from.

A row of `sidecars` is written when a change set plans the file, and stays: whether the file is there, and still as it
was written, is asked of the disk. `written_at` is set once the change set is known to have been applied.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint

from engine.store.schema.facts import image_facts, image_metadata
from engine.store.schema.foundation import metadata

sidecars = Table(
    "sidecars",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("image_id", ForeignKey("images.id"), nullable=False, index=True),
    Column("kind", String, nullable=False),
    Column("path", String, nullable=False),
    Column("sha256", String, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("change_set", String, nullable=False),
    Column("planned_at", String, nullable=False),
    Column("written_at", String),
    UniqueConstraint("path", "change_set"),
)

# Each bar of the inventory is counted in one covering index, and each common filter is answered by one.
Index("ix_image_facts_kinds", image_facts.c.quality, image_facts.c.lighting, image_facts.c.source)
Index("ix_image_facts_sharpness", image_facts.c.sharpness)
Index("ix_image_metadata_camera", image_metadata.c.camera_make, image_metadata.c.camera_model)
Index("ix_image_metadata_lens", image_metadata.c.lens)
