"""Killed at any instant while it applies fixes to twenty files, Proofsheet leaves all of them or none, once the next
start has recovered; and what it says about the fixes is so."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from engine.engine import Engine
from engine.workspace import Workspace
from tests.engine.repair.workshop import MENDED, STATS, log, project, with_patterns
from tests.engine.repair.yard import Ending, Request, Yard

FILES = tuple(f"part_{number:02d}" for number in range(20))
JOURNAL = ("applying", "backed_up", "staged", "placed", "applied")
BACK = ("rolling_back", "rolled_back")


@dataclass(frozen=True)
class Scene:
    """A project of twenty files, each with a fix, at one place for every round: paths are written down in full."""

    base: Path
    ids: list[str]
    applied: bool

    def request(self, do: str, **more: object) -> Request:
        return Request(do, str(self.base / "work"), self.ids, **more)  # type: ignore[arg-type]

    def contents(self) -> set[bytes]:
        return {(self.base / "app" / f"{name}.py").read_bytes() for name in FILES}

    def restore(self) -> None:
        shutil.rmtree(self.base)
        shutil.copytree(self.base.with_name("kept"), self.base)


@pytest.fixture(scope="module")
def yard() -> Iterator[Yard]:
    opened = Yard()
    yield opened
    opened.close()


def scene(folder: Path, applied: bool) -> Scene:
    base = folder / "scene"

    async def prepare() -> list[str]:
        root = project(base / "app", FILES)
        (root / "check.py").unlink()
        file = log(root, base / "a.log", FILES[:1])
        one = file.read_text()
        file.write_text("".join(one.replace(FILES[0], name) for name in FILES))
        async with Engine.open(Workspace.init(base / "work")) as engine:
            with_patterns(engine)
            found = await engine.repair.fixes.suggest(root, [file], min_count=1)
            ids = [fix.id for fix in found.fixes]
            assert len(ids) == len(FILES)
            if applied:
                await engine.repair.fixes.apply(ids, tests="true")
        return ids

    made = Scene(base, asyncio.run(prepare()), applied)
    shutil.copytree(base, base.with_name("kept"))
    return made


def check(found: Scene, yard: Yard, context: str) -> bool:
    """Whether the fixes are in place, after the next start; everything agrees about that."""
    looked = yard.run(found.request("look"))
    assert not [line for line in looked.said if line.startswith("error")], (context, looked.said)
    contents = found.contents()
    assert contents in ({STATS}, {MENDED}), context
    states = looked.said[-1].removeprefix("states ")
    assert states in (("applied",) if contents == {MENDED} else ("proposed", "rolled-back", "applying")), context
    assert not list((found.base / "app").glob(".proofsheet*")), context
    return contents == {MENDED}


@pytest.mark.parametrize("applied", [False, True], ids=["apply", "rollback"])
def test_a_kill_at_every_journal_step_leaves_all_fixes_or_none(yard: Yard, tmp_path: Path, applied: bool) -> None:
    found = scene(tmp_path, applied)
    do = "rollback" if applied else "apply"
    for step in BACK if applied else JOURNAL:
        for point in (f"before {step}", f"after {step}"):
            ended = yard.run(found.request(do, kill_at=point))
            assert ended.was_killed and ended.said[-1] == point, (point, ended.said[-3:])
            is_in_place = check(found, yard, point)
            assert is_in_place == (point in ("after applied", "before rolling_back"))
            if not is_in_place and not applied:
                again = yard.run(found.request("apply"))
                assert found.contents() == {MENDED}, (point, again.said)
            found.restore()


def kill_at_random(yard: Yard, found: Scene, rounds: int) -> None:
    whole = yard.run(found.request("rollback" if found.applied else "apply"))
    assert isinstance(whole, Ending) and not whole.was_killed
    found.restore()
    dice = random.Random()
    killed = 0
    for number in range(rounds):
        after = dice.uniform(0, whole.seconds)
        ended = yard.run(found.request("rollback" if found.applied else "apply", kill_after=after))
        killed += ended.was_killed
        if dice.random() < 0.3:
            yard.run(found.request("look", kill_after=dice.uniform(0, 0.1)))
        check(found, yard, f"round {number}, after {after:.4f} s")
        found.restore()
    assert killed >= rounds // 4, "hardly any process was killed in time"


def test_twenty_kills_at_random_leave_all_fixes_or_none(yard: Yard, tmp_path: Path) -> None:
    kill_at_random(yard, scene(tmp_path, applied=False), 20)


@pytest.mark.soak
@pytest.mark.parametrize("applied", [False, True], ids=["apply", "rollback"])
def test_many_kills_at_random_leave_all_fixes_or_none(yard: Yard, tmp_path: Path, applied: bool) -> None:
    kill_at_random(yard, scene(tmp_path, applied), int(os.environ.get("SOAK_ROUNDS", "500")))
