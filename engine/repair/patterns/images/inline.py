"""A read that stands within a larger expression gets a name first, so that None can be looked for."""

from __future__ import annotations

from typing import cast

import libcst as cst

from engine.repair.patterns.images.any_path import imreads, use_helper
from engine.repair.patterns.images.none_checks import guard
from engine.repair.patterns.source.edit import Module, with_replaced
from engine.repair.patterns.source.image_origin import Chain
from engine.repair.patterns.source.sites import Place, Trail

_NAMES = ("image", "img", "picture", "image_read", "other_image", "_image")
_MAYBE = cst.Lambda | cst.IfExp | cst.BooleanOperation | cst.BaseComp


def inline(trail: Trail, place: Place, chain: Chain) -> str:
    """The call stands within a larger expression: it gets a name first."""
    module, node = place.module, cast(cst.Call, place.node)
    call, owner = cast(cst.Call, chain.call.node), chain.call.module
    new = use_helper(owner, call, call) if node is call else use_helper(owner, call, None) and node
    names = [one for one in _NAMES if one not in module.names()] or ["_image"]
    name = names[0]
    for around in module.ancestors(node):
        if hasattr(around, "for_in"):
            clause = around.for_in
            while clause.inner_for_in is not None:
                clause = clause.inner_for_in
            test = cst.parse_expression(f"({name} := {module.tree.code_for_node(new)}) is not None")
            changed = around.deep_replace(node, cst.Name(name))
            module.replace(around, _with_test(changed, test))
            return ""
        if isinstance(around, cst.SimpleStatementLine):
            if module.nearest(node, cst.Lambda) is not None:
                return "it stands within a lambda"
            source, changes = "", {}
            for one, own in zip([node, *_beside(module, node, around)], names, strict=False):
                here = place if one is node else Place(module, one, place.frame)
                read = new if one is node else use_helper(owner, one, one)
                source += f"{own} = {module.tree.code_for_node(read)}\n"
                source += guard(trail, here, own, chain if one is node else Chain((here,)))
                changes[cast(cst.CSTNode, one)] = cast(cst.CSTNode, cst.Name(own))
            module.insert_before(around, source, with_replaced(around, changes))
            return ""
        if isinstance(around, cst.If) and not isinstance(module.parent(around), cst.If):
            source = f"{name} = {module.tree.code_for_node(new)}\n" + guard(trail, place, name, chain)
            test = around.test.deep_replace(node, cst.Name(name))
            module.insert_before(around, source, around.with_changes(test=test))
            return ""
        if isinstance(around, cst.BaseCompoundStatement):
            return "it stands in the head of a statement"
    return "there is no statement before which None could be looked for"


def _with_test(comprehension: cst.CSTNode, test: cst.BaseExpression) -> cst.CSTNode:
    clauses = [comprehension.for_in]  # type: ignore[attr-defined]
    while clauses[-1].inner_for_in is not None:
        clauses.append(clauses[-1].inner_for_in)
    made = clauses[-1].with_changes(ifs=[*clauses[-1].ifs, cst.CompIf(test)])
    for outer in reversed(clauses[:-1]):
        made = outer.with_changes(inner_for_in=made)
    whole: cst.CSTNode = comprehension.with_changes(for_in=made)
    return whole


def _beside(module: Module, node: cst.Call, statement: cst.SimpleStatementLine) -> list[cst.Call]:
    """The statement's other reads, where all of them are made whatever the first one gives."""
    if module.nearest(node, cst.IfExp | cst.BooleanOperation) is not None:  # type: ignore[arg-type]
        return []
    found = [one for one in imreads(module, statement) if one is not node and not any(each.star for each in one.args)]
    inside = [one for one in found if any(isinstance(each, _MAYBE) for each in _between(module, one, statement))]
    nested = any(any(each is node for each in module.ancestors(one)) for one in found)
    return [] if inside or nested else found


def _between(module: Module, node: cst.CSTNode, statement: cst.CSTNode) -> list[cst.CSTNode]:
    found = []
    for one in module.ancestors(node):
        if one is statement:
            break
        found.append(one)
    return found
