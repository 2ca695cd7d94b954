# ruff: noqa: E501
"""Real tracebacks, labelled by hand: small programs that are run and really fail, each as the same or another fault.

A fault is what one person would mend with one edit. Every program is run from two folders, with lines of its own above
it, so that neither line numbers nor folders tell faults apart.
"""

from __future__ import annotations

import contextlib
import linecache
import traceback
from dataclasses import dataclass

from engine.repair import tracebacks
from engine.repair.record import ErrorRecord


@dataclass(frozen=True)
class Labelled:
    """An error as it was printed, the fault that it is by hand."""

    record: ErrorRecord
    fault: str


# (module, its code, {fault: calls that end in it})
PROGRAMS: tuple[tuple[str, str, dict[str, tuple[str, ...]]], ...] = (
    (
        "rows.py",
        "def tags(row):\n    return row['tags']\n\n\ndef field(row, name):\n    return row[name]\n\n\n"
        "def by_number(rows, number):\n    return rows[number]\n",
        {
            "rows without tags": ("tags({})", "tags({'a': 1})"),
            "field faces": ("field({}, 'faces')", "field({'x': 2}, 'faces')"),
            "field people": ("field({}, 'people')",),
            "number not known": ("by_number({}, 17)", "by_number({}, 99_812)"),
            "list too short": ("by_number([], 3)", "by_number([1], 70)"),
            "number of nothing": ("by_number(None, 3)", "by_number(None, 4)"),
        },
    ),
    (
        "convert.py",
        "def number(text):\n    return int(text)\n\n\ndef both(a, b):\n    return a + b\n\n\ndef share(a, b):\n"
        "    return a / b\n\n\ndef shares(rows):\n    return [share(a, b) for a, b in rows]\n",
        {
            "no number": ("number('12a')", "number('')", "number('3 kg')", "number('n/a')"),
            "number of None": ("number(None)", "number(None)"),
            "int and str": ("both(1, 'a')", "both(2, 'bcd')"),
            "None and int": ("both(None, 1)", "both(None, 22)"),
            "divided by nothing": ("share(1, 0)", "shares([(1, 1), (2, 0)])", "share(3.5, 0)"),
        },
    ),
    (
        "files.py",
        "import json\n\n\ndef first(path):\n    with open(path, encoding='utf-8') as handle:\n"
        "        return handle.readline()\n\n\ndef config(text):\n    return json.loads(text)\n\n\n"
        "def plain(text):\n    return text.encode('ascii')\n\n\ndef decoded(data, codec):\n    return data.decode(codec)\n",
        {
            "no such file": ("first('/none/a.txt')", "first('/none/deep/b 2.txt')", "first('c.txt')"),
            "a folder": ("first('/')", "first('/etc')"),
            "no JSON": ("config('')", "config('x')", "config('{} {}')"),
            "letters beyond ascii": ("plain('caf\\xe9')", "plain('\\u20ac 12')"),
            "no utf-8": ("decoded(b'\\xff\\xfe', 'utf-8')", "decoded(b'abc\\xe9', 'utf-8')"),
            "no ascii": ("decoded(b'\\xc3', 'ascii')", "decoded(b'ab\\xe9', 'ascii')"),
            "no such codec": ("decoded(b'a', 'utf-9')",),
        },
    ),
    (
        "shapes.py",
        "import numpy as np\n\n\ndef put(size, other):\n    grid = np.zeros(size)\n    grid[:] = np.zeros(other)\n"
        "    return grid\n\n\ndef joined(a, b):\n    return np.concatenate([np.zeros(a), np.zeros(b)])\n\n\n"
        "def shape(image):\n    return image.shape\n\n\ndef mode(image):\n    return image.mode\n",
        {
            "does not fit": ("put((3, 4), (2, 2))", "put((5,), (7,))", "put((10, 10), (9, 10))"),
            "not joined": ("joined((2, 3), (4, 5))", "joined((1, 1), (2, 2))"),
            "None has no shape": ("shape(None)", "shape(None)"),
            "str has no shape": ("shape('a.jpg')", "shape('b.jpg')"),
            "None has no mode": ("mode(None)",),
        },
    ),
    (
        "own.py",
        "class Refused(Exception):\n    pass\n\n\ndef colour(name):\n    if name not in ('red', 'blue'):\n"
        "        raise ValueError(f'unknown colour {name!r} in row {len(name)}')\n    return name\n\n\n"
        "def size(width):\n    assert width > 0, f'{width} is no width'\n    return width\n\n\n"
        "def checked(rows):\n    for number, row in enumerate(rows):\n        if not row:\n"
        "            raise Refused(f'row {number} is empty: {rows}')\n\n\n"
        "def deep(number):\n    if number == 0:\n        raise RuntimeError('at the end')\n    return deep(number - 1)\n",
        {
            "unknown colour": ("colour('green')", "colour('a long one')"),
            "no width": ("size(0)", "size(-12)"),
            "empty row": ("checked([1, 0])", "checked([0])", "checked(['a', ''])"),
            "deep": ("deep(0)", "deep(3)", "deep(40)"),
        },
    ),
    (
        "tables.py",
        "import sqlite3\n\n\ndef ask(query):\n    with sqlite3.connect(':memory:') as db:\n"
        "        return db.execute(query).fetchall()\n\n\ndef when(text):\n    from datetime import datetime\n\n"
        "    return datetime.strptime(text, '%Y-%m-%d')\n\n\ndef unpacked(data):\n    import struct\n\n"
        "    return struct.unpack('<I', data)\n\n\ndef opened(data):\n    import io\n\n    from PIL import Image\n\n"
        "    return Image.open(io.BytesIO(data))\n\n\ndef loaded(name):\n    import importlib\n\n"
        "    return importlib.import_module(name)\n",
        {
            "no table images": ("ask('select * from images')", "ask('select a, b from images where a = 3')"),
            "no table people": ("ask('select * from people')",),
            "no SQL": ("ask('selekt')",),
            "no date": ("when('20 Nov')", "when('2026-13-01')", "when('')"),
            "too few bytes": ("unpacked(b'')", "unpacked(b'abc')"),
            "no image": ("opened(b'')", "opened(b'no image at all')"),
            "no cv3": ("loaded('cv3')", "loaded('cv3')"),
            "no torchvisionn": ("loaded('torchvisionn')",),
        },
    ),
    (
        "thumbs.py",
        "def share(a, b):\n    return a / b\n",
        {"thumbs divided by nothing": ("share(1, 0)", "share(2, 0)")},
    ),
    (
        "unpack.py",
        "def pair(row):\n    a, b = row\n    return a, b\n\n\ndef call(function, *given):\n    return function(*given)\n\n\n"
        "def one(a):\n    return a\n\n\ndef text(value):\n    return value.strip().lower()\n\n\ndef item(value):\n"
        "    return value[0]\n",
        {
            "too many in a pair": ("pair((1, 2, 3))", "pair('abcd')"),
            "too few in a pair": ("pair((1,))", "pair('')"),
            "called without": ("call(one)", "call(one)"),
            "None has no strip": ("text(None)", "text(None)"),
            "int has no strip": ("text(3)", "text(77)"),
            "int is no list": ("item(3)", "item(4)"),
            "None is no list": ("item(None)",),
        },
    ),
)


def labelled() -> list[Labelled]:
    """Every program run, from two folders."""
    made: list[Labelled] = []
    for place, above in (("/srv/app", 0), ("/home/bo/checkouts/app-2", 7)):
        for name, code, faults in PROGRAMS:
            file = f"{place}/{name}"
            source = "# moved\n" * above + code
            space: dict[str, object] = {"__name__": name.removesuffix(".py")}
            exec(compile(source, file, "exec"), space)
            linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
            for fault, calls in faults.items():
                made += [Labelled(_printed(call, space), f"{name}: {fault}") for call in calls]
            linecache.cache.pop(file)
    return made


def _printed(call: str, space: dict[str, object]) -> ErrorRecord:
    """What Python prints of this call, read back."""
    with contextlib.suppress(SystemExit):
        try:
            eval(call, space)
        except Exception:
            (one,) = tracebacks.read(traceback.format_exc())
            assert isinstance(one, ErrorRecord)
            return one
    raise AssertionError(f"{call} does not fail")


def pairwise_f1(groups: list[str], truth: list[str]) -> tuple[float, float, float]:
    """(precision, recall, F1) over all pairs of errors: those in one group against those that are one fault."""
    pairs = [(i, j) for i in range(len(truth)) for j in range(i)]
    together = [groups[i] == groups[j] for i, j in pairs]
    alike = [truth[i] == truth[j] for i, j in pairs]
    hits = sum(a and b for a, b in zip(together, alike, strict=True))
    precision, recall = hits / sum(together), hits / sum(alike)
    return precision, recall, 2 * precision * recall / (precision + recall)
