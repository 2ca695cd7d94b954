"""Conditions that stand one behind the other and ask the same object for its attributes in the same form.

Where one of the attributes is optional, so are the others: each condition asks whether there is something to do for it.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import checks, lasting
from engine.repair.patterns.source.edit import Module


def beside(module: Module, use: cst.Attribute) -> list[cst.Attribute]:
    """The attributes that the neighbours of the `if` around a use ask for, `if x.b is not None:` for `x.a`."""
    around = module.nearest(use, cst.If)
    block = module.parent(around) if around is not None else None
    if around is None or not isinstance(block, cst.IndentedBlock | cst.Module):
        return []
    form = _form(module, around, use.attr.value, use)
    if form is None:
        return []
    found: list[cst.Attribute] = []
    for one in list(block.body)[list(block.body).index(around) + 1 :]:
        asked = _asked(module, one, module.code(use.value)) if isinstance(one, cst.If) else None
        if asked is None or not isinstance(one, cst.If) or _form(module, one, asked.attr.value, asked) != form:
            break
        found.append(asked)
    return [one for one in found if one.attr.value != use.attr.value]


def _asked(module: Module, one: cst.If, owner: str) -> cst.Attribute | None:
    every = [each for each in module.nodes(cst.Attribute, within=one.test) if module.code(each.value) == owner]
    return every[0] if len(every) == 1 else None


def _form(module: Module, around: cst.If, name: str, use: cst.Attribute) -> str | None:
    """A whole `if` with `_` in place of an attribute's name; None where the use is not in its test, or it goes on in
    another branch."""
    if around.orelse is not None or use not in module.nodes(cst.Attribute, within=around.test):
        return None
    code = module.code(around.with_changes(leading_lines=()))
    return re.sub(rf"(?i)(?<![a-z]){re.escape(name)}(?![a-z])", "_", code).strip()


def serving_all(module: Module, use: cst.Attribute, default: str) -> str:
    """The default itself where it serves the other reads of an attribute in its function too, else the first empty
    value that serves them all, as far as there is one."""
    later = _later(module, use)
    if all(lasting.lasts(module, one, default) for one in later):
        return default
    for one in lasting.CHOICES:
        if all(lasting.lasts(module, each, one) for each in (use, *later)):
            return one
    return default


def again(module: Module, use: cst.Attribute, default: str) -> list[cst.Attribute]:
    """The other reads of an attribute in its function that nothing asks for before, and that its default serves."""
    return [one for one in _later(module, use) if lasting.lasts(module, one, default)]


def _later(module: Module, use: cst.Attribute) -> list[cst.Attribute]:
    """The other reads of an attribute in its function that nothing asks for before."""
    function, code = module.function(use), module.code(use)
    if function is None or not isinstance(use.value, cst.Name):
        return []
    targets = [module.code(one.target) for one in module.nodes(cst.AssignTarget, within=function.body)]
    if code in targets or use.value.value in targets:
        return []
    line = module.position(use).start.line
    every = [one for one in module.nodes(cst.Attribute, within=function.body) if module.code(one) == code]
    later = [one for one in every if one is not use and module.position(one).start.line >= line]
    later = [one for one in later if not isinstance(module.parent(one), cst.Del | cst.AugAssign)]
    return [one for one in later if not checks.is_guarded(module, one, code)]
