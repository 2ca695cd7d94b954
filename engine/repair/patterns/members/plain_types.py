"""A plain value where an object of another type was expected: a list for a dict, a number for a text or an array.

Which type was expected, the name that was asked for tells: only dicts have `items`, only texts `strip`. The edit asks
for that type, or makes the value one where that loses nothing. Every proposal is for review.
"""

from __future__ import annotations

import libcst as cst

from engine.repair.patterns.guarding import absent, checks, guards
from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, first_changed_line
from engine.repair.patterns.source.producers import bound_to, name_for
from engine.repair.patterns.source.syntax import parameter_of

_OF_DICT = frozenset(("get", "items", "keys", "values", "setdefault", "update"))
_OF_TEXT = frozenset(
    (
        *("strip", "lstrip", "rstrip", "lower", "upper", "title", "capitalize", "casefold", "split", "rsplit"),
        *("splitlines", "startswith", "endswith", "replace", "isdigit", "zfill", "ljust", "rjust", "partition"),
        *("rpartition", "find", "rfind", "removeprefix", "removesuffix", "isnumeric", "isalpha", "format"),
    )
)
_OF_LIST = frozenset(("append", "extend", "insert", "sort", "reverse", "index"))
_UNWRAPPING = frozenset(  # what gives the plain value that there is already
    (
        *("item", "tolist", "cpu", "detach", "numpy", "to_dict", "as_dict", "dict", "model_dump", "isoformat"),
        *("total_seconds", "decode", "flatten", "squeeze", "toarray", "todense", "get_text", "to_list", "as_posix"),
        *("copy", "clone", "asdict", "_asdict", "to_numpy", "float", "long", "result", "getvalue"),
    )
)
_MAKING = ("from_dict", "fromdict", "from_json", "parse_obj", "model_validate", "from_mapping")
_NUMBERS = ("int", "float", "bool", "complex", "Decimal")
_PATHS = ("PosixPath", "WindowsPath", "Path", "PurePosixPath")
_LAZY = (
    *("dict_keys", "dict_values", "dict_items", "odict_keys", "odict_values", "map", "filter", "zip", "range"),
    *("generator", "tuple"),
)
_OF_ARRAYS = ("ndarray", "float32", "float64", "int32", "int64", "bool_")
_PLAIN = (*_NUMBERS, "str", "bytes", "list", "tuple", "dict", "set", "frozenset")


def propose(case: Case, module: Module, use: cst.Attribute, name: str, owner: str) -> Proposal | Declined | None:
    """The edit for a method that a plain value has not; None where the name tells nothing."""
    call = module.parent(use)
    kind = owner.rpartition(".")[2]
    if not (isinstance(call, cst.Call) and call.func is use):
        return _field(case, module, use, name, kind)
    subject = use.value
    if name in _OF_DICT and kind in _PLAIN and kind != "dict":
        return _of_type(case, module, use, "dict", kind)
    if name in _OF_TEXT and (kind in _NUMBERS or kind in _PATHS):
        return _converted(module, use, f"str({module.code(subject.with_changes(lpar=[], rpar=[]))})", "text", kind)
    if name in ("format", "encode") and kind == "bytes":
        return _converted(module, use, f"{module.code(subject)}.decode()", "decode", kind)
    if name in _OF_TEXT and kind in ("list", "tuple", "dict", "set"):
        return _of_type(case, module, use, "str", kind)
    if name in _OF_LIST and kind in _LAZY:
        return _listed(module, use, kind)
    if name in _OF_LIST and kind in ("str", "dict", *_NUMBERS):
        return _of_type(case, module, use, "list", kind)
    if name in _UNWRAPPING and kind in (*_PLAIN, *_OF_ARRAYS) and guards.is_repeatable(module.code(subject)):
        return _as_it_is(module, use, call, name, kind)
    return None


def made_of_dict(module: Module, use: cst.Attribute, name: str) -> Proposal | None:
    """A dict came in the place of an object of a class that is made of dicts: it is made one first."""
    line, subject = guards.statement_line(module, use), use.value
    fitting = []
    for one in module.nodes(cst.ClassDef):
        methods = {each.name.value for each in intent.own_nodes(one.body, cst.FunctionDef)}
        makes = [each for each in _MAKING if each in methods]
        if name in methods and makes:
            fitting.append(f"{one.name.value}.{makes[0]}")
    own = module.nearest(use, cst.ClassDef)
    bases = [module.code(one.value) for one in own.bases] if own is not None else []
    fitting = [one for one in fitting if one.partition(".")[0] in bases] or fitting
    if not isinstance(subject, cst.Name) or line is None or len(fitting) != 1:
        return None
    code = subject.value
    if checks.is_guarded(module, use, f"isinstance({code}, dict)"):
        return None
    guards.before(module, line, f"if isinstance({code}, dict):\n    {code} = {fitting[0]}({code})\n")
    edit = module.edit()
    why = f"{code} is sometimes the plain dict that {fitting[0]} makes an object of."
    return Proposal("attribute", "from-dict", (edit,), first_changed_line(edit), "review", why)


def _finish(module: Module, operator: str, why: str) -> Proposal:
    edit = module.edit()
    return Proposal("attribute", operator, (edit,), first_changed_line(edit), "review", why)


def _of_type(case: Case, module: Module, use: cst.Attribute, wanted: str, kind: str) -> Proposal | Declined:
    """Ask whether the value is of the type that has the method."""
    code = module.code(use.value)
    if checks.is_guarded(module, use, f"isinstance({code}, {wanted})"):
        return Declined("attribute", f"the code asks for the type of {code} already")
    if kind == "tuple" and wanted == "dict" and (unwrapped := _unwrapped(module, use)) is not None:
        return unwrapped
    absence = Absence(
        use,
        use.value,
        lambda source: (f"isinstance({_plain(source)}, {wanted})", f"not isinstance({_plain(source)}, {wanted})"),
        name_for(module, use.value),
    )
    operator, value = absent.guard(case, module, absence)
    why = f"{code} is sometimes a {kind}, and only a {wanted} has '{use.attr.value}': {value.code} then."
    return _finish(module, operator, why)


def _unwrapped(module: Module, use: cst.Attribute) -> Proposal | None:
    """A function was given a tuple that holds the dict, `(x,)` for `x`: its first element is taken, of each argument
    that is used just so."""
    function = module.function(use)
    if function is None or not isinstance(use.value, cst.Name) or parameter_of(function, use.value.value) is None:
        return None
    told: list[str] = []
    for one in module.nodes(cst.Attribute, within=function.body):
        name = one.value.value if isinstance(one.value, cst.Name) else ""
        line = guards.statement_line(module, one)
        if one.attr.value != use.attr.value or name in told or not name or line is None:
            continue
        if parameter_of(function, name) is None or checks.is_guarded(module, one, f"isinstance({name}, tuple)"):
            continue
        guards.before(module, line, f"if isinstance({name}, tuple):\n    {name} = {name}[0]\n")
        told.append(name)
    if use.value.value not in told:
        return None
    return _finish(module, "unwrapped", f"{' and '.join(told)} may be a tuple that holds the dict: that one is taken.")


def _plain(source: str) -> str:
    return source[1:-1] if source.startswith("(") and source.endswith(")") and ":=" in source else source


def _converted(module: Module, use: cst.Attribute, code: str, operator: str, kind: str) -> Proposal | Declined:
    subject = use.value
    if module.code(subject).startswith("str("):
        return Declined("attribute", "it is made a text already")
    module.replace(subject, guards.expression(code))
    return _finish(module, operator, f"{module.code(subject)} is sometimes a {kind}: its text is what is meant.")


def _listed(module: Module, use: cst.Attribute, kind: str) -> Proposal | Declined:
    """Make a list of what has no list's methods, where it comes from."""
    subject = use.value
    made = bound_to(module, subject) if isinstance(subject, cst.Name) else None
    if made is None or isinstance(made, cst.Name | cst.Attribute):
        return Declined("attribute", f"a {kind} has no {use.attr.value}, and where it comes from cannot be seen")
    code = module.code(made.with_changes(lpar=[], rpar=[]))
    if code.startswith(("list(", "sorted(")):
        return Declined("attribute", "it is a list already")
    module.replace(made, guards.expression(f"list({code})"))
    return _finish(module, "list", f"A {kind} has no '{use.attr.value}': it is made a list first.")


def _as_it_is(module: Module, use: cst.Attribute, call: cst.Call, name: str, kind: str) -> Proposal:
    """`x.item()` of a plain number is that number."""
    source = module.code(use.value)
    quote = _quote(module, use)
    whole, around = call, module.parent(call)
    while (  # `x.detach().cpu().numpy()`: what has not the first has none of them
        isinstance(around, cst.Attribute)
        and around.attr.value in _UNWRAPPING
        and isinstance(outer := module.parent(around), cst.Call)
        and outer.func is around
    ):
        whole, around = outer, module.parent(outer)
    good = f"hasattr({source}, {quote}{name}{quote})"
    module.replace(whole, guards.conditional(module, whole, good, source))
    return _finish(module, "already-plain", f"{source} is sometimes the plain {kind} already.")


def _field(case: Case, module: Module, use: cst.Attribute, name: str, kind: str) -> Proposal | Declined | None:
    """A field that a plain value has not: it is the value itself, or there is none."""
    source = module.code(use.value)
    if kind not in (*_NUMBERS, "str", "list", "tuple"):
        return None
    if isinstance(module.parent(use), cst.AssignTarget | cst.AugAssign | cst.Del | cst.AnnAssign):
        return None
    quote = _quote(module, use)
    if guards.is_repeatable(source) and name in (
        "value",
        "name",
        "id",
        "pk",
        "text",
        "data",
        "content",
        "T",
        "real",
        "magnitude",
        "path",
    ):
        made = guards.expression(f"getattr({source}, {quote}{name}{quote}, {source})")
        module.replace(use, made.with_changes(lpar=use.lpar, rpar=use.rpar))
        return _finish(module, "getattr", f"It is the plain {kind} here, and an object with '{name}' elsewhere.")
    absence = Absence(
        use,
        use.value,
        lambda code: (
            f"hasattr({_plain(code)}, {quote}{name}{quote})",
            f"not hasattr({_plain(code)}, {quote}{name}{quote})",
        ),
        name_for(module, use.value),
    )
    operator, value = absent.guard(case, module, absence)
    return _finish(module, operator, f"{source} is sometimes a plain {kind} without '{name}': {value.code} then.")


def _quote(module: Module, use: cst.CSTNode) -> str:
    outer = next((one for one in module.ancestors(use) if isinstance(one, cst.FormattedString)), None)
    if outer is not None:
        return "'" if outer.end.endswith('"') else '"'
    return module.quote
