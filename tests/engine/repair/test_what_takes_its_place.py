# ruff: noqa: E501
"""What takes the place of what is not there: a value that all that reads it can use, else an error that says so.

Told from text alone, in the function, in what calls it, and in other files.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Proposal
from tests.engine.repair.telling import after, told
from tests.engine.repair.test_next_needs import proposed

NO_TEXT = "AttributeError: 'NoneType' object has no attribute 'text'"
NO_NAME = "AttributeError: 'NoneType' object has no attribute 'name'"
NO_WIDTH = "AttributeError: 'NoneType' object has no attribute 'width'"
SHORT = "IndexError: list index out of range"
NO_GET = "AttributeError: 'tuple' object has no attribute 'get'"
PRICE = "def price(soup):\n    tag = soup.find('b')\n    return float(tag.text)\n"
MENDED = [
    (
        f"{PRICE}\n\ndef best(soups):\n    return min(price(one) for one in soups)\n",
        3,
        NO_TEXT,
        "    if tag is None:\n        raise ValueError('tag is missing')\n",
    ),
    (
        "def area(shape):\n    box = shape.box()\n    return box.width * 2\n\n\ndef total(shapes):\n    return sum(area(one) for one in shapes)\n",
        3,
        NO_WIDTH,
        "    if box is None:\n        return 0\n",
    ),
    (
        "class P:\n    def title(self):\n        return self.track.name\n\n    def show(self):\n        print(self.title().upper())\n",
        3,
        NO_NAME,
        'return self.track.name if self.track is not None else ""\n',
    ),
    (
        'class F:\n    def extract(self, whole):\n        """The part of a sequence."""\n        return self.place.extract(whole)\n',
        4,
        "AttributeError: 'NoneType' object has no attribute 'extract'",
        '        if self.place is None:\n            raise ValueError("self.place is missing")\n        return self.place',
    ),
    (
        "def read(title, more):\n    id = title.split()[0]\n    name = id\n    return Record(id, name, more)\n",
        2,
        SHORT,
        'id = parts[0] if (parts := title.split()) else ""',
    ),
    (
        "def pick(lengths, out):\n    for i in range(3):\n        length = next((one for one in lengths if one == i), None)\n        if length is None:\n            length = lengths[0]\n        out[i] = length\n    return out\n",
        5,
        SHORT,
        "length = lengths[0] if lengths else 0",
    ),
    (
        "def rows(people, counts):\n    out = []\n    for id_, one in people.items():\n        out.append({'name': one, 'count': counts[id_]})\n    return out\n",
        4,
        "KeyError: 11895",
        "counts.get(id_, 0)",
    ),
    (
        "class B:\n    def __init__(self, old):\n        self.size = old.size\n        self.flipped = old.flipped\n\n    def run(self, x):\n        if self.flipped:\n            return -x\n        return x\n",
        4,
        "AttributeError: 'Old' object has no attribute 'flipped'",
        'self.flipped = getattr(old, "flipped", False)',
    ),
    (
        "def call(layer, *args):\n    return run(layer.__self__, *args)\n",
        2,
        "AttributeError: 'functools.partial' object has no attribute '__self__'",
        'getattr(layer, "func", layer).__self__',
    ),
    (
        "def plot(X=None, Y=None):\n    if X is not None:\n        a = X.get('axis')\n    if Y is not None:\n        b = Y.get('axis')\n    return draw(a, b)\n",
        3,
        NO_GET,
        "        if isinstance(Y, tuple):\n            Y = Y[0]\n        b = Y.get",
    ),
    (
        "class C:\n    def __init__(self, settings):\n        self.host = settings['host']\n        if self.host == '0.0.0.0':\n            self.host = '127.0.0.1'\n        elif ':' in self.host:\n            self.host = '::1'\n",
        6,
        "TypeError: argument of type 'NoneType' is not iterable",
        "if self.host is None or self.host == '0.0.0.0':",
    ),
    (
        "def page(doc):\n    title = doc.title\n    author = doc.author.name\n    return f'{title}, by {author}'\n",
        3,
        NO_NAME,
        'author = doc.author.name if doc.author is not None else ""',
    ),
    (
        "def people(rows):\n    return [{'name': row['name'].strip(), 'city': row['city'].strip().title()} for row in rows]\n",
        2,
        "AttributeError: 'NoneType' object has no attribute 'strip'",
        "'city': (row['city'] or '').strip().title()",
    ),
    (
        "import argparse\n\n\ndef main():\n    parser = argparse.ArgumentParser()\n    parser.add_argument('--out')\n    args = parser.parse_args()\n    name = args.out.rstrip('/')\n    with open(name, 'w') as f:\n        f.write('done')\n",
        8,
        "AttributeError: 'NoneType' object has no attribute 'rstrip'",
        "    if args.out is None:\n        parser.error('--out is missing')\n",
    ),
    (
        "def report(run):\n    acc = run['metrics']['acc']\n    return f'accuracy {acc:.1%}'\n",
        2,
        "KeyError: 'acc'",
        "if 'acc' in run['metrics'] else float('nan')",
    ),
    (
        "def report(run):\n    return f'loss {run[\"loss\"]:.3f}'\n",
        2,
        "KeyError: 'loss'",
        'run.get("loss", float("nan")):.3f}',
    ),
    (
        "class T:\n    def __init__(self, cfg):\n        self.lr = cfg['lr']\n        self.warmup = cfg['warmup']\n\n    def rate(self, step):\n        return self.lr if step > self.warmup else 0.1\n",
        4,
        "KeyError: 'warmup'",
        "self.warmup = cfg['warmup'] if 'warmup' in cfg else 0\n",
    ),
    (
        "def resize(image, size=None):\n    return image.resize((size[0], size[1]))\n",
        2,
        "TypeError: 'NoneType' object is not subscriptable",
        "    if size is None:\n        return image\n",
    ),
    (
        "def pad(batch, length=None):\n    out = []\n    for one in batch:\n        out.append(one + [0] * (length - len(one)))\n    return out\n",
        4,
        "TypeError: unsupported operand type(s) for -: 'NoneType' and 'int'",
        "(length - len(one) if length is not None else 0)",
    ),
    (
        "def load(path, model):\n    state = torch_load(path)\n    step = state['step']\n    return step\n",
        3,
        "KeyError: 'step'",
        "state.get('step', 0)",
    ),
    (
        "def middle(values):\n    ordered = sorted(values)\n    return ordered[len(ordered) // 2]\n",
        3,
        SHORT,
        "    if len(ordered) == 0:\n        return None\n",
    ),
    (
        "import os\n\n\ndef home():\n    return os.environ.get('APP_HOME').rstrip('/')\n\n\ndef config():\n    return home() + '/config.ini'\n",
        5,
        "AttributeError: 'NoneType' object has no attribute 'rstrip'",
        "raise ValueError(\"os.environ.get('APP_HOME') is missing\")",
    ),
    (
        "def count(db):\n    row = db.execute('select n from c').fetchone()\n    return row[0] + 1\n",
        3,
        "TypeError: 'NoneType' object is not subscriptable",
        "    if row is None:\n        return 0\n",
    ),
    (
        "def flip(change, image, mask):\n    image = change(image)\n    mask = mask.transpose(1, 0)\n    return image, mask\n",
        3,
        "AttributeError: 'NoneType' object has no attribute 'transpose'",
        "    if mask is not None:\n        mask = mask.transpose(1, 0)\n",
    ),
    (
        "def render(node):\n    text = node.get('text').upper()\n    return f'{text} ({node.size})'\n",
        2,
        "AttributeError: 'NoneType' object has no attribute 'upper'",
        "is not None else ''\n",
    ),
    (
        "from collections import Counter\n\n\nclass M:\n    def __init__(self):\n        self.start = 0\n\n    def tick(self):\n        self.count.update(1)\n\n    def begin(self):\n        self.count = Counter()\n",
        9,
        "AttributeError: 'M' object has no attribute 'count'",
        "        self.start = 0\n        self.count = Counter()\n",
    ),
    (
        "def info(data):\n    print(len(data), data.classes)\n    for name in data.classes:\n        print(name)\n",
        3,
        "AttributeError: 'Subset' object has no attribute 'classes'",
        'for name in getattr(data, "classes", ()):',
    ),
    (
        "import numpy as np\n\n\ndef mean(values):\n    return values.mean()\n",
        5,
        "AttributeError: 'list' object has no attribute 'mean'",
        "    values = np.asarray(values)\n",
    ),
    (
        "from PIL import Image\n\n\ndef save(image, path):\n    image.save(path)\n",
        5,
        "AttributeError: 'numpy.ndarray' object has no attribute 'save'",
        "        image = Image.fromarray(image)\n    image.save(path)\n",
    ),
    (
        "class P:\n    def parse(self, root):\n        self.title = root.find('title').text\n        self.body = root.find('body').text\n        return self\n",
        4,
        NO_TEXT,
        "self.body = found.text if (found := root.find('body')) is not None else None\n",
    ),
    (
        "def login(jobs, client):\n    for job in jobs:\n        session = client.login(user=job['user'])\n        session.fetch(job['url'])\n",
        3,
        "KeyError: 'user'",
        "client.login(user=job.get('user'))",
    ),
    (
        "class T:\n    def update(self, found):\n        for one in found:\n            track = self.tracks[one.id]\n            track.append(one.box)\n",
        4,
        "KeyError: 12",
        "track = self.tracks.setdefault(one.id, [])\n",
    ),
    (
        "def menu(app):\n    for one in app.entries:\n        app.add(one['title'], one['icon'], one['action'])\n",
        3,
        "KeyError: 'icon'",
        "app.add(one['title'], one.get('icon'), one['action'])",
    ),
    (
        "import pandas as pd\n\n\ndef load(path):\n    df = pd.read_csv(path)\n    df['total'] = df['price'] * df['quantity']\n    return df\n",
        6,
        "KeyError: 'quantity'",
        "    if 'quantity' in df:\n        df['total']",
    ),
    (
        "def limit(value, low=None, high=None):\n    if value < low:\n        return low\n    if value > high:\n        return high\n    return value\n",
        2,
        "TypeError: '<' not supported between instances of 'int' and 'NoneType'",
        "    if high is not None and value > high:\n",
    ),
    (
        "class T:\n    def spent(self, now):\n        return now - self.started\n\n    def text(self, now):\n        return f'{self.spent(now):.1f} s'\n",
        3,
        "TypeError: unsupported operand type(s) for -: 'float' and 'NoneType'",
        "now - self.started if self.started is not None else 0\n",
    ),
    (
        "import os\n\n\ndef out(folder, name=None):\n    return os.path.join(folder, name)\n",
        5,
        "TypeError: join() argument must be str, bytes, or os.PathLike object, not 'NoneType'",
        "    if name is None:\n        return folder\n",
    ),
    (
        "def vote(a, b):\n    first = a['votes'] > b['votes']\n    return a if first else b\n",
        2,
        "KeyError: 'votes'",
        "a.get('votes', 0) > b.get('votes', 0)",
    ),
    (
        "def click(event, state):\n    node = state.at(event.x)\n    state.selected = node.id\n    state.panel.show(node)\n    state.redraw()\n",
        3,
        "AttributeError: 'NoneType' object has no attribute 'id'",
        "    if node is None:\n        return\n",
    ),
    (
        "def work(queue, log):\n    while True:\n        job = queue.get()\n        log.info('job %s', job.name)\n        job.run()\n",
        4,
        NO_NAME,
        "        if job is None:\n            break\n",
    ),
    (
        "def depth(tree):\n    return 1 + max(depth(tree.left), depth(tree.right))\n",
        2,
        "AttributeError: 'NoneType' object has no attribute 'left'",
        "    if tree is None:\n        return 0\n",
    ),
    (
        "def insert(tree, value):\n    if value < tree.value:\n        insert(tree.left, value)\n    else:\n        insert(tree.right, value)\n",
        2,
        "AttributeError: 'NoneType' object has no attribute 'value'",
        "    if tree is None:\n        return\n",
    ),
    (
        "def rows(items):\n    return [Row(user=i.user.name, note=i.note) for i in items]\n",
        2,
        NO_NAME,
        "Row(user=i.user.name if i.user is not None else None, note=i.note)",
    ),
    (
        "class D:\n    def __init__(self, cfg):\n        self.scale = cfg.model.scale\n\n    def run(self, x):\n        return x * self.scale\n",
        3,
        "AttributeError: 'NoneType' object has no attribute 'scale'",
        "        if cfg.model is None:\n            raise ValueError(",
    ),
    (
        "def box(ann):\n    return ann['seg']['box']\n\n\ndef area(ann):\n    x, y, w, h = box(ann)\n    return w * h\n",
        2,
        "KeyError: 'seg'",
        "    if 'seg' not in ann:\n        raise ValueError(\"ann['seg'] is missing\")\n",
    ),
    (
        "def diff(a, b):\n    return {k: b[k] - a[k] for k in b}\n",
        2,
        "KeyError: 'new'",
        "b[k] - a.get(k, 0)",
    ),
    (
        "class Q:\n    def sort(self, key):\n        if not key:\n            return self\n        return self.order.by(key)\n",
        5,
        "AttributeError: 'NoneType' object has no attribute 'by'",
        "return self.order.by(key) if self.order is not None else self\n",
    ),
    (
        "class N(Module):\n    def __init__(self, dropout=None):\n        self.fc = 1\n        if dropout:\n            self.drop = Dropout(dropout)\n\n    def forward(self, x):\n        x = self.drop(x)\n        return self.fc(x)\n",
        8,
        "AttributeError: 'N' object has no attribute 'drop'",
        '        if hasattr(self, "drop"):\n            x = self.drop(x)\n',
    ),
    (
        "def norm(x):\n    x = x.cpu().numpy()\n    return x / x.max()\n",
        2,
        "AttributeError: 'numpy.ndarray' object has no attribute 'cpu'",
        'x = x.cpu().numpy() if hasattr(x, "cpu") else x\n',
    ),
    (
        "class S:\n    def __eq__(self, other):\n        return self.points == other.points\n",
        3,
        "AttributeError: 'str' object has no attribute 'points'",
        'return hasattr(other, "points") and self.points == other.points\n',
    ),
    (
        "def load(session, id_):\n    user = session.get(id_)\n    user.touch()\n    session.save(user)\n    return user\n",
        3,
        "AttributeError: 'NoneType' object has no attribute 'touch'",
        "    if user is None:\n        return None\n",
    ),
    (
        "def count(rows):\n    totals = {}\n    for row in rows:\n        totals[row['kind']]['n'] += 1\n        totals[row['kind']]['sum'] += row['value']\n    return totals\n",
        4,
        "KeyError: 'dog'",
        "        totals.setdefault(row['kind'], {'n': 0, 'sum': 0})\n",
    ),
]


@pytest.mark.parametrize(("source", "line", "error", "wanted"), MENDED)
def test_a_value_that_what_reads_it_can_use(tmp_path: Path, source: str, line: int, error: str, wanted: str) -> None:
    found = proposed(tmp_path, source, line, error)
    assert wanted in after(found)
    assert found.applicability == "review"


def _of(tmp_path: Path, files: dict[str, str], source: str = PRICE) -> str:
    found = told(tmp_path, "attribute", source, 3, NO_TEXT, files)
    assert isinstance(found, Proposal), found
    return found.edits[0].after.decode()


def test_a_caller_in_another_file_that_goes_on_with_it_needs_it(tmp_path: Path) -> None:
    used = "from app import price\n\n\ndef show(soup):\n    cost = price(soup)\n    print(round(cost, 2))\n"
    assert "raise ValueError" in _of(tmp_path, {"shop.py": used})


def test_a_caller_that_asks_whether_there_is_any_gets_none(tmp_path: Path) -> None:
    asked = "from app import price\n\n\ndef show(soup):\n    cost = price(soup)\n    if cost:\n        print(round(cost, 2))\n"
    assert "return None" in _of(tmp_path, {"shop.py": asked})


def test_what_the_tests_do_with_it_tells_of_no_need(tmp_path: Path) -> None:
    test = "from app import price\n\n\ndef test_it():\n    assert price(1) > 2\n    assert price(2) + 1 == 3\n"
    assert "return None" in _of(tmp_path, {"tests/test_app.py": test})


def test_callers_of_another_function_of_that_name_tell_nothing(tmp_path: Path) -> None:
    other = (
        "class Other:\n    def price(self, x):\n        return 1\n\n\ndef f(other):\n    return other.price(1) + 1\n"
    )
    assert "return None" in _of(tmp_path, {"other.py": other})


def test_what_was_asked_of_a_list_says_nothing_of_the_one_that_took_its_name(tmp_path: Path) -> None:
    again = "    lengths = [one for one in lengths if one > 3]\n"
    source = f"def cut(lengths):\n    if len(lengths) == 0:\n        return []\n{again}    return lengths[0] + 1\n"
    found = proposed(tmp_path, source, 5, SHORT)
    assert isinstance(found, Proposal), found
    assert "    if not lengths:\n        return []\n    return" in found.edits[0].after.decode()
    assert not isinstance(proposed(tmp_path, source.replace(again, ""), 4, SHORT), Proposal)


def test_a_function_of_a_library_that_is_named_so_tells_nothing(tmp_path: Path) -> None:
    source = f"import shop\n\n\n{PRICE}\n\ndef other(x):\n    return shop.price(x) + 1\n"
    found = told(tmp_path, "attribute", source, "tag.text", NO_TEXT)
    assert isinstance(found, Proposal), found
    assert "return None" in found.edits[0].after.decode()


def test_a_table_of_the_caller_gets_no_keys_of_its_own(tmp_path: Path) -> None:
    source = (
        "def f(clients, names):\n    for name in names:\n        client = clients[name]\n        client.append(name)\n"
    )
    found = proposed(tmp_path, source, 3, "KeyError: 'b'")
    assert isinstance(found, Proposal), found
    assert "setdefault" not in found.edits[0].after.decode()
