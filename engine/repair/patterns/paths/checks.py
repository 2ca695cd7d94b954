"""Paths that are looked for already: whether that decides the failing call, and what is done where one vanishes.

Relies on `guards` for the conditions before a node.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import checks
from engine.repair.patterns.paths import edits
from engine.repair.patterns.paths.answers import loop_over
from engine.repair.patterns.paths.calls import PathCall
from engine.repair.patterns.paths.guards import CHECKS, Site
from engine.repair.patterns.paths.rounds import SKIPPED
from engine.repair.patterns.paths.writes import suppressed
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source import wording
from engine.repair.patterns.source.edit import Module, with_keyword
from engine.repair.patterns.source.intent import own_nodes
from engine.repair.patterns.source.openings import keyword
from engine.repair.patterns.source.syntax import bound_values, last_name, walk

_ASKING = frozenset(
    (
        *("getsize", "getmtime", "getctime", "getatime", "stat", "lstat", "utime", "chmod", "chown", "disk_usage"),
        *("rename", "replace", "move", "readlink", "listdir", "scandir", "iterdir"),
    )
)
_VANISHED = "it vanished between the look and the use: it is as if it had not been there"


def is_checked(module: Module, call: PathCall) -> bool:
    """Whether the code before the call looks for the path already, and does something about it."""
    if any(_speaks(module, test, call) for test in checks.deciding(module, call.call)):
        return True
    scope = module.function(call.call) or module.tree
    line = module.position(call.call).start.line
    for node in walk(scope):
        if not isinstance(node, cst.Call) or module.position(node).start.line > line:
            continue
        is_before = _is_look(module, node, call) and not _is_of_what_is_listed(module, node, call)
        if is_before and _is_answered(module, node, call):
            return True
    return False


def _is_of_what_is_listed(module: Module, look: cst.Call, call: PathCall) -> bool:
    """Whether a look is at each of what the call lists, so that it comes behind it: `[... for name in listdir(d)]`."""
    for around in module.ancestors(call.call):
        if isinstance(around, cst.CompFor) and any(one is call.call for one in walk(around.iter)):
            whole = module.parent(around)
            return whole is not None and any(one is look for one in walk(whole))
    return False


def _speaks(module: Module, test: cst.CSTNode, call: PathCall) -> bool:
    return any(
        isinstance(one, cst.Call) and _is_look(module, one, call) and not _is_of_what_is_listed(module, one, call)
        for one in walk(test)
    )


def _is_look(module: Module, node: cst.Call, call: PathCall) -> bool:
    """Whether a call looks for this very path, however it is written."""
    if last_name(node.func) not in CHECKS:
        return False
    text = module.code(node)
    return any(re.search(rf"(?<![\w.]){re.escape(one)}(?![\w.])", text) for one in _names_of(module, call.path)) or any(
        one in _names_of(module, call.path) for one in _looked_for(module, node)
    )


def _names_of(module: Module, path: cst.BaseExpression) -> set[str]:
    """A path as it is written, and as what its name is bound to."""
    names = {module.code(path)}
    scope = module.function(path) or module.tree
    if isinstance(path, cst.Name):
        bound = bound_values(module, scope, path.value, module.position(path).start.line)
        names |= {module.code(one) for one in bound[:1] if isinstance(one, cst.BaseExpression)}
    return names


def _looked_for(module: Module, node: cst.Call) -> set[str]:
    given = node.args[0].value if node.args else node.func.value if isinstance(node.func, cst.Attribute) else None
    return _names_of(module, given) if given is not None else set()


def _is_answered(module: Module, look: cst.Call, call: PathCall) -> bool:
    """Whether what is asked by a look is kept for later, or the path is seen to where it is not there."""
    around = module.nearest(look, cst.If)
    if around is None or not any(one is look for one in walk(around.test)):
        return True
    names = _names_of(module, call.path)
    return any(re.search(rf"(?<![\w.]){re.escape(one)}(?![\w.])", module.code(around.body)) for one in names)


# -- what vanishes between the look and the use ------------------------------------------------------------------------


def raced(site: Site) -> Proposal | None:
    """Let what vanished be as if it had not been there, where the code looks for it right before it asks about it."""
    module, call, statement = site.module, site.call, site.statement
    looks = [test for test in checks.deciding(module, call.call) if _speaks(module, test, call)]
    if not looks:
        return None
    if call.action in ("delete", "delete-tree"):
        return _gone(site)
    name = last_name(call.call.func)
    if name not in _ASKING or module.function(statement) is None:
        return None
    if isinstance(statement, cst.If | cst.While) and any(node is call.call for node in walk(statement.test)):
        has_exit = any(own_nodes(statement, kind) for kind in (cst.Continue, cst.Break))
        chained = isinstance(module.parent(statement), cst.If) or (statement.orelse is not None)
        return None if (has_exit and isinstance(statement, cst.If)) or chained else suppressed(site, _VANISHED)
    loop = loop_over(module, statement)
    around = any(
        isinstance(one, cst.If) and any(one.test is test for test in looks) for one in module.ancestors(call.call)
    )
    if isinstance(statement, cst.SimpleStatementLine) and isinstance(loop, cst.For) and around:
        warn = wording.warning(module, statement, SKIPPED, "error")
        module.wrap(statement, f"try:\n    pass\nexcept FileNotFoundError as error:\n    {warn}\n    continue\n")
        return edits.done(module, "raced", "review", _VANISHED)
    answer = _otherwise(module, statement) if around else None
    if answer is None or not isinstance(statement, cst.SimpleStatementLine):
        return None
    module.wrap(statement, f"try:\n    pass\nexcept FileNotFoundError:\n    {answer}\n")
    return edits.done(module, "raced", "review", _VANISHED)


def _otherwise(module: Module, statement: cst.CSTNode) -> str | None:
    """The `return` of a plain value that is come to where a path is not there: in the `else`, or behind the `if`."""
    block = module.parent(statement)
    around = module.parent(block) if block is not None else None
    if not isinstance(around, cst.If) or not isinstance(block, cst.IndentedBlock) or len(block.body) != 1:
        return None
    after: cst.CSTNode | None = None
    outer = module.parent(around)
    if isinstance(around.orelse, cst.Else):
        after = around.orelse.body.body[0]
    elif around.orelse is None and isinstance(outer, cst.IndentedBlock) and around is not outer.body[-1]:
        after = outer.body[list(outer.body).index(around) + 1]
    code = module.code(after).strip() if after is not None else ""
    return code if re.fullmatch(r"return(?: (?:[\[\]{}()\d.\-\w]+|''|\"\"))?", code) else None


def _gone(site: Site) -> Proposal | None:
    module, call = site.module, site.call
    if call.is_path and call.action == "delete" and not call.call.args and keyword(call.call, "missing_ok") is None:
        module.replace(call.call, with_keyword(call.call, "missing_ok", "True"))
        return edits.done(module, "missing-ok", "review", _VANISHED)
    return suppressed(site, _VANISHED) if isinstance(site.statement, cst.SimpleStatementLine) else None
