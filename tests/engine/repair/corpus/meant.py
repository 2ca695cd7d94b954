# ruff: noqa: E501
"""Programs in which what stands around the error says what was meant: handlers, elements, fields; their look-alikes."""

from tests.engine.repair.corpus.program import program, spared

ATTRIBUTE = [
    program(
        "an error of its own for what does not fit",
        "class Invalid(Exception):\n    pass\n\n\ndef check(value):\n    try:\n        value.format(**{'name': ''})\n    except (KeyError, IndexError) as error:\n"
        "        raise Invalid('placeholder') from error\n    return value\n",
        "import app\nassert app.check('{name}') == '{name}'\ntry:\n    app.check('{name.attr}')\nexcept app.Invalid:\n    pass\nelse:\n    raise SystemExit(1)",
        operator="handler",
    ),
    program(
        "the first of what a model gives",
        "class Scores(list):\n    def best(self):\n        return self.index(max(self))\n\n\ndef chosen(model, batch):\n    found = model(batch)\n    return found.best()\n",
        "import app\nassert app.chosen(lambda one: app.Scores([1, 3]), 0) == 1\nassert app.chosen(lambda one: (app.Scores([4, 3]), None), 0) == 0",
        operator="unwrapped",
    ),
]
ATTRIBUTE_LOOKALIKES = [
    spared(
        "a handler that lets the very error through",
        "def read(value):\n    try:\n        return value.first.name\n    except AttributeError:\n        raise\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 3, in read\n    return value.first.name\n'
        "AttributeError: 'NoneType' object has no attribute 'name'\n",
    ),
]
TYPE_MISMATCH = [
    program(
        "a file with nothing in it",
        "import json\n\n\nclass Store:\n    def __init__(self):\n        self.items = {}\n\n    def load(self, text):\n        self.items = json.loads(text)\n        return len(self.items)\n\n"
        "    def knows(self, one):\n        return one in self.items\n",
        "import app\nstore = app.Store()\nassert store.load('{\"a\": 1}') == 1 and store.knows('a')\nassert store.load('null') == 0\nassert not store.knows('a')",
        operator="or-empty",
    ),
]
TYPE_MISMATCH_LOOKALIKES = [
    spared(
        "asks itself whether it is a slice",
        "class Pages:\n    def __getitem__(self, at):\n        if at == slice(None):\n            return list(self.rows)\n        if at > len(self.rows):\n            self.load()\n        return self.rows[at]\n",
        log='Traceback (most recent call last):\n  File "{root}/app.py", line 5, in __getitem__\n    if at > len(self.rows):\n'
        "TypeError: '>' not supported between instances of 'slice' and 'int'\n",
    ),
]
