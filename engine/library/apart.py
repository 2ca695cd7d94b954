"""Decoding apart: every picture that this process shows or compares is decoded by another one.

Relies on children.py and decoder.py. A file that crashes a decoder, makes it allocate without end, or keeps it for too
long, ends a child and is refused by name as `decoder_crash`; this process goes on, and the next child is ready within a
fraction of a second. A child of these has one file at a time, so that the blame is never shared.
"""

from __future__ import annotations

import json
import os
import select
import threading
import time
from collections.abc import Mapping
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

    def decode(self, path: str | os.PathLike[str], box: tuple[int, int] | None = None, quick: int = 0) -> Image:
        """As `decode.decode` does: RGB, upright, in sRGB, fitted into `box`. Raises UnreadableImage, also where the
        decoder did not survive it.

        `quick`, a JPEG's orientation (1 to 8), asks for a picture that fills the box instead, as `quick.quick` gives.
        """
        from PIL import Image

        found, pixels = self.ask("decode", path, box=box, quick=quick)
        return Image.frombuffer("RGB", tuple(found["size"]), pixels, "raw", "RGB", 0, 1)

    def describe(self, path: str | os.PathLike[str]) -> tuple[Format, FileMetadata]:
        """As `metadata.read_metadata` does. Raises UnreadableImage."""
        from engine.library.findings import StoredMetadata
        from engine.library.metadata import FileMetadata

        found, _ = self.ask("describe", path)
        said = found["said"]
        said["size"] = tuple(said["size"]) if said["size"] else None
        said["tables"] = [tuple(table) for table in said["tables"]]
        said["stored"] = StoredMetadata(**said["stored"])
        return found["kind"], FileMetadata(**said)

    def size_of(self, path: str | os.PathLike[str]) -> tuple[int, int]:
        """As the function of that name does."""
        found, _ = self.ask("size", path)
        width, height = found["size"]
        return width, height

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
            said, pixels = self._once(asked, self._kind(), since)
            if said.get("starved"):  # again, with the memory that the largest picture permitted may need
                large = self._kind(self._memory + BYTES_A_PIXEL * self._max_pixels)
                said, pixels = self._once(asked, large, since)
                if said.get("starved"):
                    raise UnreadableImage(*out_of_memory(said, large.memory))
        if "failed" in said:
            name, message, _ = said["failed"]
            raise UnreadableImage("decoder_crash", f"decoding failed ({name}: {message})")
        if "refused" in said:
            raise UnreadableImage(*said["refused"])
        return said["found"], pixels

    def _once(self, asked: dict[str, Any], kind: Kind, since: int) -> tuple[Mapping[str, Any], bytearray]:
        child = self._taken(kind, since)
        is_whole = False
        try:
            until = time.monotonic() + self._patience
            child.say(children.asked(job=0, max_pixels=self._max_pixels, **asked))
            said = _answer(child, until)
            pixels = _pixels(child, said.get("found", {}).get("bytes", 0))
            is_whole = kind == self._kind()
            return said, pixels
        except TimeoutError:
            return {"refused": ["decoder_crash", children.late(self._patience)]}, bytearray()
        except (EOFError, OSError) as error:
            if child.is_ended:
                raise children.ended() from error
            children.end(child)
            return {"refused": ["decoder_crash", children.crashed(child)]}, bytearray()
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
        except (EOFError, OSError) as error:  # a TimeoutError is an OSError
            was_ours = child.is_ended
            children.end(child)
            if was_ours:
                raise children.ended() from error
            raise ProofsheetError("a decoder process does not start", remedy=_REMEDY) from error
        return child


_REMEDY = "See that there is enough memory; then `proofsheet doctor`."


def _answer(child: Child, until: float) -> dict[str, Any]:
    """The next line that a child says. Raises EOFError when it is dead, TimeoutError when it is too late."""
    waiting = select.poll()
    waiting.register(child.output, select.POLLIN)
    while b"\n" not in child.held:
        if not waiting.poll(max(0.0, until - time.monotonic()) * 1000):
            raise TimeoutError
        got = os.read(child.output, _BLOCK)
        if not got:
            raise EOFError
        child.held += got
    line, _, child.held = child.held.partition(b"\n")
    said: dict[str, Any] = json.loads(line)
    return said


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
