"""What fails right behind a division by how many there are: the highest, the lowest, the first and the last of none.

Pure functions over a parsed file, but that they note the change in it.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, with_keyword

_READING = (cst.Assign, cst.Arg, cst.BinaryOperation, cst.FormattedStringExpression)
_NUMBER = re.compile(r"0|0\.0")


def too(module: Module, whole: cst.CSTNode, denominator: str, value: str) -> None:
    """Let `max(rows)` have a default, and `rows[-1]` a condition, from the line on where `len(rows)` divides."""
    rows = re.fullmatch(r"(?:float\()?len\(([\w.]+)\)+", denominator)
    function = module.function(whole)
    if rows is None or function is None or not _NUMBER.fullmatch(value):
        return
    line = module.position(whole).start.line
    statement = module.nearest(whole, cst.SimpleStatementLine)
    start = module.position(statement).start.line if statement is not None else line
    for call in intent.own_nodes(function.body, cst.Call):
        if module.position(call).start.line < start or module.code(call.func) not in ("max", "min"):
            continue
        is_alone = len(call.args) == 1 and not call.args[0].star and module.code(call.args[0].value) == rows[1]
        if is_alone and not checks.is_guarded(module, call, rows[1]) and not _holds(module, whole, call):
            module.replace(call, with_keyword(call, "default", value))
    if f"sum({rows[1]})" not in module.code(whole):
        return  # what they are, nothing tells
    for one in intent.own_nodes(function.body, cst.Subscript):
        if module.position(one).start.line < start or module.code(one.value) != rows[1] or _holds(module, whole, one):
            continue
        is_end = re.fullmatch(r"\[(?:0|-1)\]", module.code(one)[len(rows[1]) :]) is not None
        is_read = isinstance(module.parent(one), _READING)
        if is_end and is_read and not checks.is_guarded(module, one, rows[1]):
            module.replace(one, guards.conditional(module, one, f"len({rows[1]})", value))


def _holds(module: Module, whole: cst.CSTNode, call: cst.CSTNode) -> bool:
    return any(one is whole for one in module.ancestors(call))
