"""An attribute that a module does not have, and the names that others took in place of what is gone.

Relies on what Python's own modules have here, and on the project's modules as they stand in its sources.
"""

from __future__ import annotations

import importlib
import sys

import libcst as cst

from engine.repair.patterns.guarding import absent, checks, guards, read_again
from engine.repair.patterns.guarding.absence import Absence
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module, first_changed_line
from engine.repair.patterns.source.own_classes import is_module, likely_name, top_names

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
RENAMED = {
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
_GONE = frozenset(
    (
        *(
            ("platform", "linux_distribution"),
            ("platform", "dist"),
            ("sys", "setdefaultencoding"),
            ("ssl", "wrap_socket"),
        ),
        *(("ssl", "PROTOCOL_SSLv3"), ("ssl", "PROTOCOL_SSLv2"), ("cgi", "escape"), ("os", "errno"), ("time", "tzset")),
        *(("asyncio", "async"), ("asyncio", "get_event_loop_policy"), ("threading", "_shutdown"), ("gc", "collect")),
        *(("locale", "format"), ("unittest", "makeSuite"), ("ast", "Str"), ("ast", "Num"), ("ast", "NameConstant")),
        *(("string", "join"), ("string", "replace"), ("types", "ClassType"), ("types", "NoneType"), ("os", "popen2")),
    )
)
_FAMILIES = (  # what a platform has all of, or none
    ("SIGALRM", "alarm", "setitimer", "ITIMER_REAL", "getitimer"),
    ("getuid", "geteuid", "getgid", "getegid", "getgroups", "setuid", "setgid"),
    ("getpgid", "killpg", "setsid", "getpgrp", "setpgid", "setpgrp"),
    ("fork", "wait", "waitpid", "setsid"),
)
_OF_PLATFORMS = ("os", "signal", "socket", "select", "time")


def of_module(case: Case, module: Module, use: cst.Attribute, owner: str, name: str) -> Proposal | Declined:
    """The correction for what a module does not have, or why there is none."""
    if case.project.is_first_party(owner):
        path = next((one for one in case.project.python_files() if is_module(one, owner)), None)
        source = case.project.read(path) if path else None
        names = top_names(source) if source else set()
        if "__getattr__" in names:
            return Declined("attribute", f"{owner} answers for its attributes itself (__getattr__)")
        if owner.partition(".")[0] in _MODULES:
            return Declined("attribute", f"{path} has the name of Python's own module {owner}: rename it")
        likely = likely_name(name, names, case)
        if likely:
            return renamed(module, use, name, likely, owner)
        return Declined("attribute", f"{owner} has nothing like {name}")
    likely = RENAMED.get((owner, name), "")
    is_here = (owner in _MODULES or owner in _OF_PLATFORMS) and _is_of_some(owner, name)
    if not likely and owner in _MODULES and not is_here:  # what is here has its right name, and is not everywhere
        likely = likely_name(name, dir(importlib.import_module(owner)), case)
    if not likely and _is_of_some(owner, name):
        return _of_some(case, module, use, owner, name)
    if not likely:
        return Declined("attribute", f"{owner} has no {name}; what took its place is not known")
    if (likely.startswith("abc.")) and (
        not any(module.code(one).startswith("import collections.abc") for one in module.nodes(cst.Import))
    ):
        module.name_of_import("collections.abc")
    return renamed(module, use, name, likely, owner)


def _is_of_some(owner: str, name: str) -> bool:
    """Whether some platforms or versions of a module have a name: one that Python has here, or had; a library's own."""
    top = owner.partition(".")[0]
    if owner == "sys" or (owner, name) in _GONE:
        return True
    if top not in sys.stdlib_module_names:
        return True
    try:
        return hasattr(importlib.import_module(owner), name) if owner in _MODULES or owner in _OF_PLATFORMS else False
    except ImportError:
        return False


def _of_some(case: Case, module: Module, use: cst.Attribute, owner: str, name: str) -> Proposal | Declined:
    """What not every platform, or not every version of a module has: it is used where it is there."""
    source, quote = module.code(use.value), quote_of(module, use)
    if (owner, name) == ("sys", "argv") and _is_own_name(module, use):
        module.replace(use, guards.expression(f"getattr({source}, {quote}{name}{quote}, [{quote}{quote}])"))
        return _finish(module, "getattr", "A program that runs Python inside it has no sys.argv: it has no name then.")
    good = f"hasattr({source}, {quote}{name}{quote})"
    if checks.is_guarded(module, use, good):
        return Declined("attribute", "the code asks whether the attribute is there")
    why = f"Not every {owner} has '{name}': it is used where it is there."
    around = module.parent(use)
    if isinstance(around, cst.If | cst.BooleanOperation | cst.UnaryOperation | cst.IfExp):
        module.replace(use, guards.expression(f"getattr({source}, {quote}{name}{quote}, None)"))
        return _finish(module, "getattr", why)
    whole = module.code(use)
    members = [one.attr.value for one in module.nodes(cst.Attribute) if module.code(one.value) == whole]
    if name[:1].isupper() and not name.isupper() and members and all(one.isupper() for one in members):
        return _with_the_older(module, use, f"getattr({source}, {quote}{name}{quote}, {source})", owner, name)
    if _only_where_there(module, use, good):
        return _finish(module, "element", why)
    if module.function(use) is None and isinstance(module.nearest(use, cst.ClassDef), cst.ClassDef):
        return Declined("attribute", f"{owner} has no {name}, and a class is built on it")
    beside = {f"{source}.{one}" for family in _FAMILIES if name in family for one in family}
    absence = Absence(use, use.value, lambda _code: (good, f"not {good}"), alike=frozenset(beside))
    operator, _value = absent.guard(case, module, absence)
    edit = read_again.guarded(case, module, absence, module.edit(), (good,))
    operator = "hasattr" if operator == "guard-use" else operator
    return Proposal("attribute", operator, (edit,), first_changed_line(edit), "review", why)


def _is_own_name(module: Module, use: cst.Attribute) -> bool:
    """`sys.argv[0]`: the name that a program was called by."""
    around = module.parent(use)
    return isinstance(around, cst.Subscript) and around.value is use and module.code(around.slice[0]) == "0"


def _only_where_there(module: Module, use: cst.Attribute, good: str) -> bool:
    """Let one of several elements that are written out, `{signal.SIGHUP: reload, ...}`, be there only where a platform
    has it; whether it is one."""
    element = module.parent(use)
    display = module.parent(element) if element is not None else None
    if isinstance(element, cst.DictElement) and isinstance(display, cst.Dict) and element.key is use:
        pair = f"{module.code(element.key)}: {module.code(element.value)}"
        made = cst.StarredDictElement(guards.expression(f"({{{pair}}} if {good} else {{}})"), comma=element.comma)
        module.replace(element, made)
        return True
    if isinstance(element, cst.Element) and isinstance(display, cst.Tuple):
        outer = module.parent(display)
        if isinstance(outer, cst.Element) and isinstance(module.parent(outer), cst.List | cst.Tuple | cst.Set):
            element, display = outer, module.parent(outer)
    if not isinstance(element, cst.Element) or not isinstance(display, cst.List | cst.Tuple | cst.Set):
        return False
    is_walked = isinstance(module.parent(display), cst.Assign | cst.For | cst.ComparisonTarget)
    if is_walked and len(display.elements) > 1:
        value = guards.expression(f"([{module.code(element.value)}] if {good} else [])")
        module.replace(element, cst.StarredElement(value, comma=element.comma))
        return True
    return False


def _with_the_older(module: Module, use: cst.Attribute, made: str, owner: str, name: str) -> Proposal:
    """`Image.Resampling.BICUBIC`: such an enumeration's members stood in the module itself before there was one."""
    source = module.code(use)
    is_read_late = "from __future__ import annotations" in module.text
    for one in module.nodes(cst.Attribute):
        if module.code(one) != source:
            continue
        annotation = module.nearest(one, cst.Annotation)
        if annotation is None:
            module.replace(one, guards.expression(made))
        elif not is_read_late and annotation.annotation is one:
            module.replace(one, cst.SimpleString(f"{module.quote}{source}{module.quote}"))
    return _finish(
        module, "getattr", f"Not every {owner} has '{name}': {owner} itself has its members where it has not."
    )


def _finish(module: Module, operator: str, why: str) -> Proposal:
    edit = module.edit()
    return Proposal("attribute", operator, (edit,), first_changed_line(edit), "review", why)


def renamed(module: Module, use: cst.Attribute, name: str, likely: str, owner: str) -> Proposal:
    """Ask for the name that was meant, here and wherever the function asks the same thing for the same."""
    new: cst.BaseExpression = use
    if "." in likely:
        first, last = likely.split(".")
        new = use.with_changes(value=cst.Attribute(use.value, cst.Name(first)), attr=cst.Name(last))
    else:
        new = use.with_changes(attr=cst.Name(likely))
    module.replace(use, new)
    for other in module.nodes(cst.Attribute):
        if (other is not use and other.attr.value == name and module.code(other.value) == module.code(use.value)) and (
            module.function(other) is module.function(use) and "." not in likely
        ):
            module.replace(other, other.with_changes(attr=cst.Name(likely)))
    edit = module.edit()
    why = f"{owner} has no '{name}', but '{likely}', which is what was meant as far as names tell."
    return Proposal("attribute", "rename", (edit,), first_changed_line(edit), "review", why)


def quote_of(module: Module, use: cst.Attribute) -> str:
    """The quotation mark for a text at this place."""
    outer = next((one for one in module.ancestors(use) if isinstance(one, cst.FormattedString)), None)
    if outer is not None:
        return "'" if outer.end.endswith('"') else '"'
    code = module.code(module.tree)
    return "'" if code.count("'") > code.count('"') else '"'
