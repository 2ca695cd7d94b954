"""A scan finds every image, opens only what is new or changed, and never loses one."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from engine.errors import UsageError
from engine.library import batch, workers
from engine.library.model import Image
from engine.library.workers import Decoders, Outcome, Wanted
from engine.runs import RunState
from engine.workspace import Workspace
from tests.engine.library.pictures import SAVED_AS, encoded, format_of, put, snapshot
from tests.engine.library.shelf import Shelf, shelf_in
from tests.engine.library.treachery import treachery


def decodes_counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that a decoder is asked to read from now on."""
    opened: list[str] = []
    ask = Decoders.ask

    def spy(self: Decoders[int], key: int, path: str, wanted: Wanted = "study") -> None:
        opened.append(Path(path).name)
        ask(self, key, path, wanted)

    monkeypatch.setattr(Decoders, "ask", spy)
    return opened


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


async def test_links_are_not_followed_and_loops_do_no_harm(shelf: Shelf, pictures: Path, tmp_path: Path) -> None:
    put(pictures / "real" / "a.jpg")
    put(tmp_path / "elsewhere" / "b.jpg")
    (pictures / "real" / "loop").symlink_to(pictures, target_is_directory=True)
    (pictures / "to-elsewhere").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (pictures / "link.jpg").symlink_to(pictures / "real" / "a.jpg")
    (pictures / "dangling.jpg").symlink_to(pictures / "nothing.jpg")
    result = await shelf.scan(pictures)
    assert (result["added"], result["refused"]) == (1, [])
    assert await shelf.counts_of(pictures / "to-elsewhere") == (1, 0, 0, 0), "a root may be a link"
    assert (await shelf.images())["b.jpg"].path == tmp_path / "elsewhere" / "b.jpg"


async def test_hidden_things_shadows_and_the_engines_own_folders_are_passed_over(shelf: Shelf, tmp_path: Path) -> None:
    put(tmp_path / "a.jpg")
    for hidden in (".cache/b.jpg", ".c.jpg", "._a.jpg", "@eaDir/d.jpg", "__MACOSX/e.jpg"):
        put(tmp_path / hidden)
    put(shelf.workspace.training / "somewhere" / "f.jpg")
    put(shelf.workspace.cache / "g.jpg")
    result = await shelf.scan(tmp_path)
    assert (result["added"], result["refused"]) == (1, [])


async def test_pictures_inside_the_workspace_are_found_when_they_are_named(shelf: Shelf) -> None:
    put(shelf.workspace.root / "pictures" / "a.jpg")
    put(shelf.workspace.cache / "preview.jpg")
    assert await shelf.counts_of(shelf.workspace.root / "pictures") == (1, 0, 0, 0)
    assert await shelf.counts_of(shelf.workspace.root) == (0, 0, 1, 0)


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


async def test_names_in_every_script_are_found(shelf: Shelf, pictures: Path) -> None:
    names = ["Crémieux.jpg", "Cre\u0301mieux.jpg", "写真.jpg", "صورة.jpg", "🙂 & 'quoted' %_.jpg", "line\nbreak.jpg"]
    for number, name in enumerate(names):
        put(pictures / name, encoded("jpg", number))
    assert await shelf.counts_of(pictures) == (6, 0, 0, 0)
    assert await shelf.counts_of(pictures) == (0, 0, 6, 0)
    by_path = await shelf.library.find([pictures / name for name in names])
    assert [by_path[pictures / name].path.name for name in names] == names
    assert by_path[pictures / names[1]].name == names[0], "names are kept in NFC"


async def test_pipes_are_refused_and_never_waited_for(shelf: Shelf, pictures: Path) -> None:
    os.mkfifo(pictures / "pipe.jpg")
    assert await shelf.refused(pictures) == {"pipe.jpg": "not_a_file"}


async def test_a_folder_called_like_an_image_is_a_folder(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "album.jpg" / "a.jpg")
    assert await shelf.counts_of(pictures) == (1, 0, 0, 0)


async def test_a_file_replaced_by_a_folder_is_gone(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "a.jpg")
    await shelf.scan(pictures)
    (pictures / "a.jpg").unlink()
    put(pictures / "a.jpg" / "b.jpg", encoded("jpg", 1))
    assert await shelf.counts_of(pictures) == (1, 0, 0, 1)


async def test_a_single_file_can_be_scanned_and_says_nothing_about_its_neighbours(shelf: Shelf, pictures: Path) -> None:
    first, second = put(pictures / "a.jpg"), put(pictures / "b.jpg", encoded("jpg", 1))
    assert await shelf.counts_of(first) == (1, 0, 0, 0)
    assert await shelf.projects() == {"a.jpg": "pictures"}
    await shelf.scan(pictures)
    second.unlink()
    assert await shelf.counts_of(first) == (0, 0, 1, 0)
    assert set(await shelf.images()) == {"a.jpg", "b.jpg"}


async def test_overlapping_roots_are_walked_once(shelf: Shelf, pictures: Path) -> None:
    path = put(pictures / "one" / "a.jpg")
    assert await shelf.counts_of(pictures / "one", pictures, path, pictures) == (1, 0, 0, 0)
    assert await shelf.projects() == {"a.jpg": "one"}


async def test_a_part_of_a_library_is_scanned_without_touching_the_rest(shelf: Shelf, pictures: Path) -> None:
    put(pictures / "trip" / "day1" / "a.jpg")
    put(pictures / "trip2" / "b.jpg", encoded("jpg", 1))
    await shelf.scan(pictures)
    shutil.rmtree(pictures / "trip2")
    put(pictures / "trip" / "day2" / "c.jpg", encoded("jpg", 2))
    assert await shelf.counts_of(pictures / "trip") == (1, 0, 1, 0)
    assert (await shelf.projects())["c.jpg"] == "trip", "as when the whole is scanned"
    assert set(await shelf.images()) == {"a.jpg", "b.jpg", "c.jpg"}


async def test_a_path_that_is_not_there_is_a_usage_error(shelf: Shelf, pictures: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        await shelf.library.scan([pictures / "nothing"])
    with pytest.raises(UsageError):
        await shelf.library.scan([])


async def test_a_path_that_cannot_be_looked_up_is_a_usage_error(shelf: Shelf, pictures: Path) -> None:
    with pytest.raises(UsageError, match="File name too long"):
        await shelf.library.scan([pictures / ("x" * 300)])


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


async def test_photographs_in_the_workspaces_own_folder_are_found_from_above_too(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with shelf_in(Workspace.init(home / "Pictures")) as shelf:
        put(home / "Pictures" / "trip" / "a.jpg")
        put(home / "Pictures" / "projects" / "p.png", encoded("png", 1))
        put(home / "Pictures" / "cache" / "thumbnail.jpg", encoded("jpg", 2))
        assert await shelf.counts_of(home / "Pictures") == (2, 0, 0, 0)
        assert await shelf.counts_of(home) == (0, 0, 2, 0)
        assert set(await shelf.images()) == {"a.jpg", "p.png"}


@pytest.mark.parametrize("inner", ["library/cache", "library/training", "pictures/.hidden", "pictures/@eaDir/x"])
async def test_what_lies_in_a_folder_that_is_passed_over_is_not_taken_for_gone(tmp_path: Path, inner: str) -> None:
    async with shelf_in(Workspace.init(tmp_path / "library")) as shelf:
        put(tmp_path / inner / "a.jpg")
        put(tmp_path / inner / "bad.jpg", b"")
        assert await shelf.counts_of(tmp_path / inner) == (1, 0, 0, 0)
        assert await shelf.counts_of(tmp_path) == (0, 0, 0, 0)
        assert set(await shelf.images()) == {"a.jpg"} and len(await shelf.library.refused()) == 1
        (tmp_path / inner / "a.jpg").unlink()
        assert await shelf.counts_of(tmp_path / inner) == (0, 0, 0, 1)


async def test_a_folder_of_the_engines_that_holds_images_is_named_in_the_log(tmp_path: Path) -> None:
    async with shelf_in(Workspace.init(tmp_path / "library")) as shelf:
        put(tmp_path / "library" / "training" / "deep" / "a.jpg")
        run = await shelf.runs.wait((await shelf.library.scan([tmp_path])).id)
        told = [event.data["message"] async for event in shelf.runs.tail(run.id) if event.type == "log"]
        assert len(told) == 1 and told[0].startswith(str(tmp_path / "library" / "training"))
