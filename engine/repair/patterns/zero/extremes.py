"""The highest and the lowest of what a division counts: where there is nothing to count, they fail right behind it.

Pure functions over a parsed file, but that they note the change in it.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import checks
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, with_keyword

_NUMBER = re.compile(r"0|0\.0")


def too(module: Module, whole: cst.CSTNode, denominator: str, value: str) -> None:
    """Let `max(rows)` and `min(rows)` have a default from the line on where `len(rows)` divides; numbers alone."""
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


def _holds(module: Module, whole: cst.CSTNode, call: cst.CSTNode) -> bool:
    return any(one is whole for one in module.ancestors(call))
