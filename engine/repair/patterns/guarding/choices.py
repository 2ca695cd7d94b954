"""A condition of several choices, `x.a or y and x.b`, each of which needs the same thing."""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.source.edit import Module


def every_one(module: Module, absence: Absence, test: cst.BaseExpression) -> cst.BaseExpression | None:
    """`x.a or y and x.b or ...`, the whole condition, where every choice of it needs the same; None where not."""
    top: cst.BaseExpression = test
    for around in module.ancestors(test):
        if not isinstance(around, cst.BooleanOperation):
            break
        top = around
    if top is test or not isinstance(module.parent(top), cst.If | cst.CompIf) or not absence.is_none:
        return None
    choices = _choices(top)
    subject = module.code(absence.subject)
    if len(choices) < 2 or not guards.is_repeatable(subject):
        return None
    needs = [
        any(absence.needed_by(module, node) for node in module.nodes(cst.Attribute, within=one)) for one in choices
    ]
    speak = [any(module.code(node) == subject for node in module.nodes(type(absence.subject), within=one))
             for one in choices]  # fmt: skip
    return top if sum(needs) > 1 and all(speak) else None


def _choices(test: cst.BaseExpression) -> list[cst.BaseExpression]:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.Or):
        return [*_choices(test.left), *_choices(test.right)]
    return [test]
