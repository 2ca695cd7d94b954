"""A quotient that a function works out for whoever asks: the one that asked says what it has where there is none.

The function itself stands as it is, as others may rely on its error or on a number. Relies on `values` for what is
said beside the call.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import for_nothing
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source.edit import Module, NotEditable, first_changed_line
from engine.repair.patterns.source.intent import own_nodes
from engine.repair.patterns.source.sites import Trail
from engine.repair.patterns.source.syntax import last_name
from engine.repair.patterns.zero import values

SHORT = 3
_ROUNDING = ("round", "int", "float", "str")


def at_caller(case: Case, function: cst.FunctionDef) -> Proposal | None:
    """`x = share(...)` in the frame that called a short function, where another branch says what x is otherwise;
    `return share(...)`, where the caller gives None elsewhere. None where it does not say."""
    statements = [one for one in function.body.body if not _is_docstring(one)]
    is_short = len(statements) <= SHORT and all(isinstance(one, cst.SimpleStatementLine) for one in statements)
    if not is_short or not own_nodes(function.body, cst.Return):
        return None
    try:
        trail = Trail(case)
        here = trail.statement(trail.last - 1) if trail.last > 0 else None
    except NotEditable:
        return None
    if here is None:
        return None
    module, statement = here
    small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1 else None
    call = small.value if isinstance(small, cst.Assign | cst.Return) else None
    while isinstance(call, cst.Call) and module.code(call.func) in _ROUNDING and len(call.args) >= 1:
        call = call.args[0].value
    if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(call, cst.Call):
        return None
    if last_name(call.func) != function.name.value:
        return None
    answer = _answer(case, module, small, call)
    if answer is None:
        return None
    module.wrap(statement, f"try:\n    pass\nexcept ZeroDivisionError:\n    {answer[0]}\n")
    edit = module.edit()
    why = f"{function.name.value} divides by zero: {answer[1]}; the formula stays as it is."
    return Proposal("zero-division", "caught", (edit,), first_changed_line(edit), "review", why)


def _is_docstring(one: cst.CSTNode) -> bool:
    small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
    return isinstance(small, cst.Expr) and isinstance(small.value, cst.SimpleString | cst.ConcatenatedString)


def _answer(case: Case, module: Module, small: cst.BaseSmallStatement | None, call: cst.Call) -> tuple[str, str] | None:
    if isinstance(small, cst.Assign):
        value = values.beside(module, call)
        if value is None or value.because.endswith("at first"):
            return None
        return f"{module.code(small.targets[0].target)} = {value.code}", value.because
    caller = module.function(call)
    if caller is None:
        return None
    told = for_nothing.given_for_nothing(case, module, caller, "0.0")
    return (f"return {told.code}", told.because) if told.strength == "told" and told.code == "None" else None
