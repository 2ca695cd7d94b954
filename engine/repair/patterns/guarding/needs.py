"""What else needs a thing that is missing: the statements behind, and all that a function does with it."""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import checks
from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import bound_to

_DRAWN = re.compile(r"\.(?:redraw|refresh|repaint|render|draw|flush)\(\)\s*\Z")  # what has not changed


def is_only_told(module: Module, absence: Absence, function: cst.FunctionDef | None) -> bool:
    """Whether a function does nothing with an object but tell it things: its work is done without it as well."""
    if function is None or not absence.is_none or isinstance(absence.subject, cst.Call):
        return False
    needing = [
        one
        for one in module.nodes(cst.BaseExpression, within=function.body)  # type: ignore[type-abstract]
        if absence.needed_by(module, one)
    ]
    lines = [module.nearest(one, cst.SimpleStatementLine) for one in needing]
    return all(one is not None and isinstance(one.body[0], cst.Expr) for one in lines) and any(
        module.nodes(kind, within=function.body) for kind in (cst.Assign, cst.AugAssign, cst.For)
    )


def try_before_more(module: Module, absence: Absence) -> cst.Try | None:
    """The `try` that fails for what is None, where a handler would only go on to what needs the very thing again; None
    for any other."""
    inner: cst.CSTNode = absence.use
    code = module.code(absence.subject)
    for around in module.ancestors(absence.use):
        if isinstance(around, cst.FunctionDef | cst.ClassDef):
            return None
        if isinstance(around, cst.Try) and inner is around.body:
            if not absence.is_none or all(checks.leaves(one.body) for one in around.handlers):
                return None
            scope, end = module.function(around), module.position(around).end.line
            again = [
                one
                for one in module.nodes(type(absence.subject), within=scope.body if scope is not None else module.tree)
                if module.code(one) == code and module.position(one).start.line > end
            ]
            again = [one for one in again if not isinstance(module.parent(one), cst.AssignTarget)]
            if not any(not checks.is_guarded(module, one, code) for one in again):
                return None
            block = module.parent(around)
            is_all = isinstance(block, cst.IndentedBlock) and _all_need(module, block, around, code)
            return around if is_all else None
        inner = around
    return None


def is_handed_on(module: Module, absence: Absence, line: cst.SimpleStatementLine) -> bool:
    """Whether what was looked up here, and is None, is handed to what the next statement of the block calls for it."""
    block, subject = module.parent(line), absence.subject
    if not absence.is_none or not isinstance(subject, cst.Name) or not isinstance(block, cst.IndentedBlock):
        return False
    if not isinstance(bound_to(module, subject), cst.Call):
        return False
    for one in list(block.body)[list(block.body).index(line) + 1 :]:
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) else None
        call = small.value if isinstance(small, cst.Expr) else None
        call = call.expression if isinstance(call, cst.Await) else call
        given = [arg.value for arg in call.args if arg.keyword is None] if isinstance(call, cst.Call) else []
        if any(module.code(each) == subject.value for each in given) and isinstance(call, cst.Call):
            is_open = isinstance(call.func, cst.Attribute) and not checks.is_guarded(module, call, subject.value)
            return is_open and _all_need(module, block, line, subject.value)
    return False


def _all_need(module: Module, block: cst.IndentedBlock, line: cst.CSTNode, subject: str) -> bool:
    """Whether every statement behind one in its block speaks of the subject, or of what was bound with it."""
    names = {subject}
    for one in list(block.body)[[id(each) for each in block.body].index(id(line)) :]:
        read = {module.code(each) for each in module.nodes(cst.BaseExpression, within=one)}  # type: ignore[type-abstract]
        if not names & read and not _DRAWN.search(module.code(one)):
            return False
        names |= {module.code(each.target) for each in module.nodes(cst.AssignTarget, within=one)}
    return True


def goes_into_next(module: Module, absence: Absence, line: cst.SimpleStatementLine) -> bool:
    """Whether the statement right behind makes something of what is missing: `record = prepared(record)`."""
    block, subject = module.parent(line), absence.subject
    if not absence.is_none or not isinstance(subject, cst.Name) or not isinstance(block, cst.IndentedBlock):
        return False
    later = list(block.body)[list(block.body).index(line) + 1 :]
    small = later[0].body[0] if later and isinstance(later[0], cst.SimpleStatementLine) else None
    call = small.value if isinstance(small, cst.Assign | cst.AnnAssign | cst.Return) else None
    call = call.expression if isinstance(call, cst.Await) else call
    given = [arg.value for arg in call.args] if isinstance(call, cst.Call) else []
    return any(module.code(each) == subject.value for each in given)


def is_asked_next(module: Module, only: cst.BaseSmallStatement, line: cst.SimpleStatementLine) -> bool:
    """Whether what an object gets here is asked for something by the statement right behind: `self.x.start()`."""
    block = module.parent(line)
    later = list(block.body)[list(block.body).index(line) + 1 :] if isinstance(block, cst.IndentedBlock) else []
    targets = [module.code(one.target) for one in only.targets] if isinstance(only, cst.Assign) else []
    following = later[0] if later and isinstance(later[0], cst.SimpleStatementLine) else None
    if following is None or len(targets) != 1 or "." not in targets[0]:
        return False
    asked: list[cst.Attribute | cst.Subscript] = list(module.nodes(cst.Attribute, within=following))
    asked += module.nodes(cst.Subscript, within=following)
    return any(module.code(one.value) == targets[0] and not checks.is_guarded(module, one, targets[0]) for one in asked)


def is_needed_later(module: Module, absence: Absence, line: cst.SimpleStatementLine) -> bool:
    """Whether a statement behind in the block fails just so."""
    return behind(module, absence, line) > 0


def behind(module: Module, absence: Absence, line: cst.SimpleStatementLine) -> int:
    """How many statements behind in the block fail just so."""
    block = module.parent(line)
    later = list(block.body)[list(block.body).index(line) + 1 :] if isinstance(block, cst.IndentedBlock) else []
    needing = [
        one
        for one in later
        if any(
            absence.needed_by(module, node)
            for node in module.nodes(cst.BaseExpression, within=one)  # type: ignore[type-abstract]
        )
    ]
    return len(needing)
