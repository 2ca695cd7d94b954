"""Whether somebody asks of what a function gave, or of an image that was read, if it is there: then None is no error.

`image = load(path)` is asked by any test of `image` for None or for its truth, by `load(path) or other`, and by a
`try` that catches what None leads to.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import PurePosixPath

import libcst as cst

from engine.repair.patterns.source import expected
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.sites import Trail
from engine.repair.patterns.source.syntax import last_name, walk

MOST_FILES = 400
_OF_NONE = ("AttributeError", "TypeError")


def asked_by_callers(trail: Trail, module: Module, name: str) -> bool:
    """Whether any caller of a function asks what it got: in its own file, those of the traceback, those that name it.

    `module` is the file that the function is in. Files that do not name that file cannot have the function from it.
    """
    at_hand = [module.path, *(path for path, _frame in trail.frames)]
    mark, stem = f"{name}(".encode(), PurePosixPath(module.path).stem.encode()
    for path in dict.fromkeys((*at_hand, *trail.project.python_files()[:MOST_FILES])):
        source = trail.project.read(path)
        if source is None or mark not in source or not (path in at_hand or stem in source):
            continue
        if name in _asked_of(source):
            return True
    return False


@lru_cache(maxsize=64)
def _asked_of(source: bytes) -> frozenset[str]:
    """The names of all functions of whose results a file asks whether they are there."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset()
    found: set[str] = set()
    elsewhere = expected.foreign_names(tree)
    for nodes in expected.scopes_of(tree):
        bound: dict[str, str] = {}
        for node in nodes:
            if isinstance(node, ast.Assign) and (called := _called(node.value, elsewhere)):
                bound.update((ast.unparse(target), called) for target in node.targets)
            elif isinstance(node, ast.NamedExpr) and (called := _called(node.value, elsewhere)):
                bound[node.target.id] = called
        for node in nodes:
            for one in _asked_in(node):
                found.add(_called(one, elsewhere) or bound.get(ast.unparse(one), ""))
            if isinstance(node, ast.Try) and any(_catches(one) for one in node.handlers):
                within = [each for line in node.body for each in ast.walk(line)]
                found.update(_called(one, elsewhere) for one in within if isinstance(one, ast.expr))
    return frozenset(found - {""})


def _asked_in(node: ast.AST) -> list[ast.expr]:
    """What a node asks for its being there."""
    if isinstance(node, ast.Compare):
        sides = [node.left, *node.comparators]
        return sides if any(isinstance(one, ast.Constant) and one.value is None for one in sides) else []
    if isinstance(node, ast.UnaryOp):
        return [node.operand] if isinstance(node.op, ast.Not) else []
    if isinstance(node, ast.BoolOp):
        return node.values
    if isinstance(node, ast.If | ast.While | ast.IfExp | ast.Assert):
        return [node.test]
    if isinstance(node, ast.comprehension):
        return node.ifs
    if isinstance(node, ast.Call) and expected.last_of(node.func) in ("bool", "isinstance", "filter", "assertIsNone"):
        return node.args
    return []


def _called(node: ast.expr, elsewhere: frozenset[str]) -> str:
    if isinstance(node, ast.NamedExpr | ast.Await):
        node = node.value
    if not isinstance(node, ast.Call):
        return ""
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    is_foreign = isinstance(owner, ast.Name) and owner.id in elsewhere
    return "" if is_foreign else expected.last_of(node.func)


def _catches(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(one is not None and expected.last_of(one) in _OF_NONE for one in kinds)


def is_asked(module: Module, scope: cst.CSTNode, name: str) -> bool:
    """Whether a function compares a name with None, or asks for its truth, anywhere."""
    text = re.escape(name)
    asks = re.compile(
        rf"(?<![\w.]){text} *(?:is|==|!=)(?: not)? None\b|\bnot {text}\b(?![.\[(])|\bbool\({text}\)|"
        rf"\b(?:if|while|assert|and|or) {text}\b(?= *(?:[:)\n]|and\b|or\b|else\b))|(?<![\w.]){text} (?:and|or)\b"
    )
    return bool(asks.search(module.code(scope)))


def is_used(module: Module, scope: cst.CSTNode, name: str) -> bool:
    """Whether a function does with a name what cannot be done with None, rather than handing it on alone."""
    for one in walk(scope):
        if not (isinstance(one, cst.Name) and one.value == name):
            continue
        around = module.parent(one)
        if isinstance(around, cst.Attribute | cst.Subscript) and around.value is one:
            return True
        if isinstance(around, cst.BinaryOperation):
            return True
        if isinstance(around, cst.Arg) and around.keyword is None and not around.star:
            call = module.parent(around)
            if isinstance(call, cst.Call) and call.args[0] is around and _needs_it(module, call):
                return True
    return False


def _needs_it(module: Module, call: cst.Call) -> bool:
    """Whether a call fails for None as its first argument: all of OpenCV's do."""
    called = module.qualified(call.func)
    is_of_cv2 = called.startswith("cv2.") and last_name(call.func) not in ("imread", "namedWindow")
    return is_of_cv2 or (called == "len" and not module.defines("len"))
