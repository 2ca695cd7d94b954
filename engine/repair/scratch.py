"""Temporary folders for trying things, which a later one clears away when their process was killed.

A folder's name tells whose it is: `proofsheet-KIND-PID-...`. Relies on psutil to know which processes live.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_OURS = re.compile(r"proofsheet-(?:trial|proof)-(\d+)-\w+")


@contextmanager
def scratch(kind: str) -> Iterator[Path]:
    """An empty folder in the system's temporary folder, removed at the end; those left behind are removed first."""
    place = Path(tempfile.gettempdir())
    clear_away(place)
    with tempfile.TemporaryDirectory(
        prefix=f"proofsheet-{kind}-{os.getpid()}-", dir=place, ignore_cleanup_errors=True
    ) as made:
        yield Path(made)


def clear_away(place: Path) -> list[str]:
    """Remove this user's folders in `place` whose process is gone; their names. What cannot be removed stays."""
    import psutil

    gone: list[str] = []
    for entry in os.scandir(place):
        found = _OURS.fullmatch(entry.name)
        if found is None or psutil.pid_exists(int(found[1])):
            continue
        status = entry.stat(follow_symlinks=False)
        if entry.is_dir(follow_symlinks=False) and status.st_uid == os.getuid():
            shutil.rmtree(entry.path, ignore_errors=True)
            gone.append(entry.name)
    return gone
