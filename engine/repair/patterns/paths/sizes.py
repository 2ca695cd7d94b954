"""A path that is needed in one branch of an expression only: no check in front of the statement would be right."""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.paths.guards import Site, exists_test, is_simple

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
