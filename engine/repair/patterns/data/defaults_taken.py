"""A key that a function of the project does not find, and for which it takes a default: the call gives it one.

Relies on the sources of the project's files. Every proposal is for review.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace

import libcst as cst

from engine.repair.patterns.data.mismatch import finish
from engine.repair.patterns.guarding import guards, lasting
from engine.repair.patterns.guarding.subscripts import constant
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name

_DEFAULTS = ("default", "fallback", "default_value", "otherwise")


def given_by_caller(case: Case) -> Proposal | None:
    """The default that the line above a case, which called what raises, is to give; None where that takes none."""
    if not re.match(r"raise\b", case.frame.code) or _taken_by(case, case.frame.function.rpartition(".")[2]) is None:
        return None
    around = intent.places(case)
    at = next((index for index, one in enumerate(around) if one.frame == case.frame), len(around))
    for outer in around[at + 1 : at + 2]:
        above = replace(case, path=outer.path, source=outer.source, frame=outer.frame, line=outer.line)
        opened = intent.open_module(above)
        return None if isinstance(opened, str) else given(above, *opened)
    return None


def given(case: Case, module: Module, line: int) -> Proposal | None:
    """`options.get("kind")`, where the `get` that raised takes a default and got none: the nothing that what follows
    can use; None for any other call."""
    message = case.records[0].message
    for call in module.nodes(cst.Call, line):
        key = constant(call.args[0].value) if len(call.args) == 1 and not call.args[0].star else None
        if not isinstance(call.func, cst.Attribute) or not isinstance(key, str) or key not in message:
            continue
        name = _taken_by(case, call.func.attr.value)
        if name is None or intent.meant(case, module, call, line, "KeyError"):
            continue
        nothing = _nothing(module, call)
        if nothing is None or not guards.is_unconditional(module, call):
            continue
        comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
        second = cst.Arg(cst.parse_expression(nothing))
        module.replace(call, call.with_changes(args=[call.args[0].with_changes(comma=comma), second]))
        return finish(module, "get", f"{module.code(call.func)} takes a default for what is not there: {nothing} then.")
    return None


def _nothing(module: Module, call: cst.Call) -> str | None:
    arg = module.parent(call)
    around = module.parent(arg) if isinstance(arg, cst.Arg) else None
    if isinstance(around, cst.Call) and last_name(around.func) == "join" and len(around.args) > 1:
        return module.quote * 2
    found = lasting.fitting(module, call)
    return None if found is None or found == "None" or lasting.lasts(module, call, "None") else found


def _taken_by(case: Case, method: str) -> str | None:
    """The second parameter of the method in which the error was raised, where it is one for a default that is None."""
    below = case.records[0].frames[-1] if case.records[0].frames else None
    if below is None or below.function.rpartition(".")[2] != method:
        return None
    path = case.project.relative(below.file)
    source = case.project.read(path) if path else None
    try:
        tree = ast.parse(source) if source is not None else None
    except (SyntaxError, ValueError):
        return None
    for one in ast.walk(tree) if tree is not None else ():
        if (
            isinstance(one, ast.FunctionDef)
            and one.name == method
            and one.lineno <= below.line <= (one.end_lineno or 0)
        ):
            args = one.args.args
            plain = one.args.defaults and isinstance(one.args.defaults[0], ast.Constant)
            is_open = plain and len(args) == 3 and len(one.args.defaults) == 1
            return args[2].arg if is_open and args[2].arg in _DEFAULTS else None
    return None
