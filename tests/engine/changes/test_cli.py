"""`proofsheet changes`, as a script and a person meet it: stdout is data, exit codes tell, nothing without a yes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner, Result

import tui.commands.changes
from engine.changes import Changes, ChangeSet, Create, Edit, Move
from engine.workspace import Workspace
from tests.engine.changes.trees import contents, write
from tui.cli import main

Run = Callable[..., Result]


@pytest.fixture
def run(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Run:
    """`proofsheet changes ...` on the test's workspace, with an engine that has this one room only."""

    class OneRoom:
        @classmethod
        @asynccontextmanager
        async def open(cls, opened: Workspace, **_: Any) -> AsyncIterator[SimpleNamespace]:
            changes = Changes(opened)
            await changes.recover()
            yield SimpleNamespace(changes=changes, recoveries=())

    hallway = ModuleType("engine.engine")
    hallway.Engine = OneRoom  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "engine.engine", hallway)

    def call(*arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(main, ["--workspace", str(workspace.root), "changes", *arguments], **options)

    return call


@pytest.fixture
def planned(changes: Changes, pictures: Path) -> ChangeSet:
    """A change set that waits for a yes."""
    operations = [Edit(pictures / "notes.yaml", b"stars: 5\n"), Move(pictures / "one.jpg", pictures / "1.jpg")]
    return asyncio.run(changes.plan(operations, "Five stars", [pictures]))


def test_a_change_set_is_listed_shown_applied_and_rolled_back(run: Run, planned: ChangeSet, pictures: Path) -> None:
    before = contents(pictures)

    listed = run("list")
    assert listed.exit_code == 0 and listed.output.split() == [
        "·",
        planned.id,
        "planned",
        "2",
        "files",
        "Five",
        "stars",
    ]
    shown = run("show", planned.id)
    assert "move    one.jpg  ->  1.jpg" in shown.output and "+stars: 5" in shown.output
    assert contents(pictures) == before

    assert run("apply", planned.id, "--yes").exit_code == 0
    assert contents(pictures)["notes.yaml"] == b"stars: 5\n"
    assert run("rollback", planned.id).exit_code == 0
    assert contents(pictures) == before


def test_json_is_one_document_on_stdout(run: Run, planned: ChangeSet, pictures: Path) -> None:
    listed = json.loads(run("list", "--json").stdout)["change_sets"]
    assert [(found["id"], found["state"], found["operations"]) for found in listed] == [(planned.id, "planned", 2)]

    shown = json.loads(run("show", planned.id, "--json").stdout)
    assert shown["operations"][1] == {
        "action": "move",
        "path": str(pictures / "1.jpg"),
        "source": str(pictures / "one.jpg"),
        "sha256_before": shown["operations"][1]["sha256_after"],
        "sha256_after": shown["operations"][1]["sha256_before"],
        "size": 9000,
    }
    assert shown["preview"].startswith("in ")

    assert json.loads(run("apply", planned.id, "--yes", "--json").stdout)["state"] == "applied"
    assert json.loads(run("rollback", planned.id, "--json").stdout)["state"] == "rolled_back"
    pruned = json.loads(run("prune", "--json").stdout)
    assert pruned["pruned"] == [planned.id] and pruned["bytes"] > 0


def test_without_a_terminal_apply_wants_a_yes(run: Run, planned: ChangeSet, pictures: Path) -> None:
    before = contents(pictures)

    refused = run("apply", planned.id)

    assert refused.exit_code == 2 and "--yes" in refused.stderr and refused.stdout == ""
    assert contents(pictures) == before


@pytest.mark.parametrize(("answer", "exit_code", "state"), [("y\n", 0, "applied"), ("n\n", 1, "planned")])
def test_at_a_terminal_apply_shows_and_asks(
    run: Run,
    planned: ChangeSet,
    changes: Changes,
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    exit_code: int,
    state: str,
) -> None:
    terminal = SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr(tui.commands.changes, "sys", terminal)

    asked = run("apply", planned.id, input=answer)

    assert asked.exit_code == exit_code
    assert "+stars: 5" in asked.stderr and "Apply this (2 files)?" in asked.stderr
    assert asyncio.run(changes.get(planned.id)).state == state


def test_a_refusal_names_the_file_and_the_remedy_and_exits_with_1(run: Run, planned: ChangeSet, pictures: Path) -> None:
    write(pictures / "1.jpg", b"in the way")

    refused = run("apply", planned.id, "--yes")

    assert refused.exit_code == 1 and refused.stdout == ""
    assert "1.jpg: is there already [exists]" in refused.stderr and "another name" in refused.stderr


def test_a_rollback_names_what_changed_and_can_keep_it(run: Run, planned: ChangeSet, pictures: Path) -> None:
    run("apply", planned.id, "--yes")
    write(pictures / "notes.yaml", b"stars: 4\n")

    refused = run("rollback", planned.id)
    assert refused.exit_code == 1 and "notes.yaml: has changed since [changed]" in refused.stderr

    kept = run("rollback", planned.id, "--keep-changed")
    assert kept.exit_code == 0 and f"left as it was: {pictures / 'notes.yaml'}" in kept.stdout
    assert contents(pictures)["notes.yaml"] == b"stars: 4\n" and "one.jpg" in contents(pictures)


def test_prune_takes_ids_and_an_age(run: Run, changes: Changes, pictures: Path) -> None:
    planned = [asyncio.run(changes.plan([Create(pictures / n, b"")], n, [pictures])) for n in ("a", "b")]
    for change_set in planned:
        run("apply", change_set.id, "--yes")

    assert json.loads(run("prune", "--older-than", "1", "--json").stdout)["pruned"] == []
    assert run("prune", planned[0].id).stdout.startswith("Removed 1 change set, ")
    assert json.loads(run("prune", "--json").stdout)["pruned"] == [planned[1].id]
    assert "No change sets yet" in run("list").stdout


def test_an_unknown_id_is_a_usage_error(run: Run) -> None:
    unknown = run("show", "2031")

    assert unknown.exit_code == 2 and "no change set '2031'" in unknown.stderr
