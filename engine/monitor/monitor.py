"""The meters' door: one reading of devices, processes and running runs, or one a second.

Relies on nothing above: the engine hands it the runs, of which it knows their list and their logs alone. Reading never
blocks the event loop. GPUs are asked in a thread of their own, which may hang with its driver and hold nothing up:
after PATIENCE the reading goes on without them and says so, and the thread ends with the process at the latest.
"""

from __future__ import annotations

import asyncio
import os
import queue
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from engine.clock import Clock, iso, utc_now
from engine.monitor.gpus import Nvidia, counted_by_torch
from engine.monitor.host import Host
from engine.monitor.model import Device, Reading, RunPace
from engine.monitor.pace import Pace

PATIENCE = 2.0  # seconds
SETTLE = 0.5  # seconds between the two moments that a first reading compares
LEAVING = 0.5  # seconds that closing waits for the GPUs' thread


class State(Protocol):
    """Where a run stands."""

    @property
    def is_final(self) -> bool: ...


class Run(Protocol):
    """What the meters need of a run."""

    @property
    def id(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def project(self) -> str | None: ...
    @property
    def state(self) -> State: ...
    @property
    def host(self) -> str | None: ...
    @property
    def pid(self) -> int | None: ...


class Event(Protocol):
    """What the meters need of an event."""

    @property
    def at(self) -> str: ...
    @property
    def type(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...
    @property
    def next_offset(self) -> int: ...


class Runs(Protocol):
    """The runs, as the engine hands them in."""

    async def list(self, limit: int = 50) -> Sequence[Run]: ...
    async def events(self, run_id: str, offset: int = 0) -> Sequence[Event]: ...


@dataclass
class _Followed:
    """A run, and how far its log was read, bytes."""

    pace: Pace = field(default_factory=Pace)
    offset: int = 0


class Monitor:
    """The meters of one workspace. Opening it starts nothing; the first reading does."""

    def __init__(
        self,
        runs: Runs,
        *,
        gpus: Callable[[], Sequence[Device]] | None = None,
        patience: float = PATIENCE,
        clock: Clock = utc_now,
    ) -> None:
        """`gpus` is asked in place of this machine's drivers, in the same thread."""
        self._runs = runs
        self._gpus = Gpus(gpus)
        self._host = Host()
        self._patience = patience
        self._clock = clock
        self._followed: dict[str, _Followed] = {}
        self._reading = asyncio.Lock()
        self._is_settled = False

    async def read(self) -> Reading:
        """All meters now. The first reading takes SETTLE seconds longer: a share needs two moments."""
        async with self._reading:
            going = await self._going()
            owners = {run.pid for run in going if run.pid is not None and run.host == socket.gethostname()}
            if not self._is_settled:
                await asyncio.to_thread(self._host.read, owners)
                await asyncio.sleep(SETTLE)
                self._is_settled = True
            gpus, (processor, processes) = await asyncio.gather(
                self._gpus.read(self._patience), asyncio.to_thread(self._host.read, owners)
            )
            paces = await self._paces(going)
            return Reading(iso(self._clock()), (*gpus, processor), processes, paces)

    async def runs(self) -> tuple[RunPace, ...]:
        """How the running runs go, without a look at the devices; the newest first."""
        async with self._reading:
            return await self._paces(await self._going())

    async def watch(self, every: float = 1.0) -> AsyncIterator[Reading]:
        """A reading now, and another `every` seconds after each."""
        while True:
            yield await self.read()
            await asyncio.sleep(every)

    def close(self) -> None:
        """End the thread that asks the GPUs; one that hangs in its driver is left to end with the process."""
        self._gpus.close()

    async def _going(self) -> list[Run]:
        return [run for run in await self._runs.list() if not run.state.is_final]

    async def _paces(self, going: Sequence[Run]) -> tuple[RunPace, ...]:
        self._followed = {run.id: self._followed.get(run.id) or _Followed() for run in going}
        for run in going:
            followed = self._followed[run.id]
            for event in await self._runs.events(run.id, followed.offset):
                followed.pace.hear(event.type, event.at, event.data)
                followed.offset = event.next_offset
        now = self._clock()
        return tuple(
            RunPace(
                run.id, run.kind, run.project, str(run.state),
                pace.done, pace.total, pace.images, pace.failed, pace.images_per_second(now),
            )
            for run, pace in ((run, self._followed[run.id].pace) for run in going)
        )  # fmt: skip


class Gpus:
    """Asks the GPUs in a daemon thread of its own, one question at a time."""

    def __init__(self, ask: Callable[[], Sequence[Device]] | None = None) -> None:
        self._nvidia = Nvidia()
        self._ask = ask or self._this_machine
        self._questions: queue.SimpleQueue[Future[Sequence[Device]] | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._open: Future[Sequence[Device]] | None = None
        self._last: Sequence[Device] = ()

    async def read(self, patience: float) -> Sequence[Device]:
        """Every GPU; after `patience` seconds those of the last answer, without figures and with the problem said."""
        if self._open is None:
            self._open = Future()
            self._start()
            self._questions.put(self._open)
        try:
            self._last = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._open)), patience)
        except TimeoutError:
            return self._silent(f"no answer for {patience:g} s")
        except Exception as error:  # noqa: BLE001 - whatever a driver's binding raises, the other meters go on
            self._open = None
            return self._silent(f"{type(error).__name__}: {error}")
        self._open = None
        return self._last

    def _silent(self, problem: str) -> Sequence[Device]:
        """The GPUs as they were last known, without figures; one unnamed where none answered yet."""
        known = self._last or (Device("cuda", 0, None, "nvml"),)
        return [Device(one.kind, one.index, one.name, one.source, problem=problem) for one in known]

    def close(self) -> None:
        """End the thread, if it ends."""
        if self._thread is not None:
            self._questions.put(None)
            self._thread.join(LEAVING)

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._answer, name=f"gpu-meters-{os.getpid()}", daemon=True)
            self._thread.start()

    def _answer(self) -> None:
        while (question := self._questions.get()) is not None:
            try:
                question.set_result(self._ask())
            except Exception as error:  # noqa: BLE001 - told to whoever asked
                question.set_exception(error)
        self._nvidia.close()

    def _this_machine(self) -> Sequence[Device]:
        found = self._nvidia.read()
        if found and not all(device.problem for device in found):
            return found
        counted = counted_by_torch(sys.modules.get("torch"))
        why = found[0].problem if found else ""
        return [replace(device, problem=why) for device in counted] or found
