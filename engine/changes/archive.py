"""The folder WORKSPACE/changes: one folder a change set, with its journal, its new content and its backups. Writes a
planned change set so that it is there wholly or not at all, finds it again, and forgets it. Relies on `journal` and
`disk`; never touches a file outside that folder.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from engine.changes import disk
from engine.changes.journal import FILE_NAME, Journal, JournalDamaged, encode_plan
from engine.changes.model import ChangeSet, State, Step
from engine.errors import ProofsheetError, UsageError

_ID = re.compile(r"\d{8}T\d{6}-[0-9a-f]{4}")
_LEFT_OVER = re.compile(rf"\.{_ID.pattern}\.(draft|pruned)")
_ABANDONED_SECONDS = 3600.0  # a draft this old is nobody's work any more


@dataclass(frozen=True)
class ChangeFolder:
    """WORKSPACE/changes/<id>/."""

    path: Path

    @property
    def id(self) -> str:
        """The change set's id, the folder's name."""
        return self.path.name

    def new(self, step: Step) -> Path:
        """Where the new content of an edited or created file lies."""
        return self.path / "new" / str(step.number)

    def old(self, step: Step) -> Path:
        """Where the backup of an edited or deleted file lies."""
        return self.path / "old" / str(step.number)

    def staged(self, step: Step) -> Path:
        """The name, in the target's own folder, under which new content waits to be put in place."""
        return step.path.parent / f".proofsheet-{self.id}-{step.number}.tmp"

    def restored(self, step: Step) -> Path:
        """Likewise for the content of a backup that is about to return."""
        return step.path.parent / f".proofsheet-{self.id}-{step.number}.old.tmp"

    def journal(self) -> Journal:
        """The journal as it stands. Raises JournalDamaged."""
        try:
            return Journal(self.path / FILE_NAME)
        except FileNotFoundError as error:
            raise ProofsheetError(
                f"{self.path} holds no journal", remedy=f"`proofsheet changes prune {self.id}` removes it."
            ) from error

    def size(self) -> int:
        """Bytes of everything in it."""
        return sum(file.lstat().st_size for file in self.path.rglob("*"))


class Archive:
    """All change sets of one workspace."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()  # a workspace may be reached through a link; what lies in it may not

    def publish(self, change_set: ChangeSet, new_content: Mapping[int, bytes]) -> None:
        """Write a planned change set, durably, wholly or not at all."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = ChangeFolder(self.root / f".{change_set.id}.draft")
        for folder in (draft.path, draft.path / "new", draft.path / "old"):
            folder.mkdir(mode=0o700)
        try:
            for step in change_set.operations:
                if step.number in new_content:
                    disk.write_new(draft.new(step), [new_content[step.number]], private=True)
            disk.write_new(draft.path / FILE_NAME, [encode_plan(change_set)], private=True)
            disk.flush_directories([draft.path / "new", draft.path / "old", draft.path])
            draft.path.rename(self.root / change_set.id)
            disk.flush_directory(self.root)
        except BaseException:
            shutil.rmtree(draft.path, ignore_errors=True)
            raise

    def new_id(self, moment: datetime) -> str:
        """An id that sorts by time and is not taken, `20261120T220450-7f3a`."""
        while True:
            id_ = f"{moment:%Y%m%dT%H%M%S}-{secrets.token_hex(2)}"
            if not (self.root / id_).exists() and not (self.root / f".{id_}.draft").exists():
                return id_

    def folders(self) -> list[ChangeFolder]:
        """Every change set's folder, by id."""
        if not self.root.is_dir():
            return []
        names = sorted(entry.name for entry in os.scandir(self.root) if _ID.fullmatch(entry.name))
        return [ChangeFolder(self.root / name) for name in names]

    def folder(self, id_: str) -> ChangeFolder:
        """The folder of the change set `id_`; the first letters of an id are enough if only one begins so.

        Raises UsageError for an id that is unknown or means several.
        """
        found = [folder for folder in self.folders() if id_ and folder.id.startswith(id_)]
        if len(found) == 1:
            return found[0]
        what = f"{len(found)} change sets begin with {id_!r}" if found else f"there is no change set {id_!r}"
        raise UsageError(what, remedy="`proofsheet changes list` shows them all.")

    def read(self, folder: ChangeFolder) -> ChangeSet:
        """The change set in `folder`. Raises ProofsheetError for a journal that is damaged, newer, or another's."""
        change_set = folder.journal().change_set()
        if change_set.id != folder.id:
            raise JournalDamaged(folder.path / FILE_NAME, 1, f"belongs to change set {change_set.id}")
        return change_set

    def read_all(self) -> list[ChangeSet]:
        """Every change set, oldest first; one that cannot be read has the state `damaged` and says why."""
        return sorted(map(self._read_or_describe, self.folders()), key=lambda found: (found.created_at, found.id))

    def _read_or_describe(self, folder: ChangeFolder) -> ChangeSet:
        try:
            return self.read(folder)
        except ProofsheetError as error:
            made = datetime.strptime(folder.id[:15] + "+0000", "%Y%m%dT%H%M%S%z")
            return ChangeSet(folder.id, "", "", (), State.DAMAGED, made, (), reason=error.message)

    def remove(self, folders: Iterable[ChangeFolder]) -> int:
        """Forget change sets, backups and all; returns the bytes set free. A crash leaves each there or gone."""
        freed = 0
        for folder in folders:
            freed += folder.size()
            doomed = self.root / f".{folder.id}.pruned"
            folder.path.rename(doomed)
            disk.flush_directory(self.root)
            shutil.rmtree(doomed)
        return freed

    def sweep(self) -> None:
        """Clear away what a crash left of drafts and of pruned change sets."""
        if not self.root.is_dir():
            return
        for entry in list(os.scandir(self.root)):
            found = _LEFT_OVER.fullmatch(entry.name)
            if found and (found[1] == "pruned" or time.time() - entry.stat().st_mtime > _ABANDONED_SECONDS):
                shutil.rmtree(entry.path, ignore_errors=True)
