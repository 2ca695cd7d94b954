"""Rows for the list's tests, of which everything is known. They are simulated: no file is behind them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from engine.library.facts import Facts, StoredMetadata, Studied, write
from engine.store import Store
from engine.store.schema import images, projects

NOW = "2026-01-01T00:00:00.000000Z"


def facts(**known: Any) -> Facts:
    """Facts of a picture, plain unless told."""
    plain: dict[str, Any] = {
        "phash": 0, "dhash": 0, "sharpness": 0.8, "subject_sharpness": 0.8, "brightness": 0.5, "exposure": 0.0,
        "clipped_low": 0.0, "clipped_high": 0.0, "contrast": 0.3, "noise": 0.1, "colourfulness": 0.4,
        "information": 0.8, "jpeg_quality": 90, "colours": [], "flags": [], "quality": "good",
        "quality_reason": "sound", "lighting": "natural", "source": "dslr",
    }  # fmt: skip
    return Facts(**{**plain, **known})


def told(**known: Any) -> StoredMetadata:
    """Metadata of a picture, empty unless told."""
    empty: dict[str, Any] = dict.fromkeys(StoredMetadata.__dataclass_fields__)
    return StoredMetadata(**{**empty, "keywords": [], "people": [], **known})


def add_project(store: Store, name: str, manifest: str | None = None) -> int:
    """A project; its id."""
    with store.writing() as connection:
        row = sa.insert(projects).values(key=name.casefold(), name=name, manifest=manifest)
        return int(connection.execute(row).inserted_primary_key[0])


def add_image(
    store: Store,
    path: str,
    project: int,
    facts: Facts | None = None,
    metadata: StoredMetadata | None = None,
    **columns: Any,
) -> int:
    """An image, with facts and metadata when they are known; its id."""
    folder, _, name = path.rpartition("/")
    row = {
        "path": path, "folder": folder, "name": name, "project_id": project, "format": "jpeg", "width": 4000,
        "height": 3000, "size": 2_000_000, "mtime_ns": 0, "content_hash": f"{abs(hash(path)):032x}", "orientation": 1,
        "taken_at": None, "taken_at_source": None, "added_at": NOW,
    }  # fmt: skip
    row |= columns
    with store.writing() as connection:
        image = int(connection.execute(sa.insert(images).values(**row)).inserted_primary_key[0])
        if facts is not None or metadata is not None:
            known = facts or Facts(**_PLAIN)
            write(connection, [Studied(image, row["content_hash"], known, metadata or told())])
    return image


_PLAIN: dict[str, Any] = {name: getattr(facts(), name) for name in Facts.__dataclass_fields__}
