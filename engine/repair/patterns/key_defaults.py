"""The default for a key that is not there, where the code around it handles one."""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns import absent, for_nothing
from engine.repair.patterns.edit import Module, NotEditable
from engine.repair.patterns.pattern import Case
from engine.repair.patterns.subscripts import index_of

_NUMBER = re.compile(
    r"(?i)price|count|score|size|rating|\bage\b|year|width|height|total|amount|qty|quantity|weight|views|number|num|rank|"
    r"value|cost|points|hits|likes|duration|length|distance|balance|tax|discount|stock|rate|sum"
)
LISTS = ("append", "extend", "insert")
_TEXT = (
    "strip",
    "lower",
    "upper",
    "title",
    "split",
    "replace",
    "startswith",
    "endswith",
    "lstrip",
    "rstrip",
    "encode",
    "splitlines",
)
_OF_DICT = ("items", "keys", "values", "get")
_COLLECTING = (
    "len",
    "sorted",
    "list",
    "tuple",
    "set",
    "enumerate",
    "any",
    "all",
    "sum",
    "reversed",
    "map",
    "filter",
    "zip",
)


def only(use: cst.Subscript) -> cst.BaseExpression:
    index = index_of(use)
    if index is None:
        raise NotEditable("the code is set out as nobody would expect")
    return index


def takes_none(module: Module, use: cst.BaseExpression) -> bool:
    around = module.parent(use)
    if isinstance(around, cst.DictElement | cst.Return | cst.If | cst.BooleanOperation | cst.UnaryOperation):
        return True
    if isinstance(around, cst.Arg):
        return around.keyword is not None
    return isinstance(around, cst.Assign) and absent.is_only_shown(module, around)


def default_for(case: Case, module: Module, use: cst.Subscript, key: object) -> tuple[str, bool] | None:
    """What `.get` should give where what follows handles it ('' for None), and whether the code says so itself."""
    around = module.parent(use)
    words = str(key) if isinstance(key, str) else ""
    if isinstance(around, cst.For | cst.CompFor):
        return "[]", False
    if isinstance(around, cst.Attribute):
        name = around.attr.value
        return ("{}", False) if name in _OF_DICT else ('""', False) if name in _TEXT else None
    if isinstance(around, cst.BinaryOperation):
        other = around.right if around.left is use else around.left
        if isinstance(around.operator, cst.Add) and _adds_text(module, around):
            return '""', False
        if isinstance(around.operator, cst.Add) and isinstance(other, cst.List):
            return "[]", False
        if isinstance(around.operator, cst.Modulo) and isinstance(other, cst.SimpleString):
            return '""', False
        if (
            isinstance(around.operator, cst.Subtract)
            or isinstance(other, cst.Integer | cst.Float)
            or _NUMBER.search(words)
        ):
            divides = isinstance(around.operator, cst.Divide | cst.FloorDivide | cst.Modulo) and around.right is use
            return None if divides else ("0", False)
        return ("0", False) if isinstance(around.operator, cst.Multiply) else None
    if isinstance(around, cst.AugAssign):
        return ("0", False) if isinstance(around.operator, cst.AddAssign | cst.SubtractAssign) else None
    if isinstance(around, cst.FormattedStringExpression):
        return None if around.format_spec else ("''" if _outer_quote(module, use) == '"' else '""', False)
    if isinstance(around, cst.If | cst.While | cst.CompIf | cst.UnaryOperation | cst.BooleanOperation | cst.IfExp):
        return "", False
    if isinstance(around, cst.Comparison) and around.left is use and len(around.comparisons) == 1:
        target = around.comparisons[0]
        if isinstance(target.operator, cst.Equal | cst.NotEqual | cst.Is | cst.IsNot):
            return "", False
        return None
    if isinstance(around, cst.ComparisonTarget) and isinstance(around.operator, cst.In | cst.NotIn):
        return "()", False
    if isinstance(around, cst.Lambda):
        return "0" if _NUMBER.search(words) else '""', False
    if isinstance(around, cst.DictElement) and around.value is use:
        return "", False
    if isinstance(around, cst.Arg):
        return as_argument(module, around)
    if isinstance(around, cst.BaseComp):
        arg = module.parent(around)
        call = module.parent(arg) if isinstance(arg, cst.Arg) else None
        if isinstance(call, cst.Call) and module.code(call.func) in ("sum", "math.fsum", "fsum"):
            return "0", False
        return None
    if isinstance(around, cst.Return):
        function = module.function(use)
        if function is None:
            return None
        value = for_nothing.given_for_nothing(case, module, function, "None")
        return ("" if value.code == "None" else value.code), value.strength == "told"
    if isinstance(around, cst.Assign) and absent.is_only_shown(module, around):
        return "", False
    return None


def _adds_text(module: Module, node: cst.CSTNode) -> bool:
    """Whether a sum has a text among its parts."""
    around = module.parent(node)
    while isinstance(around, cst.BinaryOperation) and isinstance(around.operator, cst.Add):
        node, around = around, module.parent(around)

    def look(part: cst.CSTNode) -> bool:
        if isinstance(part, cst.BinaryOperation):
            return look(part.left) or look(part.right)
        return isinstance(part, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString)

    return look(node)


def as_argument(module: Module, around: cst.Arg) -> tuple[str, bool] | None:
    call = module.parent(around)
    if not isinstance(call, cst.Call):
        return None
    name = module.code(call.func)
    if name in _COLLECTING:
        return "[]", False
    if name in ("int", "float", "abs", "round", "Decimal"):
        return "0", False
    if name.endswith(".join"):
        return "[]", False
    if around.keyword is not None and len(call.args) > 1:
        return "", False
    return None


def _outer_quote(module: Module, use: cst.CSTNode) -> str:
    outer = next((one for one in module.ancestors(use) if isinstance(one, cst.FormattedString)), None)
    return outer.end[-1] if outer is not None else '"'
