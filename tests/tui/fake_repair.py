"""A pretend repair room with simulated errors, fixes and trends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from engine.repair.apply import Applied
from engine.repair.fix import Fix, FixState, unified
from engine.repair.groups import Group
from engine.repair.merge import hunks, some
from engine.repair.patterns.pattern import FileEdit
from engine.repair.prove import Proof as FixProof
from engine.repair.suggest import Suggested
from engine.repair.trials import Trial
from tests.tui.fake_pictures import AT


class FakeFixes:
    """Simulated fixes: what is asked of them is kept, and the answers are the test's."""

    def __init__(self) -> None:
        self.known: list[Fix] = []
        self.asked: list[tuple[Any, ...]] = []
        self.verdict: Any = "proven"
        self.refusal = ""

    def of(self, id_: str) -> Fix:
        return next(fix for fix in self.known if fix.id == id_)

    def become(self, id_: str, **more: Any) -> Fix:
        self.known = [replace(fix, **more) if fix.id == id_ else fix for fix in self.known]
        return self.of(id_)

    async def every(self) -> list[Fix]:
        return list(self.known)

    async def prove(self, id_: str, tests: str | None = None) -> FixProof:
        self.asked.append(("prove", id_))
        trial = Trial(3, frozenset(), frozenset(), True, False, 0.1, "")
        made = FixProof(
            True, replace(trial, passed=2, failures=frozenset({"t"})), trial, (), self.verdict, "1 test passes now"
        )
        state = {"proven": FixState.PROVEN, "refuted": FixState.REFUTED}.get(self.verdict, FixState.PROPOSED)
        told = {"verdict": self.verdict, "reason": made.reason, "tests_before": {"passed": 2, "failed": 1}}
        self.become(id_, state=state, proof={**told, "tests_after": {"passed": 3, "failed": 0}})
        return made

    async def apply(self, ids: Sequence[str]) -> Applied:
        self.asked.append(("apply", *ids))
        if self.refusal:
            return Applied(refused=tuple((id_, self.refusal) for id_ in ids))
        for id_ in ids:
            self.become(id_, state=FixState.APPLIED)
        return Applied(applied=tuple(ids))

    async def rollback(self, id_: str) -> Applied:
        self.asked.append(("rollback", id_))
        self.become(id_, state=FixState.ROLLED_BACK)
        return Applied(rolled_back=(id_,))

    async def reject(self, id_: str, reason: str) -> Fix:
        self.asked.append(("reject", id_, reason))
        return self.become(id_, state=FixState.REJECTED, details={"reason": reason})

    async def reopen(self, id_: str) -> Fix:
        self.asked.append(("reopen", id_))
        return self.become(id_, state=FixState.PROPOSED, details={})

    async def edit(self, id_: str, contents: dict[str, bytes]) -> Fix:
        self.asked.append(("edit", id_, contents))
        old = self.of(id_)
        edits = tuple(replace(edit, after=contents.get(edit.path, edit.after)) for edit in old.edits)
        self.known.append(replace(old, id=f"{id_}-mine", edits=edits, state=FixState.PROPOSED))
        self.become(id_, state=FixState.EDITED)
        return self.known[-1]

    async def keep_hunks(self, id_: str, chosen: dict[str, list[int]]) -> Fix:
        self.asked.append(("hunks", id_, chosen))
        old = self.of(id_)
        if sum(map(len, chosen.values())) == sum(len(hunks(edit.before or b"", edit.after)) for edit in old.edits):
            return old
        contents = {edit.path: some(edit.before or b"", edit.after, chosen.get(edit.path, ())) for edit in old.edits}
        edits = tuple(replace(edit, after=contents[edit.path]) for edit in old.edits)
        self.known.append(replace(old, id=f"{id_}-part", edits=edits, diff=unified(edits), state=FixState.PROPOSED))
        self.become(id_, state=FixState.EDITED)
        return self.known[-1]

    async def suggest(self, root: Path) -> Suggested:
        self.asked.append(("suggest", root))
        return Suggested(tuple(self.known), ())


class FakeRepair:
    """Simulated errors that recur, and fixes for some of them."""

    def __init__(self) -> None:
        self.known: list[Group] = []
        self.fixes = FakeFixes()
        self.told: dict[str, Any] = trends(empty=True)

    async def groups(self) -> list[Group]:
        return list(self.known)

    async def report(self) -> dict[str, Any]:
        return self.told

    async def write_report(self) -> tuple[dict[str, Any], list[Path]]:
        return self.told, [Path(f"/darkroom/logs/improvement_report_1.{form}") for form in ("txt", "md", "json")]


def trends(*, empty: bool = False) -> dict[str, Any]:
    """A simulated improvement report: three days of runs, what became of fixes, three versions of a model."""
    days = [f"2025-07-{day:02d}" for day in range(1, 29)]
    runs = (
        {} if empty else {"2025-07-10": (1000, 8, 90.0), "2025-07-20": (1000, 3, 120.0), "2025-07-28": (1000, 1, 150.0)}
    )
    daily = []
    for day in days:
        files, errors, pace = runs.get(day, (0, 0, None))
        rate = errors * 1000 / files if files else None
        daily.append({"day": day, "files": files, "errors": errors, "errors_per_1000": rate, "per_second": pace})
    kept = {"good": 3, "of": 4, "rejected": 2, "daily": {"2025-07-20": [1, 2], "2025-07-28": [2, 2]}}
    passed = {"good": 9, "of": 10, "rejected": 0, "daily": {"2025-07-20": [9, 10]}}
    nothing = {"good": 0, "of": 0, "rejected": 0, "daily": {}}
    known = [
        make_group("v1-a", "UnicodeDecodeError", "captions.py", "first_line", 23),
        make_group("v1-b", "AttributeError", "thumbs.py", "make", 11),
        make_group("v1-c", "KeyError", "export.py", "row", 4),
    ]
    fixable = ("unicode", "imread", None)
    top = [{**one.document(), "fixable": pattern} for one, pattern in zip(known, fixable, strict=True)]
    scores = [
        {"name": "ranker", "version": n + 1, "at": AT, "pair_accuracy": v} for n, v in enumerate((0.8, 0.91, 0.899))
    ]
    return {
        "at": AT,
        "days": 28,
        "daily": daily,
        "runs": len(runs),
        "recoveries": {} if empty else {"out-of-memory": 2, "encoding": 1},
        "errors_by_kind": {} if empty else {"truncated": 9, "vanished": 3},
        "recurring": 0 if empty else 3,
        "top": [] if empty else top,
        "fixes": [] if empty else [{"pattern": "unicode", "operator": "utf-8", "outcomes": {"kept": (3, 4)}}],
        "outcomes": {
            "tests": nothing if empty else passed,
            "kept": nothing if empty else kept,
            "recurrence": nothing,
        },
        "models": [] if empty else scores,
    }


CAPTIONS = b"""import json


def first_line(path):
    with open(path) as handle:
        return handle.readline()


def settings(path):
    # read at every start
    with open(path) as handle:
        return json.load(handle)["name"]
"""


def recurring() -> FakeRepair:
    """Three simulated groups of errors; two have a fix."""
    repair = FakeRepair()
    repair.known = [
        make_group("v1-a", "UnicodeDecodeError", "captions.py", "first_line", 23),
        make_group("v1-b", "AttributeError", "thumbs.py", "make", 11),
        make_group("v1-c", "KeyError", "export.py", "row", 4),
    ]
    after = CAPTIONS.replace(b"open(path)", b'open(path, encoding="utf-8")')
    small = b"size = image.shape\n"
    repair.fixes.known = [
        make_fix("fix-a", "unicode", "v1-a", "safe", FileEdit("captions.py", CAPTIONS, after), "the bytes fit UTF-8"),
        make_fix(
            "fix-b",
            "imread",
            "v1-b",
            "safe",
            FileEdit("thumbs.py", small, b"size = image.shape if image is not None else None\n"),
            "imread gave None",
        ),
    ]
    return repair


def make_group(id_: str, type_: str, file: str, function: str, count: int) -> Group:
    daily = (*[0] * 11, count // 3, count // 2, count - count // 3 - count // 2)
    return Group(id_, type_, f"{type_}: simulated", file, function, 5, count, 5, AT, AT, daily, 0.5, None, ())


def make_fix(id_: str, pattern: str, group: str, applicability: Any, edit: FileEdit, why: str) -> Fix:
    evidence = ({"file": "/logs/run.log", "line": 12, "timestamp": AT, "message": "simulated"},)
    diff = unified([edit])
    return Fix(
        *(id_, pattern, "way", "Error", group, (group,), Path("/app"), edit.path, 5, applicability, why, diff),
        evidence,
        (edit,),
        confidence=0.91,
        confidence_reason="30 of 30 such fixes held",
    )
