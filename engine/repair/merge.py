"""Several edits of one file as one: pure, by lines.

An edit is seen as hunks against the bytes before it. Hunks of several edits that keep apart are made together; equal
ones (two fixes that add the same import) once. Edits that touch the same lines otherwise do not go together.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import pairwise


class Overlap(Exception):
    """Two edits want the same lines. `line` is the first of them (1-based, before the edits)."""

    def __init__(self, line: int) -> None:
        super().__init__(f"two edits change line {line}")
        self.line = line


@dataclass(frozen=True, slots=True, order=True)
class Hunk:
    """Lines `start` to `end` (0-based, end excluded; equal for an insertion) become `lines`."""

    start: int
    end: int
    lines: tuple[bytes, ...]


def hunks(before: bytes, after: bytes) -> tuple[Hunk, ...]:
    """What an edit changes, top to bottom; hunks have at least one unchanged line between them."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        Hunk(old_from, old_to, tuple(new[new_from:new_to]))
        for tag, old_from, old_to, new_from, new_to in matcher.get_opcodes()
        if tag != "equal"
    )


def with_hunks(before: bytes, wanted: Sequence[Hunk]) -> bytes:
    """`before` with these hunks. Raises Overlap."""
    lines = before.splitlines(keepends=True)
    made: list[bytes] = []
    at = 0
    for hunk in sorted(set(wanted)):
        if hunk.start < at:
            raise Overlap(hunk.start + 1)
        made += lines[at : hunk.start]
        made += hunk.lines
        at = hunk.end
    return b"".join([*made, *lines[at:]])


def merged(before: bytes, afters: Sequence[bytes]) -> bytes:
    """All these edits of `before` at once. Raises Overlap where they do not keep apart."""
    every = sorted({hunk for after in afters for hunk in hunks(before, after)})
    for one, other in pairwise(every):
        if other.start < one.end or (other.start == one.start and not (_imports(one) and _imports(other))):
            raise Overlap(other.start + 1)
    return with_hunks(before, every)


def some(before: bytes, after: bytes, chosen: Collection[int]) -> bytes:
    """The edit with only the hunks of these numbers (from 0)."""
    return with_hunks(before, [hunk for number, hunk in enumerate(hunks(before, after)) if number in chosen])


def _imports(hunk: Hunk) -> bool:
    """Whether the hunk only adds import lines: several such may stand at one place, in any order."""
    words = [line.split()[:1] for line in hunk.lines if line.strip()]
    return hunk.start == hunk.end and all(word in ([b"import"], [b"from"]) for word in words)
