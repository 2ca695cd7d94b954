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
import time
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso, utc_now
from engine.errors import ProofsheetError, UsageError
from engine.runs import leases
from engine.runs.context import RunContext, Work
from engine.runs.lanes import LaneName, Lanes
from engine.runs.log import EventLog, read_events
from engine.runs.model import Progress, Run, RunCancelled, RunEvent, RunFailed, RunState
from engine.runs.owner import this_process
from engine.store import Store
from engine.store.schema import runs
from engine.workspace import Workspace

HEARTBEAT_SECONDS = 2.0
LISTEN_SECONDS = 0.25
LEAVING_SECONDS = 1.0
TAIL_SECONDS = 0.1


@dataclass(frozen=True)
class _Kind:
    work: Work
    lane: LaneName


@dataclass
class _Active:
    """A run under way in this process. `leaving` tells a stop by closing the app from one by the person."""

    context: RunContext
    log: EventLog
    finished: threading.Event
    leaving: bool = False


class Runs:
    """Every run of one workspace, as this process sees them."""

    def __init__(
        self, workspace: Workspace, store: Store, *, seed: int = 0, workers: int = 0, clock: Clock = utc_now
    ) -> None:
        self._workspace = workspace
        self._store = store
        self._seed = seed
        self._workers = workers or os.cpu_count() or 1
        self._clock = clock
        self._kinds: dict[str, _Kind] = {}
        self._lanes = Lanes()
        self._active: dict[str, _Active] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._listener: threading.Thread | None = None

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
        run = await self.wait((await self.start(kind, params, project=project)).id)
        if run.state is not RunState.DONE:
            raise RunFailed(run)
        return run

    async def wait(self, run_id: str) -> Run:
        """The run once it is over, wherever it runs."""
        with self._lock:
            active = self._active.get(run_id)
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
        with self._lock:
            active = self._active.get(run_id)
        if active is not None:
            active.context.stop()
        await self.reap()
        return await self.get(run_id)

    async def detach(self, run_id: str) -> Run:
        """Hand a run of this process to one that outlives the terminal: it stops here and goes on there."""
        with self._lock:
            active = self._active.get(run_id)
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
        self._launch(run, kind, resumed)
        return await self.wait(run_id)

    async def close(self, patience: float = LEAVING_SECONDS) -> None:
        """Stop what runs here at its next step and leave, after `patience` seconds at the latest."""
        with self._lock:
            active = list(self._active.values())
        for one in active:
            one.leaving = True
            one.context.stop()
        deadline = time.monotonic() + patience
        for one in active:
            await asyncio.to_thread(one.finished.wait, max(0.0, deadline - time.monotonic()))
        late = [one.context.id for one in active if not one.finished.is_set()]
        if late:
            await self._store.write(lambda connection: leases.interrupt(connection, late, self._clock()))
        self._closed.set()

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
            if not detach:
                self._claim(connection, run_id)
            if resumes is None:
                return None
            earlier = connection.execute(sa.select(runs.c.checkpoint).where(runs.c.id == resumes)).scalar_one()
            return dict(earlier) if earlier else None

        resumed = await self._store.write(record)
        if detach:
            await self._spawn(run_id)
        else:
            self._launch(await self.get(run_id), found, resumed)
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
        # The child's end is awaited by a thread, so that it leaves no zombie while this process lives.
        threading.Thread(target=child.wait, name=f"await-{run_id}", daemon=True).start()
        me = this_process()

        def note(connection: sa.Connection) -> None:
            connection.execute(
                sa.update(runs)
                .where(runs.c.id == run_id, runs.c.pid.is_(None))
                .values(host=me.host, pid=child.pid, boot_id=me.boot_id, started_at=iso(self._clock()))
            )

        await self._store.write(note)

    def _launch(self, run: Run, kind: _Kind, resumed: Mapping[str, Any] | None) -> None:
        log = EventLog(self.log_file(run.id), clock=self._clock)
        context = RunContext(
            run.id,
            run.params,
            log,
            seed=run.seed,
            resumed=resumed,
            workers=self._workers,
            save_checkpoint=lambda state: self._update(run.id, durable=True, checkpoint=dict(state)),
        )
        active = _Active(context, log, threading.Event())
        with self._lock:
            self._active[run.id] = active
            if self._listener is None:
                self._listener = threading.Thread(target=self._listen, name="runs-listener", daemon=True)
                self._listener.start()
        log.append("state", {"state": RunState.QUEUED, "kind": run.kind, "project": run.project, "seed": run.seed})
        self._lanes[kind.lane].put(lambda: self._carry_out(run, kind.work, active))

    def _carry_out(self, run: Run, work: Work, active: _Active) -> None:
        """In a lane's thread: the whole life of one run, whatever happens in it."""
        context, log = active.context, active.log
        state, result, error = RunState.FAILED, None, None
        try:
            self._take_lease(run, context)
            self._update(run.id, state=RunState.RUNNING, started_at=iso(self._clock()))
            log.append("state", {"state": RunState.RUNNING})
            result = work(context)
            state = RunState.DONE
        except RunCancelled:
            state = RunState.INTERRUPTED if active.leaving else RunState.CANCELLED
        except ProofsheetError as problem:
            error = str(problem)
        except Exception as problem:  # noqa: BLE001 - whatever went wrong belongs in the log, not on the screen
            error = f"{type(problem).__name__}: {problem}"
            context.log(traceback.format_exc(), level="error")
        finally:
            self._finish(run.id, active, state, result, error)

    def _finish(
        self, run_id: str, active: _Active, state: RunState, result: Mapping[str, Any] | None, error: str | None
    ) -> None:
        active.context.flush()
        active.log.append("state", {"state": state, **({"error": error} if error else {})})
        try:
            with self._store.writing(durable=True) as connection:
                # A run that close() gave up on stays interrupted, as the person was told.
                changed = connection.execute(
                    sa.update(runs)
                    .where(runs.c.id == run_id, runs.c.state.in_([RunState.QUEUED, RunState.RUNNING]))
                    .values(state=state, result=result, error=error, finished_at=iso(self._clock()))
                )
                if changed.rowcount:
                    leases.give_back(connection, run_id)
        except sa.exc.SQLAlchemyError as problem:
            active.log.append("log", {"level": "error", "message": f"the end could not be recorded: {problem}"})
        finally:
            active.log.close()
            with self._lock:
                self._active.pop(run_id, None)
            active.finished.set()

    def _take_lease(self, run: Run, context: RunContext) -> None:
        key = f"{run.kind}:{(run.project or '*').casefold()}"
        told = None
        while True:
            context.check()
            with self._store.writing() as connection:
                holder = leases.take(connection, key, run.id, self._clock())
            if holder is None:
                return
            if holder != told:
                context.log(f"waiting for run {holder}")
                told = holder
            context.wait(LISTEN_SECONDS)

    def _update(self, run_id: str, *, durable: bool = False, **values: Any) -> None:
        with self._store.writing(durable=durable) as connection:
            connection.execute(sa.update(runs).where(runs.c.id == run_id).values(**values))

    def _listen(self) -> None:
        """In a thread of its own: heartbeats, cancel requests of other processes, progress held back too long."""
        last_beat = 0.0
        asked = sa.select(runs.c.id).where(runs.c.cancel_requested.is_(True))
        while not self._closed.wait(LISTEN_SECONDS):
            with self._lock:
                active = dict(self._active)
            if not active:
                continue
            try:
                with self._store.reading() as connection:
                    cancelled = set(connection.execute(asked.where(runs.c.id.in_(active))).scalars())
                if time.monotonic() - last_beat >= HEARTBEAT_SECONDS:
                    with self._store.writing() as connection:
                        leases.beat(connection, list(active), self._clock())
                    last_beat = time.monotonic()
            except sa.exc.SQLAlchemyError as problem:
                for one in active.values():
                    one.log.append("log", {"level": "warning", "message": f"no heartbeat: {problem}"})
                continue
            for run_id, one in active.items():
                one.context.flush()
                if run_id in cancelled:
                    one.context.stop()


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
