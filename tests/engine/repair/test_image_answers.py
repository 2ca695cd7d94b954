"""Who reads the result decides what is done without an image: askers, pipelines, callers that look for None, lists."""

from __future__ import annotations

from pathlib import Path

from engine.repair.patterns.files import Folder
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.registry import built_in
from engine.repair.record import ErrorRecord, Frame

NONE = "'NoneType' object has no attribute 'shape'"
ASKED = """\
import cv2


def check(path):
    if path:
        image = cv2.imread(path)
        if image.shape[0] == 720:
            return True
        print("of another size")
    return False
"""
STARTED = """\
import cv2


def pick(path, quick):
    chosen = None
    image = cv2.imread(path)
    height = image.shape[0]
    chosen = ask(height)
    if quick:
        return chosen
"""
PARTS = """\
import cv2
import numpy as np


def read(path):
    data = np.fromfile(path, dtype=np.uint8)
    image = cv2.imdecode(data, 1)
    height, width = image.shape[:2]
    return image, (width, height)


def mask(path):
    found = read(path)[0]
    if found is None:
        return []
    return list(found)


def size(path):
    image = read(path)[0]
    return image.shape
"""
LISTED = """\
import cv2


def load(rows):
    images = [cv2.imread(row) for row in rows]
    sizes = [image.shape for image in images]
    labels = [row[:2] for row in rows]
    return sizes, labels
"""
DATA = """\
import cv2

from warping import Pipeline


class Photos:
    def __init__(self, paths):
        self.paths = paths
        self.pipeline = Pipeline()

    def get(self, index):
        path = self.paths[index]
        image = cv2.imread(path)
        meta = dict(name=path, image=image)
        meta = self.pipeline(meta, 3)
        return meta
"""
WARPING = """\
import functools


def warp(meta, size):
    image = meta["image"]
    return image.shape[0] * size


class Pipeline:
    def __init__(self):
        self.step = functools.partial(warp)

    def __call__(self, meta, size):
        return self.step(meta=meta, size=size)
"""


def text(root: Path, source: str, *codes: tuple[str, str, str], more: str = "") -> str:
    """app.py after its edit; `codes` are file, function and a part of the line of each frame, outermost first."""
    (root / "app.py").write_text(source, encoding="utf-8")
    (root / "warping.py").write_text(more, encoding="utf-8")
    frames = []
    for path, function, code in codes:
        lines = (root / path).read_text(encoding="utf-8").splitlines()
        number = next(number for number, line in enumerate(lines, 1) if code in line)
        frames.append(Frame(str(root / path), number, function, lines[number - 1].strip()))
    last, path = frames[-1], codes[-1][0]
    record = ErrorRecord("AttributeError", NONE, tuple(frames))
    failed = (root / path).read_bytes()
    found = built_in("imread").propose(Case(Folder(root), "g", [record], path, last, last.line, failed))
    assert isinstance(found, Proposal), found
    (edit,) = found.edits
    assert edit.path == "app.py"
    return edit.after.decode()


def test_a_question_is_answered_with_no_and_the_attempts_go_on(tmp_path: Path) -> None:
    after = text(tmp_path, ASKED, ("app.py", "check", "image.shape"))
    assert '        if image is None:\n            print(f"cannot read image: {path}"' in after
    assert "            return False\n        if image.shape" in after


def test_what_a_function_starts_from_is_given_back(tmp_path: Path) -> None:
    after = text(tmp_path, STARTED, ("app.py", "pick", "image.shape"))
    assert "        return chosen\n    height" in after and "raise" not in after


def test_a_caller_that_looks_into_what_it_gets_finds_none_there(tmp_path: Path) -> None:
    after = text(
        tmp_path, PARTS, ("app.py", "size", "    image = read(path)[0]"), ("app.py", "read", "image.shape[:2]")
    )
    assert "        return None, None\n    height" in after
    caller = after.partition("def size")[2]
    assert 'raise FileNotFoundError(f"cannot read image: {path}")\n    return image.shape' in caller


def test_the_projects_own_reader_says_which_file_holds_no_image(tmp_path: Path) -> None:
    alone = PARTS.partition("def mask")[0]
    after = text(tmp_path, alone, ("app.py", "read", "image.shape[:2]"))
    assert 'raise ValueError(f"cannot read image: {path}")\n    height' in after


def test_labels_that_run_along_are_not_shifted(tmp_path: Path) -> None:
    after = text(tmp_path, LISTED, ("app.py", "load", "image.shape"))
    assert (
        "unread = [row for row, each_image in zip(rows, images) if each_image is None]\n    if unread:\n        raise"
        in after
    )
    shorter = LISTED.replace("    labels = [row[:2] for row in rows]\n", "").replace(", labels", "")
    assert "for image in images if image is not None]" in text(tmp_path, shorter, ("app.py", "load", "image.shape"))


def test_none_that_went_through_a_pipeline_is_looked_for_where_it_was_read(tmp_path: Path) -> None:
    frames = (("app.py", "get", "self.pipeline(meta"), ("warping.py", "__call__", "self.step(meta"))
    after = text(tmp_path, DATA, *frames, ("warping.py", "warp", "image.shape"), more=WARPING)
    assert 'if image is None:\n            raise FileNotFoundError(f"cannot read image: {path}")\n        meta' in after


def test_a_projects_own_logging_is_used_as_the_file_uses_it(tmp_path: Path) -> None:
    own = ASKED.replace("import cv2", "import cv2\nfrom logs import logging").replace("print(", "logging.warn(")
    after = text(tmp_path, own, ("app.py", "check", "image.shape"))
    assert 'logging.warn(f"cannot read image: {path}")' in after and "import logging\n\n" in after


def test_a_dict_that_holds_an_image_is_not_asked_for_none_itself(tmp_path: Path) -> None:
    held = "import cv2\n\n\ndef size(path):\n    item = {'image': cv2.imread(path)}\n    return item['image'].shape\n"
    after = text(tmp_path, held, ("app.py", "size", "item['image'].shape"))
    assert "if image is None:" in after and "item is None" not in after
    assert "    item = {'image': image}\n" in after
