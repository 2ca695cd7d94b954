"""Going on without a file that need not be there: what needs it is left out, the rest of the function is done.

What reads the file is put under a condition, alone, or with the statements right behind it that cannot do without it,
or with an empty value in front of it that all later uses can work with, or with each later use under a condition too.
Relies on `dependents` for what needs a name, on `contents` for the empty value.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import libcst as cst

from engine.repair.patterns.guarding.guards import expression
from engine.repair.patterns.guarding.stand_ins import is_read
from engine.repair.patterns.paths import contents, edits
from engine.repair.patterns.paths.answers import takes_parameter
from engine.repair.patterns.paths.calls import path_call
from engine.repair.patterns.paths.guards import Site, exists_test, hoisted, named_path, whole_statement
from engine.repair.patterns.paths.home import is_at_home
from engine.repair.patterns.paths.rests import begun_empty, needing_too
from engine.repair.patterns.paths.resumed import resumed
from engine.repair.patterns.paths.starved import is_starved
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source.dependents import Statement, bound_names, dependents
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import own_nodes
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.syntax import own_attribute

MOST_RUNS = 4
MOST_LINES = 14
WITHOUT = "it need not be there: what needs it is left out, the rest is done"
Scope = cst.FunctionDef | cst.Module


def go_round(site: Site) -> Proposal | None:
    """Do what needs the file only where it is there; None where nothing is left to be done without it."""
    module, statement = site.module, site.statement
    scope = module.function(statement) or module.tree
    block = module.parent(statement)
    if not isinstance(block, cst.IndentedBlock | cst.Module) or _leaves(module, statement):
        return None
    if scope is module.tree and not _is_imported(module) and not is_at_home(site):
        return None
    if not isinstance(statement, cst.SimpleStatementLine | cst.With | cst.For):
        return None
    if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) != 1:
        return None
    if is_starved(module, scope, statement):
        return None
    needed = _needed_later(module, scope, statement)
    unset = _unset(module, statement)
    if not needed and not unset:
        is_more_than_that = is_more(module, scope, statement) or begun_empty(module, statement) or is_at_home(site)
        return _wrapped(site, [statement]) if is_more_than_that else None
    if not unset:
        taken = _taken_up(site, needed)
        if taken is not None:
            return taken
        group = dependents(module, cast(cst.SimpleStatementLine, statement), lambda _node: False)
        if group is not None and len(group) > 1:
            return _wrapped(site, group)
    if len(needed) + len(unset) != 1:
        return None
    return _with_empty(site, scope, *needed, *unset) or (_in_parts(site, scope, *needed) if not unset else None)


def is_answering(site: Site) -> bool:
    """Whether a statement is done in answer to another error, or at the end of all: that error has to go its way."""
    inner: cst.CSTNode = site.statement
    for around in site.module.ancestors(site.statement):
        if isinstance(around, cst.FunctionDef | cst.ClassDef | cst.Lambda):
            return False
        if isinstance(around, cst.Finally):
            return True
        if isinstance(around, cst.ExceptHandler) and inner is around.body:
            last = around.body.body[-1] if isinstance(around.body, cst.IndentedBlock) else None
            small = last.body[0] if isinstance(last, cst.SimpleStatementLine) else None
            return isinstance(small, cst.Raise)
        inner = around
    return False


def is_taken_again(site: Site) -> bool:
    """Whether something is moved out of the way of what is put in its place behind: the first time, there is none."""
    module, statement = site.module, site.statement
    block = module.parent(statement)
    if site.call.action != "move" or not isinstance(block, cst.IndentedBlock):
        return False
    path = module.code(site.call.path)
    for one in list(block.body)[list(block.body).index(cast(cst.BaseStatement, statement)) + 1 :]:
        for call in module.nodes(cst.Call, within=one):
            made = path_call(module, call)
            if made is None or made.action not in ("move", "write"):
                continue
            goal = made.target if made.action == "move" else made.path
            if goal is not None and module.code(goal) == path:
                return True
    return False


def alone(site: Site) -> Proposal | None:
    """Do a statement that binds nothing only where its file is there; None for any other."""
    module, statement = site.module, site.statement
    small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1 else None
    is_bare = isinstance(small, cst.Expr) or isinstance(statement, cst.With)
    if not is_bare or _leaves(module, statement) or not is_whole(site):
        return None
    if _needed_later(module, module.function(statement) or module.tree, cast(Statement, statement)):
        return None
    return _wrapped(site, [cast(Statement, statement)])


def _is_imported(module: Module) -> bool:
    """Whether a file is more than a script: what it does at its top level is done wherever it is imported."""
    kinds = (cst.FunctionDef, cst.ClassDef)
    name = module.path.rpartition("/")[2]
    return name in ("setup.py", "conf.py") or any(isinstance(one, kinds) for one in module.tree.body)


def _needed_later(module: Module, scope: Scope, statement: Statement) -> list[str]:
    """Names that a statement binds, and nothing before it for sure, that are read behind it."""
    elements = {name for one in module.nodes(cst.CompFor, within=statement) for name in bound_names(one)}
    bound = set(bound_names(statement)) - elements
    end = module.position(statement).end.line
    reads = {
        one.value
        for one in module.nodes(cst.Name, within=scope.body if isinstance(scope, cst.FunctionDef) else scope)
        if one.value in bound and module.position(one).start.line > end and is_read(module, one)
        if not _is_bound_before(module, one, one.value, end)  # anew
    }
    return sorted(one for one in reads if not _is_bound_before(module, statement, one))


def _is_bound_before(module: Module, statement: cst.CSTNode, name: str, since: int = 0) -> bool:
    """Whether a name has a value whenever a statement is reached, one that it was given behind the line `since`."""
    function = module.function(statement)
    if since == 0 and function is not None and takes_parameter(function, name):
        return True
    inner: cst.CSTNode = statement
    for around in module.ancestors(statement):
        if module.position(around).end.line <= since:
            return False
        is_inside = isinstance(around, cst.For | cst.With) and inner is around.body
        if is_inside and module.position(around).start.line > since and name in set(_own_names(around)):
            return True
        if isinstance(around, cst.IndentedBlock):
            for one in around.body:
                if one is inner:
                    break
                if module.position(one).start.line <= since:
                    continue
                if isinstance(one, cst.SimpleStatementLine) and name in set(bound_names(one)):
                    return True
        if isinstance(around, cst.FunctionDef):
            return False
        inner = around
    return False


def _own_names(around: cst.CSTNode) -> list[str]:
    if isinstance(around, cst.For):
        return [one.value for one in own_nodes(cst.Expr(around.target), cst.Name)]
    return [name for item in around.items for name in bound_names(item)] if isinstance(around, cst.With) else []


def _unset(module: Module, statement: Statement) -> list[str]:
    """Attributes of `self` that a statement sets, and nothing else in the class does."""
    around = module.nearest(statement, cst.ClassDef)
    targets = {
        module.code(one.target) for one in module.nodes(cst.AssignTarget, within=statement) if own_attribute(one.target)
    }
    if around is None:
        return sorted(targets)
    start, end = module.position(statement).start.line, module.position(statement).end.line
    others: set[str] = set()
    set_there: list[cst.AssignTarget | cst.AnnAssign] = [*module.nodes(cst.AssignTarget, within=around.body)]
    set_there += module.nodes(cst.AnnAssign, within=around.body)
    for one in set_there:
        if not start <= module.position(one).start.line <= end:
            code = module.code(one.target)
            others |= {code, f"self.{code}"}
    return sorted(targets - others)


def is_more(module: Module, scope: Scope, statement: Statement) -> bool:
    """Whether something is left to be done behind a statement, other than to leave with nothing."""
    inner: cst.CSTNode = statement
    for around in module.ancestors(statement):
        if isinstance(around, cst.IndentedBlock | cst.Module):
            rest = list(around.body)[list(around.body).index(cast(cst.BaseStatement, inner)) + 1 :]
            if any(module.code(one).strip() not in ("return", "return None", "pass") for one in rest):
                return True
        if around is scope:
            return False
        inner = around
    return False


def _leaves(module: Module, statement: cst.CSTNode) -> bool:
    """Whether a statement leaves the function, or the round of a loop around it."""
    if any(own_nodes(statement, kind) for kind in (cst.Return, cst.Yield)):
        return True
    rounds = [*own_nodes(statement, cst.Continue), *own_nodes(statement, cst.Break)]
    return any(not _is_of_loop_within(module, one, statement) for one in rounds)


def _is_of_loop_within(module: Module, one: cst.CSTNode, statement: cst.CSTNode) -> bool:
    inner = one
    for around in module.ancestors(one):
        if isinstance(around, cst.For | cst.While) and inner is around.body:
            return True
        if around is statement:
            return False
        inner = around
    return False


# -- the edits ------------------------------------------------------------------------------------------------------


def _condition(site: Site, first: Statement) -> tuple[str, Statement, str]:
    """The lines that name the path, the statement with that name in it, and the test whether it is there."""
    name, changed = named_path(site, site.call.path)
    head = hoisted(site.module, name, site.call.path)
    made = cast(Statement, changed) if first is site.statement else first
    return head, made, exists_test(site.module, site, name)


def _wrapped(site: Site, group: Sequence[Statement]) -> Proposal | None:
    """Put statements under one condition."""
    module = site.module
    too = needing_too(site, group)
    if too is None:
        return None
    group = [*group, *too]
    head, first, test = _condition(site, group[0])
    body = [first.with_changes(leading_lines=()), *group[1:]]
    made = cst.If(expression(test), cst.IndentedBlock(body=body))
    _put(module, group[0], head, made)
    for other in group[1:]:
        module.replace(other, cst.RemoveFromParent())
    return edits.done(module, "go-round", "review", WITHOUT)


def _taken_up(site: Site, needed: Sequence[str]) -> Proposal | None:
    """Begin at the beginning without the file that says where work was left."""
    module, statement = site.module, site.statement
    block = module.parent(statement)
    if len(needed) != 1 or not isinstance(block, cst.IndentedBlock):
        return None
    later = list(block.body)[list(block.body).index(cast(cst.BaseStatement, statement)) :]
    made = resumed(module, later, needed[0])
    if made is None:
        return None
    head, first, test = _condition(site, made.needing[0])
    body = [first.with_changes(leading_lines=()), *made.needing[1:]]
    begun = "".join(f"{name} = {value}\n" for name, value in made.beginnings)
    _put(module, made.needing[0], begun + head, cst.If(expression(test), cst.IndentedBlock(body=body)))
    for other in made.needing[1:]:
        module.replace(other, cst.RemoveFromParent())
    return edits.done(module, "go-round", "review", "without it, the work begins at the beginning")


def _put(module: Module, statement: Statement, head: str, made: cst.If) -> None:
    lead = list(statement.leading_lines)  # type: ignore[attr-defined]
    lines = list(parse_statements(head, module.tree)) if head else []
    whole: list[cst.CSTNode] = [*lines, made]
    whole[0] = cast(cst.SimpleStatementLine, whole[0]).with_changes(leading_lines=lead)
    module.replace(statement, cst.FlattenSentinel(whole))


def _with_empty(site: Site, scope: Scope, name: str) -> Proposal | None:
    """Give a name an empty value first, where everything that is done with it afterwards can work with one."""
    module, statement = site.module, site.statement
    bindings = [
        one
        for one in module.nodes(cst.Assign, within=statement)
        if any(module.code(each.target) == name for each in one.targets)
    ]
    if len(bindings) != 1:
        return None
    value = contents.of_value(module.code(bindings[0].value)) or _of_opening(site, bindings[0])
    if name.isidentifier():
        end = module.position(statement).end.line
        names = [
            one
            for one in module.nodes(cst.Name, within=scope.body if isinstance(scope, cst.FunctionDef) else scope)
            if one.value == name and module.position(one).start.line > end and is_read(module, one)
        ]
        value = contents.by_use(module, names, value)
    elif value == "{}" and (around := module.nearest(statement, cst.ClassDef)) is not None:
        start, end = module.position(statement).start.line, module.position(statement).end.line
        others = [one for one in module.nodes(cst.Attribute, within=around.body) if module.code(one) == name]
        reads = [one for one in others if not start <= module.position(one).start.line <= end]
        value = contents.by_class(module, reads, value)
    too = needing_too(site, [cast(Statement, statement)])
    if value is None or too is None:
        return None
    head, first, test = _condition(site, cast(Statement, statement))
    body = [first.with_changes(leading_lines=()), *too]
    made = cst.If(expression(test), cst.IndentedBlock(body=body))
    for other in too:
        module.replace(other, cst.RemoveFromParent())
    _put(module, cast(Statement, statement), f"{name} = {_quoted(module, value)}\n{head}", made)
    return edits.done(module, "default", "review", f"it need not be there: {value} stands for what it would hold")


def _of_opening(site: Site, change: cst.Assign) -> str | None:
    """What `file.read()` gives, by how the file was opened."""
    return 'b""' if ".read()" in site.module.code(change.value) and "rb" in site.module.code(site.call.call) else None


def _quoted(module: Module, value: str) -> str:
    return value.replace('"', module.quote)


def _in_parts(site: Site, scope: Scope, name: str) -> Proposal | None:
    """Let a name be None, and do whatever needs it under a condition, where it is there."""
    module, statement = site.module, site.statement
    if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(statement.body[0], cst.Assign):
        return None
    if [module.code(one.target) for one in statement.body[0].targets] != [name]:
        return None
    end = module.position(statement).end.line
    reads = [
        one
        for one in module.nodes(cst.Name, within=scope.body if isinstance(scope, cst.FunctionDef) else scope)
        if one.value == name and module.position(one).start.line > end and is_read(module, one)
    ]
    runs = _runs(module, statement, reads, end)
    if runs is None:
        return None
    for run in runs:
        body = [run[0].with_changes(leading_lines=()), *run[1:]]
        made = cst.If(expression(f"{name} is not None"), cst.IndentedBlock(body=body))
        module.replace(run[0], made.with_changes(leading_lines=run[0].leading_lines))  # type: ignore[attr-defined]
        for other in run[1:]:
            module.replace(other, cst.RemoveFromParent())
    head, first, test = _condition(site, statement)
    made = cst.If(expression(test), cst.IndentedBlock(body=[first.with_changes(leading_lines=())]))
    _put(module, statement, f"{name} = None\n{head}", made)
    return edits.done(module, "go-round", "review", WITHOUT)


def _runs(module: Module, statement: cst.CSTNode, reads: Sequence[cst.Name], end: int) -> list[list[Statement]] | None:
    """The statements of one block behind a statement that hold every read, those side by side together; None where
    they leave the function, are many, or bind what others read."""
    for block in module.ancestors(statement):
        if isinstance(block, cst.FunctionDef):
            return None
        if not isinstance(block, cst.IndentedBlock):
            continue
        later = [one for one in block.body if module.position(one).start.line > end]
        inside = {id(read): one for one in later for read in reads if _holds(module, one, read)}
        if len(inside) == len(reads):
            break
    else:
        return None
    holding = [one for one in later if any(one is each for each in inside.values())]
    runs: list[list[Statement]] = []
    for one in holding:
        if runs and later.index(one) == later.index(runs[-1][-1]) + 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    lines = sum(module.position(one).end.line - module.position(one).start.line + 1 for one in holding)
    if len(runs) > MOST_RUNS or lines > MOST_LINES or any(_leaves(module, one) for one in holding):
        return None
    if len(holding) == len(later):
        return None  # nothing is left to be done
    bound = {name for one in holding for name in bound_names(one)}
    others = [one for one in later if not any(one is each for each in holding)]
    read = {one.value for each in others for one in module.nodes(cst.Name, within=each)}
    return None if bound & read else runs


def _holds(module: Module, statement: cst.CSTNode, node: cst.CSTNode) -> bool:
    return any(one is statement for one in module.ancestors(node))


def is_whole(site: Site) -> bool:
    """Whether the statement that failed stands for itself: no `elif`, nothing that only a part of is reached."""
    return whole_statement(site.module, site.statement) is site.statement
