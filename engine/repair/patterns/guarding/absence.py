"""Something that is not always there: what fails without it, and the expressions that stand in its place.

Relies on `guards` for expressions. Where a guard goes is `absent`'s and `statement_guards`' to say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import libcst as cst

from engine.repair.patterns.guarding import checks, guards, lasting
from engine.repair.patterns.guarding.for_nothing import Value
from engine.repair.patterns.source.edit import Module


@dataclass(frozen=True, slots=True)
class Absence:
    """What fails: `use` needs `subject` to be there. `conditions` makes (is there, is not there) from its source."""

    use: cst.BaseExpression
    subject: cst.BaseExpression
    conditions: Callable[[str], tuple[str, str]]
    names: tuple[str, ...] = ("found", "value", "result")
    element: str = "None"  # what stands for one missing value among others
    is_none: bool = False  # the subject itself is not there; else a part of it is not
    alike: frozenset[str] = frozenset()  # other reads, as source, that fail where this one does

    def needed_by(self, module: Module, node: cst.CSTNode, besides: cst.CSTNode | None = None) -> bool:
        """Whether a node fails where this one's use does, and nothing has looked before; `besides` is no such look."""
        subject = module.code(self.subject)
        if not self.is_none:
            kinds = (cst.Subscript, cst.Attribute) if isinstance(self.use, cst.Attribute) else (cst.Subscript,)
            code = module.code(node) if isinstance(node, kinds) else ""
            return bool(code) and (code == module.code(self.use) or code in self.alike)
        if isinstance(node, cst.Comparison | cst.BinaryOperation):
            return _takes_no_none(module, node, subject) and not checks.is_guarded(
                module, node, subject, besides=besides
            )
        if not isinstance(node, cst.Attribute | cst.Subscript | cst.Call):
            return False
        owner = node.func if isinstance(node, cst.Call) else node.value
        return module.code(owner) == subject and not checks.is_guarded(module, node, subject, besides=besides)


def _takes_no_none(module: Module, node: cst.Comparison | cst.BinaryOperation, subject: str) -> bool:
    """Whether an operation puts a subject in order, looks into it, or reckons with it."""
    if isinstance(node, cst.BinaryOperation):
        return subject in (module.code(node.left), module.code(node.right))
    order = cst.LessThan | cst.LessThanEqual | cst.GreaterThan | cst.GreaterThanEqual
    target = node.comparisons[0]
    if isinstance(target.operator, order):
        return subject in (module.code(node.left), module.code(target.comparator))
    return isinstance(target.operator, cst.In | cst.NotIn) and module.code(target.comparator) == subject


def none_of(
    use: cst.BaseExpression,
    subject: cst.BaseExpression,
    names: tuple[str, ...],
    others: Sequence[str] = (),
    first: Sequence[str] = (),
) -> Absence:
    """None where an object was expected; `others` are subjects (as source) of which one may have been it as well, and
    `first` those that the subject itself is read from."""

    def conditions(code: str) -> tuple[str, str]:
        every = [*first, _whole(code), *others]
        return " and ".join(f"{one} is not None" for one in every), " or ".join(f"{one} is None" for one in every)

    return Absence(use, subject, conditions, names, is_none=True)


def _whole(code: str) -> str:
    """The source of a subject, in parentheses where a comparison behind it would take it apart."""
    return code if code.startswith("(") else guards.in_parentheses(code)


def bound(
    module: Module, absence: Absence, around: cst.BaseExpression, repeatable: bool
) -> tuple[str, str, cst.BaseExpression]:
    """The conditions, and the expression they guard: with the subject bound in the condition where it must be."""
    code = module.code(absence.subject)
    if repeatable:
        return *absence.conditions(code), around
    name = guards.fresh(module, *absence.names)
    bare = module.code(absence.subject.with_changes(lpar=[], rpar=[]))
    good, bad = absence.conditions(f"({name} := {bare})")
    return good, bad, cast(cst.BaseExpression, around.deep_replace(absence.subject, cst.Name(name)))


def inline(
    module: Module, absence: Absence, whole: cst.BaseExpression, otherwise: str, repeatable: bool
) -> tuple[str, Value]:
    """Put a conditional expression in the place of `whole`; its operator, and the value that is given instead."""
    if otherwise in ('""', "''") and module.code(whole).startswith(("int(", "float(", "len(", "round(")):
        otherwise = "None"  # what would have been a number is no text
    otherwise = _unpacked(module, whole) or otherwise
    if not lasting.lasts(module, whole, otherwise):
        otherwise = lasting.fitting(module, whole) or otherwise
    good, _bad, body = bound(module, absence, whole, repeatable)
    made = guards.conditional(module, whole, good, otherwise)
    if body is not whole:
        made = made.with_changes(body=body.with_changes(lpar=[], rpar=[]) if not isinstance(body, cst.IfExp) else body)
    module.replace(whole, made)
    return "conditional", Value(otherwise, "guessed", "nothing else fits here")


def _unpacked(module: Module, whole: cst.BaseExpression) -> str | None:
    """A None for each of several names that a value is taken apart into; None where it is not."""
    change = module.parent(whole)
    target = change.targets[0].target if isinstance(change, cst.Assign) and len(change.targets) == 1 else None
    if not isinstance(target, cst.Tuple) or any(isinstance(one, cst.StarredElement) for one in target.elements):
        return None
    return f"({', '.join(['None'] * len(target.elements))})"


def flat(code: str) -> str:
    """Source that can stand on the right of a binding: in parentheses where it has several lines."""
    return f"({code})" if "\n" in code and not code.rstrip().endswith((")", "]")) else code
