"""`suggestions.jsonl`: what was decided, as other programs read it. Written from the database, and rebuilt from it.

Relies on the review room's values only. Never a source of truth: whatever it lacks is appended later.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from engine.review.model import Decision

_LOGGER = logging.getLogger("proofsheet.review")
_TAIL_BYTES = 65_536


class SuggestionLog:
    """`suggestions.jsonl`: one line a decision, as other programs read it. Derived; the database is the truth."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()

    async def append(self, made: Sequence[Decision]) -> None:
        """Add a line for each decision, off the event loop.

        The decisions are committed already, so a file that cannot be written is no failure of theirs: what is missing
        is appended when the workspace is next opened (`Review.catch_up_log`).
        """
        if made:
            try:
                await asyncio.to_thread(self._append, made)
            except OSError as error:
                _LOGGER.warning("%s is behind the database: %s", self._file, error)

    def last_id(self) -> int:
        """The newest decision that the file tells of; 0 without one. Looks at the file's end only."""
        try:
            with self._file.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
                lines = file.read().splitlines()
        except OSError:
            return 0
        found = [0]
        for line in lines:
            try:
                found.append(int(json.loads(line)["id"]))
            except (ValueError, KeyError, TypeError):
                continue  # cut off by the look at the end, or by a crash
        return max(found)

    async def rewrite(self, every: Sequence[Decision]) -> None:
        """Replace the whole file at once."""
        await asyncio.to_thread(self._rewrite, every)

    def _append(self, made: Sequence[Decision]) -> None:
        with self._lock:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._file.open("ab+") as file:
                is_torn = file.seek(0, os.SEEK_END) > 0 and os.pread(file.fileno(), 1, file.tell() - 1) != b"\n"
                file.write((b"\n" if is_torn else b"") + b"".join(_line(one) for one in made))

    def _rewrite(self, every: Sequence[Decision]) -> None:
        with self._lock:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".jsonl.new")
            fresh.write_bytes(b"".join(_line(one) for one in every))
            fresh.replace(self._file)


def _line(one: Decision) -> bytes:
    document = {
        "id": one.id,
        "kind": one.kind,
        "subject": one.subject,
        "project": one.project,
        "verdict": one.verdict,
        "value": dict(one.value),
        "actor": one.actor,
        "decided_at": one.decided_at,
        "supersedes": one.supersedes,
        "undoes": one.undoes,
        "group_id": one.group_id,
        "blind": one.blind,
        "suggestion_id": one.suggestion_id,
    }
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"
