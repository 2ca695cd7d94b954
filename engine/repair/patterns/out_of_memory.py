"""Out of memory on a GPU: go on with smaller batches, down to one, and say so clearly where one is too much.

Relies on LibCST. A loop over `range(0, n, size)` shrinks its size and goes on from where it is; a training step over a
loader's batch is done in halves; a single call is done on halves whose results are joined. Anything but running out of
memory passes through.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import libcst as cst

from engine.repair.patterns import guards, intent
from engine.repair.patterns.edit import Module, NotEditable, first_changed_line, parse_statements
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.producers import bound_to
from engine.repair.record import ErrorRecord

_MESSAGE = re.compile(
    r"(?i)(?:CUDA|HIP|XPU|MPS backend)\b.{0,40}out of memory|CUDA error: out of memory|CUDNN_STATUS_ALLOC_FAILED|"
    r"CUBLAS_STATUS_ALLOC_FAILED|cuda runtime error \(2\)|Invalid buffer size: .* [GM]i?B|"
    r"out of memory.*(?:cuda|mps|gpu)"
)
_TYPES = re.compile(r"(?:torch\.(?:cuda\.)?)?OutOfMemoryError\Z|torch\.AcceleratorError\Z")
_NO_MODEL = re.compile(
    r"(?:^|\.)(?:to|cuda|mps|append|extend|print|len|list|dict|zip|enumerate|range|stack|cat|tensor|from_numpy|as_tensor|int|"
    r"float|str|sum|no_grad|inference_mode|autocast|empty_cache|item|cpu|detach|numpy|tolist|zeros|ones|empty|randn|load|"
    r"from_pretrained|load_state_dict|tqdm|update|backward|step|zero_grad|sorted|tuple|pin_memory|contiguous|half|eval|train)\Z"
)
_LOADING = re.compile(
    r"from_pretrained|load_state_dict|torch\.load|\.to\(|\.cuda\(|torch\.(?:zeros|ones|empty|randn|rand|full)"
)
_HANDLED = re.compile(
    r"OutOfMemoryError|out of memory|_is_out_of_memory|_in_smaller_batches|find_executable_batch_size"
)
_ONE = re.compile(r"\.unsqueeze\(0\)|\[None\b|np\.expand_dims\(.*0\)|\[np\.newaxis|batch_size\s*=\s*1\b")
_NO_BATCH = ("self", "cls", "device", "model", "dtype", "args", "config", "cfg", "torch", "nn", "F", "np")

IS_OUT_OF_MEMORY = '''def _is_out_of_memory(error):
    """Whether a GPU ran out of memory: CUDA, cuDNN, cuBLAS and MPS each say so in their own words."""
    words = ("out of memory", "CUDNN_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_ALLOC_FAILED")
    return type(error).__name__ == "OutOfMemoryError" or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )
'''
IN_SMALLER_BATCHES = '''def _in_smaller_batches(run, *batch):
    """What `run` gives for a batch; where memory runs out, for its halves, down to single items, joined again."""
    try:
        return run(*batch)
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
        if len(batch[0]) <= 1:
            raise type(error)(f"out of memory even with a batch of 1: {error}") from error
    CLEAR
    half = len(batch[0]) // 2
    first = _in_smaller_batches(run, *(part[:half] for part in batch))
    return _joined(first, _in_smaller_batches(run, *(part[half:] for part in batch)))
'''
IN_SMALLER_DICTS = '''def _in_smaller_batches(run, batch):
    """What `run` gives for a batch by names; where memory runs out, for its halves, down to single items."""
    try:
        return run(batch)
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
        if max(len(part) for part in batch.values()) <= 1:
            raise type(error)(f"out of memory even with a batch of 1: {error}") from error
    CLEAR
    half = max(len(part) for part in batch.values()) // 2
    first = _in_smaller_batches(run, {name: part[:half] for name, part in batch.items()})
    return _joined(first, _in_smaller_batches(run, {name: part[half:] for name, part in batch.items()}))
'''
JOINED = '''def _joined(first, second):
    """Two results of the same kind as one."""
    if first is None:
        return None
    if isinstance(first, list):
        return first + second
    if isinstance(first, tuple):
        return tuple(_joined(one, other) for one, other in zip(first, second))
    if isinstance(first, dict):
        return type(first)({name: _joined(part, second[name]) for name, part in first.items()})
    return TORCH.cat([first, second])
'''
CLEAR_CACHE = '''def _clear_cache():
    """Give cached GPU memory back, where torch is in use."""
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.CACHE.empty_cache()
'''
_IMPORTS_TORCH = re.compile(r"(?m)^[ \t]*(?:import|from)[ \t]+torch\b")
_TORCH_FRAME = re.compile(r"(?:^|[/\\\\])torch[/\\\\]")


@dataclass(frozen=True, slots=True)
class _Site:
    """Where memory ran out: a file, the statement's line in it, and how to clear the cache there."""

    module: Module
    line: int
    is_mps: bool
    with_torch: bool  # the file imports it, or the error came out of it: only then may the file rely on it


class OutOfMemory:
    """Backs off to smaller batches."""

    id = "out-of-memory"
    title = "Go on with smaller batches where a GPU runs out of memory"

    def recognises(self, record: ErrorRecord) -> bool:
        """By type, and by what CUDA, cuDNN, cuBLAS and MPS say."""
        if _TYPES.match(record.type):
            return record.type != "torch.AcceleratorError" or bool(_MESSAGE.search(record.message))
        return record.type == "RuntimeError" and bool(_MESSAGE.search(record.message))

    def propose(self, case: Case) -> Proposal | Declined:
        """The back-off, or why there is none."""
        reasons: list[str] = []
        message = case.records[0].message
        for place in intent.places(case):
            if re.match(r"(?:raise|assert)\b", place.frame.code.strip()) or place.frame.function in (
                "forward", "__call__", "_call_impl", "_wrapped_call_impl",
            ):  # fmt: skip
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
                found = _propose(_Site(module, line, "MPS" in message, _is_of_torch(case, module)))
            except NotEditable as error:
                reasons.append(error.reason)
                continue
            if isinstance(found, Proposal):
                return found
            reasons.append(found)
            if "already" in found or "on purpose" in found:
                break
        return Declined(self.id, reasons[0] if reasons else "no batch was computed where memory ran out")


def _propose(site: _Site) -> Proposal | str:
    module, line = site.module, site.line
    statement = module.statement(line)
    if statement is None:
        return "the line holds no statement"
    function = module.function(statement)
    scope: cst.CSTNode = function or module.tree
    for around in (statement, *module.ancestors(statement)):
        if isinstance(around, cst.Try) and any(_HANDLED.search(module.code(one)) for one in around.handlers):
            return "running out of memory is handled here already"
        if isinstance(around, cst.FunctionDef):
            break
    if function is not None and (_HANDLED.search(module.code(function)) or _is_helper(function)):
        return "running out of memory is handled here already"
    if any("find_executable_batch_size" in module.code(one) for one in (function.decorators if function else ())):
        return "running out of memory is handled here already"
    text = intent.docstring(function) if function is not None else None
    if re.search(r"(?i)on purpose|benchmark|deliberate", f"{text or ''} {_comment(module, line)}"):
        return "running out of memory is meant here: it is measured on purpose"
    code = module.code(statement) if isinstance(statement, cst.SimpleStatementLine) else ""
    trains = ".backward(" in module.code(scope if function else statement)
    loop = _loop(module, statement)
    if loop is not None and _is_range(module, loop):
        shrunk = _shrink(site, loop, statement, function)
        if shrunk is not None:
            return shrunk
    if trains:
        if loop is None or _is_range(module, loop):
            return "a training step cannot be split where it stands: its loop is elsewhere"
        return _halves(site, loop, statement)
    call, names = _call(module, statement, line)
    if call is None:
        if _LOADING.search(code):
            return "what does not fit is no batch: a smaller one would not help"
        return "no call on a batch where memory ran out"
    return _split(site, call, names)


def _is_helper(function: cst.FunctionDef) -> bool:
    return function.name.value in ("_in_smaller_batches", "_joined", "_is_out_of_memory")


def _comment(module: Module, line: int) -> str:
    lines = module.tree.code.splitlines()
    return " ".join(one.partition("#")[2] for one in lines[max(0, line - 2) : line])


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


def _is_of_torch(case: Case, module: Module) -> bool:
    record = case.records[0]
    return (
        record.type.startswith("torch.")
        or any(_TORCH_FRAME.search(frame.file) for frame in record.frames)
        or bool(_IMPORTS_TORCH.search(module.code(module.tree)))
    )


def _needs(site: _Site, *helpers: str) -> str:
    """Add helpers, and torch where the error is of it; the statement that clears the cache."""
    if not site.with_torch:
        return _needs_no_torch(site, helpers)
    torch = site.module.name_of_import("torch")
    clear = f"{torch}.mps.empty_cache()" if site.is_mps else f"{torch}.cuda.empty_cache()"
    for helper in reversed(helpers):
        site.module.add_helper(helper.replace("CLEAR", clear).replace("TORCH", torch))
    return clear


def _needs_no_torch(site: _Site, helpers: Sequence[str]) -> str:
    site.module.name_of_import("sys")
    site.module.add_helper(CLEAR_CACHE.replace("CACHE", "mps" if site.is_mps else "cuda"))
    for helper in reversed(helpers):
        own = helper.replace("    return TORCH.cat(", "    import torch\n\n    return torch.cat(")
        site.module.add_helper(own.replace("CLEAR", "_clear_cache()"))
    return "_clear_cache()"


def _finish(site: _Site, operator: str, why: str) -> Proposal:
    edit = site.module.edit()
    return Proposal("out-of-memory", operator, (edit,), first_changed_line(edit), "review", why)


def _on_failure(size: str, steps: Sequence[str], indent: str = "    ") -> str:
    """The handler: other errors pass, a batch of one is said, else the steps and another try."""
    lines = [
        "except Exception as error:",
        f"{indent}if not _is_out_of_memory(error):",
        f"{indent * 2}raise",
        f"{indent}if {size} <= 1:",
        f'{indent * 2}raise type(error)(f"out of memory even with a batch of 1: {{error}}") from error',
        *(f"{indent}{step}" for step in steps),
        f"{indent}continue",
    ]
    return "\n".join(lines)


def _tried(module: Module, body: Sequence[cst.BaseStatement], handler: str) -> cst.Try:
    (made,) = parse_statements(f"try:\n    pass\n{handler}\n", module.tree)
    first, *rest = body
    lead = cast(cst.SimpleStatementLine, first).leading_lines
    kept = [line for line in lead if line.comment is not None]
    block = cst.IndentedBlock(body=[first.with_changes(leading_lines=kept), *rest])
    return cast(cst.Try, made).with_changes(body=block)


def _can_be_repeated(module: Module, statements: Sequence[cst.CSTNode]) -> bool:
    """Whether statements do nothing that another try would do twice: they bind names, move data, clear gradients."""
    for one in statements:
        if isinstance(one, cst.With):
            if not _can_be_repeated(module, one.body.body):
                return False
            continue
        if not isinstance(one, cst.SimpleStatementLine):
            return False
        for small in one.body:
            if isinstance(small, cst.Assign | cst.AnnAssign):
                targets = [t.target for t in small.targets] if isinstance(small, cst.Assign) else [small.target]
                if not all(isinstance(target, cst.Name | cst.Tuple) for target in targets):
                    return False
            elif not (
                isinstance(small, cst.Expr)
                and re.search(r"(?:zero_grad|train|eval|backward|synchronize)\(", module.code(small))
            ):
                return False
    return True


def _until(module: Module, body: Sequence[cst.BaseStatement], statement: cst.CSTNode) -> int | None:
    """How many of a loop's statements belong into the try: those up to the one that failed, or to `backward`."""
    inside = {statement, *module.ancestors(statement)}
    at = next((index for index, one in enumerate(body) if one in inside), None)
    if at is None:
        return None
    failed = body[at]
    before: list[cst.CSTNode] = list(body[:at])
    if isinstance(failed, cst.With):
        position = module.position(statement).start.line
        within: list[cst.CSTNode] = [one for one in failed.body.body if one not in inside]
        before += [one for one in within if module.position(one).start.line < position]
    elif not isinstance(failed, cst.SimpleStatementLine):
        return None
    if not _can_be_repeated(module, before):
        return None
    last = max((index for index, one in enumerate(body) if ".backward(" in module.code(one)), default=at)
    if last > at and _can_be_repeated(module, body[at:last]):
        return last + 1
    return at + 1


def _leaves_loop(loop: cst.For) -> bool:
    """Whether the body has a `continue` or `break` of this loop."""

    def look(node: cst.CSTNode) -> bool:
        if isinstance(node, cst.Continue | cst.Break):
            return True
        return any(
            look(child)
            for child in node.children
            if not isinstance(child, cst.For | cst.While | cst.FunctionDef | cst.Lambda)
        )

    return look(loop.body)


# -- a loop over places ------------------------------------------------------------------------------------------------


def _shrink(site: _Site, loop: cst.For, statement: cst.CSTNode, function: cst.FunctionDef | None) -> Proposal | None:
    """`for start in range(0, n, size)`: the same as a `while` whose size shrinks; None where it cannot be made one."""
    module = site.module
    args = [one.value for one in cast(cst.Call, loop.iter).args]
    start, stop, step = (module.code(one) for one in args)
    target = module.code(loop.target)
    if not isinstance(loop.body, cst.IndentedBlock) or loop.orelse or loop.asynchronous or not target.isidentifier():
        return None
    if (
        not guards.is_repeatable(stop)
        or step == "1"
        or _leaves_loop(loop)
        or _is_used_after(module, loop, target, function)
    ):
        return None
    body = list(loop.body.body)
    until = _until(module, body, statement)
    if until is None:
        return None
    size, lead = step, ""
    if not _is_own_name(module, step, function):
        size = guards.fresh(module, "batch_size", "size", "step")
        lead = f"{size} = {step}\n"
        if step.isdigit():
            body = [_with_name(module, one, step, size) for one in body]
        else:
            body = [_with_name(module, one, step, size) for one in body]
    clear = _needs(site, IS_OUT_OF_MEMORY)
    handler = _on_failure(size, [f"{size} //= 2", clear])
    tried = _tried(module, body[:until], handler)
    (bump,) = parse_statements(f"{target} += {size}\n", module.tree)
    made = cst.While(
        test=guards.expression(f"{target} < {stop}"),
        body=loop.body.with_changes(body=[tried, *body[until:], bump]),
    )
    guards.before(module, loop, f"{lead}{target} = {start}\n", made.with_changes(leading_lines=loop.leading_lines))
    return _finish(
        site, "shrink-batch", f"Where memory runs out, {size} is halved and the loop goes on from the same place."
    )


def _is_own_name(module: Module, name: str, function: cst.FunctionDef | None) -> bool:
    """Whether a name is bound in the same scope, so that it may be bound anew there."""
    if not name.isidentifier():
        return False
    if function is None:
        return True
    every = (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)
    if any(one.name.value == name for one in every):
        return True
    return any(module.code(one.target) == name for one in intent.own_nodes(function.body, cst.AssignTarget))


def _is_used_after(module: Module, loop: cst.For, name: str, function: cst.FunctionDef | None) -> bool:
    end = module.position(loop).end.line
    scope: cst.CSTNode = function or module.tree
    later = [one for one in module.nodes(cst.Name, within=scope) if module.position(one).start.line > end]
    return any(one.value == name and module.nearest(one, cst.For) is None for one in later)


class _Renamer(cst.CSTTransformer):
    def __init__(self, wanted: str, name: str) -> None:
        super().__init__()
        self._wanted, self._name = wanted, name

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> cst.CSTNode:  # type: ignore[override]
        if (isinstance(original_node, cst.Integer | cst.Name | cst.Attribute | cst.Subscript)) and (
            cst.Module([]).code_for_node(original_node) == self._wanted
        ):
            return cst.Name(self._name)
        return updated_node


def _with_name(module: Module, statement: cst.BaseStatement, wanted: str, name: str) -> cst.BaseStatement:
    """The statement with the size's name where its slices had the size itself."""
    if not wanted.isdigit():
        return cast(cst.BaseStatement, statement.visit(_Renamer(wanted, name)))
    found = statement
    for piece in module.nodes(cst.Slice, within=statement):
        found = cast(cst.BaseStatement, found.deep_replace(piece, cast(cst.Slice, piece.visit(_Renamer(wanted, name)))))
    for call in module.nodes(cst.Call, within=statement):
        if module.code(call.func) in ("min", "range", "slice"):
            found = cast(
                cst.BaseStatement, found.deep_replace(call, cast(cst.Call, call.visit(_Renamer(wanted, name))))
            )
    return found


# -- a training step on a loader's batch -------------------------------------------------------------------------------


def _halves(site: _Site, loop: cst.For, statement: cst.CSTNode) -> Proposal | str:
    """`for images, labels in loader`: the batch as a list of parts, of which one too large is put back as halves."""
    module = site.module
    if not isinstance(loop.body, cst.IndentedBlock) or loop.orelse or loop.asynchronous or _leaves_loop(loop):
        return "the loop is left or skipped in between: it cannot be repeated in parts"
    names = _loop_names(module, loop)
    if not names:
        return "the loop's batch has no names"
    body = list(loop.body.body)
    until = _until(module, body, statement)
    if until is None:
        return "what comes before the model would be done twice"
    parts = guards.fresh(module, "parts", "pending")
    text = module.code(loop.body)
    first = names[0]
    if len(names) == 1 and (f"**{first}" in text or re.search(rf"\b{first}\[['\"]", text)):
        length = f"len(next(iter({first}.values())))"
        halves = [f"{{name: part[{cut}] for name, part in {first}.items()}}" for cut in (":half", "half:")]
    elif len(names) == 1 and re.search(rf"^\s*\w+(?:, *\w+)+ = {first}$|\(\w+(?:, *\w+)+\) = {first}$", text, re.M):
        length = f"len({first}[0])"
        halves = [f"[part[{cut}] for part in {first}]" for cut in (":half", "half:")]
    else:
        length = f"len({first})"
        halves = [", ".join(f"{name}[{cut}]" for name in names) for cut in (":half", "half:")]
        halves = [f"({one})" if len(names) > 1 else one for one in halves]
    whole = ", ".join(names)
    clear = _needs(site, IS_OUT_OF_MEMORY)
    steps = [f"half = {length} // 2", f"{parts}[:0] = [{halves[0]}, {halves[1]}]", clear]
    tried = _tried(module, body[:until], _on_failure(length, steps))
    start, again = parse_statements(
        f"{parts} = [{f'({whole})' if len(names) > 1 else whole}]\nwhile {parts}:\n    {whole} = {parts}.pop(0)\n",
        module.tree,
    )
    inner = cast(cst.While, again)
    block = cast(cst.IndentedBlock, inner.body)
    inner = inner.with_changes(body=block.with_changes(body=[*block.body, tried, *body[until:]]))
    module.replace(loop, loop.with_changes(body=loop.body.with_changes(body=[start, inner])))
    return _finish(
        site, "split-step", "Where memory runs out, the step is done on the halves of its batch, one after another."
    )


def _loop_names(module: Module, loop: cst.For) -> list[str]:
    target: cst.BaseExpression = loop.target
    if (
        isinstance(loop.iter, cst.Call) and module.code(loop.iter.func) == "enumerate" and isinstance(target, cst.Tuple)
    ) or ("enumerate(" in module.code(loop.iter) and isinstance(target, cst.Tuple)):
        target = target.elements[-1].value
    if isinstance(target, cst.Name):
        return [target.value]
    if isinstance(target, cst.Tuple):
        names = [one.value.value for one in target.elements if isinstance(one.value, cst.Name)]
        return names if len(names) == len(target.elements) else []
    return []


# -- one call ----------------------------------------------------------------------------------------------------------


def _call(module: Module, statement: cst.CSTNode, line: int) -> tuple[cst.Call | None, list[str]]:
    """The call on a batch that ran out of memory, and the names of what it was given."""
    within = statement if isinstance(statement, cst.SimpleStatementLine) else None
    calls = module.nodes(cst.Call, line if within is None else None, within)
    for call in sorted(calls, key=lambda one: -sum(1 for _ in module.ancestors(one))):
        func = "".join(module.code(call.func).split())
        if _NO_MODEL.search(func) or func.startswith(("torch.", "np.", "os.", "time.", "logging.", "log.")):
            continue
        names = _batches(module, call)
        if names and not any(isinstance(one, cst.Await | cst.Lambda) for one in module.ancestors(call)):
            return call, names
    return None, []


def _batches(module: Module, call: cst.Call) -> list[str]:
    found: list[str] = []
    for arg in call.args:
        if arg.keyword is not None and not re.match(
            r"inputs?|images?|pixel_values|input_ids|x|batch|attention_mask|masks?|texts?", arg.keyword.value
        ):
            continue
        if arg.star == "*":
            return []
        code = module.code(arg.value)
        for node in _names(arg.value):
            if node.value in _NO_BATCH or node.value in found or _is_foreign(module, node):
                continue
            bound = bound_to(module, node)
            if _ONE.search(code) or (bound is not None and _ONE.search(module.code(bound))):
                raise NotEditable("the batch is a single item already: nothing smaller is left")
            if bound is not None and isinstance(bound, cst.Integer | cst.Float | cst.SimpleString):
                continue
            found.append(node.value)
            break
    return found


def _names(node: cst.CSTNode) -> list[cst.Name]:
    if isinstance(node, cst.Name):
        return [node]
    if isinstance(node, cst.Attribute):
        return _names(node.value)
    found: list[cst.Name] = []
    for child in [*(([arg.value for arg in node.args]) if isinstance(node, cst.Call) else []), *node.children]:
        found += [one for one in _names(child) if one not in found]
    return found


def _is_foreign(module: Module, node: cst.Name) -> bool:
    """Whether a name is a module's, a function's or a class's, and no datum."""
    defined = [one.name.value for one in module.nodes(cst.FunctionDef)]
    if node.value in (*defined, *(one.name.value for one in module.nodes(cst.ClassDef))):
        return True
    for one in (*module.nodes(cst.Import), *module.nodes(cst.ImportFrom)):
        if re.search(rf"\b{node.value}\b", module.code(one)):
            return True
    return False


def _split(site: _Site, call: cst.Call, names: list[str]) -> Proposal | str:
    """Do a call on the halves of its batch where the whole does not fit."""
    module = site.module
    by_name = any(arg.star == "**" for arg in call.args)
    if by_name and len(names) != 1:
        names = names[-1:]
    bare = call.with_changes(lpar=[], rpar=[])
    positional = [arg for arg in call.args if arg.keyword is None and not arg.star]
    if not by_name and len(positional) == len(call.args) and [module.code(arg.value) for arg in positional] == names:
        run, given = module.code(call.func), names
    else:
        inner: cst.BaseExpression = bare
        parts = []
        for number, name in enumerate(names):
            part = guards.fresh(module, "part" if len(names) == 1 else f"part{number + 1}", f"piece{number + 1}")
            parts.append(part)
            inner = cast(cst.BaseExpression, inner.visit(_Renamer(name, part)))
        run, given = f"lambda {', '.join(parts)}: {module.code(inner)}", names
    helpers = (IS_OUT_OF_MEMORY, IN_SMALLER_DICTS if by_name else IN_SMALLER_BATCHES, JOINED)
    if module.defines("_in_smaller_batches") or module.defines("_joined"):
        return "the file has a function of that name already"
    _needs(site, *helpers)
    made = guards.expression(f"_in_smaller_batches({run}, {', '.join(given)})")
    module.replace(call, made.with_changes(lpar=call.lpar, rpar=call.rpar))
    return _finish(
        site, "split-batch", "Where memory runs out, the batch is done in halves, and the results are joined."
    )


PATTERN = OutOfMemory()
