"""A call that takes the size of its batches as an argument is made again with half of it where memory runs out."""

from __future__ import annotations

import re
from typing import cast

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.memory.backoff_code import (
    IS_OUT_OF_MEMORY,
    Site,
    finished,
    on_failure,
    tried_body,
    with_helpers,
)
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.syntax import assignments, last_name, parameter_of, walk

_SIZES = re.compile(r"(?i)\A(?:\w+_)?(?:batch_?size|chunk_?size|chunksize|tile_?size|bs|batch)\Z")
_BARE = re.compile(r"(?i)\A(?:\w+_)?batch\Z")  # as often the batch itself
_LEARNS = re.compile(r"(?i)\A(?:fit|train)\w*\Z")
_IN_BATCHES = re.compile(
    r"(?i)\A(?:encode\w*|predict\w*|embed\w*|transform|infer\w*|evaluate|score|fit|train|val)\Z"
)  # whatever they get
_HOW_MANY = re.compile(  # the size is that of what they give, not of what they take at a time
    r"(?i)sample|generat|prior|(?:^|_)(?:rand\w*|draw\w*|noise|synthes\w*|benchmark\w*|simulat\w*)(?:$|_)"
)
_PIECES = re.compile(r"(?i)(?:^|_)(?:tiles|patches|crops|chunks|windows|blocks|grid)(?:$|_)")
_TO_PIECES = re.compile(
    r"(?i)extract|unfold|split|slice|patchify|(?:^|_)(?:cut|make|build|create|get|count|num|plan)(?:$|_)"
)
_INPUTS = re.compile(
    r"(?i)(?:\w+_)?(?:inputs?|texts?|sentences|prompts?|images?|data|x|docs?|documents|audio|videos?|items)\Z"
)
_MAKES = re.compile(
    r"(?i)load|data|sampler|iter|make|create|build|get|init|config|args|parse|setup|set_|compile|quantize|from_|log|print|"
    r"info|warn|format|save|write|dict|partial|range|split|train|fit|forward|backward|step|prepare|estimate|plan|shape"
)


def smaller_argument(site: Site, statement: cst.CSTNode) -> Proposal | None:
    """`model.encode(texts, batch_size=128)` in a loop that halves the size; None where no call takes one."""
    module = site.module
    if not isinstance(statement, cst.SimpleStatementLine) or len(statement.body) != 1:
        return None
    small = statement.body[0]
    if not isinstance(small, cst.Expr | cst.Assign | cst.Return):
        return None
    sizes = [
        arg
        for node in walk(small)
        if isinstance(node, cst.Call)
        for arg in node.args
        if arg.keyword is not None
        and _SIZES.match(arg.keyword.value)
        and _works_in_batches(module, node, arg.keyword.value)
    ]
    if len(sizes) != 1 or any(isinstance(one, cst.Yield | cst.Lambda | cst.BaseComp) for one in walk(small)):
        return None
    if not isinstance(module.parent(statement), cst.IndentedBlock):
        return None
    given = sizes[0].value
    function = module.function(statement)
    if not isinstance(given, cst.Integer | cst.Name | cst.Attribute) or function is None:
        return None
    parameter = parameter_of(function, given.value) if isinstance(given, cst.Name) else None
    if parameter is not None and (parameter.default is None or not isinstance(parameter.default, cst.Integer)):
        return None  # who called may have given none
    keyword = cst.ensure_type(sizes[0].keyword, cst.Name).value
    if _BARE.match(keyword) and not _is_whole(module, function, given):
        return None
    name = given.value if parameter is not None and isinstance(given, cst.Name) else ""
    size = name or guards.fresh(module, "size", "batch_size", "half_size")
    changed = (
        statement if name else cst.ensure_type(statement.deep_replace(given, cst.Name(size)), cst.SimpleStatementLine)
    )
    clear = with_helpers(site, IS_OUT_OF_MEMORY)
    loop = cast(cst.While, parse_statements("while True:\n    break\n", module.tree)[0])
    block = cast(cst.IndentedBlock, loop.body)
    done = [changed.with_changes(leading_lines=()), *([] if isinstance(small, cst.Return) else block.body)]
    tried = tried_body(module, done, on_failure(site, size, [f"{size} //= 2", clear]))
    first = [] if name else parse_statements(f"{size} = {module.code(given)}\n", module.tree)
    whole: list[cst.CSTNode] = [*first, loop.with_changes(body=block.with_changes(body=[tried]))]
    whole[0] = whole[0].with_changes(leading_lines=statement.leading_lines)
    module.replace(statement, cst.FlattenSentinel(whole))
    why = f"Where memory runs out, {size} is halved and the call is made again."
    call = module.nearest(sizes[0], cst.Call)
    if call is not None and _LEARNS.match(last_name(call.func)):
        why += " It trains on from the weights that the failed call left half-way, and for all epochs again."
    return finished(site, "shrink-argument", why)


def _works_in_batches(module: Module, call: cst.Call, keyword: str) -> bool:
    """Whether a call computes in batches of the size that it is given, rather than making what will."""
    name = last_name(call.func)
    if _HOW_MANY.search(name) or (re.search(r"(?i)tile|chunk", keyword) and makes_pieces(name)):
        return False
    if _IN_BATCHES.match(name):
        return True
    own = [one for one in module.nodes(cst.FunctionDef) if one.name.value == name]
    if any(not re.search(rf"\b{keyword}\b", module.code(one.body)) for one in own):
        return False  # it takes the size, and does nothing with it
    if not any(_INPUTS.match(one.keyword.value) if one.keyword is not None else True for one in call.args):
        return False  # nothing is given that it would work on
    return bool(name) and name[0].islower() and not _BARE.match(keyword) and keyword != "bs" and not _MAKES.search(name)


def makes_pieces(name: str) -> bool:
    """Whether what is called so gives pieces of the size that it is told, or is made for them: smaller are others."""
    if not name.lstrip("_")[:1].islower():
        return True
    return bool(_PIECES.search(name) or _TO_PIECES.search(name))


def gives_pieces(module: Module, small: cst.Assign | cst.Return) -> bool:
    """Whether what a statement keeps is called by the pieces that it holds, not by what they make together."""
    targets = [module.code(one.target) for one in small.targets] if isinstance(small, cst.Assign) else []
    return any(_PIECES.search(one) for one in targets)


def _is_whole(module: Module, function: cst.FunctionDef, given: cst.BaseExpression) -> bool:
    """Whether the file shows that what is given is a number of items, not the items themselves."""
    if isinstance(given, cst.Integer):
        return True
    if isinstance(given, cst.Attribute):
        option = re.escape(given.attr.value).replace("_", "[-_]")
        return bool(re.search(rf"['\"]--{option}['\"][^()]*type *= *int\b", module.text))
    if not isinstance(given, cst.Name):
        return False
    parameter = parameter_of(function, given.value)
    values = [parameter.default] if parameter is not None else []
    for scope in (function, module.tree):
        bound = [value for target, value in assignments(scope) if module.code(target) == given.value]
        if bound or values:
            return all(isinstance(one, cst.Integer) for one in (*values, *bound))
    return False
