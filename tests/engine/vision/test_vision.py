"""The vision room's door: embedding a library, asking for vectors and readings, and what it refuses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from engine.errors import ProofsheetError, UsageError
from engine.library import Library
from engine.runs import Runs, RunState
from engine.settings import Settings
from engine.store import Store
from engine.vision import Vision
from engine.vision.builtin import DIMENSION
from engine.workspace import Workspace
from tests.engine.library.treachery import treachery


class House:
    """The floors below vision and vision itself, over a folder of pictures."""

    def __init__(self, workspace: Workspace, store: Store, pictures: Path, settings: Settings) -> None:
        self.workspace, self.store, self.pictures = workspace, store, pictures
        self.runs = Runs(workspace, store, workers=2)
        self.library = Library(workspace, settings, store, self.runs)
        self.vision = Vision(workspace, settings, store, self.runs, self.library)

    async def scanned(self, *names: str) -> list:
        """The library's images of these names (project/name), after a scan."""
        await self.runs.wait((await self.library.scan([self.pictures])).id)
        found = await self.library.find([self.pictures / name for name in names])
        return [found[self.pictures / name] for name in names]

    async def embed(self, **how) -> dict:
        run = await self.runs.wait((await self.vision.embed(**how)).id)
        assert run.state is RunState.DONE, run.error
        return dict(run.result or {})


def draw(file: Path, seed: int, blur: float = 0.0) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    picture = Image.fromarray(noise).resize((480, 320), Image.Resampling.BICUBIC)
    picture.filter(ImageFilter.GaussianBlur(blur)).save(file, quality=92)


@pytest.fixture
async def house(workspace: Workspace, store: Store, tmp_path: Path) -> AsyncIterator[House]:
    pictures = tmp_path / "pictures"
    for number in range(4):
        draw(pictures / "harbour" / f"{number}.jpg", number)
    draw(pictures / "night" / "0.jpg", 10)
    draw(pictures / "night" / "1.png", 11)
    house = House(workspace, store, pictures, Settings())
    yield house
    await house.runs.close()


async def test_a_file_that_ends_its_decoder_is_refused_by_name_and_the_others_are_embedded(house: House) -> None:
    for name, seed in (("crash.jpg", 20), ("greedy.png", 21), ("wrong.jpg", 22)):
        draw(house.pictures / "harbour" / name, seed)
    await house.scanned()
    with treachery("decode"):
        done = await house.embed()
    assert done["embedded"] == 6
    refused = {Path(one["path"]).name for one in done["refused"]}
    assert refused == {"crash.jpg", "greedy.png", "wrong.jpg"}
    told = [json.loads(line) for line in (house.workspace.logs / "errors.jsonl").read_text().splitlines()]
    assert {Path(one["context"]["file"]).name for one in told} == refused
    assert {(one["type"], one["context"]["operation"]) for one in told} == {("decoder_crash", "embed")}


async def test_a_library_is_embedded_once(house: House) -> None:
    await house.scanned()
    first = await house.embed()
    assert {key: first[key] for key in ("encoder", "dim", "embedded", "cached", "refused")} == {
        "encoder": "builtin-1",
        "dim": DIMENSION,
        "embedded": 6,
        "cached": 0,
        "refused": [],
    }
    assert first["images_per_second"] > 0
    again = await house.embed()
    assert (again["embedded"], again["cached"]) == (0, 6)
    forced = await house.embed(force=True)
    assert (forced["embedded"], forced["cached"]) == (6, 0)


async def test_vectors_lie_in_one_file_a_project(house: House) -> None:
    await house.scanned()
    await house.embed()
    folder = house.workspace.embeddings / "builtin-1"
    assert {file.name for file in folder.glob("*.f16")} == {"harbour.f16", "night.f16"}
    assert (folder / "harbour.f16").stat().st_size == 4 * DIMENSION * 2
    assert (folder / "card.json").is_file()


async def test_a_part_of_the_library_can_be_embedded(house: House) -> None:
    images = await house.scanned("harbour/0.jpg", "harbour/1.jpg")
    assert (await house.embed(image_ids=[image.id for image in images]))["embedded"] == 2
    assert (await house.embed(project="Night"))["embedded"] == 2
    assert (await house.embed(under=[house.pictures / "harbour"]))["embedded"] == 2
    assert (await house.embed(max_images=3))["cached"] == 3
    assert (await house.embed(under=[house.pictures / "harb"])) | {"run": 0} == {
        "run": 0,
        "encoder": "builtin-1",
        "dim": DIMENSION,
        "embedded": 0,
        "cached": 0,
        "refused": [],
        "images_per_second": 0.0,
    }


async def test_vectors_are_made_when_asked_for_and_read_back_the_same(house: House) -> None:
    images = await house.scanned("harbour/2.jpg", "harbour/0.jpg")
    first = house.vision.vectors(images)
    assert first.shape == (2, DIMENSION)
    assert first.dtype == np.float32
    assert np.array_equal(house.vision.vectors(images), first)
    assert np.array_equal(house.vision.vectors(images[::-1]), first[::-1])
    assert (await house.embed())["cached"] == 2


async def test_readings_tell_the_sharper_picture(house: House) -> None:
    draw(house.pictures / "harbour" / "soft.jpg", 0, blur=4)
    sharp, soft = house.vision.readings(await house.scanned("harbour/0.jpg", "harbour/soft.jpg"))
    assert sharp.sharpness > soft.sharpness


async def test_two_projects_never_meet(house: House) -> None:
    images = await house.scanned("harbour/0.jpg", "night/0.jpg")
    with pytest.raises(ProofsheetError, match="harbour, night"):
        house.vision.vectors(images)
    with pytest.raises(ProofsheetError, match="one project"):
        house.vision.readings(images)


async def test_the_same_bytes_twice_are_described_once(house: House) -> None:
    copy = house.pictures / "harbour" / "copy.jpg"
    copy.write_bytes((house.pictures / "harbour" / "0.jpg").read_bytes())
    images = await house.scanned("harbour/0.jpg", "harbour/copy.jpg")
    vectors = house.vision.vectors(images)
    assert np.array_equal(vectors[0], vectors[1])
    with (house.workspace.embeddings / "builtin-1" / "harbour.f16").open("rb") as file:
        assert len(file.read()) == DIMENSION * 2


async def test_files_that_went_or_changed_after_the_scan_are_refused_by_name(house: House) -> None:
    await house.scanned()
    gone, changed = house.pictures / "harbour" / "0.jpg", house.pictures / "harbour" / "1.jpg"
    gone.unlink()
    draw(changed, 99)
    result = await house.embed()
    assert result["embedded"] == 4
    assert {Path(one["path"]).name: one["reason"] for one in result["refused"]} == {
        "0.jpg": "the file is gone",
        "1.jpg": "the file changed since it was scanned",
    }


async def test_asking_for_the_vector_of_a_lost_picture_names_it(house: House) -> None:
    images = await house.scanned("harbour/0.jpg")
    images[0].path.unlink()
    with pytest.raises(ProofsheetError, match=r"0\.jpg: the file is gone"):
        house.vision.vectors(images)


async def test_an_encoder_that_there_is_not_is_refused(house: House) -> None:
    images = await house.scanned("harbour/0.jpg")
    with pytest.raises(UsageError, match="no encoder"):
        house.vision.vectors(images, encoder="nonsense")


async def test_sources_are_left_as_they_are(house: House) -> None:
    await house.scanned()
    before = {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in house.pictures.rglob("*.*")}
    await house.embed()
    assert {file: (file.read_bytes(), file.stat().st_mtime_ns) for file in house.pictures.rglob("*.*")} == before


async def test_a_cancelled_run_keeps_what_it_has_and_the_next_goes_on(house: House) -> None:
    for number in range(40):
        draw(house.pictures / "many" / f"{number}.jpg", 100 + number)
    await house.scanned()
    run = await house.vision.embed()
    async for event in house.runs.tail(run.id):
        if event.type == "progress" and event.data["done"] >= 1:
            await house.runs.cancel(run.id)
            break
    ended = await house.runs.wait(run.id)
    assert ended.state in (RunState.CANCELLED, RunState.DONE)
    result = await house.embed()
    assert result["embedded"] + result["cached"] == 46
    assert result["cached"] >= 1
