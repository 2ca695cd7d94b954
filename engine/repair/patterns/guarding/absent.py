"""Guarding the use of something that is not always there: None instead of an object, a key or an element missing.

Relies on `guards` for where code can go. The kind of guard follows the place: a filter in a comprehension, `and` in a
test, the next round of a loop, an early return, and a conditional expression where nothing else fits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from engine.repair.patterns.guarding import checks, choices, guards, kept
from engine.repair.patterns.guarding.absence import Absence, bound, inline
from engine.repair.patterns.guarding.checks import within
from engine.repair.patterns.guarding.for_nothing import NUMBER, Value
from engine.repair.patterns.guarding.statement_guards import (
    in_statement,
    leave_before,
    left_before_its_try,
    left_with_the_rest,
)
from engine.repair.patterns.guarding.subscripts import constant
from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source import handlers
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name, parameter_of

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
    "dir",
    "vars",
)


def is_handled(module: Module, absence: Absence) -> bool:
    """Whether the code checks for it already."""
    code = module.code(absence.subject)
    return checks.is_guarded(module, absence.use, code)


def guard(case: Case, module: Module, absence: Absence) -> tuple[str, Value]:
    """Put the guard where it belongs; its operator, and the value that is given instead."""
    whole = whole_of(module, absence.use)
    code = module.code(absence.subject)
    owner = code if isinstance(absence.use, cst.Attribute) and not absence.is_none else ""
    if (left := left_before_its_try(case, module, absence)) is not None:
        return left
    if handlers.widened(module, absence.use, case.records[0].type.rpartition(".")[2], owner):
        return "handler", Value("nothing", "guessed", "the handler around it says what is done then")
    repeatable = guards.may_repeat(module, absence.subject)
    if _has_another(module, whole) and not absence.is_none:  # `found[0] or other`: the other stands for it
        return inline(module, absence, whole, "None", repeatable)
    looked_for = None if absence.is_none else kept.looking(module, whole, guards.names_of(module.code(absence.use)))
    if looked_for is not None and repeatable and guards.loop_around(module, looked_for) is not None:
        return in_statement(case, module, absence, looked_for, whole, repeatable)
    comp = guards.comprehension(module, whole)
    needed = guards.names_of(code if absence.is_none else module.code(absence.use))
    if comp is not None and (not repeatable or guards.bound_in(module, comp) & needed):
        return _in_comprehension(module, absence, comp, whole, repeatable)
    test = test_of(module, whole)
    if test is not None:
        test = choices.every_one(module, absence, test) or test
        return _left_first(case, module, absence, test) or _in_test(module, absence, test, repeatable)
    line = guards.statement_line(module, whole)
    if line is not None and absence.is_none and not guards.is_unconditional(module, whole):
        left = left_with_the_rest(case, module, absence, line)
        if left is not None:
            return left
    if comp is not None and line is not None and absence.is_none and guards.is_unconditional(module, comp):
        return in_statement(case, module, absence, line, comp, repeatable)
    if line is None and _behind_its_condition(module, absence, whole, repeatable):
        return "test", Value("nothing", "guessed", "there is nothing to do then")
    if line is None or not guards.is_unconditional(module, whole):
        return inline(module, absence, whole, _element(absence, module, whole), repeatable)
    return in_statement(case, module, absence, line, whole, repeatable)


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


def _has_another(module: Module, whole: cst.BaseExpression) -> bool:
    """Whether what stands for a missing value is written behind it: `first or second`, which is no condition."""
    around = module.parent(whole)
    if not (isinstance(around, cst.BooleanOperation) and isinstance(around.operator, cst.Or) and around.left is whole):
        return False
    top: cst.CSTNode = around
    while isinstance(module.parent(top), cst.BooleanOperation):
        top = module.parent(top) or top
    asked = cst.If | cst.While | cst.CompIf | cst.UnaryOperation | cst.Assert
    return not isinstance(module.parent(top), asked) and not _reads_another(module, around, whole)


def _reads_another(module: Module, chain: cst.BooleanOperation, whole: cst.BaseExpression) -> bool:
    """Whether the other fails as well: it reads the very same thing."""
    return isinstance(whole, cst.Subscript) and f"{module.code(whole.value)}[" in module.code(chain.right)


def test_of(module: Module, whole: cst.BaseExpression) -> cst.BaseExpression | None:
    """The condition whose truth a use decides; None where it is no condition."""
    around = module.parent(whole)
    if isinstance(around, cst.ComparisonTarget):
        around = module.parent(around)
    if isinstance(around, cst.Comparison):
        if isinstance(module.parent(around), cst.Assert):
            return None
        negative = any(isinstance(one.operator, cst.NotEqual | cst.NotIn) for one in around.comparisons)
        return None if len(around.comparisons) > 1 and negative else around
    if isinstance(around, cst.If | cst.While | cst.CompIf | cst.BooleanOperation | cst.UnaryOperation):
        return whole
    if isinstance(around, cst.IfExp) and around.test is whole:
        return whole
    call = (
        module.parent(module.parent(around) or around) if isinstance(around, cst.GeneratorExp | cst.ListComp) else None
    )
    is_asked = (
        isinstance(whole, cst.Comparison) and isinstance(call, cst.Call) and last_name(call.func) in ("all", "any")
    )
    return whole if is_asked else None


def _behind_its_condition(module: Module, absence: Absence, whole: cst.BaseExpression, repeatable: bool) -> bool:
    """`if a: do(b.c)` on one line: let the condition ask for what it needs; whether it is such a line."""
    suite = module.nearest(whole, cst.SimpleStatementSuite)
    around = module.parent(suite) if suite is not None else None
    if suite is None or not isinstance(around, cst.If) or not repeatable or len(suite.body) != 1:
        return False
    chained = around.orelse is not None or isinstance(module.parent(around), cst.If)
    if chained or not isinstance(suite.body[0], cst.Expr) or not guards.is_unconditional(module, whole):
        return False
    guards.extend(module, around.test, absence.conditions(module.code(absence.subject))[0])
    return True


def _left_first(case: Case, module: Module, absence: Absence, test: cst.BaseExpression) -> tuple[str, Value] | None:
    """Leave before a condition on an argument that is None by default, where what comes after it needs it as well."""
    subject, statement = absence.subject, module.nearest(test, cst.If)
    function = module.function(test)
    if not isinstance(subject, cst.Name) or statement is None or function is None:
        return None
    parameter = parameter_of(function, subject.value)
    default = parameter.default if parameter is not None else None
    if parameter is None or module.function(statement) is not function:
        return None
    is_optional = default is not None and module.code(default) == "None"
    otherwise = statement.orelse
    is_needed_else = otherwise is not None and any(
        absence.needed_by(module, one)
        for one in module.nodes(cst.Attribute, within=otherwise)
        if not isinstance(otherwise, cst.If) or one not in module.nodes(cst.Attribute, within=otherwise.test)
    )
    if (
        not is_optional
        and not is_needed_else
        and (absence.is_none or function.name.value not in ("__eq__", "__ne__", "__lt__", "__gt__"))
    ):
        return None
    if not isinstance(module.parent(statement), cst.IndentedBlock) or test not in module.nodes(
        cst.BaseExpression,  # type: ignore[type-abstract]
        within=statement.test,
    ):
        return None
    end = module.position(statement.body).end.line
    later = [
        one
        for one in module.nodes(cst.BaseExpression, within=function.body)  # type: ignore[type-abstract]
        if module.position(one).start.line > end
        and (absence.needed_by(module, one) or _is_of_the_same(module, absence, one))
    ]
    return leave_before(case, module, absence, statement) if later else None


def _is_of_the_same(module: Module, absence: Absence, node: cst.CSTNode) -> bool:
    """Whether a node asks another attribute of an object of the wrong type."""
    if absence.is_none or not isinstance(node, cst.Attribute):
        return False
    return module.code(node.value) == module.code(absence.subject)


def _in_test(module: Module, absence: Absence, test: cst.BaseExpression, repeatable: bool) -> tuple[str, Value]:
    negative = isinstance(test, cst.Comparison) and isinstance(test.comparisons[0].operator, cst.NotEqual | cst.NotIn)
    around = module.parent(test)
    if isinstance(around, cst.BooleanOperation) and isinstance(around.operator, cst.Or) and around.left is test:
        negative = False
    negative = negative and not _needed_within(module, absence, test) and not _is_an_odd_case(module, absence, test)
    negative = negative or _begins_with(module, absence, test) or _leaves_for_nothing(module, absence, test)
    negative = negative and not _ends_a_loop(module, test) and not _is_of_a_module(module, absence)
    good, bad, inner = bound(module, absence, test, repeatable)
    module.replace(test, _joined(module, test, inner, bad if negative else good, "or" if negative else "and"))
    if repeatable and not negative:
        for other in _next_tests(module, absence, test):
            module.replace(other, guards.joined(module, other, good, "and"))
        for other, name in choices.of_like_options(module, absence, test):
            module.replace(other, guards.joined(module, other, f"{name} is not None", "and"))
    return "test", Value("True" if negative else "False", "told", "the condition does not hold then")


def _is_an_odd_case(module: Module, absence: Absence, test: cst.BaseExpression) -> bool:
    """Whether what a condition of two different things decides is done in a special case only: without the thing, it
    is not that case. `a.kind != b.kind` that refuses, or `first and x[0] != 8` that goes another way."""
    around = module.nearest(test, cst.If)
    if around is None or not isinstance(test, cst.Comparison) or not within(module, test, around.test):
        return False
    chained = test is not around.test
    for one in module.ancestors(test):
        if one is around:
            break
        if not (isinstance(one, cst.BooleanOperation) and isinstance(one.operator, cst.And)):
            return False
    if not checks.leaves(around.body):
        return chained
    other = test.comparisons[0].comparator if within(module, absence.use, test.left) else test.left
    if isinstance(constant(other), str | int | bytes | None) or last_name(other).isupper():
        return False
    last = around.body.body[-1]
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    return isinstance(small, cst.Raise) or (isinstance(small, cst.Break) and len(around.body.body) > 1)


def _is_of_a_module(module: Module, absence: Absence) -> bool:
    """Whether a module lacks what is asked for: a platform without it has nothing to refuse."""
    return not absence.is_none and isinstance(absence.use, cst.Attribute) and (
        module.code(absence.use.value) in module.imported
    )  # fmt: skip


def _ends_a_loop(module: Module, test: cst.BaseExpression) -> bool:
    """Whether a loop goes on as long as a condition holds: without the thing, it has come to its end."""
    for around in module.ancestors(test):
        if isinstance(around, cst.While):
            return within(module, test, around.test)
        if isinstance(around, cst.BaseSuite):
            return False
    return False


def _begins_with(module: Module, absence: Absence, test: cst.BaseExpression) -> bool:
    """`if best < found: best = found`, where there is no best yet: what is found is the best so far."""
    around = module.nearest(test, cst.If)
    if around is None or around.test is not test or not absence.is_none or not isinstance(test, cst.Comparison):
        return False
    subject = module.code(absence.subject)
    return any(module.code(one.target) == subject for one in module.nodes(cst.AssignTarget, within=around.body))


def _leaves_for_nothing(module: Module, absence: Absence, test: cst.BaseExpression) -> bool:
    """Whether a condition leaves what cannot do without the thing: what comes behind it reads it, or it says no."""
    around = module.nearest(test, cst.If)
    if around is None or around.test is not test or not checks.leaves(around.body):
        return False
    if _needed_within(module, absence, test):
        return False
    last = around.body.body[-1]
    code = module.code(last).strip()
    otherwise = around.orelse
    if isinstance(otherwise, cst.Else):
        behind = module.code(otherwise.body).strip()
        return code in ("return False", "return None", "return") and behind == "return True"
    block = module.parent(around)
    if otherwise is not None or not isinstance(block, cst.IndentedBlock) or not absence.is_none:
        return False
    subject = module.code(absence.subject)
    later = list(block.body)[list(block.body).index(around) + 1 :]
    if code in ("return False", "return None") and len(later) == 1 and module.code(later[0]).strip() == "return True":
        return True
    for one in later:
        for node in module.nodes(cst.BaseExpression, within=one):  # type: ignore[type-abstract]
            if isinstance(module.parent(node), cst.AssignTarget):
                continue
            if module.code(node) == subject and not checks.is_guarded(module, node, f"{subject} is not None"):
                return not _is_bound_between(module, later[: later.index(one)], subject)
    return False


def _is_bound_between(module: Module, statements: Sequence[cst.CSTNode], subject: str) -> bool:
    targets = [one for each in statements for one in module.nodes(cst.AssignTarget, within=each)]
    return any(module.code(one.target) == subject for one in targets)


def _needed_within(module: Module, absence: Absence, test: cst.BaseExpression) -> bool:
    """Whether what a condition decides needs the very thing that the condition failed for."""
    around = module.nearest(test, cst.If)
    if around is None or test not in module.nodes(cst.BaseExpression, within=around.test):  # type: ignore[type-abstract]
        return False
    return any(
        absence.needed_by(module, one, besides=test)
        for one in module.nodes(cst.BaseExpression, within=around.body)  # type: ignore[type-abstract]
    )


def _next_tests(module: Module, absence: Absence, test: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    """The tests of the `elif`s that follow, as far as they need the same: once the first fails, they are asked."""
    code = module.code(absence.subject)
    at = module.nearest(test, cst.If)
    while at is not None and isinstance(at.orelse, cst.If):
        at = at.orelse
        for one in module.nodes(type(absence.use), within=at.test):
            needs = isinstance(one, cst.Attribute | cst.Subscript) and module.code(one.value) == code
            needs = needs and not checks.is_guarded(module, one, code)
            if needs or (isinstance(one, cst.Comparison) and absence.needed_by(module, one, besides=test)):
                other = test_of(module, whole_of(module, one))
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


def _in_comprehension(
    module: Module, absence: Absence, comp: cst.BaseComp, whole: cst.BaseExpression, repeatable: bool
) -> tuple[str, Value]:
    test = test_of(module, whole)
    around = module.nearest(whole, cst.CompIf)
    if test is not None and around is not None:
        return _in_test(module, absence, test, repeatable)
    around_whole = module.parent(whole)
    is_part = isinstance(around_whole, cst.DictElement) or (
        isinstance(around_whole, cst.Arg) and around_whole.keyword is not None
    )
    holder = module.parent(around_whole) if is_part and around_whole is not None else None
    parts = getattr(holder, "elements", getattr(holder, "args", ()))
    if absence.is_none and len(parts) > 1 and holder is getattr(comp, "elt", None):
        return inline(module, absence, whole, absence.element, repeatable)  # the rest of the record is as good as ever
    if isinstance(comp, cst.DictComp) or repeatable:
        good, _bad, body = bound(module, absence, whole, repeatable)
        if body is whole:
            guards.with_filter(module, comp, good)
            return "filter", Value("nothing", "guessed", "what is not there is left out")
        return inline(module, absence, whole, absence.element, repeatable)
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


def _element(absence: Absence, module: Module, whole: cst.BaseExpression) -> str:
    around = module.parent(whole)
    if isinstance(around, cst.For | cst.CompFor):
        return "()"
    if isinstance(around, cst.Lambda) and absence.element == "None" and _puts_in_order(module, around):
        code = module.code(whole)
        is_number = NUMBER.search(code) or code.startswith(("int(", "float(", "len(", "round(", "sum("))
        return "0" if is_number else module.quote * 2
    return absence.element


def _puts_in_order(module: Module, function: cst.Lambda) -> bool:
    """Whether a function gives the keys of an order: None has no place in one."""
    arg = module.parent(function)
    return isinstance(arg, cst.Arg) and arg.keyword is not None and arg.keyword.value == "key"
