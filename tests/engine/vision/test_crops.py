"""Where the images of a set differ: the place is found, whatever moved or changed in tone, and kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from engine.errors import ProofsheetError
from engine.settings import Settings
from engine.store import Store
from engine.vision import crops
from engine.workspace import Workspace
from tests.engine.vision.models import saved
from tests.engine.vision.test_builtin import scene
from tests.engine.vision.test_vision import House

PLACE = (0.62, 0.2)


def variant(number: int, width: int = 480, height: int = 360, shift: tuple[int, int] = (0, 0)) -> Image.Image:
    """One scene; only at `PLACE` each image shows another thing."""
    whole = scene(3, width + 100, height + 100).filter(ImageFilter.GaussianBlur(3))
    picture = whole.crop((50 - shift[0], 50 - shift[1], width + 50 - shift[0], height + 50 - shift[1]))
    pen = ImageDraw.Draw(picture)
    x, y = PLACE[0] * width + shift[0], PLACE[1] * height + shift[1]
    for row in range(3):
        for column in range(3):
            if (number * 7 + row * 3 + column * 5) % 4 < 2:
                pen.rectangle((x + column * 14, y + row * 14, x + column * 14 + 12, y + row * 14 + 12), (250, 240, 60))
    return picture


def holds(region: tuple[float, float, float, float], x: float, y: float) -> bool:
    return region[0] <= x <= region[2] and region[1] <= y <= region[3]


def test_the_first_region_is_where_the_images_differ() -> None:
    planned = crops.plan([variant(n) for n in range(4)])
    assert len(planned) == 4
    assert all(2 <= len(each) <= 3 for each in planned)
    for each in planned:
        assert holds(each[0], PLACE[0] + 0.04, PLACE[1] + 0.06)
        assert all(0 <= side <= 1 for region in each for side in region)


def test_brightness_and_contrast_are_no_difference_of_place() -> None:
    pictures = [
        variant(0),
        ImageEnhance.Brightness(variant(1)).enhance(0.7),
        ImageEnhance.Contrast(variant(2)).enhance(0.8),
    ]
    assert holds(crops.plan(pictures)[0][0], PLACE[0] + 0.04, PLACE[1] + 0.06)


def test_a_region_moves_with_what_is_in_it() -> None:
    still, moved = crops.plan([variant(0), variant(1, shift=(37, 22))])
    across, down = moved[0][0] - still[0][0], moved[0][1] - still[0][1]
    assert across * 480 == pytest.approx(37, abs=8)
    assert down * 360 == pytest.approx(22, abs=7)
    assert holds(moved[0], PLACE[0] + 0.04 + 37 / 480, PLACE[1] + 0.06 + 22 / 360)


@pytest.mark.parametrize("shift", [(0, 0), (3, -2), (-5, 4), (8, 8)])
def test_a_shift_is_measured_to_the_pixel(shift: tuple[int, int]) -> None:
    drawn = crops.rendering(variant(0))
    assert crops.shift_between(drawn, np.roll(drawn, shift, (0, 1))) == shift


def test_equal_and_flat_images_have_regions_too_and_the_middle_first() -> None:
    for pictures in ([variant(0)] * 3, [Image.new("RGB", (50, 70), grey) for grey in ("black", "white")]):
        each = crops.plan(pictures)[0]
        assert holds(each[0], 0.5, 0.5)
        assert len(each) == 2
    with pytest.raises(ValueError, match="fewer than two"):
        crops.plan([variant(0)])


@pytest.fixture
async def house(workspace: Workspace, store: Store, tmp_path: Path):
    for number in range(4):
        file = tmp_path / "pictures" / "harbour" / f"{number}.jpg"
        file.parent.mkdir(parents=True, exist_ok=True)
        variant(number).save(file, quality=92)
    variant(9).save(tmp_path / "pictures" / "harbour" / "lost.jpg")
    (tmp_path / "pictures" / "night").mkdir()
    variant(8).save(tmp_path / "pictures" / "night" / "0.jpg")
    house = House(workspace, store, tmp_path / "pictures", Settings())
    yield house
    await house.runs.close()


@pytest.mark.parametrize("kind", ["builtin", "clip"])
async def test_crops_of_sets_are_computed_once_and_kept_apart(house: House, tmp_path: Path, kind: str) -> None:
    spec = "builtin" if kind == "builtin" else f"open_clip:local-dir:{saved(tmp_path / 'clip')}"
    images = await house.scanned(*(f"harbour/{n}.jpg" for n in range(4)))
    lost = (await house.scanned("harbour/lost.jpg"))[0]
    lost.path.unlink()
    sets = [images[:2], images, [images[0]], [images[0], lost], []]
    assert house.vision.crop_vectors(sets, spec, compute=False) == [None] * 5
    found = house.vision.crop_vectors(sets, spec)
    encoder = house.vision.encoder(spec)
    assert [None if one is None else len(one.vectors) for one in found] == [2, 4, None, None, None]
    for one in found[:2]:
        assert one is not None
        assert one.vectors.shape[1:] == (len(one.regions), encoder.dimension)
        assert 2 <= len(one.regions) <= 3
        assert np.isfinite(one.vectors).all()
        assert np.abs(one.vectors[0] - one.vectors[1]).max() > 1e-3
    again = house.vision.crop_vectors(sets, spec, compute=False)
    assert all(np.array_equal(a.vectors, b.vectors) for a, b in zip(found[:2], again[:2], strict=True))
    folders = {folder.name for folder in house.workspace.embeddings.iterdir()}
    assert f"{encoder.id}@crops" in folders
    assert house.vision.vectors(images, spec).shape == (4, encoder.dimension)
    other = (await house.scanned("night/0.jpg"))[0]
    with pytest.raises(ProofsheetError, match="one project"):
        house.vision.crop_vectors([[images[0], other]], spec)
