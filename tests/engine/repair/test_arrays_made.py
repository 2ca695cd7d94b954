"""What is made an array, or a picture: not where blue and red would change places, nor where a list has to stay one."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Declined
from tests.engine.repair.telling import after, told

SAVE = "from PIL import Image\n\n\ndef save(image, path):\n    image.save(path)\n"
NO_SAVE = "AttributeError: 'numpy.ndarray' object has no attribute 'save'"
MEAN = (
    "import numpy as np\n\n\ndef mean(points):\n    middle = points.mean()\n    points.append(middle)\n"
    "    return points\n"
)


@pytest.mark.parametrize(
    ("source", "files"),
    [
        pytest.param("import cv2\n" + SAVE, {}, id="in the file"),
        pytest.param(
            SAVE, {"camera.py": "import cv2\nimport app\n\napp.save(cv2.imread('1.png'), '2.png')\n"}, id="beside"
        ),
        pytest.param(
            SAVE.replace("image.save", "image_bgr.save").replace("(image,", "(image_bgr,"), {}, id="by its name"
        ),
    ],
)
def test_an_array_of_opencv_is_no_picture_as_it_stands(tmp_path: Path, source: str, files: dict[str, str]) -> None:
    found = told(tmp_path, "attribute", source, ".save(path)", NO_SAVE, files)
    assert isinstance(found, Declined) or b"fromarray" not in found.edits[0].after
    plain = tmp_path / "plain"
    plain.mkdir()
    assert "Image.fromarray(image)" in after(told(plain, "attribute", SAVE, ".save(path)", NO_SAVE))


def test_a_list_that_is_added_to_stays_a_list(tmp_path: Path) -> None:
    error = "AttributeError: 'list' object has no attribute 'mean'"
    text = after(told(tmp_path, "attribute", MEAN, "points.mean", error))
    assert "    middle = np.asarray(points).mean()\n    points.append(middle)\n" in text
    kept = after(told(tmp_path, "attribute", MEAN.replace("    points.append(middle)\n", ""), "points.mean", error))
    assert "    points = np.asarray(points)\n" in kept
