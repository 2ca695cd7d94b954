"""Where each screen was left: set, cursor, zoom, filter. Small JSON values by key, kept across restarts.

Relies on the store. Nothing else depends on what is kept here: losing it costs a person one scroll.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso, utc_now
from engine.store import Store, upsert
from engine.store.schema import view_state


class Views:
    """The screens' memory."""

    def __init__(self, store: Store, *, clock: Clock = utc_now) -> None:
        self._store = store
        self._clock = clock

    async def get(self, key: str) -> Any:
        """What was put under `key`, or None."""
        query = sa.select(view_state.c.value).where(view_state.c.key == key)
        return await self._store.read(lambda connection: connection.execute(query).scalar())

    async def put(self, key: str, value: Any) -> None:
        """Keep a JSON-able value under `key`."""
        row = {"key": key, "value": value, "updated_at": iso(self._clock())}
        await self._store.write(
            lambda connection: upsert(connection, view_state, [row], key=("key",), update=("value", "updated_at"))
        )
