"""What the hallway hands from room to room: duplicates to the queries of the list, earlier vectors to the shelves."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.engine import Engine
from engine.library.query import QueryError
from engine.workspace import Workspace
from tests.engine.library.pictures import put
from tests.tui.fake_pictures import draw_scene


async def _names(engine: Engine, query: str) -> set[str]:
    return {one.name for one in await engine.library.page(list(await engine.library.ids(query)))}


async def test_the_list_knows_what_is_a_duplicate(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / "mojo1"
    folder.mkdir(parents=True)
    draw_scene(1, (320, 240)).save(folder / "a.jpg", quality=90)
    shutil.copy2(folder / "a.jpg", folder / "a copy.jpg")
    draw_scene(1, (320, 240)).transpose(Image.Transpose.ROTATE_90).save(folder / "a_turned.jpg", quality=85)
    draw_scene(2, (320, 240)).save(folder / "b.jpg")
    async with Engine.open(workspace) as engine:
        await engine.runs.finished((await engine.library.scan([tmp_path / "photos"])).id)
        with pytest.raises(QueryError, match="not been looked for"):
            await engine.library.ids("dup:yes")
        ids = list(await engine.library.ids())
        assert {one.duplicates for one in await engine.library.details(ids)} == {None}
        found = await engine.duplicates.find()
        alike = {"a.jpg", "a copy.jpg", "a_turned.jpg"}
        assert (await _names(engine, "dup:yes"), await _names(engine, "dup:no")) == (alike, {"b.jpg"})
        counts = {one.image.name: one.duplicates for one in await engine.library.details(ids)}
        assert counts == {"a.jpg": 2, "a copy.jpg": 2, "a_turned.jpg": 2, "b.jpg": 0}
        assert (await engine.library.mix()).near_duplicates == pytest.approx(3 / 4)
        exact = next(group for group in found.groups if group.kind == "exact")
        await engine.duplicates.approve([exact])
        assert len(await _names(engine, "dup:yes")) == 2, "what lies in the trash is nobody's twin"
        await engine.duplicates.undo()
        assert await _names(engine, "dup:yes") == alike
        for group in (await engine.duplicates.groups()).groups:
            await engine.duplicates.reject(group)
        assert await _names(engine, "dup:yes") == set()
        await engine.duplicates.groups()  # looked at again: what was said stays said
        assert await _names(engine, "dup:yes") == set()


async def test_vectors_from_before_are_kept_under_a_name(workspace: Workspace, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for at in range(4):
        put(photos / "mojo1" / f"{at}.jpg", seed=at)
    async with Engine.open(workspace) as engine:
        await engine.runs.finished((await engine.library.scan([photos])).id)
        pictures = await engine.library.images(list(await engine.library.ids()))
        (photos / "embeddings").mkdir()
        chance = np.random.default_rng(5)
        for image in pictures:
            np.save(photos / "embeddings" / f"{image.content_hash}.npy", chance.normal(size=16).astype(np.float32))
        (found,) = await engine.library.read_earlier(photos)
        assert "4 vectors kept under the encoder 'earlier'" in found.told
        assert engine.vision.vectors(pictures, "earlier").shape == (4, 16)
        (again,) = await engine.library.read_earlier(photos)
        assert "0 vectors kept" in again.told, "what is there is not written twice"
