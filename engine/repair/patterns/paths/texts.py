"""Paths that stand in the source as text: nothing at run time says where they lie but the working directory."""

from __future__ import annotations

from pathlib import PurePosixPath

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import text_of


def is_written_out(module: Module, path: cst.BaseExpression) -> bool:
    """Whether a path is a constant of the file that a relative text is bound to."""
    if not isinstance(path, cst.Name) or not path.value.isupper():
        return False
    for line in module.tree.body:
        one = line.body[0] if isinstance(line, cst.SimpleStatementLine) else None
        if isinstance(one, cst.Assign) and any(module.code(each.target) == path.value for each in one.targets):
            text = text_of(one.value)
            return text is not None and not PurePosixPath(text.replace("\\", "/")).is_absolute()
    return False
