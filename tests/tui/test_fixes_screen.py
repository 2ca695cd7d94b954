"""The fixes screen by its keys, on simulated errors: what is shown, what is asked of the engine, and the way back."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest

from engine.repair.fix import FixState, unified
from engine.repair.patterns.pattern import FileEdit
from tests.tui.conftest import NARROW, WIDE, Studio, check_snapshot, running
from tests.tui.fake_repair import FakeRepair, recurring, trends
from tests.tui.fakes import FakeEngine, make_engine
from tui.screens.fixes_diff import MOST_ROWS, diff_rows, hunk_keys
from tui.widgets.lines import width_of


@pytest.fixture
def engine(pictures: Path) -> FakeEngine:
    made = make_engine(pictures / "six")
    made.repair = recurring()
    return made


async def opened(studio: Studio) -> Studio:
    await studio.until(lambda: studio.says("captions.py:5", "lower bound"))
    return studio


async def settled(studio: Studio, *words: str) -> None:
    await studio.until(lambda: studio.says(*words) and not studio.page.busy)


@pytest.mark.parametrize(("size", "name"), [(WIDE, "wide"), (NARROW, "narrow")], ids=["wide", "narrow"])
async def test_fixes_with_their_evidence_and_their_change(engine: FakeEngine, size: tuple[int, int], name: str) -> None:
    engine.repair.fixes.become("fix-b", state=FixState.APPLIED)
    async with running(engine, size, screen="fixes") as studio:
        await opened(studio)
        await studio.until(lambda: studio.says("KeyError", "AttributeError"))
        check_snapshot(f"fixes-{name}", studio.text)


async def test_nothing_yet_says_what_to_do(pictures: Path) -> None:
    engine = make_engine(pictures / "six")
    engine.repair = FakeRepair()
    async with running(engine, NARROW, screen="fixes") as studio:
        await studio.until(lambda: studio.says("Nothing recurs.", "proofsheet errors ingest"))


async def test_a_change_far_below_is_in_sight_at_once(engine: FakeEngine) -> None:
    before = b"".join(b"line_%d = %d\n" % (number, number) for number in range(40))
    edit = FileEdit("thumbs.py", before, before.replace(b"line_30 = 30", b"line_30 = 0 or 30"))
    engine.repair.fixes.become("fix-b", edits=(edit,), diff=unified([edit]))
    async with running(engine, NARROW, screen="fixes") as studio:
        await opened(studio)
        assert not studio.says("line_30")
        await studio.press("j")
        await studio.until(lambda: studio.says("- line_30 = 30", "+ line_30 = 0 or 30"))


async def test_a_dry_run_an_approval_and_the_way_back(engine: FakeEngine) -> None:
    async with running(engine, screen="fixes") as studio:
        await opened(studio)
        await studio.press("d")
        await settled(studio, "proven: 1 test passes now", "2/3 tests before, 3/3 after")
        await studio.press("a")
        await settled(studio, "applied; u takes it back")
        await studio.press("a")
        assert studio.says("it is applied already")
        await studio.press("u")
        await settled(studio, "every byte is as it was", "rolled back")
        assert [one[0] for one in engine.repair.fixes.asked] == ["prove", "apply", "rollback"]


async def test_what_cannot_be_applied_says_why(engine: FakeEngine) -> None:
    engine.repair.fixes.refusal = "captions.py: it has uncommitted edits"
    async with running(engine, screen="fixes") as studio:
        await opened(studio)
        await studio.press("y")
        await settled(studio, "not applied: captions.py: it has uncommitted edits")
        await studio.press("j", "j", "a")
        assert studio.says("it needs a person")
        await studio.press("u")
        assert studio.says("nothing to take back")


async def test_a_rejection_asks_why_and_can_be_taken_back(engine: FakeEngine) -> None:
    async with running(engine, screen="fixes") as studio:
        await opened(studio)
        await studio.press("x", *"no", "enter")
        await settled(studio, "rejected: no")
        await studio.press("u")
        await settled(studio, "proposed again")
        assert engine.repair.fixes.asked == [("reject", "fix-a", "no"), ("reopen", "fix-a")]


async def test_only_marked_hunks_are_applied(engine: FakeEngine) -> None:
    async with running(engine, screen="fixes") as studio:
        await opened(studio)
        await studio.press("]", "space")
        assert studio.says("1 of 2 hunks marked")
        await studio.press("a")
        await settled(studio, "applied; u takes it back")
        assert engine.repair.fixes.asked[0] == ("hunks", "fix-a", {"captions.py": [1]})


async def test_a_dry_run_of_marked_hunks_tries_those_and_a_applies_what_was_tried(engine: FakeEngine) -> None:
    async with running(engine, screen="fixes") as studio:
        await opened(studio)
        await studio.press("space", "d")
        await settled(studio, "proven: 1 test passes now")
        assert (studio.page.fix.id, studio.page.marked) == ("fix-a-part", set())
        await studio.press("a")
        await settled(studio, "applied; u takes it back")
        kept, *others = engine.repair.fixes.asked
        assert kept == ("hunks", "fix-a", {"captions.py": [0]})
        assert others == [("prove", "fix-a-part"), ("apply", "fix-a-part")]


async def test_marks_stay_while_the_fix_is_the_same_and_to_be_decided(engine: FakeEngine) -> None:
    async with running(engine, screen="fixes") as studio:
        await opened(studio)
        await studio.press("space", "]", "space", "d")  # all of them: the fix itself
        await settled(studio, "proven: 1 test passes now")
        assert len(studio.page.marked) == 2
        await studio.press("x", *"no", "enter")
        await settled(studio, "rejected: no")
        assert studio.page.marked == set()


@pytest.mark.parametrize(("named", "said"), [("vi 'a", "EDITOR cannot be read"), ("''", "EDITOR cannot be read")])
async def test_an_editor_that_cannot_be_read_is_told(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, named: str, said: str
) -> None:
    monkeypatch.setenv("EDITOR", named)
    monkeypatch.setenv("VISUAL", " ")
    async with running(engine, screen="fixes") as studio:
        await opened(studio)
        await studio.press("e")
        await studio.until(lambda: studio.says(said, "Set EDITOR to your editor."))
        assert engine.repair.fixes.asked == []


async def test_a_blank_editor_is_vi(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    def note(command: list[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        started.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setenv("EDITOR", " ")
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setattr(subprocess, "run", note)
    async with running(engine, screen="fixes") as studio:
        await opened(studio)
        monkeypatch.setattr(studio.app, "suspend", contextlib.nullcontext)
        await studio.press("e")
        await studio.until(lambda: studio.says("nothing was edited"))
    assert [command[0] for command in started] == ["vi"]


async def test_all_safe_and_proven_ones_go_together_after_a_second_press(engine: FakeEngine) -> None:
    for id_ in ("fix-a", "fix-b"):
        engine.repair.fixes.become(id_, state=FixState.PROVEN)
    async with running(engine, screen="fixes") as studio:
        await opened(studio)
        await studio.press("b")
        assert studio.says("b again applies all 2 fixes that are safe and proven")
        assert engine.repair.fixes.asked == []
        await studio.press("b")
        await settled(studio, "2 fixes applied")
        assert engine.repair.fixes.asked == [("apply", "fix-a", "fix-b")]


async def test_an_edit_is_made_in_the_persons_editor_and_tried_again(
    engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text("import sys\nwith open(sys.argv[1], 'a') as file:\n    file.write('# mine\\n')\n")
    monkeypatch.setenv("EDITOR", f"{sys.executable} {editor}")
    monkeypatch.delenv("VISUAL", raising=False)
    async with running(engine, screen="fixes") as studio:
        await opened(studio)
        monkeypatch.setattr(studio.app, "suspend", contextlib.nullcontext)
        await studio.press("e")
        await settled(studio, "edited; proven")
        kind, id_, contents = engine.repair.fixes.asked[0]
        assert (kind, id_) == ("edit", "fix-a")
        assert contents["captions.py"].endswith(b"# mine\n")
        assert studio.page.fix.id == "fix-a-mine"


async def test_tab_shows_old_and_new_side_by_side_and_s_looks_in_a_folder(engine: FakeEngine, tmp_path: Path) -> None:
    async with running(engine, screen="fixes") as studio:
        await opened(studio)
        assert " │ " not in studio.text
        await studio.press("tab")
        assert any(line.count("with open(path") == 2 for line in studio.text.splitlines())
        await studio.press("s", *str(tmp_path), "enter")
        await settled(studio, "2 fixes")
        assert engine.repair.fixes.asked == [("suggest", tmp_path)]


def test_a_diff_has_its_signs_and_fits_whatever_the_file_holds() -> None:
    before = "\ufeffdef f():\r\n\tx = '\u4e2d\u6587\x1b[31m'\r\n".encode() + b"\xff\r\n" + b"a\r\n" * 30 + b"last"
    after = before.replace(b"\tx", b"\ty").replace(b"last", b"gone\n")
    edits = [FileEdit("a.py", before, after), FileEdit("new.txt", None, b"opencv\n")]
    assert hunk_keys(edits) == [("a.py", 0), ("a.py", 1), ("new.txt", 0)]
    for beside in (False, True):
        rows = diff_rows(edits, 60, side_by_side=beside, current=("a.py", 1), marked={("a.py", 0)})
        told = ["".join(text for text, _ in one.row.left) for one in rows]
        assert not any("\x1b" in line for line in told)
        assert any("- " in line and "x =" in line for line in told)
        assert any("+ " in line and "opencv" in line for line in told)
        assert [one.starts for one in rows if one.starts] == hunk_keys(edits)
        assert any(line.startswith("●") for line in told) and any(line.startswith("▸") for line in told)
        if beside:
            assert max(width_of(one.row.left) for one in rows[1:3]) <= 70


@pytest.mark.parametrize("beside", [False, True])
def test_what_was_changed_is_seen_whole_however_narrow(beside: bool) -> None:
    before = (
        b"def f(path):\n    with open(the_path_of_a_caption_file, 'w') as handle:\n        y = '" + b"z" * 900 + b"'\n"
    )
    after = before.replace(b"'w'", b"'w', encoding='utf-8'").replace(b"y =", b"p =")
    rows = diff_rows([FileEdit("a.py", before, after)], 60, side_by_side=beside, current=None, marked=())
    told = ["".join(text for text, _ in one.row.left) for one in rows]
    new = "".join(line.rpartition("│ ")[2][8:] for line in told if "+ " in line).replace(" ", "")
    assert "withopen(the_path_of_a_caption_file,'w',encoding='utf-8')ashandle:" in new
    assert sum("zz" in line for line in told) <= 2 * MOST_ROWS
    assert max(width_of(one.row.left) for one in rows[2:]) <= 60


async def test_t_shows_how_it_goes_and_w_writes_the_report(engine: FakeEngine) -> None:
    engine.repair.told = trends()
    async with running(engine, NARROW, screen="fixes") as studio:
        await opened(studio)
        await studio.press("t")
        await studio.until(lambda: studio.says("how it goes", "last 28 days"))
        assert studio.says("4.0 over 3,000 files", "150.0 on the last day")
        assert studio.says("tests passed", "9 of 10")
        assert studio.says("a person kept it", "3 of 4, 2 rejected")
        assert studio.says("did not recur", "none yet")
        assert studio.says("23× UnicodeDecodeError: simulated", "unicode", "manual")
        assert studio.says("v3 89.9 %", "best 91.0 %")
        assert studio.says("2 out-of-memory, 1 encoding")
        await studio.press("w")
        await studio.until(lambda: studio.says("written: improvement_report_1.txt"))
        await studio.press("escape")
        await opened(studio)


@pytest.mark.parametrize(("size", "name"), [(WIDE, "wide"), (NARROW, "narrow")], ids=["wide", "narrow"])
async def test_the_trends_fit_their_screen(engine: FakeEngine, size: tuple[int, int], name: str) -> None:
    engine.repair.told = trends()
    async with running(engine, size, screen="fixes") as studio:
        await opened(studio)
        await studio.press("t")
        await studio.until(lambda: studio.says("recovered from", "2 out-of-memory"))
        check_snapshot(f"trends-{name}", studio.text)


async def test_trends_before_anything_happened_say_what_to_do(pictures: Path) -> None:
    engine = make_engine(pictures / "six")
    engine.repair = FakeRepair()
    async with running(engine, NARROW, screen="fixes") as studio:
        await studio.until(lambda: studio.says("Nothing recurs."))
        await studio.press("t")
        await studio.until(lambda: studio.says("Nothing to compare yet.", "proofsheet errors ingest"))
