"""The line endings of new lines in a file whose lines do not all end alike."""

from __future__ import annotations

from difflib import SequenceMatcher


def with_endings(before: bytes, after: bytes) -> bytes:
    """Let new lines end as the line above them does, where a file's lines do not all end alike."""
    old, new = before.splitlines(True), after.splitlines(True)
    if len({_ending(line) for line in old} - {b""}) < 2:
        return after
    made: list[bytes] = []
    for tag, first, end, start, stop in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        kept = {line.rstrip(b"\r\n") for line in old[first:end]}
        above = _ending(old[first - 1]) if first else _ending(old[0])
        for line in new[start:stop]:
            bare = line.rstrip(b"\r\n")
            is_new = tag != "equal" and bare not in kept and _ending(line) and above
            made.append(bare + above if is_new else line)
    return b"".join(made)


def _ending(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]
