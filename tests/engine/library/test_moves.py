"""What is one image for the library: a file that moves, is copied, goes and comes back keeps its id or gets one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from engine.library import batch
from engine.library.model import Image
from tests.engine.library.counting import decodes_counted
from tests.engine.library.pictures import encoded, put
from tests.engine.library.shelf import Shelf


async def test_a_moved_file_keeps_its_id(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "one" / "a.jpg")
    put(pictures / "one" / "b.jpg", encoded("jpg", 1))
    await shelf.scan(pictures)
    before = await shelf.images()
    (pictures / "two").mkdir()
    (pictures / "one" / "a.jpg").rename(pictures / "two" / "renamed.jpg")
    assert await shelf.counts_of(pictures) == (0, 1, 1, 0)
    after = await shelf.images()
    assert after["renamed.jpg"].id == before["a.jpg"].id
    assert after["renamed.jpg"].project == "two"
    assert await shelf.counts_of(pictures) == (0, 0, 2, 0)


async def test_a_move_to_another_root_keeps_the_id(shelf: Shelf, tmp_path: Path) -> None:
    source = put(tmp_path / "card" / "a.jpg")
    await shelf.scan(tmp_path / "card")
    before = (await shelf.images())["a.jpg"]
    (tmp_path / "disk").mkdir()
    shutil.move(source, tmp_path / "disk" / "a.jpg")
    await shelf.scan(tmp_path / "disk")
    assert (await shelf.images())["a.jpg"].id == before.id
    assert await shelf.counts_of(tmp_path / "card") == (0, 0, 0, 0)


async def test_a_whole_folder_renamed_keeps_every_id(shelf: Shelf, pictures: Path) -> None:
    for number in range(5):
        put(pictures / "old" / f"{number}.png", seed=number)
    await shelf.scan(pictures)
    before = await shelf.images()
    (pictures / "old").rename(pictures / "new")
    assert await shelf.counts_of(pictures) == (0, 5, 0, 0)
    after = await shelf.images()
    assert {name: image.id for name, image in after.items()} == {name: image.id for name, image in before.items()}


async def test_identical_files_are_two_images_and_a_move_of_one_takes_the_one_of_its_name(
    shelf: Shelf, pictures: Path
) -> None:
    put(pictures / "one" / "a.jpg")
    put(pictures / "one" / "b.jpg")
    await shelf.scan(pictures)
    before = await shelf.images()
    assert before["a.jpg"].id != before["b.jpg"].id
    (pictures / "one").rename(pictures / "two")
    await shelf.scan(pictures)
    after = await shelf.images()
    assert {name: image.id for name, image in after.items()} == {name: image.id for name, image in before.items()}


async def test_a_copy_is_a_new_image(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "a.jpg")
    await shelf.scan(pictures)
    shutil.copy2(pictures / "a.jpg", pictures / "copy.jpg")
    assert await shelf.counts_of(pictures) == (1, 0, 1, 0)


async def test_what_is_gone_is_marked_and_comes_back_with_its_id(
    shelf: Shelf, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = encoded("jpg")
    put(pictures / "a.jpg", content, mtime=1_600_000_000)
    put(pictures / "gone" / "b.jpg", encoded("jpg", 1))
    await shelf.scan(pictures)
    before = await shelf.images()
    (pictures / "a.jpg").unlink()
    shutil.rmtree(pictures / "gone")
    assert await shelf.counts_of(pictures) == (0, 0, 0, 2)
    assert await shelf.images() == {}
    assert (await shelf.library.image(before["a.jpg"].id)).name == "a.jpg", "decisions may still speak of it"
    assert await shelf.counts_of(pictures) == (0, 0, 0, 0)
    opened = decodes_counted(monkeypatch)
    put(pictures / "a.jpg", content, mtime=1_600_000_000)
    assert await shelf.counts_of(pictures) == (1, 0, 0, 0)
    assert opened == [], "nothing about it has changed"
    assert (await shelf.images())["a.jpg"].id == before["a.jpg"].id
    assert await shelf.counts_of(pictures) == (0, 0, 1, 0)


async def test_a_file_replaced_by_a_folder_is_gone(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "a.jpg")
    await shelf.scan(pictures)
    (pictures / "a.jpg").unlink()
    put(pictures / "a.jpg" / "b.jpg", encoded("jpg", 1))
    assert await shelf.counts_of(pictures) == (1, 0, 0, 1)


async def test_a_large_batch_is_written_in_pieces(
    shelf: Shelf, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "_CHUNK", 3)
    for number in range(20):
        put(pictures / "old" / f"{number}.gif", seed=number)
        put(pictures / "old" / f"{number}.yaml", b"a: 1")
    await shelf.scan(pictures)
    before: dict[str, Image] = await shelf.images()
    (pictures / "old").rename(pictures / "new")
    await shelf.scan(pictures)
    after = await shelf.images()
    assert {name: image.id for name, image in after.items()} == {name: image.id for name, image in before.items()}
    beside = await shelf.library.companions([image.id for image in after.values()])
    assert {str(path.parent) for paths in beside.values() for path in paths} == {str(pictures / "new")}
