"""The words of the `changes` room: what one may ask for (operations), what was written down about it when it was
planned (steps), and why something is refused. Values only; relies on nothing but the error family, and never
touches a disk.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from engine.errors import ProofsheetError


def printable(text: str) -> str:
    """`text` with control characters and undecodable bytes spelled out, so that a file name cannot steer a terminal."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


@dataclass(frozen=True)
class Edit:
    """Replace the bytes of the file `path` by `new`; its mode stays, its modification time becomes now."""

    path: Path
    new: bytes = field(repr=False)


@dataclass(frozen=True)
class Create:
    """Write a file that is not there yet. Missing folders above it are made."""

    path: Path
    content: bytes = field(repr=False)


@dataclass(frozen=True)
class Move:
    """Rename `source` to `target`, on one volume, never over another file."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Copy:
    """Copy `source` to `target` (mode and modification time too), or give it a second name by a hard link."""

    source: Path
    target: Path
    link: bool = False


@dataclass(frozen=True)
class Delete:
    """Delete a file that Proofsheet itself wrote; any other is refused."""

    path: Path


Operation = Edit | Create | Move | Copy | Delete


class Action(StrEnum):
    """What a step does to its file."""

    EDIT = "edit"
    CREATE = "create"
    MOVE = "move"
    COPY = "copy"
    LINK = "link"
    DELETE = "delete"


class State(StrEnum):
    """How far a change set has come. In `applying` and `rolling_back` only a crash leaves it; recovery ends both."""

    PLANNED = "planned"
    APPLYING = "applying"
    APPLIED = "applied"
    ROLLING_BACK = "rolling_back"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    DAMAGED = "damaged"


UNFINISHED = frozenset({State.APPLYING, State.ROLLING_BACK})


@dataclass(frozen=True)
class Fingerprint:
    """One regular file as it was seen: sha256 in hex, size in bytes, permission bits, mtime in nanoseconds.

    `device` and `inode` tell two names of one file from two equal files; they are not kept in the journal,
    because a volume may number its files anew when it is mounted again.
    """

    sha256: str
    size: int
    mode: int
    mtime_ns: int
    device: int = 0
    inode: int = 0

    def is_same_file(self, other: Fingerprint) -> bool:
        """Whether both are names of one and the same file on disk."""
        return (self.device, self.inode) == (other.device, other.inode)


@dataclass(frozen=True)
class Step:
    """One operation as planned. `path` is the file that is edited, made or deleted, or where a copy or move goes."""

    number: int
    action: Action
    path: Path
    source: Path | None
    before: Fingerprint | None  # of `source` if there is one, else of `path`; None for a file to be created
    after: str | None  # sha256 of `path` when done; None when it will be gone
    size: int  # bytes of `path` when done

    @property
    def origin(self) -> Path | None:
        """The existing file this step starts from: None for a file to be created."""
        return self.source or (None if self.action is Action.CREATE else self.path)

    @property
    def makes_a_name(self) -> bool:
        """Whether a name comes into being that was not there before."""
        return self.action in (Action.CREATE, Action.MOVE, Action.COPY, Action.LINK)

    @property
    def touched(self) -> tuple[Path, ...]:
        """The names whose content changes: where a file appears, disappears, or gets other bytes."""
        return (self.source, self.path) if self.action is Action.MOVE and self.source else (self.path,)


@dataclass(frozen=True)
class ChangeSet:
    """Planned operations with everything needed to carry them out, and to take them back. The journal is the truth;
    this is a reading of it."""

    id: str
    title: str
    kind: str
    operations: tuple[Step, ...]
    state: State
    created_at: datetime
    roots: tuple[Path, ...]
    finished_at: datetime | None = None
    reason: str = ""
    made_directories: tuple[Path, ...] = ()
    kept: tuple[Path, ...] = ()  # left as they were by a rollback, because they had changed
    progress: frozenset[str] = frozenset()  # the types of the journal's lines so far


class RefusalCode(StrEnum):
    """Why a change set is refused, before anything is touched."""

    NAME_NOT_UTF8 = "name-not-utf8"
    NOT_ABSOLUTE = "not-absolute"
    OUTSIDE_ROOTS = "outside-roots"
    RESERVED = "reserved"
    SYMLINK = "symlink"
    NOT_A_FILE = "not-a-file"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    CHANGED = "changed"
    READ_ONLY = "read-only"
    EXISTS = "exists"
    CONFLICT = "conflict"
    OTHER_VOLUME = "other-volume"
    NO_HARD_LINKS = "no-hard-links"
    NOT_OURS = "not-ours"


@dataclass(frozen=True)
class Refusal:
    """One file that stands in the way, and why, in words for the person."""

    code: RefusalCode
    path: Path
    reason: str

    def __str__(self) -> str:
        return f"{printable(str(self.path))}: {self.reason} [{self.code}]"


_REMEDIES: dict[RefusalCode, str] = {
    RefusalCode.NAME_NOT_UTF8: "Rename that file to a name in UTF-8.",
    RefusalCode.NOT_ABSOLUTE: "Give absolute paths without '..'.",
    RefusalCode.OUTSIDE_ROOTS: "Only files under the folders that were named may change.",
    RefusalCode.RESERVED: "The folder of journals and backups changes only by `proofsheet changes`.",
    RefusalCode.SYMLINK: "Name the real file instead of the symbolic link.",
    RefusalCode.NOT_A_FILE: "Only ordinary files can be changed.",
    RefusalCode.MISSING: "Scan the folder again, then plan again.",
    RefusalCode.UNREADABLE: "Allow yourself to read it (chmod u+r, and u+x for its folders).",
    RefusalCode.CHANGED: "Look at the file; then plan again, or for a rollback keep it with --keep-changed.",
    RefusalCode.READ_ONLY: "Allow yourself to write it (chmod u+w) if it is really meant to change.",
    RefusalCode.EXISTS: "Nothing is ever overwritten: choose another name, or move that file away first.",
    RefusalCode.CONFLICT: "Plan one change a file.",
    RefusalCode.OTHER_VOLUME: "A move stays on one volume. Copy instead, and remove the originals yourself.",
    RefusalCode.NO_HARD_LINKS: "Copy the files instead of linking them.",
    RefusalCode.NOT_OURS: "Proofsheet deletes only what it wrote. Move the file to a trash folder instead.",
}
_SHOWN = 10


class ChangesRefused(ProofsheetError):
    """Nothing was touched, because of these `refusals`."""

    def __init__(self, refusals: Sequence[Refusal], what: str = "the change set was refused, and nothing was touched"):
        self.refusals = tuple(refusals)
        lines = [f"  {refusal}" for refusal in self.refusals[:_SHOWN]]
        if len(self.refusals) > _SHOWN:
            lines.append(f"  ... and {len(self.refusals) - _SHOWN} more")
        codes = dict.fromkeys(refusal.code for refusal in self.refusals)
        super().__init__("\n".join([f"{what}:", *lines]), remedy="\n  ".join(_REMEDIES[code] for code in codes))

    @classmethod
    def one(cls, code: RefusalCode, path: Path, reason: str) -> ChangesRefused:
        """A refusal because of a single file."""
        return cls([Refusal(code, path, reason)])


@dataclass(frozen=True)
class Recovery:
    """What recovery did with one unfinished change set: `reason` is empty when all its files are as they were."""

    id: str
    title: str
    is_complete: bool
    reason: str = ""


@dataclass(frozen=True)
class Pruned:
    """What `prune` removed: change set ids, and the bytes of their backups."""

    ids: tuple[str, ...]
    size: int
