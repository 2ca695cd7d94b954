"""Guarding the use of something that is not always there: None instead of an object, a key or an element missing.

Relies on `guards` for where code can go. The kind of guard follows the place: a filter in a comprehension, `and` in a
test, the next round of a loop, an early return, and a conditional expression where nothing else fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import cast

import libcst as cst

from engine.repair.patterns import for_nothing, guards, intent
from engine.repair.patterns.edit import Module, NotEditable
from engine.repair.patterns.for_nothing import Value
from engine.repair.patterns.pattern import Case

_CONVERSIONS = (
    "int",
    "float",
    "str",
    "bool",
    "len",
    "list",
    "tuple",
    "set",
    "sorted",
    "Path",
    "Decimal",
    "sum",
    "round",
)
_DISPLAYS = (cst.DictElement, cst.Element)


@dataclass(frozen=True, slots=True)
class Absence:
    """What fails: `use` needs `subject` to be there. `conditions` makes (is there, is not there) from its source."""

    use: cst.BaseExpression
    subject: cst.BaseExpression
    conditions: Callable[[str], tuple[str, str]]
    names: tuple[str, ...] = ("found", "value", "result")
    element: str = "None"  # what stands for one missing value among others


def none_of(use: cst.BaseExpression, subject: cst.BaseExpression, names: tuple[str, ...]) -> Absence:
    """None where an object was expected."""
    return Absence(use, subject, lambda code: (f"{code} is not None", f"{code} is None"), names)


def is_handled(module: Module, absence: Absence) -> bool:
    """Whether the code checks for it already."""
    code = module.code(absence.subject)
    return guards.is_guarded(module, absence.use, code)


def guard(case: Case, module: Module, absence: Absence) -> tuple[str, Value]:
    """Put the guard where it belongs; its operator, and the value that is given instead."""
    whole = whole_of(module, absence.use)
    code = module.code(absence.subject)
    repeatable = guards.is_repeatable(code)
    comp = guards.comprehension(module, whole)
    if comp is not None and (not repeatable or guards.bound_in(module, comp) & guards.names_of(code)):
        return _in_comprehension(module, absence, comp, whole, repeatable)
    test = _test_of(module, whole)
    if test is not None:
        return _in_test(module, absence, test, repeatable)
    line = guards.statement_line(module, whole)
    if line is None or not guards.is_unconditional(module, whole):
        return _inline(module, absence, whole, _element(absence, module, whole), repeatable)
    return _in_statement(case, module, absence, line, whole, repeatable)


def whole_of(module: Module, use: cst.BaseExpression) -> cst.BaseExpression:
    """The chain of attributes, calls and subscripts that follows a use, and the conversion around it."""
    node: cst.BaseExpression = use
    while True:
        around = module.parent(node)
        if (
            (isinstance(around, cst.Attribute | cst.Subscript) and around.value is node)
            or (isinstance(around, cst.Call) and around.func is node)
            or isinstance(around, cst.Await)
        ):
            node = around
        elif isinstance(around, cst.Arg) and not around.star:
            call = module.parent(around)
            if not (isinstance(call, cst.Call) and len(call.args) == 1 and module.code(call.func) in _CONVERSIONS):
                return node
            node = call
        elif isinstance(around, cst.BinaryOperation | cst.UnaryOperation) and not isinstance(
            getattr(around, "operator", None), cst.Not
        ):
            node = around
        else:
            return node


def _test_of(module: Module, whole: cst.BaseExpression) -> cst.BaseExpression | None:
    """The condition whose truth a use decides; None where it is no condition."""
    around = module.parent(whole)
    if isinstance(around, cst.ComparisonTarget):
        around = module.parent(around)
    if isinstance(around, cst.Comparison):
        if len(around.comparisons) > 1 or isinstance(module.parent(around), cst.Assert):
            return None
        return around
    if isinstance(around, cst.If | cst.While | cst.CompIf | cst.BooleanOperation | cst.UnaryOperation):
        return whole
    if isinstance(around, cst.IfExp) and around.test is whole:
        return whole
    return None


def _in_test(module: Module, absence: Absence, test: cst.BaseExpression, repeatable: bool) -> tuple[str, Value]:
    negative = isinstance(test, cst.Comparison) and isinstance(test.comparisons[0].operator, cst.NotEqual | cst.NotIn)
    around = module.parent(test)
    if isinstance(around, cst.BooleanOperation) and isinstance(around.operator, cst.Or) and around.left is test:
        negative = False
    good, bad, inner = _bound(module, absence, test, repeatable)
    module.replace(test, _joined(module, test, inner, bad if negative else good, "or" if negative else "and"))
    if repeatable and not negative:
        for other in _next_tests(module, absence, test):
            module.replace(other, guards.joined(module, other, good, "and"))
    return "test", Value("True" if negative else "False", "told", "the condition does not hold then")


def _next_tests(module: Module, absence: Absence, test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The tests of the `elif`s that follow, as far as they need the same: once the first fails, they are asked."""
    code = module.code(absence.subject)
    at = module.nearest(test, cst.If)
    while at is not None and isinstance(at.orelse, cst.If):
        at = at.orelse
        for one in module.nodes(type(absence.use), within=at.test):
            needs = isinstance(one, cst.Attribute | cst.Subscript) and module.code(one.value) == code
            if needs and not guards.is_guarded(module, one, code):
                other = _test_of(module, whole_of(module, one))
                if other is not None:
                    yield other
                break


def _joined(module: Module, test: cst.BaseExpression, inner: cst.BaseExpression, first: str, word: str) -> cst.CSTNode:
    made = guards.joined(module, test, first, word)
    if inner is test:
        return made
    bare = (
        inner.with_changes(lpar=[], rpar=[]) if isinstance(made.right, cst.BaseExpression) and not test.lpar else inner
    )
    return made.with_changes(right=bare)


def _bound(
    module: Module, absence: Absence, around: cst.BaseExpression, repeatable: bool
) -> tuple[str, str, cst.BaseExpression]:
    """The conditions, and the expression they guard: with the subject bound in the condition where it must be."""
    code = module.code(absence.subject)
    if repeatable:
        return *absence.conditions(code), around
    name = guards.fresh(module, *absence.names)
    bare = module.code(absence.subject.with_changes(lpar=[], rpar=[]))
    good, bad = absence.conditions(f"({name} := {bare})")
    return good, bad, cast(cst.BaseExpression, around.deep_replace(absence.subject, cst.Name(name)))


def _inline(
    module: Module, absence: Absence, whole: cst.BaseExpression, otherwise: str, repeatable: bool
) -> tuple[str, Value]:
    good, _bad, body = _bound(module, absence, whole, repeatable)
    made = guards.conditional(module, whole, good, otherwise)
    if body is not whole:
        made = made.with_changes(body=body.with_changes(lpar=[], rpar=[]) if not isinstance(body, cst.IfExp) else body)
    module.replace(whole, made)
    return "conditional", Value(otherwise, "guessed", "nothing else fits here")


def _in_comprehension(
    module: Module, absence: Absence, comp: cst.BaseComp, whole: cst.BaseExpression, repeatable: bool
) -> tuple[str, Value]:
    test = _test_of(module, whole)
    around = module.nearest(whole, cst.CompIf)
    if test is not None and around is not None:
        return _in_test(module, absence, test, repeatable)
    if isinstance(comp, cst.DictComp) or repeatable:
        good, _bad, body = _bound(module, absence, whole, repeatable)
        if body is whole:
            guards.with_filter(module, comp, good)
            return "filter", Value("nothing", "guessed", "what is not there is left out")
        return _inline(module, absence, whole, absence.element, repeatable)
    name = guards.fresh(module, *absence.names)
    bare = module.code(absence.subject.with_changes(lpar=[], rpar=[]))
    good, _bad = absence.conditions(f"({name} := {bare})")
    at: cst.CompFor = comp.for_in
    while at.inner_for_in is not None:
        at = at.inner_for_in
    made = cst.CompIf(test=guards.expression(good), whitespace_before=cst.SimpleWhitespace(" "))
    module.replace(at, at.with_changes(ifs=[*at.ifs, made]))
    module.replace(absence.subject, cst.Name(name))
    return "filter", Value("nothing", "guessed", "what is not there is left out")


def _in_statement(
    case: Case,
    module: Module,
    absence: Absence,
    line: cst.SimpleStatementLine,
    whole: cst.BaseExpression,
    repeatable: bool,
) -> tuple[str, Value]:
    function = module.function(line)
    value = for_nothing.given_for_nothing(case, module, function, "None") if function else None
    only = line.body[0]
    code = module.code(absence.subject)
    exit_code = guards.way_out(module, whole, value)
    if isinstance(only, cst.Del) or (isinstance(only, cst.Expr) and not _is_used_later(module, line, code)):
        return _wrap(module, absence, line, repeatable)
    if isinstance(only, cst.Assign | cst.AnnAssign) and _is_target(only, absence.use):
        return _wrap(module, absence, line, repeatable)
    if isinstance(only, cst.AugAssign):
        return _wrap(module, absence, line, repeatable)
    if repeatable and _extends_test(module, absence, line):
        return "test", Value("False", "told", "the condition around it does not hold then")
    told = value is not None and value.strength == "told"
    if _puts_into(only) and (exit_code == "return" or (exit_code == "return None" and not told)):
        return _wrap(module, absence, line, repeatable)  # what the function returns in the end is not lost
    once = sum(1 for one in module.nodes(type(absence.subject), within=line) if module.code(one) == code) == 1
    is_told = value is not None and value.strength == "told" and isinstance(only, cst.Return)
    if once and not is_told and _stands_alone(module, whole, exit_code) and not _is_used_later(module, line, code):
        return _inline(module, absence, whole, absence.element, repeatable)
    if (
        isinstance(only, cst.Return)
        and whole is only.value
        and value is not None
        and exit_code != "continue"
        and repeatable
    ):
        made = guards.conditional(module, whole, absence.conditions(code)[0], value.code)
        producer = _producer(module, line, code)
        if producer is None:
            module.replace(whole, made)
            return "conditional", value
    if exit_code is None:
        return _inline(module, absence, whole, absence.element, repeatable)
    given = (
        value if exit_code.startswith("return ") and value else Value(exit_code, "told", "there is nothing to do then")
    )
    if repeatable:
        bad = absence.conditions(code)[1]
        producer = _producer(module, line, code)
        if producer is not None:
            guards.after(module, producer, f"if {bad}:\n    {exit_code}\n")
            return "guard-producer", given
        guards.before(module, line, f"if {bad}:\n    {exit_code}\n")
        return "guard-use", given
    name = guards.fresh(module, *absence.names)
    bare = module.code(absence.subject.with_changes(lpar=[], rpar=[]))
    new = line.deep_replace(absence.subject, cst.Name(name))
    guards.before(module, line, f"{name} = {_flat(bare)}\nif {absence.conditions(name)[1]}:\n    {exit_code}\n", new)
    return "guard-producer", given


def _flat(code: str) -> str:
    return f"({code})" if "\n" in code and not code.rstrip().endswith((")", "]")) else code


def _wrap(module: Module, absence: Absence, line: cst.SimpleStatementLine, repeatable: bool) -> tuple[str, Value]:
    nothing = Value("nothing", "guessed", "there is nothing to do then")  # whether it may be left out, nobody said
    if not isinstance(module.parent(line), cst.IndentedBlock | cst.Module):
        raise NotEditable("the statement has no line of its own")
    if repeatable:
        guards.under(module, line, absence.conditions(module.code(absence.subject))[0])
        return "guard-use", nothing
    name = guards.fresh(module, *absence.names)
    bare = module.code(absence.subject.with_changes(lpar=[], rpar=[]))
    replaced = cast(cst.SimpleStatementLine, line.deep_replace(absence.subject, cst.Name(name)))
    body = replaced.with_changes(leading_lines=())
    made = cst.If(
        test=guards.expression(absence.conditions(name)[0]),
        body=cst.IndentedBlock(body=[body]),
        leading_lines=line.leading_lines,
    )
    guards.before(module, line, f"{name} = {_flat(bare)}\n", made)
    return "guard-producer", nothing


def _puts_into(only: cst.BaseSmallStatement) -> bool:
    """Whether a statement only gives an object one of its parts."""
    return isinstance(only, cst.Assign) and all(
        isinstance(one.target, cst.Subscript | cst.Attribute) for one in only.targets
    )


def _extends_test(module: Module, absence: Absence, line: cst.SimpleStatementLine) -> bool:
    """`if x: use(x.y.z)`, where `x.y` may be None: the condition asks for that as well, as it asks for `x` already."""
    subject, block = absence.subject, module.parent(line)
    around = module.parent(block) if block is not None else None
    if not (isinstance(subject, cst.Attribute) and isinstance(around, cst.If) and around.orelse is None):
        return False
    owner = module.code(subject.value)
    if around.body.body[0] is not line or module.code(around.test) not in (owner, f"{owner} is not None"):
        return False
    if isinstance(module.parent(around), cst.If):  # an elif: its own test is one of several
        return False
    made = guards.joined(module, around.test, module.code(around.test), "and")
    right = guards.expression(absence.conditions(module.code(subject))[0])
    module.replace(around.test, made.with_changes(left=around.test, right=right))
    return True


def _is_target(change: cst.Assign | cst.AnnAssign, use: cst.CSTNode) -> bool:
    targets = [one.target for one in change.targets] if isinstance(change, cst.Assign) else [change.target]
    return use in targets


def _stands_alone(module: Module, whole: cst.BaseExpression, exit_code: str | None) -> bool:
    """Whether a missing value can be None among others: in a display, or by a name that is only shown or tested."""
    around = module.parent(whole)
    if isinstance(around, cst.Arg) and around.keyword is not None:
        call = module.parent(around)
        return isinstance(call, cst.Call) and len(call.args) > 1 and exit_code != "continue"
    if isinstance(around, _DISPLAYS):
        holder = module.parent(around)
        return not isinstance(holder, cst.Tuple) and exit_code != "continue"
    if isinstance(around, cst.Assign) and len(around.targets) == 1 and isinstance(around.targets[0].target, cst.Name):
        return is_only_shown(module, around)
    return False


def is_only_shown(module: Module, change: cst.Assign) -> bool:
    """Whether the name that is bound here is only shown or tested after, so that it may be None."""
    target = change.targets[0].target
    if len(change.targets) != 1 or not isinstance(target, cst.Name):
        return False
    name = target.value
    function = module.function(change)
    if function is None:
        return False
    line = module.position(change).start.line
    uses = [
        one
        for one in intent.own_nodes(function.body, cst.Name)
        if one.value == name and module.position(one).start.line > line
    ]
    if not uses:
        return False
    for one in uses:
        around = module.parent(one)
        shown = isinstance(around, cst.DictElement | cst.Element) and getattr(around, "value", None) is one
        tested = isinstance(around, cst.If | cst.UnaryOperation | cst.BooleanOperation) or (
            isinstance(around, cst.Comparison) and "None" in module.code(around)
        )
        given = isinstance(around, cst.Arg) and around.keyword is not None
        if not (shown or tested or given or guards.is_guarded(module, one, name)):
            return False
    return True


def _is_used_later(module: Module, line: cst.SimpleStatementLine, code: str) -> bool:
    block = module.parent(line)
    if not isinstance(block, cst.IndentedBlock | cst.Module):
        return False
    body = list(block.body)
    later = body[body.index(line) + 1 :]
    return any(
        (guards.names_of(code) and f"{code}." in module.code(one)) or f"{code}[" in module.code(one) for one in later
    )


def _producer(module: Module, line: cst.SimpleStatementLine, code: str) -> cst.SimpleStatementLine | None:
    """The statement of the same block that bound the name last, where nothing but its check belongs behind it."""
    block = module.parent(line)
    if not code.isidentifier() or not isinstance(block, cst.IndentedBlock):
        return None
    body = list(block.body)
    for one in reversed(body[: body.index(line)]):
        if (
            isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 and isinstance(one.body[0], cst.Assign)
        ) and ([module.code(target.target) for target in one.body[0].targets] == [code]):
            return one
        if not isinstance(one, cst.SimpleStatementLine) and code in module.code(one):
            return None
    return None


def _element(absence: Absence, module: Module, whole: cst.BaseExpression) -> str:
    around = module.parent(whole)
    if isinstance(around, cst.For | cst.CompFor):
        return "()"
    return absence.element
