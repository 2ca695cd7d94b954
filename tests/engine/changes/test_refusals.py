"""What stands in the way is refused with its code before anything is touched: when planned, and again when applied."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from engine.changes import (
    Changes,
    ChangesRefused,
    Copy,
    Create,
    Delete,
    Edit,
    Move,
    Operation,
    RefusalCode,
    State,
)
from engine.errors import ProofsheetError, UsageError
from tests.engine.changes.trees import snapshot, write

Make = Callable[[Path], Sequence[Operation]]


def linked_folder(root: Path) -> Sequence[Operation]:
    (root / "link").symlink_to(root / "shoot", target_is_directory=True)
    return [Edit(root / "link" / "three.png", b"x")]


def linked_target_folder(root: Path) -> Sequence[Operation]:
    (root / "link").symlink_to(root / "shoot", target_is_directory=True)
    return [Move(root / "one.jpg", root / "link" / "new" / "one.jpg")]


def linked_file(root: Path) -> Sequence[Operation]:
    (root / "link.txt").symlink_to(root / "notes.yaml")
    return [Edit(root / "link.txt", b"x")]


def linked_outside(root: Path) -> Sequence[Operation]:
    outside = write(root.parent / "outside" / "secret.txt", b"secret")
    (root / "away").symlink_to(outside.parent)
    return [Copy(root / "away" / "secret.txt", root / "secret.txt")]


def dangling_target(root: Path) -> Sequence[Operation]:
    (root / "dangling").symlink_to(root / "nothing")
    return [Create(root / "dangling", b"x")]


def read_only(root: Path) -> Sequence[Operation]:
    return [Edit(root / "untouched.jpg", b"x")]


def read_only_folder(root: Path) -> Sequence[Operation]:
    (root / "empty").chmod(0o555)
    return [Create(root / "empty" / "new.txt", b"x")]


def from_read_only_folder(root: Path) -> Sequence[Operation]:
    write(root / "locked" / "a.jpg", b"a").parent.chmod(0o555)
    return [Move(root / "locked" / "a.jpg", root / "a.jpg")]


def named_pipe(root: Path) -> Sequence[Operation]:
    os.mkfifo(root / "pipe")
    return [Copy(root / "pipe", root / "copy")]


def not_utf8(root: Path) -> Sequence[Operation]:
    name = os.fsdecode(b"caf\xe9.jpg")
    return [Move(root / name, root / "cafe.jpg")]


REFUSED: dict[str, tuple[RefusalCode, str, Make]] = {
    "outside the roots": (
        RefusalCode.OUTSIDE_ROOTS,
        "elsewhere.txt",
        lambda root: [Create(root.parent / "elsewhere.txt", b"")],
    ),
    "moved in from outside the roots": (
        RefusalCode.OUTSIDE_ROOTS,
        "own.txt",
        lambda root: [Move(write(root.parent / "own.txt", b"x"), root / "own.txt")],
    ),
    "a sibling whose name begins like the root": (
        RefusalCode.OUTSIDE_ROOTS,
        "new.txt",
        lambda root: [Create(root.with_name(root.name + "2") / "new.txt", b"")],
    ),
    "out of the roots by ..": (RefusalCode.NOT_ABSOLUTE, "x", lambda root: [Create(root / ".." / "x", b"")]),
    "a relative path": (RefusalCode.NOT_ABSOLUTE, "x", lambda _: [Create(Path("x"), b"")]),
    "through a linked folder": (RefusalCode.SYMLINK, "link", linked_folder),
    "into a linked folder": (RefusalCode.SYMLINK, "link", linked_target_folder),
    "a link itself": (RefusalCode.SYMLINK, "link.txt", linked_file),
    "from outside through a link": (RefusalCode.SYMLINK, "away", linked_outside),
    "where a dangling link stands": (RefusalCode.EXISTS, "dangling", dangling_target),
    "a read-only file": (RefusalCode.READ_ONLY, "untouched.jpg", read_only),
    "into a read-only folder": (RefusalCode.READ_ONLY, "new.txt", read_only_folder),
    "out of a read-only folder": (RefusalCode.READ_ONLY, "a.jpg", from_read_only_folder),
    "a missing file": (RefusalCode.MISSING, "none.jpg", lambda root: [Edit(root / "none.jpg", b"")]),
    "a folder": (RefusalCode.NOT_A_FILE, "empty", lambda root: [Move(root / "empty", root / "full")]),
    "beneath a file": (RefusalCode.NOT_A_FILE, "one.jpg", lambda root: [Create(root / "one.jpg" / "x", b"")]),
    "a named pipe": (RefusalCode.NOT_A_FILE, "pipe", named_pipe),
    "a name that is not UTF-8": (RefusalCode.NAME_NOT_UTF8, "caf\\udce9.jpg", not_utf8),
    "create over a file": (RefusalCode.EXISTS, "two.jpg", lambda root: [Create(root / "two.jpg", b"")]),
    "move over a file": (RefusalCode.EXISTS, "two.jpg", lambda root: [Move(root / "one.jpg", root / "two.jpg")]),
    "copy over a file": (RefusalCode.EXISTS, "two.jpg", lambda root: [Copy(root / "one.jpg", root / "two.jpg")]),
    "link over a file": (RefusalCode.EXISTS, "two.jpg", lambda root: [Copy(root / "one.jpg", root / "two.jpg", True)]),
    "one target twice": (
        RefusalCode.CONFLICT,
        "x.jpg",
        lambda root: [Copy(root / "one.jpg", root / "x.jpg"), Copy(root / "two.jpg", root / "x.jpg")],
    ),
    "the same twice": (
        RefusalCode.CONFLICT,
        "x.jpg",
        lambda root: [Copy(root / "one.jpg", root / "x.jpg"), Copy(root / "one.jpg", root / "x.jpg")],
    ),
    "one source moved twice": (
        RefusalCode.CONFLICT,
        "one.jpg",
        lambda root: [Move(root / "one.jpg", root / "x.jpg"), Move(root / "one.jpg", root / "y.jpg")],
    ),
    "copied and edited": (
        RefusalCode.CONFLICT,
        "notes.yaml",
        lambda root: [Copy(root / "notes.yaml", root / "x"), Edit(root / "notes.yaml", b"")],
    ),
    "a file and a folder of one name": (
        RefusalCode.CONFLICT,
        "y",
        lambda root: [Create(root / "x", b""), Create(root / "x" / "y", b"")],
    ),
    "a person's own file deleted": (RefusalCode.NOT_OURS, "two.jpg", lambda root: [Delete(root / "two.jpg")]),
}


@pytest.mark.parametrize("case", REFUSED, ids=str)
async def test_is_refused_when_planned_and_nothing_is_written(changes: Changes, pictures: Path, case: str) -> None:
    code, name, make = REFUSED[case]
    operations = [*make(pictures), Create(pictures / "innocent.txt", b"fine")]
    before = snapshot(pictures)

    with pytest.raises(ChangesRefused) as refused:
        await changes.plan(operations, "no", [pictures])

    assert code in {refusal.code for refusal in refused.value.refusals}
    assert name in str(refused.value) and f"[{code}]" in str(refused.value)
    assert refused.value.remedy
    assert snapshot(pictures) == before
    assert await changes.list() == ()


async def test_every_file_that_stands_in_the_way_is_named_at_once(changes: Changes, pictures: Path) -> None:
    with pytest.raises(ChangesRefused) as refused:
        await changes.plan(
            [Edit(pictures / "none.txt", b""), Create(pictures / "two.jpg", b""), Delete(pictures / "one.jpg")],
            "no",
            [pictures],
        )

    assert [(found.code, found.path.name) for found in refused.value.refusals] == [
        (RefusalCode.MISSING, "none.txt"),
        (RefusalCode.EXISTS, "two.jpg"),
        (RefusalCode.NOT_OURS, "one.jpg"),
    ]


async def test_the_folder_of_journals_is_out_of_bounds(changes: Changes, tmp_path: Path) -> None:
    with pytest.raises(ChangesRefused) as refused:
        await changes.plan([Create(tmp_path / "workspace" / "changes" / "x", b"")], "no", [tmp_path])

    assert refused.value.refusals[0].code is RefusalCode.RESERVED


async def test_a_root_may_be_reached_through_a_link_because_a_person_named_it(
    changes: Changes, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "my pictures").symlink_to(pictures)

    planned = await changes.plan([Create(tmp_path / "my pictures" / "x", b"x")], "yes", [tmp_path / "my pictures"])
    await changes.apply(planned.id)

    assert (pictures / "x").read_bytes() == b"x"


async def test_copies_may_come_from_outside_the_roots_with_their_companions(
    changes: Changes, pictures: Path, tmp_path: Path
) -> None:
    (tmp_path / "my pictures").symlink_to(pictures)
    library, out = tmp_path / "my pictures", tmp_path / "out"
    before = snapshot(pictures)

    planned = await changes.plan(
        [Copy(library / "one.jpg", out / "1.jpg"), Copy(library / "two.jpg", out / "2.jpg", link=True)],
        "export",
        [out],
        {library / "one.jpg": [library / "one.xmp"]},
    )
    await changes.apply(planned.id)

    assert sorted(path.name for path in out.iterdir()) == ["1.jpg", "1.xmp", "2.jpg"]
    assert snapshot(pictures) == before
    await changes.rollback(planned.id)
    assert not out.exists()
    (pictures / "link.jpg").symlink_to(pictures / "one.jpg")
    with pytest.raises(ChangesRefused) as refused:
        await changes.plan([Copy(library / "link.jpg", out / "1.jpg")], "link", [out])
    assert refused.value.refusals[0].code is RefusalCode.SYMLINK


def edit_behind(root: Path) -> None:
    write(root / "notes.yaml", b"stars: 9\nnote: else\n", mtime_ns=(root / "notes.yaml").stat().st_mtime_ns)


def remove_source(root: Path) -> None:
    (root / "one.jpg").unlink()


def occupy_target(root: Path) -> None:
    write(root / "best" / "one.jpg", b"mine")


def swap_folder_for_link(root: Path) -> None:
    (root / "shoot").rename(root / "elsewhere")
    (root / "shoot").symlink_to(root / "elsewhere")


def swap_file_for_link(root: Path) -> None:
    (root / "notes.yaml").rename(root / "notes2.yaml")
    (root / "notes.yaml").symlink_to(root / "notes2.yaml")


def swap_the_root_for_a_link(root: Path) -> None:
    root.rename(root.with_name("moved"))
    root.symlink_to(root.with_name("moved"))


def make_read_only(root: Path) -> None:
    (root / "notes.yaml").chmod(0o444)


@pytest.mark.parametrize(
    ("meanwhile", "code"),
    [
        (edit_behind, RefusalCode.CHANGED),
        (remove_source, RefusalCode.MISSING),
        (occupy_target, RefusalCode.EXISTS),
        (swap_folder_for_link, RefusalCode.SYMLINK),
        (swap_file_for_link, RefusalCode.SYMLINK),
        (swap_the_root_for_a_link, RefusalCode.SYMLINK),
        (make_read_only, RefusalCode.READ_ONLY),
    ],
)
async def test_what_changed_since_planning_is_refused_when_applied_and_nothing_is_touched(
    changes: Changes, pictures: Path, meanwhile: Callable[[Path], None], code: RefusalCode
) -> None:
    planned = await changes.plan(
        [
            Create(pictures / "a first one.txt", b"x"),
            Edit(pictures / "notes.yaml", b"stars: 5\n"),
            Move(pictures / "one.jpg", pictures / "best" / "one.jpg"),
            Edit(pictures / "shoot" / "three.png", b"x"),
        ],
        "too late",
        [pictures],
    )
    meanwhile(pictures)
    before = snapshot(pictures)

    with pytest.raises(ChangesRefused) as refused:
        await changes.apply(planned.id)

    assert code in {found.code for found in refused.value.refusals}
    assert snapshot(pictures) == before
    assert (await changes.get(planned.id)).state is State.PLANNED, "it may be applied when the way is clear"


async def test_a_touched_file_with_the_same_bytes_has_not_changed(changes: Changes, pictures: Path) -> None:
    planned = await changes.plan([Edit(pictures / "notes.yaml", b"x")], "touch", [pictures])
    os.utime(pictures / "notes.yaml")

    assert (await changes.apply(planned.id)).state is State.APPLIED


@pytest.mark.parametrize("operation", [Move, lambda a, b: Copy(a, b, link=True)], ids=["move", "link"])
async def test_a_move_to_another_volume_is_refused_and_a_copy_is_the_remedy(
    changes: Changes,
    pictures: Path,
    other_volume: Path,
    operation: Callable[[Path, Path], Operation],
) -> None:
    roots = [pictures, other_volume]

    with pytest.raises(ChangesRefused) as refused:
        await changes.plan([operation(pictures / "one.jpg", other_volume / "one.jpg")], "far", roots)
    assert refused.value.refusals[0].code is RefusalCode.OTHER_VOLUME
    assert "Copy instead" in refused.value.remedy

    planned = await changes.plan([Copy(pictures / "one.jpg", other_volume / "one.jpg")], "far", roots)
    await changes.apply(planned.id)
    assert (other_volume / "one.jpg").read_bytes() == (pictures / "one.jpg").read_bytes()


async def test_an_edit_that_changes_nothing_is_left_out(changes: Changes, pictures: Path) -> None:
    same = Edit(pictures / "notes.yaml", (pictures / "notes.yaml").read_bytes())

    planned = await changes.plan([same, Create(pictures / "new", b"")], "half", [pictures])
    assert [step.path.name for step in planned.operations] == ["new"]
    with pytest.raises(UsageError, match="nothing to change"):
        await changes.plan([same], "none", [pictures])


async def test_a_change_set_is_applied_once(changes: Changes, pictures: Path) -> None:
    planned = await changes.plan([Create(pictures / "new", b"")], "once", [pictures])
    await changes.apply(planned.id)

    with pytest.raises(ProofsheetError, match="applied already"):
        await changes.apply(planned.id)
    await changes.rollback(planned.id)
    with pytest.raises(ProofsheetError, match="rolled back already"):
        await changes.rollback(planned.id)
    with pytest.raises(ProofsheetError, match="it is rolled back"):
        await changes.apply(planned.id)


async def test_a_plan_that_was_never_applied_cannot_be_rolled_back(changes: Changes, pictures: Path) -> None:
    planned = await changes.plan([Create(pictures / "new", b"")], "never", [pictures])

    with pytest.raises(ProofsheetError, match="never applied"):
        await changes.rollback(planned.id)


async def test_a_file_name_cannot_steer_the_terminal(changes: Changes, pictures: Path) -> None:
    with pytest.raises(ChangesRefused) as refused:
        await changes.plan([Edit(pictures / "\x1b[2Jgone.txt", b"")], "no", [pictures])

    assert "\x1b" not in str(refused.value) and "\\x1b[2Jgone.txt" in str(refused.value)
