"""What the reads of wrong shapes share: how a proposal is finished, and what is known of a subscript."""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import checks
from engine.repair.patterns.guarding.subscripts import index_of
from engine.repair.patterns.pattern import Applicability, Declined, Proposal
from engine.repair.patterns.source.edit import Module, NotEditable, first_changed_line


def decline(reason: str) -> Declined:
    return Declined("type-mismatch", reason)


def finish(module: Module, operator: str, why: str, sure: Applicability = "review") -> Proposal:
    edit = module.edit()
    return Proposal("type-mismatch", operator, (edit,), first_changed_line(edit), sure, why)


def index_within(one: cst.Subscript) -> cst.BaseExpression:
    index = index_of(one)
    if index is None:
        raise NotEditable("the code is set out as nobody would expect")
    return index


def is_told(module: Module, value: cst.BaseExpression) -> bool:
    """Whether an `isinstance` of the value decides already how it is read."""
    code = module.code(value)
    if re.match(r"\(?.* if isinstance\(", code):
        return True
    return any(
        checks.is_guarded(module, value, f"isinstance({code}, {kind})")
        for kind in ("dict", "list", "str", "(list, tuple)", "bytes", "(str, bytes)", "tuple")
    )


def calls_at(module: Module, line: int) -> list[cst.Call]:
    """The calls that the statement at a line makes there."""
    found = [one for one in module.nodes(cst.Call, line) if _is_at(module, one, line)]
    return sorted(found, key=lambda one: -sum(1 for _ in module.ancestors(one)))


def _is_at(module: Module, node: cst.CSTNode, line: int) -> bool:
    statement = module.nearest(node, cst.SimpleStatementLine)
    return statement is None or module.position(statement).start.line <= line
