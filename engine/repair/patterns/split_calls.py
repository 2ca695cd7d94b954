"""One call on a whole batch becomes calls on smaller batches."""

from __future__ import annotations

import re
from typing import cast

import libcst as cst

from engine.repair.patterns import guards
from engine.repair.patterns.backoff_code import (
    IN_SMALLER_BATCHES,
    IN_SMALLER_DICTS,
    IS_OUT_OF_MEMORY,
    JOINED,
    Site,
    finished,
    with_helpers,
)
from engine.repair.patterns.edit import Module, NotEditable
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.producers import bound_to
from engine.repair.patterns.shrinking_ranges import Renamer

_NO_MODEL = re.compile(
    r"(?:^|\.)(?:to|cuda|mps|append|extend|print|len|list|dict|zip|enumerate|range|stack|cat|tensor|from_numpy|as_tensor|int|"
    r"float|str|sum|no_grad|inference_mode|autocast|empty_cache|item|cpu|detach|numpy|tolist|zeros|ones|empty|randn|load|"
    r"from_pretrained|load_state_dict|tqdm|update|backward|step|zero_grad|sorted|tuple|pin_memory|contiguous|half|eval|train)\Z"
)
_ONE = re.compile(r"\.unsqueeze\(0\)|\[None\b|np\.expand_dims\(.*0\)|\[np\.newaxis|batch_size\s*=\s*1\b")
_NO_BATCH = ("self", "cls", "device", "model", "dtype", "args", "config", "cfg", "torch", "nn", "F", "np")


def batch_call(module: Module, statement: cst.CSTNode, line: int) -> tuple[cst.Call | None, list[str]]:
    """The call on a batch that ran out of memory, and the names of what it was given."""
    within = statement if isinstance(statement, cst.SimpleStatementLine) else None
    calls = module.nodes(cst.Call, line if within is None else None, within)
    for call in sorted(calls, key=lambda one: -sum(1 for _ in module.ancestors(one))):
        func = "".join(module.code(call.func).split())
        if _NO_MODEL.search(func) or func.startswith(("torch.", "np.", "os.", "time.", "logging.", "log.")):
            continue
        names = _batches(module, call)
        if names and not any(isinstance(one, cst.Await | cst.Lambda) for one in module.ancestors(call)):
            return call, names
    return None, []


def _batches(module: Module, call: cst.Call) -> list[str]:
    found: list[str] = []
    for arg in call.args:
        if arg.keyword is not None and not re.match(
            r"inputs?|images?|pixel_values|input_ids|x|batch|attention_mask|masks?|texts?", arg.keyword.value
        ):
            continue
        if arg.star == "*":
            return []
        code = module.code(arg.value)
        for node in names_in(arg.value):
            if node.value in _NO_BATCH or node.value in found or _is_foreign(module, node):
                continue
            bound = bound_to(module, node)
            if _ONE.search(code) or (bound is not None and _ONE.search(module.code(bound))):
                raise NotEditable("the batch is a single item already: nothing smaller is left")
            if bound is not None and isinstance(bound, cst.Integer | cst.Float | cst.SimpleString):
                continue
            found.append(node.value)
            break
    return found


def names_in(node: cst.CSTNode) -> list[cst.Name]:
    if isinstance(node, cst.Name):
        return [node]
    if isinstance(node, cst.Attribute):
        return names_in(node.value)
    found: list[cst.Name] = []
    for child in [*(([arg.value for arg in node.args]) if isinstance(node, cst.Call) else []), *node.children]:
        found += [one for one in names_in(child) if one not in found]
    return found


def _is_foreign(module: Module, node: cst.Name) -> bool:
    """Whether a name is a module's, a function's or a class's, and no datum."""
    defined = [one.name.value for one in module.nodes(cst.FunctionDef)]
    if node.value in (*defined, *(one.name.value for one in module.nodes(cst.ClassDef))):
        return True
    for one in (*module.nodes(cst.Import), *module.nodes(cst.ImportFrom)):
        if re.search(rf"\b{node.value}\b", module.code(one)):
            return True
    return False


def split_batches(site: Site, call: cst.Call, names: list[str]) -> Proposal | str:
    """Do a call on the halves of its batch where the whole does not fit."""
    module = site.module
    by_name = any(arg.star == "**" for arg in call.args)
    if by_name and len(names) != 1:
        names = names[-1:]
    bare = call.with_changes(lpar=[], rpar=[])
    positional = [arg for arg in call.args if arg.keyword is None and not arg.star]
    if not by_name and len(positional) == len(call.args) and [module.code(arg.value) for arg in positional] == names:
        run, given = module.code(call.func), names
    else:
        inner: cst.BaseExpression = bare
        parts = []
        for number, name in enumerate(names):
            part = guards.fresh(module, "part" if len(names) == 1 else f"part{number + 1}", f"piece{number + 1}")
            parts.append(part)
            inner = cast(cst.BaseExpression, inner.visit(Renamer(name, part)))
        run, given = f"lambda {', '.join(parts)}: {module.code(inner)}", names
    helpers = (IS_OUT_OF_MEMORY, IN_SMALLER_DICTS if by_name else IN_SMALLER_BATCHES, JOINED)
    if module.defines("_in_smaller_batches") or module.defines("_joined"):
        return "the file has a function of that name already"
    with_helpers(site, *helpers)
    made = guards.expression(f"_in_smaller_batches({run}, {', '.join(given)})")
    module.replace(call, made.with_changes(lpar=call.lpar, rpar=call.rpar))
    return finished(
        site, "split-batch", "Where memory runs out, the batch is done in halves, and the results are joined."
    )
