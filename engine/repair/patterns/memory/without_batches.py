"""What is done where there is no batch to make smaller, in the order in which it keeps most of what was asked for.

A request is answered with an error, a loop goes on with its next item, a model of its own device is moved to the CPU;
and where none of it can be seen, the error says what to lower.
"""

from __future__ import annotations

import re
from functools import partial

import libcst as cst

from engine.repair.patterns.memory.backoff_code import Site, is_of_torch
from engine.repair.patterns.memory.error_answers import answer_error
from engine.repair.patterns.memory.on_the_cpu import on_the_cpu
from engine.repair.patterns.memory.passed_over import pass_over
from engine.repair.patterns.memory.told_clearly import tell_clearly
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.syntax import last_name, own_parts, walk

HANDLED = re.compile(r"OutOfMemoryError|out of memory|_is_out_of_memory|_in_smaller_batches|find_executable_batch_size")
_LOADS = re.compile(r"from_pretrained|load_state_dict|torch\.load|torch\.(?:zeros|ones|empty|randn|rand|full)")
_MOVES = re.compile(r"^\s*(?:[\w.]+ = |return )?[\w.]+\.(?:to|cuda|mps|half|float)\([^()]*\)\s*$")
_ACTS = re.compile(r"\.to\(\s*['\"]cpu|\bcontinue\b|//=|/=|-=|>>=")


def instead(case: Case, place: intent.Place, *, is_reported: bool) -> Proposal | None:
    """What is done instead of a smaller batch; `is_reported`: a handler is there that says it, so nothing else may."""
    by_cpu = partial(on_the_cpu, case)
    for way in (answer_error, _passed_over, by_cpu) if not is_reported else (by_cpu,):
        opened = opened_at(case, place)
        if opened is None:
            return None
        site, statement, function = opened
        if ".backward(" in site.module.code(function or site.module.tree):
            return None
        code = site.module.code(statement)
        if isinstance(statement, cst.SimpleStatementLine) and (_LOADS.search(code) or _MOVES.match(code)):
            return None
        found = way(site, statement, function)
        if found is not None:
            return found
    return None


def clear_error(case: Case, place: intent.Place) -> Proposal | None:
    """The error that says what to lower."""
    opened = opened_at(case, place)
    if opened is None:
        return None
    site, statement, function = opened
    if _LOADS.search(site.module.code(statement)) or ".backward(" in site.module.code(function or site.module.tree):
        return None
    return tell_clearly(case, site, statement, function)


def _passed_over(site: Site, statement: cst.CSTNode, function: cst.FunctionDef | None) -> Proposal | None:
    del function
    return pass_over(site, statement)


def opened_at(case: Case, place: intent.Place) -> tuple[Site, cst.CSTNode, cst.FunctionDef | None] | None:
    """The place of a frame, its statement and its function, in a file read anew; None where the line is not there."""
    try:
        module = Module(place.path, place.source)
    except NotEditable:
        return None
    line = module.line_of(place.frame.code, place.line)
    statement = module.statement(line) if line is not None else None
    if statement is None or line is None:
        return None
    return site_of(case, module, line), statement, module.function(statement)


def site_of(case: Case, module: Module, line: int) -> Site:
    """Where memory ran out, and who says so."""
    record = case.records[0]
    return Site(
        module,
        line,
        "MPS" in record.message,
        is_of_torch(case, module),
        is_xla=bool(
            re.search(r"Xla|Jax|ResourceExhausted", record.type) or re.search(r"(?i)resource.exhausted", record.message)
        ),
        is_typed=record.type.endswith("OutOfMemoryError"),
    )


def only_reports(module: Module, statement: cst.CSTNode) -> bool:
    """Whether all that sees to it around a statement says so and no more: it raises, or answers with an error."""
    if any(HANDLED.search(module.code(part)) for part in own_parts(statement)):
        return False
    function = module.function(statement)
    found = False
    for around in module.ancestors(statement):
        if isinstance(around, cst.FunctionDef) and around is not function and HANDLED.search(module.code(around)):
            return False
        if not isinstance(around, cst.Try):
            continue
        tried = {last_name(one.func) for one in walk(around.body) if isinstance(one, cst.Call)}
        for handler in around.handlers:
            if not HANDLED.search(module.code(handler)):
                continue
            calls = {last_name(one.func) for one in walk(handler.body) if isinstance(one, cst.Call)}
            if calls & tried - {"str", "print", "len", "empty_cache"} or _ACTS.search(module.code(handler.body)):
                return False
            if any(isinstance(one, cst.While) for one in module.ancestors(around)):
                return False
            found = True
    return found
