"""What a value was where the code read it as something else, and the access that fits it.

Relies on names, loops and bindings in the file. The access that worked goes on working: where both shapes occur, the
edit tells them apart by type.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns import guards, intent, members
from engine.repair.patterns.edit import Module, first_changed_line
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.producers import bound_to
from engine.repair.patterns.subscripts import constant, index_of

_TEXT_FROM = re.compile(
    r"(?:\.read\(\)|\.read_text\(.*\)|\.read_bytes\(\)|\.text|\.content|json\.dumps\(.*\)|\.decode\(.*\)|\.recv\(.*\)|\.body|input\(.*\))\Z",
    re.S,
)
_LAZY = re.compile(
    r"(?:odict|dict)_(?:keys|values|items)|map|filter|zip|generator|set|frozenset|enumerate|reversed|\w*iterator|islice|chain\Z"
)
_CALLABLE = (
    "method",
    "function",
    "builtin_function_or_method",
    "method-wrapper",
    "functools.partial",
    "method_descriptor",
)
_PLURAL = re.compile(r"(?:s|list|data|children|entries|rows)\Z")
_ITERATING = ("len", "sorted", "list", "tuple", "set", "enumerate", "sum", "any", "all", "max", "min", "reversed")


def _decline(reason: str) -> Declined:
    return Declined("type-mismatch", reason)


def _finish(module: Module, operator: str, why: str) -> Proposal:
    edit = module.edit()
    return Proposal("type-mismatch", operator, (edit,), first_changed_line(edit), "review", why)


# -- an index of the wrong type ----------------------------------------------------------------------------------------


def wrong_index(case: Case, module: Module, every: Sequence[cst.Subscript], kind: str, was: str) -> Proposal | Declined:
    """`list indices must be integers`, `string indices must be integers`."""
    usable = [one for one in every if index_of(one) is not None or was == "tuple"]
    texts = [one for one in usable if (index := index_of(one)) is not None and isinstance(constant(index), str)]
    names = [one for one in usable if (index := index_of(one)) is not None and constant(index) is ...]
    if kind in ("string", "str", "byte", "bytearray"):
        chosen = texts or names
        return _text(case, module, chosen[0]) if chosen else _decline("no key is read from text on this line")
    if was == "tuple":
        several = [one for one in usable if len(one.slice) > 1]
        return _grid(module, several[0]) if several else _decline("a tuple as an index: what was meant cannot be seen")
    if was == "NoneType":
        return _decline("the index itself was None: nothing here says which element was meant")
    for one in names:
        if _is_loop_over(module, one):
            module.replace(one, _index(one).with_changes(lpar=one.lpar, rpar=one.rpar))
            return _finish(module, "element", "The loop gives the elements themselves, not their places.")
    if was == "float":
        return _whole_number(module, names)
    if was == "str" and texts:
        for one in texts:
            if not _is_told(module, one.value):
                return _list_for_dict(module, one)
        return _decline("the type is asked for already")
    if was == "str" and names:
        one = names[0]
        index = module.code(_index(one))
        if index.startswith(("int(", "'", '"')):
            return _decline("the index is a number already")
        module.replace(_index(one), guards.expression(f"int({index})"))
        return _finish(module, "int", f"{module.code(one.value)} is a list: its place came as text.")
    if was == "list" and names:
        one = names[0]
        base, index = module.code(one.value), module.code(_index(one))
        name = guards.fresh(module, one, "place", "index")
        module.replace(one, guards.expression(f"[{base}[{name}] for {name} in {index}]"))
        return _finish(module, "each", "Several places are read, one after another.")
    return _decline(f"a {was} as an index: what was meant cannot be seen")


def _index(one: cst.Subscript) -> cst.BaseExpression:
    index = index_of(one)
    assert index is not None
    return index


def _is_told(module: Module, value: cst.BaseExpression) -> bool:
    """Whether an `isinstance` of the value decides already how it is read."""
    code = module.code(value)
    if re.match(r"\(?.* if isinstance\(", code):
        return True
    return any(
        guards.is_guarded(module, value, f"isinstance({code}, {kind})")
        for kind in ("dict", "list", "str", "(list, tuple)", "bytes", "(str, bytes)", "tuple")
    )


def _is_loop_over(module: Module, one: cst.Subscript) -> bool:
    """`for x in items: items[x]`"""
    index = _index(one)
    if not isinstance(index, cst.Name):
        return False
    for around in module.ancestors(one):
        if isinstance(around, cst.For) and module.code(around.target) == index.value:
            return module.code(around.iter) == module.code(one.value)
        if isinstance(around, cst.BaseComp):
            at: cst.CompFor | None = around.for_in  # type: ignore[attr-defined]
            while at is not None:
                if module.code(at.target) == index.value:
                    return module.code(at.iter) == module.code(one.value)
                at = at.inner_for_in
    return False


def _grid(module: Module, one: cst.Subscript) -> Proposal | Declined:
    parts = [part.slice.value for part in one.slice if isinstance(part.slice, cst.Index)]
    if len(parts) != len(one.slice):
        return _decline("slices in several dimensions: lists have none")
    made: cst.BaseExpression = one.value
    for part in parts:
        made = cst.Subscript(made, [cst.SubscriptElement(cst.Index(part))])
    module.replace(one, made)
    return _finish(module, "nested-index", "It is a list of lists: one index for each.")


def _whole_number(module: Module, names: Sequence[cst.Subscript]) -> Proposal | Declined:
    for one in names:
        index = _index(one)
        source: cst.BaseExpression | None = bound_to(module, index) if isinstance(index, cst.Name) else index
        divisions = module.nodes(cst.BinaryOperation, within=source) if source is not None else []
        found = [division for division in divisions if isinstance(division.operator, cst.Divide)]
        if source is not None and any(isinstance(one.operator, cst.FloorDivide) for one in divisions):
            return _decline("the index is a whole number already")
        if source is not None and found and not module.code(source).startswith("int("):
            for division in found:
                old = division.operator
                assert isinstance(old, cst.Divide)
                new = cst.FloorDivide(old.whitespace_before, old.whitespace_after)
                module.replace(division, division.with_changes(operator=new))
                break
            return _finish(module, "floor-division", "A place in a list is a whole number.")
    if names:
        index = _index(names[0])
        code = module.code(index)
        if not code.startswith("int("):
            module.replace(index, guards.expression(f"int({code})"))
            return _finish(module, "int", "A place in a list is a whole number.")
    return _decline("the index is a whole number already")


def _list_for_dict(module: Module, one: cst.Subscript) -> Proposal | Declined:
    """A list where a dict was expected: it is the wanted list itself, or holds the dict."""
    base, key = module.code(one.value), str(constant(_index(one)))
    if not guards.is_repeatable(base):
        return _decline("the data come from a call here: their shape cannot be asked for in place")
    if isinstance(module.parent(one), cst.AssignTarget | cst.AugAssign):
        return _decline("a list has no keys to set: what was meant cannot be seen")
    function = module.function(one)
    name = function.name.value if function else ""
    quoted = module.code(_index(one))
    element = guards.fresh(module, one, "item", "entry", "element")
    if re.search(rf"(?:^|_){re.escape(key)}(?:e?s)\Z", name) and isinstance(module.parent(one), cst.Return):
        made = f"[{element}[{quoted}] for {element} in {base}] if isinstance({base}, list) else {base}[{quoted}]"
        module.replace(one, guards.expression(made))
        return _finish(module, "each", f"{base} is a list: {quoted} is read from each of its elements.")
    if _is_iterated(module, one, key):
        made = guards.conditional(module, one, f"not isinstance({base}, list)", base)
        module.replace(one, made)
        return _finish(module, "either-shape", f"{base} is sometimes the list itself, without a dict around it.")
    inner = guards.expression(f"({base}[0] if isinstance({base}, list) else {base})")
    module.replace(one.value, inner)
    return _finish(module, "first-of-list", f"{base} is sometimes a list that holds the dict.")


def _is_iterated(module: Module, one: cst.Subscript, key: str) -> bool:
    around = module.parent(one)
    if isinstance(around, cst.For | cst.CompFor):
        return True
    if isinstance(around, cst.Arg):
        call = module.parent(around)
        return isinstance(call, cst.Call) and module.code(call.func) in _ITERATING
    if isinstance(around, cst.Assign) and isinstance(around.targets[0].target, cst.Name):
        name = around.targets[0].target.value
        scope = module.function(one) or module.tree
        if any(
            module.code(loop.iter) == name
            for loop in (*module.nodes(cst.For, within=scope), *module.nodes(cst.CompFor, within=scope))
        ):
            return True
    return bool(_PLURAL.search(key)) and isinstance(around, cst.Return | cst.Assign)


def _text(case: Case, module: Module, one: cst.Subscript) -> Proposal | Declined:
    """A key read from text: the keys of a dict that was looped over, or JSON that was never parsed."""
    base = one.value
    code = module.code(base)
    if _is_told(module, base):
        return _decline("the type is asked for already")
    loop = _loop_of(module, base) if isinstance(base, cst.Name) else None
    if loop is not None:
        return _looped(case, module, one, loop)
    value = bound_to(module, base) if isinstance(base, cst.Name) else base
    if value is not None and re.match(r"(?:json\.)?loads?\(|.*\.json\(\)", module.code(value)):
        return _decline(f"{code} is parsed already: what it held was no dict")
    if value is not None and _TEXT_FROM.search(module.code(value)):
        call = module.name_of_import("json", "loads") if _has_from(module) else f"{module.name_of_import('json')}.loads"
        module.replace(value, cst.Call(guards.expression(call), [cst.Arg(value.with_changes(lpar=(), rpar=()))]))
        return _finish(module, "parse-json", f"{code} is JSON text: it is parsed before it is read.")
    if value is not None and isinstance(base, cst.Name):
        return _decline(f"{code} is text, and nothing here says what it should have been")
    if not guards.is_repeatable(code):
        return _decline("the data come from a call here: their shape cannot be asked for in place")
    if isinstance(base, cst.Name):  # an argument: JSON text or the data
        loads = f"{module.name_of_import('json')}.loads"
        module.replace(base, guards.expression(f"({loads}({code}) if isinstance({code}, (str, bytes)) else {code})"))
        return _finish(module, "parse-json", f"{code} comes as JSON text, too: it is parsed then.")
    module.replace(one, guards.conditional(module, one, f"isinstance({code}, dict)", code))
    return _finish(module, "either-shape", f"{code} is sometimes the plain text itself.")


def _has_from(module: Module) -> bool:
    return bool(re.search(r"^from json import .*\bloads\b", module.tree.code, re.M))


def _loop_of(module: Module, name: cst.Name) -> cst.For | cst.CompFor | None:
    """The loop that binds a name."""
    for around in module.ancestors(name):
        if isinstance(around, cst.For) and module.code(around.target) == name.value:
            return around
        if isinstance(around, cst.BaseComp):
            at: cst.CompFor | None = around.for_in  # type: ignore[attr-defined]
            while at is not None:
                if module.code(at.target) == name.value:
                    return at
                at = at.inner_for_in
        if isinstance(around, cst.FunctionDef):
            return None
    return None


def _looped(case: Case, module: Module, one: cst.Subscript, loop: cst.For | cst.CompFor) -> Proposal | Declined:
    source = loop.iter
    code, name = module.code(source), module.code(one.value)
    value = bound_to(module, source) if isinstance(source, cst.Name) else source
    if value is not None and _TEXT_FROM.search(module.code(value)) and "loads(" not in module.code(value):
        loads = f"{module.name_of_import('json')}.loads"
        module.replace(value, cst.Call(guards.expression(loads), [cst.Arg(value)]))
        return _finish(module, "parse-json", f"{code} is JSON text: it is parsed before it is read.")
    if _shape_given(case, module, one, code) == "list":
        if isinstance(module.parent(one), cst.AssignTarget):
            return _decline("text has no keys to set")
        quoted = module.code(_index(one))
        for other in module.nodes(cst.Subscript, within=loop if isinstance(loop, cst.For) else None):
            if module.code(other) == f"{name}[{quoted}]" and module.function(other) is module.function(one):
                module.replace(other, guards.conditional(module, other, f"isinstance({name}, dict)", name))
        return _finish(module, "either-shape", f"{name} is sometimes the plain text itself.")
    if code.endswith((".keys()",)):
        call = source
        assert isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute)
        module.replace(call, call.with_changes(func=call.func.with_changes(attr=cst.Name("values"))))
        return _finish(module, "values", "The loop gave the keys of a dict; its values are what is read.")
    if code.endswith(".values()") or "isinstance(" in code:
        return _decline("the loop gives values already")
    if isinstance(value, cst.Dict) or not guards.is_repeatable(code):
        made = guards.expression(f"{code}.values()")
    else:
        made = guards.expression(f"{code}.values() if isinstance({code}, dict) else {code}")
        if isinstance(loop, cst.CompFor):
            made = made.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    module.replace(source, made)
    return _finish(module, "values", f"{code} is a dict: its values are what is read, not its keys.")


def _shape_given(case: Case, module: Module, one: cst.Subscript, name: str) -> str:
    """What a caller, as its line stands in the record, gave for the data: 'list', 'dict' or ''."""
    function = module.function(one)
    if function is None:
        return ""
    for tree in intent.callers(case, function.name.value):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == function.name.value:
                for arg in node.args:
                    if isinstance(arg, ast.List) and any(isinstance(e, ast.Constant) for e in arg.elts):
                        return "list"
                    if isinstance(arg, ast.Dict):
                        return "dict"
    return ""


# -- no subscripts at all ----------------------------------------------------------------------------------------------


def no_subscript(case: Case, module: Module, every: Sequence[cst.Subscript], kind: str) -> Proposal | Declined:
    """`'X' object is not subscriptable`."""
    usable = [one for one in every if index_of(one) is not None or len(one.slice) == 1]
    if kind in _CALLABLE:
        return _called(module, usable)
    if _LAZY.fullmatch(kind):
        return _as_list(module, usable, kind)
    if kind in ("int", "float", "bool", "complex"):
        return _number(module, usable, kind)
    if kind == "coroutine":
        return _awaited(module, usable)
    texts = [one for one in usable if (index := index_of(one)) is not None and isinstance(constant(index), str)]
    if (
        kind.endswith("Response")
        and texts
        and re.search(
            r"\.(?:get|post|put|patch|request)\(|response|resp\b|reply",
            module.code(texts[0].value) + str(_bound_code(module, texts[0])),
        )
    ):
        one = texts[0]
        module.replace(one.value, cst.Call(cst.Attribute(one.value, cst.Name("json")), []))
        return _finish(module, "parse-json", "A response is no data yet: its JSON is read.")
    return _field(case, module, texts, kind)


def _bound_code(module: Module, one: cst.Subscript) -> str:
    value = bound_to(module, one.value) if isinstance(one.value, cst.Name) else None
    return module.code(value) if value is not None else ""


def _called(module: Module, usable: Sequence[cst.Subscript]) -> Proposal | Declined:
    for one in usable:
        index = index_of(one)
        if index is None or not isinstance(one.value, cst.Attribute | cst.Name):
            continue
        if isinstance(one.value, cst.Attribute) and one.value.attr.value in ("keys", "values", "items"):
            called = cst.Call(cst.Name("list"), [cst.Arg(cst.Call(one.value, []))])
            module.replace(one, one.with_changes(value=called))
        elif isinstance(one.value, cst.Attribute) and one.value.attr.value in (
            "json",
            "read",
            "split",
            "readlines",
            "copy",
            "groups",
        ):
            module.replace(one.value, cst.Call(one.value, []))
        else:
            parts = index.elements if isinstance(index, cst.Tuple) and not index.lpar else None
            args = [cst.Arg(part.value) for part in parts] if parts else [cst.Arg(index)]
            module.replace(one, cst.Call(one.value, args, lpar=one.lpar, rpar=one.rpar))
        return _finish(module, "call", f"{module.code(one.value)} is called, not subscripted.")
    return _decline("what was to be called cannot be seen")


def _as_list(module: Module, usable: Sequence[cst.Subscript], kind: str) -> Proposal | Declined:
    calls = [one for one in usable if isinstance(one.value, cst.Call)]
    names = [one for one in usable if not isinstance(one.value, cst.Call)]
    for one in (*calls, *names):
        code = module.code(one.value)
        if code.startswith(("list(", "sorted(", "tuple(")):
            continue
        value = bound_to(module, one.value) if isinstance(one.value, cst.Name) else None
        if value is not None and module.code(value).startswith(("list(", "sorted(", "tuple(")):
            continue
        lazy = value if value is not None and not isinstance(value, cst.Name) and "set" not in kind else one.value
        module.replace(lazy, cst.Call(cst.Name("list"), [cst.Arg(lazy.with_changes(lpar=[], rpar=[]))]))
        return _finish(module, "list", f"A {kind} has no places: it is made a list first.")
    return _decline("it is a list already")


def _number(module: Module, usable: Sequence[cst.Subscript], kind: str) -> Proposal | Declined:
    for one in reversed(usable):
        code = module.code(one.value)
        if (
            not guards.is_repeatable(code)
            or _is_told(module, one.value)
            or isinstance(module.parent(one), cst.AssignTarget)
        ):
            continue
        index = index_of(one)
        wanted = "dict" if index is not None and isinstance(constant(index), str) else "(list, tuple)"
        if isinstance(module.parent(one), cst.AugAssign):
            continue
        module.replace(one, guards.conditional(module, one, f"isinstance({code}, {wanted})", code))
        return _finish(module, "either-shape", f"{code} is sometimes the plain {kind} itself.")
    return _decline(f"a {kind} has no elements, and nothing here says what was meant")


def _awaited(module: Module, usable: Sequence[cst.Subscript]) -> Proposal | Declined:
    for one in usable:
        function = module.function(one)
        if function is None or function.asynchronous is None:
            continue
        value = bound_to(module, one.value) if isinstance(one.value, cst.Name) else one.value
        if isinstance(value, cst.Call):
            inside = value is one.value
            lpar, rpar = ([cst.LeftParen()], [cst.RightParen()]) if inside else ([], [])
            module.replace(value, cst.Await(value, lpar=lpar, rpar=rpar))
            return _finish(module, "await", "The call gives a coroutine: it is awaited.")
    return _decline("a coroutine outside of asynchronous code cannot be awaited here")


def _field(case: Case, module: Module, texts: Sequence[cst.Subscript], kind: str) -> Proposal | Declined:
    own = kind.rpartition(".")[2]
    classes = list(members.classes_of(case, own, module))
    if any(
        member.name == "__getitem__"
        for found in classes
        for member in ast.walk(found)
        if isinstance(member, ast.FunctionDef)
    ):
        return _decline(f"{own} answers for its keys itself")
    known = members.members_of(case, own, classes, module) if classes else set()
    for one in texts:
        key = str(constant(_index(one)))
        if key.isidentifier() and (key in known or own in ("Namespace", "SimpleNamespace")):
            source = one.value
            for other in texts:
                other_key = str(constant(_index(other)))
                if module.code(other.value) == module.code(source) and other_key.isidentifier():
                    module.replace(
                        other, cst.Attribute(other.value, cst.Name(other_key), lpar=other.lpar, rpar=other.rpar)
                    )
            return _finish(module, "attribute", f"A {own} has '{key}' as an attribute, not as a key.")
    return _decline(f"a {own} cannot be subscripted, and nothing here says what was meant")
