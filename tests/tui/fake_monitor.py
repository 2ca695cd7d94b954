"""Simulated meters for the screens: a pretend GPU at work, or whatever else a test says."""

from __future__ import annotations

from dataclasses import replace

from engine.monitor import Device, Processes, Reading, RunPace

AT = "2026-11-20T21:50:13.000000Z"
GIB = 1024**3

SIMULATED_GPU = Device("cuda", 0, "Simulated GPU", "nvml", 0.71, int(9.1 * GIB), 24 * GIB, 64.0)
SIMULATED_CPU = Device("cpu", 0, "Simulated CPU", "psutil", 0.34, 12 * GIB, 64 * GIB, None)
EMBEDDING = RunPace("embed-1", "embed", "mojo1", "running", 500, 2000, 500, 2, 812.4)


def reading(*devices: Device, runs: tuple[RunPace, ...] = (EMBEDDING,)) -> Reading:
    """A simulated reading: of these devices, else of a GPU and a processor."""
    return Reading(AT, devices or (SIMULATED_GPU, SIMULATED_CPU), Processes(3, 0.42, 3 * GIB), runs)


class FakeMonitor:
    """Answers `now`, and counts how often it was asked."""

    def __init__(self) -> None:
        self.now = reading()
        self.asked = 0

    async def read(self) -> Reading:
        self.asked += 1
        return self.now


def silent(device: Device, problem: str) -> Device:
    """The device with its driver gone."""
    return replace(device, utilisation=None, memory_used=None, memory_total=None, temperature=None, problem=problem)
