"""The meters' door: runs with refusals, a machine without GPU, drivers that fail or hang, and the end."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.engine import Engine
from engine.monitor import Device, Monitor
from engine.runs import RunContext, Runs
from engine.store import Store
from engine.workspace import Workspace
from tests.engine.library.pictures import put

SIMULATED = Device("cuda", 0, "Simulated GPU", "nvml", 0.71, 9, 24, 64.0)


@pytest.fixture
async def runs(workspace: Workspace, store: Store) -> AsyncIterator[Runs]:
    opened = Runs(workspace, store, workers=2)
    yield opened
    await opened.close()


def handling(release: threading.Event):
    """Simulated work on ten images, two of which fail; then it waits to be released."""

    def work(run: RunContext) -> dict[str, int]:
        for number in range(10):
            run.handled(failed=int(number in (3, 7)))
            if number in (3, 7):
                run.refuse(f"/photos/{number}.jpg", "simulated: the file ends early", "truncated")
            run.progress(number + 1, 20, "describing")
        run.flush()
        while not release.wait(0.01):
            run.check()
        return {"handled": 10}

    return work


async def test_a_run_with_refusals_shows_its_error_and_success_rate(runs: Runs) -> None:
    release = threading.Event()
    runs.register("embed", handling(release))
    monitor = Monitor(runs, gpus=lambda: [SIMULATED])
    run = await runs.start("embed", {}, project="mojo1")
    while not (paces := await monitor.runs()) or paces[0].images != 10:
        await asyncio.sleep(0.01)
    document = (await monitor.read()).document()
    (one,) = document["runs"]
    assert {key: one[key] for key in ("id", "kind", "project", "state", "done", "total", "images", "failed")} == {
        "id": run.id, "kind": "embed", "project": "mojo1", "state": "running",
        "done": 10, "total": 20, "images": 10, "failed": 2,
    }  # fmt: skip
    assert (one["error_rate"], one["success_rate"]) == (0.2, 0.8)
    assert (document["error_rate"], document["success_rate"]) == (0.2, 0.8)
    gpu, processor = document["devices"]
    assert (gpu["kind"], gpu["utilisation"], gpu["temperature"]) == ("cuda", 0.71, 64.0)
    assert processor["kind"] == "cpu"
    assert 0 <= processor["utilisation"] <= 1
    assert 0 < processor["memory_used"] < processor["memory_total"]
    assert document["processes"]["count"] >= 1
    assert 0 <= document["processes"]["cpu"] <= 1
    release.set()
    await runs.finished(run.id)
    after = (await monitor.read()).document()
    assert (after["runs"], after["images_per_second"], after["error_rate"], after["success_rate"]) == (
        [],
        None,
        None,
        None,
    )
    monitor.close()


async def test_a_workspace_without_gpu_or_runs_has_nulls_and_an_honest_processor(runs: Runs) -> None:
    monitor = Monitor(runs, gpus=list)
    reading = await monitor.read()
    assert [device.kind for device in reading.devices] == ["cpu"]
    assert (reading.images_per_second, reading.error_rate, reading.runs) == (None, None, ())
    json.dumps(reading.document(), allow_nan=False)
    monitor.close()


async def test_a_driver_that_raises_costs_its_own_figures_alone(runs: Runs) -> None:
    answers = iter([[SIMULATED], OSError("simulated: the bus is gone"), [SIMULATED]])

    def ask():
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monitor = Monitor(runs, gpus=ask)
    assert (await monitor.read()).devices[0] == SIMULATED
    lost, processor = (await monitor.read()).devices
    assert (lost.name, lost.utilisation, lost.problem) == ("Simulated GPU", None, "OSError: simulated: the bus is gone")
    assert processor.memory_used
    assert (await monitor.read()).devices[0] == SIMULATED
    monitor.close()


async def test_a_driver_that_hangs_holds_up_neither_the_reading_nor_the_end(runs: Runs) -> None:
    hang, asked = threading.Event(), []

    def ask():
        asked.append(1)
        if len(asked) == 2:
            hang.wait()
        return [SIMULATED]

    monitor = Monitor(runs, gpus=ask, patience=0.05)
    while (await monitor.read()).devices[0] != SIMULATED:  # a busy machine may need more than one try
        pass
    for _ in range(2):
        lost = (await monitor.read()).devices[0]
        assert (lost.name, lost.memory_used, lost.problem) == ("Simulated GPU", None, "no answer for 0.05 s")
    assert len(asked) == 2, "one question at a time"
    hang.set()
    while (await monitor.read()).devices[0] != SIMULATED:
        pass
    monitor.close()


async def test_the_loop_goes_on_while_the_meters_are_read(runs: Runs) -> None:
    asking, release = threading.Event(), threading.Event()

    def ask():
        asking.set()
        release.wait()
        return [SIMULATED]

    monitor = Monitor(runs, gpus=ask, patience=60)
    reading = asyncio.create_task(monitor.read())
    while not asking.is_set():
        await asyncio.sleep(0.001)
    assert not reading.done()
    release.set()
    assert (await reading).devices[0] == SIMULATED
    monitor.close()
    assert not [one for one in threading.enumerate() if one.name.startswith("gpu-meters") and one.is_alive()]


async def test_scanning_studying_and_embedding_count_their_images(workspace: Workspace, tmp_path: Path) -> None:
    photos = tmp_path / "photos" / "mojo1"
    for seed in range(4):
        put(photos / f"{seed}.jpg", seed=seed)
    whole = (photos / "0.jpg").read_bytes()
    (photos / "broken.jpg").write_bytes(whole[: len(whole) // 3])
    async with Engine.open(workspace, flags={"encoder": "builtin"}) as engine:

        async def counted(run_id: str) -> tuple[int, int]:
            await engine.runs.finished(run_id)
            told = [event.data for event in await engine.runs.events(run_id) if event.type == "progress"]
            return told[-1]["images"], told[-1]["failed"]

        scan = await engine.library.scan([tmp_path / "photos"])
        first = await counted(scan.id)
        embedded = await counted((await engine.vision.embed()).id)
        studied = await counted((await engine.library.study()).id)
        again = await engine.library.scan([tmp_path / "photos"])
        await engine.runs.finished(again.id)
        told = [event.data for event in await engine.runs.events(again.id) if event.type == "progress"]
    assert first[0] == 5, first
    # How far a broken file comes depends on how it is broken; every image is tried once by each run that meets it.
    assert embedded[0] == studied[0] == 5 - first[1]
    assert first[1] + embedded[1] == 1
    assert "images" not in told[-1], "files that are as they were are not handled again"


def test_reading_the_meters_starts_no_torch() -> None:
    code = (
        "import asyncio, sys\n"
        "from engine.monitor import Monitor\n"
        "class Runs:\n"
        "    async def list(self, limit=50): return []\n"
        "    async def events(self, run_id, offset=0): return []\n"
        "asyncio.run(Monitor(Runs()).read())\n"
        "print([name for name in ('torch', 'numpy', 'textual') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
