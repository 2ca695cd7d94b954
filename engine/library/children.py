"""The decoder processes themselves: started, kept warm for whoever comes next, and ended. Never forked.

Relies on decoder.py's command line. All are started by one thread that lives as long as this process does, because the
kernel ends a child when the thread that started it ends. An idle one is kept, so that a preview, a scan and a study
after one another start no process each. Pixels come back through a file in memory that parent and child share: neither
pickled nor pushed through a pipe. (multiprocessing's shared memory would start a tracker process, which a running
Textual app breaks.)
"""

from __future__ import annotations

import atexit
import contextlib
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import ProofsheetError

# -P: what lies in the folder that the person stands in (a PIL.py among the photographs) is never imported.
COMMAND = (sys.executable, "-P", "-m", "engine.library.decoder")
MEMORY = 1024 * 1024 * 1024
MOST_SAID = 32 * 1024 * 1024  # bytes in one answer: no picture says that much of itself
BYTES_A_PIXEL = 8  # of the largest picture permitted, while it is decoded and converted
_FAULTS = {signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE, signal.SIGILL} | {
    getattr(signal, name) for name in ("SIGBUS", "SIGTRAP", "SIGSYS") if hasattr(signal, name)
}
_BURIAL_SECONDS = 2.0
# What is idle beyond the most goes after a moment, for between two batches all children of a bulk job are idle at once,
# and starting one costs as much as decoding dozens of files; the rest after a while, but for a few.
_MOST_IDLE, _MOMENT = 4, 2.0
_ALWAYS_KEPT, _A_WHILE = 2, 20.0
_KEPT_BYTES = 32 * 1024 * 1024  # of shared memory that an idle child may go on holding
_ROOT = str(Path(__file__).resolve().parents[2])
_ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True, slots=True)
class Kind:
    """What tells one child from another: its program, the most private memory it may have (bytes), its threads."""

    command: tuple[str, ...] = COMMAND
    memory: int = MEMORY
    threads: int = 1


@dataclass(eq=False, slots=True)
class Child:
    """A process. `shared` is the descriptor of the memory that it answers pixels in; `is_ready` once it has said so;
    `is_ended` when it was ended from here."""

    process: subprocess.Popen[bytes]
    kind: Kind
    shared: int
    is_ready: bool = False
    is_ended: bool = False
    idle_since: float = 0.0
    held: bytearray = field(default_factory=bytearray)  # what it said that nobody has taken in yet

    def say(self, line: bytes) -> None:
        """Write a line to it. Raises OSError when it is dead."""
        if self.process.stdin is None:
            raise BrokenPipeError
        self.process.stdin.write(line)

    @property
    def output(self) -> int:
        """The descriptor that its answers are read from."""
        if self.process.stdout is None:
            raise BrokenPipeError
        return self.process.stdout.fileno()


_lock = threading.Lock()
_idle: list[Child] = []
_busy: set[Child] = set()  # those that were taken, until they are given back or ended
_era = 0  # how often those at work were ended: what was begun before is over
_orders: queue.SimpleQueue[tuple[Kind, Future[Child]] | None] = queue.SimpleQueue()
_is_watched = False  # whether the thread that takes orders looks after the idle ones, too
_starter: threading.Thread | None = None


def era() -> int:
    """What `take` is told, so that work begun before `end_busy` goes on with no new child after it."""
    return _era


def take(kind: Kind, since: int) -> Child:
    """An idle child of that kind that still lives, or a new one that may not be ready yet, for work begun in the era
    `since`. Raises OSError where the system starts none, ProofsheetError where that work was ended."""
    while True:
        with _lock:
            if since != _era:
                raise ended()
            found = next((child for child in reversed(_idle) if child.kind == kind), None)
            if found is None:
                break
            _idle.remove(found)
            _busy.add(found)
        if found.process.poll() is None:
            return found
        end(found)
    new = _ordered(kind).result()
    with _lock:
        if since == _era:
            _busy.add(new)
            return new
    end(new)
    raise ended()


def warm(kind: Kind) -> None:
    """Have a child of that kind ready, or on its way, for whoever comes next. Waits for nothing."""
    with _lock:
        if any(child.kind == kind for child in _idle):
            return
    _ordered(kind).add_done_callback(lambda done: None if done.exception() else give_back(done.result()))


def ended() -> ProofsheetError:
    """What those hear who waited for a child that was ended with the work it was at."""
    return ProofsheetError("the decoders were ended")


def give_back(child: Child) -> None:
    """A child that has nothing to do and is as it was: kept for the next who asks."""
    with contextlib.suppress(OSError):
        if os.fstat(child.shared).st_size > _KEPT_BYTES:
            os.ftruncate(child.shared, 0)
    global _is_watched
    with _lock:
        _busy.discard(child)
        if not child.is_ended:
            child.idle_since = time.monotonic()
            _idle.append(child)
        is_to_be_watched = not _is_watched and len(_idle) > _ALWAYS_KEPT
        _is_watched = _is_watched or is_to_be_watched
    if is_to_be_watched:
        _orders.put(None)
    if child.is_ended:
        end(child)


def end(child: Child) -> None:
    """End it at once. Whoever waits for what it says hears its end."""
    child.is_ended = True
    child.process.kill()
    # One that hangs in the kernel (a dead network drive) ends when that lets it go: nobody waits for it here.
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.process.wait(_BURIAL_SECONDS)
    if child.process.stdin is not None:
        with contextlib.suppress(OSError):
            child.process.stdin.close()
    with _lock:
        _busy.discard(child)
        shared, child.shared = child.shared, -1
    if shared >= 0:
        with contextlib.suppress(OSError):
            os.close(shared)
    # What is read from is closed when nobody holds it any more: another thread may be waiting there for the end.


def end_idle() -> None:
    """End those that nobody has work for."""
    with _lock:
        children = [*_idle]
        _idle.clear()
    for child in children:
        end(child)


def end_busy() -> None:
    """End those that are at work, whoever they work for: who waits for one, or for a turn, gets a ProofsheetError.
    Work that begins afterwards starts others."""
    global _era
    with _lock:
        _era += 1
        children = [*_busy]
        for child in children:
            child.is_ended = True
    for child in children:
        child.process.kill()


atexit.register(end_idle)


def _ordered(kind: Kind) -> Future[Child]:
    global _starter
    with _lock:
        if _starter is None:
            _starter = threading.Thread(target=_start_as_ordered, name="decoders", daemon=True)
            _starter.start()
    ordered: Future[Child] = Future()
    _orders.put((kind, ordered))
    return ordered


def _start_as_ordered() -> None:
    from engine.runs.lanes import yield_to_the_screen

    yield_to_the_screen()  # and so do all children, which inherit it
    seconds: float | None = None
    while True:
        try:
            order = _orders.get(timeout=seconds)
        except queue.Empty:
            order = None
        if order is not None:
            kind, ordered = order
            try:
                ordered.set_result(_started(kind))
            except Exception as error:  # noqa: BLE001 - whoever ordered it gets it raised; this thread lives on
                ordered.set_exception(error)
        seconds = _end_long_idle(time.monotonic())


def _end_long_idle(now: float) -> float | None:
    """End those that were idle for too long by then; in how many seconds the next may be, None while there is none.
    What was used last is what is used next, so the first are those that nobody needs."""
    global _is_watched
    overdue: list[Child] = []
    coming: list[float] = []
    with _lock:
        for at, child in enumerate(_idle[:-_ALWAYS_KEPT]):
            left = child.idle_since + (_MOMENT if at < len(_idle) - _MOST_IDLE else _A_WHILE) - now
            if left > 0:
                coming.append(left)
            else:
                overdue.append(child)
        for child in overdue:
            _idle.remove(child)
        _is_watched = bool(coming)
    for child in overdue:
        end(child)
    return min(coming, default=None)


def _started(kind: Kind) -> Child:
    shared = _memory_file()
    try:
        path = os.pathsep.join(part for part in (_ROOT, os.environ.get("PYTHONPATH", "")) if part)
        process = subprocess.Popen(
            [*kind.command, str(kind.memory), str(kind.threads), str(shared), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, **_ALONE, "PYTHONPATH": path},
            pass_fds=(shared,),
            start_new_session=True,  # Ctrl+C is the parent's: it ends its children itself
        )
    except BaseException:
        os.close(shared)
        raise
    return Child(process, kind, shared)


def _memory_file() -> int:
    """A file without a name, in memory where the system has such (Linux)."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("proofsheet-pixels", os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


class Garbled(Exception):
    """A child said what cannot be understood: it is not to be trusted with another file."""


def taken_in(child: Child, data: bytes) -> list[dict[str, Any]]:
    """What a child has said in full by now, `data` being what came last. Raises Garbled."""
    import json

    first, *more = data.split(b"\n")
    child.held += first  # in place: a line without end would be copied with every piece of it
    lines = [bytes(child.held), *more[:-1]] if more else []
    if more:
        child.held = bytearray(more[-1])
    try:
        said = [json.loads(line) for line in lines]
    except (ValueError, RecursionError) as error:
        raise Garbled from error
    if len(child.held) > MOST_SAID or not all(isinstance(one, dict) for one in said):
        raise Garbled
    return said


def is_from_outside(child: Child) -> bool:
    """Whether a signal ended it that no fault of a decoder's raises: the system for want of memory, or a person."""
    code = child.process.returncode
    return code is not None and code < 0 and -code not in _FAULTS


def how_it_ended(code: int | None) -> str:
    """A process's return code, for a person: SIGSEGV, or `exit 7`."""
    if code is not None and code < 0:
        try:
            return signal.Signals(-code).name
        except ValueError:
            return f"signal {-code}"
    return f"exit {code}"


def crashed(child: Child) -> str:
    """Why a file is refused over which this child ended."""
    return f"the decoder crashed over it ({how_it_ended(child.process.returncode)})"


def garbled() -> str:
    """Why a file is refused over which a child said what cannot be understood."""
    return "what the decoder said of it makes no sense"


def late(seconds: float) -> str:
    """Why a file is refused over which a child did not come back."""
    return f"the decoder did not come back within {seconds:g} seconds"


def greedy(memory: int) -> str:
    """Why a file is refused over which a decoder wanted more memory than any picture permitted may need."""
    return f"the decoder wanted more than {memory / 1e9:.1f} GB of memory for it"


def asked(**what: Any) -> bytes:
    """A request, as a child reads it."""
    import json

    return json.dumps(what).encode("ascii") + b"\n"
