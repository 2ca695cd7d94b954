"""What a setup.py has where it works out its `install_requires`: the names of the files that it reads, among others."""

from __future__ import annotations

from collections.abc import Iterator

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.openings import keyword
from engine.repair.patterns.source.syntax import last_name, text_of, walk


def texts(module: Module) -> Iterator[str]:
    """Texts that `install_requires` is worked out from, through names, functions of the file, and what is opened."""
    for call in module.nodes(cst.Call):
        given = keyword(call, "install_requires") if last_name(call.func) == "setup" else None
        if given is not None:
            yield from _below(module, given, set())


def _below(module: Module, node: cst.CSTNode, seen: set[str]) -> Iterator[str]:
    for one in [node, *walk(node)]:
        if isinstance(one, cst.SimpleString) and (text := text_of(one)):
            yield text
        elif isinstance(one, cst.Name) and one.value not in seen:
            seen.add(one.value)
            for source in _sources(module, one.value):
                yield from _below(module, source, seen)


def _sources(module: Module, name: str) -> Iterator[cst.CSTNode]:
    """What a name of the file is made from: what it is bound to, its function's lines, and the files open meanwhile."""
    for function in module.nodes(cst.FunctionDef):
        if function.name.value == name:
            yield function.body
    for assign in module.nodes(cst.Assign):
        if any(module.code(one.target) == name for one in assign.targets):
            yield assign.value
            yield from _around(module, assign)
    for added in module.nodes(cst.AugAssign):
        if module.code(added.target) == name:
            yield added.value
            yield from _around(module, added)
    for call in module.nodes(cst.Call):
        owner = call.func.value if isinstance(call.func, cst.Attribute) else None
        if isinstance(owner, cst.Name) and owner.value == name and last_name(call.func) in ("append", "extend"):
            yield from (one.value for one in call.args)
            yield from _around(module, call)
    for item in module.nodes(cst.WithItem):
        if item.asname is not None and module.code(item.asname.name) == name:
            yield item.item


def _around(module: Module, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
    for one in module.ancestors(node):
        if isinstance(one, cst.With):
            yield from (item.item for item in one.items)
        elif isinstance(one, cst.For):
            yield one.iter
