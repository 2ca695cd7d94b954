"""A few decoder processes, kept busy, restarted when they die, and the file that killed one named.

Relies on decoder.py and plain pipes: children are started afresh, never forked from a process with threads. Several
files are in flight in each; when a child dies, or does not answer for too long, each of them is tried once more alone,
so that only the one that did it is blamed. All of this runs in the thread that asks for results.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import selectors
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar

from engine.errors import ProofsheetError
from engine.library.decoder import THREADS

Key = TypeVar("Key")

MEMORY = 1024 * 1024 * 1024
PATIENCE = 60.0  # seconds that a child may be silent with work before it
_IN_FLIGHT = 2 * THREADS
_POLL = 0.05
_MOST_FALSE_STARTS = 3
_BYTES_A_PIXEL = 8  # of the largest picture permitted, while it is decoded and converted
_ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Key]):
    """What became of a file: `found` (hash, facts, metadata), or else a refusal's code and reason. `frames` tell where
    our own code failed over it, if it did."""

    key: Key
    path: str
    found: Mapping[str, Any] | None = None
    code: str = ""
    reason: str = ""
    frames: Sequence[Mapping[str, Any]] = ()


@dataclass(slots=True)
class _Job(Generic[Key]):
    key: Key
    path: str
    is_large: bool = False


@dataclass(slots=True)
class _Child(Generic[Key]):
    process: subprocess.Popen[bytes]
    memory: int
    in_flight: dict[int, _Job[Key]] = field(default_factory=dict)
    buffer: bytes = b""
    heard_at: float = 0.0
    is_ready: bool = False
    is_alone: bool = False


class Decoders(Generic[Key]):
    """`count` children. `check` is called often and may raise to stop. Use as a context manager: leaving ends them."""

    def __init__(
        self,
        count: int,
        max_pixels: int,
        *,
        check: Callable[[], None] = lambda: None,
        memory: int = MEMORY,
        patience: float = PATIENCE,
        command: Sequence[str] = (sys.executable, "-m", "engine.library.decoder"),
    ) -> None:
        self._count = count
        self._max_pixels = max_pixels
        self._check = check
        self._memory = memory
        self._patience = patience
        self._command = list(command)
        self._children: list[_Child[Key]] = []
        self._alone: deque[_Job[Key]] = deque()
        self._numbers = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._false_starts = 0

    def __enter__(self) -> Decoders[Key]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """The children's process ids."""
        return [child.process.pid for child in self._children]

    def study(self, files: Iterable[tuple[Key, str]]) -> Iterator[Outcome[Key]]:
        """One pass over each file (key, path), as they finish, in no particular order.

        Raises ProofsheetError where no decoder can be started at all.
        """
        waiting = iter(files)
        is_over = False
        while True:
            self._check()
            while len(self._children) < self._count:
                self._start(self._memory)
            for child in list(self._children):
                is_over = self._feed(child, waiting, is_over)
            if is_over and not self._alone and not any(child.in_flight for child in self._children):
                return
            for ready, _ in self._selector.select(_POLL):
                yield from self._hear(ready.data)
            yield from self._end_the_silent()

    def close(self) -> None:
        """End the children at once."""
        for child in self._children:
            self._end(child)
        self._children.clear()
        self._selector.close()

    # -- giving out work ----------------------------------------------------------------------------------------

    def _feed(self, child: _Child[Key], waiting: Iterator[tuple[Key, str]], is_over: bool) -> bool:
        """Give a child what it can take; tells whether `waiting` has come to its end."""
        if not child.is_ready or (child.is_alone and child.in_flight):
            return is_over
        child.is_alone = False
        if self._alone:
            if child.in_flight:
                return is_over  # it becomes free for the suspects first
            job = self._alone.popleft()
            if job.is_large and child.memory < self._large:
                self._alone.appendleft(job)
                self._replace(child, self._large)
                return is_over
            child.is_alone = True
            self._send(child, job)
            return is_over
        if child.memory > self._memory and not child.in_flight:
            self._replace(child, self._memory)
            return is_over
        while not is_over and len(child.in_flight) < _IN_FLIGHT:
            following = next(waiting, None)
            if following is None:
                return True
            if not self._send(child, _Job(*following)):
                break
        return is_over

    @property
    def _large(self) -> int:
        return self._memory + _BYTES_A_PIXEL * self._max_pixels

    def _send(self, child: _Child[Key], job: _Job[Key]) -> bool:
        number = next(self._numbers)
        if not child.in_flight:
            child.heard_at = time.monotonic()
        child.in_flight[number] = job
        pipe = child.process.stdin
        try:
            if pipe is not None:
                pipe.write(json.dumps({"job": number, "path": job.path}).encode("ascii") + b"\n")
                pipe.flush()
        except OSError:  # it died: its end is heard of next
            return False
        return True

    # -- taking in results --------------------------------------------------------------------------------------

    def _hear(self, child: _Child[Key]) -> Iterator[Outcome[Key]]:
        if child not in self._children or child.process.stdout is None:
            return
        data = os.read(child.process.stdout.fileno(), 1 << 16)
        if not data:
            yield from self._bury(child, "")
            return
        child.heard_at = time.monotonic()
        *lines, child.buffer = (child.buffer + data).split(b"\n")
        for line in lines:
            said = json.loads(line)
            if "ready" in said:
                child.is_ready, self._false_starts = True, 0
                continue
            job = child.in_flight.pop(said["job"])
            if "found" in said:
                yield Outcome(job.key, job.path, said["found"])
            elif "failed" in said:
                name, message, frames = said["failed"]
                yield Outcome(job.key, job.path, None, "decoder_crash", f"decoding failed ({name}: {message})", frames)
            elif said.get("starved") and not job.is_large:
                job.is_large = True
                self._alone.append(job)
            else:
                yield Outcome(job.key, job.path, None, *said["refused"])

    def _end_the_silent(self) -> Iterator[Outcome[Key]]:
        now = time.monotonic()
        for child in list(self._children):
            if child.in_flight and now - child.heard_at > self._patience:
                yield from self._bury(child, f"the decoder did not come back within {self._patience:g} seconds")

    def _bury(self, child: _Child[Key], why: str) -> Iterator[Outcome[Key]]:
        """A child is dead or has to be: blame the one file that it had, or try each of several alone."""
        self._end(child)
        self._children.remove(child)
        jobs = list(child.in_flight.values())
        if not child.is_ready:
            self._false_starts += 1
            self._alone.extend(jobs)
            if self._false_starts >= _MOST_FALSE_STARTS:
                raise ProofsheetError(
                    "the decoder processes end as soon as they are started",
                    remedy="See that there is enough memory; then `proofsheet doctor`.",
                )
        elif len(jobs) == 1:
            reason = why or f"the decoder crashed over it ({_how(child.process.returncode)})"
            yield Outcome(jobs[0].key, jobs[0].path, None, "decoder_crash", reason)
        else:
            self._alone.extend(jobs)

    # -- processes ----------------------------------------------------------------------------------------------

    def _start(self, memory: int) -> None:
        threads = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        path = os.pathsep.join(part for part in (str(_ROOT), os.environ.get("PYTHONPATH", "")) if part)
        process = subprocess.Popen(
            [*self._command, str(self._max_pixels), str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **threads, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl+C is the parent's: it ends its children itself
        )
        child: _Child[Key] = _Child(process, memory, heard_at=time.monotonic())
        self._children.append(child)
        if process.stdout is not None:
            self._selector.register(process.stdout, selectors.EVENT_READ, child)

    def _replace(self, child: _Child[Key], memory: int) -> None:
        self._end(child)
        self._children.remove(child)
        self._start(memory)

    def _end(self, child: _Child[Key]) -> None:
        if child.process.stdout is not None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(child.process.stdout)
        child.process.kill()
        child.process.wait()
        for pipe in (child.process.stdin, child.process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _how(code: int | None) -> str:
    import signal

    if code is not None and code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"exit {code}"
