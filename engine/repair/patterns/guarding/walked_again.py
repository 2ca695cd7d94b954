"""None among what is walked through more than once: it is left out once, before the first of the loops.

A guard in the one loop that failed would only let the next one fail. Relies on LibCST alone.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import bound_to


def is_without_none(module: Module, subject: cst.BaseExpression) -> bool:
    """Whether None is left out already of what the loop that gives a name walks through."""
    loop = next((one for one in module.ancestors(subject) if isinstance(one, cst.For | cst.FunctionDef)), None)
    if not (isinstance(loop, cst.For) and isinstance(loop.iter, cst.Name) and isinstance(subject, cst.Name)):
        return False
    made = bound_to(module, loop.iter) if module.code(loop.target) == subject.value else None
    at = made.for_in if isinstance(made, cst.ListComp) else None
    tests = [module.code(one.test) for one in at.ifs] if at is not None else []
    return at is not None and f"{module.code(at.target)} is not None" in tests


def leave_out_none(module: Module, subject: cst.BaseExpression) -> bool:
    """Let the list that a loop's own name comes from be without None, where another loop behind it needs that too."""
    function = module.function(subject)
    if not isinstance(subject, cst.Name) or function is None:
        return False
    loop = next((one for one in module.ancestors(subject) if isinstance(one, cst.For | cst.FunctionDef)), None)
    if (
        not isinstance(loop, cst.For)
        or module.code(loop.target) != subject.value
        or not isinstance(loop.iter, cst.Name)
    ):
        return False
    if not isinstance(module.parent(loop), cst.IndentedBlock):
        return False
    name, end = loop.iter.value, module.position(loop).end.line
    later = [
        one
        for one in module.nodes(cst.For, within=function.body)
        if module.position(one).start.line > end and module.code(one.iter) == name and _needs(module, one)
    ]
    bound = [one for one in module.nodes(cst.AssignTarget, within=function.body) if module.code(one.target) == name]
    if not later or any(module.position(one).start.line > end for one in bound):
        return False
    one = guards.fresh(module, "one", "each", "element")
    guards.before(module, loop, f"{name} = [{one} for {one} in {name} if {one} is not None]\n")
    return True


def _needs(module: Module, loop: cst.For) -> bool:
    """Whether a loop does something with what it walks through that fails on None."""
    if not isinstance(loop.target, cst.Name):
        return False
    for one in module.nodes(cst.Name, within=loop.body):
        around = module.parent(one)
        if one.value == loop.target.value and not checks.is_guarded(module, one, one.value):
            call = module.parent(around) if isinstance(around, cst.Arg) else None
            walks = isinstance(around, cst.For | cst.CompFor) and around.iter is one
            counts = isinstance(call, cst.Call) and module.code(call.func) in ("len", "list", "sorted", "set", "iter")
            if walks or counts or (isinstance(around, cst.Attribute | cst.Subscript) and around.value is one):
                return True
    return False
