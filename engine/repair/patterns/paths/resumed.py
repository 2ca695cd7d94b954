"""Work that is taken up where a file says that it was left: without the file, it is begun at the beginning.

`state = load(path); start = state["epoch"]; for epoch in range(start, epochs)`: the loop is the work itself, which is
done without the file as well. Pure functions over a parsed file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import libcst as cst

from engine.repair.patterns.source.dependents import Statement, bound_names
from engine.repair.patterns.source.edit import Module

_PLACE = re.compile(
    r"(?i)(?:.*_)?(?:epochs?|steps?|start|iter(?:ation)?s?|index|offset|page|line|pos|count|last|best)(?:_.*)?\Z"
)


@dataclass(frozen=True)
class Resumed:
    """The statements that need the file, the work that does not, and where that begins without it."""

    needing: Sequence[Statement]
    beginnings: Sequence[str]


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
    if loaded in read or not needed or not all(_PLACE.match(name) for name in needed):
        return None
    return Resumed(needing, list(dict.fromkeys(needed)))
