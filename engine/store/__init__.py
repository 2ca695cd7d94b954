"""The store: one database, opened carefully, written in short transactions."""

from engine.store.collation import in_byte_order
from engine.store.database import DatabaseCorrupt, DatabaseTooNew, Store, upsert

__all__ = ["DatabaseCorrupt", "DatabaseTooNew", "Store", "in_byte_order", "upsert"]
