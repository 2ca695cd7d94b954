"""What else needs the same file behind a statement that is left out without it: it is read, and then deleted.

Relies on `calls` for what needs a path. Pure functions over a parsed file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import libcst as cst

from engine.repair.patterns.paths.calls import path_call
from engine.repair.patterns.paths.guards import CHECKS, Site
from engine.repair.patterns.source.dependents import Statement, bound_names
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import own_nodes
from engine.repair.patterns.source.syntax import last_name

_NEEDING = ("read", "list", "delete", "delete-tree", "move")
_EMPTY = ("[]", "{}", "()", "set()", "dict()", "list()", "None", '""', "''", "0")
_LEAVING = (cst.Return, cst.Yield, cst.Continue, cst.Break)


def needing_too(site: Site, group: Sequence[Statement]) -> list[Statement] | None:
    """The statements right behind a group that cannot do without the file either; None where they cannot be left out
    along with it."""
    module = site.module
    block = module.parent(group[-1])
    if not isinstance(block, cst.IndentedBlock | cst.Module):
        return []
    later = list(block.body)[list(block.body).index(group[-1]) + 1 :]
    needing: list[int] = []
    for place, one in enumerate(later):
        needs, is_made = _asks(module, one, module.code(site.call.path))
        if needs and not is_made:
            needing.append(place)
        if is_made or _binds_path(module, one, site):
            break
    if not needing:
        return []
    found = later[: needing[-1] + 1]
    if len(found) != len(needing) or any(own_nodes(one, kind) for one in found for kind in _LEAVING):
        return None
    bound = {name for one in found for name in bound_names(one)}
    read = {each.value for one in later[len(found) :] for each in module.nodes(cst.Name, within=one)}
    return None if bound & read else found


def begun_empty(module: Module, statement: cst.CSTNode) -> bool:
    """Whether all that a statement fills is begun empty right above it: `self.known = {}`, and a file that holds it."""
    block = module.parent(statement)
    filled = {module.code(one.target) for one in module.nodes(cst.AssignTarget, within=statement)}
    if not filled or not isinstance(block, cst.IndentedBlock | cst.Module):
        return False
    empty: set[str] = set()
    for one in list(block.body)[: list(block.body).index(cast(Statement, statement))]:
        for change in module.nodes(cst.Assign, within=one):
            if module.code(change.value) in _EMPTY:
                empty |= {module.code(each.target) for each in change.targets}
    return filled <= empty


def _asks(module: Module, statement: cst.CSTNode, path: str) -> tuple[bool, bool]:
    """Whether a statement needs a file to be there, and whether it looks for it, or makes it."""
    needs = made = False
    for call in module.nodes(cst.Call, within=statement):
        found = path_call(module, call)
        if found is None:
            is_look = last_name(call.func) in CHECKS or last_name(call.func) in ("makedirs", "mkdir")
            made = made or (is_look and path in module.code(call))
            continue
        goal = found.target if found.action == "move" else found.path
        made = made or (found.action in ("write", "mkdir", "move") and goal is not None and module.code(goal) == path)
        is_sure = module.nearest(call, cst.Try) is None or not _is_within_try(module, call, statement)
        needs = needs or (found.action in _NEEDING and module.code(found.path) == path and is_sure)
    return needs, made


def _is_within_try(module: Module, call: cst.Call, statement: cst.CSTNode) -> bool:
    """Whether a `try` of the statement answers what the call raises, or something else passes over it."""
    for around in module.ancestors(call):
        if isinstance(around, cst.Try | cst.With):
            return True
        if around is statement:
            return False
    return False


def _binds_path(module: Module, statement: cst.CSTNode, site: Site) -> bool:
    names = {one.value for one in module.nodes(cst.Name, within=site.call.path)}
    return bool(names & set(bound_names(cast(Statement, statement))))
