"""Whether the line that called a function, in the traceback, can do with None in place of the image it asked for."""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import lasting
from engine.repair.patterns.images.asked import is_asked, is_used
from engine.repair.patterns.source import expected
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.sites import Place, Trail
from engine.repair.patterns.source.syntax import last_name, own_parts, walk


def fails_in_caller(trail: Trail, place: Place, function: cst.FunctionDef) -> bool:
    """Whether None would fail where the function was called, and nothing there asks for it.

    A function that the caller's own `return` hands it on to is asked in its place. A promise (a test, a docstring, an
    annotation) is kept all the same: who breaks it is to blame then.
    """
    if expected.by_tests(trail, function.name.value) or expected.by_annotation(place.module, function):
        return False
    if expected.TOLD.search(function.get_docstring() or ""):
        return False
    name = function.name.value
    for index in range(place.frame - 1, -1, -1):
        here = trail.statement(index)
        if here is None or expected.is_test_file(here[0].path):
            return False
        module, statement = here
        found = [one for part in own_parts(statement) for one in walk(part)]
        calls = [one for one in found if isinstance(one, cst.Call) and last_name(one.func) == name]
        if len(calls) != 1:
            return False
        if not isinstance(module.parent(calls[0]), cst.Return):
            return not lasting.lasts(module, calls[0], "None") or _is_used(module, calls[0])
        name = trail.frames[index][1].function.rpartition(".")[2]
    return False


def _is_used(module: Module, call: cst.Call) -> bool:
    """Whether the name that the result gets is used as an image is, and never asked for None."""
    assign = module.parent(call)
    target = assign.targets[0].target if isinstance(assign, cst.Assign) and len(assign.targets) == 1 else None
    scope = module.function(call) or module.tree
    if not isinstance(target, cst.Name):
        return False
    return is_used(module, scope, target.value) and not is_asked(module, scope, target.value)
