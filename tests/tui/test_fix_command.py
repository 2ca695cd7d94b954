"""`proofsheet fix`: its contracts on stdout, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from engine.repair.patterns import registry
from tests.engine.repair.workshop import MENDED, STATS, TESTS, OrOne, log, project
from tui.cli import main


@pytest.fixture
def fix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Call `proofsheet fix ... --json`; gives the exit code and the document."""
    monkeypatch.setattr(registry, "registry", lambda: registry.Registry({"tiny": OrOne()}))

    def call(*words: str, json_too: bool = True) -> tuple[int, Any]:
        given = ["-w", str(tmp_path / "work"), *words, *(["--json"] if json_too else [])]
        done = CliRunner().invoke(main, given)
        return done.exit_code, json.loads(done.stdout) if json_too and done.stdout else done.output

    return call


def test_from_a_raw_log_to_an_applied_fix_and_back(fix: Any, tmp_path: Path) -> None:
    root = project(tmp_path / "app")
    file = log(root, tmp_path / "run.log", times=3)
    code, said = fix("fix", "suggest", "--root", str(root), "--errors", str(file))
    assert (code, said["fixes"], len(said["unmatched"])) == (0, [], 1)
    code, said = fix("fix", "suggest", "--root", str(root), "--errors", str(file), "--min-count", "3")
    (one,) = said["fixes"]
    assert {
        "id",
        "pattern",
        "group",
        "file",
        "line",
        "applicability",
        "confidence",
        "auto_eligible",
        "diff",
        "evidence",
    } <= set(one)
    assert (one["file"], one["line"], one["auto_eligible"], said["unmatched"]) == ("stats.py", 3, False, [])
    code, listed = fix("errors", "list")
    assert listed["groups"][0]["fixable"] == "tiny"
    code, proof = fix("fix", "prove", one["id"], "--tests", TESTS)
    assert (code, proof["compiles"], proof["verdict"]) == (0, True, "proven")
    assert (proof["tests_before"], proof["tests_after"]) == ({"passed": 0, "failed": 1}, {"passed": 1, "failed": 0})
    assert fix("fix", "apply")[1]["applied"] == []
    assert (root / "stats.py").read_bytes() == STATS
    code, done = fix("fix", "apply", one["id"], "--dry-run", "--tests", TESTS)
    assert (code, done["applied"], (root / "stats.py").read_bytes()) == (0, [], STATS)
    code, done = fix("fix", "apply", one["id"], "--tests", TESTS)
    assert (code, done["applied"], done["refused"]) == (0, [one["id"]], [])
    assert (root / "stats.py").read_bytes() == MENDED
    code, done = fix("fix", "apply", one["id"], "--tests", TESTS)
    assert (code, done["applied"], done["unchanged"]) == (0, [], [one["id"]])
    assert "applied" in fix("fix", "show", one["id"], json_too=False)[1]
    code, done = fix("fix", "rollback", one["id"])
    assert (code, done["rolled_back"], (root / "stats.py").read_bytes()) == (0, [one["id"]], STATS)


def test_json_comes_at_exit_one_and_three_too(fix: Any, tmp_path: Path) -> None:
    root = project(tmp_path / "app")
    (root / "check.py").write_text("source = open('stats.py').read()\nassert 'or 1' not in source\n")
    file = log(root, tmp_path / "run.log")
    _, said = fix("fix", "suggest", "--root", str(root), "--errors", str(file), "--min-count", "1")
    id_ = said["fixes"][0]["id"]
    code, done = fix("fix", "apply", id_, "--tests", TESTS)
    assert (code, done["applied"], done["rolled_back"]) == (1, [], [id_])
    assert "newly failing" in done["refused"][0]["reason"]
    code, done = fix("fix", "apply", "fix-none", "--tests", TESTS)
    assert (code, done["refused"]) == (3, [{"id": "fix-none", "reason": "there is no fix fix-none"}])
    code, done = fix("fix", "prove", id_, "--tests", TESTS)
    assert (code, done["verdict"], bool(done["newly_failing"])) == (1, "refuted", True)
    assert fix("fix", "show", "fix-none")[0] == 2
    assert fix("fix", "suggest", "--root", str(tmp_path / "none"))[0] == 2
    code, said = fix("fix", "reject", id_, "--reason", "no")
    assert (code, said["state"]) == (0, "rejected")
