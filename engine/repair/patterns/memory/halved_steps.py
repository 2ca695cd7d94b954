"""A training step on a loader's batch, done on the batch's halves where the whole does not fit."""

from __future__ import annotations

import re
from typing import cast

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.memory.backoff_code import (
    IS_OUT_OF_MEMORY,
    Site,
    finished,
    on_failure,
    tried_body,
    up_to,
    with_helpers,
)
from engine.repair.patterns.memory.other_processes import ALONE, unless_waited_for
from engine.repair.patterns.memory.shrinking_ranges import leaves_loop
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.syntax import assignments


def halves(site: Site, loop: cst.For, statement: cst.CSTNode) -> Proposal | str:
    """`for images, labels in loader`: the batch as a list of parts, of which one too large is put back as halves."""
    module = site.module
    if not isinstance(loop.body, cst.IndentedBlock) or loop.orelse or loop.asynchronous or leaves_loop(loop):
        return "the loop is left or skipped in between: it cannot be repeated in parts"
    names = _loop_names(module, loop)
    if not names:
        return "the loop's batch has no names"
    body = list(loop.body.body)
    until = up_to(module, body, statement)
    if until is None:
        return "what comes before the model would be done twice"
    parts = guards.fresh(module, "parts", "pending")
    text = module.code(loop.body)
    first = names[0]
    if len(names) == 1 and (f"**{first}" in text or re.search(rf"\b{first}\[['\"]", text)):
        length = f"len(next(iter({first}.values())))"
        halves = [f"{{name: part[{cut}] for name, part in {first}.items()}}" for cut in (":half", "half:")]
    elif len(names) == 1 and re.search(
        rf"\b{first}\.(?!(?:to|cuda|cpu|size|shape|dim|float|half|long|view)\b)[a-z]", text
    ):
        return "the batch is an object of its own: nothing shows how it would be halved"
    elif len(names) == 1 and re.search(
        rf"^\s*\w+(?:, *\w+)+ = {first}$|\(\w+(?:, *\w+)+\) = {first}$|\b{first}\[1\]", text, re.M
    ):
        length = f"len({first}[0])"
        halves = [f"[part[{cut}] for part in {first}]" for cut in (":half", "half:")]
    elif len(names) > 1 and any(_is_read_by_key(one, text) for one in names):
        return "a part of the batch is read by key: nothing shows how it would be halved"
    else:
        length = f"len({first})"
        halves = [", ".join(f"{name}[{cut}]" for name in names) for cut in (":half", "half:")]
        halves = [f"({one})" if len(names) > 1 else one for one in halves]
    whole = ", ".join(names)
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    steps = [f"half = {length} // 2", f"{parts}[:0] = [{halves[0]}, {halves[1]}]", clear]
    tried = tried_body(module, body[:until], on_failure(site, length, steps, unless_waited_for(site)))
    start, again = parse_statements(
        f"{parts} = [{f'({whole})' if len(names) > 1 else whole}]\nwhile {parts}:\n    {whole} = {parts}.pop(0)\n",
        module.tree,
    )
    inner = cast(cst.While, again)
    block = cast(cst.IndentedBlock, inner.body)
    inner = inner.with_changes(body=block.with_changes(body=[*block.body, tried, *body[until:]]))
    module.replace(loop, loop.with_changes(body=loop.body.with_changes(body=[start, inner])))
    why = "Where memory runs out, the step is done on the halves of its batch, one after another."
    return finished(site, "split-step", why + ALONE)


def _is_read_by_key(name: str, text: str) -> bool:
    """Whether a part of a batch is a dict, which has no first half."""
    own = rf"(?<![\w.]){name}"
    return bool(re.search(rf"{own}\[\s*[fbru]*['\"]|\*\*{name}\b|{own}\.(?:items|keys|values|get|pop|update)\(", text))


def accumulates(module: Module, loop: cst.For) -> bool:
    """Whether gradients of several rounds add up, as the optimizer takes its step on a condition alone."""
    if re.search(r"\.(?:accumulate|no_sync)\(", module.code(loop.body)):
        return True
    counted = {module.code(target) for target, value in assignments(loop.body) if "%" in module.code(value)}
    for one in module.nodes(cst.Call, within=loop.body):
        if not re.search(r"(?i)(?:optim\w*|\bopt\w*|scaler)\.(?:step|zero_grad)\Z", module.code(one.func)):
            continue
        for around in module.ancestors(one):
            if around is loop:
                break
            test = module.code(around.test) if isinstance(around, cst.If) else ""
            if re.search(r"(?i)%|accum", test) or set(re.findall(r"\w+", test)) & counted:
                return True
    return False


def _loop_names(module: Module, loop: cst.For) -> list[str]:
    target: cst.BaseExpression = loop.target
    if (
        isinstance(loop.iter, cst.Call) and module.code(loop.iter.func) == "enumerate" and isinstance(target, cst.Tuple)
    ) or ("enumerate(" in module.code(loop.iter) and isinstance(target, cst.Tuple)):
        target = target.elements[-1].value
    if isinstance(target, cst.Name):
        return [target.value]
    if isinstance(target, cst.Tuple):
        names = [one.value.value for one in target.elements if isinstance(one.value, cst.Name)]
        return names if len(names) == len(target.elements) else []
    return []
