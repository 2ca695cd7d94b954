"""Denominators that may be arrays, and logarithms of a quotient that is zero now: what a plain condition would break.

An array cannot be asked whether it is zero, so that the error itself is answered. Pure functions over a parsed file,
but that they note the change in it.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module

_ARRAYS = re.compile(
    r"(?i)_?(?:values?|vals?|arr(?:ay)?s?|data|matrix|vec(?:tor)?s?|weights|img|image|signal|series|column)"
)
_LOGS = re.compile(r"(?:(?:math|np|numpy)\.)?log(?:2|10|1p)?\Z")


def caught(module: Module, line: cst.SimpleStatementLine, whole: cst.BaseExpression, denominator: str) -> bool:
    """Answer the error where the denominator may be an array; whether it may."""
    change = module.parent(whole)
    name = next((one for one, whole_name in module.imported.items() if whole_name == "numpy"), None)
    if name is None or not isinstance(change, cst.Assign) or module.parent(change) is not line:
        return False
    if not _ARRAYS.fullmatch(denominator.partition("[")[0].rpartition(".")[2]) or len(change.targets) != 1:
        return False
    target = module.code(change.targets[0].target)
    module.wrap(line, f"try:\n    pass\nexcept ZeroDivisionError:\n    {target} = {name}.nan\n")
    return True


def logarithms_too(module: Module, whole: cst.BaseExpression) -> None:
    """Let logarithms of the name that a quotient is bound to be zero where it is: zero has none."""
    change = module.parent(whole)
    function = module.function(whole)
    if not isinstance(change, cst.Assign) or len(change.targets) != 1 or function is None:
        return
    name = module.code(change.targets[0].target)
    line = module.position(change).end.line
    for call in intent.own_nodes(function.body, cst.Call):
        if module.position(call).start.line <= line or not _LOGS.match(module.code(call.func)):
            continue
        if (
            len(call.args) >= 1
            and module.code(call.args[0].value) == name
            and not checks.is_guarded(module, call, name)
        ):
            module.replace(call, guards.conditional(module, call, name, "0.0"))
