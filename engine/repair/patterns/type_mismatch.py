"""A dict read as a list, a list as a dict, a key or an element that is not there, None where there were data.

Relies on `absent` for guards and `shapes` for what a value was. `.get` is used only where its None or its default is
handled after it; a key that must be there (settings, registries, arguments) goes on raising.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.data import (
    arguments,
    array_places,
    defaults_taken,
    iterables,
    keys,
    not_data,
    nothing,
    operands,
    shapes,
    stages,
    unsubscriptable,
    walked_together,
)
from engine.repair.patterns.guarding import callees
from engine.repair.patterns.guarding.subscripts import subscripts
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.producers import bound_to, likeliest, producer_of
from engine.repair.patterns.source.python_two import fitting
from engine.repair.patterns.source.underlined import decided, underlined
from engine.repair.record import ErrorRecord

_INDICES = re.compile(
    r"(?P<kind>list|tuple|string|str|byte|bytearray|range) (?:indices|index) must be (?:integers|an integer)"
    r"(?: or slices)?(?:, not '?(?P<was>[\w.]+)'?)?"
)
_SUBSCRIPT = re.compile(r"'(?P<type>[\w.]+)' object is not subscriptable")
_NOT_ITERABLE = re.compile(
    r"'NoneType' object is not iterable|argument of type 'NoneType' is not (?:iterable|a container)|"
    r"object of type 'NoneType' has no len\(\)|'NoneType' object does not support item assignment|"
    r"cannot unpack non-iterable NoneType object|can only join an iterable|'NoneType' object is not reversible|"
    r"'NoneType' object is not callable|object NoneType can't be used in 'await' expression|"
    r"'NoneType' object (?:does not|doesn't) support item deletion"
)
_NOT_FOUND = ("cannot be told from this line", "cannot be told", "comes from what it calls", "what was meant")
MOST_LINES = 40  # of a statement that are looked at
_ITERATING = ("list", "tuple", "set", "sorted", "sum", "max", "min", "enumerate", "zip", "map", "any", "all")
_NEVER_NONE = (
    *("list", "tuple", "set", "frozenset", "sorted", "enumerate", "zip", "map", "filter", "range", "str", "reversed"),
)
_OUT_OF_RANGE = re.compile(
    r"index (?:is )?out of range|pop from (?:an )?empty (?:list|deque)|pop index out of range|"
    r"is out of bounds for (?:axis|dimension)|positional indexer is out-of-bounds|choose from an empty sequence"
)


class TypeMismatch:
    """Reads data as what they were."""

    id = "type-mismatch"
    title = "Read lists, dicts and JSON as what they were"

    def recognises(self, record: ErrorRecord) -> bool:
        """TypeError of subscripts and None, KeyError, IndexError."""
        kind = record.type.rpartition(".")[2]
        if kind == "TypeError":
            told = any(one.search(record.message) for one in (_INDICES, _SUBSCRIPT, _NOT_ITERABLE))
            told = told or stages.HELD.search(record.message) is not None
            return told or any(one.recognised(record.message) for one in (operands, arguments, iterables, not_data))
        if kind == "IndexError":
            return bool(_OUT_OF_RANGE.search(record.message)) or array_places.recognised(record.message)
        return kind == "KeyError"

    def propose(self, case: Case) -> Proposal | Declined:
        """The access that fits, or why there is none."""
        return fitting(case, self._propose(case))

    def _propose(self, case: Case) -> Proposal | Declined:
        record = case.records[0]
        if record.type.rpartition(".")[2] == "KeyError":
            if (given := defaults_taken.given_by_caller(case)) is not None:
                return given
            case = intent.outward(case) or case
        opened = intent.open_module(case)
        if isinstance(opened, str):
            return Declined(self.id, opened)
        module, line = opened
        kind = record.type.rpartition(".")[2]
        own = intent.is_own_key(case) if kind == "KeyError" else kind == "TypeError" and _is_own_argument(case, module)
        own = own or "choose from an empty sequence" in record.message  # what it was given, was empty
        if kind == "TypeError" and not_data.recognised(record.message):
            try:
                return not_data.propose(case, module, line, record.message)
            except NotEditable as error:
                return Declined(self.id, error.reason)
        if intent.raised_below(case) is not None and not own:
            otherwise = "the error comes from inside a library: its data, not this line's, do not fit"
            if kind == "TypeError" and "NoneType" not in record.message:
                return Declined(self.id, otherwise)
            try:
                return callees.propose(case, module, line, self.id, otherwise)
            except NotEditable as error:
                return Declined(self.id, error.reason)
        try:
            if kind == "IndexError" and array_places.recognised(record.message):
                found = array_places.propose(case, module, line)
            elif kind in ("KeyError", "IndexError"):
                found = keys.propose(case, module, line, kind)
            else:
                found = _at_any_line(case, module, line, record.message)
        except NotEditable as error:
            return Declined(self.id, error.reason)
        return found


def _is_own_argument(case: Case, module: Module) -> bool:
    statement = module.statement(case.line)
    simple = isinstance(statement, cst.SimpleStatementLine)
    return intent.is_own_argument(case, module.code(statement) if simple and statement is not None else case.frame.code)


def _at_any_line(case: Case, module: Module, line: int, message: str) -> Proposal | Declined:
    """The edit for the line that failed, else for another line of its statement: Python up to 3.7 names the first."""
    first = _of_type(case, module, line, message)
    statement = module.statement(line)
    if (
        isinstance(first, Proposal)
        or case.frame.columns is not None
        or not isinstance(statement, cst.SimpleStatementLine)
    ):
        return first
    where = module.position(statement)
    if line != where.start.line or not first.reason.endswith(_NOT_FOUND):
        return first
    for other in range(line + 1, min(where.end.line, line + MOST_LINES) + 1):
        try:
            found = _of_type(case, Module(case.path, case.source), other, message)
        except NotEditable:
            continue
        if isinstance(found, Proposal):
            return found
    return first


def _of_type(case: Case, module: Module, line: int, message: str) -> Proposal | Declined:
    if stages.HELD.search(message):
        return stages.held(case, module, line)
    indices, subscript = _INDICES.search(message), _SUBSCRIPT.search(message)
    if _NOT_ITERABLE.search(message) or (subscript and subscript["type"] == "NoneType"):
        return _none(case, module, line, message)
    if not indices and not subscript:
        return _of_use(case, module, line, message)
    every = subscripts(module, line)
    failed = underlined(case, module, line, every)
    if failed is not None:  # with the others that read the same thing, which fail just so
        base = module.code(failed.value)
        every = [failed, *(one for one in every if one is not failed and module.code(one.value) == base)]
    if not every:
        return Declined("type-mismatch", "nothing on this line is subscripted: the error comes from what it calls")
    reason = nothing.meant(case, module, every[0], line)
    if reason:
        return Declined("type-mismatch", reason)
    if indices:
        return shapes.wrong_index(case, module, every, indices["kind"], indices["was"] or "str")
    return unsubscriptable.no_subscript(case, module, every, subscript["type"] if subscript else "")


def _of_use(case: Case, module: Module, line: int, message: str) -> Proposal | Declined:
    """What was done with a value is not what values of its type take."""
    if operands.recognised(message):
        return operands.propose(case, module, line, message)
    if iterables.recognised(message):
        return iterables.propose(case, module, line, message, _walked)
    return arguments.propose(case, module, line, message)


def _none(case: Case, module: Module, line: int, message: str) -> Proposal | Declined:
    pair = _none_use(case, module, line, message)
    if pair is None:
        return Declined("type-mismatch", "what was None cannot be told from this line")
    use, subject = pair
    if isinstance(use, cst.Call) and use.func is subject:
        passed = stages.passed_by(case, module, line, use)
        if passed is not None:
            return passed
    together = walked_together.propose(case, module, line, subject) if "iterable" in message else None
    if together is not None:
        return together
    first = nothing.read_from(case, module, subject) if "subscriptable" in message else ()
    empty = _empty(module, use, subject)
    return nothing.guarded(case, module, line, use, subject, empty, first=first, is_contract_sure=True)


def _none_use(
    case: Case, module: Module, line: int, message: str
) -> tuple[cst.BaseExpression, cst.BaseExpression] | None:
    """What failed on None, and the expression that was None."""
    if "'await'" in message:
        waits = decided(case, module, line, module.nodes(cst.Await, line))
        return (waits[0], waits[0].expression) if len(waits) == 1 else None
    if "subscriptable" in message or "item assignment" in message or "item deletion" in message:
        every = [one for one in subscripts(module, line) if _may_be_none(module, one.value)]
        is_read = "subscriptable" in message  # what is assigned to fails with other words
        every = [one for one in every if isinstance(module.parent(one), cst.AssignTarget) != is_read]
        if not every:
            return None
        every = decided(case, module, line, every)
        chosen = every[likeliest(module, [one.value for one in every])]
        return chosen, chosen.value
    if "callable" in message:
        asked = [one for one in module.nodes(cst.Call, line) if _may_be_nothing_to_call(module, one.func)]
        asked = decided(case, module, line, asked)
        return (asked[0], asked[0].func) if len(asked) == 1 or (asked and _is_default(module, asked[0].func)) else None
    if "len()" in message:
        calls = [one for one in module.nodes(cst.Call, line) if module.code(one.func) == "len" and one.args]
        calls = decided(case, module, line, calls)
        return (calls[0], calls[0].args[0].value) if calls else None
    if "argument of type" in message:
        asking = [
            one
            for one in module.nodes(cst.Comparison, line)
            if any(isinstance(target.operator, cst.In | cst.NotIn) for target in one.comparisons)
        ]
        for one in decided(case, module, line, asking)[:1]:
            target = next(each for each in one.comparisons if isinstance(each.operator, cst.In | cst.NotIn))
            return one, target.comparator
        return None
    if "unpack" in message:
        changes = module.nodes(cst.Assign, line)
        return (changes[0].value, changes[0].value) if changes else None
    walked = _walked(case, module, line) or _taken_apart(module, line) or _added(module, line)
    return (walked, walked) if walked is not None else None


def _taken_apart(module: Module, line: int) -> cst.BaseExpression | None:
    """What several names are bound to at once."""
    for one in module.nodes(cst.Assign, line):
        if len(one.targets) == 1 and isinstance(one.targets[0].target, cst.Tuple | cst.List):
            return one.value
    return None


def _added(module: Module, line: int) -> cst.BaseExpression | None:
    """What a list is made longer by."""
    for one in module.nodes(cst.AugAssign, line):
        if isinstance(one.operator, cst.AddAssign | cst.BitOrAssign) and _may_be_none(module, one.value):
            return one.value
    return None


def _walked(case: Case, module: Module, line: int) -> cst.BaseExpression | None:
    """What a line iterates over."""
    calls = [
        one
        for one in module.nodes(cst.Call, line)
        if (given := _iterated_by(module, one)) is not None and _may_be_none(module, given)
    ]
    iterated = [loop.iter for loop in module.nodes(cst.CompFor, line)]
    iterated += [loop.iter for loop in module.nodes(cst.For, line)]
    loops = [one for one in iterated if module.position(one).start.line <= line <= module.position(one).end.line]
    loops = [one for one in loops if _may_be_none(module, one) and producer_of(module, one).reason is None]
    call = underlined(case, module, line, calls)
    walked = underlined(case, module, line, loops) or next(iter(loops), None)
    if (call is not None or walked is None) and calls:
        walked = _iterated_by(module, call or calls[0])
    return walked


def _may_be_nothing_to_call(module: Module, func: cst.BaseExpression) -> bool:
    """Whether what is called may be None: a parameter, what a call gave, or a field that is no method of the class."""
    if isinstance(func, cst.Name):
        bound = bound_to(module, func)
        looked_up = isinstance(bound, cst.Call) and bool(re.search(r"\bget(?:attr)?\(", module.code(bound)))
        return looked_up or producer_of(module, func).kind == "parameter"
    if not isinstance(func, cst.Attribute):
        return False
    own = module.nearest(func, cst.ClassDef)
    if own is None or module.code(func.value) not in ("self", "cls"):
        return _is_hook(func.attr.value)
    return not any(one.name.value == func.attr.value for one in module.nodes(cst.FunctionDef, within=own))


def _is_default(module: Module, func: cst.BaseExpression) -> bool:
    """Whether what is called is None by default: a parameter, or a field that the class sets to None."""
    if isinstance(func, cst.Name):
        producer = producer_of(module, func)
        return producer.kind == "parameter" and producer.is_known
    own = module.nearest(func, cst.ClassDef)
    if own is None or not isinstance(func, cst.Attribute):
        return False
    plain = re.compile(rf"(?:self\.)?{re.escape(func.attr.value)}(?:: [^=\n]+)? = None\b")
    return plain.search(module.code(own)) is not None


def _is_hook(name: str) -> bool:
    """Whether a field's name says that somebody else's function stands in it."""
    return re.search(r"(?:^|_)(?:on|callback|cb|hook|handler|func|fn|func|factory|listener)(?:_|\Z)", name) is not None


def _iterated_by(module: Module, call: cst.Call) -> cst.BaseExpression | None:
    """The argument that a call iterates over; None for a call that is not known to do so."""
    name = module.code(call.func)
    if name == "zip" and call.args and not any(arg.star for arg in call.args):
        given = [arg.value for arg in call.args if arg.keyword is None]
        return given[likeliest(module, given)]
    if name in _ITERATING and call.args:
        return call.args[-1 if name == "map" else 0].value
    if name.endswith((".extend", ".join", ".update", ".writelines", ".writerows")) and call.args:
        return call.args[0].value
    return None


def _may_be_none(module: Module, value: cst.BaseExpression) -> bool:
    if isinstance(value, cst.List | cst.Dict | cst.Tuple | cst.SimpleString | cst.FormattedString | cst.BaseComp):
        return False
    if isinstance(value, cst.Call) and module.code(value.func) in _NEVER_NONE:
        return False
    return module.code(value) not in ("self", "cls", "sys.argv", "os.environ")


def _empty(module: Module, use: cst.BaseExpression, subject: cst.BaseExpression) -> str | None:
    around = module.parent(use)
    if use is subject:
        if isinstance(around, cst.For | cst.CompFor):
            return "()"
        if isinstance(around, cst.AugAssign):
            return "[]" if isinstance(around.operator, cst.AddAssign) else "{}"
        if isinstance(around, cst.Arg):
            call = module.parent(around)
            if isinstance(call, cst.Call) and module.code(call.func) in ("max", "min"):
                return None
            return "()"
        return None
    if isinstance(use, cst.Comparison):
        return None
    if isinstance(use, cst.Call) and use.func is not subject:
        return "()"
    return None


PATTERN = TypeMismatch()
