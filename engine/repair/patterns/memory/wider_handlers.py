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

from engine.repair.patterns.memory.backoff_code import IS_OUT_OF_MEMORY, Site, finished, is_of_torch, with_helpers
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.syntax import last_name, text_of, walk

_MARKS = re.compile(
    r"CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|Unable to find a valid cuDNN algorithm|RESOURCE_EXHAUSTED|"
    r"Invalid buffer size|(?:CUDA|HIP|XPU)[\w ]* error(?: \(\d+\))?: out of memory|cuda runtime error \(2\)|"
    r"(?:CUDA|HIP|XPU) out of memory|MPS backend out of memory|OOM when allocating|(?i:out of memory)"
)
_OF_MEMORY = re.compile(r"(?i)memory|alloc|\boom\b|RESOURCE_EXHAUSTED|CUDNN|CUBLAS|CUSOLVER")
_TELLS = re.compile(r"(?i)oom|memory|exhausted")
_TYPES = ("OutOfMemoryError", "MemoryError", "ResourceExhaustedError", "CUDAOutOfMemoryError")
_SAYS = re.compile(r"\bstr\(|\brepr\(|\.args\b|(?i:msg|message|text)\b|\bformat_exc\(")
MOST_SIGNS = 80  # longer ones are docstrings
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
    if not kinds or not all(last_name(one) in _TYPES for one in kinds) or _gives_up(handler.body):
        return None
    own = case.records[0].type.rpartition(".")[2]
    if own in {last_name(one) for one in kinds} or own not in ("RuntimeError", "OutOfMemoryError", "AcceleratorError"):
        return None
    around = site.module.parent(handler)
    if isinstance(around, cst.Try) and len(around.handlers) != 1:
        return None  # what it lets pass would not come to the others
    if not isinstance(handler.body, cst.IndentedBlock):
        return None
    name = "error"
    if handler.name is not None and isinstance(handler.name.name, cst.Name):
        name = handler.name.name.value
    elif name in site.module.names():
        name = "out_of_memory"
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
        if _learnt(case, site.module, test.test):
            return finished(site, "widen-handler", _WIDENED)
        for call in (one for one in walk(test.test) if isinstance(one, cst.Call)):
            if _TELLS.search(last_name(call.func)) and last_name(call.func) != "_is_out_of_memory":
                made = _in_its_function(case, last_name(call.func))
                if made is not None:
                    return made
    return None


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
        if any(_learnt(case, module, one.body) for one in functions):
            return finished(Site(module, 1, is_mps=False, with_torch=True), "widen-handler", _WIDENED)
    return None


def _shared(path: str, folder: str) -> int:
    parts = list(zip(path.split("/"), folder.split("/"), strict=False))
    return next((index for index, (one, other) in enumerate(parts) if one != other), len(parts))


def _learnt(case: Case, module: Module, within: cst.CSTNode) -> bool:
    """Ask for one more text in what is tested; whether there was a test of the error's words that fails for these."""
    message = case.records[0].message
    mark = _MARKS.search(message)
    if mark is None:
        return False
    texts = [one for one in walk(within) if isinstance(one, cst.Comparison) and _text_of_memory(one) is not None]
    texts = [one for one in texts if _SAYS.search(module.code(one.comparisons[0].comparator))]
    if texts:
        lowered = [bool(re.search(r"\.(?:lower|casefold)\(\)", module.code(one))) for one in texts]
        if any(_holds(cast(str, _text_of_memory(one)), message, low) for one, low in zip(texts, lowered, strict=True)):
            return False
        _one_more(module, texts[-1], mark[0].lower() if lowered[-1] else mark[0])
        return True
    known = [text_of(one) for one in walk(within) if isinstance(one, cst.SimpleString)]
    if any(one and _OF_MEMORY.search(one) and len(one) < MOST_SIGNS and _holds(one, message, False) for one in known):
        return False
    lists = [one for one in walk(within) if isinstance(one, cst.Tuple | cst.List | cst.Set) and len(one.elements) > 1]
    for each in lists:
        words = [text_of(one.value) for one in each.elements]
        if all(word is not None for word in words) and any(_OF_MEMORY.search(word or "") for word in words):
            code = module.code(within)
            low = bool(re.search(r"\.(?:lower|casefold)\(\)", code))
            if not re.search(r"\bany\(|\bfor\b", code) or any(_holds(one or "", message, low) for one in words):
                return False
            _one_more_element(module, each, mark[0].lower() if low else mark[0])
            return True
    return _type_alone(case, module, within, mark[0])


def _text_of_memory(comparison: cst.Comparison) -> str | None:
    if len(comparison.comparisons) != 1 or not isinstance(comparison.comparisons[0].operator, cst.In | cst.NotIn):
        return None
    text = text_of(comparison.left)
    return text if text is not None and _OF_MEMORY.search(text) else None


def _holds(text: str, message: str, lowered: bool) -> bool:
    return text in (message.lower() if lowered else message)


def _one_more(module: Module, test: cst.Comparison, mark: str) -> None:
    """`a in text` becomes `a in text or b in text`, set out as the others are."""
    text = cst.SimpleString(f"{module.quote}{mark}{module.quote}")
    other = test.with_changes(left=text, lpar=(), rpar=())
    joins: type[cst.BaseBooleanOp] = cst.And if isinstance(test.comparisons[0].operator, cst.NotIn) else cst.Or
    around = module.parent(test)
    if isinstance(around, cst.BooleanOperation) and isinstance(around.operator, joins) and around.right is test:
        bare = around.with_changes(lpar=(), rpar=())
        module.replace(around, cst.BooleanOperation(bare, around.operator, other, lpar=around.lpar, rpar=around.rpar))
        return
    made = cst.BooleanOperation(test, joins(), other)
    if isinstance(around, cst.BooleanOperation | cst.UnaryOperation) and not (
        isinstance(around, cst.BooleanOperation) and isinstance(around.operator, joins)
    ):
        made = made.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    module.replace(test, made)


def _one_more_element(module: Module, words: cst.Tuple | cst.List | cst.Set, mark: str) -> None:
    last = words.elements[-1]
    literal = last.value if isinstance(last.value, cst.SimpleString) else None
    quote = literal.quote if literal is not None else module.quote
    between = words.elements[0].comma
    made = cst.Element(cst.SimpleString(f"{quote}{mark}{quote}"), comma=last.comma)
    module.replace(words, words.with_changes(elements=[*words.elements[:-1], last.with_changes(comma=between), made]))


def _type_alone(case: Case, module: Module, within: cst.CSTNode, mark: str) -> bool:
    """`isinstance(e, torch.cuda.OutOfMemoryError)` alone, where a RuntimeError says it."""
    if case.records[0].type.rpartition(".")[2] != "RuntimeError":
        return False
    asked = [
        one
        for one in walk(within)
        if isinstance(one, cst.Call) and last_name(one.func) == "isinstance" and len(one.args) == 2
    ]
    if len(asked) != 1 or last_name(asked[0].args[1].value) not in _TYPES:
        return False
    name = module.code(asked[0].args[0].value)
    text = f"{module.quote}{mark}{module.quote}"
    made = cst.parse_expression(
        f"({module.code(asked[0])} or (isinstance({name}, RuntimeError) and {text} in str({name})))"
    )
    module.replace(asked[0], made)
    return True
