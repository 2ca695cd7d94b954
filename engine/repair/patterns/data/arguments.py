"""None, or text for bytes, as an argument of a call that takes neither: `int(None)`, `join(base, None)`, `range(None)`.

Which argument it was, the message tells only by the call's name, if at all; among several the likeliest to be None is
taken. Relies on `nothing` for the edit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from engine.repair.patterns.data import formats, nothing, texts_and_bytes
from engine.repair.patterns.data.mismatch import calls_at, decline, finish, is_told
from engine.repair.patterns.guarding import absent, checks, guards
from engine.repair.patterns.guarding.subscripts import absence_of, constant
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import likeliest, producer_of
from engine.repair.patterns.source.syntax import last_name
from engine.repair.patterns.source.underlined import decided

_NONE = re.compile(
    r"(?:\bnot|\bgot|\bfound|\bwas|\breceived|,) (?:type )?'?NoneType'?(?!\w)|\bNoneType found|"
    r"must be \w[\w ,.-]*, not None\b|"
    r"'NoneType' object (?:cannot be interpreted as an integer|is not a mapping)|"
    r"unsupported format string passed to NoneType|<class 'NoneType'>|does not (?:allow|accept|take) None\b|"
    r"\b(?:must|may|can|should) ?not be None\b|None is not (?:allowed|a valid|an allowed)|"
    r"conversion from NoneType to (?P<to>\w+)|'NoneType' object is not an (?:async )?iterator|"
    r"(?:to|received) a 'NoneType'|cannot convert 'NoneType' object|component: NoneType|type NoneType doesn't define"
)
_CALLED = re.compile(r"(?P<call>[\w.]+)\(\) (?:argument|arg\b|takes|expected)|^(?P<stat>\w+): ")
_STATS = {
    "stat": ("stat", "exists", "isfile", "isdir", "getsize", "getmtime", "is_file", "lexists"),
    "_path_exists": ("exists",),
    "_path_isfile": ("isfile",),
    "_path_isdir": ("isdir",),
}
_ITEMS = re.compile(
    r"sequence item (?P<at>\d+): expected (?:str|a bytes-like object|bytes)(?: instance)?, (?P<kind>[\w.]+) found"
)
_BYTES_WANTED = re.compile(
    r"a bytes-like object is required, not '?str'?|can't concat str to bytes|argument should be (?:a )?bytes|"
    r"(?:Strings?|Strings? objects|Unicode-objects) must be encoded|must be bytes or a tuple of bytes, not str"
)
_TEXT_WANTED = re.compile(
    r"must be str, not bytes|cannot use a string pattern on a bytes-like object|"
    r"must be str or a tuple of str, not bytes|string argument expected, got '?bytes"
)
_PARSED = re.compile(r"the JSON object must be str, bytes or bytearray, not '?(?:dict|list)")
_EMPTY = re.compile(r"reduce\(\) of empty (?:sequence|iterable) with no initial value")
_OTHER = re.compile(  # text is taken alone, and something else came
    r"(?:expected string or bytes-like object|expected str, bytes or os\.PathLike object|argument must be str[\w, .-]*"
    r"|argument should be a str[\w, .-]*|must be a string[\w, .-]*|must be str or [\w.]+),? "
    r"(?:not|got|found) '?(?P<kind>(?!NoneType|str\b)[\w.]+)'?\Z"
    r"|\Aexpected string or bytes-like object\Z"
)
_WHOLE = re.compile(
    r"'float' object cannot be interpreted as an integer|integer argument expected, got float|"
    r"slice indices must be integers or None or have an __index__ method|"
    r"can't multiply sequence by non-int of type 'float'"
)
_SEARCHING = ("search", "match", "findall", "fullmatch", "finditer", "sub", "split")  # the text comes last
_WRITTEN = (
    *(cst.SimpleString, cst.FormattedString, cst.ConcatenatedString, cst.Integer, cst.Float, cst.List, cst.Dict),
    *(cst.Tuple, cst.Set, cst.BinaryOperation, cst.Comparison, cst.Lambda, cst.BaseComp),
)


def recognised(message: str) -> bool:
    """Whether a TypeError's message is about what a call was given."""
    return any(
        one.search(message) for one in (_NONE, _ITEMS, _BYTES_WANTED, _TEXT_WANTED, _WHOLE, _OTHER, _EMPTY, _PARSED)
    )


def propose(case: Case, module: Module, line: int, message: str) -> Proposal | Declined:
    """The guard in front of the call, or the conversion. Raises NotEditable."""
    items = _ITEMS.search(message)
    if items:
        return _joined(case, module, line, items["kind"], int(items["at"]))
    if _BYTES_WANTED.search(message):
        return texts_and_bytes.encoded(case, module, line)
    if _TEXT_WANTED.search(message):
        return texts_and_bytes.decoded(case, module, line)
    if _WHOLE.search(message):
        return _whole(case, module, line, message)
    if _PARSED.search(message):
        return _loaded(case, module, line)
    if _EMPTY.search(message):
        return _reduced(case, module, line)
    other = _OTHER.search(message)
    if other and not _NONE.search(message):
        return _of_type(case, module, line, message, other["kind"] or "value of another type")
    is_format = "string passed to NoneType.__format__" in message
    if is_format and (shown := formats.left_empty(case, module, line)) is not None:
        return shown
    pairs = formats.given_to_format(module, line) if is_format else []
    pairs = pairs or list(_given(case, module, line, message))
    if not pairs:
        return decline("what was None cannot be told from this line")
    use, subject = pairs[likeliest(module, [subject for _use, subject in pairs])]
    around = module.parent(subject)
    star = around.star if isinstance(around, cst.Arg) else ""
    if isinstance(around, cst.StarredDictElement | cst.StarredElement):
        star = "**" if isinstance(around, cst.StarredDictElement) else "*"
    return nothing.guarded(case, module, line, use, subject, {"*": "()", "**": "{}"}.get(star))


def _is_of_number(module: Module, text: cst.FormattedStringExpression) -> bool:
    """Whether a value is formatted as a number is: `.3f`, `03d`, `,`, `.1%`."""
    code = module.code(text)
    return re.search(r":[^{}:]*(?:[dfFeEgGnxob%,]|\.\d+[fFeEgG%]?)\}?\Z", code) is not None


def _of_numbers(module: Module, text: cst.BaseExpression, values: list[cst.BaseExpression]) -> list[cst.BaseExpression]:
    """Those of the values that a `%` format writes as numbers; all of them where that cannot be told."""
    codes = re.findall(r"%[-+ #0]*(?:\d+|\*)?(?:\.(?:\d+|\*))?([a-zA-Z])", module.code(text).replace("%%", ""))
    if not isinstance(text, cst.SimpleString | cst.ConcatenatedString) or len(codes) != len(values):
        return values
    return [value for value, code in zip(values, codes, strict=True) if code not in "sra"] or values


def _given(
    case: Case, module: Module, line: int, message: str
) -> Iterator[tuple[cst.BaseExpression, cst.BaseExpression]]:
    """(what failed, what it was given) for all that may have been None."""
    told = _CALLED.search(message)
    name = (told["call"] or "").rpartition(".")[2] if told else ""
    names = _STATS.get(told["stat"] or "", (told["stat"] or name,)) if told else ()
    calls = decided(case, module, line, calls_at(module, line))
    named = [one for one in calls if module.code(one.func).rpartition(".")[2] in names]
    is_here = re.search(r"format|after \*", message) is not None  # whatever the call is named
    if told and not named and not is_here and intent.raised_below(case) is None:
        return  # the call that the message names is not here
    is_mapping = "mapping" in message
    for display in module.nodes(cst.StarredDictElement, line) if is_mapping else ():
        if _may_be_none(module, display.value):
            yield display.value, display.value
    for element in module.nodes(cst.StarredElement, line) if "after * must" in message else ():
        if _may_be_none(module, element.value):
            yield element.value, element.value
    if "format" in message or "real number" in message:
        every = module.nodes(cst.FormattedStringExpression, line)
        for text in sorted(every, key=lambda one: not _is_of_number(module, one)):  # texts are seldom missing
            if _may_be_none(module, text.expression) and ("string passed" not in message or text.format_spec):
                yield text.expression, text.expression
        for one in module.nodes(cst.BinaryOperation, line):
            if isinstance(one.operator, cst.Modulo):
                values = (
                    [part.value for part in one.right.elements] if isinstance(one.right, cst.Tuple) else [one.right]
                )
                values = _of_numbers(module, one.left, values)
                yield from ((one, value) for value in values if _may_be_none(module, value))
    place = re.search(r"argument (?P<number>\d+) ", message)
    if message.startswith("expected string or bytes-like object") and not named:  # as `re` says it of a text
        searching = [one for one in calls if last_name(one.func) in _SEARCHING]
        texts = [(one, sought) for one in searching if (sought := _text_of(module, one)) is not None]
        if texts:
            yield from ((one, sought) for one, sought in texts if _may_be_none(module, sought))
            return
    for call in named or calls:
        given = call.args[int(place["number"]) - 1 :][:1] if named and place and int(place["number"]) else call.args
        for arg in given:
            if is_mapping != (arg.star == "**") or (arg.star == "*") != ("after * must" in message):
                continue
            if _may_be_none(module, arg.value):
                yield call, arg.value


def _text_of(module: Module, call: cst.Call) -> cst.BaseExpression | None:
    """The text that a call of `re`, or of a pattern that was compiled, looks through; None where that is not seen."""
    named = next((one.value for one in call.args if one.keyword is not None and one.keyword.value == "string"), None)
    if named is not None:
        return named
    owner = module.code(call.func.value) if isinstance(call.func, cst.Attribute) else ""
    place = (1 if last_name(call.func) == "sub" else 0) + (1 if module.imported.get(owner) in ("re", "regex") else 0)
    plain = [one.value for one in call.args if one.keyword is None]
    return plain[place] if place < len(plain) and not any(one.star for one in call.args) else None


def _may_be_none(module: Module, node: cst.BaseExpression) -> bool:
    if isinstance(node, _WRITTEN):
        return False
    if isinstance(node, cst.Name) and (node.value in module.imported or node.value in ("self", "cls", "True", "False")):
        return False
    return producer_of(module, node).reason is None or isinstance(node, cst.Name)


def _of_type(case: Case, module: Module, line: int, message: str, kind: str) -> Proposal | Declined:
    """Something else came where text is taken: a number's or a path's text is taken, of the rest only what is text."""
    pairs = [(use, one) for use, one in _given(case, module, line, message) if isinstance(use, cst.Call)]
    if not pairs:
        return decline("which argument it was cannot be told from this line")
    use, subject = pairs[-1] if last_name(pairs[0][0].func) in _SEARCHING else pairs[0]
    reason = nothing.meant(case, module, use, line)
    if reason:
        return decline(reason)
    code = module.code(subject)
    if kind in ("int", "float", "Decimal", "PosixPath", "WindowsPath"):
        module.replace(subject, guards.expression(f"str({code})"))
        return finish(module, "text", f"{code} is sometimes a {kind}: its text is taken.")
    if is_told(module, subject):
        return decline(f"the type of {code} is asked for already")
    types = f"(str, bytes, {module.name_of_import('os')}.PathLike)" if "PathLike" in message else "str"
    absence = absence_of(use, subject, f"isinstance({{}}, {types})", f"not isinstance({{}}, {types})")
    operator, value = absent.guard(case, module, absence)
    return finish(module, operator, f"{code} is sometimes a {kind}: {value.code} then, as {value.because}.")


def _loaded(case: Case, module: Module, line: int) -> Proposal | Declined:
    """`json.loads(x)` of what is parsed already: it is that itself."""
    for call in decided(case, module, line, calls_at(module, line)):
        if (
            last_name(call.func) != "loads"
            or not call.args
            or call.args[0].star
            or not guards.is_repeatable(module.code(call.args[0].value))
        ):
            continue
        reason = nothing.meant(case, module, call, line)
        if reason:
            return decline(reason)
        code = module.code(call.args[0].value)
        if checks.is_guarded(module, call, code, by_none=False):
            return decline(f"the type of {code} is asked for already")
        module.replace(call, guards.conditional(module, call, f"isinstance({code}, (str, bytes, bytearray))", code))
        return finish(module, "already-parsed", f"{code} is sometimes parsed already: it is what is wanted then.")
    return decline("nothing is parsed on this line: the error comes from what it calls")


def _reduced(case: Case, module: Module, line: int) -> Proposal | Declined:
    """`reduce(f, x)` of nothing: it is done where there is something."""
    for call in calls_at(module, line):
        if last_name(call.func) != "reduce" or len(call.args) != 2 or any(arg.star for arg in call.args):
            continue
        reason = nothing.meant(case, module, call, line)
        if reason:
            return decline(reason)
        several = call.args[1].value
        if checks.is_guarded(module, call, module.code(several)):
            return decline(f"{module.code(several)} is looked at before it is reduced")
        operator, value = absent.guard(case, module, absence_of(call, several, "{}", "not {}"))
        return finish(module, operator, f"{module.code(several)} may be empty: {value.code} then, as {value.because}.")
    return decline("nothing is reduced on this line: the error comes from what it calls")


# -- texts and bytes ---------------------------------------------------------------------------------------------------


def _are_all_read(display: cst.List | cst.Tuple) -> bool:
    """Whether each part of a text is read from somewhere, and may be missing just as well as the others."""
    parts = [one.value for one in display.elements]
    return len(parts) > 1 and all(isinstance(one, cst.Attribute | cst.Subscript | cst.Name) for one in parts)


def _takes_one(call: cst.Call, name: str) -> bool:
    return last_name(call.func) == name and len(call.args) == 1 and not call.args[0].star


def _joined(case: Case, module: Module, line: int, kind: str, at: int) -> Proposal | Declined:
    """`", ".join(x)` of what are no texts; `at` is the place of the first that is none."""
    calls = [one for one in calls_at(module, line) if _takes_one(one, "join")]
    calls = decided(case, module, line, calls)
    for call in calls:
        display = call.args[0].value
        if isinstance(display, cst.List | cst.Tuple) and at < len(display.elements):
            one = display.elements[at].value
            if not isinstance(one, _WRITTEN):
                code = module.code(one)
                made = f"({code} or {module.quote * 2})" if kind == "NoneType" else f"str({code})"
                reason = nothing.meant(case, module, call, line)
                if reason:
                    return decline(reason)
                columns = isinstance(call.func, cst.Attribute) and constant(call.func.value) in (
                    ",",
                    ";",
                    "\t",
                    "|",
                    ":",
                )
                if kind == "NoneType" and _are_all_read(display) and not columns:
                    name = guards.fresh(module, "part", "one", "word")
                    left = guards.expression(f"({name} for {name} in {module.code(display)} if {name} is not None)")
                    module.replace(display, left.with_changes(lpar=[], rpar=[]))
                    return finish(module, "filter", f"{code} is sometimes None: what is not there is left out.")
                module.replace(one, guards.expression(made))
                return finish(module, "text", f"{code} is sometimes a {kind}: only texts can be joined.")
    calls = [one for one in calls if not isinstance(one.args[0].value, cst.List | cst.Tuple)]
    for call in calls[:1]:
        reason = nothing.meant(case, module, call, line)
        if reason:
            return decline(reason)
        parts = call.args[0].value
        if kind == "bytes":
            return decline("bytes among texts: in which encoding, nothing here says")
        if kind == "str":
            return texts_and_bytes.elements_encoded(module, parts)
        if isinstance(parts, cst.ListComp | cst.GeneratorExp | cst.SetComp):
            code = module.code(parts.elt)
            if kind == "NoneType" and guards.is_repeatable(code):
                guards.with_filter(module, parts, f"{guards.in_parentheses(code)} is not None")
                return finish(module, "filter", "What is None has no text: it is left out.")
            if kind != "NoneType":
                module.replace(parts.elt, guards.expression(f"str({code})"))
                return finish(module, "text", f"A {kind} is made a text before it is joined to others.")
        code = module.code(parts)
        made = f"filter(None, {code})" if kind == "NoneType" else f"map(str, {code})"
        module.replace(parts, guards.expression(made))
        words = "What is None has no text: it is left out."
        return finish(module, "filter" if kind == "NoneType" else "text", words if kind == "NoneType" else (
            f"A {kind} is made a text before it is joined to others."))  # fmt: skip
    return decline("nothing is joined on this line: the error comes from what it calls")


# -- whole numbers -----------------------------------------------------------------------------------------------------


def _whole(case: Case, module: Module, line: int, message: str) -> Proposal | Declined:
    """A number of things, or a place among them, came as a float."""
    found: list[cst.BaseExpression] = []
    if "slice" in message:
        for part in module.nodes(cst.Slice, line):
            found += [one for one in (part.lower, part.upper, part.step) if one is not None]
    elif "multiply" in message:
        for product in module.nodes(cst.BinaryOperation, line):
            if isinstance(product.operator, cst.Multiply):
                found += [
                    side for side in (product.right, product.left) if not isinstance(side, cst.List | cst.SimpleString)
                ]
    else:
        for call in decided(case, module, line, calls_at(module, line)):
            found += [arg.value for arg in call.args if not arg.star]
    plain = cst.Integer | cst.SimpleString | cst.UnaryOperation | cst.List
    found = [one for one in found if not isinstance(one, plain)]
    divided = [one for one in found if any(isinstance(each.operator, cst.Divide) for each in
               module.nodes(cst.BinaryOperation, within=one))]  # fmt: skip
    chosen = (divided or found)[:1]
    if not chosen:
        return decline("which number was no whole one cannot be told")
    one = chosen[0]
    reason = nothing.meant(case, module, one, line)
    if reason:
        return decline(reason)
    code = module.code(one)
    if code.startswith(("int(", "round(", "math.")) or "//" in code:
        return decline("it is a whole number already")
    if isinstance(one, cst.BinaryOperation) and isinstance(one.operator, cst.Divide):
        old = one.operator
        module.replace(one, one.with_changes(operator=cst.FloorDivide(old.whitespace_before, old.whitespace_after)))
        return finish(module, "floor-division", "It is a number of things: a whole one.")
    module.replace(one, guards.expression(f"int({code})"))
    return finish(module, "int", "It is a number of things: a whole one.")
