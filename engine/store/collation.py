"""Texts compared byte by byte on every database, as a range of paths needs it.

Relies on SQLAlchemy. SQLite compares so by itself; PostgreSQL by the language of the database, in which `/photos+raw`
may lie between `/photos/` and `/photos0`.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles

# For columns that are asked for by range, so that their index is in that order, too.
BY_BYTES = sa.String().with_variant(sa.String(collation="C"), "postgresql")


class in_byte_order(sa.sql.functions.FunctionElement[str]):
    """A text, in comparisons and orders byte by byte."""

    type = sa.String()
    inherit_cache = True


@compiles(in_byte_order)
def _as_it_is(element: in_byte_order, compiler: Any, **options: Any) -> str:
    return str(compiler.process(next(iter(element.clauses)), **options))


@compiles(in_byte_order, "postgresql")
def _by_bytes(element: in_byte_order, compiler: Any, **options: Any) -> str:
    return f'({compiler.process(next(iter(element.clauses)), **options)} COLLATE "C")'
