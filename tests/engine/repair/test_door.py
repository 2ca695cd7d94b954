"""The repair room's door, on a store: logs counted once, groups merged and split, and remembered."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from engine.clock import utc_now
from engine.engine import Engine
from engine.errors import UsageError
from engine.logs.errors import ErrorLog, ErrorRecord
from engine.repair import grouping, groups
from engine.runs import RunContext
from engine.store.schema import models
from engine.workspace import Workspace
from tests.engine.repair.workshop import log as log_of
from tests.engine.repair.workshop import project, with_patterns

TRACEBACK = """Traceback (most recent call last):
  File "/srv/app/stats.py", line {line}, in mean
    return total / {name}
ZeroDivisionError: division by zero

"""


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    async with Engine.open(Workspace.init(tmp_path / "work")) as opened:
        yield opened


async def test_a_log_is_counted_once_and_read_on_when_it_grows(engine: Engine, tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text(TRACEBACK.format(line=3, name="count") * 2)
    first = await engine.repair.ingest([log])
    assert (first.records, len(first.groups), first.skipped) == (2, 1, ())
    assert (await engine.repair.ingest([log])).records == 0
    with log.open("a") as file:
        file.write(TRACEBACK.format(line=9, name="count"))
    assert (await engine.repair.ingest([log])).records == 1
    (group,) = await engine.repair.groups(with_samples=True)
    assert (group.count, group.runs, group.function) == (3, 1, "mean")
    assert len(group.samples) == 3
    assert not group.is_recurring


async def test_three_errors_in_two_runs_recur(engine: Engine, tmp_path: Path) -> None:
    for name, times in (("a.log", 2), ("b.log", 1)):
        (tmp_path / name).write_text(TRACEBACK.format(line=3, name="count") * times)
    await engine.repair.ingest([tmp_path / "a.log", tmp_path / "b.log"])
    (group,) = await engine.repair.groups()
    assert (group.count, group.runs, group.is_recurring, group.trend) == (3, 2, True, "new")
    assert not replace(group, rule=(4, 2)).is_recurring
    assert replace(group, count=2, runs=1, rule=(2, 1)).is_recurring


async def test_the_settings_say_from_when_an_error_recurs(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(TRACEBACK.format(line=3, name="count"))
    flags = {"recurring_events": 1, "recurring_runs": 1}
    async with Engine.open(Workspace.init(tmp_path / "work"), flags=flags) as engine:
        await engine.repair.ingest([tmp_path / "a.log"])
        (group,) = await engine.repair.groups()
        assert group.is_recurring


async def test_a_merge_holds_for_errors_to_come(engine: Engine, tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    log.write_text(TRACEBACK.format(line=3, name="count") + TRACEBACK.format(line=3, name="size"))
    await engine.repair.ingest([log])
    one, other = await engine.repair.groups()
    await engine.repair.merge([one.id], other.id)
    with log.open("a") as file:
        file.write(TRACEBACK.format(line=3, name="count") + TRACEBACK.format(line=3, name="size"))
    await engine.repair.ingest([log])
    (group,) = await engine.repair.groups()
    assert (group.id, group.count) == (other.id, 4)


async def test_a_split_tells_errors_apart_from_now_on(engine: Engine, tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    raised = 'Traceback (most recent call last):\n  File "a.py", line 1, in go\n    raise Bad(why)\nBadError: {}\n\n'
    log.write_text(raised.format("no room") + raised.format("no light"))
    await engine.repair.ingest([log])
    (group,) = await engine.repair.groups()
    await engine.repair.split(group.id)
    with log.open("a") as file:
        file.write(raised.format("no room") + raised.format("no light"))
    await engine.repair.ingest([log])
    assert len(await engine.repair.groups()) == 3


async def test_unknown_groups_and_missing_logs_are_told(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no group"):
        await engine.repair.merge(["v1-nothing"], "v1-none")
    with pytest.raises(UsageError, match="there is no file"):
        await engine.repair.ingest([tmp_path / "none.log"])


async def test_a_run_that_fails_leaves_its_logs_and_an_error_record(engine: Engine) -> None:
    def work(context: object) -> dict[str, object]:
        raise ValueError("no such luck, api_key=abc123")

    engine.runs.register("doomed", work)
    run = await engine.runs.wait((await engine.runs.start("doomed", {})).id)
    folder = engine.workspace.logs
    summary = json.loads((folder / f"{run.id}_summary.json").read_text())
    assert (summary["state"], summary["errors"]) == ("failed", {"ValueError": 1})
    assert "doomed failed" in (folder / f"{run.id}.log").read_text()
    events = json.loads((folder / f"{run.id}.json").read_text())
    assert events[0]["event"] == "state"
    assert "abc123" not in (folder / "errors.jsonl").read_text()
    (group,) = await engine.repair.groups(with_samples=True)
    assert (group.type, group.function, group.count) == ("ValueError", "work", 1)
    assert group.samples[0].frames[-1].code.startswith("raise ValueError")


ENCODED = """Traceback (most recent call last):
  File "/srv/app/text.py", line 3, in plain
    return text.encode("ascii")
UnicodeEncodeError: 'ascii' codec can't encode character '{}' in position 4: ordinal not in range(128)

"""


async def test_groups_of_an_older_recipe_never_move(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "a.log"
    first = partial(grouping.key_at, version=1)
    log.write_text(ENCODED.format("\\xe9") * 2)
    with monkeypatch.context() as patched:
        patched.setattr(groups, "key_at", lambda record, frame, _version=1: first(record, frame))
        await engine.repair.ingest([log])
    (old,) = await engine.repair.groups()
    assert (old.id[:3], old.count) == ("v1-", 2)
    with log.open("a") as file:
        file.write(ENCODED.format("\\xe9") + ENCODED.format("\\xe8") + ENCODED.format("\\xe7"))
    await engine.repair.ingest([log])
    found = {group.id[:3]: group.count for group in await engine.repair.groups()}
    assert found == {"v1-": 3, "v2-": 2}


@pytest.mark.parametrize("stands_still", [False, True], ids=["moving clock", "standing clock"])
def test_a_full_error_log_is_put_aside_and_nothing_is_lost(tmp_path: Path, stands_still: bool) -> None:
    now = datetime(2026, 11, 20, tzinfo=UTC)
    clock = (lambda: now) if stands_still else utc_now
    log = ErrorLog(tmp_path / "errors.jsonl", most_bytes=2_000, clock=clock)
    for number in range(20):
        log.append([ErrorRecord("Bad", f"number {number}")])
    files = list(tmp_path.glob("errors*.jsonl"))
    assert len(files) > 2
    said = [json.loads(line)["message"] for file in files for line in file.read_text().splitlines()]
    assert sorted(said) == sorted(f"number {number}" for number in range(20))


async def test_an_error_log_that_was_put_aside_is_not_counted_again(engine: Engine) -> None:
    log = ErrorLog(engine.repair.own_log, most_bytes=1_500)
    for _ in range(12):
        log.append([ErrorRecord("BadError", "bad")])
        await engine.repair.catch_up()
    (group,) = await engine.repair.groups()
    assert group.count == 12


APPEND = """
import sys
from pathlib import Path
from engine.logs.errors import ErrorLog, of_exception
log = ErrorLog(Path(sys.argv[1]), most_bytes=20_000)
for number in range(int(sys.argv[2]), int(sys.argv[2]) + 50):
    try:
        raise ValueError(f"number {number}")
    except ValueError as error:
        log.append([of_exception(error, operation="test")])
"""


def test_several_processes_append_without_losing_a_line(tmp_path: Path) -> None:
    command = [sys.executable, "-c", APPEND, str(tmp_path / "errors.jsonl")]
    workers = [subprocess.Popen([*command, str(start)]) for start in (0, 50, 100)]
    assert [worker.wait(60) for worker in workers] == [0, 0, 0]
    lines = [line for file in tmp_path.glob("errors*.jsonl") for line in file.read_text().splitlines()]
    assert len({json.loads(line)["message"] for line in lines}) == 150


async def test_the_report_tells_what_is_known_and_what_is_not(engine: Engine, tmp_path: Path) -> None:
    def work(context: RunContext) -> dict[str, object]:
        context.progress(200)
        context.refuse("/a.jpg", "cut short", "truncated")
        context.recovered("out-of-memory", "no memory for a batch of 64; 32 at a time from here on")
        return {}

    engine.runs.register("counting", work)
    await engine.runs.run("counting", {})
    (tmp_path / "a.log").write_text(TRACEBACK.format(line=3, name="count") * 4)
    await engine.repair.ingest([tmp_path / "a.log"])
    root = project(tmp_path / "app")
    file = log_of(root, tmp_path / "b.log", times=3)
    repair = with_patterns(engine)
    (fix,) = (await repair.fixes.suggest(root, [file], min_count=1)).fixes
    await repair.fixes.apply([fix.id], tests="true")
    await repair.fixes.rollback(fix.id)
    with engine.store.writing() as connection:
        card = {"held_out": {"pair_accuracy": 0.875}}
        row = {"name": "ranker", "version": 1, "kind": "ranking", "actor": "ada", "encoder": "builtin", "path": "r"}
        connection.execute(sa.insert(models).values(row | {"card": card, "created_at": "2026-11-20T00:00:00Z"}))
    report, files = await engine.repair.write_report()
    assert [file.suffix for file in files] == [".txt", ".md", ".json"]
    assert report["daily"][-1]["errors_per_1000"] == 5
    assert report["daily"][0]["errors_per_1000"] is None
    for said in (files[0].read_text(), files[1].read_text()):
        assert "5.0 errors per 1,000 files, over 200 files" in said
        assert "ZeroDivisionError: division by zero" in said
        assert "1 truncated" in said
        assert "1 out-of-memory" in said
        assert "87.5 %" in said
        assert "tiny" in said
    lines = [" ".join(line.split()) for line in files[0].read_text().splitlines()]
    assert {"tests passed 1 of 1", "a person kept it 0 of 1", "did not recur none yet"} <= set(lines)
    assert "| tests passed | 1 | 1 | 0 |" in files[1].read_text()
    assert {kind: (one["good"], one["of"]) for kind, one in report["outcomes"].items()} == {
        "tests": (1, 1),
        "kept": (0, 1),
        "recurrence": (0, 0),
    }
    assert {one["fixable"] for one in report["top"]} == {"tiny"}
    assert json.loads(files[2].read_text()) == json.loads(json.dumps(report))
