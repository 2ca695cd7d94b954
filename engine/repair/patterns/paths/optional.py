"""A path that may be left out: the condition under which it is used asks, too, whether it is there.

Only for what a program writes itself, by its name: a cache, a history. A file that somebody named for its content is
not left out, settings least of all: whoever mistypes where they are has to be told.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.paths import edits
from engine.repair.patterns.paths.answers import as_parameter, calling, calls_in, loop_over
from engine.repair.patterns.paths.calls import PathCall
from engine.repair.patterns.paths.guards import Site, exists_test, is_simple
from engine.repair.patterns.pattern import Declined, Proposal
from engine.repair.patterns.source import handlers
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.expected import is_test_file

_DISPENSABLE = re.compile(  # whole words: a store is no restored picture
    r"(?i)(?:\b|_)(?:caches?|cached|history|histories|session|seen|progress|cookies?|cookie_?jar|recent|bookmarks)(?:\b|_)|"
    r"(?<![a-z])(?:cache|history|cookie)(?:path|file|name|dir)"
)
_FRAMES = 3


def is_dispensable(site: Site) -> bool:
    """Whether a path is called a thing that a program writes itself, and can do without."""
    return _DISPENSABLE.search(site.module.code(site.call.path)) is not None


def under_its_condition(site: Site, function: cst.FunctionDef | None) -> Proposal | Declined | None:
    """Let the `if path:` around the use of a path ask whether it is there; None where there is none."""
    made = _extended(site, site)
    parameter, owner = (as_parameter(site, function) if function is not None else None), site.module
    for index in range(site.frame - 1, max(-1, site.frame - 1 - _FRAMES), -1):
        if made is not None or function is None or parameter is None:
            return made
        here = site.trail.statement(index)
        if here is None or is_test_file(here[0].path):
            return None
        module, statement = here
        call, given = calling(statement, function, parameter, owner)
        if call is None or given is None:
            return None
        above = Site(site.trail, module, statement, PathCall(call, "read", given), index)
        made = _extended(above, site)
        function, owner = module.function(statement), module
        parameter = as_parameter(above, function) if function is not None else None
    return made


def _extended(above: Site, site: Site) -> Proposal | Declined | None:
    module, path = above.module, above.call.path
    if not is_simple(path) or not is_dispensable(above):
        return None
    name, inner = module.code(path), above.call.call
    child: cst.CSTNode = inner
    for around in module.ancestors(inner):
        if isinstance(around, cst.FunctionDef | cst.ClassDef | cst.Lambda):
            return None
        if isinstance(around, cst.If) and child is around.body and _asks_for(module, around.test, name):
            if f"exists({name})" in module.code(around.test) or f"{name}.exists()" in module.code(around.test):
                return edits.declined("the path is looked for already where it is used")
            guards.extend(module, around.test, exists_test(module, site, name))
            return edits.done(module, "go-round", "review", "it is used where it is set: it has to be there, too")
        child = around
    return None


def _asks_for(module: Module, test: cst.BaseExpression, name: str) -> bool:
    """Whether a test asks for nothing but that a path is set, or for that among others."""
    if isinstance(test, cst.BooleanOperation) and isinstance(test.operator, cst.And):
        return _asks_for(module, test.left, name) or _asks_for(module, test.right, name)
    return module.code(test) in (name, f"{name} is not None", f"{name} != ''", f'{name} != ""')


def passed_over_above(site: Site, function: cst.FunctionDef | None) -> Proposal | None:
    """Let the handler of a calling loop, which passes over what cannot be read, pass over what is not there."""
    parameter, owner = (as_parameter(site, function) if function is not None else None), site.module
    for index in range(site.frame - 1, max(-1, site.frame - 1 - _FRAMES), -1):
        here = site.trail.statement(index)
        if here is None or function is None or is_test_file(here[0].path):
            return None
        module, statement = here
        call = calling(statement, function, parameter, owner)[0]
        calls = list(calls_in(statement))
        call = calls[0] if call is None and len(calls) == 1 else call  # by another name
        if call is None or module.nearest(call, cst.Lambda) is not None:
            return None
        if loop_over(module, statement) is None and not _is_tried_in_loop(module, statement):
            function, owner, parameter = module.function(statement), module, None
            continue
        if handlers.widened(module, call, "FileNotFoundError"):
            return edits.done(module, "handler", "review", "the handler of its caller says what is done then")
        return None
    return None


def _is_tried_in_loop(module: Module, statement: cst.CSTNode) -> bool:
    """Whether a statement is in a `try` that is a part of a loop's round."""
    around = module.parent(module.parent(statement) or statement)
    return isinstance(around, cst.Try) and loop_over(module, around) is not None
