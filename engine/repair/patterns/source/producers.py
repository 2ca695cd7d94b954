"""Where a None came from: the call that gives None for nothing, a function of the file, an argument, a field."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import libcst as cst

from engine.repair.patterns.pattern import FileEdit
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module

Kind = Literal["match", "get", "search", "function", "parameter", "field", "unknown"]
DICT_METHODS = ("get", "items", "keys", "values")
_MATCH = re.compile(r"(?:^|\.)(?:match|search|fullmatch)\Z")
_GET = re.compile(r"(?:^|\.)(?:get|getenv|environ\.get)\Z")
_SEARCH = re.compile(
    r"(?:^|\.)(?:find|find_one|find_next|find_parent|find_next_sibling|find_previous|select_one|first|one_or_none|fetchone|"
    r"scalar_one_or_none|scalar|which|getmodule|get_or_none|guess_type|find_spec|currentframe|getElementById|"
    r"next_sibling|lookup|poll|get_nowait_or_none|_getexif|getexif|xpath_one|readline_or_none|gettrace|get_attribute)\Z"
)
_NEVER_NONE = re.compile(
    r"(?:sorted|list|dict|set|tuple|str|int|float|bool|bytes|open|len|sum|range|enumerate|zip|map|filter|reversed|"
    r"json\.dumps|re\.compile|re\.split|re\.findall|re\.sub|os\.listdir|Path|os\.fspath|"
    r"os\.path\.(?:join|expanduser|expandvars|abspath|realpath|normpath|normcase|basename|dirname|relpath))\Z"
)
_IN_PLACE = ("sort", "reverse", "append", "extend", "insert", "update", "clear", "add", "remove", "discard", "shuffle")


@dataclass(frozen=True, slots=True)
class Producer:
    """What gave None. `is_known`: its contract says that it does. `reason`: why nothing should be done."""

    kind: Kind
    is_known: bool = False
    words: str = ""
    reason: str | None = None


def producer_of(module: Module, subject: cst.BaseExpression) -> Producer:
    """What gave the None that `subject` is."""
    value: cst.BaseExpression | None = subject
    if isinstance(subject, cst.Subscript):
        value = subject.value if isinstance(subject.value, cst.Call) else subject
    if isinstance(subject, cst.Name):
        value = bound_to(module, subject)
        if value is None:
            function = module.function(subject)
            while function is not None:  # one of a function around this one is read just so
                names = _parameters(function)
                if subject.value in names:
                    default = names[subject.value]
                    return Producer("parameter", default is not None and module.code(default) == "None", subject.value)
                function = module.function(function)
            return Producer("unknown")
    while isinstance(value, cst.Await):
        value = value.expression
    if isinstance(value, cst.Call):
        return _call(module, value)
    if isinstance(value, cst.BooleanOperation) and isinstance(value.operator, cst.Or) and _is_something(value.right):
        code = module.code(subject)
        return Producer("unknown", reason=f"{code} is never None: the error is from before the code changed")
    if isinstance(value, cst.Attribute) and module.code(value.value) in ("self", "cls"):
        return Producer("field", words=module.code(value))
    return Producer("unknown")


def _is_something(value: cst.BaseExpression) -> bool:
    """Whether an expression is a value written out, and not None."""
    written = cst.Dict | cst.List | cst.Tuple | cst.Set | cst.SimpleString | cst.FormattedString | cst.Integer
    return isinstance(value, written)


def likeliest(module: Module, subjects: Sequence[cst.BaseExpression]) -> int:
    """Which of several expressions on a line was None (its index): what gives None by contract, then what is looked up
    or worked out at run time, then arguments and names, last a field that nothing in the class sets to None."""
    return min(range(len(subjects)), key=lambda index: (_unlikeliness(module, subjects[index]), index))


def as_likely(
    module: Module, subjects: Sequence[cst.BaseExpression], chosen: cst.BaseExpression
) -> list[cst.BaseExpression]:
    """Names and fields on the line that may have been None just as well as the one that was chosen, each once."""
    least, found = _unlikeliness(module, chosen), {module.code(chosen): chosen}
    for one in subjects:
        if isinstance(one, cst.Name | cst.Attribute) and _unlikeliness(module, one) == least:
            found.setdefault(module.code(one), one)
    return list(found.values())[1:] if isinstance(chosen, cst.Name | cst.Attribute) else []


def _unlikeliness(module: Module, subject: cst.BaseExpression) -> int:
    producer = producer_of(module, subject)
    if producer.reason:
        return 9
    if producer.is_known:
        return 0
    if isinstance(subject, cst.Call):
        return 1
    if isinstance(subject, cst.Subscript):
        return 2 if re.search(r"\[\s*['\"]", module.code(subject)) else 3  # a part of data, rather than an element
    if producer.kind == "field":
        name = re.escape(producer.words)
        return 2 if re.search(rf"{name}(?:: [^=\n]+)? = None\b", module.tree.code) else 4
    if isinstance(subject, cst.SimpleString | cst.ConcatenatedString | cst.FormattedString):
        return 9
    return 1 if isinstance(subject, cst.Name) and _begins_as_none(module, subject) else 3


def _begins_as_none(module: Module, name: cst.Name) -> bool:
    """Whether the scope binds a name to None first, and to something else only in some cases."""
    scope = module.function(name) or module.tree
    line = module.position(name).start.line
    every = intent.own_nodes(scope if isinstance(scope, cst.Module) else scope.body, cst.Assign)
    empty = [one for one in every if module.position(one).start.line < line and module.code(one.value) == "None"]
    return any(module.code(target.target) == name.value for one in empty for target in one.targets)


def _call(module: Module, call: cst.Call) -> Producer:
    name = module.code(call.func)
    flat = "".join(name.split())
    if re.search(r"(?:^|\.)(?:imread|imdecode)\Z", flat):
        return Producer("unknown", reason="cv2 gave None for an image: that is another pattern's")
    if _MATCH.search(flat):
        return Producer("match", True, f"{flat}(...)")
    if _GET.search(flat):
        if len(call.args) > 1 and module.code(call.args[1].value) != "None":
            return Producer("get", False, f"{flat}(...)")
        return Producer("get", True, f"{flat}(...)")
    if _NEVER_NONE.match(flat):
        return Producer("unknown", reason=f"{flat}(...) never gives None: the error is from before the code changed")
    own = flat.rpartition(".")[2]
    for function in module.nodes(cst.FunctionDef):
        if function.name.value == own and flat in (own, f"self.{own}", f"cls.{own}"):
            return _own_function(module, function)
    if _SEARCH.search(flat):
        return Producer("search", True, f"{flat}(...)")
    return Producer("unknown", False, f"{flat}(...)")


def _own_function(module: Module, function: cst.FunctionDef) -> Producer:
    name = function.name.value
    if intent.is_generator(function):
        return Producer("unknown")
    if not intent.returns_value(function):
        text = module.code(function.body)
        if re.search(r"\bpass\b|NotImplementedError|\.\.\.", text) or function.decorators:
            return Producer("function", False, f"{name}(...)")
        return Producer("function", False, f"{name}(...)", f"{name} returns nothing at all: a return is missing there")
    return Producer("function", True, f"{name}(...)")


def _parameters(function: cst.FunctionDef) -> dict[str, cst.BaseExpression | None]:
    every = (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)
    return {one.name.value: one.default for one in every}


def bound_to(module: Module, name: cst.Name) -> cst.BaseExpression | None:
    """What a name was bound to last before a use in its scope; None for a parameter or what cannot be seen."""
    scope = module.function(name) or module.tree
    line = module.position(name).start.line
    found: cst.BaseExpression | None = None
    for one in intent.own_nodes(scope if isinstance(scope, cst.Module) else scope.body, cst.CSTNode):  # type: ignore[type-abstract]
        if isinstance(one, cst.Assign) and module.position(one).start.line < line:
            if any(module.code(target.target) == name.value for target in one.targets):
                found = one.value
        elif (isinstance(one, cst.AnnAssign | cst.NamedExpr) and one.value is not None) and (
            module.position(one).start.line <= line and module.code(one.target) == name.value
        ):
            found = one.value
    return found


def name_for(module: Module, subject: cst.BaseExpression) -> tuple[str, ...]:
    """Names for what a call gave, likeliest first."""
    value: cst.BaseExpression = subject
    while isinstance(value, cst.Await):
        value = value.expression
    if isinstance(value, cst.Call):
        own = "".join(module.code(value.func).split()).rpartition(".")[2]
        if _MATCH.search(own):
            return ("match", "matched", "found")
        if own == "get" and value.args and isinstance(value.args[0].value, cst.SimpleString):
            key = re.sub(r"\W", "_", str(value.args[0].value.evaluated_value)).lower()
            if key.isidentifier():
                return (key, "found", "value")
        stem = re.sub(r"^(?:get|find|load|fetch|lookup|read|make|_)+_", "", own)
        if stem.isidentifier() and stem != own:
            return (stem, "found", "value")
    return ("found", "value", "result")


def without_result(module: Module, subject: cst.BaseExpression) -> Callable[[Module], FileEdit] | None:
    """`x = y.sort()`: the edit that calls the method for what it does; None where it is no such case."""
    if not isinstance(subject, cst.Name):
        return None
    value = bound_to(module, subject)
    if not (isinstance(value, cst.Call) and isinstance(value.func, cst.Attribute)):
        return None
    method, owner = value.func.attr.value, module.code(value.func.value)
    change = module.parent(value)
    if method not in _IN_PLACE or not isinstance(change, cst.Assign) or len(change.targets) != 1:
        return None
    if owner == subject.value:
        module.replace(change, cst.Expr(value))
        return Module.edit
    if method == "sort" and not value.func.lpar:
        args = [cst.Arg(value.func.value, comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))), *value.args]
        if not value.args:
            args = [cst.Arg(value.func.value)]
        module.replace(value, cst.Call(cst.Name("sorted"), args))
        return Module.edit
    return None
