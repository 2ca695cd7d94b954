"""A key or an element that is taken out by a method: `options.pop("x")`, `names.remove(one)`; and texts made by keys.

Relies on `absent` for guards. Every proposal is for review.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.data import defaults_taken, texts_of_keys
from engine.repair.patterns.data.key_defaults import takes_none
from engine.repair.patterns.data.mismatch import decline, finish
from engine.repair.patterns.guarding import absent, callees, guards, lasting
from engine.repair.patterns.guarding.subscripts import absence_of, constant
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module


def _removals_beside(module: Module, call: cst.Call) -> list[cst.Call]:
    """The same thing removed from other sets right behind a removal: what is gone from one may be gone from all."""
    line = module.nearest(call, cst.SimpleStatementLine)
    block = module.parent(line) if line is not None else None
    if line is None or not isinstance(block, cst.IndentedBlock | cst.Module):
        return []
    found: list[cst.Call] = []
    for one in list(block.body)[list(block.body).index(line) + 1 :]:
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        other = small.value if isinstance(small, cst.Expr) else None
        if not (isinstance(other, cst.Call) and isinstance(other.func, cst.Attribute)):
            break
        same = [module.code(arg.value) for arg in other.args] == [module.code(arg.value) for arg in call.args]
        owner = re.match(r"[\w.]+", module.code(other.func.value))
        own = re.escape(owner[0]) if owner else "(?!)"
        is_set = re.search(rf"{own}\b[^=\n]*=[^=\n]*\b(?:set\b|Set\b|\{{\w)", module.text)
        if other.func.attr.value != "remove" or not same or not is_set:
            break
        found.append(other)
    return found


def _goes_on_with_none(module: Module, call: cst.Call) -> bool:
    """`x = options.pop("x")` out of what a caller gave, where all that is done with the name can be done with None."""
    change = module.parent(call)
    owner = call.func.value if isinstance(call.func, cst.Attribute) else None
    if not isinstance(change, cst.Assign) or not isinstance(owner, cst.Name):
        return False  # what a part of the data lacks is not left open by whoever asked
    if not isinstance(constant(call.args[0].value), str):
        return False
    return guards.loop_around(module, call) is None and lasting.lasts(module, call, "None")


def propose(case: Case, module: Module, line: int) -> Proposal | Declined:
    """The call that takes what is not there as well, or why there is none. Raises NotEditable."""
    for call in module.nodes(cst.Call, line):
        if not (isinstance(call.func, cst.Attribute) and len(call.args) == 1 and not call.args[0].star):
            continue
        method = call.func.attr.value
        reason = intent.meant(case, module, call, line, "KeyError")
        alone = isinstance(module.parent(call), cst.Expr)
        if method == "remove" and alone:
            if reason:
                return decline(reason)
            for other in (call, *_removals_beside(module, call)):
                if isinstance(other.func, cst.Attribute):
                    func = other.func.with_changes(attr=cst.Name("discard"))
                    module.replace(other, other.with_changes(func=func))
            return finish(module, "discard", "What is not in the set need not be removed.")
        if method == "pop" and (alone or takes_none(module, call) or _goes_on_with_none(module, call)):
            if reason:
                return decline(reason)
            first = call.args[0].with_changes(comma=cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")))
            module.replace(call, call.with_changes(args=[first, cst.Arg(cst.Name("None"))]))
            return finish(module, "pop", "What is not in the dict need not be taken out.")
        if method == "pop" and guards.is_repeatable(module.code(call.func.value)):
            if reason:
                return decline(reason)
            key = module.code(call.args[0].value)
            absence = absence_of(call, call.func.value, f"{key} in {{}}", f"{key} not in {{}}")
            operator, value = absent.guard(case, module, absence)
            return finish(module, operator, f"{key} is not always there: {value.code} then, as {value.because}.")
    if (told := texts_of_keys.propose(case, module, line)) is not None:
        return told
    if (told := defaults_taken.given(case, module, line)) is not None:
        return told
    otherwise = "no key is read on this line: the error comes from what it calls"
    return callees.propose(case, module, line, "type-mismatch", otherwise)
