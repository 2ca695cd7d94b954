"""Copies of photographs are found, and no two photographs are taken for one. `make bench` holds it on all of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.engine import Engine
from engine.workspace import Workspace
from tests.bench.duplicates import judge, variants, write_variants


async def groups_in(workspace: Workspace, folder: Path) -> list[list[str]]:
    async with Engine.open(workspace) as engine:
        await engine.runs.finished((await engine.library.scan([folder])).id)
        await engine.runs.finished((await engine.duplicates.search()).id)
        found = await engine.duplicates.groups()
        return [[member.image.name for member in group.members] for group in found.groups if group.kind != "burst"]


def draw_clouds(seed: int) -> Image.Image:
    """A simulated picture of light and dark at two scales, unlike that of any other seed."""
    rng = np.random.default_rng(seed)
    size = (480, 360)
    far, close = (
        Image.fromarray(rng.integers(0, 255, (rows, columns, 3), dtype=np.uint8)).resize(size, Image.Resampling.BICUBIC)
        for rows, columns in ((4, 5), (12, 16))
    )
    return Image.blend(far, close, 0.4)


# Two fifths of the photographs, in parts that even a busy machine ends in time.
@pytest.mark.parametrize("part", [0, 1, 5, 6])
async def test_copies_of_photographs_are_found_and_nothing_else(
    workspace: Workspace, photos: Path, tmp_path: Path, part: int
) -> None:
    chosen = sorted(path for path in photos.rglob("*") if path.is_file())[part::10]
    shows = write_variants(chosen, tmp_path / "photos" / "p", 480)
    precision, recall, mixed = judge(await groups_in(workspace, tmp_path / "photos"), shows)
    assert mixed == []
    assert precision >= 0.99
    assert recall >= 0.95


async def test_copies_of_simulated_pictures_are_found_and_nothing_else(workspace: Workspace, tmp_path: Path) -> None:
    folder = tmp_path / "photos" / "p"
    folder.mkdir(parents=True)
    shows: dict[str, str] = {}
    for number in range(12):
        picture = draw_clouds(number)
        for kind, (each, quality) in {"original": (picture, 95), **variants(picture)}.items():
            name = f"{number:03d}_{kind.replace(' ', '_').replace('%', 'percent')}.jpg"
            each.save(folder / name, quality=quality)
            shows[name] = str(number)
    precision, recall, mixed = judge(await groups_in(workspace, tmp_path / "photos"), shows)
    assert mixed == []
    assert (precision, recall >= 0.95) == (1.0, True)
