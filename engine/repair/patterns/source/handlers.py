"""A `try` around what failed that is ready for other errors: it is made ready for this one as well.

Relies on LibCST alone. Only a handler that gives up on a small part is widened: one that says what to do without it,
and hands nothing on; or one that tells by an error of the project's own what was wrong with the data. Whether the error
is meant to pass it is not asked here.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.source.dependents import bound_names
from engine.repair.patterns.source.edit import Module

MOST_LINES = 8
MOST_STATEMENTS = 4
_OF_DATA = ("KeyError", "IndexError", "LookupError", "AttributeError", "TypeError", "ValueError")
_ALIEN = re.compile(  # these say nothing of data, or of a file, that was not as expected
    r"\b(?:ImportError|ModuleNotFoundError|KeyboardInterrupt|SystemExit|StopIteration|GeneratorExit|StopAsyncIteration|"
    r"CancelledError|Warning|AssertionError|NotImplementedError|SyntaxError|Exception|BaseException|NameError|"
    r"DoesNotExist|UnboundLocalError|RecursionError|MemoryError|TimeoutError|\w*Timeout|Empty|Full|BlockingIOError|"
    r"InterruptedError)\b"
)

_RECKONING = re.compile(r"\b(?:OverflowError|ZeroDivisionError|FloatingPointError|ArithmeticError)\b")
_ALIEN_TO_IMPORTS = re.compile(_ALIEN.pattern.replace("ImportError|ModuleNotFoundError|", ""))


def tells(module: Module, node: cst.CSTNode, error: str) -> bool:
    """Let the handlers around a node, which tell by an error of the project's own what was wrong with the data, tell of
    this error too; whether there are such."""
    return _translating(module, node, error) is not None and widened(module, node, error)


def widened(module: Module, node: cst.CSTNode, error: str, owner: str = "") -> bool:
    """Let the handler around a node catch one error more; whether there was one for it. `owner`: what lacks an
    attribute, as source: where it is a module that the `try` imports, what is done without it is what is done without
    the attribute."""
    handler = _ready(module, node, owner) or _translating(module, node, error)
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
            is_long = where.end.line - where.start.line >= MOST_LINES
            if around.orelse is not None or (is_long and not _gives_it_anyway(around)):
                return None
            alien = _ALIEN_TO_IMPORTS if _imports(module, around.body, owner) else _ALIEN
            fitting = [one for one in around.handlers if one.type is not None and _gives_up(module, one, alien)]
            return fitting[0] if len(fitting) == 1 == len(around.handlers) else None
        inner = around
    return None


def _gives_it_anyway(around: cst.Try) -> bool:
    """Whether a `try` of few statements, however long they are, only makes what its handler gives a plain value."""
    if len(around.body.body) > MOST_STATEMENTS or len(around.handlers) != 1:
        return False
    made = {one for each in around.body.body for one in bound_names(each)}
    for one in around.handlers[0].body.body:
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        if not isinstance(small, cst.Assign) or not set(bound_names(one)) <= made:
            return False
        if not isinstance(small.value, cst.List | cst.Dict | cst.Tuple | cst.SimpleString | cst.Name | cst.Integer):
            return False
    last = around.body.body[-1]
    return set(bound_names(around.handlers[0].body)) <= set(bound_names(last))


def _translating(module: Module, node: cst.CSTNode, error: str) -> cst.ExceptHandler | None:
    """The handler of a `try` of few statements that says by an error of its own what was wrong with the data, of those
    whose errors speak of data as this one does; None where one of the handlers does anything else."""
    if error not in _OF_DATA:
        return None
    inner: cst.CSTNode = node
    caught = [one for one in module.nodes(cst.ExceptHandler) if one.type is not None]
    if any(
        error in module.code(one.type) for one in caught if one.type is not None and not _is_around(module, one, node)
    ):
        return None  # a caller waits for it
    for around in module.ancestors(node):
        if isinstance(around, cst.FunctionDef | cst.ClassDef | cst.Lambda | cst.With | cst.For | cst.While):
            return None
        if isinstance(around, cst.Try) and inner is around.body:
            if len(around.body.body) > MOST_STATEMENTS - 1 or around.orelse is not None or around.finalbody is not None:
                return None
            if not all(_says_so(module, one) for one in around.handlers):
                return None
            owner = module.code(node.value) if isinstance(node, cst.Attribute | cst.Subscript) else ""
            read = {module.code(one) for one in module.nodes(cst.Name, within=around.handlers[0].body)}
            if owner in read and error in ("AttributeError", "TypeError"):
                return None  # it says what is None
            return max(around.handlers, key=lambda one: _kinship(module, one))
        inner = around
    return None


def _is_around(module: Module, handler: cst.ExceptHandler, node: cst.CSTNode) -> bool:
    whole = module.parent(handler)
    return any(one is whole for one in module.ancestors(node))


def _kinship(module: Module, handler: cst.ExceptHandler) -> int:
    kinds = module.code(handler.type) if handler.type is not None else ""
    return sum(one in kinds for one in ("KeyError", "IndexError", "LookupError", "AttributeError", "TypeError"))


def _says_so(module: Module, handler: cst.ExceptHandler) -> bool:
    """Whether a handler of errors of data does nothing but raise an error of the project's own."""
    kinds = module.code(handler.type) if handler.type is not None else ""
    line = handler.body.body[0] if len(handler.body.body) == 1 else None
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    call = small.exc if isinstance(small, cst.Raise) else None
    names = re.findall(r"\w+", kinds)
    return bool(names) and all(one in _OF_DATA for one in names) and isinstance(call, cst.Call) and bool(call.args)


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
