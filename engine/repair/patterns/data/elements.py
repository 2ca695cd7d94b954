"""IndexError: an element that is not always there, of a list, a tuple or a text; and what is taken from an empty one.

Relies on `absent` for guards. A check that is there and asks for too little is made to ask for enough.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.data.mismatch import decline, finish
from engine.repair.patterns.guarding import absent, checks, guards, read_again
from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.pattern import Applicability, Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, first_changed_line
from engine.repair.patterns.source.subscripts import absence_of, constant, index_of, subscripts
from engine.repair.patterns.source.underlined import decided, underlined

_TAKING = ("pop", "popleft")


def propose(case: Case, module: Module, line: int) -> Proposal | Declined:
    """The check for what is not there, or why there is none."""
    message = case.records[0].message
    if message.startswith("pop "):
        return _taken(case, module, line)
    if "empty sequence" in message:
        return _chosen(case, module, line)
    every = [one for one in subscripts(module, line) if _place(one) is not None]
    every = [one for one in every if _is_stored(module, one) == ("assignment" in message)]
    told = underlined(case, module, line, subscripts(module, line))
    if told is not None:
        every = [one for one in every if one is told or module.code(one.value) == module.code(told.value)]
        every = sorted(every, key=lambda one: one is not told) if told in every else []
    if not every:
        return _worked_out(case, module, line, told)
    first = every[0]
    same = [one for one in every if module.code(one.value) == module.code(first.value)]
    use = max(same, key=_needed)
    base = module.code(use.value)
    reason = intent.meant(case, module, use, line, "IndexError")
    if reason:
        return decline(reason)
    if base in ("sys.argv", "argv"):
        return decline("the command line says too little: that is for the person to hear")
    if (name := _meaning_it(module, use, ("__getitem__", "pop", "top", "peek"))) is not None:
        return decline(f"{name} means the error where there is nothing")
    needed = _needed(use)
    checked = checks.is_guarded(module, use, base, by_type=False)
    if checked or checks.is_guarded(module, use, f"len({base})", by_type=False):
        if _made_stronger(module, use, base, needed):
            return finish(
                module, "stronger-check", f"{base} is read for {needed} elements: the check asks for so many."
            )
        return decline(f"the length of {base} is checked before it is read")
    is_array = re.search(r"axis|dimension|positional", message) is not None  # of several, none is true or false
    good, bad = f"len({{}}) > {needed - 1}", f"len({{}}) < {needed}"
    if needed == 1:
        good, bad = ("len({}) > 0", "len({}) == 0") if is_array else ("{}", "not {}")
    names = ("parts", "fields", "items") if "split" in base else ("found", "items", "values")
    of_rows = isinstance(use.value, cst.Attribute) and use.value.attr.value in ("iloc", "iat")
    counted = use.value.value if of_rows and isinstance(use.value, cst.Attribute) else use.value
    plain = absence_of(use, counted, good, bad)
    element = module.quote * 2 if _is_part_of_text(module, use) else "None"
    if base.endswith(".shape") and _place(use) == 2:
        element = "1"  # a picture without a third axis has one channel
    absence = Absence(use, plain.subject, plain.conditions, names, element)
    operator, value = absent.guard(case, module, absence)
    told_so = value.strength == "told" and value.code not in ("continue", "return", "nothing")
    sure: Applicability = "safe" if told_so and operator in ("conditional", "guard-use", "guard-producer") else "review"
    why = f"{base} has not always {needed} elements: {value.code} then, as {value.because}."
    edit = read_again.guarded(case, module, absence, module.edit(), (base, f"len({base})"))
    return Proposal("type-mismatch", operator, (edit,), first_changed_line(edit), sure, why)


def _meaning_it(module: Module, use: cst.CSTNode, names: tuple[str, ...]) -> str | None:
    """The name of the function around a use, where it is a container's own or takes nothing but one; else None."""
    function = module.function(use)
    if function is None or function.name.value not in names or not function.params.params:
        return None
    given = function.params.params
    return function.name.value if given[0].name.value == "self" or len(given) == 1 else None


def _is_stored(module: Module, one: cst.Subscript) -> bool:
    return isinstance(module.parent(one), cst.AssignTarget)


def _place(one: cst.Subscript) -> int | None:
    index = index_of(one)
    value = constant(index) if index is not None else ...
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _needed(one: cst.Subscript) -> int:
    value = _place(one) or 0
    return value + 1 if value >= 0 else -value


def _is_part_of_text(module: Module, use: cst.Subscript) -> bool:
    """Whether the elements are parts of a text: what stands for one that is missing is an empty text."""
    return bool(re.search(r"\.r?(?:split|splitlines)\(", module.code(use.value))) or any(
        re.search(r"\.r?(?:split|splitlines)\([^()]*\)\Z", module.code(one.value))
        for one in module.nodes(cst.Assign, within=module.function(use) or module.tree)
        if any(module.code(target.target) == module.code(use.value) for target in one.targets)
    )


# -- places that are worked out ----------------------------------------------------------------------------------------


def _worked_out(case: Case, module: Module, line: int, told: cst.Subscript | None) -> Proposal | Declined:
    """`items[at]`: a place that a name holds is looked at only where there are so many elements."""
    every = [told] if told is not None else subscripts(module, line)
    every = [one for one in every if _is_counted(module, one)]
    if not every or "axis" in case.records[0].message:
        return decline("the index is worked out: what is wrong with it is no question of the data's shape")
    use = every[0]
    base, index = module.code(use.value), index_of(use)
    place = module.code(index) if index is not None else ""
    reason = intent.meant(case, module, use, line, "IndexError")
    if reason:
        return decline(reason)
    if (name := _meaning_it(module, use, ("__getitem__", "pop", "top", "peek", "__setitem__"))) is not None:
        return decline(f"{name} means the error where there is nothing")
    if _excludes_the_end(module, use, base, place):
        return finish(module, "stronger-check", f"{base} has no element at its length: the check leaves that out.")
    tests = [module.code(test) for test in checks.deciding(module, use)]
    if any(f"len({base})" in test and place in test for test in tests):
        return decline(f"the length of {base} is checked before it is read")
    good, bad = f"{place} < len({{}})", f"{place} >= len({{}})"
    if _may_be_negative(module, use, place):
        good, bad = f"-len({base}) <= {good}", f"not -len({base}) <= {good}"
    operator, value = absent.guard(case, module, absence_of(use, use.value, good, bad))
    why = f"{base} has not always an element at {place}: {value.code} then, as {value.because}."
    return finish(module, operator, why)


def _may_be_negative(module: Module, use: cst.Subscript, place: str) -> bool:
    """Whether the function gives a place a number below zero somewhere, which counts from the end."""
    within = module.function(use) or module.tree
    return any(
        any(module.code(target.target) == place for target in one.targets) and re.search(r"-\d", module.code(one.value))
        for one in module.nodes(cst.Assign, within=within)
    )


def _excludes_the_end(module: Module, use: cst.Subscript, base: str, place: str) -> bool:
    """Let `at <= len(items)` around a use be `at < len(items)`; whether there was such a check."""
    inner: cst.CSTNode = use
    for around in module.ancestors(use):
        if isinstance(around, cst.FunctionDef | cst.Lambda):
            return False
        if (
            isinstance(around, cst.If | cst.While | cst.IfExp)
            and inner is not around.test
            and inner is not around.orelse
        ):
            for test in module.nodes(cst.Comparison, within=around.test):
                target = test.comparisons[0]
                sides = (module.code(test.left), module.code(target.comparator))
                if len(test.comparisons) > 1:
                    continue
                if isinstance(target.operator, cst.LessThanEqual) and sides == (place, f"len({base})"):
                    module.replace(target.operator, cst.LessThan())
                    return True
                if isinstance(target.operator, cst.GreaterThanEqual) and sides == (f"len({base})", place):
                    module.replace(target.operator, cst.GreaterThan())
                    return True
        inner = around
    return False


def _is_counted(module: Module, one: cst.Subscript) -> bool:
    """Whether a subscript reads the place that a name holds, and no loop over the same things gives that name."""
    index = index_of(one)
    if index is None or constant(index) is not ...:
        return False
    code, base = module.code(index), module.code(one.value)
    if not guards.is_repeatable(code) or not guards.is_repeatable(base) or "[" in code or base in ("sys.argv", "argv"):
        return False
    if isinstance(index, cst.BinaryOperation) and (
        not isinstance(index.operator, cst.Add | cst.Subtract) or not isinstance(index.right, cst.Integer)
    ):
        return False
    names = guards.names_of(code)
    for around in module.ancestors(one):
        if isinstance(around, cst.BaseComp) and names & guards.bound_in(module, around):
            return f"len({base})" not in module.code(around.for_in.iter)
        if isinstance(around, cst.FunctionDef | cst.Lambda):
            break
    return isinstance(index, cst.Name | cst.Attribute | cst.BinaryOperation)


# -- taking from what is empty -----------------------------------------------------------------------------------------


def _taken(case: Case, module: Module, line: int) -> Proposal | Declined:
    """`x.pop()` of an empty list."""
    calls = [
        one
        for one in module.nodes(cst.Call, line)
        if isinstance(one.func, cst.Attribute) and one.func.attr.value in _TAKING and len(one.args) <= 1
    ]
    calls = decided(case, module, line, calls)
    if not calls or not isinstance(calls[0].func, cst.Attribute):
        return decline("nothing is taken from a list on this line: the error comes from what it calls")
    call, owner = calls[0], calls[0].func.value
    reason = intent.meant(case, module, call, line, "IndexError")
    if reason:
        return decline(reason)
    function = module.function(call)
    if function is not None and function.name.value in (*_TAKING, "top", "peek", "__next__", "get"):
        return decline(f"{function.name.value} means the error where there is nothing")
    base = module.code(owner)
    if not guards.is_repeatable(base):
        return decline("what is taken from is worked out on the line itself")
    if checks.is_guarded(module, call, base):
        return decline(f"the length of {base} is checked before something is taken from it")
    around = next((one for one in module.ancestors(call) if isinstance(one, cst.While | cst.FunctionDef)), None)
    if isinstance(around, cst.While):
        return decline("the loop goes on until something ends it: what that is to be, nothing here says")
    operator, value = absent.guard(case, module, absence_of(call, owner, "{}", "not {}"))
    return finish(module, operator, f"{base} may be empty: {value.code} then, as {value.because}.")


def _chosen(case: Case, module: Module, line: int) -> Proposal | Declined:
    """`random.choice(x)` of nothing."""
    calls = [one for one in module.nodes(cst.Call, line) if module.code(one.func).endswith("choice") and one.args]
    for call in decided(case, module, line, calls)[:1]:
        several = call.args[0].value
        reason = intent.meant(case, module, call, line, "IndexError")
        if reason:
            return decline(reason)
        if checks.is_guarded(module, call, module.code(several)):
            return decline(f"{module.code(several)} is looked at before one of it is chosen")
        operator, value = absent.guard(case, module, absence_of(call, several, "{}", "not {}"))
        return finish(module, operator, f"{module.code(several)} may be empty: {value.code} then, as {value.because}.")
    return decline("nothing is chosen on this line: the error comes from what it calls")


# -- checks that ask for too little ------------------------------------------------------------------------------------


def _made_stronger(module: Module, use: cst.Subscript, base: str, needed: int) -> bool:
    """Let the check in front of a use ask for as many elements as it needs; whether that was to be done."""
    inner: cst.CSTNode = use
    for around in module.ancestors(use):
        if isinstance(around, cst.If | cst.While) and inner is around.body:
            if _asks_for(module, around.test, base, needed, wanted=True):
                return True
        elif isinstance(around, cst.IndentedBlock):
            for before in around.body:
                if before is inner:
                    break
                if (isinstance(before, cst.If) and checks.leaves(before.body)) and (
                    _asks_for(module, before.test, base, needed, wanted=False)
                ):
                    return True
        if isinstance(around, cst.FunctionDef):
            return False
        inner = around
    return False


def _asks_for(module: Module, test: cst.BaseExpression, base: str, needed: int, *, wanted: bool) -> bool:
    """Replace a check of the length in a test; `wanted`: it holds where there is enough, else where there is not."""
    if isinstance(test, cst.BooleanOperation):
        fits = cst.And if wanted else cst.Or
        if not isinstance(test.operator, fits):
            return False
        left = _asks_for(module, test.left, base, needed, wanted=wanted)
        return left or _asks_for(module, test.right, base, needed, wanted=wanted)
    code = " ".join(module.code(test.with_changes(lpar=[], rpar=[])).split())
    if needed == 1 and code == f"{base} is {'not ' if wanted else ''}None":  # an empty one has no first
        asked = guards.expression(base if wanted else f"not {base}")
        module.replace(test, asked.with_changes(lpar=test.lpar, rpar=test.rpar))
        return True
    if wanted:
        least = _least(code, base)
    else:
        opposite = {"<": ">=", "<=": ">", "==": "!="}
        plain = re.fullmatch(rf"len\({re.escape(base)}\) (<=?|==) (\d+)", code)
        turned = f"len({base}) {opposite[plain[1]]} {plain[2]}" if plain else code.removeprefix("not ")
        least = _least(turned, base) if plain or code.startswith("not ") else None
    if least is None or least >= needed:
        return False
    sign = f"> {needed - 1}" if wanted else f"< {needed}"
    made = guards.expression(f"len({base}) {sign}")
    module.replace(test, made.with_changes(lpar=test.lpar, rpar=test.rpar))
    return True


def _least(code: str, base: str) -> int | None:
    """How many elements there are at least where a test holds; None where it is no test of the length."""
    if code in (base, f"len({base})"):
        return 1
    found = re.fullmatch(rf"len\({re.escape(base)}\) (>=?|!=) (\d+)", code)
    if found is None:
        return None
    number = int(found[2])
    if found[1] == "!=":
        return 1 if number == 0 else None
    return number + 1 if found[1] == ">" else number
