"""How far each error log was read: a log that grew is read on, the same log is never counted twice.

Relies on the store. A log is known by its path and by the hash of its first bytes, so that a rotated log under the old
name is read anew.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import sqlalchemy as sa

from engine.clock import iso
from engine.errors import UsageError
from engine.repair.groups import SAMPLES, Tallies, by_hand, of_older_recipes
from engine.repair.ingest import read_lines, why_unreadable
from engine.repair.record import ErrorRecord, Skipped
from engine.store.database import upsert
from engine.store.schema.repair import error_logs

HEAD_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Ingested:
    """What reading logs brought: records counted now, the groups they belong to, and what could not be read.

    `samples` has the newest records of every group of the logs, also of those counted earlier, where asked for.
    """

    records: int
    groups: frozenset[str]
    skipped: tuple[Skipped, ...]
    samples: Mapping[str, Sequence[ErrorRecord]] = field(default_factory=dict)

    def document(self) -> dict[str, object]:
        """The JSON form; `groups` is how many groups the records belong to."""
        return {
            "records": self.records,
            "groups": len(self.groups),
            "skipped": [{"line": one.line, "reason": one.reason, "file": one.source} for one in self.skipped],
        }


def read_on(connection: sa.Connection, path: Path, now: datetime, *, again: bool = False) -> Ingested:
    """Count what is new in the log at `path`, in the caller's transaction. Raises UsageError when it cannot be read.

    With `again` it is read from its beginning, and its records are handed out by group; none is counted twice.
    """
    try:
        place = str(path.resolve(strict=True))
        with path.open("rb") as file:
            problem = why_unreadable(path, file.read(2))
            if problem:
                raise problem
            size = os.fstat(file.fileno()).st_size
            offset, line = _reached(connection, place, file, size)
            reached = line
            if again:
                offset = line = 0
            file.seek(offset)
            known = by_hand(connection), of_older_recipes(connection)
            tallies, earlier = Tallies(now, *known), Tallies(now, *known)
            skipped: list[Skipped] = []
            counted = _Counted(file, size - offset)
            groups: set[str] = set()
            for one in read_lines(counted.lines(), place, line + 1):
                if one.line <= reached:
                    if isinstance(one, ErrorRecord):
                        earlier.add(one)
                elif isinstance(one, ErrorRecord):
                    groups.add(tallies.add(one))
                else:
                    skipped.append(one)
            tallies.write(connection)
            _remember(connection, place, file, offset + counted.bytes, line + counted.number, now)
    except OSError as error:
        said = error.strerror or error
        raise UsageError(f"{path} cannot be read: {said}", remedy="Name a log file that is yours to read.") from error
    samples: dict[str, list[ErrorRecord]] = {}
    if again:
        for one_of in (tallies, earlier):
            for group, records in one_of.samples():
                samples[group] = [*samples.get(group, ()), *records][:SAMPLES]
    return Ingested(tallies.records, frozenset(groups), tuple(skipped), samples)


class _Counted:
    """The whole lines of a file from where it stands, up to `room` bytes; a last line without its end waits.

    A log that is being written may end in the middle of a line: that part is read next time. A file that ends without a
    line feed for good loses nothing: its last part is taken when it stands at the very end.
    """

    def __init__(self, file: Iterator[bytes], room: int) -> None:
        self._file = file
        self._room = room
        self.bytes = 0
        self.number = 0

    def lines(self) -> Iterator[str]:
        for raw in self._file:
            if self.bytes + len(raw) > self._room:
                return
            self.bytes += len(raw)
            self.number += 1
            yield raw.decode("utf-8", "replace")


def _reached(connection: sa.Connection, place: str, file: BinaryIO, size: int) -> tuple[int, int]:
    """(offset, lines) up to where the log was read before, also under another name; (0, 0) for a new one."""
    folder = str(Path(place).parent)
    rows = connection.execute(sa.select(error_logs).where(error_logs.c.path.startswith(folder, autoescape=True))).all()
    for row in sorted(rows, key=lambda row: row.path != place):  # its own first; else the name it had before
        length, _, expected = row.head.partition(":")
        is_near = str(Path(row.path).parent) == folder
        if is_near and int(length) > 0 and row.offset <= size and _head(file, int(length)) == expected:
            if row.path != place and _is_there_still(Path(row.path), int(length), expected):
                continue  # two runs that said the same: not one log under another name
            return int(row.offset), int(row.line)
    return 0, 0


def _is_there_still(path: Path, length: int, expected: str) -> bool:
    try:
        with path.open("rb") as file:
            return _head(file, length) == expected
    except OSError:
        return False


def _remember(connection: sa.Connection, place: str, file: BinaryIO, offset: int, line: int, now: datetime) -> None:
    length = min(HEAD_BYTES, offset)
    row = {
        "path": place,
        "offset": offset,
        "line": line,
        "head": f"{length}:{_head(file, length)}",
        "read_at": iso(now),
    }
    upsert(connection, error_logs, [row], key=("path",), update=("offset", "line", "head", "read_at"))


def _head(file: BinaryIO, length: int) -> str:
    file.seek(0)
    return hashlib.sha256(file.read(length)).hexdigest()
