"""`for part in text.split(","):` where there is no text: it has no parts. An empty text would have an empty one."""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name

_OF_TEXTS = ("split", "rsplit", "splitlines", "listdir", "keys", "walk", "readlines")  # none of what they give is None


def is_part(module: Module, name: cst.BaseExpression) -> bool:
    """Whether a name is one of the parts that a loop or a comprehension around it takes a text apart into."""
    for around in module.ancestors(name) if isinstance(name, cst.Name) else ():
        loops: list[cst.For | cst.CompFor] = [around] if isinstance(around, cst.For) else []
        at = around.for_in if isinstance(around, cst.BaseComp) else None
        while at is not None:
            loops.append(at)
            at = at.inner_for_in
        for loop in loops:
            if module.code(loop.target) == module.code(name) and isinstance(loop.iter, cst.Call):
                return last_name(loop.iter.func) in _OF_TEXTS
        if isinstance(around, cst.FunctionDef):
            break
    return False


def none_of_nothing(module: Module, use: cst.Attribute, names: tuple[str, ...]) -> bool:
    """Let a loop over the parts of a text walk through nothing where the text is None; whether it is such a loop.
    `names`: what the text may be called where it comes from a call."""
    call = module.parent(use)
    if use.attr.value not in ("split", "rsplit") or not isinstance(call, cst.Call) or not call.args:
        return False
    loop = module.parent(call)
    subject = use.value
    if not isinstance(loop, cst.For | cst.CompFor) or loop.iter is not call:
        return False
    if isinstance(subject, cst.BooleanOperation | cst.IfExp | cst.NamedExpr):
        return False
    code, text = module.code(subject), module.code(call)
    good = f"{code} is not None"
    if not guards.is_repeatable(code):
        if isinstance(loop, cst.CompFor):
            return False  # nothing can be bound in what a comprehension walks through
        name = guards.fresh(module, *names)
        good = f"({name} := {module.code(subject.with_changes(lpar=[], rpar=[]))}) is not None"
        text = text.replace(code, name, 1)
    module.replace(call, guards.expression(f"({text} if {good} else ())"))
    return True
