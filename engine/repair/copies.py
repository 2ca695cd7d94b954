"""A copy of a project to try things on: a git worktree where all is committed, else the tree copied file by file.

Left out are version control, virtual environments, caches and installed packages; the copy lies in the system's
temporary folder and is removed at the end. The project itself is only read (git notes the worktree in its own folder
while it is there).
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engine.errors import ProofsheetError
from engine.repair.guard import git
from engine.repair.scratch import scratch

LEFT_OUT = frozenset(
    (
        *(".git", ".hg", ".svn", ".venv", "venv", ".tox", ".nox", "node_modules", "__pycache__", "site-packages"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".eggs", "__pypackages__"),
    )
)
MOST_BYTES = 2 << 30
MOST_FILES = 100_000


@dataclass(frozen=True, slots=True)
class Copy:
    """Where the copied project's root lies, and how it was made."""

    root: Path
    how: Literal["worktree", "copy"]


@contextmanager
def copied(root: Path) -> Iterator[Copy]:
    """A copy of the project at `root`, removed at the end. Raises ProofsheetError when it cannot be made."""
    with scratch("proof") as made:
        desk = made.resolve()
        worktree = _worktree(root, desk)
        if worktree is None:
            target = desk / (root.name or "project")
            _copy_tree(root, target)
            yield Copy(target, "copy")
            return
        try:
            yield Copy(worktree, "worktree")
        finally:
            git(root, "worktree", "remove", "--force", str(desk / "tree"))


def _worktree(root: Path, desk: Path) -> Path | None:
    """The root within a new worktree; None where the tree holds anything that the last commit does not."""
    top = git(root, "rev-parse", "--show-toplevel", "--show-prefix")
    said = git(root, "status", "--porcelain=v1", "-z", "--ignored", "--", ".") if top else None
    if top is None or said is None or (root / ".gitmodules").exists():
        return None
    entries = [entry for entry in said.split("\0") if entry]
    if any(entry[:2] != "!!" or Path(entry[3:].rstrip("/")).name not in LEFT_OUT for entry in entries):
        return None
    place = desk / "tree"
    if git(root, "worktree", "add", "--detach", "--quiet", str(place), "HEAD") is None:
        return None
    prefix = top.split("\n")[1] if "\n" in top else ""
    found = place / prefix.rstrip("/") if prefix else place
    return found if found.is_dir() else None


def _copy_tree(root: Path, target: Path) -> None:
    bytes_left, files_left = MOST_BYTES, MOST_FILES
    for folder, folders, names in os.walk(root):
        here = Path(folder)
        there = target / here.relative_to(root)
        there.mkdir(parents=True, exist_ok=True)
        links = [name for name in folders if (here / name).is_symlink()]
        folders[:] = [
            name
            for name in folders
            if name not in links and name not in LEFT_OUT and not (here / name / "pyvenv.cfg").exists()
        ]
        for name in (*links, *names):
            source = here / name
            try:
                status = source.lstat()
                if stat.S_ISLNK(status.st_mode):
                    (there / name).symlink_to(_led(source, root, target))
                elif stat.S_ISREG(status.st_mode):
                    bytes_left -= status.st_size
                    files_left -= 1
                    if bytes_left < 0 or files_left < 0:
                        raise ProofsheetError(
                            f"{root} holds more than {MOST_BYTES >> 30} GB or {MOST_FILES:,} files: too much to copy",
                            remedy="Commit the project: a clean git checkout is tried without copying its data.",
                        )
                    shutil.copy2(source, there / name)
            except OSError as error:
                raise ProofsheetError(
                    f"{source} cannot be copied: {error.strerror}", remedy="Make it readable, or move it out."
                ) from error


def _led(link: Path, root: Path, target: Path) -> Path:
    """Where the copy of a link leads: within the copy where the original stays within the project."""
    real = Path(os.path.realpath(link))
    return target / real.relative_to(root) if real.is_relative_to(root) else real
