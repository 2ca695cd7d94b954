"""Which of several expressions on a line failed, as the carets under it say.

Python 3.11 and later underline the expression that failed. Where a traceback has such marks, they decide; where it has
none, or where they fit none of the candidates, all of them go on being candidates.
"""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source.edit import Module, Node


def underlined(case: Case, module: Module, line: int, candidates: Sequence[Node]) -> Node | None:
    """The candidate that is underlined at `line` (1-based); None where the marks do not tell."""
    columns = _columns(case, module, line)
    if columns is None:
        return None
    return next((one for one in candidates if _is_underlined(module, one, line, columns)), None)


def decided(case: Case, module: Module, line: int, candidates: Sequence[Node]) -> list[Node]:
    """The candidate that is underlined at `line` (1-based), alone; all of them where the marks do not tell."""
    one = underlined(case, module, line, candidates)
    return list(candidates) if one is None else [one]


def _columns(case: Case, module: Module, line: int) -> tuple[int, int] | None:
    """What is underlined, in columns of the file; None without marks, or where the line reads otherwise now."""
    told = case.frame.columns
    lines = module.text.split("\n")
    if told is None or not 1 <= line <= len(lines):
        return None
    text = lines[line - 1].rstrip("\r")
    if text.strip() != case.frame.code.strip():
        return None
    indent = len(text) - len(text.lstrip())
    return told[0] + indent, told[1] + indent


def _is_underlined(module: Module, node: cst.CSTNode, line: int, columns: tuple[int, int]) -> bool:
    """Whether the marks cover a node, or as much of it as stands on the line; of an attribute that is asked for on a
    line below its owner, they cover the name."""
    if isinstance(node, cst.Attribute) and module.position(node).start.line < line:
        node = node.attr
    where = module.position(node)
    if (where.start.line, where.start.column) != (line, columns[0]):
        return False
    if where.end.line == line:
        return where.end.column == columns[1]
    first = module.text.split("\n")[line - 1]
    return columns[1] >= len(first.rstrip())
