"""None where several names were to be bound: each gets what stands for nothing, where all of them are only shown.

Pure functions over a parsed file, but that they note the change in the module they are given.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import guards, stand_ins
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import own_nodes

_NUMBERS = re.compile(
    r"(?i)(?:\A|_)(?:n|x|y|w|h|num|count|counts|total|used|free|size|width|height|min|max|mean|std|sum|start|end|low|high|"
    r"lat|lon|rate|load|speed|done|left|right|top|bottom|cpu|gpu|memory|disk)(?:_|\Z)"
)


def each_nothing(module: Module, subject: cst.BaseExpression) -> str | None:
    """Let `used, total = usage(path)` bind a nothing to each name where there is none, if what the function makes shows
    them beside other things; the value, or None where one of the names is needed for more."""
    change, function = module.parent(subject), module.function(subject)
    if not isinstance(change, cst.Assign) or change.value is not subject or len(change.targets) != 1:
        return None
    target = change.targets[0].target
    if function is None or not isinstance(subject, cst.Call) or not isinstance(target, cst.Tuple):
        return None
    names = [one.value.value for one in target.elements if isinstance(one.value, cst.Name)]
    if len(names) != len(target.elements):
        return None
    end = module.position(change).end.line
    for name in names:
        reads = [one for one in own_nodes(function.body, cst.Name) if one.value == name]
        later = [one for one in reads if module.position(one).start.line > end and _is_read(module, one)]
        if not later or not all(_is_beside_others(module, one) for one in later):
            return None
    nothing = "0" if all(map(_NUMBERS.search, names)) else "None"
    whole = f"({', '.join([nothing] * len(names))})"
    module.replace(subject, guards.expression(f"{module.code(subject)} or {whole}"))
    return whole


def _is_read(module: Module, one: cst.Name) -> bool:
    """Whether a name is read, and not bound, alone or as one of several."""
    return stand_ins.is_read(module, one) and not any(
        isinstance(around, cst.AssignTarget) for around in module.ancestors(one)
    )


def _is_beside_others(module: Module, one: cst.Name) -> bool:
    """Whether a read is one of several parts of a dict that is written out, or of a text."""
    around = module.parent(one)
    if isinstance(around, cst.FormattedStringExpression):
        return around.format_spec is None
    holder = module.parent(around) if isinstance(around, cst.DictElement) else None
    return isinstance(holder, cst.Dict) and len(holder.elements) > 2
