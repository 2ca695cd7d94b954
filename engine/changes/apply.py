"""Carrying a change set out, so that at every instant a crash leaves a journal from which everything can be taken back.
Relies on `plan` for the examination, `undo` for the way back, and `disk` for the acts; the caller holds the lock.

The order, and what each part must have on the disk before the next begins (a power cut may keep any part of what was
not flushed, in any order):

1. examine every file again; nothing is touched if one stands in the way
2. journal `applying`
3. backups of edited and deleted files into old/, flushed        journal `backed_up`
4. folders made; new content beside its targets, flushed         journal `staged`
5. new names, by hard links, which cannot overwrite: folders flushed   journal `placed`
6. old names away: edits replaced at once, moved and deleted names removed; folders flushed
7. the caller's validation                                       journal `applied`

Since 5 only adds and 6 only takes away, a moved file has at every instant one name at least.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.changes import disk
from engine.changes.archive import ChangeFolder
from engine.changes.journal import Journal
from engine.changes.model import Action, ChangeSet, ChangesRefused, Fingerprint, RefusalCode, State, Step, printable
from engine.changes.plan import examine_again
from engine.changes.undo import survey, take_back
from engine.clock import Clock
from engine.errors import ProofsheetError

Reached = Callable[[str], None]  # told the name of each point as it is reached; a test may end the process there
Validate = Callable[[], None]  # raises if what was applied is not good


def nowhere(point: str) -> None:
    """The usual `Reached`: nobody is told."""


@dataclass
class Work:
    """What every part of an apply or a rollback needs: where, what, the journal, and the ear for its points."""

    folder: ChangeFolder
    change_set: ChangeSet
    journal: Journal
    clock: Clock
    reached: Reached

    @classmethod
    def on(cls, folder: ChangeFolder, clock: Clock, reached: Reached) -> Work:
        """Open the change set in `folder`. Raises ProofsheetError for a damaged journal."""
        journal = folder.journal()
        return cls(folder, journal.change_set(), journal, clock, reached)

    def write(self, type_: str, **fields: str | list[str]) -> None:
        """Add a line to the journal, durably."""
        self.reached(f"before {type_}")
        self.journal.append(self.clock, type_, **fields)
        self.reached(f"after {type_}")


def apply(work: Work, validate: Validate | None) -> ChangeSet:
    """Carry out a planned change set, wholly or not at all. The lock is held by the caller.

    Raises ChangesRefused (nothing was touched, it may be applied later) and ProofsheetError (something failed on the
    way, or `validate` raised: everything was taken back).
    """
    change_set = work.change_set
    if change_set.state is not State.PLANNED:
        raise ProofsheetError(
            f"change set {change_set.id} cannot be applied: it is {_SPOKEN[change_set.state]}",
            remedy="Plan the changes again.",
        )
    seen = examine_again(change_set.operations)
    missing = {
        folder
        for step in change_set.operations
        if step.makes_a_name
        for folder in disk.missing_directories(step.path.parent)
    }
    work.write("applying", directories=[str(folder) for folder in sorted(missing)])
    try:
        _back_up(work, seen)
        _stage(work, sorted(missing))
        _place(work, seen)
        _take_away(work, seen)
        if validate is not None:
            validate()
        work.write("applied")
    except BaseException as error:
        _fail(work, error)
        taken_back = f"change set {change_set.id} was taken back, and every file is as it was"
        if isinstance(error, ChangesRefused):
            raise ChangesRefused(error.refusals, taken_back) from error
        if not isinstance(error, Exception):
            raise
        raise ProofsheetError(
            f"{taken_back}: {_words(error)}",
            remedy=getattr(error, "remedy", "") or "Plan the changes again when the reason is gone.",
        ) from error
    return work.journal.change_set()


_SPOKEN: Mapping[State, str] = {
    State.APPLIED: "applied already",
    State.ROLLED_BACK: "rolled back",
    State.FAILED: "failed earlier",
    State.APPLYING: "half applied after a crash, and waits for recovery",
    State.ROLLING_BACK: "half rolled back after a crash, and waits for recovery",
}


def _words(error: BaseException) -> str:
    if isinstance(error, ChangesRefused):
        return "; ".join(map(str, error.refusals))
    return printable(getattr(error, "message", "") or str(error) or type(error).__name__)


def _back_up(work: Work, seen: Mapping[int, Fingerprint]) -> None:
    for step in work.change_set.operations:
        backup = work.folder.old(step)
        if step.action is Action.EDIT or (step.action is Action.DELETE and not _trash(work, step, seen[step.number])):
            sha256 = disk.copy_new(step.path, backup)
            if sha256 != seen[step.number].sha256:
                raise _changed(step.path)
        work.reached(f"backed up {step.number}")
    disk.flush_directory(work.folder.path / "old")
    work.write("backed_up")


def _trash(work: Work, step: Step, seen: Fingerprint) -> bool:
    """Give a file to be deleted its second name in the archive: on one volume, deleting is a rename."""
    folder = disk.status(work.folder.path / "old")
    if folder is None or folder.st_dev != seen.device or not disk.link(step.path, work.folder.old(step)):
        return False
    if not disk.is_still(work.folder.old(step), seen):
        raise _changed(step.path)
    return True


def _stage(work: Work, directories: list[Path]) -> None:
    for folder in directories:
        disk.make_directory(folder)
        work.reached(f"made {folder.name}")
    staged: set[Path] = set()
    for step in work.change_set.operations:
        waiting = work.folder.staged(step)
        match step.action:
            case Action.EDIT:
                sha256 = disk.copy_new(step.path, waiting, as_new=[disk.read_bytes(work.folder.new(step))])
            case Action.CREATE:
                sha256 = disk.write_new(waiting, [disk.read_bytes(work.folder.new(step))])
            case Action.COPY if step.source is not None:
                sha256 = disk.copy_new(step.source, waiting)
            case _:
                continue
        if sha256 != step.after:
            raise _changed(step.source or work.folder.new(step))
        staged.add(step.path.parent)
        work.reached(f"staged {step.number}")
    disk.flush_directories(staged)
    work.write("staged")


def _place(work: Work, seen: Mapping[int, Fingerprint]) -> None:
    for step in work.change_set.operations:
        match step.action:
            case Action.CREATE | Action.COPY:
                if not disk.link(work.folder.staged(step), step.path):
                    disk.rename(work.folder.staged(step), step.path)
            case Action.MOVE | Action.LINK if step.source is not None:
                if not disk.link(step.source, step.path):
                    if step.action is Action.LINK:
                        raise ChangesRefused.one(
                            RefusalCode.NO_HARD_LINKS, step.path, "would lie on a volume without hard links"
                        )
                    continue  # this volume can only rename: that takes away as well, and comes later
                if not disk.is_still(step.path, seen[step.number]):
                    disk.unlink(step.path)
                    raise _changed(step.source)
            case _:
                continue
        work.reached(f"placed {step.number}")
    disk.flush_directories(step.path.parent for step in work.change_set.operations if step.makes_a_name)
    work.write("placed")


def _take_away(work: Work, seen: Mapping[int, Fingerprint]) -> None:
    for step in work.change_set.operations:
        before = seen.get(step.number)
        if before is not None and step.origin in step.touched and not disk.is_still(step.origin, before):
            raise _changed(step.origin)
        match step.action:
            case Action.EDIT:
                disk.replace(work.folder.staged(step), step.path)
            case Action.CREATE | Action.COPY:
                disk.unlink(work.folder.staged(step))
            case Action.DELETE:
                disk.unlink(step.path)
            case Action.MOVE if step.source is not None:
                if disk.status(step.path) is None:
                    disk.rename(step.source, step.path)
                elif before is not None and disk.is_still(step.path, before):
                    disk.unlink(step.source)
                else:
                    raise ChangesRefused.one(RefusalCode.EXISTS, step.path, "has come into being meanwhile")
            case _:
                continue
        work.reached(f"took away {step.number}")
    disk.flush_directories(folder for step in work.change_set.operations for folder in _folders(step))


def _folders(step: Step) -> list[Path]:
    return [path.parent for path in step.touched]


def _changed(path: Path) -> ChangesRefused:
    return ChangesRefused.one(RefusalCode.CHANGED, path, "changed while the change set was being applied")


def _fail(work: Work, error: BaseException) -> None:
    """Take everything back after `error`. If that fails too, the journal still says so, and recovery goes on."""
    try:
        begun = work.journal.change_set()
        found = survey(work.folder, begun)
        if found.refusals:
            raise ChangesRefused(found.refusals, "these files changed meanwhile, and nothing was taken back")
        take_back(work.folder, begun, found, work.reached)
        work.write("failed", reason=_words(error))
    except (OSError, ProofsheetError) as second:
        id_ = work.change_set.id
        raise ProofsheetError(
            f"change set {id_} failed ({_words(error)}) and could not be taken back yet: {_words(second)}",
            remedy=f"It is tried again at the next start, or by `proofsheet changes rollback {id_}`.",
        ) from error
