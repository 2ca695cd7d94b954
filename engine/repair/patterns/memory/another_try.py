"""A validation step that cannot be done in halves is done again once what training left is freed."""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.memory.backoff_code import IS_OUT_OF_MEMORY, Site, finished, tried_twice, with_helpers
from engine.repair.patterns.pattern import Proposal

_VALIDATES = re.compile(r"(?i)(?:^|_)(?:val|valid|validate|validation|eval|evaluate)(?:$|_)")


def once_more(site: Site, statement: cst.CSTNode, function: cst.FunctionDef | None) -> Proposal | None:
    """The statement again after gradients are freed; None where it is no validation, or no model is seen."""
    module = site.module
    if function is None or not _VALIDATES.search(function.name.value):
        return None
    if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(
        module.parent(statement), cst.IndentedBlock
    ):
        return None
    model = re.search(r"(?m)^\s*([\w.]+)\.eval\(\)", module.code(function.body))
    if model is None or any(isinstance(one, cst.For | cst.While | cst.Try) for one in module.ancestors(statement)):
        return None
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    steps = [f"for parameter in {model[1]}.parameters():", "    parameter.grad = None", clear]
    again = module.code(statement.with_changes(leading_lines=())).strip()
    flag = guards.fresh(module, "ran_out", "out_of_memory")
    module.replace(statement, tried_twice(module, statement, steps, again, flag))
    return finished(
        site, "once-more", "Where memory runs out, what training left is freed and the step done once more."
    )
