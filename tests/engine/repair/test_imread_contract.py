"""What the imread pattern puts in `cv2.imread`'s place gives what OpenCV gives, for every flag, on real files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.repair.patterns.images.any_path import HELPER

cv2: ModuleType = pytest.importorskip("cv2", reason="opencv-python-headless (extra `dev`) is the oracle here")
FLAGS = sorted(
    {
        *(value for name, value in vars(cv2).items() if name.startswith("IMREAD_") and isinstance(value, int)),
        cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION,
        cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR,
        cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH,
    }
)


@pytest.fixture(scope="module")
def read_image() -> Callable[..., Any]:
    """The helper as it stands in a mended file."""
    space: dict[str, Any] = {"cv2": cv2, "np": np}
    exec(HELPER.format(name="read_image", cv2="cv2", np="np", colour="cv2.IMREAD_COLOR"), space)
    return space["read_image"]  # type: ignore[no-any-return]


def noise(*shape: int, dtype: str = "uint8") -> np.ndarray:
    high = np.iinfo(dtype).max
    return np.random.default_rng(7).integers(0, high, size=shape, dtype=dtype, endpoint=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("images")
    Image.fromarray(noise(24, 36, 4), "RGBA").save(root / "alpha.png")
    Image.fromarray(noise(24, 36, 4), "RGBA").quantize(16).save(root / "palette.png", transparency=3)
    Image.fromarray(noise(24, 36)).save(root / "grey.png")
    cv2.imwrite(str(root / "deep.png"), noise(24, 36, 3, dtype="uint16"))
    cv2.imwrite(str(root / "deep_grey.png"), noise(24, 36, dtype="uint16"))
    cv2.imwrite(str(root / "deep.tiff"), noise(24, 36, 3, dtype="uint16"))
    cv2.imwrite(str(root / "alpha.webp"), noise(24, 36, 4))
    Image.fromarray(noise(24, 36, 3)).save(root / "plain.bmp")
    Image.fromarray(noise(24, 36)).convert("1").save(root / "two.tiff")
    for turn in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = turn
        Image.fromarray(noise(24, 36, 3)).save(root / f"turned_{turn}.jpg", exif=exif, quality=95)
    Image.fromarray(noise(24, 36, 3)).save(root / "größe 写真 é.jpg")
    whole = (root / "turned_1.jpg").read_bytes()
    (root / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    (root / "empty.png").write_bytes(b"")
    (root / "text.png").write_text("no image")
    (root / "folder.png").mkdir()
    found = {one.name: one for one in sorted(root.iterdir())}
    return {**found, "missing.png": root / "missing.png", "no/folder.png": root / "no" / "folder.png"}


def same(ours: Any, theirs: Any) -> bool:
    if ours is None or theirs is None:
        return ours is theirs
    return ours.dtype == theirs.dtype and ours.shape == theirs.shape and np.array_equal(ours, theirs)


def test_the_helper_gives_what_imread_gives_for_every_flag(
    read_image: Callable[..., Any], files: dict[str, Path]
) -> None:
    different = [
        f"{name}, flags {flags}"
        for name, path in files.items()
        for flags in FLAGS
        if not same(read_image(str(path), flags), cv2.imread(str(path), flags))
    ]
    assert different == []
    seen = [name for name, path in files.items() if read_image(str(path)) is not None]
    assert len(seen) >= 18, "most of these are images: a helper that gave None for all would pass otherwise"


def test_the_helpers_own_default_is_imreads(read_image: Callable[..., Any], files: dict[str, Path]) -> None:
    assert [name for name, path in files.items() if not same(read_image(str(path)), cv2.imread(str(path)))] == []


@pytest.mark.parametrize("folder", ["jpg/orientation", "jpg", "jpg/invalid"])
def test_the_helper_gives_what_imread_gives_for_photographs(
    read_image: Callable[..., Any], photos: Path, folder: str
) -> None:
    there = sorted((photos / folder).glob("*.jpg"))[:16]
    assert there
    kept = (cv2.IMREAD_COLOR, cv2.IMREAD_UNCHANGED, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_IGNORE_ORIENTATION)
    different = [
        f"{photo.name}, flags {flags}"
        for photo in there
        for flags in kept
        if not same(read_image(str(photo), flags), cv2.imread(str(photo), flags))
    ]
    assert different == []
