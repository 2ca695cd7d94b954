"""The statements that need a value: those behind it that read it, and the names that are bound by them alone.

Where a value is missing, leaving all of what follows would lose work that does not need it. Pure functions over a
parsed file; nothing is changed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import libcst as cst

from engine.repair.patterns.source.edit import Module

MOST_STATEMENTS = 5
MOST_LINES = 12
Statement = cst.BaseStatement
_ANSWERING = (
    r"\A(?:flash|messages\.success|ctx\.(?:send|reply|respond))\Z|\.showMessage\Z|"
    r"\A(?:QMessageBox|messagebox|st)\.(?:information|showinfo|success)\Z"
)
_TELLING = re.compile(
    rf"{_ANSWERING}|\A(?:print|click\.echo|typer\.echo)\Z|"
    r"(?:^|[._])(?:log|logger|logging)\.(?:debug|info)\Z|\btqdm\.write\Z"
)


def dependents(module: Module, line: Statement, fails: Callable[[cst.CSTNode], bool]) -> list[Statement] | None:
    """The statement at `line` and those right behind it that cannot do without it; None where it cannot be left out.

    `fails` tells of a node whether it fails where the value is missing. None, too, where nothing that follows in the
    block can do without it, where statements that can stand between, or where a name that only these statements bind
    is read behind the block.
    """
    block = module.parent(line)
    if not isinstance(block, cst.IndentedBlock):
        return None
    body = list(block.body)
    at = body.index(line)
    later = body[at + 1 :]
    before = _bound_before(module, line)
    is_change = isinstance(line, cst.SimpleStatementLine) and isinstance(line.body[0], cst.AugAssign)
    is_change = is_change or works_on_itself(module, line)
    own = (
        set() if is_change else set(bound_names(line))
    )  # what was changed is as good as ever; of what is bound anew, no earlier value is meant
    parts = {module.code(one.target) for one in module.nodes(cst.AssignTarget, within=line)} - own
    group: list[Statement] = [line]
    for index, one in enumerate(later):
        own -= _bound_anew(one)
        if not _reads(module, one, own, parts, fails):
            if any(_reads(module, other, own, parts, fails) for other in later[index + 1 :]):
                return None
            break
        if _leaves(one):
            return None
        group.append(one)
        own |= set(bound_names(one)) - before
    rest = body[at + len(group) :]
    if (not rest and not _goes_on(module, block)) or (_are_only_exits(rest) and not _goes_on(module, block)):
        return None
    if _keeps_step(module, group, rest) or (rest and _is_only_told(module, line, rest)):
        return None
    if len(group) > MOST_STATEMENTS or _lines(module, group) > MOST_LINES or _reads_behind(module, block, own):
        return None
    return group


def _bound_anew(one: cst.CSTNode) -> set[str]:
    """Names that the head of a statement gives a value of its own, without a look at the one they had."""
    if isinstance(one, cst.With):
        names = {name for item in one.items if item.asname is not None for name in bound_names(item.asname)}
        heads: list[cst.CSTNode] = [item.item for item in one.items]
    elif isinstance(one, cst.For):
        names, heads = set(_plain(one.target)), [one.iter]
    else:
        return set()
    return names - {name for head in heads for name in _all_names(head)}


def _all_names(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.Name):
        yield node.value
    for child in node.children:
        yield from _all_names(child)


def works_on_itself(module: Module, line: Statement) -> bool:
    """`x = invert(x)`: where there is no `x`, there still is none, which the code around allows for."""
    only = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
    if not isinstance(only, cst.Assign) or len(only.targets) != 1 or not isinstance(only.value, cst.Call):
        return False
    target = module.code(only.targets[0].target)
    around = module.nearest(line, cst.If)
    return around is not None and any(module.code(arg.value) == target for arg in only.value.args)


def _goes_on(module: Module, block: cst.CSTNode) -> bool:
    """Whether a part of a `try` or an `if` is followed by more than a way out."""
    around: cst.CSTNode | None = module.parent(block)
    while isinstance(around, cst.Else):
        around = module.parent(around)
    while isinstance(around, cst.If | cst.Try | cst.With):
        outer = module.parent(around)
        if isinstance(outer, cst.IndentedBlock):
            behind = list(outer.body)[list(outer.body).index(around) + 1 :]
            if behind and not _are_only_exits(behind):
                return True
            around = module.parent(outer)
        else:
            around = outer
    return False


def _keeps_step(module: Module, group: Sequence[cst.CSTNode], rest: Sequence[cst.CSTNode]) -> bool:
    """Whether a list gets an element in a group, and another list one behind it: the two are to be of one length."""

    def lists(statements: Sequence[cst.CSTNode]) -> set[str]:
        found = set()
        for one in statements:
            small = one.body[0] if isinstance(one, cst.SimpleStatementLine) else None
            call = small.value if isinstance(small, cst.Expr) else None
            if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value == "append":
                found.add(module.code(call.func.value))
        return found

    return bool(lists(group)) and bool(lists(rest) - lists(group))


def bound_names(node: cst.CSTNode) -> Iterator[str]:
    """Plain names that a statement binds, wherever in it."""
    if isinstance(node, cst.FunctionDef | cst.ClassDef):
        yield node.name.value
        return
    targets: list[cst.CSTNode] = []
    if isinstance(node, cst.AssignTarget | cst.AnnAssign | cst.AugAssign | cst.NamedExpr | cst.For | cst.CompFor):
        targets = [node.target]
    elif isinstance(node, cst.AsName):
        targets = [node.name]
    elif isinstance(node, cst.ImportAlias) and node.asname is None:
        yield str(node.evaluated_name).partition(".")[0]
    for target in targets:
        yield from _plain(target)
    for child in node.children:
        yield from bound_names(child)


def _plain(target: cst.CSTNode) -> Iterator[str]:
    if isinstance(target, cst.Name):
        yield target.value
    elif isinstance(target, cst.Tuple | cst.List):
        for one in target.elements:
            yield from _plain(one.value)


def _bound_before(module: Module, line: cst.CSTNode) -> set[str]:
    """Names that the scope binds above a statement, its parameters too."""
    function = module.function(line)
    start = module.position(line).start.line
    names: set[str] = set()
    if function is not None:
        names |= {one.name.value for one in module.nodes(cst.Param, within=function.params)}
    scope: cst.CSTNode = function.body if function is not None else module.tree
    for kind in (cst.AssignTarget, cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.AsName):
        for one in module.nodes(kind, within=scope):
            if module.position(one).start.line < start:
                names |= set(bound_names(one))
    for loop in module.nodes(cst.For, within=scope):
        if module.position(loop).start.line < start:
            names |= set(_plain(loop.target))
    return names


def _reads(
    module: Module, node: cst.CSTNode, names: set[str], parts: set[str], fails: Callable[[cst.CSTNode], bool]
) -> bool:
    """Whether a statement reads one of some names, or parts of objects, or fails by itself."""
    for one in module.nodes(cst.BaseExpression, within=node):  # type: ignore[type-abstract]
        if isinstance(one, cst.Name) and one.value in names and not _is_label(module, one):
            return True
        if isinstance(one, cst.Attribute | cst.Subscript) and module.code(one) in parts:
            return True
        if isinstance(one, cst.Attribute | cst.Subscript | cst.Call) and fails(one):
            return True
    return False


def _is_label(module: Module, name: cst.Name) -> bool:
    """Whether a name is an attribute's or a keyword's, no variable's."""
    around = module.parent(name)
    return (isinstance(around, cst.Attribute) and around.attr is name) or (
        isinstance(around, cst.Arg | cst.Param) and getattr(around, "keyword", None) is name
    )


def _leaves(node: cst.CSTNode) -> bool:
    """Whether a statement may leave the block: what comes behind it would be reached anew without it."""
    if isinstance(node, cst.Return | cst.Continue | cst.Break | cst.Raise):
        return True
    if isinstance(node, cst.FunctionDef | cst.ClassDef | cst.Lambda):
        return False
    return any(map(_leaves, node.children))


def _are_only_exits(rest: Sequence[cst.CSTNode]) -> bool:
    """Whether nothing is left to do but to leave with nothing."""
    for one in rest:
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        if isinstance(small, cst.Return):
            if small.value is not None and not (isinstance(small.value, cst.Name) and small.value.value == "None"):
                return False
        elif not isinstance(small, cst.Continue | cst.Pass):
            return False
    return True


def is_answered(module: Module, line: Statement) -> bool:
    """Whether all that is done behind a statement is to tell a person that it is done."""
    block = module.parent(line)
    rest = list(block.body)[list(block.body).index(line) + 1 :] if isinstance(block, cst.IndentedBlock) else []
    return bool(rest) and _is_only_told(module, line, rest, re.compile(_ANSWERING))


def _is_only_told(
    module: Module, line: cst.CSTNode, rest: Sequence[cst.CSTNode], telling: re.Pattern[str] = _TELLING
) -> bool:
    """Whether all that is left of a function, or of the round of a loop, is to say that its work is done."""
    block = module.parent(line)
    if not isinstance(module.parent(block) if block is not None else None, cst.For | cst.FunctionDef):
        return False
    for one in rest:
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        call = small.value if isinstance(small, cst.Expr) else None
        call = call.expression if isinstance(call, cst.Await) else call
        if not (isinstance(call, cst.Call) and telling.search(module.code(call.func))):
            return False
    return True


def _lines(module: Module, group: Sequence[cst.CSTNode]) -> int:
    return module.position(group[-1]).end.line - module.position(group[0]).start.line + 1


def _reads_behind(module: Module, block: cst.CSTNode, names: set[str]) -> bool:
    """Whether the scope reads one of the names behind the block."""
    function = module.function(block)
    scope: cst.CSTNode = function.body if function is not None else module.tree
    end = module.position(block).end.line
    return any(
        one.value in names and module.position(one).start.line > end and not _is_label(module, one)
        for one in module.nodes(cst.Name, within=scope)
    )
