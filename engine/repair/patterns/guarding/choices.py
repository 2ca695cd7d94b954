"""A condition of several choices, `x.a or y and x.b`, each of which needs the same thing."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import parameter_of


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


def of_like_options(module: Module, absence: Absence, test: cst.BaseExpression) -> Iterator[tuple[cst.Comparison, str]]:
    """The conditions behind one on an option that was not given which put other options in order just so, `if x > high`
    behind `if x < low`, each with its option: where the one was not given, the other may be missing as well."""
    around, function = module.nearest(test, cst.If), module.function(test)
    block = module.parent(around) if around is not None else None
    if function is None or around is None or around.test is not test or not isinstance(block, cst.IndentedBlock):
        return
    if not _is_option(function, module, absence.subject) or not isinstance(test, cst.Comparison):
        return
    for one in list(block.body)[list(block.body).index(around) + 1 :]:
        other = one.test if isinstance(one, cst.If) else None
        if not isinstance(other, cst.Comparison) or len(other.comparisons) != 1:
            return
        order = cst.LessThan | cst.LessThanEqual | cst.GreaterThan | cst.GreaterThanEqual
        sides = [other.left, other.comparisons[0].comparator]
        options = [each for each in sides if _is_option(function, module, each)]
        if len(options) != 1 or not isinstance(other.comparisons[0].operator, order):
            return
        name = module.code(options[0])
        if name != module.code(absence.subject) and not checks.is_guarded(module, other, name):
            yield other, name


def _is_option(function: cst.FunctionDef, module: Module, one: cst.BaseExpression) -> bool:
    parameter = parameter_of(function, one.value) if isinstance(one, cst.Name) else None
    return parameter is not None and parameter.default is not None and module.code(parameter.default) == "None"
