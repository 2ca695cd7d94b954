"""A division by zero: the value that the surrounding code implies, by a condition in front of the same formula.

Relies on LibCST through `edit` and on `intent` for what is meant. A division that should raise is left alone: one that
somebody catches, documents or tests for, a plain arithmetic function, a calculator, an inverse.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence

import libcst as cst

from engine.repair.patterns import guards, intent
from engine.repair.patterns.edit import Module, NotEditable, first_changed_line
from engine.repair.patterns.guards import in_parentheses, is_guarded, is_repeatable
from engine.repair.patterns.intent import Value
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.record import ErrorRecord

_ARITHMETIC = re.compile(
    r"(?i)_*(?:(?:true|floor|int|integer|safe|checked|strict|exact)_?)*(?:div|divide|division|quotient|mod|modulo|modulus|"
    r"remainder|divmod|inverse|invert|inv|reciprocal|rational|fraction|solve\w*|mod_?inv\w*|gcd|lcm|rdiv|fdiv|idiv|"
    r"divided_by|divide_by|op_div\w*)_*\Z"
)
_DUNDER = re.compile(r"__r?i?(?:truediv|floordiv|mod|divmod|pow|invert)__\Z")
_OPERATORS = re.compile(r"""['"](?:/|//|%|div|divide|mod|\*\*)['"]|\b(?:Div|FloorDiv|Mod|DIVIDE|DIV|SLASH|PERCENT)\b""")
_CALLS = ("divmod", "Fraction", "fractions.Fraction")
_THROUGH = re.compile(
    r"(?:round|float|abs|int|math\.\w+|np\.(?:sqrt|log\w*|exp|abs)|sqrt|log10|log2?|ceil|floor|exp|pow|Decimal|"
    r"decimal\.Decimal)\Z"
)
_ENDLESS = re.compile(r"(?i)\b\w*(?:mse|rmse|noise|mean_squared|sq_?err)\w*\b")
_CONSTANT = (cst.Integer, cst.Float)
Division = cst.BinaryOperation | cst.Call | cst.AugAssign


class ZeroDivision:
    """Guards divisions that failed."""

    id = "zero-division"
    title = "Give a division by zero the value that the code around it implies"

    def recognises(self, record: ErrorRecord) -> bool:
        """ZeroDivisionError, and decimal's kinds of it."""
        name = record.type.rpartition(".")[2]
        return name == "ZeroDivisionError" or (
            record.type.startswith("decimal.") and name in ("DivisionByZero", "InvalidOperation") and "Division" in
            f"{name}{record.message}"
        )  # fmt: skip

    def propose(self, case: Case) -> Proposal | Declined:
        """The guard, or why there is none."""
        opened = intent.open_module(case)
        if isinstance(opened, str):
            return Declined(self.id, opened)
        module, line = opened
        found = [one for one in _divisions(module, line) if _could_be_zero(module, one)]
        if not found:
            return Declined(self.id, "no division on this line could have been by zero: it failed elsewhere")
        statement = found[0]
        reason = intent.meant(case, module, statement, line, "ZeroDivisionError") or _on_purpose(module, statement)
        if reason:
            return Declined(self.id, reason)
        open_ones = [one for one in found if not _is_safe_already(module, one)]
        if not open_ones:
            return Declined(self.id, "the division is guarded already")
        try:
            return _proposal(case, module, open_ones)
        except NotEditable as error:
            return Declined(self.id, error.reason)


def _proposal(case: Case, module: Module, failed: Sequence[Division]) -> Proposal:
    function = module.function(failed[0])
    every = [*failed, *_alike(module, failed)]
    wholes: dict[cst.CSTNode, list[Division]] = {}
    for one in every:
        whole = one if isinstance(one, cst.AugAssign) else _whole(module, one)
        wholes.setdefault(whole, []).append(one)
    operator, applicability, because = "", "safe", ""
    for whole in [one for one in wholes if not _is_inside(module, one, wholes)]:
        way, value, is_sure = _guard(case, module, function, whole)
        if not operator:
            operator, because = way, f": {value.code} where it is zero, as {value.because}"
        if not is_sure or value.strength == "guessed" and value.code not in ("0", "0.0"):
            applicability = "review"
    edit = module.edit()
    why = (
        f"The division fails when {_denominator_code(module, failed[0])} is zero{because}; the formula stays as it is."
    )
    return Proposal(
        "zero-division",
        operator,
        (edit,),
        first_changed_line(edit),
        "safe" if applicability == "safe" else "review",
        why,
    )


# -- finding -----------------------------------------------------------------------------------------------------------


def _divisions(module: Module, line: int) -> list[Division]:
    """Divisions of the statement at a line, those on the line itself first."""
    found = _all_divisions(module, None, line)
    if not found:
        statement = module.statement(line)
        if isinstance(statement, cst.SimpleStatementLine):
            found = _all_divisions(module, statement, None)
    return [one for one in found if not isinstance(one, cst.AugAssign) or _line(module, one) <= line]


def _line(module: Module, node: cst.CSTNode) -> int:
    return module.position(node).start.line


def _all_divisions(module: Module, within: cst.CSTNode | None, line: int | None) -> list[Division]:
    found: list[Division] = []
    for one in module.nodes(cst.BinaryOperation, line, within):
        if isinstance(one.operator, cst.Divide | cst.FloorDivide) or (
            isinstance(one.operator, cst.Modulo)
            and not isinstance(one.left, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString)
        ):
            found.append(one)
        elif isinstance(one.operator, cst.Power) and isinstance(one.right, cst.UnaryOperation):
            found.append(one)
    for call in module.nodes(cst.Call, line, within):
        if module.code(call.func) in _CALLS and len(call.args) == 2 and not any(arg.star for arg in call.args):
            found.append(call)
    for change in module.nodes(cst.AugAssign, line, within):
        if isinstance(change.operator, cst.DivideAssign | cst.FloorDivideAssign | cst.ModuloAssign):
            found.append(change)
    return found


def _denominator(one: Division) -> cst.BaseExpression:
    if isinstance(one, cst.Call):
        return one.args[1].value
    if isinstance(one, cst.AugAssign):
        return one.value
    return one.left if isinstance(one.operator, cst.Power) else one.right


def _denominator_code(module: Module, one: Division) -> str:
    node = _denominator(one)
    return " ".join(module.code(node.with_changes(lpar=[], rpar=[])).split())


def _could_be_zero(module: Module, one: Division) -> bool:
    node = _denominator(one)
    if isinstance(node, cst.SimpleString | cst.Tuple | cst.Dict):
        return False
    code = _denominator_code(module, one)
    try:
        return not _never_zero(ast.parse(code, mode="eval").body)
    except (SyntaxError, ValueError):
        return True


def _never_zero(node: ast.expr) -> bool:
    """Numbers, `max(x, 1)`, `x or 1`, `x + 1e-9`, `a if a else 1`: and zero itself, which somebody wrote."""
    if isinstance(node, ast.Constant):
        return True
    if isinstance(node, ast.UnaryOp):
        return _never_zero(node.operand)
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        return _never_zero(node.values[-1])
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("max", "np.maximum", "float", "int"):
        return bool(node.args) and any(_is_number(one) for one in node.args) and len(node.args) > 1
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        for side in (node.left, node.right):
            if isinstance(side, ast.Constant) and isinstance(side.value, float) and 0 < side.value < 0.01:
                return True
            if isinstance(side, ast.Name) and re.search(r"(?i)eps", side.id):
                return True
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Pow):
        return _never_zero(node.left) and _never_zero(node.right)
    if isinstance(node, ast.Attribute):
        return ast.unparse(node) in ("math.pi", "math.e", "np.pi", "sys.maxsize", "math.tau")
    return False


def _is_number(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value > 0


def _is_safe_already(module: Module, one: Division) -> bool:
    code = _denominator_code(module, one)
    subjects = [code, *([f"len({inner[1]})"] if (inner := re.fullmatch(r"len\((.+)\) - \d+", code)) else [])]
    minus = re.fullmatch(r"(.+) - (.+)", code)
    if minus:
        for test in (f"{minus[1]} != {minus[2]}", f"{minus[1]} == {minus[2]}", f"{minus[2]} == {minus[1]}"):
            if is_guarded(module, one, test, by_none=False):
                return True
    if re.fullmatch(r"[\w.]+ - \d+", code):
        subjects.append(code.partition(" ")[0])
    node = _denominator(one)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
        parts = [module.code(node.left), module.code(node.right)]
        if all(is_guarded(module, one, part, by_none=False) for part in parts if not part.replace(".", "").isdigit()):
            return True
    return any(is_guarded(module, one, subject, by_none=False) for subject in subjects)


def _on_purpose(module: Module, one: Division) -> str | None:
    """Why a division should raise."""
    function = module.function(one)
    name = function.name.value if function else ""
    if _DUNDER.match(name):
        return f"{name} is arithmetic itself: its callers mean the error"
    for around in module.ancestors(one):
        if isinstance(around, cst.Lambda) and isinstance(
            module.parent(around), cst.DictElement | cst.Arg | cst.Element
        ):
            element = module.parent(around)
            if _OPERATORS.search(module.code(element)) if element else False:
                return "it is a calculator's division"
        if isinstance(around, cst.If | cst.MatchCase):
            test = around.test if isinstance(around, cst.If) else around.pattern
            if _OPERATORS.search(module.code(test)):
                return "it is a calculator's division"
        if isinstance(around, cst.FunctionDef):
            break
    if function is not None and _ARITHMETIC.match(name):
        return f"{name} is plain arithmetic: dividing by zero is its caller's error"
    if isinstance(one, cst.BinaryOperation) and re.fullmatch(
        r"(?i)(?:self\.)?_?det(?:erminant)?", _denominator_code(module, one)
    ):
        return "a singular matrix has no inverse: the error says so"
    if function is not None and _only_divides_arguments(module, function, one):
        return f"{name} only divides its arguments: dividing by zero is its caller's error"
    return None


def _only_divides_arguments(module: Module, function: cst.FunctionDef, one: Division) -> bool:
    """`def per(a, b): return a / b` with names that say nothing of what they are."""
    names = [parameter.name.value for parameter in function.params.params]
    if not isinstance(one, cst.BinaryOperation) or len(names) != 2:
        return False
    sides = [module.code(one.left), module.code(one.right)]
    plain = re.compile(
        r"[a-z]|x\d|num(?:erator)?|den(?:om(?:inator)?)?|divisor|dividend|left|right|lhs|rhs|first|second|num[12]"
    )
    return (
        sides == names
        and all(plain.fullmatch(side) for side in sides)
        and not re.search(
            r"(?i)ratio|rate|mean|average|avg|percent|share|fraction|per_|aspect|speed|score|normal",
            function.name.value,
        )
    )


def _alike(module: Module, failed: Sequence[Division]) -> list[Division]:
    """Other divisions of the function that the same input makes fail: by the same names, or by what came of them."""
    function = module.function(failed[0])
    if function is None:
        return []
    names = {name for one in failed for name in guards.names_of(_denominator_code(module, one))} - {
        "self",
        "cls",
        "math",
    }
    for change in intent.own_nodes(function.body, cst.Assign):
        if any(_contains(change, one) for one in failed):
            names |= {module.code(target.target) for target in change.targets}  # type: ignore[attr-defined]
    found: list[Division] = []
    for one in _all_divisions(module, function.body, None):
        if one in failed or not _could_be_zero(module, one) or _is_safe_already(module, one):
            continue
        if _line(module, one) < _line(module, failed[0]) or module.function(one) is not function:
            continue
        if names & guards.names_of(_denominator_code(module, one)):
            found.append(one)
            change = module.nearest(one, cst.Assign)
            if change is not None:
                names |= {module.code(target.target) for target in change.targets}
    return found


def _contains(node: cst.CSTNode, wanted: cst.CSTNode) -> bool:
    return node is wanted or any(_contains(child, wanted) for child in node.children)


def _is_inside(module: Module, node: cst.CSTNode, others: object) -> bool:
    return any(around in others for around in module.ancestors(node))  # type: ignore[operator]


def _whole(module: Module, one: Division) -> cst.BaseExpression:
    """The formula that a division is the heart of: products, rounding, logarithms, and `1 -` around it."""
    node: cst.BaseExpression = one  # type: ignore[assignment]
    while True:
        around = module.parent(node)
        if isinstance(around, cst.BinaryOperation):
            other = around.right if around.left is node else around.left
            if isinstance(around.operator, cst.Multiply | cst.Divide | cst.FloorDivide):
                if around.right is node and isinstance(around.operator, cst.Divide | cst.FloorDivide):
                    if not _all_divisions(module, node, None):
                        return node
                node = around
                continue
            if isinstance(around.operator, cst.Add | cst.Subtract) and isinstance(other, _CONSTANT):
                node = around
                continue
            if isinstance(around.operator, cst.Power) and around.left is node:
                node = around
                continue
            return node
        if isinstance(around, cst.UnaryOperation) and isinstance(around.operator, cst.Minus | cst.Plus):
            node = around
            continue
        if isinstance(around, cst.Arg):
            call = module.parent(around)
            if (
                isinstance(call, cst.Call)
                and call.args
                and call.args[0] is around
                and _THROUGH.match(module.code(call.func))
            ):
                node = call
                continue
        return node


# -- guarding ----------------------------------------------------------------------------------------------------------


def _guard(case: Case, module: Module, function: cst.FunctionDef | None, whole: cst.CSTNode) -> tuple[str, Value, bool]:
    """Guard one formula; the operator, the value, and whether nothing else can change by it."""
    if isinstance(whole, cst.AugAssign):
        return _guard_change(module, whole)
    assert isinstance(whole, cst.BaseExpression)
    inner = [
        one for one in _inner_first(module, whole) if _could_be_zero(module, one) and not _is_safe_already(module, one)
    ]
    value = _value(case, module, function, whole, inner)
    codes = list(dict.fromkeys(_denominator_code(module, one) for one in inner))
    line = guards.statement_line(module, whole)
    bound = [code for code in codes if not is_repeatable(code)]
    comp = guards.comprehension(module, whole)
    outer = comp if comp is not None and not guards.bound_in(module, comp) & guards.names_of(codes[0]) else whole
    if bound and line is not None and guards.is_unconditional(module, outer) and len(codes) == 1:
        return _guard_bound(module, line, whole, inner[0], value)
    if bound:
        return _guard_walrus(module, whole, codes, inner, value)
    good = " and ".join(_truth(code, negated=False) for code in codes)
    test = _modulo_test(module, whole)
    if test is not None:
        around, word = test
        opposite = " or ".join(_truth(code, negated=True) for code in codes)
        module.replace(around, guards.joined(module, around, good if word == "and" else opposite, word))
        return "modulo-test", Value("False" if word == "and" else "True", "told", "nothing is a multiple of zero"), True
    if _skips(module, whole, value, line):
        assert line is not None
        guards.before(module, line, f"if {' or '.join(_truth(code, negated=True) for code in codes)}:\n    continue\n")
        return "skip", Value("the next one", "told", "the loop passes over what it cannot use"), True
    if value.code == "[]" and comp is not None and isinstance(comp, cst.ListComp | cst.GeneratorExp):
        guards.with_filter(module, comp, good)
        return "filter", value, True
    if "[" in value.code and not isinstance(module.parent(whole), cst.Return):
        value = _plain(module, whole)
    module.replace(whole, guards.conditional(module, whole, good, value.code))
    if "Decimal" in value.code and not re.search(
        r"^from decimal import .*Decimal|^import decimal", module.tree.code, re.M
    ):
        module.name_of_import("decimal", "Decimal")
    if value.code.startswith("(") and isinstance(module.parent(whole), cst.Return):
        return "conditional", value, True
    return "conditional", value, True


def _inner_first(module: Module, whole: cst.CSTNode) -> Iterator[Division]:
    found = _all_divisions(module, whole, None)
    return iter(sorted(found, key=lambda one: -sum(1 for _ in module.ancestors(one))))


def _truth(code: str, negated: bool) -> str:
    """The condition that a denominator is not zero (or is), as one would write it."""
    try:
        tree = ast.parse(code, mode="eval").body
    except SyntaxError:
        tree = None
    if isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Sub):
        left, right = ast.get_source_segment(code, tree.left), ast.get_source_segment(code, tree.right)
        return f"{in_parentheses(str(left)) if isinstance(tree.left, ast.BoolOp) else left} {'==' if negated else '!='} {right}"
    if isinstance(tree, ast.Compare | ast.BoolOp | ast.IfExp):
        code = f"({code})"
    return f"not {in_parentheses(code)}" if negated else code


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
    others = [one for one in intent.own_nodes(loop.body, cst.Continue)]
    return bool(others)


def _guard_change(module: Module, change: cst.AugAssign) -> tuple[str, Value, bool]:
    code = " ".join(module.code(change.value.with_changes(lpar=[], rpar=[])).split())
    line = guards.statement_line(module, change)
    value = Value(module.code(change.target), "told", "it stays as it was")
    if line is None:
        raise NotEditable("the division stands on a line with other statements")
    if is_repeatable(code):
        inner = [one for one in _inner_first(module, change.value) if _could_be_zero(module, one)]
        codes = list(dict.fromkeys([*(_denominator_code(module, one) for one in inner), code]))
        guards.under(module, line, " and ".join(_truth(one, negated=False) for one in codes))
        return "conditional-change", value, True
    name = guards.fresh(module, change, "divisor", "denominator")
    body = line.with_changes(body=[change.with_changes(value=cst.Name(name))], leading_lines=())
    made = cst.If(test=cst.Name(name), body=cst.IndentedBlock(body=[body]))
    guards.before(module, line, f"{name} = {code}\n", made.with_changes(leading_lines=line.leading_lines))
    return "conditional-change", value, False


def _guard_bound(
    module: Module, line: cst.SimpleStatementLine, whole: cst.BaseExpression, one: Division, value: Value
) -> tuple[str, Value, bool]:
    """Name the denominator first, so that it is worked out once."""
    code = _denominator_code(module, one)
    wanted = ("total",) if code.startswith("sum(") else ("elapsed",) if "time" in code or "perf" in code else ()
    name = guards.fresh(module, whole, *wanted, "denominator", "divisor")
    replacement = whole.deep_replace(_denominator(one), cst.Name(name))
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
        name = guards.fresh(
            module, whole, *(f"denominator{number or ''}" for number in range(len(parts), len(parts) + 9))
        )
        parts.append(f"({name} := {code})")
        for one in inner:
            if _denominator_code(module, one) == code:
                body = body.deep_replace(_denominator(one), cst.Name(name))
    made = guards.conditional(module, whole, " and ".join(parts), value.code)
    module.replace(whole, made.with_changes(body=body.with_changes(lpar=[], rpar=[])))
    return "bound-conditional", value, False


# -- values ------------------------------------------------------------------------------------------------------------


def _plain(module: Module, whole: cst.CSTNode) -> Value:
    """Zero, of the kind of number that the formula gives; without end where an error or noise divides."""
    code = module.code(whole)
    if re.match(r"\(*(?:-?\d+(?:\.\d+)? ?\* ?)?(?:math\.|np\.)?log(?:10|2)?\b", code) and _ENDLESS.search(code):
        return Value('float("inf")', "told", "a signal without noise is without end")
    if isinstance(whole, cst.Call):
        name = module.code(whole.func)
        if name == "divmod":
            return Value("(0, 0)", "told", "there is nothing to share out")
        if name in ("Fraction", "fractions.Fraction"):
            return Value(f"{name}(0)", "guessed", "it is the usual value")
        if name in ("int", "math.ceil", "math.floor", "ceil", "floor") or (name == "round" and len(whole.args) == 1):
            return Value("0", "guessed", "it is the usual value")
    if "Decimal" in code:
        return Value("Decimal(0)", "guessed", "it is the usual value")
    whole_numbers = isinstance(whole, cst.BinaryOperation) and isinstance(whole.operator, cst.FloorDivide | cst.Modulo)
    return Value("0" if whole_numbers else "0.0", "guessed", "it is the usual value of a share of nothing")


def _value(
    case: Case, module: Module, function: cst.FunctionDef | None, whole: cst.BaseExpression, inner: Sequence[Division]
) -> Value:
    """What the formula gives where its denominator is zero."""
    plain = _plain(module, whole)
    if function is None or not inner:
        return plain
    comp = guards.comprehension(module, whole)
    if comp is not None and isinstance(module.parent(comp), cst.Return):
        told = intent.given_for_nothing(case, module, function, plain.code)
        return told if told.strength == "told" and told.code == "[]" else plain
    if not _is_result(module, function, whole):
        return plain
    told = intent.given_for_nothing(case, module, function, plain.code)
    if told.strength == "typed" and plain.strength == "told":
        return plain
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
        returned = [module.code(one.value) for one in intent.own_nodes(function.body, cst.Return) if one.value]  # type: ignore[attr-defined]
        return bool(returned) and returned[-1] == name and _is_last_use(module, function, around, name)
    return False


def _is_last_use(module: Module, function: cst.FunctionDef, change: cst.Assign, name: str) -> bool:
    uses = [one for one in intent.own_nodes(function.body, cst.Name) if one.value == name]  # type: ignore[attr-defined]
    after = [one for one in uses if _line(module, one) > _line(module, change)]
    return len(after) == 1


PATTERN = ZeroDivision()
