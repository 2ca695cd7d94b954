"""A slice where a place was expected: of an object that is asked by `[...]`, and of a dict that is to be copied.

Every proposal is for review.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.data import nothing
from engine.repair.patterns.data.mismatch import decline, finish
from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.guarding.subscripts import subscripts
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module


def compared(
    case: Case, module: Module, node: cst.CSTNode, operands: list[cst.BaseExpression], line: int
) -> Proposal | Declined:
    """`index > len(self.rows)` in `__getitem__`: of a class that has a length, a slice is the list of its elements;
    else its end is what is compared."""
    function, own = module.function(node), module.nearest(node, cst.ClassDef)
    name = _place_of(function)
    if function is None or own is None or not name or name not in map(module.code, operands):
        return decline("a slice is compared, and nothing here says what was meant")
    reason = intent.meant(case, module, node, line, "TypeError")
    if reason or "slice" in module.code(function.body):
        return decline(reason or f"the code asks whether {name} is a slice already")
    first = function.body.body[0]
    methods = {one.name.value for one in intent.own_nodes(own.body, cst.FunctionDef)}
    owner = function.params.params[0].name.value
    asked = f"isinstance({name}, slice)"
    if "__len__" in methods and isinstance(first, cst.SimpleStatementLine | cst.BaseCompoundStatement):
        at = guards.fresh(module, "at", "place", "one")
        whole = f"[{owner}[{at}] for {at} in range(*{name}.indices(len({owner})))]"
        guards.before(module, first, f"if {asked}:\n    return {whole}\n")
        return finish(module, "each", f"{name} is sometimes a slice: it is each of its elements then.")
    mine = next(one for one in operands if module.code(one) == name)
    end = f'{name} if not {asked} else {name}.stop if {name}.stop is not None else float("inf")'
    module.replace(mine, guards.expression(f"({end})"))
    return finish(module, "conditional", f"{name} is sometimes a slice: its end is what is compared then.")


def copied(case: Case, module: Module, line: int) -> Proposal | Declined:
    """`x[:]`, a copy of a list, of what is sometimes a dict: that is copied as a dict is."""
    for one in subscripts(module, line):
        part = one.slice[0].slice if len(one.slice) == 1 else None
        if not isinstance(part, cst.Slice) or part.lower is not None or part.upper is not None or part.step is not None:
            continue
        reason = nothing.meant(case, module, one, line)
        if reason:
            return decline(reason)
        code = module.code(one.value)
        if not guards.is_repeatable(code) or isinstance(module.parent(one), cst.AssignTarget | cst.Del):
            return decline("a slice is no key, and what is copied is worked out by a call")
        if checks.is_guarded(module, one, f"isinstance({code}, dict)"):
            return decline(f"the type of {code} is asked for already")
        module.replace(one, guards.conditional(module, one, f"not isinstance({code}, dict)", f"dict({code})"))
        return finish(module, "copy", f"{code} is sometimes a dict, which is copied otherwise than a list.")
    return decline("a slice is no key, and nothing here says what was meant")


def _place_of(function: cst.FunctionDef | None) -> str:
    """The name by which `__getitem__` gets the place that it is asked for; empty for any other function."""
    if function is None or function.name.value != "__getitem__" or len(function.params.params) != 2:
        return ""
    return function.params.params[1].name.value
