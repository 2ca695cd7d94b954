"""Every recovery at run time is told as such and counted: in the run's log, in its summary, and in the report.

Each is made to happen: a device that has no room, a file that goes away while a scan is under way, captions in Latin-1,
models whose files are damaged.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import sqlalchemy as sa
import torch

from engine.engine import Engine
from engine.errors import ProofsheetError
from engine.library import scan as scanning
from engine.library import walk as walking
from engine.logs.recoveries import RecoveryLog
from engine.runs import Run, RunState, context
from engine.store.schema import images
from engine.vision import device as devices
from engine.vision.clip import OpenClipEncoder
from engine.workspace import Workspace
from tests.engine.library.pictures import put, with_exif
from tests.engine.vision.models import saved


@pytest_asyncio.fixture
async def engine(workspace: Workspace) -> AsyncIterator[Engine]:
    async with Engine.open(workspace) as opened:
        yield opened


async def finished(engine: Engine, run: Run) -> tuple[dict[str, Any], str, list[dict[str, Any]]]:
    """(summary, the log for people, the structured log) of a run that must have come to its end."""
    ended = await engine.runs.wait(run.id)
    assert ended.state is RunState.DONE, ended.error
    stem = engine.workspace.logs / run.id
    told = json.loads(stem.with_name(f"{run.id}.json").read_text())
    return json.loads(Path(f"{stem}_summary.json").read_text()), Path(f"{stem}.log").read_text(), told


def pictures(folder: Path, count: int = 6) -> Path:
    for number in range(count):
        put(folder / "shoot" / f"{number}.jpg", seed=number)
    return folder


async def test_a_file_that_goes_away_during_a_scan_is_a_recovery(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pictures(tmp_path / "photos")
    listed = walking.list_folder

    def list_then_lose(*args: Any) -> Any:
        listing = listed(*args)
        if "3.jpg" in listing.images:
            (folder / "shoot" / "3.jpg").unlink()
        return listing

    monkeypatch.setattr(walking, "list_folder", list_then_lose)
    summary, said, told = await finished(engine, await engine.library.scan([folder]))
    assert summary["recoveries"] == {"vanished-file": 1}
    assert (summary["errors"], summary["successes"]) == ({"vanished": 1}, 5)
    assert "recovered from: 1 vanished-file" in said
    (one,) = [line for line in told if line.get("recovery")]
    assert (one["code"], Path(one["path"]).name, one["level"]) == ("vanished", "3.jpg", "warning")


async def test_a_folder_that_goes_away_while_it_is_walked_is_a_recovery(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pictures(tmp_path / "photos")
    lost = folder / "zz lost"
    lost.mkdir()
    walk = scanning.walk

    def lose(*args: Any) -> Any:
        for listing in walk(*args):
            if lost.exists():
                lost.rmdir()
            yield listing

    monkeypatch.setattr(scanning, "walk", lose)
    summary, said, told = await finished(engine, await engine.library.scan([folder]))
    assert (summary["recoveries"], summary["errors"], summary["files"]) == ({"vanished-file": 1}, {}, 6)
    assert "went away while its folder was read" in said
    assert [line["path"] for line in told if line["event"] == "recovered"] == [str(lost)]


async def test_files_that_are_gone_when_they_are_embedded_or_studied_are_recoveries(
    engine: Engine, tmp_path: Path
) -> None:
    folder = pictures(tmp_path / "photos")
    await engine.runs.wait((await engine.library.scan([folder])).id)
    (folder / "shoot" / "1.jpg").unlink()
    summary, _, _ = await finished(engine, await engine.vision.embed(encoder="builtin"))
    assert (summary["recoveries"], summary["errors"]) == ({"vanished-file": 1}, {"vanished": 1})
    summary, _, _ = await finished(engine, await engine.library.study())
    assert (summary["recoveries"], summary["errors"]) == ({"vanished-file": 1}, {"vanished": 1})


async def test_captions_in_latin_1_are_read_and_counted(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    plain = with_exif("jpg", {0x010E: "Cafe terrace"})
    assert plain.count(b"Cafe terrace") == 1
    put(folder / "shoot" / "latin.jpg", content=plain.replace(b"Cafe terrace", b"Caf\xe9 terrace"))
    put(folder / "shoot" / "utf8.jpg", content=plain)
    await engine.runs.wait((await engine.library.scan([folder])).id)
    summary, said, told = await finished(engine, await engine.library.study())
    assert (summary["recoveries"], summary["errors"]) == ({"encoding": 1}, {})
    assert "a text in its EXIF data is not UTF-8; it was read as Latin-1" in said
    (one,) = [line for line in told if line["event"] == "recovered"]
    assert (one["recovery"], Path(one["path"]).name) == ("encoding", "latin.jpg")
    ids = await engine.store.read(lambda connection: list(connection.execute(sa.select(images.c.id)).scalars()))
    metadata = await engine.library.metadata(ids)
    assert sorted(one.description or "" for one in metadata.values()) == ["Cafe terrace", "Café terrace"]


async def test_a_device_without_room_is_backed_off_from_and_counted(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "cpu_has_bfloat16", lambda *_: False)
    spec = f"open_clip:local-dir:{saved(tmp_path / 'clip')}"
    folder = pictures(tmp_path / "photos", 12)
    await engine.runs.wait((await engine.library.scan([folder])).id)
    forward = OpenClipEncoder._forward

    def crowded(self: OpenClipEncoder, *args: Any) -> Any:
        if len(args[1]) > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return forward(self, *args)

    monkeypatch.setattr(OpenClipEncoder, "_forward", crowded)
    run = await engine.vision.embed(encoder=spec)
    summary, said, _ = await finished(engine, run)
    assert (await engine.runs.get(run.id)).result["embedded"] == 12  # type: ignore[index]
    assert summary["recoveries"]["out-of-memory"] >= 1
    assert "no memory for a batch of" in said
    assert "recovered from:" in said


async def test_weights_that_do_not_load_leave_auto_with_the_built_in_encoder(
    workspace: Workspace, tmp_path: Path
) -> None:
    clip = saved(tmp_path / "clip")
    (clip / "open_clip_model.safetensors").write_bytes(b"\x10" * 200)
    spec = f"open_clip:local-dir:{clip}"
    folder = pictures(tmp_path / "photos", 2)
    async with Engine.open(workspace, flags={"encoder": "auto", "clip": spec}) as engine:
        await engine.runs.wait((await engine.library.scan([folder])).id)
        summary, said, _ = await finished(engine, await engine.vision.embed(force=True))
        assert summary["recoveries"] == {"model-load": 1}
        assert "the built-in encoder took its place" in said
        assert engine.vision.encoder().id == engine.vision.encoder("builtin").id
        with pytest.raises(ProofsheetError, match="damaged"):  # who names it gets it, or the reason
            engine.vision.encoder(spec)
        report = await engine.repair.report()
        assert report["recoveries"]["model-load"] >= 1


async def test_the_decoders_code_is_what_counts_not_a_second_look_at_the_disk(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = pictures(tmp_path / "photos")
    await engine.runs.wait((await engine.library.scan([folder])).id)
    (folder / "shoot" / "1.jpg").unlink()
    monkeypatch.setattr(context, "_is_gone", lambda _file: False)  # as when it is there again a moment later
    summary, _, _ = await finished(engine, await engine.duplicates.search())
    assert (summary["recoveries"], summary["errors"]) == ({"vanished-file": 1}, {"vanished": 1})


def test_recoveries_in_a_log_that_was_put_aside_count_too(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "recoveries.jsonl"
    log = RecoveryLog(path)
    assert log.counted("2000") == {}
    log.append("model-load", "it is damaged", operation="suggest")
    path.rename(path.with_name("recoveries-2026-11-20T100000000000Z.jsonl"))
    assert log.counted("2000") == {"model-load": 1}
    log.append("encoding", "it is Latin-1", operation="study")
    assert log.counted("2000") == {"model-load": 1, "encoding": 1}
    assert log.counted("2999") == {}
