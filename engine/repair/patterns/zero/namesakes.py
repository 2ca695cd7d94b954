"""What other code of the project gives for what one function gives: its namesakes, those of base classes first.

Relies on the parsed files of the project; changes nothing.
"""

from __future__ import annotations

import ast
import re

import libcst as cst

from engine.repair.patterns.guarding.for_nothing import Value
from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import is_test, sources
from engine.repair.patterns.source.syntax import last_name

_UNKNOWN = re.compile(r"-?float\(['\"]-?(?:nan|inf)['\"]\)|-?(?:math|np|numpy)\.(?:nan|NaN|inf)|None")
_COMMON = re.compile(
    r"_*(?:main|run|get|forward|call|update|compute|step|value|result|process|apply|next|read|load)_*\Z"
)
_ENOUGH = 3


def unknown(case: Case, module: Module, function: cst.FunctionDef) -> Value | None:
    """Not a number, or nothing, where a base class gives that by the same name, else where all namesakes do."""
    name = function.name.value
    if _COMMON.match(name):
        return None
    around = module.nearest(function, cst.ClassDef)
    bases = {last_name(one.value) for one in around.bases} if around is not None else set()
    own, others, namesakes = set[str](), set[str](), 0
    for path, tree in sources(case, name):
        if is_test(path):
            continue
        for one in ast.walk(tree):
            if isinstance(one, ast.ClassDef) and one.name in bases:
                own |= {code for each in one.body for code in _said(each, name)}
            namesakes += _is_named(one, name)
            others |= set(_said(one, name))
    if len(own) == 1:
        return Value(own.pop(), "guessed", f"the base class gives it as {name} where there is none")
    if own or len(others) != 1 or namesakes > _ENOUGH:
        return None
    return Value(others.pop(), "guessed", f"another {name} gives it where there is none")


def _is_named(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name


def _said(node: ast.AST, name: str) -> list[str]:
    """The values for what is not known of a function, where it has the name."""
    if not _is_named(node, name):
        return []
    return [code for one in ast.walk(node) if isinstance(one, ast.Return) for code in _given(one.value)]


def _given(value: ast.expr | None) -> list[str]:
    """The values of a return that stand for what is not known."""
    if isinstance(value, ast.IfExp):
        return [*_given(value.body), *_given(value.orelse)]
    code = ast.unparse(value) if value is not None else ""
    return [code] if _UNKNOWN.fullmatch(code) else []
