"""A package that adds fix patterns by entry point, installed for real; what is wrong with one never stops the rest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from engine.repair.groups import Group
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.record import ErrorRecord, Frame
from engine.repair.suggest import suggest
from tests.engine.repair.workshop import MENDED, STATS, OrOne, log, project

PACKAGE = """
from engine.repair.patterns.pattern import FileEdit, Proposal

class Mine:
    id = "mine"
    title = "Stop where there is no more"

    def recognises(self, record):
        return record.type == "BufferError"

    def propose(self, case):
        after = case.source.replace(b"raise BufferError('full')", b"return None")
        edit = FileEdit(case.path, case.source, after)
        return Proposal(self.id, "stop", (edit,), case.line, "review", "a full buffer is no fault")

class Broken(Mine):
    id = "broken"

    def recognises(self, record):
        raise RuntimeError("out of order")
"""
POINTS = """[proofsheet.fix_patterns]
mine = added_patterns:Mine
broken = added_patterns:Broken
gone = added_patterns:Nowhere
half = added_patterns:PACKAGE_VERSION
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A folder on the path with a distribution as an installer leaves it: a module and its metadata."""
    place = tmp_path / "site"
    info = place / "added_patterns-1.0.dist-info"
    info.mkdir(parents=True)
    (place / "added_patterns.py").write_text(PACKAGE + "\nPACKAGE_VERSION = '1.0'\n")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: added-patterns\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(POINTS)
    return place


def test_an_installed_package_adds_a_pattern_and_a_broken_one_is_named(installed: Path, tmp_path: Path) -> None:
    root = project(tmp_path / "project", source=b"def mean(values):\n    raise BufferError('full')\n")
    errors = log(root, tmp_path / "errors.log", error="BufferError")
    command = (
        "import sys; sys.path.append(sys.argv.pop(1)); "
        "from importlib import import_module; import_module('tui.cli').main()"
    )
    args = ["-w", str(tmp_path / "work"), "fix", "suggest", "--root", str(root), "--errors", str(errors)]
    done = subprocess.run(
        [sys.executable, "-c", command, str(installed), *args, "--min-count", "1", "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert [(one["pattern"], one["applicability"]) for one in said["fixes"]] == [("mine", "review")]
    assert "+    return None" in said["fixes"][0]["diff"]
    assert set(said["refused_patterns"]) == {"gone", "half"}
    assert "The fix pattern gone is left out" in done.stderr


class Failing(OrOne):
    def propose(self, case: Case) -> Proposal | Declined:
        raise KeyError("what now")


class Deaf(OrOne):
    def recognises(self, record: ErrorRecord) -> bool:
        raise RuntimeError("out of order")


class Silent(OrOne):
    def propose(self, case: Case) -> Proposal | Declined:
        return None  # type: ignore[return-value]


def group() -> Group:
    record = ErrorRecord(
        "ZeroDivisionError", "division by zero", (Frame("stats.py", 3, "mean", "return total / len(values)"),)
    )
    return Group(
        "g", "ZeroDivisionError", "division by zero", "stats.py", "mean", 3, 3, 2, "", "", (), 0.0, None, (record,)
    )


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (Failing("bad"), "KeyError: 'what now'"),
        (Deaf("bad"), "RuntimeError: out of order"),
        (Silent("bad"), "it answered with NoneType"),
        (OrOne("bad", applicability="sure"), "'sure' is no applicability"),  # type: ignore[arg-type]
    ],
)
def test_a_pattern_that_fails_declines_by_name_and_the_others_go_on(tmp_path: Path, bad: OrOne, reason: str) -> None:
    root = project(tmp_path / "project").resolve()
    alone = suggest(root, [group()], {"bad": bad})
    assert not alone.fixes
    assert reason in alone.unmatched[0].declined["bad"]
    both = suggest(root, [group()], {"bad": bad, "tiny": OrOne()})
    assert [(one.pattern, one.edits[0].before, one.edits[0].after) for one in both.fixes] == [("tiny", STATS, MENDED)]
