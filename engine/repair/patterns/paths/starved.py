"""What is left empty, or None, where a statement is left out, and cannot be worked with behind it.

A list that was to be filled has no first element then, a count is no denominator, a name that was begun with None has
no attributes. Pure functions over a parsed file.
"""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from engine.repair.patterns.guarding import checks
from engine.repair.patterns.guarding.stand_ins import is_read
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import own_nodes
from engine.repair.patterns.source.openings import keyword

_FILLING = ("append", "add", "extend", "insert", "update", "setdefault", "appendleft", "put")
_TAKING = ("pop", "popleft", "popitem", "index", "remove")
_CHOOSING = ("max", "min", "next", "mean", "median", "stdev", "reduce", "choice")
_WALKING = ("len", "sorted", "sum", "list", "iter", "enumerate", "zip", "set", "tuple", "dict")


def is_starved(module: Module, scope: cst.FunctionDef | cst.Module, statement: cst.CSTNode) -> bool:
    """Whether something behind a statement fails on what the statement does not fill, count or set."""
    end = module.position(statement).end.line
    filled, counted = set(_filled(module, statement)), set(_counted(module, statement))
    unset = set(_none_before(module, scope, statement))
    for one in module.nodes(cst.Name, within=scope.body if isinstance(scope, cst.FunctionDef) else scope):
        name = one.value
        if module.position(one).start.line <= end or name not in filled | counted | unset or not is_read(module, one):
            continue
        if checks.is_guarded(module, one, name):
            continue
        if (name in filled and _wants_one(module, one)) or (name in counted and _divides(module, one)):
            return True
        if name in filled and _is_length_divided_by(module, one):
            return True
        if name in unset and _fails_on_none(module, one):
            return True
    return False


def _filled(module: Module, statement: cst.CSTNode) -> Iterator[str]:
    for call in module.nodes(cst.Call, within=statement):
        own = call.func.value if isinstance(call.func, cst.Attribute) and call.func.attr.value in _FILLING else None
        if isinstance(own, cst.Name):
            yield own.value
    for target in module.nodes(cst.AssignTarget, within=statement):
        if isinstance(target.target, cst.Subscript) and isinstance(target.target.value, cst.Name):
            yield target.target.value.value


def _counted(module: Module, statement: cst.CSTNode) -> Iterator[str]:
    for change in module.nodes(cst.AugAssign, within=statement):
        if isinstance(change.target, cst.Name) and isinstance(change.operator, cst.AddAssign):
            yield change.target.value


def _none_before(module: Module, scope: cst.FunctionDef | cst.Module, statement: cst.CSTNode) -> Iterator[str]:
    """Names that a statement binds, and that have nothing but None before it."""
    bound = {module.code(one.target) for one in module.nodes(cst.AssignTarget, within=statement)}
    start = module.position(statement).start.line
    values: dict[str, str] = {}
    for change in own_nodes(scope.body if isinstance(scope, cst.FunctionDef) else scope, cst.Assign):
        if module.position(change).start.line < start:
            values.update({module.code(one.target): module.code(change.value) for one in change.targets})
    yield from (name for name in bound if values.get(name) == "None")


def _wants_one(module: Module, one: cst.Name) -> bool:
    """`found[0]`, `found.pop()`, `max(found)`."""
    around = module.parent(one)
    if isinstance(around, cst.Subscript):
        is_stored = isinstance(module.parent(around), cst.AssignTarget)
        return around.value is one and not is_stored and all(not isinstance(p.slice, cst.Slice) for p in around.slice)
    if isinstance(around, cst.Attribute):
        return around.attr.value in _TAKING
    call = module.parent(around) if isinstance(around, cst.Arg) else None
    if not isinstance(call, cst.Call) or len(call.args) > 1 or keyword(call, "default") is not None:
        return False
    return module.code(call.func).rpartition(".")[2] in _CHOOSING


def _divides(module: Module, one: cst.CSTNode) -> bool:
    around = module.parent(one)
    return (
        isinstance(around, cst.BinaryOperation)
        and around.right is one
        and isinstance(around.operator, cst.Divide | cst.FloorDivide | cst.Modulo)
    )


def _is_length_divided_by(module: Module, one: cst.Name) -> bool:
    arg = module.parent(one)
    call = module.parent(arg) if isinstance(arg, cst.Arg) else None
    return isinstance(call, cst.Call) and module.code(call.func) == "len" and _divides(module, call)


def _fails_on_none(module: Module, one: cst.Name) -> bool:
    around = module.parent(one)
    if isinstance(around, cst.Attribute | cst.Subscript):
        return around.value is one
    if isinstance(around, cst.For | cst.CompFor):
        return around.iter is one
    call = module.parent(around) if isinstance(around, cst.Arg) else None
    return isinstance(call, cst.Call) and module.code(call.func) in _WALKING
