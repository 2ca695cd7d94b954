"""A path that is needed in one branch of an expression only: no check in front of the statement would be right."""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.paths.guards import Site, exists_test, is_simple
from engine.repair.patterns.source.edit import Module

_OF_STAT = ("st_size", "st_mtime", "st_ctime", "st_atime")
_NUMBERS = frozenset(f"os.path.{one}" for one in ("getsize", "getmtime", "getctime", "getatime"))


def is_reached_sometimes(site: Site) -> bool:
    """Whether the failing call is in a branch of a conditional expression, or behind an `and` or `or`."""
    inner: cst.CSTNode = site.call.call
    for around in site.module.ancestors(inner):
        if isinstance(around, cst.BaseComp | cst.SimpleStatementLine | cst.BaseCompoundStatement | cst.Lambda):
            return False
        if isinstance(around, cst.IfExp) and inner is not around.test:
            return True
        if isinstance(around, cst.BooleanOperation) and inner is around.right:
            return True
        inner = around
    return False


def shown_sizes(site: Site) -> bool:
    """Let the sizes in a display, or among named arguments, be None where there is no such file; whether there are."""
    module = site.module
    first = _asked_size(module, site.call.call)
    around = module.parent(first) if first is not None else None
    if not isinstance(around, cst.DictElement | cst.Arg):
        return False
    if isinstance(around, cst.Arg) and not _is_shown(module, around):
        return False
    for call in module.nodes(cst.Call, within=site.statement):
        size = _asked_size(module, call)
        path = _path_of(call)
        if size is None or path is None or not isinstance(module.parent(size), type(around)):
            continue
        beside = module.parent(size)
        if isinstance(beside, cst.Arg) and not _is_shown(module, beside):
            continue
        there = f"{module.name_of_import('os')}.path.exists({module.code(path)})"
        module.replace(size, guards.conditional(module, size, there, "None"))
    return True


def _is_shown(module: Module, given: cst.Arg) -> bool:
    """Whether a named argument is only kept with others: what any other call does without a number, nothing tells."""
    call = module.parent(given)
    return given.keyword is not None and isinstance(call, cst.Call) and module.code(call.func) == "dict"


def _asked_size(module: Module, call: cst.Call) -> cst.BaseExpression | None:
    """The expression that asks for a size by a call: `os.path.getsize(x)`, `os.stat(x).st_size`, `x.stat().st_size`."""
    path = _path_of(call)
    if path is None or not is_simple(path):
        return None
    if module.qualified(call.func) in _NUMBERS:
        return call
    around = module.parent(call)
    is_stat = isinstance(call.func, cst.Attribute) and call.func.attr.value == "stat"
    if not is_stat or not isinstance(around, cst.Attribute) or around.attr.value not in _OF_STAT:
        return None
    if call.args and module.qualified(call.func) not in ("os.stat", "os.lstat"):
        return None  # another machine's file
    return around


def _path_of(call: cst.Call) -> cst.BaseExpression | None:
    if call.args:
        return call.args[0].value if len(call.args) == 1 and not call.args[0].star else None
    return call.func.value if isinstance(call.func, cst.Attribute) else None


def stands_for_nothing(site: Site) -> bool:
    """Let a size be 0 where there is no such file; whether it is a size that the call asks for."""
    module, call = site.module, site.call.call
    name = module.code(site.call.path)
    is_plain = is_simple(site.call.path) or (
        isinstance(site.call.path, cst.Call) and all(is_simple(arg.value) for arg in site.call.path.args)
    )
    if module.qualified(call.func) not in _NUMBERS or not is_plain:
        return False
    inner = module.parent(call)
    there = exists_test(module, site, name)
    made = guards.conditional(module, call, there, "0")
    if not made.lpar and isinstance(inner, cst.IfExp):
        made = made.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    module.replace(call, made)
    return True
