"""What a fix pattern is: it looks at a recurring error and its source, and proposes an edit or says why it declines.

A pattern is a pure function of what it is shown. It reads nothing from disk but through `Project`, writes nothing,
imports and runs nothing of the project.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

from engine.repair.record import ErrorRecord, Frame

Applicability = Literal["safe", "review", "display-only"]


class Project(Protocol):
    """The code base under repair, read-only; paths are relative to its root, with forward slashes."""

    @property
    def root(self) -> Path:
        """The folder that no edit leaves."""

    def read(self, path: str) -> bytes | None:
        """A file's bytes, or None where it is not there, is not ours to edit, or leads out of the root."""

    def python_files(self) -> Sequence[str]:
        """Every first-party Python file, sorted."""

    def relative(self, file: str) -> str | None:
        """A traceback's file as a path of this project; None where it is not one of its files."""

    def is_first_party(self, module: str) -> bool:
        """Whether the top-level module is the project's own."""


@dataclass(frozen=True, slots=True)
class Case:
    """One group of errors at one place: what a pattern is asked about.

    `path` and `frame` are the innermost frame inside the project; `source` is that file's bytes; `records` are the
    group's newest events, newest first, all of one type and place; `line` is where the code stands now (1-based), as
    the file may have changed since.
    """

    project: Project
    group: str
    records: Sequence[ErrorRecord]
    path: str
    frame: Frame
    line: int
    source: bytes


@dataclass(frozen=True, slots=True)
class FileEdit:
    """A file's bytes before and after; `before` is None for a file that the edit makes."""

    path: str
    before: bytes | None
    after: bytes


@dataclass(frozen=True, slots=True)
class Proposal:
    """An edit with its reason.

    `operator` names the way it is done (`encoding-keyword`, `mkdir`...): confidence is learnt per pattern and operator.
    `line` is the first changed line of the first edit (1-based, before the edit).
    """

    pattern: str
    operator: str
    edits: tuple[FileEdit, ...]
    line: int
    applicability: Applicability
    why: str


@dataclass(frozen=True, slots=True)
class Declined:
    """Why a pattern that recognised the error leaves the code alone."""

    pattern: str
    reason: str


class Pattern(Protocol):
    """One kind of recurring error and the edit a careful engineer would make."""

    @property
    def id(self) -> str:
        """The name that contracts speak of: `unicode`, `missing-file`, ..."""

    @property
    def title(self) -> str:
        """What it does, in a few plain words."""

    def recognises(self, record: ErrorRecord) -> bool:
        """Whether the error is of this kind: cheap, by type, message and code line alone."""

    def propose(self, case: Case) -> Proposal | Declined:
        """The edit, or why there is none."""
