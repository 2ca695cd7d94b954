"""The worker's side of a run: its whole life in a lane's thread, its lease and heartbeat, its end in the store.

Relies on lanes, leases, the event log and the store. Nobody talks to a worker: it is asked to stop, and tells its
log. Whatever happens in the work ends up in the log and in the run's row, never on a screen.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso
from engine.errors import ProofsheetError
from engine.logs import runlog
from engine.logs.errors import ErrorLog, of_exception
from engine.runs import leases
from engine.runs.context import RunContext, Work
from engine.runs.lanes import LaneName, Lanes
from engine.runs.log import EventLog, read_events
from engine.runs.model import Run, RunCancelled, RunState
from engine.store import Store
from engine.store.schema import runs

HEARTBEAT_SECONDS = 2.0
LISTEN_SECONDS = 0.25


@dataclass
class Active:
    """A run under way in this process. `leaving` tells a stop by closing the app from one by the person."""

    context: RunContext
    log: EventLog
    finished: threading.Event
    leaving: bool = False


class Workers:
    """The runs under way in this process."""

    def __init__(self, store: Store, log_file: Callable[[str], Path], *, threads: int, clock: Clock) -> None:
        """`threads` is what one run may use for itself (`RunContext.map`)."""
        self._store = store
        self._log_file = log_file
        self._threads = threads
        self._clock = clock
        self._lanes = Lanes()
        self._active: dict[str, Active] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._listener: threading.Thread | None = None

    def active(self, run_id: str) -> Active | None:
        """The run, if it is under way here."""
        with self._lock:
            return self._active.get(run_id)

    def stop_all(self) -> list[Active]:
        """Ask every run here to stop at its next step, because the process is being left."""
        with self._lock:
            active = list(self._active.values())
        for one in active:
            one.leaving = True
            one.context.stop()
        return active

    async def close(self, patience: float) -> None:
        """Stop everything and wait, `patience` seconds at the most; what is deaf is marked as interrupted."""
        active = self.stop_all()
        deadline = time.monotonic() + patience
        for one in active:
            await asyncio.to_thread(one.finished.wait, max(0.0, deadline - time.monotonic()))
        late = [one.context.id for one in active if not one.finished.is_set()]
        if late:
            await self._store.write(lambda connection: leases.interrupt(connection, late, self._clock()))
        self._closed.set()

    def launch(self, run: Run, work: Work, lane: LaneName, resumed: Mapping[str, Any] | None) -> None:
        """Queue a run in its lane; `resumed` is the checkpoint that it starts from."""
        log = EventLog(self._log_file(run.id), clock=self._clock)
        context = RunContext(
            run.id,
            run.params,
            log,
            seed=run.seed,
            resumed=resumed,
            workers=self._threads,
            save_checkpoint=lambda state: self._update(run.id, durable=True, checkpoint=dict(state)),
        )
        active = Active(context, log, threading.Event())
        with self._lock:
            self._active[run.id] = active
            if self._listener is None:
                self._listener = threading.Thread(target=self._listen, name="runs-listener", daemon=True)
                self._listener.start()
        log.append("state", {"state": RunState.QUEUED, "kind": run.kind, "project": run.project, "seed": run.seed})
        self._lanes[lane].put(lambda: self._carry_out(run, work, active))

    def _carry_out(self, run: Run, work: Work, active: Active) -> None:
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
            self._record(run, problem)
        finally:
            self._finish(run.id, active, state, result, error)

    def _finish(
        self, run_id: str, active: Active, state: RunState, result: Mapping[str, Any] | None, error: str | None
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
            self._write_logs(run_id)
            active.log.close()
            with self._lock:
                self._active.pop(run_id, None)
            active.finished.set()

    def _record(self, run: Run, problem: BaseException) -> None:
        """An unexpected error, as data, for `errors.jsonl`; a disk that will not take it costs the record alone."""
        file = self._log_file(run.id).with_name("errors.jsonl")
        with contextlib.suppress(OSError):
            ErrorLog(file, clock=self._clock).append([of_exception(problem, run=run.id, operation=run.kind)])

    def _write_logs(self, run_id: str) -> None:
        """The run's log for people, for programs, and its summary; the event log says when they cannot be written."""
        file = self._log_file(run_id)
        try:
            with self._store.reading() as connection:
                row = connection.execute(sa.select(runs).where(runs.c.id == run_id)).one()
            events = [{"at": one.at, "type": one.type, "data": one.data} for one in read_events(file)]
            runlog.write(file.parent, dict(row._mapping), events)
        except (OSError, sa.exc.SQLAlchemyError) as problem:
            with self._lock:
                active = self._active.get(run_id)
            if active:
                active.log.append("log", {"level": "warning", "message": f"no log files: {problem}"})

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
