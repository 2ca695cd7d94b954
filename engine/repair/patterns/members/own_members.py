"""An attribute that an object does not have: misspelt, renamed, or set only later; else it is read as optional.

Relies on the project's own classes as they stand in its sources, and on what Python's types and modules have.
"""

from __future__ import annotations

import ast
import re

import libcst as cst

from engine.repair.patterns.guarding import checks, guards, lasting
from engine.repair.patterns.members import handed_on, plain_types
from engine.repair.patterns.members.of_modules import RENAMED, of_module, quote_of, renamed
from engine.repair.patterns.members.optional_reads import optional
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module, first_changed_line
from engine.repair.patterns.source.own_classes import (
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
        if isinstance(one.value, _SET_LATER) or _is_made_empty(one.value)
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
        starts = lasting.lasts(module, use, start or "None") or checks.is_guarded(module, use, f"self.{name}")
        if first is not None and not starts and _only_sometimes(module, first, name) is not None:
            return optional(case, module, use, name, found.name)
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


def _is_made_empty(value: ast.expr) -> bool:
    """`Counter()`, `deque()`: what is put together from nothing."""
    if not isinstance(value, ast.Call) or value.args or value.keywords:
        return False
    return ast.unparse(value.func).rpartition(".")[2] in ("Counter", "deque", "OrderedDict", "list", "dict", "set")


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
    if values and len(set(values)) == 1 and values[0].endswith("()"):
        return values[0]
    if values and values[0] in ("True", "False"):
        return "False"
    if values and values[0][0] in "[{":
        return values[0][0] + {"[": "]", "{": "}"}[values[0][0]]
    return None


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
