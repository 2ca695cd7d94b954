"""A small folder of pictures, a change set that uses every operation on it, and what a tree looks like, exactly."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from engine.changes import Copy, Create, Delete, Edit, Move, Operation


@dataclass(frozen=True)
class Look:
    """One file or folder: its bytes (None for a folder), permission bits, and modification time of a file."""

    content: bytes | None
    mode: int
    mtime_ns: int


Snapshot = Mapping[str, Look]


def snapshot(root: Path) -> Snapshot:
    """Every file and folder under `root`, by relative path."""
    found = {}
    for path in sorted(root.rglob("*")):
        seen = path.lstat()
        content = path.read_bytes() if stat.S_ISREG(seen.st_mode) else None
        found[str(path.relative_to(root))] = Look(
            content, stat.S_IMODE(seen.st_mode), seen.st_mtime_ns if content is not None else 0
        )
    return found


def contents(root: Path) -> dict[str, bytes | None]:
    """Names and bytes only: what a finished apply promises for the files it made."""
    return {name: look.content for name, look in snapshot(root).items()}


def write(path: Path, content: bytes, *, mode: int = 0o644, mtime_ns: int = 1_500_000_000_123_456_789) -> Path:
    """A file with a past of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return path


def sample(root: Path, size: int = 3000) -> None:
    """Pictures with companions, some text, odd modes and names."""
    write(root / "one.jpg", b"one" * size, mode=0o640)
    write(root / "one.xmp", b"<rating>1</rating>\n", mtime_ns=1_400_000_000_000_000_001)
    write(root / "two.jpg", b"two" * size)
    write(root / "shoot" / "three.png", b"three" * size, mode=0o600)
    write(root / "shoot" / "vier ü.png", b"four" * size)
    write(root / "notes.yaml", b"stars: 1\nnote: soft\n", mode=0o664)
    write(root / "untouched.jpg", b"leave me", mode=0o444)
    (root / "empty").mkdir()


def every_operation(root: Path) -> list[Operation]:
    """Edits, new files in new folders, moves, copies, hard links and a deletion (of `ours.txt`), in one change set."""
    return [
        Edit(root / "notes.yaml", b"stars: 5\nnote: sharp\n"),
        Move(root / "one.jpg", root / "best" / "of" / "one.jpg"),
        Move(root / "shoot" / "three.png", root / "shoot" / "3.png"),
        Create(root / "best" / "list.txt", b"one.jpg\n"),
        Copy(root / "two.jpg", root / "best" / "two copy.jpg"),
        Copy(root / "shoot" / "vier ü.png", root / "linked.png", link=True),
        Delete(root / "ours.txt"),
        Edit(root / "shoot" / "ours too.txt", b"edited by us, twice\n"),
    ]


COMPANIONS = {Path("one.jpg"): [Path("one.xmp")]}


def companions(root: Path) -> dict[Path, list[Path]]:
    """`COMPANIONS` under `root`."""
    return {root / image: [root / path for path in paths] for image, paths in COMPANIONS.items()}


def our_files(root: Path) -> list[Operation]:
    """Files that Proofsheet writes itself, so that it may delete one of them later."""
    return [
        Create(root / "ours.txt", b"written by us\n"),
        Create(root / "shoot" / "ours too.txt", b"written by us, too\n"),
    ]
