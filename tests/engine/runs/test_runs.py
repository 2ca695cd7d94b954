"""Runs: told by their log, stopped at a step, resumed from a checkpoint, never two of a kind at once."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from engine.errors import ProofsheetError, UsageError
from engine.runs import RunContext, RunFailed, Runs, RunState
from engine.runs.log import EventLog, read_events
from engine.store import Store
from engine.store.schema import leases
from engine.store.schema import runs as runs_table
from engine.workspace import Workspace


@pytest.fixture
async def runs(workspace: Workspace, store: Store) -> AsyncIterator[Runs]:
    opened = Runs(workspace, store, workers=2)
    yield opened
    await opened.close()


def counting(steps: int, pause: float = 0.002) -> Callable[[RunContext], dict[str, Any]]:
    """Work of `steps` steps that starts where a checkpoint left off."""

    def work(run: RunContext) -> dict[str, Any]:
        start = run.resumed["step"] if run.resumed else 0
        for step in range(start, steps):
            run.check()
            run.progress(step + 1, steps, "counting")
            run.metric(step, loss=1 / (step + 1))
            run.checkpoint({"step": step + 1}) if step % 50 == 0 else None
            run.wait(pause)
        run.progress(steps, steps)
        return {"started_at_step": start, "steps": steps}

    return work


async def started(runs: Runs, run_id: str) -> None:
    while (await runs.get(run_id)).state is RunState.QUEUED:
        await asyncio.sleep(0.01)


async def test_a_run_tells_its_progress_at_most_ten_times_a_second(runs: Runs) -> None:
    runs.register("count", counting(300))
    begun = time.monotonic()
    run = await runs.run("count", {"why": "a test"})
    seconds = time.monotonic() - begun
    assert run.result == {"started_at_step": 0, "steps": 300}
    events = await runs.events(run.id)
    progress = [event for event in events if event.type == "progress"]
    assert progress[-1].data["done"] == 300
    assert 2 <= len(progress) <= seconds * 10 + 8  # each of the 6 checkpoints writes what was held back
    points = [point for event in events if event.type == "metric" for point in event.data["points"]]
    assert [point["step"] for point in points] == list(range(300)), "no point of a curve is lost"
    assert [event.seq for event in events] == list(range(len(events)))


async def test_a_run_is_tailed_from_any_point_until_it_is_over(runs: Runs) -> None:
    runs.register("count", counting(100))
    run = await runs.start("count", {})
    seen = [event async for event in runs.tail(run.id)]
    assert seen[0].data["state"] == "queued"
    assert seen[-1].data["state"] == "done"
    rest = [event async for event in runs.tail(run.id, seen[2].next_offset)]
    assert [event.seq for event in rest] == [event.seq for event in seen[3:]]


async def test_cancel_takes_one_step_and_resume_goes_on_from_the_checkpoint(runs: Runs) -> None:
    runs.register("count", counting(400, pause=0.005))
    run = await runs.start("count", {})
    while not (await runs.get(run.id)).checkpoint or (await runs.get(run.id)).checkpoint["step"] < 51:
        await asyncio.sleep(0.01)
    asked = time.monotonic()
    await runs.cancel(run.id)
    stopped = await runs.wait(run.id)
    assert time.monotonic() - asked < 0.5
    assert stopped.state is RunState.CANCELLED
    again = await runs.wait((await runs.resume(run.id)).id)
    assert again.state is RunState.DONE
    assert again.resumes == run.id
    assert again.result["started_at_step"] >= 51


async def test_leaving_interrupts_within_a_second_even_when_the_work_is_deaf(
    workspace: Workspace, store: Store
) -> None:
    runs = Runs(workspace, store)
    released = asyncio.Event()
    loop = asyncio.get_running_loop()

    def deaf(run: RunContext) -> dict[str, Any]:
        asyncio.run_coroutine_threadsafe(released.wait(), loop).result()
        return {}

    runs.register("deaf", deaf)
    runs.register("count", counting(10_000))
    slow, quick = await runs.start("deaf", {}), await runs.start("count", {})
    await started(runs, slow.id)
    await started(runs, quick.id)
    begun = time.monotonic()
    await runs.close()
    assert time.monotonic() - begun < 1.5
    assert {(await runs.get(one.id)).state for one in (slow, quick)} == {RunState.INTERRUPTED}
    assert (await runs.get(quick.id)).is_resumable
    released.set()


async def test_a_failure_is_told_in_words_and_kept_whole_in_the_log(runs: Runs) -> None:
    def refusing(run: RunContext) -> dict[str, Any]:
        raise ProofsheetError("the folder is gone", remedy="Bring it back.")

    def broken(run: RunContext) -> dict[str, Any]:
        raise ValueError("an accident")

    runs.register("refusing", refusing)
    runs.register("broken", broken)
    with pytest.raises(RunFailed, match="the folder is gone\n  Bring it back"):
        await runs.run("refusing", {})
    failed = await runs.wait((await runs.start("broken", {})).id)
    assert failed.error == "ValueError: an accident"
    assert any("Traceback" in str(event.data) for event in await runs.events(failed.id))


async def test_two_of_a_kind_on_one_project_take_turns_and_others_do_not_wait(runs: Runs) -> None:
    at_work: list[str] = []
    together: list[tuple[str, ...]] = []

    def work(run: RunContext) -> dict[str, Any]:
        at_work.append(run.params["name"])
        for _ in range(20):
            together.append(tuple(at_work))
            run.wait(0.005)
        at_work.remove(run.params["name"])
        return {}

    runs.register("train", work)
    begun = [
        await runs.start("train", {"name": name}, project=project)
        for name, project in (("a1", "A"), ("a2", "a"), ("b", "b"))
    ]
    for run in begun:
        assert (await runs.wait(run.id)).state is RunState.DONE
    assert not any({"a1", "a2"} <= set(names) for names in together), "the same project, whatever its case"
    assert any({"a1", "b"} <= set(names) or {"a2", "b"} <= set(names) for names in together)


async def test_map_keeps_order_and_hands_on_the_error_of_an_item(runs: Runs) -> None:
    def work(run: RunContext) -> dict[str, Any]:
        return {"squares": list(run.map(lambda number: number**2, range(50)))}

    def failing(run: RunContext) -> dict[str, Any]:
        return {"inverses": list(run.map(lambda number: 1 / number, [2, 1, 0]))}

    runs.register("map", work)
    runs.register("failing", failing)
    assert (await runs.run("map", {})).result["squares"] == [number**2 for number in range(50)]
    with pytest.raises(RunFailed, match="ZeroDivisionError"):
        await runs.run("failing", {})


async def test_an_unknown_run_or_kind_is_named(runs: Runs) -> None:
    with pytest.raises(UsageError, match="no run 'x'"):
        await runs.get("x")
    with pytest.raises(ProofsheetError, match="kind 'nothing'"):
        await runs.start("nothing", {})
    runs.register("count", counting(1))
    done = await runs.run("count", {})
    with pytest.raises(UsageError, match="only an unfinished run"):
        await runs.resume(done.id)


_OTHER = """
import asyncio, sys
from pathlib import Path
from engine.runs import Runs
from engine.store import Store
from engine.workspace import Workspace

def work(run):
    for step in range(10_000):
        run.check()
        run.progress(step, 10_000)
        if step == 20:
            run.checkpoint({"step": step})
            print(run.id, flush=True)
        run.wait(0.005)
    return {}

async def main():
    workspace = Workspace.init(Path(sys.argv[1]))
    runs = Runs(workspace, Store.open(workspace.database_file))
    runs.register("count", work)
    run = await runs.start("count", {})
    print((await runs.wait(run.id)).state, flush=True)

asyncio.run(main())
"""


def other_process(workspace: Workspace) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen([sys.executable, "-c", _OTHER, str(workspace.root)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


async def test_a_run_in_another_process_is_followed_and_cancelled_from_here(workspace: Workspace, runs: Runs) -> None:
    process, run_id = other_process(workspace)
    assert (await runs.progress(run_id)).total == 10_000
    await runs.cancel(run_id)
    assert (await runs.wait(run_id)).state is RunState.CANCELLED
    assert process.stdout is not None
    assert process.stdout.read().strip() == "cancelled"
    process.wait()


async def test_a_killed_process_leaves_an_interrupted_run_that_resumes_here_at_once(
    workspace: Workspace, runs: Runs, store: Store
) -> None:
    process, run_id = other_process(workspace)
    with store.reading() as connection:
        assert connection.execute(sa.select(leases.c.pid)).scalar() == process.pid
    process.send_signal(signal.SIGKILL)
    process.wait()
    runs.register("count", counting(60, pause=0))
    [listed] = await runs.list()
    assert (listed.id, listed.state) == (run_id, RunState.INTERRUPTED)
    begun = time.monotonic()
    again = await runs.wait((await runs.resume(run_id)).id)
    assert again.result == {"started_at_step": 20, "steps": 60}
    assert time.monotonic() - begun < 5, "a dead local owner's lease is taken over at once"


async def test_a_detached_run_that_cannot_be_started_has_failed_and_says_so(
    runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    runs.register("count", counting(1))
    with pytest.raises(ProofsheetError, match="no process could be started"):
        await runs.start("count", {}, detach=True)
    [run] = await runs.list()
    assert run.state is RunState.FAILED
    assert (await runs.wait(run.id)).error


async def test_a_detached_run_whose_starter_died_before_starting_it_waits_for_nobody(
    runs: Runs, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs.register("count", counting(1))

    async def killed_here(_run_id: str) -> None:
        with store.writing() as connection:
            connection.execute(sa.update(runs_table).values(pid=2**22 + 1))  # a process that cannot be

    monkeypatch.setattr(runs, "_spawn", killed_here)
    run = await runs.start("count", {}, detach=True)
    assert (await runs.wait(run.id)).state is RunState.INTERRUPTED


async def test_a_remote_owner_is_given_thirty_seconds(workspace: Workspace, runs: Runs, store: Store) -> None:
    from datetime import timedelta

    from engine.clock import iso, utc_now

    async def left_by_a_remote(age: float) -> str:
        run_id = f"remote-{age}"
        at = iso(utc_now() - timedelta(seconds=age))
        far = {"host": "elsewhere", "pid": 1, "boot_id": "x"}
        with store.writing() as connection:
            connection.execute(
                sa.insert(runs_table).values(
                    id=run_id, kind="count", state="running", params={}, seed=0, created_at=at, started_at=at,
                    detached=False, cancel_requested=False, **far,
                )
            )  # fmt: skip
            connection.execute(sa.insert(leases).values(key=f"k{age}", run_id=run_id, heartbeat_at=at, **far))
        return run_id

    lately, long_ago = await left_by_a_remote(5), await left_by_a_remote(31)
    await runs.reap()
    assert (await runs.get(lately)).state is RunState.RUNNING
    assert (await runs.get(long_ago)).state is RunState.INTERRUPTED


def test_a_torn_last_line_is_passed_over_and_closed_off(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    log = EventLog(file)
    log.append("log", {"message": "one"})
    log.close()
    with file.open("ab") as torn:
        torn.write(b'{"seq": 1, "at": "2026')
    assert [event.seq for event in read_events(file)] == [0]
    log = EventLog(file)
    log.append("log", {"message": "two"})
    log.close()
    assert [event.data["message"] for event in read_events(file)] == ["one", "two"]
    assert all(json.loads(line) for line in file.read_text().splitlines() if line.endswith("}"))
