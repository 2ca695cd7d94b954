"""What the project does with the result of a function: whether it goes on with it at once, or asks first whether there
is one; and which empty value all of it could go on with.

Calls are found by the function's name, in all files; a name that several functions of the project have tells only of
the function's own file. Reads sources alone.
"""

from __future__ import annotations

import ast
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import libcst as cst

from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import is_test, sources

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
_ORDERS = ast.Lt | ast.LtE | ast.Gt | ast.GtE
_ASKING = (ast.If, ast.While, ast.IfExp, ast.Assert, ast.BoolOp)
_WALKING = frozenset(("len", "sorted", "list", "tuple", "set", "enumerate", "zip", "reversed", "any", "all"))
_TEXT_METHODS = frozenset(
    (
        *("strip", "lstrip", "rstrip", "lower", "upper", "title", "replace", "capitalize", "casefold", "startswith"),
        *("endswith", "encode", "splitlines", "isdigit", "zfill", "ljust", "rjust", "center"),
    )
)
_DICT_METHODS = frozenset(("items", "keys", "values", "get"))
_BUILT_IN = frozenset(
    name for kind in (dict, str, bytes, list, set, int, io.TextIOWrapper, io.BytesIO) for name in dir(kind)
) | {"put", "task_done", "match", "search", "group", "groups", "fullmatch", "send", "recv", "run", "start", "next",
     "load", "parse", "fetch", "execute", "call", "open", "exists", "stat", "submit", "result", "wait"}  # fmt: skip
_Reads = dict[ast.AST, dict[str, list[ast.Name]]]
_FAILS = "fails"  # and no empty value helps
_ASKS = "asks"
_UNKNOWN = ""


def needed(case: Case, module: Module, function: cst.FunctionDef) -> str | None:
    """The empty value, as source, that all callers can go on with where None would fail, '' where no value serves one
    of them; None where no caller fails, or one asks whether there is anything."""
    name, is_method = function.name.value, module.nearest(function, cst.ClassDef) is not None
    trees = [(path, tree) for path, tree in sources(case, name) if not is_test(path)]
    functions = ((path, one) for path, tree in trees for one in ast.walk(tree) if isinstance(one, _FUNCTIONS))
    makers = [path for path, one in functions if one.name == name]
    if makers.count(case.path) != 1:
        return None
    if len(makers) > 1 and is_method:
        trees = [(path, tree) for path, tree in trees if path == case.path]
    own = module.nearest(function, cst.ClassDef)
    home = _Home(case.path, name, own.name.value if own is not None else None)
    fates = {fate for path, tree in trees for fate in _fates(tree, home, path)}
    fates -= {_UNKNOWN}
    if not fates or _ASKS in fates:
        return None
    return fates.pop() if len(fates) == 1 and _FAILS not in fates else ""


@dataclass(frozen=True)
class _Home:
    """Where a function is: its file, its name, and its class if it is a method."""

    path: str
    name: str
    own: str | None

    @property
    def stem(self) -> str:
        home = PurePosixPath(self.path)
        return home.parent.name if home.stem == "__init__" else home.stem


@dataclass(frozen=True)
class _Known:
    """What a file has by which name: functions by the last part of the module they are from, modules by the last part
    of their own, and objects by the class they are made of."""

    given: dict[str, set[str]]
    modules: dict[str, str]
    objects: dict[str, set[str]]


def _known(tree: ast.Module) -> _Known:
    known = _Known({}, {}, {})
    for one in ast.walk(tree):
        if isinstance(one, ast.ImportFrom):
            for each in one.names:
                known.given.setdefault(each.asname or each.name, set()).add((one.module or "").rpartition(".")[2])
        if isinstance(one, ast.Import | ast.ImportFrom):
            for each in one.names:
                known.modules.setdefault(each.asname or each.name.partition(".")[0], each.name.rpartition(".")[2])
        if isinstance(one, ast.Assign) and isinstance(one.value, ast.Call):
            for target in one.targets:
                known.objects.setdefault(ast.unparse(target), set()).add(_last(one.value.func))
    return known


def _is_meant(call: ast.Call, home: _Home, path: str, known: _Known) -> bool:
    """Whether a call is one of the function: of a method by an object of its class, or by any object where no built-in
    type has one of this name; of a plain function by its name where the file has it from its module, or by the
    module."""
    func = call.func
    if home.own is not None:
        if not isinstance(func, ast.Attribute):
            return False
        is_own = path == home.path and isinstance(func.value, ast.Name) and func.value.id in ("self", "cls")
        made = known.objects.get(ast.unparse(func.value), set())
        return is_own or home.own in made or (not made and home.name not in _BUILT_IN)
    if isinstance(func, ast.Name):
        given = known.given.get(home.name, set())
        return func.id == home.name and (home.stem in given or (home.path == path and not given))
    if not (isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name)):
        return False
    return known.modules.get(func.value.id) == home.stem


def _last(func: ast.expr) -> str:
    return func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else ""


def _above(node: ast.AST, around: dict[ast.AST, ast.AST]) -> Iterator[ast.AST]:
    while node in around:
        node = around[node]
        yield node


def _fates(tree: ast.Module, home: _Home, path: str) -> Iterator[str]:
    """What is done with each call of a function, as far as it tells anything."""
    name = home.name
    calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call) and _last(one.func) == name]
    known = _known(tree) if calls else _Known({}, {}, {})
    calls = [one for one in calls if _is_meant(one, home, path, known)]
    reads: _Reads = {}
    around = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)} if calls else {}
    for call in calls:
        node: ast.AST = call
        if any(isinstance(one, _FUNCTIONS) and one.name == name for one in _above(node, around)):
            continue  # it calls itself
        if isinstance(around.get(node), ast.Await):
            node = around[node]
        parent = around.get(node)
        if isinstance(parent, ast.Assign) and parent.value is node and len(parent.targets) == 1:
            target = parent.targets[0]
            if isinstance(target, ast.Name):
                yield from _fates_of_name(around, parent, target.id, reads)
            elif isinstance(target, ast.Tuple | ast.List):
                yield _FAILS
        else:
            yield _fate(node, parent, around)


def _fate(node: ast.AST, parent: ast.AST | None, around: dict[ast.AST, ast.AST]) -> str:
    """What is done with a value where it stands: the empty value that would serve there where None fails, or that it is
    asked for, or that nothing serves, or that nothing tells."""
    if isinstance(parent, ast.Compare):
        return _compared(node, parent)
    if isinstance(parent, _ASKING) and (isinstance(parent, ast.BoolOp) or parent.test is node):
        return _ASKS
    if isinstance(parent, ast.UnaryOp):
        return _ASKS if isinstance(parent.op, ast.Not) else _FAILS
    if isinstance(parent, ast.Attribute):
        is_called = isinstance(outer := around.get(parent), ast.Call) and outer.func is parent
        by_kind = {'""': _TEXT_METHODS, "{}": _DICT_METHODS}
        return next((kind for kind, names in by_kind.items() if is_called and parent.attr in names), _FAILS)
    if isinstance(parent, ast.Subscript):
        return _FAILS if parent.value is node else _UNKNOWN
    if isinstance(parent, ast.BinOp):
        return _reckoned(node, parent)
    if isinstance(parent, ast.AugAssign) and parent.value is node:
        return "0" if isinstance(parent.op, ast.Add | ast.Sub) else _FAILS
    if isinstance(parent, ast.For | ast.AsyncFor | ast.comprehension):
        return "[]" if parent.iter is node else _UNKNOWN
    if isinstance(parent, ast.FormattedValue):
        return "0" if parent.format_spec is not None else _UNKNOWN
    if isinstance(parent, ast.withitem | ast.Starred):
        return _FAILS
    if isinstance(parent, ast.GeneratorExp | ast.ListComp) and parent.elt is node:
        outer = around.get(parent)
        name = outer.func.id if isinstance(outer, ast.Call) and isinstance(outer.func, ast.Name) else ""
        return {"sum": "0", "min": _FAILS, "max": _FAILS, "sorted": _FAILS}.get(name, _UNKNOWN)
    if isinstance(parent, ast.Call) and parent.func is not node and isinstance(parent.func, ast.Name):
        if parent.func.id in _WALKING:
            return "[]"
        return _FAILS if parent.func.id in ("int", "float", "min", "max", "sum", "abs", "round") else _UNKNOWN
    return _UNKNOWN


def _compared(node: ast.AST, test: ast.Compare) -> str:
    others = [one for one in (test.left, *test.comparators) if one is not node]
    if any(isinstance(one, ast.Constant) and one.value is None for one in others):
        return _ASKS
    if isinstance(test.ops[0], ast.In | ast.NotIn):
        return "[]" if node in test.comparators else _UNKNOWN
    return _FAILS if isinstance(test.ops[0], _ORDERS) else _UNKNOWN


def _reckoned(node: ast.AST, whole: ast.BinOp) -> str:
    other = whole.right if whole.left is node else whole.left
    is_text = isinstance(other, ast.JoinedStr) or (isinstance(other, ast.Constant) and isinstance(other.value, str))
    if is_text and isinstance(whole.op, ast.Add):
        return _FAILS if "/" in ast.unparse(other) else '""'  # of nothing there is no path
    if is_text and isinstance(whole.op, ast.Mod):
        return _UNKNOWN
    return "0" if isinstance(whole.op, ast.Add | ast.Sub) and isinstance(other, ast.Constant) else _FAILS


def _fates_of_name(around: dict[ast.AST, ast.AST], change: ast.Assign, name: str, reads: _Reads) -> Iterator[str]:
    """What is done, behind its binding, with a name that got a result. `reads`: what was collected of other scopes."""
    scope: ast.AST = change
    while scope in around and not isinstance(scope, _FUNCTIONS):
        scope = around[scope]
    if scope not in reads:
        reads[scope] = {}
        for one in ast.walk(scope):
            if isinstance(one, ast.Name):
                reads[scope].setdefault(one.id, []).append(one)
        for found in reads[scope].values():
            found.sort(key=lambda one: (one.lineno, one.col_offset))
    for one in reads[scope].get(name, []):
        if one.lineno <= change.lineno:
            continue
        if isinstance(one.ctx, ast.Store):
            break
        fate = _fate(one, around.get(one), around)
        yield fate
        if fate == _ASKS:
            break
