"""A loop over places in steps of a batch size becomes one whose steps shrink."""

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
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.placing import parse_statements


def leaves_loop(loop: cst.For) -> bool:
    """Whether the body has a `continue` or `break` of this loop."""

    def look(node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Continue | cst.Break):
            return True
        return any(
            look(child)
            for child in node.children
            if not isinstance(child, cst.For | cst.While | cst.FunctionDef | cst.Lambda)
        )

    return look(loop.body)


def shrink(
    site: Site, loop: cst.For, statement: cst.CSTNode, function: cst.FunctionDef | None, *, trains: bool = False
) -> Proposal | None:
    """`for start in range(0, n, size)`: the same as a `while` whose size shrinks; None where it cannot be made one.

    `trains`: each round is a step of training, for which other processes may wait.
    """
    module = site.module
    args = [one.value for one in cast(cst.Call, loop.iter).args]
    start, stop, step = (module.code(one) for one in args)
    target = module.code(loop.target)
    if not isinstance(loop.body, cst.IndentedBlock) or loop.orelse or loop.asynchronous or not target.isidentifier():
        return None
    if (
        not guards.is_repeatable(stop)
        or step == "1"
        or leaves_loop(loop)
        or _is_used_after(module, loop, target, function)
    ):
        return None
    if any(
        isinstance(one, cst.For) and re.search(rf"range\(.*,\s*{re.escape(step)}\s*\)", module.code(one.iter))
        for one in module.ancestors(loop)
    ):
        return None  # the loop around has the same step: what is done in its rounds would leave gaps
    body = list(loop.body.body)
    until = up_to(module, body, statement)
    if until is None:
        return None
    size, lead = step, ""
    if not is_own_name(module, step, function):
        size = guards.fresh(module, "batch_size", "size", "step")
        lead = f"{size} = {step}\n"
        if step.isdigit():
            body = [_with_name(module, one, step, size) for one in body]
        else:
            body = [_with_name(module, one, step, size) for one in body]
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    handler = on_failure(site, size, [f"{size} //= 2", clear], unless_waited_for(site) if trains else "")
    tried = tried_body(module, body[:until], handler)
    (bump,) = parse_statements(f"{target} += {size}\n", module.tree)
    made = cst.While(
        test=guards.expression(f"{target} < {stop}"),
        body=loop.body.with_changes(body=[tried, *body[until:], bump]),
    )
    guards.before(module, loop, f"{lead}{target} = {start}\n", made.with_changes(leading_lines=loop.leading_lines))
    why = f"Where memory runs out, {size} is halved and the loop goes on from the same place."
    return finished(site, "shrink-batch", why + (ALONE if trains else ""))


def is_own_name(module: Module, name: str, function: cst.FunctionDef | None) -> bool:
    """Whether a name is bound in the same scope, so that it may be bound anew there."""
    if not name.isidentifier():
        return False
    if function is None:
        return True
    every = (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)
    if any(one.name.value == name for one in every):
        return True
    return any(module.code(one.target) == name for one in intent.own_nodes(function.body, cst.AssignTarget))


def _is_used_after(module: Module, loop: cst.For, name: str, function: cst.FunctionDef | None) -> bool:
    end = module.position(loop).end.line
    scope: cst.CSTNode = function or module.tree
    later = [one for one in module.nodes(cst.Name, within=scope) if module.position(one).start.line > end]
    return any(one.value == name and module.nearest(one, cst.For) is None for one in later)


class Renamer(cst.CSTTransformer):
    def __init__(self, wanted: str, name: str) -> None:
        super().__init__()
        self._wanted, self._name = wanted, name

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        if (isinstance(original_node, cst.Integer | cst.Name | cst.Attribute | cst.Subscript)) and (
            cst.Module([]).code_for_node(original_node) == self._wanted
        ):
            return cst.Name(self._name)
        if isinstance(updated_node, cst.Arg):  # what a parameter or an attribute is called is not the name meant
            return updated_node.with_changes(keyword=cast(cst.Arg, original_node).keyword)
        if isinstance(updated_node, cst.Attribute):
            return updated_node.with_changes(attr=cast(cst.Attribute, original_node).attr)
        return updated_node


def _with_name(module: Module, statement: cst.BaseStatement, wanted: str, name: str) -> cst.BaseStatement:
    """The statement with the size's name where its slices had the size itself."""
    if not wanted.isdigit():
        return cast(cst.BaseStatement, statement.visit(Renamer(wanted, name)))
    found = statement
    for piece in module.nodes(cst.Slice, within=statement):
        found = cast(cst.BaseStatement, found.deep_replace(piece, cast(cst.Slice, piece.visit(Renamer(wanted, name)))))
    for call in module.nodes(cst.Call, within=statement):
        if module.code(call.func) in ("min", "range", "slice"):
            found = cast(cst.BaseStatement, found.deep_replace(call, cast(cst.Call, call.visit(Renamer(wanted, name)))))
    return found
