"""Group commit: what many callers record at the same moment goes to the disk in one transaction.

Relies on the store. A caller gets its answer only when the transaction that holds its item is on the disk
(synchronous=FULL), so nothing acknowledged is lost by kill -9; while one transaction is being written the next callers
gather for the one after it. An item that is refused says so to its own caller and to nobody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import sqlalchemy as sa

from engine.errors import ProofsheetError
from engine.store import Store

Item = TypeVar("Item")
Result = TypeVar("Result")

MAX_BATCH = 400


@dataclass(frozen=True)
class Bulk(Generic[Item, Result]):
    """Work that records several items in the caller's transaction: a result, or the refusal, of each, in order."""

    work: Callable[[sa.Connection, Sequence[Item]], Sequence[Result | ProofsheetError]]


class GroupCommit:
    """A queue in front of the store's writer, for one event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting: list[tuple[Bulk[Any, Any], Any, asyncio.Future[Any]]] = []
        self._flusher: asyncio.Task[None] | None = None

    async def submit(self, bulk: Bulk[Item, Result], item: Item) -> Result:
        """Record one item and return what it became, once it is on the disk. Raises what the item was refused with."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((bulk, item, future))
        if self._flusher is None or self._flusher.done():
            self._flusher = asyncio.create_task(self._flush())
        return await future

    async def drain(self) -> None:
        """Wait until everything that was handed in is on the disk, or refused."""
        while self._flusher is not None and not self._flusher.done():
            await asyncio.wait([self._flusher])

    async def _flush(self) -> None:
        while self._waiting:
            some, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            outcomes = await self._together(some)
            for (_bulk, _item, future), outcome in zip(some, outcomes, strict=True):
                if future.done():  # its caller went away
                    continue
                if isinstance(outcome, BaseException):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)

    async def _together(self, some: Sequence[tuple[Bulk[Any, Any], Any, Any]]) -> Sequence[Any]:
        """All in one transaction; when that fails as a whole, each by itself, so that one spoils only itself."""
        try:
            return await self._store.write(lambda connection: _record(connection, some), durable=True)
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is raised to the caller whose item it is
            if len(some) == 1:
                return [problem]
        outcomes: list[Any] = []
        for one in some:
            outcomes += await self._together([one])
        return outcomes


def _record(connection: sa.Connection, some: Sequence[tuple[Bulk[Any, Any], Any, Any]]) -> list[Any]:
    """Items of the same kind that follow one another are recorded together; the order of kinds stays."""
    outcomes: list[Any] = []
    begin = 0
    while begin < len(some):
        bulk, end = some[begin][0], begin + 1
        while end < len(some) and some[end][0] is bulk:
            end += 1
        found = bulk.work(connection, [item for _, item, _ in some[begin:end]])
        outcomes += found
        begin = end
    return outcomes
