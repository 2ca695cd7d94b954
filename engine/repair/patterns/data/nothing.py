"""None where data were expected: what stands in for it, or the guard in front of what needs it.

Relies on `producers` for where it came from, on `stand_ins` and `absent` for the edit. `type_mismatch`, `operands` and
`arguments` find what failed, and hand it over.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.data.mismatch import decline
from engine.repair.patterns.guarding import (
    absent,
    asked_again,
    checks,
    guards,
    narrow_checks,
    own_fields,
    read_again,
    stand_ins,
    taken_apart,
    walked_again,
)
from engine.repair.patterns.guarding.absence import none_of
from engine.repair.patterns.guarding.for_nothing import LEFT
from engine.repair.patterns.pattern import Applicability, Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, NotEditable, first_changed_line
from engine.repair.patterns.source.producers import name_for, producer_of, without_result


def meant(case: Case, module: Module, node: cst.CSTNode, line: int) -> str | None:
    """Why a TypeError is meant to be raised at a node; None where nothing says so."""
    reason = intent.meant(case, module, node, line, "TypeError")
    if reason:
        return reason
    function = module.function(node)
    if function is not None and function.name.value in ("__getitem__", "__class_getitem__", "__missing__"):
        return f"{function.name.value} means the error"
    return None


def guarded(
    case: Case,
    module: Module,
    line: int,
    use: cst.BaseExpression,
    subject: cst.BaseExpression,
    empty: str | None = None,
    *,
    first: Sequence[str] = (),
    is_contract_sure: bool = False,
) -> Proposal | Declined:
    """Let `subject`, which was None, be checked before `use` needs it; `empty` stands in for it where one is given.
    `first`: what it is read from, as source, which may have been None as well.

    `is_contract_sure`: what gives None by contract, and a value that the code itself tells, make the proposal safe.
    Raises NotEditable.
    """
    reason = meant(case, module, use, line)
    if reason:
        return decline(reason)
    code = module.code(subject)
    lost = without_result(module, subject)
    if lost is not None:
        edit = lost(module)
        why = f"'{code}' is None: the method it was taken from changes in place and returns nothing."
        return Proposal("type-mismatch", "in-place-method", (edit,), first_changed_line(edit), "review", why)
    producer = producer_of(module, subject)
    if producer.reason:
        return decline(producer.reason)
    if narrow_checks.counts_as_nothing(module, use, subject):
        return _finish(module, "stronger-check", f"{code} gets its plain value where it is None, too.")
    absence = none_of(use, subject, name_for(module, subject), first=first)
    if absent.is_handled(module, absence):
        return decline(f"{code} is checked before it is used")
    if own_fields.is_filled(module, subject):
        return decline(f"{code} is given an empty value where there is nothing")
    if narrow_checks.is_set(module, use, subject):
        return decline(f"{code} gets a default where it is None")
    if narrow_checks.asks_for_any(module, use, subject):
        return _finish(module, "stronger-check", f"{code} alone may be None: the check in front asks for that, too.")
    if narrow_checks.widened(module, subject):
        return _finish(module, "stronger-check", f"{code} gets its default where it is None, too.")
    if walked_again.is_without_none(module, subject):
        return decline(f"{code} is never None: it is left out of what is walked through")
    if walked_again.leave_out_none(module, subject):
        return _finish(module, "filter", f"Some of what is walked through is None: {code} is left out of it.")
    if (given := stand_ins.default_given(module, subject)) is not None:
        return _finish(module, "or-empty", f"{code} may be there and be None: {given}, its own default, serves then.")
    shared = stand_ins.at_producer(module, subject)
    if shared is not None:
        return _finish(module, "or-empty", f"{producer.words or code} is None where there is nothing: {shared} serves.")
    if empty is not None:
        more = stand_ins.made_for_more(module, subject)
        if more is None and (served := own_fields.filled(module, subject, empty)) is not None:
            return _finish(module, "or-empty", f"{code} is None where there was nothing: {served} serves all its uses.")
        if more is not None:
            empty = stand_ins.empty_for(module, more[1]) or empty
            made = guards.expression(f"{guards.in_parentheses(module.code(more[0]))} or {empty}")
            module.replace(more[0], made)
        else:
            stand_in(module, subject, empty)
            for other in _walked_alike(module, subject):
                stand_in(module, other, empty)
        why = f"{producer.words or code} is None where there is nothing: it is read as empty."
        return _finish(module, "or-empty", why)
    if use is subject and (each := taken_apart.each_nothing(module, subject)) is not None:
        return _finish(module, "or-empty", f"{producer.words or code} is None where there is nothing: {each} then.")
    operator, value = absent.guard(case, module, absence)
    told = value.strength == "told" and value.code not in LEFT
    told = told and operator in ("guard-producer", "guard-use", "conditional", "test")
    is_contract = producer.is_known and producer.kind in ("match", "get", "search")
    is_contract = is_contract and not asked_again.is_asked_again(module, use, subject)
    sure: Applicability = "safe" if is_contract_sure and told and is_contract else "review"
    why = f"{producer.words or code} is None where there is nothing: {value.code} then, as {value.because}."
    edit = read_again.guarded(case, module, absence, module.edit())
    edit = read_again.alike(case, module, absence, edit)
    return Proposal("type-mismatch", operator, (edit,), first_changed_line(edit), sure, why)


def _walked_alike(module: Module, subject: cst.BaseExpression) -> list[cst.BaseExpression]:
    """What else the statement walks through by the same key: `b["items"]` beside `a["items"]`."""
    line = module.nearest(subject, cst.SimpleStatementLine)
    if line is None or not isinstance(subject, cst.Subscript) or not isinstance(module.parent(subject), cst.CompFor):
        return []
    key = module.code(subject.slice[0])
    walked = [one.iter for one in module.nodes(cst.CompFor, within=line) if one.iter is not subject]
    like = [one for one in walked if isinstance(one, cst.Subscript) and module.code(one.slice[0]) == key]
    return [one for one in like if not checks.is_guarded(module, one, module.code(one))]


def read_from(case: Case, module: Module, subject: cst.BaseExpression) -> list[str]:
    """What a subject is read from that may have been None just as well, outermost first: of `a["b"]["c"]`, `a` and
    `a["b"]` where `a["b"]["c"]` is the subject. What is known by now, by a check or an earlier use, is left out."""
    found: list[str] = []
    if case.frame.columns is not None or not guards.is_repeatable(module.code(subject)):
        return found
    owner = subject.value if isinstance(subject, cst.Subscript) else None
    while isinstance(owner, cst.Subscript | cst.Name | cst.Attribute):
        code = module.code(owner)
        if code in ("self", "cls") or producer_of(module, owner).reason or checks.is_guarded(module, owner, code):
            break
        if _is_needed_before(module, owner, code):
            break
        found.insert(0, code)
        owner = owner.value if isinstance(owner, cst.Subscript) else None
    return found


def _is_needed_before(module: Module, node: cst.CSTNode, code: str) -> bool:
    """Whether a statement above that is always run would have failed already if this were None."""
    inner: cst.CSTNode = node
    for around in module.ancestors(node):
        if isinstance(around, cst.FunctionDef):
            break
        if isinstance(around, cst.IndentedBlock):
            for before in around.body:
                if before is inner:
                    break
                asked = before if isinstance(before, cst.SimpleStatementLine) else getattr(before, "test", None)
                for one in module.nodes(cst.Subscript, within=asked) if asked is not None else ():
                    if module.code(one.value) == code and guards.is_unconditional(module, one):
                        return True
        inner = around
    return False


def stand_in(module: Module, subject: cst.BaseExpression, empty: str) -> None:
    """Put `subject or empty` in the place of a subject. Raises NotEditable."""
    made = guards.expression(f"({stand_ins.instead(module, module.code(subject), empty)})")
    around = module.parent(subject)
    if isinstance(made, cst.IfExp):
        bare = isinstance(around, cst.Arg | cst.AugAssign) and not getattr(around, "star", "")
        module.replace(subject, made.with_changes(lpar=[], rpar=[]) if bare else made)
        return
    if not isinstance(made, cst.BooleanOperation):
        raise NotEditable("the code is set out as nobody would expect")
    if isinstance(around, cst.For | cst.CompFor | cst.Arg | cst.AugAssign) and not getattr(around, "star", ""):
        made = made.with_changes(lpar=[], rpar=[])
    left = subject
    if isinstance(subject, cst.IfExp | cst.Lambda) and not subject.lpar:
        left = subject.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    module.replace(subject, made.with_changes(left=left))


def _finish(module: Module, operator: str, why: str, sure: Applicability = "review") -> Proposal:
    edit = module.edit()
    return Proposal("type-mismatch", operator, (edit,), first_changed_line(edit), sure, why)
