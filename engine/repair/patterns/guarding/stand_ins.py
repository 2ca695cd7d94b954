"""An empty value that can stand in for what is not there, told from everything that is done with it afterwards.

Put where the value comes from, it serves all uses at once. Pure functions over a parsed file, but for `at_producer`,
which notes the change in the module it is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import libcst as cst

from engine.repair.patterns.guarding import checks, guards
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.placing import parse_statements
from engine.repair.patterns.source.producers import bound_to

OF_TEXT = frozenset(
    (
        *("lower", "upper", "strip", "lstrip", "rstrip", "title", "casefold", "capitalize", "replace", "format"),
        *("startswith", "endswith", "encode", "splitlines", "split", "rsplit", "partition", "rpartition", "join"),
        *("find", "rfind", "count", "isdigit", "removeprefix", "removesuffix"),
    )
)
MAKING_TEXT = frozenset(
    ("lower", "upper", "strip", "lstrip", "rstrip", "title", "casefold", "capitalize", "replace", "removeprefix")
)
_METHODS = {
    "[]": frozenset(("append", "extend", "insert", "sort", "reverse", "copy", "count")),
    "{}": frozenset(("get", "items", "keys", "values", "setdefault", "update", "copy", "pop")),
    '""': OF_TEXT,
    "set()": frozenset(("add", "discard", "union", "difference", "intersection", "update", "copy")),
}
_OF_ARRAYS = frozenset(("numpy", "torch", "pandas", "tensorflow", "jax", "cv2", "cupy", "xarray", "polars"))
_WALKING = frozenset(
    (
        *("len", "list", "tuple", "set", "sorted", "sum", "any", "all"),
        *("enumerate", "zip", "reversed", "map", "filter"),
    )
)


def instead(module: Module, code: str, empty: str) -> str:
    """The source of what is there, or else of an empty value: where a file works with arrays, which are neither true
    nor false, None itself is asked for."""
    is_array = empty not in ("{}", '""', "''") and "(" not in code
    if (
        is_array
        and guards.is_repeatable(code)
        and not _OF_ARRAYS.isdisjoint(one.partition(".")[0] for one in module.imported.values())
    ):
        return f"{code} if {code} is not None else {empty}"
    return f"{code} or {empty}"


def at_producer(module: Module, subject: cst.BaseExpression) -> str | None:
    """Let an empty value stand in for None where a name gets it: at the head of the function for a parameter that is
    None by default, behind the one expression that it is bound to otherwise. The value, or None where none fits all of
    at least two uses that fail, or where the code asks for None itself."""
    function = module.function(subject)
    if not isinstance(subject, cst.Name) or function is None or not isinstance(function.body, cst.IndentedBlock):
        return None
    name = subject.value
    reads = [one for one in intent.own_nodes(function.body, cst.Name) if one.value == name and is_read(module, one)]
    failing = [one for one in reads if _fails(module, one) and not checks.is_guarded(module, one, name)]
    if len(failing) < 2 or any(_is_asked(module, one) for one in reads):
        return None
    empty = empty_for(module, failing)
    bound = _bindings(module, function, name)
    parameter = next((one for one in module.nodes(cst.Param, within=function.params) if one.name.value == name), None)
    if empty is None:
        return None
    if parameter is not None:
        is_none = parameter.default is None or module.code(parameter.default) == "None"
        if bound or not is_none:
            return None
        _at_head(module, function, f"if {name} is None:\n    {name} = {empty}\n")
        return empty
    if len(bound) != 1 or not isinstance(bound[0], cst.Assign) or len(bound[0].targets) != 1 or empty == '""':
        return None
    change = bound[0]
    if not isinstance(change.targets[0].target, cst.Name) or not isinstance(change.value, cst.Call | cst.Subscript):
        return None
    if not _OF_ARRAYS.isdisjoint(one.partition(".")[0] for one in module.imported.values()):
        line = module.nearest(change, cst.SimpleStatementLine)
        if line is None or len(line.body) != 1:
            return None
        guards.after(module, line, f"if {name} is None:\n    {name} = {empty}\n")
        return empty
    module.replace(change.value, cst.BooleanOperation(change.value, cst.Or(), guards.expression(empty)))
    return empty


def default_given(module: Module, subject: cst.BaseExpression) -> str | None:
    """Let the default that a name is looked up with serve for None as well: `x = y.get("k", 0)`, where the key is there
    and None stands under it. The default, as source; None where there is none."""
    value = bound_to(module, subject) if isinstance(subject, cst.Name) else subject
    call = value
    while isinstance(call, cst.Call) and len(call.args) == 1 and isinstance(call.args[0].value, cst.Call):
        call = call.args[0].value
    if not (isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and call.func.attr.value == "get"):
        return None
    if value is None or len(call.args) != 2 or any(one.star or one.keyword for one in call.args):
        return None
    given = module.code(call.args[1].value)
    if not re.fullmatch(r"-?\d[\d.]*|\[\]|\{\}|\(\)|(['\"])[^'\"\\]*\1", given):
        return None
    made = guards.expression(f"({module.code(value)} or {given})")
    bare = isinstance(module.parent(value), cst.Assign | cst.Arg | cst.For)
    module.replace(value, made.with_changes(lpar=[], rpar=[]) if bare else made)
    return given


def parts_of_record(module: Module, use: cst.Attribute) -> bool:
    """Let an empty text stand in for a part of data that is None, and for those beside it that are read just so, where
    a record is put together of them: `{"city": row["city"].strip(), ...}`. Whether it is such a record."""
    whole = _record_around(module, use)
    if whole is None or use.attr.value not in MAKING_TEXT:
        return False
    for one in module.nodes(cst.Attribute, within=whole):
        call, value = module.parent(one), one.value
        is_read_so = isinstance(call, cst.Call) and call.func is one and one.attr.value == use.attr.value
        if not is_read_so or not isinstance(value, cst.Subscript) or not re.search(r"\[['\"]", module.code(value)):
            continue
        if not checks.is_guarded(module, one, module.code(value)):
            module.replace(value, guards.expression(f"({module.code(value)} or {module.quote * 2})"))
    return True


def _record_around(module: Module, use: cst.Attribute) -> cst.CSTNode | None:
    """The dict that is written out, or the call by keywords, of which a part of data is one of several values."""
    if not isinstance(use.value, cst.Subscript) or not re.search(r"\[['\"]", module.code(use.value)):
        return None
    if checks.is_guarded(module, use, module.code(use.value)) or not guards.is_repeatable(module.code(use.value)):
        return None
    node: cst.CSTNode = use
    for around in module.ancestors(use):
        is_part = isinstance(around, cst.DictElement) or (isinstance(around, cst.Arg) and around.keyword is not None)
        if is_part and getattr(around, "value", None) is node:
            holder = module.parent(around)
            parts = holder.elements if isinstance(holder, cst.Dict) else getattr(holder, "args", ())
            return holder if len(parts) > 1 else None
        if not isinstance(around, cst.Attribute | cst.Call) or (
            isinstance(around, cst.Call) and around.func is not node
        ):
            return None
        node = around
    return None


def made_for_more(module: Module, subject: cst.BaseExpression) -> tuple[cst.BaseExpression, Sequence[cst.Name]] | None:
    """What a name is bound to in the same block, and the reads of it behind that fail, where they are more than one."""
    around = (one for one in module.ancestors(subject) if isinstance(module.parent(one), cst.IndentedBlock))
    line = next(around, None)
    block = module.parent(line) if line is not None else None
    function = module.function(subject)
    if (
        not isinstance(subject, cst.Name)
        or not isinstance(block, cst.IndentedBlock)
        or function is None
        or line is None
    ):
        return None
    body: list[cst.CSTNode] = list(block.body)
    for one in reversed(body[: body.index(line)]):
        small = one.body[0] if isinstance(one, cst.SimpleStatementLine) and len(one.body) == 1 else None
        names = [module.code(each.target) for each in small.targets] if isinstance(small, cst.Assign) else []
        if names == [subject.value] and isinstance(small, cst.Assign):
            start = module.position(small).start.line
            reads = [each for each in intent.own_nodes(function.body, cst.Name) if each.value == subject.value]
            later = [each for each in reads if module.position(each).start.line > start and is_read(module, each)]
            fails = [each for each in later if _fails(module, each) and not checks.is_guarded(module, each, each.value)]
            is_shared = len(fails) > 1 and not any(_is_asked(module, each) for each in later)
            return (small.value, fails) if is_shared else None
        if subject.value in module.code(one):
            return None
    return None


def empty_for(module: Module, reads: Sequence[cst.Name]) -> str | None:
    """The empty value with which every one of these reads works; None where there is none, or nothing tells."""
    fitting, told = list(_METHODS), False
    for one in reads:
        around = module.parent(one)
        if isinstance(around, cst.Subscript) and _is_in_its_own_loop(module, one):
            fitting = [kind for kind in fitting if kind in ("[]", "{}")]  # nothing is walked through
            continue
        if isinstance(around, cst.Attribute):
            call = module.parent(around)
            if not (isinstance(call, cst.Call) and call.func is around):
                return None
            fitting = [kind for kind in fitting if around.attr.value in _METHODS[kind]]
            if around.attr.value in ("split", "rsplit") and call.args:
                fitting = [kind for kind in fitting if kind != '""']  # an empty text has one part, an empty one
            told = True
        elif isinstance(around, cst.Subscript):
            sliced = all(isinstance(part.slice, cst.Slice) for part in around.slice)
            stored = isinstance(module.parent(around), cst.AssignTarget)
            if not sliced and not stored:
                return None
            fitting = [kind for kind in fitting if kind == "{}" or sliced]
            fitting = [kind for kind in fitting if kind != "{}" or stored]
        elif isinstance(around, cst.For | cst.CompFor):
            told = True
        elif not is_walked(module, one):
            return None
    return fitting[0] if fitting and (told or len(fitting) == 1) else None


def _is_in_its_own_loop(module: Module, one: cst.Name) -> bool:
    """`for key in table: table[key]`"""
    loops = [each for each in module.ancestors(one) if isinstance(each, cst.For)]
    return any(re.fullmatch(rf"{re.escape(one.value)}(?:\.\w+\(\))?", module.code(each.iter)) for each in loops)


def later_reads(module: Module, change: cst.Assign) -> list[cst.Name] | None:
    """What reads the one name that is bound here, behind it in the function; None where it is bound anew."""
    target = change.targets[0].target
    function = module.function(change)
    if len(change.targets) != 1 or not isinstance(target, cst.Name) or function is None:
        return None
    if len(_bindings(module, function, target.value)) != 1:
        return None
    line = module.position(change).start.line
    every = [one for one in module.nodes(cst.Name, within=function.body) if one.value == target.value]
    return [one for one in every if module.position(one).start.line > line and is_read(module, one)]


def is_shown(module: Module, one: cst.Name) -> bool:
    """Whether a read works with any empty value: it is put into a display, formatted, tested, or given by keyword."""
    around = module.parent(one)
    if isinstance(around, cst.DictElement | cst.Element):
        return around.value is one
    if isinstance(around, cst.Arg):
        return around.keyword is not None
    tested = isinstance(around, cst.If | cst.BooleanOperation | cst.UnaryOperation | cst.IfExp)
    return tested or isinstance(around, cst.FormattedStringExpression | cst.Return)


def _at_head(module: Module, function: cst.FunctionDef, source: str) -> None:
    """Put statements at the head of a function, behind its docstring."""
    body = list(function.body.body)
    first = body[0]
    if function.get_docstring() is not None and isinstance(first, cst.SimpleStatementLine):
        module.insert_after(first, source)
        return
    if isinstance(first, cst.SimpleStatementLine | cst.BaseCompoundStatement):
        made = parse_statements(source, module.tree)
        lead = first.leading_lines
        blank = next((number for number, one in enumerate(lead) if one.comment is not None), len(lead))
        kept = first.with_changes(leading_lines=lead[blank:])
        head = made[0].with_changes(leading_lines=lead[:blank])
        module.replace(first, cst.FlattenSentinel([head, *made[1:], kept]))


def _bindings(module: Module, function: cst.FunctionDef, name: str) -> list[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    for one in _binders(module, function):
        targets = one.targets if isinstance(one, cst.Assign) else [one]
        for target in targets:
            node = getattr(target, "target", None) or getattr(target, "name", None)
            if node is not None and any(each.value == name for each in module.nodes(cst.Name, within=node)):
                found.append(one)
                break
    return found


def _binders(module: Module, function: cst.FunctionDef) -> Iterator[cst.CSTNode]:
    for kind in (cst.Assign, cst.AnnAssign, cst.AugAssign, cst.NamedExpr, cst.For, cst.CompFor, cst.AsName):
        yield from module.nodes(kind, within=function.body)


def is_read(module: Module, one: cst.Name) -> bool:
    around = module.parent(one)
    if isinstance(around, cst.Attribute):
        return around.value is one
    if isinstance(around, cst.Arg):
        return around.value is one
    if isinstance(around, cst.AssignTarget | cst.AsName | cst.Param | cst.Global | cst.NameItem):
        return False
    return not (isinstance(around, cst.AnnAssign | cst.NamedExpr | cst.For | cst.CompFor) and around.target is one)


def _fails(module: Module, one: cst.Name) -> bool:
    """Whether a read fails on None."""
    around = module.parent(one)
    if isinstance(around, cst.Attribute | cst.Subscript):
        return around.value is one
    return (isinstance(around, cst.For | cst.CompFor) and around.iter is one) or is_walked(module, one)


def is_walked(module: Module, one: cst.Name) -> bool:
    """Whether a read goes through the elements, counts them, or looks for one."""
    around = module.parent(one)
    if isinstance(around, cst.ComparisonTarget):
        return isinstance(around.operator, cst.In | cst.NotIn)
    call = module.parent(around) if isinstance(around, cst.Arg) else None
    if isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute) and len(call.args) == 1:
        return call.func.attr.value in ("update", "extend", "join", "writelines", "union", "difference", "issubset")
    return isinstance(call, cst.Call) and module.code(call.func) in _WALKING


def _is_asked(module: Module, one: cst.Name) -> bool:
    """Whether the code looks itself whether there is something."""
    around = module.parent(one)
    if isinstance(around, cst.If | cst.While | cst.IfExp | cst.CompIf):
        return around.test is one
    if isinstance(around, cst.Comparison):
        return around.left is one and "None" in module.code(around)
    return isinstance(around, cst.BooleanOperation | cst.UnaryOperation)
