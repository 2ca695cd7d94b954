"""Text where bytes are taken, and bytes where text is: what is written out is changed, the rest encoded or decoded.

What a function is given, or holds, may be either: it is asked for its type, so that what worked goes on working.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.data import nothing
from engine.repair.patterns.data.mismatch import calls_at, decline, finish
from engine.repair.patterns.guarding import guards
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import bound_to

_TAKING_BYTES = re.compile(
    r"write|send|sendall|sendto|update|md5|sha\w+|b64encode|b32encode|new|compress|crc32|send_bytes|publish|BytesIO|"
    r"hexlify|urlsafe_b64encode"
)
_LOOKING = ("split", "rsplit", "replace", "startswith", "endswith", "strip", "partition", "find", "count", "join")
_TAKING_TEXT = (*("write", "loads", "search", "match", "findall", "fullmatch", "finditer", "sub", "split", "StringIO"),)
_WRITTEN = (
    *(cst.SimpleString, cst.FormattedString, cst.ConcatenatedString, cst.Integer, cst.Float, cst.List, cst.Dict),
    *(cst.Tuple, cst.Set, cst.BinaryOperation, cst.Comparison, cst.Lambda, cst.BaseComp),
)


def as_bytes(module: Module, given: cst.BaseExpression) -> str:
    """The source of a value that was a text where bytes are taken, encoded."""
    code = module.code(given.with_changes(lpar=[], rpar=[]))
    made = f"{guards.in_parentheses(code)}.encode()"
    return f"{made} if isinstance({code}, str) else {code}" if _may_be_either(module, given) else made


def as_text(module: Module, given: cst.BaseExpression) -> str:
    """The source of a value that was bytes where text is taken, decoded."""
    code = module.code(given.with_changes(lpar=[], rpar=[]))
    made = f"{guards.in_parentheses(code)}.decode()"
    return f"{made} if isinstance({code}, bytes) else {code}" if _may_be_either(module, given) else made


def _may_be_either(module: Module, given: cst.BaseExpression) -> bool:
    """Whether nothing in sight tells of what type a value is: it comes from outside the function."""
    if isinstance(given, cst.Name):
        return bound_to(module, given) is None
    return isinstance(given, cst.Attribute | cst.Subscript) and guards.is_repeatable(module.code(given))


def elements_encoded(module: Module, parts: cst.BaseExpression) -> Proposal | Declined:
    """`b" ".join(x)` of texts."""
    if isinstance(parts, cst.ListComp | cst.GeneratorExp | cst.SetComp):
        code = module.code(parts.elt)
        if code.endswith(".encode()"):
            return decline("it is encoded already")
        made = as_bytes(module, parts.elt)
        module.replace(parts.elt, guards.expression(made))
    else:
        one = guards.fresh(module, "one", "part", "element")
        encoded_one = f"{one}.encode() if isinstance({one}, str) else {one}"
        made_all = guards.expression(f"({encoded_one} for {one} in {module.code(parts)})")
        module.replace(parts, made_all.with_changes(lpar=[], rpar=[]))
    return finish(module, "encode", "Bytes are joined to bytes: each text is encoded.")


def encoded(case: Case, module: Module, line: int) -> Proposal | Declined:
    """Bytes are wanted: texts that are written out become bytes, others are encoded."""
    for test in module.nodes(cst.ComparisonTarget, line):
        around = module.parent(test)
        is_asked = isinstance(test.operator, cst.In | cst.NotIn) and isinstance(around, cst.Comparison)
        if is_asked and isinstance(around, cst.Comparison) and isinstance(around.left, cst.SimpleString):
            return _as_bytes(case, module, line, around.left, test.comparator)
    for call in calls_at(module, line):
        func = call.func
        if not isinstance(func, cst.Attribute) or func.attr.value not in _LOOKING:
            continue
        for arg in call.args:
            if isinstance(arg.value, cst.SimpleString) and arg.keyword is None:
                return _as_bytes(case, module, line, arg.value, func.value)
    for call in calls_at(module, line):
        name = module.code(call.func).rpartition(".")[2]
        if _TAKING_BYTES.fullmatch(name) and call.args:
            given = call.args[0].value
            if isinstance(given, cst.SimpleString):
                return _as_bytes(case, module, line, given)
            code = module.code(given)
            if code.endswith((".encode()", "bytes)")) or ".encode(" in code:
                return decline("it is encoded already")
            reason = nothing.meant(case, module, call, line)
            if reason:
                return decline(reason)
            module.replace(given, guards.expression(as_bytes(module, given)))
            return finish(module, "encode", "The call takes bytes: the text is encoded.")
    return decline("which text should have been bytes cannot be told")


def _as_bytes(
    case: Case, module: Module, line: int, text: cst.SimpleString, owner: cst.BaseExpression | None = None
) -> Proposal | Declined:
    """Look for bytes in `owner`, which were bytes; where they may be a text at other times, look at their text."""
    reason = nothing.meant(case, module, text, line)
    if reason:
        return decline(reason)
    if owner is not None and not text.prefix and isinstance(owner, cst.Name) and _may_be_either(module, owner):
        module.replace(owner, guards.expression(f"({as_text(module, owner)})"))
        return finish(module, "decode", f"{owner.value} is sometimes bytes: its text is looked at.")
    if text.prefix or not text.raw_value.isascii():
        return decline("the text is no plain one: what its bytes are, nothing here says")
    module.replace(text, text.with_changes(value=f"b{text.value}"))
    return finish(module, "bytes", "It is bytes that are looked at here, and bytes are looked for.")


def decoded(case: Case, module: Module, line: int) -> Proposal | Declined:
    """Text is wanted: bytes are decoded."""
    for call in calls_at(module, line):
        func = module.code(call.func).rpartition(".")[2]
        place = 1 if re.fullmatch(r"search|match|findall|fullmatch|finditer|split", func) and len(call.args) > 1 else 0
        if func == "sub" and len(call.args) > 2:
            place = 2
        if func not in _TAKING_TEXT:
            continue
        if len(call.args) <= place or isinstance(call.args[place].value, _WRITTEN):
            continue
        given = call.args[place].value
        reason = nothing.meant(case, module, call, line)
        if reason:
            return decline(reason)
        if ".decode(" in module.code(given):
            return decline("it is decoded already")
        module.replace(given, guards.expression(as_text(module, given)))
        return finish(module, "decode", "The call takes text: the bytes are decoded.")
    return decline("which bytes should have been text cannot be told")
