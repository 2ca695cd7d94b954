"""The way back, the same after a failure, after a crash and for a rollback months later: first see how far each step
really came (`survey`, which touches nothing), then put every old name and content back, and only then remove the new
ones. Relies on the journal, the backups, and what the files themselves look like; never removes bytes that it cannot
account for. Everything here may be interrupted anywhere and begun again.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from engine.changes import disk
from engine.changes.archive import ChangeFolder
from engine.changes.model import Action, ChangeSet, ChangesRefused, Fingerprint, Refusal, RefusalCode, Step


class Standing(StrEnum):
    """How far a step came."""

    UNTOUCHED = "untouched"  # never begun, or taken back already, or left to the person
    HALFWAY = "halfway"  # a moved file that has both names
    DONE = "done"


@dataclass(frozen=True)
class Survey:
    """How far each step came, by its number; what stands at the path of each that is done; and the files that stand in
    the way of taking it back."""

    standings: Mapping[int, Standing]
    seen: Mapping[int, Fingerprint]
    refusals: tuple[Refusal, ...]


def survey(folder: ChangeFolder, change_set: ChangeSet) -> Survey:
    """Look at every file of a change set. Touches nothing."""
    look = _Look(folder, change_set.progress, {})
    standings: dict[int, Standing] = {}
    refusals: list[Refusal] = []
    kept = set(change_set.kept)
    for step in change_set.operations:
        if not kept.isdisjoint(step.touched):
            standings[step.number] = Standing.UNTOUCHED
            continue
        try:
            standings[step.number] = look.at(step)
        except ChangesRefused as refused:
            refusals += (_about(refusal, step) for refusal in refused.refusals)
    return Survey(standings, look.seen, tuple(refusals))


def _about(refusal: Refusal, step: Step) -> Refusal:
    """Every refusal names a file of the change set itself, so that the person can choose to keep it."""
    if refusal.path in step.touched:
        return refusal
    return Refusal(refusal.code, step.path, f"{refusal.path} {refusal.reason}")


@dataclass(frozen=True)
class _Look:
    folder: ChangeFolder
    progress: frozenset[str]
    seen: dict[int, Fingerprint]

    @property
    def was_applied(self) -> bool:
        return "applied" in self.progress

    def at(self, step: Step) -> Standing:
        begins_after = "staged" if step.makes_a_name else "placed"
        if begins_after not in self.progress:
            return Standing.UNTOUCHED
        match step.action:
            case Action.EDIT:
                return self._edit(step)
            case Action.MOVE if step.source is not None:
                return self._move(step, step.source)
            case Action.DELETE:
                return self._delete(step)
            case _:
                return self._made(step)

    def _edit(self, step: Step) -> Standing:
        now = self._sha256(step)
        if step.before is not None and now == step.before.sha256:
            return Standing.UNTOUCHED
        if now == step.after:
            self._check_backup(step)
            return Standing.DONE
        if not self.was_applied and disk.status(self.folder.staged(step)) is not None:
            return Standing.UNTOUCHED  # the new content still waits: whoever changed the file, it was not us
        raise _changed(step.path, "is gone" if now is None else "has changed since")

    def _delete(self, step: Step) -> Standing:
        now = _sha256(step.path)
        if step.before is not None and now == step.before.sha256:
            return Standing.UNTOUCHED
        if now is None:
            self._check_backup(step)
            return Standing.DONE
        raise _changed(step.path, "is there again, with other content")

    def _move(self, step: Step, source: Path) -> Standing:
        was = step.before.sha256 if step.before is not None else None
        there = disk.status(step.path)
        if there is None and "placed" not in self.progress:
            return Standing.UNTOUCHED  # nothing goes before all new names are there: whatever happened, it was not us
        seen = disk.fingerprint(source)
        if seen is not None and seen.sha256 == was:
            if there is None:
                return Standing.UNTOUCHED
            if (there.st_dev, there.st_ino) == (seen.device, seen.inode):
                return Standing.HALFWAY
            if not self.was_applied:
                return Standing.UNTOUCHED  # what has appeared at the target is not ours
        if seen is not None:
            raise _changed(source, f"stands where {step.path} would return to")
        if there is None:
            raise _changed(step.path, "is gone")
        if self._sha256(step) != was:
            raise _changed(step.path, "has changed since")
        return Standing.DONE

    def _made(self, step: Step) -> Standing:
        """A created, copied or linked file."""
        there = disk.status(step.path)
        if there is None:
            return Standing.UNTOUCHED
        if not self.was_applied:
            twin = disk.status(step.source if step.action is Action.LINK and step.source else self.folder.staged(step))
            if twin is not None and (twin.st_dev, twin.st_ino) != (there.st_dev, there.st_ino):
                return Standing.UNTOUCHED  # it was never placed: what has appeared there is not ours
        if self._sha256(step) != step.after:
            raise _changed(step.path, "has changed since")
        if step.source is not None and _sha256(step.source) != step.after:
            raise _changed(step.path, f"may be the last with these bytes: {step.source} is gone or has changed")
        return Standing.DONE

    def _sha256(self, step: Step) -> str | None:
        found = disk.fingerprint(step.path)
        if found is None:
            return None
        self.seen[step.number] = found
        return found.sha256

    def _check_backup(self, step: Step) -> None:
        if step.before is None or _sha256(self.folder.old(step)) != step.before.sha256:
            raise _changed(step.path, f"has no whole backup any more in {self.folder.path}")


def _sha256(path: Path) -> str | None:
    seen = disk.fingerprint(path)
    return seen.sha256 if seen is not None else None


def _changed(path: Path, reason: str) -> ChangesRefused:
    return ChangesRefused.one(RefusalCode.CHANGED, path, reason)


def take_back(folder: ChangeFolder, change_set: ChangeSet, found: Survey, reached: Callable[[str], None]) -> None:
    """Bring every file that a survey found touched back to what it was.

    Raises OSError, and ChangesRefused for a file that changed since the survey; may then be begun again.
    """
    backwards = change_set.operations[::-1]
    done = [step for step in backwards if found.standings.get(step.number) is Standing.DONE]
    halfway = [step for step in backwards if found.standings.get(step.number) is Standing.HALFWAY]
    _put_back(folder, done, found.seen, reached)
    for step in (*halfway, *done):
        if step.makes_a_name:
            _remove_new_name(step, found.seen)
            reached(f"removed {step.number}")
    for step in change_set.operations:
        with contextlib.suppress(ChangesRefused):  # a folder that is a link now is not the one we wrote to
            disk.unlink(folder.staged(step))
            disk.unlink(folder.restored(step))
    for home in {path.parent for step in change_set.operations for path in step.touched}:
        with contextlib.suppress(ChangesRefused):
            disk.flush_directories([home])
    for directory in sorted(change_set.made_directories, reverse=True):
        with contextlib.suppress(ChangesRefused):
            disk.remove_directory(directory)
            disk.flush_directories([directory.parent])
        reached(f"removed {directory.name}")


def _remove_new_name(step: Step, seen: Mapping[int, Fingerprint]) -> None:
    if step.action is Action.MOVE and step.source is not None:
        there, home = disk.status(step.path), disk.status(step.source)
        if there is None:
            return  # it was renamed
        is_known = home is not None and (there.st_dev, there.st_ino) == (home.st_dev, home.st_ino)
    else:
        is_known = disk.is_still(step.path, seen[step.number])
    if not is_known:
        raise _changed(step.path, "changed while it was being taken back")
    disk.unlink(step.path)


def _put_back(
    folder: ChangeFolder, steps: Sequence[Step], seen: Mapping[int, Fingerprint], reached: Callable[[str], None]
) -> None:
    """Old names and old content, durably, before anything new is removed."""
    homes: set[Path] = set()
    for step in steps:
        match step.action:
            case Action.EDIT:
                _restore(folder, step)
                if not disk.is_still(step.path, seen[step.number]):
                    raise _changed(step.path, "changed while it was being taken back")
                disk.replace(folder.restored(step), step.path)
            case Action.DELETE:
                _make_home(step.path)
                _restore(folder, step)
                disk.place(folder.restored(step), step.path)
            case Action.MOVE if step.source is not None:
                _make_home(step.source)
                if not disk.link(step.path, step.source):
                    disk.rename(step.path, step.source)
            case _:
                continue
        homes.add((step.origin or step.path).parent)
        reached(f"put back {step.number}")
    disk.flush_directories(homes)


def _restore(folder: ChangeFolder, step: Step) -> None:
    """Lay the backup beside the file: bytes, owner, mode and times as they were."""
    disk.unlink(folder.restored(step))
    disk.copy_new(folder.old(step), folder.restored(step))


def _make_home(path: Path) -> None:
    for directory in disk.missing_directories(path.parent):
        disk.make_directory(directory)
