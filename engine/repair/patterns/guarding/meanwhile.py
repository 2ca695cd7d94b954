"""A field that was looked at, and is None all the same where it is used: something in between has cleared it.

What is called between the check and the use may clear it, or another thread. A second check would be as late as the
first: the error itself is answered, as the check answers. Every proposal is for review.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.guarding import checks
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import own_nodes
from engine.repair.patterns.source.syntax import own_attribute


def answered(module: Module, use: cst.BaseExpression, subject: cst.BaseExpression, error: str) -> str | None:
    """Let an error at `use` end as the check of the field before it does; how it ends, or None where there is no such
    check, or nothing that may have cleared the field."""
    if not (isinstance(subject, cst.Attribute) and own_attribute(subject)):
        return None
    code = module.code(subject)
    inner: cst.CSTNode = use
    for around in module.ancestors(use):
        if isinstance(around, cst.IndentedBlock):
            body: list[cst.CSTNode] = list(around.body)
            found = _exit(module, body[: body.index(inner)], code)
            if found is not None:
                between = body[body.index(found) + 1 : body.index(inner)]
                return _wrapped(module, found, between, inner, error)
        if isinstance(around, cst.FunctionDef | cst.Lambda):
            return None
        inner = around
    return None


def _exit(module: Module, before: Sequence[cst.CSTNode], code: str) -> cst.If | None:
    for one in before:
        is_exit = isinstance(one, cst.If) and checks.leaves(one.body) and len(one.body.body) == 1
        if isinstance(one, cst.If) and is_exit and module.code(one.test) in (f"not {code}", f"{code} is None"):
            return one
    return None


def _wrapped(
    module: Module, check: cst.If, between: Sequence[cst.CSTNode], statement: cst.CSTNode, error: str
) -> str | None:
    calls = any(own_nodes(one, cst.Call) for one in between)
    if not calls or not isinstance(statement, cst.SimpleStatementLine | cst.For):
        return None
    last = module.code(check.body.body[0]).strip()
    module.wrap(statement, f"try:\n    pass\nexcept {error}:\n    {last}\n")
    return last
