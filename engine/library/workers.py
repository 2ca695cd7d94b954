"""A few decoder processes, kept busy, replaced when they die, and the file that killed one named.

Relies on children.py and decoder.py. Several files are in flight in each; when a child dies, or is too long at one,
each of those that it was at is tried once more alone, so that only the one that did it is blamed. One over which a
child was killed from outside has another chance. All of this runs in the thread that asks for results.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import selectors
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from engine.errors import ProofsheetError
from engine.library import children
from engine.library.children import BYTES_A_PIXEL, MEMORY, Child, Kind
from engine.library.decoder import THREADS

Key = TypeVar("Key")
Wanted = Literal["study", "read"]

PATIENCE = 60.0  # seconds that a child may be at one file, or at none while it has some
# Files that wait in a child for its threads: as many as it may work off while we write a batch.
_IN_FLIGHT = 16
_POLL = 0.05
_MOST_FALSE_STARTS = 3
_NO_START = "See that there is enough memory; then `proofsheet doctor`."


@dataclass(frozen=True, slots=True)
class Outcome(Generic[Key]):
    """What became of a file: `found` (as decoder.py answers), or else a refusal's code and reason. `frames` tell where
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
    wanted: Wanted
    is_large: bool = False
    was_killed: bool = False  # from outside, while this was being worked on


@dataclass(eq=False, slots=True)
class _Worker(Generic[Key]):
    child: Child
    in_flight: dict[int, _Job[Key]] = field(default_factory=dict)
    begun: dict[int, float] = field(default_factory=dict)  # of those in flight: since when each is worked on
    heard_at: float = 0.0
    is_alone: bool = False


class Decoders(Generic[Key]):
    """Up to `count` children of `threads` threads each; leaving the context lets them go. `check` is called often and
    may raise to stop."""

    def __init__(
        self,
        count: int,
        max_pixels: int,
        *,
        check: Callable[[], None] = lambda: None,
        memory: int = MEMORY,
        patience: float | None = None,
        threads: int = THREADS,
        command: tuple[str, ...] | None = None,
    ) -> None:
        self._count = max(1, count)
        self._max_pixels = max_pixels
        self._check = check
        self._patience = PATIENCE if patience is None else patience
        self._kind = Kind(command or children.COMMAND, memory, threads)
        self._large = Kind(self._kind.command, memory + BYTES_A_PIXEL * max_pixels, threads)
        self._workers: list[_Worker[Key]] = []
        self._waiting: deque[_Job[Key]] = deque()
        self._alone: deque[_Job[Key]] = deque()
        self._numbers = itertools.count()
        self._selector = selectors.DefaultSelector()
        self._false_starts = 0
        self._since = children.era()

    def __enter__(self) -> Decoders[Key]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pids(self) -> list[int]:
        """The children's process ids."""
        return [worker.child.process.pid for worker in self._workers]

    @property
    def unanswered(self) -> int:
        """How many files were asked for whose outcome has not come yet."""
        return len(self._waiting) + len(self._alone) + sum(len(worker.in_flight) for worker in self._workers)

    def study(self, files: Iterable[tuple[Key, str]]) -> Iterator[Outcome[Key]]:
        """One pass over each file (key, path), as they finish, in no particular order.

        Raises ProofsheetError where no decoder can be started at all, or all were ended (`children.end_busy`).
        """
        waiting = iter(files)
        most = self._count * _IN_FLIGHT
        is_over = False
        while not (is_over and not self.unanswered):
            self._check()
            while not is_over and self.unanswered < most:
                following = next(waiting, None)
                if following is None:
                    is_over = True
                else:
                    self.ask(*following)
            yield from self.hear(_POLL)

    def ask(self, key: Key, path: str, wanted: Wanted = "study") -> None:
        """Have a file studied or read; `hear` gives what becomes of it."""
        self._waiting.append(_Job(key, path, wanted))

    def hear(self, seconds: float) -> list[Outcome[Key]]:
        """What has come by now, or within so many seconds; keeps the children busy. Raises as `study` does."""
        if self._since != children.era():
            raise children.ended()
        self._grow()
        self._feed()
        outcomes: list[Outcome[Key]] = []
        for ready, _ in self._selector.select(seconds):
            outcomes += self._heard(ready.data)
        outcomes += self._without_the_silent()
        self._feed()
        return outcomes

    def close(self) -> None:
        """Let the children go: those that have nothing to do stay ready for others, the rest are ended at once."""
        for worker in self._workers:
            self._unregister(worker)
            if worker.child.is_ready and not worker.in_flight and worker.child.kind == self._kind:
                children.give_back(worker.child)
            else:
                children.end(worker.child)
        self._workers.clear()
        self._selector.close()

    # -- giving out work ----------------------------------------------------------------------------------------

    def _grow(self) -> None:
        """As many children as there is work for: the first few files need but one."""
        wanted = min(self._count, -(-self.unanswered // max(1, self._kind.threads)))
        while len(self._workers) < wanted:
            self._start(self._kind)

    def _feed(self) -> None:
        """Give the children what they can take, the least busy first."""
        share = max(self._kind.threads, -(-self.unanswered // self._count))
        for worker in list(self._workers):
            if worker.child.is_ready and not (worker.is_alone and worker.in_flight):
                worker.is_alone = False
                if self._alone:
                    self._feed_alone(worker)
                elif worker.child.kind != self._kind and not worker.in_flight:
                    self._replace(worker, self._kind)
        while self._waiting and not self._alone:
            able = [
                worker
                for worker in self._workers
                if worker.child.is_ready and not worker.is_alone and worker.child.kind == self._kind
            ]
            least = min(able, key=lambda worker: len(worker.in_flight), default=None)
            if least is None or len(least.in_flight) >= min(_IN_FLIGHT, share):
                return
            if not self._send(least, self._waiting.popleft()):
                return

    def _feed_alone(self, worker: _Worker[Key]) -> None:
        """A suspect has a child to itself, one with the memory that it needs."""
        if worker.in_flight:
            return  # it becomes free for the suspects first
        job = self._alone[0]
        if job.is_large and worker.child.kind != self._large:
            self._replace(worker, self._large)
            return
        self._alone.popleft()
        worker.is_alone = True
        self._send(worker, job)

    def _send(self, worker: _Worker[Key], job: _Job[Key]) -> bool:
        number = next(self._numbers)
        if not worker.in_flight:
            worker.heard_at = time.monotonic()
        worker.in_flight[number] = job
        try:
            worker.child.say(children.asked(job=number, do=job.wanted, path=job.path, max_pixels=self._max_pixels))
        except OSError:  # it died: its end is heard of next
            return False
        return True

    # -- taking in results --------------------------------------------------------------------------------------

    def _heard(self, worker: _Worker[Key]) -> Iterator[Outcome[Key]]:
        if worker not in self._workers:
            return
        child = worker.child
        data = os.read(child.output, 1 << 16)
        if not data:
            yield from self._bury(worker, "")
            return
        worker.heard_at = time.monotonic()
        try:
            for said in children.taken_in(child, data):
                outcome = self._taken_in(worker, said)
                if outcome is not None:
                    yield outcome
        except children.Garbled:
            yield from self._bury(worker, children.garbled())

    def _taken_in(self, worker: _Worker[Key], said: Mapping[str, Any]) -> Outcome[Key] | None:
        """What a line comes to, if it is a file's outcome. Raises Garbled."""
        if "ready" in said:
            worker.child.is_ready, self._false_starts = True, 0
            return None
        try:
            number = said["began"] if "began" in said else said["job"]
            job = worker.in_flight[number]
            if "began" in said:
                worker.begun[number] = worker.heard_at
                return None
            outcome = self._outcome(job, said)
        except (KeyError, TypeError, ValueError) as error:
            raise children.Garbled from error
        del worker.in_flight[number]
        worker.begun.pop(number, None)
        return outcome

    def _outcome(self, job: _Job[Key], said: Mapping[str, Any]) -> Outcome[Key] | None:
        """What an answer comes to; None where the file is tried again, with more memory."""
        if "found" in said:
            if not isinstance(said["found"], dict):
                raise TypeError("an answer is a document")
            return Outcome(job.key, job.path, said["found"])
        if "failed" in said:
            name, message, frames = said["failed"]
            return Outcome(job.key, job.path, None, "decoder_crash", f"decoding failed ({name}: {message})", frames)
        if not said.get("starved"):
            code, reason = said["refused"]
            return Outcome(job.key, job.path, None, code, reason)
        if not job.is_large:
            job.is_large = True
            self._alone.append(job)
            return None
        return Outcome(job.key, job.path, None, *out_of_memory(said, self._large.memory))

    def _without_the_silent(self) -> Iterator[Outcome[Key]]:
        now = time.monotonic()
        for worker in list(self._workers):
            # Each file has its own time: what a child says of others is no sign of life of the one that hangs.
            since = min(worker.begun.values(), default=worker.heard_at)
            if (worker.in_flight or not worker.child.is_ready) and now - since > self._patience:
                yield from self._bury(worker, children.late(self._patience))

    def _bury(self, worker: _Worker[Key], why: str) -> Iterator[Outcome[Key]]:
        """A child is dead or has to be: blame the file that it had to itself; else try each of those that it was at
        alone. Those that it had not begun wait for another, as if they had not been given out."""
        if self._since != children.era():
            raise children.ended()
        self._end(worker)
        is_from_outside = not why and children.is_from_outside(worker.child)
        suspects = [job for number, job in worker.in_flight.items() if number in worker.begun]
        innocent = [job for number, job in worker.in_flight.items() if number not in worker.begun]
        if not worker.begun:  # it is not known what it was at
            suspects, innocent = innocent, []
        self._waiting.extendleft(reversed(innocent))
        if not worker.child.is_ready:
            self._false_starts += 1
            self._alone.extend(suspects)
            if self._false_starts >= _MOST_FALSE_STARTS:
                what = "do not answer" if why else "end as soon as they are started"
                raise ProofsheetError(f"the decoder processes {what}", remedy=_NO_START)
            return
        was_alone = worker.is_alone and len(suspects) == 1
        if was_alone and not (is_from_outside and not suspects[0].was_killed):
            job = suspects[0]
            yield Outcome(job.key, job.path, None, "decoder_crash", why or children.crashed(worker.child))
            return
        for job in suspects:
            job.was_killed = job.was_killed or (is_from_outside and was_alone)
        self._alone.extend(suspects)

    # -- processes ----------------------------------------------------------------------------------------------

    def _start(self, kind: Kind) -> None:
        try:
            child = children.take(kind, self._since)
        except OSError as error:
            raise ProofsheetError(f"no decoder process starts: {error.strerror}", remedy=_NO_START) from error
        worker: _Worker[Key] = _Worker(child, heard_at=time.monotonic())
        self._workers.append(worker)
        self._selector.register(child.output, selectors.EVENT_READ, worker)

    def _replace(self, worker: _Worker[Key], kind: Kind) -> None:
        self._end(worker)
        self._start(kind)

    def _end(self, worker: _Worker[Key]) -> None:
        self._unregister(worker)
        self._workers.remove(worker)
        children.end(worker.child)

    def _unregister(self, worker: _Worker[Key]) -> None:
        with contextlib.suppress(KeyError, ValueError, OSError):
            self._selector.unregister(worker.child.output)


def out_of_memory(said: Mapping[str, Any], memory: int) -> tuple[Any, ...]:
    """Code and reason for a file that was refused for want of memory with all that the largest picture permitted may
    need: a picture that is really large, or else a decoder that asks without end."""
    if said.get("pixels", 0) * BYTES_A_PIXEL * 4 >= memory:
        return tuple(said["refused"])
    return "decoder_crash", children.greedy(memory)
