"""A record that is put together of many parts: where one of them is missing, the others are as good as ever.

That parts may be missing the record itself says: another of its parts is read so that nothing stands for it. Relies on
LibCST alone.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.source.edit import Module

LEAST_PARTS = 3
_OPTIONAL = re.compile(r"\.get\(|\bor (?:None|\"\"|''|\[\]|\{\})|\bif\b|\bNone\b")

_NONE_ELSE = re.compile(r"\bis not None else None\Z|\belse None\Z|\ANone\Z")
_TELLING = re.compile(r"\Aprint\Z|(?:^|[._])(?:log|logger|logging)\.\w+\Z")
_OPTION = re.compile(r"(?:self\.)?(?:args|opts?|options|flags|arguments|parsed|namespace|ns)\.\w+")


def part_of(module: Module, whole: cst.BaseExpression) -> cst.BaseExpression | None:
    """The part of a dict that is written out, or of a call by keywords, in which an expression stands; None where it
    stands in none, and where nothing says that parts may be missing."""
    node: cst.CSTNode = whole
    for around in module.ancestors(whole):
        if isinstance(around, cst.DictElement) and around.value is node:
            return _if_optional(module, around, node)
        if isinstance(around, cst.Arg) and around.keyword is not None and around.value is node:
            return _if_optional(module, around, node)
        if not isinstance(around, cst.Arg | cst.Call | cst.BinaryOperation | cst.Attribute | cst.Subscript):
            return None
        node = around
    return None


def _if_optional(module: Module, part: cst.DictElement | cst.Arg, node: cst.CSTNode) -> cst.BaseExpression | None:
    record = module.parent(part)
    parts: list[cst.CSTNode] = []
    if isinstance(record, cst.Dict):
        parts = [one for one in record.elements if one is not part]
    elif isinstance(record, cst.Call):
        parts = [one for one in record.args if one is not part and one.keyword is not None]
    if len(parts) + 1 < LEAST_PARTS or not any(_OPTIONAL.search(module.code(one)) for one in parts):
        return None
    return node if isinstance(node, cst.BaseExpression) else None


def option_of(module: Module, subject: cst.BaseExpression, whole: cst.BaseExpression) -> bool:
    """Whether an expression is one of several arguments of a call, where it is made of an option of the command line,
    or another of them is None where there is nothing: the call is made without it just as well."""
    arg = module.parent(whole)
    call = module.parent(arg) if isinstance(arg, cst.Arg) and not arg.star else None
    if not isinstance(call, cst.Call) or len(call.args) < LEAST_PARTS:
        return False
    others = [one.value for one in call.args if one is not arg]
    if any(_NONE_ELSE.search(module.code(one)) for one in others):
        return True
    return _OPTION.fullmatch(module.code(subject)) is not None and isinstance(
        module.parent(call), cst.Expr | cst.Assign
    )


def part_of_text(module: Module, whole: cst.BaseExpression) -> bool:
    """Whether an expression is one of several parts of a text that is shown to a person: returned as an object's own
    text, or logged."""
    around = module.parent(whole)
    text = module.nearest(whole, cst.FormattedString)
    if not isinstance(around, cst.FormattedStringExpression) or text is None or around.format_spec is not None:
        return False
    if sum(isinstance(one, cst.FormattedStringExpression) for one in text.parts) < LEAST_PARTS - 1:
        return False
    holder, function = module.parent(text), module.function(whole)
    if isinstance(holder, cst.Return):
        return function is not None and function.name.value in ("__str__", "__repr__", "__unicode__")
    call = module.parent(holder) if isinstance(holder, cst.Arg) else None
    return isinstance(call, cst.Call) and _TELLING.search(module.code(call.func)) is not None
