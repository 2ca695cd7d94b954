"""A trainer of the transformers kind is run again with a smaller batch, and with more steps to a gradient instead."""

from __future__ import annotations

import re
from typing import cast

import libcst as cst

from engine.repair.patterns.memory.backoff_code import (
    IS_OUT_OF_MEMORY,
    Site,
    finished,
    on_failure,
    tried_body,
    with_helpers,
)
from engine.repair.patterns.memory.other_processes import ALONE, unless_waited_for
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source.openings import keyword
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.syntax import dotted, last_name, walk

_RUNS = ("train", "evaluate", "predict")


def smaller_batches(site: Site, statement: cst.CSTNode) -> Proposal | None:
    """`trainer.train()` in a loop that halves the trainer's own batch size; None where nothing of the kind fails.

    Its `args` are asked anew by each run (transformers' documentation of `Trainer`), so what is set there counts.
    """
    module = site.module
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    small = statement.body[0]
    if not isinstance(small, cst.Expr | cst.Assign):
        return None
    found = [
        node
        for node in walk(small)
        if isinstance(node, cst.Call) and last_name(node.func) in _RUNS and isinstance(node.func, cst.Attribute)
    ]
    owner = dotted(found[0].func.value) if len(found) == 1 and isinstance(found[0].func, cst.Attribute) else ""
    if not owner or not _is_trainer(site, owner):
        return None
    what = "train" if last_name(found[0].func) == "train" else "eval"
    size = f"{owner}.args.per_device_{what}_batch_size"
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    steps = [f"{size} //= 2", clear]
    if what == "train":
        steps.insert(1, f"{owner}.args.gradient_accumulation_steps *= 2")
    loop = cast(cst.While, parse_statements("while True:\n    break\n", module.tree)[0])
    (leave,) = cast(cst.IndentedBlock, loop.body).body
    handler = on_failure(site, size, steps, unless_waited_for(site))
    tried = tried_body(module, [statement.with_changes(leading_lines=()), leave], handler)
    made = loop.with_changes(body=loop.body.with_changes(body=[tried]), leading_lines=statement.leading_lines)
    module.replace(statement, made)
    why = "Where memory runs out, the trainer runs again with half the batch, down to one"
    more = ", and takes twice as many of them for a step." if what == "train" else "."
    return finished(site, "smaller-trainer-batch", why + more + ALONE)


def _is_trainer(site: Site, owner: str) -> bool:
    """Whether a name is bound to a trainer that was given TrainingArguments as its `args`."""
    module = site.module
    if not re.search(r"\bTrainingArguments\b", module.text):
        return False
    return any(
        isinstance(one.value, cst.Call)
        and last_name(one.value.func).endswith("Trainer")
        and keyword(one.value, "args") is not None
        and any(dotted(target.target) == owner for target in one.targets)
        for one in module.nodes(cst.Assign)
    )
