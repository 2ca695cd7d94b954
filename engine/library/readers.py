"""Reading files ahead in decoder processes, and taking in what they found in the order in which they were asked for.

Relies on `workers`: no header is read and no picture verified in this process. A bounded number of files is asked for
ahead, so that memory stays small and a stop is quick. No process is started before the first file has to be read.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, cast

from engine.library import children
from engine.library.batch import Folder
from engine.library.reading import Reading
from engine.library.source import UnreadableImage
from engine.library.workers import Decoders

if TYPE_CHECKING:
    from engine.library.model import RefusalCode

# Files asked for ahead for each process: enough to keep it busy while a batch is written, few enough to stop at once.
AHEAD = 32
_PATIENCE = 0.05
_THREADS = 2
_KINDS = {field.name: field.type for field in fields(Reading)}  # name -> `int` or `str`


@dataclass(frozen=True, slots=True)
class Asked:
    """A file to be read, and what is known about it: `image` is its id if it has one, `was_present` whether it was
    there before; `project` is None where it keeps the one that it has; `companions` are those of a new file."""

    path: str
    size: int
    mtime_ns: int
    folder: Folder
    project: str | None
    image: int | None
    was_present: bool
    is_refused: bool
    companions: list[tuple[str, str]] = field(default_factory=list)


class Readers:
    """A few processes that read, and one caller that takes in.

    settle: called with each file and what became of it. close_folder: called after the last file of a folder.
    tick: called often, also while waiting; may raise to stop.
    """

    def __init__(
        self,
        workers: int,
        max_pixels: int,
        *,
        settle: Callable[[Asked, Reading | UnreadableImage], None],
        close_folder: Callable[[Folder], None],
        tick: Callable[[], None],
    ) -> None:
        self._decoders: Decoders[int] = Decoders(workers, max_pixels, threads=_THREADS)
        self._most = workers * AHEAD
        self._number = 0
        self._come: dict[int, Reading | UnreadableImage] = {}
        self._settle = settle
        self._close_folder = close_folder
        self._tick = tick
        self._waiting: deque[tuple[Asked, int] | Folder] = deque()

    def read(self, asked: Asked) -> None:
        """Have a file read; takes in what is finished, and waits where too much is in flight."""
        self._number += 1
        self._decoders.ask(self._number, asked.path, "read")
        self._waiting.append((asked, self._number))
        self.take_in(self._most)

    def end(self, folder: Folder) -> None:
        """All files of a folder were asked for."""
        self._waiting.append(folder)
        self.take_in(self._most)

    def take_in(self, most: int = 0) -> None:
        """Take in finished files, in order, until at most `most` are in flight."""
        while self._waiting:
            self._tick()
            first = self._waiting[0]
            if isinstance(first, Folder):
                self._close_folder(first)
            else:
                asked, number = first
                if number not in self._come:
                    is_enough = len(self._waiting) <= most
                    self._hear(0.0 if is_enough else _PATIENCE)
                    if is_enough and number not in self._come:
                        return
                    continue
                self._settle(asked, self._come.pop(number))
            self._waiting.popleft()

    def close(self) -> None:
        """Begin nothing more; what is being read is forgotten."""
        self._decoders.close()

    def _hear(self, seconds: float) -> None:
        for outcome in self._decoders.hear(seconds):
            if outcome.found is not None:
                self._come[outcome.key] = _reading(outcome.found)
            else:
                code = cast("RefusalCode", outcome.code)
                self._come[outcome.key] = UnreadableImage(code, outcome.reason, frames=outcome.frames)


def _reading(found: Mapping[str, Any]) -> Reading | UnreadableImage:
    """What a process found, once it is what was asked for: a process over which a file has power may say anything."""
    if found.keys() == _KINDS.keys() and all(type(found[name]).__name__ == kind for name, kind in _KINDS.items()):
        return Reading(**found)
    return UnreadableImage("decoder_crash", children.garbled())
