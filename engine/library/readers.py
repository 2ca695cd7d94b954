"""Reading files ahead in a few threads, and taking in what they found in the order in which they were asked for.

Relies on reading.py, and for brittle formats on `apart`. At most a few files a thread are in flight, so that memory
stays small and a stop is quick.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field

from engine.library.apart import Apart, is_brittle
from engine.library.batch import Folder
from engine.library.reading import Reading, read_image
from engine.library.source import UnreadableImage

# Files in flight for each thread: enough to keep it busy, few enough to stop at once.
AHEAD = 8
_PATIENCE = 0.05


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
    """A few threads that read, and one caller that takes in.

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
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="scan")
        self._apart = Apart(max_pixels, count=workers)
        self._most = workers * AHEAD
        self._max_pixels = max_pixels
        self._settle = settle
        self._close_folder = close_folder
        self._tick = tick
        self._waiting: deque[tuple[Asked, Future[Reading | UnreadableImage]] | Folder] = deque()

    def read(self, asked: Asked) -> None:
        """Have a file read; takes in what is finished, and waits where too much is in flight."""
        self._waiting.append((asked, self._pool.submit(self._read, asked.path)))
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
                asked, future = first
                if len(self._waiting) <= most and not future.done():
                    return
                try:
                    outcome = future.result(timeout=_PATIENCE)
                except NotYet:
                    continue
                self._settle(asked, outcome)
            self._waiting.popleft()

    def close(self) -> None:
        """Begin nothing more; what is being read is read to its end and forgotten."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        self._apart.close()

    def _read(self, path: str) -> Reading | UnreadableImage:
        try:
            return self._apart.read(path) if is_brittle(path) else read_image(path, self._max_pixels)
        except UnreadableImage as error:
            error.__traceback__ = error.__cause__ = error.__context__ = None  # they would keep the file's bytes alive
            return error
