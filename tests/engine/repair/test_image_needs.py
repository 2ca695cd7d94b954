"""Readers whose callers need an image, checks of the code's own for an empty one, and errors of the file's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import after, told, told_or_unknown

NONE = "AttributeError: 'NoneType' object has no attribute 'shape'"
READER = "import cv2\n\n\ndef imread(path):\n    image = cv2.imread(path)\n    return image[:, :, ::-1]\n"
SUBSCRIPT = "TypeError: 'NoneType' object is not subscriptable"


def test_a_question_about_another_functions_image_is_none_about_this_ones(tmp_path: Path) -> None:
    app = (
        "import cv2\n\n\ndef read(path):\n    image = cv2.imread(path)\n    return image[::-1]\n\n\n"
        "def save(path):\n    img = read(path)\n    img.tofile(path)\n\n\ndef size(img=None):\n"
        "    if img is not None:\n        return img.shape\n"
    )
    text = after(told(tmp_path, "imread", app, "image[::-1]", SUBSCRIPT))
    assert "raise FileNotFoundError" in text


def test_opencvs_own_reader_is_not_the_projects_of_that_name(tmp_path: Path) -> None:
    other = (
        "import cv2\nimport app\n\n\ndef mask(path):\n    image = cv2.imread(path)\n    if image is None:\n"
        "        return 0\n    return image.size\n\n\ndef f(path):\n    return app.imread(path).shape\n"
    )
    text = after(told(tmp_path, "imread", READER, "image[:", SUBSCRIPT, {"other.py": other}))
    assert "        raise FileNotFoundError" in text
    asks = other.replace("cv2.imread(path)", "app.imread(path)")
    assert "        return None" in after(told(tmp_path, "imread", READER, "image[:", SUBSCRIPT, {"other.py": asks}))


@pytest.mark.parametrize(
    ("test", "made"),
    [
        ("if not mask.size == 0:\n        area[mask == 0] = 0", "if mask is not None and not mask.size == 0:"),
        ("if mask.size:\n        area[mask == 0] = 0", "if mask is not None and mask.size:"),
        ("if mask.size == 0:\n        return\n    area[mask == 0] = 0", "if mask is None or mask.size == 0:"),
    ],
)
def test_an_unread_image_is_as_good_as_an_empty_one_where_the_code_asks_for_that(
    tmp_path: Path, test: str, made: str
) -> None:
    app = f"import cv2\n\n\ndef add(path, area):\n    mask = cv2.imread(path, 0)\n    {test}\n"
    text = after(
        told(tmp_path, "imread", app, "mask.size", "AttributeError: 'NoneType' object has no attribute 'size'")
    )
    assert made in text and "raise" not in text and "cannot read image" in text


def test_an_image_that_is_needed_behind_the_question_is_not_taken_for_empty(tmp_path: Path) -> None:
    app = (
        "import cv2\n\n\ndef add(path):\n    mask = cv2.imread(path, 0)\n    if mask.size:\n        use(mask)\n"
        "    return mask.shape\n"
    )
    error = "AttributeError: 'NoneType' object has no attribute 'size'"
    assert "raise FileNotFoundError" in after(told(tmp_path, "imread", app, "mask.size", error))


ASSERTED = (
    "import cv2\nimport numpy as np\nfrom PIL import Image\n\n\ndef load(path):\n    image = cv2.imread(path)\n"
    "    assert image is not None, f'Image Not Found {path}'\n    return image\n"
)


def test_a_kind_of_image_that_opencv_lacks_is_read_by_pillow_which_is_there(tmp_path: Path) -> None:
    error = "AssertionError: Image Not Found photos/1.webp"
    text = after(told(tmp_path, "imread", ASSERTED, "assert", error))
    assert "image = read_image(path)" in text and "Image.open(filename)" in text and "assert image is not None" in text
    without = ASSERTED.replace("from PIL import Image\n", "")
    assert isinstance(told(tmp_path, "imread", without, "assert", error), Declined)


def by_pillow(root: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """The helper that is written for such a kind of image, where OpenCV reads none."""
    cv2 = pytest.importorskip("cv2")
    text = after(told(root, "imread", ASSERTED, "assert", "AssertionError: Image Not Found photos/1.webp"))
    space: dict[str, Any] = {}
    exec(text, space)
    monkeypatch.setattr(cv2, "imread", lambda _path: None)
    return space["read_image"]  # type: ignore[no-any-return]


def test_what_pillow_reads_is_as_imread_would_give_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.zeros((20, 40, 3), np.uint8)
    pixels[:, :20] = (255, 0, 0)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "turned.webp", exif=exif, lossless=True)
    deep = (np.arange(400, dtype=np.uint16) * 160).reshape(20, 20)
    Image.fromarray(deep).save(tmp_path / "deep.tiff")
    cv2 = pytest.importorskip("cv2")
    expected = {name: cv2.imread(str(tmp_path / name)) for name in ("turned.webp", "deep.tiff")}
    read = by_pillow(tmp_path, monkeypatch)
    for name, image in expected.items():
        found = read(str(tmp_path / name))
        assert image is not None and found.dtype == image.dtype and np.array_equal(found, image), name


def test_what_pillow_cannot_read_so_is_no_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.fromarray(np.ones((4, 4), np.float32)).save(tmp_path / "float.tiff")
    (tmp_path / "text.webp").write_text("no image")
    Image.new("RGB", (64, 64)).save(tmp_path / "vast.webp")
    read = by_pillow(tmp_path, monkeypatch)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 16)
    for name in ("float.tiff", "text.webp", "vast.webp", "none.webp"):
        assert read(str(tmp_path / name)) is None, name


def test_a_branch_for_an_empty_image_that_looks_at_it_gets_none(tmp_path: Path) -> None:
    app = (
        "import cv2\n\n\ndef add(path, area):\n    mask = cv2.imread(path, 0)\n    if mask.size == 0:\n"
        "        print(mask.shape)\n        return\n    area[mask == 0] = 0\n"
    )
    error = "AttributeError: 'NoneType' object has no attribute 'size'"
    found = told(tmp_path, "imread", app, "mask.size", error)
    assert "mask is None or mask.size" not in after(found)


@pytest.mark.parametrize("path", ["größe/1.jpg", "图片/1.png"])
def test_an_assertion_about_a_path_out_of_the_ordinary_is_one_of_the_path(tmp_path: Path, path: str) -> None:
    found = told(tmp_path, "imread", ASSERTED, "assert", f"AssertionError: Image Not Found {path}")
    assert "fromfile" in after(found)


@pytest.mark.parametrize("error", ["AssertionError: Image Not Found a/1.jpg", "AssertionError: no label for größe.txt"])
def test_an_assertion_about_an_image_that_is_not_there_is_right(tmp_path: Path, error: str) -> None:
    found = told_or_unknown(tmp_path, "imread", ASSERTED, "assert", error)
    assert not isinstance(found, Proposal)


def test_a_function_of_the_name_of_the_helper_does_not_call_itself(tmp_path: Path) -> None:
    app = (
        "import cv2\nimport numpy as np\n\n\ndef read_image(path, raw):\n    try:\n        if raw is None:\n"
        "            image = cv2.imread(path)\n            if image is None:\n                raise ValueError\n"
        "        else:\n            image = cv2.imdecode(np.frombuffer(raw, np.uint8), 1)\n"
        "    except ValueError as error:\n"
        "        if raw is None:\n            raise Exception(f'Error while reading image: {path!r}') from error\n"
        "    return image\n"
    )
    text = after(told(tmp_path, "imread", app, "raise Exception", "Exception: Error while reading image: 'größe.png'"))
    assert "image = read_image_file(path)" in text


def test_both_images_of_a_line_are_looked_for(tmp_path: Path) -> None:
    app = "import cv2\n\n\ndef load(a, b):\n    return cv2.imread(a)[0], cv2.imread(b)[0]\n"
    text = after(told(tmp_path, "imread", app, "cv2.imread(a)", SUBSCRIPT))
    assert 'f"cannot read image: {a}"' in text and 'f"cannot read image: {b}"' in text
    assert "    return image[0], img[0]\n" in text
    either = app.replace("return cv2.imread(a)[0], cv2.imread(b)[0]", "return cv2.imread(a)[0] or cv2.imread(b)[0]")
    assert "return image[0] or " in after(told(tmp_path / "b", "imread", either, "cv2.imread(a)", SUBSCRIPT))


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("'logo.png'", "'cannot read image: logo.png'"),
        ("args['logo']", "f\"cannot read image: {args['logo']}\""),
        ("logo", "'cannot read image'"),
    ],
)
def test_the_error_names_the_file_unless_the_name_is_the_images_by_now(tmp_path: Path, path: str, said: str) -> None:
    app = f"import cv2\n\n\ndef load(args, logo, more='x'):\n    logo = cv2.imread({path})\n    return logo.shape\n"
    assert f"raise FileNotFoundError({said})" in after(told(tmp_path, "imread", app, ".shape", NONE))


def test_another_read_of_the_function_that_is_used_at_once_is_looked_at_too(tmp_path: Path) -> None:
    app = (
        "import cv2\n\n\ndef video(files, writer):\n    first = cv2.imread(files[0])\n    size = first.shape\n"
        "    for one in files:\n        writer.write(cv2.imread(one))\n    return size\n"
    )
    text = after(told(tmp_path, "imread", app, ".shape", NONE))
    assert "            continue\n        writer.write(image)\n" in text
