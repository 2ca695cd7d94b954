"""Work that is taken up where a file says that it was left: without the file, it is begun at the beginning.

`state = load(path); start = state["epoch"]; for epoch in range(start, epochs)`: the loop is the work itself, which is
done without the file as well. Only a number that the loop itself counts on from has a beginning: a best loss so far, or
the last name that was seen, has none. Pure functions over a parsed file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from engine.repair.patterns.source.dependents import Statement, bound_names
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name

_PLACE = re.compile(
    r"(?i)(?:.*_)?(?:epochs?|steps?|start|iter(?:ation)?s?|index|offset|pos|count|done|batch(?:es)?)(?:_.*)?\Z"
)
_NO_PLACE = re.compile(r"(?i)(?:\A|_)(?:best|lowest|highest|min|max|last_(?:id|seen|name)|loss|score)(?:_|\Z)")


@dataclass(frozen=True)
class Resumed:
    """The statements that need the file, the work that does not, and where that begins without it."""

    needing: Sequence[Statement]
    beginnings: Sequence[tuple[str, str]]  # what a name is at the beginning


def resumed(module: Module, group: Sequence[Statement], loaded: str) -> Resumed | None:
    """The part of statements that depend on a file which must be left out without it; None where it is all of them."""
    made, at = {loaded}, 1
    while at < len(group) and isinstance(group[at], cst.SimpleStatementLine):
        if not made & {one.value for one in module.nodes(cst.Name, within=group[at])}:
            break
        made |= set(bound_names(group[at]))
        at += 1
    needing, work = group[:at], group[at:]
    if not any(isinstance(one, cst.For | cst.While) for one in work):
        return None
    read = {one.value for each in work for one in module.nodes(cst.Name, within=each)}
    needed = [name for one in needing[1:] for name in bound_names(one) if name in read]
    if loaded in read or not needed or not all(_PLACE.match(one) and not _NO_PLACE.search(one) for one in needed):
        return None
    begun = {name: _beginning(module, work, name) for name in needed}
    return Resumed(needing, [(name, value) for name, value in begun.items() if value]) if all(begun.values()) else None


def _beginning(module: Module, work: Sequence[Statement], name: str) -> str | None:
    """Where the loop of the work begins that counts on from a name; None where none does."""
    for loop in work:
        if not isinstance(loop, cst.For):
            continue
        for call in module.nodes(cst.Call, within=loop.iter):
            if last_name(call.func) not in ("range", "trange") or len(call.args) < 2:
                continue
            start, end = module.code(call.args[0].value), module.code(call.args[1].value)
            from_one = re.search(r"\+ *1\Z", end) is not None
            if start == name:
                return "1" if from_one else "0"
            if re.fullmatch(rf"{name} *\+ *1", start):
                return "0" if from_one else "-1"
    for each in work:
        for loop in module.nodes(cst.While, within=each):
            test = loop.test
            is_below = isinstance(test, cst.Comparison) and isinstance(
                test.comparisons[0].operator, cst.LessThan | cst.LessThanEqual
            )
            if isinstance(test, cst.Comparison) and is_below and module.code(test.left) == name:
                return "0"
        for change in module.nodes(cst.AugAssign, within=each):  # what counts the rounds
            is_counting = isinstance(change.operator, cst.AddAssign) and isinstance(change.value, cst.Integer)
            if is_counting and module.code(change.target) == name:
                return "0"
    return None
