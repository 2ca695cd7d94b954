"""A scan that is killed at any instant leaves a whole library, and the next one completes it."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.workspace import Workspace
from tests.engine.library.pictures import encoded, put
from tests.engine.library.shelf import shelf_in

COUNT = 120
ROOT = Path(__file__).resolve().parents[3]

# Tiny batches, each announced once it is committed, so that the kill can be aimed.
SCANNER = """
import asyncio, sys
from pathlib import Path
from engine.library import scan
from engine.workspace import Workspace
from tests.engine.library.shelf import shelf_in

scan.BATCH_SIZE, scan.BATCH_SECONDS = 7, 0.005

async def main():
    async with shelf_in(Workspace.init(Path(sys.argv[1]))) as shelf:
        shelf.library.on_batch = lambda ids, folders: print("batch", flush=True)
        await shelf.scan(Path(sys.argv[2]))
        print("done", flush=True)

asyncio.run(main())
"""


def scan_and_kill(workspace: Workspace, pictures: Path, after: int, delay: float) -> None:
    """Scan in a process of its own, and kill -9 it so many batches and seconds in."""
    command = [sys.executable, "-c", SCANNER, str(workspace.root), str(pictures)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for _ in range(after):
            if child.stdout.readline() in ("done\n", ""):
                break
        try:
            child.wait(delay)
        except subprocess.TimeoutExpired:
            child.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("after", [0, 1, 2, 5, 9])
async def test_killed_at_any_batch(workspace: Workspace, pictures: Path, after: int) -> None:
    for number in range(COUNT):
        put(pictures / f"{number % 4}" / f"{number}.jpg", encoded("jpg", number))
        put(pictures / f"{number % 4}" / f"{number}.yaml", b"a: 1")
    for number in range(8):
        put(pictures / f"{number % 4}" / f"broken{number}.jpg", encoded("jpg", number)[:200])
    draw = random.Random(after)
    for _ in range(3):
        scan_and_kill(workspace, pictures, after, draw.uniform(0.0, 0.05))
        moved = pictures / "0" / "0.jpg"
        if moved.exists() and after > 1:
            moved.rename(pictures / "1" / "moved.jpg")
    async with shelf_in(workspace) as shelf:
        with shelf.store.reading() as connection:
            assert connection.exec_driver_sql("pragma integrity_check").scalar() == "ok"
            assert connection.exec_driver_sql("pragma foreign_key_check").all() == []
            half = connection.execute(sa.text("select count(*), count(distinct content_hash) from images")).one()
            assert half[0] == half[1], "no image twice"
        result = await shelf.scan(pictures)
        assert len(result["refused"]) == 8
        found = await shelf.images()
        assert len(found) == COUNT
        assert len({image.content_hash for image in found.values()}) == COUNT
        beside = await shelf.library.companions([image.id for image in found.values()])
        assert sum(len(paths) for paths in beside.values()) == COUNT - (1 if after > 1 else 0)
        assert await shelf.counts_of(pictures) == (0, 0, COUNT, 0)


# Small pages, each announced once it is on the disk.
ANALYZER = """
import asyncio, sys
from pathlib import Path
from engine.library import analysis
from engine.workspace import Workspace
from tests.engine.library.shelf import shelf_in

analysis._PAGE = 10
write = analysis.Analysis._write

def announced(*asked):
    count = write(*asked)
    print("page", flush=True)
    return count

analysis.Analysis._write = announced

async def main():
    async with shelf_in(Workspace.init(Path(sys.argv[1]))) as shelf:
        await shelf.scan(Path(sys.argv[2]))
        run = await shelf.library.analyze([Path(sys.argv[2])], Path(sys.argv[3]))
        await shelf.runs.wait(run.id)
        print("done", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("name", ["out.jsonl", "out.json"])
async def test_an_analysis_killed_half_way_is_gone_on_with(
    workspace: Workspace, pictures: Path, tmp_path: Path, name: str
) -> None:
    for number in range(COUNT):
        put(pictures / f"{number}.jpg", encoded("jpg", number))
    output = tmp_path / name
    command = [sys.executable, "-c", ANALYZER, str(workspace.root), str(pictures), str(output)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        said = [child.stdout.readline() for _ in range(COUNT // 20)]
        child.send_signal(signal.SIGKILL)
    assert said == ["page\n"] * (COUNT // 20)
    assert output.exists() is (name == "out.jsonl"), "an array is put in place when it is whole"
    async with shelf_in(workspace) as shelf:
        run = await shelf.runs.wait((await shelf.library.analyze([pictures], output)).id)
        assert run.result is not None, run.error
        assert COUNT // 2 <= run.result["resumed"] < COUNT
        assert run.result["analyzed"] == COUNT
    text = output.read_text()
    records = json.loads(text) if name == "out.json" else [json.loads(line) for line in text.splitlines()]
    assert sorted(record["path"] for record in records) == sorted(map(str, pictures.iterdir()))
