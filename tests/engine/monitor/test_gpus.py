"""GPUs, by a simulated driver and a simulated torch: figures, nulls for what is not there, failures in mid-work."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest

from engine.monitor.gpus import ASK_AGAIN, Nvidia, counted_by_torch
from engine.monitor.model import Device
from tests.engine.monitor.simulated import Card, SimulatedNvml


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_card_says_its_use_memory_and_heat() -> None:
    driver = SimulatedNvml([Card(b"Simulated \xff", 71, (9, 24), 64), Card("Second", 0, (1, 24), 30)])
    first, second = Nvidia(lambda: driver).read()
    assert first == Device("cuda", 0, "Simulated �", "nvml", 0.71, 9, 24, 64.0)
    assert (second.label, second.utilisation, second.problem) == ("cuda:1", 0.0, "")


def test_what_a_card_does_not_measure_is_none_and_no_problem() -> None:
    driver = SimulatedNvml([Card("Partitioned", None, (9, 24), None)])
    (card,) = Nvidia(lambda: driver).read()
    assert (card.utilisation, card.memory_used, card.temperature, card.problem) == (None, 9, None, "")


def test_without_the_binding_or_a_driver_there_is_no_gpu_and_nothing_is_asked_again() -> None:
    asked = []

    def absent():
        asked.append(1)

    nvidia = Nvidia(absent)
    assert (nvidia.read(), nvidia.read(), len(asked)) == ([], [], 1)
    for code in (SimulatedNvml.NVML_ERROR_LIBRARY_NOT_FOUND, SimulatedNvml.NVML_ERROR_DRIVER_NOT_LOADED):
        driver = SimulatedNvml(fails_to_open=code)
        nvidia = Nvidia(lambda driver=driver: driver)
        assert nvidia.read() == []
        driver.fails_to_open = None
        assert (nvidia.read(), driver.opened) == ([], 0)


def test_a_driver_that_fails_in_mid_work_costs_its_figures_and_is_opened_anew_later() -> None:
    driver, clock = SimulatedNvml(), Clock()
    nvidia = Nvidia(lambda: driver, monotonic=clock)
    assert nvidia.read()[0].utilisation == 0.71
    driver.fails = SimulatedNvml.NVML_ERROR_GPU_IS_LOST
    (lost,) = nvidia.read()
    assert (lost.name, lost.utilisation, lost.memory_used) == ("Simulated GPU", None, None)
    assert "does not answer: simulated error 15" in lost.problem
    driver.fails = None
    clock.now += ASK_AGAIN / 2
    assert nvidia.read()[0].problem == lost.problem, "a driver in trouble is left alone for a while"
    clock.now += ASK_AGAIN
    (back,) = nvidia.read()
    assert (back.utilisation, back.problem, driver.opened) == (0.71, "", 2)
    nvidia.close()
    assert driver.closed == 2


def test_a_driver_of_another_version_than_its_library_is_told_though_no_card_was_seen() -> None:
    driver, clock = SimulatedNvml(fails_to_open=SimulatedNvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH), Clock()
    nvidia = Nvidia(lambda: driver, monotonic=clock)
    (unknown,) = nvidia.read()
    assert (unknown.name, unknown.memory_total) == (None, None)
    assert "simulated error 18" in unknown.problem
    driver.fails_to_open = None
    clock.now += ASK_AGAIN + 1
    assert nvidia.read()[0].utilisation == 0.71


def simulated_torch(*, is_initialized: bool = True, mps: bool = False) -> SimpleNamespace:
    cuda = SimpleNamespace(
        is_initialized=lambda: is_initialized,
        device_count=lambda: 1,
        mem_get_info=lambda index: (15, 24),
        get_device_name=lambda index: "Simulated GPU",
    )
    backends = SimpleNamespace(mps=SimpleNamespace(is_available=lambda: mps))
    counts = SimpleNamespace(driver_allocated_memory=lambda: 3, recommended_max_memory=lambda: 16)
    return SimpleNamespace(cuda=cuda, backends=backends, mps=counts)


def test_torch_counts_memory_alone_and_only_where_it_is_at_work_already() -> None:
    assert counted_by_torch(None) == []
    assert counted_by_torch(simulated_torch(is_initialized=False)) == []
    assert counted_by_torch(simulated_torch()) == [Device("cuda", 0, "Simulated GPU", "torch", None, 9, 24)]
    assert counted_by_torch(simulated_torch(is_initialized=False, mps=True)) == [
        Device("mps", 0, "Apple GPU", "torch", None, 3, 16)
    ]


@pytest.mark.parametrize("error", [RuntimeError("lost"), AttributeError("half loaded"), AssertionError("no CUDA")])
def test_a_torch_that_cannot_say_counts_as_none(error: Exception) -> None:
    torch = simulated_torch()

    def raises(index: int):
        raise error

    torch.cuda.mem_get_info = raises
    assert counted_by_torch(torch) == []


def test_this_torch_without_a_gpu_has_nothing_to_count() -> None:
    code = (
        "import torch; from engine.monitor.gpus import counted_by_torch as c; found = c(torch); "
        "print(found if not (torch.cuda.is_available() or torch.backends.mps.is_available()) else [])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
