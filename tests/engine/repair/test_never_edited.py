"""What a fix never touches: what is not the project's own, what changed since, what is not committed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from engine.engine import Engine
from engine.errors import UsageError
from engine.repair.patterns.pattern import FileEdit
from tests.engine.repair.workshop import (
    STATS,
    TESTS,
    OrOne,
    project,
    proposed,
    repository,
    with_patterns,
)


@pytest.mark.parametrize("case", ["symlink", "linked folder", "hard link", "vendored", "venv", "generated"])
async def test_what_is_not_the_projects_own_is_never_edited(engine: Engine, tmp_path: Path, case: str) -> None:
    root = project(tmp_path / "app")
    outside = project(tmp_path / "outside")
    file = root / "stats.py"
    if case == "symlink":
        file.unlink()
        file.symlink_to(outside / "stats.py")
    elif case == "linked folder":
        file.unlink()
        (root / "part").symlink_to(outside, target_is_directory=True)
        file = root / "part" / "stats.py"
    elif case == "hard link":
        os.link(file, tmp_path / "second.py")
    elif case == "generated":
        file.write_bytes(b"# @generated\n" + STATS)
    else:
        folder = root / ("vendor" if case == "vendored" else "mine")
        folder.mkdir()
        if case == "venv":
            (folder / "pyvenv.cfg").touch()
        file = file.rename(folder / "stats.py")
    before = file.read_bytes()
    lines = before.decode().splitlines()
    said = (
        f'Traceback (most recent call last):\n  File "{file}", line {len(lines)}, in mean\n    {lines[-1].strip()}\n'
        "ZeroDivisionError: division by zero\n"
    )
    (tmp_path / "a.log").write_text(said)
    found = await engine.repair.fixes.suggest(root, [tmp_path / "a.log"], min_count=1)
    assert not found.fixes
    assert "never edited" in found.unmatched[0].reason or "no frame" in found.unmatched[0].reason
    assert file.read_bytes() == before
    assert (outside / "stats.py").read_bytes() == STATS


@pytest.mark.parametrize("case", ["symlink", "hard link", "swapped"])
async def test_a_file_that_became_something_else_since_is_refused(engine: Engine, tmp_path: Path, case: str) -> None:
    root = project(tmp_path / "app")
    (fix,) = await proposed(engine, root)
    outside = tmp_path / "outside.py"
    shutil.move(root / "stats.py", outside)
    if case == "symlink":
        (root / "stats.py").symlink_to(outside)
    elif case == "hard link":
        os.link(outside, root / "stats.py")
    else:
        (root / "stats.py").mkdir()
    done = await engine.repair.fixes.apply([fix.id], tests=TESTS)
    assert (done.applied, len(done.refused)) == ((), 1)
    assert outside.read_bytes() == STATS


async def test_an_edit_that_leads_out_of_the_root_is_refused(engine: Engine, tmp_path: Path) -> None:
    class Out(OrOne):
        def propose(self, case: object) -> object:
            made = super().propose(case)  # type: ignore[arg-type]
            edit = FileEdit("../outside.py", None, b"x = 1\n")
            return type(made)("tiny", "out", (made.edits[0], edit), 3, "safe", "why")  # type: ignore[union-attr]

    with_patterns(engine, Out())
    root = project(tmp_path / "app")
    (fix,) = await proposed(engine, root)
    done = await engine.repair.fixes.apply([fix.id], tests=TESTS)
    assert "leads out of the project" in done.refused[0][1]
    assert not (tmp_path / "outside.py").exists()


async def test_uncommitted_edits_are_left_alone_unless_asked(engine: Engine, tmp_path: Path) -> None:
    root = project(tmp_path / "app")
    repository(root)
    (root / "stats.py").write_bytes(STATS + b"# mine\n")
    (fix,) = await proposed(engine, root)
    done = await engine.repair.fixes.apply([fix.id], tests=TESTS)
    assert "uncommitted edits" in done.refused[0][1]
    done = await engine.repair.fixes.apply([fix.id], tests=TESTS, include_uncommitted=True)
    assert done.applied == (fix.id,)


async def test_where_git_cannot_answer_nothing_is_applied_unless_asked(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = project(tmp_path / "app")
    repository(root)
    other = project(tmp_path / "other")
    repository(other)
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))  # as in a hook: it is about this project all the same
    (root / "stats.py").write_bytes(STATS + b"# mine\n")
    (fix,) = await proposed(engine, root)
    done = await engine.repair.fixes.apply([fix.id], tests=TESTS)
    assert "uncommitted edits" in done.refused[0][1]
    (root / ".git" / "HEAD").write_text("damaged")
    done = await engine.repair.fixes.apply([fix.id], tests=TESTS)
    assert done.refused[0][1].startswith("stats.py: git cannot say whether it has uncommitted edits")
    assert (await engine.repair.fixes.apply([fix.id], tests=TESTS, include_uncommitted=True)).applied == (fix.id,)


async def test_installed_packages_are_no_project(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="installed packages"):
        await engine.repair.fixes.suggest(project(tmp_path / "lib" / "python3.11" / "site-packages"))
    with pytest.raises(UsageError, match="there is no folder"):
        await engine.repair.fixes.suggest(tmp_path / "none")
