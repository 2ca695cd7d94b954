"""What is looked up anew in each condition of an `if` and its `elif`s: an empty text serves them all.

Pure functions over a parsed file, but that they note the change in the module they are given.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.guarding.stand_ins import OF_TEXT
from engine.repair.patterns.source.edit import Module


def read_as_empty(module: Module, use: cst.Attribute) -> bool:
    """Let an empty text stand in for a text that is looked up by a call, `headers.get("Agent").lower()`, in all
    conditions of a chain; whether it is asked for in more than one."""
    code = module.code(use.value)
    if not isinstance(use.value, cst.Call) or guards.is_repeatable(code) or not _is_of_text(module, use):
        return False
    same = [
        one
        for test in _tests(module, use)
        for one in module.nodes(cst.Attribute, within=test)
        if module.code(one.value) == code and _is_of_text(module, one) and not checks.is_guarded(module, one, code)
    ]
    if use not in same or len(same) < 2:
        return False
    for one in same:
        module.replace(one.value, guards.expression(f"({module.code(one.value)} or {module.quote * 2})"))
    return True


def is_asked_again(module: Module, use: cst.CSTNode, subject: cst.BaseExpression) -> bool:
    """Whether the function makes the call that gave None once more, and asks the result for something just so."""
    code, function = module.code(subject), module.function(use)
    if not isinstance(subject, cst.Call) or guards.is_repeatable(code):
        return False
    within = function.body if function is not None else module.tree
    asked: list[cst.Attribute | cst.Subscript] = list(module.nodes(cst.Attribute, within=within))
    asked += module.nodes(cst.Subscript, within=within)
    return any(one is not use and one.value is not subject and module.code(one.value) == code for one in asked)


def _is_of_text(module: Module, one: cst.Attribute) -> bool:
    call = module.parent(one)
    return isinstance(call, cst.Call) and call.func is one and one.attr.value in OF_TEXT


def _tests(module: Module, node: cst.CSTNode) -> list[cst.BaseExpression]:
    """The conditions of the `if` whose own condition holds a node, and of its `elif`s."""
    at = module.nearest(node, cst.If)
    if at is None or not checks.within(module, node, at.test):
        return []
    while isinstance(above := module.parent(at), cst.If):
        at = above
    found = [at.test]
    while isinstance(at.orelse, cst.If):
        at = at.orelse
        found.append(at.test)
    return found
