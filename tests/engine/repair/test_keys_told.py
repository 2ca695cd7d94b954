"""Keys that are not there, told from text alone: what their other reads have, and what an object is made of."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.engine.repair.telling import after, told

RESUMED = (
    "def start(cfg, read, log):\n    begin = cfg.begin\n    last = -1\n    if cfg.there:\n"
    "        state = read()\n        begin = state['epoch']\n        last = state['epoch']\n"
    "        log('at epoch {}'.format(state['epoch']))\n    return begin, last\n"
)
RECORD = (
    "class Node:\n    def __init__(self, name, weight=1.5, kind=None):\n"
    "        self.name, self.weight, self.kind = name, weight, kind\n    @{how}\n    def from_dict({first}data):\n"
    "        return {maker}(data['name'], data['weight'], kind=data['kind'])\n"
)


def test_a_name_that_had_a_value_keeps_it_wherever_the_key_is_read(tmp_path: Path) -> None:
    made: dict[str, object] = {}
    exec(after(told(tmp_path, "type-mismatch", RESUMED, "begin = state", "KeyError: 'epoch'")), made)
    said: list[str] = []
    settings = SimpleNamespace(begin=3, there=True)
    assert made["start"](settings, dict, said.append) == (3, -1)  # type: ignore[operator]
    assert made["start"](settings, lambda: {"epoch": 7}, said.append) == (7, 7)  # type: ignore[operator]
    assert said == ["at epoch None", "at epoch 7"]


@pytest.mark.parametrize(("how", "first", "maker"), [("staticmethod", "", "Node"), ("classmethod", "cls, ", "cls")])
@pytest.mark.parametrize(("key", "value"), [("weight", 1.5), ("kind", None), ("name", None)])
def test_an_object_has_what_its_class_takes_by_default(
    tmp_path: Path, how: str, first: str, maker: str, key: str, value: object
) -> None:
    source = RECORD.format(how=how, first=first, maker=maker)
    made: dict[str, type] = {}
    exec(after(told(tmp_path, "type-mismatch", source, "return", f"KeyError: '{key}'")), made)
    stored = {"name": "a", "weight": 2.0, "kind": "b"}
    whole = made["Node"].from_dict(stored)  # type: ignore[attr-defined]
    assert (whole.name, whole.weight, whole.kind) == ("a", 2.0, "b")
    del stored[key]
    assert getattr(made["Node"].from_dict(stored), key) == value  # type: ignore[attr-defined]


def test_a_key_that_one_statement_reads_twice_is_given_twice(tmp_path: Path) -> None:
    source = "def chosen(found, mask):\n    return [found['tags'][x] for x in range(len(found['tags'])) if mask[x]]\n"
    made: dict[str, object] = {}
    exec(after(told(tmp_path, "type-mismatch", source, "return", "KeyError: 'tags'")), made)
    assert made["chosen"]({}, []) == []  # type: ignore[operator]
    assert made["chosen"]({"tags": [1, 2]}, [0, 1]) == [2]  # type: ignore[operator]


def test_what_is_taken_apart_gives_a_none_for_each_name(tmp_path: Path) -> None:
    source = "import re\nTEXT = 'nobody'\nNAME, MAIL = re.match(r'(.*) <(.*)>', TEXT).groups()\n"
    error = "AttributeError: 'NoneType' object has no attribute 'groups'"
    made: dict[str, object] = {"re": re}
    exec(after(told(tmp_path, "attribute", source, "NAME, MAIL", error)), made)
    assert (made["NAME"], made["MAIL"]) == (None, None)
