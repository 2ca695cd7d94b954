"""Learning from rated sessions: examples, a predictor that must beat the baselines, findings, drafts to review."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.clock import iso
from engine.errors import ProofsheetError, UsageError
from engine.experiments import Experiments, NewFeedback, NewSession, SessionUpdate
from engine.experiments.examples import Rated, corrected
from engine.experiments.learning import split
from engine.experiments.predictor import QualityModel
from engine.runs import Runs
from engine.workspace import Workspace
from tests.engine.experiments.conftest import START

Write = Callable[[Iterable[Mapping[str, Any] | str | bytes]], Path]


def rows(count: int, *, planted: bool, seed: int = 0) -> list[dict[str, Any]]:
    """Simulated sessions of new users; when planted, 'enhanced-v1' does better where there are many texts."""
    draw = np.random.default_rng(seed)
    made = []
    for number in range(count):
        variant = ("original", "enhanced-v1")[number % 2]
        texts = int(draw.integers(1, 9))
        objects = [
            {"id": f"t{n}", "type": "textbox", "left": 10, "top": 90 * n, "width": 200, "height": 40, "fontSize": 20}
            for n in range(texts)
        ]
        mean = 3.2 + (1.2 if planted and variant == "enhanced-v1" and texts > 4 else 0.0)
        created = iso(START - timedelta(days=40) + timedelta(hours=number / 2))
        made.append(
            {
                "user": f"u{number}",
                "variant": variant,
                "rating": int(np.clip(round(draw.normal(mean, 1.1)), 1, 5)),
                "created_at": created,
                "canvas": {"width": 800, "height": 800, "objects": objects},
                "target": {"width": 1080, "height": 1080},
            }
        )
    return made


async def trained(room: Experiments, **how: Any) -> dict[str, Any]:
    run = await room.retrain(**how)
    return dict((await room._runs.finished(run.id)).result or {})


async def test_a_planted_pattern_is_found_and_becomes_a_draft(room: Experiments, jsonl: Write) -> None:
    await room.import_sessions(jsonl(rows(1_400, planted=True)))
    report = await trained(room)
    first = report["findings"][0]
    assert (first["variant"], first["against"], first["is_high"]) == ("enhanced-v1", "original", True)
    assert first["interval"][0] > 0
    assert "'enhanced-v1' succeeds" in first["text"]
    assert report["promoted"], report["why_not"]
    assert report["scores"]["brier"]["model"] < report["scores"]["brier"]["mean of the variant"]
    (draft,) = await room.drafts()
    assert await room.drafts() == [draft]  # looking again makes no second one
    made = await room.approve_draft(draft)
    assert (made.source, made.parent, made.id) == ("draft", "enhanced-v1", "enhanced-v2")
    assert "What rated results have taught" in made.template
    assert await room.drafts() == []
    assert await room.undo() == "'enhanced-v2' gets no more users"
    assert not (await room.variant("enhanced-v2")).is_active
    (again,) = await room.drafts()
    assert (await room.approve_draft(again)).is_active


async def test_noise_gives_no_findings_no_draft_and_no_promotion(room: Experiments, jsonl: Write) -> None:
    await room.import_sessions(jsonl(rows(900, planted=False)))
    report = await trained(room)
    assert (report["findings"], report["draft"], report["promoted"]) == ([], None, False)
    assert await room.drafts() == []


async def test_a_rejected_draft_does_not_come_back(room: Experiments, jsonl: Write) -> None:
    await room.import_sessions(jsonl(rows(1_400, planted=True)))
    await trained(room)
    (draft,) = await room.drafts()
    await room.reject_draft(draft)
    assert await room.drafts() == []
    assert await room.undo() == "the draft waits again"
    assert await room.drafts() == [draft]


async def test_too_little_to_learn_from_is_said(room: Experiments, jsonl: Write) -> None:
    await room.import_sessions(jsonl(rows(30, planted=False)))
    report = await trained(room)
    assert report["model"] is None
    assert await room.promises({"width": 9, "height": 9, "objects": []}, (9, 9)) is None
    assert "more rated sessions" in report["why_not"][0]
    empty = await trained(room, days=1)
    assert empty["sessions"] == 0


@pytest.mark.parametrize(("days", "minimum"), [(0, 4), (-3, 4), (None, 0), (None, 6)])
async def test_parameters_that_make_no_sense_are_refused(room: Experiments, days: int | None, minimum: int) -> None:
    with pytest.raises(UsageError):
        await room.retrain(days, minimum)


async def test_the_model_is_plain_numbers_and_reads_back(
    room: Experiments, jsonl: Write, workspace: Workspace, tmp_path: Path
) -> None:
    await room.import_sessions(jsonl(rows(1_400, planted=True)))
    await trained(room)
    canvas = rows(1, planted=False)[0]["canvas"]
    promised = await room.promises(canvas, (1080, 1080))
    assert promised is not None
    assert set(promised) == {"original", "enhanced-v1"}
    file = workspace.models / "quality_v1.json"
    model = QualityModel.load(file)
    many = {"texts": 8.0}
    assert model.probability(many, "enhanced-v1") > model.probability(many, "original")
    assert model.best(many, ["original", "enhanced-v1"]) == "enhanced-v1"
    assert 0 < model.probability({}, "nobody") < 1
    document = json.loads(file.read_text())
    document["model"]["weights"][0] = float("nan")
    damaged = tmp_path / "damaged.json"
    damaged.write_text(json.dumps(document))
    with pytest.raises(ProofsheetError, match="cannot be read"):
        QualityModel.load(damaged)


def rated(user: str, hour: int) -> Rated:
    created = iso(START + timedelta(hours=hour))
    return Rated(hour, str(hour), user, "original", 4, None, 0.5, 0, created, {}, None, None)


def test_what_is_held_out_is_later_and_of_users_not_seen() -> None:
    every = [rated(f"u{number % 80}", number) for number in range(100)]
    learned, held_out = split(every)
    assert max(one.created_at for one in learned) < min(one.created_at for one in held_out)
    assert not {one.user for one in learned} & {one.user for one in held_out}
    assert split([]) == ([], [])


def test_an_expected_output_is_the_result_as_the_person_left_it() -> None:
    result = {"objects": [{"id": "a", "left": 1}, {"type": "Image", "left": 2}, {"id": "c", "left": 3}]}
    corrections = [
        {"op": "changed", "object": "a", "field": "left", "before": 1, "after": 9},
        {"op": "changed", "object": "image#1", "field": "top", "after": 5},
        {"op": "removed", "object": "c"},
        {"op": "changed", "object": "nobody", "field": "left", "after": 0},
        "nonsense",
    ]
    assert corrected(result, corrections) == {
        "objects": [{"id": "a", "left": 9}, {"type": "Image", "left": 2, "top": 5}]
    }
    assert result["objects"][0]["left"] == 1


async def test_good_results_become_examples_that_are_reviewed(room: Experiments) -> None:
    canvas = {
        "width": 100,
        "height": 100,
        "objects": [{"id": "a", "type": "rect", "left": 1, "top": 1, "width": 9, "height": 9}],
    }
    ids = []
    for rating in (5, 2):
        made = await room.start_session(NewSession(f"u{rating}", "http", canvas=canvas, target=(50, 50)))
        await room.update_session(SessionUpdate(made.id, result=canvas))
        await room.give_feedback(NewFeedback(made.id, rating=rating))
        ids.append(made.id)
    report = await trained(room)
    assert (report["examples"], report["negatives"]) == (1, 1)
    assert (await trained(room, min_rating=1))["examples"] == 2
    assert len(await room.examples()) == 2
    assert (await trained(room, min_rating=4))["examples"] == 1
    (example,) = await room.examples()
    assert (example.session_id, example.is_validated) == (ids[0], None)
    assert example.quality_low < example.quality < example.quality_high
    await room.review_example(ids[0], True)
    assert (await room.examples())[0].is_validated is True
    await room.review_example(ids[0], False)
    assert (await room.examples())[0].is_validated is False


async def test_a_canvas_that_cannot_be_read_is_passed_over(room: Experiments) -> None:
    made = await room.start_session(NewSession("ada", "http", canvas={"objects": "none"}))
    await room.give_feedback(NewFeedback(made.id, rating=5))
    run = await room.retrain()
    done = await room._runs.finished(run.id)
    assert done.result is not None
    assert done.result["sessions"] == 0
    refused = [event for event in await room._runs.events(run.id) if event.type == "refused"]
    assert refused[0].data["files"][0]["path"] == made.id


def test_the_run_is_registered_for_a_detached_process(room: Experiments) -> None:
    assert isinstance(room._runs, Runs)
    assert room._runs._kind("retrain-model").lane == "cpu"
