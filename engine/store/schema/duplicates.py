"""Prints of images, and which of them were found to be alike. Groups are formed from these and from the decisions."""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Column, Float, ForeignKey, Index, Integer, LargeBinary, String, Table

from engine.store.schema.foundation import metadata

# `luma`: 32x32 grey values, row by row. `phash` and each of `turned`: 64 bits as a signed integer. `searched`: within
# how many bits the neighbours of this print are known, null when it was never searched.
image_prints = Table(
    "image_prints",
    metadata,
    Column("image_id", ForeignKey("images.id"), primary_key=True, autoincrement=False),
    Column("content_hash", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("phash", BigInteger, nullable=False),
    Column("turned", JSON, nullable=False),
    Column("contrast", Float, nullable=False),
    Column("luma", LargeBinary, nullable=False),
    Column("searched", Integer),
)

# Two images that look alike, the smaller id first; measures as in `engine.library.likeness`. `distance` is that of the
# hashes as they are, in the position that fits best. `look` and what follows: whether a closer look was taken, and what
# it found (`engine.library.closer`), null where nothing could be seen.
image_links = Table(
    "image_links",
    metadata,
    Column("first_id", ForeignKey("images.id"), primary_key=True, autoincrement=False),
    Column("second_id", ForeignKey("images.id"), primary_key=True, autoincrement=False),
    Column("distance", Integer, nullable=False),
    Column("phash", Integer, nullable=False),
    Column("dhash", Integer, nullable=False),
    Column("correlation", Float, nullable=False),
    Column("worst", Float, nullable=False),
    Column("look", String, nullable=False, server_default="prints"),
    Column("outside", Float),
    Column("common", Float),
    Column("off", Float),
    Column("surely", Float),
    Column("off_tenth", Float),
    Column("surely_tenth", Float),
)
# The groups as they were last looked at, a row a member; `group_id` says the kind and, by a digest, the members.
image_groups = Table(
    "image_groups",
    metadata,
    Column("group_id", String, primary_key=True),
    Column("image_id", ForeignKey("images.id"), primary_key=True, autoincrement=False),
    Column("project_id", ForeignKey("projects.id"), nullable=False),
    Column("kind", String, nullable=False),
)
Index("ix_image_groups_image_id", image_groups.c.image_id)
Index("ix_image_groups_project_id", image_groups.c.project_id)

# The projects whose groups were looked for.
grouped_projects = Table(
    "grouped_projects",
    metadata,
    Column("project_id", ForeignKey("projects.id"), primary_key=True, autoincrement=False),
    Column("distance", Integer, nullable=False),
)

Index("ix_image_links_second_id", image_links.c.second_id)
