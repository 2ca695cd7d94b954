# ruff: noqa: E501
"""Programs that ask None, or the wrong object, for an attribute; and attribute errors that are meant."""

from tests.engine.repair.corpus import calls, forms, meant, next_uses, uses
from tests.engine.repair.corpus.later_uses import ATTRIBUTE, ATTRIBUTE_LOOKALIKES
from tests.engine.repair.corpus.program import program, spared

PROGRAMS = [
    *uses.ATTRIBUTE,
    *calls.ATTRIBUTE,
    *forms.ATTRIBUTE,
    *next_uses.ATTRIBUTE,
    *meant.ATTRIBUTE,
    *ATTRIBUTE,
    program(
        "a text without parts, which has not even an empty one",
        "def tags(row):\n    found = []\n    for tag in row['tags'].split(','):\n        found.append(tag.strip())\n    return found\n",
        "import app\nassert app.tags({'tags': 'a, b'}) == ['a', 'b']\nassert app.tags({'tags': ''}) == ['']\nassert app.tags({'tags': None}) == []",
        operator="conditional",
    ),
    program(
        "a part that stays as it was while what follows reads it",
        """import re


class Counter:
    def __init__(self):
        self.n = 0
        self.saved = []

    def read(self, text):
        m = re.match(r"(\\d+)", text)
        self.n = int(m.group(1))
        self.saved.append(self.n)
""",
        "import app\none = app.Counter()\none.read('12 photos')\none.read('none')\nassert one.n == 12",
        applicability="review",
    ),
    program(
        "of two matches on a line, the one that is underlined",
        "import re\n\n\ndef size(text):\n    pair = (re.search(r'w=(\\d+)', text).group(1), re.search(r'h=(\\d+)', text).group(1))\n"
        "    return pair\n",
        "import app\nassert app.size('w=3 h=4') == ('3', '4')\nassert app.size('w=3') in (None, ('3', None))",
        after={
            "app.py": "import re\n\n\ndef size(text):\n    match = re.search(r'h=(\\d+)', text)\n    if match is None:\n        return None\n"
            "    pair = (re.search(r'w=(\\d+)', text).group(1), match.group(1))\n    return pair\n"
        },
    ),
    program(
        "in a chain of one name, the owner that is underlined",
        "def fits(frame, crop):\n    ratio = frame.box.size.width / crop.box.size.width\n    return ratio\n",
        "import app\nfrom types import SimpleNamespace as N\ndef of(size): return N(box=N(size=size))\n"
        "assert app.fits(of(N(width=4)), of(N(width=2))) == 2\nassert app.fits(of(N(width=4)), of(None)) is None",
        after={
            "app.py": "def fits(frame, crop):\n    if crop.box.size is None:\n        return None\n"
            "    ratio = frame.box.size.width / crop.box.size.width\n    return ratio\n"
        },
    ),
    program(
        "of two on a line, the one that is looked up",
        "class Query:\n    def __init__(self, word):\n        self.word = word\n\n    def matches(self, item, field):\n"
        "        return self.word.lower() in getattr(item, field).lower()\n",
        "import app\nclass Item:\n    title = None\n    name = 'Anna'\n"
        "assert app.Query('ann').matches(Item, 'name')\nassert not app.Query('ann').matches(Item, 'title')",
        operator="test",
    ),
    program(
        "a condition that asks for the owner alone",
        "def services(hosts):\n    found = {}\n    for host in hosts:\n        names = []\n        if host.system:\n"
        "            names = list(host.system.info.names)\n        found[host.name] = names\n    return found\n",
        "import app\nfrom types import SimpleNamespace as N\n"
        "hosts = [N(name='a', system=N(info=N(names=['x']))), N(name='b', system=N(info=None)), N(name='c', system=None)]\n"
        "assert app.services(hosts) == {'a': ['x'], 'b': [], 'c': []}",
        operator="test",
        after={
            "app.py": "def services(hosts):\n    found = {}\n    for host in hosts:\n        names = []\n"
            "        if host.system and host.system.info is not None:\n"
            "            names = list(host.system.info.names)\n        found[host.name] = names\n    return found\n"
        },
    ),
    program(
        "an object whose making failed is thrown away",
        "class Bar:\n    def __init__(self, total):\n        self.total = int(total)\n        self.is_off = False\n\n"
        "    def close(self):\n        if self.is_off:\n            return\n        self.is_off = True\n\n"
        "    def __del__(self):\n        self.close()\n",
        "import app\nbar = app.Bar.__new__(app.Bar)\nbar.__del__()\nbar = app.Bar('3')\nbar.close()\nassert bar.is_off",
        operator="getattr",
    ),
    program(
        "a match that is none, chained",
        "import re\n\n\ndef year(name):\n    return re.search(r'(\\d{4})', name).group(1)\n",
        "import app\nassert app.year('photo.jpg') is None\nassert app.year('2024.jpg') == '2024'",
        operator="guard-producer",
    ),
    program(
        "a match bound to a name",
        "import re\n\nSTAMP = re.compile(r'(\\d+)_(\\d+)')\n\n\ndef stamp(name):\n    m = STAMP.match(name)\n    # day and time\n"
        "    return m.group(1), m.group(2)\n",
        "import app\nassert app.stamp('x') is None\nassert app.stamp('1_2') == ('1', '2')",
        after={
            "app.py": "import re\n\nSTAMP = re.compile(r'(\\d+)_(\\d+)')\n\n\ndef stamp(name):\n    m = STAMP.match(name)\n"
            "    if m is None:\n        return None\n    # day and time\n    return m.group(1), m.group(2)\n"
        },
    ),
    program(
        "lines of a log in a loop",
        "import re\n\n\ndef levels(lines):\n    found = []\n    for line in lines:\n        m = re.match(r'(\\w+): ', line)\n"
        "        level = m.group(1)\n        found.append(level)\n    return found\n",
        "import app\nassert app.levels(['INFO: a', '', 'WARN: b']) == ['INFO', 'WARN']",
    ),
    program(
        "a match in a comprehension",
        "import re\n\n\ndef numbers(names):\n    return [int(re.search(r'\\d+', name).group()) for name in names]\n",
        "import app\nassert app.numbers(['a1', 'b', 'c3']) == [1, 3]",
        operator="filter",
    ),
    program(
        "two gets, chained",
        "def camera(data):\n    return data.get('exif').get('camera')\n",
        "import app\nassert app.camera({}) is None\nassert app.camera({'exif': None}) is None\n"
        "assert app.camera({'exif': {'camera': 'X'}}) == 'X'",
        operator="or-empty",
    ),
    program(
        "a function of the file gives None",
        "USERS = {1: type('U', (), {'name': 'Ada'})}\n\n\ndef find_user(number):\n    if number in USERS:\n        return USERS[number]\n"
        "    return None\n\n\ndef user_name(number):\n    user = find_user(number)\n    return user.name\n",
        "import app\nassert app.user_name(2) is None\nassert app.user_name(1) == 'Ada'",
    ),
    program(
        "the result of an annotated function",
        "import re\n\n\ndef extension(url: str) -> str:\n    return re.search(r'\\.(\\w+)$', url).group(1)\n",
        "import app\nassert app.extension('x') == ''\nassert app.extension('x.png') == 'png'",
    ),
    program(
        "closing what was never opened",
        "class Writer:\n    def __init__(self):\n        self.file = None\n\n    def close(self):\n        self.file.close()\n"
        "        self.file = None\n",
        "import app\napp.Writer().close()",
    ),
    program(
        "an element that is not in the document",
        "import xml.etree.ElementTree as ET\n\n\ndef read(text):\n    root = ET.fromstring(text)\n"
        "    return {'title': root.find('title').text, 'id': root.get('id')}\n",
        "import app\nassert app.read('<a id=\"1\"/>') == {'title': None, 'id': '1'}\n"
        "assert app.read('<a><title>T</title></a>')['title'] == 'T'",
    ),
    program(
        "a test of an object that may be missing",
        "class Node:\n    def __init__(self, value, next=None):\n        self.value = value\n        self.next = next\n\n\n"
        "def has(node, value):\n    while node.value != value and node.next.next:\n        node = node.next\n"
        "    return node.value == value or node.next.value == value\n",
        "import app\nassert not app.has(app.Node(1), 2)\nassert app.has(app.Node(1), 1)",
        run="import app\napp.has(app.Node(1), 2)",
        operator="test",
    )
    if False
    else program(
        "an owner that may be missing, in a test",
        "def shared(photos, name):\n    count = 0\n    for photo in photos:\n        if photo.owner.name == name:\n            count += 1\n"
        "    return count\n",
        "import app\nfrom types import SimpleNamespace as N\n"
        "assert app.shared([N(owner=None), N(owner=N(name='a'))], 'a') == 1",
        operator="test",
    ),
    program(
        "a filter that asks None",
        "def bright(items):\n    return [i.name for i in items if i.light.value > 3]\n",
        "import app\nfrom types import SimpleNamespace as N\n"
        "assert app.bright([N(name='a', light=None), N(name='b', light=N(value=4))]) == ['b']",
    ),
    program(
        "None among objects",
        "def names(items):\n    return [item.name for item in items]\n",
        "import app\nfrom types import SimpleNamespace as N\nassert app.names([N(name='a'), None]) == ['a']",
    ),
    program(
        "an optional argument",
        "def greet(name=None):\n    return 'hello ' + name.title()\n",
        "import app\nassert app.greet() is None\nassert app.greet('ada') == 'hello Ada'",
    ),
    program(
        "an environment variable that is not set",
        "import os\n\n\ndef folders():\n    found = []\n    for part in os.environ.get('NO_SUCH_VARIABLE').split(':'):\n"
        "        if part:\n            found.append(part)\n    return found\n",
        "import app\nassert app.folders() == []",
    ),
    program(
        "groups by key",
        "def grouped(rows):\n    groups = {}\n    for key, value in rows:\n        groups.get(key).append(value)\n    return groups\n",
        "import app\nassert app.grouped([('a', 1), ('a', 2)]) == {'a': [1, 2]}",
        operator="setdefault",
    ),
    program(
        "sorted in place, and lost",
        "def first(names):\n    ordered = names.sort()\n    return ordered.pop(0)\n",
        "import app\nassert app.first(['b', 'a']) == 'a'",
        operator="in-place-method",
    ),
    program(
        "a misspelt method",
        "class Album:\n    def __init__(self):\n        self.photos = []\n\n    def add_photo(self, photo):\n        self.photos.append(photo)\n\n\n"
        "def fill():\n    album = Album()\n    album.add_phtoo('x')\n    return album.photos\n",
        "import app\nassert app.fill() == ['x']",
        operator="rename",
    ),
    program(
        "a misspelt field of itself",
        "class Box:\n    def __init__(self, width, height):\n        self.width = width\n        self.height = height\n\n"
        "    def area(self):\n        return self.width * self.heigth\n",
        "import app\nassert app.Box(2, 3).area() == 6",
        operator="rename",
    ),
    program(
        "a list has no push",
        "def collect(n):\n    out = []\n    for i in range(n):\n        out.push(i)\n    return out\n",
        "import app\nassert app.collect(2) == [0, 1]",
        operator="rename",
    ),
    program(
        "a dict read by attribute",
        "def label(user):\n    return f'{user.name} <{user.mail}>'\n",
        "import app\nassert app.label({'name': 'A', 'mail': 'm'}) == 'A <m>'",
        operator="key",
    ),
    program(
        "an optional flag",
        "def options(args):\n    if args.verbose:\n        return 'loud'\n    return 'quiet'\n",
        "import app\nfrom types import SimpleNamespace as N\nassert app.options(N()) == 'quiet'\n"
        "assert app.options(N(verbose=True)) == 'loud'",
        operator="getattr",
    ),
    program(
        "an optional method",
        "class Png:\n    pass\n\n\nclass Jpeg:\n    def _getexif(self):\n        return {1: 2}\n\n\ndef exif(image):\n"
        "    return image._getexif()\n",
        "import app\nassert app.exif(app.Png()) is None\nassert app.exif(app.Jpeg()) == {1: 2}",
        operator="hasattr",
    ),
    program(
        "set only later",
        "class Meter:\n    def __init__(self, name):\n        self.name = name\n\n    def start(self):\n        self.count = 0\n\n"
        "    def report(self):\n        return f'{self.name}: {self.count}'\n",
        "import app\nassert app.Meter('a').report() == 'a: 0'",
        operator="initialise",
    ),
    program(
        "gone from the standard library",
        "import inspect\n\n\ndef arguments(function):\n    return inspect.getargspec(function).args\n",
        "import app\nassert app.arguments(lambda a, b: 0) == ['a', 'b']",
        operator="rename",
    ),
    program(
        "a module of the project, misspelt",
        "import shapes\n\n\ndef area(r):\n    return shapes.circle_aera(r)\n",
        "import app\nassert app.area(1) == 3",
        files={"shapes.py": "def circle_area(r):\n    return 3 * r * r\n"},
    ),
    program(
        "awaited, with a decorator",
        "import asyncio\nimport functools\n\n\nasync def fetch(number):\n    if number > 1:\n        return None\n    return type('R', (), {'body': 'x'})\n\n\n"
        "def kept(f):\n    @functools.wraps(f)\n    async def inner(*a):\n        return await f(*a)\n\n    return inner\n\n\n@kept\n"
        "async def body(number):\n    reply = await fetch(number)\n    return reply.body\n",
        "import app, asyncio\nassert asyncio.run(app.body(2)) is None\nassert asyncio.run(app.body(1)) == 'x'",
    ),
    program(
        "text that is text already",
        "def clean(raw):\n    return raw.decode('utf-8').strip()\n",
        "import app\nassert app.clean(' a ') == 'a'\nassert app.clean(b' a ') == 'a'",
        operator="already-text",
    ),
]

_TRACE = 'Traceback (most recent call last):\n  File "{root}/app.py", line %d, in %s\n    %s\nAttributeError: %s\n'
_GROUP = "'NoneType' object has no attribute 'group'"

LOOKALIKES = [
    *uses.ATTRIBUTE_LOOKALIKES,
    *calls.ATTRIBUTE_LOOKALIKES,
    *next_uses.ATTRIBUTE_LOOKALIKES,
    *meant.ATTRIBUTE_LOOKALIKES,
    *ATTRIBUTE_LOOKALIKES,
    spared(
        "asked for before it is set",
        "class A:\n    def __init__(self):\n        self.size = self.double()\n        self.step = 2\n\n"
        "    def double(self):\n        return 2 * self.step\n\n\nA()\n",
    ),
    spared(
        "a protocol",
        "class Lazy:\n    def __getattr__(self, name):\n        raise AttributeError(name)\n\n\nLazy().thing\n",
    ),
    spared(
        "a protocol with words",
        "class Lazy:\n    def __getattr__(self, name):\n        raise AttributeError(f\"'Lazy' object has no attribute '{name}'\")\n\n\n"
        "Lazy().thing\n",
    ),
    spared(
        "a proxy hands on",
        "class Proxy:\n    def __init__(self, inner):\n        self._inner = inner\n\n    def __getattr__(self, name):\n"
        "        return getattr(self._inner, name)\n\n\nProxy(3).thing\n",
    ),
    spared(
        "a class with a protocol, asked",
        "class Row:\n    def __init__(self):\n        self.data = {}\n\n    def __getattr__(self, name):\n        if name in self.__dict__['data']:\n"
        "            return self.data[name]\n        return super().__getattribute__(name)\n\n\ndef show(row):\n    return row.titel\n\n\nshow(Row())\n",
    ),
    spared(
        "handled since, early",
        "import re\n\n\ndef year(name):\n    m = re.search('x', name)\n    if m is None:\n        return None\n"
        "    return m.group(1)\n",
        log=_TRACE % (8, "year", "return m.group(1)", _GROUP),
    ),
    spared(
        "handled since, not",
        "import re\n\n\ndef year(name):\n    m = re.search('x', name)\n    if not m:\n        return None\n"
        "    return m.group(1)\n",
        log=_TRACE % (8, "year", "return m.group(1)", _GROUP),
    ),
    spared(
        "handled since, inline",
        "import re\n\n\ndef year(name):\n    m = re.search('x', name)\n    return m.group(1) if m else None\n",
        log=_TRACE % (6, "year", "return m.group(1)", _GROUP),
    ),
    spared(
        "handled since, by and",
        "def ok(user):\n    return user is not None and user.admin\n",
        log=_TRACE % (2, "ok", "return user is not None and user.admin", "'NoneType' object has no attribute 'admin'"),
    ),
    spared(
        "handled since, asserted",
        "def ok(user):\n    assert user is not None\n    return user.admin\n",
        log=_TRACE % (3, "ok", "return user.admin", "'NoneType' object has no attribute 'admin'"),
    ),
    spared(
        "handled since, raised",
        "def ok(user):\n    if user is None:\n        raise ValueError('who?')\n    return user.admin\n",
        log=_TRACE % (4, "ok", "return user.admin", "'NoneType' object has no attribute 'admin'"),
    ),
    spared(
        "handled since, replaced",
        "def ok(user=None):\n    if user is None:\n        user = object()\n    return user.admin\n",
        log=_TRACE % (4, "ok", "return user.admin", "'NoneType' object has no attribute 'admin'"),
    ),
    spared(
        "caught on purpose",
        "import traceback\n\n\ndef name(thing):\n    try:\n        return thing.name\n    except AttributeError:\n"
        "        traceback.print_exc()\n        return str(thing)\n\n\nname(None)\n",
    ),
    spared(
        "caught with others",
        "def name(thing):\n    try:\n        return thing.name\n    except (TypeError, AttributeError) as error:\n"
        "        raise LookupError('no name') from error\n\n\nname(None)\n",
        log=_TRACE % (3, "name", "return thing.name", "'NoneType' object has no attribute 'name'"),
    ),
    spared(
        "a test expects it",
        "def name(thing):\n    return thing.name\n",
        run="import app\napp.name(None)",
        files={
            "test_app.py": "import pytest, app\n\n\ndef test_raises():\n    with pytest.raises(AttributeError):\n        app.name(None)\n"
        },
    ),
    spared(
        "documented",
        'def name(thing):\n    """Its name. Raises AttributeError where it has none."""\n    return thing.name\n\n\nname(None)\n',
    ),
    spared(
        "documented as a must",
        'def name(thing):\n    """Its name; thing must not be None."""\n    return thing.name\n\n\nname(None)\n',
    ),
    spared(
        "a comment says so",
        "def name(thing):\n    # on purpose: a missing thing is a fault of the caller\n    return thing.name\n\n\nname(None)\n",
    ),
    spared(
        "raised by the project",
        "def name(thing):\n    if thing is None:\n        raise AttributeError(\"'NoneType' object has no attribute 'x'\")\n\n\nname(None)\n",
    ),
    spared("a read-only property", "class P:\n    @property\n    def x(self):\n        return 1\n\n\nP().x = 2\n"),
    spared(
        "frozen", "import dataclasses\n\n\n@dataclasses.dataclass(frozen=True)\nclass P:\n    x: int\n\n\nP(1).x = 2\n"
    ),
    spared("slots", "class P:\n    __slots__ = ('x',)\n\n\nP().y = 2\n"),
    spared(
        "a half-loaded module",
        "import other\n",
        files={"other.py": "import app\n\nvalue = app.missing\n"},
        run="import app",
    ),
    spared(
        "a shadowed module",
        "import string\n\nprint(string.ascii_letterz)\n",
        files={"string.py": "x = 1\n"},
        log=_TRACE % (3, "<module>", "print(string.ascii_letterz)", "module 'string' has no attribute 'ascii_letterz'"),
    ),
    spared(
        "nothing is returned",
        "def load(path):\n    data = path.upper()\n    print(data)\n\n\ndef main():\n    table = load('x')\n    return table.rows\n\n\nmain()\n",
    ),
    spared(
        "an image that cv2 could not read",
        "def main(cv2, path):\n    image = cv2.imread(path)\n    return image.shape\n\n\nclass CV:\n"
        "    def imread(self, path):\n        return None\n\n\nmain(CV(), 'x')\n",
    ),
    spared("a method that a dict does not have", "def total(d):\n    return d.total()\n\n\ntotal({})\n"),
    spared("a method that a number does not have", "def area(n):\n    return n.area()\n\n\narea(3)\n"),
    spared("a module without such a name", "import math\n\n\ndef f():\n    return math.frobnicate(1)\n\n\nf()\n"),
    spared(
        "the test's own",
        "x = None\n",
        run="import test_x",
        files={"test_x.py": "import app\n\n\ndef helper():\n    return app.x.name\n\n\nhelper()\n"},
    ),
    spared(
        "asked by hasattr",
        "class A:\n    pass\n\n\ndef f(a):\n    return a.size if hasattr(a, 'size') else 0\n",
        log=_TRACE % (6, "f", "return a.size if hasattr(a, 'size') else 0", "'A' object has no attribute 'size'"),
    ),
    spared("asserted at the line", "def f(a):\n    assert a.size > 0\n\n\nf(None)\n"),
    spared(
        "suppressed",
        "import contextlib, traceback\n\n\ndef f(a):\n    with contextlib.suppress(AttributeError):\n        return a.size\n",
        log=_TRACE % (6, "f", "return a.size", "'NoneType' object has no attribute 'size'"),
    ),
    spared(
        "gone since",
        "def f(a):\n    return a\n",
        log=_TRACE % (2, "f", "return a.size", "'NoneType' object has no attribute 'size'"),
    ),
    spared("a class to build on", "class Job:\n    def run(self):\n        return self.execute()\n\n\nJob().run()\n"),
]
