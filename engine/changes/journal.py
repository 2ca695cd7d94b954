"""The journal of a change set: what was planned, and how far it has come. It is the only truth about a change set,
and a promise: a later Proofsheet reads every journal that this one wrote. Relies on `disk`; never interprets what the
files themselves look like.

WORKSPACE/changes/<id>/journal.jsonl is UTF-8, one JSON object a line, only ever appended to. Every object has

    seq     0, 1, 2 ... without a gap
    at      the time, UTC, ISO 8601 with Z and microseconds
    type    see below
    check   always last: the first 16 hex digits of the sha256 of the line's bytes without `,"check":"..."` and newline

and, by type, in this order:

    planned       format (1), id, title, kind, roots (absolute folders), operations (how many follow)
    operation     number (from 0), action (edit, create, move, copy, link, delete), path, source (or null),
                  before {sha256, size, mode, mtime_ns} (or null), after (sha256, or null when the file will be gone),
                  size (in bytes, when done)
    applying      directories (those that will be made, outermost first). From here on files may have been touched
    backed_up     old/<number> holds what each edited or deleted file was
    staged        new content lies beside its target as `.proofsheet-<id>-<number>.tmp`
    placed        all new names are there; nothing that was there is gone yet
    applied       everything is done, and was found valid. Before this line, recovery takes everything back
    rolling_back  kept (paths left as they are because they had changed). From here on recovery completes the rollback
    rolled_back   kept. Every other file is as it was before
    failed        reason. It was not applied, and every file is as it was before

A line is written and fsynced before anything that it announces is done, and after everything that it reports is on
the disk. A power cut may tear the last line: one that does not end in a newline, or holds bytes that were never
written, does not count, and is cut off before the next is appended. A line that is whole but fails its check, or a
bad line before a good one, is damage: such a journal is reported, and its files are left alone.

new/<number> holds the new content of each edited or created file, old/<number> the backups. Both folders and the
`planned` and `operation` lines are complete and fsynced before the folder gets its name (a rename from `.<id>.draft`).
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from engine.changes import disk
from engine.changes.model import Action, ChangeSet, Fingerprint, State, Step
from engine.clock import Clock, iso, parse_iso
from engine.errors import ProofsheetError

FORMAT = 1
FILE_NAME = "journal.jsonl"

_STATES = {
    "planned": State.PLANNED,
    "operation": State.PLANNED,
    "applying": State.APPLYING,
    "backed_up": State.APPLYING,
    "staged": State.APPLYING,
    "placed": State.APPLYING,
    "applied": State.APPLIED,
    "rolling_back": State.ROLLING_BACK,
    "rolled_back": State.ROLLED_BACK,
    "failed": State.FAILED,
}
_FINISHED = frozenset({State.APPLIED, State.ROLLED_BACK, State.FAILED})
_TAIL = len(b',"check":"0123456789abcdef"}\n')

Record = dict[str, Any]


class JournalDamaged(ProofsheetError):
    """A journal that cannot be trusted: its files are left as they are."""

    def __init__(self, file: Path, line: int, why: str) -> None:
        super().__init__(
            f"{file}, line {line}: {why}",
            remedy="Its backups lie in `old` beside it. `proofsheet changes prune ID` forgets it, backups included.",
        )


def encode(record: Mapping[str, Any]) -> bytes:
    """One line: `record` as JSON with its check at the end, and a newline."""
    # a lone surrogate becomes its JSON escape: a reason may quote a file name that is not UTF-8
    body = json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "backslashreplace")
    return body[:-1] + f',"check":"{_check(body)}"}}\n'.encode()


def decode(line: bytes) -> Record | None:
    """The record of a whole line (without its check), or None for one that is torn or fails its check."""
    if len(line) <= _TAIL or not line.endswith(b'"}\n'):
        return None
    body = line[:-_TAIL] + b"}"
    if line[-_TAIL:] != f',"check":"{_check(body)}"}}\n'.encode():
        return None
    record = json.loads(body)
    return record if isinstance(record, dict) else None


def _check(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:16]


def decode_all(content: bytes, file: Path) -> tuple[list[Record], int]:
    """All records of a file of such lines, and the length in bytes of those that count (a torn end does not).

    Raises JournalDamaged, which names the line.
    """
    records: list[Record] = []
    length = 0
    torn = 0
    for number, line in enumerate(_lines(content), 1):
        record = decode(line)
        if record is None:
            if line.startswith(b'{"seq":') and line.endswith(b'"}\n') and b"\0" not in line:
                raise JournalDamaged(file, number, "was altered: its check does not match")
            torn = torn or number
        elif torn:
            raise JournalDamaged(file, torn, "is unreadable, though later lines are whole")
        elif record.get("seq") != len(records):
            raise JournalDamaged(file, number, f"is out of order: expected seq {len(records)}")
        else:
            records.append(record)
            length += len(line)
    return records, length


def _lines(content: bytes) -> list[bytes]:
    """Split after newlines only: bytes.splitlines would also split at a carriage return in a torn line."""
    return [line for line in re.split(rb"(?<=\n)", content) if line]


def encode_plan(change_set: ChangeSet) -> bytes:
    """The first lines of a journal: the `planned` line and one `operation` line a step."""
    at = iso(change_set.created_at)
    head = {
        "seq": 0,
        "at": at,
        "type": "planned",
        "format": FORMAT,
        "id": change_set.id,
        "title": change_set.title,
        "kind": change_set.kind,
        "roots": [str(root) for root in change_set.roots],
        "operations": len(change_set.operations),
    }
    steps = ({"seq": step.number + 1, "at": at, "type": "operation", **_step(step)} for step in change_set.operations)
    return encode(head) + b"".join(map(encode, steps))


def _step(step: Step) -> Record:
    before = step.before
    return {
        "number": step.number,
        "action": step.action.value,
        "path": str(step.path),
        "source": str(step.source) if step.source else None,
        "before": before
        and {"sha256": before.sha256, "size": before.size, "mode": before.mode, "mtime_ns": before.mtime_ns},
        "after": step.after,
        "size": step.size,
    }


def _read_step(record: Record) -> Step:
    return Step(
        number=record["number"],
        action=Action(record["action"]),
        path=Path(record["path"]),
        source=Path(record["source"]) if record["source"] else None,
        before=Fingerprint(**record["before"]) if record["before"] else None,
        after=record["after"],
        size=record["size"],
    )


class Journal:
    """One journal file, read once, then appended to. Only the holder of the workspace's lock may append."""

    def __init__(self, file: Path) -> None:
        """Raises JournalDamaged, and FileNotFoundError when there is none."""
        self.file = file
        self._records, self._length = decode_all(disk.read_bytes(file), file)

    def change_set(self) -> ChangeSet:
        """The change set as of the last line. Raises JournalDamaged, or ProofsheetError for a newer format."""
        if not self._records or self._records[0].get("type") != "planned":
            raise JournalDamaged(self.file, 1, "does not begin a change set")
        head = self._records[0]
        if head["format"] > FORMAT:
            raise ProofsheetError(
                f"{self.file} was written by a newer Proofsheet (journal format {head['format']})",
                remedy="Use that version, or a later one, for this change set.",
            )
        last = self._records[-1]
        steps = self._records[1 : 1 + head["operations"]]
        try:
            operations = tuple(_read_step(record) for record in steps)
            state = _STATES[last["type"]]
            for number, record in enumerate(self._records[len(steps) + 1 :], len(steps) + 2):
                if record["type"] not in _STATES or record["type"] in ("planned", "operation"):
                    raise JournalDamaged(self.file, number, f"is of no known type: {record['type']}")
        except (KeyError, TypeError, ValueError) as error:
            raise JournalDamaged(self.file, 1, f"holds a plan that cannot be read ({error!r})") from error
        if len(operations) != head["operations"]:
            raise JournalDamaged(self.file, len(self._records), "is the last, and operations are missing")
        return ChangeSet(
            id=head["id"],
            title=head["title"],
            kind=head["kind"],
            operations=operations,
            state=state,
            created_at=parse_iso(head["at"]),
            roots=tuple(Path(root) for root in head["roots"]),
            finished_at=parse_iso(last["at"]) if state in _FINISHED else None,
            reason=last.get("reason", ""),
            made_directories=tuple(
                Path(folder)
                for record in self._records
                if record["type"] == "applying"
                for folder in record["directories"]
            ),
            kept=tuple(Path(path) for path in last.get("kept", ())),
            progress=frozenset(record["type"] for record in self._records),
        )

    def append(self, clock: Clock, type_: str, **fields: str | Sequence[str]) -> None:
        """Add one line and wait until it is on the disk. Raises OSError, with the file as it was before."""
        record: Record = {"seq": len(self._records), "at": iso(clock()), "type": type_, **fields}
        line = encode(record)
        with disk.opened_directory(self.file.parent) as folder:
            descriptor = os.open(self.file.name, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
        try:
            os.ftruncate(descriptor, self._length)  # a torn line ends here, lest the next one continue it
            os.lseek(descriptor, 0, os.SEEK_END)
            try:
                if os.write(descriptor, line) != len(line):
                    raise OSError(f"{self.file}: the disk took only part of a line")
                disk.flush(descriptor)
            except OSError:
                os.ftruncate(descriptor, self._length)
                raise
        finally:
            os.close(descriptor)
        self._records.append(record)
        self._length += len(line)
