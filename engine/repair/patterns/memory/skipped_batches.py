"""A training step that runs out of memory is passed over: its gradients are dropped, and the loop takes the next batch.

For steps that cannot be done in halves. Only where the loop goes on without it: one process, a loop over batches.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.memory.backoff_code import IS_OUT_OF_MEMORY, Site, finished, tried_body, with_helpers
from engine.repair.patterns.memory.split_calls import BATCHES
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source import wording

_TOGETHER = re.compile(r"Distributed|all_reduce|all_gather|accelerat|deepspeed|\.barrier\(|\bhvd\b|horovod|world_size")
_STEPS = re.compile(r"\.(?:backward|step|zero_grad)\(")


def skip_batch(site: Site, loop: cst.For, statement: cst.CSTNode) -> Proposal | None:
    """The loop's step in a `try` that goes on with the next batch; None where that would leave something undone."""
    module = site.module
    if not isinstance(loop.body, cst.IndentedBlock) or loop.asynchronous or loop.orelse:
        return None
    if not BATCHES.search(module.code(loop.iter)) or _TOGETHER.search(module.text):
        return None  # other processes would wait for this one
    inside = {statement, *module.ancestors(statement)}
    body = list(loop.body.body)
    at = next((index for index, one in enumerate(body) if one in inside), None)
    failed = body[at] if at is not None else None
    if at is None or not isinstance(failed, cst.SimpleStatementLine):
        return None
    last = max((index for index, one in enumerate(body) if _STEPS.search(module.code(one))), default=-1)
    clears = re.findall(r"(?m)^\s*([\w.]+\.zero_grad\(.*\))\s*$", module.code(module.function(statement) or loop))
    if last < at or not clears or not any(".backward(" in module.code(one) for one in body[at : last + 1]):
        return None
    name = "error" if "error" not in module.names() else "out_of_memory"
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    drop = (
        re.sub(r"zero_grad\(\)", "zero_grad(set_to_none=True)", clears[0])
        if _is_of_torch(site, clears[0])
        else clears[0]
    )
    warn = wording.warning(module, statement, "Skipping a batch that does not fit into memory", name)
    handler = (
        f"except Exception as {name}:\n    if not _is_out_of_memory({name}):\n        raise\n"
        f"    {drop}\n    {clear}\n    {warn}\n    continue"
    )
    lead = failed.leading_lines
    tried = tried_body(module, body[at : last + 1], handler)
    kept = [one for one in lead if one.comment is None]
    whole = [*body[:at], tried.with_changes(leading_lines=kept), *body[last + 1 :]]
    module.replace(loop, loop.with_changes(body=loop.body.with_changes(body=whole)))
    why = "Where memory runs out, the batch is passed over: its gradients are dropped, and the next one is taken."
    return finished(site, "skip-batch", why)


def _is_of_torch(site: Site, call: str) -> bool:
    """Whether gradients are cleared by an optimizer of torch, as the file makes it."""
    owner = re.escape(call.partition(".zero_grad")[0].rpartition(".")[2])
    return bool(re.search(rf"\b{owner}\s*=\s*(?:torch\.)?optim\.", site.module.text))
