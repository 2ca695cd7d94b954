"""Several fixes of one project as one set of edits, against the files as they are now. Reads the project only.

A fix was proposed for certain bytes. Where a file has other bytes now, its fix is refused, unless those bytes are what
another fix of ours left there: then both edits are known, and go together or are refused as overlapping.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from engine.repair.fix import IN_PLACE, Fix
from engine.repair.guard import uncommitted, why_not, why_not_root
from engine.repair.merge import Overlap, merged
from engine.repair.patterns.files import Folder
from engine.repair.patterns.pattern import FileEdit


@dataclass(frozen=True, slots=True)
class Composed:
    """The edits of several fixes together, one a file; `refused` has the fixes that stand in the way (fix id -> why),
    `done` those whose change is in the files already."""

    edits: tuple[FileEdit, ...]
    refused: dict[str, str]
    done: frozenset[str]


def compose(
    root: Path, fixes: Sequence[Fix], known: Collection[str] = (), *, include_uncommitted: bool = False
) -> Composed:
    """Put the fixes together. `known`: sha256 digests of files as our own fixes left them."""
    refused: dict[str, str] = {}
    done: set[str] = set()
    root_reason = why_not_root(root)
    if root_reason:
        return Composed((), {fix.id: root_reason for fix in fixes}, frozenset())
    afters: dict[str, list[tuple[Fix, bytes]]] = defaultdict(list)
    nows: dict[str, bytes | None] = {}
    folder = Folder(root)
    for fix in fixes:
        wanted, reason = _wanted(folder, fix, known, nows)
        if fix.state in IN_PLACE and any(nows[edit.path] != edit.before for edit in fix.edits if edit.path in nows):
            done.add(fix.id)
        elif reason:
            refused[fix.id] = reason
        elif all(nows[path] == after for path, after in wanted):
            done.add(fix.id)
        else:
            for path, after in wanted:
                afters[path].append((fix, after))
    if not include_uncommitted:
        for path, why in uncommitted(root, [path for path in afters if nows[path] is not None], known).items():
            for fix, _ in afters[path]:
                refused[fix.id] = f"{path}: {why}"
    edits: list[FileEdit] = []
    for path, there in afters.items():
        now = nows[path]
        try:
            after = merged(now or b"", [after for _, after in there])
        except Overlap as overlap:
            ids = ", ".join(fix.id for fix, _ in there)
            for fix, _ in there[1:]:
                refused[fix.id] = (
                    f"{path}: line {overlap.line} is changed by several of {ids}; apply one, then look again"
                )
            continue
        if after != now:
            edits.append(FileEdit(path, now, after))
    return Composed(tuple(edits), refused, frozenset(done))


def _wanted(
    folder: Folder, fix: Fix, known: Collection[str], nows: dict[str, bytes | None]
) -> tuple[list[tuple[str, bytes]], str | None]:
    """(each file with its bytes after this fix alone, why not)."""
    wanted: list[tuple[str, bytes]] = []
    for edit in fix.edits:
        if edit.path not in nows:
            nows[edit.path] = _now(folder.root, edit.path)
        now = nows[edit.path]
        if now == edit.after:
            wanted.append((edit.path, edit.after))
            continue
        reason = why_not(folder.root, edit)
        if reason:
            return [], reason
        if now == edit.before:
            wanted.append((edit.path, edit.after))
            continue
        if now is None or edit.before is None or sha256(now).hexdigest() not in known:
            return [], f"{edit.path} has changed since the fix was proposed; look again: proofsheet fix suggest"
        try:
            wanted.append((edit.path, merged(edit.before, [now, edit.after])))
        except Overlap as overlap:
            return (
                [],
                f"{edit.path}: line {overlap.line} was changed by another fix; look again: proofsheet fix suggest",
            )
    return wanted, None


def _now(root: Path, path: str) -> bytes | None:
    place = root / path
    if place.is_symlink() or not place.is_file():
        return None
    try:
        return place.read_bytes()
    except OSError:
        return None
