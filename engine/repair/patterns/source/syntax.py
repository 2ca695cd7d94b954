"""Reading LibCST nodes: what a statement itself holds, names and literals as text, what a scope binds to a name.

Pure functions over parsed code, without evidence: `sites` follows values through them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

import libcst as cst

from engine.repair.patterns.source.edit import Module

_FLOW = (cst.FunctionDef, cst.ClassDef, cst.Lambda)


def own_parts(statement: cst.CSTNode) -> list[cst.CSTNode]:
    """What of a statement runs at its own line: all of a simple one, the header of a compound one."""
    parts: list[cst.CSTNode] = []
    if isinstance(statement, cst.With):
        parts = list(statement.items)
    elif isinstance(statement, cst.For):
        parts = [statement.iter]
    elif isinstance(statement, cst.If | cst.While):
        parts = [statement.test]
    elif isinstance(statement, cst.Match):
        parts = [statement.subject]
    elif isinstance(statement, cst.FunctionDef):
        parts = [statement.params, *statement.decorators]
    elif isinstance(statement, cst.ClassDef):
        parts = [*statement.bases, *statement.decorators]
    elif isinstance(statement, cst.Try | cst.TryStar):
        parts = []
    else:
        return [statement]
    body = getattr(statement, "body", None)
    if isinstance(body, cst.SimpleStatementSuite):
        parts.append(body)
    return parts


def walk(node: cst.CSTNode, into_functions: bool = True) -> Iterator[cst.CSTNode]:
    """A node and all below it, in source order; not into functions defined in it where so told."""
    return iter(_walked(node, into_functions))


@lru_cache(maxsize=512)  # LibCST makes a node's children anew each time; trees are never changed in place
def _walked(node: cst.CSTNode, into_functions: bool) -> Sequence[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    left = [node]
    while left:
        one = left.pop()
        found.append(one)
        left += [child for child in reversed(one.children) if into_functions or not isinstance(child, _FLOW)]
    return tuple(found)


def last_name(node: cst.CSTNode | None) -> str:
    """`c` of `a.b.c` and of `c`; empty for anything else."""
    if isinstance(node, cst.Attribute):
        return node.attr.value
    return node.value if isinstance(node, cst.Name) else ""


def dotted(node: cst.CSTNode | None) -> str:
    """`a.b.c` of a plain dotted name; empty for anything else."""
    if isinstance(node, cst.Attribute):
        base = dotted(node.value)
        return f"{base}.{node.attr.value}" if base else ""
    return node.value if isinstance(node, cst.Name) else ""


def text_of(node: cst.CSTNode | None) -> str | None:
    """A plain string literal's text."""
    if isinstance(node, cst.SimpleString) and isinstance(value := node.evaluated_value, str):
        return value
    return None


def own_attribute(node: cst.CSTNode) -> bool:
    """Whether it is `self.name` or `cls.name`."""
    return isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value in ("self", "cls")


def is_method(module: Module, function: cst.FunctionDef) -> bool:
    """Whether a function stands in a class."""
    around = next((one for one in module.ancestors(function) if isinstance(one, cst.FunctionDef | cst.ClassDef)), None)
    return isinstance(around, cst.ClassDef)


def scopes(module: Module, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The scopes that a name is looked up in: comprehensions and lambdas aside, innermost first, the module last."""
    for around in module.ancestors(node):
        if isinstance(around, cst.FunctionDef | cst.Module | cst.Lambda) or hasattr(around, "for_in"):
            yield around


def bound_values(module: Module, scope: cst.CSTNode, name: str, line: int) -> list[cst.CSTNode]:
    """What a name is bound to in a scope: the last binding before `line` first."""
    found: list[tuple[int, cst.CSTNode]] = []
    if hasattr(scope, "for_in"):
        clause = scope.for_in
        while clause is not None:
            if any(isinstance(one, cst.Name) and one.value == name for one in walk(clause.target)):
                found.append((line, clause.iter))
            clause = clause.inner_for_in
        return [value for _line, value in found]
    for target, value in assignments(scope):
        if any(isinstance(one, cst.Name) and one.value == name for one in _targets(target)):
            found.append((module.position(value).start.line, value))
    before = sorted((one for one in found if one[0] <= line), key=lambda one: -one[0])
    after = sorted((one for one in found if one[0] > line), key=lambda one: one[0])
    return [value for _line, value in before + after]


def _targets(target: cst.CSTNode) -> Iterator[cst.CSTNode]:
    if isinstance(target, cst.Tuple | cst.List):
        for element in target.elements:
            yield from _targets(element.value)
    else:
        yield target


def assignments(scope: cst.CSTNode) -> Iterator[tuple[cst.CSTNode, cst.CSTNode]]:
    """Target and value of everything that binds in a scope: `=`, `:=`, `with ... as`, `for ... in`."""
    inside_class = isinstance(scope, cst.ClassDef)
    body = scope.body if isinstance(scope, cst.FunctionDef | cst.ClassDef | cst.Module | cst.Lambda) else scope
    parts: Sequence[cst.CSTNode] = [body] if isinstance(body, cst.CSTNode) else body
    for part in parts:
        if not inside_class and isinstance(part, cst.FunctionDef | cst.ClassDef):
            continue
        for node in walk(part, into_functions=inside_class):
            if isinstance(node, cst.Assign):
                for one in node.targets:
                    yield one.target, node.value
            elif isinstance(node, cst.AnnAssign | cst.AugAssign | cst.NamedExpr) and node.value is not None:
                yield node.target, node.value
            elif isinstance(node, cst.WithItem) and node.asname is not None:
                yield node.asname.name, node.item
            elif isinstance(node, cst.For):
                yield node.target, node.iter


def parameter_of(function: cst.FunctionDef, name: str) -> cst.Param | None:
    given = function.params
    for one in (*given.posonly_params, *given.params, *given.kwonly_params):
        if one.name.value == name:
            return one
    return None


def argument_for(call: cst.Call, function: cst.FunctionDef, name: str, module: Module) -> cst.BaseExpression | None:
    """The argument that a call gives to a function's parameter; None where it is another call, or gives none."""
    called = last_name(call.func)
    around = next((one for one in module.ancestors(function) if isinstance(one, cst.ClassDef)), None)
    makes = function.name.value == "__init__" and around is not None and called == around.name.value
    if called != function.name.value and not makes:
        return None
    for arg in call.args:
        if arg.keyword is not None and arg.keyword.value == name:
            return arg.value
    names = [one.name.value for one in (*function.params.posonly_params, *function.params.params)]
    if is_method(module, function) and names and names[0] in ("self", "cls"):
        names = names[1:]
    plain = [arg for arg in call.args if arg.keyword is None]
    if name not in names or any(arg.star for arg in plain[: names.index(name) + 1]):
        return None
    place = names.index(name)
    return plain[place].value if place < len(plain) else None
