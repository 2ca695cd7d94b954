"""An attribute that is handed on from one object to another, or deleted, where not every object has it."""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import guards, lasting
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
        if owners[1] == "self" and _is_unset_else(module, only, target):
            return _with_default(module, use, name)
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


def _is_unset_else(module: Module, change: cst.Assign, target: cst.Attribute) -> bool:
    """Whether an object has an attribute of its own from a statement of `__init__` alone: nothing else gives it one in
    front of it."""
    function, own = module.function(change), module.nearest(change, cst.ClassDef)
    if function is None or own is None or function.name.value != "__init__":
        return False
    line, code = module.position(change).start.line, module.code(target)
    before = [one for one in module.nodes(cst.AssignTarget, within=own) if module.position(one).start.line < line]
    return not any(module.code(one.target) in (code, target.attr.value) for one in before)


def _with_default(module: Module, use: cst.Attribute, name: str) -> Proposal | None:
    """`self.name = getattr(x, "name", False)`: what reads it in the class finds something it can do with."""
    own, source = module.nearest(use, cst.ClassDef), module.code(use.value)
    if own is None or not guards.is_repeatable(source):
        return None
    reads = [
        one
        for one in module.nodes(cst.Attribute, within=own)
        if module.code(one) == f"self.{name}" and not isinstance(module.parent(one), cst.AssignTarget | cst.Del)
    ]
    asked = cst.If | cst.While | cst.IfExp | cst.UnaryOperation | cst.BooleanOperation
    if reads and all(isinstance(module.parent(one), asked) for one in reads):
        default = "False"
    else:
        fitting = [one for one in lasting.CHOICES if all(lasting.lasts(module, read, one) for read in reads)]
        if not fitting:
            return None
        default = fitting[0]
    quote = quote_of(module, use)
    module.replace(use, guards.expression(f"getattr({source}, {quote}{name}{quote}, {default})"))
    edit = module.edit()
    why = f"Not every {source} has '{name}': {default} then, which what reads it can use."
    return Proposal("attribute", "getattr", (edit,), first_changed_line(edit), "review", why)
