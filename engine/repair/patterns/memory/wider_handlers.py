"""A handler that is ready for running out of memory but does not know these words, or this type, learns them.

It shrinks, skips or tries again already, and the error went past it: `if "CUDA out of memory" in str(e)` where the GPU
says `CUDA error: out of memory`, a function of the project's own that tells such errors from others, or an
`except torch.cuda.OutOfMemoryError` where a RuntimeError came. A handler that only reports and raises is left alone.

    before    if "CUDA out of memory" in str(e):
    after     if "CUDA out of memory" in str(e) or "CUBLAS_STATUS_ALLOC_FAILED" in str(e):
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import cast

import libcst as cst

from engine.repair.patterns.memory.backoff_code import (
    IS_OUT_OF_MEMORY,
    Site,
    error_name,
    finished,
    is_of_torch,
    with_helpers,
)
from engine.repair.patterns.memory.words_learnt import OF_MEMORY, TYPES, knows, learnt, order
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.syntax import last_name, walk

_TELLS = re.compile(r"(?i)oom|memory|exhausted")
_ALIAS = re.compile(r"(?i)(?:^|_)(?:OOM|OUT_?OF_?MEM(?:ORY)?)(?:$|_)|^OOM\w*(?:Error|Exception)")
_SAY = re.compile(  # given an error, they tell no kind of it from another
    r"(?:str|repr|print\w*|isinstance|hasattr|getattr|type|len|format_\w+|append|info|debug|warn(?:ing)?|error|exception|"
    r"any|all|bool|log|write)\Z"
)
_WIDENED = "The handler that is there did not know this error: it takes it for running out of memory as well."


def widened(case: Case) -> Proposal | None:
    """The handler around one of the frames, innermost first, made to know the error; None where there is none."""
    for place in intent.places(case):
        if intent.is_test(place.path):
            return None
        try:
            module = Module(place.path, place.source)
            line = module.line_of(place.frame.code, place.line)
            statement = module.statement(line) if line is not None else None
            if statement is None or line is None:
                continue
            site = Site(module, line, "MPS" in case.records[0].message, is_of_torch(case, module))
            for handler in _handlers(module, statement):
                made = _by_type(case, site, handler) or _by_words(case, site, handler)
                if made is not None:
                    return made
        except NotEditable:
            continue
    return None


def _handlers(module: Module, statement: cst.CSTNode) -> Iterator[cst.ExceptHandler]:
    inner: cst.CSTNode = statement
    for around in module.ancestors(statement):
        if isinstance(around, cst.FunctionDef | cst.ClassDef):
            return
        if isinstance(around, cst.Try) and inner is around.body:
            yield from around.handlers
        if isinstance(around, cst.ExceptHandler) and "raise" in module.code(statement):
            yield around  # it was handed on from here
        inner = around


def _gives_up(body: cst.BaseSuite) -> bool:
    """Whether a block ends by raising, or leaves the program: it says something and that is all."""
    last = body.body[-1] if body.body else None
    if isinstance(last, cst.If) and isinstance(last.orelse, cst.Else):
        return _gives_up(last.body) and _gives_up(last.orelse.body)
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else last
    if isinstance(small, cst.Expr) and isinstance(small.value, cst.Call):
        return last_name(small.value.func) in ("exit", "_exit", "quit", "abort")
    return isinstance(small, cst.Raise)


# -- by type --------------------------------------------------------------------------------------------------------


def _by_type(case: Case, site: Site, handler: cst.ExceptHandler) -> Proposal | None:
    """`except OutOfMemoryError` where a RuntimeError says it: both, and other errors pass."""
    kinds = _kinds(handler)
    if not kinds or _gives_up(handler.body):
        return None
    if not all(last_name(one) in TYPES or _ALIAS.search(last_name(one)) for one in kinds):
        return None
    own = case.records[0].type.rpartition(".")[2]
    if own in {last_name(one) for one in kinds} or own not in ("RuntimeError", "OutOfMemoryError", "AcceleratorError"):
        return None
    if own == "OutOfMemoryError" and any(_ALIAS.search(last_name(one)) for one in kinds):
        return None  # that is what it stands for
    around = site.module.parent(handler)
    if isinstance(around, cst.Try) and len(around.handlers) != 1:
        return None  # what it lets pass would not come to the others
    if not isinstance(handler.body, cst.IndentedBlock):
        return None
    if handler.name is not None and isinstance(handler.name.name, cst.Name):
        name = handler.name.name.value
    else:
        name = error_name(site.module)
    with_helpers(site, IS_OUT_OF_MEMORY)
    old = site.module.code(cast(cst.BaseExpression, handler.type))
    plain = all(last_name(one) == "OutOfMemoryError" for one in kinds)
    test = f"not _is_out_of_memory({name})"
    if not plain:
        test += f" and not isinstance({name}, {old})"
    others = [] if plain else [site.module.code(one) for one in kinds]
    types = f"({', '.join([*others, 'RuntimeError'])})" if others else "RuntimeError"
    (made,) = parse_statements(
        f"try:\n    pass\nexcept {types} as {name}:\n    if {test}:\n        raise\n", site.module.tree
    )
    new = cast(cst.Try, made).handlers[0]
    body = handler.body.with_changes(body=[*new.body.body, *handler.body.body])
    site.module.replace(handler, new.with_changes(body=body, leading_lines=handler.leading_lines))
    return finished(site, "widen-handler", _WIDENED)


def _kinds(handler: cst.ExceptHandler) -> list[cst.BaseExpression]:
    if handler.type is None:
        return []
    return [one.value for one in handler.type.elements] if isinstance(handler.type, cst.Tuple) else [handler.type]


# -- by words -------------------------------------------------------------------------------------------------------


def _by_words(case: Case, site: Site, handler: cst.ExceptHandler) -> Proposal | None:
    """A test of what the error says, in the handler or in a function of the project that it asks."""
    own = case.records[0].type.rpartition(".")[2]
    kinds = {last_name(one) for one in _kinds(handler)}
    bases = {own, "RuntimeError", "Exception", "BaseException", "OutOfMemoryError"[: 16 * (own == "OutOfMemoryError")]}
    if kinds and not kinds & bases:
        return None
    for test in (one for one in walk(handler.body) if isinstance(one, cst.If)):
        positive = not site.module.code(test.test).lstrip("( ").startswith("not ")
        compared = [one for one in walk(test.test) if isinstance(one, cst.Comparison)]
        positive = positive and not any(isinstance(one.comparisons[0].operator, cst.NotIn) for one in compared)
        if _gives_up(test.body) if positive else _gives_up(handler.body):
            continue
        for part in (test.test, *_kept_before(site.module, handler, test.test)):
            if learnt(case, site.module, part):
                return finished(site, "widen-handler", _WIDENED)
            for call in (one for one in walk(part) if isinstance(one, cst.Call)):
                if _tells(site.module, call, handler) and last_name(call.func) != "_is_out_of_memory":
                    made = _in_its_function(case, last_name(call.func))
                    if made is not None:
                        return made
    return None


def _kept_before(module: Module, handler: cst.ExceptHandler, test: cst.CSTNode) -> list[cst.CSTNode]:
    """What the names in a test were given in the handler: `is_oom = "out of memory" in str(e)`, tested after."""
    names = {one.value for one in walk(test) if isinstance(one, cst.Name)}
    return [
        one.value
        for one in module.nodes(cst.Assign, within=handler.body)
        if isinstance(one.targets[0].target, cst.Name) and one.targets[0].target.value in names
    ]


def _tells(module: Module, call: cst.Call, handler: cst.ExceptHandler) -> bool:
    """Whether a call tells running out of memory from other errors: by its name, or as it is given the error alone."""
    if _TELLS.search(last_name(call.func)):
        return True
    name = handler.name.name if handler.name is not None else None
    given = [module.code(arg.value) for arg in call.args]
    own = last_name(call.func)
    return isinstance(name, cst.Name) and given == [name.value] and not _SAY.match(own) and not own[:1].isupper()


def _in_its_function(case: Case, name: str) -> Proposal | None:
    """The function that says what counts as running out of memory, in whatever file of the project it is."""
    mark = f"def {name}(".encode()
    found: list[tuple[int, str, bytes]] = []
    folders = {place.path.rpartition("/")[0] for place in intent.places(case)}
    for path in case.project.python_files():
        source = case.project.read(path)
        if source is not None and mark in source and not intent.is_test(path):
            shared = max((_shared(path, one) for one in folders), default=0)
            found.append((-shared, path, source))
    for _near, path, source in sorted(found):
        module = Module(path, source)
        functions = [one for one in module.nodes(cst.FunctionDef) if one.name.value == name]
        if any(learnt(case, module, one.body) or _learnt_by_asked(case, module, one) for one in functions):
            return finished(Site(module, 1, is_mps=False, with_torch=True), "widen-handler", _WIDENED)
    return None


def _learnt_by_asked(case: Case, module: Module, function: cst.FunctionDef) -> bool:
    """`is_cuda_oom(e) or is_cudnn_error(e)`: the first function of the same file that it asks and that knows words."""
    names = [last_name(one.func) for one in walk(function.body) if isinstance(one, cst.Call)]
    asked = [
        one
        for name in names
        for one in module.nodes(cst.FunctionDef)
        if one.name.value == name and one is not function and OF_MEMORY.search(module.code(one.body))
    ]
    message = case.records[0].message
    if any(knows(module, one.body, message) for one in asked):
        return False
    return any(learnt(case, module, one.body) for one in sorted(asked, key=lambda one: order(module, one.body)))


def _shared(path: str, folder: str) -> int:
    parts = list(zip(path.split("/"), folder.split("/"), strict=False))
    return next((index for index, (one, other) in enumerate(parts) if one != other), len(parts))
