"""A method that runs out of memory, beside which the class has one that does the same in tiles: that one is called.

before    def decode(self, samples):                    after     try:
              pixels = self.model.decode(samples)                     pixels = self.model.decode(samples)
              return pixels.cpu()                                 except Exception as error: ...
          def decode_tiled(self, samples, tile=64):               if ran_out:
              ...                                                     return self.decode_tiled(samples=samples)
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.memory.backoff_code import IS_OUT_OF_MEMORY, Site, finished, tried_twice, with_helpers
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.syntax import assignments, walk

_FORMS = ("{}_tiled", "tiled_{}", "{}_in_tiles", "{}_tiles", "{}_sliced", "{}_chunked", "{}_in_chunks")


def by_sibling(site: Site, statement: cst.CSTNode, function: cst.FunctionDef | None) -> Proposal | None:
    """The tiled method of the class where memory ran out; None where it has none that takes the same."""
    module = site.module
    around = module.nearest(function, cst.ClassDef) if function is not None else None
    if function is None or around is None or not isinstance(statement, cst.SimpleStatementLine):
        return None
    body = function.body
    if not isinstance(body, cst.IndentedBlock) or module.parent(statement) is not body:
        return None
    sibling = _sibling(module, around, function)
    if sibling is None:
        return None
    own, asked = [_names(one) for one in (function, sibling)]
    every = (*sibling.params.params[1:], *sibling.params.kwonly_params)
    required = [one.name.value for one in every if one.default is None]
    if not own or not set(required) <= set(own) or sibling.params.posonly_params or not required:
        return None
    if (sibling.asynchronous and not function.asynchronous) or not _is_of_an_object(function):
        return None
    given = [one for one in own if one in asked]
    line = module.position(statement).start.line
    rebound = [
        one
        for one in given
        if any(module.code(target) == one and module.position(target).start.line < line
               for target, _value in assignments(function))
    ]  # fmt: skip
    kept = {one: guards.fresh(module, f"{one}_given", f"all_{one}") for one in rebound}
    args = [f"{one}={kept.get(one, one)}" for one in given]
    owner, wait = function.params.params[0].name.value, "await " if sibling.asynchronous else ""
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    flag = guards.fresh(module, "ran_out", "out_of_memory")
    again = f"return {wait}{owner}.{sibling.name.value}({', '.join(args)})"
    tried = tried_twice(module, statement, [clear], again, flag)
    lines: list[cst.BaseStatement] = []
    for one in body.body:
        lines += [*tried] if one is statement else [one]  # type: ignore[list-item]
    first = 1 if function.get_docstring() is not None else 0
    begun = parse_statements("".join(f"{name} = {one}\n" for one, name in kept.items()), module.tree) if kept else []
    module.replace(body, body.with_changes(body=[*lines[:first], *begun, *lines[first:]]))
    return finished(site, "tiled-sibling", f"Where memory runs out, {sibling.name.value} does the same in tiles.")


def _sibling(module: Module, around: cst.ClassDef, function: cst.FunctionDef) -> cst.FunctionDef | None:
    """The method that does in tiles what a function does at once, and gives something back as that does."""
    names = [form.format(function.name.value.strip("_")) for form in _FORMS]
    methods = [one for one in around.body.body if isinstance(one, cst.FunctionDef)]
    for one in methods:
        calls = {module.code(each.func) for each in walk(one.body) if isinstance(each, cst.Call)}
        if one.name.value in names and f"self.{function.name.value}" not in calls:
            return one if _gives(one) and _gives(function) and not one.decorators else None
    return None


def _gives(function: cst.FunctionDef) -> bool:
    found = [one for one in walk(function.body, into_functions=False) if isinstance(one, cst.Return)]
    return bool(found) and all(one.value is not None for one in found)


def _is_of_an_object(function: cst.FunctionDef) -> bool:
    """Whether the function is given the object whose method it is."""
    bare = ("staticmethod", "classmethod", "property")
    return bool(function.params.params) and not any(
        isinstance(one.decorator, cst.Name) and one.decorator.value in bare for one in function.decorators
    )


def _names(function: cst.FunctionDef) -> list[str]:
    return [one.name.value for one in (*function.params.params[1:], *function.params.kwonly_params)]
