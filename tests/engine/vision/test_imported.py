"""Embeddings of another program: what is taken, what is refused and why, and that they leave as they came."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from engine.changes import Changes
from engine.errors import ProofsheetError, UsageError
from engine.runs import RunFailed
from engine.settings import Settings, load
from engine.store import Store
from engine.vision import import_sources
from engine.workspace import Workspace
from tests.engine.vision.test_vision import House, draw


@pytest.fixture
async def house(workspace: Workspace, store: Store, tmp_path: Path) -> AsyncIterator[House]:
    for number in range(6):
        draw(tmp_path / "pictures" / "harbour" / f"{number}.jpg", number)
    draw(tmp_path / "pictures" / "night" / "dark.jpg", 10)
    draw(tmp_path / "pictures" / "night" / "0.jpg", 11)
    house = House(workspace, store, tmp_path / "pictures", Settings())
    yield house
    await house.runs.close()


def write(file: Path, images: Sequence[Any], vectors: Any, projects: Sequence[Any] | None = None) -> Path:
    columns: dict[str, Any] = {"image": images, "embedding": vectors}
    if projects is not None:
        columns["project"] = projects
    parquet.write_table(pa.table(columns), file)
    return file


async def bring_in(house: House, file: Path, name: str = "mine") -> dict[str, Any]:
    return dict((await house.runs.finished((await house.vision.import_embeddings(file, name)).id)).result or {})


def vectors_for(count: int, width: int = 5, seed: int = 0) -> list[list[float]]:
    return (np.random.default_rng(seed).normal(1000, 250, (count, width))).tolist()


HARBOUR = [f"harbour/{number}.jpg" for number in range(6)]


async def test_imported_vectors_are_standardised_and_an_encoder_from_then_on(house: House, tmp_path: Path) -> None:
    images = await house.scanned(*HARBOUR)
    given = vectors_for(6)
    for row in given:
        row[4] = 7.0  # a column that says nothing
    told = await bring_in(house, write(tmp_path / "a.parquet", [str(one.path) for one in images], given))
    assert told | {"run": 0} == {
        "run": 0,
        "encoder": "mine",
        "id": told["id"],
        "dim": 5,
        "imported": 6,
        "replaced": 0,
        "projects": {"harbour": 6},
        "refused": [],
    }
    found = house.vision.vectors(images, "mine")
    assert found.mean(0) == pytest.approx(0, abs=1e-3)
    assert found[:, :4].std(0) == pytest.approx(1, abs=1e-3)
    assert not found[:, 4].any()
    assert len(house.vision.readings(images, "mine")) == 6
    card = json.loads((house.workspace.embeddings / told["id"] / "card.json").read_text())
    assert card["columns"]["mean"] == pytest.approx(np.mean(given, 0).tolist())
    assert card["columns"]["deviation"][:4] == pytest.approx(np.std(given, 0)[:4].tolist())


async def test_rows_that_cannot_be_trusted_are_refused_with_their_number(house: House, tmp_path: Path) -> None:
    images = await house.scanned(*HARBOUR)
    night = (await house.scanned("night/dark.jpg"))[0]
    good = vectors_for(6)
    names = [str(one.path) for one in images]
    rows = [
        (names[0], [1.0, float("nan"), 3.0, 4.0, 5.0], None),
        (names[0], [1.0, 2.0], None),
        (str(house.pictures / "harbour" / "no.jpg"), good[0], None),
        (str(night.path), good[1], "harbour"),
        (None, good[1], None),
        (names[1], None, None),
        (names[2], [], None),
        ("0.jpg", good[0], None),
        ("0.jpg", good[0], "harbour"),
        (names[3], good[3], "Harbour"),
        (names[3], good[4], None),
        (names[4], [float("inf")] * 5, None),
        (images[5].content_hash, good[5], None),
        ("dark.jpg", good[2], None),
    ]
    columns = list(zip(*rows, strict=True))
    told = await bring_in(house, write(tmp_path / "a.parquet", columns[0], columns[1], columns[2]))
    reasons = {one["row"]: one["reason"] for one in told["refused"]}
    for row, word in {
        1: "NaN",
        2: "2 numbers, not 5",
        3: "no image",
        4: "of night",
        5: "names no image",
        6: "no list of numbers",
        7: "no list of numbers",
        8: "whole path",
        11: "earlier row",
        12: "NaN",
    }.items():
        assert word in reasons.pop(row)
    assert not reasons
    assert (told["imported"], told["projects"]) == (4, {"harbour": 3, "night": 1})


async def test_what_is_imported_later_lies_in_the_same_space(house: House, tmp_path: Path) -> None:
    images = await house.scanned(*HARBOUR)
    names = [str(one.path) for one in images]
    given = vectors_for(6)
    first = await bring_in(house, write(tmp_path / "a.parquet", names[:4], given[:4]))
    before = house.vision.vectors(images[:4], "mine")
    other = [[2 * one for one in row] for row in given]
    told = await bring_in(house, write(tmp_path / "b.parquet", names[3:], [given[3], other[4], other[5]]))
    assert (told["id"], told["imported"], told["replaced"]) == (first["id"], 2, 0)
    assert np.array_equal(house.vision.vectors(images[:4], "mine"), before)
    again = await bring_in(house, write(tmp_path / "c.parquet", [names[3]], [other[3]]))
    assert (again["imported"], again["replaced"]) == (0, 1)
    scale = np.array(given)[:4]
    wanted = (np.array(other[3:]) - scale.mean(0)) / scale.std(0)
    assert house.vision.vectors(images[3:], "mine") == pytest.approx(wanted, rel=2e-3, abs=2e-3)
    wrong = await bring_in(house, write(tmp_path / "d.parquet", [names[0]], [[1e30] * 5]))
    assert "too far" in wrong["refused"][0]["reason"]
    narrow = await bring_in(house, write(tmp_path / "e.parquet", [names[0]], [[1.0] * 4]))
    assert "4 numbers, not 5" in narrow["refused"][0]["reason"]


async def test_statistics_over_many_small_batches_are_those_of_the_whole(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_sources, "ROWS", 2)
    images = await house.scanned(*HARBOUR)
    given = np.array(vectors_for(6, 3, seed=3))
    array = pa.FixedSizeListArray.from_arrays(pa.array(given.ravel(), pa.float32()), 3)
    told = await bring_in(house, write(tmp_path / "a.parquet", [one.name for one in images][1:], array[1:]))
    card = json.loads((house.workspace.embeddings / told["id"] / "card.json").read_text())
    assert card["columns"]["mean"] == pytest.approx(given[1:].mean(0).tolist(), rel=1e-5)
    assert card["columns"]["deviation"] == pytest.approx(given[1:].std(0).tolist(), rel=1e-4)


async def test_a_name_that_cannot_be_one_and_files_that_are_none_are_refused(house: House, tmp_path: Path) -> None:
    await house.scanned()
    file = write(tmp_path / "a.parquet", ["x.jpg"], [[1.0]])
    for name in ("builtin", "auto", "open_clip-x", "../up", "", "a b", "x" * 65):
        with pytest.raises(UsageError):
            await house.vision.import_embeddings(file, name)
    with pytest.raises(UsageError, match="no file"):
        await house.vision.import_embeddings(tmp_path / "no.parquet", "mine")
    (tmp_path / "b.parquet").write_bytes(b"PAR1 not really")
    parquet.write_table(pa.table({"picture": ["a"], "embedding": [[1.0]]}), tmp_path / "c.parquet")
    whole = file.read_bytes()
    (tmp_path / "d.parquet").write_bytes(whole[: len(whole) // 2])
    for name, word in {"b": "parquet", "c": "no column image", "d": "parquet", "a": "nothing in"}.items():
        with pytest.raises(RunFailed, match=word):
            await bring_in(house, tmp_path / f"{name}.parquet")
    assert not list(house.workspace.embeddings.glob("imported-*"))


async def test_an_imported_encoder_cannot_look_at_pictures_and_says_so(house: House, tmp_path: Path) -> None:
    images = await house.scanned(*HARBOUR)
    await bring_in(house, write(tmp_path / "a.parquet", [str(one.path) for one in images[:5]], vectors_for(5)))
    with pytest.raises(ProofsheetError, match=r"5\.jpg: nothing was imported"):
        house.vision.vectors(images, "mine")
    for ask in (
        lambda: house.vision.describe(images[0].path, "mine"),
        lambda: house.vision.crop_vectors([images], "mine"),
    ):
        with pytest.raises(UsageError, match="imported vectors"):
            ask()
    with pytest.raises(UsageError, match="imported vectors"):
        await house.vision.embed(encoder="mine")
    assert house.vision.prepare(images, "mine") == {images[5].id: "nothing was imported for it as mine"}


async def test_the_name_is_a_setting_once_something_was_imported(house: House, tmp_path: Path) -> None:
    images = await house.scanned(*HARBOUR)
    house.workspace.settings_file.write_text('encoder = "mine"\n')
    with pytest.raises(UsageError, match="nothing was imported under that name") as refused:
        load(house.workspace, environment={}, user_file=tmp_path / "none")
    assert "import embeddings" in refused.value.remedy
    await bring_in(house, write(tmp_path / "a.parquet", [str(one.path) for one in images], vectors_for(6)))
    assert load(house.workspace, environment={}, user_file=tmp_path / "none").values.encoder == "mine"


async def test_vectors_leave_as_they_came_and_come_back(house: House, tmp_path: Path) -> None:
    images = await house.scanned(*HARBOUR)
    given = vectors_for(6)
    await bring_in(house, write(tmp_path / "a.parquet", [str(one.path) for one in images], given))
    changes = Changes(house.workspace)
    out, npy = tmp_path / "out" / "e.parquet", tmp_path / "out" / "npy"
    out.parent.mkdir()
    planned = await house.vision.export_embeddings(changes, out, npy, "mine")
    assert not out.exists() and not npy.exists()
    await changes.apply(planned.id)
    table = parquet.read_table(out).to_pydict()
    assert table["image"] == [str(one.path) for one in images]
    assert set(table["project"]) == {"harbour"}
    assert np.array(table["embedding"]) == pytest.approx(np.array(given), rel=2e-3)
    for image, wanted in zip(images, given, strict=True):
        assert np.load(npy / f"{image.content_hash}.npy", allow_pickle=False) == pytest.approx(wanted, rel=2e-3)
    again = await bring_in(house, npy, "again")
    assert (again["imported"], again["refused"]) == (6, [])
    np.save(npy / "nothing.npy", np.zeros(5))
    (npy / f"{images[0].content_hash}.npy").write_bytes(b"torn")
    third = await bring_in(house, npy, "third")
    assert {one["row"] for one in third["refused"]} == {"nothing.npy", f"{images[0].content_hash}.npy"}
    for wrong in ((None, None, "mine"), (tmp_path, None, "mine"), (out, None, "builtin")):
        with pytest.raises(UsageError):
            await house.vision.export_embeddings(changes, *wrong)
