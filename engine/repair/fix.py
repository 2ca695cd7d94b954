"""What a proposed fix is, as every part of this room and every face sees it: values only.

Relies on nothing but `patterns.pattern`. A fix's id is a hash of its pattern, its files (relative to the root) and what
its edit changes, so that the same proposal has the same id on every machine, and again after its neighbours changed.
"""

from __future__ import annotations

import difflib
import hashlib
import io
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from engine.repair.patterns.pattern import Applicability, FileEdit

CONTEXT_LINES = 3


class FixState(StrEnum):
    """What became of a fix. In `applying` and `rolling-back` only a crash leaves it."""

    PROPOSED = "proposed"
    PROVEN = "proven"
    REFUTED = "refuted"
    APPLYING = "applying"
    APPLIED = "applied"
    ROLLING_BACK = "rolling-back"
    ROLLED_BACK = "rolled-back"
    RECURRED = "recurred"
    REJECTED = "rejected"
    EDITED = "edited"  # another fix, made from it by hand, takes its place


IN_PLACE = frozenset({FixState.APPLIED, FixState.RECURRED})
OPEN = frozenset({FixState.PROPOSED, FixState.PROVEN, FixState.ROLLED_BACK})


@dataclass(frozen=True, slots=True)
class Fix:
    """One proposed edit with its evidence. `file` and the edits' paths are relative to `root`.

    `confidence` is the 5 % lower bound of the share of such fixes that succeeded (0 to 1); `details` holds what only
    some states have: `reason`, `applied_at`, `runs_before`, `made_from`.
    """

    id: str
    pattern: str
    operator: str
    context: str
    group: str
    groups: tuple[str, ...]
    root: Path
    file: str
    line: int
    applicability: Applicability
    why: str
    diff: str
    evidence: tuple[Mapping[str, Any], ...]
    edits: tuple[FileEdit, ...]
    state: FixState = FixState.PROPOSED
    confidence: float = 0.0
    confidence_reason: str = ""
    auto_eligible: bool = False
    change_set: str | None = None
    proof: Mapping[str, Any] | None = None
    details: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "id": self.id,
            "pattern": self.pattern,
            "operator": self.operator,
            "group": self.group,
            "groups": list(self.groups),
            "root": str(self.root),
            "file": self.file,
            "line": self.line,
            "applicability": self.applicability,
            "confidence": round(self.confidence, 4),
            "confidence_reason": self.confidence_reason,
            "auto_eligible": self.auto_eligible,
            "state": self.state.value,
            "diff": self.diff,
            "evidence": [dict(one) for one in self.evidence],
            "why": self.why,
            "change_set": self.change_set,
            "proof": dict(self.proof) if self.proof else None,
            "details": dict(self.details),
        }


def fix_id(pattern: str, edits: Sequence[FileEdit], apart: str = "") -> str:
    """`fix-` and 12 hexadecimal digits. `apart` tells two equal edits of two places in one file apart."""
    digest = hashlib.sha256(f"{pattern}\0{apart}".encode())
    for edit in sorted(edits, key=lambda one: one.path):
        digest.update(f"\0{edit.path}\0".encode())
        for line in difflib.unified_diff(_lines(edit.before or b""), _lines(edit.after), n=CONTEXT_LINES, lineterm=""):
            if not line.startswith(("@@", "---", "+++")):
                digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return f"fix-{digest.hexdigest()[:12]}"


def _lines(source: bytes) -> list[str]:
    return source.decode("utf-8", "surrogateescape").split("\n")


def unified(edits: Sequence[FileEdit]) -> str:
    """The edits as a unified diff that `git apply` and `patch -p1` take, with paths relative to the root."""
    return "".join(part for edit in edits for part in _unified(edit))


def _unified(edit: FileEdit) -> Iterator[str]:
    before, after = text_of(edit.before or b""), text_of(edit.after)
    old = "/dev/null" if edit.before is None else f"a/{edit.path}"
    made = difflib.unified_diff(_kept(before), _kept(after), old, f"b/{edit.path}", n=CONTEXT_LINES)
    for line in made:
        yield line if line.endswith("\n") else line + "\n\\ No newline at end of file\n"


def _kept(text: str) -> list[str]:
    """Lines with their line feeds; other characters at which `splitlines` would break are left alone."""
    parts = text.split("\n")
    return [part + "\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def text_of(source: bytes) -> str:
    """Python source as text, by its byte-order mark or encoding cookie; what cannot be decoded is marked."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        return source.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return source.decode("utf-8", "replace")
