"""Backups stay until they are pruned; what Proofsheet wrote stays its own after that."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from engine.changes import Changes, ChangeSet, ChangesRefused, Create, Delete, Edit, State
from engine.errors import ProofsheetError, UsageError
from engine.workspace import Workspace
from tests.engine.changes.trees import contents, our_files
from tests.engine.changes.yard import Request, Yard


class Calendar:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 20, tzinfo=UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(microseconds=1)
        return self.now


async def made(changes: Changes, pictures: Path, name: str) -> ChangeSet:
    planned = await changes.plan([Create(pictures / name, name.encode())], name, [pictures])
    return await changes.apply(planned.id)


async def test_pruning_forgets_what_is_finished_and_leaves_files_and_plans(changes: Changes, pictures: Path) -> None:
    applied = await made(changes, pictures, "a")
    taken_back = await changes.rollback((await made(changes, pictures, "b")).id)
    waiting = await changes.plan([Create(pictures / "c", b"")], "c", [pictures])
    before = contents(pictures)

    pruned = await changes.prune()

    assert set(pruned.ids) == {applied.id, taken_back.id} and pruned.size > 0
    assert [found.id for found in await changes.list()] == [waiting.id]
    assert contents(pictures) == before
    with pytest.raises(UsageError, match="no change set"):
        await changes.rollback(applied.id)


async def test_pruning_by_age_and_by_id(workspace: Workspace, pictures: Path) -> None:
    calendar = Calendar()
    changes = Changes(workspace, clock=calendar)
    old = await made(changes, pictures, "old")
    forgotten = await changes.plan([Create(pictures / "never", b"")], "never applied", [pictures])
    calendar.now += timedelta(days=31)
    new = await made(changes, pictures, "new")

    assert set((await changes.prune(older_than_days=30)).ids) == {old.id, forgotten.id}
    assert (await changes.prune(older_than_days=30)).ids == ()
    assert (await changes.prune(ids=[new.id[:-1]])).ids == (new.id,)
    with pytest.raises(UsageError, match="no change set"):
        await changes.prune(ids=["2026"])


async def test_what_a_crash_left_half_done_is_not_pruned(
    changes: Changes, workspace: Workspace, pictures: Path, yard: Yard
) -> None:
    planned = await changes.plan([Edit(pictures / "notes.yaml", b"x")], "half", [pictures])
    assert yard.run(Request("apply", str(workspace.root), planned.id, kill_at=10)).was_killed

    assert (await changes.prune(older_than_days=0)).ids == ()
    with pytest.raises(UsageError, match="half done"):
        await changes.prune(ids=[planned.id])
    await changes.recover()
    assert (await changes.prune()).ids == (planned.id,)


async def test_our_own_files_stay_our_own_after_their_change_set_is_pruned(changes: Changes, pictures: Path) -> None:
    ours = await changes.plan(our_files(pictures), "ours", [pictures])
    await changes.apply(ours.id)
    edited = await changes.plan([Edit(pictures / "ours.txt", b"edited by us")], "edit", [pictures])
    await changes.apply(edited.id)
    for id_ in (edited.id, ours.id):
        await changes.prune(ids=[id_])

    planned = await changes.plan(
        [Delete(pictures / "ours.txt"), Delete(pictures / "shoot" / "ours too.txt")], "delete", [pictures]
    )

    await changes.apply(planned.id)
    assert not (pictures / "ours.txt").exists()


async def test_what_was_taken_back_is_not_our_own(changes: Changes, pictures: Path) -> None:
    await changes.rollback((await made(changes, pictures, "a")).id)
    (pictures / "a").write_bytes(b"a")

    with pytest.raises(ChangesRefused):
        await changes.plan([Delete(pictures / "a")], "no", [pictures])


async def test_a_proof_from_the_caller_allows_the_deletion_of_just_those_bytes(
    changes: Changes, pictures: Path
) -> None:
    from hashlib import sha256

    (pictures / "one.phash").write_bytes(b"cafe")
    proof = {pictures / "one.phash": sha256(b"cafe").hexdigest()}
    other = {pictures / "one.phash": sha256(b"beef").hexdigest()}

    with pytest.raises(ChangesRefused):
        await changes.plan([Delete(pictures / "one.phash")], "no", [pictures], owned=other)
    planned = await changes.plan([Delete(pictures / "one.phash")], "yes", [pictures], owned=proof)
    await changes.apply(planned.id)
    assert not (pictures / "one.phash").exists()


async def test_a_damaged_change_set_is_listed_and_pruned_only_by_name(
    changes: Changes, workspace: Workspace, pictures: Path
) -> None:
    whole = await made(changes, pictures, "a")
    damaged = await made(changes, pictures, "b")
    journal = workspace.changes / damaged.id / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b'"title":"b"', b'"title":"x"'))

    states = {found.id: found.state for found in await changes.list()}
    assert states == {whole.id: State.APPLIED, damaged.id: State.DAMAGED}
    with pytest.raises(ProofsheetError, match=r"journal\.jsonl, line 1: was altered"):
        await changes.rollback(damaged.id)
    assert await changes.recover() == ()
    assert (await changes.prune()).ids == (whole.id,)
    assert (await changes.prune(ids=[damaged.id])).ids == (damaged.id,)


async def test_change_sets_are_listed_newest_first_even_within_one_second(workspace: Workspace, pictures: Path) -> None:
    changes = Changes(workspace, clock=Calendar())
    made_ids = [(await changes.plan([Create(pictures / "a", b"")], "t", [pictures])).id for _ in range(8)]

    assert [found.id for found in await changes.list()] == made_ids[::-1]


async def test_a_plan_that_a_crash_left_half_written_is_not_there_and_is_swept_away_later(
    changes: Changes, workspace: Workspace, pictures: Path
) -> None:
    planned = await changes.plan([Create(pictures / "a", b"")], "t", [pictures])
    draft = workspace.changes / f".{planned.id}.draft"
    (workspace.changes / planned.id).rename(draft)

    await changes.recover()
    assert await changes.list() == () and draft.exists(), "it may be another process's that is being written"
    os.utime(draft, (0, 0))
    await changes.recover()
    assert not draft.exists()


async def test_what_a_crash_left_of_a_pruned_one_is_swept_away(
    changes: Changes, workspace: Workspace, pictures: Path
) -> None:
    applied = await made(changes, pictures, "a")
    left = workspace.changes / f".{applied.id}.pruned"
    (workspace.changes / applied.id).rename(left)

    await changes.recover()

    assert not left.exists()
