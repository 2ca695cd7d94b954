"""What every back-off shares: the failing place, helpers written into the file, and what may be run again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.memory.done_again import begins_from_itself
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source.edit import Module, NotEditable, first_changed_line
from engine.repair.patterns.source.placing import parse_statements

IS_OUT_OF_MEMORY = '''def _is_out_of_memory(error):
    """Whether a GPU ran out of memory: CUDA, cuDNN, cuBLAS and MPS each say so in their own words."""
    words = ("out of memory", "CUDNN_STATUS_ALLOC_FAILED", "CUBLAS_STATUS_ALLOC_FAILED", "Invalid buffer size")
    words += ("Unable to find a valid cuDNN algorithm",)
    return type(error).__name__ == "OutOfMemoryError" or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )
'''
_IS_EXHAUSTED = '''def _is_out_of_memory(error):
    """Whether a device ran out of memory, as JAX and TensorFlow say it."""
    words = ("RESOURCE_EXHAUSTED", "Resource exhausted", "out of memory", "Out of memory", "OOM when allocating")
    known = isinstance(error, RuntimeError) or type(error).__name__ == "ResourceExhaustedError"
    return known and any(word in str(error) for word in words)
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
IN_SMALLER_PARTS = '''def _in_smaller_batches(run, batch):
    """What `run` gives for a batch, plain or by names; where memory runs out, for its halves, down to single items."""
    try:
        return run(batch)
    except Exception as error:
        if not _is_out_of_memory(error):
            raise
        by_name = hasattr(batch, "keys")
        size = len(next(iter(batch.values()))) if by_name else len(batch)
        if size <= 1:
            raise type(error)(f"out of memory even with a batch of 1: {error}") from error
    CLEAR
    cuts = (slice(0, size // 2), slice(size // 2, size))
    halves = [{name: part[cut] for name, part in batch.items()} if by_name else batch[cut] for cut in cuts]
    return _joined(*[_in_smaller_batches(run, half) for half in halves])
'''
JOINED = '''def _joined(first, second):
    """Two results of the same kind as one."""
    if first is None:
        return None
    if isinstance(first, list):
        return first + second
    if isinstance(first, tuple):
        parts = [_joined(one, other) for one, other in zip(first, second)]
        return type(first)(*parts) if hasattr(first, "_fields") else tuple(parts)
    if isinstance(first, dict):
        return type(first)({name: _joined(part, second[name]) for name, part in first.items()})
    if type(first).__module__ == "numpy":
        import numpy

        return numpy.concatenate([first, second])
    return TORCH.cat([first, second])
'''
_OF_ONE_LENGTH = """    width = max(first.shape[-1], second.shape[-1])  # what ended before goes on with its last token
    first, second = (
        TORCH.cat([one, *[one[..., -1:]] * (width - one.shape[-1])], dim=-1) for one in (first, second)
    )
    return TORCH.cat([first, second])
"""
JOINED_TOKENS = JOINED.replace("    return TORCH.cat([first, second])\n", _OF_ONE_LENGTH)
CLEAR_CACHE = '''def _clear_cache():
    """Give cached GPU memory back, where torch is in use."""
    torch = SYS.modules.get("torch")
    if torch is not None:
        torch.CACHE.empty_cache()
'''
_IMPORTS_TORCH = re.compile(r"(?m)^[ \t]*(?:import|from)[ \t]+torch\b")
_TORCH_FRAME = re.compile(r"(?:^|[/\\\\])torch[/\\\\]")


@dataclass(frozen=True, slots=True)
class Site:
    """Where memory ran out: a file, the statement's line in it, and how to clear the cache there."""

    module: Module
    line: int
    is_mps: bool
    with_torch: bool  # the file imports it, or the error came out of it: only then may the file rely on it
    is_xla: bool = False  # JAX or TensorFlow says it, which have no cache that is cleared
    is_typed: bool = False  # the error is an OutOfMemoryError by its type


def comment_on(module: Module, line: int) -> str:
    return " ".join(one.partition("#")[2] for one in module.lines[max(0, line - 2) : line])


def is_of_torch(case: Case, module: Module) -> bool:
    record = case.records[0]
    return (
        record.type.startswith("torch.")
        or any(_TORCH_FRAME.search(frame.file) for frame in record.frames)
        or bool(_IMPORTS_TORCH.search(module.code(module.tree)))
    )


def with_helpers(site: Site, *helpers: str) -> str:
    """Add helpers, and torch where the error is of it; the statement that clears the cache, '' where there is none."""
    if site.is_xla:
        if any("TORCH" in one or "CLEAR" in one for one in helpers):
            raise NotEditable("what ran out is not torch, whose memory and tensors the helper is for")
        for helper in reversed(helpers):
            own = _IS_EXHAUSTED if helper == IS_OUT_OF_MEMORY else helper
            site.module.add_helper(own.replace("raise type(error)(", "raise RuntimeError("))
        return ""
    if not site.with_torch:
        return _needs_no_torch(site, helpers)
    torch = site.module.name_of_import("torch")
    clear = f"{torch}.mps.empty_cache()" if site.is_mps else f"{torch}.cuda.empty_cache()"
    for helper in reversed(helpers):
        site.module.add_helper(helper.replace("CLEAR", clear).replace("TORCH", torch))
    return clear


def _needs_no_torch(site: Site, helpers: Sequence[str]) -> str:
    own_sys = site.module.name_of_import("sys")
    site.module.add_helper(CLEAR_CACHE.replace("CACHE", "mps" if site.is_mps else "cuda").replace("SYS", own_sys))
    for helper in reversed(helpers):
        own = helper.replace("    return TORCH.cat(", "    import torch\n\n    return torch.cat(").replace(
            "TORCH", "torch"
        )
        site.module.add_helper(own.replace("CLEAR", "_clear_cache()"))
    return "_clear_cache()"


def finished(site: Site, operator: str, why: str) -> Proposal:
    edit = site.module.edit()
    return Proposal("out-of-memory", operator, (edit,), first_changed_line(edit), "review", why)


def raised_again(site: Site, name: str) -> str:
    """What an error of more words is raised as: its own type, where that is made of its words alone.

    TensorFlow's are made of a node and an operation, too.
    """
    return "RuntimeError" if site.is_xla else f"type({name})"


def error_name(module: Module) -> str:
    """What a handler calls its error: a name of nothing else in the file, as the handler unbinds it."""
    used = module.names()
    free = (one for one in ("error", "out_of_memory") if one not in used)
    return next(free, None) or guards.fresh(module, "error", "out_of_memory")


def on_failure(site: Site, size: str, steps: Sequence[str], unless: str = "") -> str:
    """The handler: other errors pass, a batch of one is said, else the steps and another try.

    `unless`: what else lets the error pass, ` or _others_wait()`.
    """
    name, indent = error_name(site.module), "    "
    raised = raised_again(site, name)
    lines = [
        f"except Exception as {name}:",
        f"{indent}if not _is_out_of_memory({name}){unless}:",
        f"{indent * 2}raise",
        f"{indent}if {size} <= 1:",
        f'{indent * 2}raise {raised}(f"out of memory even with a batch of 1: {{{name}}}") from {name}',
        *(f"{indent}{step}" for step in steps if step),
        f"{indent}continue",
    ]
    return "\n".join(lines)


def tried_body(module: Module, body: Sequence[cst.BaseStatement], handler: str) -> cst.Try:
    (made,) = parse_statements(f"try:\n    pass\n{handler}\n", module.tree)
    first, *rest = body
    lead = getattr(first, "leading_lines", ())
    kept = [line for line in lead if line.comment is not None]
    block = cst.IndentedBlock(body=[first.with_changes(leading_lines=kept), *rest])
    return cast(cst.Try, made).with_changes(body=block)


def tried_twice(
    module: Module, statement: cst.SimpleStatementLine, steps: Sequence[str], again: str, flag: str
) -> cst.FlattenSentinel[cst.CSTNode]:
    """A statement; where memory ran out, `steps` and the statement as `again` says it.

    That comes after the handler: within it the traceback still holds all that the first try had made.
    """
    plain = statement.with_changes(leading_lines=())
    leaves = isinstance(plain.body[-1], cst.Return)
    name = error_name(module)
    handler = f"except Exception as {name}:\n    if not _is_out_of_memory({name}):\n        raise"
    lines = [one for one in (*steps, *again.splitlines()) if one]
    if leaves:
        made = [tried_body(module, [plain], handler), *parse_statements("\n".join(lines) + "\n", module.tree)]
    else:
        (first,) = parse_statements(f"{flag} = False\n", module.tree)
        then = f"if {flag}:\n" + "".join(f"    {one}\n" for one in lines)
        made = [first, tried_body(module, [plain], f"{handler}\n    {flag} = True")]
        made += parse_statements(then, module.tree)
    made[0] = made[0].with_changes(leading_lines=statement.leading_lines)
    return cst.FlattenSentinel(made)


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


def up_to(module: Module, body: Sequence[cst.BaseStatement], statement: cst.CSTNode) -> int | None:
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
    if not _can_be_repeated(module, before) or begins_from_itself(module, body[: at + 1]):
        return None
    last = max((index for index, one in enumerate(body) if ".backward(" in module.code(one)), default=at)
    if last > at and _can_be_repeated(module, body[at:last]) and not begins_from_itself(module, body[: last + 1]):
        return last + 1
    return at + 1
