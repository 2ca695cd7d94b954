"""What a scan cannot take in is refused by name, with its reason, and the rest of the work goes on."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from engine.library import workers
from engine.workspace import Workspace
from tests.engine.library.counting import decodes_counted
from tests.engine.library.pictures import encoded, put
from tests.engine.library.shelf import Shelf, shelf_in
from tests.engine.library.treachery import treachery


async def test_a_file_that_becomes_damaged_is_refused_and_one_that_is_mended_is_the_same_image(
    shelf: Shelf, pictures: Path
) -> None:
    path = put(pictures / "a.jpg", mtime=1_600_000_000)
    await shelf.scan(pictures)
    before = (await shelf.images())["a.jpg"]
    put(path, encoded("jpg")[:300])
    assert await shelf.refused(pictures) == {"a.jpg": "truncated"}
    assert await shelf.images() == {}
    put(path, encoded("jpg"))
    assert await shelf.refused(pictures) == {}
    assert (await shelf.images())["a.jpg"].id == before.id


async def test_refusals_are_remembered_and_forgotten_with_their_file(
    shelf: Shelf, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(pictures / "empty.jpg", b"")
    put(pictures / "lie.jpg", encoded("png"))
    put(pictures / "cut.png", encoded("png")[:-200])
    expected = {"empty.jpg": "empty", "lie.jpg": "mislabelled", "cut.png": "truncated"}
    assert await shelf.refused(pictures) == expected
    opened = decodes_counted(monkeypatch)
    put(pictures / "new.jpg")
    assert await shelf.refused(pictures) == expected
    assert opened == ["new.jpg"]
    (pictures / "lie.jpg").rename(pictures / "lie.png")
    (pictures / "empty.jpg").unlink()
    assert await shelf.refused(pictures) == {"cut.png": "truncated"}
    assert (await shelf.library.counts()).refused == 1


async def test_a_larger_limit_lets_large_images_in_without_their_being_touched(
    workspace: Workspace, pictures: Path
) -> None:
    put(pictures / "big.jpg", encoded("jpg", 0, (1200, 900)))
    put(pictures / "small.jpg")
    async with shelf_in(workspace, max_pixels=1_000_000) as shelf:
        assert await shelf.refused(pictures) == {"big.jpg": "too_large"}
    async with shelf_in(workspace) as shelf:
        assert await shelf.refused(pictures) == {}
        assert set(await shelf.images()) == {"big.jpg", "small.jpg"}


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_what_may_not_be_read_is_refused_and_known_images_below_are_not_taken_for_gone(
    shelf: Shelf, pictures: Path
) -> None:
    put(pictures / "open" / "a.jpg")
    secret = put(pictures / "closed" / "b.jpg").parent
    await shelf.scan(pictures)
    put(pictures / "open" / "c.jpg").chmod(0)
    secret.chmod(0)
    try:
        assert await shelf.refused(pictures) == {"closed": "permission", "c.jpg": "permission"}
        assert set(await shelf.images()) == {"a.jpg", "b.jpg"}
    finally:
        secret.chmod(0o755)
        (pictures / "open" / "c.jpg").chmod(0o644)
    assert await shelf.refused(pictures) == {}
    assert set(await shelf.images()) == {"a.jpg", "b.jpg", "c.jpg"}


async def test_a_folder_that_cannot_be_listed_is_refused_and_its_images_stay(
    shelf: Shelf, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(pictures / "a.jpg")
    put(pictures / "closed" / "deep" / "b.jpg")
    put(pictures / "closed" / "broken.jpg", b"")
    await shelf.scan(pictures)
    scandir = os.scandir

    def refuses(folder: str | Path) -> object:
        if str(folder).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(folder))
        return scandir(folder)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", refuses)
        result = await shelf.scan(pictures)
    assert (result["unchanged"], result["removed"]) == (1, 0)
    assert [Path(one["path"]).name for one in result["refused"]] == ["closed"]
    assert "permitted" in result["refused"][0]["reason"]
    assert set(await shelf.images()) == {"a.jpg", "b.jpg"}
    assert await shelf.refused(pictures) == {"broken.jpg": "empty"}


async def test_a_name_that_is_not_utf8_is_refused_in_print(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "a.jpg")
    (Path(os.fsdecode(os.fsencode(pictures) + b"/caf\xe9.jpg"))).write_bytes(encoded("jpg"))
    odd = Path(os.fsdecode(os.fsencode(pictures) + b"/f\xfcr"))
    odd.mkdir()
    (odd / "b.jpg").write_bytes(encoded("jpg"))
    for _ in range(2):
        result = await shelf.scan(pictures)
        assert [one["path"] for one in result["refused"]] == [f"{pictures}/caf\\xe9.jpg", f"{pictures}/f\\xfcr"]
    assert {one.code for one in await shelf.library.refused()} == {"not_utf8"}


async def test_pipes_are_refused_and_never_waited_for(shelf: Shelf, pictures: Path) -> None:
    os.mkfifo(pictures / "pipe.jpg")
    assert await shelf.refused(pictures) == {"pipe.jpg": "not_a_file"}


async def test_a_file_that_ends_its_decoder_is_refused_by_name_and_the_others_are_read(
    shelf: Shelf, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PATIENCE", 3.0)
    bad = ["sleep.jpg", "spin.png"]  # each costs its patience
    bad += [f"{what}.{end}" for what in ("crash", "leave", "greedy", "wrong", "misread") for end in ("jpg", "png")]
    for number, name in enumerate([*bad, *(f"{at}.jpg" for at in range(40)), "print.gif"]):
        put(pictures / name, seed=number)
    with treachery("read"):
        result = await shelf.scan(pictures)
    assert {Path(one["path"]).name: one["code"] for one in result["refused"]} == dict.fromkeys(bad, "decoder_crash")
    assert set(await shelf.images()) == {*(f"{at}.jpg" for at in range(40)), "print.gif"}
    told = [json.loads(line) for line in (shelf.workspace.logs / "errors.jsonl").read_text().splitlines()]
    assert sorted(Path(one["context"]["file"]).name for one in told) == sorted(bad)
    assert {(one["type"], one["level"]) for one in told} == {("decoder_crash", "error")}
    placed = {Path(one["context"]["file"]).stem for one in told if one["frames"]}
    assert placed == {"wrong"}, "where our own code failed is told, and nowhere else is it known"
    assert await shelf.counts_of(pictures) == (0, 0, 41, 0)  # not tried again while they are as they are
