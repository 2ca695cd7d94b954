"""`cv2.imread` gives None for what it cannot read, without a word: read so that any path works, and look for None.

Evidence: an AttributeError or TypeError on None, or a `cv2.error` on an empty image, whose value is traced back to
`cv2.imread`. The call goes through a helper over `cv2.imdecode(np.fromfile(...))` that keeps imread's contract (None
for empty and missing files and for folders, the same flags, colour by default), as imread fails on paths outside the
system's code page; None is looked for where the image is used. Other sources of None are none of its business.

    before    image = cv2.imread(path)
              height, width = image.shape[:2]
    after     image = read_image(path)
              if image is None:
                  raise FileNotFoundError(f"cannot read image: {path}")
              height, width = image.shape[:2]
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import cast

import libcst as cst

from engine.repair.patterns import expected, wording
from engine.repair.patterns.edit import Module, NotEditable, first_changed_line
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.sites import (
    Place,
    Trail,
    assignments,
    dotted,
    last_name,
    own_attribute,
    own_parts,
    scopes,
    walk,
)
from engine.repair.record import ErrorRecord

EMPTY = re.compile(r"empty\(\)|size\.width\s*>\s*0|Overload resolution failed|Expected Ptr<|not a numpy array|imread")
WARNED = re.compile(r"imread_?\(.*can't open/read file")
ATTRIBUTE = re.compile(r"'NoneType' object has no attribute '(?P<name>\w+)'")
ON_PURPOSE = ("AttributeError", "TypeError", "error")
SKIPPED = "Skipping an unreadable image"
UNREADABLE = "cannot read image"
CARRIERS = ("zip", "enumerate", "list", "tuple", "sorted", "reversed", "iter", "next", "islice", "tqdm")
HELPER = '''def {name}(filename, flags={cv2}.IMREAD_COLOR):
    """Read an image as {cv2}.imread does, whatever characters its path has: None where there is no image."""
    try:
        data = {np}.fromfile(filename, dtype={np}.uint8)
    except OSError:
        return None
    return {cv2}.imdecode(data, flags) if data.size else None
'''
MOST_STEPS = 200


@dataclass(frozen=True)
class _Chain:
    """The way from the use (first) to the `cv2.imread` call (last)."""

    places: tuple[Place, ...]

    @property
    def call(self) -> Place:
        """The `cv2.imread` call."""
        return self.places[-1]


class Imread:
    """Read images from any path, and look for None before they are used."""

    id = "imread"
    title = "read images from any path and look for None before they are used"

    def recognises(self, record: ErrorRecord) -> bool:
        """None where an image was expected, or OpenCV's own words for an empty image."""
        if record.type in ("AttributeError", "TypeError"):
            return "NoneType" in record.message
        if record.type in ("cv2.error", "error", "cv2.cv2.error"):
            return EMPTY.search(record.message) is not None
        return WARNED.search(record.message) is not None

    def propose(self, case: Case) -> Proposal | Declined:
        """The helper and the check, or the reason why not."""
        try:
            return self._propose(Trail(_outside_cv2(case)))
        except NotEditable as error:
            return self._declined(error.reason)

    def _propose(self, trail: Trail) -> Proposal | Declined:
        here = trail.statement(trail.last)
        if here is None:
            return self._declined("the line that failed is no longer there")
        module, statement = here
        if expected.is_test_file(module.path):
            return self._declined("it is a test's own image")
        chain = next((one for start in _starts(trail, module, statement) if (one := _trace(trail, start))), None)
        if chain is None:
            return self._declined("the None does not come from cv2.imread")
        caught = trail.caught(ON_PURPOSE)
        if caught:
            return self._declined(f"it is caught on purpose by {caught}")
        call = cast(cst.Call, chain.call.node)
        if any(arg.star for arg in call.args) or len([one for one in call.args if one.keyword is None]) > 2:
            return self._declined("cv2.imread is called in a form that is not known")
        refused = _check(trail, here, chain)
        if refused:
            return self._declined(refused)
        modules = {place.module.path: place.module for place in (chain.call, *chain.places)}
        edits = tuple(one.edit() for one in modules.values() if one.is_changed)
        why = "cv2.imread gave None: it is read so that any path works, and None is looked for before it is used"
        operator = "helper-and-check"
        return Proposal(self.id, operator, edits, first_changed_line(edits[0]), "review", why)

    def _declined(self, reason: str) -> Declined:
        return Declined(self.id, reason)


def _outside_cv2(case: Case) -> Case:
    """The case at the frame that called cv2, where a module of that name lies in the project."""
    if not re.search(r"(?:^|/)cv2(?:\.py$|/)", case.path):
        return case
    frames = list(case.records[0].frames)
    for frame in reversed(frames):
        path = case.project.relative(frame.file)
        source = case.project.read(path) if path else None
        if path and source is not None and not re.search(r"(?:^|/)cv2(?:\.py$|/)", path):
            line = Module(path, source).line_of(frame.code, frame.line) or frame.line
            return replace(case, path=path, frame=frame, line=line, source=source)
    return case


# -- from the use to the call ---------------------------------------------------------------------------------------


def _starts(trail: Trail, module: Module, statement: cst.CSTNode) -> Iterator[Place]:
    """The expressions of the failing statement that can have been the None."""
    message = trail.record.message
    nodes = [node for part in own_parts(statement) for node in walk(part)]
    found: list[cst.CSTNode] = []
    attribute = ATTRIBUTE.search(message)
    if attribute:
        found = [node.value for node in nodes if isinstance(node, cst.Attribute) and node.attr.value == attribute["name"]]
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


def _trace(trail: Trail, start: Place) -> _Chain | None:
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
        if isinstance(place.node, cst.Call) and place.module.qualified(place.node.func) == "cv2.imread":
            return _Chain(way)
        queue += [(*way, one) for one in _behind(trail, place)]
    return None


def _behind(trail: Trail, place: Place) -> list[Place]:
    """Where an expression's value comes from as it is."""
    module, node, frame = place.module, place.node, place.frame

    def here(*nodes: cst.CSTNode) -> list[Place]:
        return [Place(module, one, frame) for one in nodes]

    if isinstance(node, cst.Name):
        return [*trail.bindings(place), *_collected(place)]
    if own_attribute(node):
        return [*trail.attribute(module, cast(cst.Attribute, node), frame), *_collected(place)]
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


def _collected(place: Place) -> list[Place]:
    """What is appended to a list, or put under a key, by the same name."""
    name, module = place.module.code(place.node), place.module
    scope: cst.CSTNode = next((one for one in scopes(module, place.node) if isinstance(one, cst.FunctionDef)), module.tree)
    if own_attribute(place.node):
        scope = module.nearest(place.node, cst.ClassDef) or scope
    found: list[Place] = []
    for node in walk(scope):
        if isinstance(node, cst.Call) and isinstance(node.func, cst.Attribute) and node.func.attr.value in ("append", "add"):
            if dotted(node.func.value) == name and node.args:
                found.append(Place(module, node.args[0].value, place.frame))
    for target, value in assignments(module, scope):
        if isinstance(target, cst.Subscript) and dotted(target.value) == name:
            found.append(Place(module, value, place.frame))
    return found


# -- the check ------------------------------------------------------------------------------------------------------


def _check(trail: Trail, here: tuple[Module, cst.CSTNode], chain: _Chain) -> str:
    """Ask for the helper and for the check; why there can be none, or ''."""
    call = cast(cst.Call, chain.call.node)
    owner = chain.call.module
    used = chain.places[0]
    name, statement = "", here[1]
    for earlier, place in zip((None, *chain.places), chain.places, strict=False):
        module, node = place.module, place.node
        parent = module.parent(node)
        if earlier is not None and isinstance(earlier.node, cst.Name | cst.Attribute):
            name = earlier.module.code(earlier.node)
            if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
                target = module.code(parent.targets[0].target)
                around = module.parent(parent)
                if target == name and isinstance(around, cst.SimpleStatementLine) and len(around.body) == 1:
                    return _after_assignment(trail, place, around, name, chain)
            if isinstance(parent, cst.For) and parent.iter is node and isinstance(parent.body, cst.IndentedBlock):
                return _in_loop(trail, earlier, parent, name, chain)
            if isinstance(parent, cst.CompFor) and parent.iter is node:
                return _in_comprehension(earlier.module, parent, name, chain)
        if node is call or (isinstance(node, cst.Call) and _stands_in(module, node, trail, place.frame)):
            return _inline(trail, place, chain)
    if isinstance(used.node, cst.Name) and isinstance(statement, cst.SimpleStatementLine):
        name = used.node.value
        if _is_tested(used.module, used.node, name):
            return f"{name} is tested for None already"
        _use_helper(owner, call, None)
        used.module.insert_before(statement, _guard(trail, used, name, chain))
        return ""
    return "there is no statement before which None could be looked for"


def _after_assignment(trail: Trail, place: Place, line: cst.SimpleStatementLine, name: str, chain: _Chain) -> str:
    module = place.module
    if _is_tested(module, place.node, name):
        return f"{name} is tested for None already"
    call, owner = cast(cst.Call, chain.call.node), chain.call.module
    guard = _guard(trail, place, name, chain)
    if place.node is call:
        new = _use_helper(owner, call, call)
        module.insert_after(line, guard, cast(cst.CSTNode, line.deep_replace(call, new)))
    else:
        _use_helper(owner, call, None)
        module.insert_after(line, guard)
    return ""


def _in_loop(trail: Trail, used: Place, loop: cst.For, name: str, chain: _Chain) -> str:
    module = used.module
    if _is_tested(module, used.node, name):
        return f"{name} is tested for None already"
    _use_helper(chain.call.module, cast(cst.Call, chain.call.node), None)
    others = [one.value for one in walk(loop.target) if isinstance(one, cst.Name) and one.value != name]
    first = loop.body.body[0]
    if others:
        warn = wording.warning(module, first, SKIPPED, others[0])
        module.insert_before(first, f"if {name} is None:\n    {warn}\n    continue\n")
    else:
        module.insert_before(first, f"if {name} is None:\n    continue\n")
    return ""


def _in_comprehension(module: Module, clause: cst.CompFor, name: str, chain: _Chain) -> str:
    if any(name in module.code(one.test) for one in clause.ifs):
        return f"{name} is tested already"
    _use_helper(chain.call.module, cast(cst.Call, chain.call.node), None)
    test = cst.parse_expression(f"{name} is not None")
    module.replace(clause, clause.with_changes(ifs=[*clause.ifs, cst.CompIf(test)]))
    return ""


def _inline(trail: Trail, place: Place, chain: _Chain) -> str:
    """The call stands within a larger expression: it gets a name first."""
    module, node = place.module, cast(cst.Call, place.node)
    call, owner = cast(cst.Call, chain.call.node), chain.call.module
    new = _use_helper(owner, call, call) if node is call else _use_helper(owner, call, None) and node
    taken = module.names()
    name = next(one for one in ("image", "img", "picture", "image_read", "_image") if one not in taken or one == "_image")
    for around in module.ancestors(node):
        if hasattr(around, "for_in"):
            clause = around.for_in
            while clause.inner_for_in is not None:
                clause = clause.inner_for_in
            test = cst.parse_expression(f"({name} := {module.tree.code_for_node(new)}) is not None")
            changed = cast(cst.CSTNode, around.deep_replace(node, cst.Name(name)))
            module.replace(around, _with_test(changed, test))
            return ""
        if isinstance(around, cst.SimpleStatementLine):
            if module.nearest(node, cst.Lambda) is not None:
                return "it stands within a lambda"
            source = f"{name} = {module.tree.code_for_node(new)}\n" + _guard(trail, place, name, chain)
            module.insert_before(around, source, cast(cst.CSTNode, around.deep_replace(node, cst.Name(name))))
            return ""
        if isinstance(around, cst.BaseCompoundStatement):
            return "it stands in the head of a statement"
    return "there is no statement before which None could be looked for"


def _with_test(comprehension: cst.CSTNode, test: cst.BaseExpression) -> cst.CSTNode:
    clauses = [comprehension.for_in]  # type: ignore[attr-defined]
    while clauses[-1].inner_for_in is not None:
        clauses.append(clauses[-1].inner_for_in)
    made = clauses[-1].with_changes(ifs=[*clauses[-1].ifs, cst.CompIf(test)])
    for outer in reversed(clauses[:-1]):
        made = outer.with_changes(inner_for_in=made)
    return cast(cst.CSTNode, comprehension.with_changes(for_in=made))


def _stands_in(module: Module, node: cst.Call, trail: Trail, frame: int) -> bool:
    """Whether a call is made by a statement of the trail itself, so that its result is used there."""
    here = trail.statement(frame)
    if here is None or here[0] is not module:
        return False
    return any(one is node for part in own_parts(here[1]) for one in walk(part))


def _use_helper(module: Module, call: cst.Call, instead: cst.Call | None) -> cst.Call:
    """Add the helper; the call through it, which takes the old one's place unless the caller sees to that."""
    cv2 = module.name_of_import("cv2")
    numpy = module.name_of_import("numpy", alias="np")
    names = ("read_image", "read_image_file", "imread_any_path")
    name = next((one for one in names if _is_helper(module, one)), "")
    name = name or next((one for one in names if one not in module.names()), "_read_image_of_any_path")
    if not _is_helper(module, name):
        module.add_helper(HELPER.format(name=name, cv2=cv2, np=numpy))
    made = call.with_changes(func=cst.Name(name))
    if instead is None:
        module.replace(call, made)
    return made


def _is_helper(module: Module, name: str) -> bool:
    return any(one.name.value == name and "imdecode" in module.code(one) for one in module.nodes(cst.FunctionDef))


def _guard(trail: Trail, place: Place, name: str, chain: _Chain) -> str:
    """`if name is None:` with what is done then: the next of a loop, what the code base wants, or a clear error."""
    module, node = place.module, place.node
    told = _path_at(place, chain)
    value = told or name
    loop = _loop(module, node)
    if loop is not None:
        names = [one.value for one in walk(loop.target) if isinstance(one, cst.Name)]
        warn = wording.warning(module, node, SKIPPED, told or (names[0] if names else name))
        return f"if {name} is None:\n    {warn}\n    continue\n"
    function = module.function(node)
    answer = None
    if function is not None:
        answer = (
            expected.expected(trail, module, function)
            or expected.by_callers(trail, function.name.value)
            or expected.by_annotation(module, function)
        )
        if answer is not None and answer.value is not None and function.name.value != "__init__":
            yields = any(isinstance(one, cst.Yield) for one in walk(function.body, into_functions=False))
            return f"if {name} is None:\n    return{'' if yields else ' ' + answer.value}\n"
    error = "FileNotFoundError"
    if answer is not None and answer.raises and (hasattr(builtins, answer.raises) or module.defines(answer.raises)):
        error = answer.raises
    said = wording.formatted(module, UNREADABLE, value) if told else f"{module.quote}{UNREADABLE}{module.quote}"
    return f"if {name} is None:\n    raise {error}({said})\n"


def _path_at(place: Place, chain: _Chain) -> str:
    """The path as the code around `place` names it, where it does."""
    node = place.node
    if not isinstance(node, cst.Call) or not node.args:
        return ""
    if node is not chain.call.node and not isinstance(node.args[0].value, cst.Name | cst.Attribute | cst.SimpleString):
        return ""
    path = node.args[0].value
    while isinstance(path, cst.Call) and last_name(path.func) in ("str", "fspath") and len(path.args) == 1:
        path = path.args[0].value
    return place.module.code(path)


def _loop(module: Module, node: cst.CSTNode) -> cst.For | None:
    inner = node
    for around in module.ancestors(node):
        if isinstance(around, cst.FunctionDef | cst.ClassDef | cst.While):
            return None
        if isinstance(around, cst.For):
            return around if inner is around.body else None
        inner = around
    return None


def _is_tested(module: Module, node: cst.CSTNode, name: str) -> bool:
    """Whether the function tests the name for None, or for being there at all."""
    scope = module.function(node) or module.tree
    tests = [one.test for one in walk(scope) if isinstance(one, cst.If | cst.While | cst.Assert | cst.IfExp)]
    pattern = re.compile(rf"(?:^|[^\w.])(?:{re.escape(name)}\s+is\s+(?:not\s+)?None|not\s+{re.escape(name)}\b(?!\.))")
    return any(pattern.search(" " + module.code(one)) or module.code(one) == name for one in tests)


PATTERN = Imread()
