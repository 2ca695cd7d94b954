"""What a name has where it has no quotient, as the code beside the division says: another branch, a first value.

Also where nothing has to be given at all: an attribute that is set only sometimes stays unset, a function that has
nothing leaves. Relies on `for_nothing` for what a function gives. Pure functions over a parsed file.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import for_nothing, guards
from engine.repair.patterns.guarding.for_nothing import Value
from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import own_attribute

_PLAIN = re.compile(
    r"(?:-?\d+(?:\.\d*)?|None|''|\"\"|-?float\(['\"](?:nan|inf)['\"]\)|-?(?:math|np|numpy)\.(?:nan|NaN|inf)|\[\])\Z"
)
_SETTING = re.compile(r"(?:set|scale|resize|zoom|move|rotate|crop|stretch|translate|emit)(?:[A-Z_]|\Z)")
_WAITING = re.compile(r"(?i)(?:^|[_.])(?:timeout|wait|delay|pause|sleep|interval|period)(?:_\w+)?\Z")


def beside(module: Module, whole: cst.BaseExpression) -> Value | None:
    """What the target of `target = whole` has elsewhere for nothing; None where nothing tells."""
    change = module.parent(whole)
    line = module.parent(change) if isinstance(change, cst.Assign) else None
    if not isinstance(change, cst.Assign) or len(change.targets) != 1 or not isinstance(line, cst.SimpleStatementLine):
        return None
    target = module.code(change.targets[0].target)
    other = _other_branch(module, line, target) or _first_value(module, line, target)
    if other is not None:
        return Value(other, "guessed", f"{target} is {other} where there is none")
    initial = _initial(module, change, target) or _of_class(module, change, target)
    if initial not in (None, "None"):  # who reads it later has a number by then
        return Value(str(initial), "guessed", f"{target} is {initial} at first")
    return None


def as_for_one(module: Module, whole: cst.BaseExpression) -> Value | None:
    """How long something waits, `timeout = 1.0 / count`, where there is none: as long as for one."""
    change = module.parent(whole)
    if not isinstance(whole, cst.BinaryOperation) or not isinstance(whole.left, cst.Integer | cst.Float):
        return None
    if not isinstance(change, cst.Assign) or not isinstance(whole.operator, cst.Divide):
        return None
    if not any(_WAITING.search(module.code(one.target)) for one in change.targets):
        return None
    return Value(module.code(whole.left), "guessed", "it waits as long as for one")


def as_it_is(module: Module, whole: cst.BaseExpression) -> Value | None:
    """What a list that is repeated is where there is nothing to repeat it by: `some = some * (total // len(some))`."""
    change = module.parent(whole)
    if not isinstance(whole, cst.BinaryOperation) or not isinstance(whole.operator, cst.Multiply):
        return None
    if not isinstance(change, cst.Assign) or len(change.targets) != 1:
        return None
    target = module.code(change.targets[0].target)
    is_repeated = module.code(whole.left) == target and f"len({target})" in module.code(whole.right)
    return Value(target, "guessed", "nothing is repeated") if is_repeated else None


def is_step(module: Module, whole: cst.BaseExpression) -> bool:
    """Whether a quotient is how far a range goes at a time, or how long something waits for a key: never zero."""
    change = module.parent(whole)
    function = module.function(whole)
    if isinstance(change, cst.Arg):
        return _steps(module, whole)
    if not isinstance(change, cst.Assign) or len(change.targets) != 1 or function is None:
        return False
    name = module.code(change.targets[0].target)
    return any(_steps(module, one) for one in intent.own_nodes(function.body, cst.Name) if one.value == name)


def _steps(module: Module, one: cst.BaseExpression) -> bool:
    arg = module.parent(one)
    call = module.parent(arg) if isinstance(arg, cst.Arg) else None
    if not isinstance(call, cst.Call):
        return False
    name = module.code(call.func)
    return (name == "range" and len(call.args) == 3 and call.args[2] is arg) or name.endswith("waitKey")


def _other_branch(module: Module, line: cst.CSTNode, target: str) -> str | None:
    """What the other branch of the `if` around a statement gives the target."""
    block = module.parent(line)
    around = module.parent(block) if block is not None else None
    if isinstance(around, cst.Else):
        owner = module.parent(around)
        other: cst.CSTNode | None = owner.body if isinstance(owner, cst.If) else None
    elif isinstance(around, cst.If):
        other = around.orelse.body if isinstance(around.orelse, cst.Else) else None
    else:
        return None
    return _given(module, other, target) if isinstance(other, cst.IndentedBlock) else None


def _first_value(module: Module, line: cst.CSTNode, target: str) -> str | None:
    """What the target has before the `if` around a statement, in the block that the `if` stands in."""
    inner: cst.CSTNode = line
    for around in module.ancestors(line):
        if isinstance(around, cst.IndentedBlock) and inner is not line:
            before = list(around.body)[: list(around.body).index(inner)]  # type: ignore[arg-type]
            for one in reversed(before):
                found = _given(module, one, target)
                if found is not None:
                    return found
                if any(module.code(each.target) == target for each in module.nodes(cst.AssignTarget, within=one)):
                    return None
        if isinstance(around, cst.FunctionDef | cst.For | cst.While | cst.ClassDef):
            return None
        inner = around
    return None


def _given(module: Module, node: cst.CSTNode, target: str) -> str | None:
    """The plain value that a statement, or a block of them, binds a target to."""
    statements = node.body if isinstance(node, cst.IndentedBlock) else [node]
    for one in statements:
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        if isinstance(small, cst.Assign) and [module.code(each.target) for each in small.targets] == [target]:
            code = module.code(small.value)
            return code if _PLAIN.match(code) else None
    return None


def _initial(module: Module, change: cst.Assign, target: str) -> str | None:
    """What `__init__` sets an attribute of its own to."""
    around = module.nearest(change, cst.ClassDef)
    function = module.function(change)
    if around is None or not own_attribute(change.targets[0].target) or function is None:
        return None
    for one in intent.own_nodes(around.body, cst.FunctionDef):
        if one.name.value == "__init__" and one is not function:
            for each in intent.own_nodes(one.body, cst.Assign):
                if [module.code(there.target) for there in each.targets] == [target]:
                    code = module.code(each.value)
                    return code if _PLAIN.match(code) else None
    return None


def _of_class(module: Module, change: cst.Assign, target: str) -> str | None:
    """What the class itself sets an attribute to, for all of its objects."""
    around = module.nearest(change, cst.ClassDef)
    if around is None or not own_attribute(change.targets[0].target):
        return None
    for one in around.body.body:
        found = _given(module, one, target.partition(".")[2])
        if found is not None:
            return found
    return None


def stays_unset(module: Module, whole: cst.BaseExpression) -> bool:
    """Whether the quotient is all that an `if` without `else` sets of another object: it has none as often."""
    change = module.parent(whole)
    line = module.parent(change) if isinstance(change, cst.Assign) else None
    block = module.parent(line) if isinstance(line, cst.SimpleStatementLine) else None
    around = module.parent(block) if isinstance(block, cst.IndentedBlock) else None
    if not isinstance(change, cst.Assign) or not isinstance(around, cst.If) or not isinstance(block, cst.IndentedBlock):
        return False
    target = change.targets[0].target
    is_foreign = isinstance(target, cst.Attribute) and not own_attribute(target)
    return is_foreign and len(block.body) == 1 and around.orelse is None


def acts_only(module: Module, whole: cst.BaseExpression) -> cst.If | None:
    """The `if` without `else` in which nothing is done but to set something by the quotient: `item.setScale(s)`."""
    change = module.parent(whole)
    line = module.parent(change) if isinstance(change, cst.Assign) else None
    block = module.parent(line) if isinstance(line, cst.SimpleStatementLine) else None
    around = module.parent(block) if isinstance(block, cst.IndentedBlock) else None
    if not isinstance(change, cst.Assign) or not isinstance(around, cst.If) or around.orelse is not None:
        return None
    name = module.code(change.targets[0].target)
    if not isinstance(block, cst.IndentedBlock) or block.body[0] is not line or not name.isidentifier():
        return None
    end = module.position(around).end.line
    inside = module.function(whole) or module.tree
    if any(
        one.value == name and module.position(one).start.line > end for one in module.nodes(cst.Name, within=inside)
    ):
        return None
    later = block.body[1:]
    return around if later and all(_sets(module, one, name) for one in later) else None


def _sets(module: Module, line: cst.CSTNode, name: str) -> bool:
    small = line.body[0] if isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1 else None
    call = small.value if isinstance(small, cst.Expr) else None
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute):
        return False
    is_given = any(one.value == name for arg in call.args for one in module.nodes(cst.Name, within=arg.value))
    return is_given and _SETTING.match(call.func.attr.value) is not None


def only_asks(code: str) -> bool:
    """Whether a denominator is a size that is asked for: it may be asked for twice."""
    return (
        re.fullmatch(r"[\w.]+\.(?:width|height|count|size|length|duration|rowCount|columnCount|total)\(\)", code)
        is not None
    )


def leaves_key_out(module: Module, whole: cst.BaseExpression) -> bool:
    """Whether the quotient is put in words under a key that is set only sometimes: `tags["fnumber"] = f"f/{a / b}"`."""
    change: cst.CSTNode | None = module.parent(whole)
    is_worded = isinstance(change, cst.FormattedStringExpression)
    while isinstance(change, cst.Arg | cst.Call | cst.FormattedStringExpression | cst.FormattedString):
        is_worded = is_worded or (isinstance(change, cst.Call) and module.code(change.func) == "str")
        change = module.parent(change)
    if not is_worded or not isinstance(change, cst.Assign) or len(change.targets) != 1:
        return False
    target = change.targets[0].target
    if not isinstance(target, cst.Subscript) or not isinstance(target.slice[0].slice, cst.Index):
        return False
    key = target.slice[0].slice.value
    if not isinstance(key, cst.SimpleString) or not any(
        isinstance(one, cst.If) for one in module.ancestors(change) if module.function(one) is module.function(change)
    ):
        return False
    asked = [one for one in module.nodes(cst.Subscript) if module.code(one.slice[0]) == module.code(key)]
    return all(isinstance(module.parent(one), cst.AssignTarget) for one in asked)


def leaves_with(case: Case, module: Module, function: cst.FunctionDef, whole: cst.BaseExpression) -> Value | None:
    """What the function gives elsewhere for nothing, where its result is made of the quotient, by a name."""
    change = module.parent(whole)
    if not isinstance(change, cst.Assign) or len(change.targets) != 1 or guards.loop_around(module, whole) is not None:
        return None
    if intent.is_generator(function) or module.nearest(whole, cst.While) is not None:
        return None
    name = module.code(change.targets[0].target)
    if not name.isidentifier():
        return None
    told = for_nothing.given_for_nothing(case, module, function, "0.0")
    if told.strength != "told" or told.code != "None":
        return None
    made = _made_of(module, function, name, module.position(change).start.line)
    returned = [one.value for one in intent.own_nodes(function.body, cst.Return) if one.value is not None]
    last = returned[-1] if returned else None
    if last is None or module.code(last) == name or isinstance(last, cst.Tuple | cst.Dict | cst.List):
        return None
    return told if made & guards.names_of(module.code(last)) else None


def _made_of(module: Module, function: cst.FunctionDef, name: str, line: int) -> set[str]:
    """A name and those that are worked out from it behind a line."""
    names = {name}
    for one in intent.own_nodes(function.body, cst.Assign):
        if module.position(one).start.line > line and names & guards.names_of(module.code(one.value)):
            names |= {module.code(each.target) for each in one.targets}
    return names


def leaves_before_element(
    module: Module, function: cst.FunctionDef, whole: cst.BaseExpression, denominator: str
) -> bool:
    """Whether `at = (at + 1) % len(rows)` is the place of what is taken from the rows next: there is none to take."""
    rows = re.fullmatch(r"len\((.+)\)", denominator)
    change = module.parent(whole)
    if rows is None or not isinstance(whole, cst.BinaryOperation) or not isinstance(whole.operator, cst.Modulo):
        return False
    if not isinstance(change, cst.Assign) or len(change.targets) != 1:
        return False
    target, line = module.code(change.targets[0].target), module.position(change).end.line
    return any(
        module.code(one.value) == rows[1] and any(module.code(part.slice) == target for part in one.slice)
        for one in intent.own_nodes(function.body, cst.Subscript)
        if module.position(one).start.line > line
    )
