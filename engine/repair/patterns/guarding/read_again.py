"""What fails on the same thing behind a place that was guarded: each is guarded in its turn.

A guard of one statement, or of one expression, lets the function go on to where the thing is needed again. Relies on
`absent` for the guards.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import libcst as cst

from engine.repair.patterns.guarding import absent, asking_callers, guards
from engine.repair.patterns.guarding import checks as checks_of
from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.guarding.checks import is_guarded
from engine.repair.patterns.pattern import Case, FileEdit
from engine.repair.patterns.source.edit import Module, NotEditable

MOST_GUARDS = 4


def guarded(case: Case, module: Module, absence: Absence, edit: FileEdit, checks: Sequence[str] = ()) -> FileEdit:
    """The edit, with guards for the later needs of its function that it leaves open; `checks`: what is asked for where
    the subject itself is something, as source. Loops of the file that call the function go on without what it lacks."""
    scope = module.function(absence.use)
    made = _guarded(case, module, absence, edit, checks)
    return made if scope is None else asking_callers.passed_over(module, scope, made)


def _guarded(case: Case, module: Module, absence: Absence, edit: FileEdit, checks: Sequence[str]) -> FileEdit:
    code = module.code(absence.subject)
    scope = module.function(absence.use)
    if scope is None or not guards.may_repeat(module, absence.subject):
        return edit
    index = module.nodes(cst.FunctionDef).index(scope)
    error = case.records[0].type.rpartition(".")[2]
    later = [one for one in _later(module, absence, scope, checks) if not _is_caught(module, one, error)]
    wanted = [_place(module, one) for one in later]
    made = edit
    for _round in range(MOST_GUARDS):
        if not wanted:
            return made
        try:
            new = Module(module.path, made.after)
            functions = new.nodes(cst.FunctionDef)
            if len(functions) != len(module.nodes(cst.FunctionDef)):
                return made
            open_ones = _open(new, absence, functions[index], code, checks)
            one = next((each for each in open_ones if _place(new, each) in wanted), None)
            if one is None:
                return made
            wanted.remove(_place(new, one))
            absent.guard(case, new, replace(absence, use=one, subject=_owner(new, one, code)))
            made = FileEdit(edit.path, edit.before, new.edit().after)
        except NotEditable:
            return made
    return made


def alike(case: Case, module: Module, absence: Absence, edit: FileEdit) -> FileEdit:
    """The edit, with a guard for each statement right behind the one of the use that is its like: `soup.find("b").text`
    behind `soup.find("a").text`, which may be None just as well."""
    form = _form(module, absence)
    line = module.nearest(absence.use, cst.SimpleStatementLine)
    block = module.parent(line) if line is not None else None
    if form is None or line is None or not isinstance(block, cst.IndentedBlock | cst.Module):
        return edit
    wanted: list[str] = []
    for one in list(block.body)[list(block.body).index(line) + 1 :]:
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        codes = [module.code(each) for each in _likes(module, one, form)]
        if not isinstance(small, cst.Assign | cst.Expr) or len(codes) != 1:
            break
        wanted += codes
    made = edit
    for code in wanted[:MOST_GUARDS]:
        try:
            new = Module(module.path, made.after)
            use = next((one for one in _likes(new, new.tree, form) if new.code(one) == code), None)
            if use is None:
                return made
            if not is_guarded(new, use, new.code(use.value)):
                absent.guard(case, new, replace(absence, use=use, subject=use.value))
                made = FileEdit(edit.path, edit.before, new.edit().after)
        except NotEditable:
            return made
    return made


def _form(module: Module, absence: Absence) -> str | None:
    """What a call gives None by, as source, for `soup.find("a").text`: `soup.find`."""
    use, call = absence.use, absence.subject
    if not absence.is_none or not isinstance(use, cst.Attribute | cst.Subscript) or use.value is not call:
        return None
    if not isinstance(call, cst.Call) or not isinstance(call.func, cst.Attribute) or not call.args:
        return None
    return module.code(call.func)


def _likes(module: Module, node: cst.CSTNode, form: str) -> list[cst.Attribute | cst.Subscript]:
    every: list[cst.Attribute | cst.Subscript] = [
        *module.nodes(cst.Attribute, within=node),
        *module.nodes(cst.Subscript, within=node),
    ]
    return [
        one
        for one in every
        if isinstance(one.value, cst.Call) and one.value.args and module.code(one.value.func) == form
    ]


def _place(module: Module, node: cst.BaseExpression) -> tuple[str, str]:
    """What tells a need from others, as source: itself, and its statement."""
    line = module.nearest(node, cst.SimpleStatementLine)
    return module.code(node), "" if line is None else module.code(line).strip()


def _owner(module: Module, node: cst.BaseExpression, code: str) -> cst.BaseExpression:
    found = [
        one
        for one in module.nodes(cst.BaseExpression, within=node)  # type: ignore[type-abstract]
        if module.code(one) == code
    ]
    if not found:
        raise NotEditable("what is needed again cannot be told")
    return found[0]


def _open(
    module: Module, absence: Absence, scope: cst.FunctionDef, code: str, checks: Sequence[str]
) -> list[cst.BaseExpression]:
    """What in a function needs the subject, and is not asked for before."""
    every = module.nodes(cst.BaseExpression, within=scope.body)  # type: ignore[type-abstract]
    needing = [one for one in every if absence.needed_by(module, one) and module.function(one) is scope]
    if absence.is_none:
        return needing
    return [one for one in needing if not any(is_guarded(module, one, check) for check in (*checks, code))]


def _later(module: Module, absence: Absence, scope: cst.FunctionDef, checks: Sequence[str]) -> list[cst.BaseExpression]:
    """What needs the same on the way behind the use, as far as the name is not bound anew."""
    code = module.code(absence.subject)
    start = module.position(absence.use).start.line
    behind = _statements_behind(module, absence.use)
    names = guards.names_of(code)
    found: list[cst.BaseExpression] = []
    for one in _open(module, absence, scope, code, checks):
        line = module.position(one).start.line
        if line <= start or not _is_on_the_way(module, one, behind):
            continue
        if _is_bound_between(module, scope, {code, *names}, start, line, _loop_asking(module, absence.use)):
            break
        found.append(one)
    return found


def _is_on_the_way(module: Module, node: cst.CSTNode, behind: Sequence[cst.CSTNode]) -> bool:
    """Whether a need stands in one of the statements themselves, or in what they ask: not in a branch of its own."""
    line = module.nearest(node, cst.SimpleStatementLine)
    if line is not None and line in behind:
        return True
    inner: cst.CSTNode = node
    block: cst.CSTNode = line if line is not None else node
    for around in module.ancestors(node):
        if around in behind:
            asked = inner is getattr(around, "test", None) or inner is getattr(around, "iter", None)
            return asked or (block in behind or _is_run_in(module, block, around))
        inner = around
    return False


def _is_caught(module: Module, node: cst.CSTNode, error: str) -> bool:
    """Whether a `try` around a need says already what is done where it fails."""
    inner: cst.CSTNode = node
    for around in module.ancestors(node):
        if isinstance(around, cst.Try) and inner is around.body:
            caught = [module.code(one.type) if one.type is not None else "Exception" for one in around.handlers]
            if any(re.search(rf"\b(?:{error}|Exception|BaseException|LookupError)\b", one) for one in caught):
                return True
        if isinstance(around, cst.FunctionDef):
            return False
        inner = around
    return False


def _is_run_in(module: Module, line: cst.CSTNode, around: cst.CSTNode) -> bool:
    """Whether a statement is run whenever one around it is: in a `with`, a `try`, or what ends it."""
    inner = line
    for each in module.ancestors(line):
        if isinstance(each, cst.Try | cst.With) and inner is not each.body and not isinstance(inner, cst.Finally):
            return False
        if each is around:
            return isinstance(each, cst.Try | cst.With)
        if not isinstance(each, cst.IndentedBlock | cst.Try | cst.With | cst.Finally):
            return False
        inner = each
    return False


def _statements_behind(module: Module, use: cst.CSTNode) -> list[cst.CSTNode]:
    """The statements that are reached once the one of a use is done."""
    found: list[cst.CSTNode] = []
    inner: cst.CSTNode = use
    for around in module.ancestors(use):
        if isinstance(around, cst.IndentedBlock):
            body = list(around.body)
            found += body[body.index(inner) + 1 :]  # type: ignore[arg-type]
            if checks_of.leaves(around):
                break  # what stands behind the block is not reached from here
        if isinstance(around, cst.FunctionDef):
            break
        inner = around
    return found


def _loop_asking(module: Module, use: cst.CSTNode) -> cst.While | None:
    """The loop whose condition a use is: what is bound in it is what the condition ends it for."""
    inner: cst.CSTNode = use
    for around in module.ancestors(use):
        if isinstance(around, cst.While):
            return around if inner is around.test else None
        inner = around
    return None


def _is_bound_between(
    module: Module, scope: cst.FunctionDef, names: set[str], start: int, line: int, besides: cst.While | None
) -> bool:
    return any(
        module.code(one.target) in names
        and start <= module.position(one).start.line < line
        and (besides is None or besides not in module.ancestors(one))
        for one in module.nodes(cst.AssignTarget, within=scope.body)
    )
