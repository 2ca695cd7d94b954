"""Decoder processes: whatever a file does to one of them, the file is named and the others are studied."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.errors import ProofsheetError
from engine.library import children
from engine.library.workers import Decoders, Outcome
from tests.engine.library.pictures import put
from tests.engine.library.treachery import COMMAND, GARBLED


def studied(paths: list[Path], **options: float) -> dict[str, Outcome[int]]:
    with Decoders[int](2, 10_000_000, command=COMMAND, **options) as decoders:  # type: ignore[arg-type]
        return {Path(one.path).name: one for one in decoders.study((at, str(path)) for at, path in enumerate(paths))}


def test_a_crash_costs_the_file_that_made_it_and_no_other(tmp_path: Path) -> None:
    names = [f"{at}.jpg" for at in range(12)]
    names[4:4], names[9:9] = ["crash.jpg"], ["leave.png"]
    found = studied([put(tmp_path / name) for name in names])
    assert set(found) == set(names)
    assert {name for name, one in found.items() if one.found is None} == {"crash.jpg", "leave.png"}
    assert (found["crash.jpg"].code, "SIGSEGV" in found["crash.jpg"].reason) == ("decoder_crash", True)
    assert (found["leave.png"].code, "exit 7" in found["leave.png"].reason) == ("decoder_crash", True)


def test_one_that_never_comes_back_is_ended(tmp_path: Path) -> None:
    found = studied([put(tmp_path / name) for name in ("a.jpg", "sleep.jpg", "b.png", "c.webp")], patience=1.5)
    assert {name: one.code for name, one in found.items() if one.found is None} == {"sleep.jpg": "decoder_crash"}
    assert "1.5 seconds" in found["sleep.jpg"].reason


def test_one_that_hangs_is_named_while_the_others_go_on(tmp_path: Path) -> None:
    good, until = str(put(tmp_path / "a.jpg")), time.monotonic() + 60
    with Decoders[str](1, 10_000_000, command=COMMAND, patience=3.0) as decoders:
        decoders.ask("sleep", str(put(tmp_path / "sleep.jpg")))
        named: list[str] = []
        while not named:
            assert time.monotonic() < until, "other files kept the one that hangs alive"
            while decoders.unanswered < 6:
                decoders.ask("good", good)
            named = [one.code for one in decoders.hear(0.05) if one.found is None]
    assert named == ["decoder_crash"]


def test_one_that_is_killed_from_outside_is_tried_once_more(tmp_path: Path) -> None:
    found = studied([put(tmp_path / name) for name in ("a.jpg", "killed.jpg", "doomed.jpg", "b.png")])
    assert {name: one.code for name, one in found.items() if one.found is None} == {"doomed.jpg": "decoder_crash"}
    assert "SIGKILL" in found["doomed.jpg"].reason
    alone = studied([put(tmp_path / "killed_alone.jpg")])["killed_alone.jpg"]
    assert alone.found is not None


@pytest.mark.parametrize("what", GARBLED)
def test_an_answer_that_makes_no_sense_costs_the_file_and_no_other(tmp_path: Path, what: str) -> None:
    found = studied([put(tmp_path / name) for name in ("a.jpg", f"{what}.jpg", "b.png", "c.jpg")])
    assert {name: one.code for name, one in found.items() if one.found is None} == {f"{what}.jpg": "decoder_crash"}
    assert "makes no sense" in found[f"{what}.jpg"].reason


def test_memory_is_bounded_and_a_greedy_file_is_blamed_after_a_second_larger_chance(tmp_path: Path) -> None:
    found = studied([put(tmp_path / name) for name in ("a.jpg", "greedy.jpg", "b.png")])
    assert {name: one.code for name, one in found.items() if one.found is None} == {"greedy.jpg": "decoder_crash"}
    assert "GB of memory" in found["greedy.jpg"].reason


def test_what_a_decoder_prints_goes_nowhere(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    found = studied([put(tmp_path / name) for name in ("print.jpg", "a.jpg")])
    assert all(one.found for one in found.values())
    assert capfd.readouterr() == ("", "")


def test_a_mistake_of_ours_is_told_with_its_place(tmp_path: Path) -> None:
    one = studied([put(tmp_path / "wrong.jpg")])["wrong.jpg"]
    assert (one.code, "KeyError" in one.reason) == ("decoder_crash", True)
    assert any(frame["function"] == "found" for frame in one.frames)


def test_decoders_that_cannot_start_are_an_error_and_no_loop(tmp_path: Path) -> None:
    command = (sys.executable, "-c", "raise SystemExit(1)")
    with Decoders[int](1, 1000, command=command) as decoders, pytest.raises(ProofsheetError, match="as soon as"):
        list(decoders.study([(0, str(put(tmp_path / "a.jpg")))]))


def test_the_first_few_files_need_but_one_child_and_the_next_ones_find_it_ready(tmp_path: Path) -> None:
    children.end_idle()
    for _turn in range(2):
        with Decoders[int](2, 10_000_000) as decoders:
            assert all(one.found for one in decoders.study([(0, str(put(tmp_path / "a.jpg")))]))
            pids = decoders.pids
            assert len(pids) == 1
        assert [child.process.pid for child in children._idle] == pids
    files = [(at, str(put(tmp_path / f"{at}.jpg"))) for at in range(20)]
    with Decoders[int](2, 10_000_000) as decoders:
        list(decoders.study(files))
        assert len(decoders.pids) == 2
        assert pids[0] in decoders.pids
    children.end_idle()
    assert not any(_is_alive(pid) for pid in pids)


def test_leaving_ends_those_that_are_at_work(tmp_path: Path) -> None:
    with Decoders[int](2, 10_000_000, command=COMMAND) as decoders:
        decoders.ask(0, str(put(tmp_path / "sleep.jpg")))
        while not (decoders._workers and decoders._workers[0].in_flight):
            decoders.hear(0.05)
        pids = decoders.pids
    assert not any(_is_alive(pid) for pid in pids)


def test_the_death_of_their_parent_ends_the_children_whatever_they_are_at(tmp_path: Path) -> None:
    script = (
        "import sys\n"
        "from engine.library.workers import Decoders\n"
        "with Decoders(2, 10_000_000, command=(sys.executable, '-c', sys.argv[1])) as decoders:\n"
        "    for one in decoders.study(enumerate(sys.argv[2:])):\n"
        "        print(*decoders.pids, flush=True)\n"
    )
    arguments = [COMMAND[-1], *(str(put(tmp_path / f"{name}.jpg")) for name in ("a", "b", "sleep", "spin"))]
    parent = subprocess.Popen([sys.executable, "-c", script, *arguments], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    orphans = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(orphans) == 2
    assert all(_is_alive(pid) for pid in orphans)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    until = time.monotonic() + 10
    while any(_is_alive(pid) for pid in orphans):
        assert time.monotonic() < until, "a decoder outlived its parent"


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state != "Z"
