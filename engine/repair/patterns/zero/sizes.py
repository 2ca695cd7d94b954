"""Denominators that are sizes, of which there is one at least: workers, steps of an epoch, a stride.

A share for no worker is no number to go on with: what is shared out goes to the one that there is. Also what a name was
bound to, where a quotient was cut to such a size. How often something happens in a time is no such size: none at all is
an answer there. Pure functions over a parsed file.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module

_SIZE = re.compile(
    r"(?i)(?:.*_)?(?:(?:steps|batches|iterations|iters|updates|samples|items|images|frames)_per_\w+|world_size|"
    r"(?:n|num|nb|number_of|max)_?(?:workers|gpus|processes|procs|shards|threads|devices|chunks|splits|replicas)|"
    r"workers|n_jobs|batch_?size|(?:mini|micro)_?batch|chunk_?size|block_?size|tile_?size|"
    r"accum(?:ulation)?_steps|grad\w*_steps)\Z"
)
_OVER_TIME = re.compile(
    r"(?i)_per_(?:(?:[num]?s|[mu]?sec|millis|micros|milli_?seconds?|micro_?seconds?|seconds?|min|minutes?|hours?|hr|days?|weeks?"
    r"|ticks?|beats?|cycles?)(?:_\w*)?)\Z"
)
_CUT_SIZE = re.compile(
    r"(?i)(?:.*_)?(?:interval|every|step|steps|stride|skip|freq|frequency|factor|per|size|cols|columns|nth|modulus)\Z|"
    r"(?:.*_)?per_\w+\Z"
)
_CUTTING = ("int", "round", "math.floor", "floor")


def is_size(code: str) -> bool:
    """Whether a denominator is called a size, of which there is one at least."""
    name = code.rpartition(".")[2]
    return re.fullmatch(r"[\w.]+", code) is not None and _SIZE.match(name) is not None and not _OVER_TIME.search(name)


def is_cut(module: Module, node: cst.BaseExpression) -> bool:
    """Whether an expression cuts a quotient to a whole number: `round(a / b)`, `a // b`."""
    cut = isinstance(node, cst.Call) and module.code(node.func) in _CUTTING and len(node.args) == 1
    cut = cut or (isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.FloorDivide))
    return cut and "/" in module.code(node)


def counted(module: Module, denominator: cst.BaseExpression) -> cst.BaseExpression | None:
    """What a denominator is bound to, where it was cut to a whole number that is a size: called so, or used as one
    behind the division too."""
    function = module.function(denominator)
    if not isinstance(denominator, cst.Name) or function is None:
        return None
    name = denominator.value
    bound = [
        one
        for one in intent.own_nodes(function.body, cst.Assign)
        if [module.code(each.target) for each in one.targets] == [name]
    ]
    if len(bound) != 1 or any(
        module.code(one.target) == name for one in intent.own_nodes(function.body, cst.AugAssign)
    ):
        return None
    value = bound[0].value
    line = module.position(denominator).end.line
    if not is_cut(module, value) or module.position(bound[0]).end.line >= line:
        return None
    if _CUT_SIZE.match(name):
        return value
    later = [
        one
        for one in intent.own_nodes(function.body, cst.Name)
        if one.value == name and module.position(one).start.line > line
    ]
    return value if later else None
