"""Pictures are decoded in processes of their own: what a file does to one is told by name, no more."""

from __future__ import annotations

import asyncio
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import ImageChops

from engine.errors import ProofsheetError
from engine.library import apart, children, workers
from engine.library.apart import Apart
from engine.library.decode import decode
from engine.library.metadata import read_metadata
from engine.library.source import UnreadableImage
from engine.vision import pixels
from engine.vision.encoders import BuiltinEncoder
from engine.vision.pixels import Source
from engine.workspace import Workspace
from tests.engine.library.negatives import dng
from tests.engine.library.pictures import SAVED_AS, encoded, put, scene
from tests.engine.library.shelf import shelf_in
from tests.engine.library.treachery import COMMAND, GARBLED, treachery


def test_what_comes_back_is_what_a_decoder_here_would_give(tmp_path: Path) -> None:
    pool = Apart(10_000_000, count=1)
    files = [put(tmp_path / f"a.{ending}", encoded(ending, 3)) for ending in SAVED_AS]
    files.append(put(tmp_path / "a.dng", dng(scene(1, (320, 240)))))
    for file in files:
        for box in ((60, 60), None):
            assert ImageChops.difference(pool.decode(file, box), decode(file, box)).getbbox() is None
        assert pool.describe(file) == read_metadata(file)
        assert pool.size_of(file) == read_metadata(file)[1].upright_size
    with pytest.raises(UnreadableImage) as refused:
        pool.decode(put(tmp_path / "lie.heic", encoded("png")))
    assert refused.value.code == "mislabelled"


def test_a_picture_of_many_strips_comes_back_whole(tmp_path: Path) -> None:
    file = put(tmp_path / "a.jpg", encoded("jpg", 5, (2400, 1700)))
    assert Apart(10_000_000).decode(file).tobytes() == decode(file).tobytes()


def test_a_crash_a_hang_greed_and_a_mistake_cost_one_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pool = Apart(10_000_000, count=1, patience=2.0, command=COMMAND)
    found: dict[str, object] = {}
    for name in ("crash", "print", "sleep", "greedy", "wrong", "good"):
        for ending in ("jpg", "tif"):
            try:
                found[f"{name}.{ending}"] = pool.decode(put(tmp_path / f"{name}.{ending}"), (32, 32)).size[0]
            except UnreadableImage as error:
                found[f"{name}.{ending}"] = error.code
    for ending in ("jpg", "tif"):
        assert [found[f"{name}.{ending}"] for name in ("print", "good")] == [32, 32]
        blamed = [found[f"{name}.{ending}"] for name in ("crash", "sleep", "greedy", "wrong")]
        assert blamed == ["decoder_crash"] * 4
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("what", GARBLED)
def test_an_answer_that_makes_no_sense_costs_one_file(tmp_path: Path, what: str) -> None:
    pool = Apart(10_000_000, count=1, command=COMMAND)
    with pytest.raises(UnreadableImage, match="makes no sense") as refused:
        pool.decode(put(tmp_path / f"{what}.jpg"))
    assert refused.value.code == "decoder_crash"
    assert pool.decode(put(tmp_path / "a.jpg"), (9, 9)).size[0] == 9


@pytest.mark.parametrize(
    "found", ['{"size": [9, 9], "bytes": 242}', '{"size": [1, 1], "bytes": 1e99}', "[]", '{"bytes": 243}']
)
def test_pixels_that_are_not_what_is_said_of_them_cost_one_file(tmp_path: Path, found: str) -> None:
    program = (
        "import json, os, sys; os.ftruncate(int(sys.argv[3]), 243); print('{\"ready\": true}', flush=True)\n"
        f"for line in sys.stdin: print('{{\"job\": %d, \"found\": {found}}}' % json.loads(line)['job'], flush=True)"
    )
    with pytest.raises(UnreadableImage, match="makes no sense"):
        Apart(10_000_000, command=(sys.executable, "-c", program)).decode(put(tmp_path / "a.jpg"))


def test_one_killed_from_outside_is_not_blamed_at_once(tmp_path: Path) -> None:
    pool = Apart(10_000_000, count=1, command=COMMAND)
    assert pool.decode(put(tmp_path / "killed.jpg"), (9, 9)).size[0] == 9
    with pytest.raises(UnreadableImage, match="SIGKILL"):
        pool.decode(put(tmp_path / "doomed.jpg"), (9, 9))


def test_a_child_is_kept_for_the_next_who_asks_and_a_dead_one_is_not(tmp_path: Path) -> None:
    children.end_idle()
    file = put(tmp_path / "a.jpg")
    Apart(10_000_000).decode(file, (9, 9))
    first = [child.process.pid for child in children._idle]
    Apart(20_000_000).decode(file, (9, 9))
    assert [child.process.pid for child in children._idle] == first
    children._idle[0].process.kill()
    children._idle[0].process.wait()
    Apart(10_000_000).decode(file, (9, 9))
    assert [child.process.pid for child in children._idle] != first
    children.end_idle()
    assert children._idle == []


def test_what_nobody_needs_goes_after_a_while_and_what_was_used_last_stays(tmp_path: Path) -> None:
    children.end_idle()
    file = put(tmp_path / "a.jpg")
    kinds = [children.Kind(threads=threads) for threads in range(2, 8)]
    taken = [children.take(kind, children.era()) for kind in kinds]
    pool = Apart(10_000_000)
    pool.decode(file, (9, 9))
    first = children._idle[-1]
    for child in taken:
        children.give_back(child)
    pool.decode(file, (9, 9))
    assert children._idle[-1] is first, "idle ones of other kinds did not push it out"
    now = first.idle_since
    children._end_long_idle(now + children._MOMENT)
    assert children._idle == [*taken[-3:], first]
    assert not any(_is_alive(child) for child in taken[:-3])
    children._end_long_idle(now + children._A_WHILE / 2)
    assert len(children._idle) == children._MOST_IDLE
    children._end_long_idle(now + children._A_WHILE)
    assert children._idle == [taken[-1], first]
    assert children._end_long_idle(now + 1000) is None
    assert len(children._idle) == children._ALWAYS_KEPT
    children.end_idle()


def test_idle_ones_are_looked_after_without_anybody_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    children.end_idle()
    monkeypatch.setattr(children, "_A_WHILE", 0.05)
    taken = [children.take(children.Kind(), children.era()) for _ in range(4)]
    for child in taken:
        children.give_back(child)
    until = time.monotonic() + 60
    while any(_is_alive(child) for child in taken[:2]):
        assert time.monotonic() < until, "idle children stay for good"
        threading.Event().wait(0.01)
    assert children._idle == taken[2:]
    children.end_idle()


def _is_alive(child: children.Child) -> bool:
    return child.process.poll() is None


def test_what_is_kept_warm_is_used_first(tmp_path: Path) -> None:
    children.end_idle()
    pool = Apart(10_000_000)
    pool.warm()
    until = threading.Event()
    while not children._idle:  # it is on its way
        until.wait(0.005)
    warmed = children._idle[0].process.pid
    pool.decode(put(tmp_path / "a.jpg"), (9, 9))
    assert [child.process.pid for child in children._idle] == [warmed]


def test_ending_those_at_work_lets_nobody_wait_and_the_next_who_ask_are_served(tmp_path: Path) -> None:
    pool = Apart(10_000_000, count=1, command=COMMAND)
    file = put(tmp_path / "sleep.jpg")
    ended: list[str] = []

    def wait() -> None:
        with pytest.raises(ProofsheetError) as error:
            pool.decode(file)
        ended.append(str(error.value))

    waiting = [threading.Thread(target=wait) for _ in range(3)]  # one for the child, two for their turn
    for one in waiting:
        one.start()
    while not (children._busy and pool._turns._value == 0):  # type: ignore[attr-defined]
        threading.Event().wait(0.01)
    children.end_busy()
    for one in waiting:
        one.join(10)
    assert ended == ["the decoders were ended"] * 3
    assert workers.PATIENCE > 10
    assert not children._busy
    assert pool.decode(put(tmp_path / "a.jpg"), (9, 9)).size[0] == 9


async def test_closing_the_library_ends_whatever_waits_for_a_file(workspace: Workspace, tmp_path: Path) -> None:
    file = put(tmp_path / "sleep.jpg")
    source = Source(file, "", 64, 48, file.stat().st_size, file.stat().st_mtime_ns, 1)
    asks: list[Callable[[], object]] = [
        lambda: apart.decode(file, (9, 9)),
        lambda: pixels.prepared(source, BuiltinEncoder(), 10_000_000),
    ]
    with treachery():
        async with shelf_in(workspace) as shelf:
            asks.append(lambda: shelf.library.thumbnail(file, (9, 9)))
            waiting = [asyncio.create_task(asyncio.to_thread(ask)) for ask in asks]
            while len(children._busy) < len(asks) or not all(child.is_ready for child in [*children._busy]):
                await asyncio.sleep(0.01)
            await asyncio.to_thread(shelf.library.close)
            ended = await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 10)
    assert [str(error) for error in ended] == ["the decoders were ended"] * len(asks)
