"""Decoding apart: the formats whose decoders are large and brittle are read and shown by a process of their own.

Relies on apart_child.py and plain pipes. RAW, HEIC, AVIF and TIFF go to LibRaw, libheif, an AV1 decoder and libtiff: a
file that crashes one of those, or makes it allocate without end, ends a child, and is refused by name as
`decoder_crash`; this process goes on. A child has one file at a time, so that the blame is never shared. The other
formats are decoded here: their decoders are small and hardened, and starting a process would take longer.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from engine.errors import ProofsheetError
from engine.library import decode as decoding
from engine.library import formats
from engine.library.source import UnreadableImage
from engine.library.workers import how_it_ended

if TYPE_CHECKING:
    from PIL.Image import Image

    from engine.library.reading import Reading

BRITTLE = frozenset({"raw", "heic", "avif", "tiff"})
MEMORY = 1024 * 1024 * 1024
PATIENCE = 60.0  # seconds that a file may take
CHILDREN = 2
_BYTES_A_PIXEL = 8  # of the largest picture permitted, while it is decoded and converted
_BLOCK = 1 << 20
_BURIAL_SECONDS = 2.0
_lock = threading.Lock()
_shared: dict[int, Apart] = {}
_ROOT = str(Path(__file__).resolve().parents[2])


def is_brittle(path: str | os.PathLike[str]) -> bool:
    """Whether a file of that name is decoded apart. One whose content is something else is refused undecoded."""
    return not BRITTLE.isdisjoint(formats.EXTENSIONS.get(formats.extension(os.fspath(path)), ()))


@dataclass(slots=True)
class _Child:
    process: subprocess.Popen[bytes]
    is_ended: bool = False  # by us


def decode(
    path: str | os.PathLike[str], box: tuple[int, int] | None = None, max_pixels: int = decoding.MAX_PIXELS
) -> Image:
    """As `decode.decode`, apart where the format is brittle, by children that all of this process share."""
    if not is_brittle(path):
        return decoding.decode(path, box, max_pixels)
    with _lock:
        pool = _shared.setdefault(max_pixels, Apart(max_pixels))
    return pool.decode(path, box)


def close() -> None:
    """End the shared children; the next who asks starts others."""
    with _lock:
        pools = list(_shared.values())
    for pool in pools:
        pool.close()


class Apart:
    """At most `count` children, started when they are first needed; those who ask beyond that wait. For any thread."""

    def __init__(
        self,
        max_pixels: int,
        *,
        count: int = CHILDREN,
        memory: int = MEMORY,
        patience: float = PATIENCE,
        command: tuple[str, ...] = (sys.executable, "-m", "engine.library.apart_child"),
    ) -> None:
        self._max_pixels = max_pixels
        self._memory = memory
        self._patience = patience
        self._command = command
        self._turns = threading.BoundedSemaphore(count)
        self._lock = threading.Lock()
        self._idle: list[_Child] = []
        self._busy: list[_Child] = []

    def decode(self, path: str | os.PathLike[str], box: tuple[int, int] | None = None) -> Image:
        """As `decode.decode` does. Raises UnreadableImage, also where the decoder did not survive it."""
        from PIL import Image

        said, pixels = self._ask({"do": "decode", "path": os.fspath(path), "box": box})
        return Image.frombytes("RGB", tuple(said["size"]), pixels)

    def read(self, path: str) -> Reading:
        """As `reading.read_image` does. Raises UnreadableImage, also where the decoder did not survive it."""
        from engine.library.reading import Reading

        said, _ = self._ask({"do": "read", "path": path})
        return Reading(**said["reading"])

    def close(self) -> None:
        """End every child at once; whoever waits for one gets a ProofsheetError."""
        with self._lock:
            children, self._idle = [*self._idle, *self._busy], []
            for child in children:
                child.is_ended = True
        for child in children:
            _end(child)

    def _ask(self, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        with self._turns:
            said, rest = self._once(asked, self._memory)
            if said.get("starved"):  # again, with the memory that the largest picture permitted may need
                said, rest = self._once(asked, self._memory + _BYTES_A_PIXEL * self._max_pixels)
        if "refused" in said:
            raise UnreadableImage(*said["refused"])
        return said, rest

    def _once(self, asked: dict[str, Any], memory: int) -> tuple[dict[str, Any], bytes]:
        child = self._taken(memory)
        is_whole = False
        try:
            said, rest = self._answer(child, asked)
            is_whole = memory == self._memory
            return said, rest
        except TimeoutError:
            why = f"the decoder did not come back within {self._patience:g} seconds"
            return {"refused": ["decoder_crash", why]}, b""
        except (EOFError, OSError) as error:
            if child.is_ended:
                raise ProofsheetError("the decoders were ended") from error
            _end(child)
            how = how_it_ended(child.process.returncode)
            return {"refused": ["decoder_crash", f"the decoder crashed over it ({how})"]}, b""
        finally:
            with self._lock:
                self._busy.remove(child)
                is_kept = is_whole and not child.is_ended
                if is_kept:
                    self._idle.append(child)
            if not is_kept:
                _end(child)

    def _taken(self, memory: int) -> _Child:
        """An idle child that still lives, or a new one that has said that it is ready."""
        with self._lock:
            while self._idle and memory == self._memory:
                child = self._idle.pop()
                if child.process.poll() is None:
                    self._busy.append(child)
                    return child
                _end(child)
            child = _Child(self._started(memory))
            self._busy.append(child)
        try:
            self._line(child, time.monotonic() + self._patience)
        except (EOFError, OSError) as error:  # a TimeoutError is an OSError
            with self._lock:
                self._busy.remove(child)
            was_ours = child.is_ended
            _end(child)
            what = "the decoders were ended" if was_ours else "a decoder process does not start"
            raise ProofsheetError(what, remedy="See that there is enough memory; then `proofsheet doctor`.") from error
        return child

    def _started(self, memory: int) -> subprocess.Popen[bytes]:
        single = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
        path = os.pathsep.join(part for part in (_ROOT, os.environ.get("PYTHONPATH", "")) if part)
        return subprocess.Popen(
            [*self._command, str(self._max_pixels), str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={**os.environ, **single, "PYTHONPATH": path},
            start_new_session=True,  # Ctrl+C is the parent's: it ends its children itself
        )

    def _answer(self, child: _Child, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        until = time.monotonic() + self._patience
        _pipe(child.process.stdin).write(json.dumps(asked).encode("ascii") + b"\n")
        line, rest = self._line(child, until)
        said = json.loads(line)
        left = said.get("bytes", 0) - len(rest)
        parts = [rest]
        while left > 0:
            part = _some(child, until)
            parts.append(part)
            left -= len(part)
        return said, b"".join(parts)

    def _line(self, child: _Child, until: float) -> tuple[bytes, bytes]:
        """One line, and what came behind it."""
        got = b""
        while b"\n" not in got:
            got += _some(child, until)
        line, _, rest = got.partition(b"\n")
        return line, rest


def _some(child: _Child, until: float) -> bytes:
    """The next bytes that a child says. Raises EOFError when it is dead, TimeoutError when it is too late."""
    pipe = _pipe(child.process.stdout)
    with selectors.DefaultSelector() as selector:
        selector.register(pipe, selectors.EVENT_READ)
        if not selector.select(max(0.0, until - time.monotonic())):
            raise TimeoutError
    got = os.read(pipe.fileno(), _BLOCK)
    if not got:
        raise EOFError
    return got


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    if end is None:
        raise EOFError
    return end


def _end(child: _Child) -> None:
    child.process.kill()
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.process.wait(_BURIAL_SECONDS)
    if child.process.stdin is not None:
        with contextlib.suppress(OSError):
            child.process.stdin.close()
    # What is read from is closed when nobody holds it any more: another thread may be waiting there for the end.
