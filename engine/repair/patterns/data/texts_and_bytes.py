"""Text where bytes are taken, and bytes where text is: what is written out is changed, the rest encoded or decoded.

What a function is given, or holds, may be either: it is asked for its type, so that what worked goes on working.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from engine.repair.patterns.data import nothing
from engine.repair.patterns.data.mismatch import calls_at, decline, finish
from engine.repair.patterns.guarding import guards
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.producers import bound_to
from engine.repair.patterns.source.syntax import parameter_of

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
    return f"{made} if isinstance({code}, str) else {code}" if _asks(module, given, "str") else made


def as_text(module: Module, given: cst.BaseExpression) -> str:
    """The source of a value that was bytes where text is taken, decoded."""
    code = module.code(given.with_changes(lpar=[], rpar=[]))
    made = f"{guards.in_parentheses(code)}.decode()"
    return f"{made} if isinstance({code}, bytes) else {code}" if _asks(module, given, "bytes") else made


def _asks(module: Module, given: cst.BaseExpression, kind: str) -> bool:
    """Whether a value is to be asked for its type. Raises NotEditable where its name is the code's own."""
    if not _may_be_either(module, given):
        return False
    if guards.is_bound_over(module, given, kind):
        raise NotEditable(f"{kind} is a name of the code's own here: what is given cannot be asked for its type")
    return True


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
        made_all = guards.expression(f"({encoded_one} for {one} in {guards.walked(module, parts)})")
        module.replace(parts, made_all.with_changes(lpar=[], rpar=[]))
    return finish(module, "encode", "Bytes are joined to bytes: each text is encoded.")


def _looked_for(module: Module, line: int) -> Iterator[tuple[cst.SimpleString, cst.BaseExpression]]:
    """(text, what it is looked for in) for all texts written out on a line: `"a" in x`, `x.split("a")`."""
    for test in module.nodes(cst.ComparisonTarget, line):
        around = module.parent(test)
        is_asked = isinstance(test.operator, cst.In | cst.NotIn) and isinstance(around, cst.Comparison)
        if is_asked and isinstance(around, cst.Comparison) and isinstance(around.left, cst.SimpleString):
            yield around.left, test.comparator
    for call in calls_at(module, line):
        if isinstance(call.func, cst.Attribute) and call.func.attr.value in _LOOKING:
            for arg in call.args:
                if isinstance(arg.value, cst.SimpleString) and arg.keyword is None and not arg.star:
                    yield arg.value, call.func.value


def encoded(case: Case, module: Module, line: int) -> Proposal | Declined:
    """Bytes are wanted: texts that are written out become bytes, others are encoded."""
    first = next(_looked_for(module, line), None)
    if first is not None:
        return _as_bytes(case, module, line, *first)
    for call in calls_at(module, line):
        name = module.code(call.func).rpartition(".")[2]
        if _TAKING_BYTES.fullmatch(name) and call.args:
            given = call.args[0].value
            if call.args[0].star:
                continue
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
    if not _has_bytes(text):
        return decline("the text is no plain one: what its bytes are, nothing here says")
    if isinstance(owner, cst.Name) and _is_text_too(module, owner) and not _is_of_bytes(module, text):
        module.replace(owner, guards.expression(f"({as_text(module, owner)})"))
        return finish(module, "decode", f"{owner.value} is sometimes bytes: its text is looked at.")
    others = _looked_for(module, line) if owner is not None else iter(())
    alike = [one for one, each in others if owner is not None and module.code(each) == module.code(owner)]
    for one in {text, *(one for one in alike if _has_bytes(one))}:
        module.replace(one, one.with_changes(value=f"b{one.value}"))
    return finish(module, "bytes", "It is bytes that are looked at here, and bytes are looked for.")


def _has_bytes(text: cst.SimpleString) -> bool:
    """Whether a text written out says, as it stands, which bytes it is."""
    return not text.prefix and text.raw_value.isascii() and re.search(r"\\[uUN]", text.raw_value) is None


def _is_text_too(module: Module, owner: cst.Name) -> bool:
    """Whether a function says that what it is given is a text at other times: by annotation, default, name or test."""
    function = module.function(owner)
    parameter = parameter_of(function, owner.value) if function is not None else None
    if function is None or parameter is None or not _may_be_either(module, owner):
        return False
    annotation = module.code(parameter.annotation.annotation) if parameter.annotation is not None else ""
    asked = rf"isinstance\({owner.value}, \(?(?:\w+, )*str\b"
    return (
        re.search(r"\bstr\b", annotation) is not None
        or isinstance(parameter.default, cst.SimpleString)
        or re.search(r"(?i)(?:\A|_)(?:text|txt|string|str)\Z", owner.value) is not None
        or re.search(asked, module.code(function.body)) is not None
    )


def _is_of_bytes(module: Module, text: cst.SimpleString) -> bool:
    """Whether a text is none that one reads (`"\\x89PNG"`), or is looked for where the function works with bytes."""
    if not is_readable(text):
        return True
    function = module.function(text)
    every = module.nodes(cst.SimpleString, within=function.body) if function is not None else []
    return any("b" in one.prefix.lower() for one in every)


def is_readable(text: cst.SimpleString) -> bool:
    """Whether a text written out holds nothing that stands for the value of a byte: no control sign, no `\\x`."""
    value = text.evaluated_value
    plain = value.replace("\n", "").replace("\r", "").replace("\t", "") if isinstance(value, str) else ""
    return (
        isinstance(value, str)
        and not re.search(r"\\(?:x|[0-7]{2,3})", text.raw_value)
        and (plain.isprintable() or not plain)
    )


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
        if any(arg.star for arg in call.args[: place + 1]):
            continue
        first = call.args[0].value
        if place and isinstance(first, cst.SimpleString) and not is_readable(first):
            return decline("it is looked for bytes, not for text: its pattern is to be one of bytes")
        given = call.args[place].value
        reason = nothing.meant(case, module, call, line)
        if reason:
            return decline(reason)
        if ".decode(" in module.code(given):
            return decline("it is decoded already")
        module.replace(given, guards.expression(as_text(module, given)))
        return finish(module, "decode", "The call takes text: the bytes are decoded.")
    return decline("which bytes should have been text cannot be told")
