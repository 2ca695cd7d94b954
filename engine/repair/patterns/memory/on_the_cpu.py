"""What is one item already, and does not fit on the GPU, is done on the CPU, where the code has a device of its own.

    out = self.model(x.to(self.device))

is tried; where memory ran out, the model and what it is given are moved to the CPU, and the result and the model back.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.memory.backoff_code import IS_OUT_OF_MEMORY, Site, finished, tried_twice, with_helpers
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source import wording
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import dotted, last_name

ON_CPU = '''def _on_cpu(model, run, *inputs, **options):
    """What `run` gives with its model and all it is given on the CPU, moved back to where the model is kept."""
    device = next(model.parameters()).device
    model.to("cpu")
    try:
        return _moved(run(*_moved(inputs, "cpu"), **_moved(options, "cpu")), device)
    finally:
        model.to(device)
'''
_WHOLE = '''def _on_cpu(model, run, *inputs, **options):
    """What `run` gives with its model and all it is given on the CPU, where numbers are whole, moved back again."""
    first = next(model.parameters())
    device, dtype = first.device, first.dtype
    whole = TORCH.float32 if dtype == TORCH.float16 else dtype
    model.to("cpu", whole)
    try:
        found = run(*_moved(inputs, "cpu", whole), **_moved(options, "cpu", whole))
        return _moved(found, device, dtype)
    finally:
        model.to(device, dtype)
'''
MOVED = '''def _moved(value, device, dtype=None):
    """Tensors on a device, be they in lists, tuples or dicts; fractions as `dtype`."""
    if isinstance(value, TORCH.Tensor):
        return value.to(device, dtype) if dtype is not None and value.is_floating_point() else value.to(device)
    if isinstance(value, dict):
        return type(value)({name: _moved(one, device, dtype) for name, one in value.items()})
    if type(value) in (list, tuple):
        return type(value)(_moved(one, device, dtype) for one in value)
    return value
'''
_MODEL = re.compile(r"(?i)(?:.*[._])?(?:\w*(?:model|network|generator|predictor)|\w*_?net|unet|encoder|decoder)\Z")
_RUNS = ("forward", "generate", "predict", "encode", "decode", "infer", "inference", "transcribe")
_DEVICE = re.compile(
    r"\.to\(\s*(?:device\s*=\s*)?[\w.\[\]'\"]*(?:device|DEVICE)\b|\bdevice\s*=\s*[\w.]*(?:device|DEVICE)\b|self\.device\b"
)
_SAID = "Out of memory on the GPU, so the CPU does it"


def on_the_cpu(site: Site, statement: cst.CSTNode, function: cst.FunctionDef | None) -> Proposal | None:
    """The statement again with its model on the CPU; None where no model, or no device of its own, is seen."""
    module = site.module
    if not site.with_torch or site.is_xla or function is None or not isinstance(statement, cst.SimpleStatementLine):
        return None
    if len(statement.body) != 1 or not isinstance(module.parent(statement), cst.IndentedBlock):
        return None
    around = module.nearest(function, cst.ClassDef)
    code = module.code(function) + (module.code(around) if around is not None else "")
    if not _DEVICE.search(code) or re.search(r"deepspeed|accelerat|device_map|DataParallel", module.text):
        return None
    if any(module.defines(one) for one in ("_on_cpu", "_moved")):
        return None
    found = _call(module, statement)
    if found is None:
        return None
    call, model = found
    whole = bool(re.search(r"\bhalf\b|float16|fp16", module.text))
    clear = with_helpers(site, IS_OUT_OF_MEMORY, _WHOLE if whole else ON_CPU, MOVED)
    args = ", ".join(module.code(one.with_changes(comma=cst.MaybeSentinel.DEFAULT)).strip() for one in call.args)
    again_call = f"_on_cpu({model}, {module.code(call.func)}, {args})"
    again = module.code(
        statement.with_changes(leading_lines=(), trailing_whitespace=cst.TrailingWhitespace()).deep_replace(
            call, cst.parse_expression(again_call)
        )
    ).strip()
    flag = guards.fresh(module, "ran_out", "out_of_memory")
    warn = wording.warning(module, statement, _SAID, f'"{last_name(call.func)}"')
    module.replace(statement, tried_twice(module, statement, [clear, warn], again, flag))
    return finished(site, "on-cpu", "Where memory runs out on the GPU, the CPU does it, and the model is moved back.")


def _call(module: Module, statement: cst.SimpleStatementLine) -> tuple[cst.Call, str] | None:
    """The call of a model in a statement, and the model's name."""
    for call in module.nodes(cst.Call, within=statement):
        name = dotted(call.func)
        if not name or not call.args or name.partition(".")[0] in module.imported:
            continue
        owner, _dot, own = name.rpartition(".")
        if own in _RUNS and _MODEL.match(owner):
            return call, owner
        if _MODEL.match(name) and not own[:1].isupper():
            return call, name
    return None
