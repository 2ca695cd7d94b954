"""A training run: what it promotes, what it keeps back and why, and what a crash leaves."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import random
import signal
import subprocess
import sys
import textwrap
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from safetensors.numpy import load_file, save_file

from engine.errors import ProofsheetError, UsageError
from engine.logs.errors import ErrorLog
from engine.logs.recoveries import RecoveryLog
from engine.ranking import catalogue
from engine.ranking.features import PLAIN
from engine.ranking.measures import Calibration
from engine.ranking.ranker import LinearRanker
from engine.ranking.registry import Registry
from engine.runs import RunState
from engine.store.schema import models
from engine.vision import aesthetic
from tests.engine.ranking.conftest import NOON, FakeEncoder, World, simulate

ROOT = Path(__file__).resolve().parents[3]


async def train(world: World, **options: object) -> dict[str, object]:
    run = await world.runs.wait((await world.ranking.train(**options)).id)  # type: ignore[arg-type]
    assert run.state is RunState.DONE, run.error
    assert run.result is not None
    return dict(run.result)


async def test_a_taste_is_learned_measured_and_promoted(world: World) -> None:
    await simulate(world, 160)
    run = await world.ranking.train()
    result = (await world.runs.wait(run.id)).result
    assert result is not None
    assert (result["model"], result["promoted"], result["why_not"]) == ("ranker_v1", True, [])
    assert result["sets"] == {"train": 120, "held_out": 40}
    assert result["held_out"]["pair_accuracy"] > 0.85
    assert set(result["held_out"]) >= {"pair_accuracy", "top1_accuracy", "ece", "by_project", "brier"}
    low, high = result["held_out"]["pair_accuracy_ci"]
    assert low < result["held_out"]["pair_accuracy"] < high
    assert result["held_out"]["permuted_pair_accuracy"] == pytest.approx(0.5, abs=0.1)
    assert result["held_out"]["self_consistency"] is None
    assert 0 <= result["held_out"]["coverage_at_95"] <= 1
    naive = {"random", "first", "last", "largest_file", "last_stage", "sharpest", "nearest_winners"}
    assert set(result["baselines"]) == naive
    assert result["ablation"]["embedding"] < 0.7 < result["ablation"]["quality"]
    assert [one["name"] for one in result["candidates"]] == ["linear", "mlp", "residual"]
    assert [one["chosen"] for one in result["candidates"]] == [True, False, False]
    assert result["baselines"]["random"] == 0.5
    assert result["held_out"]["pair_accuracy"] >= result["references"]["logistic_difference"] - 0.005
    events = await world.runs.events(run.id)
    points = [point for event in events if event.type == "metric" for point in event.data["points"]]
    assert points[0]["loss"] > points[-1]["loss"]
    assert {"step", "loss", "held_out_pair_accuracy"} <= points[-1].keys()
    status = await world.ranking.status()
    assert (status.model, status.version, status.why_not) == ("ranker_v1", 1, "")


async def test_the_model_is_data_with_a_card_that_tells_how_it_was_made(world: World) -> None:
    await simulate(world, 60)
    await train(world)
    file = world.workspace.models / "ranker_v1.safetensors"
    assert load_file(file)["weight"].shape == (8 + len(PLAIN),)
    card = json.loads(file.with_suffix(".json").read_text())
    assert card["encoder"]["id"] == "fake-1" and card["features"] == {"vector": 8, "plain": list(PLAIN)}
    assert card["data"]["sets"] == 60 and card["data"]["imported"] == 60
    assert card["split"]["kind"] == "forward" and card["split"]["held_out"] == 15
    assert "lapse" in card["calibration"]["method"]
    assert {"held_out", "baselines", "references", "seed", "l2", "promotion"} <= card.keys()


async def test_the_same_verdicts_and_seed_give_the_same_model(world: World) -> None:
    await simulate(world, 60)
    first, second = await train(world, seed=7), await train(world, seed=7)
    assert first["held_out"] == second["held_out"]
    weights = [load_file(world.workspace.models / f"ranker_v{v}.safetensors")["weight"] for v in (1, 2)]
    assert np.array_equal(*weights)


async def test_a_new_version_must_be_better_than_the_last_on_the_same_sets(world: World) -> None:
    await simulate(world, 80, seed=3)
    assert (await train(world))["promoted"]
    again = await train(world)
    assert not again["promoted"]
    assert again["why_not"][0].startswith("ranker_v1 is as good or better on the same 20 held-out sets")  # type: ignore[index]
    status = await world.ranking.status()
    assert status.model == "ranker_v1"
    assert "as good or better" in status.why_not


async def test_winners_drawn_by_lot_come_out_at_chance_and_are_not_promoted(world: World) -> None:
    await simulate(world, 240, shuffled=True)
    result = await train(world)
    assert not result["promoted"]
    assert result["held_out"]["pair_accuracy"] == pytest.approx(0.5, abs=0.12)  # type: ignore[index]
    assert any("chance" in reason for reason in result["why_not"])  # type: ignore[attr-defined]
    status = await world.ranking.status()
    assert status.model is None
    assert status.why_not


async def test_too_few_sets_say_how_many_more_are_needed(world: World) -> None:
    await simulate(world, 9)
    run = await world.runs.wait((await world.ranking.train()).id)
    assert run.state is RunState.FAILED
    assert run.error is not None
    assert run.error.startswith("there is too little to learn from: 9 decided sets, and 3 more are needed")


async def test_projects_of_opposite_tastes_are_both_learned(world: World) -> None:
    """Unified means a shared taste from which a project may deviate as far as its verdicts say."""
    await simulate(world, 80, seed=1, project="mojo1")
    world.vision.by_name = {**world.vision.by_name}
    await simulate_again(world)
    unified, own = await train(world), await train(world, per_project=True)
    for one in (unified, own):
        assert set(one["held_out"]["by_project"]) == {"mojo1", "mojo2"}  # type: ignore[index]
        assert min(one["held_out"]["by_project"].values()) > 0.8  # type: ignore[index]
    assert (unified["mode"], own["mode"]) == ("unified", "per-project")
    tensors = load_file(world.workspace.models / "ranker_v2.safetensors")
    assert {"weight", "covariance", "project:mojo1", "project:mojo2", "covariance:mojo1"} <= tensors.keys()


async def simulate_again(world: World) -> None:
    """The opposite taste in a second project."""
    generator = np.random.default_rng(1)
    weight = -generator.normal(size=8)
    folder, names, rows = "/pictures/mojo2", [], []
    for number in range(80):
        own = [f"z{number:04}_{place}.png" for place in range(3)]
        vectors = generator.normal(size=(3, 8))
        world.vision.by_name.update(zip(own, vectors, strict=True))
        best = int((vectors @ weight).argmax())
        losers = ", ".join(f'""{folder}/{name}""' for i, name in enumerate(own) if i != best)
        moment = NOON.replace(hour=12 + number // 60, minute=number % 60, second=30)
        rows.append(f'z,{number},{folder}/{own[best]},"[{losers}]",{moment:%Y-%m-%dT%H:%M:%SZ}')
        names.extend(own)
    world.add(folder, names)
    await world.ranking.import_selections(world.log(*rows))


async def test_images_that_are_gone_are_passed_over_and_said_so(world: World) -> None:
    await simulate(world, 40)
    world.vision.unreadable = {"0003_0.png", "0003_1.png", "0003_2.png", "0003_3.png", "0003_4.png"}
    run = await world.runs.wait((await world.ranking.train()).id)
    assert run.result is not None
    assert sum(run.result["sets"].values()) == 39
    events = await world.runs.events(run.id)
    refused = [file["reason"] for event in events if event.type == "refused" for file in event.data["files"]]
    assert len(refused) >= 2 and all("the file is gone" in reason for reason in refused)


async def test_numbers_that_are_none_are_refused_and_the_rest_is_learned(world: World) -> None:
    await simulate(world, 40)
    for place in range(5):
        if f"0003_{place}.png" in world.vision.by_name:
            world.vision.by_name[f"0003_{place}.png"] = np.full(8, np.nan)
    run = await world.runs.wait((await world.ranking.train()).id)
    assert run.result is not None and sum(run.result["sets"].values()) == 39
    events = await world.runs.events(run.id)
    refused = [file["reason"] for event in events if event.type == "refused" for file in event.data["files"]]
    assert refused and all("holds numbers that are none" in reason for reason in refused)


async def test_images_that_are_all_alike_teach_nothing_and_nothing_breaks(world: World) -> None:
    await simulate(world, 20)
    world.vision.by_name = {name: np.ones(8) for name in world.vision.by_name}
    world.vision.sharpness = {}
    result = await train(world)
    assert not result["promoted"]
    assert "embedding" not in result["ablation"], "a block that never differs has nothing to say"  # type: ignore[operator]
    assert result["held_out"]["coverage_at_95"] == 0.0  # type: ignore[index]


async def test_a_set_of_three_hundred_is_learned_from_and_suggested_for(world: World) -> None:
    taste = await simulate(world, 40)
    random = np.random.default_rng(3)
    names = [f"big{number:03}.png" for number in range(300)]
    world.vision.by_name.update({name: random.normal(size=8) for name in names})
    ids = world.add("/pictures/mojo1", names)
    losers = ", ".join(f'""/pictures/mojo1/{name}""' for name in names[1:])
    best = int(np.argmax([world.vision.by_name[name] @ taste.weight for name in names]))
    world.vision.by_name["big000.png"], world.vision.by_name[names[best]] = (
        world.vision.by_name[names[best]],
        world.vision.by_name["big000.png"],
    )
    row = f'mojo1-s,big,/pictures/mojo1/big000.png,"[{losers}]",2025-07-08T18:00:00Z'
    await world.ranking.import_selections(world.log(row))
    await train(world)
    ranked = await world.ranking.rank([Path(f"/pictures/mojo1/{name}") for name in names])
    assert len(ranked.ranking) == len(ids) and ranked.winner is not None


async def test_every_epoch_is_in_the_training_log(world: World) -> None:
    await simulate(world, 84)
    result = await train(world)
    lines = (world.workspace.suggestion_logs / "training_log.jsonl").read_text().splitlines()
    told = [json.loads(line) for line in lines]
    epochs = [one for one in told if one["event"] == "epoch"]
    assert len(epochs) >= 3 and {one["run"] for one in told} == {result["run"]}
    assert {"timestamp", "epoch", "loss", "held_out_loss", "held_out_pair_accuracy"} <= epochs[0].keys()
    assert {one["candidate"] for one in epochs} == {"linear", "mlp", "residual"}
    assert told[-1]["model"] == "ranker_v1"


async def test_any_version_can_be_gone_back_to(world: World) -> None:
    await simulate(world, 60, seed=3)
    await train(world)
    await train(world)
    for version in (2, 1, 2):
        assert (await world.ranking.use_model("ranker", version)).version == version
        assert (await world.ranking.status()).version == version
    was, now = await world.ranking.roll_back()
    assert (was.version, now.version if now else None) == (2, 1)
    was, now = await world.ranking.roll_back()
    assert (was.version, now) == (1, None)
    assert (await world.ranking.status()).model is None
    with pytest.raises(UsageError, match="is promoted"):
        await world.ranking.roll_back()
    with pytest.raises(UsageError, match="no ranker version 9"):
        await world.ranking.use_model("ranker", 9)


async def test_sets_refused_as_a_whole_are_weighed_as_evidence(world: World) -> None:
    """Their use is decided on inner held-out sets, and the card says how."""
    await simulate(world, 60)
    for number in range(25):
        names = [f"no{number:02}_{place}.png" for place in range(6)]
        world.vision.by_name.update({name: np.random.default_rng(number).normal(size=8) - 3 for name in names})
        world.add("/pictures/mojo1", names)
    await world.ranking.build_sets()
    for one in (await world.ranking.queue())[:25]:
        await world.ranking.reject(one)
    await train(world)
    card = json.loads((world.workspace.models / "ranker_v1.json").read_text())
    assert card["data"]["refused"] >= 20
    assert card["prior"]["uses_refused_sets"] in (True, False)


async def test_training_starts_by_itself_after_enough_verdicts(world: World) -> None:
    assert await world.ranking.maybe_train() is None
    await simulate(world, 30)
    run = await world.ranking.maybe_train()
    assert run is not None
    await world.runs.wait(run.id)
    assert await world.ranking.maybe_train() is None, "nothing new since"
    world.ranking._settings = world.settings.model_copy(update={"auto_train": False})
    assert await world.ranking.maybe_train() is None


async def test_the_aesthetic_head_is_compared_with_where_its_encoder_is_used(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    await simulate(world, 40)
    file = tmp_path / "head.safetensors"
    save_file({"weight": np.ones((1, 8), np.float32), "bias": np.zeros(1, np.float32)}, file)
    world.ranking._settings = world.settings.model_copy(update={"aesthetic_head": file})
    failed = await world.runs.wait((await world.ranking.train()).id)
    assert failed.state is RunState.FAILED and "no aesthetic head for ViT-B-32" in str(failed.error)
    monkeypatch.setattr(aesthetic, "DIMENSION", 8)
    assert "aesthetic_head" not in (await train(world))["baselines"]  # type: ignore[operator]
    card = replace(FakeEncoder.card, architecture="ViT-B-32", dimension=8)
    monkeypatch.setattr(FakeEncoder, "card", card)
    assert 0 < (await train(world))["baselines"]["aesthetic_head"] < 1  # type: ignore[index]


async def test_training_that_began_by_itself_waits_for_a_pause_in_the_review(world: World) -> None:
    await simulate(world, 30)
    world.ranking._settings = world.settings.model_copy(update={"auto_train_pause": 3600.0})
    with world.store.reading() as connection:
        first, second, *_ = catalogue.imported_choices(connection)
    await world.ranking.pick(first.set_pk, first.winner)
    run = await world.ranking.maybe_train()
    assert run is not None

    async def said(what: str) -> None:
        while not any(what in str(event) for event in await world.runs.events(run.id)):
            await asyncio.sleep(0.01)

    await asyncio.wait_for(said("waiting for a pause"), 20)
    assert not (await world.runs.get(run.id)).state.is_final
    world.now[0] += timedelta(hours=1)
    assert (await world.runs.wait(run.id)).state is RunState.DONE
    await world.ranking.pick(second.set_pk, second.winner)
    asked = await world.ranking.train()  # what a person asks for waits for nobody
    assert (await world.runs.wait(asked.id)).state is RunState.DONE


async def test_a_run_can_be_cancelled_and_taken_up_again(world: World) -> None:
    await simulate(world, 60)
    run = await world.ranking.train()
    await world.runs.cancel(run.id)
    run = await world.runs.wait(run.id)
    if run.state is RunState.CANCELLED:
        run = await world.runs.wait((await world.runs.resume(run.id)).id)
    assert run.state is RunState.DONE
    with world.store.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(models)).scalar_one() == 1


async def test_a_ranker_of_other_features_does_not_suggest_and_says_so(world: World) -> None:
    await simulate(world, 60)
    await train(world)
    world.vision.encoder = lambda _spec=None: WiderEncoder()  # type: ignore[method-assign, assignment]
    status = await world.ranking.status()
    assert status.model is None
    assert status.why_not == "ranker_v1 ranks by other features than are computed now; train again"


class WiderEncoder(FakeEncoder):
    dimension = 9


# --- the saved model ------------------------------------------------------------------------------------------------


def a_ranker() -> LinearRanker:
    weight = np.arange(4, dtype=np.float64)
    return LinearRanker(
        "ranker", 3, "fake-1", weight, weight / 2, Calibration(0.5, 0.1), {"mojo1": -weight}, {}, {"a": 1}
    )


def test_a_ranker_is_read_back_as_it_was_saved(tmp_path: Path) -> None:
    saved = a_ranker()
    found = LinearRanker.load(saved.save(tmp_path))
    assert (found.label, found.encoder, found.calibration, found.card) == (
        "ranker_v3",
        "fake-1",
        Calibration(0.5, 0.1),
        {"a": 1},
    )
    vectors = np.random.default_rng(0).normal(size=(5, 4))
    assert found.scores(vectors) == pytest.approx(saved.scores(vectors))
    assert found.scores(vectors, "MOJO1") == pytest.approx(-saved.scores(vectors))
    assert found.as_evaluated().scores(vectors) == pytest.approx(saved.scores(vectors) / 2)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ranker_v3.json", "ranker_v3.safetensors"]


def test_damaged_models_and_foreign_vectors_are_refused(tmp_path: Path) -> None:
    file = a_ranker().save(tmp_path)
    with pytest.raises(ProofsheetError, match="ranks by 4 numbers an image, these have 7"):
        a_ranker().scores(np.zeros((2, 7)))
    file.write_bytes(file.read_bytes()[:40])
    with pytest.raises(ProofsheetError, match="cannot be read"):
        LinearRanker.load(file)
    save_file({"other": np.zeros(3)}, file)
    with pytest.raises(ProofsheetError, match="cannot be read"):
        LinearRanker.load(file)
    with pytest.raises(ProofsheetError, match="cannot be read"):
        LinearRanker.load(tmp_path / "ranker_v9.safetensors")


def _disk_is_full(*_: object) -> int:
    raise OSError(errno.ENOSPC, "No space left on device")


async def test_a_damaged_ranker_steps_aside_and_training_again_mends_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    await simulate(world, 120)
    assert (await world.runs.wait((await world.ranking.train()).id)).state is RunState.DONE
    file = world.workspace.models / "ranker_v1.safetensors"
    file.write_bytes(file.read_bytes()[:40])
    recoveries = RecoveryLog(world.workspace.logs / "recoveries.jsonl")
    for _ in range(2):
        status = await world.ranking.status()
        assert (status.model, status.unusable) == (None, "ranker_v1")
        assert "cannot be read" in status.why_not and "train again" in status.why_not
    assert recoveries.counted("2000") == {"model-load": 1}
    row = Registry(world.store, world.workspace.models).latest("ada")
    assert row is not None

    def met_by_another_process() -> None:
        other = Registry(world.store, world.workspace.models, RecoveryLog(world.workspace.logs / "recoveries.jsonl"))
        assert other.usable(row) is None
        assert "cannot be read" in other.why_unusable(row)

    met_by_another_process()
    assert recoveries.counted("2000") == {"model-load": 1}
    os.utime(file, ns=(1, 1))  # damaged anew
    met_by_another_process()
    assert recoveries.counted("2000") == {"model-load": 2}
    os.utime(file, ns=(2, 2))
    with monkeypatch.context() as full:
        full.setattr(ErrorLog, "append", _disk_is_full)
        met_by_another_process()
    assert recoveries.counted("2000") == {"model-load": 2}
    run = await world.runs.wait((await world.ranking.train()).id)
    assert run.state is RunState.DONE, run.error
    summary = json.loads((world.workspace.logs / f"{run.id}_summary.json").read_text())
    assert summary["recoveries"] == {"model-load": 1}
    assert (await world.ranking.status()).version == 2


def test_ranking_a_thousand_encoded_images_takes_milliseconds() -> None:
    ranker = LinearRanker("ranker", 1, "fake-1", np.ones(512), np.ones(512), Calibration())
    vectors = np.random.default_rng(0).normal(size=(1_000, 512)).astype(np.float32)

    def best_of(count: int) -> float:
        times = []
        for _ in range(count):
            started = time.perf_counter()
            ranker.probabilities(ranker.scores(vectors)).argsort()
            times.append(time.perf_counter() - started)
        return min(times)

    assert best_of(20) < 0.005


def test_ranking_imports_no_torch() -> None:
    code = """
        import sys
        import numpy as np
        from pathlib import Path
        import engine.ranking
        from engine.ranking.measures import Calibration
        from engine.ranking.ordering import order
        from engine.ranking.ranker import LinearRanker
        folder = Path(sys.argv[1])
        saved = LinearRanker("ranker", 1, "builtin-1", np.ones(8), np.ones(8), Calibration()).save(folder)
        ranker = LinearRanker.load(saved)
        found = order(["a", "b"], ranker.scores(np.eye(8)[:2] * [[1], [2]]), ranker)
        assert found.winner == "b", found
        heavy = {"torch", "sklearn", "scipy", "pandas", "textual", "imagehash"} & set(sys.modules)
        assert not heavy, heavy
    """
    with __import__("tempfile").TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", textwrap.dedent(code), folder], check=True, cwd=ROOT)


CHILD = """
import asyncio, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.engine.ranking.killed import main
asyncio.run(main(Path(sys.argv[1])))
"""


async def test_killed_at_any_instant_a_run_leaves_a_store_to_train_again(world: World) -> None:
    """kill -9 a few times at random instants: models listed have whole files, and the next training works."""
    await simulate(world, 60)
    vectors = {name: list(map(float, vector)) for name, vector in world.vision.by_name.items()}
    (world.workspace.root / "vectors.json").write_text(json.dumps(vectors))
    random.seed(11)
    for _ in range(4):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(world.workspace.root), str(ROOT)], stdout=subprocess.PIPE, cwd=ROOT
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"training\n"
        time.sleep(random.uniform(0.0, 1.2))
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
        with world.store.reading() as connection:
            for row in connection.execute(sa.select(models)):
                assert LinearRanker.load(world.workspace.models / row.path).version == row.version
    result = await train(world)
    assert str(result["model"]).startswith("ranker_v")
