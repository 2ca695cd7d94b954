"""Lanes: the threads that heavy work runs in. One a GPU, a few for the CPU, all of them yielding to the screen.

Relies on threading alone. The threads are daemons, because a lane that is deep in native code must not
hold up leaving; and niced, because a key press matters more than a batch.
"""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

LaneName = Literal["cpu", "gpu"]
CPU_THREADS = 4  # more than the cores: a run that waits for another's lease holds its thread
NICENESS = 10
SWITCH_SECONDS = 0.0005


class Lane:
    """A queue of jobs worked off by its own threads, in the order they came."""

    def __init__(self, name: str, threads: int) -> None:
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._threads = threads
        for number in range(threads):
            threading.Thread(target=self._work, name=f"lane-{name}-{number}", daemon=True).start()

    def put(self, job: Callable[[], None]) -> None:
        """Queue a job. It must handle its own exceptions: nobody is there to catch them."""
        self._jobs.put(job)

    def end(self) -> None:
        """Begin none of the jobs that wait; the threads go when they are done with theirs. Waits for nothing."""
        with contextlib.suppress(queue.Empty):
            while True:
                self._jobs.get_nowait()
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        yield_to_the_screen()
        while (job := self._jobs.get()) is not None:
            job()


class Lanes:
    """The lanes of this process, each made when it is first needed."""

    def __init__(self) -> None:
        self._lanes: dict[LaneName, Lane] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: LaneName) -> Lane:
        with self._lock:
            if name not in self._lanes:
                self._lanes[name] = Lane(name, CPU_THREADS if name == "cpu" else max(1, gpu_count()))
            return self._lanes[name]


def share_the_interpreter() -> None:
    """Let threads take turns ten times as often as Python would have them.

    With the usual 5 ms, a thread that comes back from decoding waits that long for one that computes, and so does a
    key press: two decoding threads are a tenth faster for it.
    """
    sys.setswitchinterval(SWITCH_SECONDS)


_rest_lock = threading.Lock()
_resting: list[bool] = []  # for each that rests it: whether the collector was at work before the first


@contextlib.contextmanager
def collector_at_rest(stays: Callable[[], bool] = bool) -> Iterator[None]:
    """No walks of the collector of cycles while something large is made: over half a million images' facts each holds
    every thread, the screen's too, for a second.

    `stays` is asked at the end: what is there by then is never walked over, where it says so. It is freed as ever when
    nobody holds it; but a cycle that is there by then is not found any more: that is for what comes once in a while.
    """
    with _rest_lock:
        _resting.append(_resting[0] if _resting else gc.isenabled())
        gc.disable()
    try:
        yield
    finally:
        with _rest_lock:
            if stays():
                gc.freeze()
            if _resting.pop() and not _resting:
                gc.enable()


def gpu_count() -> int:
    """NVIDIA GPUs that this machine shows, without importing torch for it."""
    return len(list(Path("/dev").glob("nvidia[0-9]*")))


def yield_to_the_screen() -> None:
    """Lower the calling thread's priority (Linux, where niceness belongs to a thread; threads it starts inherit it)."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
