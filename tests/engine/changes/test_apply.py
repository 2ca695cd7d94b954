"""An applied change set has done all of it, carefully; one that fails on the way has done none of it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from engine.changes import Changes, ChangesRefused, Copy, Create, Delete, Edit, Move, RefusalCode, State
from engine.errors import ProofsheetError
from engine.workspace import Workspace
from tests.engine.changes.test_crash import points
from tests.engine.changes.trees import companions, contents, every_operation, our_files, snapshot, write


async def test_every_operation_does_what_it_says(changes: Changes, pictures: Path) -> None:
    ours = await changes.plan(our_files(pictures), "ours", [pictures])
    await changes.apply(ours.id)
    before = contents(pictures)
    planned = await changes.plan(every_operation(pictures), "all", [pictures], companions(pictures))
    assert contents(pictures) == before, "planning touches nothing"

    assert (await changes.apply(planned.id)).state is State.APPLIED

    expected = before | {
        "notes.yaml": b"stars: 5\nnote: sharp\n",
        "best": None,
        "best/of": None,
        "best/of/one.jpg": before["one.jpg"],
        "best/of/one.xmp": before["one.xmp"],
        "best/list.txt": b"one.jpg\n",
        "best/two copy.jpg": before["two.jpg"],
        "shoot/3.png": before["shoot/three.png"],
        "shoot/ours too.txt": b"edited by us, twice\n",
        "linked.png": before["shoot/vier ü.png"],
    }
    for gone in ("one.jpg", "one.xmp", "shoot/three.png", "ours.txt"):
        del expected[gone]
    assert contents(pictures) == expected
    assert (pictures / "linked.png").samefile(pictures / "shoot" / "vier ü.png")


async def test_an_edit_keeps_the_mode_and_a_move_and_a_copy_the_time_too(changes: Changes, pictures: Path) -> None:
    before = snapshot(pictures)
    planned = await changes.plan(
        [
            Edit(pictures / "notes.yaml", b"new"),
            Move(pictures / "one.jpg", pictures / "moved.jpg"),
            Copy(pictures / "shoot" / "three.png", pictures / "copied.png"),
        ],
        "modes",
        [pictures],
    )

    await changes.apply(planned.id)

    after = snapshot(pictures)
    assert after["notes.yaml"].mode == before["notes.yaml"].mode == 0o664
    assert after["notes.yaml"].mtime_ns > before["notes.yaml"].mtime_ns, "other programs must notice the edit"
    assert after["moved.jpg"] == before["one.jpg"]
    assert after["copied.png"] == before["shoot/three.png"]
    untouched = set(before) - {"notes.yaml", "one.jpg"}
    assert {name: after[name] for name in untouched} == {name: before[name] for name in untouched}


async def test_extended_attributes_survive_an_edit_and_its_rollback(changes: Changes, pictures: Path) -> None:
    notes = pictures / "notes.yaml"
    try:
        os.setxattr(notes, "user.label", b"red")
    except (AttributeError, OSError):
        pytest.skip("no extended attributes on this volume")
    planned = await changes.plan([Edit(notes, b"new")], "label", [pictures])

    await changes.apply(planned.id)
    assert os.getxattr(notes, "user.label") == b"red"
    await changes.rollback(planned.id)
    assert os.getxattr(notes, "user.label") == b"red"


async def test_what_is_not_valid_is_taken_back_and_the_reason_is_kept(changes: Changes, pictures: Path) -> None:
    before = snapshot(pictures)
    planned = await changes.plan(
        [Edit(pictures / "notes.yaml", b"new"), Create(pictures / "a" / "b", b"x")], "bad", [pictures]
    )
    seen: list[bytes] = []

    def validate() -> None:
        seen.append((pictures / "notes.yaml").read_bytes())
        raise ValueError("two tests fail")

    with pytest.raises(ProofsheetError, match="two tests fail"):
        await changes.apply(planned.id, validate)

    assert seen == [b"new"], "validation sees everything in place"
    assert snapshot(pictures) == before
    failed = await changes.get(planned.id)
    assert (failed.state, failed.reason) == (State.FAILED, "two tests fail")


async def test_what_is_valid_stays(changes: Changes, pictures: Path) -> None:
    planned = await changes.plan([Create(pictures / "new", b"x")], "good", [pictures])
    called: list[bool] = []

    done = await changes.apply(planned.id, lambda: called.append((pictures / "new").exists()))

    assert called == [True] and done.state is State.APPLIED


APPLY_POINTS = [point for point in points("apply") if point != "after applied"]


@pytest.mark.parametrize("number", range(len(APPLY_POINTS)), ids=lambda number: APPLY_POINTS[number])
async def test_a_full_disk_at_any_point_leaves_every_file_as_it_was(
    workspace: Workspace, pictures: Path, number: int
) -> None:
    point = APPLY_POINTS[number]
    calm = Changes(workspace)
    await calm.apply((await calm.plan(our_files(pictures), "ours", [pictures])).id)
    before = snapshot(pictures)
    planned = await calm.plan(every_operation(pictures), "all", [pictures], companions(pictures))
    reached: list[str] = []

    def fill_the_disk(now: str) -> None:
        reached.append(now)
        if len(reached) == number + 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises((ProofsheetError, OSError), match="No space left"):
        await Changes(workspace, reached=fill_the_disk).apply(planned.id)
    await calm.recover()

    assert reached[number] == point
    assert snapshot(pictures) == before
    assert (await calm.get(planned.id)).state is (State.PLANNED if point == "before applying" else State.FAILED)


async def test_a_target_that_appears_in_the_last_moment_is_never_overwritten(
    workspace: Workspace, pictures: Path
) -> None:
    def appear(point: str) -> None:
        if point == "after staged":
            write(pictures / "new.txt", b"somebody else's")

    changes = Changes(workspace, reached=appear)
    before = contents(pictures)
    planned = await changes.plan(
        [Edit(pictures / "notes.yaml", b"new"), Create(pictures / "new.txt", b"ours")], "race", [pictures]
    )

    with pytest.raises(ChangesRefused) as refused:
        await changes.apply(planned.id)

    assert refused.value.refusals[0].code is RefusalCode.EXISTS
    assert contents(pictures) == before | {"new.txt": b"somebody else's"}
    assert (await changes.get(planned.id)).state is State.FAILED


async def test_an_edit_by_somebody_else_in_the_last_moment_wins(workspace: Workspace, pictures: Path) -> None:
    def edit(point: str) -> None:
        if point == "after placed":
            write(pictures / "notes.yaml", b"somebody else's")

    changes = Changes(workspace, reached=edit)
    before = contents(pictures)
    planned = await changes.plan(
        [Create(pictures / "new.txt", b"ours"), Edit(pictures / "notes.yaml", b"new")], "race", [pictures]
    )

    with pytest.raises(ChangesRefused, match="changed while the change set was being applied"):
        await changes.apply(planned.id)

    assert contents(pictures) == before | {"notes.yaml": b"somebody else's"}


async def test_a_source_that_is_replaced_in_the_last_moment_stays_where_it_is(
    workspace: Workspace, pictures: Path
) -> None:
    def replace(point: str) -> None:
        if point == "after staged":
            (pictures / "one.jpg").unlink()
            write(pictures / "one.jpg", b"somebody else's")

    changes = Changes(workspace, reached=replace)
    before = contents(pictures)
    planned = await changes.plan(
        [Create(pictures / "new.txt", b"ours"), Move(pictures / "one.jpg", pictures / "1.jpg")], "race", [pictures]
    )

    with pytest.raises(ChangesRefused, match="changed while the change set was being applied"):
        await changes.apply(planned.id)

    assert (pictures / "one.jpg").read_bytes() == b"somebody else's"
    assert "1.jpg" not in contents(pictures)
    assert contents(pictures).keys() <= before.keys() | {"new.txt"}


async def test_a_link_swapped_in_between_check_and_write_is_not_followed(
    workspace: Workspace, pictures: Path, tmp_path: Path
) -> None:
    victim = write(tmp_path / "outside" / "three.png", b"precious")

    def swap(point: str) -> None:
        if point == "after backed_up":
            (pictures / "shoot").rename(pictures / "real")
            (pictures / "shoot").symlink_to(victim.parent)

    changes = Changes(workspace, reached=swap)
    planned = await changes.plan(
        [Edit(pictures / "shoot" / "three.png", b"evil"), Create(pictures / "shoot" / "new", b"evil")], "s", [pictures]
    )

    with pytest.raises(ProofsheetError, match="symbolic link"):
        await changes.apply(planned.id)

    assert contents(tmp_path / "outside") == {"three.png": b"precious"}


async def test_without_hard_links_everything_works_but_hard_links(
    changes: Changes, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    await changes.apply((await changes.plan(our_files(pictures), "ours", [pictures])).id)
    before = snapshot(pictures)
    linking = await changes.plan(every_operation(pictures), "all", [pictures], companions(pictures))
    with pytest.raises(ChangesRefused) as refused:
        await changes.apply(linking.id)
    assert refused.value.refusals[0].code is RefusalCode.NO_HARD_LINKS
    assert snapshot(pictures) == before

    operations = [found for found in every_operation(pictures) if not (isinstance(found, Copy) and found.link)]
    planned = await changes.plan(operations, "without links", [pictures], companions(pictures))
    await changes.apply(planned.id)
    assert "best/of/one.xmp" in contents(pictures) and "ours.txt" not in contents(pictures)
    await changes.rollback(planned.id)
    assert snapshot(pictures) == before


async def test_without_hard_links_a_late_target_is_not_overwritten_and_the_source_is_not_lost(
    workspace: Workspace, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object, **__: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    def appear(point: str) -> None:
        if point == "after placed":
            write(pictures / "1.jpg", b"somebody else's")

    monkeypatch.setattr(os, "link", no_links)
    changes = Changes(workspace, reached=appear)
    before = contents(pictures)
    planned = await changes.plan([Move(pictures / "one.jpg", pictures / "1.jpg")], "race", [pictures])

    with pytest.raises(ChangesRefused, match="come into being"):
        await changes.apply(planned.id)

    assert contents(pictures) == before | {"1.jpg": b"somebody else's"}


async def test_our_own_file_on_another_volume_is_deleted_and_comes_back(
    changes: Changes, pictures: Path, other_volume: Path
) -> None:
    made = await changes.plan([Copy(pictures / "one.jpg", other_volume / "one.jpg")], "copy", [pictures, other_volume])
    await changes.apply(made.id)
    before = snapshot(other_volume)

    deleted = await changes.plan([Delete(other_volume / "one.jpg")], "delete", [other_volume])
    await changes.apply(deleted.id)
    assert snapshot(other_volume) == {}
    await changes.rollback(deleted.id)
    assert snapshot(other_volume) == before


async def test_deleting_on_one_volume_is_a_rename_into_the_backups(
    changes: Changes, pictures: Path, workspace: Workspace
) -> None:
    await changes.apply((await changes.plan(our_files(pictures), "ours", [pictures])).id)
    inode = (pictures / "ours.txt").stat().st_ino

    deleted = await changes.plan([Delete(pictures / "ours.txt")], "delete", [pictures])
    await changes.apply(deleted.id)

    assert (workspace.changes / deleted.id / "old" / "0").stat().st_ino == inode
