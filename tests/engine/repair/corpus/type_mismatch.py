# ruff: noqa: E501
"""Programs that read data as what they are not, and look-ups that should go on raising."""

from tests.engine.repair.corpus import calls, forms, meant, next_uses, uses
from tests.engine.repair.corpus.later_uses import TYPE_MISMATCH, TYPE_MISMATCH_LOOKALIKES
from tests.engine.repair.corpus.program import program, spared

PROGRAMS = [
    *uses.TYPE_MISMATCH,
    *calls.TYPE_MISMATCH,
    *forms.TYPE_MISMATCH,
    *next_uses.TYPE_MISMATCH,
    *meant.TYPE_MISMATCH,
    *TYPE_MISMATCH,
    program(
        "a key that is returned as it is, None where it is missing",
        'def tags_of(row):\n    """The tags of a row; None if it is missing."""\n    return row["tags"]\n',
        "import app\nassert app.tags_of({}) is None\nassert app.tags_of({'tags': ['a']}) == ['a']",
        after={
            "app.py": 'def tags_of(row):\n    """The tags of a row; None if it is missing."""\n    return row.get("tags")\n'
        },
        applicability="review",
    ),
    program(
        "of two keys of one name, the one that is underlined",
        "def pair(left, right):\n    print(left['name'], right['name'].strip())\n",
        "import app\napp.pair({'name': 'a'}, {'name': 'b'})\napp.pair({'name': 'a'}, {})",
        after={"app.py": "def pair(left, right):\n    print(left['name'], right.get('name', \"\").strip())\n"},
    ),
    program(
        "of two results on a line, the None that is underlined",
        "def find(rows, name):\n    for row in rows:\n        if row['name'] == name:\n            return row\n    return None\n\n\n"
        "def ages(rows, one, other):\n    pair = find(rows, one)['age'], find(rows, other)['age']\n    return pair\n",
        "import app\nrows = [{'name': 'a', 'age': 3}]\nassert app.ages(rows, 'a', 'a') == (3, 3)\n"
        "assert app.ages(rows, 'a', 'b') in (None, (3, None))",
    ),
    program(
        "of two first elements, the one that is underlined",
        "def heads(names, tags):\n    found = {'name': names[0], 'tag': tags[0]}\n    return found\n",
        "import app\nassert app.heads(['a'], ['t']) == {'name': 'a', 'tag': 't'}\n"
        "assert app.heads(['a'], []) in (None, {'name': 'a', 'tag': None})",
    ),
    program(
        "a key whose value is looked at before it is used",
        "def kind(release):\n    info = {'title': release['title']}\n    found = release['group']['type']\n    if found:\n"
        "        info['kind'] = found.lower()\n    return info\n",
        "import app\nassert app.kind({'title': 'a', 'group': {}}) == {'title': 'a'}\n"
        "assert app.kind({'title': 'a', 'group': {'type': 'LP'}}) == {'title': 'a', 'kind': 'lp'}",
        operator="get",
    ),
    program(
        "a text or bytes, whichever comes",
        "def lines(out: str):\n    return out.split('\\n')\n",
        "import app\nassert app.lines('a\\nb') == ['a', 'b']\nassert app.lines(b'a\\nb') == ['a', 'b']",
        operator="decode",
    ),
    program(
        "bytes of which nothing says that they are a text at times",
        "def is_photo(data):\n    return data.startswith('\\xff\\xd8') and 'JFIF' in data\n",
        "import app\nassert not app.is_photo(b'\\x89PNG')",
        operator="bytes",
    ),
    program(
        "a limit that is not set",
        "def clamp(item, value):\n    low, high = item.get('low'), item.get('high')\n    value = max(0, min(value, high))\n    item['value'] = value\n    return item\n",
        "import app\nassert app.clamp({'high': 2}, 4)['value'] == 2\nassert app.clamp({}, 4)['value'] == 4",
        operator="conditional",
    ),
    program(
        "scores that nobody gave, beside boxes",
        "def show(boxes, scores=None):\n    out = []\n    for box, score in zip(boxes, scores):\n        out.append(f'{box} {score}')\n    return out\n",
        "import app\nassert app.show([1], [2]) == ['1 2']\nassert app.show([1, 3]) == ['1 None', '3 None']",
        operator="or-empty",
    ),
    program(
        "a place that is worked out behind the list",
        "def next_of(x, steps):\n    items = list(x)\n    at = len(items) - 2 + steps\n    found = items[at]\n    found = found.strip()\n    return found\n",
        "import app\nassert app.next_of(['a', 'b '], 1) == 'b'\nassert app.next_of(['a', 'b '], 2) is None",
        operator="guard-use",
    ),
    program(
        "a year that is not known, in a title",
        "def titles(rows):\n    out = []\n    for row in rows:\n        out.append(f\"{row['name']} ({row['year']:04})\")\n    return out\n",
        "import app\nassert app.titles([{'name': 'a', 'year': 800}, {'name': 'b', 'year': None}]) == ['a (0800)', 'b ()']",
        operator="conditional",
    ),
    program(
        "a moment that was never noted",
        "import time\n\n\ndef interrupted(stats):\n    stats['total'] += time.time() - stats['restart_time']\n",
        "import app\nimport time\nstats = {'total': 3}\napp.interrupted(stats)\nassert stats['total'] == 3\n"
        "stats = {'total': 0, 'restart_time': time.time()}\napp.interrupted(stats)\nassert 0 <= stats['total'] < 60",
        operator="guard-use",
    ),
    program(
        "every test of a chain needs a first letter",
        "def sort(patterns):\n    kept, out = [], []\n    for p in patterns:\n        if p[0] == '!':\n            out.append(p)\n"
        "        elif p[0] == '&':\n            kept.append(p[1:])\n        elif p:\n            kept.append(p)\n    return kept, out\n",
        "import app\nassert app.sort(['a', '', '!b', '&c']) == (['a', 'c'], ['!b'])",
        operator="test",
    ),
    program(
        "a part that cannot be given, of a whole that is returned",
        "def describe(shots, now):\n    found = [one for one in shots if one['id'] == now]\n    result = {'count': len(shots)}\n"
        "    result['now'] = found[0]['name']\n    return result\n",
        "import app\nassert app.describe([], 3) == {'count': 0}\n"
        "assert app.describe([{'id': 3, 'name': 'a'}], 3) == {'count': 1, 'now': 'a'}",
        operator="guard-use",
    ),
    program(
        "a request without an address is logged",
        "LINES = []\n\n\ndef log(request):\n    extra = {'status': 200}\n    extra['host'] = '{}:{}'.format(request.ip[0], request.ip[1])\n"
        "    LINES.append(extra)\n",
        "import app\nclass R:\n    ip = None\napp.log(R)\nR.ip = ('a', 1)\napp.log(R)\n"
        "assert app.LINES == [{'status': 200}, {'status': 200, 'host': 'a:1'}]",
        operator="guard-use",
    ),
    program(
        "elements used as places",
        "def total(items):\n    sum_ = 0\n    for item in items:\n        sum_ += items[item]['price']\n    return sum_\n",
        "import app\nassert app.total([{'price': 2}, {'price': 3}]) == 5",
        operator="element",
    ),
    program(
        "half a list",
        "def middle(values):\n    mid = len(values) / 2\n    return values[mid]\n",
        "import app\nassert app.middle([1, 2, 3]) == 2",
        operator="floor-division",
    ),
    program(
        "a place as text",
        "def pick(options, answer):\n    return options[answer]\n",
        "import app\nassert app.pick(['a', 'b'], '1') == 'b'",
        operator="int",
    ),
    program(
        "a grid",
        "def cell(grid, x, y):\n    return grid[y, x]\n",
        "import app\nassert app.cell([[1, 2], [3, 4]], 1, 0) == 2",
    ),
    program(
        "a list where a dict was",
        "def name(reply):\n    return reply['name'].title()\n",
        "import app\nassert app.name([{'name': 'ada'}]) == 'Ada'\nassert app.name({'name': 'ada'}) == 'Ada'",
    ),
    program(
        "the bare list",
        "def ids(reply):\n    found = []\n    for item in reply['items']:\n        found.append(item['id'])\n    return found\n",
        "import app\nassert app.ids([{'id': 1}]) == [1]\nassert app.ids({'items': [{'id': 2}]}) == [2]",
        operator="either-shape",
    ),
    program(
        "names of a list",
        "def user_names(users):\n    return users['name']\n",
        "import app\nassert app.user_names([{'name': 'a'}, {'name': 'b'}]) == ['a', 'b']",
    ),
    program(
        "the keys of a dict",
        "def names(users):\n    return [user['name'] for user in users]\n",
        "import app\nassert app.names({'1': {'name': 'a'}}) == ['a']\nassert app.names([{'name': 'b'}]) == ['b']",
        operator="values",
    ),
    program(
        "the keys of a dict, in a loop",
        "def report(stock):\n    lines = []\n    for item in stock:\n        lines.append(f\"{item['n']}\")\n    return lines\n",
        "import app\nassert app.report({'a': {'n': 1}}) == ['1']",
    ),
    program(
        "JSON that was never parsed",
        "from pathlib import Path\n\n\ndef title(path):\n    data = Path(path).read_text()\n    return data['title']\n",
        "import app\nopen('a.json', 'w').write('{\"title\": \"T\"}')\nassert app.title('a.json') == 'T'",
        operator="parse-json",
    ),
    program(
        "JSON as an argument",
        "def title(payload):\n    return payload['title']\n",
        "import app\nassert app.title('{\"title\": \"T\"}') == 'T'\nassert app.title({'title': 'T'}) == 'T'",
    ),
    program(
        "text among dicts",
        "def tags(items):\n    found = []\n    for item in items:\n        found.append(item['tag'])\n    return found\n",
        "import app\nassert app.tags(['a', {'tag': 'b'}]) == ['a', 'b']",
        operator="either-shape",
        files={
            "test_app.py": "import app\n\n\ndef test_tags():\n    assert app.tags(['a', {'tag': 'b'}]) == ['a', 'b']\n"
        },
    ),
    program(
        "a call with brackets",
        "def first(data):\n    return data.get['a']\n",
        "import app\nassert app.first({'a': 1}) == 1",
        operator="call",
    ),
    program(
        "keys have no places",
        "def first(data):\n    return data.keys()[0]\n",
        "import app\nassert app.first({'a': 1}) == 'a'",
        operator="list",
    ),
    program(
        "a map has no places",
        "def first(names):\n    upper = map(str.upper, names)\n    return upper[0] + upper[1]\n",
        "import app\nassert app.first(['a', 'b']) == 'AB'",
        operator="list",
    ),
    program(
        "a number or a pair",
        "def width(size):\n    return size[0]\n",
        "import app\nassert app.width(5) == 5\nassert app.width((4, 3)) == 4",
    ),
    program(
        "None from a get",
        "def city(user):\n    address = user.get('address')\n    return address['city']\n",
        "import app\nassert app.city({}) is None\nassert app.city({'address': {'city': 'X'}}) == 'X'",
        operator="guard-producer",
    ),
    program(
        "None from a database",
        "def count(db):\n    return db.execute('select 1 where 0').fetchone()[0]\n",
        "import app, sqlite3\nassert app.count(sqlite3.connect(':memory:')) is None",
    ),
    program(
        "None is looped over",
        "def names(data):\n    return [one['n'] for one in data.get('rows')]\n",
        "import app\nassert app.names({}) == []",
        operator="or-empty",
    ),
    program(
        "an object read as a dict",
        "import dataclasses\n\n\n@dataclasses.dataclass\nclass User:\n    name: str\n    mail: str\n\n\ndef label(user):\n    return user['name'] + user['mail']\n",
        "import app\nassert app.label(app.User('a', 'b')) == 'ab'",
        operator="attribute",
    ),
    program(
        "a price that is missing",
        "def total(items):\n    return sum(item['price'] * item['n'] for item in items)\n",
        "import app\nassert app.total([{'price': 2, 'n': 2}, {'n': 1}]) == 4",
        operator="get",
    ),
    program(
        "tags that are missing",
        "def tags(photos):\n    found = set()\n    for photo in photos:\n        for tag in photo['tags']:\n            found.add(tag)\n    return found\n",
        "import app\nassert app.tags([{}, {'tags': ['a']}]) == {'a'}",
        operator="get",
    ),
    program(
        "counting",
        "def count(words):\n    counts = {}\n    for word in words:\n        counts[word] += 1\n    return counts\n",
        "import app\nassert app.count(['a', 'a']) == {'a': 2}",
    ),
    program(
        "grouping",
        "def group(rows):\n    groups = {}\n    for key, value in rows:\n        groups[key].append(value)\n    return groups\n",
        "import app\nassert app.group([('a', 1), ('a', 2)]) == {'a': [1, 2]}",
        operator="setdefault",
    ),
    program(
        "nested data",
        "def lens(data):\n    return data['exif']['lens']\n",
        "import app\nassert app.lens({}) is None\nassert app.lens({'exif': {}}) is None\nassert app.lens({'exif': {'lens': 1}}) == 1",
    ),
    program(
        "rows without the key are passed over",
        "def mails(users):\n    found = []\n    for user in users:\n        mail = user['mail']\n        found.append(mail.lower())\n    return found\n",
        "import app\nassert app.mails([{}, {'mail': 'A'}]) == ['a']",
    ),
    program(
        "an optional field of a record",
        "def record(row):\n    return {'id': row['id'], 'note': row['note']}\n",
        "import app\nassert app.record({'id': 1}) == {'id': 1, 'note': None}",
        operator="get",
    ),
    program(
        "results without elements",
        "def first_title(data):\n    return data['results'][0]['title']\n",
        "import app\nassert app.first_title({'results': []}) is None\nassert app.first_title({'results': [{'title': 1}]}) == 1",
    ),
    program(
        "too few columns",
        "def parse(lines):\n    rows = {}\n    for line in lines:\n        parts = line.split(',')\n        rows[parts[0]] = parts[1]\n    return rows\n",
        "import app\nassert app.parse(['a,1', '', 'b,2']) == {'a': '1', 'b': '2'}",
    ),
    program(
        "a test of what may be missing",
        "def adults(people):\n    return [p['name'] for p in people if p['age'] >= 18]\n",
        "import app\nassert app.adults([{'name': 'a'}, {'name': 'b', 'age': 20}]) == ['b']",
    ),
    program(
        "a coroutine",
        "import asyncio\n\n\nasync def load():\n    return {'a': 1}\n\n\nasync def read():\n    data = load()\n    return data['a']\n",
        "import app, asyncio\nassert asyncio.run(app.read()) == 1",
        operator="await",
    ),
]

_KEY = 'Traceback (most recent call last):\n  File "{root}/app.py", line %d, in f\n    %s\n%s\n'

LOOKALIKES = [
    *uses.TYPE_MISMATCH_LOOKALIKES,
    *calls.TYPE_MISMATCH_LOOKALIKES,
    *next_uses.TYPE_MISMATCH_LOOKALIKES,
    *meant.TYPE_MISMATCH_LOOKALIKES,
    *TYPE_MISMATCH_LOOKALIKES,
    spared("required settings", "import os\n\n\ndef f():\n    return os.environ['NO_SUCH_SETTING_HERE']\n\n\nf()\n"),
    spared("a registry", "REGISTRY = {'a': 1}\n\n\ndef f(name):\n    return REGISTRY[name]\n\n\nf('b')\n"),
    spared(
        "handlers",
        "class A:\n    def __init__(self):\n        self.handlers = {}\n\n    def f(self, name):\n        return self.handlers[name]()\n\n\nA().f('b')\n",
    ),
    spared("a table of functions", "table = {'a': print}\n\n\ndef f(name):\n    return table[name]()\n\n\nf('b')\n"),
    spared(
        "an enumeration",
        "import enum\n\n\nclass Color(enum.Enum):\n    RED = 1\n\n\ndef f(name):\n    return Color[name]\n\n\nf('BLUE')\n",
    ),
    spared(
        "how Python asks",
        "class D:\n    def __init__(self):\n        self.data = {}\n\n    def __getitem__(self, key):\n        return self.data[key]\n\n\nD()['x']\n",
    ),
    spared(
        "how Python asks for what is missing",
        "class D(dict):\n    def __missing__(self, key):\n        raise KeyError(key)\n\n\nD()['x']\n",
    ),
    spared("raised", "def f(data):\n    if 'a' not in data:\n        raise KeyError('a')\n\n\nf({})\n"),
    spared(
        "raised from another",
        "def f(data):\n    try:\n        return data['a']\n    except KeyError as error:\n        raise KeyError('no a in the data') from error\n\n\nf({})\n",
    ),
    spared(
        "caught",
        "import traceback\n\n\ndef f(data):\n    try:\n        return data['a']\n    except KeyError:\n        traceback.print_exc()\n\n\nf({})\n",
    ),
    spared(
        "look-up errors caught",
        "import traceback\n\n\ndef f(data):\n    try:\n        return data['a'][0]\n    except LookupError:\n        traceback.print_exc()\n\n\nf({})\n",
    ),
    spared(
        "caught by the caller",
        "import traceback\n\n\ndef f(data):\n    return data['a']\n\n\ndef g():\n    try:\n        f({})\n    except KeyError:\n        traceback.print_exc()\n\n\ng()\n",
    ),
    spared("documented", 'def f(data):\n    """Raises KeyError without a."""\n    return data["a"]\n\n\nf({})\n'),
    spared("a comment says so", "def f(data):\n    # required field\n    return data['a']\n\n\nf({})\n"),
    spared("a password", "def f(data):\n    return data['password']\n\n\nf({})\n"),
    spared("a token in settings", "def f(config):\n    return config['api_key']\n\n\nf({})\n"),
    spared("an address in settings", "def f(settings):\n    return settings['database']\n\n\nf({})\n"),
    spared("required arguments", "def f(**kwargs):\n    return kwargs['size']\n\n\nf()\n"),
    spared(
        "a test expects it",
        "def f(data):\n    return data['a']\n",
        run="import app\napp.f({})",
        files={
            "test_app.py": "import pytest, app\n\n\ndef test_it():\n    with pytest.raises(KeyError):\n        app.f({})\n"
        },
    ),
    spared(
        "looked for since",
        "def f(data):\n    if 'a' in data:\n        return data['a']\n    return 0\n",
        log=_KEY % (3, "return data['a']", "KeyError: 'a'"),
    ),
    spared(
        "left early since",
        "def f(data):\n    if 'a' not in data:\n        return 0\n    return data['a']\n",
        log=_KEY % (4, "return data['a']", "KeyError: 'a'"),
    ),
    spared(
        "read by get since",
        "def f(data):\n    return data.get('a')\n",
        log=_KEY % (2, "return data['a']", "KeyError: 'a'"),
    ),
    spared("the command line", "import sys\n\n\ndef f():\n    return sys.argv[9]\n\n\nf()\n"),
    spared(
        "an index that is worked out",
        "def f(values):\n    return [values[i + 1] for i in range(len(values))]\n\n\nf([1])\n",
    ),
    spared("a stack", "def peek(stack):\n    return stack[-1]\n\n\npeek([])\n"),
    spared(
        "a checked length",
        "def f(values):\n    if not values:\n        return None\n    return values[0]\n",
        log=_KEY % (4, "return values[0]", "IndexError: list index out of range"),
    ),
    spared(
        "index errors are meant",
        "def f(values):\n    with __import__('pytest').raises(IndexError):\n        return values[0]\n",
        log=_KEY % (3, "return values[0]", "IndexError: list index out of range"),
    ),
    spared(
        "None is checked",
        "def f(user):\n    if user is None:\n        return None\n    return user['a']\n",
        log=_KEY % (4, "return user['a']", "TypeError: 'NoneType' object is not subscriptable"),
    ),
    spared(
        "types are asked for",
        "def f(x):\n    return x['a'] if isinstance(x, dict) else x\n",
        log=_KEY
        % (2, "return x['a'] if isinstance(x, dict) else x", "TypeError: string indices must be integers, not 'str'"),
    ),
    spared(
        "type errors caught",
        "import traceback\n\n\ndef f(x):\n    try:\n        return x['a']\n    except TypeError:\n        traceback.print_exc()\n\n\nf(3)\n",
    ),
    spared(
        "a type is no list",
        "def f():\n    return type[0]\n",
        log=_KEY % (2, "return type[0]", "TypeError: 'ABCMeta' object is not subscriptable"),
    ),
    spared("validation", "def validate(form):\n    return form['mail']\n\n\nvalidate({})\n"),
    spared("a strict look-up", "def require(data, key):\n    return data[key]\n\n\nrequire({}, 'a')\n"),
    spared("format has no such field", "def f():\n    return '{a}'.format(b=1)\n\n\nf()\n"),
    spared("an index that was None", "def f(values, at):\n    return values[at]\n\n\nf([1], None)\n"),
    spared(
        "nothing was returned",
        "def load():\n    x = 1\n    print(x)\n\n\ndef f():\n    data = load()\n    return data['a']\n\n\nf()\n",
    ),
    spared("deleted", "def f(data):\n    del data['a']\n\n\nf({})\n"),
    spared("a table of codes", "CODES = {'a': 1}\n\n\ndef code(x):\n    return CODES[x]\n\n\ncode('b')\n"),
    spared(
        "what a person sent",
        "def view(request):\n    return request.form['mail']\n\n\nview(type('R', (), {'form': {}}))\n",
    ),
]
