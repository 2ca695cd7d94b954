"""Where fixes are kept: `fixes.jsonl`, the append-only truth with every step, and the tables that answer questions.

Relies on the store and the file system. A step is on the disk before what it announces is done. Columns and lines are
made here and nowhere else.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso
from engine.logs.masking import masked
from engine.repair.fix import Fix, FixState
from engine.repair.outcomes import Kind, Outcome, read, standing
from engine.repair.patterns.pattern import FileEdit
from engine.repair.policy import why_not_auto
from engine.store.database import upsert
from engine.store.schema.repair import fix_outcomes, fixes


class Steps:
    """`fixes.jsonl`: one JSON object a line, appended under a lock and flushed before `append` returns."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self.path = path
        self._clock = clock

    def append(self, step: str, of: Iterable[Fix], **more: Any) -> None:
        """Write one line a fix. Raises OSError when the disk will not."""
        at = iso(self._clock())
        lines = [
            json.dumps(
                {
                    "timestamp": at,
                    "step": step,
                    "fix": fix.id,
                    "pattern": fix.pattern,
                    "operator": fix.operator,
                    "group": fix.group,
                    "root": masked(str(fix.root)),
                    "file": fix.file,
                    **masked(more),
                },
                ensure_ascii=True,
            )
            for fix in of
        ]
        if not lines:
            return
        data = ("\n".join(lines) + "\n").encode("ascii")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("ab+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            size = os.fstat(file.fileno()).st_size
            if size and os.pread(file.fileno(), 1, size - 1) != b"\n":
                data = b"\n" + data  # a line that a crash cut short costs itself alone
            file.write(data)
            file.flush()
            os.fsync(file.fileno())


def put(connection: sa.Connection, found: Sequence[Fix], now: str) -> None:
    """Write fixes down as they are now."""
    columns = [column.name for column in fixes.columns if column.name not in ("id", "created_at")]
    upsert(connection, fixes, [_row(fix, now) for fix in found], key=("id",), update=columns)


def get(connection: sa.Connection, ids: Sequence[str] | None = None, root: Path | None = None) -> list[Fix]:
    """Those fixes (all without `ids`; of one project with `root`), oldest first, with their confidence."""
    query = sa.select(fixes).order_by(fixes.c.created_at, fixes.c.id)
    if ids is not None:
        query = query.where(fixes.c.id.in_(list(ids)))
    if root is not None:
        query = query.where(fixes.c.root == str(root))
    outcomes = read(connection)
    return [with_confidence(_fix(row), outcomes) for row in connection.execute(query)]


def with_confidence(fix: Fix, outcomes: Sequence[Outcome]) -> Fix:
    """The fix with what the outcomes of its kind say."""
    own = standing(outcomes, fix.pattern, fix.operator, fix.context)
    why_not = why_not_auto(fix.applicability, own)
    return replace(fix, confidence=own.lower, confidence_reason=own.words, auto_eligible=why_not is None)


def note(connection: sa.Connection, fix: Fix, kind: Kind, is_success: bool, now: str, detail: str = "") -> None:
    """Add an outcome."""
    row = {
        "fix_id": fix.id,
        "pattern": fix.pattern,
        "operator": fix.operator,
        "context": fix.context,
        "kind": kind,
        "is_success": is_success,
        "detail": detail or None,
        "at": now,
    }
    connection.execute(sa.insert(fix_outcomes).values(row))


def note_taken_back(connection: sa.Connection, fix: Fix, now: str, detail: str) -> None:
    """Add that a person did not keep a fix, in place of the word that they did if it stood for long before."""
    since = str(fix.details.get("applied_at") or "")
    earlier = sa.and_(fix_outcomes.c.fix_id == fix.id, fix_outcomes.c.kind == "kept", fix_outcomes.c.at >= since)
    connection.execute(sa.delete(fix_outcomes).where(earlier, fix_outcomes.c.is_success))
    note(connection, fix, "kept", False, now, detail)


def forget(connection: sa.Connection, fix: Fix, kind: Kind) -> None:
    """Take the newest outcome of this kind back: the word it came from was taken back."""
    newest = sa.select(sa.func.max(fix_outcomes.c.id)).where(
        fix_outcomes.c.fix_id == fix.id, fix_outcomes.c.kind == kind
    )
    connection.execute(sa.delete(fix_outcomes).where(fix_outcomes.c.id == newest.scalar_subquery()))


def noted(connection: sa.Connection, fix: Fix, kind: Kind, since: str) -> bool:
    """Whether such an outcome was told since."""
    query = sa.select(fix_outcomes.c.id).where(
        fix_outcomes.c.fix_id == fix.id, fix_outcomes.c.kind == kind, fix_outcomes.c.at >= since
    )
    return connection.execute(query.limit(1)).first() is not None


def _row(fix: Fix, now: str) -> dict[str, Any]:
    return {
        "id": fix.id,
        "pattern": fix.pattern,
        "operator": fix.operator,
        "context": fix.context,
        "group_id": fix.group,
        "root": str(fix.root),
        "file": fix.file,
        "line": fix.line,
        "applicability": fix.applicability,
        "why": fix.why,
        "diff": fix.diff,
        "evidence": [dict(one) for one in fix.evidence],
        "edits": [
            {"path": edit.path, "before": _packed(edit.before), "after": _packed(edit.after)} for edit in fix.edits
        ],
        "state": fix.state.value,
        "change_set": fix.change_set,
        "proof": dict(fix.proof) if fix.proof else None,
        "details": {**fix.details, "groups": list(fix.groups)},
        "created_at": now,
        "updated_at": now,
    }


def _fix(row: sa.Row[Any]) -> Fix:
    details: Mapping[str, Any] = row.details
    edits = [FileEdit(one["path"], _unpacked(one["before"]), _unpacked(one["after"]) or b"") for one in row.edits]
    return Fix(
        row.id,
        row.pattern,
        row.operator,
        row.context,
        row.group_id,
        tuple(details.get("groups") or (row.group_id,)),
        Path(row.root),
        row.file,
        row.line,
        row.applicability,
        row.why,
        row.diff,
        tuple(row.evidence),
        tuple(edits),
        FixState(row.state),
        change_set=row.change_set,
        proof=row.proof,
        details={key: value for key, value in details.items() if key != "groups"},
    )


def _packed(content: bytes | None) -> str | None:
    return None if content is None else base64.b64encode(content).decode("ascii")


def _unpacked(text: str | None) -> bytes | None:
    return None if text is None else base64.b64decode(text)
