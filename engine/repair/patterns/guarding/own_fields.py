"""A field that an object was just given, and that is None: an empty value serves all its methods.

Pure functions over a parsed file, but that they note the change in the module they are given.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import checks, guards, stand_ins
from engine.repair.patterns.source.edit import Module

_EMPTY = ("{}", "[]", "set()", "dict()", "list()", "()")


def filled(module: Module, subject: cst.BaseExpression, empty: str) -> str | None:
    """Let `self.x = load(...)`, in front of what fails in the same block, give an empty value for None, of the kind
    that the class begins the field with, where other methods need one as well; the value, or None where they do not."""
    around = module.nearest(subject, cst.ClassDef)
    line = next((one for one in module.ancestors(subject) if isinstance(module.parent(one), cst.IndentedBlock)), None)
    code = module.code(subject)
    if around is None or line is None or not isinstance(subject, cst.Attribute) or not code.startswith("self."):
        return None
    given = _given(module, line, code)
    if given is None or not isinstance(given, cst.Call):
        return None
    function = module.function(subject)
    others = [one for one in module.nodes(cst.Attribute, within=around) if module.code(one) == code]
    others = [one for one in others if module.function(one) is not function or _is_behind(module, one, line)]
    if not any(_needs_one(module, one) and not checks.is_guarded(module, one, code) for one in others):
        return None
    kind = _begun(module, around, code) or empty
    if kind == "()":
        return None
    module.replace(given, guards.expression(stand_ins.instead(module, module.code(given), kind)))
    return kind


def is_filled(module: Module, subject: cst.BaseExpression) -> bool:
    """Whether `self.x = load(...) or {}` stands in front of a read in its block: it is never None there."""
    line = next((one for one in module.ancestors(subject) if isinstance(module.parent(one), cst.IndentedBlock)), None)
    if line is None or not isinstance(subject, cst.Attribute):
        return False
    given = _given(module, line, module.code(subject))
    is_or = isinstance(given, cst.BooleanOperation) and isinstance(given.operator, cst.Or)
    return is_or and isinstance(given, cst.BooleanOperation) and module.code(given.right) in _EMPTY


def _is_behind(module: Module, one: cst.CSTNode, line: cst.CSTNode) -> bool:
    return module.position(one).start.line > module.position(line).end.line


def _given(module: Module, line: cst.CSTNode, code: str) -> cst.BaseExpression | None:
    """What a field was last given in front of a statement: in its block, or in a `with` or a `try` right before it."""
    block = module.parent(line)
    body: list[cst.CSTNode] = list(block.body) if isinstance(block, cst.IndentedBlock) else []
    for one in reversed(body[: body.index(line)] if line in body else []):
        for change in module.nodes(cst.Assign, within=one):
            if [module.code(each.target) for each in change.targets] == [code]:
                return change.value if isinstance(one, cst.SimpleStatementLine | cst.With) else None
        if code in module.code(one):
            return None
    return None


def _begun(module: Module, around: cst.ClassDef, code: str) -> str | None:
    """The empty value of the kind that a class gives a field elsewhere, as source."""
    given = [
        one.value
        for one in module.nodes(cst.Assign, within=around)
        if code in [module.code(each.target) for each in one.targets]
    ]
    given += [
        one.value
        for one in module.nodes(cst.AnnAssign, within=around)
        if one.value is not None and module.code(one.target) == code
    ]
    for value in given:
        if isinstance(value, cst.Dict | cst.DictComp | cst.List | cst.ListComp):
            return "{}" if isinstance(value, cst.Dict | cst.DictComp) else "[]"
        if module.code(value) in ("dict()", "list()", "set()"):
            return module.code(value)
    return None


def _needs_one(module: Module, one: cst.Attribute) -> bool:
    """Whether a read fails on None."""
    around = module.parent(one)
    if isinstance(around, cst.Attribute | cst.Subscript):
        return around.value is one
    if isinstance(around, cst.ComparisonTarget):
        return isinstance(around.operator, cst.In | cst.NotIn)
    if isinstance(around, cst.For | cst.CompFor):
        return around.iter is one
    call = module.parent(around) if isinstance(around, cst.Arg) else None
    return isinstance(call, cst.Call) and module.code(call.func) in (
        "len",
        "sorted",
        "list",
        "set",
        "sum",
        "any",
        "all",
    )
