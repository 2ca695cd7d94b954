"""What a person reads before approving: a from-to table for files, a unified diff for texts."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from engine.changes import Changes, Copy, Create, Edit, Fingerprint, Move
from engine.changes.diff import preview
from engine.changes.model import Action, ChangeSet, State, Step
from engine.clock import utc_now
from tests.engine.changes.trees import companions, write


async def test_files_are_a_table_and_texts_a_diff(changes: Changes, pictures: Path) -> None:
    planned = await changes.plan(
        [
            Move(pictures / "one.jpg", pictures / "best" / "one.jpg"),
            Copy(pictures / "shoot" / "vier ü.png", pictures / "4.png", link=True),
            Edit(pictures / "notes.yaml", b"stars: 5\nnote: soft\nby: me"),
            Create(pictures / "list.txt", b"one.jpg\n"),
            Edit(pictures / "two.jpg", b"\xff\xd8\xff"),
        ],
        "mixed",
        [pictures],
        companions(pictures),
    )

    assert (
        changes.preview(planned)
        == f"""\
in {pictures}:
move    one.jpg           ->  best/one.jpg
move    one.xmp           ->  best/one.xmp
link    shoot/vier ü.png  ->  4.png

--- {pictures}/notes.yaml
+++ {pictures}/notes.yaml
@@ -1,2 +1,3 @@
-stars: 1
+stars: 5
 note: soft
+by: me
\\ No newline at end of file

--- /dev/null
+++ {pictures}/list.txt
@@ -0,0 +1 @@
+one.jpg

edit {pictures}/two.jpg: 9,000 -> 3 bytes, not shown as text
"""
    )


async def test_a_preview_stays_the_same_after_applying_and_taking_back(changes: Changes, pictures: Path) -> None:
    planned = await changes.plan(
        [Edit(pictures / "notes.yaml", b"stars: 5\n"), Move(pictures / "one.jpg", pictures / "1.jpg")], "t", [pictures]
    )
    first = changes.preview(planned)

    assert changes.preview(await changes.apply(planned.id)) == first
    assert changes.preview(await changes.rollback(planned.id)) == first


async def test_a_diff_of_a_file_that_has_changed_since_is_not_made_up(changes: Changes, pictures: Path) -> None:
    planned = await changes.plan([Edit(pictures / "notes.yaml", b"stars: 5\n")], "t", [pictures])
    write(pictures / "notes.yaml", b"stars: 3\n")

    assert "the file has changed since" in changes.preview(planned)


async def test_names_and_texts_cannot_steer_the_terminal(changes: Changes, pictures: Path) -> None:
    write(pictures / "\x1b[31mred\n.jpg", b"x")
    planned = await changes.plan(
        [Move(pictures / "\x1b[31mred\n.jpg", pictures / "b"), Create(pictures / "c", b"\x1b]0;title\x07\ttab\r\n")],
        "t",
        [pictures],
    )

    shown = changes.preview(planned)
    assert "\x1b" not in shown and "\x07" not in shown
    assert "\\x1b[31mred\\n.jpg" in shown and "+\\x1b]0;title\\x07\ttab\\r" in shown


@given(st.text(st.characters(codec="utf-8")), st.text(st.characters(codec="utf-8")))
def test_any_two_texts_have_a_diff_that_adds_and_removes_as_many_lines_as_differ(old: str, new: str) -> None:
    step = Step(0, Action.EDIT, Path("/r/t"), None, Fingerprint("a", 1, 1, 1), "b", 1)
    change_set = ChangeSet("i", "t", "files", (step,), State.PLANNED, utc_now(), (Path("/r"),))

    shown = preview(change_set, lambda _: old.encode(), lambda _: new.encode())

    if "\0" in old + new:
        assert "not shown as text" in shown
        return
    lines = shown.split("\n")
    added = sum(line.startswith("+") for line in lines) - 1
    removed = sum(line.startswith("-") for line in lines) - 1
    assert added - removed == count(new) - count(old)


def count(text: str) -> int:
    return text.count("\n") + (0 if text.endswith("\n") or not text else 1)
