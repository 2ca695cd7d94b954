"""Which of the two paths of a copy or a move is missing: what is moved, or the folder that it goes to.

Told by both paths of the message, by the line of the library that failed, or by the text that a path ends with where
the message names one. Relies on the trail for where a path comes from. Pure functions over parsed files.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Literal

import libcst as cst

from engine.repair.patterns.paths.answers import loop_over, takes_parameter
from engine.repair.patterns.paths.guards import Site
from engine.repair.patterns.paths.origins import last_part
from engine.repair.patterns.source.sites import Place
from engine.repair.patterns.source.syntax import last_name, text_of

Side = Literal["source", "target"]

COPYING = ("copy", "copy2", "copyfile", "move")  # what these could not write is named alone
_TOLD = re.compile(r"directory: (?P<first>'[^']*'|\"[^\"]*\")(?: -> (?P<to>'[^']*'|\"[^\"]*\"))?")
_FOLDER = re.compile(r"(?i)(?:^|_)(?:\w*dir|directory|folder)\Z")
_TEMPORARY = ("tempfile.mkstemp", "tempfile.NamedTemporaryFile", "tempfile.mktemp", "tempfile.mkdtemp")
_STEPS = 6


def told_side(site: Site) -> Side | None:
    """The side that the error itself tells; None where it does not."""
    told = _TOLD.search(site.trail.record.message)
    for frame in site.trail.record.frames:
        if "open(dst" in frame.code:
            return "target"
        if "open(src" in frame.code or "os.stat(src" in frame.code:
            return "source"
    if told is None or site.call.target is None:
        return None
    first = told["first"].strip("'\"")
    if told["to"]:
        is_beside = PurePosixPath(first).parent == PurePosixPath(told["to"].strip("'\"")).parent
        return "source" if is_beside else None
    source, target = _ends(site, site.call.path), _ends(site, site.call.target)
    is_source, is_target = _fits(source, first), _fits(target, first)
    if is_source != is_target:
        return "source" if is_source else "target"
    if is_source or bool(source) == bool(target):
        return None
    return "target" if source else "source"  # the one whose end is known is not it


def is_elsewhere(site: Site) -> bool:
    """Whether the message names two paths that lie in two folders."""
    told = _TOLD.search(site.trail.record.message)
    if told is None or not told["to"]:
        return False
    return PurePosixPath(told["first"].strip("'\"")).parent != PurePosixPath(told["to"].strip("'\"")).parent


def is_just_made(site: Site) -> bool:
    """Whether what is moved is a temporary file that the function made itself."""
    module, path = site.module, site.call.path
    name = path.value if isinstance(path, cst.Attribute) and path.attr.value == "name" else path
    function = module.function(site.call.call)
    if not isinstance(name, cst.Name) or function is None:
        return False
    for call in module.nodes(cst.Call, within=function.body):
        if module.qualified(call.func) in _TEMPORARY:
            change = module.parent(call)
            bound = [*change.targets] if isinstance(change, cst.Assign) else [change] if change is not None else []
            if any(one.value == name.value for each in bound for one in module.nodes(cst.Name, within=each)):
                return True
    return False


def goes_where_asked(site: Site) -> bool:
    """Whether one call was given both paths: who copies a file names one that there is, and where it is to be."""
    module, target = site.module, site.call.target
    function = module.function(site.call.call)
    if function is None or not isinstance(site.call.path, cst.Name) or not isinstance(target, cst.Name):
        return False
    if not all(takes_parameter(function, one.value) for one in (site.call.path, target)):
        return False
    for index in range(site.frame + 1):
        here = site.trail.statement(index)
        if here is None or loop_over(*here) is not None:  # one of several
            return False
    return True


def is_folder(path: cst.BaseExpression) -> bool:
    """Whether what a copy goes to is called a folder."""
    return isinstance(path, cst.Name | cst.Attribute) and _FOLDER.search(last_name(path)) is not None


def is_the_same_for_all(site: Site, target: cst.BaseExpression) -> bool:
    """Whether all that a loop goes through is copied to one path, which is a folder then."""
    loop = loop_over(site.module, site.call.call)
    if loop is None:
        return False
    changed = {one.value for each in site.module.nodes(cst.AssignTarget, within=loop.body)
               for one in site.module.nodes(cst.Name, within=each)}  # fmt: skip
    if isinstance(loop, cst.For):
        changed |= {one.value for one in site.module.nodes(cst.Name, within=loop.target)}
    return not changed & {one.value for one in site.module.nodes(cst.Name, within=target)}


def _ends(site: Site, path: cst.BaseExpression) -> set[str]:
    """The texts that a path may end with, wherever it comes from."""
    places = [Place(site.module, path, site.frame), *site.trail.origins(Place(site.module, path, site.frame))]
    return {text for one in places if isinstance(one.node, cst.BaseExpression) and (text := _end(one.node))}


def _end(path: cst.BaseExpression) -> str:
    for _step in range(_STEPS):
        if isinstance(path, cst.BinaryOperation) and isinstance(path.operator, cst.Add) and text_of(path.right):
            return str(text_of(path.right))
        if isinstance(path, cst.FormattedString):
            last = path.parts[-1] if path.parts else None
            return last.value if isinstance(last, cst.FormattedStringText) else ""
        part = last_part(path)
        if part is path:
            break
        path = part
    return text_of(path) or ""


def _fits(ends: set[str], told: str) -> bool:
    return any(told.replace("\\", "/").endswith(one.replace("\\", "/").lstrip("./")) for one in ends)
