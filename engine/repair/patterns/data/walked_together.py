"""`zip(names, sizes)` where one of them is None: all that may have been are read as empty, and one that is left out by
default is None beside each of the others, where what is done with its elements allows for that."""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.data import nothing
from engine.repair.patterns.data.mismatch import finish
from engine.repair.patterns.guarding import checks, guards, lasting
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import as_likely, producer_of


def propose(case: Case, module: Module, line: int, subject: cst.BaseExpression) -> Proposal | Declined | None:
    """The edit where `subject`, the likeliest to have been None, is walked through beside others; None where a guard
    of it alone serves."""
    arg = module.parent(subject)
    call = module.parent(arg) if isinstance(arg, cst.Arg) else None
    if not isinstance(call, cst.Call) or module.code(call.func) != "zip" or len(call.args) < 2:
        return None
    given = [one.value for one in call.args]
    code = module.code(subject)
    if nothing.meant(case, module, call, line) or checks.is_guarded(module, call, code):
        return None
    producer = producer_of(module, subject)
    others = [one for one in given if one is not subject and isinstance(one, cst.Name)]
    if producer.kind == "parameter" and producer.is_known and others:
        at = given.index(subject)
        if not _takes_none(module, call, at):
            return None
        made = guards.expression(f"{code} if {code} is not None else [None] * len({module.code(others[0])})")
        module.replace(subject, made)
        return finish(module, "or-empty", f"{code} is None by default: it is None beside each of the others then.")
    open_ones = [one for one in as_likely(module, given, subject)
                 if not checks.is_guarded(module, call, module.code(one))]  # fmt: skip
    if not open_ones or not all(guards.is_repeatable(module.code(one)) for one in (subject, *open_ones)):
        return None
    for one in (subject, *open_ones):  # any of them may be an array at other times, which is neither true nor false
        own = module.code(one)
        module.replace(one, guards.expression(f"{own} if {own} is not None else ()"))
    return finish(module, "or-empty", "One of what is walked through together is None: each is read as empty then.")


def _takes_none(module: Module, call: cst.Call, at: int) -> bool:
    """Whether the name that a loop over a `zip` gives to one of the elements may be None."""
    loop = module.parent(call)
    function = module.function(call)
    if not isinstance(loop, cst.For) or not isinstance(loop.target, cst.Tuple) or function is None:
        return False
    targets = [one.value for one in loop.target.elements]
    target = targets[at] if at < len(targets) else None
    if not isinstance(target, cst.Name):
        return False
    return lasting.reads_last(module, function, target.value, module.position(call).end.line, "None")
