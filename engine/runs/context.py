"""What work is handed: ways to tell how far it is, to leave a checkpoint, and to learn that it should stop.

Relies on the event log. Work calls `check` at every step; everything it tells goes to the log, coalesced to
ten events a second at the source, and never to a screen.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from engine.logs.recoveries import VANISHED, Recovery
from engine.runs.log import EventLog
from engine.runs.model import RunCancelled

Item = TypeVar("Item")
Result = TypeVar("Result")

COALESCE_SECONDS = 0.1


class RunContext:
    """One run, as its own work sees it. Safe to use from the threads that the work starts."""

    def __init__(
        self,
        run_id: str,
        params: Mapping[str, Any],
        log: EventLog,
        *,
        seed: int = 0,
        resumed: Mapping[str, Any] | None = None,
        save_checkpoint: Callable[[Mapping[str, Any]], None] = lambda _state: None,
        workers: int = 2,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.id = run_id
        self.params = params
        self.seed = seed
        self.resumed = resumed
        self.workers = workers
        self._log = log
        self._save_checkpoint = save_checkpoint
        self._monotonic = monotonic
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._progress: dict[str, Any] | None = None
        self._images = self._failed = 0
        self._points: list[dict[str, Any]] = []
        self._refused: list[dict[str, str]] = []
        self._recovered: list[dict[str, str]] = []
        self._last_flush = -COALESCE_SECONDS

    @property
    def stopping(self) -> bool:
        """Whether the run was asked to stop."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Ask the work to stop at its next step."""
        self._stop.set()

    def check(self) -> None:
        """Call at every step. Raises RunCancelled once the run was asked to stop."""
        if self._stop.is_set():
            raise RunCancelled

    def wait(self, seconds: float) -> None:
        """Pause, but not past a stop. Raises RunCancelled once the run was asked to stop."""
        if self._stop.wait(seconds):
            raise RunCancelled

    def progress(self, done: int, total: int | None = None, message: str = "") -> None:
        """How far the work is; newer progress replaces what was not yet written.

        Of a run that handles images it also says how many were handled by now, and how many of them failed: what
        throughput, error and success rates come from.
        """
        with self._lock:
            self._progress = {"done": done, "total": total, "message": message}
            if self._images:
                self._progress |= {"images": self._images, "failed": self._failed}
        self._flush_if_due()

    def handled(self, images: int = 1, *, failed: int = 0) -> None:
        """So many more images were worked on, `failed` of them in vain; what was found done already does not count.
        Told with the next progress."""
        with self._lock:
            self._images += images
            self._failed += failed

    def metric(self, step: int, **values: float) -> None:
        """One point of the run's curves; points are gathered and written together."""
        with self._lock:
            self._points.append({"step": step, **values})
        self._flush_if_due()

    def refuse(self, path: Path | str, reason: str, code: str = "") -> None:
        """An input that was passed over, and why; `code` is the refusal's, where it has one.

        Of a file without a code it is looked up whether it is there at all: one that vanished while the run was under
        way is told as such. Who knows the code passes it: by now the file may be there again, or gone as well.
        """
        told = {"path": str(path), "reason": reason}
        if not code and _is_gone(Path(path)):
            code = VANISHED
        with self._lock:
            self._refused.append(told | {"code": code} if code else told)
        self._flush_if_due()

    def recovered(self, recovery: Recovery, message: str, path: Path | str = "") -> None:
        """Something went wrong and was mended on the spot: what, in words, and with which file if with one."""
        with self._lock:
            self._recovered.append({"recovery": recovery, "message": message, "path": str(path)})
        self._flush_if_due()

    def log(self, message: str, level: str = "info") -> None:
        """A line for people who read the log."""
        self.flush()
        self._log.append("log", {"level": level, "message": message})

    def checkpoint(self, state: Mapping[str, Any]) -> None:
        """Save what a resumed run would need (JSON-able); replaces the one before."""
        self._save_checkpoint(state)
        self.flush()
        self._log.append("checkpoint", {"keys": sorted(state)})

    def flush(self) -> None:
        """Write what was held back."""
        with self._lock:
            progress, self._progress = self._progress, None
            points, self._points = self._points, []
            refused, self._refused = self._refused, []
            recovered, self._recovered = self._recovered, []
            self._last_flush = self._monotonic()
        if refused:
            self._log.append("refused", {"files": refused})
        if recovered:
            self._log.append("recovered", {"what": recovered})
        if points:
            self._log.append("metric", {"points": points})
        if progress:
            self._log.append("progress", progress)

    def map(
        self, work: Callable[[Item], Result], items: Iterable[Item], *, workers: int | None = None, ahead: int = 4
    ) -> Iterator[Result]:
        """`work(item)` for each item in a few threads, results in order, at most `ahead` items a thread in flight.

        Checks for a stop between results; an exception of `work` is raised where its result would have come.
        """
        count = workers or self.workers
        pool = ThreadPoolExecutor(count, thread_name_prefix=f"run-{self.id}")
        waiting: deque[Future[Result]] = deque()
        try:
            for item in items:
                self.check()
                waiting.append(pool.submit(work, item))
                if len(waiting) >= count * ahead:
                    yield waiting.popleft().result()
            while waiting:
                self.check()
                yield waiting.popleft().result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _flush_if_due(self) -> None:
        if self._monotonic() - self._last_flush >= COALESCE_SECONDS:
            self.flush()


Work = Callable[[RunContext], dict[str, Any]]


def _is_gone(file: Path) -> bool:
    """Whether this is the path of a file that is not there, or no longer. What names no path is not, nor is what cannot
    be looked up for another reason: a folder closed to us, a loop of links, a disk that fails."""
    if not file.is_absolute():
        return False
    try:
        os.lstat(file)
    except FileNotFoundError:
        return True
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return False
    return False
