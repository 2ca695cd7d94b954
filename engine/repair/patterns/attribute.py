"""AttributeError: None where an object was expected, an attribute that is optional, or a name that is misspelt.

Relies on `absent` for guards and on `members` for what a type has. None is checked where it comes from when that can be
seen, at its use otherwise. What a protocol (`__getattr__`) raises, what is caught, probed for or tested for, is left
alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.guarding import (
    absent,
    asked_again,
    callees,
    checks,
    for_nothing,
    guards,
    lasting,
    meanwhile,
    narrow_checks,
    own_fields,
    read_again,
    stand_ins,
    streams,
    walked_again,
    walked_parts,
)
from engine.repair.patterns.guarding.absence import none_of
from engine.repair.patterns.guarding.for_nothing import LEFT
from engine.repair.patterns.guarding.subscripts import constant, index_of
from engine.repair.patterns.members import dynamic_reads, lacking_symbols, optional_reads, own_members
from engine.repair.patterns.pattern import Applicability, Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, NotEditable, first_changed_line
from engine.repair.patterns.source.own_classes import TYPES
from engine.repair.patterns.source.producers import (
    DICT_METHODS,
    Producer,
    as_likely,
    likeliest,
    name_for,
    producer_of,
    without_result,
)
from engine.repair.patterns.source.python_two import fitting
from engine.repair.patterns.source.underlined import decided
from engine.repair.record import ErrorRecord

_NONE = re.compile(r"'NoneType' object has no attribute '(?P<name>\w+)'")
_MISSING = re.compile(
    r"(?:(?P<module>partially initialized module|module) '(?P<of>[\w.]+)'|type object '(?P<class>\w+)'|"
    r"'(?P<type>[\w.]+)' object) has no attribute '(?P<name>\w+)'|"
    r"^(?P<enum>(?!module\b)\w+) has no attribute '(?P<enum_name>\w+)'|\A'?(?P<bare>[A-Za-z]\w*)'?\Z"
)
_CANNOT = re.compile(
    r"can't set|can't delete|cannot (?:assign|set|delete)|no setter|read-only|has no deleter|"
    r"object attribute .* is read-only|circular import"
)
_TEXT = {
    **dict.fromkeys(
        ("strip", "lstrip", "rstrip", "lower", "upper", "title", "replace", "capitalize", "casefold"), '""'
    ),
    **dict.fromkeys(("split", "splitlines", "startswith", "endswith", "encode", "format", "isdigit", "join"), '""'),
}


class Attribute:
    """Guards attribute errors where they come from."""

    id = "attribute"
    title = "Check for None where it comes from; read optional attributes as such; correct misspelt names"

    def recognises(self, record: ErrorRecord) -> bool:
        """AttributeError that tells what was asked of what."""
        if record.type.rpartition(".")[2] not in ("AttributeError", "FrozenInstanceError"):
            return False
        if lacking_symbols.symbol(record.message):
            return True
        return bool(_NONE.search(record.message) or _MISSING.search(record.message))

    def propose(self, case: Case) -> Proposal | Declined:
        """The guard or the correction, or why there is none."""
        return fitting(case, self._propose(case))

    def _propose(self, case: Case) -> Proposal | Declined:
        message = case.records[0].message
        if _CANNOT.search(message):
            return Declined(
                self.id, "the attribute cannot be set, or the module is not loaded yet: a guard would hide it"
            )
        below = intent.raised_below(case)
        asked_for = "" if below is None else f"the attribute is asked for in {below.file}, not here"
        is_elsewhere = below is not None and below.function not in ("__getattr__", "__getattribute__")
        if is_elsewhere and not _NONE.search(message):
            return Declined(self.id, asked_for)
        opened = intent.open_module(case)
        if isinstance(opened, str):
            return Declined(self.id, opened)
        module, line = opened
        if is_elsewhere:
            try:
                return callees.propose(case, module, line, self.id, asked_for)
            except NotEditable as error:
                return Declined(self.id, error.reason)
        none = _NONE.search(message)
        missing = _MISSING.search(message)
        symbol = lacking_symbols.symbol(message)
        if symbol and (ready := lacking_symbols.by_callers(case)) is not None:
            return ready
        name = symbol or (
            none["name"] if none else (missing["name"] or missing["enum_name"] or missing["bare"]) if missing else ""
        )
        uses = _uses(module, line, name)
        if not uses and (asked := dynamic_reads.propose(case, module, line, name)) is not None:
            return asked
        if not uses:
            otherwise = f"no '.{name}' on this line: the error comes from what it calls"
            return callees.propose(case, module, line, self.id, otherwise)
        uses = sorted(decided(case, module, line, uses), key=lambda one: _is_stored(module, one))
        if not none and not symbol and all(_is_of_library(module, one, missing) for one in uses):
            return _asked_by_library(module, uses[0], name) or Declined(self.id, "the error comes from what is called")
        uses = [one for one in uses if none or not _is_of_library(module, one, missing)]
        kind = missing["type"] or "" if missing and not none else ""
        uses = [one for one in uses if kind not in TYPES or module.code(one.value) not in ("self", "cls")] or uses
        use = next((one for one in uses if none or _could_be_another(module, one)), uses[0])
        others: Sequence[str] = ()
        if none:
            open_ones = [one for one in uses if _could_be_none(module, one)] or uses
            subjects = [one.value for one in open_ones]
            use = open_ones[likeliest(module, subjects)]
            others = [module.code(one) for one in as_likely(module, subjects, use.value)]
        reason = intent.meant(case, module, use, line, "AttributeError") or _protocol(module, use)
        if reason:
            return Declined(self.id, reason)
        try:
            if none:
                return _none(case, module, use, others)
            if symbol:
                return optional_reads.optional(case, module, use, symbol, module.code(use.value))
            if missing is None:
                raise NotEditable("the code is set out as nobody would expect")
            return own_members.propose(case, module, use, missing)
        except NotEditable as error:
            return Declined(self.id, error.reason)


def _uses(module: Module, line: int, name: str) -> list[cst.Attribute]:
    found = [one for one in module.nodes(cst.Attribute, line) if one.attr.value == name]
    innermost = module.statement(line)
    if not found and isinstance(innermost, cst.SimpleStatementLine):
        found = [one for one in module.nodes(cst.Attribute, within=innermost) if one.attr.value == name]
    if innermost is not None:
        start = module.position(innermost).start.line
        inside = [one for one in found if module.position(one).start.line >= start]
        found = inside or found
    exact = [one for one in found if module.position(one).start.line <= line <= module.position(one).end.line]
    return [one for one in exact or found if _is_at(module, one, line)]


def _is_stored(module: Module, one: cst.Attribute) -> bool:
    """Whether an attribute is given a value: what is on the right of it is read first."""
    return isinstance(module.parent(one), cst.AssignTarget)


def _is_of_library(module: Module, one: cst.Attribute, missing: re.Match[str] | None) -> bool:
    """Whether what is called is a module's, where the error speaks of an object."""
    call = module.parent(one)
    of_object = missing is not None and bool(missing["type"]) and missing["type"] != "module"
    is_called = isinstance(call, cst.Call) and call.func is one and len(call.args) > 0
    name = one.value.value if isinstance(one.value, cst.Name) else ""
    return of_object and is_called and name.islower() and name in module.imported


def _asked_by_library(module: Module, use: cst.Attribute, name: str) -> Proposal | None:
    """`numbers.shape(x)`, which asks `x` for the attribute of its own name: it is called where `x` has it."""
    call = module.parent(use)
    if not (isinstance(call, cst.Call) and call.func is use and len(call.args) == 1 and not call.args[0].star):
        return None
    given = module.code(call.args[0].value)
    if not guards.is_repeatable(given) or not lasting.lasts(module, call, "None"):
        return None
    good = f"hasattr({given}, {module.quote}{name}{module.quote})"
    module.replace(call, guards.conditional(module, call, good, "None"))
    edit = module.edit()
    why = f"{module.code(use)} asks {given} for its '{name}', which not every object has."
    return Proposal("attribute", "hasattr", (edit,), first_changed_line(edit), "review", why)


def _is_at(module: Module, one: cst.Attribute, line: int) -> bool:
    """A compound statement's body is not at its header's line."""
    statement = module.nearest(one, cst.SimpleStatementLine)
    return statement is None or module.position(statement).start.line <= line


def _could_be_none(module: Module, use: cst.Attribute) -> bool:
    if walked_parts.is_part(module, use.value):
        return False
    return not checks.is_guarded(module, use, module.code(use.value)) and module.code(use.value) not in ("self", "cls")


def _could_be_another(module: Module, use: cst.Attribute) -> bool:
    """Whether nothing says that an object is of a type that has the attribute: it is asked for its type nowhere."""
    return not checks.is_guarded(module, use, module.code(use.value), by_none=False)


def _protocol(module: Module, use: cst.Attribute) -> str | None:
    function = module.function(use)
    name = function.name.value if function else ""
    if name in ("__getattr__", "__getattribute__", "__setattr__", "__delattr__", "__get__", "__set__"):
        return f"{name} means the error: it is how Python asks"
    return None


def _none(case: Case, module: Module, use: cst.Attribute, others: Sequence[str]) -> Proposal | Declined:
    subject = use.value
    code = module.code(subject)
    if code in ("self", "cls"):
        return Declined("attribute", "self is not None: the error comes from elsewhere")
    if module.qualified(subject) in ("sys.stdout", "sys.stderr", "sys.stdin"):
        return Declined("attribute", f"{code} is None where there is no console: the other streams are too, all over")
    lost = without_result(module, subject)
    if lost is not None:
        edit = lost(module)
        why = f"'{code}' is None because the method it was taken from changes in place and returns nothing."
        return Proposal("attribute", "in-place-method", (edit,), first_changed_line(edit), "review", why)
    producer = producer_of(module, subject)
    if producer.reason:
        return Declined("attribute", producer.reason)
    if narrow_checks.counts_as_nothing(module, use, subject):
        edit = module.edit()
        why = f"{code} gets its plain value where it is None, too."
        return Proposal("attribute", "stronger-check", (edit,), first_changed_line(edit), "review", why)
    absence = none_of(use, subject, name_for(module, subject), others)
    if absent.is_handled(module, absence):
        left = meanwhile.answered(module, use, subject, "AttributeError")
        if left is None:
            return Declined("attribute", f"{code} is checked before it is used")
        edit = module.edit()
        why = f"{code} is there when it is looked at, and may be gone when it is used: {left} then, too."
        return Proposal("attribute", "caught", (edit,), first_changed_line(edit), "review", why)
    if narrow_checks.asks_for_any(module, use, subject):
        edit = module.edit()
        why = f"{code} alone may be None: the check in front asks for that, too."
        return Proposal("attribute", "stronger-check", (edit,), first_changed_line(edit), "review", why)
    if walked_again.is_without_none(module, subject):
        return Declined("attribute", f"{code} is never None: it is left out of what is walked through")
    if walked_again.leave_out_none(module, subject):
        edit = module.edit()
        why = f"Some of what is walked through is None, and it is walked through again: {code} is left out."
        return Proposal("attribute", "filter", (edit,), first_changed_line(edit), "review", why)
    if (given := stand_ins.default_given(module, subject)) is not None:
        edit = module.edit()
        why = f"{code} may be there and be None: {given}, its own default, serves then."
        return Proposal("attribute", "or-empty", (edit,), first_changed_line(edit), "review", why)
    if own_fields.is_filled(module, subject):
        return Declined("attribute", f"{code} is given an empty value where there is nothing")
    shared = stand_ins.at_producer(module, subject)
    if shared is None and use.attr.value in DICT_METHODS:
        shared = own_fields.filled(module, subject, "{}")
    if shared is not None:
        edit = module.edit()
        why = f"{producer.words or code} is None where there is nothing; {shared} serves all its uses."
        return Proposal("attribute", "or-empty", (edit,), first_changed_line(edit), "review", why)
    if (stream := streams.usual(module, use)) is not None:
        edit = module.edit()
        why = f"Where no {code} is given, what is written goes to {stream}."
        return Proposal("attribute", "default-stream", (edit,), first_changed_line(edit), "review", why)
    if walked_parts.none_of_nothing(module, use, name_for(module, subject)):
        edit = module.edit()
        why = f"{producer.words or code} is None where there is nothing: it has no parts then."
        return Proposal("attribute", "conditional", (edit,), first_changed_line(edit), "review", why)
    if asked_again.read_as_empty(module, use):
        edit = module.edit()
        why = f"{producer.words or code} is None where there is nothing: each condition reads it as an empty text then."
        return Proposal("attribute", "or-empty", (edit,), first_changed_line(edit), "review", why)
    empty = _empty(case, module, use, producer)
    if empty is not None:
        operator = _instead(module, subject, empty)
        edit = module.edit()
        why = f"{producer.words or code} gives None where there is nothing; {empty} has the same methods."
        return Proposal("attribute", operator, (edit,), first_changed_line(edit), "review", why)
    if stand_ins.parts_of_record(module, use):
        edit = module.edit()
        why = "A part of a record may be there and be None: it has no text then, and the others are as good as ever."
        return Proposal("attribute", "or-empty", (edit,), first_changed_line(edit), "review", why)
    operator, value = absent.guard(case, module, absence)
    edit = read_again.guarded(case, module, absence, module.edit())
    edit = read_again.alike(case, module, absence, edit)
    is_contract = producer.is_known and not others and producer.kind in ("match", "get", "search")
    is_contract = is_contract and not asked_again.is_asked_again(module, use, subject)
    sure: Applicability = "safe" if is_contract and _is_sure(operator, value) else "review"
    why = f"{producer.words or code} is None where there is nothing: {value.code} then, as {value.because}."
    return Proposal("attribute", operator, (edit,), first_changed_line(edit), sure, why)


def _is_sure(operator: str, value: for_nothing.Value) -> bool:
    """Whether the code itself says what is to be given: that a round, or the rest, may be left out, it does not."""
    is_told = value.strength == "told" and value.code not in LEFT
    return is_told and operator in ("guard-producer", "guard-use", "conditional", "test")


def _empty(case: Case, module: Module, use: cst.Attribute, producer: Producer) -> str | None:
    """An empty stand-in on which the same method gives what is wanted; None where a check is better."""
    name = use.attr.value
    call = module.parent(use)
    if not (isinstance(call, cst.Call) and call.func is use):
        return None
    if name in DICT_METHODS and producer.kind == "get":
        return "{}"
    if name == "get" and call.args and (_is_part_of_data(module, use.value) or _has_default(module, call)):
        return "{}"
    if name in ("items", "keys", "values") and isinstance(module.parent(call), cst.For | cst.CompFor):
        return "{}"
    if name in ("append", "extend", "add", "update") and producer.kind == "get" and isinstance(use.value, cst.Call):
        return {"append": "[]", "extend": "[]", "add": "set()", "update": "{}"}[name]
    if name not in _TEXT:
        return None
    if isinstance(use.value, cst.BooleanOperation) and isinstance(use.value.operator, cst.Or):
        return '""'
    if name in ("split", "rsplit") and call.args and _converts(module, call):
        return None  # an empty text has one part, and that is no number
    function = module.function(use)
    if function is None or not intent.returns_value(function):
        return '""' if producer.kind == "get" and isinstance(module.parent(call), cst.For | cst.CompFor) else None
    value = for_nothing.given_for_nothing(case, module, function, "None")
    if value.code in ('""', "''") and value.strength != "guessed":
        return '""'
    if isinstance(module.parent(call), cst.For | cst.CompFor):
        return '""'
    if value.strength != "told" and name in ("startswith", "endswith", "isdigit"):
        return '""' if producer.kind == "get" else None
    return None


def _has_default(module: Module, call: cst.Call) -> bool:
    """`x.get("k", 0)`: what is given for nothing is written there."""
    plain = len(call.args) == 2 and not any(one.star or one.keyword for one in call.args)
    owner = call.func.value if isinstance(call.func, cst.Attribute) else call
    return plain and isinstance(constant(call.args[0].value), str) and guards.is_repeatable(module.code(owner))


def _is_part_of_data(module: Module, subject: cst.BaseExpression) -> bool:
    """`data["part"]`, which is null in the data where there is no such part."""
    index = index_of(subject) if isinstance(subject, cst.Subscript) else None
    return index is not None and isinstance(constant(index), str) and guards.is_repeatable(module.code(subject))


def _converts(module: Module, call: cst.Call) -> bool:
    """Whether each part of a text is made a number, or taken apart."""
    around = module.parent(call)
    if not isinstance(around, cst.For | cst.CompFor):
        return False
    names = {one.value for one in module.nodes(cst.Name, within=around.target)}
    whole = around if isinstance(around, cst.For) else module.parent(around)
    for one in module.nodes(cst.Call, within=whole):
        if module.code(one.func) in ("int", "float") and names & guards.names_of(module.code(one)):
            return True
    return any(
        guards.names_of(module.code(one.value)) & names and not isinstance(one.slice[0].slice, cst.Slice)
        for one in module.nodes(cst.Subscript, within=whole)
    )


def _instead(module: Module, subject: cst.BaseExpression, empty: str) -> str:
    """`x.get(k).append(v)` keeps what is appended; anything else reads from an empty stand-in."""
    around = module.parent(subject)
    name = around.attr.value if isinstance(around, cst.Attribute) else ""
    if (
        isinstance(subject, cst.Call)
        and isinstance(subject.func, cst.Attribute)
        and name in ("append", "extend", "add", "update")
    ):
        args = [subject.args[0].with_changes(comma=cst.MaybeSentinel.DEFAULT), cst.Arg(cst.parse_expression(empty))]
        func = subject.func.with_changes(attr=cst.Name("setdefault"))
        module.replace(subject, subject.with_changes(func=func, args=args))
        return "setdefault"
    if empty == '""' and module.code(module.tree).count("'") > module.code(module.tree).count('"'):
        empty = "''"
    if isinstance(subject, cst.BooleanOperation) and isinstance(subject.operator, cst.Or):
        bare = subject.with_changes(lpar=[], rpar=[])
        chain = cst.BooleanOperation(bare, cst.Or(), guards.expression(empty), lpar=subject.lpar, rpar=subject.rpar)
        module.replace(subject, chain)
        return "or-empty"
    inner = guards.expression(f"({module.code(subject)} or {empty})")
    if not isinstance(inner, cst.BooleanOperation):
        raise NotEditable("the code is set out as nobody would expect")
    module.replace(subject, inner.with_changes(left=subject))
    return "or-empty"


PATTERN = Attribute()
