"""What shows that a name holds many items, where the name itself does not say so: its shape, and how it is used.

len(x), x.shape[0], b, c, h, w = x.shape, x.unsqueeze(1)    the first dimension is counted, or another comes behind it
\"\"\"x: (B, C, H, W)\"\"\"                                       so say a docstring, a comment or `rearrange`
decode_first_stage(z), vae.decode(samples)                  autoencoders of diffusion models take batches alone
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import bound_to
from engine.repair.patterns.source.syntax import dotted, last_name

Unit = cst.Name | cst.Attribute | cst.Subscript

_OF_BATCHES = re.compile(r"(?:^|\.)(?:encode_first_stage|decode_first_stage)\Z")
_MANY = re.compile(
    r"(?i)(?:\w+_)?(?:batch|samples|images|imgs|latents|frames|crops|tiles|patches|embeddings|sentences|windows|boxes|rays|"
    r"candidates|neighbou?rs|points)_(?!\w*(?:per|dir|folder|root|file|path|count|num|total|idx|index|ids?|key|name|mean|"
    r"std|max|min|sum)(?:_|\Z))\w+\Z"
)
_LONG = re.compile(  # a length that counts no items: of a text, of sound, of one picture's rows
    r"(?i)(?:.*_)?(?:text|prompt|str(?:ing)?|sentence|query|question|message|caption|word|line|content|document|doc|audio|wav|"
    r"wave(?:form)?|signal|seq(?:uence)?|video|clip|image|img|picture|photo|frame|mask|volume|url|code|history|points?|pcd)\d*\Z"
)
_TAKEN = re.compile(
    r"(?:logits|last_hidden_state|pooler_output|latent_dist|latents|sample|mode|images?_embeds|text_embeds|images|cpu|detach|numpy|"
    r"to|float|half)\Z"
)
_MODEL = re.compile(r"(?i)(?:^|[._])(?:net|network|model|unet|backbone|encoder|decoder|generator|mlp|cnn|vit)\Z")
_MADE = re.compile(r"(?:^|\.)(?:tensor|as_tensor|from_numpy|FloatTensor|stack)\(")
_TOKENS = re.compile(r"(?i)(?:^|[._])(?:tok(?:enizer)?|processor|feature_extractor|image_processor)(?:\.\w+)?\Z")
_DIM = r"(?:B|N|b|n|bs|nb|bsz|batch\w*|num_\w+)"


def shows_batch(module: Module, call: cst.Call, unit: Unit) -> bool:
    """Whether the code around a call shows that what it is given has many items along its first dimension."""
    if isinstance(unit, cst.Subscript):
        return False
    own = last_name(unit)
    if (_OF_BATCHES.search(module.code(call.func)) and not _gives_object(module, call)) or _MANY.match(own):
        return True
    function = module.function(call)
    scope: cst.CSTNode = function if function is not None else module.tree
    code, name = module.code(scope), re.escape(dotted(unit))
    told = (intent.docstring(function) if function is not None else "") or ""
    bound = bound_to(module, unit) if isinstance(unit, cst.Name) else None
    if bound is not None and _MODEL.search(module.code(call.func)) and _MADE.search(module.code(bound)):
        return True  # networks take batches alone
    if bound is not None and _is_of_many(module, bound):
        return True
    lines = [module.position(one).start.line for one in (call, bound) if one is not None]
    notes = " ".join(module.lines[line - 1].partition("#")[2] for line in lines)
    shape = rf"[\[(<]\s*{_DIM}\s*[,x\u00d7*]"
    if re.search(rf"(?<![\w.]){name}\b[^\n]{{0,60}}(?:{shape}|\bbatch)", told) or re.search(shape, notes):
        return True
    if re.search(rf"(?<![\w.]){name}\.unsqueeze\(1\)", code):
        return True
    if re.search(rf"\b{_DIM}\s*(?:,[\w\s,*]*)?=\s*{name}\.(?:shape\b(?!\[-?[1-9])|size\(\)|size\(0\))", code):
        return True
    if re.search(rf"rearrange\(\s*{name}\s*,\s*['\"]\(?b\b", code):
        return True
    if bound is not None and re.match(rf"torch\.(?:randn?|zeros|ones|empty)\(\s*\(?\s*{_DIM}\s*,", module.code(bound)):
        return True
    counted = rf"(?<![\w.])(?:len\({name}\)|{name}\.shape\[0\]|{name}\.size\(0\))"
    return bool(re.search(counted, code)) and not _LONG.match(own)


def _is_of_many(module: Module, bound: cst.BaseExpression) -> bool:
    """`tokenizer(prompts, padding=True)`, with what is done to it at once: it was made of many texts or pictures."""
    value: cst.BaseExpression = bound
    while isinstance(value, cst.Call) and not _TOKENS.search(module.code(value.func)):
        if not isinstance(value.func, cst.Attribute):
            return False
        value = value.func.value
    if not isinstance(value, cst.Call) or not value.args:
        return False
    first = value.args[0]
    pads = any(
        one.keyword is not None and one.keyword.value == "padding" and module.code(one.value) in ("True", "'longest'")
        for one in value.args
    )
    many = re.match(r"(?i)(?:.*_)?(?:batch|[a-z]*[^su\W\d]s)\Z", last_name(first.value) or "")
    return pads or bool(many)


def gives_mean(module: Module, call: cst.Call) -> bool:
    """Whether a model gives the loss of its batch, a mean: `model(x, labels=x)`, or a result whose `loss` is read."""
    if any(one.keyword is not None and one.keyword.value == "labels" for one in call.args):
        return True
    around = module.parent(call)
    if isinstance(around, cst.Attribute) and around.attr.value == "loss":
        return True
    target = around.targets[0].target if isinstance(around, cst.Assign) and len(around.targets) == 1 else None
    scope = module.function(call) or module.tree
    if not isinstance(target, cst.Name):
        return False
    return bool(re.search(rf"(?<![\w.]){target.value}(?:\.loss\b|\[[\"']loss[\"']\])", module.code(scope)))


def _gives_object(module: Module, call: cst.Call) -> bool:
    """`encode_first_stage` alone: what it gives may be a distribution, whose halves nothing joins."""
    return last_name(call.func) == "encode_first_stage" and whole_result(module, call) is call


def whole_result(module: Module, call: cst.Call) -> cst.Call | cst.Attribute:
    """The call with what is taken of its result at once, so that tensors are joined and no objects around them."""
    whole: cst.Call | cst.Attribute = call
    while True:
        around = module.parent(whole)
        outer = module.parent(around) if around is not None else None
        if isinstance(around, cst.Attribute) and around.value is whole and _TAKEN.match(around.attr.value):
            whole = outer if isinstance(outer, cst.Call) and outer.func is around else around
        elif (
            isinstance(around, cst.Arg)
            and isinstance(outer, cst.Call)
            and len(outer.args) == 1
            and last_name(outer.func) == "get_first_stage_encoding"
        ):
            whole = outer
        else:
            return whole


def is_of_inputs(module: Module, call: cst.Call, unit: Unit) -> bool:
    """Whether a name holds a model's inputs side by side, as `tuple(inputs)`: half of it would lack some."""
    if not isinstance(unit, cst.Name):
        return False
    name = re.escape(unit.value)
    as_one = any(
        isinstance(arg.value, cst.Call) and re.fullmatch(rf"tuple\(\s*{name}\s*\)", module.code(arg.value).strip())
        for arg in call.args
    )
    loops = [one for one in module.ancestors(call) if isinstance(one, cst.For)]
    return as_one or any(
        re.search(r"\bzip\(\s*\*", module.code(one.iter)) and re.fullmatch(name, module.code(one.target))
        for one in loops
    )
