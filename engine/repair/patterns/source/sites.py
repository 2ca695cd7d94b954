"""From the line that failed to the code that is to blame: frames, handlers, and where a value came from.

Relies on LibCST through `edit.Module`, reads files through the case's project only. Nothing here decides or edits.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import libcst as cst

from engine.repair.patterns.pattern import Case, Project
from engine.repair.patterns.source.edit import Module, NotEditable
from engine.repair.patterns.source.syntax import (
    argument_for,
    assignments,
    bound_values,
    is_method,
    last_name,
    own_attribute,
    own_parts,
    parameter_of,
    scopes,
    walk,
)
from engine.repair.record import Frame

MOST_STEPS = 400


@dataclass(frozen=True)
class Place:
    """A node in its file, and the index of the frame from which it was reached."""

    module: Module
    node: cst.CSTNode
    frame: int


class Trail:
    """The project's own frames of a case's newest record, outermost first, each file parsed when it is needed."""

    def __init__(self, case: Case, *, to_read: bool = False) -> None:
        """Raises NotEditable where the innermost file cannot be edited (or cannot be read, where that is all)."""
        self.case = case
        self.project: Project = case.project
        self.record = case.records[0]
        self._to_read = to_read
        self._modules: dict[str, Module] = {case.path: Module(case.path, case.source, to_read=to_read)}
        self.frames: list[tuple[str, Frame]] = []
        for frame in self.record.frames:
            path = case.path if frame == case.frame else case.project.relative(frame.file)
            if path is not None and (path == case.path or case.project.read(path) is not None):
                self.frames.append((path, frame))
            if frame == case.frame:
                break
        if not self.frames or self.frames[-1][1] != case.frame:
            self.frames.append((case.path, case.frame))
        self._last_line = case.line

    @property
    def last(self) -> int:
        """The index of the innermost frame."""
        return len(self.frames) - 1

    def module(self, path: str) -> Module:
        """A file, parsed once. Raises NotEditable."""
        if path not in self._modules:
            source = self.project.read(path)
            if source is None:
                raise NotEditable(f"{path} is not ours to edit")
            self._modules[path] = Module(path, source, to_read=self._to_read)
        return self._modules[path]

    def modules(self) -> list[Module]:
        """The files that were parsed so far, the innermost frame's first."""
        return list(self._modules.values())

    def statement(self, index: int) -> tuple[Module, cst.CSTNode] | None:
        """The statement at which a frame stands, in its file; None where it cannot be found."""
        path, frame = self.frames[index]
        try:
            module = self.module(path)
        except NotEditable:
            return None
        line = self._last_line if index == self.last else module.line_of(frame.code, frame.line)
        found = module.statement(line) if line else None
        return (module, found) if found is not None else None

    # -- where a value came from ----------------------------------------------------------------------------------

    def calls(self, wanted: Callable[[Module, cst.Call], bool]) -> Iterator[Place]:
        """Calls that the failing statement's values came from, nearest first, as far as `wanted` holds for them."""
        for place in self.origins():
            if isinstance(place.node, cst.Call) and wanted(place.module, place.node):
                yield place

    def origins(self, start: Place | None = None) -> Iterator[Place]:
        """Every expression from which the failing statement's values (or one node's) came, nearest first."""
        if start is None:
            here = self.statement(self.last)
            if here is None:
                return
            starts = [Place(here[0], part, self.last) for part in own_parts(here[1])]
        else:
            starts = [start]
        seen: set[int] = set()
        queue = list(starts)
        for _step in range(MOST_STEPS):
            if not queue:
                return
            place = queue.pop(0)
            if id(place.node) in seen:
                continue
            seen.add(id(place.node))
            later: list[Place] = []
            for node in walk(place.node):
                yield Place(place.module, node, place.frame)
                if isinstance(node, cst.Name):
                    later += self.bindings(Place(place.module, node, place.frame))
                elif isinstance(node, cst.Attribute) and own_attribute(node):
                    later += self.attribute(place.module, node, place.frame)
                elif isinstance(node, cst.Call):
                    later += self.returned(place.module, node, place.frame)
            queue += later

    def bindings(self, place: Place) -> list[Place]:
        """What a name was bound to: the last binding first; a parameter's argument or default."""
        module, name = place.module, place.node
        if not isinstance(name, cst.Name):
            return []
        parent = module.parent(name)
        if isinstance(parent, cst.Arg | cst.Param) and getattr(parent, "keyword", None) is name:
            return []
        if isinstance(parent, cst.Attribute) and parent.attr is name:
            return []
        line = module.position(name).start.line
        for scope in scopes(module, name):
            found = [Place(module, value, place.frame) for value in bound_values(module, scope, name.value, line)]
            if isinstance(scope, cst.FunctionDef):
                parameter = parameter_of(scope, name.value)
                if parameter is not None:
                    return found + self._argument(module, scope, parameter, place.frame)
            if found:
                return found
        return []

    def _argument(self, module: Module, function: cst.FunctionDef, parameter: cst.Param, frame: int) -> list[Place]:
        """What a parameter was given: the argument in the calling frame, else its default."""
        default = [Place(module, parameter.default, frame)] if parameter.default is not None else []
        frame = self._running(module, function, frame)
        caller = self.statement(frame - 1) if frame > 0 else None
        if caller is None:
            return default
        given: list[Place] = []
        calls = [node for part in own_parts(caller[1]) for node in walk(part) if isinstance(node, cst.Call)]
        for call in calls:
            argument = argument_for(call, function, parameter.name.value, module)
            if argument is not None:
                given.append(Place(caller[0], argument, frame - 1))
        return given or default

    def _running(self, module: Module, function: cst.FunctionDef, frame: int) -> int:
        """The innermost frame (this one or further out) that runs a function; 0 where none does."""
        for index in range(frame, 0, -1):
            path, one = self.frames[index]
            if path == module.path and one.function.rpartition(".")[2] == function.name.value:
                return index
        return 0

    def attribute(self, module: Module, node: cst.Attribute, frame: int) -> list[Place]:
        """What `self.name` (or `cls.name`) was set to, anywhere in the class."""
        around = module.nearest(node, cst.ClassDef)
        if around is None:
            return []
        found: list[Place] = []
        for target, value in assignments(around):
            own = isinstance(target, cst.Attribute) and own_attribute(target) and target.attr.value == node.attr.value
            in_class = isinstance(target, cst.Name) and target.value == node.attr.value
            if own or (in_class and module.function(target) is None):
                found.append(Place(module, value, self._frame_of(module, value, frame)))
        return found

    def _frame_of(self, module: Module, node: cst.CSTNode, frame: int) -> int:
        """The frame that runs the function around a node, where there is one on the trail; else 0."""
        function = module.function(node)
        return self._running(module, function, frame) if function is not None else 0

    def returned(self, module: Module, call: cst.Call, frame: int) -> list[Place]:
        """What a called function of the project returns or yields."""
        made = self.definition(module, call)
        if made is None:
            return []
        where, function = made
        found: list[Place] = []
        for node in walk(function.body, into_functions=False):
            value = node.value if isinstance(node, cst.Return | cst.Yield) else None
            if isinstance(value, cst.From):
                value = value.item
            if value is not None:
                found.append(Place(where, value, 0 if where is not module else self._frame_of(where, value, frame)))
        return found

    def definition(self, module: Module, call: cst.Call) -> tuple[Module, cst.FunctionDef] | None:
        """The project's function that a call calls, where its name tells."""
        name = last_name(call.func)
        if not name:
            return None
        own = [one for one in module.nodes(cst.FunctionDef) if one.name.value == name]
        if isinstance(call.func, cst.Name):
            own = [one for one in own if not is_method(module, one)] or own
        elif not own_attribute(call.func) and isinstance(call.func, cst.Attribute):
            own = [one for one in own if is_method(module, one)]
        if own:
            return module, own[-1]
        return self._imported(module, call, name)

    def _imported(self, module: Module, call: cst.Call, name: str) -> tuple[Module, cst.FunctionDef] | None:
        base = call.func.value if isinstance(call.func, cst.Attribute) else None
        for statement in module.nodes(cst.ImportFrom):
            if isinstance(statement.names, cst.ImportStar):
                continue
            for one in statement.names:
                bound = one.asname.name if one.asname else one.name
                bound_name = bound.value if isinstance(bound, cst.Name) else ""
                from_module = module.code(statement.module) if statement.module else ""
                if base is None and bound_name == name:
                    return self._function_in(from_module, last_name(one.name))
                if isinstance(base, cst.Name) and bound_name == base.value:
                    inner = f"{from_module}.{module.code(one.name)}".strip(".")
                    return self._function_in(inner, name)
        if base is not None:
            for plain in module.nodes(cst.Import):
                for one in plain.names:
                    bound = one.asname.name if one.asname else one.name
                    if module.code(bound) == module.code(base):
                        return self._function_in(module.code(one.name), name)
        return None

    def _function_in(self, dotted: str, name: str) -> tuple[Module, cst.FunctionDef] | None:
        tail = dotted.replace(".", "/")
        for path in self.project.python_files() if tail else ():
            stem = path.removesuffix(".py").removesuffix("/__init__")
            if stem == tail or stem.endswith("/" + tail):
                try:
                    module = self.module(path)
                except NotEditable:
                    return None
                found = [one for one in module.nodes(cst.FunctionDef) if one.name.value == name]
                return (module, found[-1]) if found else None
        return None

    # -- what is caught on purpose --------------------------------------------------------------------------------

    def caught(self, types: Sequence[str]) -> str | None:
        """Where code around one of the frames catches one of these exceptions by name; None where none does."""
        for index in range(self.last, -1, -1):
            here = self.statement(index)
            if here is None:
                continue
            module, statement = here
            handler = catching(module, statement, types)
            if handler:
                return f"{handler} around line {module.position(statement).start.line} of {module.path}"
        return None


_NEAR = 4  # lines above a statement whose comments are about it
MEANT = re.compile(
    r"(?i)#.*\b(?:must exist|must be there|fails? (?:loud|hard|fast)|on purpose|deliberate|intentional|intended|"
    r"let it (?:raise|fail|crash|propagate)|should (?:raise|fail)|propagates?)"
)


def meant(module: Module, node: cst.CSTNode) -> str | None:
    """The comment by a node, or at the head of the function around it, that says that an error is wanted; None where
    none does: one that stands by another check is about that."""
    function = module.function(node)
    if function is None:
        return None
    lines = module.text.splitlines()
    where, begun = module.position(node), module.position(function).start.line
    head = module.position(function.body.body[0]).start.line if function.body.body else begun
    near = [*lines[max(0, where.start.line - 1 - _NEAR) : where.end.line + 1], *lines[max(0, begun - 2) : head]]
    found = next((one for line in near if (one := MEANT.search(line))), None)
    return found[0].strip() if found else None


def _chooses(module: Module, handler: cst.ExceptHandler | cst.ExceptStarHandler) -> bool:
    """Whether a handler raises some of what it catches again, by what the error is, or as who asked wants it: what came
    out of it, it did not answer."""
    function = module.function(handler)
    known = (
        {one.name.value for one in module.nodes(cst.Param, within=function.params)} if function is not None else set()
    )
    if handler.name is not None and isinstance(handler.name.name, cst.Name):
        known.add(handler.name.name.value)
    asked = [one for one in walk(handler.body) if isinstance(one, cst.If)]
    return any(
        known & {one.value for one in walk(each.test) if isinstance(one, cst.Name)}
        and any(isinstance(one, cst.Raise) and one.exc is None for one in walk(each))
        for each in asked
    )


def catching(module: Module, node: cst.CSTNode, types: Sequence[str]) -> str | None:
    """The `except`, `suppress`, `raises` around a node that names one of the types, as it stands."""
    inner: cst.CSTNode = node
    for around in module.ancestors(node):
        if isinstance(around, cst.FunctionDef | cst.ClassDef | cst.Lambda):
            return None
        if isinstance(around, cst.Try | cst.TryStar) and inner is around.body:
            for handler in around.handlers:
                named = handler.type is not None and any(last_name(one) in types for one in walk(handler.type))
                if handler.type is not None and named and not _chooses(module, handler):
                    return f"'except {module.code(handler.type)}'"
        if isinstance(around, cst.With) and inner is around.body:
            for item in around.items:
                call = item.item
                if (
                    isinstance(call, cst.Call)
                    and last_name(call.func) in ("suppress", "raises", "assertRaises", "assertRaisesRegex")
                    and any(last_name(one) in types for arg in call.args for one in walk(arg.value))
                ):
                    return f"'{module.code(call)}'"
        inner = around
    return None
