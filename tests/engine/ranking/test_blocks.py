"""Blocks of features: local crops from a real encoder on real pictures, and blocks that are switched off."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from engine.changes import Changes
from engine.errors import ProofsheetError, UsageError
from engine.library import Library
from engine.ranking import Ranking
from engine.ranking.features import PLAIN
from engine.review import Review
from engine.runs import Runs, RunState
from engine.settings import Settings
from engine.store import Store
from engine.vision import Vision, crops
from engine.workspace import Workspace
from tests.engine.ranking.conftest import World, simulate
from tests.engine.vision.models import saved

SETS, UNDECIDED = 24, 3


def draw(file: Path, scene: int, face: int) -> None:
    """A simulated picture: the scene is shared by the set, and only a small patch tells one face from another."""
    random = np.random.default_rng(scene)
    picture = Image.fromarray(random.integers(0, 255, (4, 6, 3), dtype=np.uint8)).resize((96, 64))
    place = random.integers(8, 40, 2)
    ImageDraw.Draw(picture).rectangle((*place, *(place + 16)), fill=(250, 60 * face, 200 - 60 * face))
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.save(file, quality=92)


@dataclass
class Studio:
    """The ranking room over real vision, with a small CLIP from a folder."""

    ranking: Ranking
    runs: Runs
    vision: Vision
    library: Library
    pictures: Path

    async def train(self, **how: Any) -> dict[str, Any]:
        run = await self.runs.wait((await self.ranking.train(**how)).id)
        assert run.state is RunState.DONE, run.error
        return dict(run.result or {})


@pytest.fixture
async def studio(workspace: Workspace, store: Store, tmp_path: Path) -> AsyncIterator[Studio]:
    """Sets of three, of which the person takes face 2 wherever it stands; the newest sets wait undecided."""
    pictures = tmp_path / "pictures" / "harbour"
    rows = ["session_id,set_id,chosen_path,neg_paths,timestamp"]
    for scene in range(SETS + UNDECIDED):
        files = [pictures / f"20250708_0607{scene:02}_stage{stage}.jpg" for stage in range(1, 4)]
        faces = np.random.default_rng(1000 + scene).permutation(3)
        for file, face in zip(files, faces, strict=True):
            draw(file, scene, int(face))
        best = int(faces.argmax())
        losers = ", ".join(f'""{file}""' for place, file in enumerate(files) if place != best)
        if scene < SETS:
            rows.append(f'night,{scene},{files[best]},"[{losers}]",2025-07-08T12:{scene:02}:00Z')
    log = workspace.training / "selection_only_log.csv"
    log.write_text("\n".join(rows) + "\n", encoding="utf-8")
    settings = Settings(actor="ada", encoder=f"open_clip:local-dir:{saved(tmp_path / 'clip')}", device="cpu")
    runs = Runs(workspace, store, workers=2)
    review = Review(workspace, store, settings.actor)
    changes = Changes(workspace)
    library = Library(workspace, settings, store, runs)
    vision = Vision(workspace, settings, store, runs, library)
    ranking = Ranking(workspace, settings, store, runs, review, changes, library, vision)
    await runs.wait((await library.scan([tmp_path / "pictures"])).id)
    assert (await ranking.import_selections(log)).sets == SETS
    yield Studio(ranking, runs, vision, library, pictures)
    await runs.close()


async def test_crops_are_learned_from_measured_and_looked_at_afterwards(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = await studio.train()
    assert {"embedding", "quality", "crops"} == set(told["ablation"])
    model = (await studio.ranking.models())[0]
    dimension = studio.vision.encoder().dimension
    assert model.card["blocks"]["crops"] == [dimension + len(PLAIN), 2 * dimension + len(PLAIN)]
    assert model.card["without"] == []
    await studio.ranking.use_model("ranker", 1)

    cut: list[int] = []
    computed = crops.Cropper._computed

    def counted(self: crops.Cropper, shelf: Any, sources: Any) -> bool:
        cut.append(len(sources))
        return computed(self, shelf, sources)

    monkeypatch.setattr(crops.Cropper, "_computed", counted)
    decided = sorted(studio.pictures.glob("20250708_060703_*"))
    ranked = await studio.ranking.rank(decided)
    assert ranked.model == "ranker_v1" and len(ranked.ranking) == 3
    assert cut == []  # in the order of the folder, not winner first: found all the same
    again = await studio.ranking.rank(decided[::-1])
    assert cut == []
    assert {one.path: one.score for one in again.ranking} == pytest.approx({o.path: o.score for o in ranked.ranking})

    waiting = await studio.ranking.queue()
    assert len(waiting) == UNDECIDED
    first = await studio.ranking.suggest(waiting[0])
    assert first is not None and first.model == "ranker_v1"
    assert cut == [3]  # not seen in training: cut now, and kept
    await studio.ranking.pick(waiting[0], first.proposal["image"])
    second = await studio.ranking.suggest(waiting[1])
    assert second is not None and cut == [3, 3]  # the verdict is learned from without cutting its set again

    # A set that has lost an image since cannot be compared there; the rest still speaks.
    third = await studio.ranking.image_set(waiting[2])
    studio.vision.vectors([one.image for one in third.members])
    studio.vision.readings([one.image for one in third.members])
    third.members[0].image.path.unlink()
    last = await studio.ranking.suggest(waiting[2])
    assert last is not None and last.model == "ranker_v1" and last.confidence is not None


async def test_a_block_that_is_switched_off_is_neither_learned_from_nor_cut(studio: Studio) -> None:
    told = await studio.train(without=["crops"])
    assert set(told["ablation"]) == {"embedding", "quality"}
    model = (await studio.ranking.models())[0]
    assert model.card["without"] == ["crops"] and "crops" not in model.card["blocks"]
    alone = await studio.train(without=["quality", "embedding"])
    assert set(alone["ablation"]) == {"crops"}
    assert alone["ablation"]["crops"] == 0.5  # nothing is left to tell images apart by


class TestTheSetting:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(actor="ada", features=("quality",))

    async def test_it_leaves_blocks_out_and_the_card_says_so(self, world: World) -> None:
        await simulate(world, 60)
        run = await world.runs.wait((await world.ranking.train()).id)
        assert run.result is not None, run.error
        assert set(run.result["ablation"]) == {"quality"}
        assert run.result["held_out"]["pair_accuracy"] < 0.7  # the taste is in the vectors, which it may not look at
        card = json.loads((world.workspace.models / "ranker_v1.json").read_text())
        assert card["without"] == ["embedding", "crops"]

    async def test_a_training_with_nothing_left_is_refused(self, world: World) -> None:
        with pytest.raises(UsageError, match="nothing to learn from") as refused:
            await world.ranking.train(without=["quality"])
        assert "`features`" in refused.value.remedy


class TestCropsAlone:
    @pytest.fixture
    def settings(self) -> Settings:
        return Settings(actor="ada", features=("crops",))

    async def test_what_never_looks_at_crops_says_so(self, world: World) -> None:
        await simulate(world, 20)
        with pytest.raises(ProofsheetError, match="both are switched off"):
            await world.ranking.replay()
        run = await world.runs.wait((await world.ranking.train()).id)  # and none could be cut
        assert run.state is RunState.FAILED
        assert run.error is not None and "no crops could be cut" in run.error
