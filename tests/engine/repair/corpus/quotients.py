# ruff: noqa: E501
"""Divisions by zero whose value the code beside them tells, or that need none."""

from tests.engine.repair.corpus.program import program, spared

ZERO_DIVISION = [
    program("the caller's other branch says what there is then", "def fraction(value):\n    return float(value[0]) / float(value[1])\n\ndef altitude(tags):\n    if 'alt' in tags:\n        altitude = fraction(tags['alt'])\n    else:\n        altitude = None\n    return altitude\n",
            "import app\nassert app.altitude({'alt': (3, 0)}) is None\nassert app.altitude({'alt': (3, 2)}) == 1.5", operator="caught"),
    program("the result is made of it", "def width(tags, size):\n    unit = tags.get('unit')\n    if not unit:\n        return None\n    scale = 1 / tags['resolution']\n    pixels = size[0]\n    return pixels * scale * unit\n",
            "import app\nassert app.width({'unit': 2, 'resolution': 0}, (3, 4)) is None\nassert app.width({'unit': 2, 'resolution': 1}, (3, 4)) == 6", operator="guard-use"),
    program("a size that is cut down to nothing", "def resampled(values, factor):\n    count = int(len(values) / factor)\n    step = len(values) / count\n    return [values[int(index * step)] for index in range(count)]\n",
            "import app\nassert app.resampled([7, 8], 5) == [7]\nassert app.resampled([7, 8], 1) == [7, 8]", operator="at-least-one"),
    program("an attribute that is set only sometimes", "class Pick:\n    slowness = None\n\ndef read(speed):\n    pick = Pick()\n    if speed is not None:\n        pick.slowness = 1 / speed\n    return pick\n",
            "import app\nassert app.read(0).slowness is None\nassert app.read(4).slowness == 0.25", operator="unset"),
    program("a logarithm of it is taken later", "import math\n\ndef surprise(hits, total):\n    share = hits / total\n    return -math.log(share)\n", "import app\nassert app.surprise(0, 0) == 0\nassert app.surprise(1, 1) == 0", operator="conditional"),
    program("how often a text is repeated", "def padded(text, gap, width):\n    line = f'{\" \" * int(gap // width)}{text}'\n    return line\n", "import app\nassert app.padded('x', 3, 0) == 'x'\nassert app.padded('x', 4, 2) == '  x'", operator="conditional"),
    program("the other branch has a value for it", "def speed(done, took, running):\n    if running:\n        rate = done / took\n    else:\n        rate = float('nan')\n    return [rate]\n", "import app\nassert app.speed(1, 0, True)[0] != app.speed(1, 0, True)[0]", operator="conditional"),
    program("counters that are cleared together", "class Meter:\n    def __init__(self):\n        self.seen = 0\n        self.batches = 0\n        self.right, self.loss = 0, 0.0\n\n    def summary(self):\n        share = self.right / self.seen\n        loss = self.loss / self.batches\n        return share, loss\n",
            "import app\nassert app.Meter().summary() == (0, 0)"),
    program("what takes no time is over", "class Fade:\n    def __init__(self, duration):\n        self.duration = duration\n        self.elapsed = 0.0\n        self.is_done = False\n\n    def update(self, dt):\n        self.elapsed += dt\n        at = self.elapsed / self.duration\n        if at >= 1:\n            self.is_done = True\n",
            "import app\nfade = app.Fade(0)\nfade.update(0.1)\nassert fade.is_done"),
    program("how often one is taken, rounded down to never", "def every(rate, wanted, count):\n    interval = int(rate / wanted)\n    return [one for one in range(count) if one % interval == 0]\n", "import app\nassert app.every(10, 30, 3) == [0, 1, 2]\nassert app.every(20, 10, 3) == [0, 2]", operator="at-least-one"),
    program("the place of an element that is taken next", "class Pages:\n    def __init__(self, pages):\n        self.pages = pages\n        self.at = 0\n\n    def forward(self):\n        self.at = (self.at + 1) % len(self.pages)\n        return self.pages[self.at]\n", "import app\nassert app.Pages([]).forward() is None\nassert app.Pages(['a', 'b']).forward() == 'b'", operator="guard-use"),
    program("the time that is left", "def left(elapsed, share):\n    eta = elapsed / share - elapsed\n    return eta\n", "import app\nassert app.left(3, 0) == 0\nassert app.left(3, 0.5) == 3", operator="conditional"),
    program("parts of a length, rounded to none", "def fitted(length, dash):\n    dash = length / (2 * round(length / (2 * dash)))\n    return dash\n", "import app\nassert app.fitted(1, 4) == 0.5\nassert app.fitted(8, 2) == 2", operator="at-least-one"),
]  # fmt: skip

SPARED_DIVISIONS = [
    spared("the caller answers it already", "def fraction(value):\n    return float(value[0]) / float(value[1])\n\ndef altitude(tags):\n    if 'alt' in tags:\n        try:\n            altitude = fraction(tags['alt'])\n        except ZeroDivisionError:\n            altitude = None\n    else:\n        altitude = None\n    return altitude\n",
           log='Traceback (most recent call last):\n  File "{root}/app.py", line 7, in altitude\n    altitude = fraction(tags[\'alt\'])\n  File "{root}/app.py", line 2, in fraction\n    return float(value[0]) / float(value[1])\nZeroDivisionError: float division by zero\n'),
]  # fmt: skip
