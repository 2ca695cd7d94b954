"""Putting a condition in front of code that fails without it, where and how the code around calls for it.

Relies on LibCST. A guard never changes what the code does while its condition holds: the guarded expression itself
stands as it stood.
"""

from __future__ import annotations

import ast
import re
from typing import cast

import libcst as cst

from engine.repair.patterns.guarding.checks import within
from engine.repair.patterns.guarding.for_nothing import Value
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.intent import is_generator, own_nodes, returns_value
from engine.repair.patterns.source.placing import parse_statements

_CHEAP_CALLS = ("len", "abs", "float", "int", "str", "bool", "isinstance", "min", "max", "getattr", "hasattr", "round")
_BARE_IN = (
    cst.Arg,
    cst.Return,
    cst.Assign,
    cst.AnnAssign,
    cst.AugAssign,
    cst.FormattedStringExpression,
    cst.Element,
    cst.DictElement,
    cst.ListComp,
    cst.GeneratorExp,
    cst.SetComp,
    cst.DictComp,
    cst.Lambda,
    cst.Yield,
    cst.Index,
    cst.Expr,
    cst.Param,
)
_GIVES = re.compile(  # what only tells where an object belongs, or what is chosen in it
    r"instance|one|shared|app|application|project|window|parent(?:Widget|Item)?|widget|model|scene|view|layout|document|"
    r"viewport|rect|size|width|height|root|owner|"
    r"(?:current|selected|active|focus|get)(?:_?[A-Za-z]\w*)?"
)


def expression(code: str) -> cst.BaseExpression:
    """An expression from source that may run over lines. Raises NotEditable where it is none."""
    for one in (code, f"({code})"):
        try:
            return cst.parse_expression(one)
        except cst.ParserSyntaxError:
            continue
    raise NotEditable("the code is set out as nobody would expect")


def walked(module: Module, node: cst.BaseExpression) -> str:
    """The source of what a comprehension is to walk through: `x if y else z` needs parentheses there."""
    code = module.code(node)
    loose = isinstance(node, cst.IfExp | cst.Lambda | cst.NamedExpr) and not node.lpar
    return f"({code})" if loose else code


def is_repeatable(code: str) -> bool:
    """Whether an expression may be evaluated twice: no calls but cheap ones, nothing that binds or waits."""
    try:
        tree = ast.parse(f"({code})", mode="eval")
    except (SyntaxError, ValueError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            if not (isinstance(node.func, ast.Name) and node.func.id in _CHEAP_CALLS):
                return False
        elif isinstance(node, ast.Await | ast.Yield | ast.YieldFrom | ast.NamedExpr | ast.GeneratorExp | ast.ListComp):
            return False
    return True


def may_repeat(module: Module, node: cst.BaseExpression) -> bool:
    """Whether a guard may evaluate a node of the file once more: nothing is done by it, or the code itself asks for the
    same thing twice by calls without arguments, `self.window()`."""
    code = module.code(node)
    if is_repeatable(code):
        return True
    if not re.fullmatch(r"[A-Za-z_]\w*(?:\.\w+|\(\))+", code):
        return False
    scope = module.function(node)
    calls = module.nodes(cst.Call, within=scope.body if scope is not None else module.tree)
    asked = re.findall(r"(\w+)\(\)", code)
    return sum(1 for one in calls if module.code(one) == code) > 1 and all(_GIVES.fullmatch(one) for one in asked)


def is_bound_over(module: Module, node: cst.CSTNode, name: str) -> bool:
    """Whether a builtin's name stands for something else at a node: a parameter, or what the file binds."""
    for around in module.ancestors(node):
        if not isinstance(around, cst.FunctionDef):
            continue
        if any(one.name.value == name for one in module.nodes(cst.Param, within=around.params)):
            return True
        if any(one.value == name for one in module.nodes(cst.Name, within=around.body) if _is_bound(module, one)):
            return True
    defined = [one for one in module.tree.body if isinstance(one, cst.FunctionDef | cst.ClassDef)]
    return name in module.imported or any(one.name.value == name for one in defined)


def _is_bound(module: Module, name: cst.Name) -> bool:
    around = module.parent(name)
    if isinstance(around, cst.Element):
        around = module.parent(module.parent(around) or around)
    return isinstance(around, cst.AssignTarget | cst.For | cst.AsName | cst.NamedExpr | cst.AnnAssign) and name not in (
        getattr(around, "iter", None),
        getattr(around, "value", None),
    )


def names_of(code: str) -> set[str]:
    """Plain names in an expression, builtins that are called aside."""
    try:
        tree = ast.parse(f"({code})", mode="eval")
    except (SyntaxError, ValueError):
        return set()
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and node.id not in _CHEAP_CALLS}


def in_parentheses(code: str) -> str:
    """The expression, in parentheses where an operator beside it would take it apart."""
    tree = ast.parse(f"({code})", mode="eval").body
    loose = ast.BoolOp | ast.IfExp | ast.Lambda | ast.NamedExpr | ast.Compare | ast.BinOp | ast.UnaryOp
    return f"({code})" if isinstance(tree, loose) else code


def needs_parentheses(module: Module, node: cst.CSTNode) -> bool:
    """Whether a conditional expression in this node's place needs parentheses."""
    return not isinstance(module.parent(node), _BARE_IN)


def conditional(module: Module, node: cst.BaseExpression, good: str, otherwise: str) -> cst.IfExp:
    """`node if good else otherwise`; the node's own parentheses go around the whole."""
    bare = node.with_changes(lpar=[], rpar=[])
    lpar, rpar = list(node.lpar), list(node.rpar)
    if not lpar and needs_parentheses(module, node):
        lpar, rpar = [cst.LeftParen()], [cst.RightParen()]
    if isinstance(bare, cst.IfExp | cst.Lambda):
        bare = node
    spans = "\n" in module.code(bare)
    if spans and not lpar and isinstance(module.parent(node), cst.Return | cst.Assign | cst.AugAssign | cst.AnnAssign):
        lpar, rpar = [cst.LeftParen()], [cst.RightParen()]
    elif len(lpar) == 1 and not spans and not needs_parentheses(module, node) and "\n" not in module.code(node):
        lpar, rpar = [], []
    return cst.IfExp(test=expression(good), body=bare, orelse=expression(otherwise), lpar=lpar, rpar=rpar)


def joined(module: Module, node: cst.BaseExpression, first: str, word: str) -> cst.BooleanOperation:
    """`first and node` (or `or`), in parentheses where the place needs them."""
    around = module.parent(node)
    bare = isinstance(around, cst.If | cst.While | cst.CompIf | cst.Assert | cst.Return | cst.Assign | cst.Arg) or (
        isinstance(around, cst.BooleanOperation)
        and (isinstance(around.operator, cst.And) == (word == "and"))
        and around.left is node
    )
    inner = node
    if isinstance(node, cst.BooleanOperation | cst.IfExp | cst.Lambda) and not node.lpar:
        inner = node.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    return cst.BooleanOperation(
        left=expression(first),
        operator=cst.And() if word == "and" else cst.Or(),
        right=inner,
        lpar=() if bare else [cst.LeftParen()],
        rpar=() if bare else [cst.RightParen()],
    )


def extend(module: Module, test: cst.BaseExpression, condition: str) -> None:
    """Let the condition of a statement ask for one more, behind what it asks for already."""
    left = test
    if isinstance(left, cst.BooleanOperation | cst.IfExp | cst.Lambda | cst.NamedExpr) and not left.lpar:
        left = left.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    module.replace(test, cst.BooleanOperation(left, cst.And(), expression(condition)))


# -- where a guard goes ------------------------------------------------------------------------------------------------


def statement_line(module: Module, node: cst.CSTNode) -> cst.SimpleStatementLine | None:
    """The simple statement a node is in, where other statements can be put beside it."""
    line = node if isinstance(node, cst.SimpleStatementLine) else module.nearest(node, cst.SimpleStatementLine)
    if line is None or len(line.body) != 1:
        return None
    for around in module.ancestors(node):
        if around is line:
            return line
        if isinstance(around, cst.Lambda):
            return None
    return line


def is_unconditional(module: Module, node: cst.CSTNode) -> bool:
    """Whether a node is evaluated once, whenever its statement is."""
    inner: cst.CSTNode = node
    for around in module.ancestors(node):
        if isinstance(around, cst.BaseComp) and inner is around.for_in and within(module, node, around.for_in.iter):
            inner = around  # what is walked first is evaluated at once
            continue
        if isinstance(around, cst.BaseComp | cst.Lambda):
            return False
        if isinstance(around, cst.IfExp) and inner is not around.test:
            return False
        if isinstance(around, cst.BooleanOperation) and inner is around.right:
            return False
        if isinstance(around, cst.SimpleStatementLine | cst.BaseCompoundStatement):
            return True
        inner = around
    return True


def comprehension(module: Module, node: cst.CSTNode) -> cst.BaseComp | None:
    """The comprehension whose elements a node belongs to; None where it is outside one (or in its first iterable)."""
    inner: cst.CSTNode = node
    for around in module.ancestors(node):
        if isinstance(around, cst.Lambda | cst.BaseSuite):
            return None
        if isinstance(around, cst.BaseComp):
            first = around.for_in
            if inner is not first or not within(module, node, first.iter):
                return around
        inner = around
    return None


def bound_in(module: Module, comp: cst.BaseComp) -> set[str]:
    """Names that a comprehension's `for`s bind."""
    names: set[str] = set()
    at: cst.CompFor | None = comp.for_in
    while at is not None:
        names |= names_of(module.code(at.target))
        at = at.inner_for_in
    return names


def with_filter(module: Module, comp: cst.BaseComp, good: str, *, last: bool = False) -> None:
    """Add `if good` behind a comprehension's last `for`, before its other conditions, or behind them (`last`)."""
    at = comp.for_in
    while at.inner_for_in is not None:
        at = at.inner_for_in
    made = cst.CompIf(test=expression(good), whitespace_before=cst.SimpleWhitespace(" "))
    module.replace(at, at.with_changes(ifs=[*at.ifs, made] if last else [made, *at.ifs]))


def loop_around(module: Module, node: cst.CSTNode) -> cst.For | None:
    """The `for` loop whose next round `continue` would go to; None outside one, and in a `while`."""
    inner: cst.CSTNode = node
    for around in module.ancestors(node):
        if isinstance(around, cst.FunctionDef | cst.ClassDef | cst.While):
            return None
        if isinstance(around, cst.For) and inner is around.body:
            return around
        inner = around
    return None


def before(module: Module, line: cst.CSTNode, source: str, instead: cst.CSTNode | None = None) -> None:
    """Put statements above one; comments that stand over it stay with it. `instead` takes its place."""
    made = parse_statements(source, module.tree)
    kept = cast(cst.SimpleStatementLine, instead or line)
    lead = list(kept.leading_lines)
    blank = next((n for n, one in enumerate(lead) if one.comment is not None), len(lead))
    first = cast(cst.SimpleStatementLine, made[0]).with_changes(leading_lines=lead[:blank])
    module.replace(line, cst.FlattenSentinel([first, *made[1:], kept.with_changes(leading_lines=lead[blank:])]))


def after(module: Module, line: cst.CSTNode, source: str) -> None:
    """Put statements under one."""
    module.replace(line, cst.FlattenSentinel([line, *parse_statements(source, module.tree)]))


def under(module: Module, line: cst.SimpleStatementLine, good: str) -> None:
    """Put a statement under `if good:`; comments that stand over it stay over the whole."""
    block = cst.IndentedBlock(body=[line.with_changes(leading_lines=())])
    module.replace(line, cst.If(test=expression(good), body=block, leading_lines=line.leading_lines))


def way_out(module: Module, node: cst.CSTNode, value: Value | None) -> str | None:
    """The statement that leaves here: `continue` in a `for`, `return ...` in a function; None where none is right."""
    if loop_around(module, node) is not None:
        return "continue" if _may_go_on(module, node) else None
    if _is_endless(module, node):
        return "break" if _is_at_its_end(module, node) else "continue"
    function = module.function(node)
    if function is None or function.name.value in ("__init__", "__new__", "__post_init__"):
        return None
    if is_generator(function) or not returns_value(function):
        return "return"
    return f"return {value.code}" if value is not None else None


def _is_endless(module: Module, node: cst.CSTNode) -> bool:
    """Whether a loop without end goes on with what it fetches next: leaving it would end all the work."""
    inner: cst.CSTNode = node
    for around in module.ancestors(node):
        if isinstance(around, cst.FunctionDef | cst.ClassDef | cst.For):
            return False
        if isinstance(around, cst.While):
            if inner is not around.body or not (module.code(around.test) in ("True", "1") or _is_flag(module, around)):
                return False
            own = next(one for one in around.body.body if one is node or one in (*module.ancestors(node),))
            before = list(around.body.body)[: list(around.body.body).index(own)]
            fetches = bool(before and own_nodes(before[0], cst.Call))
            waits = any(own_nodes(one, cst.Await) for one in before)
            return (fetches or waits) and _may_go_on(module, node)
        inner = around
    return False


def _is_at_its_end(module: Module, node: cst.CSTNode) -> bool:
    """Whether a loop takes what it works on from what comes to an end, `ok, frame = video.read()`: from then on there
    is nothing in any round."""
    loop = module.nearest(node, cst.While)
    first = loop.body.body[0] if loop is not None else None
    small = first.body[0] if isinstance(first, cst.SimpleStatementLine) else None
    if loop is None or not isinstance(small, cst.Assign):
        return False
    read = {one.value for target in small.targets for one in module.nodes(cst.Name, within=target)}
    asked = [one.test for one in own_nodes(loop.body, cst.If) if any(own_nodes(one, cst.Break))]
    if any(one.value in read for test in asked for one in module.nodes(cst.Name, within=test)):
        return False  # what was read is asked for: it is not what is missing
    if not any(one.value in read for one in module.nodes(cst.Name, within=node)):
        return False
    calls = (
        [one for one in own_nodes(first, cst.Call) if isinstance(one.func, cst.Attribute)] if first is not None else []
    )
    return any(
        re.search(
            r"\.(?:read|readline|read_frame|retrieve)\Z|(?:\A|[._])(?:queue|q|jobs|tasks|inbox)\.get(?:_nowait)?\Z",
            module.code(one.func),
        )
        for one in calls
    )


def _is_flag(module: Module, loop: cst.While) -> bool:
    """Whether a loop goes on as long as a name, or an attribute, says so, which counts nothing: it is set to True and
    False alone."""
    test = loop.test
    if isinstance(test, cst.UnaryOperation) and isinstance(test.operator, cst.Not):
        test = test.expression
    if not isinstance(test, cst.Name | cst.Attribute):
        return False
    code = module.code(test)
    given = [
        module.code(one.value)
        for one in module.nodes(cst.Assign)
        if any(module.code(target.target) == code for target in one.targets)
    ]
    return bool(given) and all(one in ("True", "False") for one in given)


def _may_go_on(module: Module, node: cst.CSTNode) -> bool:
    """Whether `continue` skips nothing but what fails: no `else` of a `try`, and not out of a `finally`."""
    for around in module.ancestors(node):
        if isinstance(around, cst.For | cst.While):
            return True
        if isinstance(around, cst.Finally) or (isinstance(around, cst.Try | cst.TryStar) and around.orelse is not None):
            return False
    return True


def fresh(module: Module, *wanted: str) -> str:
    """The first of some names that the file does not use, else the first with a number."""
    used = {one.value for one in module.nodes(cst.Name)}
    free = next((one for one in wanted if one not in used), None)
    number = 2
    while free is None:
        free = f"{wanted[0]}_{number}" if f"{wanted[0]}_{number}" not in used else None
        number += 1
    return free
