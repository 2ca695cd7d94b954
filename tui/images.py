"""The preview pipeline: from a path and a number of cells to something a terminal can be shown, off the event loop.

`PreviewService` decodes, crops, scales and encodes in a few low-priority daemon threads, keeps what it made, and
forgets what nobody waits for any more: the newest wish of a slot wins and stale ones are dropped before work begins.
Neighbours are prepared when nothing else is to do. It relies on a decode function that is handed in, and on what
`tui.terminal` found out; it never touches the terminal (the widget does) and never opens a file for writing.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import queue
import sys
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from typing import Protocol as Shape

from PIL import Image

from engine.errors import ProofsheetError
from tui.imaging import kitty
from tui.imaging.geometry import WHOLE, Region
from tui.imaging.pacer import PreviewPacer
from tui.imaging.render import BLACK, Colour, Decode, Measure, Preview, render
from tui.terminal import PROTOCOLS, Choice, Protocol, Terminal

if TYPE_CHECKING:
    from textual.app import App

_NICE = 10
_DEBOUNCE = 0.06  # a slot that is asked more often than this is being flicked through
_FRESH = 5.0  # seconds for which a cached preview is shown without looking at its file again
_TICK = 0.25
_NOW, _LATER = 0, 1


class PreviewRefused(ProofsheetError):
    """There is no picture to show, and this is why."""


@dataclass(frozen=True, slots=True)
class _Wish:
    """Everything a preview depends on but the file's own state."""

    path: Path
    slot: tuple[int, int]
    region: Region
    background: Colour
    protocol: Protocol
    is_frugal: bool


@dataclass(order=True, slots=True)
class _Job:
    priority: int
    order: int
    wish: _Wish = field(compare=False)
    future: asyncio.Future[Preview] | None = field(compare=False)
    generation: int = field(compare=False, default=0)


class Watcher(Shape):
    """A widget that shows previews and wants to know when they should look different."""

    def reload(self) -> None: ...


class PreviewService:
    """Prepares previews. One for an app; its methods belong to the event loop's thread, `close` to any.

    Args:
        decode: makes an image of a path; called in worker threads; raises to refuse, with a message for people.
        terminal: what the probe found.
        protocol: the person's choice; `auto` is the terminal's best.
        cache_mb: how much memory prepared previews may hold.
        measure: an image's size as displayed, or None, for the protocol `off`; called as `decode` is.
    """

    def __init__(
        self,
        decode: Decode,
        terminal: Terminal | None = None,
        protocol: Choice = "auto",
        cache_mb: int = 256,
        *,
        workers: int = 2,
        measure: Measure | None = None,
    ) -> None:
        self.terminal = terminal or Terminal()
        self.protocol: Protocol = self.terminal.choose(protocol)
        self.pacer = PreviewPacer(self.terminal.rtt_ms if self.terminal.answered else None, time.monotonic)
        self.kitty = kitty.KittyPictures()
        self._decode = decode
        self._measure = measure
        self._budget = cache_mb * 1_000_000
        self._workers = max(1, workers)
        self._jobs: queue.PriorityQueue[_Job] = queue.PriorityQueue()
        self._order = itertools.count()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self._cache: OrderedDict[tuple[_Wish, int], tuple[Preview, float]] = OrderedDict()
        self._newest: dict[_Wish, tuple[_Wish, int]] = {}
        self._held = 0
        self._generation = 0
        self._asked: dict[Hashable, float] = {}
        self._latest: dict[Hashable, asyncio.Future[Preview]] = {}
        self._watchers: weakref.WeakSet[Any] = weakref.WeakSet()
        self._closed = threading.Event()
        self._app: App[Any] | None = None

    @property
    def held_bytes(self) -> int:
        """Bytes of previews kept in memory."""
        return self._held

    def attach(self, app: App[Any]) -> None:
        """Listen to the terminal's answers, so that pacing works. Harmless for a driver that gives none."""
        if self._app is app:
            return
        self._app = app
        driver: Any = app._driver
        if hasattr(driver, "on_answer"):
            driver.on_answer = self.pacer.answered
        else:
            self.pacer.asks = False
        if self.pacer.is_active:
            app.set_interval(_TICK, self.pacer.tick)

    def watch(self, watcher: Watcher) -> None:
        """Have `watcher.reload()` called when the protocol changes. Held weakly."""
        self._watchers.add(watcher)

    def set_protocol(self, choice: Choice) -> Protocol:
        """Switch the way pictures are shown, at once and everywhere. Returns the protocol now in use."""
        self.protocol = self.terminal.choose(choice)
        for watcher in list(self._watchers):
            watcher.reload()
        return self.protocol

    def redraw(self) -> None:
        """Send everything again: the terminal was changed behind our back (tmux attached elsewhere, stray output)."""
        self.kitty.clear()
        for watcher in list(self._watchers):
            watcher.reload()

    def next_protocol(self) -> Protocol:
        """The live toggle: on to the next protocol this terminal can show, 'off' last, and around."""
        able: list[Protocol] = [p for p in PROTOCOLS if self._can_show(p)]
        now = able.index(self.protocol) if self.protocol in able else -1
        return self.set_protocol(able[(now + 1) % len(able)])

    def peek(
        self, path: Path, cells: tuple[int, int], region: Region | None = None, background: Colour = BLACK
    ) -> Preview | None:
        """A preview that can be shown this instant: prepared, and its file looked at moments ago."""
        with self._lock:
            key = self._newest.get(self._wish(path, cells, region, background))
            entry = self._cache.get(key) if key else None
            if entry is None or key is None or time.monotonic() - entry[1] > _FRESH:
                return None
            self._cache.move_to_end(key)
            return entry[0]

    async def prepare(
        self,
        path: Path,
        cells: tuple[int, int],
        region: Region | None = None,
        background: Colour = BLACK,
        *,
        slot: Hashable = None,
        is_best: bool = False,
    ) -> Preview:
        """Decode, crop, scale and encode an image for `cells` (columns, rows), or take it from the cache.

        On a slow line a preview is frugal unless `is_best`. A newer call with the same `slot` cancels this one
        (CancelledError). Raises PreviewRefused with the reason when there is no picture to be had.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Preview] = loop.create_future()
        if slot is not None:
            now, before = loop.time(), self._asked.get(slot, float("-inf"))
            self._asked[slot] = now
            if stale := self._latest.get(slot):
                stale.cancel()
            self._latest[slot] = future
            if now - before < _DEBOUNCE:
                await asyncio.sleep(_DEBOUNCE)
                if future.cancelled():
                    raise asyncio.CancelledError
        try:
            wish = self._wish(path, cells, region, background, is_best=is_best)
            self._submit(_Job(_NOW, -next(self._order), wish, future))
            return await future
        finally:
            if slot is not None and self._latest.get(slot) is future:
                del self._latest[slot]

    def prefetch(
        self,
        paths: Iterable[Path],
        cells: tuple[int, int],
        region: Region | None = None,
        background: Colour = BLACK,
    ) -> None:
        """Prepare these when nothing else is to do. A new call replaces the one before; refusals are not reported."""
        self._generation += 1
        for path in paths:
            wish = self._wish(path, cells, region, background)
            self._submit(_Job(_LATER, next(self._order), wish, None, self._generation))

    def forget(self, slot: Hashable) -> None:
        """A slot that is gone: its wish is dropped."""
        self._asked.pop(slot, None)
        if stale := self._latest.pop(slot, None):
            stale.cancel()

    def close(self) -> None:
        """Stop taking work. Threads are daemons and are not waited for: a decoder may be deep in native code."""
        self._closed.set()
        for _ in self._threads:
            self._jobs.put(_Job(-1, 0, _Wish(Path(), (1, 1), WHOLE, BLACK, "off", False), None))

    def farewell(self) -> str:
        """The escapes that take our pictures out of the terminal's memory, for the moment the app leaves."""
        tmux = self.terminal.multiplexer == "tmux"
        return "".join(kitty.deletion(identity, tmux=tmux) for identity in self.kitty.clear())

    def _can_show(self, protocol: Protocol) -> bool:
        terminal = self.terminal
        return {
            "kitty": terminal.has_kitty,
            "sixel": terminal.has_sixel,
            "half": terminal.colours >= 256,
            "off": True,
        }[protocol]

    def _wish(
        self,
        path: Path,
        cells: tuple[int, int],
        region: Region | None,
        background: Colour,
        *,
        is_best: bool = False,
    ) -> _Wish:
        columns, rows = max(1, cells[0]), max(1, cells[1])
        if self.protocol == "kitty":
            columns, rows = min(columns, kitty.LARGEST), min(rows, kitty.LARGEST)
        return _Wish(
            path, (columns, rows), region or WHOLE, background, self.protocol, self.terminal.is_slow and not is_best
        )

    def _submit(self, job: _Job) -> None:
        if not self._threads:
            for number in range(self._workers):
                thread = threading.Thread(target=self._work, name=f"preview-{number}", daemon=True)
                self._threads.append(thread)
                thread.start()
        self._jobs.put(job)

    def _work(self) -> None:
        """A worker's life: the most urgent job that somebody still wants."""
        if sys.platform == "linux":
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
        while not self._closed.is_set():
            job = self._jobs.get()
            if self._closed.is_set():
                return
            if job.future is not None and job.future.cancelled():
                continue
            if job.future is None and job.generation != self._generation:
                continue
            try:
                result: Preview | Exception = self._make(job.wish)
            except ProofsheetError as refusal:
                result = PreviewRefused(refusal.message, remedy=refusal.remedy)
            except (OSError, ValueError, SyntaxError, ArithmeticError, Image.DecompressionBombError) as error:
                reason = (
                    getattr(error, "reason", "") or (error.strerror if isinstance(error, OSError) else "") or str(error)
                )
                result = PreviewRefused(str(reason) or type(error).__name__)
            except Exception as error:  # noqa: BLE001 - a worker outlives a fault; whoever asked gets it raised
                result = error
            if job.future is not None:
                _deliver(job.future, result)

    def _make(self, wish: _Wish) -> Preview:
        stat = wish.path.stat()
        key = (wish, stat.st_mtime_ns)
        with self._lock:
            if (entry := self._cache.get(key)) is not None:
                self._cache[key] = (entry[0], time.monotonic())
                self._cache.move_to_end(key)
                return entry[0]
        identity = self.kitty.next_identity() if wish.protocol == "kitty" else 0
        preview = render(
            self._decode,
            wish.path,
            wish.slot,
            wish.region,
            wish.background,
            wish.protocol,
            self.terminal,
            is_frugal=wish.is_frugal,
            identity=identity,
            measure=self._measure,
        )
        self._keep(key, preview)
        return preview

    def _keep(self, key: tuple[_Wish, int], preview: Preview) -> None:
        with self._lock:
            if (old := self._cache.pop(key, None)) is not None:
                self._held -= old[0].weight
            self._cache[key] = (preview, time.monotonic())
            self._newest[key[0]] = key
            self._held += preview.weight
            while self._held > self._budget and len(self._cache) > 1:
                stale, (dropped, _) = self._cache.popitem(last=False)
                self._held -= dropped.weight
                if self._newest.get(stale[0]) == stale:
                    del self._newest[stale[0]]


def _deliver(future: asyncio.Future[Preview], result: Preview | Exception) -> None:
    """Hand a result to whoever waits, on their loop. The loop may be gone, or nobody may wait any more."""

    def settle() -> None:
        if future.cancelled():
            return
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)

    with contextlib.suppress(RuntimeError):  # the loop was closed: the app has left
        future.get_loop().call_soon_threadsafe(settle)
