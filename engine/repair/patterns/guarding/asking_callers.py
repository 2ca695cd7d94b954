"""A function that gives None from now on where it found nothing: the loops that call it go on with their next round.

Looks at the function's own file alone.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.pattern import FileEdit
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.intent import is_generator, own_nodes
from engine.repair.patterns.source.producers import bound_to
from engine.repair.patterns.source.syntax import last_name

MOST_CALLS = 3


def passed_over(module: Module, function: cst.FunctionDef, edit: FileEdit) -> FileEdit:
    """The edit, with a check behind each `x = function(...)` of a loop that hands `x` on, where the edit lets a
    function that has always given something give None."""
    if is_generator(function) or not _always_gives(module, function):
        return edit
    try:
        new = Module(module.path, edit.after)
    except NotEditable:
        return edit
    index = module.nodes(cst.FunctionDef).index(function)
    functions = new.nodes(cst.FunctionDef)
    if len(functions) != len(module.nodes(cst.FunctionDef)) or not _gives_none(new, functions[index]):
        return edit
    name = function.name.value
    same = [one for one in functions if one.name.value == name]
    calls = [one for one in new.nodes(cst.Call) if last_name(one.func) == name and new.function(one) not in same]
    if len(same) != 1 or not 0 < len(calls) <= MOST_CALLS:
        return edit
    calls = [one for one in calls if _is_of(new, one, same[0])]
    open_ones = [line for one in calls if (line := _needing(new, one, is_method=_is_method(new, same[0]))) is not None]
    for line in open_ones:
        target = line.body[0].targets[0].target if isinstance(line.body[0], cst.Assign) else None
        if target is not None:
            guards.after(new, line, f"if {new.code(target)} is None:\n    continue\n")
    try:
        return FileEdit(edit.path, edit.before, new.edit().after) if open_ones else edit
    except NotEditable:
        return edit


def _is_method(module: Module, function: cst.FunctionDef) -> bool:
    return isinstance(module.parent(module.parent(function) or function), cst.ClassDef)


def _is_of(module: Module, call: cst.Call, function: cst.FunctionDef) -> bool:
    """Whether a call is one of the function for sure: of a method by `self`, or by what is made of its class."""
    own = module.nearest(function, cst.ClassDef) if _is_method(module, function) else None
    if own is None:
        return isinstance(call.func, cst.Name)
    owner = call.func.value if isinstance(call.func, cst.Attribute) else None
    if not isinstance(owner, cst.Name):
        return False
    if owner.value in ("self", "cls"):
        return module.nearest(call, cst.ClassDef) is own
    made = bound_to(module, owner)
    return isinstance(made, cst.Call) and last_name(made.func) == own.name.value


def _always_gives(module: Module, function: cst.FunctionDef) -> bool:
    given = own_nodes(function.body, cst.Return)
    last = function.body.body[-1]
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else None
    values = [module.code(one.value) if one.value is not None else "None" for one in given]
    return bool(given) and isinstance(small, cst.Return) and "None" not in values


def _gives_none(module: Module, function: cst.FunctionDef) -> bool:
    given = own_nodes(function.body, cst.Return)
    return any(one.value is not None and module.code(one.value) == "None" for one in given)


def _needing(module: Module, call: cst.Call, *, is_method: bool) -> cst.SimpleStatementLine | None:
    """The statement `x = function(...)` of a loop's block that hands `x` on, and never asks for it; None elsewhere."""
    if isinstance(call.func, cst.Attribute) != is_method:
        return None
    change, line = module.parent(call), guards.statement_line(module, call)
    block = module.parent(line) if line is not None else None
    loop = module.parent(block) if block is not None else None
    if not isinstance(change, cst.Assign) or len(change.targets) != 1 or line is None:
        return None
    target = change.targets[0].target
    if not isinstance(target, cst.Name) or not isinstance(loop, cst.For) or not isinstance(block, cst.IndentedBlock):
        return None
    later = list(block.body)[list(block.body).index(line) + 1 :]
    rest = "".join(module.code(one) for one in later)
    name = re.escape(target.value)
    if re.search(rf"\b{name}\b *(?:is|or|and|[!=]=)\b|\b(?:if|not|and|or|while) +{name}\b", rest):
        return None
    reads = [one for each in later for one in module.nodes(cst.Name, within=each) if one.value == target.value]
    return line if any(_needs_it(module, one) for one in reads) else None


def _needs_it(module: Module, one: cst.Name) -> bool:
    around = module.parent(one)
    if isinstance(around, cst.Attribute | cst.Subscript):
        return around.value is one
    if isinstance(around, cst.Arg):
        call = module.parent(around)
        return around.keyword is None and isinstance(call, cst.Call) and last_name(call.func) not in ("print", "str")
    return isinstance(around, cst.BinaryOperation) or (isinstance(around, cst.For) and around.iter is one)
