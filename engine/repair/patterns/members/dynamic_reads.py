"""`getattr(thing, name)`: an attribute whose name is worked out, and that not every object has.

Relies on `lasting` for what can be given instead. Every proposal is for review.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import absent, checks, lasting
from engine.repair.patterns.guarding.subscripts import absence_of, constant
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, first_changed_line
from engine.repair.patterns.source.underlined import decided


def propose(case: Case, module: Module, line: int, name: str) -> Proposal | Declined | None:
    """The read of an attribute as one that may be missing; None where no such read is on the line."""
    reads = [one for one in module.nodes(cst.Call, line) if module.code(one.func) == "getattr" and len(one.args) == 2]
    reads = [one for one in reads if not any(arg.star or arg.keyword for arg in one.args)]
    reads = [one for one in reads if constant(one.args[1].value) in (..., name)]
    reads = decided(case, module, line, reads)
    if len(reads) != 1:
        return None
    read = reads[0]
    function = module.function(read)
    if function is not None and function.name.value in ("__getattr__", "__getattribute__", "__get__"):
        return None
    reason = intent.meant(case, module, read, line, "AttributeError")
    if reason:
        return Declined("attribute", reason)
    source, wanted = module.code(read.args[0].value), module.code(read.args[1].value)
    asked = f"hasattr({{}}, {wanted})"
    if checks.is_guarded(module, read, f"hasattr({source}, {wanted})"):
        return Declined("attribute", "the code asks whether the attribute is there")
    if lasting.lasts(module, read, "None"):
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        args = [read.args[0], read.args[1].with_changes(comma=comma), cst.Arg(cst.Name("None"))]
        module.replace(read, read.with_changes(args=args))
        edit = module.edit()
        why = f"Not every object has what {wanted} names: None where it is missing."
        return Proposal("attribute", "getattr", (edit,), first_changed_line(edit), "review", why)
    absence = absence_of(read, read.args[0].value, asked, f"not {asked}")
    operator, value = absent.guard(case, module, absence)
    edit = module.edit()
    why = f"Not every object has what {wanted} names: {value.code} then, as {value.because}."
    return Proposal("attribute", operator, (edit,), first_changed_line(edit), "review", why)
