"""A call that is told how large its tiles are is made again with tiles of half the size where memory runs out.

before    tile = 512
          steps = count(image, tile)
          out = upscale(image, tile_x=tile, tile_y=tile)
after     tile = 512
          while True:
              try:
                  steps = count(image, tile)
                  out = upscale(image, tile_x=tile, tile_y=tile)
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
from engine.repair.patterns.memory.batch_arguments import gives_pieces, makes_pieces
from engine.repair.patterns.memory.done_again import begins_from_itself
from engine.repair.patterns.memory.shrinking_ranges import Renamer
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.syntax import last_name, parameter_of, walk

_TILES = re.compile(r"(?i)(?:\w+_)?tile(?:_?(?:size|x|y|w|h|width|height))?\Z")
_OVERLAPS = re.compile(r"(?i)(?:\w+_)?overlap(?:_\w+)?\Z")
_PLAIN = re.compile(r"[\d\s+*/()-]+")
SMALLEST = 64


def smaller_tile_arguments(site: Site, statement: cst.CSTNode, function: cst.FunctionDef | None) -> Proposal | None:
    """The call again with tiles of half the size; None where nothing says how large they are, or that they may be."""
    module = site.module
    block = module.parent(statement)
    if function is None or not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    small = statement.body[0]
    if not isinstance(block, cst.IndentedBlock) or not isinstance(small, cst.Assign | cst.Return):
        return None
    if any(isinstance(one, cst.Yield | cst.BaseComp) for one in walk(small)):
        return None
    args = [
        arg
        for node in walk(small)
        if isinstance(node, cst.Call)
        for arg in node.args
        if arg.keyword is not None and _TILES.match(arg.keyword.value)
        if not makes_pieces(last_name(node.func))
    ]
    names = {module.code(arg.value) for arg in args}
    size = names.pop() if len(names) == 1 else ""
    if not args or not size.isidentifier():
        return None
    body = list(block.body)
    at = body.index(statement)
    bound = _bound_at(module, body[:at], size)
    parameter = parameter_of(function, size)
    if bound is None and (parameter is None or not isinstance(parameter.default, cst.Integer)):
        return None
    first = _first(module, body, bound + 1 if bound is not None else 0, at, size)
    least = _least(module, body[at], size)
    if first is None or not least or gives_pieces(module, small):
        return None
    again: list[cst.BaseStatement] = list(body[first : at + 1])
    lead = ""
    if size.isupper():
        name = guards.fresh(module, "tile", "tile_size")
        lead, again = f"{name} = {size}\n", [cast(cst.BaseStatement, one.visit(Renamer(size, name))) for one in again]
        size = name
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    error = error_name(module)
    raised = raised_again(site, error)
    handler = (
        f"except Exception as {error}:\n    if not _is_out_of_memory({error}):\n        raise\n"
        f"    if {size} // 2 {least}:\n"
        f'        raise {raised}(f"out of memory even with the smallest tiles: {{{error}}}") from {error}\n'
        f"    {size} //= 2\n" + (f"    {clear}\n" if clear else "")
    )
    loop = cast(cst.While, parse_statements("while True:\n    break\n", module.tree)[0])
    leave = [] if isinstance(small, cst.Return) else cast(cst.IndentedBlock, loop.body).body
    lines = getattr(again[0], "leading_lines", ())
    tried = tried_body(module, [again[0].with_changes(leading_lines=()), *again[1:], *leave], handler)
    made = loop.with_changes(body=loop.body.with_changes(body=[tried]), leading_lines=lines)
    before = parse_statements(lead, module.tree) if lead else []
    if before:
        before[0], made = before[0].with_changes(leading_lines=lines), made.with_changes(leading_lines=())
    module.replace(block, block.with_changes(body=[*body[:first], *before, made, *body[at + 1 :]]))
    return finished(site, "smaller-tiles", f"Where memory runs out, {size} is halved and the tiles are done again.")


def _bound_at(module: Module, body: list[cst.BaseStatement], size: str) -> int | None:
    """Which line gives the size a number that is written out; None where none does."""
    for index in range(len(body) - 1, -1, -1):
        one = body[index]
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) else None
        if isinstance(small, cst.Assign) and [module.code(each.target) for each in small.targets] == [size]:
            return index if _PLAIN.fullmatch(module.code(small.value)) else None
    return None


def _first(module: Module, body: list[cst.BaseStatement], start: int, at: int, size: str) -> int | None:
    """The first line that the size goes into; None where one of them does more than give names to what it computes."""
    reads = re.compile(rf"(?<![\w.]){re.escape(size)}\b(?!\s*=(?!=))")
    first = at
    for index in range(at - 1, start - 1, -1):
        if reads.search(module.code(body[index])):
            first = index
    for one in body[first:at]:
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        if not isinstance(small, cst.Assign) or not all(isinstance(each.target, cst.Name) for each in small.targets):
            return None
        if size in {module.code(each.target) for each in small.targets}:
            return None  # each round would begin with tiles of the first size
    return None if begins_from_itself(module, body[first : at + 1]) else first


def _least(module: Module, statement: cst.CSTNode, size: str) -> str:
    """How small half a tile may not be, as a comparison: as its overlap, if it has one; '' where none is known."""
    overlaps = {
        module.code(arg.value)
        for arg in walk(statement)
        if isinstance(arg, cst.Arg) and arg.keyword is not None and _OVERLAPS.match(arg.keyword.value)
    }
    if not overlaps or all(re.search(rf"(?<![\w.]){re.escape(size)}\b", one) for one in overlaps):
        return f"< {SMALLEST}"
    if all(re.fullmatch(r"[\d.]+", one) for one in overlaps):
        most = max(float(one) for one in overlaps)
        return f"<= {most:.0f}" if most >= SMALLEST else f"< {SMALLEST}"
    one = overlaps.pop()
    return f"<= {one}" if not overlaps and re.fullmatch(r"[A-Za-z_][\w.]*", one) else ""
