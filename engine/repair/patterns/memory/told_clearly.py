"""What cannot be done with less by itself says what would need less: training, or one item too large.

The error stays of its type, for whoever catches it further out, where that type is made of words alone; what it says
names the sizes that the code has.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.memory.backoff_code import (
    IS_OUT_OF_MEMORY,
    Site,
    finished,
    raised_again,
    tried_body,
    with_helpers,
)
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name, text_of

_TRAINS = re.compile(r"(?i)(?:train|fit|finetune|fine_tune|train_model|run_training|start_training)\Z")
_GIVEN = re.compile(
    r"(?:height|width|imgsz|img_size|batch|batch_size|max_(?:new_)?tokens|max_length|num_(?:beams|frames)|resolution)\Z"
)
_NO_TRAINING = re.compile(r"(?i)(?:^|[._])(?:model|net|network|unet|encoder|decoder|module)\.train\Z")
_SIZES = re.compile(
    r"(?:(?:train_?|eval_?|per_device_\w*)?batch_?size|IMS_PER_BATCH|max_(?:new_)?tokens|max_(?:seq_?)?len(?:gth)?|"
    r"resolution|(?:image|img|crop|tile|patch|chunk|input|inpaint|window)_?(?:size|len)|num_(?:beams|frames|samples)|n_samples)\Z"
)


def tell_clearly(case: Case, site: Site, statement: cst.CSTNode, function: cst.FunctionDef | None) -> Proposal | None:
    """The statement in a `try` that says what to lower; None where the code shows nothing that could be lowered."""
    module = site.module
    if not isinstance(statement, cst.SimpleStatementLine) or not isinstance(
        module.parent(statement), cst.IndentedBlock | cst.Module
    ):
        return None
    calls = [one for one in module.nodes(cst.Call, within=statement) if isinstance(one.func, cst.Attribute | cst.Name)]
    trains = any(
        _TRAINS.match(last_name(one.func)) and (len(one.args) > 1 or not _NO_TRAINING.search(module.code(one.func)))
        for one in calls
    )
    given = [arg.keyword.value for one in calls for arg in one.args if arg.keyword is not None]
    sizes = [one for one in given if _GIVEN.match(one)] or _sizes(module, function or module.tree)
    if not calls or not (trains or sizes):
        return None
    if trains and not sizes:
        sizes = [one for one in ("batch_size", "IMS_PER_BATCH") if any(True for _ in intent.sources(case, one))][:1]
    less = f"a smaller {' or '.join(sizes)} needs" if sizes else "a smaller batch or smaller inputs need"
    with_helpers(site, IS_OUT_OF_MEMORY)
    name = "error" if "error" not in module.names() else "out_of_memory"
    quote = module.quote
    raised = f"raise {raised_again(site, name)}(f{quote}out of memory, {less} less: {{{name}}}{quote}) from {name}"
    handler = f"except Exception as {name}:\n    if not _is_out_of_memory({name}):\n        raise\n    {raised}"
    kept = [one for one in statement.leading_lines if one.comment is None]
    module.replace(statement, tried_body(module, [statement], handler).with_changes(leading_lines=kept))
    return finished(site, "clear-error", "Where memory runs out, the error says what to lower.")


def _sizes(module: Module, scope: cst.CSTNode) -> list[str]:
    """The sizes that the code around has: options of the command line first, else names."""
    options = [
        text
        for one in module.nodes(cst.SimpleString)
        if (text := text_of(one) or "").startswith("--") and _SIZES.match(text.lstrip("-").replace("-", "_"))
    ]
    names = [one.value for one in module.nodes(cst.Name, within=scope) if _SIZES.match(one.value)]
    names += [
        one.keyword.value
        for one in module.nodes(cst.Arg, within=scope)
        if one.keyword is not None and _SIZES.match(one.keyword.value)
    ]
    return list(dict.fromkeys(options or names))[:3]
