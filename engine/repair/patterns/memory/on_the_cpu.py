"""What is one item already, and does not fit on the GPU, is done on the CPU, where the code has a device of its own.

    out = self.model(x.to(self.device))

is tried; where memory ran out, the model and what it is given are moved to the CPU, and the result and the model back.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.memory.backoff_code import IS_OUT_OF_MEMORY, Site, finished, tried_twice, with_helpers
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source import intent, wording
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
_RUNS = ("forward", "generate")  # what else a model does by name may move what it is given to a device of its own
_NO_MODULE = re.compile(r"(?i)pipe(?:line)?\b|pipeline\w*\(|\bGenerator\(|Predictor\(|SentenceTransformer|Session\(")
_OWN_DEVICE = re.compile(r"self\.\w*device\b|\.cuda\(|['\"]cuda|(?<![\w.])(?:DEVICE|device)\b")
_OF_A_MODULE = re.compile(r"class \w+\([^)]*(?:Module|Model|Net)\b|class [\s\S]*?\n\s+def forward\(")
_DEVICE = re.compile(
    r"\.to\(\s*(?:device\s*=\s*)?[\w.\[\]'\"]*(?:device|DEVICE)\b|\bdevice\s*=\s*[\w.]*(?:device|DEVICE)\b|self\.device\b"
)
_SAID = "Out of memory on the GPU, so the CPU does it"


def on_the_cpu(case: Case, site: Site, statement: cst.CSTNode, function: cst.FunctionDef | None) -> Proposal | None:
    """The statement again with its model on the CPU; None where no module that the code moves to a device is seen."""
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
    if not _is_moved(module, model, function) or _goes_to_a_device(call, module) or _is_moving_by_itself(case):
        return None
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


def _is_moved(module: Module, model: str, function: cst.FunctionDef) -> bool:
    """Whether the code moves it to a device, as a module is moved, where it is made or run; no pipeline."""
    around = module.nearest(function, cst.ClassDef)
    made = [
        one
        for one in (around.body.body if around is not None else ())
        if isinstance(one, cst.FunctionDef) and one.name.value == "__init__"
    ]
    moved = False
    for one in module.nodes(cst.Assign):
        if any(module.code(target.target) == model for target in one.targets) and _NO_MODULE.search(
            module.code(one.value)
        ):
            return False
    for place in (function, *made):
        for call in module.nodes(cst.Call, within=place.body):
            if not isinstance(call.func, cst.Attribute) or not _is_to_a_device(module, call):
                continue
            bound = module.parent(call)
            is_bound = isinstance(bound, cst.Assign) and any(
                module.code(target.target) == model for target in bound.targets
            )
            moved = moved or is_bound or module.code(call.func.value) == model
    return moved


def _is_to_a_device(module: Module, call: cst.Call) -> bool:
    name = last_name(call.func)
    return name == "cuda" or (
        name == "to" and bool(call.args) and bool(re.search(r"(?i)device|cuda", module.code(call.args[0].value)))
    )


def _goes_to_a_device(call: cst.Call, module: Module) -> bool:
    """Whether a call is told the device."""
    return any(
        (arg.keyword is not None and "device" in arg.keyword.value)
        or re.fullmatch(r"(?i)[\w.]*(?:device|cuda)", module.code(arg.value)) is not None
        for arg in call.args
    )


def _is_moving_by_itself(case: Case) -> bool:
    """Whether a module of the project moves what it is given to a device that it keeps."""
    for path, _tree in intent.sources(case, "class "):
        text = (case.project.read(path) or b"").decode("utf-8", "replace")
        for part in re.split(r"(?m)^(?=class )", text):
            if _OF_A_MODULE.match(part) and _OWN_DEVICE.search(part):
                return True
    return False
