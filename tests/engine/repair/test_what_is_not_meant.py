# ruff: noqa: E501
"""What is left as it is, or is for a person to look at, where the code around an error says otherwise; and a default
that goes to the function which takes one.

Told from text alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.files import Folder
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.registry import built_in
from engine.repair.record import ErrorRecord, Frame
from tests.engine.repair.test_next_needs import proposed

SHORT = "IndexError: list index out of range"
NO_LOWER = "AttributeError: 'NoneType' object has no attribute 'lower'"
LEFT = [
    (  # a handler that raises the very error again says nothing of others
        "def read(value):\n    try:\n        return value.name.first\n    except KeyError:\n        raise\n",
        3,
        "AttributeError: 'NoneType' object has no attribute 'first'",
        "(KeyError, AttributeError)",
    ),
    (  # what a handler of the system's errors says is said of the system alone
        "def read(path):\n    try:\n        return parse(path).name\n    except OSError as error:\n        raise Unreadable(path) from error\n",
        3,
        "AttributeError: 'NoneType' object has no attribute 'name'",
        "(OSError, AttributeError)",
    ),
    (  # the conditions look up different things
        "def kind(request):\n    if 'a' in request.get('one').lower():\n        return 1\n    elif 'b' in request.get('two').lower():\n        return 2\n    return 0\n",
        2,
        NO_LOWER,
        "request.get('two') or",
    ),
    (  # the code asks already whether the place is a slice
        "class P:\n    def __getitem__(self, at):\n        if isinstance(at, slice):\n            at = at.start\n        if at > len(self.rows):\n            self.load()\n        return self.rows[at]\n",
        5,
        "TypeError: '>' not supported between instances of 'slice' and 'int'",
        "float(",
    ),
    (  # a mask stays one
        "import numpy as np\n\n\ndef good(values):\n    mask = np.array([one > 0 for one in values])\n    return values[mask]\n",
        6,
        "IndexError: arrays used as indices must be of integer (or boolean) type",
        "astype",
    ),
    (  # a table of what is allowed, and nothing says where to look otherwise
        "table = {'a': {'x': 1}, 'b': {'x': 2}}\n\n\ndef one(kind):\n    if 'x' in table[kind]:\n        return table[kind]['x']\n    return None\n",
        5,
        "KeyError: 'c'",
        " in table",
    ),
    (  # one of the names is reckoned with
        "def shown(data):\n    used, total = usage(data['folder'])\n    return {'share': used / total, 'name': data['name'], 'used': used, 'total': total}\n",
        2,
        "TypeError: 'NoneType' object is not iterable",
        "or (0, 0)",
    ),
    (
        'class Reader:\n    def stream(self, probe):\n        one = probe.first("video")\n        return one.codec\n\n    def all(self, probes):\n        for probe in probes:\n            codec = self.stream(probe)\n            if codec:\n                self.add(codec)\n',
        4,
        "AttributeError: 'NoneType' object has no attribute 'codec'",
        "continue",
    ),
    (
        "def address(data):\n    host = data['host']\n    return f'https://{host}/'\n",
        2,
        "KeyError: 'host'",
        ".get('host', '')",
    ),
    (
        "def find(rows):\n    first = rows[0]\n    return first.name\n\n\ndef names(many):\n    out = []\n    for rows in many:\n        name = find(rows)\n        out.append({'name': name})\n    return out\n",
        2,
        "IndexError: list index out of range",
        "continue",
    ),
]


@pytest.mark.parametrize(("source", "line", "error", "unwanted"), LEFT)
def test_none_of_this_is_done_where_the_code_says_otherwise(
    tmp_path: Path, source: str, line: int, error: str, unwanted: str
) -> None:
    found = proposed(tmp_path, source, line, error)
    assert not isinstance(found, Proposal) or unwanted not in found.edits[0].after.decode()


BOARD = "class Board:\n    def get(self, path, default=None):\n        if path in self.data:\n            return self.data[path]\n        if default is not None:\n            return default\n        raise KeyError(f'no option {path}')\n"


@pytest.mark.parametrize(
    ("board", "line", "wanted"),
    [
        (BOARD, 7, 'os.path.join(folder, board.get("cpu", ""))'),
        (BOARD.replace("default", "kind"), 7, None),
        (BOARD.replace(", default=None", "").replace("default", "path"), 7, None),
    ],
)
def test_the_default_that_the_called_function_takes_is_given(
    tmp_path: Path, board: str, line: int, wanted: str | None
) -> None:
    source = 'import os\n\n\ndef flags(board, folder):\n    return os.path.join(folder, board.get("cpu"))\n'
    (tmp_path / "board.py").write_text(board)
    (tmp_path / "app.py").write_text(source)
    above = Frame(str(tmp_path / "app.py"), 5, "flags", source.splitlines()[4].strip())
    frame = Frame(str(tmp_path / "board.py"), line, "get", board.splitlines()[line - 1].strip())
    record = ErrorRecord("KeyError", "'no option cpu'", (above, frame))
    case = Case(Folder(tmp_path), "g", [record], "board.py", frame, line, board.encode())
    found = built_in("type-mismatch").propose(case)
    if wanted is None:
        assert not isinstance(found, Proposal) or found.edits[0].path == "board.py"
    else:
        assert isinstance(found, Proposal)
        assert wanted in found.edits[0].after.decode()


def test_nothing_is_called_safe_where_the_same_call_is_made_again(tmp_path: Path) -> None:
    source = "import re\n\n\ndef kind(line):\n    if re.match('(a)', line).group(1) == 'a':\n        return True\n    elif re.match('(a)', line).group(1) == 'b':\n        return True\n    return False\n"
    found = proposed(tmp_path, source, 5, "AttributeError: 'NoneType' object has no attribute 'group'")
    assert isinstance(found, Proposal)
    assert found.applicability == "review"
