"""From operations to a change set: where each path really lies, which companions travel along, what conflicts, and what
every file was when it was planned. The same examination is made again right before applying. Relies on `disk` to
look; never writes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from engine.changes import disk
from engine.changes.model import (
    Action,
    ChangesRefused,
    Copy,
    Create,
    Delete,
    Edit,
    Fingerprint,
    Move,
    Operation,
    Refusal,
    RefusalCode,
    Step,
)
from engine.changes.owned import Owned
from engine.errors import UsageError

Companions = Mapping[Path, Sequence[Path]]


def with_companions(
    operations: Iterable[Operation], companions: Companions, exists: Callable[[Path], bool]
) -> list[Operation]:
    """`operations` and, after each move or copy of an image, the same for its companions, which keep their relation to
    its name: `a.xmp` and `a.jpg.xmp` follow `a.jpg` to `b.jpg` as `b.xmp` and `b.jpg.xmp`.

    A companion is copied, never hard-linked: an edit of the exported one must not reach the original. One that two
    images share travels once; one that is gone (`exists`) has nothing to travel. Pure but for `exists`.
    """
    given = list(operations)
    known = {(operation.source, operation.target) for operation in given if isinstance(operation, Move | Copy)}
    expanded: list[Operation] = []
    for operation in given:
        expanded.append(operation)
        if isinstance(operation, Move | Copy):
            for companion in companions.get(operation.source, ()):
                target = _beside(companion, operation.source, operation.target)
                if (companion, target) not in known and exists(companion):
                    known.add((companion, target))
                    expanded.append(Move(companion, target) if isinstance(operation, Move) else Copy(companion, target))
    return expanded


def _beside(companion: Path, image: Path, target: Path) -> Path:
    """Where `companion` goes when `image` goes to `target`."""
    name = companion.name
    for old, new in ((image.name, target.name), (image.stem, target.stem)):
        if name.startswith(old):
            name = new + name.removeprefix(old)
            break
    inside = companion.parent.is_relative_to(image.parent)
    return target.parent / (companion.parent.relative_to(image.parent) if inside else "") / name


class Roots:
    """The folders in which a change set may change anything. A root may itself be reached through a link, because a
    person named it; nothing beneath it may. What is copied is only read, and may come from elsewhere."""

    def __init__(self, roots: Iterable[Path], reserved: Path) -> None:
        """`reserved`: the archive, where nothing may be changed but by this room."""
        self._real = {}
        for root in roots:
            if not root.is_absolute():
                raise UsageError(f"{root} is not an absolute path", remedy="Give the root in full.")
            self._real[root] = root.resolve()
        self._reserved = reserved

    @property
    def real(self) -> tuple[Path, ...]:
        """The roots as they really lie, each once."""
        return tuple(dict.fromkeys(self._real.values()))

    def real_path(self, path: Path) -> Path:
        """`path` with its root's real place in front. Raises ChangesRefused; looks at nothing on disk."""
        found = self._beneath(path)
        if found is None:
            named = ", ".join(map(str, self._real)) or "none"
            reason = f"lies outside the folders that may change ({named})"
            raise ChangesRefused.one(RefusalCode.OUTSIDE_ROOTS, path, reason)
        return found

    def real_source(self, path: Path) -> Path:
        """Where a file that is to be copied really lies: under a root, or else wherever its folder leads."""
        return self._beneath(path) or self._allowed(path.parent.resolve() / path.name)

    def _beneath(self, path: Path) -> Path | None:
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            raise ChangesRefused.one(RefusalCode.NAME_NOT_UTF8, path, "has a name that is not valid UTF-8") from error
        if not path.is_absolute() or ".." in path.parts or "\0" in str(path):
            raise ChangesRefused.one(RefusalCode.NOT_ABSOLUTE, path, "is not an absolute path without '..'")
        pairs = [*self._real.items(), *((real, real) for real in self._real.values())]
        for root, real in sorted(pairs, key=lambda pair: len(pair[0].parts), reverse=True):
            if path.is_relative_to(root):
                return self._allowed(real / path.relative_to(root))
        return None

    def _allowed(self, path: Path) -> Path:
        if path.is_relative_to(self._reserved):
            raise ChangesRefused.one(RefusalCode.RESERVED, path, "belongs to Proofsheet's own journals")
        return path


def make_steps(
    operations: Sequence[Operation], roots: Roots, owned: Callable[[], Owned], proofs: Mapping[Path, str]
) -> tuple[tuple[Step, ...], dict[int, bytes]]:
    """The steps of a change set, and the new content by step number. An edit that changes nothing is left out.

    `owned` is asked only when something is to be deleted; `proofs` adds files (path to sha256) that the caller knows
    Proofsheet wrote. Raises ChangesRefused with every refusal found.
    """
    refusals: list[Refusal] = []
    placed: list[tuple[Operation, Step]] = []
    for operation in operations:
        try:
            placed.append((operation, _place(operation, roots)))
        except ChangesRefused as refused:
            refusals += refused.refusals
    refusals += conflicts([step for _, step in placed])
    ours = owned() if any(step.action is Action.DELETE for _, step in placed) else frozenset()
    ours |= {(roots.real_path(path), sha256) for path, sha256 in proofs.items()}

    steps: list[Step] = []
    contents: dict[int, bytes] = {}
    for operation, rough in placed:
        try:
            step, content = _complete(operation, rough, ours)
        except ChangesRefused as refused:
            refusals += refused.refusals
            continue
        if step.action is Action.EDIT and step.before is not None and step.after == step.before.sha256:
            continue
        step = replace(step, number=len(steps))
        if content is not None:
            contents[step.number] = content
        steps.append(step)
    if refusals:
        raise ChangesRefused(list(dict.fromkeys(refusals)))
    return tuple(steps), contents


def _place(operation: Operation, roots: Roots) -> Step:
    source: Path | None = None
    match operation:
        case Edit(path):
            action = Action.EDIT
        case Create(path):
            action = Action.CREATE
        case Delete(path):
            action = Action.DELETE
        case Move(source, path):
            action, source = Action.MOVE, roots.real_path(source)
        case Copy(source, path, link):
            action, source = Action.LINK if link else Action.COPY, roots.real_source(source)
    return Step(0, action, roots.real_path(path), source, None, None, 0)


def _complete(operation: Operation, step: Step, ours: Owned) -> tuple[Step, bytes | None]:
    seen = examine(step)
    match operation:
        case Edit(_, content) | Create(_, content):
            after = hashlib.sha256(content).hexdigest()
            return replace(step, before=seen, after=after, size=len(content)), content
    if seen is None:
        raise ChangesRefused.one(RefusalCode.MISSING, step.path, "is not there")
    if step.action is Action.DELETE:
        if (step.path, seen.sha256) not in ours:
            raise ChangesRefused.one(RefusalCode.NOT_OURS, step.path, "was not written, or not last, by Proofsheet")
        return replace(step, before=seen), None
    return replace(step, before=seen, after=seen.sha256, size=seen.size), None


def conflicts(steps: Sequence[Step]) -> Iterator[Refusal]:
    """Names that two steps would touch, or that one touches and another reads, or that would be file and folder at
    once. Pure."""
    touched: set[Path] = set()
    for step in steps:
        for path in step.touched:
            if path in touched:
                yield Refusal(RefusalCode.CONFLICT, path, "is changed twice in one change set")
            touched.add(path)
    for step in steps:
        if step.source is not None and step.action is not Action.MOVE and step.source in touched:
            yield Refusal(RefusalCode.CONFLICT, step.source, "is to be copied and changed in one change set")
        for path in step.touched:
            if above := next((parent for parent in path.parents if parent in touched), None):
                yield Refusal(RefusalCode.CONFLICT, path, f"lies beneath {above}, which is a file in this change set")


def examine(step: Step) -> Fingerprint | None:
    """The file that `step` starts from, as it is now (None for one to be created). Raises ChangesRefused when anything
    on disk stands in the way of the step; touches nothing."""
    seen: Fingerprint | None = None
    if step.origin is not None:
        seen = disk.fingerprint(step.origin)
        if seen is None:
            raise ChangesRefused.one(RefusalCode.MISSING, step.origin, "is not there")
        if step.action in (Action.EDIT, Action.DELETE) and not disk.is_writable(step.origin):
            raise ChangesRefused.one(RefusalCode.READ_ONLY, step.origin, "is read-only")
        if step.origin in step.touched and not disk.is_writable(step.origin.parent):
            raise ChangesRefused.one(RefusalCode.READ_ONLY, step.origin, "lies in a read-only folder")
    if step.makes_a_name:
        if disk.status(step.path) is not None:
            raise ChangesRefused.one(RefusalCode.EXISTS, step.path, "is there already")
        missing = disk.missing_directories(step.path.parent)
        folder = missing[0].parent if missing else step.path.parent
        if not disk.is_writable(folder):
            raise ChangesRefused.one(RefusalCode.READ_ONLY, step.path, f"would lie in the read-only folder {folder}")
        if seen is not None and step.action in (Action.MOVE, Action.LINK) and volume(folder) != seen.device:
            raise ChangesRefused.one(
                RefusalCode.OTHER_VOLUME, step.path, f"would lie on another volume than {step.source}"
            )
    return seen


def volume(folder: Path) -> int:
    """The number of the volume that holds `folder`."""
    with disk.opened_directory(folder) as descriptor:
        return os.fstat(descriptor).st_dev


def examine_again(steps: Sequence[Step]) -> dict[int, Fingerprint]:
    """Every step's file as it is now, by step number, if all are as they were planned.

    Raises ChangesRefused with everything that has changed or stands in the way.
    """
    refusals: list[Refusal] = []
    seen: dict[int, Fingerprint] = {}
    for step in steps:
        try:
            now = examine(step)
        except ChangesRefused as refused:
            refusals += refused.refusals
            continue
        if now is not None and step.before is not None and step.origin is not None:
            seen[step.number] = now
            if now.sha256 != step.before.sha256:
                refusals.append(Refusal(RefusalCode.CHANGED, step.origin, "has changed since it was planned"))
    if refusals:
        raise ChangesRefused(refusals)
    return seen
