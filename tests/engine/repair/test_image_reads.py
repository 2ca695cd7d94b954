"""What is done where an image cannot be read: every read of it, the reader itself, and how the function leaves."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.images.none_checks import MOST_BESIDE
from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import told_or_unknown

NONE = "'NoneType' object has no attribute 'shape'"


def proposed(
    root: Path, app: str, code: str, error: tuple[str, str] = ("AttributeError", NONE)
) -> Proposal | Declined | None:
    return told_or_unknown(root, "imread", app, code, ": ".join(error))


def after(root: Path, app: str, code: str = ".shape") -> str:
    found = proposed(root, app, code)
    assert isinstance(found, Proposal), found
    return found.edits[0].after.decode()


def test_a_reader_says_itself_which_image_it_is_in_each_of_its_branches(tmp_path: Path) -> None:
    text = after(
        tmp_path,
        "import cv2\n\n\ndef load(path, grey):\n    if grey:\n        image = cv2.imread(path, 0)\n    else:\n"
        "        image = cv2.imread(path)\n    return image\n\n\ndef f(path):\n    needle = load(path, 1)\n"
        "    return needle.shape\n",
    )
    assert text.count("        if image is None:\n            raise FileNotFoundError") == 2
    assert "needle is None" not in text and "cv2.imread(path" not in text


def test_it_leaves_as_it_does_for_other_things_that_are_not_there(tmp_path: Path) -> None:
    text = after(
        tmp_path,
        "import cv2\n\n\ndef f(path):\n    meta = info(path)\n    if meta is None:\n        return [1, [path]]\n"
        "    image = cv2.imread(path)\n    return [0, image.shape]\n",
    )
    assert "    if image is None:\n        return [1, [path]]\n" in text


def test_a_function_that_returns_nothing_leaves_bare(tmp_path: Path) -> None:
    text = after(
        tmp_path,
        "import cv2\n\n\nclass App:\n    def f(self):\n        path = ask()\n        if not path:\n            return\n"
        "        self.image = cv2.imread(path)\n        self.size = self.image.shape\n",
    )
    assert "        if self.image is None:\n            return\n" in text


@pytest.mark.parametrize(
    ("loop", "moves"),
    [
        ("    for path in paths:\n        use(cv2.imread(path).shape)\n        bar.update(1)\n", "bar.update(1)"),
        ("    i = 0\n    while i < 9:\n        use(cv2.imread(paths[i]).shape)\n        i += 1\n", "i += 1"),
    ],
)
def test_a_round_that_is_passed_over_moves_on(tmp_path: Path, loop: str, moves: str) -> None:
    text = after(tmp_path, f"import cv2\n\n\ndef f(paths, bar):\n{loop}")
    assert f"            {moves}\n            continue\n" in text


def test_the_same_image_is_looked_for_in_other_functions(tmp_path: Path) -> None:
    text = after(
        tmp_path,
        "import cv2\n\n\ndef ready(source):\n    if not face(cv2.imread(source)):\n        return False\n"
        "    return True\n\n\ndef f(source, target):\n    image = cv2.imread(source)\n    return image.shape\n",
    )
    assert text.count("is None:\n        return False") == 1 and "imread(source)" not in text


ERROR = ("Exception", "Error while reading image: 'größe.png'")
OWN = (
    "import cv2\n\n\ndef f(path):\n    try:\n        image = cv2.imread(path)\n        if image is None:\n"
    "            raise ValueError('None')\n    except ValueError as error:\n"
    "        raise Exception(f'Error while reading image: {path!r}') from error\n    return image\n"
)


def test_a_projects_own_error_is_of_the_path_where_that_shows(tmp_path: Path) -> None:
    found = proposed(tmp_path, OWN, "raise Exception", ERROR)
    assert isinstance(found, Proposal) and found.operator == "helper"
    text = found.edits[0].after.decode()
    assert "image = read_image(path)" in text and text.count("is None") == 2
    assert proposed(tmp_path, text, "raise Exception", ERROR) is not None
    assert isinstance(proposed(tmp_path, text, "raise Exception", ERROR), Declined)
    assert proposed(tmp_path, OWN, "raise Exception", ("Exception", "Error while reading image: 'a.png'")) is None


def test_a_reader_that_looks_for_none_is_left_alone(tmp_path: Path) -> None:
    app = (
        "import cv2\n\n\ndef load(path):\n    image = cv2.imread(path)\n"
        "    if image is None:\n        raise OSError(path)\n"
        "    return image\n\n\ndef f(path):\n    image = load(path)\n    return image.shape\n"
    )
    assert isinstance(proposed(tmp_path, app, ".shape"), Declined)


@pytest.mark.parametrize(
    ("source", "then"),
    [
        (
            "import cv2\n\ndef f(files):\n    if 'a' not in files:\n        return jsonify({'error': 'no file'}), 400\n"
            "    image = cv2.imread(files['a'])\n    return jsonify({'size': image.shape})\n",
            "        return jsonify({'error': 'cannot read image'}), 400\n    return",
        ),
        (
            "import cv2\n\n\nclass Main(QMainWindow):\n    def f(self):\n        path = ask()\n"
            "        self.image = cv2.imread(path)\n        self.size = self.image.shape\n",
            "            return\n        self.size",
        ),
        (
            "import cv2\n\ndef f():\n    while True:\n        image = cv2.imread(input())\n"
            "        print(image.shape)\n",
            "            continue\n        print(image",
        ),
        (
            "import cv2\n\n\ndef f(name):\n    image = cv2.imread(f'icons/{name}.png')\n    return image.shape\n",
            "        raise FileNotFoundError(f'cannot read image: icons/{name}.png')\n",
        ),
    ],
)
def test_it_is_said_as_the_program_says_what_is_wrong(tmp_path: Path, source: str, then: str) -> None:
    assert then in after(tmp_path, source)


@pytest.mark.parametrize(
    ("raised", "message"),
    [
        ("raise ValueError(f'找不到图片 {path}')", "找不到图片 image a.jpg"),
        ("raise ValueError(f'无法读取图片{path}')", "无法读取图片a.jpg"),
        ("raise ValueError('Bild nicht gefunden: ' + path)", "Bild ist ungültig: image a.jpg"),
    ],
)
def test_the_language_of_an_error_says_nothing_of_the_path(tmp_path: Path, raised: str, message: str) -> None:
    app = f"import cv2\n\n\ndef f(path):\n    image = cv2.imread(path)\n    if image is None:\n        {raised}\n"
    assert proposed(tmp_path, app, "raise", ("ValueError", message)) is None
    assert isinstance(proposed(tmp_path, app, "raise", ("ValueError", message.replace("a.jpg", "größe.jpg"))), Proposal)


@pytest.mark.parametrize(
    "test", ["if not path:\n        raise", "if not path:\n        if image is None:\n            pass\n        raise"]
)
def test_an_error_under_another_test_is_not_of_the_image(tmp_path: Path, test: str) -> None:
    app = f"import cv2\n\n\ndef f(path):\n    image = cv2.imread(path)\n    {test} Exception(path)\n    return image\n"
    found = proposed(tmp_path, app, "raise", ERROR)
    assert isinstance(found, Declined) and "test of what cv2.imread gave" in found.reason


OTHER = "import cv2\n\n\ndef f(path):\n    image = cv2.imread(path)\n    return image.shape\n\n\ndef other(path):\n"


@pytest.mark.parametrize(
    "rest",
    [
        "    image = cv2.imread(path)\n    return image\n",
        "    image = cv2.imread(path)\n    save(image)\n",
        "    image = cv2.imread(path)\n    found = image is not None\n    return found and image.shape\n",
        "    return save(cv2.imread(path))\n",
    ],
)
def test_none_stays_none_for_who_only_hands_it_on(tmp_path: Path, rest: str) -> None:
    text = after(tmp_path, OTHER + rest)
    assert text.count("if image is None:") == 1
    assert text.endswith("def other(path):\n" + rest.replace("cv2.imread", "read_image"))


def test_a_mask_that_is_only_handed_on_may_be_none(tmp_path: Path) -> None:
    app = (
        "import cv2\n\n\ndef f(path, other):\n    image = cv2.imread(path)\n    mask = cv2.imread(other)\n"
        "    save(mask)\n    return image.shape\n"
    )
    assert "mask is None" not in after(tmp_path, app)
    assert "mask is None" in after(tmp_path, app.replace("save(mask)", "save(mask[0])"))


@pytest.mark.parametrize(
    ("head", "tail", "kept"),
    [
        ("    i = n = 0\n    while i < 9:\n", "        i += 1\n        n += 1\n", "            i += 1\n"),
        ("    i = n = 0\n    while i < 9:\n", "        n += 1\n        i += 2\n", "            i += 2\n"),
        ("    n = 0\n    for path in paths:\n", "        n += 1\n", ""),
        ("    count = 0\n    for path in paths:\n", "        count += 1\n", ""),
        ("    for path in paths:\n", "        results.update(size)\n", ""),
    ],
)
def test_a_round_that_is_passed_over_counts_for_nothing_but_the_loop_itself(
    tmp_path: Path, head: str, tail: str, kept: str
) -> None:
    read = "        image = cv2.imread(paths[i])\n        size = image.shape\n"
    text = after(tmp_path, f"import cv2\n\n\ndef f(paths, results):\n{head}{read}{tail}")
    block = text.partition("if image is None:\n")[2].partition("        size =")[0].splitlines(keepends=True)
    assert "".join(block[1:]) == f"{kept}            continue\n"


def test_a_loop_that_counts_what_it_does_not_test_is_not_taken_on(tmp_path: Path) -> None:
    text = after(
        tmp_path,
        "import cv2\n\n\ndef f(paths):\n    i = n = 0\n    while i < 9:\n        image = cv2.imread(paths[i])\n"
        "        i = step(image.shape)\n        n += 1\n",
    )
    assert "continue" not in text and "raise FileNotFoundError" in text


@pytest.mark.parametrize(
    "leaves",
    [
        "    if mask is None:\n        empty = 0\n        return empty\n",
        "    mask = look()\n    if mask is None:\n        empty = 0\n        return empty\n",
        "    if not fresh:\n        return cached\n",
        "    if mask is None:\n        return cached\n",
        "    size = look()\n    if size is None and fresh:\n        return cached\n",
    ],
)
def test_what_is_given_for_other_reasons_is_not_given_for_an_image(tmp_path: Path, leaves: str) -> None:
    text = after(
        tmp_path,
        f"import cv2\n\n\ndef f(path, cached, fresh=False, mask=None):\n{leaves}    image = cv2.imread(path)\n"
        "    return image.shape\n",
    )
    assert "    if image is None:\n        raise FileNotFoundError" in text


READER = (
    "import cv2\n\n\ndef load(path):\n    image = cv2.imread(path)\n    return image\n\n\n"
    "def maybe(path):\n    BODY\n\n\ndef f(path):\n    image = load(path)\n    return image.shape\n"
)


@pytest.mark.parametrize(
    "body",
    [
        "return load(path) is not None",
        "image = load(path)\n    return image is not None",
        "image = load(path)\n    return image != None and image",
        "self.image = load(path)\n    assert self.image is not None",
        "if (image := load(path)) is not None:\n        return image",
        "return bool(load(path))",
        "return [one for one in paths if load(one)]",
        "try:\n        return load(path).shape\n    except AttributeError:\n        return (0, 0)",
    ],
)
def test_a_reader_whose_result_is_asked_about_anywhere_goes_on_giving_none(tmp_path: Path, body: str) -> None:
    text = after(tmp_path, READER.replace("BODY", body), "image.shape")
    assert "    image = read_image(path)\n    return image\n" in text
    assert "    image = load(path)\n    if image is None:\n" in text.partition("def f(path)")[2]
    assert "image = read_image(path)\n    if image is None:" in after(tmp_path, READER.replace("BODY", "return 1"))


def test_a_reader_that_another_file_asks_about_goes_on_giving_none(tmp_path: Path) -> None:
    other = "from app import load\n\n\ndef maybe(path):\n    return load(path) is not None\n"
    (tmp_path / "other.py").write_text(other, encoding="utf-8")
    assert "    return image\n\n\ndef maybe" in after(tmp_path, READER.replace("BODY", "return 1"))
    assert "image = load(path)\n    if image is None:\n" in after(tmp_path, READER.replace("BODY", "return 1"))


def test_a_file_of_many_reads_is_looked_over_to_a_bound_and_read_alike(tmp_path: Path) -> None:
    reads = "".join(f"    i{n} = cv2.imread(path)\n    print(i{n}.shape)\n" for n in range(30))
    text = after(tmp_path, f"import cv2\n\n\ndef f(path):\n{reads}")
    assert text.count("is None:\n        raise") == MOST_BESIDE + 1 and text.count("= read_image(path)") == 30


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("ValueError", "Axes=(0, 1) out of range for array of ndim=0."),
        ("numpy.exceptions.AxisError", "axis 1 is out of bounds for array of dimension 0"),
        (
            "cv2.error",
            "OpenCV(3.4.1) imgwarp.cpp:2607: error: (-215) src.cols > 0 && src.rows > 0 in function warpAffine",
        ),
        ("cv2.error", "OpenCV(3.4.1) resize.cpp:4044: error: (-215) ssize.width > 0 && ssize.height > 0 in function"),
        ("cv2.error", "OpenCV(3.2.0) color.cpp:9748: error: (-215) scn == 3 || scn == 4 in function cvtColor"),
    ],
)
def test_none_is_known_by_what_numpy_and_old_opencv_say_of_it(tmp_path: Path, kind: str, message: str) -> None:
    source = (
        "import cv2\nimport numpy as np\n\n\ndef f(path, k):\n    image = cv2.imread(path)\n"
        "    return np.rot90(image, k)\n"
    )
    found = proposed(tmp_path, source, "rot90", (kind, message))
    assert isinstance(found, Proposal) and "if image is None:" in found.edits[0].after.decode()
    plain = source.replace("cv2.imread(path)", "np.array(path)")
    assert not isinstance(proposed(tmp_path, plain, "rot90", (kind, message)), Proposal)
