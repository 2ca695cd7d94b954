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
from engine.repair.patterns.source.syntax import last_name, walk

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
_CALLS = {"scaled_dot_product_attention": -2, "memory_efficient_attention": 1}
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
    calls = [one for one in walk(statement) if isinstance(one, cst.Call) and last_name(one.func) in _CALLS]
    if len(calls) != 1:
        return None
    call, dim = calls[0], _CALLS[last_name(calls[0].func)]
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
        if found is None or not first <= at <= found[0]:
            return None
        last, own = found
        attended = _product(module, body[last])
        if attended is None or module.code(statement).count("return"):
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
        rf"{name}\s*\*=?\s*[^\n]+|{name}\.div_?\([^\n]+\)|{name}\s*/\s*[^\n]+|[^\n]+\s\*\s*{name}",
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
            return (index, own) if {1, 2} <= seen and (product[0] == weights or not read) else None
        if not bound:
            return None
        code = module.code(_value(one)).strip()
        if bound == weights:
            kind = next((number for number, step in enumerate(steps) if re.fullmatch(step, code)), None)
            if kind is None:
                return None
            seen.add(kind)
            own.append(index)
        elif re.search(rf"(?<![\w.]){name}\b", code):
            return None
    return None
