# ruff: noqa: E501
"""Errors in every form that Python's code has: asynchronous, on one line, in lambdas, patterns, classes, at the top."""

from tests.engine.repair.corpus.program import program

ZERO_DIVISION = [
    program("a share on one line with its condition", "def share(a, b):\n    if a is None: return a / b\n    return a / b\n", "import app\nassert app.share(1, 2) == .5\nassert app.share(3, 0) in (0, 0.0, None)"),
    program("not less than a limit that is none", "def speed(done, elapsed, least):\n    if elapsed >= least:\n        return done / elapsed\n    return 0\n", "import app\nassert app.speed(3, 0, 0) == 0\nassert app.speed(3, 2, 1) == 1.5"),
    program("an asynchronous mean", "import asyncio\n\n\nasync def mean(get):\n    values = await get()\n    return sum(values) / len(values)\n",
            "import app, asyncio\nasync def none(): return []\nasync def two(): return [1, 3]\nassert asyncio.run(app.mean(none)) == 0\nassert asyncio.run(app.mean(two)) == 2"),
    program("a walrus as the divisor", "def mean(rows):\n    return sum(rows) / (n := len(rows)) + n * 0\n", "import app\nassert app.mean([]) == 0\nassert app.mean([1, 3]) == 2"),
    program("a mean in a match", "def read(kind, rows):\n    match kind:\n        case 'mean':\n            return sum(rows) / len(rows)\n        case _:\n            return 0\n",
            "import app\nassert app.read('mean', []) == 0\nassert app.read('mean', [4, 2]) == 3"),
    program("a percentage within nested quotation marks", "def label(done, total):\n    return f\"{'done'}: {done / total:.0%} ({'of'} {total})\"\n",
            "import app\nassert app.label(1, 2) == 'done: 50% (of 2)'\nassert app.label(0, 0) == 'done: 0% (of 0)'"),
    program("an annotated property", "class Run:\n    done: int = 0\n    seconds: float = 0.0\n\n    @property\n    def speed(self) -> float:\n        return self.done / self.seconds\n",
            "import app\none = app.Run()\nassert one.speed == 0.0\none.done, one.seconds = 4, 2.0\nassert one.speed == 2"),
    program("a lambda that sorts", "def by_rate(rows):\n    return sorted(rows, key=lambda row: row['hits'] / row['shown'])\n",
            "import app\nassert [r['hits'] for r in app.by_rate([{'hits': 3, 'shown': 3}, {'hits': 0, 'shown': 0}])] == [0, 3]"),
    program("ratios in a dict comprehension", "def ratios(sizes):\n    return {name: w / h for name, (w, h) in sizes.items()}\n",
            "import app\nassert app.ratios({'a': (4, 2), 'b': (1, 0)})['a'] == 2"),
    program("a chained comparison", "def fits(w, h):\n    return 0.5 < w / h < 2\n", "import app\nassert app.fits(1, 1)\nassert not app.fits(1, 0)"),
    program("at the top of a module", "import os\n\nTOTAL = int(os.environ.get('NO_SUCH_TOTAL', '0'))\nSHARE = 3 / TOTAL\n", "import app\nassert app.SHARE == 0"),
    program("in the body of a class", "class Limits:\n    most = 0\n    each = 10 / most\n", "import app\nassert app.Limits.each == 0"),
    program("indented by tabs, with carriage returns", "", "import app\nassert app.f([]) == 0", files={"app.py": b"\xef\xbb\xbfdef f(rows):\r\n\tif rows is not None:\r\n\t\treturn sum(rows) / len(rows)\r\n\treturn 0"}),
]  # fmt: skip
ATTRIBUTE = [
    program("an asynchronous loop", "import re\n\n\nasync def years(names):\n    found = []\n    async for name in names:\n        found.append(re.search(r'\\d{4}', name).group())\n    return found\n",
            "import app, asyncio\nasync def names():\n    for one in ('a', 'b2024'):\n        yield one\nassert asyncio.run(app.years(names())) == ['2024']"),
    program("a walrus in a condition", "def name(user):\n    if (found := user.owner.name):\n        return found\n    return None\n", "import app\nfrom types import SimpleNamespace as N\nassert app.name(N(owner=None)) is None\nassert app.name(N(owner=N(name='a'))) == 'a'"),
    program("a part within nested quotation marks", "def label(photo):\n    return f\"{'by'} {photo.owner.name!r:>5}\"\n", "import app\nfrom types import SimpleNamespace as N\nassert app.label(N(owner=N(name='a'))) == \"by   'a'\"\napp.label(N(owner=None))"),
    program("an annotated function that may give nothing", "from __future__ import annotations\n\n\nclass Node:\n    parent: Node | None = None\n    title: str = 'x'\n\n\ndef above(node: Node) -> str | None:\n    return node.parent.title\n",
            "import app\nassert app.above(app.Node()) is None\nnode = app.Node()\nnode.parent = app.Node()\nassert app.above(node) == 'x'"),
    program("on one line behind its condition", "def close(item, now):\n    if now: item.file.close()\n    return now\n", "import app\nfrom types import SimpleNamespace as N\nassert app.close(N(file=None), True)"),
    program("in a match", "def label(kind, item):\n    match kind:\n        case 'owner':\n            return item.owner.name\n        case _:\n            return None\n", "import app\nfrom types import SimpleNamespace as N\nassert app.label('owner', N(owner=None)) is None\nassert app.label('owner', N(owner=N(name='a'))) == 'a'"),
    program("a lambda", "def names(items):\n    return list(map(lambda one: one.owner.name, items))\n", "import app\nfrom types import SimpleNamespace as N\nassert app.names([N(owner=None), N(owner=N(name='a'))]) == [None, 'a']"),
    program("a decorated method with tabs", "import functools\n\n\nclass A:\n\t@functools.cache\n\tdef of(self, item):\n\t\tvalue = item.part\n\t\treturn value.name\n", "import app\nclass I:\n    part = None\nassert app.A().of(I) is None"),
    program("at the top of a module", "import re\n\nTEXT = 'none'\nYEAR = re.search(r'\\d{4}', TEXT).group()\n", "import app\nassert app.YEAR is None"),
]  # fmt: skip
TYPE_MISMATCH = [
    program("an asynchronous reading", "async def title(get):\n    data = await get()\n    return data['title']['text']\n", "import app, asyncio\nasync def none(): return {}\nassert asyncio.run(app.title(none)) is None"),
    program("within nested quotation marks", "def label(row):\n    return f\"{row['name']} ({'by'} {row['by']})\"\n", "import app\nassert app.label({'name': 'a'}) == 'a (by )'\nassert app.label({'name': 'a', 'by': 'b'}) == 'a (by b)'"),
    program("a walrus", "def first(rows):\n    if (found := rows[0]) == 'a':\n        return found\n    return None\n", "import app\nassert app.first([]) is None\nassert app.first(['a']) == 'a'"),
    program("a lambda that sorts", "def by_rank(rows):\n    return sorted(rows, key=lambda row: row['rank'])\n", "import app\nassert [r['n'] for r in app.by_rank([{'n': 1, 'rank': 2}, {'n': 2}])] == [2, 1]"),
    program("on one line behind its condition", "def add(found, row, now):\n    if now: found.append(row['id'])\n    return found\n", "import app\nassert app.add([], {}, True) == []\nassert app.add([], {'id': 1}, True) == [1]"),
    program("a generator with tabs", "def ids(rows):\n\tfor row in rows:\n\t\tyield row['id']\n", "import app\nassert list(app.ids([{}, {'id': 1}])) == [1]"),
    program("an annotated name", "def of(row: dict[str, str]) -> str | None:\n    name: str | None = row['name']\n    return name\n", "import app\nassert app.of({}) is None\nassert app.of({'name': 'a'}) == 'a'"),
    program("in a match", "def read(kind, row):\n    match kind:\n        case 'id':\n            return row['id']\n    return None\n", "import app\nassert app.read('id', {}) is None"),
    program("two conditions in a chain", "def level(row):\n    return 'high' if 3 < row['level'] < 9 else 'low'\n", "import app\nassert app.level({}) == 'low'\nassert app.level({'level': 4}) == 'high'"),
]  # fmt: skip
MISSING_FILE = [
    program("an asynchronous function", "import json\n\n\nasync def load_cache(path):\n    with open(path) as file:\n        return json.load(file)\n", "import app, asyncio\nassert asyncio.run(app.load_cache('gone')) == {}"),
    program("on one line with its with", "def load_history(path):\n    with open(path) as file: return file.read().splitlines()\n", "import app\nassert app.load_history('gone') == []"),
    program("a walrus in a loop", "def sizes(paths):\n    found = []\n    for path in paths:\n        if (size := len(open(path).read())):\n            found.append(size)\n    return found\n", "import app\nassert app.sizes(['a.txt', 'gone', 'b.txt']) == [8, 6]", files={"a.txt": "one\ntwo\n", "b.txt": "three\n"}),
    program("in a match, with tabs", "import os\n\n\ndef do(kind, path):\n\tmatch kind:\n\t\tcase 'remove':\n\t\t\tos.remove(path)\n\treturn True\n", "import app\nassert app.do('remove', 'gone')"),
    program("a mark at the beginning and mixed line endings", "", "import app\napp.save('o/x')\nassert open('o/x').read() == 'a'", files={"app.py": b"\xef\xbb\xbfimport os\r\n# coding kept\ndef save(p):\r\n    with open(p, 'w') as f:\r\n        f.write('a')"}),
]  # fmt: skip
