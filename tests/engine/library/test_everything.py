"""All that the library does to a folder of sound, hostile and vanishing files: nothing stops it, nothing is changed."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from engine.engine import Engine
from engine.library.source import UnreadableImage
from engine.runs import RunState
from engine.workspace import Workspace
from tests.engine.library.negatives import dng
from tests.engine.library.pictures import SAVED_AS, encoded, flipped, put, scene, snapshot

NAMES = (  # in many scripts, and such that a program may stumble over
    "日本語",
    "Ελληνικά",
    "русский",
    "עברית",
    "हिन्दी",
    "ไทย",
    "🦊",
    "a b\tc",
    "new\nline",
    "e\u0301",
    "--json",
    "%s",
    "'\"",
)
CODES = {"bad_name", "corrupt", "empty", "mislabelled", "not_a_file", "not_an_image", "too_large", "truncated", "bomb",
         "unsupported", "permission", "vanished", "unreadable", "decoder_crash"}  # fmt: skip


def hostile(folder: Path, flips: int) -> None:
    """Every format cut off at 20 places and with bits flipped, names that lie, names in every script, and no files."""
    for ending in (*SAVED_AS, "dng"):
        data = dng(scene(1, (160, 120))) if ending == "dng" else encoded(ending)
        for cut in range(20):
            put(folder / ending / f"cut{cut}.{ending}", data[: len(data) * cut // 20])
        for number, content in enumerate(flipped(data, flips)):
            put(folder / ending / f"flip{number}.{ending}", content)
        put(folder / ending / f"sound.{ending}", data)
        put(folder / ending / f"lie.{'gif' if ending != 'gif' else 'png'}", data)
    for at, name in enumerate(NAMES):
        put(folder / "names" / f"{name}.jpg", encoded("jpg", at))
    put(folder / "bomb.png", b"\x89PNG\r\n\x1a\n" + bytes.fromhex("0000000d494844520000fde80000fde8080000000078a7a4a5"))
    put(folder / "companions" / "a.jpg", seed=3)
    for name in ("a.yaml", "a.txt", "a.xmp"):
        put(folder / "companions" / name, b"mine", mtime=1_500_000_001)
    os.mkfifo(folder / "pipe.jpg")
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "self.jpg").symlink_to(folder / "self.jpg")
    put(folder / "shut" / "a.jpg")
    (folder / "shut").chmod(0)
    for place in ("first", "second"):
        put(folder.parent / "moving" / place / "vanishing.jpg", seed=9)


def state(folder: Path) -> dict[str, object]:
    """Names, bytes and times of every file, and the times of every folder."""
    folders = {f"{one}/": one.stat().st_mtime_ns for one in folder.rglob("*") if one.is_dir() and not one.is_symlink()}
    return {**snapshot(folder), **folders}


@pytest.mark.parametrize(
    "flips",
    [
        3,
        pytest.param(200, marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
    ids=["some", "all"],
)
async def test_nothing_stops_and_nothing_is_changed(workspace: Workspace, tmp_path: Path, flips: int) -> None:
    folder, moving = tmp_path / "pictures", tmp_path / "moving"
    await asyncio.to_thread(hostile, folder, flips)
    before = await asyncio.to_thread(state, folder)
    gone = [moving / "first" / "vanishing.jpg", moving / "second" / "vanishing.jpg"]
    async with Engine.open(workspace) as engine:
        engine.library.on_batch = lambda _ids, _folders: gone[0].unlink(missing_ok=True)
        runs = [await engine.runs.wait((await engine.library.scan([folder, moving])).id)]
        gone[1].unlink()  # known by now, and not there to be studied
        runs.append(await engine.runs.wait((await engine.library.study()).id))
        assert [run.state for run in runs] == [RunState.DONE, RunState.DONE], [run.error for run in runs]
        await engine.duplicates.find()
        output = tmp_path / "results.jsonl"
        analysis = await engine.runs.finished((await engine.library.analyze([folder], output)).id)
        assert analysis.result is not None
        await engine.library.mix(with_coverage=True)
        await engine.library.inventory()
        await engine.library.progress()
        _, refused = await engine.library.describe([folder])
        images = await engine.library.images(list(await engine.library.ids()))
        for file in {*(one for one in folder.rglob("*") if not one.is_dir()), *(image.path for image in images)}:
            for look in (lambda path: engine.library.thumbnail(path, (48, 48)), engine.library.size_of):
                try:
                    await asyncio.to_thread(look, file)
                except UnreadableImage as error:
                    assert error.code in CODES
        run = await engine.runs.finished((await engine.vision.embed(encoder="builtin")).id)
        assert run.result is not None
        assert run.result["embedded"] + len(run.result["refused"]) >= len({one.content_hash for one in images})
        codes = {one.code for one in [*await engine.library.refused(limit=100_000), *refused]}
        assert codes <= CODES, codes - CODES
        assert {"truncated", "mislabelled", "empty", "not_a_file"} <= codes
        names = {image.path.stem for image in images}
        assert {"sound", *(name for name in NAMES if name.isprintable() or name in ("a b\tc", "new\nline"))} <= names
        assert analysis.result["analyzed"] == sum(1 for image in images if folder in image.path.parents)
        assert await engine.library.unstudied() == 0
        again = await engine.runs.finished((await engine.library.scan([folder])).id)
        assert again.result is not None
        assert (again.result["added"], again.result["changed"]) == (0, 0)
    assert await asyncio.to_thread(state, folder) == before
    await asyncio.to_thread((folder / "shut").chmod, 0o755)
