# ruff: noqa: E501
"""What the code around an error tells of what was meant: a handler beside it, the other conditions, the elements.

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
MENDED = [
    (
        "def check(value, fields):\n    try:\n        value.format(**{k: '' for k in fields})\n    except (KeyError, IndexError) as e:\n        raise Invalid(value, f'bad placeholder {e}')\n    except ValueError as e:\n        raise Invalid(value, str(e))\n",
        3,
        "AttributeError: 'str' object has no attribute 'attr'",
        "except (KeyError, IndexError, AttributeError) as e:",
    ),
    (
        "def words(session, recording, events):\n    try:\n        info = audio_of(session, recording)\n        found = parsed(info.words)\n        found = [\n            {\n                **one,\n                'start': one['start'] + events[0].at,\n                'end': one['end'] + events[0].at,\n            }\n            for one in found\n        ]\n    except IndexError:\n        found = []\n    return send(found)\n",
        4,
        "AttributeError: 'NoneType' object has no attribute 'words'",
        "except (IndexError, AttributeError):",
    ),
    (
        "def client(request):\n    if 'kindle' in request.headers.get('User-Agent').lower():\n        return 'kindle'\n    elif 'kobo' in request.headers.get('User-Agent').lower():\n        return 'kobo'\n    return ''\n",
        2,
        NO_LOWER,
        "elif 'kobo' in (request.headers.get('User-Agent') or '').lower():",
    ),
    (
        "import signal\n\n\nclass H:\n    def __init__(self):\n        self.handlers = {\n            signal.SIGINT: self.stop,\n            signal.SIGHUP: self.reload,\n        }\n",
        8,
        "AttributeError: module 'signal' has no attribute 'SIGHUP'",
        '            **({signal.SIGHUP: self.reload} if hasattr(signal, "SIGHUP") else {}),\n',
    ),
    (
        "import signal\n\nfor one in (signal.SIGINT, signal.SIGHUP):\n    signal.signal(one, stop)\n",
        3,
        "AttributeError: module 'signal' has no attribute 'SIGHUP'",
        "for one in (signal.SIGINT, *([signal.SIGHUP] if hasattr(signal,",
    ),
    (
        "import os\nimport sys\n\n\nclass Ring:\n    app = os.path.basename(sys.argv[0]) or 'Python'\n",
        6,
        "AttributeError: module 'sys' has no attribute 'argv'",
        "os.path.basename(getattr(sys, 'argv', [''])[0]) or 'Python'",
    ),
    (
        "import re\n\n\ndef warn(user):\n    if user.ratio < 1 and not bool(\n            re.search(r'VIP', user.level, re.IGNORECASE)):\n        send(user)\n",
        6,
        "TypeError: expected string or bytes-like object, got 'NoneType'",
        "user.level is not None and bool(",
    ),
    (
        "def key(tasks, models):\n    return hash(tuple(sorted(tasks))), hash(tuple(models))\n",
        2,
        "TypeError: 'NoneType' object is not iterable",
        "sorted(tasks or ())",
    ),
    (
        "import numpy as np\n\n\ndef norms(A):\n    return np.ravel(A.power(2).sum(0))\n",
        5,
        "AttributeError: 'numpy.ndarray' object has no attribute 'power'",
        'np.ravel((A.power(2) if hasattr(A, "power") else np.power(A, 2)).sum(0))',
    ),
    (
        "class T:\n    def one(self):\n        spec = self.cache['spec'][0].to(self.device)\n        return self.model(spec)\n\n    def many(self):\n        spec = self.cache['spec'][0].to(self.device)\n        return [self.model(spec)]\n",
        3,
        "AttributeError: 'tuple' object has no attribute 'to'",
        "    def many(self):\n        found = self.cache['spec'][0]\n        if isinstance(found, tuple):\n            found = found[0]\n        spec = found.to(self.device)\n",
    ),
    (
        "def run(model, x):\n    out = model(x)\n    return out.argmax(dim=1)\n",
        3,
        "AttributeError: 'tuple' object has no attribute 'argmax'",
        "    if isinstance(out, tuple):\n        out = out[0]\n    return out.argmax(dim=1)\n",
    ),
    (
        "import json\n\n\ndef read(paths, out):\n    for path in paths:\n        record = json.loads(path.read_text())\n        record['name'] = path.stem\n        record = prepared(record)\n        if record:\n            out.append(record)\n",
        7,
        "TypeError: 'NoneType' object does not support item assignment",
        "        if record is None:\n            continue\n        record['name'] = path.stem\n",
    ),
    (
        "def decode(model, x, prompts=None):\n    position = x\n    for at in range(1500):\n        y = model(position)\n        position = model.embed(y) * model.scale + model.alpha * model.pe[:, prompts.shape[1] + at]\n    return y\n",
        5,
        "AttributeError: 'NoneType' object has no attribute 'shape'",
        "(prompts.shape[1] if prompts is not None else 0) + at]",
    ),
    (
        "def shown(data):\n    if data['kind'] == 'local':\n        uri = data['device']\n        used, total = usage(data['folder'])\n    else:\n        uri = 'http'\n        used, total = data['used'], data['total']\n    return {'uri': uri, 'name': data['name'], 'used': used, 'total': total}\n",
        4,
        "TypeError: 'NoneType' object is not iterable",
        "used, total = usage(data['folder']) or (0, 0)\n",
    ),
    (
        "class Bad:\n    def __init__(self, path):\n        self.items = {}\n        self.path = path\n        self.load()\n\n    def load(self):\n        try:\n            with self.path.open('r') as stream:\n                self.items = safe_load(stream)\n            log.debug('loaded %d', len(self.items))\n        except OSError:\n            log.debug('none')\n\n    def is_bad(self, one):\n        return one in self.items\n",
        11,
        "TypeError: object of type 'NoneType' has no len()",
        "self.items = safe_load(stream) or {}\n",
    ),
    (
        "def opened(vd, path, kind=None):\n    if path.scheme:\n        name = 'openurl_' + path.scheme\n        return vd.names()[name](path, kind=kind)\n    return vd.open(path)\n",
        4,
        "KeyError: 'openurl_abc'",
        "        if name not in found:\n            raise ValueError(f'not known: {name}')\n        return found[name](path, kind=kind)\n",
    ),
    (
        "words = {'en': {'a': 'A'}, 'de': {'a': 'Ä'}}\n\n\ndef chosen(settings):\n    usual, current = 'en', settings.get('locale')\n    out = {}\n    for one in words[usual]:\n        if one in words[current] and words[current][one] != '':\n            out[one] = words[current][one]\n        else:\n            out[one] = words[usual][one]\n    return out\n",
        8,
        "KeyError: 'fr'",
        "        if current in words and one in words[current] and",
    ),
    (
        "def shown(rows, page, size):\n    count = len(rows)\n    if size and rows:\n        rows = list(pages(rows, size))[page]\n    data = []\n    for row in rows:\n        data.append(row)\n    return count, data\n",
        4,
        SHORT,
        "rows = parts[page] if page < len(parts) else []\n",
    ),
    (
        "class P:\n    def __len__(self):\n        return self.total\n\n    def __getitem__(self, index):\n        more = True\n        while more and index > len(self.rows) - 1:\n            more = self.load()\n        return self.rows[index]\n",
        7,
        "TypeError: '>' not supported between instances of 'slice' and 'int'",
        "        if isinstance(index, slice):\n            return [self[at] for at in range(*index.indices(len(self)))]\n        more = True\n",
    ),
    (
        "class P:\n    def __getitem__(self, index):\n        more = True\n        while more and index > len(self.rows) - 1:\n            more = self.load()\n        return self.rows[index]\n",
        4,
        "TypeError: '>' not supported between instances of 'slice' and 'int'",
        'index if not isinstance(index, slice) else index.stop if index.stop is not None else float("inf")',
    ),
    (
        "def merged(track, info):\n    for key in info:\n        if isinstance(info[key], str):\n            track[key] = info[key]\n        else:\n            track[key] = info[key][::]\n",
        6,
        "TypeError: unhashable type: 'slice'",
        "track[key] = info[key][::] if not isinstance(info[key], dict) else dict(info[key])\n",
    ),
    (
        "import numpy as np\n\n\ndef starts(words, times):\n    places = np.pad(np.cumsum([len(one) for one in words]), (1, 0))\n    begun = times[places[:-1]]\n    ended = times[places[1:]]\n    return begun, ended\n",
        6,
        "IndexError: arrays used as indices must be of integer (or boolean) type",
        "(1, 0)).astype(int)\n",
    ),
    (
        "def top(rows):\n    return sorted(rows, key=lambda one: max(one['a'] or 0, one['b'] or 0))\n",
        2,
        "KeyError: 'a'",
        "max(one.get('a') or 0, one.get('b') or 0)",
    ),
    (
        "import yaml\n\n\ndef train():\n    config = load()\n    model = make(config['model'])\n    rate = config['optimizer']['lr']\n    run(model, rate * 2)\n\n\nif __name__ == '__main__':\n    train()\n",
        7,
        "KeyError: 'optimizer'",
        "sys.exit(",
    ),
]


@pytest.mark.parametrize(("source", "line", "error", "wanted"), MENDED)
def test_each_is_mended_as_the_code_around_says(
    tmp_path: Path, source: str, line: int, error: str, wanted: str
) -> None:
    found = proposed(tmp_path, source, line, error)
    assert isinstance(found, Proposal), found
    text = found.edits[0].after.decode()
    compile(text, "app.py", "exec")
    assert wanted in text
    assert found.applicability == "review"


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
