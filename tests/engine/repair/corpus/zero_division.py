# ruff: noqa: E501
"""Programs that divide by zero, and divisions that should go on raising."""

from tests.engine.repair.corpus import forms, quotients, uses
from tests.engine.repair.corpus.program import program, spared

PROGRAMS = [
    program(
        "a loss of nothing is not the lowest",
        "class Trainer:\n    def __init__(self):\n        self.best = 9.0\n\n    def check(self, losses):\n        total = 0.0\n        for one in losses:\n            total += one\n        loss = total / len(losses)\n        if loss < self.best:\n            self.best = loss\n        return self.best\n",
        "import app\nit = app.Trainer()\nassert [it.check([3.0, 5.0]), it.check([])] == [4.0, 4.0]",
        operator="conditional",
    ),
    program(
        "an edit distance to nothing",
        "def edit_distance(said, truth):\n    return abs(len(said) - len(truth))\n\n\ndef total(pairs):\n    found = 0.0\n    for said, truth in pairs:\n        found += edit_distance(said, truth) / len(truth)\n    return found\n",
        "import app\nassert app.total([('ab', ''), ('', ''), ('a', 'ab')]) == 1.5",
        operator="conditional",
    ),
    program(
        "what the base class gives where it is not known",
        "class Client:\n    line = None\n\n    @property\n    def latency(self):\n        return float('nan') if self.line is None else self.line\n\n\nclass Several(Client):\n    lines = ()\n\n    @property\n    def latency(self):\n        return sum(self.lines) / len(self.lines)\n",
        "import app\nfound = app.Several().latency\nassert found != found",
        operator="conditional",
    ),
    program(
        "the highest beside the mean",
        "def summary(times):\n    return {'n': len(times), 'mean': sum(times) / len(times), 'most': max(times)}\n",
        "import app\nassert app.summary([]) == {'n': 0, 'mean': 0.0, 'most': 0.0} and app.summary([1, 3])['most'] == 3",
        operator="conditional",
    ),
    program(
        "nothing is scaled by nothing",
        "class Item:\n    scale = 1.0\n\n    def setScale(self, scale):\n        self.scale = scale\n\n    def fit(self, width, own):\n        if width is not None:\n            ratio = float(width) / own\n            self.setScale(ratio)\n        return self.scale\n",
        "import app\nassert [app.Item().fit(10, 0), app.Item().fit(10, 5)] == [1.0, 2.0]",
        operator="unset",
    ),
    program(
        "a check that lets zero by",
        "class View:\n    zoom = 1.0\n\n    def fit(self, window, image):\n        if image > 9:\n            return self\n"
        "        self.zoom = window / image\n        return self\n\n    def at(self, x):\n        return x / self.zoom\n",
        "import app\nassert app.View().fit(4, 2).at(4) == 2\nassert app.View().fit(4, 0).at(4) == 4",
        operator="conditional",
    ),
    *uses.ZERO_DIVISION,
    *forms.ZERO_DIVISION,
    *quotients.ZERO_DIVISION,
    program(
        "a number in the documentation that is no answer",
        'def share(hits, total):\n    """Percentage of hits, from 0 to 100, for the given batch."""\n    return 100 * hits / total\n',
        "import app\nassert app.share(0, 0) == 0",
        applicability="review",
    ),
    program(
        "a number of the documentation's own kind of nothing",
        'def price(total, count):\n    """The price of one. If no currency is given, it is 978."""\n    return total / count\n',
        "import app\nassert app.price(10, 0) == 0",
        applicability="review",
    ),
    program(
        "a mean of nothing that nothing speaks of",
        "def brightness(pixels):\n    return sum(pixels) / len(pixels)\n",
        "import app\nassert app.brightness([]) == 0.0",
        applicability="review",
    ),
    program(
        "a mean of nothing that is a number by its annotation alone",
        "def brightness(pixels: list[int]) -> float:\n    return sum(pixels) / len(pixels)\n",
        "import app\nassert app.brightness([]) == 0.0",
        applicability="review",
    ),
    program(
        "a mean of nothing that the documentation names",
        'def brightness(pixels):\n    """The mean; None if there are no pixels."""\n    return sum(pixels) / len(pixels)\n',
        "import app\nassert app.brightness([]) is None",
        applicability="safe",
    ),
    program(
        "of two divisions on a line, the one that is underlined",
        "def rates(done, tried, seen, asked):\n    return {'done': done / tried, 'seen': seen / asked}\n",
        "import app\nassert app.rates(1, 2, 0, 0) == {'done': 0.5, 'seen': 0.0}",
        after={
            "app.py": "def rates(done, tried, seen, asked):\n"
            "    return {'done': done / tried, 'seen': seen / asked if asked else 0.0}\n"
        },
    ),
    program(
        "mean of an empty list",
        "def mean(values):\n    return sum(values) / len(values)\n",
        "import app\nassert app.mean([]) == 0.0\nassert app.mean([1, 2]) == 1.5",
        after={"app.py": "def mean(values):\n    return sum(values) / len(values) if len(values) else 0.0\n"},
    ),
    program(
        "mean that is None for nothing, by annotation",
        "def mean(values: list[float]) -> float | None:\n    # plain\n    return sum(values) / len(values)  # mean\n",
        "import app\nassert app.mean([]) is None\nassert app.mean([4]) == 4",
        after={
            "app.py": "def mean(values: list[float]) -> float | None:\n    # plain\n"
            "    return sum(values) / len(values) if len(values) else None  # mean\n"
        },
    ),
    program(
        "mean that is None for nothing, by its documentation",
        'def mean_rating(ratings):\n    """The mean rating; None if there are no ratings."""\n'
        "    total = 0\n    for one in ratings:\n        total += one\n    return total / len(ratings)\n",
        "import app\nassert app.mean_rating([]) is None",
    ),
    program(
        "as the other return",
        "def average(scores):\n    if scores is None:\n        return -1\n    return sum(scores) / len(scores)\n",
        "import app\nassert app.average([]) == -1\nassert app.average([2]) == 2",
    ),
    program(
        "percent in an f-string",
        'def progress(done, total):\n    return f"{done}/{total} ({100 * done / total:.1f} %)"\n',
        'import app\nassert app.progress(0, 0) == "0/0 (0.0 %)"\nassert app.progress(1, 2) == "1/2 (50.0 %)"',
    ),
    program(
        "precision, recall and F1 at once",
        "def scores(tp, fp, fn):\n    precision = tp / (tp + fp)\n    recall = tp / (tp + fn)\n"
        "    f1 = 2 * precision * recall / (precision + recall)\n    return precision, recall, f1\n",
        "import app\nassert app.scores(0, 0, 0) == (0.0, 0.0, 0.0)\nassert app.scores(1, 1, 1) == (0.5, 0.5, 0.5)",
    ),
    program(
        "normalised to a range",
        "def normalise(values):\n    low, high = min(values), max(values)\n"
        "    return [(v - low) / (high - low) for v in values]\n",
        "import app\nassert app.normalise([3, 3]) == [0.0, 0.0]\nassert app.normalise([0, 2]) == [0.0, 1.0]",
    ),
    program(
        "weights from their sum",
        "def shares(weights):\n    return {name: w / sum(weights.values()) for name, w in weights.items()}\n",
        'import app\nassert app.shares({"a": 0}) == {"a": 0.0}\nassert app.shares({"a": 1, "b": 1})["b"] == 0.5',
    ),
    program(
        "images a second",
        "import time\n\nclock = time.perf_counter\n\n\ndef rate(work, count):\n    start = clock()\n    work()\n"
        "    return count / (clock() - start)\n",
        "import app\napp.clock = lambda: 5.0\nassert app.rate(lambda: None, 3) == 0.0",
    ),
    program(
        "in place",
        "def centroid(points):\n    x = y = 0.0\n    for px, py in points:\n        x += px\n        y += py\n"
        "    x /= len(points)\n    y /= len(points)\n    return x, y\n",
        "import app\nassert app.centroid([]) == (0.0, 0.0)\nassert app.centroid([(2, 4)]) == (2, 4)",
    ),
    program(
        "every so many steps",
        "def train(steps, log_every):\n    logged = []\n    for step in range(steps):\n"
        "        if step % log_every == 0:\n            logged.append(step)\n    return logged\n",
        "import app\nassert app.train(4, 0) == []\nassert app.train(4, 2) == [0, 2]",
    ),
    program(
        "pages and rest",
        "def pages(count, per_page):\n    full, rest = divmod(count, per_page)\n    return full + (1 if rest else 0)\n",
        "import app\nassert app.pages(7, 0) == 0\nassert app.pages(7, 3) == 3",
    ),
    program(
        "the loop passes over others already",
        "def ratios(sizes):\n    found = []\n    for width, height in sizes:\n        if width < 0:\n            continue\n"
        "        ratio = width / height\n        found.append(round(ratio, 2))\n    return found\n",
        "import app\nassert app.ratios([(4, 2), (3, 0)]) == [2.0]",
        operator="skip",
    ),
    program(
        "variance of one sample",
        "import math\n\n\ndef deviation(values):\n    mean = sum(values) / len(values)\n"
        "    return math.sqrt(sum((v - mean) ** 2 for v in values) / (len(values) - 1))\n",
        "import app\nassert app.deviation([3.0]) == 0.0\nassert round(app.deviation([1, 3]), 3) == 1.414",
    ),
    program(
        "mean and variance of nothing",
        "def moments(values):\n    n = len(values)\n    mean = sum(values) / n\n"
        "    variance = sum((v - mean) ** 2 for v in values) / n\n    return mean, variance\n",
        "import app\nassert app.moments([]) == (0.0, 0.0)\nassert app.moments([2, 4]) == (3.0, 1.0)",
    ),
    program(
        "peak signal to noise of equal images",
        "import math\n\n\ndef psnr(a, b):\n    mse = sum((x - y) ** 2 for x, y in zip(a, b)) / len(a)\n"
        "    return 10 * math.log10(255 ** 2 / mse)\n",
        'import app\nassert app.psnr([1, 2], [1, 2]) == float("inf")\nassert app.psnr([0], [255]) == 0.0',
    ),
    program(
        "a method, a growth, over lines",
        "class Report:\n    def __init__(self, before, after):\n        self.before = before\n        self.after = after\n\n"
        "    @property\n    def growth(self) -> float:\n        return (\n            (self.after - self.before)  # difference\n"
        "            / self.before\n        ) * 100\n",
        "import app\nassert app.Report(0, 5).growth == 0.0\nassert app.Report(4, 5).growth == 25.0",
    ),
    program(
        "a lambda and a key",
        "def ranked(rows):\n    return sorted(rows, key=lambda row: row['hits'] / row['shown'], reverse=True)\n",
        'import app\nrows = [{"hits": 0, "shown": 0}, {"hits": 1, "shown": 2}]\nassert app.ranked(rows)[0]["hits"] == 1',
    ),
    program(
        "rounded whole numbers",
        "import math\n\n\ndef batches(count: int, size: int) -> int:\n    return math.ceil(count / size)\n",
        "import app\nassert app.batches(5, 0) == 0\nassert isinstance(app.batches(5, 0), int)\nassert app.batches(5, 2) == 3",
    ),
    program(
        "asynchronous, with a default",
        "import asyncio\n\n\nasync def load(values, default=None):\n    await asyncio.sleep(0)\n"
        "    return sum(values) / len(values)\n",
        "import app, asyncio\nassert asyncio.run(app.load([])) is None\nassert asyncio.run(app.load([], default=7)) == 7",
    ),
    program(
        "floor division and remainder",
        "def grid(count, columns):\n    rows = count // columns\n    left = count % columns\n    return rows, left\n",
        "import app\nassert app.grid(5, 0) == (0, 0)\nassert app.grid(5, 2) == (2, 1)",
    ),
    program(
        "decimals",
        "from decimal import Decimal\n\n\ndef unit_price(total: Decimal, count: int) -> Decimal:\n"
        "    return total / Decimal(count)\n",
        'import app\nfrom decimal import Decimal\nassert app.unit_price(Decimal("5"), 0) == 0\n'
        'assert app.unit_price(Decimal("5"), 2) == Decimal("2.5")',
    ),
    program(
        "a test of the project says it",
        "def click_rate(clicks, views):\n    rate = clicks / views\n    return rate\n",
        "import app\nassert app.click_rate(0, 0) is None",
        files={"tests/test_app.py": "import app\n\n\ndef test_none():\n    assert app.click_rate(0, 0) is None\n"},
    ),
    program(
        "module level, windows line endings, no last newline",
        "values = []\r\ntotal = sum(values)\r\nmean = total / len(values)  # mean\r\nprint('mean', mean)",
        "import app\nassert app.mean == 0.0",
        after={
            "app.py": "values = []\r\ntotal = sum(values)\r\nmean = total / len(values) if len(values) else 0.0  # mean\r\n"
            "print('mean', mean)"
        },
    ),
    program(
        "generator and nested function",
        "def outer(rows):\n    def share(row):\n        return row[0] / row[1]\n\n    return list(share(row) for row in rows)\n",
        "import app\nassert app.outer([(1, 2), (1, 0)]) == [0.5, 0.0]",
    ),
    program(
        "a conditional around, and two on a line",
        "def compare(a, b, flip):\n    return b['n'] / b['of'] if flip else a['n'] / a['of'] - b['n'] / b['of']\n",
        'import app\nassert app.compare({"n": 1, "of": 2}, {"n": 1, "of": 0}, False) == 0.5',
    ),
]

_F = "def f(a, b):\n    return a / b\n\n\nf(1, 0)\n"

LOOKALIKES = [
    spared(
        "what lets zero by was looked for too",
        "def exposure(seconds):\n    if seconds >= 1:\n        return f'{seconds:g} s'\n    if seconds <= 0:\n"
        "        return 'none'\n    return f'1/{round(1 / seconds)} s'\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 6, in exposure\n'
        "    return f'1/{round(1 / seconds)} s'\nZeroDivisionError: division by zero\n",
        reason="guarded already",
    ),
    *quotients.SPARED_DIVISIONS,
    spared(
        "a file for Python 2",
        "def mean(values):\n    print 'mean of', len(values)\n    return sum(values) / len(values)\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 3, in mean\n'
        "    return sum(values) / len(values)\nZeroDivisionError: integer division or modulo by zero\n",
        reason="is written in Python 2 (`print 'mean of', len(values)`)",
    ),
    spared(
        "a file that no Python reads",
        "def mean(values:\n    return sum(values) / len(values)\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 2, in mean\n'
        "    return sum(values) / len(values)\nZeroDivisionError: division by zero\n",
        reason="cannot be parsed",
    ),
    spared("divide", "def divide(a, b):\n    return a / b\n\n\ndivide(1, 0)\n"),
    spared(
        "safe names do not matter, arithmetic does", "def floor_div(a, b):\n    return a // b\n\n\nfloor_div(1, 0)\n"
    ),
    spared("letters only", _F),
    spared("modulo", "def mod(x, n):\n    return x % n\n\n\nmod(4, 0)\n"),
    spared(
        "an operator method",
        "class V:\n    def __init__(self, x):\n        self.x = x\n\n    def __truediv__(self, k):\n        return V(self.x / k)\n\n\n"
        "V(1) / 0\n",
        run="import app",
        files={},
    ),
    spared("a calculator", "OPS = {'+': lambda a, b: a + b, '/': lambda a, b: a / b}\nOPS['/'](1, 0)\n"),
    spared(
        "a calculator by cases",
        "def calc(op, left_side, right_side):\n    if op == '+':\n        return left_side + right_side\n    if op == '/':\n"
        "        return left_side / right_side\n    return 0\n\n\ncalc('/', 1, 0)\n",
    ),
    spared(
        "a calculator by match",
        "def calc(op, x1, y1):\n    match op:\n        case '/':\n            return x1 / y1\n\n\ncalc('/', 1, 0)\n",
    ),
    spared(
        "raised on purpose",
        "def rate(hits, shown):\n    if shown == 0:\n        raise ZeroDivisionError('shown must be counted first')\n"
        "    return hits / shown\n\n\nrate(1, 0)\n",
    ),
    spared(
        "caught on purpose, and handed on",
        "def rate(hits, shown):\n    try:\n        return hits / shown\n    except ZeroDivisionError:\n        print('no views')\n"
        "        raise\n\n\nrate(1, 0)\n",
    ),
    spared(
        "arithmetic errors caught",
        "def rate(hits, shown):\n    try:\n        return hits / shown\n    except ArithmeticError as error:\n"
        "        raise error\n\n\nrate(1, 0)\n",
    ),
    spared(
        "the caller catches it",
        "import traceback\n\n\ndef rate(hits, shown):\n    return hits / shown\n\n\ndef main():\n    try:\n        print(rate(1, 0))\n"
        "    except ZeroDivisionError:\n        traceback.print_exc()\n\n\nmain()\n",
    ),
    spared(
        "documented",
        'def rate(hits, shown):\n    """Hits by views.\n\n    Raises:\n        ZeroDivisionError: without views.\n    """\n'
        "    return hits / shown\n\n\nrate(1, 0)\n",
    ),
    spared(
        "documented as a must",
        'def rate(hits, shown):\n    """Hits by views; shown must not be zero."""\n    return hits / shown\n\n\nrate(1, 0)\n',
    ),
    spared(
        "a comment says so", "def rate(hits, shown):\n    # must be nonzero\n    return hits / shown\n\n\nrate(1, 0)\n"
    ),
    spared(
        "a comment behind",
        "def rate(hits, shown):\n    return hits / shown  # never zero: see check()\n\n\nrate(1, 0)\n",
    ),
    spared(
        "asserted",
        "def rate(hits, shown):\n    assert shown > 0\n    return hits / shown\n\n\nrate(1, 0)\n",
        run="import app",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 3, in rate\n'
        "    return hits / shown\nZeroDivisionError: division by zero\n",
    ),
    spared(
        "a test expects it",
        "def rate(hits, shown):\n    return hits / shown\n",
        run="import app\napp.rate(1, 0)",
        files={
            "test_app.py": "import pytest, app\n\n\ndef test_raises():\n    with pytest.raises(ZeroDivisionError):\n"
            "        app.rate(1, 0)\n"
        },
    ),
    spared(
        "a unittest expects it",
        "def rate(hits, shown):\n    return hits / shown\n",
        run="import app\napp.rate(1, 0)",
        files={
            "tests/test_app.py": "import unittest, app\n\n\nclass T(unittest.TestCase):\n    def test_raises(self):\n"
            "        self.assertRaises(ZeroDivisionError, app.rate, 1, 0)\n"
        },
    ),
    spared(
        "guarded since",
        "def rate(hits, shown):\n    return hits / shown if shown else 0.0\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 2, in rate\n    return hits / shown\n'
        "ZeroDivisionError: division by zero\n",
    ),
    spared(
        "left early since",
        "def rate(hits, shown):\n    if not shown:\n        return 0.0\n    return hits / shown\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 4, in rate\n    return hits / shown\n'
        "ZeroDivisionError: division by zero\n",
    ),
    spared(
        "never zero",
        "def rate(hits, shown):\n    return hits / max(shown, 1)\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 2, in rate\n    return hits / max(shown, 1)\n'
        "ZeroDivisionError: division by zero\n",
    ),
    spared(
        "a small number added",
        "def rate(hits, shown):\n    return hits / (shown + 1e-8)\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 2, in rate\n    return hits / (shown + 1e-8)\n'
        "ZeroDivisionError: float division by zero\n",
    ),
    spared("one over zero, written out", "def check():\n    return 1 / 0\n\n\ncheck()\n"),
    spared("an inverse", "def inverse(x):\n    return 1 / x\n\n\ninverse(0)\n"),
    spared(
        "a matrix",
        "def inverted(m):\n    det = m[0] * m[3] - m[1] * m[2]\n    return [m[3] / det, -m[1] / det]\n\n\n"
        "inverted([0, 0, 0, 0])\n",
    ),
    spared(
        "not here", "from fractions import Fraction\n\n\ndef make(text):\n    return Fraction(text)\n\n\nmake('1/0')\n"
    ),
    spared(
        "the test's own division",
        "x = 1\n",
        run="import test_x",
        files={"test_x.py": "import app\n\n\ndef helper(n):\n    return app.x / n\n\n\nhelper(0)\n"},
    ),
    spared(
        "suppressed",
        "import contextlib, traceback\n\n\ndef rate(hits, shown):\n    with contextlib.suppress(ZeroDivisionError):\n"
        "        try:\n            return hits / shown\n        except Exception:\n            traceback.print_exc()\n\n\n"
        "rate(1, 0)\n",
    ),
    spared(
        "another line since",
        "def rate(hits, shown):\n    return min(hits, shown)\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 2, in rate\n    return hits / shown\n'
        "ZeroDivisionError: division by zero\n",
    ),
    spared(
        "text is formatted, not divided",
        "def label(n):\n    return 'no. %d' % n.value\n\n\nclass N:\n    @property\n"
        "    def value(self):\n        raise ZeroDivisionError('x')\n\n\nlabel(N())\n",
    ),
    spared("a solver", "def solve_linear(a, b):\n    return -b / a\n\n\nsolve_linear(0, 3)\n"),
    spared(
        "fails loudly",
        "def unit(v, norm):\n    return v / norm  # fail loudly: a zero vector has no direction\n\n\nunit(1, 0)\n",
    ),
    spared(
        "a number's own conversion",
        "class Share:\n    def __init__(self, n, of):\n        self.n, self.of = n, of\n\n    def __float__(self):\n        return self.n / self.of\n\n\nfloat(Share(1, 0))\n",
    ),
]
