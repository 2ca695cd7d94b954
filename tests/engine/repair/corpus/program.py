"""What a program of the corpus is. `tests/engine/repair/test_corpus.py` says what is done with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Program:
    """A small project that fails.

    `files` are its files by path (text is written as UTF-8 with the line endings it has). `check` is run in the
    project's folder with that folder on `sys.path`: it fails before the fix (its real traceback is the evidence) and
    passes after. `run`, where given, makes the traceback instead; `log`, where given, is the evidence as it stands,
    with `{root}` for the folder. A look-alike needs no check, only what fails: `run` or `log`.
    """

    name: str
    files: Mapping[str, str | bytes]
    check: str = ""
    run: str = ""
    log: str = ""
    operator: str = ""  # the operator the proposal must have; any where empty
    after: Mapping[str, str] = field(default_factory=dict)  # files as they must be after the fix, where it matters
    applicability: str = ""  # what the proposal must be; any where empty
    reason: str = ""  # words that the reason to decline must have, where it matters
    touches: tuple[str, ...] = ()  # files the edit may touch; app.py where empty


def program(name: str, app: str, check: str, **more: object) -> Program:
    """A program of one file, `app.py`; `files` adds others."""
    files = {"app.py": app, **more.pop("files", {})}  # type: ignore[dict-item]
    return Program(name, files, check, **more)  # type: ignore[arg-type]


def spared(name: str, app: str, run: str = "import app", **more: object) -> Program:
    """A look-alike of one file, `app.py`, with what makes it fail."""
    return program(name, app, "", run=run, **more)
