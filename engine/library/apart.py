"""Decoding apart: every picture that this process shows or compares is decoded by another one.

Relies on children.py and decoder.py. A file that crashes a decoder, makes it allocate without end, or keeps it for too
long, ends a child and is refused by name as `decoder_crash`; this process goes on, and the next child is ready within a
fraction of a second. A child of these has one file at a time, so that the blame is never shared.
"""

from __future__ import annotations

import itertools
import os
import select
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from engine.errors import ProofsheetError
from engine.library import children, workers
from engine.library.children import BYTES_A_PIXEL, MEMORY, Child, Kind
from engine.library.source import UnreadableImage
from engine.library.workers import out_of_memory

if TYPE_CHECKING:
    from PIL.Image import Image

    from engine.library.metadata import FileMetadata
    from engine.library.model import Format

MAX_PIXELS = 400_000_000
_BLOCK = 1 << 16
_LEAST_BYTES = 16 * 1024 * 1024
_numbers = itertools.count()
_lock = threading.Lock()
_shared: dict[int, Apart] = {}


def decode(
    path: str | os.PathLike[str], box: tuple[int, int] | None = None, max_pixels: int = MAX_PIXELS, quick: int = 0
) -> Image:
    """As `Apart.decode`, by children that all bulk work of this process shares, one a core."""
    return _bulk(max_pixels).decode(path, box, quick)


def describe(path: str | os.PathLike[str]) -> tuple[Format, FileMetadata]:
    """As `metadata.read_metadata`, which for some formats asks a native library. Raises UnreadableImage."""
    return _bulk(MAX_PIXELS).describe(path)


def size_of(path: str | os.PathLike[str], max_pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Width and height as displayed, in pixels, by the header alone. Raises UnreadableImage."""
    return _bulk(max_pixels).size_of(path)


def _bulk(max_pixels: int) -> Apart:
    with _lock:
        return _shared.setdefault(max_pixels, Apart(max_pixels, count=max(2, os.cpu_count() or 1)))


class Apart:
    """At most `count` children, started when they are first needed; those who ask beyond that wait. For any thread."""

    def __init__(
        self,
        max_pixels: int,
        *,
        count: int = 2,
        memory: int = MEMORY,
        patience: float | None = None,
        command: tuple[str, ...] | None = None,
    ) -> None:
        self._max_pixels = max_pixels
        self._patience = workers.PATIENCE if patience is None else patience
        self._command = command
        self._memory = memory
        self._turns = threading.BoundedSemaphore(count)
        # More than the pixels of the largest picture permitted no child has to give; an encoder's input may be more
        # than a tiny picture's.
        self._most_bytes = max(_LEAST_BYTES, 3 * max_pixels)

    def decode(self, path: str | os.PathLike[str], box: tuple[int, int] | None = None, quick: int = 0) -> Image:
        """As `decode.decode` does: RGB, upright, in sRGB, fitted into `box`. Raises UnreadableImage, also where the
        decoder did not survive it.

        `quick`, a JPEG's orientation (1 to 8), asks for a picture that fills the box instead, as `quick.quick` gives.
        """
        from PIL import Image

        found, pixels = self.ask("decode", path, box=box, quick=quick)
        with _understood():
            width, height = found["size"]
            if len(pixels) != 3 * width * height:
                raise ValueError("not as many bytes as pixels")
            return Image.frombuffer("RGB", (width, height), pixels, "raw", "RGB", 0, 1)

    def describe(self, path: str | os.PathLike[str]) -> tuple[Format, FileMetadata]:
        """As `metadata.read_metadata` does. Raises UnreadableImage."""
        from engine.library.findings import StoredMetadata
        from engine.library.metadata import FileMetadata

        found, _ = self.ask("describe", path)
        with _understood():
            said = found["said"]
            said["size"] = tuple(said["size"]) if said["size"] else None
            said["tables"] = [tuple(table) for table in said["tables"]]
            said["stored"] = StoredMetadata(**said["stored"])
            return found["kind"], FileMetadata(**said)

    def size_of(self, path: str | os.PathLike[str]) -> tuple[int, int]:
        """As the function of that name does."""
        found, _ = self.ask("size", path)
        with _understood():
            width, height = found["size"]
            return int(width), int(height)

    def warm(self) -> None:
        """Have a child ready, or on its way, for the first who asks. Waits for nothing."""
        children.warm(self._kind())

    def _kind(self, memory: int | None = None) -> Kind:
        return Kind(self._command or children.COMMAND, memory or self._memory)

    def ask(self, do: str, path: str | os.PathLike[str], **more: Any) -> tuple[Mapping[str, Any], bytearray]:
        """What a child answers to a request, and the bytes that it left in the shared memory. Raises UnreadableImage,
        also where the decoder did not survive it."""
        asked = {"do": do, "path": os.fspath(path), **more}
        since = children.era()
        with self._turns:
            said, pixels = self._once_or_twice(asked, self._kind(), since)
            if said.get("starved"):  # again, with the memory that the largest picture permitted may need
                large = self._kind(self._memory + BYTES_A_PIXEL * self._max_pixels)
                said, pixels = self._once_or_twice(asked, large, since)
                if said.get("starved"):
                    with _understood():
                        code, reason = out_of_memory(said, large.memory)
                    raise UnreadableImage(code, reason)
        with _understood():
            if "failed" in said:
                name, message, _ = said["failed"]
                code, reason = "decoder_crash", f"decoding failed ({name}: {message})"
            elif "refused" in said:
                code, reason = said["refused"]
            else:
                return said["found"], pixels
        raise UnreadableImage(code, reason)

    def _once_or_twice(self, asked: dict[str, Any], kind: Kind, since: int) -> tuple[Mapping[str, Any], bytearray]:
        """Once more where the child was killed from outside, so that the file is not blamed for what it did not do."""
        said, pixels = self._once(asked, kind, since)
        return self._once(asked, kind, since) if said.get("killed") else (said, pixels)

    def _once(self, asked: dict[str, Any], kind: Kind, since: int) -> tuple[Mapping[str, Any], bytearray]:
        child = self._taken(kind, since)
        is_whole = False
        try:
            until = time.monotonic() + self._patience
            number = next(_numbers)
            child.say(children.asked(job=number, max_pixels=self._max_pixels, **asked))
            said = _answer(child, until, number)
            found = said.get("found", {})
            count = found.get("bytes", 0) if isinstance(found, dict) else None
            if not isinstance(count, int) or not 0 <= count <= self._most_bytes:
                raise children.Garbled
            pixels = _pixels(child, count)
            is_whole = kind == self._kind()
            return said, pixels
        except TimeoutError:
            return {"refused": ["decoder_crash", children.late(self._patience)]}, bytearray()
        except children.Garbled:
            return {"refused": ["decoder_crash", children.garbled()]}, bytearray()
        except (EOFError, OSError) as error:
            if child.is_ended:
                raise children.ended() from error
            children.end(child)
            refused = ["decoder_crash", children.crashed(child)]
            return {"refused": refused, "killed": children.is_from_outside(child)}, bytearray()
        finally:
            if is_whole:
                children.give_back(child)
            else:
                children.end(child)

    def _taken(self, kind: Kind, since: int) -> Child:
        """A child that has said that it is ready."""
        try:
            child = children.take(kind, since)
        except OSError as error:
            raise ProofsheetError(f"no decoder process starts: {error.strerror}", remedy=_REMEDY) from error
        try:
            if not child.is_ready:
                _answer(child, time.monotonic() + self._patience)
                child.is_ready = True
        except (EOFError, OSError, children.Garbled) as error:  # a TimeoutError is an OSError
            was_ours = child.is_ended
            children.end(child)
            if was_ours:
                raise children.ended() from error
            raise ProofsheetError("a decoder process does not start", remedy=_REMEDY) from error
        return child


_REMEDY = "See that there is enough memory; then `proofsheet doctor`."


@contextmanager
def _understood() -> Iterator[None]:
    """What a child answered is taken to pieces: what does not fit is a refusal of the file, as the child's death is."""
    try:
        yield
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise UnreadableImage("decoder_crash", children.garbled()) from error


def _answer(child: Child, until: float, number: int | None = None) -> dict[str, Any]:
    """The next thing that a child says, to that job's number if there is one. Raises EOFError when it is dead,
    TimeoutError when it is too late, Garbled when it cannot be understood."""
    waiting = select.poll()
    waiting.register(child.output, select.POLLIN)
    while True:
        if not waiting.poll(max(0.0, until - time.monotonic()) * 1000):
            raise TimeoutError
        got = os.read(child.output, _BLOCK)
        if not got:
            raise EOFError
        said = [one for one in children.taken_in(child, got) if "began" not in one]
        if said:
            if len(said) > 1 or said[0].get("job") != number:
                raise children.Garbled
            return said[0]


def _pixels(child: Child, count: int) -> bytearray:
    """What lies in the shared memory: copied by the kernel, so that nothing a broken child does to it can hurt here.
    Raises EOFError where there is less than it says."""
    pixels = bytearray(count)
    left, at = memoryview(pixels), 0
    while left:
        read = os.preadv(child.shared, [left], at)
        if not read:
            raise EOFError
        at, left = at + read, left[read:]
    return pixels
