"""Whether a value that stands for nothing lasts: what is done with it where it stands, and with the name it gets.

None in place of a list fails in the loop behind it, an empty text in the sum: an error that only moves a line further
is not mended. What is done with a value in functions of other files is not followed. Pure functions over a parsed file.
"""

from __future__ import annotations

import re
import sys

import libcst as cst

from engine.repair.patterns.guarding.checks import is_guarded
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.syntax import argument_for

MOST_STEPS = 3  # from name to name, and into functions of the same file
CHOICES = ("None", "()", '""', "0", "{}", 'b""')
_WALKING = re.compile(
    r"(?:len|list|tuple|set|frozenset|sorted|sum|any|all|enumerate|zip|reversed|map|filter|max|min|iter|\w*\.extend|"
    r"\w*\.writelines|\w*\.join|itertools\.\w+|chain|Counter|deque)\Z"
)
_COUNTING = re.compile(
    r"(?:int|float|abs|round|range|divmod|pow|Decimal|math\.\w+|time\.sleep|timedelta|\w+\.fromtimestamp)\Z"
)
_READING = re.compile(
    r"(?:open|Path|pathlib\.\w+|os\.(?:path\.(?!exists)\w+|\w+)|shutil\.\w+|re\.\w+|json\.loads?|ast\.literal_eval|"
    r"importlib\.import_module|__import__|base64\.\w+|urlparse|urljoin|quote|unquote|\w*\.strptime|\w*\.fromisoformat)\Z"
)
_TAKING_NONE = frozenset(
    (
        *(
            "json",
            "copy",
            "pickle",
            "logging",
            "functools",
            "asyncio",
            "threading",
            "multiprocessing",
            "queue",
            "pprint",
        ),
        *("typing", "contextlib", "inspect", "unittest", "operator", "dataclasses", "random", "locale", "gettext"),
        *("tempfile", "argparse", "contextvars", "concurrent", "warnings", "sys", "weakref", "types", "traceback"),
        *(
            "itertools",
            "collections",
            "select",
            "socket",
            "subprocess",
            "atexit",
            "sched",
            "builtins",
            "ctypes",
            "sqlite3",
        ),
        *("time", "datetime", "csv", "tkinter", "gc", "webbrowser", "pdb", "marshal", "yaml", "urllib", "http"),
    )
)
_OF_TEXTS = re.compile(
    r"(?i)(?:^|[_.])(?:ur[il]|path|name|text|title|label|prefix|suffix|msg|message|line|dir|folder|file)\w*\b"
)
_METHODS = {
    "text": frozenset(dir(str)),
    "bytes": frozenset(dir(bytes)),
    "tuple": frozenset(dir(tuple)),
    "dict": frozenset(dir(dict)),
    "number": frozenset(dir(int)),
}


def fitting(module: Module, node: cst.BaseExpression) -> str | None:
    """The first value for nothing that lasts in a node's place, as source; None where none of them does."""
    for one in CHOICES:
        if lasts(module, node, one):
            return module.quote * 2 if one == '""' else one
    return None


def lasts(module: Module, node: cst.BaseExpression, value: str, steps: int = MOST_STEPS) -> bool:
    """Whether nothing fails at once, as far as the file tells, where `value` stands in a node's place."""
    kinds = {"()": "tuple", "[]": "tuple", "{}": "dict", "0": "number", "0.0": "number", "False": "number"}
    kind = "bytes" if value[:1] == "b" else "text" if value[:1] in "'\"" else kinds.get(value, value)
    return (kind != "None" and kind not in _METHODS) or _lasts(module, node, kind, steps)


def parts(module: Module, node: cst.BaseExpression, count: int) -> str | None:
    """What stands for nothing where a value is taken apart into so many names, as source; None where it is not."""
    change, function = module.parent(node), module.function(node)
    target = change.targets[0].target if isinstance(change, cst.Assign) and len(change.targets) == 1 else None
    if not isinstance(target, cst.Tuple | cst.List) or len(target.elements) != count or function is None:
        return None
    line, found = module.position(node).end.line, []
    for one in target.elements:
        name = one.value.value if isinstance(one.value, cst.Name) else ""
        kinds = {"None": "None", "()": "tuple", "0": "number", '""': "text", "{}": "dict"}
        fits = [code for code, kind in kinds.items() if reads_last(module, function, name, line, kind, MOST_STEPS)]
        found.append(fits[0] if name and fits else "None")
    return f"({', '.join(found)})"


def _lasts(module: Module, node: cst.BaseExpression, kind: str, steps: int) -> bool:
    around = module.parent(node)
    if isinstance(around, cst.Attribute):
        return _has(kind, around.attr.value) and _stays(module, around, kind, steps)
    if isinstance(around, cst.Subscript):
        return around.value is not node or (
            kind in ("text", "tuple") and all(isinstance(one.slice, cst.Slice) for one in around.slice)
        )
    if isinstance(around, cst.Call):
        return around.func is not node
    if isinstance(around, cst.For | cst.CompFor):
        return around.iter is not node or kind not in ("None", "number")
    if isinstance(around, cst.Await | cst.Raise | cst.From | cst.WithItem):
        return False
    if isinstance(around, cst.Comparison):
        return _compares(around.comparisons[0], around.comparisons[0].comparator, kind, first=True)
    if isinstance(around, cst.ComparisonTarget):
        whole = module.parent(around)
        left = whole.left if isinstance(whole, cst.Comparison) else node
        return not isinstance(whole, cst.Comparison) or _compares(around, left, kind, first=False)
    if isinstance(around, cst.BinaryOperation):
        return _adds(module, around, node, kind)
    if isinstance(around, cst.UnaryOperation):
        return isinstance(around.operator, cst.Not) or kind == "number"
    if isinstance(around, cst.BooleanOperation):
        if around.left is node and isinstance(around.operator, cst.Or):
            return True
        return _lasts(module, around, kind, steps)
    if isinstance(around, cst.IfExp):
        return around.test is node or _lasts(module, around, kind, steps)
    if isinstance(around, cst.FormattedStringExpression):
        return around.format_spec is None or kind == "number"
    if isinstance(around, cst.AugAssign):
        return around.value is not node or _adds(module, around, node, kind)
    if isinstance(around, cst.Element):
        return _is_walked_on(module, around, kind, steps)
    if isinstance(around, cst.Arg):
        return _is_taken(module, around, kind, steps)
    if isinstance(around, cst.Assign):
        return all(_stays_bound(module, around, one.target, kind, steps) for one in around.targets)
    if isinstance(around, cst.AnnAssign | cst.NamedExpr):
        bound = _stays_bound(module, around, around.target, kind, steps)
        return bound and (isinstance(around, cst.AnnAssign) or _lasts(module, around, kind, steps))
    return True


def _has(kind: str, name: str) -> bool:
    if kind == "None":
        return False
    return name in _METHODS[kind]


def _stays(module: Module, use: cst.Attribute, kind: str, steps: int) -> bool:
    """Whether what a method of an empty value gives lasts: an empty text has an empty text's, a dict's `get` None."""
    call = module.parent(use)
    if not (isinstance(call, cst.Call) and call.func is use):
        return False
    name = use.attr.value
    if kind == "bytes" and any(isinstance(one.value, cst.SimpleString) and _is_text(one.value) for one in call.args):
        return False
    if kind == "text" and (part := _first_part(module, call, name)) is not None:
        return _lasts(module, part, kind, steps)
    if kind == "text":
        given = "number" if name in ("find", "count", "index") or name.startswith(("is", "starts", "ends")) else "text"
        return _lasts(module, call, "tuple" if "split" in name or "partition" in name else given, steps)
    if kind == "dict" and name in ("get", "pop"):
        return _lasts(module, call, "None", steps) if len(call.args) < 2 else True
    return name not in ("pop", "index", "popitem")


def _first_part(module: Module, call: cst.Call, name: str) -> cst.Subscript | None:
    """`x.split("/")[0]`, `x.partition("=")[2]`: of an empty text there is such a part, an empty one; None elsewhere."""
    around = module.parent(call)
    if not isinstance(around, cst.Subscript) or around.value is not call or not call.args:
        return None
    place = module.code(around)[len(module.code(call)) :]
    fits = ("[0]", "[-1]", "[1]", "[2]") if name in ("partition", "rpartition") else ("[0]", "[-1]")
    return around if name in ("split", "rsplit", "partition", "rpartition") and place in fits else None


def _compares(target: cst.ComparisonTarget, other: cst.BaseExpression, kind: str, *, first: bool) -> bool:
    sign = target.operator
    if isinstance(sign, cst.In | cst.NotIn):
        return kind not in ("None", "number") if not first else kind != "None" or not _is_text(other)
    if isinstance(sign, cst.LessThan | cst.LessThanEqual | cst.GreaterThan | cst.GreaterThanEqual):
        if isinstance(other, cst.Tuple | cst.List):
            return kind == "tuple" and isinstance(other, cst.Tuple)
        return kind == ("text" if _is_text(other) else "number")
    return True


def _adds(module: Module, whole: cst.BinaryOperation | cst.AugAssign, node: cst.CSTNode, kind: str) -> bool:
    if isinstance(whole, cst.AugAssign):
        other: cst.CSTNode = whole.target
    else:
        other = whole.right if whole.left is node else whole.left
    if isinstance(whole.operator, cst.Modulo) and _is_text(other):
        return kind != "tuple" and other is not node and getattr(whole, "right", None) is node
    divides = cst.Divide | cst.FloorDivide | cst.Modulo | cst.DivideAssign | cst.FloorDivideAssign | cst.ModuloAssign
    if isinstance(whole.operator, divides) and getattr(whole, "left", whole) is not node:
        return False
    if isinstance(other, cst.SimpleString) and "b" in other.prefix:
        return kind == "bytes" and isinstance(whole.operator, cst.Add | cst.AddAssign)
    if isinstance(whole.operator, cst.Add | cst.AddAssign) and adds_text(module, node):
        return kind == "text"
    if isinstance(other, cst.List | cst.ListComp | cst.Tuple):
        return kind == "number" and isinstance(whole.operator, cst.Multiply) and isinstance(whole, cst.BinaryOperation)
    names = f"{module.code(node)} {module.code(other)}"
    if isinstance(whole.operator, cst.Add | cst.AddAssign) and _OF_TEXTS.search(names):
        return kind == "text"
    return kind == "number"


def adds_text(module: Module, node: cst.CSTNode) -> bool:
    """Whether the sum that a node is a term of has a text among its terms."""
    around = module.parent(node)
    while isinstance(around, cst.BinaryOperation) and isinstance(around.operator, cst.Add):
        node, around = around, module.parent(around)
    return _has_text(module, node)


def _has_text(module: Module, node: cst.CSTNode) -> bool:
    if isinstance(node, cst.BinaryOperation):
        return _has_text(module, node.left) or _has_text(module, node.right)
    if isinstance(node, cst.Call):
        name = module.code(node.func)
        return name in ("str", "repr") or name.endswith((".join", ".format"))
    return _is_text(node)


def _is_text(node: cst.CSTNode) -> bool:
    if isinstance(node, cst.SimpleString):
        return "b" not in node.prefix
    return isinstance(node, cst.FormattedString | cst.ConcatenatedString)


def _is_taken(module: Module, arg: cst.Arg, kind: str, steps: int) -> bool:
    """Whether a call takes an empty value: what is known of Python's own functions, and of those of the file."""
    call = module.parent(arg)
    if not isinstance(call, cst.Call):
        return True
    if arg.star:
        return kind == ("tuple" if arg.star == "*" else "dict")
    name = "".join(module.code(call.func).split())
    if _WALKING.match(name) and arg.keyword is None:
        if name in ("max", "min"):
            return kind == "number" and len(call.args) > 1
        if name in ("map", "filter") and arg is call.args[0]:
            return kind == "None" and name == "filter"
        return kind in ("text", "tuple", "dict")
    if _COUNTING.match(name):
        return kind == "number"
    if _READING.match(name) and arg.keyword is None:
        return kind == "text" and name.startswith(("re.", "os.path.", "Path"))
    if name == "isinstance":
        return arg is call.args[0]
    if kind == "None" and arg.keyword is None and _is_of_python(module, name):
        return False
    return steps < 1 or _is_taken_by(module, call, arg, kind, steps)


def _is_of_python(module: Module, name: str) -> bool:
    """Whether a function is one of Python's own modules, which has no use for None: most have none."""
    first, _, rest = name.partition(".")
    whole = module.imported.get(first, "")
    top = whole.partition(".")[0]
    called = (rest or whole).rpartition(".")[2]
    if top not in sys.stdlib_module_names or top in _TAKING_NONE or not (rest or "." in whole):
        return False
    return not called[:1].isupper()


def _is_taken_by(module: Module, call: cst.Call, arg: cst.Arg, kind: str, steps: int) -> bool:
    """Whether the one function of the file that a call calls does nothing with a parameter that fails on the value."""
    own = module.code(call.func).rpartition(".")
    named = [one for one in module.nodes(cst.FunctionDef) if one.name.value == own[2]]
    if len(named) != 1 or own[0] not in ("", "self", "cls"):
        return True
    function = named[0]
    every = (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)
    for parameter in every:
        if argument_for(call, function, parameter.name.value, module) is arg.value:
            return reads_last(module, function, parameter.name.value, 0, kind, steps - 1)
    return True


def _is_walked_on(module: Module, element: cst.Element, kind: str, steps: int) -> bool:
    """`for part in [a.b, c]`: what is done with the name that each of them gets."""
    display = module.parent(element)
    loop = module.parent(display) if isinstance(display, cst.List | cst.Tuple | cst.Set) else None
    function = module.function(element)
    if not isinstance(loop, cst.For) or loop.iter is not display or function is None or steps < 1:
        return True
    if not isinstance(loop.target, cst.Name):
        return False
    return reads_last(module, function, loop.target.value, module.position(display).end.line, kind, steps - 1)


def _stays_bound(module: Module, change: cst.CSTNode, target: cst.BaseExpression, kind: str, steps: int) -> bool:
    if isinstance(target, cst.Tuple | cst.List):
        return False
    function = module.function(change)
    if isinstance(target, cst.Attribute) and steps > 0:
        return _stays_in_object(module, change, target, kind, steps - 1)
    if not isinstance(target, cst.Name) or function is None or steps < 1:
        return True
    return reads_last(module, function, target.value, module.position(change).end.line, kind, steps - 1)


def _stays_in_object(module: Module, change: cst.CSTNode, target: cst.Attribute, kind: str, steps: int) -> bool:
    """Whether what a class does with a field of its own, which `__init__` gives a value, does not fail on it."""
    own, function = module.nearest(change, cst.ClassDef), module.function(change)
    code = module.code(target)
    if own is None or function is None or function.name.value != "__init__" or code != f"self.{target.attr.value}":
        return True
    for one in module.nodes(cst.Attribute, within=own):
        if module.code(one) != code or isinstance(module.parent(one), cst.AssignTarget | cst.Del):
            continue
        if not _lasts(module, one, kind, steps) and not is_guarded(module, one, code):
            return False
    return True


def reads_last(
    module: Module, function: cst.FunctionDef, name: str, line: int, kind: str, steps: int = MOST_STEPS
) -> bool:
    """Whether the reads of a name behind a line, up to where it is bound anew, do not fail on the value."""
    bound = [
        module.position(one).start.line
        for one in intent.own_nodes(function.body, cst.AssignTarget)
        if isinstance(one.target, cst.Name) and one.target.value == name and module.position(one).start.line > line
    ]
    end = min(bound, default=10**9)
    for one in intent.own_nodes(function.body, cst.Name):
        if one.value != name or not line < module.position(one).start.line <= end:
            continue
        around = module.parent(one)
        if isinstance(around, cst.AssignTarget | cst.AsName | cst.Param | cst.NameItem):
            continue
        if isinstance(around, cst.Attribute | cst.Arg) and around.value is not one:
            continue
        if not _lasts(module, one, kind, steps) and not is_guarded(module, one, name):
            return False
    return True
