"""A `try` around what failed that is ready for other errors: it is made ready for this one as well.

Relies on LibCST alone. Only a handler that gives up on a small part is widened: one that says what to do without it,
and hands nothing on. Whether the error is meant to pass it is not asked here.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.source.edit import Module

MOST_LINES = 8
_ALIEN = re.compile(  # these say nothing of data, or of a file, that was not as expected
    r"\b(?:ImportError|ModuleNotFoundError|KeyboardInterrupt|SystemExit|StopIteration|GeneratorExit|StopAsyncIteration|"
    r"CancelledError|Warning|AssertionError|NotImplementedError|SyntaxError|Exception|BaseException|NameError|"
    r"DoesNotExist|UnboundLocalError|RecursionError|MemoryError)\b"
)

_RECKONING = re.compile(r"\b(?:OverflowError|ZeroDivisionError|FloatingPointError|ArithmeticError)\b")
_ALIEN_TO_IMPORTS = re.compile(_ALIEN.pattern.replace("ImportError|ModuleNotFoundError|", ""))


def widened(module: Module, node: cst.CSTNode, error: str, owner: str = "") -> bool:
    """Let the handler around a node catch one error more; whether there was one for it. `owner`: what lacks an
    attribute, as source: where it is a module that the `try` imports, what is done without it is what is done without
    the attribute."""
    handler = _ready(module, node, owner)
    if handler is None or handler.type is None:
        return False
    kinds = handler.type
    if _RECKONING.search(module.code(kinds)):
        return False  # what a number too large comes to says nothing of what is not there
    name = cst.Name(error)
    space = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if isinstance(kinds, cst.Tuple):
        before = [one.with_changes(comma=space) for one in kinds.elements]
        module.replace(kinds, kinds.with_changes(elements=[*before, cst.Element(name)]))
    else:
        made = cst.Tuple([cst.Element(kinds, comma=space), cst.Element(name)])
        module.replace(kinds, made)
    return True


def _ready(module: Module, node: cst.CSTNode, owner: str) -> cst.ExceptHandler | None:
    """The handler of the nearest `try` whose small body holds a node, where it gives up on that body."""
    inner: cst.CSTNode = node
    for around in module.ancestors(node):
        if isinstance(around, cst.FunctionDef | cst.ClassDef | cst.Lambda):
            return None
        if isinstance(around, cst.Try) and inner is around.body:
            where = module.position(around.body)
            if where.end.line - where.start.line >= MOST_LINES or around.orelse is not None:
                return None
            alien = _ALIEN_TO_IMPORTS if _imports(module, around.body, owner) else _ALIEN
            fitting = [one for one in around.handlers if one.type is not None and _gives_up(module, one, alien)]
            return fitting[0] if len(fitting) == 1 == len(around.handlers) else None
        inner = around
    return None


def _imports(module: Module, body: cst.CSTNode, owner: str) -> bool:
    """Whether a block imports a module by a name."""
    names = [alias for one in module.nodes(cst.Import, within=body) for alias in one.names]
    bound = [module.code(one.asname.name if one.asname is not None else one.name) for one in names]
    return bool(owner) and owner in bound


def _gives_up(module: Module, handler: cst.ExceptHandler, alien: re.Pattern[str]) -> bool:
    """Whether a handler goes on without what failed, whatever the error said."""
    if handler.type is None or alien.search(module.code(handler.type)):
        return False
    if any(module.nodes(kind, within=handler.body) for kind in (cst.Raise, cst.Try)):
        return False
    name = handler.name.name.value if handler.name and isinstance(handler.name.name, cst.Name) else ""
    asked = [one for one in module.nodes(cst.Attribute, within=handler.body) if module.code(one.value) == name]
    return not (name and asked)
