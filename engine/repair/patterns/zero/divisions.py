"""Divisions in a file: which one failed, whether it can be by zero, and the formula that it is the heart of.

Pure functions over a parsed file; nothing is changed here."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.guarding.checks import is_guarded
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name
from engine.repair.patterns.zero.together import are_together

_CALLS = ("divmod", "Fraction", "fractions.Fraction")
_THROUGH = re.compile(
    r"(?:round|float|abs|int|math\.\w+|(?:np|numpy)\.(?:sqrt|log\w*|exp|abs)|sqrt|log10|log2?|ceil|floor|exp|pow|Decimal|"
    r"decimal\.Decimal)\Z"
)
_PATHS = (
    "Path",
    "PurePath",
    "PosixPath",
    "resolve",
    "absolute",
    "expanduser",
    "with_suffix",
    "joinpath",
    "cwd",
    "home",
)
_FOLDER = re.compile(r"(?i)(?:^|_)(?:dir|directory|folder|parent)\Z")
_REPEATED = (cst.SimpleString, cst.FormattedString, cst.ConcatenatedString, cst.List, cst.Tuple)
_CONSTANT = (cst.Integer, cst.Float)
Division = cst.BinaryOperation | cst.Call | cst.AugAssign


def divisions_at(module: Module, line: int) -> list[Division]:
    """Divisions of the statement at a line, those on the line itself first."""
    found = all_divisions(module, None, line)
    if not found:
        statement = module.statement(line)
        if isinstance(statement, cst.SimpleStatementLine):
            found = all_divisions(module, statement, None)
    return [one for one in found if not isinstance(one, cst.AugAssign) or line_of_node(module, one) <= line]


def as_told(found: Sequence[Division], message: str) -> list[Division]:
    """Negative powers where the message speaks of them, and else what divides."""
    is_power = "negative power" in message
    return [
        one
        for one in found
        if (isinstance(one, cst.BinaryOperation) and isinstance(one.operator, cst.Power)) == is_power
    ]


def of_frame(module: Module, found: Sequence[Division], function: str) -> list[Division]:
    """Those that a frame of this name could have come to: a generator's or a lambda's own, or those outside of them."""
    own = (cst.GeneratorExp, cst.Lambda)
    kinds = (cst.Lambda,) if function == "<lambda>" else (cst.BaseComp,) if function.startswith("<") else own
    inside = [
        one
        for one in found
        if any(isinstance(a, kinds) for a in module.ancestors(one) if not isinstance(a, cst.BaseSuite))
    ]
    if function.startswith("<") and function != "<module>":
        return inside
    return [one for one in found if one not in inside]


def line_of_node(module: Module, node: cst.CSTNode) -> int:
    return module.position(node).start.line


def all_divisions(module: Module, within: cst.CSTNode | None, line: int | None) -> list[Division]:
    found: list[Division] = []
    for one in module.nodes(cst.BinaryOperation, line, within):
        if (
            isinstance(one.operator, cst.Divide | cst.FloorDivide)
            or (
                isinstance(one.operator, cst.Modulo)
                and not isinstance(one.left, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString)
            )
            or (isinstance(one.operator, cst.Power) and isinstance(one.right, cst.UnaryOperation))
        ):
            found.append(one)
    for call in module.nodes(cst.Call, line, within):
        if module.code(call.func) in _CALLS and len(call.args) == 2 and not any(arg.star for arg in call.args):
            found.append(call)
    for change in module.nodes(cst.AugAssign, line, within):
        if isinstance(change.operator, cst.DivideAssign | cst.FloorDivideAssign | cst.ModuloAssign):
            found.append(change)
    return found


def denominator_of(one: Division) -> cst.BaseExpression:
    if isinstance(one, cst.Call):
        return one.args[1].value
    if isinstance(one, cst.AugAssign):
        return one.value
    return one.left if isinstance(one.operator, cst.Power) else one.right


def denominator_code(module: Module, one: Division) -> str:
    node = denominator_of(one)
    return " ".join(module.code(node.with_changes(lpar=[], rpar=[])).split())


def could_be_zero(module: Module, one: Division) -> bool:
    node = denominator_of(one)
    if isinstance(node, cst.SimpleString | cst.Tuple | cst.Dict) or _joins_paths(one):
        return False
    code = _only_value(module, node) or denominator_code(module, one)
    try:
        return not _never_zero(ast.parse(code, mode="eval").body)
    except (SyntaxError, ValueError):
        return True


def _joins_paths(one: Division) -> bool:
    """Whether `/` stands between the parts of a path: `Path(folder) / name`, `out_dir / f"{name}.txt"`."""
    left: cst.CSTNode = one
    while isinstance(left, cst.BinaryOperation) and isinstance(left.operator, cst.Divide):
        if isinstance(left.right, cst.FormattedString | cst.SimpleString | cst.ConcatenatedString):
            return True
        left = left.left
    if left is one:
        return False
    name = left.func if isinstance(left, cst.Call) else left
    called = last_name(name)
    return called in _PATHS if isinstance(left, cst.Call) else _FOLDER.search(called) is not None


def _only_value(module: Module, node: cst.BaseExpression) -> str | None:
    """What a name is bound to, once and for all of its function, where that says that it is one at least."""
    function = module.function(node)
    if not isinstance(node, cst.Name) or function is None:
        return None
    bound = [
        one
        for one in module.nodes(cst.Assign, within=function.body)
        if any(module.code(each.target) == node.value for each in one.targets)
    ]
    changed = any(module.code(one.target) == node.value for one in module.nodes(cst.AugAssign, within=function.body))
    if len(bound) != 1 or changed:
        return None
    code = module.code(bound[0].value)
    return code if re.match(r"max\((?:1|1\.0),|max\([^()]*, ?1\)\Z|.* or 1(?:\.0)?\Z", code) else None


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


def is_safe_already(module: Module, one: Division) -> bool:
    code = denominator_code(module, one)
    subjects = [code, *([f"len({inner[1]})"] if (inner := re.fullmatch(r"len\((.+)\) - \d+", code)) else [])]
    minus = re.fullmatch(r"(.+) - (.+)", code)
    if minus:
        for test in (f"{minus[1]} != {minus[2]}", f"{minus[1]} == {minus[2]}", f"{minus[2]} == {minus[1]}"):
            if is_guarded(module, one, test, by_none=False):
                return True
    if re.fullmatch(r"[\w.]+ - \d+", code):
        subjects.append(code.partition(" ")[0])
    node = denominator_of(one)
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Multiply):
        parts = [module.code(node.left), module.code(node.right)]
        if all(is_guarded(module, one, part, by_none=False) for part in parts if not part.replace(".", "").isdigit()):
            return True
    return any(is_guarded(module, one, subject, by_none=False, by_order=False) for subject in subjects)


def alike(module: Module, failed: Sequence[Division]) -> list[Division]:
    """Other divisions of the function that the same input makes fail: by the same names, or by what came of them."""
    function = module.function(failed[0])
    if function is None:
        return []
    names = {name for one in failed for name in guards.names_of(denominator_code(module, one))} - {
        "self",
        "cls",
        "math",
    }
    names |= _made_of(module, function, names)
    codes = {denominator_code(module, one) for one in failed}
    for change in intent.own_nodes(function.body, cst.Assign):
        if any(contains(change, one) for one in failed):
            names |= {module.code(target.target) for target in change.targets}
    found: list[Division] = []
    for one in all_divisions(module, function.body, None):
        if one in failed or not could_be_zero(module, one) or is_safe_already(module, one):
            continue
        if line_of_node(module, one) < line_of_node(module, failed[0]) or module.function(one) is not function:
            continue
        asked = guards.names_of(denominator_code(module, one))
        if denominator_code(module, one) in codes or _is_sister(module, one, failed):
            found.append(one)
            continue
        code = denominator_code(module, one)
        if any(are_together(module, function, denominator_code(module, each), code) for each in failed):
            found.append(one)
            continue
        if names & (asked | _made_of(module, function, asked)):
            found.append(one)
            bound = module.nearest(one, cst.Assign)
            if bound is not None:
                names |= {module.code(target.target) for target in bound.targets}
    return found


def _is_sister(module: Module, one: Division, failed: Sequence[Division]) -> bool:
    """`min(a / width, b / height)`, `(x / width, y / height)`: what makes the one zero makes the other."""
    if not isinstance(one, cst.BinaryOperation):
        return False
    place = module.parent(one)
    whole = module.parent(place) if isinstance(place, cst.Arg | cst.Element) else None
    if isinstance(whole, cst.Call) and module.code(whole.func) not in ("min", "max"):
        return False
    return whole is not None and any(
        type(each) is type(one) and module.parent(module.parent(each) or each) is whole for each in failed
    )


def _made_of(module: Module, function: cst.FunctionDef, names: set[str]) -> set[str]:
    """What names count (`n = len(x)`), and what lists are made of, one element for each of theirs."""
    found: set[str] = set()
    for change in intent.own_nodes(function.body, cst.Assign):
        if not any(module.code(one.target) in names for one in change.targets):
            continue
        counted = re.fullmatch(r"len\((\w+)\)", module.code(change.value))
        if counted:
            found.add(counted[1])
        elif isinstance(change.value, cst.ListComp):
            source = change.value.for_in
            if isinstance(source.iter, cst.Name) and not source.ifs:
                found.add(source.iter.value)
    return found


def contains(node: cst.CSTNode, wanted: cst.CSTNode) -> bool:
    return node is wanted or any(contains(child, wanted) for child in node.children)


def is_inside(module: Module, node: cst.CSTNode, others: object) -> bool:
    return any(around in others for around in module.ancestors(node))  # type: ignore[operator]


def whole_formula(module: Module, one: Division) -> cst.BaseExpression:
    """The formula that a division is the heart of: products, rounding, logarithms, and `1 -` around it."""
    node: cst.BaseExpression = one  # type: ignore[assignment]
    while True:
        around = module.parent(node)
        if isinstance(around, cst.BinaryOperation):
            other = around.right if around.left is node else around.left
            if isinstance(other, _REPEATED):  # how often it is there, which is a number for itself
                return node
            if isinstance(around.operator, cst.Multiply | cst.Divide | cst.FloorDivide):
                if (around.right is node and isinstance(around.operator, cst.Divide | cst.FloorDivide)) and (
                    not all_divisions(module, node, None)
                ):
                    return node
                node = around
                continue
            if isinstance(around.operator, cst.Add | cst.Subtract) and isinstance(other, _CONSTANT):
                node = around
                continue
            is_reduced = isinstance(around.operator, cst.Subtract) and around.left is node
            if is_reduced and isinstance(module.parent(around), cst.Assign | cst.Return):
                node = around  # of nothing, nothing is taken away
                continue
            if isinstance(around.operator, cst.Power) and around.left is node:
                node = around
                continue
            return node
        if isinstance(around, cst.UnaryOperation) and isinstance(around.operator, cst.Minus | cst.Plus):
            node = around
            continue
        if isinstance(around, cst.Index):  # a place that is worked out: without it there is no element
            element = module.parent(around)
            there = module.parent(element) if element is not None else None
            if isinstance(there, cst.Subscript) and isinstance(
                module.parent(there), cst.Return | cst.Assign | cst.IfExp
            ):
                return there
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
