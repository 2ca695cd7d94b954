"""One of several files is missing: the round of the loop, or of a comprehension, that needs it is left out.

The loop is looked for around the failing call, then in the frames that called it. Relies on `answers` for what a
loop goes through, on `guards` for the check.
"""

from __future__ import annotations

from typing import cast

import libcst as cst

from engine.repair.patterns.paths import edits
from engine.repair.patterns.paths.answers import (
    as_parameter,
    calling,
    calls_in,
    loop_over,
    own_answer,
    takes_parameter,
    varies_in,
)
from engine.repair.patterns.paths.edits import ONE_MISSING
from engine.repair.patterns.paths.guards import (
    CHECKS,
    Site,
    exists_test,
    hoisted,
    is_simple,
    named_path,
    whole_statement,
)
from engine.repair.patterns.paths.missing import comprehension_around
from engine.repair.patterns.paths.rounds import SKIPPED, filters_map
from engine.repair.patterns.pattern import Declined, Proposal
from engine.repair.patterns.source import expected, wording
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name, walk


def in_comprehension(site: Site) -> Proposal | Declined | None:
    module = site.module
    around = comprehension_around(module, site.call.call)
    if around is None:
        return None
    return _filtered(module, around, module.code(site.call.path), site)


def _filtered(module: Module, around: cst.CSTNode, path: str, site: Site) -> Proposal | Declined:
    clause = cast(cst.ListComp, around).for_in
    while clause.inner_for_in is not None:
        clause = clause.inner_for_in
    if any(sign in module.code(one.test) for one in clause.ifs for sign in CHECKS):
        return edits.declined("the path is looked for already")
    test = cst.parse_expression(exists_test(module, site, path))
    made = cst.CompIf(test, whitespace_before=cst.SimpleWhitespace(" "))
    asked = any(one is clause for one in module.ancestors(site.call.call)) and module is site.module
    ifs = [made, *clause.ifs] if asked else [*clause.ifs, cst.CompIf(test)]
    module.replace(clause, clause.with_changes(ifs=ifs))
    return edits.done(module, "skip", "review", "one of several files is missing: it is left out, the rest goes on")


def in_loop(site: Site) -> Proposal | Declined | None:
    module = site.module
    loop = loop_over(module, site.statement)
    if loop is None or not varies_in(module, loop, site.call.path):
        return None
    name, statement = named_path(site, site.call.path)
    warn = wording.warning(module, site.statement, SKIPPED, name)
    test = exists_test(module, site, name)
    source = f"{hoisted(module, name, site.call.path)}if not {test}:\n    {warn}\n    continue\n"
    return edits.inserted(site, source, "skip", "review", ONE_MISSING, statement)


def by_caller(site: Site) -> Proposal | Declined | None:
    """The loop is in a calling frame: the check (or a narrow `except`) goes there."""
    function = site.module.function(site.call.call)
    answer = own_answer(site, function) if function is not None else None
    if function is None or (answer is not None and answer.value is not None):
        return None
    parameter = as_parameter(site, function)
    for index in range(site.frame - 1, max(-1, site.frame - 5), -1):
        if site.trail.frames[index][1].function.startswith("<") and site.trail.frames[index][1].function != "<module>":
            continue
        here = site.trail.statement(index)
        if here is None:
            return edits.declined("the code that called it has changed since")
        if expected.is_test_file(here[0].path):
            return None
        module, statement = here
        call, given = calling(statement, function, parameter, site.module)
        if call is None:
            if _awaits(module, statement):
                return _skipped_above(site, module, statement, None)
            is_mapped = parameter is not None and filters_map(module, statement, function)
            left_out = "one of several files is missing: it is left out, the rest goes on"
            return edits.done(module, "skip", "review", left_out) if is_mapped else None
        around = comprehension_around(module, call)
        if around is not None and given is not None:
            return _filtered(module, around, module.code(given), site)
        loop = loop_over(module, statement)
        if loop is not None and (given is None or varies_in(module, loop, given)):
            return _skipped_above(site, module, statement, given, loop)
        if given is None:
            parameter = None
        function = module.function(statement)
        if function is None:
            return None
        if parameter is not None:
            parameter = given.value if isinstance(given, cst.Name) and takes_parameter(function, given.value) else None
    return None


def _awaits(module: Module, statement: cst.CSTNode) -> bool:
    """Whether a loop takes the result of one job after the other, each of which may have failed."""
    loop = loop_over(module, statement)
    return isinstance(loop, cst.For) and any(
        last_name(one.func) == "result" and isinstance(one.func, cst.Attribute) and varies_in(module, loop, one.func)
        for one in calls_in(statement)
    )


def _skipped_above(
    site: Site,
    module: Module,
    statement: cst.CSTNode,
    given: cst.BaseExpression | None,
    loop: cst.For | cst.While | None = None,
) -> Proposal | Declined:
    if given is not None and loop is not None and is_simple(given):
        name = module.code(given)
        if any(
            last_name(node.func) in CHECKS and name in module.code(node)
            for node in walk(loop.body)
            if isinstance(node, cst.Call)
        ):
            return edits.declined("the loop looks for the path already")
        warn = wording.warning(module, statement, SKIPPED, name)
        module.insert_before(
            whole_statement(module, statement),
            f"if not {exists_test(module, site, name)}:\n    {warn}\n    continue\n",
        )
    else:
        if not isinstance(statement, cst.SimpleStatementLine):
            return edits.declined("the loop calls it in the head of another statement")
        warn = wording.warning(module, statement, SKIPPED, "error")
        source = f"try:\n    pass\nexcept FileNotFoundError as error:\n    {warn}\n    continue\n"
        module.wrap(statement, source)
    return edits.done(module, "skip", "review", ONE_MISSING)
