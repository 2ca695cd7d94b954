"""The live meters on the screens, with simulated readings: when they are read, what they say, when they go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.monitor import Device, Processes, RunPace
from engine.runs import RunState
from tests.tui.conftest import NARROW, WIDE, running
from tests.tui.fake_monitor import EMBEDDING, SIMULATED_CPU, SIMULATED_GPU, reading, silent
from tests.tui.fakes import FakeEngine
from tui import metering
from tui.screens import training_meters as meters
from tui.widgets.lines import Row, lay_out


def text_of(rows: list[Row], width: int) -> list[str]:
    return ["".join(text for text, _ in lay_out(one, width)).rstrip() for one in rows]


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
async def test_the_meters_stand_beside_a_run_and_go_with_it(engine: FakeEngine, size) -> None:
    run = engine.runs.begin("embed", project="mojo1")
    async with running(engine, size, screen="training") as studio:
        await studio.until(lambda: studio.says("meters", "cuda:0", "71 %", "9.1/24 GB", "64 °C", "812/s"))
        assert studio.says("99.6 % ok", "0.4 % failed", "3 GB")
        engine.runs.end(run.id, RunState.DONE)
        await studio.until(lambda: studio.says("✓ embed") and not studio.says("meters"))
        assert not studio.page.meters.display


async def test_nothing_is_read_while_nothing_runs_or_nobody_looks(engine: FakeEngine) -> None:
    run = engine.runs.begin("embed")
    engine.runs.end(run.id)
    async with running(engine, WIDE, screen="training") as studio:
        await studio.until(lambda: studio.says("✓ embed"))
        studio.page._meter()
        await studio.pilot.pause()
        assert engine.monitor.asked == 0
        training = studio.page
        engine.runs.begin("embed")
        await studio.until(lambda: engine.monitor.asked > 0)
        await studio.press("f2")
        await studio.until(lambda: studio.page is not training)
        asked = engine.monitor.asked
        training._meter()
        await studio.pilot.pause()
        assert engine.monitor.asked == asked, "another screen is shown"


async def test_a_slow_reading_is_not_overtaken(engine: FakeEngine) -> None:
    engine.runs.begin("embed")
    async with running(engine, WIDE, screen="training") as studio:
        await studio.until(lambda: engine.monitor.asked > 0 and not studio.page._is_metering)
        studio.page._is_metering = True  # as while one is under way
        asked = engine.monitor.asked
        studio.page._meter()
        await studio.pilot.pause()
        assert engine.monitor.asked == asked
        studio.page._is_metering = False


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
def test_what_is_not_measured_has_no_row_and_a_silent_driver_says_why(narrow: bool) -> None:
    width = meters.NARROW if narrow else meters.WIDE
    bare = reading(Device("cpu", 0, None, "psutil"), runs=())
    assert text_of(meters.rows(bare, narrow), width)[1:3] == ["meters", "cpu"]
    assert not any("images" in line or "% ok" in line for line in text_of(meters.rows(bare, narrow), width))
    gone = silent(SIMULATED_GPU, "the NVIDIA driver does not answer: GPU is lost")
    said = text_of(meters.rows(reading(gone, SIMULATED_CPU), narrow), width)
    assert "GPU is lost" in " ".join(said)
    assert "cuda:0" in said


def test_of_many_gpus_the_busiest_are_shown() -> None:
    idle = [replace(SIMULATED_GPU, index=number, utilisation=0.01) for number in range(6)]
    busy = [replace(SIMULATED_GPU, index=6), replace(SIMULATED_GPU, index=7, utilisation=0.99)]
    said = "\n".join(text_of(meters.rows(reading(*idle, *busy)), meters.WIDE))
    assert "cuda:6" in said
    assert "cuda:7" in said
    assert "cuda:0" not in said
    assert "+6 more" in said


@pytest.mark.parametrize("narrow", [False, True], ids=["wide", "narrow"])
def test_every_row_fits_its_column(narrow: bool) -> None:
    large = replace(SIMULATED_GPU, utilisation=1.0, memory_used=139 * 1024**3, memory_total=140 * 1024**3)
    worst = replace(EMBEDDING, images=3, failed=1, images_per_second=123_456.0)
    width = meters.NARROW if narrow else meters.WIDE
    crowded = replace(reading(large, SIMULATED_CPU, runs=(worst,)), processes=Processes(18, 0.995, 100 * 1024**3))
    for line in meters.rows(crowded, narrow):
        wanted = "".join(text for text, _ in (*line.left, *line.right))
        drawn = "".join(text for text, _ in lay_out(line, width))
        assert drawn.replace(" ", "") == wanted.replace(" ", ""), "nothing is cut"


def test_rates_are_of_all_runs_together_and_unknown_without_images() -> None:
    other = RunPace("scan-2", "scan", None, "running", 10, None, 1500, 18, 100.0)
    training = RunPace("train-3", "train", None, "running", 5, 40, None, None, None)
    both = reading(runs=(EMBEDDING, other, training))
    assert both.images_per_second == pytest.approx(912.4)
    assert both.error_rate == pytest.approx(20 / 2000)
    assert training.error_rate is None
    assert reading(runs=(training,)).images_per_second is None


SAID = {0.0: "0 %", 0.004: "0.4 %", 0.09: "9.0 %", 0.71: "71 %", 0.996: "99.6 %", 1.0: "100 %"}


@pytest.mark.parametrize(("share", "said"), SAID.items())
def test_a_few_errors_are_never_said_to_be_none(share: float, said: str) -> None:
    assert metering.percent(share) == said
