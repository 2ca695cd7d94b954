"""A function that is looked up by a name that is worked out, and called: without it, an error says which is missing.

Every proposal is for review.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.data.mismatch import finish
from engine.repair.patterns.guarding import guards
from engine.repair.patterns.guarding.for_nothing import given_for_nothing
from engine.repair.patterns.guarding.subscripts import constant, index_of
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source import wording
from engine.repair.patterns.source.edit import Module


def _is_called_later(module: Module, use: cst.Subscript) -> bool:
    """`make = makers[kind]`, and `make(...)` behind it."""
    change, function = module.parent(use), module.function(use)
    if not isinstance(change, cst.Assign) or change.value is not use or len(change.targets) != 1 or function is None:
        return False
    name = module.code(change.targets[0].target)
    return any(module.code(one.func) == name for one in module.nodes(cst.Call, within=function.body))


def refused(case: Case, module: Module, use: cst.Subscript) -> Proposal | None:
    """`return loaders()[kind](path)`: a clear error where there is no such function; None for anything else, and where
    the code says what it gives for nothing, or goes on with the next round of a loop."""
    call, index, line = module.parent(use), index_of(use), guards.statement_line(module, use)
    function = module.function(use)
    is_called = isinstance(call, cst.Call) and call.func is use
    if not (is_called or _is_called_later(module, use)) or index is None or constant(index) is not ...:
        return None
    if line is None or function is None or not guards.is_unconditional(module, use):
        return None
    if not isinstance(line.body[0], cst.Return | cst.Assign) or guards.loop_around(module, line) is not None:
        return None
    if given_for_nothing(case, module, function, "None").strength != "guessed":
        return None
    base, code = module.code(use.value), module.code(index)
    if not guards.is_repeatable(code):
        return None
    said = f"raise ValueError({wording.formatted(module, 'not known', code)})\n"
    if guards.is_repeatable(base):
        guards.before(module, line, f"if {code} not in {base}:\n    {said}")
    else:
        name = guards.fresh(module, "found", "known", "table")
        new = line.deep_replace(use.value, cst.Name(name))
        guards.before(module, line, f"{name} = {base}\nif {code} not in {name}:\n    {said}", new)
    return finish(module, "clear-error", f"{base} has not always {code}, and what calls this needs what it gives.")
