# ruff: noqa: E501
"""Programs in which the first mend that comes to mind fails one step further, or in the next use; their look-alikes."""

from tests.engine.repair.corpus.program import program, spared

ATTRIBUTE = [
    program(
        "needed again behind the loop",
        "class Loop:\n    def __init__(self, scheduler=None):\n        self.scheduler = scheduler\n\n    def run(self, rounds):\n"
        "        rates = []\n        for _ in range(rounds):\n            self.scheduler.step()\n"
        "        rate = self.scheduler.rate()\n        rates.append(rate)\n        return len(rates)\n",
        "import app\nfrom types import SimpleNamespace as N\nassert app.Loop(N(step=list, rate=int)).run(2) == 1\nassert app.Loop().run(2) == 0",
        after={
            "app.py": "class Loop:\n    def __init__(self, scheduler=None):\n        self.scheduler = scheduler\n\n    def run(self, rounds):\n"
            "        rates = []\n        for _ in range(rounds):\n            if self.scheduler is not None:\n                self.scheduler.step()\n"
            "        if self.scheduler is not None:\n            rate = self.scheduler.rate()\n            rates.append(rate)\n        return len(rates)\n"
        },
    ),
    program(
        "what there is so far",
        "def report(old, new):\n    text = ''\n    text += f'{old.ram} {new.ram}'\n    if old.swap and new.swap:\n"
        "        text += f'{old.swap} {new.swap}'\n    if old.disk and new.disk:\n        text += f'{old.disk} {new.disk}'\n    return text\n",
        "import app\nfrom types import SimpleNamespace as N\none = N(ram=1, swap=0, disk=0)\nassert app.report(one, one) == '1 1'\n"
        "assert app.report(one, None) == ''",
        operator="guard-use",
    ),
    program(
        "what a comprehension walks first",
        "import re\n\n\ndef version(text):\n    return tuple(int(one) for one in re.search(r'(\\d+)[.](\\d+)', text).groups())\n\n\n"
        "def is_new(text):\n    return version(text) > (1, 0)\n",
        "import app\nassert not app.is_new('none')\nassert app.is_new('1.2')",
    ),
    program(
        "a chain that comes to its end",
        "def top(node):\n    while node.parent.kind != 'root':\n        node = node.parent\n    return node\n",
        "import app\nfrom types import SimpleNamespace as N\nlast = N(parent=None, kind='x')\nassert app.top(last) is last\n"
        "root = N(parent=None, kind='root')\nunder = N(parent=root, kind='x')\nassert app.top(N(parent=under, kind='y')) is under",
        operator="test",
    ),
    program(
        "what a method gives is taken apart at once",
        "class Mark:\n    pass\n\n\ndef show(row, out):\n    total, new = row.counts()\n    out.append(f'{new} of {total}')\n",
        "import app\nout = []\napp.show(app.Mark(), out)\nassert out == []",
        operator="guard-use",
    ),
    program(
        "the one of two whose type was asked for has the name",
        "class Name:\n    def __init__(self, name):\n        self.name = name\n\n\nclass Part:\n    pass\n\n\n"
        "def same(value, target):\n    return isinstance(value, Name) and value.name == target.name\n",
        "import app\nassert app.same(app.Name('a'), app.Part()) is False\nassert app.same(app.Name('a'), app.Name('a'))",
        operator="getattr",
    ),
    program(
        "two that differ are refused",
        "def merge(old, new):\n    for one, other in zip(old, new):\n        if one.kind != other.kind:\n"
        "            raise ValueError('two kinds')\n    return len(old)\n",
        "import app\nfrom types import SimpleNamespace as N\nassert app.merge([None], [N(kind=1)]) == 1\n"
        "try:\n    app.merge([N(kind=1)], [N(kind=2)])\nexcept ValueError:\n    pass\nelse:\n    raise SystemExit(1)",
        operator="test",
    ),
    program(
        "asked for, then bound anew",
        "def shown(user, address, known):\n    if user and not address or address is None:\n"
        "        address = known.get(user)\n        if address.startswith('?'):\n            return None\n    return address\n",
        "import app\nassert app.shown('a', None, {}) is None\nassert app.shown('a', None, {'a': 'x'}) == 'x'",
    ),
    program(
        "a field that is cleared in between",
        "class Cache:\n    def __init__(self, values):\n        self.values = values\n        self.found = {}\n\n"
        "    def ready(self):\n        self.values = None\n\n    def fill(self):\n        if not self.values:\n"
        "            return\n        self.ready()\n        for key, value in self.values.items():\n"
        "            self.found[key] = value\n        self.values = None\n",
        "import app\ncache = app.Cache({'a': 1})\ncache.fill()\nassert cache.found == {}",
        operator="caught",
    ),
    program(
        "a dict that is an object's dict",
        "class Task:\n    def __init__(self, name):\n        self.name = name\n\n    @classmethod\n"
        "    def from_dict(cls, data):\n        return cls(data['name'])\n\n    def clone(self):\n"
        "        return Task(self.name)\n\n\ndef link(tasks, task):\n    task = task.clone()\n    tasks.append(task.name)\n",
        "import app\ntasks = []\napp.link(tasks, {'name': 'a'})\napp.link(tasks, app.Task('b'))\nassert tasks == ['a', 'b']",
        operator="from-dict",
    ),
    program(
        "an enumeration that the module did not have",
        "from PIL import Image\n\n\ndef fit(call, way: Image.Ways = Image.Ways.BICUBIC):\n    call(way)\n",
        "import app\nfrom PIL import Image\nsent = []\napp.fit(sent.append)\nassert sent == [Image.BICUBIC]",
        operator="getattr",
    ),
    program(
        "every choice of a condition needs it",
        "def wanted(values, word, kind):\n    for value in values:\n        if (kind == 'in' and word in value.lower()) or (\n"
        "            kind == 'is' and word == value.lower()\n        ):\n            return True\n    return False\n",
        "import app\nassert app.wanted([None, 'AB'], 'a', 'in') and not app.wanted([None], 'a', 'in')\n"
        "assert app.wanted([None, 'A'], 'a', 'is')",
        operator="test",
    ),
    program(
        "a name that is worked out",
        "def results(metrics, name):\n    return [getattr(one, name)() for one in metrics]\n",
        "import app\nassert app.results(['a', 1.5], 'upper') == ['A']",
    ),
    program(
        "a number by what is done with it later",
        "def help_text(wallet, amount):\n    online = bool(wallet.node) and wallet.node.peers > 0\n"
        "    most = wallet.node.most()\n    enough = most > 0 and amount <= most\n    return online, enough\n",
        "import app\nfrom types import SimpleNamespace as N\nonline, enough = app.help_text(N(node=None), 1)\n"
        "assert not online and not enough",
        operator="conditional",
    ),
    program(
        "None in a library's hands",
        "import json\n\n\ndef load(place, places):\n    found = places.get(place)\n    data = json.load(found)\n    return data\n",
        "import app, io\nassert app.load('a', {}) is None\nassert app.load('a', {'a': io.StringIO('[1]')}) == [1]",
    ),
    program(
        "most of what follows needs it",
        "class Film:\n    title = tag = year = None\n\n    def load(self, data):\n"
        "        self.title = data['title'] if isinstance(data, dict) else data.title\n"
        "        self.tag = data['tag'] if isinstance(data, dict) else data.tag\n"
        "        self.year = data['year'] if isinstance(data, dict) else data.year\n",
        "import app\nfilm = app.Film()\nfilm.load(None)\nassert film.title is None\n"
        "film.load({'title': 'a', 'tag': 'b', 'year': 1})\nassert film.year == 1",
        operator="guard-use",
    ),
    program(
        "compared with what is of another kind",
        "class Block:\n    def __init__(self, end, data):\n        self.end, self.data = end, data\n\n"
        "    def __eq__(self, other):\n        if self.end == other.end:\n            return self.data == other.data\n"
        "        return self.data == other.data[::-1]\n",
        "import app\nassert app.Block(1, 'ab') != 1\nassert app.Block(1, 'ab') == app.Block(2, 'ba')",
        operator="guard-use",
    ),
]
ATTRIBUTE_LOOKALIKES = [
    spared(
        "looked at since, and nothing in between",
        "class Cache:\n    values = None\n\n    def fill(self):\n        if not self.values:\n            return []\n"
        "        return list(self.values.items())\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 7, in fill\n'
        "    return list(self.values.items())\nAttributeError: 'NoneType' object has no attribute 'items'\n",
        reason="checked",
    ),
    spared(
        "either of two is looked at since",
        "def f(one, other):\n    if one is None or other is None:\n        return None\n    return other.name\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 4, in f\n    return other.name\n'
        "AttributeError: 'NoneType' object has no attribute 'name'\n",
        reason="checked",
    ),
    spared(
        "how Python asks, by a name that is worked out",
        "class Proxy:\n    def __init__(self, inner):\n        self.inner = inner\n\n    def __getattr__(self, name):\n"
        "        return getattr(self.inner, name)\n\n\nProxy(1).shape\n",
    ),
]
TYPE_MISMATCH = [
    program(
        "numbers of an array among what is written",
        "import json\n\n\ndef save(scores, indent=None):\n    return json.dumps({'scores': scores}, indent=indent)\n",
        "import app\nclass float32(float.__base__):\n    def tolist(self):\n        return 1.5\n"
        "assert app.save([1]) == '{\"scores\": [1]}'\nassert app.save([float32()]) == '{\"scores\": [1.5]}'",
        operator="json-default",
    ),
    program(
        "more than one is asked for, and one is read in any other case",
        "def told(lines):\n    out = []\n    if len(lines) > 1:\n        out.append(f'{lines[0]} to {lines[-1]}')\n    else:\n"
        "        out.append(lines[0])\n    return out\n",
        "import app\nassert app.told(['a']) == ['a']\nassert app.told(['a', 'b']) == ['a to b']\nassert app.told([]) == []",
    ),
    program(
        "nothing under a key that has a default",
        "def angle(tags):\n    turned = tags.get('Rotate', 0)\n    return turned % 360\n",
        "import app\nassert app.angle({'Rotate': 370}) == 10\nassert app.angle({}) == app.angle({'Rotate': None}) == 0",
        operator="or-empty",
    ),
    program(
        "a key that is read again",
        "def entry(data, out):\n    out['name'] = data['name'].upper()\n    out['plain'] = data['name']\n    return out\n",
        "import app\nassert app.entry({}, {}) == {}\nassert app.entry({'name': 'a'}, {}) == {'name': 'A', 'plain': 'a'}",
    ),
    program(
        "a check that asks for all, not for any",
        "def gap(one, other):\n    if one.start is None and other.start is None:\n        return None\n    return one.start - other.start\n",
        "import app\nfrom types import SimpleNamespace as N\nassert app.gap(N(start=None), N(start=3)) is None\n"
        "assert app.gap(N(start=3), N(start=1)) == 2",
        operator="stronger-check",
    ),
    program(
        "a program that ends where it cannot go on",
        "import sys\n\nfound = {}\n\n\ndef setup(path, table):\n    if not path:\n        print('no path')\n        sys.exit(1)\n"
        "    found['name'] = max(table['name'])\n    found['kind'] = min(table['name'])\n",
        "import app\ntry:\n    app.setup('a', {})\nexcept SystemExit as end:\n    assert 'name' in str(end.code)\nelse:\n    raise SystemExit(1)",
    ),
    program(
        "what its caller takes apart",
        "def pair(parts):\n    return parts[0], parts[1]\n\n\ndef total(parts):\n    first, second = pair(parts)\n    return first + second\n",
        "import app\nassert app.total([1]) == 0\nassert app.total([1, 2]) == 3",
        operator="guard-use",
    ),
    program(
        "what its caller reckons with",
        "def price(items, name):\n    found = items.get(name)\n    return found['price'] * 2\n\n\ndef shown(items, name):\n"
        "    amount = price(items, name)\n    return f'{name}: {amount:.2f}'\n",
        "import app\nassert app.shown({}, 'a') == 'a: 0.00'\nassert app.shown({'a': {'price': 1}}, 'a') == 'a: 2.00'",
    ),
    program(
        "a value that is made smaller, and used again",
        "def title(meta):\n    text = meta.title\n    if len(text) > 3:\n        text = text[:3]\n    return text.upper()\n",
        "import app\nfrom types import SimpleNamespace as N\nassert app.title(N(title=None)) == ''\nassert app.title(N(title='abcd')) == 'ABC'",
        operator="or-empty",
    ),
    program(
        "one of several conditions for a special case",
        "def choose(started, kind, chunk):\n    way = 'plain'\n    if not started and kind == 'deflate' and chunk[0] & 0xF != 8:\n"
        "        way = 'raw'\n    return way\n",
        "import app\nassert app.choose(False, 'deflate', b'') == 'plain'\nassert app.choose(False, 'deflate', b'\\x01') == 'raw'",
        operator="test",
    ),
    program(
        "walked through twice",
        "def pack(groups, out):\n    count = 0\n    for group in groups:\n        count += len(group)\n    out.append(count)\n"
        "    for group in groups:\n        for one in group:\n            out.append(one)\n",
        "import app\nout = []\napp.pack([None, 'ab'], out)\nassert out == [2, 'a', 'b']",
        operator="filter",
    ),
    program(
        "gone from one set, and from the next",
        "class Pool:\n    def __init__(self):\n        self.taken = set()\n        self.by_host = {'a': set()}\n        self.log = []\n\n"
        "    def give_back(self, one):\n        self.taken.remove(one)\n        self.by_host['a'].remove(one)\n"
        "        self.log.append(one)\n",
        "import app\npool = app.Pool()\npool.give_back(1)\nassert pool.log == [1]",
        operator="discard",
    ),
    program(
        "the outer key is looked for, the inner is not",
        "def forget(rules, place, name):\n    if place in rules and rules[place]:\n        del rules[place][name]\n",
        "import app\nrules = {'a': {'b': 1}}\napp.forget(rules, 'a', 'c')\napp.forget(rules, 'a', 'b')\nassert rules == {'a': {}}",
        operator="pop",
    ),
    program(
        "a default that is set for 0 alone",
        "def prepare(options):\n    if options.quality == 0:\n        options.quality = 75\n\n\ndef encode(options):\n"
        "    return max(10, options.quality - 10)\n",
        "import app\nfrom types import SimpleNamespace as N\nfor given in (None, 0):\n    options = N(quality=given)\n"
        "    app.prepare(options)\n    assert app.encode(options) == 65",
        operator="stronger-check",
    ),
    program(
        "what is missing is the handler's to answer",
        "from pathlib import Path\n\n\nclass Trouble(Exception):\n    pass\n\n\ndef show(bus, name, out):\n    try:\n"
        "        if bus is None:\n            raise Trouble(1, 'No bus')\n        place = Path(bus.get(name))\n        out.append(place.name)\n"
        "    except Trouble:\n        out.append('-')\n",
        "import app\nout = []\napp.show({}, 'a', out)\napp.show({'a': 'x/y'}, 'a', out)\nassert out == ['-', 'y']",
    ),
    program(
        "a callback of the function around",
        "def remover(done=None):\n    def handle(name):\n        return done(name)\n\n    return handle\n",
        "import app\nassert app.remover()('a') is None\nassert app.remover(str.upper)('a') == 'A'",
        operator="conditional",
    ),
    program(
        "JSON that is parsed already",
        "import json\n\n\ndef name(data):\n    data = json.loads(data)\n    return data['name']\n",
        "import app\nassert app.name({'name': 'a'}) == 'a' == app.name('{\"name\": \"a\"}')",
        operator="already-parsed",
    ),
    program(
        "one of nothing",
        "import random\n\n\ndef pick(items, default=None):\n    chosen = random.choice(items)\n    return chosen\n",
        "import app\nassert app.pick([]) is None\nassert app.pick([1]) == 1",
    ),
    program(
        "what stands for a key that is not there is not there",
        "def folder(check):\n    place = check.get('update', check['checkout'])\n    return place\n",
        "import app\nassert app.folder({'update': 'a'}) == 'a'\nassert app.folder({'checkout': 'b'}) == 'b'",
        operator="get",
    ),
    program(
        "counted down to nothing",
        "def done(queued, user):\n    queued[user] -= 1\n    if queued.get(user) == 0:\n        del queued[user]\n",
        "import app\nqueued = {'a': 1}\napp.done(queued, 'b')\napp.done(queued, 'a')\nassert queued == {}",
        operator="guard-use",
    ),
    program(
        "something more for the surroundings",
        "import os, pwd\n\n\ndef check(env, number):\n    if 'HOME' not in env:\n        env['HOME'] = pwd.getpwuid(number)[5]\n"
        "    env['SEEN'] = '1'\n",
        "import app\nenv = {}\napp.check(env, 10 ** 8)\nassert env == {'SEEN': '1'}",
        operator="caught",
    ),
    program(
        "a function that is to be waited for, or not",
        "async def call(handler, log):\n    await handler()\n    log.append(1)\n",
        "import app, asyncio\nlog = []\nasyncio.run(app.call(lambda: None, log))\nassert log == [1]",
    ),
    program(
        "a loop without end goes on with the next",
        "import asyncio\n\n\nasync def follow(queue, offers, name, seen):\n    last = None\n    while True:\n        before = last\n"
        "        await queue.get()\n        last = offers[name]\n        if last != before:\n            seen.append(last)\n"
        "            raise SystemExit\n",
        "import app, asyncio\n\n\nclass Queue:\n    count = 0\n\n    async def get(self):\n        self.count += 1\n        if self.count == 2:\n"
        "            offers['a'] = 1\n\n\noffers, seen = {}, []\ntry:\n    asyncio.run(app.follow(Queue(), offers, 'a', seen))\n"
        "except SystemExit:\n    pass\nassert seen == [1]",
    ),
    program(
        "a place that a field does not tell",
        "def show(names, part, out):\n    out.append(names[part.kind])\n    out.append('end')\n",
        "import app\nfrom types import SimpleNamespace as N\nout = []\napp.show(['a'], N(kind=None), out)\nassert out == ['end']",
    ),
]
TYPE_MISMATCH_LOOKALIKES = [
    spared(
        "a program that ends already",
        "import sys\n\n\ndef setup(table):\n    if 'name' not in table:\n        sys.exit('no name')\n    return table['name']\n",
        log="Traceback (most recent call last):\n  File \"{root}/app.py\", line 7, in setup\n    return table['name']\n"
        "KeyError: 'name'\n",
        reason="looked for",
    ),
    spared(
        "a key that a check in front asks for, of what is bound anew elsewhere",
        "def f(rows, name):\n    if name not in rows:\n        return None\n    found = rows[name]\n    return found\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 4, in f\n    found = rows[name]\n'
        "KeyError: 'a'\n",
        reason="looked for",
    ),
    spared(
        "one of nothing, of which there is one since",
        "import random\n\n\ndef f(items):\n    if not items:\n        return None\n    return random.choice(items)\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 7, in f\n    return random.choice(items)\n'
        "IndexError: Cannot choose from an empty sequence\n",
    ),
]
