"""Killed at any instant, an apply, a rollback or a recovery leaves every file as it was before, or every file as it was
to become: never something in between, once the next start has recovered."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import pytest

from engine.changes import Changes, State
from engine.workspace import Workspace
from tests.engine.changes.trees import Snapshot, companions, contents, every_operation, our_files, sample, snapshot
from tests.engine.changes.yard import Request, Yard


@dataclass(frozen=True)
class Scene:
    """A tree, and a change set on it that is planned, or applied and about to be rolled back."""

    base: Path
    id: str
    do: str
    before: Snapshot  # of the tree without the change set
    after: dict[str, bytes | None]  # of the tree with it

    @property
    def workspace(self) -> Workspace:
        return Workspace(self.base / "workspace")

    @property
    def pictures(self) -> Path:
        return self.base / "pictures"

    def request(self, do: str | None = None) -> Request:
        return Request(do or self.do, str(self.workspace.root), self.id)


def scene(base: Path, do: str, size: int = 3000) -> Scene:
    """Set the scene up in `base`."""
    pictures = base / "pictures"
    changes = Changes(Workspace.init(base / "workspace"))
    sample(pictures, size)

    async def prepare() -> tuple[str, Snapshot, dict[str, bytes | None]]:
        ours = await changes.plan(our_files(pictures), "ours", [pictures])
        await changes.apply(ours.id)
        before = snapshot(pictures)
        planned = await changes.plan(every_operation(pictures), "all", [pictures], companions(pictures))
        await changes.apply(planned.id)
        after = contents(pictures)
        if do == "apply":
            await changes.rollback(planned.id)
            planned = await changes.plan(every_operation(pictures), "all", [pictures], companions(pictures))
        return planned.id, before, after

    id_, before, after = asyncio.run(prepare())
    return Scene(base, id_, do, before, after)


def check(found: Scene, context: str) -> State:
    """The tree is wholly the one or wholly the other, the journal knows which, and nothing of ours lies about."""
    change_set = asyncio.run(Changes(found.workspace).get(found.id))
    if change_set.state is State.APPLIED:
        assert contents(found.pictures) == found.after, context
        untouched = {"untouched.jpg", "two.jpg", "shoot/vier ü.png"}
        now = snapshot(found.pictures)
        assert all(now[name] == found.before[name] for name in untouched), context
    else:
        assert change_set.state in (State.PLANNED, State.FAILED, State.ROLLED_BACK), context
        assert snapshot(found.pictures) == found.before, context
    return change_set.state


@cache
def points(do: str) -> tuple[str, ...]:
    """Every point that an undisturbed apply or rollback reaches, in order."""
    with tempfile.TemporaryDirectory() as base:
        found = scene(Path(base), do)
        reached: list[str] = []
        changes = Changes(found.workspace, reached=reached.append)
        asyncio.run(changes.apply(found.id) if do == "apply" else changes.rollback(found.id))
        return tuple(reached)


def every_point() -> Iterator[tuple[str, int, str, bool]]:
    for do in ("apply", "rollback"):
        for number, point in enumerate(points(do)):
            yield do, number, point, False
            if point.startswith("before"):
                yield do, number, point, True


@pytest.mark.parametrize(
    ("do", "number", "point", "torn"),
    [
        pytest.param(do, number, point, torn, id=f"{do}-{number:02}-{point}{'-torn' if torn else ''}")
        for do, number, point, torn in every_point()
    ],
)
def test_a_process_killed_at_any_point_leaves_the_old_or_the_new_tree(
    yard: Yard, tmp_path: Path, do: str, number: int, point: str, torn: bool
) -> None:
    found = scene(tmp_path, do)

    ended = yard.run(replace(found.request(), kill_at=number, torn=torn))
    assert ended.was_killed and ended.points[-1] == point
    recovered = yard.run(found.request("recover"))

    assert not recovered.error
    is_decided = point == ("after applied" if do == "apply" else "before rolling_back")
    assert (check(found, point) is State.APPLIED) == is_decided
    assert yard.run(found.request("recover")).points == [], "a second recovery has nothing left to do"
    check(found, point)


@pytest.mark.parametrize("do", ["apply", "rollback"])
def test_recovery_may_itself_be_killed_at_any_point_and_begun_again(yard: Yard, tmp_path: Path, do: str) -> None:
    first_kills = [number for number, point in enumerate(points(do)) if point.startswith("after")]
    first_kills += [number + 1 for number in first_kills if number + 1 < len(points(do))]
    original = tmp_path / "original"
    scene_there = scene(original, do)
    tried = 0
    for first in first_kills:
        for second in range(len(points("apply")) + len(points("rollback"))):
            with _restored(original, scene_there) as found:
                assert yard.run(replace(found.request(), kill_at=first)).was_killed
                was_killed = yard.run(replace(found.request("recover"), kill_at=second)).was_killed
                assert not yard.run(found.request("recover")).error
                check(found, f"{points(do)[first]}, then recovery killed at its point {second}")
                tried += 1
            if not was_killed:
                break
    assert tried > len(first_kills)


class _restored:
    """The scene as it was set, at the same place (a plan holds absolute paths): put back for every round."""

    def __init__(self, base: Path, found: Scene) -> None:
        self.base, self.found, self.kept = base, found, base.with_name("kept")

    def __enter__(self) -> Scene:
        if not self.kept.exists():
            shutil.copytree(self.base, self.kept)
        return self.found

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.base)
        shutil.copytree(self.kept, self.base)


def kill_at_random(yard: Yard, base: Path, rounds: int, seed: int) -> None:
    """Real kills from outside, at random instants, of applies and rollbacks, and of the recoveries after them."""
    dice = random.Random(seed)
    killed = 0
    duration = 0.02
    for number in range(rounds):
        do = dice.choice(["apply", "rollback"])
        found = scene(base / f"{number}", do, size=dice.choice([1, 3000, 200_000]))
        ended = yard.run(replace(found.request(), kill_after=dice.uniform(0, duration)))
        killed += ended.was_killed
        # aim within the time that the work really takes here: less after a miss, more after a hit
        duration = min(0.5, max(0.002, duration * (1.1 if ended.was_killed else 0.9)))
        if dice.random() < 0.5:
            yard.run(replace(found.request("recover"), kill_after=dice.uniform(0, duration)))
        recovered = yard.run(found.request("recover"))
        assert not recovered.error, f"round {number}, seed {seed}: {recovered.error}"
        check(found, f"round {number}, seed {seed}")
        shutil.rmtree(found.base)
    assert killed >= rounds // 4, "hardly any process was killed in time"


def test_twenty_kills_at_random_instants_leave_the_old_or_the_new_tree(yard: Yard, tmp_path: Path) -> None:
    kill_at_random(yard, tmp_path, 20, seed=random.randrange(1 << 32))


@pytest.mark.soak
def test_many_kills_at_random_instants_leave_the_old_or_the_new_tree(yard: Yard, tmp_path: Path) -> None:
    kill_at_random(yard, tmp_path, int(os.environ.get("SOAK_ROUNDS", "500")), seed=random.randrange(1 << 32))
