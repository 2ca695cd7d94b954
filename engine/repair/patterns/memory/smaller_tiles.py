"""Tiles of a picture in two loops, one within the other: all of it is done again with tiles of half the size.

The rows' step and the columns' hang together, so that neither loop can go on by itself. What the tiles are put into is
made anew.

    before    for y in range(0, height, tile):
                  for x in range(0, width, tile):
                      out[y : y + tile, x : x + tile] = model(image[y : y + tile, x : x + tile])
    after     while True:
                  try:
                      for y in range(0, height, tile):
                          ...
                      break
                  except Exception as error:
                      ...
                      tile //= 2
"""

from __future__ import annotations

import re
from typing import cast

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.memory.backoff_code import (
    IS_OUT_OF_MEMORY,
    Site,
    error_name,
    finished,
    raised_again,
    tried_body,
    with_helpers,
)
from engine.repair.patterns.memory.done_again import begins_from_itself
from engine.repair.patterns.memory.shrinking_ranges import Renamer, is_own_name
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.syntax import dotted, walk

_MADE = re.compile(r"\b(?:new_)?(?:zeros|empty|ones|full)(?:_like)?\(|= *(?:\[\]|\{\}|list\(\)|dict\(\))$")
_HARMLESS = re.compile(  # calls for what they do that may be done twice
    r"(?:^|\.)(?:print|debug|info|warning|empty_cache|collect|synchronize|set_description|set_postfix|update|refresh)$"
)
_TILE = re.compile(r"(?i)tile|patch|chunk|block|crop|window|size|step|stride")


def outer_loop(module: Module, statement: cst.CSTNode) -> cst.For | None:
    """The outer of two loops around a statement."""
    loops: list[cst.For] = []
    for one in module.ancestors(statement):
        if isinstance(one, cst.FunctionDef | cst.ClassDef):
            break
        if isinstance(one, cst.For):
            loops.append(one)
    return loops[1] if len(loops) > 1 else None


def smaller_tiles(site: Site, statement: cst.CSTNode, function: cst.FunctionDef | None) -> Proposal | None:
    """All tiles again, of half the size; None where these are no tiles, or something would be done twice."""
    module = site.module
    outer = outer_loop(module, statement)
    block = module.parent(outer) if outer is not None else None
    if outer is None or outer.orelse or not isinstance(block, cst.IndentedBlock) or function is None:
        return None
    size = _size(outer)
    if not size:
        return None
    body = list(block.body)
    at = body.index(outer)
    first = _first(module, body, at, size)
    targets = {
        module.code(one.target) for each in body[first:at] for one in walk(each) if isinstance(one, cst.AssignTarget)
    }
    if (
        size in targets
        or begins_from_itself(module, body[first : at + 1])
        or _done_twice(module, outer, targets)
        or not _steps_by(module, outer, size, body[first:at])
    ):
        return None
    again: list[cst.BaseStatement] = list(body[first : at + 1])
    lead = ""
    if "." not in size and not is_own_name(module, size, function):
        name = guards.fresh(module, "tile_size", "tile", "size")
        lead, again = f"{name} = {size}\n", [cast(cst.BaseStatement, one.visit(Renamer(size, name))) for one in again]
        size = name
    text = "".join(module.code(one) for one in body[first : at + 1])
    less = re.search(rf"(?<![\w.]){re.escape(size)} *- *(?:2 *\* *)?([\w.]+)", text)
    smallest = f"{size} // 2 <= {less[1]}" if less and not less[1].isdigit() else f"{size} <= 1"
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    error = error_name(module)
    raised = raised_again(site, error)
    handler = (
        f"except Exception as {error}:\n    if not _is_out_of_memory({error}):\n        raise\n"
        f"    if {smallest}:\n"
        f'        raise {raised}(f"out of memory even with the smallest tiles: {{{error}}}") from {error}\n'
        f"    {size} //= 2\n" + (f"    {clear}\n" if clear else "")
    )
    while_true = cast(cst.While, parse_statements("while True:\n    break\n", module.tree)[0])
    leave = cast(cst.IndentedBlock, while_true.body).body
    lines = getattr(again[0], "leading_lines", ())
    tried = tried_body(module, [again[0].with_changes(leading_lines=()), *again[1:], *leave], handler)
    made = while_true.with_changes(body=while_true.body.with_changes(body=[tried]), leading_lines=lines)
    before = parse_statements(lead, module.tree) if lead else []
    if before:
        before[0] = before[0].with_changes(leading_lines=lines)
        made = made.with_changes(leading_lines=())
    module.replace(block, block.with_changes(body=[*body[:first], *before, made, *body[at + 1 :]]))
    return finished(site, "smaller-tiles", f"Where memory runs out, {size} is halved and all tiles are done again.")


def _size(outer: cst.For) -> str:
    """What the tiles' slices are wide: `tile` of `image[y : y + tile, x : x + tile]`."""
    counts: dict[str, int] = {}
    for one in walk(outer.body):
        if isinstance(one, cst.Slice) and isinstance(one.upper, cst.BinaryOperation):
            right = dotted(one.upper.right) if isinstance(one.upper.operator, cst.Add) else ""
            if right and _TILE.search(right):
                counts[right] = counts.get(right, 0) + 1
    return next((name for name, count in counts.items() if count > 1), "")


def _first(module: Module, body: list[cst.BaseStatement], at: int, size: str) -> int:
    """The first of the lines above the loops that depend on the size, or make what the tiles are put into."""
    first = at
    for index in range(at - 1, -1, -1):
        one = body[index]
        if not (isinstance(one, cst.SimpleStatementLine) and isinstance(one.body[0], cst.Assign)):
            break
        code = module.code(one).strip()
        if re.match(rf"{re.escape(size)} *=", code):
            break
        if re.search(rf"(?<![\w.]){re.escape(size)}\b", code) or _MADE.search(code):
            first = index
    return first


def _steps_by(module: Module, outer: cst.For, size: str, above: list[cst.BaseStatement]) -> bool:
    """Whether both loops step by the size, or by what is worked out from it anew: else halves would leave gaps."""
    depends = {size}
    for one in above:
        assign = one.body[0] if isinstance(one, cst.SimpleStatementLine) else None
        if isinstance(assign, cst.Assign) and _names(module, _step(module, assign.value)) & depends:
            depends |= {module.code(target.target) for target in assign.targets}
    inner = next((one for one in walk(outer.body) if isinstance(one, cst.For)), None)
    loops = [one.iter for one in (outer, inner) if one is not None]
    return len(loops) == 2 and all(_names(module, _step(module, one)) & depends for one in loops)


def _step(module: Module, value: cst.BaseExpression) -> cst.CSTNode:
    """The step of the range that an expression is made of; the expression itself where it has none."""
    for one in [value, *walk(value)]:
        if isinstance(one, cst.Call) and module.code(one.func) in ("range", "np.arange") and len(one.args) == 3:
            return one.args[2].value
    return value


def _names(module: Module, node: cst.CSTNode) -> set[str]:
    """The names and attributes that an expression reads, as written."""
    return {module.code(one) for one in [node, *walk(node)] if isinstance(one, cst.Name | cst.Attribute)}


def _done_twice(module: Module, outer: cst.For, made: set[str]) -> bool:
    """Whether the loops do something for good, or add to something that is not made anew with them."""
    if re.search(r"\byield\b|\breturn\b", module.code(outer.body)):
        return True
    for one in walk(outer.body):
        owner = ""
        if isinstance(one, cst.Expr) and isinstance(one.value, cst.Call) and not _is_of(module, one.value, made):
            return True
        if isinstance(one, cst.AugAssign):
            owner = module.code(one.target.value if isinstance(one.target, cst.Subscript) else one.target)
        elif isinstance(one, cst.Call) and isinstance(one.func, cst.Attribute):
            called = one.func.attr.value
            if called in ("append", "extend", "add", "write") or called.endswith("_"):
                target = one.func.value
                owner = module.code(target.value if isinstance(target, cst.Subscript) else target)
        if owner and owner not in made and not re.search(r"(?i)bar|progress|tqdm", owner):
            return True
    return False


def _is_of(module: Module, call: cst.Call, made: set[str]) -> bool:
    """Whether a call whose result nobody takes changes only what is made anew, or tells how far it is."""
    func = call.func
    if _HARMLESS.search(module.code(func)):
        return True
    owner = func.value if isinstance(func, cst.Attribute) else None
    while isinstance(owner, cst.Subscript | cst.Attribute) and module.code(owner) not in made:
        owner = owner.value
    return owner is not None and module.code(owner) in made
