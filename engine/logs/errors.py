"""errors.jsonl: every error and every refused file as one JSON object a line, for the repair room to group.

Relies on the file system alone. Appended by any number of threads and processes: a batch is one write to a file
opened for appending, under a lock of the file, and on the disk before `append` returns. A line that a crash cut short
is ended before the next is written, so that it costs itself and no other.
"""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import json
import linecache
import os
import platform
import re
import threading
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, BinaryIO

from engine.clock import Clock, iso, utc_now
from engine.logs.masking import masked

_VERSIONS_OF = ("proofsheet", "pillow", "numpy", "simplejpeg", "pillow-heif", "rawpy")
_VARIABLE = re.compile(r"0x[0-9a-f]+|\d[\d,. ]*|'[^']*'|\"[^\"]*\"|/\S+", re.IGNORECASE)
MOST_BYTES = 64_000_000  # a larger file is put aside, and a new one begun
_thread_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """One error. `type` is a refusal's code or an exception's name; `frames` are {"file", "line", "function", "code"}
    and, where Python tells, "columns", the outermost first; `context` names the file and the operation, and whatever
    else helps."""

    type: str
    message: str
    run: str | None = None
    level: str = "error"
    frames: Sequence[Mapping[str, Any]] = ()
    context: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The same for errors that differ only in paths, numbers and quoted names: 16 hexadecimal digits."""
        place = "|".join(f"{frame.get('file')}:{frame.get('function')}" for frame in self.frames)
        subject = "|".join((self.type, str(self.context.get("operation", "")), place, _VARIABLE.sub("*", self.message)))
        return hashlib.sha256(subject.encode("utf-8", "backslashreplace")).hexdigest()[:16]


def refusal(
    path: str,
    code: str,
    reason: str,
    *,
    operation: str,
    run: str | None = None,
    frames: Sequence[Mapping[str, Any]] = (),
) -> ErrorRecord:
    """A file that was passed over. `path` must be printable; `frames` tell where our own code failed over it."""
    level = "error" if code == "decoder_crash" else "warning"
    context = {"file": path, "operation": operation}
    return ErrorRecord(type=code, message=reason, run=run, level=level, frames=frames, context=context)


def of_exception(error: BaseException, *, operation: str, run: str | None = None, **context: Any) -> ErrorRecord:
    """An exception with its frames and code lines, outermost first."""
    frames = [_frame_document(frame) for frame in traceback.extract_tb(error.__traceback__)]
    return ErrorRecord(
        type=_name_of(type(error)),
        message=str(error),
        run=run,
        frames=frames,
        context={"operation": operation, **context},
    )


def _frame_document(frame: traceback.FrameSummary) -> dict[str, Any]:
    """A frame as it is logged; `columns` are what failed of its code line, in characters, where Python tells."""
    code = (frame.line or "").rstrip()
    told: dict[str, Any] = {"file": frame.filename, "line": frame.lineno or 0, "function": frame.name, "code": code}
    if code and frame.colno is not None and frame.end_colno is not None:
        whole = linecache.getline(frame.filename, frame.lineno or 0)
        indent = len(whole) - len(whole.lstrip())
        raw = whole.encode()  # Python counts bytes
        start = len(raw[: frame.colno].decode("utf-8", "ignore")) - indent
        end = len(raw[: frame.end_colno].decode("utf-8", "ignore")) - indent
        end = end if frame.end_lineno == frame.lineno else len(code)
        if whole.strip() == code.strip() and 0 <= start < end <= len(code):
            told["columns"] = [start, end]
    return told


def _name_of(kind: type[BaseException]) -> str:
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


class ErrorLog:
    """The file, which need not be there yet."""

    def __init__(self, path: Path, *, clock: Clock = utc_now, most_bytes: int = MOST_BYTES) -> None:
        self._path = path
        self._clock = clock
        self._most_bytes = most_bytes

    def append(self, records: Iterable[ErrorRecord]) -> int:
        """Write these, all or none of them complete, and return how many. Raises OSError when the disk will not."""
        now = iso(self._clock())
        lines = [json.dumps(_document(record, now), ensure_ascii=True) for record in records]
        if not lines:
            return 0
        data = ("\n".join(lines) + "\n").encode("ascii")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with _thread_lock, self._locked() as file:
            if _is_cut_short(file.fileno()):
                data = b"\n" + data
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return len(lines)

    @contextmanager
    def _locked(self) -> Iterator[BinaryIO]:
        """The file, for appending, under its lock; a full one is put aside first as `errors-<time>.jsonl`."""
        while True:
            with self._path.open("ab+") as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                if not _is_still(self._path, file.fileno()):
                    continue  # another process put it aside while this one waited
                if os.fstat(file.fileno()).st_size >= self._most_bytes:
                    self._path.rename(self._aside())
                    continue
                yield file
                return

    def _aside(self) -> Path:
        """A name that is free: a rename onto another full file would lose it. Called under the lock."""
        stamp = iso(self._clock()).replace(":", "").replace(".", "")
        names = (f"-{number}" if number else "" for number in itertools.count())
        places = (self._path.with_name(f"{self._path.stem}-{stamp}{name}{self._path.suffix}") for name in names)
        return next(place for place in places if not place.exists())


def _is_still(path: Path, descriptor: int) -> bool:
    """Whether the open file is the one that has this name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _is_cut_short(descriptor: int) -> bool:
    size = os.fstat(descriptor).st_size
    return size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"


def _document(record: ErrorRecord, now: str) -> dict[str, Any]:
    return {
        "timestamp": now,
        "run": record.run,
        "level": record.level,
        "type": record.type,
        "message": masked(record.message),
        "frames": masked(list(record.frames)),
        "context": masked(record.context),
        "fingerprint": record.fingerprint,
        "python": platform.python_version(),
        "versions": versions(),
    }


@cache
def versions() -> Mapping[str, str]:
    """Name -> version of what most errors depend on; what is not installed is left out."""
    found = {}
    for name in _VERSIONS_OF:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
