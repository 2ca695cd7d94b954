"""Sessions as NumPy columns, read straight from the database: what an analysis of a million of them needs, and no more.

Relies on the store. Ratings of 0 mean none, durations and corrections of -1 mean unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from engine.experiments.model import SUCCESS_RATING
from engine.store.schema.experiments import resize_sessions

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FIELDS = [
    ("user", "i4"),
    ("variant", "i4"),
    ("epoch", "i4"),
    ("rating", "i1"),
    ("is_answered", "?"),
    ("processing_ms", "f8"),
    ("corrections", "i4"),
    ("is_failed", "?"),
    ("is_over", "?"),
    ("day", "i4"),
]


@dataclass(frozen=True)
class Columns:
    """One entry a session, in the order they were recorded; `epoch` is the one in which the user got the variant."""

    user: NDArray[np.int32]
    variant: NDArray[np.int32]
    epoch: NDArray[np.int32]
    rating: NDArray[np.int8]
    is_answered: NDArray[np.bool_]
    processing_ms: NDArray[np.float64]
    corrections: NDArray[np.int32]
    is_failed: NDArray[np.bool_]
    is_over: NDArray[np.bool_]
    day: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.user)


def load(connection: sa.Connection, *, since_day: int | None = None, settled_before: str | None = None) -> Columns:
    """Every session; since a day, and of those that are still open to feedback none, when asked.

    `settled_before`: sessions created since then are left out, unless imported (those came with their feedback).
    """
    import numpy as np

    columns = resize_sessions.c
    query = sa.select(
        columns.participant_pk,
        columns.variant_pk,
        columns.assigned_epoch_id,
        sa.func.coalesce(columns.rating, 0),
        sa.case((sa.or_(columns.rating.is_not(None), columns.helpful.is_not(None)), 1), else_=0),
        sa.func.coalesce(columns.processing_ms, -1.0),
        sa.func.coalesce(columns.corrections, -1),
        sa.case((columns.state == "failed", 1), else_=0),
        sa.case((columns.state == "open", 0), else_=1),
        columns.day,
    ).order_by(columns.pk)
    if since_day is not None:
        query = query.where(columns.day >= since_day)
    if settled_before is not None:
        query = query.where(sa.or_(columns.created_at < settled_before, columns.source == "import"))
    rows = connection.execute(query)
    # The driver's own cursor: a million row objects of SQLAlchemy's would take longer than everything else here.
    cursor: Any = rows.cursor
    table = np.fromiter(cursor, np.dtype(_FIELDS))
    rows.close()
    return Columns(**{name: table[name] for name, _ in _FIELDS})


@dataclass(frozen=True)
class Units:
    """One entry a user: the first variant they had and its epoch, and what their ratings of it say.

    `rating` is their mean, `success` the share of 4 stars and more; both NaN for users who gave none.
    `has_crossed` marks users who later saw another variant (what they said of that is left out: a comparison needs one
    arm a user).
    """

    variant: NDArray[np.int32]
    epoch: NDArray[np.int32]
    rating: NDArray[np.float64]
    success: NDArray[np.float64]
    has_crossed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.variant)


def units(columns: Columns) -> Units:
    """Users from sessions, in the order of their first ones."""
    import numpy as np

    first, place = _first_seen(columns.user)
    variant, epoch = columns.variant[first], columns.epoch[first]
    is_own = columns.variant == variant[place]
    rated = is_own & (columns.rating > 0)
    count = np.bincount(place[rated], minlength=len(first))
    total = np.bincount(place[rated], columns.rating[rated], minlength=len(first))
    good = np.bincount(place[rated], columns.rating[rated] >= SUCCESS_RATING, minlength=len(first))
    none = np.full(len(first), np.nan)
    rating = np.divide(total, count, out=none.copy(), where=count > 0)
    success = np.divide(good, count, out=none, where=count > 0)
    crossed = np.bincount(place[~is_own], minlength=len(first)) > 0
    return Units(variant, epoch, rating, success, crossed)


def _first_seen(keys: NDArray[np.int32]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """(where each key stands first, in that order; of each entry, which of those keys it is), without sorting them all.

    Keys are the database's own, small and dense. Of assignments to the same place the last one stays.
    """
    import numpy as np

    size = int(keys.max(initial=-1)) + 1
    table = np.full(size, -1, np.int64)
    table[keys[::-1]] = np.arange(len(keys) - 1, -1, -1)
    first = np.sort(table[table >= 0])
    table[keys[first]] = np.arange(len(first))
    return first, table[keys]
