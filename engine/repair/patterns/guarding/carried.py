"""What a round of a loop hands to the next: it cannot be left out, but what it reckons with can be nothing.

Pure functions over a parsed file.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.source.edit import Module


def size_in_round(module: Module, absence: Absence, line: cst.SimpleStatementLine) -> cst.BaseExpression | None:
    """`x.shape[1]` in a sum, `given.shape[1] + at`, of a statement whose result the next round reads: without the
    thing it has no extent. None elsewhere."""
    size = module.parent(absence.use)
    if not absence.is_none or not isinstance(absence.use, cst.Attribute) or absence.use.attr.value != "shape":
        return None
    if not isinstance(size, cst.Subscript) or size.value is not absence.use:
        return None
    around = module.parent(size)
    is_term = isinstance(around, cst.BinaryOperation) and isinstance(around.operator, cst.Add | cst.Subtract)
    return size if is_term and is_carried(module, line) else None


def is_carried(module: Module, line: cst.SimpleStatementLine) -> bool:
    """Whether a statement binds a name that its loop reads in front of it: what the next round goes on with."""
    loop, only = guards.loop_around(module, line), line.body[0]
    if loop is None or not isinstance(only, cst.Assign) or len(only.targets) != 1:
        return False
    target = only.targets[0].target
    start = module.position(line).start.line
    return isinstance(target, cst.Name) and any(
        one.value == target.value
        and module.position(one).start.line < start
        and not isinstance(module.parent(one), cst.AssignTarget)
        for one in module.nodes(cst.Name, within=loop.body)
    )
