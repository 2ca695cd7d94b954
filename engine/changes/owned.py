"""Which files are Proofsheet's own: those that an applied change set wrote, with exactly the bytes it wrote. Only they
may be deleted. Relies on the journals, and on the ledger that `prune` leaves behind when it removes them; never takes a
name, a folder or a date as a proof.

WORKSPACE/changes/owned.jsonl has the journals' line format (seq, at, type, ..., check), with lines of the one type
`wrote`: path, sha256, change_set.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path

from engine.changes import disk
from engine.changes.archive import Archive
from engine.changes.journal import decode_all, encode
from engine.changes.model import Action, ChangeSet, State
from engine.clock import Clock, iso

LEDGER = "owned.jsonl"
Owned = frozenset[tuple[Path, str]]  # (absolute path, sha256 of what Proofsheet wrote there)


def written_by(change_sets: Iterable[ChangeSet], before: Owned = frozenset()) -> Owned:
    """What applied change sets wrote, on top of what was owned `before`.

    A file that is made is ours; one of ours that is edited, moved or copied stays ours; a person's file that is edited
    or moved stays the person's.
    """
    owned = set(before)
    applied = [change_set for change_set in change_sets if change_set.state is State.APPLIED]
    for change_set in sorted(applied, key=_applied_at):
        for step in change_set.operations:
            if step.after is None:
                continue
            was_ours = step.before is not None and (step.origin, step.before.sha256) in owned
            if was_ours or step.action in (Action.CREATE, Action.COPY, Action.LINK):
                owned.add((step.path, step.after))
    return frozenset(owned)


def _applied_at(change_set: ChangeSet) -> datetime:
    return change_set.finished_at or change_set.created_at


def read_owned(archive: Archive) -> Owned:
    """Everything that Proofsheet wrote and has not taken back. Raises JournalDamaged for a damaged ledger."""
    return written_by(archive.read_all(), _read_ledger(archive))


def remember(archive: Archive, pruned: Sequence[ChangeSet], clock: Clock) -> None:
    """Keep in the ledger what change sets about to be pruned wrote."""
    known = _read_ledger(archive)
    lasting = read_owned(archive)
    proofs = sorted(
        {
            (step.path, step.after, change_set.id)
            for change_set in pruned
            if change_set.state is State.APPLIED
            for step in change_set.operations
            if step.after is not None and (step.path, step.after) in lasting - known
        }
    )
    if not proofs:
        return
    ledger = archive.root / LEDGER
    content = disk.read_bytes(ledger) if ledger.exists() else b""
    records, length = decode_all(content, ledger)
    at = iso(clock())
    lines = [
        encode({"seq": seq, "at": at, "type": "wrote", "path": str(path), "sha256": sha256, "change_set": id_})
        for seq, (path, sha256, id_) in enumerate(proofs, len(records))
    ]
    # rewritten whole and put in place at once, so that it is never half there
    draft = archive.root / f".{LEDGER}.draft"
    disk.unlink(draft)
    disk.write_new(draft, [content[:length], *lines], private=True)
    disk.replace(draft, ledger)
    disk.flush_directory(archive.root)


def _read_ledger(archive: Archive) -> Owned:
    ledger = archive.root / LEDGER
    if not ledger.exists():
        return frozenset()
    records, _ = decode_all(disk.read_bytes(ledger), ledger)
    return frozenset((Path(record["path"]), str(record["sha256"])) for record in records)
