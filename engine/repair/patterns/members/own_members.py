"""An attribute that an object does not have: misspelt, renamed, optional, or set only later.

Relies on the project's own classes as they stand in its sources, and on what Python's types and modules have.
"""

from __future__ import annotations

import ast
import re

import libcst as cst

from engine.repair.patterns.guarding import absent, checks, for_nothing, guards, lasting, read_again
from engine.repair.patterns.guarding.subscripts import absence_of
from engine.repair.patterns.members import handed_on, plain_types, same_tests, shared_objects
from engine.repair.patterns.members.of_modules import RENAMED, of_module, quote_of, renamed
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module, first_changed_line
from engine.repair.patterns.source.own_classes import (
    TYPES,
    classes_of,
    is_dynamic,
    likely_name,
    members_of,
)

_UNCHANGING = ("None", "False", "0", "0.0", "''", "()")
_SET_LATER = ast.Constant | ast.List | ast.Dict | ast.Set | ast.Tuple


def propose(case: Case, module: Module, use: cst.Attribute, missing: re.Match[str]) -> Proposal | Declined:
    """The correction for an attribute that is missing, or why there is none."""
    name = use.attr.value
    owner = missing["of"] or missing["class"] or missing["type"] or missing["enum"] or "object"
    if owner == "module" and (named := module.imported.get(module.code(use.value))):  # as Python 2 tells of it
        return of_module(case, module, use, named, name)
    if missing["module"]:
        return of_module(case, module, use, owner, name)
    classes = list(classes_of(case, owner.rpartition(".")[2], module))
    if any(is_dynamic(one) for one in classes) and not (
        name in members_of(owner, classes) and module.code(use.value) == "self"
    ):
        return Declined("attribute", f"{owner} answers for its attributes itself (__getattr__)")
    asked = [f"hasattr({module.code(use.value)}, {quote}{name}{quote})" for quote in ("'", '"')]
    if any(checks.is_guarded(module, use, one) for one in asked) or _is_probed(module, use, name):
        return Declined("attribute", "the code asks whether the attribute is there")
    if name in ("decode", "encode") and owner in ("str", "bytes"):
        return _by_type(module, use, name, owner)
    known = members_of(owner, classes)
    is_own = name in known or (module.code(use.value) == "self" and _is_set_by_heirs(module, use, name))
    likely = None if is_own else RENAMED.get((owner, name)) or likely_name(name, known, case)
    if likely:
        return renamed(module, use, name, likely, owner)
    if owner == "dict":
        return _key(module, use, name)
    if classes and not is_own and (kin := _kin(name, known)) is not None:
        return renamed(module, use, name, kin, owner)
    whole = handed_on.propose(module, use, name)
    if whole is not None:
        return whole
    if isinstance(_target(module, use), cst.AssignTarget | cst.AugAssign):
        return Declined("attribute", f"{owner} takes no attribute {name}: what was meant cannot be seen")
    if classes and module.code(use.value) == "self":
        return _set_first(case, module, use, name, next((one for one in classes if _sets(one, name)), classes[0]))
    return optional(case, module, use, name, owner)


def _kin(name: str, known: set[str]) -> str | None:
    """The one member whose name says the same more exactly: `ref_name` for `name`; None without just one."""
    if len(name) < 4:
        return None
    every = {one for one in known if one != name and not one.startswith("_") and one.endswith((f"_{name}", name))}
    return every.pop() if len(every) == 1 else None


def _target(module: Module, use: cst.Attribute) -> cst.CSTNode | None:
    around = module.parent(use)
    return around if isinstance(around, cst.AssignTarget) else None


def _is_probed(module: Module, use: cst.Attribute, name: str) -> bool:
    for around in module.ancestors(use):
        test = getattr(around, "test", None)
        if test is not None and re.search(rf"hasattr\([^)]*['\"]{name}['\"]", module.code(test)):
            return True
        if isinstance(around, cst.FunctionDef):
            break
    return False


def _key(module: Module, use: cst.Attribute, name: str) -> Proposal | Declined:
    around = module.parent(use)
    if isinstance(around, cst.Call) and around.func is use:
        return plain_types.made_of_dict(module, use, name) or Declined(
            "attribute", f"a dict has no method {name}: what was meant cannot be seen"
        )
    quote = "'" if "'" in module.code(module.statement(module.position(use).start.line) or use) else '"'
    if any(isinstance(one, cst.FormattedString) for one in module.ancestors(use)):
        outer = next(one for one in module.ancestors(use) if isinstance(one, cst.FormattedString))
        quote = "'" if outer.end.endswith('"') else '"'
    source = module.code(use.value)
    wanted = [use]
    wanted += [
        one
        for one in module.nodes(cst.Attribute)
        if one is not use
        and module.code(one.value) == source
        and module.function(one) is module.function(use)
        and not hasattr(dict, one.attr.value)
    ]
    for one in wanted:
        made = guards.expression(f"{source}[{quote}{one.attr.value}{quote}]")
        module.replace(one, made.with_changes(lpar=one.lpar, rpar=one.rpar))
    edit = module.edit()
    why = f"It is a dict: '{name}' is one of its keys, not an attribute."
    return Proposal("attribute", "key", (edit,), first_changed_line(edit), "review", why)


# -- the project's classes ---------------------------------------------------------------------------------------------


def _set_first(case: Case, module: Module, use: cst.Attribute, name: str, found: ast.ClassDef) -> Proposal | Declined:
    """Set the attribute in `__init__`, as it is set later, or read it as optional."""
    values = [
        ast.unparse(one.value)
        for one in ast.walk(found)
        if isinstance(one, ast.Assign) and any(ast.unparse(target) == f"self.{name}" for target in one.targets)
        if isinstance(one.value, _SET_LATER)
    ]
    start = _empty_of(values)
    own = next((one for one in module.nodes(cst.ClassDef) if one.name.value == found.name), None)
    first = next(
        (one for one in module.nodes(cst.FunctionDef, within=own) if one.name.value == "__init__"), None
    ) if own is not None else None  # fmt: skip
    if not _sets(found, name):
        if _is_set_by_heirs(module, use, name) or _has_alien_base(case, module, found):
            return optional(case, module, use, name, found.name)
        return Declined(
            "attribute", f"{found.name} never sets {name}: a class built on it, or beside it, is to have it"
        )
    targets = module.nodes(cst.AssignTarget, within=first) if first is not None else []
    if any(module.code(one.target) == f"self.{name}" for one in targets):
        if any(frame.function.rpartition(".")[2] == "__del__" for frame in case.records[0].frames):
            return _half_made(case, module, use, name, found.name)
        if first is not None and (before := _only_sometimes(module, first, name)) is not None:
            guards.before(module, before, f"self.{name} = {start or 'None'}\n")
            edit = module.edit()
            why = f"__init__ sets {name} in some cases only; it starts as {start or 'None'} now."
            return Proposal("attribute", "initialise", (edit,), first_changed_line(edit), "review", why)
        return Declined("attribute", f"__init__ sets {name}: it was asked for before that")
    if start == "None" and not lasting.lasts(module, use, "None"):
        start = None  # it would only fail one step further
    if first is None and own is not None and start in _UNCHANGING:
        return _of_class(module, own, name, start)
    if start is None or first is None or not isinstance(first.body, cst.IndentedBlock):
        return optional(case, module, use, name, found.name)
    guards.after(module, first.body.body[-1], f"self.{name} = {start}\n")
    edit = module.edit()
    why = f"{found.name} sets {name} only in other methods; it starts as {start} now."
    return Proposal("attribute", "initialise", (edit,), first_changed_line(edit), "review", why)


def _has_alien_base(case: Case, module: Module, found: ast.ClassDef) -> bool:
    """Whether a class is built on one of a library's, which may set the attribute in some cases only."""
    names = {ast.unparse(one).rpartition(".")[2] for one in found.bases} - {"object", "ABC", "Generic", "Protocol"}
    known = {one.name for one in classes_of(case, found.name, module)}
    return any(one.isidentifier() and one in module.imported for one in names - known)


def _only_sometimes(module: Module, first: cst.FunctionDef, name: str) -> cst.CSTNode | None:
    """The statement of `__init__` in which alone, and in some cases, an attribute is set; None elsewhere."""
    targets = [one for one in module.nodes(cst.AssignTarget, within=first) if module.code(one.target) == f"self.{name}"]
    body = list(first.body.body)
    holding = [one for one in body if any(one in module.ancestors(target) for target in targets)]
    if not holding or not all(isinstance(one, cst.If | cst.Try | cst.For | cst.While) for one in holding):
        return None
    outer = holding[0]
    if isinstance(outer, cst.If) and isinstance(outer.orelse, cst.Else) and len(targets) > 1:
        return None  # each branch sets it
    return outer


def _sets(found: ast.ClassDef, name: str) -> bool:
    return any(
        isinstance(one, ast.Attribute) and one.attr == name and isinstance(one.ctx, ast.Store)
        for one in ast.walk(found)
    )


def _is_set_by_heirs(module: Module, use: cst.Attribute, name: str) -> bool:
    """Whether classes of the file that are built on the one of this use set the attribute, and others do not."""
    own = module.nearest(use, cst.ClassDef)
    names = {own.name.value} if own is not None else set()
    found = False
    for one in module.nodes(cst.ClassDef):
        if not any(module.code(base.value).rpartition(".")[2] in names for base in one.bases):
            continue
        names.add(one.name.value)
        targets = module.nodes(cst.AssignTarget, within=one)
        found = found or any(module.code(target.target) == f"self.{name}" for target in targets)
    return found


def _of_class(module: Module, own: cst.ClassDef, name: str, start: str) -> Proposal | Declined:
    """Let a class without `__init__` have the value that its objects start with."""
    if own.decorators or not isinstance(own.body, cst.IndentedBlock) or "__slots__" in module.code(own.body):
        return Declined("attribute", f"{own.name.value} says otherwise what its objects have: {name} belongs there")
    last: cst.CSTNode | None = None
    for one in own.body.body:
        if not isinstance(one, cst.SimpleStatementLine) or not isinstance(one.body[0], cst.Assign | cst.Expr):
            break
        last = one
    if any(module.code(one.target) == name for one in module.nodes(cst.AssignTarget, within=own)):
        return Declined("attribute", f"{own.name.value} has {name} from the start: the error is from before that")
    if last is None:
        guards.before(module, own.body.body[0], f"{name} = {start}\n\n")
    else:
        guards.after(module, last, f"{name} = {start}\n")
    edit = module.edit()
    why = f"{own.name.value} sets {name} only in some methods; it is {start} from the start now."
    return Proposal("attribute", "initialise", (edit,), first_changed_line(edit), "review", why)


def _half_made(case: Case, module: Module, use: cst.Attribute, name: str, owner: str) -> Proposal | Declined:
    """`__del__` is called for objects whose `__init__` failed too: they have nothing to end."""
    test = module.parent(use)
    if isinstance(test, cst.If) and test.test is use and checks.leaves(test.body):
        quote = quote_of(module, use)
        module.replace(use, guards.expression(f"getattr({module.code(use.value)}, {quote}{name}{quote}, True)"))
        edit = module.edit()
        why = f"__del__ is called for a {owner} whose __init__ failed too: without '{name}' there is nothing to end."
        return Proposal("attribute", "getattr", (edit,), first_changed_line(edit), "review", why)
    return optional(case, module, use, name, owner)


def _empty_of(values: list[str]) -> str | None:
    for one in values:
        if one in ("None", "[]", "{}", "0", "0.0", "False", "''", "()"):
            return one
    if values and values[0] in ("True", "False"):
        return "False"
    if values and values[0][0] in "[{":
        return values[0][0] + {"[": "]", "{": "}"}[values[0][0]]
    return None


def optional(case: Case, module: Module, use: cst.Attribute, name: str, owner: str) -> Proposal | Declined:
    """Read an attribute that not every object has."""
    source = module.code(use.value)
    plain = plain_types.propose(case, module, use, name, owner)
    if plain is not None:
        return plain
    if owner in ("str", "dict", "list", "tuple", "int") and _asks_elsewhere(module, use, owner):
        return _other_type(case, module, use, name, owner)
    if owner in TYPES or owner in ("function", "method", "builtin_function_or_method", "type"):
        return Declined("attribute", f"a {owner} has no {name}: what was meant cannot be seen")
    if not guards.is_repeatable(source):
        return Declined("attribute", f"{owner} has no {name}, and nothing here says what was meant")
    around = module.parent(use)
    if isinstance(around, cst.Call) and around.func is use:
        return _method(case, module, use, around, name, owner)
    function = module.function(use)
    default = _default(case, module, use, function)
    quote = quote_of(module, use)
    if not lasting.lasts(module, use, default):
        fit = lasting.fitting(module, use)
        if fit is None:
            return _read_on(case, module, use, name, owner)
        default = fit
    others = shared_objects.reads(module, use, default)
    others += [one for one in same_tests.again(module, use, default) if one not in others]
    if others and default == "False":
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
    if isinstance(around, cst.If | cst.While | cst.CompIf | cst.UnaryOperation | cst.BooleanOperation):
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
    if line is not None and isinstance(line.body[0], cst.Expr) and line.body[0].value in (call, module.parent(call)):
        guards.under(module, line, good)
    elif (otherwise := "None" if lasting.lasts(module, call, "None") else _instead(module, call)) is None:
        return _read_on(case, module, use, name, owner)
    else:
        module.replace(call, guards.conditional(module, call, good, otherwise))
    edit = module.edit()
    why = f"Not every {owner} has '{name}': it is called where it is there."
    return Proposal("attribute", "hasattr", (edit,), first_changed_line(edit), "review", why)


def _instead(module: Module, call: cst.Call) -> str | None:
    """What stands for what a method gives, where None would fail; None in a condition, which asks for the method."""
    return None if absent.test_of(module, absent.whole_of(module, call)) is not None else lasting.fitting(module, call)


def _by_type(module: Module, use: cst.Attribute, name: str, owner: str) -> Proposal | Declined:
    """Text that was decoded already, or bytes that were encoded."""
    around = module.parent(use)
    if (
        owner in ("str", "bytes")
        and name in ("decode", "encode")
        and isinstance(around, cst.Call)
        and around.func is use
    ):
        if not guards.is_repeatable(module.code(use.value)):
            return Declined("attribute", f"a {owner} has no {name}: it is text already")
        kind = "bytes" if name == "decode" else "str"
        good = f"isinstance({module.code(use.value)}, {kind})"
        module.replace(around, guards.conditional(module, around, good, module.code(use.value)))
        edit = module.edit()
        why = f"It is {owner} already where it was to be {name}d."
        return Proposal("attribute", "already-text", (edit,), first_changed_line(edit), "review", why)
    return Declined("attribute", f"a {owner} has no {name}: what was meant cannot be seen")
