# ruff: noqa: E501
"""Where several things on a line, or behind it, may be what is missing: all of them are asked for. Told from text alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Proposal
from tests.engine.repair.telling import after
from tests.engine.repair.test_next_needs import proposed

SHORT = "IndexError: list index out of range"
NO_PARTS = "TypeError: 'NoneType' object is not subscriptable"
NOT_ITERABLE = "TypeError: 'NoneType' object is not iterable"
NO_SPLIT = "AttributeError: 'NoneType' object has no attribute 'split'"
LATER_IS_NONE = "TypeError: '<' not supported between instances of 'NoneType' and 'int'"
FIRST_IS_NONE = "TypeError: '<' not supported between instances of 'int' and 'NoneType'"
AS_TEXT = "TypeError: a bytes-like object is required, not 'str'"
MENDED = [
    (
        "def f(rows):\n    return sorted(rows, key=lambda row: (row.a, row.b))\n",
        2,
        LATER_IS_NONE,
        "((row.a is not None, row.a), (row.b is not None, row.b))",
    ),
    ("def f(table, i, j):\n    return table[i][j]\n", 2, SHORT, "if i < len(table) and j < len(table[i]) else None"),
    (
        "def f(names, order, k):\n    return names[order[k]]\n",
        2,
        SHORT,
        "if k < len(order) and order[k] < len(names) else",
    ),
    (
        "def f(a, b, i):\n    total = a[i] * b[i]\n    return total\n",
        2,
        SHORT,
        "    if i >= len(a) or i >= len(b):\n        return None\n",
    ),
    (
        "def f(groups, name, at):\n    return groups[name][at]\n",
        2,
        SHORT,
        "groups[name][at] if at < len(groups[name]) else",
    ),
    ("def f(names, seen, k):\n    return names[seen[k]]\n", 2, SHORT, "    if k >= len(seen):\n        return None\n"),
    (
        "def f(boxes, i, label):\n    names = {7: 'cat'}\n    return boxes[i], names[label]\n",
        3,
        SHORT,
        "    if i >= len(boxes):\n        return None\n",
    ),
    ("def f(rows, i):\n    return rows[i][0]\n", 2, SHORT, "if i < len(rows) and rows[i] else None"),
    ("def f(a, b):\n    return a[0] - b[1]\n", 2, SHORT, "if len(a) > 0 and len(b) > 1 else None"),
    ("def f(rows):\n    return rows[0][0]\n", 2, SHORT, "if len(rows) > 0 and len(rows[0]) > 0 else None"),
    (
        "def f(a, b):\n    return {'a': a[0], 'b': b[0].strip()}\n",
        2,
        SHORT,
        "{'a': a[0] if len(a) > 0 else None, 'b': b[0].strip() if len(b) > 0 else None}",
    ),
    (
        "def f(run, args=None):\n    return run(*args)\n",
        2,
        "TypeError: run() argument after * must be an iterable, not NoneType",
        "run(*(args or ()))",
    ),
    (
        "def f(batch, step):\n    out = []\n    for i in range(len(batch)):\n        out.append(batch[i][step])\n    return out\n",
        4,
        SHORT,
        "        if step < len(batch[i]):\n",
    ),
    (
        "def f(grid, r, c, dr, dc):\n    if grid[r + dr][c + dc] == '#':\n        return 1\n    return 0\n",
        2,
        SHORT,
        "if r + dr < len(grid) and c + dc < len(grid[r + dr]) and grid",
    ),
    (
        "def f(x):\n    items = list(x)\n    at = len(x)\n    found = items[at]\n    found.use()\n    return found\n",
        4,
        SHORT,
        "    at = len(x)\n    if at >= len(items):\n        return None\n",
    ),
    (
        "class A:\n    def drop(self):\n        if not self.files:\n            return\n        self.files.pop(self.at)\n        self.at -= 1\n",
        5,
        "IndexError: pop index out of range",
        "        if self.at < len(self.files):\n            self.files.pop(self.at)\n",
    ),
    (
        "def write(motifs):\n    lines = []\n    for m in motifs:\n        lines.append('>')\n        if m.weight:\n            lines.append(f'# WEIGHT: {m.weight}')\n        if m.gap:\n            lines.append(f'# GAP: {m.gap}')\n    return lines\n",
        5,
        "AttributeError: 'Motif' object has no attribute 'weight'",
        "        if getattr(m, 'gap', False):\n",
    ),
    (
        "class D:\n    def changed(self, text):\n        self.window().view.search(text)\n        self.window().view.refresh()\n",
        3,
        "AttributeError: 'Dock' object has no attribute 'view'",
        '        if hasattr(self.window(), "view"):\n            self.window().view.refresh()\n',
    ),
    (
        "def made(self):\n    try:\n        Top.one().project().changed.disconnect(self.made)\n        self.ready = True\n    except TypeError:\n        pass\n    self.router = Router(Top.one().project())\n",
        3,
        "AttributeError: 'NoneType' object has no attribute 'changed'",
        "def made(self):\n    if Top.one().project() is None:\n        return\n    try:\n",
    ),
    (
        "import math\n\n\ndef run(trainer):\n    metrics = trainer.evaluate()\n    try:\n        spread = math.exp(metrics['loss'])\n    except OverflowError:\n        spread = float('inf')\n    metrics['spread'] = spread\n    trainer.save(metrics)\n",
        7,
        "KeyError: 'loss'",
        "    if 'loss' in metrics:\n        try:\n            spread",
    ),
    (
        "def lower(score, qualities):\n    for q in qualities:\n        score[q.get('id')]['score'] -= 1\n",
        3,
        "KeyError: 'brrip'",
        "        if q.get('id') in score:\n            score[q.get('id')]['score'] -= 1\n",
    ),
    (
        "def remove(head, value):\n    prev = None\n    node = head\n    while node.value != value:\n        prev = node\n        node = node.next\n    prev.next = node.next\n    return head\n",
        4,
        "AttributeError: 'NoneType' object has no attribute 'value'",
        "    if node is not None:\n        prev.next = node.next\n",
    ),
    (
        "def frames(video):\n    while True:\n        ok, frame = video.read()\n        height = frame.shape[0]\n        yield frame, height\n",
        4,
        "AttributeError: 'NoneType' object has no attribute 'shape'",
        "        if frame is None:\n            break\n",
    ),
    (
        'def choose(self, count):\n    """Choose.\n\n    Args:\n        count (int): the count, must be\n        non-zero\n    """\n    while self.record[-1] in [1, 2]:\n        self.record.pop()\n    return count\n',
        8,
        SHORT,
        "    while self.record and self.record[-1] in [1, 2]:\n",
    ),
    (
        "def f(line):\n    parts = line.split()\n    a = parts[0]\n    b = parts[1]\n    c = parts[2]\n    return a, b, c\n",
        4,
        SHORT,
        "    if len(parts) < 3:\n        return None\n",
    ),
    (
        "def f(box, size):\n    box['w'] = size[0]\n    box['h'] = size[1]\n    box['d'] = size[2]\n    return box\n",
        3,
        SHORT,
        "    if len(size) > 2:\n        box['h'] = size[1]\n        box['d'] = size[2]\n",
    ),
    (
        "def f(tags):\n    return tags['artists'][0]['name']\n",
        2,
        NO_PARTS,
        "if tags is not None and tags['artists'] is not None else None",
    ),
    (
        "def f(tags):\n    name = tags['name']\n    return name, tags['artists'][0]['name']\n",
        3,
        NO_PARTS,
        "    if tags['artists'] is None:\n",
    ),
    (
        "def f(a, b):\n    return dict(zip(a, b))\n",
        2,
        NOT_ITERABLE,
        "zip(a if a is not None else (), b if b is not None else ())",
    ),
    (
        "import numpy\n\n\ndef f(a, b):\n    return dict(zip(a, b))\n",
        5,
        NOT_ITERABLE,
        "zip(a if a is not None else (), b if b is not None else ())",
    ),
    (
        "def f(boxes, scores=None):\n    for box, score in zip(boxes, scores):\n        print(box, score)\n",
        2,
        NOT_ITERABLE,
        "scores if scores is not None else [None] * len(boxes)",
    ),
    (
        "def f(value, limit):\n    return min(value, limit) * 2\n",
        2,
        LATER_IS_NONE,
        "if limit is not None else value) * 2",
    ),
    (
        "def f(item, value, least, most):\n    item['value'] = max(least, min(value, most))\n    return item\n",
        2,
        LATER_IS_NONE,
        "min(value, most) if most is not None else value",
    ),
    (
        "def f(seen, now):\n    seen = min(seen, now)\n    return seen\n",
        2,
        FIRST_IS_NONE,
        "min(seen, now) if seen is not None else now",
    ),
    (
        "def f(a, b, c):\n    return min(a, b, c) - 1\n",
        2,
        LATER_IS_NONE,
        "for one in (a, b, c) if one is not None) - 1",
    ),
    (
        "def f(rows):\n    return min(row.get('n') for row in rows)\n",
        2,
        LATER_IS_NONE,
        "for row in rows if (value := row.get('n')) is not None)",
    ),
    (
        "from operator import itemgetter\n\n\ndef f(rows):\n    return sorted(rows, key=itemgetter('n'))\n",
        5,
        LATER_IS_NONE,
        "key=lambda one: (one['n'] is not None, one['n'])",
    ),
    ("def f(rows):\n    return min(rows, key=lambda row: row.n)\n", 2, LATER_IS_NONE, "(row.n is None, row.n)"),
    (
        "def f(rows):\n    return sorted(rows, key=lambda row: row.get('n'))\n",
        2,
        LATER_IS_NONE,
        "((value := row.get('n')) is not None, value)",
    ),
    ("def f(row):\n    return [one for one in row['k'].split(',')]\n", 2, NO_SPLIT, "if row['k'] is not None else ())"),
    (
        "def f(row):\n    for one in row.get('k').split(','):\n        print(one)\n",
        2,
        NO_SPLIT,
        "in (k.split(',') if (k := row.get('k')) is not None else ()):",
    ),
    (
        "def f(head):\n    return dict(part.split('=') for part in head.split(';'))\n",
        2,
        NO_SPLIT,
        "in (head.split(';') if head is not None else ()))",
    ),
    (
        "def f(code, default=None):\n    code = code.strip()\n    lang = default or 'und'\n    return code or lang\n",
        2,
        "AttributeError: 'NoneType' object has no attribute 'strip'",
        "        return default or 'und'\n",
    ),
    (
        "import mimetypes\n\n\ndef is_image(name):\n    kind = mimetypes.guess_type(name)[0]\n    return kind.startswith('image')\n",
        6,
        "AttributeError: 'NoneType' object has no attribute 'startswith'",
        "    if kind is None:\n        return False\n",
    ),
    (
        "def f(text):\n    return text.split('x')\n",
        2,
        AS_TEXT,
        "(text.decode() if isinstance(text, bytes) else text).split('x')",
    ),
    (
        "import hashlib\n\n\ndef f(text):\n    return hashlib.md5(text)\n",
        5,
        "TypeError: Strings must be encoded before hashing",
        "text.encode() if isinstance(text, str) else text",
    ),
    (
        "import json\n\n\ndef f(out, x):\n    text = json.dumps(x)\n    out.write(text)\n",
        6,
        AS_TEXT,
        "out.write(text.encode())",
    ),
    (
        "def f(rows):\n    return b','.join(rows)\n",
        2,
        "TypeError: sequence item 0: expected a bytes-like object, str found",
        "one.encode() if isinstance(one, str) else one for one in rows",
    ),
    (
        "def f(name, price):\n    return f'{name}: {price:.2f}'\n",
        2,
        "TypeError: unsupported format string passed to NoneType.__format__",
        '{format(price, ".2f") if price is not None else ""}',
    ),
    (
        "def f(name, loss):\n    print('{} loss {:.3f}'.format(name, loss))\n",
        2,
        "TypeError: unsupported format string passed to NoneType.__format__",
        "    if loss is not None:\n",
    ),
    (
        "from django.views import View\n\n\nclass Page(View):\n    def one(self):\n        slug = self.kwargs['slug']\n        return slug\n",
        6,
        "KeyError: 'slug'",
        "        if 'slug' not in self.kwargs:\n            return None\n",
    ),
    (
        'def complete(row):\n    """Tell whether all required keys exist and are set: the required keys."""\n    return row["a"] is not None\n',
        3,
        "KeyError: 'a'",
        'row.get("a") is not None',
    ),
]
LEFT = [
    ("def f(**kwargs):\n    return kwargs['size']\n", 2, "KeyError: 'size'"),
    (
        'def f(row):\n    """The name of a row, of which all are required keys."""\n    return row["name"]\n',
        3,
        "KeyError: 'name'",
    ),
    (
        'def choose(self, record):\n    """Choose.\n\n    Args:\n        record: what was done, must not be empty\n    """\n    return record[-1]\n',
        7,
        SHORT,
    ),
    ("def f(items, at):\n    if at < len(items):\n        return items[at]\n    return None\n", 3, SHORT),
    ("def f(items, at):\n    if at < len(items):\n        items.pop(at)\n", 3, "IndexError: pop index out of range"),
    ("def f(pairs):\n    pairs.sort()\n    return pairs\n", 2, LATER_IS_NONE),
    ("def f(value, limit):\n    return min(value, limit) if limit is not None else value\n", 2, LATER_IS_NONE),
]


@pytest.mark.parametrize(("source", "line", "error", "wanted"), MENDED)
def test_all_that_may_be_missing_is_asked_for(tmp_path: Path, source: str, line: int, error: str, wanted: str) -> None:
    found = proposed(tmp_path, source, line, error)
    assert wanted in after(found)
    assert found.applicability == "review"


@pytest.mark.parametrize(("source", "line", "error"), LEFT)
def test_what_is_asked_for_or_meant_is_left_alone(tmp_path: Path, source: str, line: int, error: str) -> None:
    assert not isinstance(proposed(tmp_path, source, line, error), Proposal)
