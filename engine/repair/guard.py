"""What is never edited, whoever asks: looked at before anything is planned, besides the change set's own checks.

Relies on `patterns.files` for the project's own files, and on git (where there is one) for uncommitted edits. Reads
only.
"""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sysconfig
from collections.abc import Collection, Sequence
from hashlib import sha256
from pathlib import Path, PurePosixPath

from engine.repair.patterns.files import PASSED_OVER, Folder
from engine.repair.patterns.pattern import FileEdit

_INSTALLED = re.compile(r"(?:^|/)(?:site-packages|dist-packages|lib(?:64)?/python\d(?:\.\d+)?)(?:/|$)")
_GIT = ("git", "--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null")
_PATIENCE = 30.0  # seconds for a question to git


def why_not_root(root: Path) -> str | None:
    """Why nothing in this folder may be edited; None where it is a project."""
    if not root.is_dir():
        return f"there is no folder {root}"
    if _INSTALLED.search(root.as_posix()):
        return f"{root} holds installed packages"
    if (root / "pyvenv.cfg").exists():
        return f"{root} is a virtual environment"
    if root.is_relative_to(Path(sysconfig.get_paths()["stdlib"]).resolve()):
        return f"{root} belongs to Python itself"
    return None


def why_not(root: Path, edit: FileEdit) -> str | None:
    """Why this edit may not be made; None where it may. The content is compared later, when all edits are together."""
    folder = Folder(root)
    if _INSTALLED.search(f"{folder.root.as_posix()}/{edit.path}"):
        return f"{edit.path} is an installed package or Python itself"
    if edit.before is None:
        reason = _why_not_new(folder.root, edit.path)
    else:
        reason = folder.why_not(edit.path)
        if reason is None and folder.read(edit.path) is None:
            reason = "it is generated, or cannot be read"
    return f"{edit.path}: {reason}" if reason else None


def _why_not_new(root: Path, path: str) -> str | None:
    relative = PurePosixPath(path)
    if relative.is_absolute() or ".." in relative.parts or not relative.parts:
        return "it leads out of the project"
    if any(part in PASSED_OVER for part in relative.parts[:-1]):
        return "it would lie where nothing is the project's own"
    place = root
    for part in relative.parts:
        place = place / part
        try:
            status = place.lstat()
        except FileNotFoundError:
            return None
        if stat.S_ISLNK(status.st_mode):
            return "it would be reached through a symbolic link"
    return "it is there already"


def uncommitted(root: Path, paths: Sequence[str], known: Collection[str] = ()) -> dict[str, str]:
    """Those of `paths` that git knows and that differ from the last commit, and those of which git cannot say so, each
    with the reason; none where there is no repository.

    `known` are sha256 digests of content that this program itself put there.
    """
    if not paths or not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return {}
    said = git(root, "status", "--porcelain=v1", "-z", "--untracked-files=no", "--no-renames", "--", *paths)
    if said is None:
        return dict.fromkeys(paths, "git cannot say whether it has uncommitted edits (see `git status`, or ask for it)")
    prefix = git(root, "rev-parse", "--show-prefix")
    found = [entry[3:] for entry in said.split("\0") if entry]
    inside = [name.removeprefix((prefix or "").strip("\n")) for name in found]
    reason = "it has uncommitted edits (commit them, or ask for it)"
    return {name: reason for name in inside if _digest(root / name) not in known}


def _digest(path: Path) -> str:
    try:
        return sha256(path.read_bytes()).hexdigest()
    except OSError:
        return ""


def git(root: Path, *words: str) -> str | None:
    """What git answers about the folder, taking no locks and running no hooks; None when it has no answer."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}  # a hook's name another
    try:
        done = subprocess.run(
            [*_GIT, "-C", str(root), *words],
            capture_output=True,
            text=True,
            errors="surrogateescape",
            timeout=_PATIENCE,
            stdin=subprocess.DEVNULL,
            env={**own, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None
