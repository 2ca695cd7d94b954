"""What lines would make of themselves if they were done again: a picture padded already is not padded once more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import last_name, walk

_MOVES = frozenset(
    (
        *("to", "cuda", "cpu", "mps", "float", "half", "bfloat16", "double", "long", "int", "contiguous", "detach"),
        *("tuple", "list", "dict", "items", "Variable", "as_tensor", "pin_memory", "device", "requires_grad_", "cast"),
        *("to_device", "to_cuda", "to_gpu", "move_to", "move_to_device", "move_data_to_device", "send_to_device"),
        *("isinstance", "type"),
    )
)


def begins_from_itself(module: Module, lines: Sequence[cst.CSTNode]) -> bool:
    """Whether a line reads a name that it, or a line behind it, binds anew: done again, it would begin from there.

    What the last line binds is not counted: where lines are done again, it has not come to its end. A tensor that is
    moved, or made another type, stays what it is.
    """
    simple = [one for line in lines for one in _simple(line)]
    binds = [_bound(one) for one in simple]
    last: dict[str, int] = {}  # the last line that binds a name to something else
    for index, one in enumerate(simple[:-1]):
        if not _only_moves(one):
            last.update(dict.fromkeys(binds[index], index))
    bound: set[str] = set()
    for index, one in enumerate(simple):
        if any(last.get(name, -1) >= index for name in _read(module, one) - bound):
            return True
        bound |= binds[index]
    return False


def _simple(line: cst.CSTNode) -> Iterator[cst.CSTNode]:
    """The lines of a block one by one, in order; a `with` is one by its items alone."""
    if isinstance(line, cst.With):
        yield from line.items
        for one in line.body.body:
            yield from _simple(one)
    else:
        yield line


def _bound(line: cst.CSTNode) -> set[str]:
    targets = [one.target for one in walk(line) if isinstance(one, cst.AssignTarget | cst.AugAssign | cst.NamedExpr)]
    targets += [one.target for one in walk(line) if isinstance(one, cst.AnnAssign) and one.value is not None]
    targets += [one.target for one in walk(line) if isinstance(one, cst.For)]
    found: set[str] = set()
    for target in targets:
        parts = [target, *walk(target)] if isinstance(target, cst.Tuple | cst.List | cst.Name) else []
        found |= {one.value for one in parts if isinstance(one, cst.Name)}
    return found


def _read(module: Module, line: cst.CSTNode) -> set[str]:
    targets = {id(one.target) for one in walk(line) if isinstance(one, cst.AssignTarget | cst.AnnAssign)}
    bound = {id(one) for node in walk(line) if id(node) in targets for one in [node, *walk(node)]}
    return {
        one.value
        for one in walk(line)
        if isinstance(one, cst.Name) and id(one) not in bound and not _is_a_part(module, one)
    }


def _is_a_part(module: Module, name: cst.Name) -> bool:
    """Whether it is an attribute's, or a keyword's: no name that is read."""
    around = module.parent(name)
    return (isinstance(around, cst.Attribute) and around.attr is name) or (
        isinstance(around, cst.Arg) and around.keyword is name
    )


def _only_moves(line: cst.CSTNode) -> bool:
    """Whether a line leaves what it binds as it was, but for its device and type."""
    if any(isinstance(one, cst.BinaryOperation | cst.AugAssign | cst.UnaryOperation) for one in walk(line)):
        return False
    calls = [one for one in walk(line) if isinstance(one, cst.Call)]
    return bool(calls) and all(last_name(one.func) in _MOVES for one in calls)
