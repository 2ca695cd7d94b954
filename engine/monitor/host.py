"""The processor, and what Proofsheet takes of it: shares between two moments, memory at the last.

Relies on psutil, loaded when the meters are first read. Looks at processes and signals none.
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from engine.monitor.model import Device, Processes

SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "soc_thermal")  # Linux's, by driver


@dataclass(slots=True)
class _Moment:
    """Seconds of processor time by now: of the whole machine, and of each process (id, start)."""

    at: float = 0.0
    busy: float = 0.0
    passed: float = 0.0
    spent: dict[tuple[int, float], float] = field(default_factory=dict)


class Host:
    """The meters of this machine. Not safe to call from two threads at once."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._before: _Moment | None = None

    def read(self, owners: Collection[int] = ()) -> tuple[Device, Processes]:
        """The processor, and the trees of this process and of `owners` (process ids); one that has ended is passed
        over. Shares are since the last reading, and None at the first."""
        import psutil

        now = _Moment(self._monotonic())
        now.busy, now.passed = _machine(psutil)
        held = 0
        for process in _trees(psutil, {os.getpid(), *owners}):
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    now.spent[process.pid, process.create_time()] = times.user + times.system
                    held += process.memory_info().rss
            except psutil.Error:  # it ended under our eyes, or is not ours to look at
                continue
        before, self._before = self._before, now
        memory = psutil.virtual_memory()
        device = Device(
            "cpu",
            0,
            _name(),
            "psutil",
            utilisation=_utilisation(before, now),
            memory_used=memory.total - memory.available,
            memory_total=memory.total,
            temperature=_temperature(psutil),
        )
        return device, Processes(len(now.spent), _taken(before, now), held)


def _trees(psutil: Any, roots: Collection[int]) -> list[Any]:
    """These processes and all below them, each once."""
    found: dict[int, Any] = {}
    for pid in roots:
        try:
            root = psutil.Process(pid)
            found |= {one.pid: one for one in (root, *root.children(recursive=True))}
        except psutil.Error:
            continue
    return list(found.values())


def _machine(psutil: Any) -> tuple[float, float]:
    """Seconds that the machine's cores were busy, and that passed on them, since it started."""
    times = psutil.cpu_times()
    # Linux counts a guest's time a second time under `user`.
    passed = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    return passed - times.idle - getattr(times, "iowait", 0.0), passed


def _utilisation(before: _Moment | None, now: _Moment) -> float | None:
    if before is None or now.passed <= before.passed:
        return None
    return min(1.0, max(0.0, (now.busy - before.busy) / (now.passed - before.passed)))


def _taken(before: _Moment | None, now: _Moment) -> float | None:
    """The share of all cores' time; a process that came since has spent all of its time since."""
    if before is None or now.at <= before.at:
        return None
    spent = sum(seconds - before.spent.get(one, 0.0) for one, seconds in now.spent.items())
    return min(1.0, max(0.0, spent / ((now.at - before.at) * _cores())))


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _temperature(psutil: Any) -> float | None:
    """The processor's hottest sensor; None where there is none to read."""
    if not hasattr(psutil, "sensors_temperatures"):
        return None
    found = psutil.sensors_temperatures()
    read = [one.current for driver in SENSORS for one in found.get(driver, ()) if one.current]
    return max(read) if read else None


@cache
def _name() -> str | None:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        return platform.processor() or None  # not Linux
    return platform.processor() or None
