"""An attribute that is handed on from one object to another, or deleted, where not every object has it."""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.members.of_modules import quote_of
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source.edit import Module, first_changed_line


def propose(module: Module, use: cst.Attribute, name: str) -> Proposal | None:
    """`del x.name`, and `y.name = x.name`: it is done where the attribute is there; None for anything else."""
    line = guards.statement_line(module, use)
    only = line.body[0] if line is not None else None
    owners = [module.code(use.value)]
    if isinstance(only, cst.Assign) and only.value is use and len(only.targets) == 1:
        target = only.targets[0].target
        if not isinstance(target, cst.Attribute) or target.attr.value != name:
            return None
        owners.append(module.code(target.value))
    elif not (isinstance(only, cst.Del) and only.target is use):
        return None
    owners = [one for one in owners if one != "self" or isinstance(only, cst.Del)]
    if line is None or not all(map(guards.is_repeatable, owners)):
        return None
    quote = quote_of(module, use)
    guards.under(module, line, " and ".join(f"hasattr({one}, {quote}{name}{quote})" for one in owners))
    edit = module.edit()
    why = f"Not every {' or '.join(owners)} has '{name}': it is left alone then."
    return Proposal("attribute", "hasattr", (edit,), first_changed_line(edit), "review", why)
