"""How far something is that takes no time at all: it is over, so that its share is one.

Pure functions over a parsed file.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.source.edit import Module

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


def _bare(module: Module, node: cst.BaseExpression) -> str:
    code = module.code(node.with_changes(lpar=[], rpar=[]))
    while (inner := re.fullmatch(r"(?:float|int)\((.+)\)|(.+)\(\)", code)) is not None:
        code = inner[1] or inner[2]
    return code
