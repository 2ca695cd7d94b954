"""What an object gets for a part of a record that is not there: what its class takes by default.

For functions that make objects of what was stored: `Node.from_dict(data)` of data that an older version wrote. Pure
functions over a parsed file.
"""

from __future__ import annotations

import re

import libcst as cst

from engine.repair.patterns.guarding.subscripts import constant, index_of
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.intent import own_nodes
from engine.repair.patterns.source.syntax import last_name

_MAKING = re.compile(r"(?:\A|_)(?:from|load|parse|deserializ|deserialis|decode|unpack|restore|read)")
_CLASS = re.compile(r"\A_?[A-Z]\w*[a-z]\w*\Z")
_PLAIN = re.compile(r"\A(?:-?\d+(?:\.\d+)?|None|True|False|'[^']*'|\"[^\"]*\"|\(\)|\[\]|\{\})\Z")


def default_of(module: Module, arg: cst.Arg, call: cst.Call) -> str | None:
    """The default of one argument of a call that makes an object of a record's parts ('' for None); None where the call
    does anything else."""
    if arg.star or not isinstance(arg.value, cst.Subscript) or not _makes_of_record(module, arg.value, call):
        return None
    around = _class_of(module, call)
    if around is None:
        return ""
    taken = _taken_by(module, around, arg, call)
    if taken is None:
        return None
    name, code = taken
    if code is None:
        return "" if _is_only_kept(module, around, name) else None
    return (code if code != "None" else "") if _PLAIN.match(code) else None


def _makes_of_record(module: Module, part: cst.Subscript, call: cst.Call) -> bool:
    """Whether a function that makes objects of stored data gives a class two parts or more of the same data."""
    function = module.function(call)
    name = last_name(call.func)
    if function is None or not (name == "cls" or _CLASS.match(name)) or not _MAKING.search(function.name.value):
        return False
    owner = module.code(part.value)
    parts = [one.value for one in call.args if isinstance(one.value, cst.Subscript)]
    same = [one for one in parts if module.code(one.value) == owner]
    return len(same) > 1 and all(isinstance(constant(index_of(one) or one), str) for one in same)


def _class_of(module: Module, call: cst.Call) -> cst.ClassDef | None:
    name = last_name(call.func)
    if name == "cls":
        return module.nearest(call, cst.ClassDef)
    return next((one for one in module.nodes(cst.ClassDef) if one.name.value == name), None)


def _taken_by(module: Module, around: cst.ClassDef, arg: cst.Arg, call: cst.Call) -> tuple[str, str | None] | None:
    """The parameter, or the field of a dataclass, that an argument is given for, and its default if it has one; None
    where that cannot be told."""
    begun = next((one for one in own_nodes(around.body, cst.FunctionDef) if one.name.value == "__init__"), None)
    place = list(call.args).index(arg)
    wanted = arg.keyword.value if arg.keyword is not None else None
    if begun is None and around.bases and wanted is None:
        return None  # what it inherits comes first
    if begun is not None:
        taken = [*begun.params.posonly_params, *begun.params.params][1:]
        named = [(one.name.value, one.default) for one in [*taken, *begun.params.kwonly_params]]
        ordered = [(one.name.value, one.default) for one in taken]
    else:
        fields = [one for one in own_nodes(around.body, cst.AnnAssign) if isinstance(one.target, cst.Name)]
        named = ordered = [(module.code(one.target), one.value) for one in fields]
    if wanted is not None:
        found = next((one for one in named if one[0] == wanted), None)
    else:
        found = ordered[place] if place < len(ordered) else None
    return (found[0], module.code(found[1]) if found[1] is not None else None) if found is not None else None


def _is_only_kept(module: Module, around: cst.ClassDef, name: str) -> bool:
    """Whether a class does nothing with a parameter but keep it, so that None is as good as any other value there."""
    begun = next((one for one in own_nodes(around.body, cst.FunctionDef) if one.name.value == "__init__"), None)
    if begun is None:
        return True
    named = [one for one in own_nodes(begun.body, cst.Name) if one.value == name]
    reads = [one for one in named if getattr(module.parent(one), "attr", None) is not one]
    return all(isinstance(module.parent(one), cst.Assign | cst.Element | cst.AnnAssign) for one in reads)
