"""One thing where several were expected, and the other way round: what is iterated over, counted, called or a key.

`'int' object is not iterable`, `has no len()`, `is not callable`, `unhashable type`: the edit takes both shapes, or
calls what was to be called. A proposal is a guess of what was meant, for review.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable

import libcst as cst

from engine.repair.patterns.data import nothing, slices
from engine.repair.patterns.data.mismatch import calls_at, decline, finish, is_told
from engine.repair.patterns.guarding import absent, guards
from engine.repair.patterns.guarding.subscripts import absence_of, index_of, subscripts
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import bound_to, producer_of
from engine.repair.patterns.source.underlined import decided

_ITERABLE = re.compile(r"^'(?P<kind>[\w.]+)' object is not iterable")
_CONTAINER = re.compile(r"argument of type '(?P<kind>[\w.]+)' is not (?:iterable|a container)")
_LEN = re.compile(r"object of type '(?P<kind>[\w.]+)' has no len\(\)")
_HASHABLE = re.compile(r"unhashable type: '(?P<kind>[\w.]+)'")
_CALLABLE = re.compile(r"'(?P<kind>[\w.]+)' object is not callable")
_STORED = re.compile(
    r"'(?P<kind>tuple|range|dict_keys|dict_values|dict_items)' object does not support item assignment"
)
_WITHOUT_AXES = re.compile(r"iteration over a 0-d (?:array|tensor)|len\(\) of (?:unsized object|a 0-d tensor)")
_CALLED = ("method", "function", "builtin_function_or_method", "method_descriptor")
_PLAIN = ("int", "float", "bool", "complex", "Decimal", "decimal.Decimal")
_VALUES = (*_PLAIN, "str", "bytes", "list", "tuple", "dict", "set", "property")
_LAZY = ("generator", "map", "filter", "zip", "enumerate", "reversed", "islice", "itertools.islice", "itertools.chain")
_PATHS = ("PosixPath", "WindowsPath", "Path", "pathlib.PosixPath")


def recognised(message: str) -> bool:
    """Whether a TypeError's message says that one thing was taken for several, or for a function, or for a key."""
    if _WITHOUT_AXES.search(message):
        return True
    every = (_ITERABLE, _CONTAINER, _LEN, _HASHABLE, _CALLABLE, _STORED)
    found = next((told for one in every if (told := one.search(message))), None)
    return found is not None and found["kind"] != "NoneType"


def propose(
    case: Case,
    module: Module,
    line: int,
    message: str,
    walked: Callable[[Case, Module, int], cst.BaseExpression | None],
) -> Proposal | Declined:
    """The edit, or why there is none; `walked` finds what a line iterates over. Raises NotEditable."""
    if bare := _WITHOUT_AXES.search(message):
        return _of_one(case, module, line, "torch" if "tensor" in bare[0] else "numpy", walked(case, module, line))
    if told := _ITERABLE.search(message):
        return _iterated(case, module, line, told["kind"], walked(case, module, line))
    if told := _CONTAINER.search(message):
        return _looked_in(case, module, line, told["kind"])
    if told := _LEN.search(message):
        return _counted(case, module, line, told["kind"])
    if told := _HASHABLE.search(message):
        return _as_key(case, module, line, told["kind"])
    if told := _STORED.search(message):
        return _stored(case, module, line, told["kind"])
    told = _CALLABLE.search(message)
    return _called(case, module, line, told["kind"] if told else "")


def _call_it(module: Module, node: cst.BaseExpression, why: str) -> Proposal:
    module.replace(node, cst.Call(node, []))
    return finish(module, "call", f"{module.code(node)} is called: {why}.")


def _of_one(
    case: Case, module: Module, line: int, library: str, walked: cst.BaseExpression | None
) -> Proposal | Declined:
    """An array without axes is one number: it is taken for an array of that one."""
    counted = [one for one in module.nodes(cst.Call, line) if module.code(one.func) == "len" and one.args]
    subject = walked if walked is not None or not counted else counted[0].args[0].value
    if subject is None:
        return decline("what is gone through cannot be told from this line")
    reason = nothing.meant(case, module, subject, line)
    if reason:
        return decline(reason)
    name = module.name_of_import(library)
    module.replace(subject, guards.expression(f"{name}.atleast_1d({module.code(subject)})"))
    return finish(module, "at-least-one", f"{module.code(subject)} is sometimes the one element itself.")


def _iterated(
    case: Case, module: Module, line: int, kind: str, walked: cst.BaseExpression | None
) -> Proposal | Declined:
    if walked is None:
        return decline("what is iterated over cannot be told from this line")
    reason = nothing.meant(case, module, walked, line)
    if reason:
        return decline(reason)
    if kind in _CALLED:
        return _call_it(module, walked, "what it gives is gone through")
    code = module.code(walked)
    is_loop = isinstance(module.parent(walked), cst.For | cst.CompFor)
    if is_loop and kind not in _PLAIN and kind not in _VALUES and not is_told(module, walked):
        absence = absence_of(walked, walked, 'hasattr({}, "__iter__")', 'not hasattr({}, "__iter__")')
        operator, value = absent.guard(case, module, absence)
        return finish(module, operator, f"{code} is sometimes a {kind}, without elements: {value.code} then.")
    if kind not in _PLAIN or is_told(module, walked):
        return decline(f"a {kind} has no elements, and nothing here says what was meant")
    if isinstance(walked, cst.Call) and code.startswith("len("):
        module.replace(walked, guards.expression(f"range({code})"))
        return finish(module, "range", "The loop counts up to a number.")
    if not guards.is_repeatable(code):
        return decline("what is iterated over comes from a call: its shape cannot be asked for in place")
    made = guards.expression(f"({code} if isinstance({code}, (list, tuple)) else [{code}])")
    bare = isinstance(module.parent(walked), cst.For | cst.Arg)
    module.replace(walked, made.with_changes(lpar=[], rpar=[]) if bare else made)
    return finish(module, "either-shape", f"{code} is sometimes the one element itself.")


def _looked_in(case: Case, module: Module, line: int, kind: str) -> Proposal | Declined:
    asking = [
        one
        for one in module.nodes(cst.Comparison, line)
        if any(isinstance(target.operator, cst.In | cst.NotIn) for target in one.comparisons)
    ]
    for one in decided(case, module, line, asking)[:1]:
        reason = nothing.meant(case, module, one, line)
        if reason:
            return decline(reason)
        target = next(each for each in one.comparisons if isinstance(each.operator, cst.In | cst.NotIn))
        where = target.comparator
        code = module.code(where)
        if kind in _CALLED:
            return _call_it(module, where, "what it gives is looked at")
        if kind.rpartition(".")[2] in _PATHS:
            module.replace(where, guards.expression(f"str({code})"))
            return finish(module, "text", f"{code} is a path: its text is looked at.")
        if kind not in _PLAIN or is_told(module, where) or not guards.is_repeatable(code):
            return decline(f"nothing can be in a {kind}, and nothing here says what was meant")
        word = "or not" if isinstance(target.operator, cst.NotIn) else "and"
        types = "str" if isinstance(one.left, cst.SimpleString) and "[" not in code else "(str, list, tuple, dict)"
        good = f"isinstance({code}, {types})"
        made = guards.joined(module, one, good if word == "and" else f"not {good}", word.split()[0])
        module.replace(one, made)
        return finish(module, "test", f"{code} is sometimes a plain {kind}: nothing is in that.")
    return decline("nothing is looked for on this line: the error comes from what it calls")


def _counted(case: Case, module: Module, line: int, kind: str) -> Proposal | Declined:
    calls = [one for one in module.nodes(cst.Call, line) if module.code(one.func) == "len" and one.args]
    for call in decided(case, module, line, calls)[:1]:
        reason = nothing.meant(case, module, call, line)
        if reason:
            return decline(reason)
        given = call.args[0].value
        code = module.code(given)
        if kind in _CALLED:
            return _call_it(module, given, "what it gives is counted")
        if kind in _LAZY:
            return _list(module, given, kind)
        if kind in _PLAIN and guards.is_repeatable(code) and not is_told(module, given):
            module.replace(call, guards.conditional(module, call, f'hasattr({code}, "__len__")', "1"))
            return finish(module, "either-shape", f"{code} is sometimes the one element itself.")
        return decline(f"a {kind} has no length, and nothing here says what was meant")
    return decline("nothing is counted on this line: the error comes from what it calls")


def _list(module: Module, given: cst.BaseExpression, kind: str) -> Proposal | Declined:
    """Make what can be gone through only once a list, where it is made if that can be seen."""
    made = bound_to(module, given) if isinstance(given, cst.Name) else given
    at = made if made is not None and not isinstance(made, cst.Name) else given
    code = module.code(at)
    if code.startswith(("list(", "sorted(", "tuple(")):
        return decline("it is a list already")
    module.replace(at, cst.Call(cst.Name("list"), [cst.Arg(at.with_changes(lpar=[], rpar=[]))]))
    return finish(module, "list", f"A {kind} can be gone through once only: it is made a list first.")


def _as_key(case: Case, module: Module, line: int, kind: str) -> Proposal | Declined:
    """A list as a key, or as an element of a set: a tuple of the same is one."""
    if kind == "slice":
        return slices.copied(case, module, line)
    if kind not in ("list", "set"):
        return decline(f"a {kind} is no key, and nothing here says what was meant")
    wanted = "tuple" if kind == "list" else "frozenset"
    found: list[cst.BaseExpression] = []
    for one in subscripts(module, line):
        index = index_of(one)
        if index is not None and not isinstance(index, cst.SimpleString | cst.Integer):
            found.append(index)
    for call in calls_at(module, line):
        func = module.code(call.func).rpartition(".")[2]
        if func in ("get", "add", "setdefault", "pop", "discard", "remove", "hash") and call.args:
            found.append(call.args[0].value)
        if func in ("set", "frozenset", "fromkeys", "Counter", "dict") and len(call.args) == 1:
            elements = call.args[0].value
            if isinstance(elements, cst.GeneratorExp | cst.ListComp):
                found.append(elements.elt)
            elif func != "dict":
                code = module.code(elements)
                module.replace(elements, guards.expression(f"map({wanted}, {code})"))
                return finish(module, wanted, f"A {kind} is no key: the elements are made a {wanted} each.")
    for test in module.nodes(cst.Comparison, line):
        if isinstance(test.comparisons[0].operator, cst.In | cst.NotIn):
            found.append(test.left)
    found = [one for one in found if not isinstance(one, cst.SimpleString | cst.Integer | cst.Tuple)]
    if not found:
        return decline("which key it was cannot be told from this line")
    key = found[0]
    reason = nothing.meant(case, module, key, line)
    if reason:
        return decline(reason)
    code = module.code(key)
    if code.startswith((f"{wanted}(", "str(", "repr(")):
        return decline("it is made a key already")
    made = f"{wanted}({module.code(key.with_changes(lpar=[], rpar=[]))})"
    if _is_sometimes(module, key):
        made = f"({made} if isinstance({code}, {kind}) else {code})"
        if isinstance(module.parent(key), cst.Index | cst.Arg):
            made = made[1:-1]
    module.replace(key, guards.expression(made))
    return finish(module, wanted, f"A {kind} is no key: a {wanted} of the same is.")


def _is_sometimes(module: Module, key: cst.BaseExpression) -> bool:
    """Whether a key is what the function is given, by a name: it may be a plain value as well."""
    if not isinstance(key, cst.Name):
        return False
    producer = producer_of(module, key)
    return producer.kind == "parameter" and bound_to(module, key) is None


def _stored(case: Case, module: Module, line: int, kind: str) -> Proposal | Declined:
    """Something is put into what cannot be changed: it is made a list where it comes from."""
    for one in subscripts(module, line):
        if isinstance(module.parent(one), cst.AssignTarget | cst.AugAssign) and isinstance(one.value, cst.Name):
            reason = nothing.meant(case, module, one, line)
            return decline(reason) if reason else _list(module, one.value, kind)
    return decline(f"a {kind} cannot be changed, and nothing here says where it comes from")


def _called(case: Case, module: Module, line: int, kind: str) -> Proposal | Declined:
    """A value that is called as a function was: a property, or a module that has the function's name."""
    calls = decided(case, module, line, calls_at(module, line))
    if kind == "module":
        for call in calls:
            name = module.code(call.func)
            if isinstance(call.func, cst.Name) and name in module.imported and _has_itself(module.imported[name]):
                reason = nothing.meant(case, module, call, line)
                if reason:
                    return decline(reason)
                last = module.imported[name].rpartition(".")[2]
                module.replace(call.func, cst.Attribute(call.func, cst.Name(last)))
                return finish(module, "of-module", f"{name} is the module: the function in it has the same name.")
        return decline("a module is called, and what in it was meant cannot be seen")
    if kind not in _VALUES:
        return decline(f"a {kind} is called, and nothing here says what was meant")
    plain = [one for one in calls if isinstance(one.func, cst.Attribute) and not one.args]
    for call in plain[:1] if len(plain) == 1 else ():
        reason = nothing.meant(case, module, call, line)
        if reason:
            return decline(reason)
        code = module.code(call.func)
        if isinstance(call.func, cst.Attribute) and guards.is_repeatable(code):
            module.replace(call, guards.expression(code).with_changes(lpar=call.lpar, rpar=call.rpar))
            return finish(module, "property", f"{code} is a {kind} already: it is read, not called.")
    return decline(f"a {kind} is called, and what was meant cannot be seen")


def _has_itself(module: str) -> bool:
    """Whether a module of Python has a member of its own name."""
    top = module.partition(".")[0]
    if top not in sys.stdlib_module_names:
        return module in ("tqdm", "dotenv", "tqdm.auto")
    return module in ("glob", "datetime", "time", "pprint", "copy", "warnings") and hasattr(
        importlib.import_module(module), module.rpartition(".")[2]
    )
