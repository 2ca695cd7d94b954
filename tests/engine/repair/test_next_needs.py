# ruff: noqa: E501
"""Mends told from text alone: what is proposed for a line and a message, without running anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Declined, Proposal
from tests.engine.repair.telling import told

NOT_ITERABLE = "TypeError: 'NoneType' object is not iterable"
MENDED = [
    ("def f(all):\n    found = []\n    for one in all:\n        found += one\n", 4, NOT_ITERABLE, "found += one or []"),
    (
        "def f(extra):\n    return {'a': 1, **extra}\n",
        2,
        "TypeError: 'NoneType' object is not a mapping",
        "**(extra or {})",
    ),
    (
        "def f(rows):\n    return sum(row[1] for row in rows)\n",
        2,
        "TypeError: unsupported operand type(s) for +: 'int' and 'NoneType'",
        "sum(row[1] or 0 for row in rows)",
    ),
    ("class A:\n    def __del__(self):\n        del self.reader\n", 3, "AttributeError: reader", 'hasattr(self, "reader")'),
    (
        "def f(new, old):\n    new.hints = old.hints\n    return new\n",
        2,
        "AttributeError: 'Old' object has no attribute 'hints'",
        'if hasattr(old, "hints") and hasattr(new, "hints"):',
    ),
    (
        "import lib\n\n\ndef read():\n    try:\n        info = lib.info()\n    except OSError:\n        info = None\n    return info\n",
        6,
        "AttributeError: /lib/libc.so.6: undefined symbol: info",
        "except (OSError, AttributeError):",
    ),
    (
        "def f(name, loss):\n    return '%s %.3f' % (name, loss)\n",
        2,
        "TypeError: must be real number, not NoneType",
        "if loss is not None else None",
    ),
    ("def f(name, loss):\n    return f'{name:>9} {loss:.3f}'\n", 2,
     "TypeError: unsupported format string passed to NoneType.__format__", "if loss is None:"),
    (
        "import numpy as np\n\n\ndef f(a):\n    return [str(x) for x in a]\n",
        5,
        "TypeError: iteration over a 0-d array",
        "np.atleast_1d(a)",
    ),
    (
        "import arrays\n\n\ndef f(x):\n    return dict(device=arrays.device(x), other=1)\n",
        5,
        "AttributeError: 'Traced' object has no attribute 'device'",
        'arrays.device(x) if hasattr(x, "device") else None',
    ),
    (
        "class Data:\n    def __init__(self, transform=None):\n        self.transform = transform\n\n    def get(self, image):\n"
        "        image = self.transform(image)\n        return image, 1\n",
        6,
        "TypeError: 'NoneType' object is not callable",
        "if self.transform is not None:\n            image = self.transform(image)",
    ),
    (
        "def f(lock=None):\n    with lock:\n        return 1\n",
        2,
        "TypeError: 'NoneType' object does not support the context manager protocol",
        "with lock if lock is not None else nullcontext():",
    ),
    (
        "def f(known, key):\n    return key in known\n",
        2,
        "TypeError: unhashable type: 'list'",
        "(tuple(key) if isinstance(key, list) else key) in known",
    ),
    (
        "def size(image):\n    height = image.shape[0]\n    depth = image.shape[2]\n    return height, depth\n",
        3,
        "IndexError: tuple index out of range",
        "image.shape[2] if len(image.shape) > 2 else 1",
    ),
    (
        "names, codes = [], []\nfor path in ['a']:\n    code = find(path)[0]\n    codes.append(code)\n    names.append(path)\n",
        3,
        "IndexError: list index out of range",
        "continue",
    ),
]  # fmt: skip
LEFT = [
    (
        "import json\n\n\ndef f(x):\n    return json.dumps(x, default=str)\n",
        5,
        "TypeError: Object of type Net is not JSON serializable",
    ),
    ("def f(x):\n    if x is None:\n        return 0\n    with x:\n        return 1\n", 4,
     "TypeError: 'NoneType' object does not support the context manager protocol"),
]  # fmt: skip


def proposed(root: Path, source: str, line: int, error: str) -> Proposal | Declined:
    return told(root, "attribute" if error.startswith("AttributeError") else "type-mismatch", source, line, error)


@pytest.mark.parametrize(("source", "line", "error", "wanted"), MENDED)
def test_each_is_mended_where_it_is_needed(tmp_path: Path, source: str, line: int, error: str, wanted: str) -> None:
    found = proposed(tmp_path, source, line, error)
    assert isinstance(found, Proposal), found
    assert wanted in found.edits[0].after.decode()
    assert found.applicability == "review"


@pytest.mark.parametrize(("source", "line", "error"), LEFT)
def test_what_is_answered_for_already_is_left_alone(tmp_path: Path, source: str, line: int, error: str) -> None:
    assert not isinstance(proposed(tmp_path, source, line, error), Proposal)
