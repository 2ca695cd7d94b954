"""A check that is there, and asks for too little: a default for 0 alone, an exit for the case that all is missing.

`if options.quality == 0: options.quality = 75` leaves None as it is, which fails where the quality is needed. Relies on
LibCST alone.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.source.edit import Module

_EMPTY = ("0", "0.0", '""', "''", "[]", "{}", "()", "False")


def widened(module: Module, subject: cst.BaseExpression) -> bool:
    """Let the one place of the file that gives a field its default do so for None as well, and others of the same form
    beside it; whether there was such a place."""
    if not isinstance(subject, cst.Attribute | cst.Subscript):
        return False
    code = module.code(subject)
    found = [one for one in module.nodes(cst.If) if _default_of(module, one) == code]
    if len(found) != 1:
        return False
    for one in [found[0], *_beside(module, found[0])]:
        if isinstance(one.test, cst.Comparison):
            module.replace(one.test, guards.expression(f"not {module.code(one.test.left)}"))
    return True


def counts_as_nothing(module: Module, use: cst.CSTNode, subject: cst.BaseExpression) -> bool:
    """Let the condition in front that gives something a plain value in place of nothing do so for None as well:
    `if host == "": host = "here"`, whose `elif`, or what stands behind it, needs one. Whether there was one."""
    code = module.code(subject)
    if not guards.is_repeatable(code):
        return False
    for one in _in_front(module, use):
        test = one.test
        if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1 or module.code(test.left) != code:
            continue
        target, given = test.comparisons[0], _first_given(module, one, code)
        is_plain = _is_nothing(module, target.comparator)
        is_same = isinstance(target.operator, cst.Equal | cst.In)
        if is_plain and is_same and given is not None and not _is_bound_between(module, one, use, code):
            module.replace(test, guards.joined(module, test, f"{code} is None", "or"))
            return True
    return False


def _is_nothing(module: Module, value: cst.BaseExpression) -> bool:
    """Whether a value that is written out, or one of several, says that there is none: `""`, 0, `"none"`."""
    if isinstance(value, cst.Tuple | cst.List):
        return any(_is_nothing(module, one.value) for one in value.elements)
    text = module.code(value)
    return (
        text in _EMPTY
        or re.fullmatch(r"(?i)['\"](?:none|null|default|auto|unset|unknown|0\.0\.0\.0)['\"]", text) is not None
    )


def _in_front(module: Module, use: cst.CSTNode) -> list[cst.If]:
    """The head of the chain in whose `elif` something stands, and the conditions of its block in front of it."""
    found: list[cst.If] = []
    inner: cst.CSTNode = use
    for around in module.ancestors(use):
        if isinstance(around, cst.If) and inner is around.orelse:
            found.append(around)
        if isinstance(around, cst.IndentedBlock | cst.Module):
            body: list[cst.CSTNode] = list(around.body)
            before = body[: body.index(inner)]
            return [*found, *(one for one in reversed(before) if isinstance(one, cst.If))]
        inner = around
    return found


def _first_given(module: Module, one: cst.If, code: str) -> str | None:
    """The text or number that a condition's only statement gives a subject."""
    line = one.body.body[0] if len(one.body.body) == 1 else None
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else line
    if not isinstance(small, cst.Assign) or len(small.targets) != 1:
        return None
    is_plain = isinstance(small.value, cst.SimpleString | cst.Integer | cst.Float)
    return module.code(small.value) if is_plain and module.code(small.targets[0].target) == code else None


def _is_bound_between(module: Module, one: cst.If, use: cst.CSTNode, code: str) -> bool:
    end, line = module.position(one).end.line, module.position(use).start.line
    scope = module.function(use) or module.tree
    targets = module.nodes(cst.AssignTarget, within=scope)
    return any(module.code(each.target) == code and end < module.position(each).start.line < line for each in targets)


def asks_for_any(module: Module, use: cst.CSTNode, subject: cst.BaseExpression) -> bool:
    """Let a check in front of a use leave where any of several things is None, as it does where all of them are."""
    code = module.code(subject)
    inner: cst.CSTNode = use
    for around in module.ancestors(use):
        if isinstance(around, cst.IndentedBlock):
            body: list[cst.CSTNode] = list(around.body)
            for one in body[: body.index(inner)]:
                if isinstance(one, cst.If) and checks.leaves(one.body) and one.orelse is None:
                    parts = _parts(one.test)
                    asked = {module.code(part) for part in parts}
                    each_is_none = all(re.fullmatch(r"[\w.]+ is None|not [\w.]+", text) for text in asked)
                    if len(asked) > 1 and each_is_none and asked & {f"{code} is None", f"not {code}"}:
                        module.replace(one.test, guards.expression(" or ".join(module.code(part) for part in parts)))
                        return True
        if isinstance(around, cst.FunctionDef | cst.Lambda):
            return False
        inner = around
    return False


def _parts(test: cst.BaseExpression) -> list[cst.BaseExpression]:
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        return [*_parts(test.left), *_parts(test.right)]
    return [test]


def is_set(module: Module, use: cst.CSTNode, subject: cst.BaseExpression) -> bool:
    """Whether the one place of the file that gives a field its default, in another function, does so for None."""
    code = module.code(subject)
    found = [
        one for one in module.nodes(cst.If) if module.code(one.test) == f"not {code}" and _sets(module, one) == code
    ]
    return (
        isinstance(subject, cst.Attribute | cst.Subscript)
        and len(found) == 1
        and module.function(found[0]) is not module.function(use)
    )


def _default_of(module: Module, one: cst.If) -> str | None:
    """What an `if x == 0: x = ...` gives a default; None for any other statement."""
    test = one.test
    if not (isinstance(test, cst.Comparison) and len(test.comparisons) == 1):
        return None
    target = test.comparisons[0]
    if not isinstance(target.operator, cst.Equal) or module.code(target.comparator) not in _EMPTY:
        return None
    code = module.code(test.left)
    return code if _sets(module, one) == code else None


def _sets(module: Module, one: cst.If) -> str | None:
    """What the one statement under a condition, which has no `else`, gives a value."""
    line = one.body.body[0] if len(one.body.body) == 1 and one.orelse is None else None
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) else line
    if not isinstance(small, cst.Assign) or len(small.targets) != 1:
        return None
    return module.code(small.targets[0].target)


def _beside(module: Module, one: cst.If) -> list[cst.If]:
    block = module.parent(one)
    if not isinstance(block, cst.IndentedBlock | cst.Module):
        return []
    return [each for each in block.body if isinstance(each, cst.If) and each is not one and _default_of(module, each)]
