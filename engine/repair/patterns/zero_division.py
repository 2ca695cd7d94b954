"""A division by zero: the value that the surrounding code implies, by a condition in front of the same formula.

Relies on LibCST through `edit` and on `intent` for what is meant. A division that should raise is left alone: one that
somebody catches, documents or tests for, a plain arithmetic function, a calculator, an inverse.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, NotEditable, first_changed_line
from engine.repair.patterns.source.python_two import fitting
from engine.repair.patterns.source.underlined import decided
from engine.repair.patterns.zero import extremes
from engine.repair.patterns.zero.callers import at_caller
from engine.repair.patterns.zero.divisions import (
    Division,
    alike,
    all_divisions,
    as_told,
    contains,
    could_be_zero,
    denominator_code,
    divisions_at,
    is_inside,
    is_safe_already,
    of_frame,
    whole_formula,
)
from engine.repair.patterns.zero.guards import guard_formula, is_neutral, is_one_over
from engine.repair.record import ErrorRecord

_ARITHMETIC = re.compile(
    r"(?i)_*(?:(?:true|floor|int|integer|safe|checked|strict|exact)_?)*(?:div|divide|division|quotient|mod|modulo|modulus|"
    r"remainder|divmod|inverse|invert|inv|reciprocal|rational|fraction|solve\w*|mod_?inv\w*|gcd|lcm|rdiv|fdiv|idiv|"
    r"divided_by|divide_by|op_div\w*)_*\Z"
)
_DUNDER = re.compile(r"__(?:r|i)?(?:truediv|floordiv|mod|divmod|pow|invert|float|int|index|round|complex)__\Z")
_OPERATORS = re.compile(r"""['"](?:/|//|%|div|divide|mod|\*\*)['"]|\b(?:Div|FloorDiv|Mod|DIVIDE|DIV|SLASH|PERCENT)\b""")


MOST = 4  # more of them are another fix
_COMPARING = cst.Comparison | cst.ComparisonTarget


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
        return fitting(case, self._propose(case))

    def _propose(self, case: Case) -> Proposal | Declined:
        below = intent.raised_below(case)
        if below is not None and not below.file.endswith(("fractions.py", "_pydecimal.py")):
            return Declined(self.id, f"the division is in {below.file}, not here")
        opened = intent.open_module(case)
        if isinstance(opened, str):
            return Declined(self.id, opened)
        module, line = opened
        found = [one for one in divisions_at(module, line) if could_be_zero(module, one)]
        found = as_told(found, case.records[0].message)
        found = of_frame(module, found, case.frame.function) or found
        found = decided(case, module, line, found)
        if not found:
            return Declined(self.id, "no division on this line could have been by zero: it failed elsewhere")
        statement = found[0]
        reason = intent.meant(case, module, statement, line, "ZeroDivisionError")
        if reason:
            return Declined(self.id, reason)
        reason = _on_purpose(module, statement)
        if reason:
            return _at_caller(case, module, found) or Declined(self.id, reason)
        open_ones = [one for one in found if not is_safe_already(module, one)]
        if not open_ones:  # the one of a lambda, which the frame's name does not tell
            every = as_told(divisions_at(module, line), case.records[0].message)
            every = [one for one in every if could_be_zero(module, one)]
            open_ones = [one for one in every if one not in found and not is_safe_already(module, one)]
        if not open_ones:
            return Declined(self.id, "the division is guarded already")
        try:
            return _at_caller(case, module, open_ones) or _proposal(case, module, open_ones)
        except NotEditable as error:
            return Declined(self.id, error.reason)


def _at_caller(case: Case, module: Module, failed: Sequence[Division]) -> Proposal | None:
    """What the function that asked says itself; None where it does not."""
    function = module.function(failed[0])
    return at_caller(case, function) if function is not None and len(failed) == 1 else None


def _proposal(case: Case, module: Module, failed: Sequence[Division]) -> Proposal:
    function = module.function(failed[0])
    every = [*failed, *alike(module, failed), *_by_result(module, function, failed)]
    wholes: dict[cst.CSTNode, list[Division]] = {}
    for one in every:
        whole = one if isinstance(one, cst.AugAssign) else whole_formula(module, one)
        wholes.setdefault(whole, []).append(one)
    operator, applicability, because, kept = "", "safe", "", "; the formula stays as it is."
    told = [one for one, divisions in wholes.items() if any(division in failed for division in divisions)]
    outermost = [one for one in told if not is_inside(module, one, told)]
    others = [
        one
        for one in wholes
        if one not in told and not is_inside(module, one, wholes) and not any(contains(one, first) for first in told)
    ]
    for formula in (*outermost, *others):
        way, value, is_sure = guard_formula(case, module, function, formula)
        if way == "conditional":
            extremes.too(module, formula, denominator_code(module, failed[0]), value.code)
        if not operator:
            operator, because = way, f": {value.code} where it is zero, as {value.because}"
            kept = kept if way != "at-least-one" else "; any other number divides as it did."
        if (
            not is_sure
            or is_one_over(module, formula)
            or value.strength == "guessed"  # nothing around says what a share of nothing is
            or (value.strength == "typed" and value.code != "None")  # a number, but not that it is zero
        ):
            applicability = "review"
    edit = module.edit()
    why = f"The division fails when {denominator_code(module, failed[0])} is zero{because}{kept}"
    return Proposal(
        "zero-division",
        operator,
        (edit,),
        first_changed_line(edit),
        "safe" if applicability == "safe" else "review",
        why,
    )


def _by_result(module: Module, function: cst.FunctionDef | None, failed: Sequence[Division]) -> list[Division]:
    """Divisions of other functions of the file by what the function gives, which is zero now."""
    returned = [one for one in failed if isinstance(one, cst.BinaryOperation) and _is_returned(module, one)]
    if function is None or not returned or is_neutral(function.name.value):
        return []
    is_property = any("property" in module.code(one.decorator) for one in function.decorators)
    form = r"(?:\w+\.)+%s\Z" if is_property else r"(?:\w+\.)*%s\([^()]*\)\Z"
    wanted = re.compile(form % re.escape(function.name.value))
    found = [one for one in all_divisions(module, None, None) if wanted.match(denominator_code(module, one))]
    return [one for one in found if one not in failed and not is_safe_already(module, one)][:MOST]


def _is_returned(module: Module, one: Division) -> bool:
    return isinstance(module.parent(whole_formula(module, one)), cst.Return)


# -- finding -----------------------------------------------------------------------------------------------------------


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
    if function is not None and _ARITHMETIC.match(name) and _is_given_numbers(function):
        return f"{name} is plain arithmetic: dividing by zero is its caller's error"
    if isinstance(one, cst.BinaryOperation) and re.fullmatch(
        r"(?i)(?:self\.)?_?det(?:erminant)?", denominator_code(module, one)
    ):
        return "a singular matrix has no inverse: the error says so"
    if function is not None and _only_divides_arguments(module, function, one):
        return f"{name} only divides its arguments: dividing by zero is its caller's error"
    return None


def _is_given_numbers(function: cst.FunctionDef) -> bool:
    """Whether a function is given what it works on: one that has nothing but its object asks for a share of that."""
    given = [*function.params.posonly_params, *function.params.params]
    is_all = function.params.star_arg is cst.MaybeSentinel.DEFAULT
    return not is_all or any(one.name.value not in ("self", "cls") for one in given)


def _only_divides_arguments(module: Module, function: cst.FunctionDef, one: Division) -> bool:
    """`def per(a, b): return a / b` with names that say nothing of what they are."""
    names = [parameter.name.value for parameter in function.params.params]
    if not isinstance(one, cst.BinaryOperation) or len(names) != 2 or isinstance(module.parent(one), _COMPARING):
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


# -- guarding ----------------------------------------------------------------------------------------------------------


# -- values ------------------------------------------------------------------------------------------------------------


PATTERN = ZeroDivision()
