"""Suggestions make way until decided; decisions stay; undo goes back as far as there is anything."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.review import NewDecision, Review, Suggestion, Verdict
from engine.store import Store
from engine.store.schema import decisions, suggestions
from engine.workspace import Workspace

KIND = "ranking"


@pytest.fixture
def review(workspace: Workspace, store: Store) -> Review:
    return Review(workspace, store, "me")


def suggestion(subject: str = "set:1", image: int = 1, model: str = "ranker_v1") -> Suggestion:
    return Suggestion(KIND, subject, {"image": image}, model, confidence=0.8, reasons=("sharper",))


async def test_a_decision_is_in_force_until_it_is_undone(review: Review) -> None:
    await review.decide(KIND, "set:1", Verdict.APPROVED, {"image": 1})
    await review.decide(KIND, "set:1", Verdict.MODIFIED, {"image": 2})
    assert (await review.in_force(KIND, "set:1")).value == {"image": 2}
    await review.undo(KIND)
    assert (await review.in_force(KIND, "set:1")).value == {"image": 1}
    await review.undo(KIND)
    assert await review.in_force(KIND, "set:1") is None
    assert await review.undo(KIND) == []


async def test_nothing_is_ever_deleted_by_undo(review: Review, store: Store) -> None:
    for image in range(5):
        await review.decide(KIND, f"set:{image}", Verdict.APPROVED, {"image": image})
    for _ in range(5):
        await review.undo(KIND)
    with store.reading() as connection:
        rows = connection.execute(sa.select(decisions.c.verdict)).scalars().all()
    assert sorted(rows) == ["approved"] * 5 + ["withdrawn"] * 5
    assert await review.standing(KIND) == []


async def test_undo_then_a_new_decision_then_undo_returns_to_nothing(review: Review) -> None:
    await review.decide(KIND, "set:1", Verdict.APPROVED, {"image": 1})
    await review.undo(KIND)
    await review.decide(KIND, "set:1", Verdict.REJECTED)
    assert (await review.in_force(KIND, "set:1")).verdict is Verdict.REJECTED
    await review.undo(KIND)
    assert await review.in_force(KIND, "set:1") is None


async def test_a_group_is_undone_together(review: Review) -> None:
    await review.decide(KIND, "set:0", Verdict.APPROVED, {"image": 0})
    await review.decide_many([NewDecision(KIND, f"set:{n}", Verdict.APPROVED, {"image": n}) for n in (1, 2, 3)])
    undone = await review.undo(KIND)
    assert sorted(one.subject for one in undone) == ["set:1", "set:2", "set:3"]
    assert [one.subject for one in await review.standing(KIND)] == ["set:0"]


async def test_each_kind_has_its_own_way_back(review: Review) -> None:
    await review.decide("ranking", "set:1", Verdict.APPROVED)
    await review.decide("crop", "image:1", Verdict.APPROVED)
    assert [one.kind for one in await review.undo("ranking")] == ["ranking"]
    assert await review.in_force("crop", "image:1") is not None


async def test_undo_survives_a_restart(workspace: Workspace) -> None:
    store = Store.open(workspace.database_file)
    await Review(workspace, store, "me").decide(KIND, "set:1", Verdict.APPROVED)
    store.close()
    store = Store.open(workspace.database_file)
    assert len(await Review(workspace, store, "me").undo(KIND)) == 1
    store.close()


async def test_a_newer_models_suggestion_replaces_an_undecided_one_never_a_decided_one(
    review: Review, store: Store
) -> None:
    [decided] = await review.suggest([suggestion("set:1", model="ranker_v1")])
    await review.suggest([suggestion("set:2", model="ranker_v1")])
    await review.decide(KIND, "set:1", Verdict.APPROVED, suggestion=decided)
    await review.suggest([suggestion("set:1", 2, "ranker_v2"), suggestion("set:2", 2, "ranker_v2")])
    with store.reading() as connection:
        rows = connection.execute(sa.select(suggestions.c.subject, suggestions.c.model)).all()
    assert sorted(tuple(row) for row in rows) == [
        ("set:1", "ranker_v1"),
        ("set:1", "ranker_v2"),
        ("set:2", "ranker_v2"),
    ]


async def test_a_decided_suggestion_stays_as_it_was_seen(review: Review, store: Store) -> None:
    [seen] = await review.suggest([suggestion(image=1)])
    await review.decide(KIND, "set:1", Verdict.APPROVED, suggestion=seen)
    await review.suggest([replace(suggestion(image=7), confidence=0.99)])
    with store.reading() as connection:
        row = connection.execute(sa.select(suggestions)).one()
    assert (row.proposal, row.confidence) == ({"image": 1}, 0.8)


async def test_agreement_counts_only_picks_made_with_a_suggestion_in_view(review: Review) -> None:
    for number in range(4):
        seen = suggestion(f"set:{number}")
        verdict = Verdict.APPROVED if number < 3 else Verdict.MODIFIED
        await review.decide(KIND, f"set:{number}", verdict, suggestion=seen)
    await review.decide(KIND, "set:8", Verdict.APPROVED, suggestion=suggestion("set:8"), blind=True)
    await review.decide(KIND, "set:9", Verdict.APPROVED)
    await review.decide(KIND, "set:10", Verdict.SKIPPED, suggestion=suggestion("set:10"))
    agreement = await review.agreement(KIND, last=10)
    assert (agreement.agreed, agreement.of) == (3, 4)
    await review.undo(KIND)
    await review.undo(KIND)
    await review.undo(KIND)
    await review.undo(KIND)
    assert (await review.agreement(KIND)).of == 3


async def test_an_undo_never_takes_back_another_persons_verdict(workspace: Workspace, store: Store) -> None:
    anna, ben = Review(workspace, store, "anna"), Review(workspace, store, "ben")
    await anna.decide(KIND, "set:1", Verdict.APPROVED, {"image": 1})
    await ben.decide(KIND, "set:1", Verdict.MODIFIED, {"image": 2})
    assert len(await anna.undo(KIND)) == 1
    standing = await anna.in_force(KIND, "set:1")
    assert standing is not None
    assert (standing.actor, standing.value) == ("ben", {"image": 2})
    assert await anna.undo(KIND) == []
    await ben.undo(KIND)
    assert await anna.in_force(KIND, "set:1") is None


async def test_agreement_counts_a_verdict_that_an_undo_brought_back(review: Review) -> None:
    await review.decide(KIND, "set:1", Verdict.APPROVED, suggestion=suggestion())
    await review.decide(KIND, "set:1", Verdict.MODIFIED, suggestion=suggestion())
    await review.undo(KIND)
    agreement = await review.agreement(KIND)
    assert (agreement.agreed, agreement.of) == (1, 1)


async def test_a_log_that_cannot_be_written_fails_no_decision_and_catches_up_later(
    review: Review, workspace: Workspace
) -> None:
    file = workspace.suggestion_logs / "suggestions.jsonl"
    await review.decide(KIND, "set:1", Verdict.APPROVED)
    kept = file.read_bytes()
    file.unlink()
    file.mkdir()
    await review.decide(KIND, "set:2", Verdict.APPROVED)
    file.rmdir()
    file.write_bytes(kept + b'{"id": 9')  # and a line that a crash tore
    assert await review.catch_up_log() == 1
    assert await review.catch_up_log() == 0
    whole = [json.loads(line)["subject"] for line in file.read_text().splitlines() if line.endswith("}")]
    assert whole == ["set:1", "set:2"]


async def test_the_log_holds_a_line_a_decision_and_can_be_rebuilt(review: Review, workspace: Workspace) -> None:
    await review.decide(KIND, "set:1", Verdict.APPROVED, {"image": 1})
    await review.undo(KIND)
    file = workspace.suggestion_logs / "suggestions.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [line["verdict"] for line in lines] == ["approved", "withdrawn"]
    file.unlink()
    assert await review.rebuild_log() == 2
    assert [json.loads(line) for line in file.read_text().splitlines()] == lines


_STEPS = st.lists(st.one_of(st.tuples(st.just("pick"), st.integers(1, 3)), st.just(("undo", 0))), max_size=14)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=_STEPS)
async def test_undo_is_a_stack_whatever_came_before(tmp_path_factory: pytest.TempPathFactory, steps: list) -> None:
    workspace = Workspace.init(tmp_path_factory.mktemp("undo"))
    store = Store.open(workspace.database_file)
    review = Review(workspace, store, "me")
    stack: list[tuple[str, int]] = []
    for number, (what, subject) in enumerate(steps):
        if what == "pick":
            await review.decide(KIND, f"set:{subject}", Verdict.APPROVED, {"image": number})
            stack.append((f"set:{subject}", number))
        else:
            assert bool(await review.undo(KIND)) == bool(stack)
            stack = stack[:-1]
    expected = dict(stack)
    assert {one.subject: one.value["image"] for one in await review.standing(KIND)} == expected
    store.close()


_PICKER = """
import asyncio, sys
from pathlib import Path
from engine.review import Review, Verdict
from engine.store import Store
from engine.workspace import Workspace

async def pick():
    workspace = Workspace.init(Path(sys.argv[1]))
    review = Review(workspace, Store.open(workspace.database_file), "me")
    for number in range(100_000):
        await review.decide("ranking", f"set:{number}", Verdict.APPROVED, {"image": number})
        print(number, flush=True)
asyncio.run(pick())
"""


@pytest.mark.parametrize("picks", [1, 7, 23])
def test_a_verdict_that_was_announced_survives_kill_9(tmp_path: Path, picks: int) -> None:
    root = tmp_path / "workspace"
    picker = subprocess.Popen([sys.executable, "-c", _PICKER, str(root)], stdout=subprocess.PIPE, text=True)
    assert picker.stdout is not None
    announced = [int(picker.stdout.readline()) for _ in range(picks)]
    picker.send_signal(signal.SIGKILL)
    announced += [int(line) for line in picker.stdout.read().split()]
    picker.wait()
    store = Store.open(Workspace.init(root).database_file)
    with store.reading() as connection:
        kept = connection.execute(sa.select(decisions.c.subject).order_by(decisions.c.id)).scalars().all()
    store.close()
    assert kept[: len(announced)] == [f"set:{number}" for number in announced]
