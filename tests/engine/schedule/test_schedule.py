"""The schedule: once a period whatever happens, in whichever process, on a clock of the test's."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ProofsheetError, UsageError
from engine.runs import Runs
from engine.schedule import Job, Schedule
from engine.schedule.periods import next_beginning, period_of
from engine.schedule.schedule import ATTEMPTS, RETRY
from engine.settings import Settings
from engine.store import Store
from engine.store.schema.schedule import schedule_runs
from engine.workspace import Workspace

MONDAY = datetime(2040, 11, 19, 9, 0, tzinfo=UTC)  # after this process began: an older owner would be another's


class Hours:
    """A clock that goes as far as the test says."""

    def __init__(self) -> None:
        self.now = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def go(self, **by: float) -> None:
        self.now += timedelta(**by)


class Desk:
    """A schedule with a daily, a weekly and a monthly job that count."""

    def __init__(self, workspace: Workspace, store: Store, hours: Hours, zone: str = "utc") -> None:
        self.done: list[str] = []
        self.failure: Exception | None = None
        self.gate: asyncio.Event | None = None
        jobs = [
            Job("daily", "d", "day", self._work("daily")),
            Job("weekly", "w", "week", self._work("weekly")),
            Job("monthly", "m", "month", self._work("monthly"), is_on=False),
        ]
        settings = Settings(actor="me", schedule_time=zone)
        self.schedule = Schedule(settings, store, Runs(workspace, store), jobs, clock=hours)

    def _work(self, name: str):
        async def work(_now: datetime) -> Mapping[str, Any]:
            if self.gate is not None:
                await self.gate.wait()
            if self.failure is not None:
                raise self.failure
            self.done.append(name)
            return {"count": len(self.done)}

        return work

    async def look(self) -> list[str]:
        return [run.job for run in await self.schedule.run_due()]


@pytest.fixture
def hours() -> Hours:
    return Hours()


@pytest.fixture
def desk(workspace: Workspace, store: Store, hours: Hours) -> Desk:
    return Desk(workspace, store, hours)


async def test_a_new_workspace_begins_with_the_next_period(desk: Desk, hours: Hours) -> None:
    assert await desk.look() == [] and await desk.look() == []
    hours.go(days=1)
    assert await desk.look() == ["daily"]
    hours.go(days=6)
    assert await desk.look() == ["daily", "weekly"]


async def test_once_a_period_however_often_one_looks(desk: Desk, hours: Hours) -> None:
    await desk.look()
    for _ in range(48):
        hours.go(hours=1)
        await desk.look()
    assert desk.done == ["daily", "daily"]


async def test_a_machine_that_slept_catches_up_once(desk: Desk, hours: Hours) -> None:
    await desk.look()
    hours.go(days=23)
    assert sorted(await desk.look()) == ["daily", "weekly"]
    assert await desk.look() == []
    hours.go(days=1)
    assert await desk.look() == ["daily"]


async def test_a_clock_that_is_set_back_brings_nothing_twice(desk: Desk, hours: Hours) -> None:
    await desk.look()
    hours.go(days=2)
    assert await desk.look() == ["daily"]
    hours.go(days=-1)
    assert await desk.look() == []
    hours.go(days=1)
    assert await desk.look() == []


async def test_two_processes_do_it_once(workspace: Workspace, hours: Hours) -> None:
    stores = [Store.open(workspace.database_file) for _ in range(2)]
    desks = [Desk(workspace, store, hours) for store in stores]
    await desks[0].look()
    for _ in range(5):
        hours.go(days=1)
        await asyncio.gather(*(desk.look() for desk in desks))
    assert sum(desk.done.count("daily") for desk in desks) == 5
    for store in stores:
        store.close()


async def test_what_a_killed_process_left_is_taken_up(desk: Desk, hours: Hours, store: Store) -> None:
    await desk.look()
    hours.go(days=1)
    await desk.look()
    gone = {"state": "running", "pid": 2**22 + 1, "finished_at": None, "result": None}
    with store.writing() as connection:
        connection.execute(sa.update(schedule_runs).values(**gone))
    assert await desk.look() == ["daily"]
    last = (await desk.schedule.history())[0]
    assert (last.state, last.attempts, last.period) == ("done", 2, "2040-11-20")


async def test_what_was_left_in_an_earlier_period_is_not_done_beside_the_new_one(
    desk: Desk, hours: Hours, store: Store
) -> None:
    await desk.look()
    hours.go(days=1)
    await desk.look()
    with store.writing() as connection:
        connection.execute(sa.update(schedule_runs).values(state="running", pid=2**22 + 1, finished_at=None))
    hours.go(days=1)
    assert await desk.look() == ["daily"] and await desk.look() == []
    newest, left = await desk.schedule.history()
    assert (newest.period, newest.state, newest.attempts) == ("2040-11-21", "done", 1)
    assert (left.period, left.state, left.error) == ("2040-11-20", "failed", "its process ended before it was done")


async def test_a_new_period_waits_for_what_is_still_being_done(desk: Desk, hours: Hours) -> None:
    await desk.look()
    hours.go(hours=15)  # midnight
    desk.gate = asyncio.Event()
    doing = asyncio.create_task(desk.schedule.run_due())
    while not await desk.schedule.history():
        await asyncio.sleep(0.01)
    desk.schedule._is_working = asyncio.Lock()  # as another process would come
    hours.go(days=1)
    assert await desk.look() == []
    desk.gate.set()
    await doing
    assert await desk.look() == ["daily"]


async def test_what_another_process_is_doing_is_left_to_it(desk: Desk, hours: Hours) -> None:
    await desk.look()
    hours.go(days=1)
    desk.gate = asyncio.Event()
    doing = asyncio.create_task(desk.schedule.run_due())
    while not await desk.schedule.history():
        await asyncio.sleep(0.01)
    other = desk.schedule
    other._is_working = asyncio.Lock()  # as another process would come
    assert await other.run_due() == []
    desk.gate.set()
    assert [run.job for run in await doing] == ["daily"]


async def test_a_failure_is_kept_and_tried_again_later_a_few_times(desk: Desk, hours: Hours) -> None:
    await desk.look()
    hours.go(days=1)
    desk.failure = ProofsheetError("the disk is full", remedy="Free some room.")
    assert await desk.look() == ["daily"] and await desk.look() == []
    for _ in range(10):
        hours.go(seconds=RETRY.total_seconds() + 1)
        await desk.look()
    last = (await desk.schedule.history())[0]
    assert (last.state, last.attempts) == ("failed", ATTEMPTS) and "the disk is full" in (last.error or "")
    desk.failure = ZeroDivisionError("no")
    hours.go(days=1)
    assert await desk.look() == ["daily"]
    assert "unexpected ZeroDivisionError" in ((await desk.schedule.history())[0].error or "")
    desk.failure = None
    hours.go(hours=1)
    assert await desk.look() == ["daily"] and desk.done == ["daily"]


async def test_switching_off_and_on(desk: Desk, hours: Hours) -> None:
    await desk.look()
    off = await desk.schedule.disable("daily")
    assert not off.is_enabled and off.next_at is None
    hours.go(days=5)
    assert await desk.look() == []
    on = await desk.schedule.enable("daily")
    assert on.is_enabled and on.next_at == "2040-11-25T00:00:00.000000Z"
    assert await desk.look() == [], "it begins with the next day, not with the days that it was off"
    hours.go(days=1)
    assert await desk.look() == ["daily"]
    hours.go(days=1)
    await desk.schedule.enable("daily")
    assert "daily" in await desk.look(), "switching on what is on changes nothing"


async def test_what_is_off_from_the_start_can_be_switched_on(desk: Desk, hours: Hours) -> None:
    await desk.look()
    await desk.schedule.enable("monthly")
    hours.go(days=15)
    assert "monthly" in await desk.look()


async def test_asked_for_it_runs_now_and_its_period_stays(desk: Desk, hours: Hours) -> None:
    await desk.look()
    hours.go(days=1)
    run = await desk.schedule.run_now("daily")
    assert run.is_manual and run.state == "done" and run.result == {"count": 1}
    assert await desk.look() == ["daily"]
    with pytest.raises(UsageError, match="no job 'nope'"):
        await desk.schedule.run_now("nope")


async def test_the_status_says_what_is_due(desk: Desk, hours: Hours) -> None:
    await desk.look()
    hours.go(days=1)
    found = {one.name: one for one in await desk.schedule.status()}
    assert found["daily"].is_due and found["daily"].next_at == "2040-11-20T09:00:00.000000Z"
    assert not found["weekly"].is_due and found["weekly"].next_at == "2040-11-26T00:00:00.000000Z"
    assert found["monthly"].next_at is None
    await desk.look()
    found = {one.name: one for one in await desk.schedule.status()}
    assert found["daily"].last is not None and found["daily"].last.state == "done"


async def test_the_watch_looks_again_and_again(desk: Desk, hours: Hours) -> None:
    await desk.look()
    watching = asyncio.create_task(desk.schedule.watch(0.01))
    hours.go(days=1)
    while not desk.done:
        await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert desk.done == ["daily"]


# -- periods --------------------------------------------------------------------------------------------------------


@pytest.fixture
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as place:
        place.setenv("TZ", "Europe/Berlin")
        time.tzset()
        yield
    time.tzset()


def test_the_keys_of_a_moment() -> None:
    moment = datetime(2027, 1, 1, 23, 30, tzinfo=UTC)
    assert [period_of(every, moment, "utc") for every in ("day", "week", "month")] == [
        "2027-01-01",
        "2026-W53",
        "2027-01",
    ]


def test_a_local_day_begins_at_local_midnight_through_both_changes_of_the_hour(berlin) -> None:
    assert period_of("day", datetime(2026, 11, 16, 23, 30, tzinfo=UTC), "local") == "2026-11-17"
    for first, hours_long in (
        (datetime(2026, 3, 28, 23, tzinfo=UTC), 23),
        (datetime(2026, 10, 24, 22, tzinfo=UTC), 25),
    ):
        assert next_beginning("day", first, "local") - first == timedelta(hours=hours_long)
        keys = {period_of("day", first + timedelta(minutes=m), "local") for m in range(0, hours_long * 60, 10)}
        assert len(keys) == 1


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(["day", "week", "month"]),
)
def test_the_next_period_begins_where_this_one_ends(moment: datetime, every: Any) -> None:
    following = next_beginning(every, moment, "utc")
    assert period_of(every, following, "utc") > period_of(every, moment, "utc")
    assert period_of(every, following - timedelta(microseconds=1), "utc") == period_of(every, moment, "utc")
