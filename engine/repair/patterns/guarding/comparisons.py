"""Checks of whether a value is more or less than another: which of them say nothing of zero.

Pure functions over a parsed file.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.source.edit import Module


def is_order(module: Module, test: cst.CSTNode, subject: str) -> bool:
    """`subject > limit`, `subject * size > limit`, where the limit is no number that is written out."""
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return False
    other = test.comparisons[0]
    if not isinstance(other.operator, cst.LessThan | cst.LessThanEqual | cst.GreaterThan | cst.GreaterThanEqual):
        return False
    sides = [test.left, other.comparator]
    if isinstance(test.left, cst.BinaryOperation) and isinstance(test.left.operator, cst.Multiply):
        parts = [module.code(test.left.left), module.code(test.left.right)]
        return subject in parts and not isinstance(other.comparator, cst.Integer | cst.Float)
    return any(module.code(one) == subject for one in sides) and all(
        isinstance(one, cst.Name | cst.Attribute) for one in sides
    )


def lets_zero_by(module: Module, test: cst.CSTNode, node: cst.CSTNode, subject: str) -> bool:
    """`subject >= 1`, `subject == 99` in front of a node that is reached where that fails: zero comes to it."""
    around = module.parent(test)
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1 or not isinstance(around, cst.If | cst.IfExp):
        return False
    other = test.comparisons[0]
    if module.code(test.left) != subject:
        return False
    if isinstance(other.comparator, cst.Name | cst.Attribute | cst.Call):  # no less than nothing, as a rule
        lets_by = isinstance(other.operator, cst.LessThan | cst.LessThanEqual)
        return lets_by and any(one is around.body for one in (node, *module.ancestors(node)))
    if not isinstance(other.comparator, cst.Integer | cst.Float):
        return False
    limit = float(other.comparator.evaluated_value)
    operator = other.operator
    if isinstance(operator, cst.LessThan | cst.LessThanEqual):
        holds = limit > 0 or (limit == 0 and isinstance(operator, cst.LessThanEqual))
    elif isinstance(operator, cst.GreaterThan | cst.GreaterThanEqual):
        holds = limit < 0 or (limit == 0 and isinstance(operator, cst.GreaterThanEqual))
    elif isinstance(operator, cst.Equal | cst.NotEqual) and limit:
        holds = isinstance(operator, cst.NotEqual)
    else:
        return False
    return holds == any(one is around.body for one in (node, *module.ancestors(node)))
