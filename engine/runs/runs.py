"""The runs' door: start, follow, stop and resume long work, here or in a process that outlives the terminal.

Relies on the store (one row a run, and its lease) and on the event log. The screen never talks to a worker:
it tails the log, as does another process or a later session. Work is registered by kind, so that a
detached process, or a resume tomorrow, finds it by name.
"""

from __future__ import annotations

import asyncio
import os
import secrets
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso, utc_now
from engine.errors import ProofsheetError, UsageError
from engine.runs import leases
from engine.runs.context import Work
from engine.runs.lanes import LaneName
from engine.runs.log import EventLog, read_events
from engine.runs.model import Progress, Run, RunEvent, RunFailed, RunState
from engine.runs.owner import this_process
from engine.runs.worker import Workers
from engine.store import Store
from engine.store.schema import runs
from engine.workspace import Workspace

LEAVING_SECONDS = 1.0
TAIL_SECONDS = 0.1


@dataclass(frozen=True)
class _Kind:
    work: Work
    lane: LaneName


class Runs:
    """Every run of one workspace, as this process sees them."""

    def __init__(
        self, workspace: Workspace, store: Store, *, seed: int = 0, workers: int = 0, clock: Clock = utc_now
    ) -> None:
        self._workspace = workspace
        self._store = store
        self._seed = seed
        self._clock = clock
        self._kinds: dict[str, _Kind] = {}
        self._workers = Workers(store, self.log_file, threads=workers or os.cpu_count() or 1, clock=clock)

    def register(self, kind: str, work: Work, lane: LaneName = "cpu") -> None:
        """Say what a kind of run does. Rooms call this once, when the engine wires them."""
        self._kinds[kind] = _Kind(work, lane)

    async def start(
        self, kind: str, params: Mapping[str, Any], *, project: str | None = None, detach: bool = False
    ) -> Run:
        """Begin a run and return at once. `detach` gives it a process of its own that outlives this one."""
        return await self._begin(kind, params, project, detach, self._seed, None)

    async def run(self, kind: str, params: Mapping[str, Any], *, project: str | None = None) -> Run:
        """Begin a run and wait for it. Raises RunFailed when it did not finish its work."""
        return await self.finished((await self.start(kind, params, project=project)).id)

    async def finished(self, run_id: str) -> Run:
        """The run once its work is done. Raises RunFailed when it ends in any other way."""
        run = await self.wait(run_id)
        if run.state is not RunState.DONE:
            raise RunFailed(run)
        return run

    async def wait(self, run_id: str) -> Run:
        """The run once it is over, wherever it runs."""
        active = self._workers.active(run_id)
        if active is not None:
            while not active.finished.is_set():
                await asyncio.to_thread(active.finished.wait, 0.2)
            return await self.get(run_id)
        while not (run := await self.get(run_id)).state.is_final:
            await asyncio.sleep(TAIL_SECONDS)
            await self.reap()
        return run

    async def resume(self, run_id: str, *, detach: bool = False) -> Run:
        """Take up an unfinished run from its checkpoint, as a new run. Raises UsageError when it cannot be."""
        run = await self.get(run_id)
        if not run.is_resumable:
            raise UsageError(f"run {run_id} is {run.state}; only an unfinished run can be resumed")
        return await self._begin(run.kind, run.params, run.project, detach, run.seed, run.id)

    async def cancel(self, run_id: str) -> Run:
        """Ask a run to stop at its next step, in whichever process it is; returns without waiting for it."""
        run = await self.get(run_id)
        if run.state.is_final:
            return run
        await self._store.write(
            lambda connection: connection.execute(
                sa.update(runs).where(runs.c.id == run_id).values(cancel_requested=True)
            )
        )
        active = self._workers.active(run_id)
        if active is not None:
            active.context.stop()
        await self.reap()
        return await self.get(run_id)

    async def detach(self, run_id: str) -> Run:
        """Hand a run of this process to one that outlives the terminal: it stops here and goes on there."""
        active = self._workers.active(run_id)
        if active is None:
            raise UsageError(f"run {run_id} is not a run of this process")
        active.leaving = True
        active.context.stop()
        run = await self.wait(run_id)
        return await self.resume(run_id, detach=True) if run.is_resumable else run

    async def list(self, limit: int = 50) -> list[Run]:
        """The newest runs, newest first."""
        await self.reap()
        query = sa.select(runs).order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(limit)
        return await self._store.read(lambda connection: [_run(row) for row in connection.execute(query)])

    async def get(self, run_id: str) -> Run:
        """One run. Raises UsageError when there is none of that id."""

        def find(connection: sa.Connection) -> Any:
            return connection.execute(sa.select(runs).where(runs.c.id == run_id)).one_or_none()

        row = await self._store.read(find)
        if row is None:
            raise UsageError(f"no run '{run_id}'", remedy="`proofsheet runs` lists them.")
        return _run(row)

    async def progress(self, run_id: str) -> Progress | None:
        """The last progress that a run told, or None."""
        for event in reversed(await self.events(run_id)):
            if event.type == "progress":
                return Progress(event.data["done"], event.data["total"], event.data["message"])
        return None

    async def events(self, run_id: str, offset: int = 0) -> Sequence[RunEvent]:
        """What the log holds from byte `offset` on."""
        return await asyncio.to_thread(read_events, self.log_file(run_id), offset)

    async def tail(self, run_id: str, offset: int = 0, *, follow: bool = True) -> AsyncIterator[RunEvent]:
        """Events from byte `offset` on, and with `follow` those to come until the run is over."""
        while True:
            over = (await self.get(run_id)).state.is_final  # asked before reading, so that the last lines are read
            for event in await self.events(run_id, offset):
                offset = event.next_offset
                yield event
            if over or not follow:
                return
            await asyncio.sleep(TAIL_SECONDS)
            await self.reap()

    def log_file(self, run_id: str) -> Path:
        """Where a run's events are."""
        return self._workspace.logs / f"{run_id}.jsonl"

    async def reap(self) -> None:
        """Mark runs whose process is gone as interrupted."""

        def mark(connection: sa.Connection) -> list[str]:
            gone = leases.orphans(connection, self._clock())
            leases.interrupt(connection, gone, self._clock())
            return gone

        if not await self._store.read(lambda connection: leases.orphans(connection, self._clock())):
            return
        for run_id in await self._store.write(mark):
            log = EventLog(self.log_file(run_id), clock=self._clock)
            log.append("state", {"state": RunState.INTERRUPTED, "reason": "its process ended"})
            log.close()

    async def execute_detached(self, run_id: str) -> Run:
        """In the process made for it: carry a recorded run out to its end."""
        run = await self.get(run_id)
        kind = self._kind(run.kind)
        await self._store.write(lambda connection: self._claim(connection, run_id))
        resumed = (await self.get(run.resumes)).checkpoint if run.resumes else None
        self._workers.launch(run, kind.work, kind.lane, resumed)
        return await self.wait(run_id)

    async def close(self, patience: float = LEAVING_SECONDS) -> None:
        """Stop what runs here at its next step and leave, after `patience` seconds at the latest."""
        await self._workers.close(patience)

    async def _begin(
        self, kind: str, params: Mapping[str, Any], project: str | None, detach: bool, seed: int, resumes: str | None
    ) -> Run:
        found = self._kind(kind)
        run_id = f"{self._clock().strftime('%Y%m%dT%H%M%S')}-{kind}-{secrets.token_hex(3)}"

        def record(connection: sa.Connection) -> Mapping[str, Any] | None:
            connection.execute(
                sa.insert(runs).values(
                    id=run_id,
                    kind=kind,
                    project=project,
                    state=RunState.QUEUED,
                    params=dict(params),
                    seed=seed,
                    created_at=iso(self._clock()),
                    detached=detach,
                    cancel_requested=False,
                    resumes=resumes,
                )
            )
            self._claim(connection, run_id)  # a detached one too, until its own process takes over
            if resumes is None:
                return None
            earlier = connection.execute(sa.select(runs.c.checkpoint).where(runs.c.id == resumes)).scalar_one()
            return dict(earlier) if earlier else None

        resumed = await self._store.write(record)
        if detach:
            await self._spawn(run_id)
        else:
            self._workers.launch(await self.get(run_id), found.work, found.lane, resumed)
        return await self.get(run_id)

    def _kind(self, kind: str) -> _Kind:
        if kind not in self._kinds:
            raise ProofsheetError(f"this version knows no runs of kind '{kind}'", remedy="Update Proofsheet.")
        return self._kinds[kind]

    def _claim(self, connection: sa.Connection, run_id: str) -> None:
        me = this_process()
        connection.execute(
            sa.update(runs)
            .where(runs.c.id == run_id)
            .values(host=me.host, pid=me.pid, boot_id=me.boot_id, started_at=iso(self._clock()))
        )

    async def _spawn(self, run_id: str) -> None:
        """A process in a session of its own, so that a hang-up of this terminal does not reach it."""
        errors = self.log_file(run_id).with_suffix(".stderr")
        errors.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "engine", str(self._workspace.root), run_id]
        try:
            with errors.open("ab") as stderr:
                child = await asyncio.to_thread(
                    subprocess.Popen,
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=stderr,
                    start_new_session=True,
                    close_fds=True,
                )
        except OSError as error:
            message = f"no process could be started for it: {error.strerror or error}"
            await self._store.write(
                lambda connection: connection.execute(
                    sa.update(runs)
                    .where(runs.c.id == run_id)
                    .values(state=RunState.FAILED, error=message, finished_at=iso(self._clock()))
                )
            )
            raise ProofsheetError(
                f"the run {run_id} did not start: {message}", remedy="Try without --detach."
            ) from error
        # The child's end is awaited by a thread, so that it leaves no zombie while this process lives.
        threading.Thread(target=child.wait, name=f"await-{run_id}", daemon=True).start()
        me = this_process()

        def note(connection: sa.Connection) -> None:
            connection.execute(
                sa.update(runs)
                .where(runs.c.id == run_id, runs.c.pid == me.pid)
                .values(host=me.host, pid=child.pid, boot_id=me.boot_id, started_at=iso(self._clock()))
            )

        await self._store.write(note)


def _run(row: Any) -> Run:
    return Run(
        id=row.id,
        kind=row.kind,
        project=row.project,
        state=RunState(row.state),
        params=row.params,
        result=row.result,
        error=row.error,
        checkpoint=row.checkpoint,
        seed=row.seed,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
        host=row.host,
        pid=row.pid,
        detached=bool(row.detached),
        resumes=row.resumes,
    )
