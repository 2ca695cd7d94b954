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
    code = _taken_by(module, around, arg, call) if around is not None else None
    return code if code is not None and _PLAIN.match(code) and code != "None" else ""


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


def _taken_by(module: Module, around: cst.ClassDef, arg: cst.Arg, call: cst.Call) -> str | None:
    """The default of the parameter, or of the field of a dataclass, that an argument is given for."""
    begun = next((one for one in own_nodes(around.body, cst.FunctionDef) if one.name.value == "__init__"), None)
    place = list(call.args).index(arg)
    wanted = arg.keyword.value if arg.keyword is not None else None
    if begun is not None:
        taken = [*begun.params.posonly_params, *begun.params.params][1:]
        named = [*taken, *begun.params.kwonly_params]
        found = next((one for one in named if one.name.value == wanted), None) if wanted else None
        found = found or (taken[place] if wanted is None and place < len(taken) else None)
        return module.code(found.default) if found is not None and found.default is not None else None
    fields = [one for one in own_nodes(around.body, cst.AnnAssign) if isinstance(one.target, cst.Name)]
    field = next((one for one in fields if module.code(one.target) == wanted), None) if wanted else None
    field = field or (fields[place] if wanted is None and place < len(fields) else None)
    return module.code(field.value) if field is not None and field.value is not None else None
