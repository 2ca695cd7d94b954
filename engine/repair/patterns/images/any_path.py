"""The helper that reads an image from any path, and calls of `cv2.imread` that go through it."""

from __future__ import annotations

from functools import lru_cache

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.image_origin import is_decoding, is_imread
from engine.repair.patterns.source.syntax import last_name, walk

HELPER = '''def {name}(filename, flags={colour}):
    """Read an image as {cv2}.imread does, whatever characters its path has: None where there is no image."""
    try:
        data = {np}.fromfile(filename, dtype={np}.uint8)
    except OSError:
        return None
    image = {cv2}.imdecode(data, flags) if data.size else None
    return {cv2}.imread(filename, flags) if image is None and data.size else image  # imread shows files cut short
'''


def imreads(module: Module, node: cst.CSTNode) -> list[cst.Call]:
    return [one for one in walk(node) if isinstance(one, cst.Call) and is_imread(module, one)]


def use_helper(module: Module, call: cst.Call, instead: cst.Call | None) -> cst.Call:
    """Add the helper; the call through it, which takes the old one's place unless the caller sees to that."""
    if is_decoding(module, call):
        return call  # a reader for any path is there
    is_nested = not module.imports_for_sure("cv2") and _is_deep(module)
    cv2 = "cv2" if is_nested else module.name_of_import("cv2")
    numpy = module.name_of_import("numpy", alias="np")
    name, is_there = _helper_of(module)
    if not is_there:
        colour = f"{cv2}.IMREAD_COLOR" if module.imports_for_sure("cv2") else "1"  # it is looked up when defined
        text = HELPER.format(name=name, cv2=cv2, np=numpy, colour=colour)
        module.add_helper(text.replace("    try:", "    import cv2\n\n    try:", 1) if is_nested else text)
    made = call.with_changes(func=cst.Name(name))
    if instead is None:
        module.replace(call, made)
    return made


@lru_cache(maxsize=8)  # asked for every read of a file
def _helper_of(module: Module) -> tuple[str, bool]:
    """The helper's name in a file, and whether the file has it already."""
    names = ("read_image", "read_image_file", "imread_any_path")
    there = next((one for one in names if is_helper(module, one)), "")
    taken = module.names()
    name = there or next((one for one in names if one not in taken), "_read_image_of_any_path")
    return name, bool(there) or is_helper(module, name)


def is_helper(module: Module, name: str) -> bool:
    """Whether the file has this helper, and not a function of its own of that name, which may be what reads here."""
    own = [one for one in module.nodes(cst.FunctionDef) if one.name.value == name and "imdecode" in module.code(one)]
    return any((one.get_docstring() or "").startswith("Read an image as ") for one in own)


def _is_deep(module: Module) -> bool:
    """Whether the file imports cv2 in functions alone, or in a `try` that is itself under a condition."""
    own = [one for one in module.nodes(cst.Import) if any(last_name(name.name) == "cv2" for name in one.names)]
    around = [
        [one for one in module.ancestors(each) if isinstance(one, cst.Try | cst.If | cst.FunctionDef)] for each in own
    ]
    return bool(own) and all(len(one) > 1 or any(isinstance(o, cst.FunctionDef) for o in one) for one in around)


def read_all_so(module: Module) -> None:
    """Have every other read of the file go through the helper that it has by now: it keeps to imread's contract."""
    decoding = {
        around
        for one in module.nodes(cst.Call)
        if module.qualified(one.func) == "cv2.imdecode"
        for around in module.ancestors(one)
        if isinstance(around, cst.FunctionDef)
    }
    for call in imreads(module, module.tree):
        plain = [one for one in call.args if one.keyword is None]
        if any(one.star for one in call.args) or len(plain) > 2:
            continue
        if any(module.is_replaced(one) for one in (call, *module.ancestors(call))):
            continue
        if module.function(call) in decoding:
            continue  # it reads by other ways already
        use_helper(module, call, None)
