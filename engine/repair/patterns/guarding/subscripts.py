"""Subscripts of a line, and conditions on what they read."""

from __future__ import annotations

import ast

import libcst as cst

from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.source.edit import Module


def subscripts(module: Module, line: int) -> list[cst.Subscript]:
    """Subscripts that the statement at a line evaluates there, innermost and leftmost first; annotations aside."""
    found = [one for one in module.nodes(cst.Subscript, line) if _is_at(module, one, line)]
    if not found:
        statement = module.statement(line)
        if isinstance(statement, cst.SimpleStatementLine):
            found = module.nodes(cst.Subscript, within=statement)
    found = [one for one in found if module.nearest(one, cst.Annotation) is None]
    return sorted(found, key=lambda one: (module.position(one).end.line, module.position(one).end.column))


def _is_at(module: Module, one: cst.CSTNode, line: int) -> bool:
    statement = module.nearest(one, cst.SimpleStatementLine)
    return statement is None or module.position(statement).start.line <= line


def absence_of(use: cst.BaseExpression, subject: cst.BaseExpression, good: str, bad: str) -> Absence:
    """A condition on the subject; the last `{}` in good and bad stands for its source."""
    return Absence(use, subject, lambda code: (_filled(good, code), _filled(bad, code)))


def _filled(condition: str, code: str) -> str:
    before, _place, behind = condition.rpartition("{}")  # a key may have braces of its own
    return f"{before}{code}{behind}"


def constant(node: cst.CSTNode) -> object:
    """The value of a literal subscript; Ellipsis where it is none."""
    try:
        return ast.literal_eval(cst.Module([]).code_for_node(node))
    except (ValueError, SyntaxError):
        return ...


def index_of(one: cst.Subscript) -> cst.BaseExpression | None:
    """The single index of a subscript; None for slices and several."""
    if len(one.slice) != 1 or not isinstance(one.slice[0].slice, cst.Index):
        return None
    return one.slice[0].slice.value


def is_walked_key(module: Module, use: cst.Subscript) -> bool:
    """`for key in table: table[key]`: it has the key."""
    base, code = module.code(use.value), _code_of_index(module, use)
    for around in module.ancestors(use):
        loop = around.for_in if isinstance(around, cst.BaseComp) else around
        if isinstance(loop, cst.For | cst.CompFor) and module.code(loop.target).split(",")[0].strip("( ") == code:
            return module.code(loop.iter) in (
                base,
                f"{base}.keys()",
                f"{base}.items()",
                f"sorted({base})",
                f"list({base})",
            )
        if isinstance(around, cst.FunctionDef):
            return False
    return False


def _code_of_index(module: Module, use: cst.Subscript) -> str:
    index = index_of(use)
    return module.code(index) if index is not None else ""
