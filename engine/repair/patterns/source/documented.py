"""What a docstring says of one argument alone, and of which: its words speak of nothing else."""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.source.syntax import walk

_ENTRY = re.compile(
    r"[ \t]*(?::(?:param|arg|type|keyword)\s+(?:[\w.\[\]]+\s+)?|[-*] )?\**[`'\"]*(?P<name>\w+)[`'\"]*"
    r"[ \t]*(?:\([^)\n]*\))?[ \t]*(?::|--|\Z)"
)


def without_others(function: cst.FunctionDef, node: cst.CSTNode, text: str) -> str:
    """A function's docstring without what it says of arguments that stand nowhere in `node`, nor are named there."""
    given = {
        one.name.value
        for one in (
            *function.params.posonly_params,
            *function.params.params,
            *function.params.kwonly_params,
        )
    }
    used = {one.value for one in walk(node) if isinstance(one, cst.Name)}
    kept: list[str] = []
    left: int | None = None  # how far the entry of another argument is indented, as long as it goes on
    for line in text.splitlines():
        indent = len(line) - len(line.lstrip())
        entry = _ENTRY.match(line)
        if left is not None and line.strip() and (indent > left or (indent == left and entry is None)):
            continue
        left = indent if entry is not None and entry["name"] in given - used else None
        if left is None:
            kept.append(line)
    return "\n".join(kept)
