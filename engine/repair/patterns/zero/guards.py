"""The guard around a division: a condition on the denominator, and the value that the surrounding code implies."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

import libcst as cst

from engine.repair.patterns.guarding import for_nothing, guards
from engine.repair.patterns.guarding.for_nothing import Value
from engine.repair.patterns.guarding.guards import in_parentheses, is_repeatable
from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.zero import arrays, namesakes, over, sizes, values
from engine.repair.patterns.zero.divisions import (
    Division,
    all_divisions,
    could_be_zero,
    denominator_code,
    denominator_of,
    is_safe_already,
    line_of_node,
)

_NEUTRAL = re.compile(r"(?i)(?:^|[_.])(?:zoom|scale|aspect|aspect_?ratio|(?:zoom|scale)_?(?:factor|ratio|[xy]))\Z")
_ENDLESS = re.compile(r"(?i)\b\w*(?:mse|rmse|noise|mean_squared|sq_?err)\w*\b")


def guard_formula(
    case: Case, module: Module, function: cst.FunctionDef | None, whole: cst.CSTNode
) -> tuple[str, Value, bool]:
    """Guard one formula; the operator, the value, and whether nothing else can change by it."""
    if isinstance(whole, cst.AugAssign):
        return _guard_change(module, whole)
    if not isinstance(whole, cst.BaseExpression):
        raise NotEditable("the code is set out as nobody would expect")
    inner = [
        one for one in _inner_first(module, whole) if could_be_zero(module, one) and not is_safe_already(module, one)
    ]
    value = _value(case, module, function, whole, inner)
    if value.strength == "guessed" and _at_least_one_part(module, inner):
        return "at-least-one", Value("one at least", "guessed", "it is a number of parts"), False
    if value.strength == "guessed":
        value = values.as_for_one(module, whole) or values.as_it_is(module, whole) or value
    codes = list(dict.fromkeys(denominator_code(module, one) for one in inner))
    line = guards.statement_line(module, whole)
    bound = [code for code in codes if not is_repeatable(code)]
    comp = guards.comprehension(module, whole)
    outer = comp if comp is not None and not guards.bound_in(module, comp) & guards.names_of(codes[0]) else whole
    if bound and line is not None and guards.is_unconditional(module, outer) and len(codes) == 1:
        acting = values.acts_only(module, whole)
        if acting is not None and outer is whole and values.only_asks(codes[0]):
            guards.extend(module, acting.test, codes[0])
            return "unset", Value("nothing", "guessed", "it is done only sometimes"), False
        if values.stays_unset(module, whole) and outer is whole:
            return _bound_unset(module, line, inner[0])
        return _guard_bound(module, line, whole, inner[0], value)
    if bound:
        return _guard_walrus(module, whole, codes, inner, value)
    good = " and ".join(_truth(code, negated=False) for code in codes)
    if len(codes) == 1 and _at_least_one(module, inner[0], codes[0], value):
        return "at-least-one", Value("one at least", "guessed", "it is a size"), False
    test = _modulo_test(module, whole)
    if test is not None:
        around, word = test
        opposite = " or ".join(_truth(code, negated=True) for code in codes)
        module.replace(around, guards.joined(module, around, good if word == "and" else opposite, word))
        return "modulo-test", Value("False" if word == "and" else "True", "told", "nothing is a multiple of zero"), True
    opposite = " or ".join(_truth(code, negated=True) for code in codes)
    if line is not None and guards.is_unconditional(module, whole):
        if function is not None and values.leaves_before_element(module, function, whole, codes[0]):
            given = for_nothing.given_for_nothing(case, module, function, "None").code
            leaves = f"return {given}" if intent.returns_value(function) else "return"
            guards.before(module, line, f"if {opposite}:\n    {leaves}\n")
            return "guard-use", Value("nothing", "guessed", "there is no such element"), False
        told = values.leaves_with(case, module, function, whole) if function is not None else None
        if told is not None:
            guards.before(module, line, f"if {opposite}:\n    return {told.code}\n")
            return "guard-use", told, False
        acting = values.acts_only(module, whole)
        if acting is not None:
            guards.extend(module, acting.test, " and ".join(_truth(code, negated=False) for code in codes))
            return "unset", Value("nothing", "guessed", "it is done only sometimes"), False
        if values.stays_unset(module, whole) or values.leaves_key_out(module, whole):
            guards.under(module, line, good)
            return "unset", Value("nothing", "guessed", "it is set only sometimes"), False
    if _skips(module, whole, value, line):
        if line is None:
            raise NotEditable("the code is set out as nobody would expect")
        guards.before(module, line, f"if {' or '.join(_truth(code, negated=True) for code in codes)}:\n    continue\n")
        return "skip", Value("the next one", "told", "the loop passes over what it cannot use"), True
    if value.code == "[]" and comp is not None and isinstance(comp, cst.ListComp | cst.GeneratorExp):
        guards.with_filter(module, comp, good)
        return "filter", value, True
    if line is not None and len(codes) == 1 and arrays.caught(module, line, whole, codes[0]):
        return "caught", Value("not a number", "guessed", "the denominator may be an array"), False
    if "[" in value.code and not isinstance(module.parent(whole), cst.Return):
        value = _plain(module, whole)
    if value.code in ("0", "0.0"):
        arrays.logarithms_too(module, whole)
    module.replace(whole, guards.conditional(module, whole, good, value.code))
    if "Decimal" in value.code and not re.search(
        r"^from decimal import .*Decimal|^import decimal", module.tree.code, re.M
    ):
        module.name_of_import("decimal", "Decimal")
    if value.code.startswith("(") and isinstance(module.parent(whole), cst.Return):
        return "conditional", value, True
    return "conditional", value, True


def _at_least_one(module: Module, one: Division, code: str, value: Value) -> bool:
    """Let a size that is zero be one: what it is bound to, or the divisor itself; whether it is a size."""
    if value.strength != "guessed" or isinstance(one, cst.AugAssign):
        return False
    test = _modulo_test(module, one) if isinstance(one, cst.BinaryOperation) else None
    size = sizes.counted(module, denominator_of(one))
    if size is not None:
        module.replace(size, guards.expression(_or_one(module.code(size))))
        return True
    divisor = denominator_of(one)
    if test is None and sizes.is_size(code):
        module.replace(divisor, guards.expression(f"({_or_one(code)})"))
        return True
    return False


def _at_least_one_part(module: Module, inner: Sequence[Division]) -> bool:
    """Let a quotient that is rounded in a divisor itself be one at least; whether there is one: `a / round(a / b)`."""
    for one in inner:
        divisor = denominator_of(one)
        sides = [divisor.left, divisor.right] if isinstance(divisor, cst.BinaryOperation) else [divisor]
        cut = next((side for side in sides if isinstance(side, cst.Call) and sizes.is_cut(module, side)), None)
        if cut is not None and not isinstance(one, cst.AugAssign):
            module.replace(cut, guards.expression(f"({_or_one(module.code(cut))})"))
            return True
    return False


def _or_one(code: str) -> str:
    """What is one where a size is zero, and else what it was: a part of one, or a count backwards, stays what it is."""
    return f"{code} or 1"


def is_neutral(name: str) -> bool:
    """Whether what has such a name is one where nothing is stretched or shrunk."""
    return _NEUTRAL.search(name) is not None


def is_one_over(module: Module, formula: cst.CSTNode) -> bool:
    """`1 / x`: near zero it grows without end, so that zero is a guess."""
    return isinstance(formula, cst.BinaryOperation) and module.code(formula.left) in ("1", "1.0", "-1")


def _inner_first(module: Module, whole: cst.CSTNode) -> Iterator[Division]:
    """Divisions of a formula, innermost first; those that comprehensions in it make for each element aside."""

    def in_comprehension(one: cst.CSTNode) -> bool:
        for around in module.ancestors(one):
            if around is whole:
                return False
            if isinstance(around, cst.BaseComp | cst.Lambda):
                return True
        return False

    found = [one for one in all_divisions(module, whole, None) if one is whole or not in_comprehension(one)]
    return iter(sorted(found, key=lambda one: -sum(1 for _ in module.ancestors(one))))


def _truth(code: str, negated: bool) -> str:
    """The condition that a denominator is not zero (or is), as one would write it."""
    try:
        tree, code = _what_counts(code)
    except SyntaxError:
        tree = None
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Sub):
        left, right = ast.get_source_segment(code, tree.left), ast.get_source_segment(code, tree.right)
        first = in_parentheses(str(left)) if isinstance(tree.left, ast.BoolOp) else left
        return f"{first} {'==' if negated else '!='} {right}"
    if isinstance(tree, ast.Compare | ast.BoolOp | ast.IfExp):
        code = f"({code})"
    return f"not {in_parentheses(code)}" if negated else code


def _what_counts(code: str) -> tuple[ast.expr, str]:
    """A denominator without what cannot make it zero: `x` of `x * 1000`, of `x / 8`, `len(x)` of `float(len(x))`."""
    tree = ast.parse(code, mode="eval").body
    while True:
        inner = None
        if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Mult | ast.Div):
            if isinstance(tree.right, ast.Constant) and isinstance(tree.right.value, int | float) and tree.right.value:
                inner = tree.left
            elif isinstance(tree.op, ast.Mult) and isinstance(tree.left, ast.Constant) and tree.left.value:
                inner = tree.right
        elif isinstance(tree, ast.Call) and ast.unparse(tree.func) == "float" and len(tree.args) == 1:
            is_length = isinstance(tree.args[0], ast.Call) and ast.unparse(tree.args[0].func) == "len"
            inner = tree.args[0] if is_length else None
        if inner is None:
            return tree, code
        code = ast.get_source_segment(code, inner) or code
        tree = ast.parse(code, mode="eval").body


def _modulo_test(module: Module, whole: cst.CSTNode) -> tuple[cst.BaseExpression, str] | None:
    """`step % every == 0` and its like: the test to which the check belongs, and whether by `and` or `or`."""
    if not (isinstance(whole, cst.BinaryOperation) and isinstance(whole.operator, cst.Modulo)):
        return None
    around = module.parent(whole)
    if isinstance(around, cst.Comparison) and around.left is whole and len(around.comparisons) == 1:
        return around, "or" if isinstance(around.comparisons[0].operator, cst.NotEqual) else "and"
    if isinstance(around, cst.UnaryOperation) and isinstance(around.operator, cst.Not):
        return around, "and"
    if isinstance(around, cst.If | cst.While | cst.CompIf | cst.BooleanOperation):
        return whole, "or"
    return None


def _skips(module: Module, whole: cst.CSTNode, value: Value, line: cst.SimpleStatementLine | None) -> bool:
    """Whether the loop around passes over what it cannot use: it does so elsewhere, or has nowhere to put a value."""
    loop = guards.loop_around(module, whole)
    if loop is None or line is None or value.code == "None" or not isinstance(module.parent(line), cst.IndentedBlock):
        return False
    if module.parent(line) is not loop.body or guards.comprehension(module, whole) is not None:
        return False
    if not isinstance(module.parent(whole), cst.Arg | cst.Assign | cst.AugAssign | cst.Element):
        return False  # only a part of what is made of the round
    others = list(intent.own_nodes(loop.body, cst.Continue))
    return bool(others)


def _guard_change(module: Module, change: cst.AugAssign) -> tuple[str, Value, bool]:
    code = " ".join(module.code(change.value.with_changes(lpar=[], rpar=[])).split())
    line = guards.statement_line(module, change)
    # That a share of nothing is the whole is a guess, and a wrong one as often as not: a person is to look at it.
    value = Value(module.code(change.target), "guessed", "it stays as it was")
    if line is None:
        raise NotEditable("the division stands on a line with other statements")
    if is_repeatable(code):
        inner = [one for one in _inner_first(module, change.value) if could_be_zero(module, one)]
        codes = list(dict.fromkeys([*(denominator_code(module, one) for one in inner), code]))
        guards.under(module, line, " and ".join(_truth(one, negated=False) for one in codes))
        return "conditional-change", value, False
    name = guards.fresh(module, "divisor", "denominator")
    body = line.with_changes(body=[change.with_changes(value=cst.Name(name))], leading_lines=())
    made = cst.If(test=cst.Name(name), body=cst.IndentedBlock(body=[body]))
    guards.before(module, line, f"{name} = {code}\n", made.with_changes(leading_lines=line.leading_lines))
    return "conditional-change", value, False


def _bound_unset(module: Module, line: cst.SimpleStatementLine, one: Division) -> tuple[str, Value, bool]:
    """Name the denominator, and set the attribute only where it is not zero."""
    name = guards.fresh(module, "denominator", "divisor")
    divisor = denominator_of(one)
    changed = line.deep_replace(divisor, cst.Name(name))
    body = cst.ensure_type(changed, cst.SimpleStatementLine).with_changes(leading_lines=())
    made = cst.If(test=cst.Name(name), body=cst.IndentedBlock(body=[body]))
    guards.before(module, line, f"{name} = {denominator_code(module, one)}\n", made)
    return "unset", Value("nothing", "guessed", "it is set only sometimes"), False


def _guard_bound(
    module: Module, line: cst.SimpleStatementLine, whole: cst.BaseExpression, one: Division, value: Value
) -> tuple[str, Value, bool]:
    """Name the denominator first, so that it is worked out once."""
    code = denominator_code(module, one)
    wanted = ("total",) if code.startswith("sum(") else ("elapsed",) if "time" in code or "perf" in code else ()
    name = guards.fresh(module, *wanted, "denominator", "divisor")
    divisor = denominator_of(one)
    if isinstance(divisor, cst.NamedExpr):  # it has its name already
        name, code = module.code(divisor.target), module.code(divisor.value)
    replacement = whole.deep_replace(divisor, cst.Name(name))
    made = guards.conditional(module, whole, name, value.code)
    body = replacement.with_changes(lpar=[], rpar=[]) if made.lpar or not replacement.lpar else replacement
    new = line.deep_replace(whole, made.with_changes(body=body.with_changes(lpar=[], rpar=[])))
    guards.before(module, line, f"{name} = {code}\n", new)
    return "bound-conditional", value, False


def _guard_walrus(
    module: Module, whole: cst.BaseExpression, codes: Sequence[str], inner: Sequence[Division], value: Value
) -> tuple[str, Value, bool]:
    """Name the denominators in the condition itself."""
    parts, body = [], whole
    for code in codes:
        if is_repeatable(code):
            parts.append(_truth(code, negated=False))
            continue
        alike = [denominator_of(one) for one in inner if denominator_code(module, one) == code]
        name = guards.fresh(module, *(f"denominator{number or ''}" for number in range(len(parts), len(parts) + 9)))
        source = code
        if isinstance(alike[0], cst.NamedExpr):  # it has its name already
            name, source = module.code(alike[0].target), module.code(alike[0].value)
        parts.append(f"({name} := {source})")
        for one in alike:
            body = body.deep_replace(one, cst.Name(name))
    made = guards.conditional(module, whole, " and ".join(parts), value.code)
    module.replace(whole, made.with_changes(body=body.with_changes(lpar=[], rpar=[])))
    return "bound-conditional", value, False


def _plain(module: Module, whole: cst.CSTNode) -> Value:
    """Zero, of the kind of number that the formula gives; without end where an error or noise divides."""
    code = module.code(whole)
    if isinstance(whole, cst.Subscript):
        return Value("None", "guessed", "there is no such element")
    if re.match(r"\(*(?:-?\d+(?:\.\d+)? ?\* ?)?(?:math\.|np\.|numpy\.)?log(?:10|2)?\b", code) and _ENDLESS.search(code):
        return Value('float("inf")', "told", "a signal without noise is without end")
    if isinstance(whole, cst.Call):
        name = module.code(whole.func)
        if name == "math.atan":
            return Value("math.pi / 2", "guessed", "it is upright")
        if name == "divmod":
            return Value("(0, 0)", "told", "there is nothing to share out")
        if name in ("Fraction", "fractions.Fraction"):
            return Value(f"{name}(0)", "guessed", "it is the usual value")
        if name in ("int", "math.ceil", "math.floor", "ceil", "floor") or (name == "round" and len(whole.args) == 1):
            return Value("0", "guessed", "it is the usual value")
    if over.is_over(module, whole):
        return Value("1.0", "guessed", "what takes no time is over")
    if is_neutral(_target(module, whole)) or over.is_aspect(module, whole):
        return Value("1.0", "guessed", "nothing is neither stretched nor shrunk")
    if "Decimal" in code:
        return Value("Decimal(0)", "guessed", "it is the usual value")
    if over.is_held_to_best(module, whole):
        return Value('float("inf")', "guessed", "what nothing was measured by is not the lowest")
    distance = over.distance(module, whole)
    if distance is not None:
        return Value(distance, "guessed", "whatever is there is too much where nothing should be")
    whole_numbers = over.is_whole(module, whole)
    return Value("0" if whole_numbers else "0.0", "guessed", "it is the usual value of a share of nothing")


def _target(module: Module, whole: cst.CSTNode) -> str:
    """The name that a formula is bound to; nothing where it is part of more."""
    change = module.parent(whole)
    while isinstance(change, cst.Arg | cst.Call):  # min(a / b, c / d)
        if isinstance(change, cst.Call) and module.code(change.func) not in ("min", "max"):
            return ""
        change = module.parent(change)
    function = module.function(whole)
    if isinstance(change, cst.Return) and function is not None:
        return function.name.value
    return module.code(change.targets[0].target) if isinstance(change, cst.Assign) else ""


def _value(
    case: Case, module: Module, function: cst.FunctionDef | None, whole: cst.BaseExpression, inner: Sequence[Division]
) -> Value:
    """What the formula gives where its denominator is zero."""
    plain = _plain(module, whole)
    if function is None or not inner:
        return plain
    if values.is_step(module, whole):
        return Value("1", "guessed", "it is a step, which has a length")
    told = values.beside(module, whole)
    if told is not None and plain.strength != "told":
        return told
    comp = guards.comprehension(module, whole)
    if comp is not None and isinstance(module.parent(comp), cst.Return):
        told = for_nothing.given_for_nothing(case, module, function, plain.code)
        return told if told.strength == "told" and told.code == "[]" else plain
    if not _is_result(module, function, whole):
        return plain
    told = for_nothing.given_for_nothing(case, module, function, plain.code)
    if told.strength == "typed" and plain.strength == "told":
        return plain
    if told.strength != "told" and plain.strength == "guessed":
        other = namesakes.unknown(case, module, function)
        if other is not None and (told.strength == "guessed" or other.code != "None"):
            return other
    if told.strength == "typed" and told.code not in ("0", "0.0", "None", "Decimal(0)", "0 "):
        return plain
    if plain.code == "(0, 0)" and told.strength != "told":
        return plain
    return told if told.strength != "guessed" else plain


def _is_result(module: Module, function: cst.FunctionDef, whole: cst.CSTNode) -> bool:
    """Whether the formula's value is what the function returns: returned there, or bound to a name that is."""
    around = module.parent(whole)
    if isinstance(around, cst.Return):
        return True
    if isinstance(around, cst.Assign) and len(around.targets) == 1:
        name = module.code(around.targets[0].target)
        returned = [module.code(one.value) for one in intent.own_nodes(function.body, cst.Return) if one.value]
        return bool(returned) and returned[-1] == name and _is_last_use(module, function, around, name)
    return False


def _is_last_use(module: Module, function: cst.FunctionDef, change: cst.Assign, name: str) -> bool:
    uses = [one for one in intent.own_nodes(function.body, cst.Name) if one.value == name]
    after = [one for one in uses if line_of_node(module, one) > line_of_node(module, change)]
    return len(after) == 1
