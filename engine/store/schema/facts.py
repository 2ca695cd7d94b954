"""What the library knows of each image beyond its header: content (`image_facts`) and metadata (`image_metadata`).

One row an image in each. A row belongs to the bytes of which `content_hash` is the hash: where that of the image
differs, the row is stale and the next study writes it anew. Fractions are 0 to 1 unless a comment says otherwise.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, CheckConstraint, Column, Float, ForeignKey, Integer, String, Table

from engine.store.schema.foundation import metadata

# `phash` and `dhash`: 64 bits as a signed integer, imagehash's array flattened, the first bit the most significant.
# `exposure` is -1 (too dark) to 1 (too bright); `jpeg_quality` 1 to 100; `colours` [{"name", "hex", "share"}];
# `flags` some of screenshot, document, dark, overexposed, low_information. `version` is that of the measures.
image_facts = Table(
    "image_facts",
    metadata,
    Column("image_id", ForeignKey("images.id"), primary_key=True, autoincrement=False),
    Column("content_hash", String, nullable=False),
    Column("version", Integer, nullable=False),
    Column("phash", BigInteger, nullable=False),
    Column("dhash", BigInteger, nullable=False),
    Column("sharpness", Float, nullable=False),
    Column("subject_sharpness", Float, nullable=False),
    Column("brightness", Float, nullable=False),
    Column("exposure", Float, nullable=False),
    Column("clipped_low", Float, nullable=False),
    Column("clipped_high", Float, nullable=False),
    Column("contrast", Float, nullable=False),
    Column("noise", Float, nullable=False),
    Column("colourfulness", Float, nullable=False),
    Column("information", Float, nullable=False),
    Column("jpeg_quality", Integer),
    Column("colours", JSON, nullable=False),
    Column("flags", JSON, nullable=False),
    Column("quality", String, nullable=False),
    Column("quality_reason", String, nullable=False),
    Column("lighting", String, nullable=False),
    Column("source", String, nullable=False),
    CheckConstraint("quality in ('excellent', 'good', 'average', 'poor')", name="quality"),
    CheckConstraint("lighting in ('natural', 'artificial', 'challenging')", name="lighting"),
    CheckConstraint("source in ('phone', 'dslr', 'other')", name="source"),
)

# `exposure_time` in seconds, `focal_length` in millimetres, `altitude` in metres (below sea level negative),
# latitude and longitude in signed decimal degrees, `taken_offset` as `+02:00` where the file gives one.
image_metadata = Table(
    "image_metadata",
    metadata,
    Column("image_id", ForeignKey("images.id"), primary_key=True, autoincrement=False),
    Column("camera_make", String),
    Column("camera_model", String),
    Column("lens", String),
    Column("exposure_time", Float),
    Column("f_number", Float),
    Column("iso", Integer),
    Column("focal_length", Float),
    Column("flash", Boolean(name="flash")),
    Column("latitude", Float),
    Column("longitude", Float),
    Column("altitude", Float),
    Column("taken_offset", String),
    Column("title", String),
    Column("description", String),
    Column("keywords", JSON, nullable=False),
    Column("rating", Integer),
    Column("people", JSON, nullable=False),
)
