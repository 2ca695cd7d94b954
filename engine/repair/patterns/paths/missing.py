"""What failed with a FileNotFoundError: which call of the line, on which of its paths, and within what."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Literal

import libcst as cst

from engine.repair.patterns.paths.calls import PathCall, path_call
from engine.repair.patterns.paths.guards import (
    Site,
)
from engine.repair.patterns.paths.moves import goes_where_asked, is_elsewhere, is_just_made, told_side
from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.sites import Place
from engine.repair.patterns.source.syntax import (
    bound_values,
    last_name,
    text_of,
    walk,
)

_WRITES = re.compile(
    r"""\bopen\(.*(?:,|mode=)\s*(?:mode\s*=\s*)?['"][bt]?[wax]|\bmode=['"][bt]?[wax]|\.write_(?:text|bytes)\(|O_CREAT"""
)
_READS = re.compile(r"""\bopen\(.*,\s*(?:mode\s*=\s*)?['"][bt]?r[bt]?['"]""")
_CREATES = re.compile(r"(?i)\bunable to (?:synchronously )?create\b|\bcannot (?:create|write)\b|for writing\b")


def told_action(case: Case) -> Literal["read", "write"] | None:
    """Whether what failed read or wrote, as the message tells or the library's own line; None where neither does."""
    record = case.records[0]
    if _CREATES.search(record.message):
        return "write"
    at = max((index for index, one in enumerate(record.frames) if one == case.frame), default=len(record.frames))
    below = [one.code for one in record.frames[at + 1 :]]
    if any(_WRITES.search(one) for one in below):
        return "write"
    return "read" if any(_READS.search(one) for one in below) else None


def runs_a_program(module: Module, call: cst.Call) -> bool:
    """Whether a call starts another program."""
    name = module.qualified(call.func)
    return name.startswith(
        ("subprocess.", "asyncio.create_subprocess", "os.exec", "os.spawn", "os.posix_spawn", "pty.")
    )


def failed_call(module: Module, found: list[PathCall], path: str | None, line: int) -> PathCall:
    """Which of several calls failed: the one whose literal is in the path told, else one that fits, else the first on
    the line that failed."""
    on_line = [one for one in found if module.position(one.call).start.line == line]
    if len(found) == 1 or path is None:
        return (on_line or found)[0]
    tail = PurePosixPath(path).name
    for one in found:
        texts = [text_of(node) for node in walk(one.path)]
        if any(text and text.strip("/.") and text in path for text in texts):
            return one
    for one in found:
        stem = PurePosixPath(tail).stem
        if len(stem) > 2 and any(isinstance(node, cst.Name) and stem in node.value for node in walk(one.path)):
            return one
    return (on_line or found)[0]


def is_target(site: Site) -> bool:
    """Whether a move or copy failed for want of the target's folder."""
    if site.call.target is None or last_name(site.call.call.func) == "copytree":
        return False
    side = told_side(site)
    if side is not None:
        return side == "target"
    if (is_beside(site) and not is_elsewhere(site)) or _share_folder(site):
        return False
    if is_just_made(site):
        return True
    line = site.module.position(site.call.call).start.line
    source = site.module.code(site.call.path)
    for one in site.module.nodes(cst.Call, within=site.module.function(site.call.call)):
        made = path_call(site.module, one) if site.module.position(one).start.line < line else None
        if made is not None and made.action == "write" and site.module.code(made.path) == source:
            return True
    listed = any(
        isinstance(place.node, cst.Call)
        and last_name(place.node.func) in ("listdir", "glob", "rglob", "iterdir", "walk", "scandir")
        for place in site.trail.origins(Place(site.module, site.call.path, site.frame))
    )
    return listed or goes_where_asked(site) or _is_made_new(site) or _is_delivered(site)


def _is_delivered(site: Site) -> bool:
    """Whether one file is copied, and not to keep what may be there: who copies a file has one, as a rule."""
    if last_name(site.call.call.func) not in ("copy", "copy2", "copyfile") or site.call.target is None:
        return False
    if any(isinstance(one, cst.For | cst.While) for one in site.module.ancestors(site.call.call)):
        return False
    function = site.module.function(site.call.call)
    words = f"{site.module.code(site.call.target)} {function.name.value if function is not None else ''}"
    return (
        re.search(r"(?i)back_?up|\bbak\b|recover|restore|histor|previous|old|snapshot|template|default", words) is None
    )


def _is_made_new(site: Site) -> bool:
    """Whether a target is put together from a folder and more, where it stands or by what its name is bound to."""
    module, target = site.module, site.call.target
    function = module.function(site.call.call)
    if not isinstance(target, cst.Name):
        return True
    line = module.position(site.call.call).start.line
    made = bound_values(module, function, target.value, line)[:1] if function is not None else []
    if not made or not isinstance(made[0], cst.BinaryOperation | cst.Call) or site.call.action != "move":
        return False
    folders = [
        one for one in walk(made[0]) if isinstance(one, cst.BinaryOperation) and isinstance(one.operator, cst.Divide)
    ]
    joined = isinstance(made[0], cst.Call) and last_name(made[0].func) == "join" and len(made[0].args) > 2
    return joined or len(folders) > 1


def _share_folder(site: Site) -> bool:
    """Whether what is moved goes to another name in its own folder."""
    source, target = (_folder(site.module, one) for one in (site.call.path, site.call.target))
    return source is not None and source == target


def _folder(module: Module, path: cst.BaseExpression | None) -> str | None:
    """A path without its last part, as written; None where nothing is put together in sight."""
    if isinstance(path, cst.Call) and last_name(path.func) == "join" and len(path.args) > 1:
        return ", ".join(module.code(arg.value) for arg in path.args[:-1])
    if isinstance(path, cst.BinaryOperation) and isinstance(path.operator, cst.Divide):
        return module.code(path.left)
    if isinstance(path, cst.FormattedString):
        head, slash, _last = "".join(module.code(one) for one in path.parts).rpartition("/")
        first = path.parts[0]
        return head or slash or (module.code(first) if isinstance(first, cst.FormattedStringExpression) else None)
    return None


def is_beside(site: Site) -> bool:
    """Whether what is moved goes to a name that is made of its own: its folder is there if it is."""
    target = site.call.target
    if target is None or (isinstance(target, cst.Call) and last_name(target.func) == "join"):
        return False
    names = {one.value for one in walk(site.call.path) if isinstance(one, cst.Name)} - {"self"}
    source = site.module.code(site.call.path)
    inside = site.module.code(target)
    return not isinstance(target, cst.Name) and source in inside and bool(names or "self." in source)


def comprehension_around(module: Module, node: cst.CSTNode) -> cst.CSTNode | None:
    for around in module.ancestors(node):
        if hasattr(around, "for_in"):
            names = {one.value for one in walk(around.for_in.target) if isinstance(one, cst.Name)}
            inside = {one.value for one in walk(node) if isinstance(one, cst.Name)}
            first = around.for_in.iter  # it is gone through before anything is bound
            outer = node is first or any(one is first for one in module.ancestors(node))
            return around if names & inside and not outer else None
        if isinstance(around, cst.BaseCompoundStatement | cst.SimpleStatementLine | cst.Lambda):
            return None
    return None
