"""What tests of fixes work on: a tiny pattern, tiny projects that fail, and the logs of their failing."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.engine import Engine
from engine.repair.fix import Fix
from engine.repair.patterns.pattern import Applicability, Case, Declined, FileEdit, Proposal
from engine.repair.record import ErrorRecord
from engine.repair.repair import Repair

STATS = b"def mean(values):\n    total = sum(values)\n    return total / len(values)\n"
MENDED = STATS.replace(b"/ len(values)", b"/ (len(values) or 1)")
CHECK = "import stats\nassert stats.mean([2, 4]) == 3\nstats.mean([])\n"
TESTS = f"{sys.executable} check.py"


@dataclass(frozen=True)
class OrOne:
    """Divides by one instead of by nothing. Declines lines that say that they mean it."""

    id: str = "tiny"
    title: str = "Divide by one instead of by nothing"
    applicability: Applicability = "safe"
    instead: bytes = b"(%s or 1)"

    def recognises(self, record: ErrorRecord) -> bool:
        return record.type == "ZeroDivisionError"

    def propose(self, case: Case) -> Proposal | Declined:
        lines = case.source.splitlines(keepends=True)
        head, slash, rest = lines[case.line - 1].partition(b"/ ")
        if b"# meant" in rest:
            return Declined(self.id, "the line says that it is meant")
        end = rest[len(rest.rstrip(b"\r\n")) :]
        if not slash or rest.startswith(b"("):
            return Declined(self.id, "it is guarded already")
        lines[case.line - 1] = head + slash + self.instead % rest.rstrip(b"\r\n") + end
        edit = FileEdit(case.path, case.source, b"".join(lines))
        return Proposal(self.id, "or-one", (edit,), case.line, self.applicability, "an empty list has no mean")


def project(root: Path, names: Sequence[str] = ("stats",), source: bytes = STATS) -> Path:
    """A project whose modules fail on empty lists, with a script that checks the first."""
    root.mkdir(parents=True, exist_ok=True)
    for name in names:
        (root / f"{name}.py").write_bytes(source)
    (root / "check.py").write_text(CHECK.replace("stats", names[0]))
    return root


def log(
    root: Path, file: Path, names: Sequence[str] = ("stats",), times: int = 1, error: str = "ZeroDivisionError"
) -> Path:
    """What Python printed when these modules failed."""
    said = ""
    for name in names:
        code = f"import {name}\n{name}.mean([])\n"
        done = subprocess.run([sys.executable, "-B", "-c", code], cwd=root, capture_output=True, text=True)
        assert error in done.stderr
        said += done.stderr
    file.write_text(said * times)
    return file


def with_patterns(engine: Engine, *patterns: OrOne) -> Repair:
    """The engine's repair room, knowing these patterns alone."""
    engine.repair.fixes._patterns = {pattern.id: pattern for pattern in patterns or (OrOne(),)}
    return engine.repair


async def proposed(engine: Engine, root: Path, names: tuple[str, ...] = ("stats",)) -> list[Fix]:
    """What is proposed for a project whose modules failed once."""
    file = log(root, root.parent / "errors.log", names)
    return list((await engine.repair.fixes.suggest(root, [file], min_count=1)).fixes)


def repository(root: Path) -> None:
    """Make a project a Git repository with all of it committed."""
    for words in (
        ["init", "-q"],
        ["add", "-A"],
        ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "all"],
    ):
        subprocess.run(["git", *words], cwd=root, check=True)
