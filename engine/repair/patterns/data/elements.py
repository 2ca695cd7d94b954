"""IndexError: an element that is not always there, of a list, a tuple or a text; and what is taken from an empty one.

Relies on `absent` for guards. A check that is there and asks for too little is made to ask for enough.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.data import places
from engine.repair.patterns.data.mismatch import decline, finish
from engine.repair.patterns.guarding import absent, checks, guards, read_again
from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.guarding.subscripts import absence_of, constant, index_of, subscripts
from engine.repair.patterns.pattern import Applicability, Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, first_changed_line
from engine.repair.patterns.source.syntax import last_name, walk
from engine.repair.patterns.source.underlined import decided, underlined

_TAKING = ("pop", "popleft")
_KEEPING = ("save", "write", "commit", "send", "add", "append", "put")  # what it is done for, whatever they give
_LOOKING = ("len", "str", "repr", "list", "tuple", "set", "dict", "sum", "min", "max", "sorted", "any", "all", "zip")


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
        return places.propose(case, module, line, told)
    open_ones = [one for one in every if not _is_checked(module, one, module.code(one.value))]
    first = (open_ones or every)[0] if told is None else every[0]
    same = [one for one in every if module.code(one.value) == module.code(first.value)]
    use = max(same, key=_needed)
    base = module.code(use.value)
    reason = intent.meant(case, module, use, line, "IndexError")
    if reason:
        return decline(reason)
    if base in ("sys.argv", "argv"):
        return decline("the command line says too little: that is for the person to hear")
    if (name := places.meaning_it(module, use, ("__getitem__", "pop", "top", "peek"))) is not None:
        return decline(f"{name} means the error where there is nothing")
    needed = _needed_in_all(module, use, base)
    if _is_checked(module, use, base):
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
    if told is None and (inner := places.within(module, use.value)) is not None:
        good, bad = f"{inner[0]} and {good}", f"{inner[1]} or {bad}"
    whole = use if told is not None or is_array or of_rows else _with_others(module, use, open_ones)
    if whole is not use:
        tests = [_tests(one, module.code(one.value)) for one in open_ones if places.holds(module, whole, one)]
        why = f"{base} and what is read beside it may be too short"
        if isinstance(whole, cst.Dict) or all(
            _is_keyword(module, one) for one in open_ones
        ):  # each part for itself: the rest of a record is as good as ever
            for one, (good, _bad) in zip(open_ones, tests, strict=True):
                part = absent.whole_of(module, one)
                module.replace(part, guards.conditional(module, part, good, "None"))
            return finish(module, "conditional", f"{why}: None in its place then.")
        good, bad = " and ".join(dict(tests)), " or ".join(dict(tests).values())
        operator, value = absent.guard(case, module, Absence(whole, counted, lambda _code: (good, bad), names))
        return finish(module, operator, f"{why}: {value.code} then.")
    plain = absence_of(use, counted, good, bad)
    element = module.quote * 2 if _is_part_of_text(module, use) else "None"
    if base.endswith(".shape") and _place(use) == 2:
        element = "1"  # a picture without a third axis has one channel
    behind = _reads_behind(module, use, base, is_work_between=True)
    alike = frozenset(module.code(one) for one in behind if _needed(one) > _needed(use))
    absence = Absence(use, plain.subject, plain.conditions, names, element, alike=alike)
    operator, value = absent.guard(case, module, absence)
    told_so = value.strength == "told" and value.code not in ("continue", "return", "nothing")
    sure: Applicability = "safe" if told_so and operator in ("conditional", "guard-use", "guard-producer") else "review"
    wanted = "an element" if needed == 1 else f"{needed} elements"
    why = f"{base} has not always {wanted}: {value.code} then, as {value.because}."
    edit = read_again.guarded(case, module, absence, module.edit(), (base, f"len({base})"))
    return Proposal("type-mismatch", operator, (edit,), first_changed_line(edit), sure, why)


def _is_stored(module: Module, one: cst.Subscript) -> bool:
    return isinstance(module.parent(one), cst.AssignTarget)


def _place(one: cst.Subscript) -> int | None:
    index = index_of(one)
    value = constant(index) if index is not None else ...
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _needed(one: cst.Subscript) -> int:
    value = _place(one) or 0
    return value + 1 if value >= 0 else -value


def _is_checked(module: Module, use: cst.Subscript, base: str) -> bool:
    checked = checks.is_guarded(module, use, base, by_type=False)
    return checked or checks.is_guarded(module, use, f"len({base})", by_type=False)


def _with_others(module: Module, use: cst.Subscript, every: Sequence[cst.Subscript]) -> cst.BaseExpression:
    """The expression that holds a read and those of elements of other lists, of which any may be missing; the read
    itself where it is alone."""
    codes = [module.code(one.value) for one in every]
    if not 1 < len(every) <= places.MOST_PLACES or len(set(codes)) == 1 or _is_stored(module, use):
        return use
    if any(places.is_table(module, one.value) for one in every):
        return use
    if not all(map(guards.is_repeatable, codes)) or any(code.endswith((".shape", "argv")) for code in codes):
        return use
    return places.around_all(module, every) or use


def _is_keyword(module: Module, one: cst.Subscript) -> bool:
    around = module.parent(absent.whole_of(module, one))
    return isinstance(around, cst.Arg) and around.keyword is not None


def _tests(one: cst.Subscript, base: str) -> tuple[str, str]:
    needed = _needed(one)
    return f"len({base}) > {needed - 1}", f"len({base}) < {needed}"  # one beside it may be an array


def _needed_in_all(module: Module, use: cst.Subscript, base: str) -> int:
    """How many elements a use needs, with the statements right behind it that read more of the same list."""
    if (_place(use) or 0) < 0:
        return _needed(use)
    return max(_needed(use), *(_needed(one) for one in _reads_behind(module, use, base)), 0)


def _reads_behind(
    module: Module, use: cst.Subscript, base: str, *, is_work_between: bool = False
) -> list[cst.Subscript]:
    """The reads of other elements of the same list in the simple statements that follow, as far as nothing asks for
    its length, its name is not bound anew, and nothing makes it longer. Work that is done in between ends them, which
    a list that is too short for them would lose; not so where `is_work_between`: nothing is done with an empty one."""

    def ends(one: cst.SimpleStatementLine) -> bool:
        return _may_grow(module, one, base) or (not is_work_between and _does_work(module, one))

    line = module.nearest(use, cst.SimpleStatementLine)
    block = module.parent(line) if line is not None else None
    if line is None or not isinstance(block, cst.IndentedBlock):
        return []
    found: list[cst.Subscript] = []
    if ends(line):
        return found
    for one in list(block.body)[list(block.body).index(line) + 1 :]:
        if not isinstance(one, cst.SimpleStatementLine):
            break
        reads = [each for each in module.nodes(cst.Subscript, within=one) if module.code(each.value) == base]
        reads = [
            each for each in reads if (_place(each) or -1) > 0 and _is_stored(module, each) == _is_stored(module, use)
        ]
        found += [
            each
            for each in reads
            if guards.is_unconditional(module, each) and not checks.is_guarded(module, each, base, by_type=False)
        ]
        targets = [module.code(each.target) for each in module.nodes(cst.AssignTarget, within=one)]
        if base in targets or guards.names_of(base) & set(targets) or ends(one):
            break
    return found


def _does_work(module: Module, line: cst.SimpleStatementLine) -> bool:
    """Whether a statement does something that goes on being done where a later one fails."""
    calls = module.nodes(cst.Call, within=line)
    if any(isinstance(one, cst.Del) or (isinstance(one, cst.Expr) and calls) for one in line.body):
        return True
    if any(isinstance(one, cst.Yield | cst.Await) for one in walk(line)):
        return True
    return any(last_name(call.func) in _KEEPING for call in calls)


def _may_grow(module: Module, line: cst.SimpleStatementLine, base: str) -> bool:
    """Whether a list may be longer behind a statement: a method of it, or of what holds it, is called, it is handed
    on, added to, or a part of it is set."""
    for call in module.nodes(cst.Call, within=line):
        owner = module.code(call.func.value) if isinstance(call.func, cst.Attribute) else ""
        if owner and (base == owner or base.startswith(f"{owner}.")):
            return True
        if base in [module.code(arg.value) for arg in call.args] and not _only_looks(module, call):
            return True
    if any(module.code(one.target) == base for one in module.nodes(cst.AugAssign, within=line)):
        return True
    targets = [one.target for one in module.nodes(cst.AssignTarget, within=line)]
    return any(
        isinstance(one, cst.Subscript) and module.code(one.value) == base and module.nodes(cst.Slice, within=one)
        for one in targets
    )


def _only_looks(module: Module, call: cst.Call) -> bool:
    """Whether a call leaves a list that it is given as it is."""
    return module.code(call.func) in _LOOKING or last_name(call.func) == "join"


def _is_part_of_text(module: Module, use: cst.Subscript) -> bool:
    """Whether the elements are parts of a text: what stands for one that is missing is an empty text."""
    return bool(re.search(r"\.r?(?:split|splitlines)\(", module.code(use.value))) or any(
        re.search(r"\.r?(?:split|splitlines)\([^()]*\)\Z", module.code(one.value))
        for one in module.nodes(cst.Assign, within=module.function(use) or module.tree)
        if any(module.code(target.target) == module.code(use.value) for target in one.targets)
    )


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
    place = call.args[0].value if call.args else None
    is_worked_out = place is not None and constant(place) is ... and guards.is_repeatable(module.code(place))
    if is_worked_out and place is not None:
        good, bad = f"{module.code(place)} < len({base})", f"{module.code(place)} >= len({base})"
        asked = any(f"len({base})" in module.code(test) for test in checks.deciding(module, call))
    else:
        good, bad, asked = "{}", "not {}", checks.is_guarded(module, call, base)
    if asked:
        return decline(f"the length of {base} is checked before something is taken from it")
    around = next((one for one in module.ancestors(call) if isinstance(one, cst.While | cst.FunctionDef)), None)
    if isinstance(around, cst.While):
        return decline("the loop goes on until something ends it: what that is to be, nothing here says")
    absence = Absence(call, owner, lambda _code: (good, bad)) if is_worked_out else absence_of(call, owner, good, bad)
    operator, value = absent.guard(case, module, absence)
    lacks = f"has not always an element at {module.code(place)}" if is_worked_out and place else "may be empty"
    return finish(module, operator, f"{base} {lacks}: {value.code} then, as {value.because}.")


def _chosen(case: Case, module: Module, line: int) -> Proposal | Declined:
    """`random.choice(x)` of nothing."""
    calls = [one for one in module.nodes(cst.Call, line) if module.code(one.func).endswith("choice") and one.args]
    calls = [one for one in calls if not one.args[0].star]
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
