"""A text that takes its parts from a dict by their keys: `"%(name)s" % row`, `"{name}".format(**row)`.

Relies on LibCST alone. A part that is missing is empty in the text; a part with a format of its own is left to others.
"""

from __future__ import annotations

import ast
import re
import string

import libcst as cst

from engine.repair.patterns.data.mismatch import decline, finish
from engine.repair.patterns.guarding import guards
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.underlined import decided


def propose(case: Case, module: Module, line: int) -> Proposal | Declined | None:
    """Let the part that is missing be empty; None where no such text is at the line."""
    try:
        key = ast.literal_eval(case.records[0].message.strip())
    except (ValueError, SyntaxError):
        return None
    if not isinstance(key, str):
        return None
    found: list[tuple[cst.BaseExpression, cst.BaseExpression]] = []
    for share in module.nodes(cst.BinaryOperation, line):
        if isinstance(share.operator, cst.Modulo) and _asks_percent(share.left, key):
            found.append((share, share.right))
    for call in module.nodes(cst.Call, line):
        owner = call.func.value if isinstance(call.func, cst.Attribute) and call.func.attr.value == "format" else None
        stars = [one.value for one in call.args if one.star == "**"]
        if owner is not None and len(stars) == 1 and _asks_braces(owner, key):
            found.append((call, stars[0]))
    places = decided(case, module, line, [whole for whole, _given in found])
    for whole, given in found:
        if whole not in places or not isinstance(given, cst.Name | cst.Attribute | cst.Subscript):
            continue
        reason = intent.meant(case, module, whole, line, "KeyError")
        if reason:
            return decline(reason)
        quote = module.quote
        code = module.code(given)
        name = key.replace(quote, "\\" + quote)
        module.replace(given, guards.expression(f"{{{quote}{name}{quote}: {quote * 2}, **{code}}}"))
        return finish(module, "default", f"{code} has not always {key!r}: its place in the text is empty then.")
    return None


def _text(node: cst.BaseExpression) -> str:
    value = node.evaluated_value if isinstance(node, cst.SimpleString | cst.ConcatenatedString) else None
    return value if isinstance(value, str) else ""


def _asks_percent(node: cst.BaseExpression, key: str) -> bool:
    kinds = re.findall(rf"%\({re.escape(key)}\)[-#0 +]*[\d.]*([a-zA-Z])", _text(node))
    return bool(kinds) and all(one in "sr" for one in kinds)


def _asks_braces(node: cst.BaseExpression, key: str) -> bool:
    try:
        parts = [(name, spec) for _text, name, spec, _how in string.Formatter().parse(_text(node)) if name is not None]
    except ValueError:
        return False
    mine = [spec or "" for name, spec in parts if name == key]
    return bool(mine) and all(re.fullmatch(r"(?:.?[<>^])?\d*s?", one) for one in mine)
