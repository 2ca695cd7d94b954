"""One more text in what a handler, or a function that it asks, looks for in what an error says."""

from __future__ import annotations

import re
from typing import cast

import libcst as cst

from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name, text_of, walk

_MARKS = re.compile(
    r"CUBLAS_STATUS_ALLOC_FAILED|CUDNN_STATUS_ALLOC_FAILED|Unable to find a valid cuDNN algorithm|RESOURCE_EXHAUSTED|"
    r"Invalid buffer size|(?:CUDA|HIP|XPU)[\w ]* error(?: \(\d+\))?: out of memory|cuda runtime error \(2\)|"
    r"(?:CUDA|HIP|XPU) out of memory|MPS backend out of memory|OOM when allocating|(?i:out of memory)"
)
OF_MEMORY = re.compile(r"(?i)memory|alloc|\boom\b|RESOURCE_EXHAUSTED|CUDNN|CUBLAS|CUSOLVER")
TYPES = ("OutOfMemoryError", "MemoryError", "ResourceExhaustedError", "CUDAOutOfMemoryError")
_SAYS = re.compile(r"\bstr\(|\brepr\(|\.args\b|(?i:msg|message|text)\b|\bformat_exc\(")
MOST_SIGNS = 80  # longer ones are docstrings


def learnt(case: Case, module: Module, within: cst.CSTNode) -> bool:
    """Ask for one more text in what is tested; whether there was a test of the error's words that fails for these."""
    message = case.records[0].message
    mark = _MARKS.search(message)
    if mark is None:
        return False
    texts = [one for one in walk(within) if isinstance(one, cst.Comparison) and _text_of_memory(one) is not None]
    texts = [one for one in texts if _SAYS.search(_spelled_out(module, one.comparisons[0].comparator))]
    if texts:
        lowered = [_is_lowered(module, one) for one in texts]
        if any(_holds(cast(str, _text_of_memory(one)), message, low) for one, low in zip(texts, lowered, strict=True)):
            return _another_device(module, within, message)
        tops = [_whole(module, one) for one in texts]
        ours = next((top for top, one in zip(tops, texts, strict=True) if not order(module, one.left)), tops[-1])
        best = max(index for index, top in enumerate(tops) if top is ours)
        _one_more(module, texts[best], mark[0].lower() if lowered[best] else mark[0])
        return True
    if knows(module, within, message):
        return False
    for each in _lists(module, within):
        words = [text_of(one.value) for one in each.elements]
        if all(word is not None for word in words) and any(OF_MEMORY.search(word or "") for word in words):
            code = module.code(within)
            low = bool(re.search(r"\.(?:lower|casefold)\(\)", code))
            if not re.search(r"\bany\(|\bfor\b|startswith\(", code):
                return False
            if any(_holds(one or "", message, low) for one in words):
                return False
            _one_more_element(module, each, mark[0].lower() if low else mark[0])
            return True
    return _by_start(module, within, mark[0]) or _type_alone(case, module, within, mark[0])


def _is_lowered(module: Module, comparison: cst.Comparison) -> bool:
    """Whether what a text is looked for in is in small letters: by itself, or by the name that it was given."""
    return bool(re.search(r"\.(?:lower|casefold)\(\)", _spelled_out(module, comparison.comparisons[0].comparator)))


def _spelled_out(module: Module, text: cst.BaseExpression) -> str:
    """The code of what a text is looked for in, and of what a name in its place was given in the function."""
    code = module.code(text)
    if not isinstance(text, cst.Name):
        return code
    scope = module.code(module.function(text) or module.tree)
    bound = re.findall(rf"(?m)^\s*{text.value}\s*=([^\n]*)", scope)
    return " ".join([code, *bound])


def _another_device(module: Module, within: cst.CSTNode, message: str) -> bool:
    """`"cuda" in text and "out of memory" in text`: or the device that says it this time."""
    device = re.search(r"\b(?:MPS|HIP|XPU|CUDA)\b", message)
    for one in walk(within):
        if not isinstance(one, cst.Comparison) or not isinstance(module.parent(one), cst.BooleanOperation):
            continue
        around = cast(cst.BooleanOperation, module.parent(one))
        text, low = text_of(one.left), _is_lowered(module, one)
        if not isinstance(around.operator, cst.And) or not isinstance(one.comparisons[0].operator, cst.In):
            continue
        if device and text and re.fullmatch(r"(?i)cuda|gpu|mps|hip", text) and not _holds(text, message, low):
            _one_more(module, one, device[0].lower() if low else device[0])
            return True
    return False


def _lists(module: Module, within: cst.CSTNode) -> list[cst.Tuple | cst.List | cst.Set]:
    """The lists of words in a node, and those at the top of the file that it names."""
    names = {one.value for one in walk(within) if isinstance(one, cst.Name)}
    top = [
        one.value
        for line in module.tree.body
        if isinstance(line, cst.SimpleStatementLine)
        for one in line.body
        if isinstance(one, cst.Assign)
        and isinstance(one.targets[0].target, cst.Name)
        and one.targets[0].target.value in names
    ]
    found = [each for one in (within, *top) for each in walk(one)]
    kinds = (cst.Tuple, cst.List, cst.Set)
    return [one for one in found if isinstance(one, kinds) and (len(one.elements) > 1 or one in top)]


def _by_start(module: Module, within: cst.CSTNode, mark: str) -> bool:
    """`str(e).startswith("CUDA out of memory")`, or a `re.search` for it: or the new words in the same text."""
    for call in (one for one in walk(within) if isinstance(one, cst.Call)):
        text = text_of(call.args[0].value) if call.args else None
        if text is None or not OF_MEMORY.search(text):
            continue
        quoted = f"{module.quote}{mark}{module.quote}"
        if last_name(call.func) == "startswith" and isinstance(call.func, cst.Attribute):
            other = cst.parse_expression(f"{quoted} in {module.code(call.func.value)}")
            made = cst.BooleanOperation(call, cst.Or(), other)
            around = module.parent(call)
            if isinstance(around, cst.BooleanOperation | cst.UnaryOperation | cst.Comparison):
                made = made.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
            module.replace(call, made)
            return True
        if module.qualified(call.func) in ("re.search", "re.match", "re.findall") and "(?" not in text:
            start = ".*" if last_name(call.func) == "match" else ""
            old = cast(cst.SimpleString, call.args[0].value)
            escaped = re.sub(r"([().])", r"\\\1", mark)
            more = f"{old.prefix}{old.quote}{old.raw_value}|{start}{escaped}{old.quote}"
            module.replace(old, cst.SimpleString(more))
            return True
    return False


def _whole(module: Module, test: cst.CSTNode) -> cst.CSTNode:
    """The `or` of tests that one is part of."""
    around = module.parent(test)
    while isinstance(around, cst.BooleanOperation):
        test, around = around, module.parent(around)
    return test


def _text_of_memory(comparison: cst.Comparison) -> str | None:
    if len(comparison.comparisons) != 1 or not isinstance(comparison.comparisons[0].operator, cst.In | cst.NotIn):
        return None
    text = text_of(comparison.left)
    return text if text is not None and OF_MEMORY.search(text) else None


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
    """The new words stand before those that say `out of memory` of a GPU, else last, set out as the others are."""
    at = next((index for index, one in enumerate(words.elements) if not order(module, one.value)), len(words.elements))
    beside = words.elements[min(at, len(words.elements) - 1)].value
    quote = beside.quote if isinstance(beside, cst.SimpleString) else module.quote
    commas = [one.comma for one in words.elements[:-1]] + [words.elements[-1].comma]
    between = _without_comment(next((one for one in commas if isinstance(one, cst.Comma)), None))
    made = cst.Element(cst.SimpleString(f"{quote}{mark}{quote}"), comma=between)
    before, after = list(words.elements[:at]), list(words.elements[at:])
    if not after:
        made = made.with_changes(comma=_without_comment(before[-1].comma))
        before[-1] = before[-1].with_changes(comma=between)
    module.replace(words, words.with_changes(elements=[*before, made, *after]))


def _without_comment(comma: cst.Comma | cst.MaybeSentinel | None) -> cst.Comma | cst.MaybeSentinel:
    if not isinstance(comma, cst.Comma):
        return cst.Comma(whitespace_after=cst.SimpleWhitespace(" ")) if comma is None else comma
    after = comma.whitespace_after
    if isinstance(after, cst.ParenthesizedWhitespace):
        after = after.with_changes(first_line=cst.TrailingWhitespace(newline=after.first_line.newline), empty_lines=())
    return comma.with_changes(whitespace_after=after)


def _type_alone(case: Case, module: Module, within: cst.CSTNode, mark: str) -> bool:
    """`isinstance(e, torch.cuda.OutOfMemoryError)` alone, where a RuntimeError says it."""
    if case.records[0].type.rpartition(".")[2] != "RuntimeError":
        return False
    asked = [
        one
        for one in walk(within)
        if isinstance(one, cst.Call) and last_name(one.func) == "isinstance" and len(one.args) == 2
    ]
    if len(asked) != 1 or last_name(asked[0].args[1].value) not in TYPES:
        return False
    name = module.code(asked[0].args[0].value)
    text = f"{module.quote}{mark}{module.quote}"
    made = cst.parse_expression(
        f"({module.code(asked[0])} or (isinstance({name}, RuntimeError) and {text} in str({name})))"
    )
    module.replace(asked[0], made)
    return True


def knows(module: Module, within: cst.CSTNode, message: str) -> bool:
    texts = [text_of(one) for one in walk(within) if isinstance(one, cst.SimpleString)]
    low = bool(re.search(r"\.(?:lower|casefold)\(\)", module.code(within)))
    return any(one and OF_MEMORY.search(one) and len(one) < MOST_SIGNS and _holds(one, message, low) for one in texts)


def order(module: Module, node: cst.CSTNode) -> int:
    """Where words stand that say `out of memory` of a GPU, the new ones belong; last, where they say it of a CPU."""
    code = module.code(node).lower()
    return 0 if re.search(r"(?:cuda|hip|xpu|mps|gpu)[\w: ()]*out of memory", code) else 2 if "cpu" in code else 1
