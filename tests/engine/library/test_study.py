"""The study: every image once, anew when its bytes change, gone on with after a stop, and nothing hostile stops it."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.library import facts
from engine.library.decode import BOMB_PIXELS_A_BYTE, UnreadableImage
from engine.runs import RunState
from engine.store.schema import refusals
from engine.workspace import Workspace
from tests.engine.library.negatives import dng
from tests.engine.library.pictures import SAVED_AS, encoded, flipped, put, scene, snapshot
from tests.engine.library.shelf import Shelf, shelf_in


async def study(shelf: Shelf, **options: Any) -> dict[str, Any]:
    run = await shelf.runs.wait((await shelf.library.study(**options)).id)
    assert run.state is RunState.DONE, run.error
    assert run.result is not None
    return dict(run.result)


def errors_of(workspace: Workspace) -> list[dict[str, Any]]:
    file = workspace.logs / "errors.jsonl"
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


async def test_every_image_is_studied_once_and_anew_when_it_changes(shelf: Shelf, pictures: Path) -> None:
    for at, ending in enumerate((*SAVED_AS, "dng")):
        put(pictures / "mojo1" / f"a.{ending}", dng(scene(at, (320, 240))) if ending == "dng" else encoded(ending, at))
    await shelf.scan(pictures)
    assert await shelf.library.unstudied() == 9
    assert (await study(shelf))["studied"] == 9
    assert (await study(shelf))["studied"] == 0
    images = await shelf.images()
    found = await shelf.library.facts([image.id for image in images.values()])
    assert len(found) == len(await shelf.library.metadata(list(found))) == 9
    put(pictures / "mojo1" / "a.png", encoded("png", 77))
    await shelf.scan(pictures)
    changed = images["a.png"].id
    assert await shelf.library.facts([changed]) == {}  # what was known is of other bytes
    await shelf.library.ensure_studied()
    again = await shelf.library.facts([changed])
    assert again[changed].phash != found[changed].phash
    with shelf.store.reading() as connection:
        identities, phash, _, projects = facts.hashes(connection, "MOJO1")
    assert (len(identities), len(set(projects.tolist()))) == (9, 1)
    assert int(phash[list(identities).index(changed)]) == again[changed].phash & 0xFFFFFFFFFFFFFFFF


async def test_a_study_keeps_to_its_project_and_its_folders(shelf: Shelf, pictures: Path) -> None:
    for project in ("mojo1", "mojo2"):
        put(pictures / project / "a.jpg", seed=1)
        put(pictures / project / "sub" / "b.jpg", seed=2)
    await shelf.scan(pictures)
    assert (await study(shelf, project="Mojo2"))["studied"] == 2
    assert (await study(shelf, paths=[pictures / "mojo1" / "sub"]))["studied"] == 1
    assert await shelf.library.unstudied() == 1


async def test_a_stop_keeps_what_is_done_and_the_next_study_goes_on(shelf: Shelf, pictures: Path) -> None:
    for at in range(60):
        put(pictures / f"{at}.jpg", encoded("jpg", at, (640, 480)))
    await shelf.scan(pictures)
    run = await shelf.library.study()
    while await shelf.library.unstudied() > 55 and not (await shelf.runs.get(run.id)).state.is_final:
        await asyncio.sleep(0.01)
    await shelf.runs.cancel(run.id)
    stopped = await shelf.runs.wait(run.id)
    left = await shelf.library.unstudied()
    assert stopped.state in (RunState.CANCELLED, RunState.DONE)
    assert (await study(shelf))["studied"] == left
    assert await shelf.library.unstudied() == 0


async def test_what_is_refused_is_named_everywhere_until_it_changes(
    shelf: Shelf, workspace: Workspace, pictures: Path
) -> None:
    good, bad = put(pictures / "good.jpg"), put(pictures / "bad.jpg", seed=3)
    await shelf.scan(pictures)
    content = bad.read_bytes()
    bad.unlink()
    result = await study(shelf)
    assert (result["studied"], result["errors"]) == (1, {"vanished": 1})
    assert {one.path: one.code for one in await shelf.library.refused()} == {str(bad): "vanished"}
    told = errors_of(workspace)
    assert [(one["type"], one["context"]) for one in told] == [("vanished", {"file": str(bad), "operation": "study"})]
    assert set(told[0]) == {
        "timestamp", "run", "level", "type", "message", "frames", "context", "fingerprint", "python", "versions",
    }  # fmt: skip
    assert set(await shelf.images()) == {good.name}
    put(bad, content)
    await shelf.scan(pictures)
    assert (await study(shelf))["studied"] == 1
    assert await shelf.library.refused() == []


async def test_a_scan_tells_each_refusal_once_in_the_error_log(
    shelf: Shelf, workspace: Workspace, pictures: Path
) -> None:
    put(pictures / "lie.jpg", encoded("png"))
    os.mkfifo(pictures / "pipe.jpg")
    for _ in range(3):
        await shelf.scan(pictures)
    assert sorted(one["type"] for one in errors_of(workspace)) == ["mislabelled", "not_a_file"]


async def test_a_small_file_that_claims_a_huge_picture_is_a_bomb(workspace: Workspace, pictures: Path) -> None:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.new("1", (4000, 4000)).save(buffer, "PNG")
    assert BOMB_PIXELS_A_BYTE * len(buffer.getvalue()) < 16_000_000
    put(pictures / "bomb.png", buffer.getvalue())
    async with shelf_in(workspace, max_pixels=1_000_000) as shelf:
        assert await shelf.refused(pictures) == {"bomb.png": "bomb"}


async def test_nothing_hostile_stops_a_scan_or_a_study_or_is_changed_by_it(shelf: Shelf, pictures: Path) -> None:
    sound = 0
    for ending in (*SAVED_AS, "dng"):
        data = dng(scene(1, (160, 120))) if ending == "dng" else encoded(ending)
        for cut in range(20):
            put(pictures / ending / f"cut{cut}.{ending}", data[: len(data) * cut // 20])
        for number, content in enumerate(flipped(data, 15)):
            put(pictures / ending / f"flip{number}.{ending}", content)
        put(pictures / ending / f"sound.{ending}", data)
        put(pictures / ending / f"lie.{'gif' if ending != 'gif' else 'png'}", data)
        sound += 1
    for at, name in enumerate(
        ("日本語", "Ελληνικά", "русский", "עברית", "हिन्दी", "🦊", "a b\tc", "e\u0301", "--json", "%s")
    ):
        put(pictures / "names" / f"{name}.jpg", encoded("jpg", at))
        sound += 1
    os.mkfifo(pictures / "pipe.jpg")
    (pictures / "loop").symlink_to(pictures, target_is_directory=True)
    (pictures / "self.jpg").symlink_to(pictures / "self.jpg")
    before = await asyncio.to_thread(snapshot, pictures)
    result = await shelf.scan(pictures)
    studied = await study(shelf)
    assert studied["studied"] + len(studied["refused"]) == result["added"] >= sound
    assert await shelf.library.unstudied() == 0
    names = {image.path.stem for image in (await shelf.images()).values()}
    assert {"sound", "日本語", "🦊", "--json"} <= names
    known = {one.code for one in await shelf.library.refused()}
    assert {"empty", "truncated", "mislabelled", "not_a_file"} <= known
    assert await asyncio.to_thread(snapshot, pictures) == before
    again = await shelf.scan(pictures)
    assert again["added"] == again["changed"] == 0


async def test_a_folder_and_a_file_that_are_not_ours_are_named(shelf: Shelf, pictures: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    put(pictures / "shut" / "a.jpg")
    (pictures / "shut").chmod(0)
    try:
        assert set((await shelf.refused(pictures)).values()) == {"permission"}
    finally:
        (pictures / "shut").chmod(0o755)


async def test_a_file_that_ended_a_decoder_is_not_tried_again_until_it_changes(shelf: Shelf, pictures: Path) -> None:
    path = put(pictures / "mojo1" / "a.jpg")
    await shelf.scan(pictures)
    state = path.stat()
    row = {"path": str(path), "code": "decoder_crash", "reason": "the decoder crashed over it (SIGSEGV)",
           "size": state.st_size, "mtime_ns": state.st_mtime_ns, "seen_at": ""}  # fmt: skip
    await shelf.store.write(lambda c: c.execute(sa.insert(refusals).values(row)))
    with pytest.raises(UnreadableImage, match="SIGSEGV") as refused:
        shelf.library.thumbnail(path, (32, 32))
    assert refused.value.code == "decoder_crash"
    os.utime(path, ns=(1, 1))
    assert shelf.library.thumbnail(path, (32, 32)).size <= (32, 32)
