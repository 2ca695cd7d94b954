# ruff: noqa: E501
"""Where something is missing, the least is left out: one argument, one rebinding, one round. Told from text alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.repair.patterns.pattern import Proposal
from tests.engine.repair.test_next_needs import proposed

NO_ITEM = "TypeError: 'NoneType' object is not subscriptable"
NO_TEXT = "AttributeError: 'NoneType' object has no attribute 'text'"
NO_WRITE = "AttributeError: 'NoneType' object has no attribute 'write'"
NO_ORDER = "TypeError: '<' not supported between instances of 'NoneType' and 'int'"
NO_SUM = "TypeError: unsupported operand type(s) for +: 'NoneType' and 'float'"
NO_NAME = "KeyError: 'name'"
MENDED = [
    (
        "def f(row, kind):\n    label = kind.title()\n    if kind == 'x':\n        label = row['name']\n    return label.upper()\n",
        4,
        NO_NAME,
        "        label = row.get('name', label)\n",
    ),
    (
        "def save(self):\n    doc = self.current()\n    doc.save(self.path)\n    self.bar().showMessage('Saved')\n",
        3,
        "AttributeError: 'NoneType' object has no attribute 'save'",
        "    if doc is None:\n        return\n",
    ),
    (
        "def main(args):\n    if args.out:\n        save(args.out)\n    show(args.x)\n    if args.out is not None:\n        run(1)\n",
        2,
        "AttributeError: 'Namespace' object has no attribute 'out'",
        '    if getattr(args, "out", None):\n        save(args.out)\n    show(args.x)\n    if getattr(args, "out", None) is not None:\n',
    ),
    (
        "def nth(head, n):\n    node = head\n    for _ in range(n):\n        node = node.next\n    return node.value\n",
        4,
        "AttributeError: 'NoneType' object has no attribute 'next'",
        "        if node is None:\n            return None\n        node = node.next\n",
    ),
    (
        "class H:\n    def add(self, reply):\n        text = reply['content']\n        self.items.append({'role': 'bot', 'content': text})\n        self.save()\n",
        3,
        "KeyError: 'content'",
        "        if 'content' in reply:\n            text = reply['content']\n            self.items.append(",
    ),
    (
        "class P:\n    def __str__(self):\n        return f'{self.name} of {self.owner.name}'\n",
        3,
        "AttributeError: 'NoneType' object has no attribute 'name'",
        "{self.owner.name if self.owner is not None else None}'",
    ),
    (
        "def f(p):\n    return ' '.join([p.first, p.middle, p.last])\n",
        2,
        "TypeError: sequence item 1: expected str instance, NoneType found",
        "' '.join(part for part in [p.first, p.middle, p.last] if part is not None)",
    ),
    (
        "import os\n\n\ndef f(path):\n    run([os.environ['EDITOR'], path])\n",
        5,
        "KeyError: 'EDITOR'",
        "os.environ.get('EDITOR', 'vi')",
    ),
    (
        "async def join(ctx):\n    channel = ctx.author.voice.channel\n    await channel.connect()\n    await ctx.send('joined')\n",
        2,
        "AttributeError: 'NoneType' object has no attribute 'channel'",
        "    if ctx.author.voice is None:\n        return\n",
    ),
    (
        "def f(a, b, c):\n    if not a:\n        return None\n    out = pack(a)\n    if c:\n        out = pack(b['h'])\n    c.add(out)\n    return out\n",
        6,
        NO_ITEM,
        "    if c:\n        if b is not None:\n            out = pack(b['h'])\n    c.add(out)\n",
    ),
    (
        "def play(env, actions, keys):\n    running = True\n    done = True\n    while running:\n        if done:\n            obs = env.reset()\n        else:\n            action = actions[tuple(keys)]\n            last = obs\n            obs, done = env.step(action)\n        show(obs)\n        running = ask()\n",
        8,
        "KeyError: (97, 100)",
        "            if tuple(keys) in actions:\n                action = actions[tuple(keys)]\n                last = obs\n                obs, done",
    ),
    (
        "def f():\n    try:\n        import signal\n        signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n    except ImportError:\n        pass\n    run()\n",
        4,
        "AttributeError: 'module' object has no attribute 'SIGPIPE'",
        "    except (ImportError, AttributeError):\n",
    ),
    (
        "import signal\n\n\ndef f(n):\n    signal.signal(signal.SIGALRM, stop)\n    signal.alarm(n)\n    try:\n        run()\n    finally:\n        signal.alarm(0)\n",
        5,
        "AttributeError: module 'signal' has no attribute 'SIGALRM'",
        '    finally:\n        if hasattr(signal, "SIGALRM"):\n            signal.alarm(0)\n',
    ),
    (
        "import os, sys\n\n\ndef f():\n    if os.geteuid() != 0:\n        sys.exit(1)\n",
        5,
        "AttributeError: module 'os' has no attribute 'geteuid'",
        'if hasattr(os, "geteuid") and os.geteuid() != 0:',
    ),
    (
        "def f(self, parts):\n    for part in parts:\n        item = find(lambda one: one.id == part['id'], self.all)\n        if item is None:\n            log.debug('no %s', part['id'])\n            continue\n        item.refresh(part)\n",
        3,
        "KeyError: 'id'",
        "        if 'id' not in part:\n            continue\n        item = find(",
    ),
    (
        "def f(ve):\n    extra = {}\n    if ve.ref is not None:\n        extra['ref'] = ve.ref\n    if ve.ua is not None:\n        extra['ua'] = ve.ua\n    show(extra)\n",
        3,
        "AttributeError: 'Video' object has no attribute 'ref'",
        "if getattr(ve, 'ua', None) is not None:",
    ),
    (
        "class D:\n    def ask(self, prompt):\n        reply = self.client.create(prompt)\n        content = reply.choices[0].text\n        self.data['chat'] = [{'role': 'user', 'content': prompt}, {'role': 'model', 'content': content}]\n        self.at += 1\n        self.next()\n",
        4,
        "IndexError: list index out of range",
        "        if reply.choices:\n            content = reply.choices[0].text\n            self.data['chat'] = [",
    ),
    (
        'import inspect\n\n\ndef register(cls):\n    """Use it as a decorator."""\n    name = inspect.getmodule(frame()).__name__\n    return made(cls, name)\n',
        6,
        "AttributeError: 'NoneType' object has no attribute '__name__'",
        "    if found is None:\n        raise ValueError(",
    ),
    (
        "class S:\n    def __init__(self, path):\n        std = load(path)\n        wave, self.meta = std.unpack()\n        self.wave = wave\n",
        4,
        "AttributeError: 'NoneType' object has no attribute 'unpack'",
        '        if std is None:\n            raise ValueError("std is missing")\n',
    ),
    (
        "def f(rows, out=None):\n    for row in rows:\n        out.write(str(row))\n",
        3,
        NO_WRITE,
        "    if out is None:\n        out = sys.stdout\n    for row in rows:\n",
    ),
    (
        "def main():\n    args = parser.parse_args()\n    load(args.profile, args.login.lower(), args.password)\n",
        3,
        "AttributeError: 'NoneType' object has no attribute 'lower'",
        "load(args.profile, args.login.lower() if args.login is not None else None, args.password)",
    ),
    (
        "def f(soup):\n    out = {}\n    out['a'] = soup.find('a').text\n    out['b'] = soup.find('b').text\n    return out\n",
        3,
        NO_TEXT,
        "    value = soup.find('b')\n    if value is not None:\n        out['b'] = value.text\n",
    ),
    (
        "def f(paths):\n    for path in paths:\n        found = look(path)\n        name = found.text\n        move(path, name)\n        print('moved', path)\n",
        4,
        NO_TEXT,
        "        if found is None:\n            continue\n",
    ),
    (
        "class B:\n    best = None\n\n    def keep(self, loss):\n        if self.best < loss:\n            return False\n        self.best = loss\n        return True\n",
        5,
        NO_ORDER,
        "if self.best is not None and self.best < loss:",
    ),
    (
        "def f(steps):\n    total = None\n    for loss in steps:\n        total = total + loss\n    return total\n",
        4,
        NO_SUM,
        "total = total + loss if total is not None else loss",
    ),
    (
        "def f(rows):\n    pairs = [(one.score, one.name) for one in rows]\n    pairs.sort()\n    return pairs\n",
        3,
        NO_ORDER,
        "pairs.sort(key=lambda row: [(part is not None, part) for part in row])",
    ),
    ("def f(row):\n    return '%(name)s: %(age)s' % row\n", 2, NO_NAME, "% {'name': '', **row}"),
    ("def f(row):\n    return '{name:>8} {age}'.format(**row)\n", 2, NO_NAME, ".format(**{'name': '', **row})"),
    ("def f(options):\n    name = options.pop('name')\n    run(name, **options)\n", 2, NO_NAME, "options.pop('name', None)"),
]  # fmt: skip
LEFT = [
    (
        "def f(row):\n    use(row['name'])\n    try:\n        name = row['name']\n    except KeyError:\n        name = ''\n    run(name)\n",
        2,
        NO_NAME,
        "if 'name' in row else",
    ),
    (
        "def f(rows):\n    for row in rows:\n        if row['kind'] == 'a':\n            use(row['name'])\n            continue\n        show(row['name'])\n",
        4,
        NO_NAME,
        "if 'name' in row:\n            show",
    ),
    ("def f(row):\n    return '%(name)05d' % row\n", 2, NO_NAME, "'name': ''"),
    (
        "class S:\n    def __init__(self, path):\n        self.name = load(path).text\n",
        3,
        NO_TEXT,
        "raise ValueError",
    ),
    ("def f(rows, out=None):\n    for row in rows:\n        out.write(row)\n    out.close()\n", 3, NO_WRITE, "stdout"),
    (
        "import os\n\n\ndef f():\n    return os.getuid()\n",
        5,
        "AttributeError: module 'os' has no attribute 'getuid'",
        "geteuid",
    ),
]


@pytest.mark.parametrize(("source", "line", "error", "wanted"), MENDED)
def test_no_more_is_left_out_than_what_is_missing(
    tmp_path: Path, source: str, line: int, error: str, wanted: str
) -> None:
    found = proposed(tmp_path, source, line, error)
    assert isinstance(found, Proposal), found
    assert wanted in found.edits[0].after.decode()
    assert found.applicability == "review"


@pytest.mark.parametrize(("source", "line", "error", "unwanted"), LEFT)
def test_what_does_not_fit_is_not_put_there(tmp_path: Path, source: str, line: int, error: str, unwanted: str) -> None:
    found = proposed(tmp_path, source, line, error)
    assert not isinstance(found, Proposal) or unwanted not in found.edits[0].after.decode()
