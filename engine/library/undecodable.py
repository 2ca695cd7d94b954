"""Texts of files that are not in UTF-8: read as Latin-1, as old programs wrote them, and noted.

Every byte is a letter of Latin-1, so that a caption is kept as well as it can be, and nothing is lost by it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_here = threading.local()


def otherwise(raw: bytes, what: str) -> str:
    """Bytes that are no UTF-8 as Latin-1; `what` they are is noted where this thread is being listened to."""
    noted: list[str] | None = getattr(_here, "noted", None)
    if noted is not None and what not in noted:
        noted.append(what)
    return raw.decode("latin-1")


@contextmanager
def noting() -> Iterator[list[str]]:
    """What this thread reads otherwise meanwhile, each kind once."""
    noted: list[str] = []
    _here.noted = noted
    try:
        yield noted
    finally:
        _here.noted = None
