"""What stands for what a file would have held: the empty value of the kind that is read from it.

Told by how it is read, else by what is done with it afterwards. Pure functions over parsed code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.guarding import checks, stand_ins
from engine.repair.patterns.source.edit import Module

_LISTS = re.compile(r"\A(?:sorted|list|set)\(|\A\[")
_LINES = re.compile(r"\.(?:readlines|splitlines|split|listdir|iterdir|glob)\([^()]*\)\Z|(?:listdir|scandir)\(.*\)\Z")
_BYTES = re.compile(r"\.read_bytes\(\)\Z|['\"]rb['\"]\)\.read\(\)\Z")
_TEXT = re.compile(r"\.(?:read|read_text|strip|rstrip|lstrip|lower|decode|readline)\([^()]*\)\Z")
_PARSED = re.compile(r"(?i)\b(?:json|yaml|toml|tomllib|tomli|pickle|plistlib|vdf|msgpack|ujson|orjson|simplejson)\.")
_PART = re.compile(r"\)(?:\[|\.get\()['\"](?P<key>\w+)['\"](?:\]|\))\Z")
_METHODS = {
    "[]": ("append", "insert", "extend", "sort", "reverse"),
    "set()": ("add", "discard", "union", "intersection", "difference"),
    "{}": ("get", "items", "keys", "values", "setdefault", "update", "pop", "copy", "clear"),
}
_COUNT = re.compile(r"int\([^()]*\(?[^()]*\)?[^()]*\)(?: (?P<more>[+-] \d+))?\Z")
_COUNTING, _CHOOSING = ("len", "sum"), ("max", "min", "next", "choice", "[")
_NUMBERS = re.compile(r"\bgetsize\(|\bgetmtime\(|\bgetctime\(|\.st_size\b|\.st_mtime\b")
_PICKY = frozenset(  # these fail on an empty text
    (
        *("int", "float", "loads", "literal_eval", "fromstring", "parse", "eval", "Decimal", "fromisoformat"),
        *("strptime", "fromtimestamp", "Version", "b64decode", "unpack", "frombuffer", "search_one"),
        *("max", "min", "choice", "mean", "median", "reduce"),
    )
)


def of_value(code: str) -> str | None:
    """The empty value of the kind that an expression reads from a file; None where it does not tell."""
    code = re.sub(r"\[[^\[\]]*:[^\[\]]*\]\Z", "", " ".join(code.split()))  # a part of it is as empty
    around = _around(code)
    if around in _COUNTING + _CHOOSING:
        return "0" if around in _COUNTING else None
    if _NUMBERS.search(code) and not code.startswith(("{", "[", "(")):
        return "0"
    if _PARSED.search(code):
        part = _PART.search(code)
        return "{}" if part is None else "[]" if part["key"].endswith("s") else None
    number = _COUNT.match(code)
    if number is not None:
        return str(int(number["more"].replace(" ", ""))) if number["more"] else "0"
    if _LINES.search(code) or _LISTS.search(code):
        return "set()" if code.startswith("set") else "[]"
    if _BYTES.search(code):
        return 'b""'
    return '""' if _TEXT.search(code) else None


def _around(code: str) -> str:
    """The function that is called with all that is read; nothing where an expression is no such call, `[` where one
    element of it is taken."""
    try:
        tree = ast.parse(code, mode="eval").body
    except SyntaxError:
        return ""
    if isinstance(tree, ast.Subscript) and not isinstance(tree.slice, ast.Slice | ast.Constant):
        return "["
    if isinstance(tree, ast.Subscript) and isinstance(tree.slice, ast.Constant) and isinstance(tree.slice.value, int):
        return "["
    func = tree.func if isinstance(tree, ast.Call) else None
    return func.id if isinstance(func, ast.Name) else func.attr if isinstance(func, ast.Attribute) else ""


def by_class(module: Module, reads: Sequence[cst.Attribute], value: str) -> str | None:
    """The empty value of an attribute with which the rest of its class works; None where none does."""
    kinds = {_wanted(module, one, value) for one in reads} - {value}
    if "" in kinds or len(kinds) > 1:
        return None
    return kinds.pop() if kinds else value


def _wanted(module: Module, one: cst.Attribute, value: str) -> str:
    """The empty value that a read asks for; nothing where it asks for more than an empty one has."""
    around = module.parent(one)
    if isinstance(around, cst.Attribute):
        name = around.attr.value
        return next((empty for empty, methods in _METHODS.items() if name in methods), "" if value == "{}" else value)
    if isinstance(around, cst.Subscript) and around.value is one and value == "{}":
        is_stored = isinstance(module.parent(around), cst.AssignTarget | cst.Del)
        return value if is_stored or checks.is_guarded(module, around, module.code(one)) else ""
    if isinstance(around, cst.Call) and around.func is one:
        return ""
    return value


def by_use(module: Module, reads: Sequence[cst.Name], value: str | None) -> str | None:
    """The empty value with which every read works; None where none does. `value`: the kind that the file holds."""
    if value is not None and value.lstrip("-").isdigit() and all(_is_number(module, one) for one in reads):
        return value
    failing = [one for one in reads if not _is_neutral(module, one)]
    if any(_takes_an_element(module, one) for one in failing if not checks.is_guarded(module, one, one.value)):
        return None
    behind = [one for one in failing if checks.is_guarded(module, one, one.value)]
    if failing and len(behind) == len(failing):
        used = [one for one in failing if not isinstance(module.parent(one), cst.Assign)]
        return stand_ins.empty_for(module, used) or value or "None"
    failing = [one for one in failing if one not in behind]
    if failing:
        handed = [
            one for one in failing if isinstance(module.parent(one), cst.Arg) and not stand_ins.is_walked(module, one)
        ]
        telling = [one for one in failing if one not in handed]
        told = stand_ins.empty_for(module, telling) if telling else stand_ins.empty_for(module, failing)
        if told is not None and not all(_bears(module, one, told) for one in handed):
            return None
        if told is not None and value in (None, "{}", "[]", told):
            return told
        if value in (None, "{}", "0") or not all(_bears(module, one, str(value)) for one in failing):
            return None
        return value
    if value is None:
        return None
    return value if all(_bears(module, one, value) for one in reads) else None


def _is_number(module: Module, one: cst.Name) -> bool:
    """Whether a read does with a name what any number can do, zero as well."""
    around = module.parent(one)
    if isinstance(around, cst.BinaryOperation):
        return around.left is one or isinstance(around.operator, cst.Add | cst.Subtract | cst.Multiply)
    return _is_neutral(module, one) or isinstance(around, cst.Arg | cst.Comparison | cst.ComparisonTarget)


def _takes_an_element(module: Module, one: cst.Name) -> bool:
    """Whether a read asks for one element of what a method of it gives: `name.split()[0]`."""
    around = module.parent(one)
    call = module.parent(around) if isinstance(around, cst.Attribute) else None
    taken = module.parent(call) if isinstance(call, cst.Call) else None
    if not isinstance(taken, cst.Subscript) or taken.value is not call:
        return False
    return not all(isinstance(part.slice, cst.Slice) for part in taken.slice)


def _is_neutral(module: Module, one: cst.Name) -> bool:
    """Whether a read asks for nothing of it: it is tested, shown, or put somewhere."""
    around = module.parent(one)
    if isinstance(around, cst.Comparison):
        return around.left is one
    if isinstance(around, cst.StarredDictElement):
        return True
    if isinstance(around, cst.Arg):
        call = module.parent(around)
        adds = isinstance(call, cst.Call) and module.code(call.func).endswith(".update")
        return around.keyword is not None or adds or around.star == "**"
    return stand_ins.is_shown(module, one)


def _bears(module: Module, one: cst.Name, value: str) -> bool:
    """Whether a read works with an empty value of a known kind: not by its elements, not by what needs words."""
    around = module.parent(one)
    if isinstance(around, cst.Subscript):
        return around.value is one and all(isinstance(part.slice, cst.Slice) for part in around.slice)
    if isinstance(around, cst.Arg):
        call = module.parent(around)
        name = module.code(call.func).rpartition(".")[2] if isinstance(call, cst.Call) else ""
        return name not in _PICKY
    if isinstance(around, cst.Attribute):
        call = module.parent(around)
        return isinstance(call, cst.Call) and around.attr.value not in ("pop", "index", "remove") and value != "0"
    if isinstance(around, cst.BinaryOperation):
        return isinstance(around.operator, cst.Add | cst.Modulo) and value != "{}"
    return True
