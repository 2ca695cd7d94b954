"""Where a statement can be left out for itself: what stands there already serves, or the rest of a round is as good.

Relies on `dependents` for the names that statements bind. Pure functions over a parsed file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.source.dependents import Statement, bound_names
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import own_nodes
from engine.repair.patterns.source.syntax import last_name, walk

MOST_STATEMENTS = 8
_EXITS = (cst.Return, cst.Break, cst.Continue, cst.Raise, cst.Yield)


def has_earlier(module: Module, line: cst.SimpleStatementLine) -> bool:
    """`x = first` and, under a condition, `x = other.part`: where the condition fails, what follows goes on with the
    first value, and so it can where the other is missing."""
    only = line.body[0]
    if not isinstance(only, cst.Assign) or len(only.targets) != 1 or not isinstance(only.targets[0].target, cst.Name):
        return False
    name = only.targets[0].target.value
    inner: cst.CSTNode = line
    is_conditional = False
    for around in module.ancestors(line):
        if isinstance(around, cst.FunctionDef | cst.ClassDef | cst.For | cst.While | cst.Try | cst.With):
            return is_conditional and _binds_above(around, inner, name)
        if isinstance(around, cst.If):
            if isinstance(around.orelse, cst.Else) and name in set(bound_names(around.orelse.body)):
                return False  # one of the branches is to bind it anew
            if around.body is inner and module.code(around.test) in (f"{name} is None", f"not {name}"):
                return False  # what is there is nothing
            is_conditional = True
        if is_conditional and isinstance(around, cst.IndentedBlock) and _binds_in(around.body, inner, name):
            return True
        inner = around
    return False


def _binds_above(around: cst.CSTNode, inner: cst.CSTNode, name: str) -> bool:
    body = getattr(around, "body", None)
    return isinstance(body, cst.IndentedBlock) and inner is not body and _binds_in(body.body, inner, name)


def _binds_in(body: Sequence[cst.BaseStatement], end: cst.CSTNode, name: str) -> bool:
    """Whether a plain statement of a block binds a name in front of one of its statements."""
    for one in body:
        if one is end:
            return False
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        if isinstance(small, cst.Assign | cst.AnnAssign) and small.value is not None and name in set(bound_names(one)):
            return True
    return False


def rest_of_branch(module: Module, line: cst.SimpleStatementLine) -> list[Statement] | None:
    """The statement and all behind it in its branch of an `if`, where a `while` goes on behind the branch with what it
    knows from the rounds before; None where it cannot."""
    block = module.parent(line)
    branch = module.parent(block) if isinstance(block, cst.IndentedBlock) else None
    if not isinstance(branch, cst.If | cst.Else) or not isinstance(block, cst.IndentedBlock):
        return None
    top: cst.CSTNode = branch
    while isinstance(module.parent(top), cst.If):
        top = module.parent(top) or top
    outer = module.parent(top)
    loop = module.parent(outer) if isinstance(outer, cst.IndentedBlock) else None
    if not isinstance(loop, cst.While) or not isinstance(outer, cst.IndentedBlock) or outer.body[-1] is top:
        return None
    group = list(block.body)[list(block.body).index(line) :]
    if len(group) > MOST_STATEMENTS or any(own_nodes(one, kind) for one in group for kind in _EXITS):
        return None
    start, end = module.position(top).start.line, module.position(top).end.line
    bound = {name for one in group for name in bound_names(one)}
    scope = module.function(line)
    names = module.nodes(cst.Name, within=scope.body if scope is not None else module.tree)
    read = {one.value for one in names if module.position(one).start.line > end}
    other = {name for one in _branches(top) if one is not block for name in bound_names(one)}
    before = {one.value for one in names if module.position(one).start.line < start}
    return group if (bound & read) <= other | before else None


def _branches(top: cst.CSTNode) -> list[cst.CSTNode]:
    """The blocks of an `if` with its `elif`s and its `else`."""
    found: list[cst.CSTNode] = []
    at: cst.CSTNode | None = top
    while isinstance(at, cst.If):
        found.append(at.body)
        at = at.orelse
    if isinstance(at, cst.Else):
        found.append(at.body)
    return found


def overwrites(module: Module, node: cst.CSTNode) -> bool:
    """Whether a node is part of a list of records that takes the place of what an object has by now, or the words of
    one in a conversation."""
    record = module.parent(module.parent(node) or node)
    if isinstance(record, cst.Dict) and re.search(r"['\"]role['\"]\s*:", module.code(record)):
        return True
    lists = [one for one in module.ancestors(node) if isinstance(one, cst.List)]
    around = module.parent(lists[-1]) if lists else None
    function = module.function(node)
    return (
        isinstance(around, cst.Assign)
        and all(isinstance(one.target, cst.Attribute | cst.Subscript) for one in around.targets)
        and function is not None
        and function.name.value != "__init__"
    )


def looking(module: Module, whole: cst.BaseExpression, names: set[str]) -> cst.SimpleStatementLine | None:
    """The statement that looks for something by a value, `find(lambda one: one.id == data["id"], many)`, where the
    value is the same for all that is looked at; None elsewhere."""
    for around in module.ancestors(whole):
        if isinstance(around, cst.Lambda | cst.BaseComp):
            own = set(map(module.code, module.nodes(cst.Param, within=around))) if isinstance(around, cst.Lambda) else (
                guards.bound_in(module, around)
            )  # fmt: skip
            arg = module.parent(around)
            call = module.parent(arg) if isinstance(arg, cst.Arg) else None
            name = last_name(call.func) if isinstance(call, cst.Call) else ""
            line = module.nearest(around, cst.SimpleStatementLine)
            small = line.body[0] if line is not None and len(line.body) == 1 else None
            if (
                names & own
                or name not in ("find", "filter", "next", "any", "all", "get")
                or not isinstance(small, cst.Assign)
            ):
                return None
            return line if module.nearest(call or around, cst.Lambda) is None else None
        if isinstance(around, cst.BaseSuite):
            return None
    return None


def steps_on(module: Module, only: cst.BaseSmallStatement, subject: cst.BaseExpression) -> bool:
    """`node = node.next`: once there is no node, there is none in any round that follows."""
    if not isinstance(only, cst.Assign) or not isinstance(subject, cst.Name) or len(only.targets) != 1:
        return False
    name, loop = subject.value, module.nearest(only, cst.For)
    if loop is None or module.code(only.targets[0].target) != name:
        return False
    if any(isinstance(one, cst.Name) and one.value == name for one in walk(loop.target)):
        return False  # each round has its own
    others = [one for one in loop.body.body if only not in module.nodes(cst.Assign, within=one)]
    return not any(name in set(bound_names(one)) for one in others)
