"""Operands of two types that do not go together: the conversion of the one that the operation says it should be.

Which one is a guess from the types told and from literals beside them; a proposal is for review. Nothing is found here:
`operands`, `arguments` and `iterables` say what failed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import libcst as cst

from engine.repair.patterns.data import texts_and_bytes
from engine.repair.patterns.data.mismatch import decline, finish
from engine.repair.patterns.guarding import guards
from engine.repair.patterns.guarding.lasting import adds_text
from engine.repair.patterns.pattern import Declined, Proposal
from engine.repair.patterns.source.edit import Module

if TYPE_CHECKING:
    from engine.repair.patterns.data.operands import Operation

_NUMBERS = ("int", "float", "bool", "complex", "Decimal", "decimal.Decimal")
_CALLED = ("method", "function", "builtin_function_or_method")
_LAZY = (
    *("dict_keys", "dict_values", "dict_items", "odict_keys", "odict_values", "odict_items"),
    *("range", "map", "filter", "zip", "generator", "set", "frozenset", "tuple", "list", "deque", "collections.deque"),
)
_TEXTS = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString)


def operands(
    module: Module, chosen: Sequence[Operation], sign: str, left: str, right: str, is_concatenation: bool
) -> Proposal | Declined:
    """Convert one operand of the likeliest of some operations. Raises NotEditable."""
    one = next((each for each in chosen if _fits(module, each, left, right)), None)
    if one is None:
        return decline("which of the operations failed cannot be told")
    kinds = (left, right)
    for kind, side in zip(kinds, (one.left, one.right), strict=True):
        if kind in _CALLED:
            return _changed(module, one, side, f"{module.code(side)}()", "call", "it is called, not used as it is")
    if sign == "+" and "str" in kinds and "bytes" not in kinds:
        return _text_or_number(module, one, left, right, is_concatenation)
    if sign == "+" and set(kinds) == {"str", "bytes"}:
        side = one.right if right == "bytes" else one.left
        made = texts_and_bytes.as_text(module, side)
        made = f"({made})" if " if " in made else made
        return _changed(module, one, side, made, "decode", "bytes are decoded beside text")
    if sign in ("+", "&", "|", "-") and left in _LAZY and right in _LAZY:
        return _lists(module, one, sign, left, right)
    if sign == "/" and kinds == ("str", "str"):
        return _path(module, one)
    if "str" in kinds and (set(kinds) - {"str"}) & set(_NUMBERS):
        return _number(module, one, left, right)
    if {"float"} < set(kinds) and set(kinds) & {"Decimal", "decimal.Decimal"}:
        side = one.right if right == "float" else one.left
        decimal = module.name_of_import("decimal", "Decimal")
        return _changed(module, one, side, f"{decimal}(str({module.code(side)}))", "number", "a Decimal takes Decimals")
    return decline(f"a {left} and a {right} do not go together, and nothing here says what was meant")


def _fits(module: Module, one: Operation, left: str, right: str) -> bool:
    """Whether the operands that are written out are of the types told."""
    for side, kind in ((one.left, left), (one.right, right)):
        if isinstance(side, _TEXTS) and kind != "str" and not module.code(side).lower().startswith(("b", "rb", "br")):
            return False
        if isinstance(side, cst.Integer | cst.Float) and kind not in _NUMBERS:
            return False
        if isinstance(side, cst.List | cst.ListComp) and kind != "list":
            return False
    return True


def _changed(
    module: Module, one: Operation, side: cst.BaseExpression, code: str, operator: str, why: str
) -> Proposal | Declined:
    if re.match(r"(?:str|int|float|list|tuple)\(|.*\.decode\(\)\Z", module.code(side)):
        return decline(f"{module.code(side)} is converted already")
    if isinstance(one.node, cst.AugAssign) and side is one.left:
        sign = module.code(one.node.operator).strip().rstrip("=")
        value = module.code(one.node.value)
        module.replace(
            one.node, cst.Assign([cst.AssignTarget(one.node.target)], guards.expression(f"{code} {sign} {value}"))
        )
    else:
        module.replace(side, guards.expression(code))
    return finish(module, operator, f"{module.code(side)} is converted: {why}.")


def _text_or_number(
    module: Module, one: Operation, left: str, right: str, is_concatenation: bool
) -> Proposal | Declined:
    """A sum of a text and something else: a message is put together, or a number was read as text."""
    is_text = _has_text(module, one) or not ({left, right} & set(_NUMBERS))
    if is_text or (is_concatenation and right not in _NUMBERS) or "list" in (left, right):
        side, kind = (one.right, right) if left == "str" else (one.left, left)
        if kind == "list" and not _has_text(module, one):
            return decline("a list and a text: what was meant cannot be seen")
        return _changed(
            module, one, side, f"str({module.code(side.with_changes(lpar=[], rpar=[]))})", "text", "a text takes texts"
        )
    if is_concatenation and not _is_sum(one):
        side = one.right if left == "str" else one.left
        return _changed(
            module, one, side, f"str({module.code(side.with_changes(lpar=[], rpar=[]))})", "text", "a text takes texts"
        )
    return _number(module, one, left, right)


def _is_sum(one: Operation) -> bool:
    """Whether a sum is added to a number, or has one written out."""
    return isinstance(one.node, cst.AugAssign) or isinstance(one.right, cst.Integer | cst.Float)


def _has_text(module: Module, one: Operation) -> bool:
    """Whether a text is written out anywhere in the sum."""
    return adds_text(module, one.node.value if isinstance(one.node, cst.AugAssign) else one.node)


def _number(module: Module, one: Operation, left: str, right: str) -> Proposal | Declined:
    side, other = (one.left, right) if left == "str" else (one.right, left)
    if isinstance(side, _TEXTS):
        return decline("a text that is written out beside a number: what was meant cannot be seen")
    kind = "float" if other in ("float", "complex") else "int"
    if "Decimal" in other:
        kind = module.name_of_import("decimal", "Decimal")
    code = module.code(side.with_changes(lpar=[], rpar=[]))
    return _changed(module, one, side, f"{kind}({code})", "number", "it came as text, and is used as a number")


def _lists(module: Module, one: Operation, sign: str, left: str, right: str) -> Proposal | Declined:
    wanted = "set" if sign != "+" else "tuple" if "tuple" in (left, right) and left == "tuple" else "list"
    done = ("set", "frozenset") if wanted == "set" else (wanted,)
    sides = [(side, kind) for side, kind in ((one.left, left), (one.right, right)) if kind not in done]
    if not sides or isinstance(one.node, cst.AugAssign):
        return decline(f"a {left} and a {right} do not go together, and nothing here says what was meant")
    for side, _kind in sides:
        made = f"{wanted}({module.code(side.with_changes(lpar=[], rpar=[]))})"
        module.replace(side, guards.expression(made))
    return finish(module, "list", f"A {left} and a {right} do not add up: both are a {wanted} now.")


def _path(module: Module, one: Operation) -> Proposal | Declined:
    path = module.name_of_import("pathlib", "Path")
    return _changed(
        module, one, one.left, f"{path}({module.code(one.left)})", "path", "paths are joined by '/', texts are not"
    )
