"""What a change set would do, for a person to read before they approve: a from-to table, and a unified diff of every
text that is edited or created. Pure but for the two callables that read old and new content; never guesses: bytes
that are not text are described, not shown.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from engine.changes.model import Action, ChangeSet, Step, printable

Content = Callable[[Step], bytes | None]  # None: it cannot be had any more
_LARGEST_DIFF = 1 << 20  # bytes; difflib's time grows with the square of the lines that differ


def preview(change_set: ChangeSet, old: Content, new: Content) -> str:
    """The change set as text, ending in a newline. `old` and `new` give the content of an edited or created file."""
    steps = change_set.operations
    table = [step for step in steps if step.action not in (Action.EDIT, Action.CREATE)]
    parts = ["\n".join(from_to(table, change_set.roots))] if table else []
    texts = [step for step in steps if step.action in (Action.EDIT, Action.CREATE)]
    parts += ["\n".join(_diff(step, old(step), new(step))) for step in texts]
    return "\n\n".join(parts) + "\n"


def from_to(steps: Sequence[Step], roots: Sequence[Path]) -> list[str]:
    """One aligned line a step, `move  a.jpg  ->  trash/a.jpg`; with a single root, paths are shown from there."""
    root = roots[0] if len(roots) == 1 else None
    rows = [(step.action.value, _shown(step.source or step.path, root), step) for step in steps]
    width = max(len(row[1]) for row in rows)
    lines = [f"in {_shown(root, None)}:"] if root else []
    for action, source, step in rows:
        line = f"{action:<6}  {source}" if step.source is None else f"{action:<6}  {source:<{width}}  ->  "
        lines.append(line if step.source is None else line + _shown(step.path, root))
    return lines


def _shown(path: Path, root: Path | None) -> str:
    return printable(str(path.relative_to(root) if root and path.is_relative_to(root) else path))


def _diff(step: Step, old: bytes | None, new: bytes | None) -> Iterator[str]:
    path = printable(str(step.path))
    if step.action is Action.CREATE:
        old = b""
    if old is None or new is None:
        yield f"{step.action} {path}: no longer to be shown, the file has changed since"
        return
    before, after = _text(old), _text(new)
    if before is None or after is None:
        sizes = f"{len(new):,} bytes" if step.action is Action.CREATE else f"{len(old):,} -> {len(new):,} bytes"
        yield f"{step.action} {path}: {sizes}, not shown as text"
        return
    yield f"--- {'/dev/null' if step.action is Action.CREATE else path}"
    yield f"+++ {path}"
    hunks = difflib.unified_diff(_lines(before), _lines(after), lineterm="")
    for number, line in enumerate(hunks):
        if number >= 2:  # the two header lines are ours, with the paths made printable
            yield line


def _text(content: bytes) -> str | None:
    """`content` as UTF-8 text, or None for bytes that are not, or are too many to compare line by line."""
    if len(content) > _LARGEST_DIFF or b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _lines(text: str) -> list[str]:
    """Lines as a diff shows them: a tab stays, other control characters are spelled out (a carriage return, too, so
    that a change of line endings is seen); a missing last newline is a line of its own, as in diff(1)."""
    if not text:
        return []
    lines = ["\t".join(map(printable, line.split("\t"))) for line in text.split("\n")]
    if lines[-1] == "":
        return lines[:-1]
    lines[-1] += "\n\\ No newline at end of file"
    return lines
