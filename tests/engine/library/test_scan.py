"""A scan finds every image, opens only what is new or changed, and changes nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from engine.library.workers import Decoders, Outcome
from tests.engine.library.counting import decodes_counted
from tests.engine.library.pictures import SAVED_AS, encoded, format_of, put, snapshot
from tests.engine.library.shelf import Shelf


async def test_every_format_is_found_with_its_size_and_project(shelf: Shelf, pictures: Path) -> None:
    for ending in SAVED_AS:
        put(pictures / "mojo1" / f"a.{ending}")
    result = await shelf.scan(pictures)
    assert set(result) == {"run", "added", "changed", "unchanged", "removed", "refused", "seconds"}
    assert (result["added"], result["refused"]) == (len(SAVED_AS), [])
    for name, image in (await shelf.images()).items():
        assert image.format == format_of(name.rpartition(".")[2])
        assert (image.width, image.height, image.project) == (96, 64, "mojo1")
        assert image.path == pictures / "mojo1" / name


async def test_a_rescan_opens_nothing(shelf: Shelf, pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.jpg", "one/b.png", "one/two/c.webp"):
        put(pictures / name)
    put(pictures / "broken.jpg", b"no")
    await shelf.scan(pictures)
    opened = decodes_counted(monkeypatch)
    result = await shelf.scan(pictures)
    assert (result["added"], result["changed"], result["unchanged"], result["removed"]) == (0, 0, 3, 0)
    assert [Path(one["path"]).name for one in result["refused"]] == ["broken.jpg"]
    assert opened == []


async def test_only_what_is_new_or_changed_is_opened(
    shelf: Shelf, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        put(pictures / name)
    await shelf.scan(pictures)
    before = await shelf.images()
    opened = decodes_counted(monkeypatch)
    put(pictures / "b.jpg", encoded("jpg", 7))
    put(pictures / "d.jpg", encoded("jpg", 8))
    assert await shelf.counts_of(pictures) == (1, 1, 2, 0)
    assert sorted(opened) == ["b.jpg", "d.jpg"]
    after = await shelf.images()
    assert after["b.jpg"].id == before["b.jpg"].id
    assert after["b.jpg"].content_hash != before["b.jpg"].content_hash


async def test_a_touched_file_is_looked_at_again(shelf: Shelf, pictures: Path) -> None:
    path = put(pictures / "a.jpg", mtime=1_600_000_000)
    await shelf.scan(pictures)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    assert await shelf.counts_of(pictures) == (0, 1, 0, 0)
    assert (await shelf.images())["a.jpg"].mtime_ns == 1_700_000_000 * 10**9


async def test_a_file_written_to_while_it_is_read_is_read_again(
    shelf: Shelf, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(pictures / "a.jpg", mtime=1_600_000_000)
    hear = Decoders.hear

    def overwritten(self: Decoders[int], seconds: float) -> list[Outcome[int]]:
        if outcomes := hear(self, seconds):
            put(path, encoded("jpg", 5), mtime=1_650_000_000)
        return outcomes

    with monkeypatch.context() as patch:
        patch.setattr(Decoders, "hear", overwritten)
        await shelf.scan(pictures)
    stale = (await shelf.images())["a.jpg"].content_hash
    assert await shelf.counts_of(pictures) == (0, 1, 0, 0)
    assert (await shelf.images())["a.jpg"].content_hash != stale


async def test_nothing_of_the_person_is_written_moved_or_re_timed(shelf: Shelf, pictures: Path) -> None:
    """The read-only guarantee, over images of every format, damaged ones, companions and manifests."""
    for ending in SAVED_AS:
        put(pictures / "mojo1" / f"a.{ending}", mtime=1_500_000_000)
        put(pictures / "mojo1" / f"cut.{ending}", encoded(ending)[:-60])
    for name in ("a.yaml", "a.txt", "a.xmp", "a.jpg.xmp", "a.embedding.npy", "a.phash", "a.hands.json"):
        put(pictures / "mojo1" / name, b"mine", mtime=1_500_000_001)
    put(pictures / "mojo1.project.json", b'{"projectId": "mojo1"}')
    before = snapshot(pictures)
    folders = {path: path.stat().st_mtime_ns for path in pictures.rglob("*") if path.is_dir()}
    await shelf.scan(pictures)
    await shelf.scan(pictures)
    for image in (await shelf.images()).values():
        shelf.library.thumbnail(image.path, (32, 32))
    assert snapshot(pictures) == before
    assert {path: path.stat().st_mtime_ns for path in folders} == folders
