"""Where a None came from: the way from the expression that failed back to the `cv2.imread` whose result it is.

Followed through names, attributes, containers, comprehensions and calls of the project; nothing is changed here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.sites import Place, Trail
from engine.repair.patterns.source.syntax import (
    assignments,
    dotted,
    last_name,
    own_attribute,
    own_parts,
    parameter_of,
    scopes,
    text_of,
    walk,
)

ATTRIBUTE = re.compile(r"'NoneType' object has no attribute '(?P<name>\w+)'")
CARRIERS = ("zip", "enumerate", "list", "tuple", "sorted", "reversed", "iter", "next", "islice", "tqdm")
MOST_STEPS = 200


@dataclass(frozen=True)
class Chain:
    """The way from the use (first) to the `cv2.imread` call (last)."""

    places: tuple[Place, ...]

    @property
    def call(self) -> Place:
        """The `cv2.imread` call."""
        return self.places[-1]


def starts(trail: Trail, module: Module, statement: cst.CSTNode) -> Iterator[Place]:
    """The expressions of the failing statement that can have been the None."""
    message = trail.record.message
    nodes = [node for part in own_parts(statement) for node in walk(part)]
    found: list[cst.CSTNode] = []
    attribute = ATTRIBUTE.search(message)
    if attribute:
        found = [
            node.value for node in nodes if isinstance(node, cst.Attribute) and node.attr.value == attribute["name"]
        ]
        found = found or [arg.value for node in nodes if isinstance(node, cst.Call) for arg in node.args]
    elif "subscriptable" in message or "item assignment" in message or "item deletion" in message:
        found = [node.value for node in nodes if isinstance(node, cst.Subscript)]
    elif "operand" in message or "bad operand" in message or "not supported between" in message:
        for node in nodes:
            if isinstance(node, cst.BinaryOperation):
                found += [node.left, node.right]
            elif isinstance(node, cst.UnaryOperation):
                found.append(node.expression)
            elif isinstance(node, cst.Comparison):
                found += [node.left, *(one.comparator for one in node.comparisons)]
            elif isinstance(node, cst.AugAssign):
                found += [node.target, node.value]
    elif "len()" in message or "iterable" in message or "unpack" in message:
        found = [arg.value for node in nodes if isinstance(node, cst.Call) for arg in node.args]
        found += [node.value for node in nodes if isinstance(node, cst.Assign)]
        found += [statement.iter] if isinstance(statement, cst.For) else []
    else:
        found = [arg.value for node in nodes if isinstance(node, cst.Call) for arg in node.args]
    for node in found:
        yield Place(module, node, trail.last)


def trace_back(trail: Trail, start: Place) -> Chain | None:
    """The first way from an expression to the `cv2.imread` whose result it is, unchanged."""
    queue: list[tuple[Place, ...]] = [(start,)]
    seen: set[int] = set()
    for _step in range(MOST_STEPS):
        if not queue:
            return None
        way = queue.pop(0)
        place = way[-1]
        if id(place.node) in seen:
            continue
        seen.add(id(place.node))
        if is_imread(place.module, place.node):
            if _is_within_reader(place):
                continue
            return Chain(way)
        if is_decoding(place.module, place.node) and _is_reader(place):
            return Chain(way)
        queue += [(*way, one) for one in _under_key(way) or [*_behind(trail, place), *_handed_on(trail, place)]]
    return None


def is_imread(module: Module, node: cst.CSTNode) -> bool:
    """Whether a node is a call of `cv2.imread`."""
    return isinstance(node, cst.Call) and module.qualified(node.func) in ("cv2.imread", "cv2.cv2.imread")


def is_decoding(module: Module, node: cst.CSTNode) -> bool:
    """Whether a node is a call of `cv2.imdecode`."""
    return isinstance(node, cst.Call) and module.qualified(node.func) == "cv2.imdecode"


def path_decoded(module: Module, call: cst.CSTNode) -> str:
    """The path whose bytes the function around a call of `cv2.imdecode` reads from it; '' where none."""
    function = module.function(call)
    for one in module.nodes(cst.Call, within=function) if function is not None else ():
        if (
            last_name(one.func) in ("fromfile", "open")
            and one.args
            and isinstance(one.args[0].value, cst.Name | cst.Attribute)
        ):
            return module.code(one.args[0].value)
    return ""


def _is_reader(place: Place) -> bool:
    """Whether the function around it reads the file that it decodes: the project's own reader of images."""
    function = place.module.function(place.node)
    return function is not None and bool(re.search(r"\bfromfile\(|\bopen\(", place.module.code(function.body)))


def _is_within_reader(place: Place) -> bool:
    """Whether a function that decodes images itself reads as a last resort and hands on whatever comes of it, as the
    one that is put there does."""
    function = place.module.function(place.node)
    if place.module.nearest(place.node, cst.Return) is None:
        return False
    calls = place.module.nodes(cst.Call, within=function) if function is not None else []
    return any(place.module.qualified(one.func) == "cv2.imdecode" for one in calls)


def _behind(trail: Trail, place: Place) -> list[Place]:
    """Where an expression's value comes from as it is."""
    module, node, frame = place.module, place.node, place.frame

    def here(*nodes: cst.CSTNode) -> list[Place]:
        return [Place(module, one, frame) for one in nodes]

    if isinstance(node, cst.Name):
        return [*trail.bindings(place), *_collected(place)]
    if own_attribute(node):
        found = [*trail.attribute(module, cast(cst.Attribute, node), frame), *_collected(place)]
        return found or _of_property(module, cast(cst.Attribute, node), frame)
    if isinstance(node, cst.Subscript):
        return here(node.value)
    if isinstance(node, cst.Await):
        return here(node.expression)
    if isinstance(node, cst.NamedExpr):
        return here(node.value)
    if isinstance(node, cst.IfExp):
        return here(node.body, node.orelse)
    if isinstance(node, cst.ListComp | cst.GeneratorExp | cst.SetComp):
        return here(node.elt)
    if isinstance(node, cst.DictComp):
        return here(node.value)
    if isinstance(node, cst.List | cst.Tuple):
        return here(*(one.value for one in node.elements))
    if isinstance(node, cst.Dict):
        return here(*(one.value for one in node.elements))
    if isinstance(node, cst.Call):
        if last_name(node.func) in CARRIERS and isinstance(node.func, cst.Name):
            return here(*(arg.value for arg in node.args))
        if last_name(node.func) in ("values", "items", "get", "pop") and isinstance(node.func, cst.Attribute):
            return [*here(node.func.value), *trail.returned(module, node, frame)]
        return trail.returned(module, node, frame)
    return []


def _under_key(way: tuple[Place, ...]) -> list[Place]:
    """Of a dict that a key was asked of on the way, what stands under that key: `dict(img=img, ...)`."""
    node, module = way[-1].node, way[-1].module
    asked = [one for one in way if isinstance(one.node, cst.Subscript)]
    if not asked:
        return []
    index = cast(cst.Subscript, asked[-1].node).slice[0].slice
    key = text_of(index.value) if isinstance(index, cst.Index) else None
    if key is None:
        return []
    found: list[cst.CSTNode] = []
    if isinstance(node, cst.Call) and isinstance(node.func, cst.Name) and node.func.value == "dict":
        found = [arg.value for arg in node.args if arg.keyword is not None and arg.keyword.value == key]
    elif isinstance(node, cst.Dict):
        found = [one.value for one in node.elements if isinstance(one, cst.DictElement) and text_of(one.key) == key]
    return [Place(module, one, way[-1].frame) for one in found]


def _handed_on(trail: Trail, place: Place) -> list[Place]:
    """What a parameter was given by the one call of the frame outside, whatever that calls the function (`self.step`
    for a `functools.partial`, an instance for its `__call__`)."""
    module, node = place.module, place.node
    function = module.function(node)
    parameter = parameter_of(function, node.value) if function is not None and isinstance(node, cst.Name) else None
    if function is None or parameter is None or place.frame < 1:
        return []
    path, frame = trail.frames[place.frame]
    caller = trail.statement(place.frame - 1)
    if caller is None or path != module.path or frame.function.rpartition(".")[2] != function.name.value:
        return []
    calls = [one for part in own_parts(caller[1]) for one in walk(part) if isinstance(one, cst.Call)]
    names = [one.name.value for one in function.params.params]
    names = names[1:] if names[:1] in (["self"], ["cls"]) else names
    if len(calls) != 1 or last_name(calls[0].func) == function.name.value:
        return []
    given = [
        arg.value for arg in calls[0].args if arg.keyword is not None and arg.keyword.value == parameter.name.value
    ]
    plain = [arg.value for arg in calls[0].args if arg.keyword is None and not arg.star]
    if not given and parameter.name.value in names[: len(plain)] and function.name.value == "__call__":
        given = [plain[names.index(parameter.name.value)]]
    return [Place(caller[0], one, place.frame - 1) for one in given]


def _of_property(module: Module, node: cst.Attribute, frame: int) -> list[Place]:
    """What a property of the class returns."""
    around = module.nearest(node, cst.ClassDef)
    for one in module.nodes(cst.FunctionDef, within=around) if around is not None else ():
        if one.name.value == node.attr.value and any("property" in module.code(each) for each in one.decorators):
            returns = [each for each in walk(one.body, into_functions=False) if isinstance(each, cst.Return)]
            return [Place(module, each.value, frame) for each in returns if each.value is not None]
    return []


def _collected(place: Place) -> list[Place]:
    """What is appended to a list, or put under a key, by the same name."""
    name, module = place.module.code(place.node), place.module
    scope: cst.CSTNode = next(
        (one for one in scopes(module, place.node) if isinstance(one, cst.FunctionDef)), module.tree
    )
    if own_attribute(place.node):
        scope = module.nearest(place.node, cst.ClassDef) or scope
    elif isinstance(scope, cst.FunctionDef) and not _binds(scope, name):
        scope = module.tree
    found: list[Place] = []
    for node in walk(scope):
        if not (isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.args):
            continue
        if node.func.attr.value in ("append", "add") and dotted(node.func.value) == name:
            found.append(Place(module, node.args[0].value, place.frame))
    for target, value in assignments(scope):
        if isinstance(target, cst.Subscript) and dotted(target.value) == name:
            found.append(Place(module, value, place.frame))
    return found


def _binds(function: cst.FunctionDef, name: str) -> bool:
    """Whether a name is the function's own: a parameter, or given a value in it."""
    if parameter_of(function, name) is not None:
        return True
    own = [target for target, _value in assignments(function)]
    own += [one.target for one in walk(function.body) if isinstance(one, cst.For | cst.CompFor)]
    return any(isinstance(each, cst.Name) and each.value == name for one in own for each in walk(one))
