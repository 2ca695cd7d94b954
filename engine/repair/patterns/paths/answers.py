"""Who asked for the missing path, and what the code base wants where it is not there."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from engine.repair.patterns.paths.guards import (
    Site,
)
from engine.repair.patterns.source import expected
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import own_nodes, returns_value
from engine.repair.patterns.source.syntax import (
    argument_for,
    assignments,
    bound_values,
    last_name,
    own_parts,
    scopes,
    walk,
)

FIRST_TIME = re.compile(
    r"(?i)cache|state|history|checkpoint|progress|session|seen|index|store|database|manifest|registry"
)
_TABLE = re.compile(  # a pickle holds anything
    r"(?:(?:modin\.)?pandas\.read_(?:csv|json|excel|parquet|table|feather|fwf|xml)|polars\.read_(?:csv|json|excel|parquet))\Z"
)
STARTS = ("main", "cli", "run", "_main")


def loop_over(module: Module, statement: cst.CSTNode) -> cst.For | cst.While | None:
    """The innermost loop around a statement, where `continue` can be said."""
    inner = statement
    for around in module.ancestors(statement):
        if isinstance(around, cst.FunctionDef | cst.ClassDef):
            return None
        if isinstance(around, cst.For | cst.While):
            return around if inner is around.body else None
        inner = around
    return None


def varies_in(module: Module, loop: cst.For | cst.While, path: cst.CSTNode) -> bool:
    """Whether a path depends on what the loop goes through: its target, or what it takes from a queue before."""
    targets: set[str] = set()
    if isinstance(loop, cst.For):
        targets = {one.value for one in walk(loop.target) if isinstance(one, cst.Name)}
    else:
        line = module.position(path).start.line
        for target, value in assignments(loop.body):
            takes = isinstance(value, cst.Call) and last_name(value.func) in (
                "pop",
                "popleft",
                "get",
                "next",
                "get_nowait",
            )
            if takes and module.position(value).start.line < line:
                targets |= {one.value for one in walk(target) if isinstance(one, cst.Name)}
    names = [one for one in walk(path) if isinstance(one, cst.Name)]
    seen: set[str] = set()
    while names:
        name = names.pop()
        if name.value in targets:
            return True
        if name.value in seen:
            continue
        seen.add(name.value)
        scope = next(iter(scopes(module, loop)), None)
        line = module.position(loop.body).end.line
        for value in bound_values(module, scope, name.value, line) if scope is not None else ():
            if any(around is loop for around in module.ancestors(value)):
                names += [one for one in walk(value) if isinstance(one, cst.Name)]
    return False


def own_answer(site: Site, function: cst.FunctionDef) -> expected.Expected | None:
    """What the failing function should give instead, as the code base says."""
    module, trail = site.module, site.trail
    found = (
        expected.expected(trail, module, function)
        or expected.by_callers(trail, function.name.value)
        or expected.by_annotation(module, function)
    )
    if found is not None:
        return found
    words = f"{function.name.value} {module.code(site.call.path)}"
    if isinstance(site.call.path, cst.Name):
        line = module.position(site.call.call).start.line
        made = bound_values(module, function, site.call.path.value, line)[:1]
        words += "".join(f" {module.code(one)}" for one in made)
    empty = expected.empty_of(module, function)
    if FIRST_TIME.search(words):
        if not returns_value(function):
            return expected.Expected("None", None, "the first time there is no such file yet")
        if empty is None and re.search(r"(?i)key|cache_?id|digest|hash", words) and re.search(r"(?i)cache", words):
            return expected.Expected("None", None, "nothing is kept under that key yet")
        value = empty or (_by_content(site) if _gives_what_it_reads(site, function) else None)
        if value:
            return expected.Expected(value, None, "the first time there is no such file yet")
    return None


def _gives_what_it_reads(site: Site, function: cst.FunctionDef) -> bool:
    """Whether a function returns what it reads from the file itself, and nothing that it makes of that."""
    module, statement = site.module, site.statement
    inside = {one.value for one in own_nodes(statement, cst.Name)}
    for one in own_nodes(function.body, cst.Return):
        if one.value is None or module.position(one).start.line < module.position(statement).start.line:
            continue
        within = any(around is statement for around in (one, *module.ancestors(one)))
        if within or (isinstance(one.value, cst.Name) and one.value.value in inside):
            return True
    return isinstance(statement, cst.SimpleStatementLine) and isinstance(statement.body[0], cst.Return)


def _by_content(site: Site) -> str | None:
    """The empty value of what a file of one's own holds, judged by how it is read."""
    text = site.module.code(site.module.function(site.call.call) or site.statement)
    owner, dot, _name = site.module.code(site.call.call.func).rpartition(".")
    if dot and _TABLE.match(site.module.qualified(site.call.call.func)):
        return f"{owner}.DataFrame()"
    if "json.load" in text or "yaml" in text or "pickle.load" in text or "tomllib" in text:
        return "{}"
    if "readlines" in text or "splitlines" in text or "csv." in text:
        return "[]"
    return None


def as_parameter(site: Site, function: cst.FunctionDef) -> str | None:
    """The parameter that the failing path is, or None where it is made of several things."""
    path: cst.CSTNode = site.call.path
    for _step in range(4):
        if isinstance(path, cst.Call) and last_name(path.func) in ("Path", "str", "fspath") and len(path.args) == 1:
            path = path.args[0].value
            continue
        if not isinstance(path, cst.Name):
            return None
        if takes_parameter(function, path.value):
            rebound = bound_values(site.module, function, path.value, 10**9)
            if not rebound:
                return path.value
            return path.value if all(_wraps(one, path.value) for one in rebound) else None
        values = bound_values(site.module, function, path.value, site.module.position(site.call.call).start.line)
        if not values:
            return None
        path = values[0]
    return None


def _wraps(node: cst.CSTNode, name: str) -> bool:
    return (
        isinstance(node, cst.Call)
        and last_name(node.func) in ("Path", "str")
        and len(node.args) == 1
        and isinstance(node.args[0].value, cst.Name)
        and node.args[0].value.value == name
    )


def takes_parameter(function: cst.FunctionDef, name: str) -> bool:
    given = function.params
    return any(one.name.value == name for one in (*given.posonly_params, *given.params, *given.kwonly_params))


def calling(
    statement: cst.CSTNode, function: cst.FunctionDef, parameter: str | None, owner: Module
) -> tuple[cst.Call | None, cst.BaseExpression | None]:
    """The call of a function in a statement, and what it gives for the path."""
    names = {function.name.value}
    around = owner.nearest(function, cst.ClassDef) if owner.position(function) else None
    if function.name.value == "__init__" and around is not None:
        names.add(around.name.value)
    for node in calls_in(statement):
        if last_name(node.func) in names:
            given = argument_for(node, function, parameter, owner) if parameter else None
            return node, given
    return None, None


def calls_in(statement: cst.CSTNode) -> Iterator[cst.Call]:
    for part in own_parts(statement):
        for node in walk(part):
            if isinstance(node, cst.Call):
                yield node


def is_start(module: Module, function: cst.FunctionDef | None, statement: cst.CSTNode) -> bool:
    """Whether the code runs as a person's command."""
    if function is not None:
        return (
            function.name.value in STARTS
            and re.search(r"argv|argparse|ArgumentParser|click\.|typer", module.tree.code) is not None
        )
    return any(isinstance(one, cst.If) and "__name__" in module.code(one.test) for one in module.ancestors(statement))
