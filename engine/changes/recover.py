"""Taking an applied change set back at any later time, and finishing at the next start what a crash left half done.
Relies on `undo` to see and to act; the caller holds the lock. Never goes forward: what was not wholly applied is taken
back.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.changes.apply import Reached, Work
from engine.changes.archive import Archive
from engine.changes.model import UNFINISHED, ChangeSet, ChangesRefused, Recovery, State, printable
from engine.changes.undo import survey, take_back
from engine.clock import Clock
from engine.errors import ProofsheetError


def roll_back(work: Work, *, keep_changed: bool) -> ChangeSet:
    """Take an applied (or half applied) change set back: every file as it was before, bytes, mode and times.

    If files have changed since, ChangesRefused names them and nothing is touched; with `keep_changed` they stay as they
    are now and the others are taken back.
    """
    change_set = work.change_set
    if change_set.state not in UNFINISHED | {State.APPLIED}:
        raise ProofsheetError(
            f"change set {change_set.id} cannot be rolled back: it was never applied"
            if change_set.state is State.PLANNED
            else f"change set {change_set.id} cannot be rolled back: it is {change_set.state.replace('_', ' ')} already"
        )
    found = survey(work.folder, change_set)
    if found.refusals and not keep_changed:
        raise ChangesRefused(found.refusals, f"change set {change_set.id} was not rolled back, and nothing was touched")
    kept = [*change_set.kept, *(refusal.path for refusal in found.refusals)]
    paths = [str(path) for path in dict.fromkeys(kept)]
    work.write("rolling_back", kept=paths)
    take_back(work.folder, work.journal.change_set(), found, work.reached)
    work.write("rolled_back", kept=paths)
    return work.journal.change_set()


def recover(archive: Archive, clock: Clock, reached: Reached) -> Iterator[Recovery]:
    """Take back every change set that a crash left half applied or half rolled back, one at a time.

    One that cannot be (its journal is damaged, or its files have changed) is left wholly alone and says why. May itself
    be interrupted anywhere; the next recovery goes on.
    """
    archive.sweep()
    for change_set in reversed(archive.read_all()):
        if change_set.state in UNFINISHED:
            yield _recover_one(Work.on(archive.folder(change_set.id), clock, reached))


def _recover_one(work: Work) -> Recovery:
    change_set = work.change_set
    try:
        found = survey(work.folder, change_set)
        if found.refusals:
            raise ChangesRefused(found.refusals, "files have changed since the crash, and nothing was touched")
        take_back(work.folder, change_set, found, work.reached)
        if change_set.state is State.APPLYING:
            work.write("failed", reason="interrupted by a crash; every file is as it was")
        else:
            work.write("rolled_back", kept=[str(path) for path in change_set.kept])
    except (OSError, ProofsheetError) as error:
        return Recovery(change_set.id, change_set.title, False, printable_lines(str(error)))
    return Recovery(change_set.id, change_set.title, True)


def printable_lines(text: str) -> str:
    """Like `printable`, keeping the line breaks of our own messages."""
    return "\n".join(map(printable, text.split("\n")))
