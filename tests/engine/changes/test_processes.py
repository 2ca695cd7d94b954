"""Two processes on one workspace take turns, and a recovery keeps its hands off what is alive."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from engine.changes import Changes, ChangesRefused, Create, Edit, State
from engine.changes.lock import Busy
from engine.errors import ProofsheetError
from engine.workspace import Workspace
from tests.engine.changes.trees import contents, snapshot
from tests.engine.changes.yard import ROOT

HOLD = """
import asyncio, sys
from pathlib import Path
from engine.changes import Changes
from engine.workspace import Workspace

def reached(point):
    if point == "after placed":
        print("half done", flush=True)
        sys.stdin.readline()

asyncio.run(Changes(Workspace(Path(sys.argv[1])), reached=reached).apply(sys.argv[2]))
print("done", flush=True)
"""

APPLY = """
import asyncio, json, sys
from pathlib import Path
from engine.changes import Changes
from engine.errors import ProofsheetError
from engine.workspace import Workspace

async def main():
    changes = Changes(Workspace(Path(sys.argv[1])))
    results = {}
    for id_ in sys.argv[2:]:
        try:
            results[id_] = (await changes.apply(id_)).state.value
        except ProofsheetError as error:
            results[id_] = error.message
    print(json.dumps(results))

sys.stdin.readline()
asyncio.run(main())
"""


def process(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        text=True,
    )


async def test_while_another_process_applies_nothing_is_recovered_applied_or_pruned(
    changes: Changes, workspace: Workspace, pictures: Path
) -> None:
    first = await changes.plan([Edit(pictures / "notes.yaml", b"theirs")], "theirs", [pictures])
    second = await changes.plan([Create(pictures / "new", b"")], "ours", [pictures])
    other = process(HOLD, str(workspace.root), first.id)
    assert other.stdout is not None and other.stdout.readline() == "half done\n"
    half_done = snapshot(pictures)

    assert await changes.recover() == ()
    for work in (changes.apply(second.id), changes.rollback(first.id), changes.prune()):
        with pytest.raises(Busy, match=str(other.pid)):
            await work
    assert snapshot(pictures) == half_done

    rest, errors = other.communicate("go on\n")
    assert (rest, errors) == ("done\n", "")
    assert (await changes.apply(second.id)).state is State.APPLIED
    assert contents(pictures)["notes.yaml"] == b"theirs"


async def test_a_change_set_that_two_processes_apply_is_applied_once_and_all_others_too(
    workspace: Workspace, pictures: Path
) -> None:
    changes = Changes(workspace)
    planned = [
        await changes.plan([Create(pictures / f"new {number}", b"x")], "many", [pictures]) for number in range(12)
    ]
    ids = [change_set.id for change_set in planned]
    both = [process(APPLY, str(workspace.root), *ids), process(APPLY, str(workspace.root), *reversed(ids))]
    for other in both:
        assert other.stdin is not None
        other.stdin.write("go\n")
        other.stdin.flush()
    results = [json.loads(other.communicate()[0]) for other in both]

    for id_ in ids:
        assert sorted(result[id_].replace(id_, "ID") for result in results) == [
            "applied",
            "change set ID cannot be applied: it is applied already",
        ]
    assert all((pictures / f"new {number}").read_bytes() == b"x" for number in range(12))


async def test_two_tasks_of_one_process_take_turns_too(workspace: Workspace, pictures: Path) -> None:
    inside = 0
    most = 0
    counting = threading.Lock()

    def count(point: str) -> None:
        nonlocal inside, most
        with counting:
            inside += {"after applying": 1, "before applied": -1}.get(point, 0)
            most = max(most, inside)

    changes = Changes(workspace, reached=count)
    planned = [await changes.plan([Create(pictures / str(number), b"")], "t", [pictures]) for number in range(4)]

    await asyncio.gather(*(changes.apply(change_set.id) for change_set in planned))

    assert most == 1


async def test_a_second_plan_for_a_file_is_refused_when_the_first_was_applied(changes: Changes, pictures: Path) -> None:
    first = await changes.plan([Edit(pictures / "notes.yaml", b"first")], "first", [pictures])
    second = await changes.plan([Edit(pictures / "notes.yaml", b"second")], "second", [pictures])
    await changes.apply(first.id)

    with pytest.raises(ChangesRefused, match="changed since it was planned"):
        await changes.apply(second.id)
    await changes.rollback(first.id)
    assert (await changes.apply(second.id)).state is State.APPLIED
    with pytest.raises(ProofsheetError, match="rolled back already"):
        await changes.rollback(first.id)
