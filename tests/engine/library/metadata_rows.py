"""Stored metadata with nothing in it but what a test names."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from engine.library.facts import StoredMetadata


def stored(**given: Any) -> StoredMetadata:
    """A row; lists are empty and everything else is None where not given."""
    empty = {field.name: [] if field.name in ("keywords", "people") else None for field in fields(StoredMetadata)}
    return StoredMetadata(**{**empty, **given})
