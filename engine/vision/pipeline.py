"""Pictures through an encoder, many at a time: prepared in threads ahead of the model, which works on whole batches.

Where the model has a device of its own, a batch is on its way to the device before the one before it has come back.
Where it computes on the same cores as everything else, a few batches are computed at once on a few cores each: cores
that share one wait for one another at every layer, and so all of them for whichever decodes a picture meanwhile. Relies
on the encoder and on a lane; knows nothing of files or of the store. Memory: a few batches of prepared pictures.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

import numpy as np

from engine.errors import ProofsheetError
from engine.logs.recoveries import Recovery
from engine.runs.lanes import Lane
from engine.vision.batching import Batches
from engine.vision.builtin import Floats
from engine.vision.encoders import Encoder, OutOfMemory

Item = TypeVar("Item")

NOT_FINITE = "the encoder gave no finite numbers for it"
_MOST_STREAMS = 4  # batches that are computed at once on a CPU: each holds what its layers leave, in memory
_AHEAD = 2  # batches that are being prepared or waiting, beside those that can be computed at once


@dataclass(frozen=True)
class Refused:
    """Why there is nothing to compute for an item: in words, and by the refusal's code where a decoder refused it."""

    reason: str
    code: str = ""


@dataclass(frozen=True)
class Described(Generic[Item]):
    """An item with what its thread prepared and its vector (d,) float32, or the reason why there is none."""

    item: Item
    prepared: Any
    vector: Floats | None
    reason: str = ""
    code: str = ""


class Pipeline(Generic[Item]):
    """Runs items through one encoder. `prepare` is called in `threads` threads, and gives what `encoder.finish` takes,
    or a Refused; `streams` batches are computed at once if the model has no device of its own, a few by default;
    `check` is called at every step, and whatever it raises ends the work; `on_recovery` hears of each batch for which
    there was no room."""

    def __init__(
        self,
        encoder: Encoder,
        prepare: Callable[[Item], Any],
        *,
        threads: int,
        streams: int | None = None,
        check: Callable[[], None] = lambda: None,
        on_recovery: Callable[[Recovery, str], None] = lambda _recovery, _message: None,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._encoder = encoder
        self._prepare = prepare
        self._threads = threads
        cores = os.cpu_count() or 1
        self._streams = 1 if encoder.is_elsewhere else streams or min(cores, _MOST_STREAMS)
        self._cores = max(1, cores // self._streams)  # of each stream
        self._check = check
        self._on_recovery = on_recovery
        self._monotonic = monotonic
        self._batches: Batches = encoder.batches()

    def run(self, items: Iterable[Item]) -> Iterator[Described[Item]]:
        """Every item, in the order of their batches: refused ones as they are met, the others when their batch is done.

        Raises ProofsheetError when the device has no room for even one picture.
        """
        under_way: deque[tuple[list[tuple[Item, Any]], Callable[[], Floats]]] = deque()
        most = 1 if self._encoder.is_elsewhere else self._streams + 1  # a core that is done finds the next one waiting
        with self._computing() as begun:
            for ready in self._prepared(iter(items)):
                batch: list[tuple[Item, Any]] = []
                for item, prepared in ready:
                    if isinstance(prepared, Refused):
                        yield Described(item, None, None, prepared.reason, prepared.code)
                    else:
                        batch.append((item, prepared))
                if not batch:
                    continue
                under_way.append((batch, begun([prepared for _, prepared in batch])))
                while len(under_way) > (most if self._batches.settled else self._streams - 1):
                    yield from self._collected(*under_way.popleft())
            while under_way:
                yield from self._collected(*under_way.popleft())

    @contextmanager
    def _computing(self) -> Iterator[Callable[[Sequence[Any]], Callable[[], Floats]]]:
        """What begins a batch and answers with what waits for it; leaving the context begins no other."""
        if self._encoder.is_elsewhere:
            yield self._begun
            return

        def begun(prepared: Sequence[Any]) -> Callable[[], Floats]:
            computed: Future[tuple[Floats, float]] = Future()

            def compute() -> None:
                begun = self._monotonic()
                try:
                    self._encoder.keep_to_cores(self._cores)
                    computed.set_result((self._encoder.finish(prepared)(), self._monotonic() - begun))
                except Exception as error:  # noqa: BLE001 - raised where it is waited for
                    computed.set_exception(error)

            lane.put(compute)

            def wait() -> Floats:
                found, seconds = computed.result()
                self._batches.took(len(prepared), seconds)
                return found

            return wait

        lane = Lane("embed", self._streams)  # leaving the program waits for no batch
        try:
            yield begun
        finally:
            lane.end()

    def _prepared(self, items: Iterator[Item]) -> Iterator[list[tuple[Item, Any]]]:
        """Batches of items with what was prepared of them, ahead of whoever asks."""
        waiting: deque[tuple[Item, Future[Any]]] = deque()
        pool = ThreadPoolExecutor(self._threads, thread_name_prefix="prepare")
        try:
            while True:
                self._check()
                size = self._batches.size
                wanted = size * (self._streams + _AHEAD)
                for item in islice(items, max(0, wanted - len(waiting))):
                    waiting.append((item, pool.submit(self._prepare, item)))
                if not waiting:
                    return
                ready = []
                for _ in range(min(size, len(waiting))):
                    self._check()
                    item, future = waiting.popleft()
                    ready.append((item, future.result()))
                yield ready
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _begun(self, prepared: Sequence[Any]) -> Callable[[], Floats]:
        begun = self._monotonic()
        try:
            wait = self._encoder.finish(prepared)
        except OutOfMemory:
            return lambda: self._in_pieces(prepared)

        def timed() -> Floats:
            found = wait()
            self._batches.took(len(prepared), self._monotonic() - begun)
            return found

        return timed

    def _collected(self, batch: list[tuple[Item, Any]], wait: Callable[[], Floats]) -> Iterator[Described[Item]]:
        try:
            vectors = wait()
        except OutOfMemory:
            vectors = self._in_pieces([prepared for _, prepared in batch])
        self._check()
        for (item, prepared), vector in zip(batch, vectors, strict=True):
            if np.isfinite(vector).all():
                yield Described(item, prepared, vector)
            else:
                yield Described(item, prepared, None, NOT_FINITE)

    def _in_pieces(self, prepared: Sequence[Any]) -> Floats:
        """A batch for which there was no room, in smaller ones."""
        if len(prepared) == 1:
            raise ProofsheetError(
                f"there is no memory for even one picture in {self._encoder.id}",
                remedy="Close what else uses the device, use --device cpu, or take a smaller encoder.",
            )
        self._batches.halve(len(prepared))
        parts = []
        size = self._batches.size
        self._on_recovery("out-of-memory", f"no memory for a batch of {len(prepared)}; {size} at a time from here on")
        for start in range(0, len(prepared), size):
            self._check()
            part = prepared[start : start + size]
            try:
                parts.append(self._encoder.finish(part)())
            except OutOfMemory:
                parts.append(self._in_pieces(part))
        return np.concatenate(parts)
