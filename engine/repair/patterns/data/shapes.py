"""What a value was where the code read it as something else, and the access that fits it.

Relies on names, loops and bindings in the file. The access that worked goes on working: where both shapes occur, the
edit tells them apart by type.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.data import nothing
from engine.repair.patterns.data.mismatch import decline, finish, index_within, is_told
from engine.repair.patterns.guarding import absent, guards
from engine.repair.patterns.guarding.subscripts import absence_of, constant, index_of
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import intent
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.producers import bound_to, producer_of

_TEXT_FROM = re.compile(
    r"(?:\.read\(\)|\.read_text\(.*\)|\.read_bytes\(\)|\.text|\.content|json\.dumps\(.*\)|\.decode\(.*\)|\.recv\(.*\)|\.body|input\(.*\))\Z",
    re.S,
)
_TEXT_NAMED = re.compile(r"(?i)json|text|body|payload|raw|content|response|message|line|string|event|(?:^|_)data\Z")
_PLURAL = re.compile(r"(?:s|list|data|children|entries|rows)\Z")
_ITERATING = ("len", "sorted", "list", "tuple", "set", "enumerate", "sum", "any", "all", "max", "min", "reversed")


# -- an index of the wrong type ----------------------------------------------------------------------------------------


def wrong_index(case: Case, module: Module, every: Sequence[cst.Subscript], kind: str, was: str) -> Proposal | Declined:
    """`list indices must be integers`, `string indices must be integers`."""
    usable = [one for one in every if index_of(one) is not None or was == "tuple"]
    texts = [one for one in usable if (index := index_of(one)) is not None and isinstance(constant(index), str)]
    names = [one for one in usable if (index := index_of(one)) is not None and constant(index) is ...]
    if kind in ("string", "str", "byte", "bytearray"):
        chosen = texts or names
        return _text(case, module, chosen[0]) if chosen else decline("no key is read from text on this line")
    if was == "tuple":
        several = [one for one in usable if len(one.slice) > 1]
        return _grid(module, several[0]) if several else decline("a tuple as an index: what was meant cannot be seen")
    if was == "NoneType":
        places = [one for one in names if producer_of(module, index_within(one)).reason is None]
        if len(places) != 1 or producer_of(module, index_within(places[0])).kind == "parameter":
            return decline("the index itself was None: nothing here says which element was meant")
        line = module.position(places[0]).start.line
        return nothing.guarded(case, module, line, places[0], index_within(places[0]))
    for one in names:
        if _is_loop_over(module, one):
            module.replace(one, index_within(one).with_changes(lpar=one.lpar, rpar=one.rpar))
            return finish(module, "element", "The loop gives the elements themselves, not their places.")
    if was == "float":
        return _whole_number(module, names)
    if was == "str" and texts:
        for one in texts:
            if not is_told(module, one.value):
                return _list_for_dict(module, one)
        return decline("the type is asked for already")
    if was == "str" and names:
        one = names[0]
        place = module.code(index_within(one))
        if place.startswith(("int(", "'", '"')):
            return decline("the index is a number already")
        module.replace(index_within(one), guards.expression(f"int({place})"))
        return finish(module, "int", f"{module.code(one.value)} is a list: its place came as text.")
    if was == "list" and names:
        one = names[0]
        base, place = module.code(one.value), module.code(index_within(one))
        name = guards.fresh(module, "place", "index")
        module.replace(one, guards.expression(f"[{base}[{name}] for {name} in {place}]"))
        return finish(module, "each", "Several places are read, one after another.")
    return decline(f"a {was} as an index: what was meant cannot be seen")


def _is_loop_over(module: Module, one: cst.Subscript) -> bool:
    """`for x in items: items[x]`"""
    index = index_within(one)
    if not isinstance(index, cst.Name):
        return False
    for around in module.ancestors(one):
        if isinstance(around, cst.For) and module.code(around.target) == index.value:
            return module.code(around.iter) == module.code(one.value)
        if isinstance(around, cst.BaseComp):
            at: cst.CompFor | None = around.for_in
            while at is not None:
                if module.code(at.target) == index.value:
                    return module.code(at.iter) == module.code(one.value)
                at = at.inner_for_in
    return False


def _grid(module: Module, one: cst.Subscript) -> Proposal | Declined:
    parts = [part.slice.value for part in one.slice if isinstance(part.slice, cst.Index)]
    if len(parts) != len(one.slice):
        return decline("slices in several dimensions: lists have none")
    made: cst.BaseExpression = one.value
    for part in parts:
        made = cst.Subscript(made, [cst.SubscriptElement(cst.Index(part))])
    module.replace(one, made)
    return finish(module, "nested-index", "It is a list of lists: one index for each.")


def _whole_number(module: Module, names: Sequence[cst.Subscript]) -> Proposal | Declined:
    for one in names:
        index = index_within(one)
        source: cst.BaseExpression | None = bound_to(module, index) if isinstance(index, cst.Name) else index
        divisions = module.nodes(cst.BinaryOperation, within=source) if source is not None else []
        found = [division for division in divisions if isinstance(division.operator, cst.Divide)]
        if source is not None and any(isinstance(one.operator, cst.FloorDivide) for one in divisions):
            return decline("the index is a whole number already")
        if source is not None and found and not module.code(source).startswith("int("):
            for division in found:
                old = division.operator
                if not isinstance(old, cst.Divide):
                    raise NotEditable("the code is set out as nobody would expect")
                new = cst.FloorDivide(old.whitespace_before, old.whitespace_after)
                module.replace(division, division.with_changes(operator=new))
                break
            return finish(module, "floor-division", "A place in a list is a whole number.")
    if names:
        index = index_within(names[0])
        code = module.code(index)
        if not code.startswith("int("):
            module.replace(index, guards.expression(f"int({code})"))
            return finish(module, "int", "A place in a list is a whole number.")
    return decline("the index is a whole number already")


def _list_for_dict(module: Module, one: cst.Subscript) -> Proposal | Declined:
    """A list where a dict was expected: it is the wanted list itself, or holds the dict."""
    base, key = module.code(one.value), str(constant(index_within(one)))
    if not guards.is_repeatable(base):
        return decline("the data come from a call here: their shape cannot be asked for in place")
    if isinstance(module.parent(one), cst.AssignTarget | cst.AugAssign):
        return decline("a list has no keys to set: what was meant cannot be seen")
    function = module.function(one)
    name = function.name.value if function else ""
    quoted = module.code(index_within(one))
    element = guards.fresh(module, "item", "entry", "element")
    if re.search(rf"(?:^|_){re.escape(key)}(?:e?s)\Z", name) and isinstance(module.parent(one), cst.Return):
        made = f"[{element}[{quoted}] for {element} in {base}] if isinstance({base}, list) else {base}[{quoted}]"
        module.replace(one, guards.expression(made))
        return finish(module, "each", f"{base} is a list: {quoted} is read from each of its elements.")
    if _is_iterated(module, one, key):
        module.replace(one, guards.conditional(module, one, f"not isinstance({base}, list)", base))
        return finish(module, "either-shape", f"{base} is sometimes the list itself, without a dict around it.")
    inner = guards.expression(f"({base}[0] if isinstance({base}, list) else {base})")
    module.replace(one.value, inner)
    line = module.position(one).start.line
    for other in module.nodes(cst.Subscript, line):  # what is read beside it from the same thing
        if other is not one and module.code(other.value) == base and isinstance(constant(index_within(other)), str):
            module.replace(other.value, inner.deep_clone())
    return finish(module, "first-of-list", f"{base} is sometimes a list that holds the dict.")


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
        iterated = [loop.iter for loop in module.nodes(cst.For, within=scope)]
        iterated += [loop.iter for loop in module.nodes(cst.CompFor, within=scope)]
        if any(module.code(one) == name for one in iterated):
            return True
    return bool(_PLURAL.search(key)) and isinstance(around, cst.Return | cst.Assign)


def _text(case: Case, module: Module, one: cst.Subscript) -> Proposal | Declined:
    """A key read from text: the keys of a dict that was looped over, or JSON that was never parsed."""
    base = one.value
    code = module.code(base)
    if is_told(module, base):
        return decline("the type is asked for already")
    loop = _loop_of(module, base) if isinstance(base, cst.Name) else None
    if loop is not None:
        return _looped(case, module, one, loop)
    value = bound_to(module, base) if isinstance(base, cst.Name) else base
    if value is not None and re.match(r"(?:json\.)?loads?\(|.*\.json\(\)", module.code(value)):
        return decline(f"{code} is parsed already: what it held was no dict")
    if value is not None and _TEXT_FROM.search(module.code(value)):
        call = module.name_of_import("json", "loads") if _has_from(module) else f"{module.name_of_import('json')}.loads"
        module.replace(value, cst.Call(guards.expression(call), [cst.Arg(value.with_changes(lpar=(), rpar=()))]))
        return finish(module, "parse-json", f"{code} is JSON text: it is parsed before it is read.")
    is_named = value is not None and isinstance(base, cst.Name)
    if is_named or (isinstance(base, cst.Name) and not _TEXT_NAMED.search(code)):
        return _only_dict(case, module, one)
    if not guards.is_repeatable(code):
        return decline("the data come from a call here: their shape cannot be asked for in place")
    if isinstance(base, cst.Name):  # an argument: JSON text or the data
        loads = f"{module.name_of_import('json')}.loads"
        module.replace(base, guards.expression(f"({loads}({code}) if isinstance({code}, (str, bytes)) else {code})"))
        return finish(module, "parse-json", f"{code} comes as JSON text, too: it is parsed then.")
    module.replace(one, guards.conditional(module, one, f"isinstance({code}, dict)", code))
    return finish(module, "either-shape", f"{code} is sometimes the plain text itself.")


def _only_dict(case: Case, module: Module, one: cst.Subscript) -> Proposal | Declined:
    """Text came where a dict is usual: nothing is read from it."""
    code = module.code(one.value)
    if isinstance(module.parent(one), cst.AssignTarget):
        return decline("text has no keys to set")
    operator, value = absent.guard(
        case, module, absence_of(one, one.value, "isinstance({}, dict)", "not isinstance({}, dict)")
    )
    return finish(module, operator, f"{code} is sometimes plain text: {value.code} then, as {value.because}.")


def _has_from(module: Module) -> bool:
    return bool(re.search(r"^from json import .*\bloads\b", module.tree.code, re.M))


def _loop_of(module: Module, name: cst.Name) -> cst.For | cst.CompFor | None:
    """The loop that binds a name."""
    for around in module.ancestors(name):
        if isinstance(around, cst.For) and module.code(around.target) == name.value:
            return around
        if isinstance(around, cst.BaseComp):
            at: cst.CompFor | None = around.for_in
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
        return finish(module, "parse-json", f"{code} is JSON text: it is parsed before it is read.")
    if _shape_given(case, module, one) == "list":
        if isinstance(module.parent(one), cst.AssignTarget):
            return decline("text has no keys to set")
        quoted = module.code(index_within(one))
        for other in module.nodes(cst.Subscript, within=loop if isinstance(loop, cst.For) else None):
            if module.code(other) == f"{name}[{quoted}]" and module.function(other) is module.function(one):
                module.replace(other, guards.conditional(module, other, f"isinstance({name}, dict)", name))
        return finish(module, "either-shape", f"{name} is sometimes the plain text itself.")
    if code.endswith((".keys()",)):
        call = source
        if not (isinstance(call, cst.Call) and isinstance(call.func, cst.Attribute)):
            raise NotEditable("the code is set out as nobody would expect")
        module.replace(call, call.with_changes(func=call.func.with_changes(attr=cst.Name("values"))))
        return finish(module, "values", "The loop gave the keys of a dict; its values are what is read.")
    if code.endswith(".values()") or "isinstance(" in code:
        return decline("the loop gives values already")
    if isinstance(value, cst.Dict) or not guards.is_repeatable(code):
        made = guards.expression(f"{code}.values()")
    else:
        made = guards.expression(f"{code}.values() if isinstance({code}, dict) else {code}")
        if isinstance(loop, cst.CompFor):
            made = made.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
    module.replace(source, made)
    return finish(module, "values", f"{code} is a dict: its values are what is read, not its keys.")


def _shape_given(case: Case, module: Module, one: cst.Subscript) -> str:
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
