"""A table of records that are counted up, `totals[kind]["n"] += 1`: a record that is not there yet is one of zeros."""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.guarding.for_nothing import NUMBER
from engine.repair.patterns.guarding.subscripts import constant, index_of
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import bound_to

_NUMBERS = re.compile(r"(?:len|int|float|sum|abs|round)\(")


def begin(module: Module, use: cst.Subscript) -> bool:
    """Put `totals.setdefault(kind, {"n": 0, "sum": 0})` in front of the statements that count up the parts of a record;
    whether the function itself makes the table, and they are such statements."""
    line = guards.statement_line(module, use)
    block = module.parent(line) if line is not None else None
    made = bound_to(module, use.value) if isinstance(use.value, cst.Name) else None
    key = index_of(use)
    if line is None or key is None or not isinstance(block, cst.IndentedBlock) or not isinstance(made, cst.Dict):
        return False
    if made.elements or not guards.is_repeatable(module.code(use)):
        return False
    parts: list[str] = []
    for one in list(block.body)[list(block.body).index(line) :]:
        part = _counted(module, one, module.code(use))
        if part is None:
            break
        parts.append(part)
    rest = list(block.body)[list(block.body).index(line) + len(parts) :]
    others = [one for each in rest for one in module.nodes(cst.Subscript, within=each)]
    others = [one for one in others if module.code(one.value) == module.code(use)]
    if not parts or any(module.code(index_of(one) or one) not in parts for one in others):
        return False
    record = ", ".join(f"{one}: 0" for one in dict.fromkeys(parts))
    code = f"{module.code(use.value)}.setdefault({module.code(key)}, {{{record}}})\n"
    guards.before(module, line, code)
    return True


def _counted(module: Module, statement: cst.BaseStatement, record: str) -> str | None:
    """The part of a record that a statement adds a number to, as source; None for any other statement."""
    small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1 else None
    target = small.target if isinstance(small, cst.AugAssign) else None
    if not isinstance(small, cst.AugAssign) or not isinstance(small.operator, cst.AddAssign | cst.SubtractAssign):
        return None
    if not isinstance(target, cst.Subscript) or module.code(target.value) != record:
        return None
    index = index_of(target)
    if index is None or not isinstance(constant(index), str):
        return None
    is_number = isinstance(small.value, cst.Integer | cst.Float) or _NUMBERS.match(module.code(small.value))
    words = f"{module.code(index)} {module.code(small.value)}"
    return module.code(index) if is_number or NUMBER.search(words) else None
