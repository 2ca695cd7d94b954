"""Whether what one function answers where memory ran out is an answer of another, too: a record of the same kind.

Callers tell a failure by a flag, and read what a record has beside it: so the handler's record has to say failure, and
to have no key that the function's own answers are without. A plain False, 0 or None would be taken for a result.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import text_of, walk

_FAILS = re.compile(r"(?i)(?:error(?:_?code)?|err(?:_?code)?|is_error|failed|code|status(?:_?code)?)\Z")
_SUCCEEDS = re.compile(r"(?i)(?:success|ok)\Z")
_BAD = re.compile(r"(?i)\w*(?:error|fail|oom|out_?of_?memory|memory)\w*\Z")


def is_answer_of_its_kind(module: Module, handler: cst.ExceptHandler, function: cst.FunctionDef) -> bool:
    """Whether the handler's answer is a record that says failure, with the keys and the form of the function's own."""
    answers = list(_answers(module, handler.body, None))
    own = list(_answers(module, function.body, function))
    if len(answers) != 1 or not own:
        return False
    form, record = answers[0]
    if record is None or not _says_failure(module, record):
        return False
    keys = _keys(record)
    plain = {one for one in keys if not _is_flag(one)}
    return all(
        each is not None
        and shape == form
        and ((own_keys := _keys(each)) >= keys or (bool(plain) and own_keys >= plain and not _flags(each)))
        for shape, each in own
    )


def _answers(
    module: Module, body: cst.CSTNode, function: cst.FunctionDef | None
) -> Iterator[tuple[str, cst.Dict | None]]:
    """What is returned and yielded, as the form around a record and the record; `function`: not in one within it."""
    for one in walk(body):
        if not isinstance(one, cst.Return | cst.Yield) or (
            function is not None and module.function(one) is not function
        ):
            continue
        value = one.value
        if value is None:
            continue
        if isinstance(value, cst.From):
            yield "", None
            continue
        record, code = _record(module, body, value), module.code(value)
        if record is None:
            yield code, None
            continue
        part, found = record
        yield code.replace(part, "RECORD", 1), found


def _record(module: Module, body: cst.CSTNode, value: cst.CSTNode) -> tuple[str, cst.Dict] | None:
    """The record in an answer, and how it is written there: as it is, or by the one name that it is bound to."""
    for one in walk(value):
        if isinstance(one, cst.Dict):
            return module.code(one), one
        if isinstance(one, cst.Name):
            bound = [
                each.value
                for each in module.nodes(cst.Assign, within=body)
                if any(module.code(target.target) == one.value for target in each.targets)
            ]
            if len(bound) == 1 and isinstance(bound[0], cst.Dict):
                return one.value, bound[0]
    return None


def _keys(record: cst.Dict) -> set[str]:
    return {text_of(one.key) or "" for one in record.elements if isinstance(one, cst.DictElement)}


def _is_flag(key: str) -> bool:
    return bool(_FAILS.match(key) or _SUCCEEDS.match(key))


def _flags(record: cst.Dict) -> set[str]:
    return {one for one in _keys(record) if _is_flag(one)}


def _says_failure(module: Module, record: cst.Dict) -> bool:
    """Whether a record has a flag, and each of its flags says that the request failed."""
    found = False
    for one in record.elements:
        key = text_of(one.key) if isinstance(one, cst.DictElement) else None
        if key is None:
            return False
        if _is_flag(key):
            if not _is_of_failure(module, key, one.value):
                return False
            found = True
    return found


def _is_of_failure(module: Module, key: str, value: cst.BaseExpression) -> bool:
    code = module.code(value)
    if _SUCCEEDS.match(key):
        return code in ("False", "0")
    if isinstance(value, cst.Integer):
        return code != "0" and not code.startswith("2")
    if isinstance(value, cst.SimpleString):
        return bool(_BAD.search(text_of(value) or "")) or (key.lower() == "error" and bool(text_of(value)))
    if isinstance(value, cst.Name | cst.Attribute):
        return code == "True" or bool(_BAD.match(code.rpartition(".")[2]))
    return False
