"""Whether the code looks already for what a line needs: the conditions that hold or fail before it is reached.

A condition counts for what it says on the branch that leads to the line: `x is None` says nothing good of `x` where it
holds, nor does `a or x` where it holds by `a`. What was asked of an earlier value of a name says nothing of a later
one. Pure functions over a parsed file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import libcst as cst

from engine.repair.patterns.guarding.comparisons import is_order, lets_zero_by
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import own_nodes

_TYPES = re.compile(r"\bisinstance\([\w.\[\]'\"]+,[^()]*(?:\([^()]*\))?\)")
_NONE = re.compile(r"[\w.\[\]'\"()]+ is (?:not )?None")


@dataclass(frozen=True, slots=True)
class Check:
    """A condition that decides whether a node is reached: where it holds, or where it fails (`holds` is False)."""

    test: cst.BaseExpression
    holds: bool
    since: int  # the line behind which what is bound anew is not what was asked for
    mended: frozenset[str] | None = None  # where the check does not leave but binds names anew: it counts for these


def is_guarded(
    module: Module,
    node: cst.CSTNode,
    subject: str,
    by_none: bool = True,
    by_order: bool = True,
    by_type: bool = True,
    besides: cst.CSTNode | None = None,
) -> bool:
    """Whether a check of `subject` decides already whether `node` is reached; `by_none`: a check for None counts;
    `by_order`: so does one whether it is more or less than another name; `by_type`: so does one of its type; `besides`:
    what fails itself, and is no check."""

    def speaks(test: cst.BaseExpression, holds: bool) -> bool:
        if isinstance(test, cst.BooleanOperation):
            every = isinstance(test.operator, cst.And) != holds
            parts = (speaks(test.left, holds), speaks(test.right, holds))
            return all(parts) if every else any(parts)
        if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
            return speaks(test.expression, not holds)
        if isinstance(test, cst.NamedExpr):
            return _speaks_of(module.code(test.target), subject) or speaks(test.value, holds)
        code = " ".join(module.code(test.with_changes(lpar=[], rpar=[])).split())
        if holds and code in (f"{subject} is None", f"{subject} == None", f"len({subject}) == 0"):
            return False
        if not by_order and (is_order(module, test, subject) or lets_zero_by(module, test, node, subject)):
            return False
        if (not holds and _fails_without(module, test, subject)) or _is_at_most(module, test, subject, holds):
            return False
        if not by_none:
            code = _NONE.sub("", code)
        if not by_type:
            code = _TYPES.sub("", code)
        return _speaks_of(code, subject)

    for check in checks(module, node):
        if besides is not None and within(module, besides, check.test):
            continue
        if check.mended is not None and not _is_mended(check.mended, subject):
            continue
        if speaks(check.test, check.holds) and not _is_bound_anew(module, node, subject, check.since):
            return True
    return False


def _fails_without(module: Module, test: cst.CSTNode, subject: str) -> bool:
    """`part in subject`: that fails just so where there is nothing; once it is mended, it does not hold then."""
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return False
    other = test.comparisons[0]
    return isinstance(other.operator, cst.In | cst.NotIn) and module.code(other.comparator) == subject


def _is_at_most(module: Module, test: cst.CSTNode, subject: str, holds: bool) -> bool:
    """`len(subject) > 1` where it fails: there may be one element, or none."""
    if not isinstance(test, cst.Comparison) or len(test.comparisons) != 1:
        return False
    other = test.comparisons[0]
    length = subject if subject.startswith("len(") else f"len({subject})"
    if module.code(test.left) != length or not isinstance(other.comparator, cst.Integer):
        return False
    asks_for_more = isinstance(other.operator, cst.GreaterThan | cst.GreaterThanEqual)
    if not asks_for_more and not isinstance(other.operator, cst.LessThan | cst.LessThanEqual):
        return False
    # All four ask whether there are at least so many.
    least = other.comparator.evaluated_value + isinstance(other.operator, cst.GreaterThan | cst.LessThanEqual)
    return least > 1 and asks_for_more != holds


def _speaks_of(test: str, subject: str) -> bool:
    flat, wanted = " ".join(test.split()), " ".join(subject.split())
    found = re.search(rf"(?<![\w.\]'\"]){re.escape(wanted)}(?![\w(\['\"])", flat)  # no text that reads alike
    if found and not flat[found.end() :].startswith("."):
        return True
    inner = re.fullmatch(r"len\((.+)\)", wanted)
    return bool(inner and re.search(rf"(?<![\w.]){re.escape(inner[1])}(?![\w.\[])", flat))


def _is_bound_anew(module: Module, node: cst.CSTNode, subject: str, since: int) -> bool:
    """Whether the name that a subject is (or the field of an object) gets another value between a check and a node."""
    if (counted := re.fullmatch(r"len\((.+)\)", subject)) is not None:
        subject = counted[1]
    if not re.fullmatch(r"[\w.]+", subject):
        return False
    line = module.position(node).start.line
    statement = module.nearest(node, cst.SimpleStatementLine)
    scope = module.function(node) or module.tree
    for one in module.nodes(cst.AssignTarget, within=scope):
        at = module.position(one).start.line
        if not since < at < line or module.nearest(one, cst.SimpleStatementLine) is statement:
            continue
        if module.code(one.target) == subject:
            return True
    return False


def _is_mended(bound: frozenset[str], subject: str) -> bool:
    wanted = {subject, *re.findall(r"(?<![\w.])[A-Za-z_]\w*", subject)}
    return any(one in wanted or subject.startswith((f"{one}.", f"{one}[")) for one in bound)


def deciding(module: Module, node: cst.CSTNode) -> Iterator[cst.BaseExpression]:
    """Conditions that hold or fail before a node is reached: around it, and early exits before it."""
    for check in checks(module, node):
        yield check.test


def checks(module: Module, node: cst.CSTNode) -> Iterator[Check]:
    """The same, each with the branch that leads to the node."""
    inner: cst.CSTNode = node
    for around in module.ancestors(node):
        if isinstance(around, cst.If | cst.While | cst.IfExp) and inner is not around.test:
            if not (inner is around.orelse and _says_nothing(module, around.test)):
                yield Check(around.test, inner is around.body, module.position(around.test).end.line)
        elif isinstance(around, cst.BooleanOperation) and inner is around.right:
            yield Check(around.left, isinstance(around.operator, cst.And), module.position(around).end.line)
        elif isinstance(around, cst.CompFor) and isinstance(inner, cst.CompFor | cst.CompIf):
            pass
        elif isinstance(around, cst.BaseComp):
            yield from _filters(module, around, node)
        elif isinstance(around, cst.IndentedBlock | cst.Module):
            yield from _before(module, around, inner)
        if isinstance(around, cst.FunctionDef):
            return
        inner = around


def _before(module: Module, block: cst.IndentedBlock | cst.Module, node: cst.CSTNode) -> Iterator[Check]:
    """What is asked in front of a statement of a block, with an exit where the answer is no."""
    for before in block.body:
        if before is node:
            return
        end = module.position(before).end.line
        if isinstance(before, cst.If):
            if _joins(before.test):
                continue
            if leaves(before.body):
                yield Check(before.test, False, end)
            elif mended := _rebound(module, before):
                yield Check(before.test, False, end, mended)
        elif isinstance(before, cst.SimpleStatementLine):
            yield from (Check(one.test, True, end) for one in before.body if isinstance(one, cst.Assert))


def _says_nothing(module: Module, test: cst.BaseExpression) -> bool:
    """`a and b`, `isinstance(a, str)`: where such a test fails, nothing is known of `a`."""
    if isinstance(test, cst.Call):
        return module.code(test.func) == "isinstance"
    return _joins(test)


def _joins(test: cst.BaseExpression) -> bool:
    """`a and b`: where it fails, either may have failed."""
    return isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And)


def _filters(module: Module, comprehension: cst.BaseComp, node: cst.CSTNode) -> Iterator[Check]:
    """A comprehension's conditions that are asked before a node of it is reached."""
    at: cst.CompFor | None = comprehension.for_in
    end = module.position(comprehension).end.line
    while at is not None:
        for one in at.ifs:
            if within(module, node, one):
                return
            yield Check(one.test, True, end)
        at = at.inner_for_in


def leaves(block: cst.BaseSuite) -> bool:
    """Whether a block ends by leaving the code around it: a return, a raise, the next round, the end of the program."""
    last = block.body[-1] if block.body else None
    if isinstance(last, cst.SimpleStatementLine):
        last = last.body[-1]
    if isinstance(last, cst.Expr):
        code = cst.Module([]).code_for_node(last)
        return bool(re.match(r"(?:sys\.exit|exit|quit|os\._exit|pytest\.(?:skip|fail)|parser\.error)\(", code))
    return isinstance(last, cst.Return | cst.Continue | cst.Break | cst.Raise)


def within(module: Module, node: cst.CSTNode, whole: cst.CSTNode) -> bool:
    """Whether a node is another, or stands inside it."""
    return node is whole or any(one is whole for one in module.ancestors(node))


def _rebound(module: Module, statement: cst.If) -> frozenset[str]:
    """`if x is None: x = ...`, where that is surely something: all that it binds."""
    for one in own_nodes(statement.body, cst.Assign):
        if module.code(one.value) in ("sys.stderr", "sys.stdout", "sys.stdin", "None"):
            return frozenset()  # a program without a terminal has None there
    targets = frozenset(module.code(one.target) for one in own_nodes(statement.body, cst.AssignTarget))
    test = module.code(statement.test)
    if not re.search(r"\bNone\b|\bnot\b|\bisinstance\(|[!=]= ?['\"\[{]", test):
        return frozenset()  # `if len(text) > 10: text = text[:10]` does not ask whether there is one
    asked = any(re.search(rf"(?<![\w.]){re.escape(one)}(?![\w.])", test) for one in targets)
    return targets if asked else frozenset()
