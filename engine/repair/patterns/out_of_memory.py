"""Out of memory on a GPU: go on with smaller batches, down to one, and say so clearly where one is too much.

Relies on LibCST. A loop over `range(0, n, size)` shrinks its size and goes on from where it is; a training step over a
loader's batch is done in halves; a single call is done on halves whose results are joined. Anything but running out of
memory passes through.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.memory.another_try import once_more
from engine.repair.patterns.memory.backoff_code import Site, comment_on
from engine.repair.patterns.memory.batch_arguments import smaller_argument
from engine.repair.patterns.memory.halved_steps import accumulates, halves
from engine.repair.patterns.memory.other_processes import WAITED_FOR
from engine.repair.patterns.memory.query_slices import query_slices
from engine.repair.patterns.memory.shrinking_ranges import shrink
from engine.repair.patterns.memory.skipped_batches import (
    is_called_step,
    is_one_step,
    is_waited_for,
    leave_step,
    skip_batch,
)
from engine.repair.patterns.memory.smaller_tiles import outer_loop, smaller_tiles
from engine.repair.patterns.memory.split_calls import BATCHES, batch_call, split_batches
from engine.repair.patterns.memory.tile_arguments import smaller_tile_arguments
from engine.repair.patterns.memory.tiled_decoding import in_tiles
from engine.repair.patterns.memory.tiled_siblings import by_sibling
from engine.repair.patterns.memory.trainers import smaller_batches
from engine.repair.patterns.memory.wider_handlers import widened
from engine.repair.patterns.memory.without_batches import (
    HANDLED,
    clear_error,
    instead,
    only_reports,
    opened_at,
    site_of,
)
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.python_two import fitting
from engine.repair.patterns.source.syntax import own_parts
from engine.repair.record import ErrorRecord

_MESSAGE = re.compile(
    r"(?i)(?:CUDA|HIP|XPU|MPS backend)\b.{0,40}out of memory|CUDA error: out of memory|CUDNN_STATUS_ALLOC_FAILED|"
    r"CUBLAS_STATUS_ALLOC_FAILED|Unable to find a valid cuDNN algorithm|cuda runtime error \(2\)|"
    r"Invalid buffer size: .* [GM]i?B|"
    r"out of memory.*(?:cuda|mps|gpu)"
)
_TYPES = re.compile(r"(?:torch\.(?:cuda\.)?)?OutOfMemoryError\Z|torch\.AcceleratorError\Z")
_ELSEWHERE = re.compile(r"(?:^|\.)(?:XlaRuntimeError|JaxRuntimeError|ResourceExhaustedError)\Z")  # jax, tensorflow
_EXHAUSTED = re.compile(r"RESOURCE_EXHAUSTED|Resource exhausted: .{0,40}(?i:memory)|OOM when allocating")
_LOADING = re.compile(
    r"from_pretrained|load_state_dict|torch\.load|\.to\(|\.cuda\(|torch\.(?:zeros|ones|empty|randn|rand|full)"
)


_LOOP_ELSEWHERE = "a training step cannot be split where it stands: its loop is elsewhere"
_NOT_TORCH = "what ran out is not torch, and no handler or loop is there that could go on"
_BY_CALLER = "running out of memory is handled by its caller already"
_WITHIN_MODELS = ("forward", "__call__", "_call_impl", "_wrapped_call_impl")


class OutOfMemory:
    """Backs off to smaller batches."""

    id = "out-of-memory"
    title = "Go on with smaller batches where a GPU runs out of memory"

    def recognises(self, record: ErrorRecord) -> bool:
        """By type, and by what CUDA, cuDNN, cuBLAS and MPS say."""
        if _TYPES.match(record.type):
            return record.type != "torch.AcceleratorError" or bool(_MESSAGE.search(record.message))
        if _ELSEWHERE.search(record.type):
            return bool(_EXHAUSTED.search(record.message))
        said = _MESSAGE.search(record.message) or (
            _EXHAUSTED.search(record.message) and re.search(r"(?i)memory|alloc", record.message)
        )
        return record.type == "RuntimeError" and bool(said)

    def propose(self, case: Case) -> Proposal | Declined:
        """The back-off, or why there is none."""
        return fitting(case, self._backed_off(case))

    def _backed_off(self, case: Case) -> Proposal | Declined:
        wider = widened(case)
        if wider is not None:
            return wider
        is_elsewhere = bool(
            _ELSEWHERE.search(case.records[0].type) or not _MESSAGE.search(case.records[0].message)
        ) and bool(_EXHAUSTED.search(case.records[0].message))
        reasons: list[str] = []
        inner: intent.Place | None = None
        for place in intent.places(case):
            if re.match(r"(?:raise|assert)\b", place.frame.code.strip()):
                continue
            if intent.is_test(place.path):
                reasons.append("the batch is made in the tests' own code")
                break
            try:
                module = Module(place.path, place.source)
                line = module.line_of(place.frame.code, place.line)
                if line is None:
                    reasons.append(f"the line is gone from {place.path}")
                    continue
                site = site_of(case, module, line)
                is_layer = place.frame.function in _WITHIN_MODELS and not _is_called_alone(module, line)
                if is_elsewhere:
                    where = module.statement(line)
                    found: Proposal | str = (smaller_argument(site, where) if where is not None else None) or _NOT_TORCH
                else:
                    found = _of_a_step(site) if inner is not None else _propose(case, site, is_layer=is_layer)
            except NotEditable as error:
                found = error.reason
            if isinstance(found, str) and found and inner is None and "on purpose" not in found:
                found = _without_batches(case, place, found) or found
            if isinstance(found, Proposal):
                is_left = _is_handled_further_out(case, place, found.operator == "on-cpu")
                return found if not is_left else Declined(self.id, _BY_CALLER)
            if not found:
                continue
            reasons.append(found)
            if found == _LOOP_ELSEWHERE and inner is None:
                inner = place
            if "already" in found or "on purpose" in found:
                break
        else:
            is_known = not any("the line is gone" in one for one in reasons)
            left = _left(case, inner) if inner is not None else (_said(case) if is_known else None)
            if left is not None:
                return left
        return Declined(self.id, reasons[0] if reasons else "no batch was computed where memory ran out")


def _without_batches(case: Case, place: intent.Place, reason: str) -> Proposal | None:
    """What is done where no batch can be made smaller; where a handler says it already, only what does more."""
    if reason in (_LOOP_ELSEWHERE, "the line holds no statement") or reason.startswith("what does not fit"):
        return None
    is_reported = "already" in reason and "single" not in reason
    if is_reported and not _only_reports(place):
        return None
    return instead(case, place, is_reported=is_reported)


def _only_reports(place: intent.Place) -> bool:
    module = Module(place.path, place.source)
    line = module.line_of(place.frame.code, place.line)
    statement = module.statement(line) if line is not None else None
    return statement is not None and only_reports(module, statement)


def _said(case: Case) -> Proposal | None:
    """Where nothing can be done with less: the innermost place whose sizes are known says them."""
    for place in intent.places(case):
        if intent.is_test(place.path):
            return None
        if place.frame.function in _WITHIN_MODELS or re.match(r"(?:raise|assert)\b", place.frame.code.strip()):
            continue
        found = clear_error(case, place)
        if found is not None:
            return found if not _is_handled_further_out(case, place) else None
    return None


def _propose(case: Case, site: Site, is_layer: bool) -> Proposal | str:
    """The back-off, or why there is none; '' inside a layer, which its caller has to give less."""
    module, line = site.module, site.line
    statement = module.statement(line)
    if statement is None:
        return "the line holds no statement"
    function = module.function(statement)
    scope: cst.CSTNode = function or module.tree
    if _is_handled(module, statement) or (function is not None and _is_helper(function)):
        return "running out of memory is handled here already"
    if any("find_executable_batch_size" in module.code(one) for one in (function.decorators if function else ())):
        return "running out of memory is handled here already"
    text = intent.docstring(function) if function is not None else None
    if re.search(r"(?i)on purpose|benchmark|deliberate", f"{text or ''} {comment_on(module, line)}"):
        return "running out of memory is meant here: it is measured on purpose"
    code = module.code(statement) if isinstance(statement, cst.SimpleStatementLine) else ""
    trains = ".backward(" in module.code(scope if function else statement) or is_one_step(function, module)
    loop = _loop(module, statement)
    if not trains and isinstance(statement, cst.SimpleStatementLine) and is_called_step(module, statement):
        return skip_batch(site, statement, trains=True, within=True) or _LOOP_ELSEWHERE
    otherwise = (
        smaller_batches(site, statement)
        or by_sibling(site, statement, function)
        or in_tiles(case, site, statement)
        or smaller_tile_arguments(site, statement, function)
        or query_slices(site, statement)
    )
    if otherwise is not None:
        return otherwise
    if is_layer and not (loop is not None and BATCHES.search(module.code(loop.iter))):
        return ""  # one batch after another is no layer's work, whatever the function is called
    tiles = smaller_tiles(site, statement, function) if outer_loop(module, statement) is not None else None
    if tiles is not None:
        return tiles
    if trains and loop is not None and is_waited_for(site, statement) == "surely":
        return WAITED_FOR
    if loop is not None and _is_range(module, loop):
        shrunk = shrink(site, loop, statement, function, trains=trains)
        if shrunk is not None:
            return shrunk
    by_size = smaller_argument(site, statement) if not trains else None
    if by_size is not None:
        return by_size
    if trains:
        if loop is None or _is_range(module, loop):
            return skip_batch(site, statement, trains=True) or _LOOP_ELSEWHERE
        if accumulates(module, loop):
            return (
                skip_batch(site, statement, trains=True) or "gradients add up over batches: halves would weigh double"
            )
        halved = halves(site, loop, statement)
        return skip_batch(site, statement, trains=True) or halved if isinstance(halved, str) else halved
    try:
        call, names = batch_call(module, statement, line)
    except NotEditable as error:
        other = once_more(site, statement, function)
        if other is None and "halves" in error.reason:
            other = skip_batch(site, statement, trains=False)
        if other is None:
            raise
        return other
    if call is None:
        if _LOADING.search(code):
            return "what does not fit is no batch: a smaller one would not help"
        return "no call on a batch where memory ran out"
    if _leads_with_length(module, call):
        return (
            skip_batch(site, statement, trains=False)
            or "the first dimension is a sequence's length, as its lengths are given beside it: it is not the batch's"
        )
    return split_batches(site, call, names)


def _is_called_alone(module: Module, line: int) -> bool:
    """Whether a `__call__` is that of a class without bases and without a `forward`: no layer's."""
    statement = module.statement(line)
    function = module.function(statement) if statement is not None else None
    around = module.nearest(function, cst.ClassDef) if function is not None else None
    if function is None or around is None or function.name.value != "__call__" or around.bases:
        return False
    return not any(isinstance(one, cst.FunctionDef) and one.name.value == "forward" for one in around.body.body)


def _of_a_step(site: Site) -> Proposal | str:
    """Further out than a training step: the loop that calls for it."""
    statement = site.module.statement(site.line)
    if statement is None:
        return "the line holds no statement"
    if _is_handled(site.module, statement):
        return "running out of memory is handled here already"
    return skip_batch(site, statement, trains=True, within=True) or _LOOP_ELSEWHERE


def _left(case: Case, place: intent.Place) -> Proposal | None:
    """The step's own function leaves, where no loop is seen that would take the next batch."""
    opened = opened_at(case, place)
    return leave_step(*opened) if opened is not None else None


def _leads_with_length(module: Module, call: cst.Call) -> bool:
    """Whether a model is given sequences with their lengths, and nothing says that the batch comes first."""
    if re.search(r"batch_first\s*=\s*True|\(\s*batch\w*\s*[,x\u00d7]\s*(?:seq|time|len)", module.text, re.I):
        return False
    return any(re.search(r"(?:^|_)len(?:gth)?s$", module.code(arg.value)) for arg in call.args)


def _is_handled(module: Module, statement: cst.CSTNode) -> bool:
    """Whether the statement itself, or a `try` around it, sees to running out of memory; in a function within another,
    anything in the outer one."""
    if any(HANDLED.search(module.code(part)) for part in own_parts(statement)):
        return True
    function = module.function(statement)
    for around in module.ancestors(statement):
        if isinstance(around, cst.Try) and any(HANDLED.search(module.code(one)) for one in around.handlers):
            return True
        if isinstance(around, cst.FunctionDef) and around is not function and HANDLED.search(module.code(around)):
            return True
    return False


def _is_helper(function: cst.FunctionDef) -> bool:
    return function.name.value in ("_in_smaller_batches", "_joined", "_is_out_of_memory")


def _loop(module: Module, statement: cst.CSTNode) -> cst.For | None:
    """The innermost `for` around the statement, in its function."""
    for around in module.ancestors(statement):
        if isinstance(around, cst.FunctionDef | cst.ClassDef):
            return None
        if isinstance(around, cst.For):
            return around
    return None


def _is_range(module: Module, loop: cst.For) -> bool:
    call = loop.iter
    return isinstance(call, cst.Call) and module.code(call.func) == "range" and len(call.args) == 3


def _is_handled_further_out(case: Case, inner: intent.Place, but_said: bool = False) -> bool:
    """Whether a frame that called this one sees to running out of memory; `but_said`: by more than saying it."""
    places = intent.places(case)
    for place in places[places.index(inner) + 1 :]:
        try:
            module = Module(place.path, place.source)
        except NotEditable:
            continue
        line = module.line_of(place.frame.code, place.line)
        statement = module.statement(line) if line is not None else None
        if statement is not None and _is_handled(module, statement):
            return not (but_said and only_reports(module, statement))
    return False


PATTERN = OutOfMemory()
