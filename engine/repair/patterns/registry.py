"""All fix patterns by name: the eight that ship, and others' by entry point.

A pattern's module is imported when it is first asked for (LibCST is not needed to list them). Another distribution adds
a pattern by an entry point in the group `proofsheet.fix_patterns` that names an object with the face of
`pattern.Pattern`; one that cannot be loaded, or takes a name that is taken, is left out and said to be (`refused`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import cast

from engine.repair.patterns.pattern import Pattern

GROUP = "proofsheet.fix_patterns"
BUILT_IN: Mapping[str, str] = {  # in the order in which they are asked: the most particular first
    "unicode": "engine.repair.patterns.unicode",
    "missing-file": "engine.repair.patterns.missing_file",
    "missing-import": "engine.repair.patterns.missing_import",
    "zero-division": "engine.repair.patterns.zero_division",
    "out-of-memory": "engine.repair.patterns.out_of_memory",
    "imread": "engine.repair.patterns.imread",
    "attribute": "engine.repair.patterns.attribute",
    "type-mismatch": "engine.repair.patterns.type_mismatch",
}


@dataclass(frozen=True)
class Registry:
    """Patterns by id, in the order in which they are asked; `refused` says why a plugin's is not among them."""

    patterns: Mapping[str, Pattern]
    refused: Mapping[str, str] = field(default_factory=dict)


@cache
def built_in(name: str) -> Pattern:
    """One of the eight. Raises KeyError for another name."""
    return cast(Pattern, import_module(BUILT_IN[name]).PATTERN)


def registry() -> Registry:
    """The eight and the plugins'."""
    patterns = {name: built_in(name) for name in BUILT_IN}
    refused: dict[str, str] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda one: one.name):
        made = _plugin(point)
        if isinstance(made, str):
            refused[point.name] = made
        elif made.id in patterns:
            refused[point.name] = f"there is a pattern {made.id} already"
        else:
            patterns[made.id] = made
    return Registry(patterns, refused)


def _plugin(point: EntryPoint) -> Pattern | str:
    """A plugin's pattern (a class is called without arguments), or why there is none."""
    try:
        made = point.load()
        made = made() if isinstance(made, type) else made
    except Exception as error:  # noqa: BLE001 - foreign code may fail in any way; the reason is shown
        return f"{point.value} cannot be loaded: {type(error).__name__}: {error}"
    lacking = [name for name in ("id", "title", "recognises", "propose") if not hasattr(made, name)]
    return f"{point.value} is no fix pattern: it lacks {', '.join(lacking)}" if lacking else cast(Pattern, made)
