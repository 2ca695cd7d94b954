"""An applied change set can be taken back at any later time, wholly, unless its files have changed since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.changes import Changes, ChangesRefused, Copy, Create, Delete, Edit, Move, State
from engine.workspace import Workspace
from tests.engine.changes.trees import companions, every_operation, our_files, snapshot, write
from tests.engine.changes.yard import Request, Yard


async def test_a_later_process_takes_everything_back_bytes_modes_and_times(
    workspace: Workspace, pictures: Path
) -> None:
    changes = Changes(workspace)
    await changes.apply((await changes.plan(our_files(pictures), "ours", [pictures])).id)
    before = snapshot(pictures)
    planned = await changes.plan(every_operation(pictures), "all", [pictures], companions(pictures))
    await changes.apply(planned.id)

    done = await Changes(workspace).rollback(planned.id)

    assert done.state is State.ROLLED_BACK
    assert snapshot(pictures) == before


def edit_the_edited(root: Path) -> Path:
    return write(root / "notes.yaml", b"stars: 3\n")


def remove_the_edited(root: Path) -> Path:
    (root / "notes.yaml").unlink()
    return root / "notes.yaml"


def edit_the_moved(root: Path) -> Path:
    return write(root / "best" / "of" / "one.jpg", b"retouched")


def remove_the_moved(root: Path) -> Path:
    (root / "best" / "of" / "one.jpg").unlink()
    return root / "best" / "of" / "one.jpg"


def occupy_the_source(root: Path) -> Path:
    return write(root / "one.jpg", b"a new one")


def copy_the_moved_back(root: Path) -> Path:
    return write(root / "one.jpg", (root / "best" / "of" / "one.jpg").read_bytes())


def edit_the_created(root: Path) -> Path:
    return write(root / "best" / "list.txt", b"one.jpg\ntwo.jpg\n")


def lose_the_original_of_the_copy(root: Path) -> Path:
    (root / "two.jpg").unlink()
    return root / "best" / "two copy.jpg"


def write_where_one_was_deleted(root: Path) -> Path:
    return write(root / "ours.txt", b"mine now")


def put_a_link_in_the_way(root: Path) -> Path:
    (root / "best" / "list.txt").unlink()
    (root / "best" / "list.txt").symlink_to(root / "two.jpg")
    return root / "best" / "list.txt"


@pytest.mark.parametrize(
    "meanwhile",
    [
        edit_the_edited,
        remove_the_edited,
        edit_the_moved,
        remove_the_moved,
        occupy_the_source,
        copy_the_moved_back,
        edit_the_created,
        lose_the_original_of_the_copy,
        write_where_one_was_deleted,
        put_a_link_in_the_way,
    ],
)
async def test_what_changed_since_is_named_and_nothing_is_touched_unless_it_may_be_kept(
    changes: Changes, pictures: Path, meanwhile: Callable[[Path], Path]
) -> None:
    await changes.apply((await changes.plan(our_files(pictures), "ours", [pictures])).id)
    before = snapshot(pictures)
    planned = await changes.plan(every_operation(pictures), "all", [pictures])
    await changes.apply(planned.id)
    changed = meanwhile(pictures)
    meant = snapshot(pictures)

    with pytest.raises(ChangesRefused, match="nothing was touched") as refused:
        await changes.rollback(planned.id)
    assert [found.path for found in refused.value.refusals] == [changed]
    assert snapshot(pictures) == meant
    assert (await changes.get(planned.id)).state is State.APPLIED

    done = await changes.rollback(planned.id, keep_changed=True)
    assert (done.state, done.kept) == (State.ROLLED_BACK, (changed,))
    after = snapshot(pictures)
    name = str(changed.relative_to(pictures))
    assert after.get(name) == meant.get(name), "the changed file stays as the person made it"
    involved = {"notes.yaml", "one.jpg", "best", "best/of", "best/of/one.jpg", "best/list.txt", "two.jpg"}
    involved |= {"best/two copy.jpg", "ours.txt"}
    assert {key: look for key, look in after.items() if key not in involved} == {
        key: look for key, look in before.items() if key not in involved
    }
    if name != "notes.yaml":
        assert after["notes.yaml"] == before["notes.yaml"], "the others are taken back"


async def test_what_a_person_took_back_by_hand_is_as_good(changes: Changes, pictures: Path) -> None:
    before = snapshot(pictures)
    planned = await changes.plan(
        [
            Move(pictures / "one.jpg", pictures / "moved.jpg"),
            Create(pictures / "new.txt", b"new"),
            Copy(pictures / "two.jpg", pictures / "copy.jpg"),
            Edit(pictures / "notes.yaml", b"new"),
        ],
        "by hand",
        [pictures],
    )
    await changes.apply(planned.id)
    (pictures / "moved.jpg").rename(pictures / "one.jpg")
    (pictures / "new.txt").unlink()
    (pictures / "copy.jpg").unlink()

    await changes.rollback(planned.id)

    assert snapshot(pictures) == before


async def test_folders_that_were_emptied_meanwhile_are_made_again(changes: Changes, pictures: Path) -> None:
    shoot = pictures / "shoot"
    moves = [Move(path, pictures / "all" / path.name) for path in sorted(shoot.iterdir())]
    before = snapshot(pictures)
    planned = await changes.plan(moves, "flatten", [pictures])
    await changes.apply(planned.id)
    shoot.rmdir()

    await changes.rollback(planned.id)

    assert snapshot(pictures) == before


async def test_a_folder_that_others_use_by_now_stays(changes: Changes, pictures: Path) -> None:
    planned = await changes.plan([Create(pictures / "best" / "list.txt", b"x")], "folder", [pictures])
    await changes.apply(planned.id)
    theirs = write(pictures / "best" / "theirs.txt", b"theirs")

    await changes.rollback(planned.id)

    assert list((pictures / "best").iterdir()) == [theirs]


async def test_a_damaged_backup_is_never_put_in_place(changes: Changes, pictures: Path, workspace: Workspace) -> None:
    await changes.apply((await changes.plan(our_files(pictures), "ours", [pictures])).id)
    planned = await changes.plan(
        [Edit(pictures / "notes.yaml", b"new"), Delete(pictures / "ours.txt")], "both", [pictures]
    )
    await changes.apply(planned.id)
    for number in ("0", "1"):
        (workspace.changes / planned.id / "old" / number).write_bytes(b"rot")

    with pytest.raises(ChangesRefused, match="no whole backup") as refused:
        await changes.rollback(planned.id)

    assert [found.path.name for found in refused.value.refusals] == ["notes.yaml", "ours.txt"]
    assert (pictures / "notes.yaml").read_bytes() == b"new"
    assert not (pictures / "ours.txt").exists()


@pytest.mark.parametrize("name", ["notes.yaml", "new.txt", "1.jpg", "copy.jpg"])
async def test_a_file_that_changes_while_it_is_taken_back_is_not_lost(
    workspace: Workspace, pictures: Path, name: str
) -> None:
    def change(point: str) -> None:
        if point == "after rolling_back":
            (pictures / name).unlink()
            write(pictures / name, b"mine, just now")

    changes = Changes(workspace)
    before = snapshot(pictures)
    planned = await changes.plan(
        [
            Edit(pictures / "notes.yaml", b"new"),
            Create(pictures / "new.txt", b"new"),
            Move(pictures / "one.jpg", pictures / "1.jpg"),
            Copy(pictures / "two.jpg", pictures / "copy.jpg"),
        ],
        "race",
        [pictures],
    )
    await changes.apply(planned.id)

    if name == "1.jpg":  # whatever has that name returns to where the file came from: nothing is lost
        await Changes(workspace, reached=change).rollback(planned.id)
        assert (pictures / "one.jpg").read_bytes() == b"mine, just now"
        return
    with pytest.raises(ChangesRefused, match="while it was being taken back"):
        await Changes(workspace, reached=change).rollback(planned.id)
    assert (pictures / name).read_bytes() == b"mine, just now"

    await changes.rollback(planned.id, keep_changed=True)
    after = snapshot(pictures)
    assert after.pop(name).content == b"mine, just now"
    assert after == {other: look for other, look in before.items() if other != name}


async def test_recovery_leaves_alone_what_was_never_begun(
    changes: Changes, workspace: Workspace, pictures: Path, yard: Yard
) -> None:
    planned = await changes.plan(
        [Edit(pictures / "notes.yaml", b"new"), Move(pictures / "one.jpg", pictures / "1.jpg")], "early", [pictures]
    )
    killed = yard.run(Request("apply", str(workspace.root), planned.id, kill_at=1))
    assert killed.points[-1] == "after applying"
    write(pictures / "notes.yaml", b"mine")
    (pictures / "one.jpg").unlink()
    write(pictures / "1.jpg", b"mine too")
    before = snapshot(pictures)

    (found,) = await changes.recover()

    assert found.is_complete
    assert snapshot(pictures) == before


async def test_a_crash_between_the_two_names_of_a_returning_file_leaves_no_litter(
    changes: Changes, workspace: Workspace, pictures: Path, yard: Yard
) -> None:
    await changes.apply((await changes.plan(our_files(pictures), "ours", [pictures])).id)
    before = snapshot(pictures)
    planned = await changes.plan([Delete(pictures / "ours.txt")], "delete", [pictures])
    await changes.apply(planned.id)
    killed = yard.run(Request("rollback", str(workspace.root), planned.id, kill_at=2))
    assert killed.points[-1] == "put back 0"
    (pictures / f".proofsheet-{planned.id}-0.old.tmp").hardlink_to(pictures / "ours.txt")

    (found,) = await changes.recover()

    assert found.is_complete
    assert snapshot(pictures) == before


async def test_what_was_to_be_kept_is_kept_by_the_recovery_after_a_crash_too(
    workspace: Workspace, pictures: Path
) -> None:
    class Crash(BaseException):
        pass

    def crash(point: str) -> None:
        if point == "after rolling_back":
            raise Crash

    changes = Changes(workspace)
    before = snapshot(pictures)
    planned = await changes.plan(
        [Edit(pictures / "notes.yaml", b"new"), Move(pictures / "one.jpg", pictures / "1.jpg")], "keep", [pictures]
    )
    await changes.apply(planned.id)
    write(pictures / "notes.yaml", b"mine")
    with pytest.raises(Crash):
        await Changes(workspace, reached=crash).rollback(planned.id, keep_changed=True)

    (found,) = await changes.recover()

    assert found.is_complete
    after = snapshot(pictures)
    assert after.pop("notes.yaml").content == b"mine"
    assert after == {name: look for name, look in before.items() if name != "notes.yaml"}
    assert (await changes.get(planned.id)).kept == (pictures / "notes.yaml",)


async def test_a_crash_whose_files_changed_before_recovery_is_left_alone_and_explained(
    workspace: Workspace, pictures: Path
) -> None:
    class Crash(BaseException):
        pass

    def crash(point: str) -> None:
        if point in ("before applied", "before failed") or point.startswith(("put back", "removed")):
            raise Crash

    changes = Changes(workspace)
    planned = await changes.plan(
        [Edit(pictures / "notes.yaml", b"new"), Create(pictures / "new.txt", b"new")], "crash", [pictures]
    )
    with pytest.raises(Crash):
        await Changes(workspace, reached=crash).apply(planned.id)
    assert (await changes.get(planned.id)).state is State.APPLYING
    write(pictures / "new.txt", b"mine")
    before = snapshot(pictures)

    (found,) = await changes.recover()

    assert not found.is_complete and "new.txt" in found.reason
    assert snapshot(pictures) == before
    done = await changes.rollback(planned.id, keep_changed=True)
    assert done.state is State.ROLLED_BACK
    assert (pictures / "new.txt").read_bytes() == b"mine"
    assert (pictures / "notes.yaml").read_bytes() == b"stars: 1\nnote: soft\n"
    assert await changes.recover() == ()


async def test_the_next_apply_recovers_first(
    changes: Changes, workspace: Workspace, pictures: Path, yard: Yard
) -> None:
    half = await changes.plan([Edit(pictures / "notes.yaml", b"half")], "half", [pictures])
    killed = yard.run(Request("apply", str(workspace.root), half.id, kill_at=10))
    assert killed.was_killed and killed.points[-1] == "took away 0"
    assert (pictures / "notes.yaml").read_bytes() == b"half"
    planned = await changes.plan([Create(pictures / "new", b"")], "next", [pictures])

    await changes.apply(planned.id)

    assert (await changes.get(half.id)).state is State.FAILED
    assert (pictures / "notes.yaml").read_bytes() == b"stars: 1\nnote: soft\n"


async def test_only_files_with_the_bytes_we_wrote_are_deleted(changes: Changes, pictures: Path) -> None:
    await changes.apply((await changes.plan(our_files(pictures), "ours", [pictures])).id)
    write(pictures / "ours.txt", b"edited by the person since")

    with pytest.raises(ChangesRefused, match="not written, or not last, by Proofsheet"):
        await changes.plan([Delete(pictures / "ours.txt")], "no", [pictures])
    planned = await changes.plan([Delete(pictures / "shoot" / "ours too.txt")], "yes", [pictures])
    assert (await changes.apply(planned.id)).state is State.APPLIED
