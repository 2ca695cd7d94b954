"""The other reads of an attribute of an object that all of a file shares."""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import lasting
from engine.repair.patterns.source.edit import Module


def _is_changed(module: Module, one: cst.Attribute) -> bool:
    """Whether an attribute is given a value, or deleted, rather than read."""
    around = module.parent(one)
    return isinstance(around, cst.AssignTarget | cst.Del | cst.AugAssign | cst.AnnAssign) and (
        isinstance(around, cst.AssignTarget | cst.Del) or around.target is one
    )


def reads(module: Module, use: cst.Attribute, default: str) -> list[cst.Attribute]:
    """The other reads in the file of an attribute of what all of it shares: an import's, or a global object's."""
    source = module.code(use.value)
    top = [module.code(one.target) for one in module.nodes(cst.AssignTarget) if module.function(one) is None]
    if source not in module.imported and source not in top:
        return []
    same = [one for one in module.nodes(cst.Attribute) if one is not use and module.code(one) == module.code(use)]
    same = [one for one in same if not _is_changed(module, one)]
    return [one for one in same if lasting.lasts(module, one, default)]
