# ruff: noqa: E501
"""Programs whose mend is decided by what is done with a value afterwards, and their look-alikes."""

from tests.engine.repair.corpus.program import program, spared

ATTRIBUTE = [
    program(
        "an optional argument that is read twice",
        'def crop(path, options=None):\n    """How to crop it."""\n    size = options.get("size", 3)\n'
        '    name = options.get("name")\n    return path, size, name\n',
        "import app\nassert app.crop('a') == ('a', 3, None)\nassert app.crop('a', {'size': 5}) == ('a', 5, None)",
        operator="or-empty",
        applicability="review",
        after={
            "app.py": 'def crop(path, options=None):\n    """How to crop it."""\n    if options is None:\n'
            '        options = {}\n    size = options.get("size", 3)\n    name = options.get("name")\n'
            "    return path, size, name\n"
        },
    ),
    program(
        "an optional argument of an asynchronous method",
        "class Log:\n    async def add(self, line, seen=None):\n        # kept in order\n        seen.append(line)\n"
        "        seen.sort()\n        return seen\n",
        "import app, asyncio\nassert asyncio.run(app.Log().add('b', ['c', 'a'])) == ['a', 'b', 'c']\n"
        "assert asyncio.run(app.Log().add('b')) == ['b']",
        after={
            "app.py": "class Log:\n    async def add(self, line, seen=None):\n        if seen is None:\n"
            "            seen = []\n        # kept in order\n        seen.append(line)\n        seen.sort()\n"
            "        return seen\n"
        },
    ),
    program(
        "what a get gave is read three times",
        "def entry(result):\n    found = {'title': result['title']}\n    episode = result.get('episode')\n"
        "    found['imdb'] = episode.get('imdb')\n    found['tvdb'] = episode.get('tvdb')\n    return found\n",
        "import app\nassert app.entry({'title': 'a'}) == {'title': 'a', 'imdb': None, 'tvdb': None}\n"
        "assert app.entry({'title': 'a', 'episode': {'imdb': 1}})['imdb'] == 1",
        operator="or-empty",
    ),
    program(
        "a program without a terminal",
        "import sys\n\n\ndef warn(text, file=None):\n    if file is None:\n        file = sys.stderr\n"
        "    file.write(text)\n",
        "import app, sys\nkept, sys.stderr = sys.stderr, None\ntry:\n    app.warn('x')\nfinally:\n    sys.stderr = kept",
        operator="guard-use",
    ),
    program(
        "one of two groups, or neither",
        "import re\n\n\nclass User:\n    def __init__(self, text):\n        match = re.match(r'(\\w+)?@(\\w+)?', text)\n"
        "        self.name = (match.group(1) or match.group(2)).lower()\n",
        "import app\nassert app.User('@').name == ''\nassert app.User('@B').name == 'b'",
        operator="or-empty",
    ),
    program(
        "several parts of a whole that is returned",
        "def read(sensor):\n    info = {'name': sensor.name}\n    speed = sensor.speed()\n    info['now'] = speed.now\n"
        "    info['most'] = speed.most\n    info['done'] = True\n    return info\n",
        "import app\nfrom types import SimpleNamespace as N\n"
        "assert app.read(N(name='a', speed=lambda: None)) == {'name': 'a', 'done': True}\n"
        "assert app.read(N(name='a', speed=lambda: N(now=1, most=2)))['most'] == 2",
        operator="guard-use",
        after={
            "app.py": "def read(sensor):\n    info = {'name': sensor.name}\n    speed = sensor.speed()\n"
            "    if speed is not None:\n        info['now'] = speed.now\n        info['most'] = speed.most\n"
            "    info['done'] = True\n    return info\n"
        },
    ),
    program(
        "a match that only changes what is kept anyway",
        "import re\n\n\ndef listed(kinds):\n    lines = []\n    for kind in kinds:\n"
        "        parts = re.match(r':(?P<role>\\w+):(?P<name>\\w+)', kind).groupdict()\n        if parts['role']:\n"
        "            kind = parts['name']\n        lines.append(kind)\n    return lines\n",
        "import app\nassert app.listed([':a:b', 'c']) == ['b', 'c']",
        operator="guard-producer",
    ),
    program(
        "set by the classes that are built on it",
        "class Page:\n    def items(self):\n        found = ['a']\n        if self.deep:\n            found.append('b')\n"
        "        return found\n\n\nclass Article(Page):\n    def __init__(self):\n        self.deep = True\n\n\n"
        "class Wiki(Page):\n    pass\n",
        "import app\nassert app.Wiki().items() == ['a']\nassert app.Article().items() == ['a', 'b']",
        operator="getattr",
    ),
    program(
        "a class without a beginning",
        'class Case:\n    """One case."""\n\n    kind = "unit"\n\n    def setup(self, name):\n        self._case = name\n'
        "\n    def teardown(self):\n        done = self._case\n        self._case = None\n        return done\n",
        "import app\nassert app.Case().teardown() is None\none = app.Case()\none.setup('a')\nassert one.teardown() == 'a'",
        operator="initialise",
        after={
            "app.py": 'class Case:\n    """One case."""\n\n    kind = "unit"\n    _case = None\n\n'
            "    def setup(self, name):\n        self._case = name\n\n    def teardown(self):\n"
            "        done = self._case\n        self._case = None\n        return done\n"
        },
    ),
    program(
        "an optional argument that is asked and then used",
        "def label(photo=None):\n    kind = 'x'\n    if photo.is_raw:\n        kind = 'raw'\n    name = photo.name\n    return f'{name} {kind}'\n",
        "import app\nfrom types import SimpleNamespace as N\nassert app.label() is None\nassert app.label(N(is_raw=True, name='a')) == 'a raw'",
        operator="guard-use",
    ),
    program(
        "a signal that not every platform has",
        "import signal\n\nSEEN = []\n\nsignal.signal(signal.SIGWINCH, lambda *_: SEEN.append(1))\n",
        "import signal\nsignal.__dict__.pop('SIGWINCH', None)\nimport app\nassert app.SEEN == []",
        operator="hasattr",
    ),
    program(
        "a number that each thread begins with",
        "import threading\n\nstate = threading.local()\n\n\ndef deeper():\n    state.depth += 1\n\n\ndef margin():\n    return ' ' * state.depth\n",
        "import app\nassert app.margin() == ''",
        operator="getattr",
    ),
    program(
        "of two that are compared, the part of the data",
        "def same(pages, j, target):\n    return pages[j].name() == target['page'].name()\n",
        "import app\nclass Page:\n    def name(self): return 'a'\nassert app.same([Page()], 0, {'page': Page()})\nassert not app.same([Page()], 0, {'page': None})",
        log="Traceback (most recent call last):\n  File \"{root}/app.py\", line 2, in same\n    return pages[j].name() == target['page'].name()\n"
        "AttributeError: 'NoneType' object has no attribute 'name'\n",
    ),
    program(
        "a part of the data that is null",
        "def card(user):\n    return {'name': user['name'], 'city': user['address'].get('city')}\n",
        "import app\nassert app.card({'name': 'a', 'address': None}) == {'name': 'a', 'city': None}\n"
        "assert app.card({'name': 'a', 'address': {'city': 'b'}})['city'] == 'b'",
        operator="or-empty",
    ),
    program(
        "a loop within a try, whose round is left",
        "import re\n\n\ndef years(names):\n    found = []\n    try:\n        for name in names:\n            year = re.search(r'\\d{4}', name).group()\n            found.append(year)\n    finally:\n        found.append('end')\n    return found\n",
        "import app\nassert app.years(['a', 'b2024']) == ['2024', 'end']",
    ),
    program(
        "a text whose parts are numbers",
        "def bits(mask):\n    return sum(bin(int(part)).count('1') for part in mask.split('.'))\n",
        "import app\nassert app.bits(None) == 0\nassert app.bits('255.3') == 10",
    ),
]
ATTRIBUTE_LOOKALIKES = [
    spared(
        "an argument that has its default since",
        "def f(options=None):\n    if options is None:\n        options = {}\n    a = options.get('a')\n"
        "    return a, options.get('b')\n",
        log="Traceback (most recent call last):\n  File \"{root}/app.py\", line 4, in f\n    a = options.get('a')\n"
        "AttributeError: 'NoneType' object has no attribute 'get'\n",
    ),
    spared(
        "a name that has its default since",
        "def f(data):\n    found = data.get('a') or {}\n    one = found.get('x')\n    return one, found.get('y')\n",
        log="Traceback (most recent call last):\n  File \"{root}/app.py\", line 3, in f\n    one = data.get('x')\n"
        "AttributeError: 'NoneType' object has no attribute 'get'\n",
    ),
]
TYPE_MISMATCH = [
    program(
        "the last comma of nothing",
        "def listed(items):\n    out = []\n    for item in items:\n        out.append(item)\n        out.append(', ')\n"
        "    out.pop()\n    return ''.join(out)\n",
        "import app\nassert app.listed([]) == ''\nassert app.listed(['a', 'b']) == 'a, b'",
        operator="guard-use",
    ),
    program(
        "the first of what may be empty is taken",
        "def head(queue):\n    first = queue.pop(0)\n    return first.upper()\n",
        "import app\nassert app.head([]) is None\nassert app.head(['a']) == 'A'",
    ),
    program(
        "a loop that asks for one where two are read",
        "def pairs(parts):\n    found = {}\n    while len(parts) > 0:\n        found[parts[0]] = parts[1]\n"
        "        parts = parts[2:]\n    return found\n",
        "import app\nassert app.pairs(['a', 1, 'b']) == {'a': 1}\nassert app.pairs([]) == {}",
        operator="stronger-check",
    ),
    program(
        "an early return that asks for too little",
        "def value(line):\n    parts = line.split()\n    if not parts:\n        return None\n    return parts[1]\n",
        "import app\nassert app.value('a') is None\nassert app.value('a b') == 'b'\nassert app.value('') is None",
        operator="stronger-check",
        after={
            "app.py": "def value(line):\n    parts = line.split()\n    if len(parts) < 2:\n        return None\n"
            "    return parts[1]\n"
        },
    ),
    program(
        "two that are compared, one without the key",
        "def change(old, new):\n    if old['link'] != new['link']:\n        return 'link'\n    return 'none'\n",
        "import app\nassert app.change({'link': 1}, {}) == 'none'\nassert app.change({}, {'link': 1}) == 'none'\n"
        "assert app.change({'link': 1}, {'link': 2}) == 'link'",
        run="import app\napp.change({'link': 1}, {})",
        operator="test",
    ),
    program(
        "a text that is cut later",
        "def author(schema):\n    url = schema['url']\n    return {'name': schema.get('name'), 'url': url, "
        "'id': url[url.rfind('.') + 1:]}\n",
        "import app\nassert app.author({}) == {'name': None, 'url': '', 'id': ''}\n"
        "assert app.author({'url': 'a.b'})['id'] == 'b'",
        operator="get",
    ),
    program(
        "the word in front of nothing",
        "def before(texts):\n    words = {}\n    count = 0\n    for text in texts:\n        split = text.split()\n"
        "        words[text] = split[-1]\n        count += 1\n    return count, [words[text] for text in texts]\n",
        "import app\nassert app.before(['a b', '']) == (2, ['b', ''])",
        operator="conditional",
    ),
    program(
        "an exception that is subscripted",
        "def told():\n    try:\n        raise OSError(2, 'gone')\n    except OSError as why:\n        return why[1]\n",
        "import app\nassert app.told() == 'gone'",
        operator="arguments",
    ),
    program(
        "the largest of nothing",
        "def largest(posts):\n    found = []\n    for post in posts:\n        found.append(max(post['sources']))\n"
        "    return found\n",
        "import app\nassert app.largest([{'sources': [1, 2]}, {}]) == [2]",
    ),
    program(
        "two lines need it, the third does not",
        "def posts(rows):\n    found = []\n    for row in rows:\n        author = row['author']\n"
        "        row['user'] = author['name']\n        found.append(row['id'])\n    return found\n",
        "import app\nassert app.posts([{'id': 1}, {'id': 2, 'author': {'name': 'a'}}]) == [1, 2]",
        operator="guard-use",
    ),
    program(
        "nobody to be told",
        "def walk(items, on_item=None):\n    count = 0\n    for item in items:\n        on_item(item)\n        count += 1\n"
        "    return count\n",
        "import app\nassert app.walk([1, 2]) == 2\nfound = []\napp.walk([1], found.append)\nassert found == [1]",
        operator="guard-use",
    ),
    program(
        "a box that is checked after it is made",
        "def described(font):\n    found = {'name': font.get('name')}\n    found.update(font)\n"
        "    box = tuple(map(float, found['box']))\n    assert len(box) == 4, box\n    found['box'] = box\n    return found\n",
        "import app\nassert app.described({'name': 'a'}) == {'name': 'a'}\n"
        "assert app.described({'box': '1234'})['box'] == (1, 2, 3, 4)",
        operator="guard-use",
    ),
    program(
        "a text that is looked at for None only",
        "def parsed(text):\n    if text is None:\n        return None\n    if text[0].isdigit():\n        return 'D:' + text\n    return text\n",
        "import app\nassert app.parsed('') is None\nassert app.parsed('1') == 'D:1'",
        operator="stronger-check",
    ),
    program(
        "a listener that goes on",
        "def listen(queue, clients):\n    while True:\n        message = queue.pop(0)\n        if message == 'end':\n            return clients\n"
        "        client = clients[message]\n        client.append(message)\n",
        "import app\nassert app.listen(['b', 'a', 'end'], {'a': []}) == {'a': ['a']}",
    ),
    program(
        "a condition whose body needs the same",
        "def warned(notes, refs):\n    found = []\n    for note in notes:\n        if note['names'][0] not in refs:\n"
        "            found.append(note['names'][0])\n    return found\n",
        "import app\nassert app.warned([{'names': []}, {'names': ['a']}], {'b'}) == ['a']",
        operator="test",
    ),
    program(
        "a name that is bound anew is not read as it was",
        "def pages(rows):\n    found = []\n    url = 'first'\n    for row in rows:\n        url = row['url']\n        if row.get('kind'):\n            found.append(url)\n        found.append(row['id'])\n    return found\n",
        "import app\nassert app.pages([{'id': 1, 'kind': 1}, {'id': 2, 'kind': 1, 'url': 'u'}]) == [1, 'u', 2]",
    ),
    program(
        "an unknown key of each element",
        "def photos(data, edges):\n    return [\n        data[str(edge['id'])]\n        for edge in edges\n    ]\n",
        "import app\nassert app.photos({'1': 'a'}, [{'id': 1}, {'id': 2}]) == ['a']",
        operator="filter",
    ),
    program(
        "a text that is taken apart at once",
        "def chapter(data):\n    number, sep, part = data['chapter'].partition('.')\n    return {'chapter': number, 'part': sep + part}\n",
        "import app\nassert app.chapter({}) == {'chapter': '', 'part': ''}\nassert app.chapter({'chapter': '1.2'})['part'] == '.2'",
        operator="get",
    ),
    program(
        "a table for another function, in a cast",
        "from typing import cast\n\n\ndef shown(page):\n    style = cast(dict, page['style'])\n    parts = []\n    if style.get('align'):\n        parts.append(style['align'])\n"
        "    indent(parts, style)\n    return parts\n\n\ndef indent(parts, style):\n    parts.append(style.get('indent', 0))\n",
        "import app\nassert app.shown({}) == [0]\nassert app.shown({'style': {'align': 'left'}}) == ['left', 0]",
        operator="get",
    ),
    program(
        "what takes no room where it is not there",
        "def room(height, shown):\n    left = height - rows(shown['alert']) - rows(shown['docker'])\n    return left\n\n\n"
        "def rows(part):\n    return len(part)\n",
        "import app\nassert app.room(9, {'alert': 'ab'}) == 7\nassert app.room(9, {'alert': 'ab', 'docker': 'c'}) == 6",
        operator="conditional",
    ),
    program(
        "rows that are walked and counted",
        "def report(data):\n    rows = data.get('rows')\n    names = [row['name'] for row in rows]\n"
        "    return len(rows), names\n",
        "import app\nassert app.report({}) == (0, [])\nassert app.report({'rows': [{'name': 'a'}]}) == (1, ['a'])",
        operator="or-empty",
    ),
]
_POP = 'Traceback (most recent call last):\n  File "{root}/app.py", line %d, in %s\n    %s\nIndexError: %s\n'
TYPE_MISMATCH_LOOKALIKES = [
    spared(
        "a stack's own pop",
        "class Stack:\n    def __init__(self):\n        self.items = []\n\n    def pop(self):\n"
        "        return self.items.pop()\n\n\nStack().pop()\n",
    ),
    spared(
        "an empty list is what ends the loop",
        "import traceback\n\n\ndef drain(items):\n    found = []\n    try:\n        while True:\n"
        "            found.append(items.pop())\n    except IndexError:\n        traceback.print_exc()\n    return found\n\n\n"
        "drain([])\n",
    ),
    spared(
        "a worker that goes on",
        "def work(queue):\n    while True:\n        job = queue.pop()\n        job()\n\n\nwork([])\n",
    ),
    spared(
        "looked at for nothing since",
        "def f(text):\n    if not text:\n        return None\n    return text[0]\n",
        log=_POP % (4, "f", "return text[0]", "string index out of range"),
    ),
    spared(
        "enough is asked for since",
        "def f(values):\n    if len(values) > 1:\n        return values[1]\n    return None\n",
        log=_POP % (3, "f", "return values[1]", "list index out of range"),
    ),
    spared(
        "enough is asked for since, by leaving",
        "def f(values):\n    if len(values) < 2:\n        return None\n    return values[1]\n",
        log=_POP % (4, "f", "return values[1]", "list index out of range"),
    ),
    spared("a function that is not there", "def f(table, name):\n    return table[name]()\n\n\nf({'a': None}, 'a')\n"),
    spared(
        "an exception that answers for its keys",
        "class Trouble(Exception):\n    pass\n\n\ndef f():\n    return Trouble('a')['a']\n\n\nf()\n",
    ),
]
