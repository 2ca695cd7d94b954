"""One process at a time changes files: a lock of the operating system on WORKSPACE/changes/lock, which a crash releases
by itself. Relies on flock; never on the file's content, which only tells a person who holds it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.errors import ProofsheetError

_INTERVAL = 0.02  # seconds between two looks at a lock that another holds


class Busy(ProofsheetError):
    """Another process, or another task of this one, is changing files in this workspace."""


@contextmanager
def held(root: Path, patience: float) -> Iterator[None]:
    """Hold the lock of the archive `root`, waiting `patience` seconds for it at most. Raises Busy."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(root / "lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        _wait(descriptor, time.monotonic() + patience)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)  # which releases it


def _wait(descriptor: int, deadline: float) -> None:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip() or "unknown"
                raise Busy(
                    f"another change set is being applied or rolled back (process {holder})",
                    remedy="Wait until it is done, then try again.",
                ) from error
            time.sleep(_INTERVAL)
        else:
            return
