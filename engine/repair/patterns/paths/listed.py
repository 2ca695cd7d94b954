"""Names that a folder was asked for, and that are used without it: they lie in that folder, not in the working one.

Certain, as a listing gives what is there by its bare name. Relies on `calls` for what needs a path.
"""

from __future__ import annotations

from pathlib import PurePosixPath

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.paths import edits
from engine.repair.patterns.paths.calls import path_call
from engine.repair.patterns.paths.guards import Site
from engine.repair.patterns.pattern import Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import bound_values, last_name, text_of

_AS_THEY_ARE = ("sorted", "list", "reversed", "set", "tqdm", "enumerate")
_HERE = ("", ".", "./")


def joined(site: Site, told: str | None) -> Proposal | None:
    """Put the folder before each bare name in the loop; None where the path is no such name."""
    module, path = site.module, site.call.path
    if not isinstance(path, cst.Name) or told is None or len(PurePosixPath(told).parts) != 1:
        return None
    loop, part = next(
        ((one, part) for one in module.ancestors(path) if (part := _binding(module, one, path))), (None, None)
    )
    folder = _folder(module, part) if part is not None else None
    if loop is None or folder is None:
        return None
    join = f"{module.name_of_import('os')}.path.join"
    for call in module.nodes(cst.Call, within=loop.body if isinstance(loop, cst.For) else loop):
        made = path_call(module, call)
        if made is None or module.code(made.path) != path.value:
            continue
        module.replace(made.path, guards.expression(f"{join}({folder}, {path.value})"))
        if made.target is not None and path.value in module.code(made.target) and not _has_folder(made.target):
            module.replace(made.target, guards.expression(f"{join}({folder}, {module.code(made.target)})"))
    return edits.done(module, "folder-before", "review", "a listing gives bare names: the folder belongs before them")


def is_joined(site: Site, told: str | None) -> bool:
    """Whether a name that failed without its folder has it by now."""
    path, module = site.call.path, site.module
    if told is None or len(PurePosixPath(told).parts) != 1 or not isinstance(path, cst.Call) or len(path.args) != 2:
        return False
    folder, name = (one.value for one in path.args)
    if last_name(path.func) != "join" or not isinstance(name, cst.Name):
        return False
    return _listing(module, name)[1] == module.code(folder)


def _listing(module: Module, name: cst.Name) -> tuple[cst.CSTNode | None, str | None]:
    """The loop, or the comprehension, that goes through a folder's names by this one, and that folder."""
    for around in module.ancestors(name):
        part = _binding(module, around, name)
        if part is not None:
            return around, _folder(module, part)
    return None, None


def _binding(module: Module, around: cst.CSTNode, name: cst.Name) -> cst.For | cst.CompFor | None:
    """The part of a loop, or of a comprehension, that binds a name to one after the other."""
    part = around if isinstance(around, cst.For) else getattr(around, "for_in", None)
    while isinstance(part, cst.For | cst.CompFor):
        if any(one.value == name.value for one in module.nodes(cst.Name, within=part.target)):
            return part
        part = part.inner_for_in if isinstance(part, cst.CompFor) else None
    return None


def _folder(module: Module, loop: cst.For | cst.CompFor) -> str | None:
    """The folder whose names a loop goes through: `os.listdir(folder)`, the files of `os.walk`."""
    walked = loop.iter
    while isinstance(walked, cst.Call) and last_name(walked.func) in _AS_THEY_ARE and walked.args:
        walked = walked.args[0].value
    if isinstance(walked, cst.Name):
        for around in module.ancestors(loop):
            target = around.target if isinstance(around, cst.For) else None
            is_walk = isinstance(around, cst.For) and "os.walk(" in module.code(around.iter)
            if isinstance(target, cst.Tuple) and is_walk and len(target.elements) == 3:
                names = [module.code(one.value) for one in target.elements]
                return names[0] if names[2] == walked.value else None
        scope = module.function(loop) or module.tree
        bound = bound_values(module, scope, walked.value, module.position(loop).start.line)[:1]
        walked = bound[0] if bound and isinstance(bound[0], cst.BaseExpression) else walked
        while isinstance(walked, cst.Call) and last_name(walked.func) in _AS_THEY_ARE and walked.args:
            walked = walked.args[0].value
    if not isinstance(walked, cst.Call) or module.qualified(walked.func) != "os.listdir" or not walked.args:
        return None
    folder = walked.args[0].value
    if text_of(folder) in _HERE or not guards.is_repeatable(module.code(folder)):
        return None
    return module.code(folder)


def _has_folder(path: cst.BaseExpression) -> bool:
    """Whether a path names a folder itself."""
    if isinstance(path, cst.Call | cst.BinaryOperation):
        return True
    parts = path.parts if isinstance(path, cst.FormattedString) else ()
    return any(isinstance(one, cst.FormattedStringText) and "/" in one.value for one in parts)
