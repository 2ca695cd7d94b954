"""KeyError on JSON-like data: a default where it is handled, a check where it is not. IndexError is `elements`'s.

A key that must be there goes on raising: settings, registries, arguments, enumerations, what is caught or tested for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.data import begun_records, elements, environment, key_methods, looked_up, other_reads
from engine.repair.patterns.data.key_defaults import LISTS, default_for, held, only, takes_none
from engine.repair.patterns.data.key_defaults import alike as beside
from engine.repair.patterns.data.required_keys import must_be_there
from engine.repair.patterns.guarding import absent, for_nothing, guards, read_again
from engine.repair.patterns.guarding.lasting import adds_text
from engine.repair.patterns.guarding.subscripts import absence_of, constant, index_of, is_walked_key, subscripts
from engine.repair.patterns.pattern import Applicability, Case, Declined, Proposal
from engine.repair.patterns.source import handlers, intent
from engine.repair.patterns.source.edit import Module, NotEditable, first_changed_line
from engine.repair.patterns.source.producers import bound_to
from engine.repair.patterns.source.underlined import underlined

_COUNTS = re.compile(
    r"\A(?:i|j|k|n|idx|ind|index|row|col|column|pos|position|at|\w*(?:_idx|_index))\Z|"
    r"(?:\.row|\.column|index|len|int)\([^()]*\)\Z|[-+] ?\d+\Z"
)
_TEXT = re.compile(r"\.(?:decode|lower|upper|strip|title|format|replace|name)\b|\Astr\(|\Af['\"]")


def propose(case: Case, module: Module, line: int, kind: str) -> Proposal | Declined:
    """The access that fits, or why there is none."""
    if kind == "KeyError":
        return _key(case, module, line)
    return elements.propose(case, module, line)


def _decline(reason: str) -> Declined:
    return Declined("type-mismatch", reason)


def _finish(module: Module, operator: str, why: str, sure: Applicability = "review") -> Proposal:
    edit = module.edit()
    return Proposal("type-mismatch", operator, (edit,), first_changed_line(edit), sure, why)


def _sure(operator: str, value: for_nothing.Value) -> Applicability:
    """Safe only where the code itself says what is given for nothing."""
    is_told = value.strength == "told" and value.code not in ("continue", "return", "nothing")
    return "safe" if is_told and operator == "conditional" else "review"


# -- keys --------------------------------------------------------------------------------------------------------------


def _key(case: Case, module: Module, line: int) -> Proposal | Declined:
    message = case.records[0].message.strip()
    try:
        key: object = ast.literal_eval(message)
    except (ValueError, SyntaxError):
        key = message
    every = subscripts(module, line)
    told = underlined(case, module, line, every)
    every = [told] if told is not None else every
    exact = [one for one in every if (index := index_of(one)) is not None and constant(index) == key]
    others = [
        one for one in every if (index := index_of(one)) is not None and constant(index) is ... and _may_be(index, key)
    ]
    stored = [one for one in (*exact, *others) if not _is_stored(module, one)]
    if not stored:
        return key_methods.propose(case, module, line)
    stored = [one for one in stored if not other_reads.is_looked_for(module, one)] or stored
    stored = [one for one in stored if not is_walked_key(module, one)] or stored
    exact = [one for one in exact if one in stored]
    use = _missing(module, stored, key) if not exact else stored[0]
    reason = intent.meant(case, module, use, line, "KeyError") or must_be_there(module, use, key)
    if reason:
        return _decline(reason)
    index = index_of(use)
    if index is None:
        raise NotEditable("the code is set out as nobody would expect")
    base, code = module.code(use.value), module.code(index)
    if other_reads.is_looked_for(module, use):
        return _decline("the key is looked for before it is read")
    alike: list[cst.Subscript] = []
    if not exact and isinstance(module.parent(use), cst.BaseComp):
        here = [one for one in stored[1:] if module.code(one.value) == base]
        alike = [one for one in here if isinstance(module.parent(one), cst.BaseComp)]
    return _missing_key(case, module, use, base, code, key, alike)


def _missing(module: Module, reads: Sequence[cst.Subscript], key: object) -> cst.Subscript:
    """Which of several keys that are worked out is missing: of `data[row[field]]` the outer one where it is no word."""
    if isinstance(key, str):  # no place in a list is a word
        reads = [one for one in reads if not _COUNTS.search(module.code(_inside(one)))] or reads
    first = reads[0]
    if isinstance(key, str) and not _TEXT.search(module.code(_inside(first))):
        first = next((one for one in reads if _TEXT.search(module.code(_inside(one)))), first)
    if isinstance(key, str) and key.isidentifier():
        return first
    for one in reads[1:]:
        index = index_of(one)
        if index is not None and first in module.nodes(cst.Subscript, within=index):
            return one
    return first


def _may_be(index: cst.BaseExpression, key: object) -> bool:
    """Whether an index that is worked out may have come to a key: text that is put together has to fit it."""
    if not isinstance(index, cst.FormattedString):
        return not isinstance(index, cst.Integer | cst.SimpleString)
    parts = [one.value if isinstance(one, cst.FormattedStringText) else None for one in index.parts]
    wanted = "".join(".*" if one is None else re.escape(one) for one in parts)
    return isinstance(key, str) and re.fullmatch(wanted, key, re.S) is not None


def _is_stored(module: Module, one: cst.Subscript) -> bool:
    return isinstance(module.parent(one), cst.AssignTarget)


def _missing_key(
    case: Case,
    module: Module,
    use: cst.Subscript,
    base: str,
    code: str,
    key: object,
    alike: Sequence[cst.Subscript] = (),
) -> Proposal | Declined:
    """The edit for one key; `alike` are others on the line that may have been the missing one just as well."""
    if handlers.tells(module, use, "KeyError"):
        return _finish(module, "handler", f"{base} has not always {code}: the handler around it tells of that, too.")
    around = module.parent(use)
    if isinstance(around, cst.Del) or isinstance(module.parent(around) if around else None, cst.Del):
        return _deleted(module, use, base, code, intent.is_own_key(case))
    if isinstance(around, cst.AugAssign) and around.target is use:
        return _counted(case, module, around, use, base, code)
    if isinstance(around, cst.Attribute) and around.attr.value in (*LISTS, "add", "update", "setdefault"):
        empty = {"add": "set()", "update": "{}", "setdefault": "{}"}.get(around.attr.value, "[]")
        _call(module, use, "setdefault", empty)
        return _finish(module, "setdefault", f"{base} gets {empty} for a key that it has not seen yet.")
    if isinstance(around, cst.Subscript) and _is_stored(module, around):
        _call(module, use, "setdefault", "{}")
        return _finish(module, "setdefault", f"{base} gets an empty dict for a key that it has not seen yet.")
    if isinstance(around, cst.Subscript) and around.value is use and isinstance(constant(_inside(around)), str):
        return _chain(case, module, use, base, code)
    both = _compared(module, use, code)
    if both is not None:
        return both
    if (refused := looked_up.refused(case, module, use)) is not None:
        return refused
    if (usual := environment.usual(module, use, key)) is not None:
        _call(module, use, "get", usual)
        return _finish(module, "get", f"Not every system sets {code}: {usual} then.")
    if (name := other_reads.earlier(module, use)) is not None:
        behind = [
            (one, other_reads.earlier_or_default(case, module, one, key))
            for one in other_reads.reads_behind(module, use)
        ]
        if all(given is not None for _one, given in behind):
            for one, given in ((use, name), *behind):
                _call(module, one, "get", given or "")
            return _finish(module, "get", f"{base} has not always {code}: {name} stays what it is then.")
    if (kept_in := held(module, use)) is not None:
        _call(module, use, "setdefault", kept_in)
        return _finish(module, "setdefault", f"{base} gets {kept_in} for a key that it has not seen yet.")
    default = default_for(case, module, use, key)
    together = other_reads.in_statement(module, use)
    if default is None and together:
        given_there = (default_for(case, module, one, key) for one in together)
        default = next((one for one in given_there if one is not None and one[0] in ("[]", "{}")), None)
    again = [(one, default_for(case, module, one, key)) for one in other_reads.reads_behind(module, use)]
    is_held = default is not None and default[0] in ("[]", "{}", "set()")
    if default is not None and (is_held or all(given is not None for _one, given in again)):
        given, told = default
        if given in ("[]", "{}", "set()") and other_reads.is_read_again(module, use):
            _call(module, use, "setdefault", given)
            return _finish(module, "setdefault", f"{base} gets {given} for a key that it has not seen yet.")
        _call(module, use, "get", given)
        for later, its in again:
            if its is not None:
                _call(module, later, "get", its[0])
        held_there = together if given in ("[]", "{}") else []
        alike = [*alike, *held_there, *other_reads.others_in_chain(module, use, base), *beside(module, use)]
        for other in alike:
            _call(module, other, "get", given)
        sure: Applicability = "safe" if told and given and guards.is_repeatable(base) else "review"
        return _finish(
            module, "get", f"{base} has not always {code}: {given or 'None'} then, which what follows can use.", sure
        )
    absence = absence_of(use, use.value, f"{code} in {{}}", f"{code} not in {{}}")
    operator, value = absent.guard(case, module, absence)
    sure = _sure(operator, value)
    why = f"{base} has not always {code}: {value.code} then, as {value.because}."
    asked = (f"{code} in {base}", f"{code} not in {base}")
    edit = read_again.guarded(case, module, absence, module.edit(), asked)
    return Proposal("type-mismatch", operator, (edit,), first_changed_line(edit), sure, why)


def _deleted(module: Module, use: cst.Subscript, base: str, code: str, is_own: bool) -> Proposal | Declined:
    """What an object of many keys is to lose may be gone already; what a caller gave must have what is written out."""
    owner = use.value
    if is_own and isinstance(owner, cst.Name) and bound_to(module, owner) is not None:
        line = guards.statement_line(module, use)
        if line is not None:
            guards.under(module, line, f"{code} in {base}")
            return _finish(module, "guard-use", f"{base} may be without {code}: then there is nothing to delete.")
    if not ("." in base or "[" in base) and constant(only(use)) is not ...:
        return _decline("what is deleted must be there")
    if not guards.is_repeatable(f"{base}[{code}]"):
        return _decline("what is deleted is worked out by a call")
    whole = module.parent(use)
    if isinstance(whole, cst.Del):
        made = guards.expression(f"{base}.pop({code}, None)")
        module.replace(whole, cst.Expr(made))
        return _finish(module, "pop", f"{code} may be gone from {base} already: then there is nothing to delete.")
    return _decline("several things are deleted at once")


def _compared(module: Module, use: cst.Subscript, code: str) -> Proposal | None:
    """`a["k"] != b["k"]` in a condition: either may lack the key, and what is not there is not compared."""
    around = module.parent(use)
    test = module.parent(around) if isinstance(around, cst.ComparisonTarget) else around
    if (counted := _counts_compared(module, test, code)) is not None:
        return counted
    if not (isinstance(test, cst.Comparison) and len(test.comparisons) == 1) or not isinstance(
        module.parent(test), cst.If | cst.While | cst.CompIf | cst.BooleanOperation
    ):
        return None
    sides = [test.left, test.comparisons[0].comparator]
    reads = [one for one in sides if isinstance(one, cst.Subscript) and module.code(only(one)) == code]
    owners = [module.code(one.value) for one in reads]
    if len(set(owners)) != 2 or not all(map(guards.is_repeatable, (*owners, code))):
        return None
    good = " and ".join(f"{code} in {owner}" for owner in owners)
    module.replace(test, guards.joined(module, test, good, "and"))
    return _finish(module, "test", f"{' or '.join(owners)} has not always {code}: what is not there is not compared.")


def _counts_compared(module: Module, test: cst.CSTNode | None, code: str) -> Proposal | None:
    """`more = a["votes"] > b["votes"]`: who has none, has 0 of them."""
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1 or isinstance(module.parent(test), cst.If):
        return None
    order = cst.LessThan | cst.LessThanEqual | cst.GreaterThan | cst.GreaterThanEqual
    sides = [test.left, test.comparisons[0].comparator]
    reads = [one for one in sides if isinstance(one, cst.Subscript) and module.code(only(one)) == code]
    if len(reads) != 2 or not isinstance(test.comparisons[0].operator, order) or not for_nothing.NUMBER.search(code):
        return None
    for one in reads:
        _call(module, one, "get", "0")
    return _finish(module, "get", f"Either may be without {code}: 0 then.")


def _inside(one: cst.Subscript) -> cst.BaseExpression:
    return index_of(one) or cst.Name("x")


def _call(module: Module, use: cst.Subscript, method: str, default: str) -> None:
    index = index_of(use)
    if index is None:
        raise NotEditable("the code is set out as nobody would expect")
    args = [cst.Arg(index)]
    if default:
        args = [
            cst.Arg(index, comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))),
            cst.Arg(guards.expression(default)),
        ]
    made = cst.Call(cst.Attribute(use.value, cst.Name(method)), args, lpar=use.lpar, rpar=use.rpar)
    module.replace(use, made)


def _goes_when_empty(module: Module, line: cst.SimpleStatementLine, base: str, code: str) -> bool:
    """Whether a key is deleted once it counts nothing: what is not there counts nothing already."""
    block = module.parent(line)
    if not isinstance(block, cst.IndentedBlock):
        return False
    later = list(block.body)[list(block.body).index(line) + 1 :]
    return any(module.code(one) in (f"del {base}[{code}]", f"{base}.pop({code})") for each in later
               for one in module.nodes(cst.BaseSmallStatement, within=each))  # type: ignore[type-abstract]  # fmt: skip


def _counted(
    case: Case, module: Module, change: cst.AugAssign, use: cst.Subscript, base: str, code: str
) -> Proposal | Declined:
    value = module.code(change.value)
    if isinstance(change.operator, cst.AddAssign) and (
        isinstance(change.value, cst.BinaryOperation) and adds_text(module, change.value.left)
    ):
        value = module.code(change.value)
        inner = guards.expression(f"{base}.get({code}, {module.quote}{module.quote}) + {value}")
        module.replace(change, cst.Assign([cst.AssignTarget(use)], inner))
        return _finish(module, "get", f"{base} begins with an empty text for a key that it has not seen yet.")
    zero = "[]" if value.startswith("[") else '""' if value[:1] in "'\"f" and value[-1:] in "'\"" else "0"
    operator = module.code(change.operator).strip().rstrip("=")
    if not guards.is_repeatable(f"{base}[{code}]"):
        return _decline("the key is worked out by a call: it cannot be read and written by itself")
    line = module.nearest(change, cst.SimpleStatementLine)
    if operator == "-" and line is not None and _goes_when_empty(module, line, base, code):
        absence = absence_of(use, use.value, f"{code} in {{}}", f"{code} not in {{}}")
        way, given = absent.guard(case, module, absence)
        return _finish(module, way, f"{base} has not always {code}: {given.code} then, as {given.because}.")
    inner = guards.expression(f"{base}.get({code}, {zero}) {operator} {guards.in_parentheses(value)}")
    if operator in ("+", "-", "|"):
        inner = guards.expression(f"{base}.get({code}, {zero}) {operator} {value}")
    module.replace(change, cst.Assign([cst.AssignTarget(use)], inner))
    return _finish(module, "get", f"{base} counts from {zero} for a key that it has not seen yet.")


def _chain(case: Case, module: Module, use: cst.Subscript, base: str, code: str) -> Proposal | Declined:
    """`data["a"]["b"]`: each level that may be missing read by `.get`."""
    levels = [use]
    while True:
        around = module.parent(levels[-1])
        if (
            isinstance(around, cst.Subscript)
            and around.value is levels[-1]
            and isinstance(constant(_inside(around)), str)
        ):
            levels.append(around)
        else:
            break
    last = levels[-1]
    is_changed = isinstance(module.parent(last), cst.AugAssign | cst.AssignTarget)
    default = None if is_changed else default_for(case, module, last, constant(_inside(last)))
    ending = default[0] if default is not None else ""
    if is_changed and begun_records.begin(module, use):
        return _finish(
            module, "setdefault", f"{base} begins with a record of zeros for a key that it has not seen yet."
        )
    if default is None and (not takes_none(module, last) or isinstance(module.parent(last), cst.Return)):
        absence = absence_of(use, use.value, f"{code} in {{}}", f"{code} not in {{}}")
        operator, value = absent.guard(case, module, absence)
        return _finish(module, operator, f"{base} has not always {code}: {value.code} then, as {value.because}.")
    made: cst.BaseExpression = use.value
    for one in levels:
        empty = ending if one is last else "{}"
        args = [cst.Arg(_inside(one))]
        if empty:
            args = [
                cst.Arg(_inside(one), comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))),
                cst.Arg(guards.expression(empty)),
            ]
        made = cst.Call(cst.Attribute(made, cst.Name("get")), args)
    module.replace(last, made.with_changes(lpar=last.lpar, rpar=last.rpar))
    return _finish(module, "get", f"{base} has not always {code}: {ending or 'None'} then, which what follows can use.")
