"""A training step that runs out of memory is passed over: its gradients are dropped, and the next batch is taken.

For steps that cannot be done in halves. In a loop over batches the loop goes on; a function that does one step leaves
with what it gives for nothing. Only where no other process may wait for the step.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import libcst as cst

from engine.repair.patterns.memory.backoff_code import (
    IS_OUT_OF_MEMORY,
    Site,
    error_name,
    finished,
    tried_body,
    with_helpers,
)
from engine.repair.patterns.memory.other_processes import ALONE, is_of_torch, unless_waited_for
from engine.repair.patterns.memory.split_calls import BATCHES
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source import wording
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.expected import EMPTY
from engine.repair.patterns.source.syntax import last_name, text_of, walk

_TOGETHER = re.compile(r"deepspeed|\bhvd\b|horovod|torch_xla|colossalai|\bmpi4py\b|byteps")
_ACCELERATED = re.compile(r"accelerat")
_ACCELERATOR = re.compile(r"(?<![\w.])(?:self\.)?accelerator(?=\.)")
_PROCESSES = re.compile(
    r"(?i)distributed|^(?:all_(?:reduce|gather)\w*|reduce_scatter|barrier|world_?size|ddp|fsdp|fully_?shard\w*)$"
)
_STEPS = re.compile(r"\.(?:backward|step|zero_grad)\(|\b(?:update_params|optimizer_step|optimize)\(")
_COMPUTES = re.compile(r"\.(?:to|cuda)\(|(?i:model|net|forward|encod|decod|loss|criterion|score|predict)\w*\(")
_SETS_UP = re.compile(r"\.(?:train|eval|zero_grad)\(")
_BATCH = re.compile(r"(?i)\b(?:mini)?batch\b")
_TAKES = re.compile(r"\b(?:next|get_batch|sample_batch|next_batch)\(|_batch\(|\.sample\(")
_KEEPS = re.compile(r"\.(?:append|extend|write)\(|\byield\b|\w\[[^\]\n]+\] *\+?= ")
_ONE_STEP = re.compile(r"(?i)(?:^|_)(?:train|training)_?(?:step|batch)|^fit_(?:step|batch)")
_CALLED_STEP = re.compile(r"(?i)(?:^|_)train(?:ing)?_(?:loop|step|batch|iter(?:ation)?)\Z|^step_train")
_SKIPPING = "Skipping a batch that does not fit into memory"


def is_one_step(function: cst.FunctionDef | None, module: Module) -> bool:
    """Whether a framework calls the function with each batch, and does the rest of the step itself."""
    called = function is not None and _ONE_STEP.search(function.name.value) is not None
    return called and bool(re.search(r"(?i)lightning", module.text))


def skip_batch(site: Site, statement: cst.CSTNode, *, trains: bool, within: bool = False) -> Proposal | None:
    """The loop's step in a `try` that goes on with the next batch; None where that would leave something undone.

    `within`: the step itself is done by what is called here, which clears its own gradients.
    """
    module = site.module
    loop = _loop_over_batches(module, statement)
    if loop is None or not isinstance(loop.body, cst.IndentedBlock) or loop.asynchronous or loop.orelse:
        return None
    waited = is_waited_for(site, statement) if trains else ""
    if waited == "surely":
        return None
    inside = {statement, *module.ancestors(statement)}
    body = list(loop.body.body)
    at = next((index for index, one in enumerate(body) if one in inside), None)
    if at is None or isinstance(body[at], cst.FunctionDef | cst.Try):
        return None
    last = at
    if trains and not within:
        last = max((index for index, one in enumerate(body) if _STEPS.search(module.code(one))), default=-1)
        if last < at or not any(re.search(r"backward\(", module.code(one)) for one in body[at : last + 1]):
            return None
    if not trains and any(_KEEPS.search(module.code(one)) for one in body[at:]):
        return None  # what is computed must have as many parts as what it is computed from
    drop = _drop(site, module.function(statement) or loop) if trains else ""
    if within and not drop and re.search(r"(?m)^\s*optimizer = ", module.code(module.function(statement) or loop)):
        drop = "optimizer.zero_grad()"
    if trains and not drop and not within:
        return None
    first = at if within else _start(module, body, at)
    handler = _handler(site, statement, drop, "continue", waited)
    whole = _with_tried(module, body, first, last, handler)
    module.replace(loop, loop.with_changes(body=loop.body.with_changes(body=whole)))
    dropped = "its gradients are dropped, and " if drop else ""
    why = f"Where memory runs out, the batch is passed over: {dropped}the next one is taken."
    return finished(site, "skip-batch", why + (ALONE if waited else ""))


def leave_step(site: Site, statement: cst.CSTNode, function: cst.FunctionDef | None) -> Proposal | None:
    """A function that does one step leaves with what it gives for nothing; None where nothing shows what that is."""
    module = site.module
    waited = is_waited_for(site, statement)
    if function is None or waited == "surely" or not isinstance(function.body, cst.IndentedBlock):
        return None
    if any(isinstance(one, cst.For | cst.While | cst.Try) for one in module.ancestors(statement)):
        return None
    by_framework = is_one_step(function, module)
    inside = {statement, *module.ancestors(statement)}
    body = list(function.body.body)
    at = next((index for index, one in enumerate(body) if one in inside), None)
    if at is None:
        return None
    last = max((index for index, one in enumerate(body) if _STEPS.search(module.code(one))), default=-1)
    if by_framework:
        last = len(body) - 1
    elif last < at or not any("backward(" in module.code(one) for one in body[at : last + 1]):
        return None
    leave = "return None" if by_framework else _nothing(module, function)
    drop = _drop(site, module.nearest(function, cst.ClassDef) or function)
    if not leave or not (drop or by_framework):
        return None
    handler = _handler(site, statement, "" if by_framework else drop, leave, waited)
    whole = _with_tried(module, body, _start(module, body, at), last, handler)
    module.replace(function.body, function.body.with_changes(body=whole))
    why = "Where memory runs out, the batch is passed over: the step is left, and the next batch can be taken."
    return finished(site, "leave-step", why + (ALONE if waited else ""))


def is_waited_for(site: Site, statement: cst.CSTNode) -> Literal["perhaps", "surely"]:
    """Whether other processes wait for the step, be it on a condition alone: they would wait for ever.

    Names tell, as does an option of that name; comments do not: licences are distributed, too. `perhaps`, where nothing
    does in the step itself, or it is torch that may have others: what is written asks when memory has run out.
    """
    module = site.module
    if _TOGETHER.search(module.text):
        return "surely"
    if _ACCELERATED.search(module.text):
        within = module.function(statement)
        asked = within is not None and not any(
            _PROCESSES.search(one.value) for one in walk(within.body) if isinstance(one, cst.Name)
        )
        return "perhaps" if asked and within is not None and _accelerator(module, within) else "surely"
    texts = (text_of(one) or "" for one in module.nodes(cst.SimpleString))
    told = [one for one in texts if " " not in one and _PROCESSES.search(one.strip("-").replace("-", "_"))]
    named = [one for one in module.nodes(cst.Name) if _PROCESSES.search(one.value)]
    if not told and not named:
        return "perhaps"  # what the model is wrapped in may be in another file
    step = module.function(statement)
    inside = set(map(id, walk(step.body))) if step is not None else set()
    of_torch = all(is_of_torch(module, one) and id(one) not in inside for one in named)
    return "perhaps" if site.with_torch and step is not None and of_torch and not told else "surely"


def _loop_over_batches(module: Module, statement: cst.CSTNode) -> cst.For | None:
    for around in module.ancestors(statement):
        if isinstance(around, cst.FunctionDef | cst.ClassDef):
            return None
        if isinstance(around, cst.For):
            over = module.code(around.iter)
            if (
                BATCHES.search(over)
                or _BATCH.search(module.code(around.target))
                or (over.startswith("range(") and _TAKES.search(module.code(around.body)))
            ):
                return around
    return None


def _start(module: Module, body: Sequence[cst.BaseStatement], at: int) -> int:
    """Where the step's computing starts: memory may run out at any of its lines."""
    first = at
    for index in range(at - 1, -1, -1):
        one = body[index]
        if isinstance(one, cst.For) and not re.search(r"\b(?:break|continue|return|yield)\b", module.code(one)):
            continue
        if not isinstance(one, cst.SimpleStatementLine):
            break
        if isinstance(one.body[0], cst.AugAssign):
            continue  # what is counted is counted all the same, where the step is left
        if isinstance(one.body[0], cst.Assign) and _COMPUTES.search(module.code(one)):
            first = index
        elif not isinstance(one.body[0], cst.Assign) and not _SETS_UP.search(module.code(one)):
            break
    return first


def _with_tried(
    module: Module, body: Sequence[cst.BaseStatement], first: int, last: int, handler: str
) -> list[cst.BaseStatement]:
    lead = getattr(body[first], "leading_lines", ())
    tried = tried_body(module, body[first : last + 1], handler)
    kept = [one for one in lead if one.comment is None]
    return [*body[:first], tried.with_changes(leading_lines=kept), *body[last + 1 :]]


def _handler(site: Site, statement: cst.CSTNode, drop: str, leave: str, waited: str = "") -> str:
    module = site.module
    name = error_name(module)
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    warn = wording.warning(module, statement, _SKIPPING, name)
    lines = [drop, clear, warn, leave]
    steps = "".join(f"    {one}\n" for one in lines if one)
    among = ""
    function = module.function(statement)
    accelerator = _accelerator(module, function) if function is not None else ""
    if waited and accelerator:
        among = f" or {accelerator}.num_processes > 1"
    elif waited:
        among = unless_waited_for(site)
    return f"except Exception as {name}:\n    if not _is_out_of_memory({name}){among}:\n        raise\n{steps}"


def _accelerator(module: Module, function: cst.FunctionDef) -> str:
    """What the function calls the `Accelerator` that knows how many processes there are; '' where it has none."""
    if not _ACCELERATED.search(module.text):
        return ""
    found = _ACCELERATOR.search(module.code(function.body))
    return found[0] if found is not None else ""


def is_called_step(module: Module, statement: cst.CSTNode) -> bool:
    """Whether a statement calls for a whole training step, as `loss = self.train_step(batch)`."""
    return any(_CALLED_STEP.search(last_name(one.func)) for one in module.nodes(cst.Call, within=statement))


def _drop(site: Site, scope: cst.CSTNode) -> str:
    """How the code around clears its gradients, or would by its optimizer; empty where nothing shows."""
    code = site.module.code(scope)
    clears = re.findall(r"(?m)^\s*([\w.]+\.zero_grad\(.*\))\s*$", code)
    if clears:
        plain = _is_of_torch(site, clears[0])
        return str(re.sub(r"zero_grad\(\)", "zero_grad(set_to_none=True)", clears[0]) if plain else clears[0])
    owners = re.findall(r"\b((?:self\.)?\w*optim\w*)\.step\(", code) or re.findall(r"\.step\((\w*optim\w*)\)", code)
    return f"{owners[0]}.zero_grad()" if owners else ""


def _is_of_torch(site: Site, call: str) -> bool:
    """Whether gradients are cleared by an optimizer of torch, as the file makes it."""
    owner = re.escape(call.partition(".zero_grad")[0].rpartition(".")[2])
    return bool(re.search(rf"\b{owner}\s*=\s*(?:torch\.)?optim\.", site.module.text))


def _nothing(module: Module, function: cst.FunctionDef) -> str:
    """How the function leaves where it has nothing: bare, as elsewhere, or with no loss; '' where none shows."""
    values = [one.value for one in walk(function.body, into_functions=False) if isinstance(one, cst.Return)]
    texts = [module.code(one) for one in values if one is not None]
    if not texts:
        return "return"
    for text in texts:
        if text in EMPTY or re.fullmatch(r"[A-Z]\w*\(\)", text):
            return f"return {text}"
    first = next(one for one in values if one is not None)
    parts = [one.value for one in first.elements] if isinstance(first, cst.Tuple) else [first]
    if len(set(texts)) == 1 and all(re.search(r"\.item\(\)$|^float\(", module.code(one)) for one in parts):
        return f"return {', '.join(['0.0'] * len(parts))}"
    return ""
