"""How far something is that takes no time at all: it is over, so that its share is one.

Pure functions over a parsed file.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.source.edit import Module

_DISTANCE = re.compile(r"(?i)(?:edit|levenshtein|hamming)_?dist|levenshtein|editdistance")
_BEST = re.compile(r"(?i)(?:^|_)(?:best|lowest|min(?:imum)?)(?:_|\Z)")
_PLAIN = re.compile(r"[\w.]+(?:\(\))?\Z")
_PASSED = re.compile(
    r"(?i)(?:.*_)?(?:elapsed\w*|time|t|dt|age|now|timer|clock|passed|ticks?|steps?|epoch|iteration|it|i|counter)\Z"
)
_SINCE = re.compile(r"(?i)\w+ - [\w.]*(?:start|begin|began|since|created|t0)\w*\Z|time\(\) - ")
_TAKEN = re.compile(
    r"(?i)(?:.*_)?(?:run_?time|duration|fade\w*|anim\w*_(?:time|length|steps)|transition\w*|warm_?up\w*|ramp\w*|tween\w*|"
    r"life_?(?:time|span)|cool_?down\w*|burn_?in)\Z"
)
_WIDTH = re.compile(r"(?i)(?:.*_)?(?:w|width|cols)\Z|.*shape\[1\]\Z|.*size\[0\]\Z")
_HEIGHT = re.compile(r"(?i)(?:.*_)?(?:h|height|rows)\Z|.*shape\[0\]\Z|.*size\[1\]\Z")


def is_over(module: Module, whole: cst.CSTNode) -> bool:
    """`elapsed / duration`, and the like."""
    if not isinstance(whole, cst.BinaryOperation) or not isinstance(whole.operator, cst.Divide):
        return False
    left, right = _bare(module, whole.left), _bare(module, whole.right)
    passed = _PASSED.match(left.rpartition(".")[2]) is not None or _SINCE.search(left) is not None
    return passed and _TAKEN.match(right.rpartition(".")[2]) is not None


def is_aspect(module: Module, whole: cst.CSTNode) -> bool:
    """`ratio = width / height`, of a picture without either."""
    if not isinstance(module.parent(whole), cst.Assign | cst.Return) or not isinstance(whole, cst.BinaryOperation):
        return False
    if not isinstance(whole.operator, cst.Divide):
        return False
    sides = [_bare(module, one) for one in (whole.left, whole.right)]
    sides = [one if one.endswith("]") else one.rpartition(".")[2] for one in sides]
    return any(_WIDTH.match(one) and _HEIGHT.match(other) for one, other in (sides, sides[::-1]))


def distance(module: Module, whole: cst.CSTNode) -> str | None:
    """`edit_distance(said, truth) / len(truth)`: one where something is said and there is nothing to say; None for any
    other quotient."""
    if not isinstance(whole, cst.BinaryOperation) or not isinstance(whole.operator, cst.Divide):
        return None
    call = whole.left
    if not isinstance(call, cst.Call) or len(call.args) != 2 or _DISTANCE.search(module.code(call.func)) is None:
        return None
    sides = [module.code(one.value) for one in call.args]
    counted: cst.BaseExpression = whole.right
    while isinstance(counted, cst.Call) and module.code(counted.func) in ("float", "len") and len(counted.args) == 1:
        counted = counted.args[0].value
    truth = module.code(counted)
    if truth not in sides or counted is whole.right or not all(_PLAIN.match(one) for one in sides):
        return None
    said = sides[1 - sides.index(truth)]
    return f"(1.0 if {said} else 0.0)" if said != truth else None


def is_held_to_best(module: Module, whole: cst.CSTNode) -> bool:
    """`loss = total / n`, where `loss < best` tells whether it is the lowest so far: one of nothing must not be."""
    change, function = module.parent(whole), module.function(whole)
    if not isinstance(change, cst.Assign) or len(change.targets) != 1 or function is None:
        return False
    name = module.code(change.targets[0].target)
    for one in module.nodes(cst.Comparison, within=function.body):
        other = one.comparisons[0]
        sides = [module.code(one.left), module.code(other.comparator)]
        lower = isinstance(other.operator, cst.LessThan | cst.LessThanEqual)
        if not lower and not isinstance(other.operator, cst.GreaterThan | cst.GreaterThanEqual):
            continue
        tested, best = sides if lower else sides[::-1]
        if tested == name and len(one.comparisons) == 1 and _BEST.search(best.rpartition(".")[2]):
            return True
    return False


def is_whole(module: Module, whole: cst.CSTNode) -> bool:
    """Whether a formula gives whole numbers where it is given such: nothing in it divides but `//` and `%`."""
    divided = [one.operator for one in module.nodes(cst.BinaryOperation, within=whole)]
    if any(isinstance(one, cst.Divide | cst.Power) for one in divided) or module.nodes(cst.Float, within=whole):
        return False
    calls = {module.code(one.func) for one in module.nodes(cst.Call, within=whole)}
    return "float" not in calls and any(isinstance(one, cst.FloorDivide | cst.Modulo) for one in divided)


def _bare(module: Module, node: cst.BaseExpression) -> str:
    code = module.code(node.with_changes(lpar=[], rpar=[]))
    while (inner := re.fullmatch(r"(?:float|int)\((.+)\)|(.+)\(\)", code)) is not None:
        code = inner[1] or inner[2]
    return code
