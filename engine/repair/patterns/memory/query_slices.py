"""Attention that runs out of memory is computed for a part of its queries at a time: each has a softmax of its own.

    before    out = F.scaled_dot_product_attention(q, k, v)
    after     out = _in_slices(lambda part: F.scaled_dot_product_attention(part, k, v), q, -2, -2)

So is one that is written out: `w = torch.bmm(q, k)`, scaled, softmax over the keys, turned, `torch.bmm(v, w)`. What is
masked, or causal, is left alone: a part would need its part of the mask.
"""

from __future__ import annotations

import re
from typing import cast

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.memory.backoff_code import IS_OUT_OF_MEMORY, Site, finished, with_helpers
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.syntax import assignments, dotted, last_name, parameter_of, walk

IN_SLICES = '''def _in_slices(attend, queries, dim, joined):
    """What `attend` gives for all queries; where memory runs out, for smaller and smaller parts of them, joined."""
    parts = 1
    while True:
        try:
            done = [attend(part) for part in queries.chunk(parts, dim)]
            return done[0] if parts == 1 else TORCH.cat(done, joined)
        except Exception as error:
            if not _is_out_of_memory(error):
                raise
            if parts >= queries.shape[dim]:
                raise type(error)(f"out of memory even with one query at a time: {error}") from error
        parts *= 2
        CLEAR
'''
_CALLS = {
    "torch.nn.functional.scaled_dot_product_attention": -2,
    "xformers.ops.memory_efficient_attention": 1,
    "xformers.ops.fmha.memory_efficient_attention": 1,
}
_NUMBERS = re.compile(r"(?i)(?:\w+_)?(?:scale|scaling|dim\w*|d_?k|d_?head|channels|temperature|sqrt\w*)\Z")
_TO_NUMBERS = re.compile(r"(?:int|float|len|(?:math|np|numpy)\.\w+|[\w.]+\.(?:size|dim|numel))\Z")
_IN_PLACE = re.compile(r"\w[a-z]_\(")
_PLAIN = {"attn_mask": "None", "dropout_p": "0.0", "is_causal": "False", "attn_bias": "None", "p": "0.0", "op": ""}
_WHY = "Where memory runs out, attention is computed for a part of the queries at a time."


def query_slices(site: Site, statement: cst.CSTNode) -> Proposal | None:
    """Attention on parts of its queries; None where the statement computes none, or one that parts would change."""
    if not site.with_torch or not isinstance(statement, cst.SimpleStatementLine):
        return None
    if site.module.defines("_in_slices"):
        return None
    return _by_one_call(site, statement) or _written_out(site, statement)


def _by_one_call(site: Site, statement: cst.SimpleStatementLine) -> Proposal | None:
    module = site.module
    calls = [one for one in walk(statement) if isinstance(one, cst.Call) and module.qualified(one.func) in _CALLS]
    if len(calls) != 1 or _is_own(module, calls[0].func):
        return None
    call, dim = calls[0], _CALLS[module.qualified(calls[0].func)]
    plain = [one for one in call.args if one.keyword is None]
    if len(plain) != 3 or any(one.star for one in call.args) or not isinstance(plain[0].value, cst.Name):
        return None
    for one in call.args:
        name = one.keyword.value if one.keyword is not None else ""
        if name and name != "scale" and _PLAIN.get(name) not in ("", module.code(one.value)):
            return None
    part = guards.fresh(module, "part", "queries")
    queries = plain[0].value.value
    args = [one.with_changes(value=cst.Name(part)) if one is plain[0] else one for one in call.args]
    run = module.code(call.with_changes(args=args, lpar=[], rpar=[]))
    with_helpers(site, IS_OUT_OF_MEMORY, IN_SLICES)
    made = guards.expression(f"_in_slices(lambda {part}: {run}, {queries}, {dim}, {dim})")
    module.replace(call, made.with_changes(lpar=call.lpar, rpar=call.rpar))
    return finished(site, "query-slices", _WHY)


def _is_own(module: Module, func: cst.BaseExpression) -> bool:
    """Whether the file has, be it where an import fails, something of its own of that name: it may do otherwise."""
    own = dotted(func).partition(".")[0]
    bound = {one.name.value for one in module.nodes(cst.FunctionDef)}
    bound |= {module.code(one.target) for one in module.nodes(cst.AssignTarget)}
    return own in bound


def _written_out(site: Site, statement: cst.SimpleStatementLine) -> Proposal | None:
    module = site.module
    block = module.parent(statement)
    if not isinstance(block, cst.IndentedBlock) or module.function(statement) is None:
        return None
    body = list(block.body)
    at = body.index(statement)
    for first in range(at, -1, -1):
        scores = _product(module, body[first])
        if scores is None:
            continue
        weights, queries, _keys = scores
        found = _until(module, body, first, weights)
        if found is None and first == at:
            continue  # what weighs the values may itself have failed
        if found is None or not first <= at <= found[0]:
            return None
        last, own = found
        attended = _product(module, body[last])
        if attended is None or _reads_what_is_moved(module, body, first, own):
            return None
        out, values, _weights = attended
        if queries in (weights, values) or values == weights:
            return None
        attend = guards.fresh(module, "attend", "attention")
        ours = [cast(cst.SimpleStatementLine, body[index]) for index in own]
        lines = [module.code(one.with_changes(leading_lines=())).strip() for one in ours]
        text = f"def {attend}({queries}):\n" + "".join(f"    {one}\n" for one in lines)
        text += f"    return {module.code(_value(body[last]))}\n{out} = _in_slices({attend}, {queries}, 1, 2)\n"
        with_helpers(site, IS_OUT_OF_MEMORY, IN_SLICES)
        others = [body[index] for index in range(first, last) if index not in own]
        made = parse_statements(text, module.tree)
        kept = [*body[:first], *others, *made, *body[last + 1 :]]
        module.replace(block, block.with_changes(body=kept))
        return finished(site, "query-slices", _WHY)
    return None


def _reads_what_is_moved(module: Module, body: list[cst.BaseStatement], first: int, own: list[int]) -> bool:
    """Whether a line that goes into the function stands before one that does not and that binds what it reads."""
    for index in range(first, own[-1]):
        if index in own:
            continue
        name = _bound(module, body[index])
        before = [module.code(body[each]) for each in own if each < index]
        if _IN_PLACE.search(module.code(body[index])):
            return True
        if any(re.search(rf"(?<![\w.]){re.escape(name)}\b", one) for one in before):
            return True
    return False


def _value(statement: cst.CSTNode) -> cst.BaseExpression:
    small = cast(cst.SimpleStatementLine, statement).body[0]
    return cast(cst.Assign, small).value


def _bound(module: Module, statement: cst.CSTNode) -> str:
    """The one name that a statement binds; '' for any other statement."""
    small = statement.body[0] if isinstance(statement, cst.SimpleStatementLine) and len(statement.body) == 1 else None
    if (
        not isinstance(small, cst.Assign)
        or len(small.targets) != 1
        or not isinstance(small.targets[0].target, cst.Name)
    ):
        return ""
    return module.code(small.targets[0].target)


def _product(module: Module, statement: cst.CSTNode) -> tuple[str, str, str] | None:
    """The names of `out = torch.bmm(first, second)`; None for any other statement."""
    name = _bound(module, statement)
    call = _value(statement) if name else None
    if not isinstance(call, cst.Call) or module.qualified(call.func) != "torch.bmm" or len(call.args) != 2:
        return None
    given = [module.code(one.value) for one in call.args]
    return (name, given[0], given[1]) if all(one.isidentifier() for one in given) else None


def _until(module: Module, body: list[cst.BaseStatement], first: int, weights: str) -> tuple[int, list[int]] | None:
    """Where values are weighed, and the lines up to there that make the weights of each query by itself; else None."""
    name = re.escape(weights)
    steps = (
        rf"(?:torch\.nn\.functional\.|F\.|torch\.|nn\.functional\.)softmax\(\s*{name}\s*,\s*(?:dim=)?(?:2|-1)\s*\)|"
        rf"{name}\.softmax\(\s*(?:dim=)?(?:2|-1)\s*\)",
        rf"{name}\.(?:permute\(\s*0\s*,\s*2\s*,\s*1\s*\)|transpose\(\s*(?:1\s*,\s*2|2\s*,\s*1|-1\s*,\s*-2|-2\s*,\s*-1)\s*\))",
    )
    own, seen = [first], cast(set[int], set())
    for index in range(first + 1, len(body)):
        one = body[index]
        bound, product = _bound(module, one), _product(module, one)
        if product is not None and product[2] == weights:
            read = any(re.search(rf"(?<![\w.]){name}\b", module.code(later)) for later in body[index + 1 :])
            return (index, own) if {0, 1} <= seen and (product[0] == weights or not read) else None
        if not bound:
            return None
        code = module.code(_value(one)).strip()
        if bound == weights:
            kind = next((number for number, step in enumerate(steps) if re.fullmatch(step, code)), None)
            if kind is None and not _scales(module, _value(one), weights):
                return None
            seen |= {kind} if kind is not None else set()
            own.append(index)
        elif re.search(rf"(?<![\w.]){name}\b", code):
            return None
    return None


def _scales(module: Module, value: cst.BaseExpression, weights: str) -> bool:
    """Whether scores are multiplied with, or divided by, a number: of a mask, a part would need its part."""
    if isinstance(value, cst.BinaryOperation) and isinstance(value.operator, cst.Multiply | cst.Divide):
        sides = (value.left, value.right)
        by = [one for one in sides if module.code(one) != weights]
        is_second = module.code(value.left) != weights and isinstance(value.operator, cst.Divide)
        return len(by) == 1 and not is_second and _is_number(module, by[0])
    if not isinstance(value, cst.Call) or not isinstance(value.func, cst.Attribute) or len(value.args) != 1:
        return False
    is_scaling = value.func.attr.value in ("mul", "mul_", "div", "div_") and module.code(value.func.value) == weights
    return is_scaling and _is_number(module, value.args[0].value)


def _is_number(module: Module, node: cst.BaseExpression, deep: int = 3) -> bool:
    """Whether an expression is a number by what it is made of, or by what its names are called."""
    if isinstance(node, cst.Integer | cst.Float):
        return True
    if isinstance(node, cst.UnaryOperation):
        return _is_number(module, node.expression, deep)
    if isinstance(node, cst.BinaryOperation):
        return _is_number(module, node.left, deep) and _is_number(module, node.right, deep)
    if isinstance(node, cst.Call):
        return _TO_NUMBERS.match(module.code(node.func)) is not None
    if isinstance(node, cst.Subscript):
        return last_name(node.value) == "shape"
    if not isinstance(node, cst.Name):
        return isinstance(node, cst.Attribute) and _NUMBERS.match(node.attr.value) is not None
    return _is_named_number(module, node, deep)


def _is_named_number(module: Module, node: cst.Name, deep: int) -> bool:
    function = module.function(node)
    if function is None:
        return False
    bound = [
        (target, value)
        for target, value in assignments(function)
        if any(isinstance(one, cst.Name) and one.value == node.value for one in (target, *walk(target)))
    ]
    if bound:
        return deep > 0 and all(
            last_name(value.func if isinstance(value, cst.Call) else value) in ("shape", "size")
            if isinstance(target, cst.Tuple)
            else isinstance(value, cst.BaseExpression) and _is_number(module, value, deep - 1)
            for target, value in bound
        )
    parameter = parameter_of(function, node.value)
    return isinstance(parameter.default if parameter is not None else None, cst.Integer | cst.Float) or (
        _NUMBERS.match(node.value) is not None
    )
