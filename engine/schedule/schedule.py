"""The schedule's door: jobs that run by themselves, once a period, in whichever process of Proofsheet is open.

Relies on the store: a row (job, period) is claimed in a write transaction before anything is done, so of any number of
processes one does it. A machine that slept for five days does a daily job once, for today. A process that died in the
middle leaves a row whose owner is gone: the next look takes it over. A job that failed is tried again after RETRY, at
most ATTEMPTS times a period. Jobs come from the hallway; nothing here knows what they do.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa

from engine.clock import Clock, iso, parse_iso, utc_now
from engine.errors import ProofsheetError, UsageError
from engine.runs import Runs
from engine.runs.owner import Owner, is_alive, this_process
from engine.schedule.model import Job, JobRun, JobStatus
from engine.schedule.periods import next_beginning, period_of
from engine.settings import Settings
from engine.store import Store, upsert
from engine.store.schema.schedule import schedule_jobs, schedule_runs

LOOK_EVERY = 60.0  # seconds
BEAT_EVERY = 10.0  # seconds; another machine's job counts as left after three of them (runs.owner)
ATTEMPTS = 3
RETRY = timedelta(minutes=15)

_LOGGER = logging.getLogger("proofsheet.schedule")


class Schedule:
    """Jobs that run by themselves: daily, weekly, monthly; none missed, none twice."""

    def __init__(
        self, settings: Settings, store: Store, runs: Runs, jobs: Sequence[Job] = (), *, clock: Clock = utc_now
    ) -> None:
        self._settings = settings
        self._store = store
        self._runs = runs
        self._clock = clock
        self._jobs = {job.name: job for job in jobs}
        self._is_working = asyncio.Lock()

    async def watch(self, every: float = LOOK_EVERY) -> None:
        """Do what is due, look again every so often, until cancelled. A job that fails is a row, not an exception."""
        while True:
            try:
                await self.run_due()
            except ProofsheetError as error:
                _LOGGER.warning("the schedule could not be looked at: %s", error)
            await asyncio.sleep(every)

    async def run_due(self) -> list[JobRun]:
        """Do what is due now and is not being done elsewhere; what came of it."""
        done: list[JobRun] = []
        async with self._is_working:
            for job in self._jobs.values():
                period = period_of(job.every, self._clock(), self._settings.schedule_time)
                claim = await self._store.write(partial(self._claim_due, job, period))
                if claim is not None:
                    done.append(await self._carry_out(job, claim))
        return done

    async def run_now(self, name: str) -> JobRun:
        """Do a job at once, beside its periods. Raises UsageError for an unknown name; a failure is in the answer."""
        job = self._job(name)
        stamp = iso(self._clock())
        claim = await self._store.write(lambda connection: self._insert(connection, job.name, stamp, True))
        return await self._carry_out(job, claim)

    async def enable(self, name: str) -> JobStatus:
        """From the next period on, the job runs by itself."""
        return await self._switch(name, True)

    async def disable(self, name: str) -> JobStatus:
        """The job runs only when asked for."""
        return await self._switch(name, False)

    async def status(self) -> list[JobStatus]:
        """How every job stands."""
        return await self._store.read(lambda connection: [self._stand(connection, job) for job in self._jobs.values()])

    async def history(self, limit: int = 50) -> list[JobRun]:
        """The newest runs of every job, newest first."""
        query = sa.select(schedule_runs).order_by(schedule_runs.c.id.desc()).limit(limit)
        return await self._store.read(lambda connection: [_run(row) for row in connection.execute(query)])

    # -- inside -------------------------------------------------------------------------------------------------------

    def _job(self, name: str) -> Job:
        if name not in self._jobs:
            raise UsageError(f"there is no job '{name}'", remedy=f"There are: {', '.join(self._jobs)}.")
        return self._jobs[name]

    async def _switch(self, name: str, on: bool) -> JobStatus:
        job = self._job(name)
        now = self._clock()
        row = {
            "name": name,
            "is_enabled": on,
            "since": period_of(job.every, now, self._settings.schedule_time),
            "actor": self._settings.actor,
            "changed_at": iso(now),
        }

        def switch(connection: sa.Connection) -> JobStatus:
            kept = connection.execute(sa.select(schedule_jobs).where(schedule_jobs.c.name == name)).one_or_none()
            if kept is None or bool(kept.is_enabled) != on:
                update = ("is_enabled", "since", "actor", "changed_at")
                upsert(connection, schedule_jobs, [row], key=("name",), update=update)
            return self._stand(connection, job)

        return await self._store.write(switch)

    def _claim_due(self, job: Job, period: str, connection: sa.Connection) -> int | None:
        """The id of this period's row, ours now, when the job is due; else None."""
        state = connection.execute(sa.select(schedule_jobs).where(schedule_jobs.c.name == job.name)).one_or_none()
        if state is None:  # the first look of all: it begins with the next period
            row = {"name": job.name, "is_enabled": job.is_on, "since": period, "actor": self._settings.actor}
            upsert(connection, schedule_jobs, [{**row, "changed_at": iso(self._clock())}], key=("name",))
            return None
        if not state.is_enabled:
            return None
        newest = self._newest(connection, job)
        if newest is not None and newest.state == "running" and self._is_being_done(newest):
            return None  # elsewhere, since before midnight perhaps: the new period's turn comes when it is over
        if self._is_new(period, state.since, newest):
            self._give_up(connection, newest)
            return self._insert(connection, job.name, period, False)
        return self._left_behind(connection, newest)

    def _newest(self, connection: sa.Connection, job: Job) -> Any:
        """The row of the newest period that the job was begun in by itself, or None."""
        return connection.execute(
            sa.select(schedule_runs)
            .where(schedule_runs.c.job == job.name, schedule_runs.c.is_manual.is_(False))
            .order_by(schedule_runs.c.period.desc())
            .limit(1)
        ).one_or_none()

    def _is_new(self, period: str, since: str, newest: Any) -> bool:
        return period > max(since, newest.period if newest is not None else "")

    def _is_being_done(self, row: Any) -> bool:
        return is_alive(Owner(row.host, row.pid, row.boot_id), parse_iso(row.heartbeat_at), self._clock())

    def _give_up(self, connection: sa.Connection, row: Any) -> None:
        """What was left unfinished in an earlier period is not made up for: the new period's run does it all."""
        if row is not None and row.state == "running":
            values = {
                "state": "failed",
                "error": "its process ended before it was done",
                "finished_at": iso(self._clock()),
            }
            connection.execute(sa.update(schedule_runs).where(schedule_runs.c.id == row.id).values(**values))

    def _left_behind(self, connection: sa.Connection, row: Any) -> int | None:
        """The newest row, when its process is gone or its last attempt failed long enough ago; taken over."""
        if row is None or row.state == "done":
            return None
        now = self._clock()
        if row.state == "failed" and (row.attempts >= ATTEMPTS or now - parse_iso(row.finished_at) < RETRY):
            return None
        me = this_process()
        connection.execute(
            sa.update(schedule_runs)
            .where(schedule_runs.c.id == row.id)
            .values(
                state="running",
                attempts=row.attempts + 1,
                host=me.host,
                pid=me.pid,
                boot_id=me.boot_id,
                heartbeat_at=iso(now),
                finished_at=None,
                error=None,
            )
        )
        return int(row.id)

    def _insert(self, connection: sa.Connection, name: str, period: str, is_manual: bool) -> int:
        me, stamp = this_process(), iso(self._clock())
        made = connection.execute(
            sa.insert(schedule_runs)
            .values(
                job=name,
                period=period,
                is_manual=is_manual,
                state="running",
                attempts=1,
                host=me.host,
                pid=me.pid,
                boot_id=me.boot_id,
                heartbeat_at=stamp,
                started_at=stamp,
            )
            .returning(schedule_runs.c.id)
        )
        return int(made.scalar_one())

    async def _carry_out(self, job: Job, claim: int) -> JobRun:
        beating = asyncio.create_task(self._beat(claim))
        result: dict[str, Any] | None = None
        error: str | None = None
        try:
            result = dict(await job.work(self._clock()))
        except ProofsheetError as refused:
            error = str(refused)
        except Exception as unexpected:
            _LOGGER.exception("the job %s failed", job.name)
            error = f"unexpected {type(unexpected).__name__}: {unexpected}"
        finally:
            beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await beating
        return await self._finish(claim, result, error)

    async def _finish(self, claim: int, result: Mapping[str, Any] | None, error: str | None) -> JobRun:
        state = "failed" if error is not None else "done"

        def finish(connection: sa.Connection) -> JobRun:
            values = {"state": state, "result": result, "error": error, "finished_at": iso(self._clock())}
            connection.execute(sa.update(schedule_runs).where(schedule_runs.c.id == claim).values(**values))
            return _run(connection.execute(sa.select(schedule_runs).where(schedule_runs.c.id == claim)).one())

        return await self._store.write(finish, durable=True)

    async def _beat(self, claim: int) -> None:
        while True:
            await asyncio.sleep(BEAT_EVERY)
            beat = sa.update(schedule_runs).where(schedule_runs.c.id == claim).values(heartbeat_at=iso(self._clock()))
            await self._store.write(partial(_execute, beat))

    def _stand(self, connection: sa.Connection, job: Job) -> JobStatus:
        state = connection.execute(sa.select(schedule_jobs).where(schedule_jobs.c.name == job.name)).one_or_none()
        last = connection.execute(
            sa.select(schedule_runs)
            .where(schedule_runs.c.job == job.name)
            .order_by(schedule_runs.c.started_at.desc(), schedule_runs.c.id.desc())
            .limit(1)
        ).one_or_none()
        now, zone = self._clock(), self._settings.schedule_time
        period = period_of(job.every, now, zone)
        is_on = bool(state.is_enabled) if state is not None else job.is_on
        is_due = is_on and state is not None and self._is_new(period, state.since, self._newest(connection, job))
        next_at = now if is_due else next_beginning(job.every, now, zone)
        found = _run(last) if last is not None else None
        return JobStatus(job.name, job.title, job.every, is_on, is_due, iso(next_at) if is_on else None, found)


def _execute(statement: sa.Update, connection: sa.Connection) -> None:
    connection.execute(statement)


def _run(row: Any) -> JobRun:
    return JobRun(
        job=row.job,
        period=row.period,
        is_manual=bool(row.is_manual),
        state=row.state,
        attempts=row.attempts,
        started_at=row.started_at,
        finished_at=row.finished_at,
        result=row.result,
        error=row.error,
    )
