"""Denominators that are zero together: counters that are cleared or counted side by side, lists filled side by side.

Pure functions over a parsed file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module

_PLAIN = re.compile(r"[\w.]+(?:\[['\"]\w+['\"]\])?\Z")
_COUNTS = re.compile(r"(?i)(?:count|cnt|counter|n|num|total|samples|steps|batches|weight)\Z")
_CALLED = re.compile(r"(?i)_(?P<what>cnt|counts?|totals?|num|n|steps|batches|samples|seen)['\"\]]*\Z")
_LAST_PART = re.compile(r"""(?:\.|\[['"])\w*\W*\Z""")
_EMPTY = re.compile(r"0(?:\.0*)?|\[\]|\{\}|set\(\)|list\(\)|dict\(\)")
_FILLING = ("append", "add", "extend", "update")


def counter_of(code: str) -> str | None:
    """The counter, or the list, that a denominator asks for how many there are; None for any other."""
    while (inner := re.fullmatch(r"(?:float|int|len|abs)\((.+)\)", code)) is not None:
        code = inner[1]
    return code if _PLAIN.match(code) else None


def are_together(module: Module, function: cst.FunctionDef, one: str, other: str) -> bool:
    """Whether two counters start empty, or are counted, in one block; or are the same count of two objects."""
    first, second = counter_of(one), counter_of(other)
    if first is None or second is None or first == second:
        return False
    if _same_count(first, second):
        return True
    around = module.nearest(function, cst.ClassDef)
    scope: cst.CSTNode = around.body if around is not None and "self." in first else function.body
    wanted = {first, second}
    for block in (scope, *module.nodes(cst.IndentedBlock, within=scope)):
        if not isinstance(block, cst.IndentedBlock):
            continue
        begun, counted = set(), set()
        for line in block.body:
            if isinstance(line, cst.SimpleStatementLine):
                begun |= set(_begun(module, line))
                counted |= set(_counted(module, line))
        if wanted <= begun or wanted <= counted:
            return True
    return False


def _same_count(first: str, second: str) -> bool:
    """`losses.count` and `errors.count`; `counts["right_cnt"]` and `counts["seen_cnt"]`."""
    one, two = _CALLED.search(first), _CALLED.search(second)
    if one is not None and two is not None and one["what"].lower() == two["what"].lower():
        return re.split(_LAST_PART, first)[0] == re.split(_LAST_PART, second)[0] or (
            "." not in first + second and "[" not in first + second
        )
    own, dot, name = first.rpartition(".")
    other, _dot, again = second.rpartition(".")
    return bool(dot) and name == again and own != other and "self" not in (own, other) and bool(_COUNTS.match(name))


def _begun(module: Module, line: cst.SimpleStatementLine) -> Iterator[str]:
    """What a statement begins with nothing: `a = 0`, `a = b = 0`, `a, b = 0, 0`, `a = {"n": 0}`."""
    for change in intent.own_nodes(line, cst.Assign):
        targets = [one.target for one in change.targets]
        if _EMPTY.fullmatch(module.code(change.value)):
            yield from (module.code(one) for one in targets)
        if isinstance(targets[0], cst.Tuple) and isinstance(change.value, cst.Tuple):
            for target, value in zip(targets[0].elements, change.value.elements, strict=False):
                if _EMPTY.fullmatch(module.code(value.value)):
                    yield module.code(target.value)
        if isinstance(change.value, cst.Dict):
            for pair in change.value.elements:
                if isinstance(pair, cst.DictElement) and _EMPTY.fullmatch(module.code(pair.value)):
                    yield f"{module.code(targets[0])}[{module.code(pair.key)}]"


def _counted(module: Module, line: cst.SimpleStatementLine) -> Iterator[str]:
    """What a statement counts or fills: `a += 1`, `a.append(x)`."""
    for change in intent.own_nodes(line, cst.AugAssign):
        if isinstance(change.operator, cst.AddAssign):
            yield module.code(change.target)
    for call in intent.own_nodes(line, cst.Call):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in _FILLING:
            yield module.code(call.func.value)
