"""A list where an array was expected, an array where a picture was, or a picture where an array was: it is made one.

Only by what the file works with already: numpy, and Pillow's Image. Every proposal is for review.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding import guards
from engine.repair.patterns.members.of_modules import quote_of
from engine.repair.patterns.pattern import Case, Proposal
from engine.repair.patterns.source.edit import Module, first_changed_line
from engine.repair.patterns.source.syntax import parameter_of

_OF_ARRAYS = frozenset(
    (
        *("shape", "dtype", "ndim", "astype", "reshape", "mean", "std", "var", "sum", "min", "max", "argmax", "argmin"),
        *("flatten", "ravel", "T", "squeeze", "tolist", "clip", "nbytes", "argsort", "cumsum", "nonzero"),
    )
)
_OF_PICTURES = frozenset(
    (
        *("save", "convert", "thumbnail", "crop", "filter", "show", "rotate", "paste", "getpixel", "putpixel", "split"),
        *("getbands", "getbbox", "quantize", "putalpha", "getdata", "histogram"),
    )
)


_OF_LISTS = frozenset(("append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse", "index", "count"))
MOST_FILES = 200


def propose(case: Case, module: Module, use: cst.Attribute, name: str, owner: str) -> Proposal | None:
    """The conversion of what came into what has the attribute; None where the file has no such thing."""
    kind = owner.rpartition(".")[2]
    if not guards.is_repeatable(module.code(use.value)):
        return None
    if name in _OF_ARRAYS and (kind in ("list", "tuple") or kind.endswith("ImageFile") or kind == "Image"):
        made = _imported(module, "numpy")
        return _made(module, use, f"{made}.asarray", kind, "an array", name, is_plain=True) if made else None
    if name in _OF_PICTURES and kind == "ndarray":
        made = _imported(module, "PIL.Image") if not _reads_by_opencv(case, module) else ""
        return _made(module, use, f"{made}.fromarray", kind, "a picture", name, is_plain=False) if made else None
    return None


def _imported(module: Module, wanted: str) -> str:
    return next((name for name, whole in module.imported.items() if whole == wanted), "")


def _reads_by_opencv(case: Case, module: Module) -> bool:
    """Whether something of the project works with OpenCV: its arrays have blue where a picture has red."""
    if re.search(r"\bcv2\b|(?i:bgr)", module.text):
        return True
    sources = (case.project.read(path) for path in case.project.python_files()[:MOST_FILES])
    return any(source is not None and b"cv2" in source for source in sources)


def _is_changed_as_list(module: Module, function: cst.FunctionDef, source: str) -> bool:
    """Whether the function does with a name what an array does not."""
    return any(
        one.attr.value in _OF_LISTS and module.code(one.value) == source
        for one in module.nodes(cst.Attribute, within=function.body)
    )


def _made(
    module: Module, use: cst.Attribute, call: str, kind: str, what: str, name: str, *, is_plain: bool
) -> Proposal:
    """Make it at once where it is an argument, for all reads behind; else for this use. `is_plain`: making it of what
    is one already changes nothing."""
    source, function, line = module.code(use.value), module.function(use), guards.statement_line(module, use)
    quote = quote_of(module, use)
    is_given = function is not None and isinstance(use.value, cst.Name) and parameter_of(function, source) is not None
    if is_given and function is not None and _is_changed_as_list(module, function, source):
        is_given = False
    if is_given and line is not None and guards.comprehension(module, use) is None:
        change = f"{source} = {call}({source})\n"
        guards.before(
            module, line, change if is_plain else f"if not hasattr({source}, {quote}{name}{quote}):\n    {change}"
        )
    elif is_plain:
        module.replace(use.value, guards.expression(f"{call}({source})"))
    else:
        whole = f"({source} if hasattr({source}, {quote}{name}{quote}) else {call}({source}))"
        module.replace(use.value, guards.expression(whole))
    edit = module.edit()
    why = f"{source} is sometimes a plain {kind}, which has no '{name}': it is made {what}."
    return Proposal("attribute", "converted", (edit,), first_changed_line(edit), "review", why)
