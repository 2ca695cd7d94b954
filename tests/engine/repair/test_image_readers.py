"""Images that the project's own reader gives None for, and readers that import cv2 only when they are called."""

from __future__ import annotations

from pathlib import Path

from engine.repair.patterns.pattern import Proposal
from tests.engine.repair.telling import told

READER = (
    "import cv2\nimport numpy as np\n\n\ndef imread(name):\n    return cv2.imdecode(np.fromfile(name, np.uint8), 1)\n"
)


def proposed(root: Path, app: str, line: int) -> Proposal:
    error = "AttributeError: 'NoneType' object has no attribute 'shape'"
    found = told(root, "imread", app, line, error, {"reading.py": READER})
    assert isinstance(found, Proposal), found
    return found


def test_the_projects_own_reader_stays_and_its_none_is_looked_for(tmp_path: Path) -> None:
    app = "from reading import imread\n\n\ndef size(path):\n    image = imread(path)\n    return image.shape\n"
    found = proposed(tmp_path, app, 6)
    assert [one.path for one in found.edits] == ["app.py"]
    text = found.edits[0].after.decode()
    assert 'image = imread(path)\n    if image is None:\n        raise FileNotFoundError(f"cannot read' in text
    assert "imdecode" not in text


def test_a_module_that_may_be_missing_is_not_imported_at_the_top(tmp_path: Path) -> None:
    app = "def size(path):\n    import cv2\n\n    image = cv2.imread(path)\n    return image.shape\n"
    text = proposed(tmp_path, app, 5).edits[0].after.decode()
    assert not any(line.startswith("import cv2") for line in text.splitlines())
    assert text.count("    import cv2\n") == 2 and "flags=1" in text
