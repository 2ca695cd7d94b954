"""None as an operand: in arithmetic, in a comparison, in a concatenation. Operands of two types are `conversions`'."""

from __future__ import annotations

import re
from dataclasses import dataclass

import libcst as cst

from engine.repair.patterns.data import conversions, nothing, orders, slices
from engine.repair.patterns.data.mismatch import decline, finish
from engine.repair.patterns.data.orders import NONE
from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import likeliest
from engine.repair.patterns.source.underlined import decided

_BINARY = re.compile(
    r"unsupported operand type\(s\) for (?P<sign>[^\s:]+?)(?: or pow\(\))?: '(?P<left>[\w.]+)' and '(?P<right>[\w.]+)'"
)
_ORDER = re.compile(r"'(?P<sign>[<>]=?)' not supported between instances of '(?P<left>[\w.]+)' and '(?P<right>[\w.]+)'")
_OLD_ORDER = re.compile(r"unorderable types: (?P<left>\w+)\(\) (?P<sign>[<>]=?) (?P<right>\w+)\(\)")
_TIMES = re.compile(r"can't multiply sequence by non-int of type 'NoneType'")
_MOMENTS = re.compile(r"can't compare (?P<left>[\w.]+) to (?P<right>[\w.]+)")
_CONCAT = re.compile(
    r"can only concatenate (?P<left>\w+) \(not ['\"](?P<right>[\w.]+)['\"]\) to \w+|\Amust be str, not (?P<old>\w+)"
)
_UNARY = re.compile(r"bad operand type for (?:unary (?P<sign>[-+~])|(?P<call>abs)\(\)): '(?P<kind>[\w.]+)'")
_ZEROS = {"int": "0", "float": "0", "str": '""', "list": "[]", "tuple": "()", "dict": "{}", "set": "set()"}


@dataclass(frozen=True, slots=True)
class Operation:
    """Two operands and what is done with them; `node` is the whole."""

    node: cst.BinaryOperation | cst.Comparison | cst.AugAssign
    left: cst.BaseExpression
    right: cst.BaseExpression


def recognised(message: str) -> bool:
    """Whether a TypeError's message is about operands."""
    return any(one.search(message) for one in (_BINARY, _ORDER, _MOMENTS, _CONCAT, _UNARY, _OLD_ORDER, _TIMES))


def propose(case: Case, module: Module, line: int, message: str) -> Proposal | Declined:
    """The guard for None, or the conversion. Raises NotEditable."""
    unary = _UNARY.search(message)
    if unary:
        return _one_operand(case, module, line, unary)
    moments = _MOMENTS.search(message)
    if moments:
        return _compared(case, module, line, moments["left"], moments["right"])
    if _TIMES.search(message):
        return _multiplied(case, module, line)
    found = _BINARY.search(message) or _ORDER.search(message) or _OLD_ORDER.search(message)
    concat = None if found else _CONCAT.search(message)
    if concat:
        sign, left, right = "+", concat["left"] or "str", concat["right"] or concat["old"]
    elif found:
        sign, left, right = found["sign"].rstrip("=") or found["sign"], found["left"], found["right"]
        sign = found["sign"] if found["sign"][:1] in "<>" else sign
    else:
        return decline("which operands failed cannot be told")
    every = decided(case, module, line, [one.node for one in operations(module, line, sign)])
    chosen = [one for one in operations(module, line, sign) if one.node in every]
    if not chosen:
        if sign[0] in "<>":
            return orders.propose(case, module, line, left, right, sign)
        return _summed(case, module, line) if sign == "+" and NONE in (left, right) else _undone(sign)
    if "slice" in (left, right):
        operands = [each for one in chosen for each in (one.left, one.right)]
        return slices.compared(case, module, chosen[0].node, operands, line)
    if NONE not in (left, right):
        reason = nothing.meant(case, module, chosen[0].node, line)
        return decline(reason) if reason else conversions.operands(module, chosen, sign, left, right, bool(concat))
    return _none(case, module, line, chosen, sign, left, right)


def _multiplied(case: Case, module: Module, line: int) -> Proposal | Declined:
    """`text * times`, where one of the two was None."""
    found = [one for one in module.nodes(cst.BinaryOperation, line) if isinstance(one.operator, cst.Multiply)]
    found = decided(case, module, line, [one for one in found if _is_at(module, one, line)])
    pairs = [(one, side) for one in found for side in (one.right, one.left) if orders.may_be_none(module, side)]
    if not pairs:
        return decline("what was None cannot be told from this line")
    use, subject = pairs[likeliest(module, [side for _node, side in pairs])]
    return nothing.guarded(case, module, line, use, subject)


def _compared(case: Case, module: Module, line: int, left: str, right: str) -> Proposal | Declined:
    """Two moments, or a moment and None, in whatever order they are asked for."""
    if NONE not in (left, right):
        return decline(f"a {left} and a {right} are not compared, and nothing here says what was meant")
    for sign in ("<", ">", "<=", ">="):
        chosen = operations(module, line, sign)
        if chosen:
            return _none(case, module, line, chosen, sign, left, right)
    return _undone("<")


def _undone(sign: str) -> Declined:
    return decline(f"nothing on this line is done by '{sign}': the error comes from what it calls")


def operations(module: Module, line: int, sign: str) -> list[Operation]:
    """What is done by a sign at a line, innermost first."""
    found: list[Operation] = []
    for one in module.nodes(cst.BinaryOperation, line):
        if module.code(one.operator).strip() == sign:
            found.append(Operation(one, one.left, one.right))
    for change in module.nodes(cst.AugAssign, line):
        if module.code(change.operator).strip() == f"{sign}=":
            found.append(Operation(change, change.target, change.value))
    for test in module.nodes(cst.Comparison, line):
        left = test.left
        for target in test.comparisons:
            if module.code(target.operator).strip() == sign:
                found.append(Operation(test, left, target.comparator))
            left = target.comparator
    return sorted(
        (one for one in found if _is_at(module, one.node, line)),
        key=lambda one: -sum(1 for _ in module.ancestors(one.node)),
    )


def _is_at(module: Module, node: cst.CSTNode, line: int) -> bool:
    statement = module.nearest(node, cst.SimpleStatementLine)
    return statement is None or module.position(statement).start.line <= line


def _none(
    case: Case, module: Module, line: int, chosen: list[Operation], sign: str, left: str, right: str
) -> Proposal | Declined:
    """One operand was None."""
    pairs = [(one, one.left if left == NONE else one.right) for one in chosen]
    pairs = [pair for pair in pairs if orders.may_be_none(module, pair[1])]
    if not pairs:
        return decline("what was None cannot be told from this line")
    one, subject = pairs[likeliest(module, [subject for _one, subject in pairs])]
    other = right if left == NONE else left
    if isinstance(one.node, cst.AugAssign):
        if subject is one.left:
            return _begun(case, module, line, one.node, _ZEROS.get(other, "0"))
        return nothing.guarded(case, module, line, subject, subject)
    if isinstance(one.node, cst.BinaryOperation) and _is_sum_so_far(module, one.node, subject):
        code = module.code(subject)
        rest = module.code(one.right if subject is one.left else one.left)
        module.replace(one.node, guards.conditional(module, one.node, f"{code} is not None", rest))
        return finish(module, "conditional", f"{code} is None before anything is added: it begins with {rest}.")
    if sign == "+" and other in ("str", "list", "tuple", "bytes"):
        return nothing.guarded(case, module, line, one.node, subject, _ZEROS.get(other, 'b""'))
    return nothing.guarded(case, module, line, one.node, subject)


def _is_sum_so_far(module: Module, node: cst.BinaryOperation, subject: cst.BaseExpression) -> bool:
    """`total = total + value`, where the file says that the total is None at first."""
    change = module.parent(node)
    code = module.code(subject)
    if not isinstance(change, cst.Assign) or [module.code(one.target) for one in change.targets] != [code]:
        return False
    if not isinstance(node.operator, cst.Add | cst.BitOr) or checks.is_guarded(module, node, code):
        return False
    begun = [one for one in module.nodes(cst.Assign) if module.code(one.value) == "None"]
    names = {module.code(target.target) for one in begun for target in one.targets}
    return code in names or (code.startswith("self.") and code[5:] in names)


def _summed(case: Case, module: Module, line: int) -> Proposal | Declined:
    """`sum(x)` over what has None among it: that adds nothing."""
    calls = [one for one in module.nodes(cst.Call, line) if module.code(one.func) in ("sum", "fsum", "math.fsum")]
    for call in decided(case, module, line, [one for one in calls if one.args])[:1]:
        reason = nothing.meant(case, module, call, line)
        if reason:
            return decline(reason)
        elements = call.args[0].value
        if not isinstance(elements, cst.ListComp | cst.GeneratorExp):
            return orders.without_none(module, elements)
        term = elements.elt
        if isinstance(term, cst.BinaryOperation | cst.IfExp | cst.BooleanOperation):
            return decline("which part of what is summed up was None cannot be told")
        module.replace(term, guards.expression(f"{module.code(term)} or 0"))
        return finish(module, "or-empty", "Some of what is summed up is None: it adds nothing.")
    return _undone("+")


def _begun(case: Case, module: Module, line: int, change: cst.AugAssign, zero: str) -> Proposal | Declined:
    """`self.total += n` where the total is None yet: it begins with nothing."""
    reason = nothing.meant(case, module, change.target, line)
    if reason:
        return decline(reason)
    target = module.code(change.target)
    if checks.is_guarded(module, change, target):
        return decline(f"{target} is checked before it is added to")
    if not guards.is_repeatable(target):
        return decline("what is added to is worked out by a call: it cannot be read and written by itself")
    operator = module.code(change.operator).strip().rstrip("=")
    value = module.code(change.value)
    if operator not in ("+", "-", "|"):
        return nothing.guarded(case, module, line, change.target, change.target)
    if isinstance(change.value, cst.BinaryOperation) and operator == "-":
        value = f"({value})"
    module.replace(
        change,
        cst.Assign([cst.AssignTarget(change.target)], guards.expression(f"({target} or {zero}) {operator} {value}")),
    )
    return finish(module, "or-empty", f"{target} is None before anything is added: it begins with {zero}.")


def _one_operand(case: Case, module: Module, line: int, unary: re.Match[str]) -> Proposal | Declined:
    if unary["kind"] != NONE:
        return decline(f"a {unary['kind']} as an operand: what was meant cannot be seen")
    pairs: list[tuple[cst.BaseExpression, cst.BaseExpression]] = []
    if unary["call"]:
        pairs = [(one, one.args[0].value) for one in module.nodes(cst.Call, line) if _name(module, one) == "abs"]
    else:
        signs = module.nodes(cst.UnaryOperation, line)
        pairs = [(one, one.expression) for one in signs if module.code(one.operator).strip() == unary["sign"]]
    pairs = [pair for pair in pairs if orders.may_be_none(module, pair[1])]
    if not pairs:
        return decline("what was None cannot be told from this line")
    use, subject = pairs[likeliest(module, [subject for _use, subject in pairs])]
    return nothing.guarded(case, module, line, use, subject)


def _name(module: Module, call: cst.Call) -> str:
    return module.code(call.func).rpartition(".")[2] if call.args else ""
