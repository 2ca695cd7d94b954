"""Images read into a list beside which others run along (labels, names): one that is left out would shift the rest."""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.image_origin import Chain
from engine.repair.patterns.source.syntax import dotted, walk


def listed_beside(module: Module, clause: cst.CompFor, chain: Chain) -> str:
    """A clear error that names the images that were not read, where what they were read from is used once more.

    `images = [cv2.imread(path) for path in rows[:, 0]]`, then `labels = rows[:, 1]`. '' where nothing runs along.
    """
    images = clause.iter
    if not isinstance(images, cst.Name | cst.Attribute):
        return ""
    made = next((one.node for one in chain.places if isinstance(one.node, cst.ListComp) and one.module is module), None)
    if not isinstance(made, cst.ListComp) or made.for_in.ifs or made.for_in.inner_for_in is not None:
        return ""
    read, scope = made.for_in, module.function(clause)
    if scope is None or module.function(made) is not scope or not isinstance(read.target, cst.Name):
        return ""
    sources = {one.value for one in walk(read.iter) if isinstance(one, cst.Name)} - {"range", "len", "sorted", "list"}
    inside = set(map(id, walk(made)))
    line = module.position(made).end.line
    again = [
        one
        for one in walk(scope.body)
        if isinstance(one, cst.Name)
        and one.value in sources
        and id(one) not in inside
        and module.position(one).start.line > line
        and not _is_counted(module, one)
    ]
    if not again:
        return ""
    unread = guards.fresh(module, "unread", "unreadable")
    target, one = read.target.value, guards.fresh(module, "image", "each_image")
    says = f"f{module.quote}cannot read images: {{{unread}}}{module.quote}"
    return (
        f"{unread} = [{target} for {target}, {one} in zip({module.code(read.iter)}, {dotted(images)})"
        f" if {one} is None]\n"
        f"if {unread}:\n    raise FileNotFoundError({says})\n"
    )


def _is_counted(module: Module, name: cst.Name) -> bool:
    """`len(paths)` alone says nothing of what runs along."""
    call = module.parent(module.parent(name) or name)
    return isinstance(call, cst.Call) and dotted(call.func) in ("len", "print")
