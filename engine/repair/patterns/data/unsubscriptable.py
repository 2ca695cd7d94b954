"""A subscript on what has none: a generator, a callable, a number, a coroutine, an object with fields."""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Sequence

import libcst as cst

from engine.repair.patterns.data.mismatch import decline, finish, index_within, is_told
from engine.repair.patterns.guarding import guards
from engine.repair.patterns.guarding.subscripts import constant, index_of
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import own_classes
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.producers import bound_to

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


def no_subscript(case: Case, module: Module, every: Sequence[cst.Subscript], kind: str) -> Proposal | Declined:
    """`'X' object is not subscriptable`."""
    usable = [one for one in every if index_of(one) is not None or len(one.slice) == 1]
    if kind in _CALLABLE:
        return called_function(module, usable)
    if _LAZY.fullmatch(kind):
        return _as_list(module, usable, kind)
    if kind in ("int", "float", "bool", "complex"):
        return for_number(module, usable, kind)
    if kind == "coroutine":
        return _awaited(module, usable)
    if _is_exception(kind):
        return _arguments(module, usable, kind)
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
        return finish(module, "parse-json", "A response is no data yet: its JSON is read.")
    return field_read(case, module, texts, kind)


def _is_exception(kind: str) -> bool:
    found = getattr(builtins, kind.rpartition(".")[2], None)
    return isinstance(found, type) and issubclass(found, BaseException)


def _arguments(module: Module, usable: Sequence[cst.Subscript], kind: str) -> Proposal | Declined:
    """`error[1]`, as Python 2 had it: what an exception was made of stands in its `args`."""
    for one in usable:
        index = index_of(one)
        if isinstance(one.value, cst.Name) and index is not None and isinstance(constant(index), int):
            module.replace(one, one.with_changes(value=cst.Attribute(one.value, cst.Name("args"))))
            return finish(module, "arguments", f"A {kind} has no elements: what it was made of stands in its args.")
    return decline(f"a {kind} cannot be subscripted, and nothing here says what was meant")


def _bound_code(module: Module, one: cst.Subscript) -> str:
    value = bound_to(module, one.value) if isinstance(one.value, cst.Name) else None
    return module.code(value) if value is not None else ""


def called_function(module: Module, usable: Sequence[cst.Subscript]) -> Proposal | Declined:
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
        return finish(module, "call", f"{module.code(one.value)} is called, not subscripted.")
    return decline("what was to be called cannot be seen")


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
        return finish(module, "list", f"A {kind} has no places: it is made a list first.")
    return decline("it is a list already")


def for_number(module: Module, usable: Sequence[cst.Subscript], kind: str) -> Proposal | Declined:
    for one in reversed(usable):
        code = module.code(one.value)
        if (
            not guards.is_repeatable(code)
            or is_told(module, one.value)
            or isinstance(module.parent(one), cst.AssignTarget)
        ):
            continue
        index = index_of(one)
        wanted = "dict" if index is not None and isinstance(constant(index), str) else "(list, tuple)"
        if isinstance(module.parent(one), cst.AugAssign):
            continue
        module.replace(one, guards.conditional(module, one, f"isinstance({code}, {wanted})", code))
        return finish(module, "either-shape", f"{code} is sometimes the plain {kind} itself.")
    return decline(f"a {kind} has no elements, and nothing here says what was meant")


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
            return finish(module, "await", "The call gives a coroutine: it is awaited.")
    return decline("a coroutine outside of asynchronous code cannot be awaited here")


def field_read(case: Case, module: Module, texts: Sequence[cst.Subscript], kind: str) -> Proposal | Declined:
    own = kind.rpartition(".")[2]
    classes = list(own_classes.classes_of(case, own, module))
    if any(
        member.name == "__getitem__"
        for found in classes
        for member in ast.walk(found)
        if isinstance(member, ast.FunctionDef)
    ):
        return decline(f"{own} answers for its keys itself")
    known = own_classes.members_of(own, classes) if classes else set()
    for one in texts:
        key = str(constant(index_within(one)))
        if key.isidentifier() and (key in known or own in ("Namespace", "SimpleNamespace")):
            source = one.value
            for other in texts:
                other_key = str(constant(index_within(other)))
                if module.code(other.value) == module.code(source) and other_key.isidentifier():
                    module.replace(
                        other, cst.Attribute(other.value, cst.Name(other_key), lpar=other.lpar, rpar=other.rpar)
                    )
            return finish(module, "attribute", f"A {own} has '{key}' as an attribute, not as a key.")
    return decline(f"a {own} cannot be subscripted, and nothing here says what was meant")
