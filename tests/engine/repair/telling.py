"""What a pattern proposes for a line of a file and the message of its error, without running anything."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from engine.repair.patterns.files import Folder
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.registry import built_in
from engine.repair.record import ErrorRecord, Frame


def told_or_unknown(
    root: Path, pattern: str, source: str, at: int | str, error: str, files: Mapping[str, str] | None = None
) -> Proposal | Declined | None:
    """What is proposed for `app.py`, which is `source`; None where the pattern does not know the error.

    `at`: the number of the line that failed, or a part of the first line that has it. `error`: as Python prints it.
    `files`: the project's others, by path.
    """
    for name, text in {**(files or {}), "app.py": source}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")
    lines = source.splitlines()
    line = at if isinstance(at, int) else next(number for number, text in enumerate(lines, 1) if at in text)
    inside = [one.split("def ")[1].split("(")[0] for one in lines[:line] if one.lstrip().startswith("def ")]
    is_inside = lines[line - 1][:1].isspace()
    frame = Frame(
        str(root / "app.py"), line, inside[-1] if inside and is_inside else "<module>", lines[line - 1].strip()
    )
    kind, _, message = error.partition(": ")
    record = ErrorRecord(kind, message, (frame,))
    one = built_in(pattern)
    if not one.recognises(record):
        return None
    return one.propose(Case(Folder(root), "g", [record], "app.py", frame, line, source.encode()))


def told(
    root: Path, pattern: str, source: str, at: int | str, error: str, files: Mapping[str, str] | None = None
) -> Proposal | Declined:
    """What is proposed for `app.py`, where the pattern knows the error. See `told_or_unknown`."""
    found = told_or_unknown(root, pattern, source, at, error, files)
    assert found is not None, f"{pattern} does not know {error}"
    return found


def after(found: Proposal | Declined) -> str:
    """The first file of a proposal, as it would stand."""
    assert isinstance(found, Proposal), found
    text = found.edits[0].after.decode()
    if found.edits[0].path.endswith(".py"):
        compile(text, found.edits[0].path, "exec")
    return text


def is_left(found: Proposal | Declined) -> bool:
    """Whether nothing is proposed."""
    return isinstance(found, Declined)
