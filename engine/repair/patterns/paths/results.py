"""What a function gives, by the form of all that it returns: a verdict, a number, a text.

For functions that ask something of what is not there: their callers go on with the answer of that kind. Pure functions
over parsed code.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import is_generator, own_nodes

_ANEW = re.compile(
    r"(?i)stale|outdated|expired|obsolete|(?:^|_)needs?_|missing|"
    r"should_(?:re)?(?:build|load|download|update|compile|generate|create|fetch|run)"
)
_ASKING = ("any", "all", "isinstance", "bool", "issubclass", "hasattr", "callable")
_TEXT = re.compile(r"\.(?:strip|rstrip|lstrip|decode|lower|upper|read|read_text|readline|format)\([^()]*\)\Z|\Astr\(")
_WHOLE = ("int", "len")


def verdict(function: cst.FunctionDef) -> str | None:
    """What a function that only answers yes or no says of what is not there; None for any other."""
    values = _returned(function)
    if not values or not all(_is_verdict(one) for one in values):
        return None
    return "True" if _ANEW.search(function.name.value) else "False"


def number(function: cst.FunctionDef) -> str | None:
    """Zero, of the kind of number that a function returns; None for any other."""
    kinds = {_number(one) for one in _returned(function)}
    return kinds.pop() if len(kinds) == 1 else None


def text(module: Module, function: cst.FunctionDef) -> str | None:
    """An empty text, where a function returns nothing but text; None for any other."""
    values = _returned(function)
    is_text = [isinstance(one, cst.FormattedString) or _TEXT.search(module.code(one)) for one in values]
    return module.quote * 2 if values and all(is_text) else None


def default(module: Module, function: cst.FunctionDef) -> str | None:
    """What a function gives for a key that is not there, where that is all it gives; None for any other."""
    found = {_default(module, one) for one in _returned(function)}
    return found.pop() if len(found) == 1 else None


def _default(module: Module, value: cst.BaseExpression) -> str | None:
    if not isinstance(value, cst.Call) or not isinstance(value.func, cst.Attribute) or value.func.attr.value != "get":
        return None
    code = module.code(value.args[1].value) if len(value.args) == 2 else "None" if len(value.args) == 1 else ""
    return code if re.fullmatch(r"None|\[\]|\{\}|''|\"\"|-?\d+(?:\.\d+)?|False|True", code) else None


def _returned(function: cst.FunctionDef) -> list[cst.BaseExpression]:
    if is_generator(function):
        return []
    return [one.value for one in own_nodes(function.body, cst.Return) if one.value is not None]


def _is_verdict(value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.BooleanOperation):
        return _is_verdict(value.left) and _is_verdict(value.right)
    if isinstance(value, cst.UnaryOperation):
        return isinstance(value.operator, cst.Not)
    if isinstance(value, cst.Call):
        return isinstance(value.func, cst.Name) and value.func.value in _ASKING
    return isinstance(value, cst.Comparison) or (isinstance(value, cst.Name) and value.value in ("True", "False"))


def _number(value: cst.BaseExpression) -> str | None:
    if isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute):
        return {"getsize": "0", "getmtime": "0.0", "getctime": "0.0"}.get(value.func.attr.value)
    if isinstance(value, cst.Call) and isinstance(value.func, cst.Name):
        return "0" if value.func.value in _WHOLE else "0.0" if value.func.value == "float" else None
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Divide):
        return "0.0" if _number(value.left) or _number(value.right) else None
    return "0" if isinstance(value, cst.Attribute) and value.attr.value == "st_size" else None
