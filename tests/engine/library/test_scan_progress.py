"""A scan is told as it goes on, and can be stopped at any time."""

from __future__ import annotations

import asyncio
import threading
import time
from pathlib import Path

import pytest

from engine.runs import RunState
from tests.engine.library.counting import decodes_counted
from tests.engine.library.pictures import encoded, put
from tests.engine.library.shelf import Shelf
from tests.engine.library.treachery import treachery


async def test_batches_are_told_as_they_are_committed(shelf: Shelf, pictures: Path) -> None:
    for folder in ("one", "two"):
        for number in range(3):
            put(pictures / folder / f"{folder}{number}.jpg", encoded("jpg", number + 10 * len(folder)))
    await shelf.scan(pictures)
    told = [image for ids, _ in shelf.batches for image in ids]
    assert sorted(told) == sorted(image.id for image in (await shelf.images()).values())
    assert [folder for _, folders in shelf.batches for folder in folders] == [
        str(pictures / "one"),
        str(pictures / "two"),
    ]
    shelf.batches.clear()
    await shelf.scan(pictures)
    assert shelf.batches == []
    (pictures / "one" / "one0.jpg").unlink()
    await shelf.scan(pictures)
    assert shelf.batches == [([], [str(pictures / "one")])]


async def test_the_first_batch_comes_while_the_scan_goes_on(shelf: Shelf, pictures: Path) -> None:
    for number in range(400):
        put(pictures / f"{number:03}" / "a.jpg", encoded("jpg", number % 20, (480, 320)))
    first = threading.Event()
    began = time.monotonic()
    seen: list[float] = []

    def note(_ids: object, _folders: object) -> None:
        seen.append(time.monotonic() - began)
        first.set()

    shelf.library.on_batch = note
    run = await shelf.library.scan([pictures])
    assert await asyncio.to_thread(first.wait, 10)
    assert not (await shelf.runs.get(run.id)).state.is_final or len(seen) == 1
    assert (await shelf.library.counts()).images > 0
    await shelf.runs.wait(run.id)
    assert (await shelf.library.counts()).images == 400


async def test_a_scan_can_be_cancelled_and_completed_later(
    shelf: Shelf, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(60):
        put(pictures / f"{number}.jpg", encoded("jpg", number))
    put(pictures / "sleep.jpg")
    asked = decodes_counted(monkeypatch)
    with treachery():
        run = await shelf.library.scan([pictures])
        while "sleep.jpg" not in asked:
            await asyncio.sleep(0.01)
        await shelf.runs.cancel(run.id)
        stopped = await shelf.runs.wait(run.id)
    assert stopped.state is RunState.CANCELLED, "without waiting for the file under way"
    assert (await shelf.library.counts()).images < 61
    await shelf.scan(pictures)
    assert (await shelf.library.counts()).images == 61
