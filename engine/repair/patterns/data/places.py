"""IndexError at a place that is worked out: `items[at]`, `table[row][column]`, `names[order[at]]`.

A place that a name holds is looked at only where there are so many elements. Where several places are read at once and
nothing tells which it was, all of them are asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.data.mismatch import decline, finish
from engine.repair.patterns.guarding import absent, checks, guards
from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.guarding.subscripts import constant, index_of, subscripts
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import bound_to

_NUMBERS = re.compile(
    r"(?i)\A(?:[ijkmnrcxyd]|at|here|d[rcxy]|step|row|col|column|level|depth|num|count|start|end|begin|stop)\d?\Z|"
    r"idx|index|indices|\bind\b|pos\Z|position|offset|cursor|order\Z|perm|rank|_num\Z|_no\Z|selected|current"
)
_COUNTED = re.compile(
    r"range\(|enumerate\(|len\(|int\(|-?\d+\Z|[\w.]+\.(?:index|find|randint|randrange|argmax)\(|.*[-+] ?\d+\Z"
)
_TABLES = re.compile(r"(?:^|\.)(?:dict|defaultdict|OrderedDict|Counter|loads?|fromkeys)\Z")
_TABLE_NAMES = re.compile(r"(?i)(?:map|mapping|dict|lookup|registry|config|cfg|by_\w+|_to_\w+|\w2\w+|groups)\Z")
MOST_PLACES = 3  # that are read at once and asked for together


def propose(case: Case, module: Module, line: int, told: cst.Subscript | None) -> Proposal | Declined:
    """The condition on the place, or on the several of which one failed; or why there is none."""
    every = [told] if told is not None else subscripts(module, line)
    is_stored = "assignment" in case.records[0].message
    every = [one for one in every if _is_counted(module, one)]
    every = [one for one in every if isinstance(module.parent(one), cst.AssignTarget) == is_stored or told] or every
    if not every and (part := _part_of_made(case, module, line, told)) is not None:
        return part
    if not every or "axis" in case.records[0].message:
        return decline("the index is worked out: what is wrong with it is no question of the data's shape")
    every = [one for one in every if not _is_walked(module, one)] or every
    every = [one for one in every if is_place(module, one)] or every[:1]  # a word is no place, and a table has none
    use = every[0]
    reason = intent.meant(case, module, use, line, "IndexError")
    if reason:
        return decline(reason)
    if (name := meaning_it(module, use, ("__getitem__", "pop", "top", "peek", "__setitem__"))) is not None:
        return decline(f"{name} means the error where there is nothing")
    for one in every:
        if _excludes_the_end(module, one, *_parts(module, one)):
            base = module.code(one.value)
            return finish(module, "stronger-check", f"{base} has no element at its length: the check leaves that out.")
    open_ones = [one for one in every if not _is_asked_for(module, one)]
    if not open_ones:
        return decline(f"the length of {module.code(use.value)} is checked before it is read")
    whole = around_all(module, open_ones[:MOST_PLACES]) or open_ones[0]
    tests = dict(_tests(module, one) for one in open_ones[:MOST_PLACES] if holds(module, whole, one))
    good, bad = " and ".join(tests), " or ".join(tests.values())
    subject = open_ones[0].value
    absence = Absence(whole, subject, lambda _code: (good, bad))
    operator, value = absent.guard(case, module, absence)
    base, place = _parts(module, open_ones[0])
    why = f"{base} has not always an element at {place}: {value.code} then, as {value.because}."
    return finish(module, operator, why)


def _part_of_made(case: Case, module: Module, line: int, told: cst.Subscript | None) -> Proposal | Declined | None:
    """`rows = list(pages(rows))[page]`, which is walked through behind it: a page that is not there has no rows."""
    for one in [told] if told is not None else subscripts(module, line):
        index, change = index_of(one), module.parent(one)
        is_made = isinstance(one.value, cst.Call) and module.code(one.value.func) in ("list", "sorted", "tuple")
        if not is_made or not isinstance(index, cst.Name) or not isinstance(change, cst.Assign):
            continue
        stands = guards.statement_line(module, one)
        target = change.targets[0].target
        function = module.function(one)
        if stands is None or function is None or len(change.targets) > 1 or not isinstance(target, cst.Name):
            continue
        loops = [each for each in module.nodes(cst.For, within=function.body) if module.code(each.iter) == target.value]
        if not any(module.position(each).start.line > line for each in loops):
            continue
        reason = intent.meant(case, module, one, line, "IndexError")
        if reason:
            return decline(reason)
        name = guards.fresh(module, "parts", "found", "every")
        whole = f"{name}[{index.value}] if {index.value} < len({name}) else []"
        new = stands.deep_replace(one, guards.expression(whole))
        guards.before(module, stands, f"{name} = {module.code(one.value)}\n", new)
        return finish(module, "conditional", f"There is not always a part {index.value}: nothing is in it then.")
    return None


def within(module: Module, owner: cst.BaseExpression) -> tuple[str, str] | None:
    """What holds where `rows[at]`, of which an element is read, is there itself, and what where it is not; None where
    no place is worked out in it, or where it is asked for or walked through."""
    if not isinstance(owner, cst.Subscript) or not _is_counted(module, owner) or not is_place(module, owner):
        return None
    return None if _is_asked_for(module, owner) or _is_walked(module, owner) else _tests(module, owner)


def is_place(module: Module, one: cst.Subscript) -> bool:
    """Whether a subscript reads a place in a list, as far as names and bindings tell, and not a key of a table."""
    index = index_of(one)
    if index is None or is_table(module, one.value):
        return False
    code = module.code(index)
    if isinstance(index, cst.BinaryOperation) or _NUMBERS.search(code.partition("[")[0].rpartition(".")[2]):
        return True
    if not isinstance(index, cst.Name):
        return False
    value = bound_to(module, index)
    if value is not None:
        return _COUNTED.match(module.code(value)) is not None
    loops = [each for each in module.ancestors(one) if isinstance(each, cst.For)]
    return any(
        _COUNTED.match(module.code(each.iter)) and code == module.code(each.target).strip("()").split(",")[0]
        for each in loops
    )


def is_table(module: Module, base: cst.BaseExpression) -> bool:
    """Whether what is read from is a dict, by its name or by what it is bound to."""
    value = bound_to(module, base) if isinstance(base, cst.Name) else None
    if isinstance(value, cst.Dict | cst.DictComp):
        return True
    made = module.code(value.func) if isinstance(value, cst.Call) else ""
    return bool(_TABLES.search(made) or _TABLE_NAMES.search(module.code(base)))


def _parts(module: Module, one: cst.Subscript) -> tuple[str, str]:
    index = index_of(one)
    return module.code(one.value), module.code(index) if index is not None else ""


def _tests(module: Module, one: cst.Subscript) -> tuple[str, str]:
    """What holds where there is an element, and what where there is none."""
    base, place = _parts(module, one)
    if _is_of_its_length(base, place):
        return f"len({base}) > 0", f"len({base}) == 0"  # only of nothing there is no such element
    good, bad = f"{place} < len({base})", f"{place} >= len({base})"
    if _may_be_negative(module, one, place):
        return f"-len({base}) <= {good}", f"not -len({base}) <= {good}"
    return good, bad


def _is_asked_for(module: Module, one: cst.Subscript) -> bool:
    base, place = _parts(module, one)
    return any(f"len({base})" in code and place in code for code in map(module.code, checks.deciding(module, one)))


def _is_walked(module: Module, one: cst.Subscript) -> bool:
    """Whether a loop gives a place for each element of the very list."""
    base, place = _parts(module, one)
    for around in module.ancestors(one):
        if isinstance(around, cst.For) and place in guards.names_of(module.code(around.target)):
            return module.code(around.iter) in (f"range(len({base}))", f"enumerate({base})")
    return False


def around_all(module: Module, every: Sequence[cst.Subscript]) -> cst.BaseExpression | None:
    """The smallest expression that holds all of several reads; None where there is none."""
    for around in (every[0], *module.ancestors(every[0])):
        if isinstance(around, cst.BaseExpression) and all(holds(module, around, one) for one in every):
            return around
        if isinstance(
            around, cst.BaseSmallStatement | cst.BaseSuite | cst.BaseComp | cst.Lambda | cst.BooleanOperation
        ):
            break
    return None


def holds(module: Module, around: cst.CSTNode, one: cst.CSTNode) -> bool:
    return around is one or one in module.nodes(type(one), within=around)


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


def _is_of_its_length(base: str, place: str) -> bool:
    """`values[len(values) // 2]`, `values[len(values) - 1]`"""
    return re.fullmatch(rf"len\({re.escape(base)}\) ?(?:// ?[1-9]\d*|- ?1)", place) is not None


def _is_counted(module: Module, one: cst.Subscript) -> bool:
    """Whether a subscript reads the place that a name holds, and no loop over the same things gives that name."""
    index = index_of(one)
    if index is None or constant(index) is not ...:
        return False
    code, base = module.code(index), module.code(one.value)
    if not guards.is_repeatable(code) or not guards.is_repeatable(base) or base in ("sys.argv", "argv"):
        return False
    if _is_of_its_length(base, code):
        return True
    if isinstance(index, cst.Subscript):
        return _is_counted(module, index)  # a place that another list tells
    if "[" in code:
        return False
    if isinstance(index, cst.BinaryOperation) and (
        not isinstance(index.operator, cst.Add | cst.Subtract) or not isinstance(index.right, cst.Integer | cst.Name)
    ):
        return False
    names = guards.names_of(code)
    for around in module.ancestors(one):
        if isinstance(around, cst.BaseComp) and names & guards.bound_in(module, around):
            return f"len({base})" not in module.code(around.for_in.iter)
        if isinstance(around, cst.FunctionDef | cst.Lambda):
            break
    return isinstance(index, cst.Name | cst.Attribute | cst.BinaryOperation)


def meaning_it(module: Module, use: cst.CSTNode, names: tuple[str, ...]) -> str | None:
    """The name of the function around a use, where it is a container's own or takes nothing but one; else None."""
    function = module.function(use)
    if function is None or function.name.value not in names or not function.params.params:
        return None
    given = function.params.params
    return function.name.value if given[0].name.value == "self" or len(given) == 1 else None
