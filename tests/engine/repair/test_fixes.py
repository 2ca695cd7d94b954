"""Fixes from proposal to rollback, on real files: what is edited, what never is, and what is said about it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.engine import Engine
from engine.errors import UsageError
from engine.repair.fix import FixState
from engine.workspace import Workspace
from tests.engine.repair.workshop import (
    CHECK,
    MENDED,
    STATS,
    TESTS,
    OrOne,
    log,
    project,
    proposed,
    repository,
    with_patterns,
)


def steps(engine: Engine) -> list[str]:
    return [json.loads(line)["step"] for line in engine.repair.fixes.steps_file.read_text().splitlines()]


# -- suggesting ---------------------------------------------------------------------------------------------------


async def test_a_recurring_error_gets_a_fix_with_its_evidence(engine: Engine, tmp_path: Path) -> None:
    root = project(tmp_path / "app")
    (fix,) = await proposed(engine, root)
    assert (fix.pattern, fix.file, fix.line, fix.applicability) == ("tiny", "stats.py", 3, "safe")
    assert fix.evidence[0]["line"] == 1
    assert "-    return total / len(values)\n+    return total / (len(values) or 1)\n" in fix.diff
    assert fix.diff.startswith("--- a/stats.py\n+++ b/stats.py\n")
    assert (round(fix.confidence, 2), fix.auto_eligible) == (0.05, False)
    assert (root / "stats.py").read_bytes() == STATS
    patch = tmp_path / "it.patch"
    patch.write_text(fix.diff)
    subprocess.run(["git", "apply", str(patch)], cwd=root, check=True)
    assert (root / "stats.py").read_bytes() == MENDED


async def test_the_same_fix_has_the_same_id_again_and_elsewhere(engine: Engine, tmp_path: Path) -> None:
    (one,) = await proposed(engine, project(tmp_path / "a" / "app"))
    (again,) = (await engine.repair.fixes.suggest(tmp_path / "a" / "app", min_count=1)).fixes
    (other,) = await proposed(engine, project(tmp_path / "b" / "app"))
    assert one.id == again.id == other.id
    assert other.root == tmp_path / "b" / "app"
    assert steps(engine).count("proposed") == 1


async def test_what_gets_no_fix_says_why(engine: Engine, tmp_path: Path) -> None:
    root = project(tmp_path / "app", ("stats", "meant", "changed"))
    meant = STATS.replace(b"len(values)\n", b"len(values)  # meant\n")
    (root / "meant.py").write_bytes(meant)
    file = log(root, tmp_path / "a.log", ("stats", "meant", "changed"))
    (root / "changed.py").write_text("def mean(values):\n    return 0\n")
    with file.open("a") as more:
        more.write(
            f'Traceback (most recent call last):\n  File "{root}/stats.py", line 1, in go\n    go()\nOddError: x\n'
        )
    found = await engine.repair.fixes.suggest(root, [file], min_count=1)
    assert [fix.file for fix in found.fixes] == ["stats.py"]
    reasons = sorted(one.reason for one in found.unmatched)
    assert "changed.py has changed" in reasons[0]
    assert reasons[1].startswith("none of the known kinds")
    assert reasons[2] == "tiny: the line says that it is meant"
    rare = await engine.repair.fixes.suggest(root, [file])
    assert not rare.fixes
    assert all("1 time in 1 run, not 3 in 2" in one.reason for one in rare.unmatched)


async def test_three_events_in_two_runs_recur_and_a_rejection_is_remembered(engine: Engine, tmp_path: Path) -> None:
    root = project(tmp_path / "app")
    logs = [log(root, tmp_path / "a.log", times=2), log(root, tmp_path / "b.log")]
    (fix,) = (await engine.repair.fixes.suggest(root, logs)).fixes
    await engine.repair.fixes.reject(fix.id, "an empty list is a bug of the caller")
    found = await engine.repair.fixes.suggest(root, logs)
    assert not found.fixes
    assert "rejected: an empty list is a bug of the caller" in found.unmatched[0].reason
    await engine.repair.fixes.reopen(fix.id)
    assert len((await engine.repair.fixes.suggest(root)).fixes) == 1


async def test_another_projects_file_of_the_same_name_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    mine = project(tmp_path / "mine", source=b"# mine\n" + STATS)
    file = log(project(tmp_path / "other"), tmp_path / "a.log")
    found = await engine.repair.fixes.suggest(mine, [file], min_count=1)
    assert not found.fixes
    assert found.unmatched[0].reason == "no frame of it lies in the project"


async def test_a_pattern_that_fails_ends_nothing(engine: Engine, tmp_path: Path) -> None:
    class Broken(OrOne):
        def propose(self, case: object) -> object:
            raise RuntimeError("oops")

    with_patterns(engine, Broken("broken"), OrOne())
    assert [fix.pattern for fix in await proposed(engine, project(tmp_path / "app"))] == ["tiny"]


# -- proving ------------------------------------------------------------------------------------------------------


async def test_a_proof_runs_the_tests_before_and_after_on_a_copy(engine: Engine, tmp_path: Path) -> None:
    root = project(tmp_path / "app")
    (root / "test_stats.py").write_text(
        "import stats\n\ndef test_two():\n    assert stats.mean([2, 4]) == 3\n\ndef test_none():\n    stats.mean([])\n"
    )
    (fix,) = await proposed(engine, root)
    proof = await engine.repair.fixes.prove(fix.id)
    told = proof.document()
    assert told["tests_before"] == {"passed": 1, "failed": 1}
    assert told["tests_after"] == {"passed": 2, "failed": 0}
    assert (told["compiles"], told["newly_failing"], told["verdict"]) == (True, [], "proven")
    assert {file.name for file in root.iterdir()} == {"stats.py", "check.py", "test_stats.py"}
    assert (root / "stats.py").read_bytes() == STATS
    assert (await engine.repair.fixes.get(fix.id)).state is FixState.PROVEN


async def test_without_tests_a_fix_is_no_more_than_plausible(engine: Engine, tmp_path: Path) -> None:
    (fix,) = await proposed(engine, project(tmp_path / "app"))
    proof = await engine.repair.fixes.prove(fix.id)
    assert (proof.verdict, proof.before) == ("plausible", None)
    assert proof.reason == "the project has no tests: it compiles and is imported, and no more is known"


@pytest.mark.parametrize(
    ("instead", "reason"), [(b"(%s or)", "does not compile"), (b"(1 or %s)", "newly failing"), (b"(%s)", "fails still")]
)
async def test_a_fix_that_breaks_something_is_refuted(
    engine: Engine, tmp_path: Path, instead: bytes, reason: str
) -> None:
    with_patterns(engine, OrOne(instead=instead))
    root = project(tmp_path / "app")
    if instead == b"(1 or %s)":
        (root / "check.py").write_text("import stats\nassert stats.mean([2, 4]) == 3\n")
    (fix,) = await proposed(engine, root)
    proof = await engine.repair.fixes.prove(fix.id, TESTS)
    assert proof.verdict == ("plausible" if reason == "fails still" else "refuted")
    assert reason in proof.reason


async def test_a_clean_checkout_is_proven_in_a_worktree(engine: Engine, tmp_path: Path) -> None:
    root = project(tmp_path / "app")
    repository(root)
    (fix,) = await proposed(engine, root)
    proof = await engine.repair.fixes.prove(fix.id, TESTS)
    assert (proof.verdict, proof.how) == ("proven", "worktree")
    (root / "notes.txt").write_text("mine")
    assert (await engine.repair.fixes.prove(fix.id, TESTS)).how == "copy"
    listed = subprocess.run(["git", "worktree", "list"], cwd=root, capture_output=True, text=True, check=True).stdout
    assert len(listed.splitlines()) == 1


# -- applying -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "source",
    [
        b"\xef\xbb\xbf" + STATS,
        STATS.replace(b"\n", b"\r\n"),
        b"# -*- coding: latin-1 -*-\nNAME = '\xe9'\r\n" + STATS.rstrip(b"\n"),
    ],
    ids=["byte-order mark", "crlf", "cookie, mixed, no last newline"],
)
async def test_a_fix_is_applied_and_taken_back_byte_for_byte(engine: Engine, tmp_path: Path, source: bytes) -> None:
    root = project(tmp_path / "app", source=source)
    file = root / "stats.py"
    file.chmod(0o640)
    os.utime(file, ns=(10**18, 10**18))
    (fix,) = await proposed(engine, root)
    done = await engine.repair.fixes.apply([fix.id], tests=TESTS)
    assert (done.applied, done.refused) == ((fix.id,), ())
    assert file.read_bytes() == source.replace(b"/ len(values)", b"/ (len(values) or 1)")
    assert file.stat().st_mode & 0o777 == 0o640
    again = await engine.repair.fixes.apply([fix.id], tests=TESTS)
    assert (again.applied, again.refused, again.unchanged) == ((), (), (fix.id,))
    back = await engine.repair.fixes.rollback(fix.id)
    assert back.rolled_back == (fix.id,)
    assert (file.read_bytes(), file.stat().st_mtime_ns, file.stat().st_mode & 0o777) == (source, 10**18, 0o640)
    assert steps(engine) == ["proposed", "applying", "applied", "rolling-back", "rolled-back"]
    assert (await engine.repair.fixes.rollback(fix.id)).unchanged == (fix.id,)


async def test_what_newly_fails_is_taken_back_and_the_guilty_one_is_named(engine: Engine, tmp_path: Path) -> None:
    root = project(tmp_path / "app", ("stats", "other"))
    with_patterns(engine, OrOne())
    (root / "check.py").write_text("import other, stats\nassert other.mean([2]) == 2\n")
    (root / "other.py").write_bytes(STATS + b"assert b'or 1' not in open(__file__, 'rb').read().split(b'assert')[0]\n")
    fixes = await proposed(engine, root, ("stats", "other"))
    done = await engine.repair.fixes.apply([fix.id for fix in fixes], tests=TESTS)
    guilty = next(fix for fix in fixes if fix.file == "other.py")
    assert done.applied == ()
    assert set(done.rolled_back) == {fix.id for fix in fixes}
    assert [id_ for id_, _ in done.refused] == [guilty.id]
    assert "alone it breaks something" in done.refused[0][1]
    assert (root / "stats.py").read_bytes() == STATS
    states = {fix.file: fix.state for fix in await engine.repair.fixes.every()}
    assert states == {"stats.py": FixState.PROPOSED, "other.py": FixState.REFUTED}


async def test_two_fixes_of_one_file_go_together_or_one_after_the_other(engine: Engine, tmp_path: Path) -> None:
    source = STATS + b"\n\n\ndef share(part, whole):\n    return part / whole\n"
    for apart in (False, True):
        root = project(tmp_path / f"app{apart}", source=source)
        file = log(root, tmp_path / "a.log")
        with file.open("a") as more:
            more.write(
                f'Traceback (most recent call last):\n  File "{root}/stats.py", line 8, in share\n'
                "    return part / whole\nZeroDivisionError: division by zero\n"
            )
        fixes = (await engine.repair.fixes.suggest(root, [file], min_count=1)).fixes
        assert len(fixes) == 2
        for ids in [[fix.id] for fix in fixes] if apart else [[fix.id for fix in fixes]]:
            assert (await engine.repair.fixes.apply(ids, tests=TESTS)).applied == tuple(ids)
        assert (root / "stats.py").read_bytes().count(b" or 1)") == 2


async def test_all_or_nothing_when_one_is_refused(engine: Engine, tmp_path: Path) -> None:
    root = project(tmp_path / "app", ("stats", "other"))
    fixes = await proposed(engine, root, ("stats", "other"))
    (root / "other.py").write_bytes(STATS + b"# mine\n")
    done = await engine.repair.fixes.apply([fix.id for fix in fixes], tests=TESTS)
    assert (done.applied, len(done.refused)) == ((), 2)
    assert any("has changed since the fix was proposed" in reason for _, reason in done.refused)
    assert (root / "stats.py").read_bytes() == STATS


async def test_a_rollback_is_refused_when_the_file_changed_since(engine: Engine, tmp_path: Path) -> None:
    root = project(tmp_path / "app")
    (fix,) = await proposed(engine, root)
    await engine.repair.fixes.apply([fix.id], tests=TESTS)
    (root / "stats.py").write_bytes(MENDED + b"# mine\n")
    done = await engine.repair.fixes.rollback(fix.id)
    assert done.rolled_back == ()
    assert "has changed since" in done.refused[0][1]
    assert (root / "stats.py").read_bytes() == MENDED + b"# mine\n"
    assert (await engine.repair.fixes.get(fix.id)).state is FixState.APPLIED


async def test_nothing_named_is_nothing_applied_and_a_dry_run_touches_nothing(engine: Engine, tmp_path: Path) -> None:
    root = project(tmp_path / "app")
    (fix,) = await proposed(engine, root)
    assert (await engine.repair.fixes.apply()).document()["applied"] == []
    assert (await engine.repair.fixes.apply(auto_approve=True)).applied == ()
    refused = await engine.repair.fixes.apply([fix.id], auto_approve=True)
    assert "below 0.90" in refused.refused[0][1]
    dry = await engine.repair.fixes.apply([fix.id], dry_run=True, tests=TESTS)
    assert dry.applied == () and dry.proof is not None and dry.proof["verdict"] == "proven"
    assert (root / "stats.py").read_bytes() == STATS


async def test_a_fix_edited_by_hand_takes_the_others_place(engine: Engine, tmp_path: Path) -> None:
    root = project(tmp_path / "app")
    (fix,) = await proposed(engine, root)
    with pytest.raises(UsageError, match="does not compile"):
        await engine.repair.fixes.edit(fix.id, {"stats.py": b"def ("})
    mine = STATS.replace(b"len(values)", b"max(1, len(values))")
    made = await engine.repair.fixes.edit(fix.id, {"stats.py": mine})
    assert (made.applicability, made.state) == ("review", FixState.PROPOSED)
    assert made.why == f"{fix.why} (edited by hand since)"
    again = await engine.repair.fixes.edit(made.id, {"stats.py": mine.replace(b"1,", b"1.0,")})
    assert again.why == made.why
    made = await engine.repair.fixes.edit(again.id, {"stats.py": mine})
    assert (await engine.repair.fixes.apply([made.id], tests=TESTS)).applied == (made.id,)
    assert (root / "stats.py").read_bytes() == mine
    assert (await engine.review.in_force("fix", made.id)).verdict == "modified"


async def test_tests_that_do_not_end_in_time_prove_nothing_and_let_nothing_in(tmp_path: Path) -> None:
    flags = {"fix_tests_seconds": 1.0}
    async with Engine.open(Workspace.init(tmp_path / "work"), flags=flags) as engine:
        with_patterns(engine)
        root = project(tmp_path / "app")
        (fix,) = await proposed(engine, root)
        hangs = f"{sys.executable} -c 'import time; time.sleep(600)'"
        proof = await engine.repair.fixes.prove(fix.id, hangs)
        assert (proof.verdict, proof.after) == ("plausible", None)
        assert "did not end within 1 s" in proof.reason and "fix_tests_seconds" in proof.reason
        done = await engine.repair.fixes.apply([fix.id], tests=hangs)
        assert done.applied == () and "did not end within" in done.refused[0][1]
        assert (root / "stats.py").read_bytes() == STATS


def test_the_check_script_fails_before(tmp_path: Path) -> None:
    root = project(tmp_path / "app")
    assert CHECK
    assert subprocess.run([sys.executable, "-B", "check.py"], cwd=root, capture_output=True).returncode == 1
