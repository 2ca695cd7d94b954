"""The error of its own with which a function refuses what does not fit, where it has one.

A function that raises one kind of error, in words, wherever what it was given is not right, says by that what it does
where something is missing. Relies on LibCST alone.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import for_nothing, guards, lasting, result_uses
from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.guarding.for_nothing import Value
from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source import wording
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import docstring, own_nodes
from engine.repair.patterns.source.producers import bound_to
from engine.repair.patterns.source.syntax import last_name

_ALIEN = (
    *(
        "NotImplementedError",
        "StopIteration",
        "StopAsyncIteration",
        "SystemExit",
        "KeyboardInterrupt",
        "AssertionError",
    ),
    *("RuntimeError", "Exception", "OSError", "IOError", "FileNotFoundError", "ImportError", "TimeoutError"),
)
_ASKING = re.compile(r"_|(?:get|find|is|has|can|lookup|search|match|peek|current|last|first|next)(?:_|\Z)")
_GENERIC = re.compile(r"found|match|mo?|res(?:ult)?|ret|value|val|out|obj|item|x|tmp|data")
_OF_PLACES = re.compile(
    r"(?i)(?:\A|_)(?:\w*path|\w*dir|folder|home|root|file|filename|url|uri|host|address|token|key)(?:_|\Z)"
)
_TEXTS = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString, cst.BinaryOperation)


def own_error(
    module: Module, absence: Absence, line: cst.SimpleStatementLine, value: Value | None
) -> tuple[str, str] | None:
    """(the error's name, its words as source); None where the function gives something for nothing, or refuses in
    several ways, or where the round of a loop can be left out."""
    function = module.function(line)
    if function is None or value is None or value.strength != "guessed" or value.code != "None":
        return None
    if guards.loop_around(module, line) is not None:
        return None
    if any(isinstance(one, cst.Arg) and one.keyword is not None for one in module.ancestors(absence.use)):
        return None  # one part of many, which can do without it
    kinds = set()
    for one in own_nodes(function.body, cst.Raise):
        if one.exc is None or module.nearest(one, cst.ExceptHandler) is not None:
            continue
        call = one.exc
        if not (isinstance(call, cst.Call) and len(call.args) == 1 and isinstance(call.args[0].value, _TEXTS)):
            return None
        kinds.add(module.code(call.func))
    if len(kinds) != 1 or last_name(cst.parse_expression(kind := kinds.pop())) in _ALIEN:
        return None
    code = module.code(absence.subject)
    words = missing(module, code) if absence.is_none else None
    return kind, words or wording.formatted(module, "not as expected", code)


def needed(case: Case, module: Module, function: cst.FunctionDef, value: Value) -> bool:
    """Whether what uses a function needs an object of it, where nothing says what it gives for nothing: a decorator
    has to give what takes the place of what it decorates, and a caller may fail with whatever is empty."""
    if value.strength != "guessed" or value.code != "None":
        return False
    name = function.name.value
    given = [one.name.value for one in function.params.params if one.name.value not in ("self", "cls_")]
    decorates = given[:1] in (["cls"], ["klass"], ["func"], ["fn"]) and module.nearest(function, cst.ClassDef) is None
    used = any(module.code(one.decorator).partition("(")[0] == name for one in module.nodes(cst.Decorator))
    if used or (decorates and "decorator" in (docstring(function) or "")):
        return True
    if _hands_through(module, function):
        return True
    return for_nothing.is_needed_by_callers(case, function) or result_uses.needed(case, module, function) is not None


def by_callers(case: Case, module: Module, function: cst.FunctionDef, value: Value) -> Value:
    """The empty value that all callers of a function can go on with, where nothing else says what it gives."""
    if value.strength != "guessed" or value.code != "None" or function.name.value in ("__init__", "main"):
        return value
    if any(one.value is not None and module.code(one.value) == "self" for one in own_nodes(function.body, cst.Return)):
        return Value("self", "typed", f"it is what {function.name.value} returns elsewhere")
    taken = result_uses.needed(case, module, function)
    if taken == '""' and _OF_PLACES.search(function.name.value):
        return value
    return Value(taken, "guessed", f"what calls {function.name.value} goes on with it") if taken else value


def _hands_through(module: Module, function: cst.FunctionDef) -> bool:
    """Whether a method does nothing but have a part of its object do what its own name says, `return self.part.draw()`
    in `draw`: without the part there is nothing that could do it. What only asks for something may find nothing."""
    name = function.name.value
    if _ASKING.match(name) or docstring(function) is None:
        return False
    body = [one for one in function.body.body if not (isinstance(one, cst.SimpleStatementLine) and _is_text(one))]
    line = body[0] if len(body) == 1 else None
    only = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    call = only.value if isinstance(only, cst.Return) else None
    if not isinstance(call, cst.Call) or last_name(call.func) != name or not isinstance(call.func, cst.Attribute):
        return False
    return module.code(call.func.value).startswith("self.")


def _is_text(line: cst.SimpleStatementLine) -> bool:
    small = line.body[0]
    return isinstance(small, cst.Expr) and isinstance(small.value, cst.SimpleString | cst.ConcatenatedString)


def missing(module: Module, code: str, subject: cst.BaseExpression | None = None) -> str:
    """The words for what is not there, as source; a name that says nothing is told by what it was bound to."""
    if isinstance(subject, cst.Name) and _GENERIC.fullmatch(code):
        value = bound_to(module, subject)
        if isinstance(value, cst.Call):
            return quoted(module, f"{module.code(value.func)} found nothing")
    return quoted(module, f"{code} is missing")


def quoted(module: Module, words: str) -> str:
    """Words as the source of a text in one line, in the file's quotation marks, or else in the others."""
    flat = " ".join(words.split())
    other = "'" if module.quote == '"' else '"'
    mark = other if module.quote in flat and other not in flat else module.quote
    return f"{mark}{flat}{mark}" if mark not in flat and "\\" not in flat else f"{mark}{plain(flat)}{mark}"


def must_be_there(
    case: Case,
    module: Module,
    absence: Absence,
    line: cst.SimpleStatementLine,
    whole: cst.BaseExpression,
    value: Value | None,
    exit_code: str | None,
) -> bool:
    """Whether nothing can take the place of what is missing: not in what is built here, nor in what comes of it."""
    function = module.function(line)
    if function is None or value is None or not guards.is_unconditional(module, whole):
        return False
    if guards.loop_around(module, line) is not None or not isinstance(line.body[0], cst.Assign | cst.Return):
        return False
    if exit_code is None:
        is_made = function.name.value in ("__init__", "__new__", "__post_init__")
        lasts = lasting.lasts(module, whole, absence.element) or lasting.fitting(module, whole) is not None
        return is_made and not lasts
    return exit_code == "return None" and needed(case, module, function, value)


def raised_beside(module: Module, absence: Absence, line: cst.SimpleStatementLine) -> str | None:
    """The `raise` with which a check in front of the line, in the same `try`, hands what is missing to the handler; its
    words say what is missing here. None where there is none."""
    block = module.parent(line)
    around = module.parent(block) if block is not None else None
    if not (isinstance(block, cst.IndentedBlock) and isinstance(around, cst.Try) and around.body is block):
        return None
    caught = " ".join(module.code(one.type) for one in around.handlers if one.type is not None)
    for one in reversed(list(block.body)[: list(block.body).index(line)]):
        last = one.body.body[-1] if isinstance(one, cst.If) and len(one.body.body) == 1 else None
        small = last.body[0] if isinstance(last, cst.SimpleStatementLine) else None
        call = small.exc if isinstance(small, cst.Raise) else None
        if not isinstance(call, cst.Call) or last_name(call.func) not in caught or not call.args:
            continue
        words = call.args[-1]
        if not isinstance(words.value, cst.SimpleString):
            return None
        said = cst.SimpleString(f"{module.quote}{plain(module.code(absence.subject))} is missing{module.quote}")
        args = [*call.args[:-1], words.with_changes(value=said)]
        return f"raise {module.code(call.with_changes(args=args))}"
    return None


def plain(code: str) -> str:
    """Source as words of a message: in one line, without quotation marks and braces."""
    return "".join(one for one in " ".join(code.split()) if one not in "\"'\\{}")
