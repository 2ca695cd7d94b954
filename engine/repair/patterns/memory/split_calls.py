"""One call on a whole batch becomes calls on smaller batches."""

from __future__ import annotations

import re
from typing import cast

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.memory.backoff_code import (
    IN_SMALLER_BATCHES,
    IN_SMALLER_DICTS,
    IN_SMALLER_PARTS,
    IS_OUT_OF_MEMORY,
    JOINED,
    JOINED_TOKENS,
    Site,
    finished,
    with_helpers,
)
from engine.repair.patterns.memory.batch_signs import Unit, gives_mean, is_of_inputs, shows_batch, whole_result
from engine.repair.patterns.memory.shrinking_ranges import Renamer
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.producers import bound_to
from engine.repair.patterns.source.syntax import dotted, last_name, text_of, walk

_NO_MODEL = re.compile(
    r"(?:^|\.)(?:to|cuda|mps|append|extend|print|len|list|dict|zip|enumerate|range|stack|cat|tensor|from_numpy|as_tensor|int|"
    r"float|str|sum|no_grad|inference_mode|autocast|empty_cache|item|cpu|detach|numpy|tolist|zeros|ones|empty|randn|load|"
    r"from_pretrained|load_state_dict|tqdm|update|backward|step|zero_grad|sorted|tuple|pin_memory|contiguous|half|eval|train|"
    r"cast)\Z"
)
_FROM_DISK = re.compile(r"(?:^|\.)(?:torch\.load|load_file|from_pretrained|load_state_dict)\Z")
_RELATES = re.compile(r"(?i)pairwise|cdist|matmul|similarit|distance|(?:^|[._])(?:mm|bmm|iou|outer|cross)(?:$|_)")
_MEAN = re.compile(r"(?i)(?:^|[._])(?:criterion|loss)(?:$|_)|_loss$|Loss$")
_ONE = re.compile(r"\.unsqueeze\(0\)|\[None\b|np\.expand_dims\(.*0\)|\[np\.newaxis|batch_size\s*=\s*1\b")
_NO_BATCH = re.compile(
    r"(?i)(?:.*_)?(?:self|cls|device|dtype|args|kwargs|config|cfg|opts?|options|settings|params|flags|torch|nn|f|np|files|form|"
    r"request|headers|name|path|paths|filename|prompt_template|seed|step|epoch|lr|threshold|temperature|logger|tokenizer|"
    r"processor|model|net|optimizer|scheduler|class|this|status|axis|axes|dims?|shape|size|width|height|scale|basis|bias|"
    r"canvas|lens|series|analysis|radius|(?:\w*_)?(?:devices?|gpus?|cards?)(?:_ids?)?|models|nets|networks|modules|processors|tokenizers|layers|weights|"
    r"optimizers|schedulers|callbacks|metrics|losses|classes|names|categories|configs|steps|epochs|batch_?list|batches)\Z|"
    r"\w+_to_\w+\Z|(?:\w+_)?(?:g|graph|lats?|lattices?|fsas?|adj|adjacency|edge_index)(?:_\w+)?\Z|(?:num|n|max|min|is|use|return|with|no)_"
)
_BATCH = re.compile(
    r"(?i)(?:.*_)?(?:batch|minibatch|inputs?|ids|values|x|xb?s?|data|tokens|encoded|encoding|feats?|chunk|src|tgt|padded|bp|"
    r"tensor|stacked)\d*\Z"
)
_MADE_OF_ONE = re.compile(
    r"(?:torch|np|numpy)\.(?:tensor|as_tensor|asarray|array|LongTensor|stack)\(\s*\[\s*[\w.]+\s*\]"
)
_TOKENIZES = re.compile(r"(?i)(?:tokenizer|processor|feature_extractor|\.encode|\.encode_plus)\Z")
_PLURAL = re.compile(r"(?i)(?:.*_)?[a-z]*[^su\W\d]s\d*\Z")
_PICTURE = re.compile(r"(?i)(?:.*_)?(?:image|img|picture|photo|frame|mask)(?:_\w)?\Z")
_LOADS = re.compile(r"(?i)load|read|open|decode|fromarray|resize|cvtColor|crop|capture")
BATCHES = re.compile(r"(?i)loader|batch|chunk|(?:^|[_.])dl\b|split|bucket")
_MOVED = (
    *("to", "cuda", "cpu", "mps", "float", "half", "bfloat16", "double", "long", "int", "bool", "type", "type_as"),
    *("contiguous", "clone", "detach", "permute", "transpose", "view", "reshape", "flatten", "numpy", "pin_memory"),
)


def batch_call(module: Module, statement: cst.CSTNode, line: int) -> tuple[cst.Call | None, list[str]]:
    """The call on a batch that ran out of memory, and the names of what it was given. Raises NotEditable."""
    within = statement if isinstance(statement, cst.SimpleStatementLine) else None
    calls = module.nodes(cst.Call, line if within is None else None, within)
    unsure = ""
    for call in sorted(calls, key=lambda one: -sum(1 for _ in module.ancestors(one))):
        func = "".join(module.code(call.func).split())
        if _NO_MODEL.search(func) or func.startswith(("torch.", "np.", "os.", "time.", "logging.", "log.")):
            continue
        if any(
            isinstance(one, cst.Call) and _FROM_DISK.search(module.code(one.func)) for one in module.ancestors(call)
        ):
            continue  # it only says where what is loaded goes
        names = _batches(module, call)
        if not names or any(isinstance(one, cst.Await | cst.Lambda) for one in module.ancestors(call)):
            continue
        if _RELATES.search(func):
            raise NotEditable(f"{func} relates all it is given to one another: halves would lose pairs")
        if _MEAN.search(func):
            raise NotEditable(f"{func} is a mean over its batch: those of halves cannot be joined")
        if gives_mean(module, call):
            raise NotEditable(f"{func} gives the mean loss of its batch: those of halves cannot be joined")
        for one in names:
            if is_of_inputs(module, call, one):
                raise NotEditable(
                    f"{module.code(one)} holds the inputs, each with every item: halves would lack inputs"
                )
        if any(_is_batch(module, call, one) for one in names):
            return call, [module.code(one) for one in names]
        shown = [one for one in names if shows_batch(module, call, one)]
        if shown and (len(names) == 1 or all(shows_batch(module, call, one) for one in names)):
            return call, [module.code(one) for one in shown]
        unsure = unsure or f"nothing shows that {func} is given a batch"
    if unsure:
        raise NotEditable(unsure)
    return None, []


def _batches(module: Module, call: cst.Call) -> list[Unit]:
    """What a call is given that may be split, as names, attributes and items. Raises NotEditable for single items."""
    found: list[Unit] = []
    for arg in call.args:
        if arg.keyword is not None and not re.fullmatch(
            r"inputs?|images?|pixel_values|input_ids|x|batch|attention_mask|masks?|texts?", arg.keyword.value
        ):
            continue
        if arg.star == "*":
            return []
        code = module.code(arg.value)
        for unit in units(arg.value):
            own = last_name(unit) if not isinstance(unit, cst.Subscript) else last_name(unit.value)
            if (
                _NO_BATCH.match(own)
                or _is_foreign(module, unit)
                or _is_counter(module, call, own)
                or any(unit.deep_equals(one) for one in found)
            ):
                continue
            bound = bound_to(module, unit) if isinstance(unit, cst.Name) else None
            if _is_wrapped_alone(arg.value, unit) or (
                bound is not None and (_is_of_one_text(module, bound) or _MADE_OF_ONE.match(module.code(bound)))
            ):
                raise NotEditable("the batch is a single item already: nothing smaller is left")
            if _ONE.search(code) or (bound is not None and _ONE.search(module.code(bound))):
                raise NotEditable("the batch is a single item already: nothing smaller is left")
            if _PICTURE.match(own) and isinstance(bound, cst.Call) and _LOADS.search(module.code(bound.func)):
                raise NotEditable(f"{own} is a single picture: nothing smaller is left")
            if bound is not None and isinstance(bound, cst.Integer | cst.Float | cst.SimpleString):
                continue
            if isinstance(bound, cst.List | cst.Tuple) and _is_of_models(bound):
                continue
            found.append(unit)
            break
    return found


def _is_wrapped_alone(given: cst.CSTNode, unit: Unit) -> bool:
    """Whether a list is made of it alone: `[input_ids]` is a batch of one, whatever is in it."""
    lists = [one for one in walk(given) if isinstance(one, cst.List) and len(one.elements) == 1]
    return any(
        not isinstance(one.elements[0], cst.StarredElement) and any(each is unit for each in walk(one)) for one in lists
    )


def _is_of_one_text(module: Module, bound: cst.BaseExpression) -> bool:
    """`tokenizer(prompt, return_tensors="pt").input_ids`: one text's tokens, as none are made as long as others."""
    value: cst.BaseExpression = bound
    while True:
        if isinstance(value, cst.Attribute | cst.Subscript):
            value = value.value
        elif isinstance(value, cst.Call) and not _TOKENIZES.search(module.code(value.func)):
            if not isinstance(value.func, cst.Attribute):
                return False
            value = value.func.value
        else:
            break
    if not isinstance(value, cst.Call) or not value.args:
        return False
    named = {one.keyword.value for one in value.args if one.keyword is not None}
    given = [one for one in value.args if one.keyword is None or one.keyword.value in ("images", "text", "audio")]
    if not given:
        return False
    first = given[-1].value if given[0].keyword is not None else given[0].value
    if "padding" in named or not (named & {"return_tensors", "truncation"} or value is not bound):
        return False
    if isinstance(first, cst.List):
        return len(first.elements) == 1
    own = last_name(first.value) if isinstance(first, cst.Subscript) else last_name(first)
    if isinstance(first, cst.Subscript) and text_of(getattr(first.slice[0].slice, "value", None)) is not None:
        own = text_of(getattr(first.slice[0].slice, "value", None)) or own
    return not (_BATCH.match(own) or _PLURAL.match(own)) or own in ("input", "data")


def units(node: cst.CSTNode) -> list[Unit]:
    """The names, attributes and items that an argument is made from; of `batch.to(device)`, the batch alone."""
    if isinstance(node, cst.Name | cst.Subscript):
        return [node]
    if isinstance(node, cst.Attribute):
        return [node] if dotted(node) else units(node.value)
    if isinstance(node, cst.ListComp | cst.GeneratorExp | cst.SetComp | cst.DictComp):
        return units(node.for_in.iter)
    if isinstance(node, cst.Call):
        owner = units(node.func.value) if isinstance(node.func, cst.Attribute) else []
        if last_name(node.func) in _MOVED:
            return owner
        return [one for arg in node.args for one in units(arg.value)] or owner
    return [one for child in node.children for one in units(child)]


def _is_of_models(listed: cst.List | cst.Tuple) -> bool:
    """Whether a list that is written out holds what computes, and nothing that is computed."""
    own = [last_name(one.value) for one in listed.elements]
    return bool(own) and all(_NO_BATCH.match(one) for one in own if one) and any(own)


def _is_batch(module: Module, call: cst.Call, unit: Unit) -> bool:
    """Whether something shows that this is many items: what it was taken from, or what it is called."""
    if isinstance(unit, cst.Subscript):
        if any(isinstance(one.slice, cst.Slice) for one in unit.slice):
            return True
        return _is_batch(module, call, unit.value) if isinstance(unit.value, cst.Name | cst.Attribute) else False
    own = last_name(unit)
    first = dotted(unit).partition(".")[0]
    for loop in module.ancestors(call):
        if isinstance(loop, cst.FunctionDef):
            break
        if isinstance(loop, cst.For) and re.search(rf"\b{first}\b", module.code(loop.target)):
            return bool(BATCHES.search(module.code(loop.iter)) or re.search(r"(?i)batch|chunk", first))
        if isinstance(loop, cst.ListComp | cst.GeneratorExp | cst.SetComp | cst.DictComp):
            clause = loop.for_in
            if re.search(rf"\b{first}\b", module.code(clause.target)):
                return bool(BATCHES.search(module.code(clause.iter)))
    return bool(_BATCH.match(own) or (_PLURAL.match(own) and not own.isupper()))


def _is_whole_of_loader(module: Module, call: cst.Call, name: str) -> bool:
    """Whether a name is all that a loader gives at once: a tensor, or a dict of them."""
    loops = [one for one in module.ancestors(call) if isinstance(one, cst.For)]
    targets = [one.target.elements[-1].value if isinstance(one.target, cst.Tuple) else one.target for one in loops]
    return any(
        isinstance(target, cst.Name)
        and target.value == name
        and re.search(r"(?i)loader|(?:^|[_.])dl\b", module.code(one.iter))
        for one, target in zip(loops, targets, strict=True)
        if not isinstance(one.target, cst.Tuple) or "enumerate(" in module.code(one.iter)
    )


def _is_counter(module: Module, call: cst.Call, name: str) -> bool:
    """Whether a name counts the rounds of a loop."""
    for loop in module.ancestors(call):
        if isinstance(loop, cst.For):
            over = module.code(loop.iter)
            counted = loop.target.elements[0].value if isinstance(loop.target, cst.Tuple) else loop.target
            by_number = "range(" in over or (isinstance(loop.target, cst.Tuple) and "enumerate(" in over)
            if by_number and isinstance(counted, cst.Name) and counted.value == name:
                return True
    return False


def _is_foreign(module: Module, unit: Unit) -> bool:
    """Whether a name is a module's, a function's or a class's, or a constant, and no datum."""
    if isinstance(unit, cst.Subscript):
        return isinstance(unit.value, cst.Name | cst.Attribute) and _is_foreign(module, unit.value)
    first = dotted(unit).partition(".")[0]
    if first.isupper():
        return True
    if isinstance(unit, cst.Attribute):
        return first in module.imported
    defined = {one.name.value for one in module.nodes(cst.FunctionDef)}
    defined |= {one.name.value for one in module.nodes(cst.ClassDef)}
    return first in module.imported or first in defined


def split_batches(site: Site, call: cst.Call, names: list[str]) -> Proposal | str:
    """Do a call on the halves of its batch where the whole does not fit."""
    module = site.module
    by_name = any(arg.star == "**" for arg in call.args)
    if by_name and len(names) != 1:
        names = names[-1:]
    whole = whole_result(module, call)
    bare = whole.with_changes(lpar=[], rpar=[])
    positional = [arg for arg in call.args if arg.keyword is None and not arg.star]
    if (
        whole is call
        and not by_name
        and len(positional) == len(call.args)
        and [module.code(arg.value) for arg in positional] == names
    ):
        run, given = module.code(call.func), names
    else:
        inner: cst.BaseExpression = bare
        parts = []
        for number, name in enumerate(names):
            part = guards.fresh(module, "part" if len(names) == 1 else f"part{number + 1}", f"piece{number + 1}")
            parts.append(part)
            inner = cast(cst.BaseExpression, inner.visit(Renamer(name, part)))
        run, given = f"lambda {', '.join(parts)}: {module.code(inner)}", names
    joined = JOINED_TOKENS if last_name(call.func) == "generate" and site.with_torch else JOINED
    smaller = IN_SMALLER_DICTS if by_name else IN_SMALLER_BATCHES
    if not by_name and len(names) == 1 and _is_whole_of_loader(module, call, names[0]):
        smaller = IN_SMALLER_PARTS
    helpers = (IS_OUT_OF_MEMORY, smaller, joined)
    if module.defines("_in_smaller_batches") or module.defines("_joined"):
        return "the file has a function of that name already"
    with_helpers(site, *helpers)
    made = guards.expression(f"_in_smaller_batches({run}, {', '.join(given)})")
    module.replace(whole, made.with_changes(lpar=whole.lpar, rpar=whole.rpar))
    return finished(
        site, "split-batch", "Where memory runs out, the batch is done in halves, and the results are joined."
    )
