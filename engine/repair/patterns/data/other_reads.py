"""The other reads of a key that is not there, and what they have in its place: behind it, beside it, before it.

Pure functions over a parsed file; nothing is changed here.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.data.key_defaults import default_for, only
from engine.repair.patterns.guarding import checks, guards, kept
from engine.repair.patterns.guarding.subscripts import constant
from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name

_SAYING = ("format", "print", "debug", "info", "warning", "warn", "error", "log", "write")


def earlier(module: Module, use: cst.Subscript) -> str | None:
    """The name that a use alone gives another value than it has by now; None where it is bound otherwise."""
    line = module.nearest(use, cst.SimpleStatementLine)
    change = line.body[0] if line is not None else None
    if line is None or not isinstance(change, cst.Assign) or change.value is not use:
        return None
    return module.code(change.targets[0].target) if kept.has_earlier(module, line) else None


def earlier_or_default(case: Case, module: Module, one: cst.Subscript, key: object) -> str | None:
    """What a later read of a key has in its place: what the name has by now, or the default that what follows takes."""
    name = earlier(module, one)
    if name is not None:
        return name
    default = default_for(case, module, one, key)
    if default is not None:
        return default[0]
    return "" if _is_said(module, one) else None


def _is_said(module: Module, one: cst.Subscript) -> bool:
    """Whether a read is only put into words for people: `print("epoch", data["epoch"])`, `"{}".format(...)`."""
    arg = module.parent(one)
    call = module.parent(arg) if isinstance(arg, cst.Arg) else None
    return isinstance(call, cst.Call) and last_name(call.func) in _SAYING


def is_read_again(module: Module, use: cst.Subscript) -> bool:
    """Whether the same key is read from the same thing behind a use: it has to be there then."""
    return bool(reads_behind(module, use))


def reads_behind(module: Module, use: cst.Subscript) -> list[cst.Subscript]:
    """The reads of the same key behind a use in its function, as far as nothing asks for it."""
    function, line = module.function(use), module.position(use).start.line
    within = function.body if function is not None else module.tree
    if not guards.is_repeatable(module.code(use)):
        return []
    every = [one for one in module.nodes(cst.Subscript, within=within) if module.code(one) == module.code(use)]
    later = [one for one in every if module.position(one).start.line > line]
    if any(isinstance(module.parent(one), cst.AssignTarget | cst.AugAssign | cst.Del) for one in later):
        return []
    return [one for one in later if not is_looked_for(module, one)]


def in_statement(module: Module, use: cst.Subscript) -> list[cst.Subscript]:
    """The other reads of the same key in the statement of a use, none of which is stored to."""
    line = module.nearest(use, cst.SimpleStatementLine)
    code = module.code(use)
    every = module.nodes(cst.Subscript, within=line) if line is not None else []
    return [
        one
        for one in every
        if one is not use and module.code(one) == code and not isinstance(module.parent(one), cst.AssignTarget)
    ]


def others_in_chain(module: Module, use: cst.Subscript, base: str) -> list[cst.Subscript]:
    """`data["a"] or data["b"] or c`: what is read from the same thing instead, and may be missing just so."""
    top: cst.CSTNode = use
    around = module.parent(top)
    while isinstance(around, cst.BooleanOperation) and isinstance(around.operator, cst.Or):
        top, around = around, module.parent(around)
    found: list[cst.Subscript] = []

    def look(node: cst.CSTNode, *, is_last: bool) -> None:
        if isinstance(node, cst.BooleanOperation) and isinstance(node.operator, cst.Or):
            look(node.left, is_last=False)
            look(node.right, is_last=is_last)
        elif isinstance(node, cst.Subscript) and node is not use and not is_last and module.code(node.value) == base:
            found.append(node)

    look(top, is_last=True)
    found += _beside_chain(module, top, base)
    return [one for one in found if isinstance(constant(only(one)), str)]


def _beside_chain(module: Module, top: cst.CSTNode, base: str) -> list[cst.Subscript]:
    """`max(data["a"] or 0, data["b"] or 0)`: the first of each chain beside one, of the same data."""
    arg = module.parent(top)
    call = module.parent(arg) if isinstance(arg, cst.Arg) else None
    if not isinstance(call, cst.Call) or not isinstance(top, cst.BooleanOperation):
        return []
    others = [one.value for one in call.args if one is not arg and isinstance(one.value, cst.BooleanOperation)]
    firsts = [one.left for one in others if isinstance(one, cst.BooleanOperation) and isinstance(one.operator, cst.Or)]
    return [one for one in firsts if isinstance(one, cst.Subscript) and module.code(one.value) == base]


def is_looked_for(module: Module, use: cst.Subscript) -> bool:
    """Whether the code asks for the key before it reads it."""
    base, code = module.code(use.value), module.code(only(use))
    return any(checks.is_guarded(module, use, f"{code} {word} {base}") for word in ("in", "not in"))
