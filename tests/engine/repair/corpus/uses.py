# ruff: noqa: E501
"""Programs that fail in what is done with a value of the wrong type, beside how it is read; and their look-alikes."""

from tests.engine.repair.corpus.program import program, spared

TYPE_MISMATCH = [
    program(
        "a statement of several lines, of which the first is named",
        "def card(photo):\n    found = dict(\n        name=photo['name'],\n        age=int(photo.get('age')),\n    )\n    return found\n",
        "import app\nassert app.card({'name': 'a', 'age': '3'})['age'] == 3\nassert app.card({'name': 'a'}) == {'name': 'a', 'age': None}",
        run="import app\napp.card({'name': 'a'})",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 2, in card\n    found = dict(\n'
        "TypeError: int() argument must be a string, a bytes-like object or a number, not 'NoneType'\n",
    ),
    program(
        "a moment that has not come yet",
        "import datetime\n\n\ndef is_over(end):\n    if end < datetime.datetime(2020, 1, 1):\n        return 'over'\n    return 'on'\n",
        "import app, datetime\nassert app.is_over(datetime.datetime(2019, 1, 1)) == 'over'\nassert app.is_over(None) == 'on'",
        operator="test",
    ),
    program(
        "text where an answer's dict is usual",
        "def ask(client):\n    answer = client.ask()\n    name = answer['name']\n    return ['got', name]\n",
        "import app\nfrom types import SimpleNamespace as N\nassert app.ask(N(ask=lambda: {'name': 1})) == ['got', 1]\nassert app.ask(N(ask=lambda: 'error')) in (None, ['got', None])",
    ),
    program(
        "None in a sum that is returned",
        "def end(start, length=None):\n    return start + length\n",
        "import app\nassert app.end(1, 2) == 3\nassert app.end(1) is None",
        applicability="review",
    ),
    program(
        "None in an order, in a condition",
        "def is_new(photo):\n    if photo.get('age') < 3:\n        return True\n    return 'old'\n",
        "import app\nassert app.is_new({'age': 1}) is True\nassert app.is_new({}) == 'old'",
        operator="test",
    ),
    program(
        "a limit that is None, and needed behind the condition",
        "class Clock:\n    def __init__(self, limit):\n        self.limit = limit\n\n    def start(self, seen):\n        if self.limit <= 0:\n            return\n        seen.append(self.limit)\n",
        "import app\nseen = []\napp.Clock(None).start(seen)\napp.Clock(0).start(seen)\napp.Clock(2).start(seen)\nassert seen == [2]",
        after={
            "app.py": "class Clock:\n    def __init__(self, limit):\n        self.limit = limit\n\n    def start(self, seen):\n        if self.limit is None or self.limit <= 0:\n            return\n        seen.append(self.limit)\n"
        },
    ),
    program(
        "a total that is None before anything is added",
        "class Count:\n    total = None\n\n    def add(self, n):\n        self.total += n\n",
        "import app\none = app.Count()\none.add(2)\none.add(3)\nassert one.total == 5",
        operator="or-empty",
    ),
    program(
        "an amount that is None",
        "def total(rows):\n    found = 0\n    for row in rows:\n        found += row['n']\n    return found\n",
        "import app\nassert app.total([{'n': 1}, {'n': None}, {'n': 2}]) == 3",
    ),
    program(
        "None beside text",
        "def title(photo, suffix=None):\n    return 'Photo: ' + photo + suffix\n",
        "import app\nassert app.title('a', '!') == 'Photo: a!'\nassert app.title('a') == 'Photo: a'",
        after={"app.py": "def title(photo, suffix=None):\n    return 'Photo: ' + photo + (suffix or \"\")\n"},
    ),
    program(
        "a number beside text",
        "def label(n):\n    return 'photo ' + n\n",
        "import app\nassert app.label(3) == 'photo 3'",
        operator="text",
    ),
    program(
        "a number that came as text",
        "def shifted(rows):\n    return [row['x'] + 1 for row in rows]\n",
        "import app\nassert app.shifted([{'x': '2'}]) == [3]",
        operator="number",
    ),
    program(
        "text that is compared with a number",
        "def is_large(row):\n    return row['width'] > 100\n",
        "import app\nassert app.is_large({'width': '200'})\nassert not app.is_large({'width': '50'})",
        operator="number",
    ),
    program(
        "bytes beside text",
        "def line(raw):\n    return 'got ' + raw\n",
        "import app\nassert app.line(b'a') == 'got a'",
        operator="decode",
    ),
    program(
        "a list and what is none",
        "def names(first, more):\n    return first + more.keys()\n",
        "import app\nassert app.names(['a'], {'b': 1}) == ['a', 'b']",
        operator="list",
    ),
    program(
        "int of nothing",
        "def year(data):\n    return int(data.get('year'))\n",
        "import app\nassert app.year({'year': '3'}) == 3\nassert app.year({}) is None",
    ),
    program(
        "a path of which a part is nothing",
        "import os\n\n\ndef place(root, photo):\n    folder = photo.get('folder')\n    return os.path.join(root, folder)\n",
        "import app\nassert app.place('a', {'folder': 'b'}) == 'a/b'\nassert app.place('a', {}) is None",
    ),
    program(
        "a try that is ready for other errors",
        "def page(text):\n    number = None\n    try:\n        number = int(text)\n    except ValueError:\n        pass\n    return ['page', number]\n",
        "import app\nassert app.page('3') == ['page', 3]\nassert app.page('x') == ['page', None]\nassert app.page(None) == ['page', None]",
        operator="handler",
        after={
            "app.py": "def page(text):\n    number = None\n    try:\n        number = int(text)\n    except (ValueError, TypeError):\n        pass\n    return ['page', number]\n"
        },
    ),
    program(
        "numbers that are joined",
        "def line(values):\n    return ', '.join(values)\n",
        "import app\nassert app.line([1, 2]) == '1, 2'",
        operator="text",
    ),
    program(
        "names that are joined, and one that is None",
        "def line(people):\n    return ', '.join([one['name'] for one in people])\n",
        "import app\nassert app.line([{'name': 'a'}, {'name': None}]) == 'a'",
        operator="filter",
    ),
    program(
        "of several that are joined the one told by its place",
        "def head(title, day, words):\n    return '|'.join((title, ','.join(words), day))\n",
        "import app\nassert app.head('a', None, ['b']) == 'a|b|'",
        operator="text",
    ),
    program(
        "one thing where several are usual",
        "def sizes(values):\n    found = []\n    for one in values:\n        found.append(one * 2)\n    return found\n",
        "import app\nassert app.sizes([1, 2]) == [2, 4]\nassert app.sizes(3) == [6]",
        operator="either-shape",
    ),
    program(
        "the length of what can be gone through once",
        "def count(names):\n    found = filter(None, names)\n    return len(found)\n",
        "import app\nassert app.count(['a', '']) == 1",
        operator="list",
    ),
    program(
        "a list as a key",
        "def known(table, box):\n    return table.get(box)\n",
        "import app\nassert app.known({(1, 2): 'a'}, [1, 2]) == 'a'",
        operator="tuple",
    ),
    program(
        "a number in which something is looked for",
        "def has_dot(value):\n    if '.' in value:\n        return True\n    return False\n",
        "import app\nassert app.has_dot('a.b')\nassert not app.has_dot(3)",
        operator="test",
    ),
    program(
        "half of something many times",
        "def half(values):\n    return [0 for _ in range(len(values) / 2)]\n",
        "import app\nassert app.half([1, 2, 3]) == [0]",
        operator="floor-division",
    ),
    program(
        "a place behind the end",
        "def column(header, at):\n    if at < 0 or not header[at].strip():\n        return 'none'\n    return header[at]\n",
        "import app\nassert app.column(['a'], 0) == 'a'\nassert app.column(['a'], -1) == 'none'\nassert app.column(['a'], 3) == 'none'",
        operator="test",
    ),
    program(
        "a check that lets the end pass",
        "def pick(items, at):\n    if at <= len(items):\n        return items[at]\n    return None\n",
        "import app\nassert app.pick([1], 0) == 1\nassert app.pick([1], 1) is None",
        operator="stronger-check",
    ),
    program(
        "a part that is stored behind the end",
        "def shorten(line):\n    parts = line.split(',')\n    parts[3] = '...'\n    return parts\n",
        "import app\nassert app.shorten('a,b,c,d')[3] == '...'\nassert app.shorten('a') == ['a']",
        operator="guard-use",
    ),
    program(
        "a key that is put together",
        "def of_day(table, day):\n    return table[f'day-{day}']\n",
        "import app\nassert app.of_day({'day-1': 2}, 1) == 2\nassert app.of_day({}, 1) is None",
    ),
    program(
        "a task that is gone already",
        "class Tasks:\n    def __init__(self):\n        self.running = {}\n\n    def done(self, name):\n        del self.running[name]\n",
        "import app\none = app.Tasks()\none.running['a'] = 1\none.done('a')\none.done('a')\nassert one.running == {}",
        operator="pop",
    ),
    program(
        "a key that is read again behind",
        "def add(data, kind, one):\n    at = index(one, data[kind])\n    if at is None:\n        data[kind].append(one)\n\n\ndef index(one, values):\n    return values.index(one) if one in values else None\n",
        "import app\ndata = {}\napp.add(data, 'photos', 1)\napp.add(data, 'photos', 1)\nassert data == {'photos': [1]}",
    ),
    program(
        "two keys, one instead of the other",
        "def name(photo):\n    title = photo['title'] or photo['name'] or '?'\n    return title\n",
        "import app\nassert app.name({'title': 'a', 'name': 'b'}) == 'a'\nassert app.name({}) == '?'",
        after={
            "app.py": "def name(photo):\n    title = photo.get('title') or photo.get('name') or '?'\n    return title\n"
        },
    ),
    program(
        "where a person's files are",
        "import os\n\n\ndef is_plain():\n    return os.environ['TERM'] == 'dumb'\n",
        "import app, os\nos.environ.pop('TERM', None)\nassert not app.is_plain()\nos.environ['TERM'] = 'dumb'\nassert app.is_plain()",
    ),
    program(
        "something that was not given to be called",
        "def each(values, on_done=None):\n    for one in values:\n        on_done(one)\n    return len(values)\n",
        "import app\nseen = []\nassert app.each([1], seen.append) == 1 and seen == [1]\nassert app.each([1, 2]) == 2",
    ),
    program(
        "the best of none",
        "def best(faces):\n    found = None\n    for one in faces:\n        if one['score'] > found['score']:\n            found = one\n    return found\n",
        "import app\nassert app.best([{'score': 1}, {'score': 3}, {'score': 2}]) == {'score': 3}",
        after={
            "app.py": "def best(faces):\n    found = None\n    for one in faces:\n        if found is None or one['score'] > found['score']:\n            found = one\n    return found\n"
        },
    ),
]

TYPE_MISMATCH_LOOKALIKES = [
    spared(
        "a sum that is caught",
        "def f(a):\n    try:\n        return a + 1\n    except TypeError:\n        raise\n\n\nf(None)\n",
    ),
    spared(
        "a sum that is checked since",
        "def f(a):\n    if a is None:\n        return 0\n    return a + 1\n",
        log=(
            'Traceback (most recent call last):\n  File "{root}/app.py", line 4, in f\n    return a + 1\n'
            "TypeError: unsupported operand type(s) for +: 'NoneType' and 'int'\n"
        ),
        run="",
    ),
    spared("two kinds that do not add up", "def f(a, b):\n    return a + b\n\n\nf({}, [])\n"),
    spared("a function that adds what it is given", "def f(a):\n    # must be given\n    return a + 1\n\n\nf(None)\n"),
    spared("a number that is called", "def f(x):\n    return x(3)\n\n\nf(3)\n"),
    spared("a dict as a key", "def f(table, key):\n    return table[key]\n\n\nf({}, {})\n"),
    spared("an object that has no elements", "class A:\n    pass\n\n\ndef f(x):\n    return list(x)\n\n\nf(A())\n"),
    spared(
        "int says what is wrong",
        'def f(text):\n    """A number. Raises TypeError for anything but text."""\n    return int(text)\n\n\nf(None)\n',
    ),
    spared(
        "a try that hands on",
        "import traceback\n\n\ndef f(x):\n    try:\n        return int(x)\n    except TypeError:\n        traceback.print_exc()\n\n\nf(None)\n",
    ),
]

ATTRIBUTE = [
    program(
        "set in one branch of the making",
        "class Player:\n    def __init__(self, path=None):\n        if path:\n            self.track = path\n        self.on = True\n\n    def title(self):\n        return self.track or 'nothing'\n",
        "import app\nassert app.Player('a').title() == 'a'\nassert app.Player().title() == 'nothing'",
        operator="initialise",
    ),
    program(
        "a part that every object is to have",
        "class Shown:\n    def __init__(self, photo):\n        self.name = photo.name\n        self.seen = False\n\n    def title(self):\n        return self.name or 'none'\n",
        "import app\nfrom types import SimpleNamespace as N\nassert app.Shown(N(name='a')).title() == 'a'\nassert app.Shown(None).title() == 'none'",
        operator="conditional",
    ),
    program(
        "a member that says more exactly what it is",
        "class Ref:\n    def __init__(self, name):\n        self.shortname = name\n        self.kind = 'tag'\n\n\ndef label(ref):\n    return 'at ' + ref.name\n",
        "import app\nassert app.label(app.Ref('a')) == 'at a'",
        operator="rename",
    ),
    program(
        "a list where a dict is usual",
        "def names(data):\n    found = []\n    for key, value in data.items():\n        found.append(key)\n    return found\n",
        "import app\nassert app.names({'a': 1}) == ['a']\nassert app.names([1]) in ([], None)",
        applicability="review",
    ),
    program(
        "text where a dict is usual",
        "def kind(answer):\n    if answer.get('error'):\n        return 'bad'\n    return 'good'\n",
        "import app\nassert app.kind({'error': 1}) == 'bad'\nassert app.kind('x') == 'good'",
        operator="test",
    ),
    program(
        "a number where text is usual",
        "def clean(value):\n    return value.strip()\n",
        "import app\nassert app.clean(' a ') == 'a'\nassert app.clean(3) == '3'",
        operator="text",
    ),
    program(
        "a plain number where an array is usual",
        "class Loss:\n    def item(self):\n        return 2.0\n\n\ndef total(losses):\n    return sum(one.item() for one in losses)\n",
        "import app\nassert app.total([app.Loss(), 1.5]) == 3.5",
        operator="already-plain",
    ),
    program(
        "keys that are put in order",
        "def ordered(table):\n    keys = table.keys()\n    keys.sort()\n    return keys\n",
        "import app\nassert app.ordered({'b': 1, 'a': 2}) == ['a', 'b']",
        operator="list",
    ),
    program(
        "an order by what some have not",
        "def ordered(people):\n    return sorted(people, key=lambda one: one.friend.name)\n",
        "import app\nfrom types import SimpleNamespace as N\na, b = N(friend=N(name='x')), N(friend=None)\nassert app.ordered([a, b]) == [b, a]",
    ),
    program(
        "frozen or not",
        "import sys\n\n\ndef where():\n    if sys.frozen:\n        return 'bundle'\n    return 'source'\n",
        "import app\nassert app.where() == 'source'",
        operator="getattr",
    ),
]

ATTRIBUTE_LOOKALIKES = [
    spared(
        "the type is asked for",
        "def f(x):\n    if isinstance(x, dict):\n        return x.items()\n    return x\n",
        run="",
        log=(
            'Traceback (most recent call last):\n  File "{root}/app.py", line 3, in f\n    return x.items()\n'
            "AttributeError: 'list' object has no attribute 'items'\n"
        ),
    ),
    spared("a method that no list has", "def f(x):\n    return x.frobnicate()\n\n\nf([1])\n"),
    spared("text is wanted on purpose", "def f(x):\n    # on purpose: only text\n    return x.strip()\n\n\nf(3)\n"),
]

ZERO_DIVISION = [
    program(
        "a share in a comprehension's own condition",
        "def large(rows):\n    return [row for row in rows if row['a'] / row['b'] > 2]\n",
        "import app\nassert app.large([{'a': 6, 'b': 2}, {'a': 1, 'b': 0}]) == [{'a': 6, 'b': 2}]",
    ),
    program(
        "two means of the same list",
        "def report(trades):\n    count = len(trades)\n    spans = [one['end'] - one['start'] for one in trades]\n    stake = sum(one['stake'] for one in trades) / count\n    span = sum(spans) / len(spans)\n    return stake, span\n",
        "import app\nassert app.report([]) == (0.0, 0.0)\nassert app.report([{'start': 1, 'end': 3, 'stake': 5}]) == (5.0, 2.0)",
    ),
]

MISSING_FILE = [
    program(
        "a search of its own that finds nothing",
        "def _open(name):\n    with open('lib/' + name) as file:\n        return file.read()\n\n\ndef libraries(names):\n    found = []\n    for name in names:\n        text = _open(name)\n        found.append(text)\n    return found\n",
        "import app, pathlib\npathlib.Path('lib').mkdir()\npathlib.Path('lib/a').write_text('x')\nassert app.libraries(['b', 'a']) == ['x']",
        operator="skip",
    ),
    program(
        "a file in a comprehension's own condition",
        "import os\n\n\ndef large(paths):\n    return [path for path in paths if os.path.getsize(path) > 2]\n",
        "import app, pathlib\npathlib.Path('a').write_text('abcd')\nassert app.large(['a', 'nope']) == ['a']",
        operator="skip",
    ),
    program(
        "a file that is to be renamed",
        "import os\n\n\ndef move(names):\n    done = 0\n    for name in names:\n        os.rename(name, 'kept')\n        done += 1\n    return done\n",
        "import app, pathlib\npathlib.Path('a').write_text('x')\nassert app.move(['nope', 'a']) == 1",
    ),
    program(
        "a try that is ready for other errors",
        "import json\n\n\ndef read(path):\n    try:\n        with open(path) as file:\n            return json.load(file)\n    except ValueError:\n        return {}\n",
        "import app\nassert app.read('nope.json') == {}",
        operator="handler",
    ),
]
