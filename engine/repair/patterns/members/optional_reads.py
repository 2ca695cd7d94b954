"""An attribute that not every object has, read as optional: a value in its place, or a check in front of what needs it.

Relies on `lasting` for whether what stands in its place lasts, on `absent` for guards.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import absent, for_nothing, guards, lasting, read_again
from engine.repair.patterns.guarding.subscripts import absence_of
from engine.repair.patterns.members import arrays, plain_types, same_tests, shared_objects, wrapped
from engine.repair.patterns.members.of_modules import quote_of
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module, first_changed_line
from engine.repair.patterns.source.own_classes import TYPES, classes_of, members_of

_OF_FUNCTIONS = frozenset(
    ("__name__", "__qualname__", "__self__", "__code__", "__module__", "__defaults__", "__globals__", "__func__")
)
_PUTTING = ("append", "extend", "add", "update", "setdefault", "insert", "remove", "discard", "clear", "appendleft")
_TESTS = (cst.If, cst.While, cst.CompIf, cst.UnaryOperation, cst.BooleanOperation)


def optional(case: Case, module: Module, use: cst.Attribute, name: str, owner: str) -> Proposal | Declined:
    """Read an attribute that not every object has."""
    source = module.code(use.value)
    if (first := wrapped.first_of_result(module, use, name, owner)) is not None:
        return first
    if (converted := arrays.propose(case, module, use, name, owner)) is not None:
        return converted
    plain = plain_types.propose(case, module, use, name, owner)
    if plain is not None:
        return plain
    if (found := wrapped.propose(module, use, name, owner)) is not None:
        return found
    if owner.rpartition(".")[2] == "partial" and name in _OF_FUNCTIONS and guards.is_repeatable(source):
        mark = quote_of(module, use)
        module.replace(use.value, guards.expression(f"getattr({source}, {mark}func{mark}, {source})"))
        edit = module.edit()
        why = f"{source} is sometimes a partial: the function that it is made of has '{name}'."
        return Proposal("attribute", "getattr", (edit,), first_changed_line(edit), "review", why)
    if owner in ("str", "dict", "list", "tuple", "int") and _asks_elsewhere(module, use, owner):
        return _other_type(case, module, use, name, owner)
    if owner in TYPES or owner in ("function", "method", "builtin_function_or_method", "type"):
        return Declined("attribute", f"a {owner} has no {name}: what was meant cannot be seen")
    if not guards.may_repeat(module, use.value):
        return Declined("attribute", f"{owner} has no {name}, and nothing here says what was meant")
    around = module.parent(use)
    if isinstance(around, cst.Call) and around.func is use:
        return _method(case, module, use, around, name, owner)
    function = module.function(use)
    default = _default(case, module, use, function)
    quote = quote_of(module, use)
    if not lasting.lasts(module, use, default):
        fit = lasting.fitting(module, use)
        if fit is None or _is_changed_by(module, use):
            return _read_on(case, module, use, name, owner)
        default = fit
    default = same_tests.serving_all(module, use, default)
    others = shared_objects.reads(module, use, default)
    others += [one for one in same_tests.again(module, use, default) if one not in others]
    if default == "False" and any(not isinstance(module.parent(one), _TESTS) for one in others):
        default = "None"  # another of them may ask whether it is None
    made = guards.expression(f"getattr({source}, {quote}{name}{quote}, {default})")
    for one in (use, *others):
        module.replace(one, made.deep_clone().with_changes(lpar=one.lpar, rpar=one.rpar))
    known = members_of(owner, list(classes_of(case, owner.rpartition(".")[2], module)))
    for one in same_tests.beside(module, use):
        if one.attr.value not in known:
            module.replace(one, guards.expression(f"getattr({source}, {quote}{one.attr.value}{quote}, {default})"))
    edit = module.edit()
    why = f"Not every {owner} has '{name}': it is read as optional, {default} where it is missing."
    return Proposal("attribute", "getattr", (edit,), first_changed_line(edit), "review", why)


def _is_changed_by(module: Module, use: cst.Attribute) -> bool:
    """`x.names.append(y)`: what is put into a stand-in is lost."""
    method, line = module.parent(use), module.nearest(use, cst.SimpleStatementLine)
    is_done = line is not None and isinstance(line.body[0], cst.Expr)
    return is_done and isinstance(method, cst.Attribute) and method.attr.value in _PUTTING


def _asks_elsewhere(module: Module, use: cst.Attribute, owner: str) -> bool:
    """Whether the function asks of something else whether it is of the type that came here: such values do occur."""
    function, around = module.function(use), module.parent(use)
    if function is None or not (isinstance(around, cst.Call) and around.func is use):
        return False
    source = module.code(use.value)
    asked = [one for one in module.nodes(cst.Call, within=function.body) if module.code(one.func) == "isinstance"]
    kinds = [one for one in asked if len(one.args) == 2 and module.code(one.args[1].value) == owner]
    return (
        guards.is_repeatable(source) and bool(kinds) and all(module.code(one.args[0].value) != source for one in asked)
    )


def _other_type(case: Case, module: Module, use: cst.Attribute, name: str, owner: str) -> Proposal | Declined:
    asked = f"isinstance({{}}, {owner})"
    operator, value = absent.guard(case, module, absence_of(use, use.value, f"not {asked}", asked))
    edit = module.edit()
    why = f"{module.code(use.value)} is sometimes a {owner} without '{name}': {value.code} then, as {value.because}."
    return Proposal("attribute", operator, (edit,), first_changed_line(edit), "review", why)


def _read_on(case: Case, module: Module, use: cst.Attribute, name: str, owner: str) -> Proposal | Declined:
    """`x.name.part`: None in its place would only fail one step further."""
    quote = quote_of(module, use)
    asked = f"hasattr({{}}, {quote}{name}{quote})"
    absence = absence_of(use, use.value, asked, f"not {asked}")
    operator, value = absent.guard(case, module, absence)
    edit = read_again.guarded(case, module, absence, module.edit(), (asked.format(module.code(use.value)),))
    why = f"Not every {owner} has '{name}': {value.code} then, as {value.because}."
    return Proposal("attribute", operator, (edit,), first_changed_line(edit), "review", why)


def _default(case: Case, module: Module, use: cst.Attribute, function: cst.FunctionDef | None) -> str:
    around = module.parent(use)
    if _counts(module, use.attr.value):
        return "0"
    if isinstance(around, cst.For | cst.CompFor):
        return "()"
    if isinstance(around, _TESTS):
        return "False"
    if isinstance(around, cst.Return) and function is not None:
        return for_nothing.given_for_nothing(case, module, function, "None").code
    if isinstance(around, cst.Attribute | cst.Subscript):
        return "None"
    if isinstance(around, cst.BinaryOperation):
        return '""' if isinstance(around.operator, cst.Add) and "'" in module.code(around) else "0"
    if isinstance(around, cst.AugAssign):
        return "0"
    if isinstance(around, cst.FormattedStringExpression):
        return "None"
    call = module.parent(around) if isinstance(around, cst.Arg) else None
    if isinstance(call, cst.Call) and module.code(call.func) in (
        "len",
        "sum",
        "list",
        "sorted",
        "set",
        "tuple",
        "enumerate",
    ):
        return "()"
    return "None"


def _counts(module: Module, name: str) -> bool:
    """Whether the file counts by an attribute: it adds to it, or gives it whole numbers only."""
    for change in module.nodes(cst.AugAssign):
        if isinstance(change.target, cst.Attribute) and change.target.attr.value == name:
            return isinstance(change.operator, cst.AddAssign | cst.SubtractAssign) and not isinstance(
                change.value, cst.SimpleString | cst.FormattedString | cst.ConcatenatedString | cst.List
            )
    given = [
        one.value
        for one in module.nodes(cst.Assign)
        if any(isinstance(t.target, cst.Attribute) and t.target.attr.value == name for t in one.targets)
    ]
    return bool(given) and all(isinstance(one, cst.Integer) for one in given)


def _method(
    case: Case, module: Module, use: cst.Attribute, call: cst.Call, name: str, owner: str
) -> Proposal | Declined:
    """Call a method that not every object has, where it has it."""
    source, quote = module.code(use.value), quote_of(module, use)
    good = f"hasattr({source}, {quote}{name}{quote})"
    line = guards.statement_line(module, call)
    only = line.body[0] if line is not None else None
    is_alone = isinstance(only, cst.Expr) and only.value in (call, module.parent(call))
    if line is not None and (is_alone or _works_on_itself(module, line, call)):
        guards.under(module, line, good)
    elif (otherwise := "None" if lasting.lasts(module, call, "None") else _instead(module, call)) is None:
        return _read_on(case, module, use, name, owner)
    else:
        module.replace(call, guards.conditional(module, call, good, otherwise))
    edit = module.edit()
    why = f"Not every {owner} has '{name}': it is called where it is there."
    return Proposal("attribute", "hasattr", (edit,), first_changed_line(edit), "review", why)


def _works_on_itself(module: Module, line: cst.SimpleStatementLine, call: cst.Call) -> bool:
    """`x = self.drop(x)`: without the method, `x` is as good as it came."""
    only = line.body[0]
    if not isinstance(only, cst.Assign) or only.value is not call or len(only.targets) != 1 or not call.args:
        return False
    return module.code(only.targets[0].target) == module.code(call.args[0].value)


def _instead(module: Module, call: cst.Call) -> str | None:
    """What stands for what a method gives, where None would fail; None in a condition, which asks for the method."""
    return None if absent.test_of(module, absent.whole_of(module, call)) is not None else lasting.fitting(module, call)
