"""An attribute that an object does not have: misspelt, renamed, optional, or set only later.

Relies on the project's own classes as they stand in its sources, and on what Python's types and modules have.
"""

from __future__ import annotations

import ast
import difflib
import importlib
import re
from collections.abc import Iterable

import libcst as cst

from engine.repair.patterns import guards, intent
from engine.repair.patterns.edit import Module, first_changed_line
from engine.repair.patterns.pattern import Case, Declined, Proposal

_TYPES: dict[str, type] = {
    one.__name__: one
    for one in (str, bytes, bytearray, list, tuple, dict, set, frozenset, int, float, complex, bool, range, slice)
}
_MODULES = frozenset(
    (
        *(
            "os",
            "os.path",
            "math",
            "json",
            "re",
            "time",
            "datetime",
            "string",
            "random",
            "itertools",
            "functools",
            "sys",
        ),
        *("collections", "shutil", "glob", "csv", "statistics", "inspect", "textwrap", "hashlib", "base64", "pathlib"),
        *("operator", "copy", "logging", "subprocess", "tempfile", "asyncio", "threading", "decimal", "fractions"),
    )
)
_RENAMED = {
    ("time", "clock"): "perf_counter",
    ("inspect", "getargspec"): "getfullargspec",
    ("string", "letters"): "ascii_letters",
    ("string", "lowercase"): "ascii_lowercase",
    ("string", "uppercase"): "ascii_uppercase",
    ("string", "maketrans"): "",
    ("os", "getcwdu"): "getcwd",
    ("sys", "maxint"): "maxsize",
    ("itertools", "izip_longest"): "zip_longest",
    ("itertools", "ifilterfalse"): "filterfalse",
    ("base64", "encodestring"): "encodebytes",
    ("base64", "decodestring"): "decodebytes",
    ("collections", "Mapping"): "abc.Mapping",
    ("collections", "MutableMapping"): "abc.MutableMapping",
    ("collections", "Sequence"): "abc.Sequence",
    ("collections", "Iterable"): "abc.Iterable",
    ("collections", "Callable"): "abc.Callable",
    ("collections", "Hashable"): "abc.Hashable",
    ("collections", "Set"): "abc.Set",
    ("numpy", "float"): "float64",
    ("numpy", "int"): "int_",
    ("numpy", "bool"): "bool_",
    ("numpy", "object"): "object_",
    ("PIL.Image", "ANTIALIAS"): "LANCZOS",
    ("dict", "iteritems"): "items",
    ("dict", "itervalues"): "values",
    ("dict", "iterkeys"): "keys",
    ("dict", "viewitems"): "items",
    ("list", "push"): "append",
    ("list", "add"): "append",
    ("list", "length"): "",
    ("set", "append"): "add",
    ("str", "trim"): "strip",
    ("str", "toUpperCase"): "upper",
    ("str", "toLowerCase"): "lower",
    ("generator", "next"): "__next__",
    ("datetime.datetime", "toString"): "isoformat",
}
_SET_LATER = ast.Constant | ast.List | ast.Dict | ast.Set | ast.Tuple


def propose(case: Case, module: Module, use: cst.Attribute, missing: re.Match[str], line: int) -> Proposal | Declined:
    """The correction for an attribute that is missing, or why there is none."""
    name = use.attr.value
    owner = missing["of"] or missing["class"] or missing["type"] or missing["enum"]
    if missing["module"]:
        return _of_module(case, module, use, owner, name)
    classes = list(classes_of(case, owner.rpartition(".")[2], module))
    if any(_is_dynamic(one) for one in classes):
        return Declined("attribute", f"{owner} answers for its attributes itself (__getattr__)")
    if guards.is_guarded(module, use, f'hasattr({module.code(use.value)}, "{name}")') or _is_probed(module, use, name):
        return Declined("attribute", "the code asks whether the attribute is there")
    if name in ("decode", "encode") and owner in ("str", "bytes"):
        return _by_type(case, module, use, name, owner)
    likely = _RENAMED.get((owner, name)) or _likely(name, members_of(case, owner, classes, module), case)
    if likely:
        return _renamed(module, use, name, likely, owner)
    if owner == "dict":
        return _key(module, use, name)
    if isinstance(_target(module, use), cst.AssignTarget | cst.AugAssign):
        return Declined("attribute", f"{owner} takes no attribute {name}: what was meant cannot be seen")
    if classes and module.code(use.value) == "self":
        return _set_first(case, module, use, name, classes[0])
    return _optional(case, module, use, name, owner)


def _target(module: Module, use: cst.Attribute) -> cst.CSTNode | None:
    around = module.parent(use)
    return around if isinstance(around, cst.AssignTarget) else None


def _is_probed(module: Module, use: cst.Attribute, name: str) -> bool:
    for around in module.ancestors(use):
        test = getattr(around, "test", None)
        if test is not None and re.search(rf"hasattr\([^)]*['\"]{name}['\"]", module.code(test)):
            return True
        if isinstance(around, cst.FunctionDef):
            break
    return False


def _of_module(case: Case, module: Module, use: cst.Attribute, owner: str, name: str) -> Proposal | Declined:
    if case.project.is_first_party(owner):
        path = next((one for one in case.project.python_files() if _is_module(one, owner)), None)
        source = case.project.read(path) if path else None
        names = _top_names(source) if source else set()
        if "__getattr__" in names:
            return Declined("attribute", f"{owner} answers for its attributes itself (__getattr__)")
        if owner.partition(".")[0] in _MODULES:
            return Declined("attribute", f"{path} has the name of Python's own module {owner}: rename it")
        likely = _likely(name, names, case)
        if likely:
            return _renamed(module, use, name, likely, owner)
        return Declined("attribute", f"{owner} has nothing like {name}")
    likely = _RENAMED.get((owner, name), "")
    if not likely and owner in _MODULES:
        likely = _likely(name, dir(importlib.import_module(owner)), case)
    if not likely:
        return Declined("attribute", f"{owner} has no {name}; what took its place is not known")
    if likely.startswith("abc."):
        if not any(module.code(one).startswith("import collections.abc") for one in module.nodes(cst.Import)):
            module.name_of_import("collections.abc")
    return _renamed(module, use, name, likely, owner)


def _is_module(path: str, owner: str) -> bool:
    plain = owner.replace(".", "/")
    return path in (f"{plain}.py", f"{plain}/__init__.py") or path.endswith((f"/{plain}.py", f"/{plain}/__init__.py"))


def _top_names(source: bytes) -> set[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def _likely(name: str, names: Iterable[str], case: Case) -> str | None:
    """The name that was meant: Python's own guess where the record has it, else a near one."""
    every = {one for one in names if not one.startswith("__")}
    guess = re.search(r"Did you mean: '(\w+)'", case.records[0].message)
    if guess and (guess[1] in every or not every):
        return guess[1]
    every.discard(name)
    flat = {re.sub(r"_", "", one).lower(): one for one in every}
    if re.sub(r"_", "", name).lower() in flat:
        return flat[re.sub(r"_", "", name).lower()]
    near = difflib.get_close_matches(name, every, 2, 0.8)
    if not near or (len(near) > 1 and _ratio(name, near[0]) == _ratio(name, near[1])):
        return None
    return near[0] if min(len(name), len(near[0])) > 3 and not _differs_in_word(name, near[0]) else None


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _differs_in_word(one: str, other: str) -> bool:
    """`load_first` and `load_last`, `name1` and `name2`: two names, not one misspelt."""
    if re.sub(r"\d", "", one) == re.sub(r"\d", "", other):
        return True
    first, second = one.split("_"), other.split("_")
    if len(first) == len(second) and len(first) > 1:
        return any(a != b and _ratio(a, b) < 0.7 for a, b in zip(first, second, strict=True))
    return (
        abs(len(first) - len(second)) > 0
        and one.replace("_", "") != other.replace("_", "")
        and (one.startswith(other) or other.startswith(one))
    )


def _renamed(module: Module, use: cst.Attribute, name: str, likely: str, owner: str) -> Proposal:
    new: cst.BaseExpression = use
    if "." in likely:
        first, last = likely.split(".")
        new = use.with_changes(value=cst.Attribute(use.value, cst.Name(first)), attr=cst.Name(last))
    else:
        new = use.with_changes(attr=cst.Name(likely))
    module.replace(use, new)
    for other in module.nodes(cst.Attribute):
        if other is not use and other.attr.value == name and module.code(other.value) == module.code(use.value):
            if module.function(other) is module.function(use) and "." not in likely:
                module.replace(other, other.with_changes(attr=cst.Name(likely)))
    edit = module.edit()
    why = f"{owner} has no '{name}', but '{likely}', which is what was meant as far as names tell."
    return Proposal("attribute", "rename", (edit,), first_changed_line(edit), "review", why)


def _key(module: Module, use: cst.Attribute, name: str) -> Proposal | Declined:
    around = module.parent(use)
    if isinstance(around, cst.Call) and around.func is use:
        return Declined("attribute", f"a dict has no method {name}: what was meant cannot be seen")
    quote = "'" if "'" in module.code(module.statement(module.position(use).start.line) or use) else '"'
    if any(isinstance(one, cst.FormattedString) for one in module.ancestors(use)):
        outer = next(one for one in module.ancestors(use) if isinstance(one, cst.FormattedString))
        quote = "'" if outer.end.endswith('"') else '"'
    source = module.code(use.value)
    wanted = [use]
    wanted += [
        one
        for one in module.nodes(cst.Attribute)
        if one is not use
        and module.code(one.value) == source
        and module.function(one) is module.function(use)
        and not hasattr(dict, one.attr.value)
    ]
    for one in wanted:
        made = guards.expression(f"{source}[{quote}{one.attr.value}{quote}]")
        module.replace(one, made.with_changes(lpar=one.lpar, rpar=one.rpar))
    edit = module.edit()
    why = f"It is a dict: '{name}' is one of its keys, not an attribute."
    return Proposal("attribute", "key", (edit,), first_changed_line(edit), "review", why)


# -- the project's classes ---------------------------------------------------------------------------------------------


def classes_of(case: Case, name: str, module: Module) -> Iterable[ast.ClassDef]:
    """The class of a name, and its bases where the project has them."""
    wanted, seen = [name], set()
    sources = [module.source, *(case.project.read(path) or b"" for path in case.project.python_files()[:400])]
    while wanted:
        current = wanted.pop(0)
        if current in seen:
            continue
        seen.add(current)
        for source in sources:
            if f"class {current}".encode() not in source:
                continue
            try:
                tree = ast.parse(source)
            except (SyntaxError, ValueError):
                continue
            found = next((one for one in ast.walk(tree) if isinstance(one, ast.ClassDef) and one.name == current), None)
            if found is not None:
                yield found
                wanted += [ast.unparse(base).rpartition(".")[2] for base in found.bases]
                break


def _is_dynamic(found: ast.ClassDef) -> bool:
    return any(
        isinstance(one, ast.FunctionDef) and one.name in ("__getattr__", "__getattribute__") for one in ast.walk(found)
    )


def members_of(case: Case, owner: str, classes: Iterable[ast.ClassDef], module: Module) -> set[str]:
    """What the objects of a class have, as far as its sources tell; a builtin type's own names."""
    names: set[str] = set()
    for found in classes:
        for one in ast.walk(found):
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(one.name)
            elif isinstance(one, ast.Attribute) and ast.unparse(one.value) == "self" and isinstance(one.ctx, ast.Store):
                names.add(one.attr)
        for statement in found.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                names.add(statement.target.id)
            elif isinstance(statement, ast.Assign):
                names |= {one.id for one in statement.targets if isinstance(one, ast.Name)}
    if not names and owner in _TYPES:
        names = set(dir(_TYPES[owner]))
    return names


def _set_first(case: Case, module: Module, use: cst.Attribute, name: str, found: ast.ClassDef) -> Proposal | Declined:
    """Set the attribute in `__init__`, as it is set later, or read it as optional."""
    values = [
        ast.unparse(one.value)
        for one in ast.walk(found)
        if isinstance(one, ast.Assign) and any(ast.unparse(target) == f"self.{name}" for target in one.targets)
        if isinstance(one.value, _SET_LATER)
    ]
    start = _empty_of(values)
    own = next((one for one in module.nodes(cst.ClassDef) if one.name.value == found.name), None)
    first = next(
        (one for one in module.nodes(cst.FunctionDef, within=own) if one.name.value == "__init__"), None
    ) if own is not None else None  # fmt: skip
    is_set = any(
        isinstance(one, ast.Attribute) and one.attr == name and isinstance(one.ctx, ast.Store)
        for one in ast.walk(found)
    )
    if start is None or first is None or not isinstance(first.body, cst.IndentedBlock) or not is_set:
        return _optional(case, module, use, name, found.name)
    if any(module.code(one.target) == f"self.{name}" for one in module.nodes(cst.AssignTarget, within=first)):
        return Declined("attribute", f"__init__ sets {name}: it was asked for before that")
    guards.after(module, first.body.body[-1], f"self.{name} = {start}\n")
    edit = module.edit()
    why = f"{found.name} sets {name} only in other methods; it starts as {start} now."
    return Proposal("attribute", "initialise", (edit,), first_changed_line(edit), "review", why)


def _empty_of(values: list[str]) -> str | None:
    for one in values:
        if one in ("None", "[]", "{}", "0", "0.0", "False", "''", "()"):
            return one
    if values and values[0] in ("True", "False"):
        return "False"
    if values and values[0][0] in "[{":
        return values[0][0] + {"[": "]", "{": "}"}[values[0][0]]
    return None


def _optional(case: Case, module: Module, use: cst.Attribute, name: str, owner: str) -> Proposal | Declined:
    """Read an attribute that not every object has."""
    source = module.code(use.value)
    if owner in _TYPES or owner in ("function", "method", "builtin_function_or_method", "type"):
        return _by_type(case, module, use, name, owner)
    if not guards.is_repeatable(source):
        return Declined("attribute", f"{owner} has no {name}, and nothing here says what was meant")
    around = module.parent(use)
    if isinstance(around, cst.Call) and around.func is use:
        return _method(module, use, around, name, owner)
    function = module.function(use)
    default = _default(case, module, use, function)
    quote = _quote(module, use)
    made = guards.expression(f"getattr({source}, {quote}{name}{quote}, {default})")
    module.replace(use, made.with_changes(lpar=use.lpar, rpar=use.rpar))
    edit = module.edit()
    why = f"Not every {owner} has '{name}': it is read as optional, {default} where it is missing."
    return Proposal("attribute", "getattr", (edit,), first_changed_line(edit), "review", why)


def _quote(module: Module, use: cst.Attribute) -> str:
    outer = next((one for one in module.ancestors(use) if isinstance(one, cst.FormattedString)), None)
    if outer is not None:
        return "'" if outer.end.endswith('"') else '"'
    code = module.code(module.tree)
    return "'" if code.count("'") > code.count('"') else '"'


def _default(case: Case, module: Module, use: cst.Attribute, function: cst.FunctionDef | None) -> str:
    around = module.parent(use)
    if isinstance(around, cst.For | cst.CompFor):
        return "()"
    if isinstance(around, cst.If | cst.While | cst.CompIf | cst.UnaryOperation | cst.BooleanOperation):
        return "False"
    if isinstance(around, cst.Return) and function is not None:
        return intent.given_for_nothing(case, module, function, "None").code
    if isinstance(around, cst.Attribute | cst.Subscript):
        return "None"
    if isinstance(around, cst.BinaryOperation):
        return '""' if isinstance(around.operator, cst.Add) and "'" in module.code(around) else "0"
    if isinstance(around, cst.AugAssign):
        return "0"
    if isinstance(around, cst.FormattedStringExpression):
        return "None"
    call = module.parent(around) if isinstance(around, cst.Arg) else None
    if isinstance(call, cst.Call) and module.code(call.func) in (
        "len",
        "sum",
        "list",
        "sorted",
        "set",
        "tuple",
        "enumerate",
    ):
        return "()"
    return "None"


def _method(module: Module, use: cst.Attribute, call: cst.Call, name: str, owner: str) -> Proposal | Declined:
    """Call a method that not every object has, where it has it."""
    source, quote = module.code(use.value), _quote(module, use)
    good = f"hasattr({source}, {quote}{name}{quote})"
    line = guards.statement_line(module, call)
    if line is not None and isinstance(line.body[0], cst.Expr) and line.body[0].value in (call, module.parent(call)):
        guards.under(module, line, good)
    else:
        around = module.parent(call)
        if isinstance(around, cst.Attribute | cst.Subscript):
            return Declined("attribute", f"{owner} has no {name}, and what follows needs what it gives")
        otherwise = "()" if isinstance(around, cst.For | cst.CompFor) else "None"
        module.replace(call, guards.conditional(module, call, good, otherwise))
    edit = module.edit()
    why = f"Not every {owner} has '{name}': it is called where it is there."
    return Proposal("attribute", "hasattr", (edit,), first_changed_line(edit), "review", why)


def _by_type(case: Case, module: Module, use: cst.Attribute, name: str, owner: str) -> Proposal | Declined:
    """A plain value where an object with the attribute is usual: `getattr`, where its default fits."""
    around = module.parent(use)
    if (
        owner in ("str", "bytes")
        and name in ("decode", "encode")
        and isinstance(around, cst.Call)
        and around.func is use
    ):
        if not guards.is_repeatable(module.code(use.value)):
            return Declined("attribute", f"a {owner} has no {name}: it is text already")
        kind = "bytes" if name == "decode" else "str"
        good = f"isinstance({module.code(use.value)}, {kind})"
        module.replace(around, guards.conditional(module, around, good, module.code(use.value)))
        edit = module.edit()
        why = f"It is {owner} already where it was to be {name}d."
        return Proposal("attribute", "already-text", (edit,), first_changed_line(edit), "review", why)
    if isinstance(around, cst.Call) and around.func is use:
        return Declined("attribute", f"a {owner} has no method {name}: what was meant cannot be seen")
    if owner in ("int", "float", "str") and isinstance(
        around, cst.Comparison | cst.Return | cst.Assign | cst.Arg | cst.If
    ):
        source, quote = module.code(use.value), _quote(module, use)
        if name in ("value", "name") and guards.is_repeatable(source):  # a member of an enumeration, or its value
            made = guards.expression(f"getattr({source}, {quote}{name}{quote}, {source})")
            module.replace(use, made)
            edit = module.edit()
            why = f"It is the plain {owner} here, and an object with '{name}' elsewhere."
            return Proposal("attribute", "getattr", (edit,), first_changed_line(edit), "review", why)
    return Declined("attribute", f"a {owner} has no {name}: what was meant cannot be seen")
