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
from dataclasses import replace
from typing import cast

import libcst as cst

from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import expected, wording
from engine.repair.patterns.source.edit import Module, NotEditable, first_changed_line, with_replaced
from engine.repair.patterns.source.image_origin import Chain, is_decoding, starts, trace_back
from engine.repair.patterns.source.python_two import fitting
from engine.repair.patterns.source.sites import Place, Trail, meant
from engine.repair.patterns.source.syntax import last_name, own_parts, walk
from engine.repair.record import ErrorRecord

EMPTY = re.compile(r"empty\(\)|size\.width\s*>\s*0|Overload resolution failed|Expected Ptr<|not a numpy array|imread")
WARNED = re.compile(r"imread_?\(.*can't open/read file")
ON_PURPOSE = ("AttributeError", "TypeError", "error")
SKIPPED = "Skipping an unreadable image"
UNREADABLE = "cannot read image"
HELPER = '''def {name}(filename, flags={colour}):
    """Read an image as {cv2}.imread does, whatever characters its path has: None where there is no image."""
    try:
        data = {np}.fromfile(filename, dtype={np}.uint8)
    except OSError:
        return None
    image = {cv2}.imdecode(data, flags) if data.size else None
    return {cv2}.imread(filename, flags) if image is None and data.size else image  # imread shows files cut short
'''


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
            return fitting(case, self._propose(Trail(_outside_cv2(case))))
        except NotEditable as error:
            return self._declined(error.reason)

    def _propose(self, trail: Trail) -> Proposal | Declined:
        here = trail.statement(trail.last)
        if here is None:
            return self._declined("the line that failed is no longer there")
        module, statement = here
        if expected.is_test_file(module.path):
            return self._declined("it is a test's own image")
        chain = next((one for start in starts(trail, module, statement) if (one := trace_back(trail, start))), None)
        if chain is None:
            return self._declined("the None does not come from cv2.imread")
        caught = trail.caught(ON_PURPOSE)
        if caught:
            return self._declined(f"it is caught on purpose by {caught}")
        comment = meant(module, statement)
        if comment:
            return self._declined(f"the error is meant: {comment}")
        call = cast(cst.Call, chain.call.node)
        if any(arg.star for arg in call.args) or len([one for one in call.args if one.keyword is None]) > 2:
            return self._declined("cv2.imread is called in a form that is not known")
        refused = _check(trail, here, chain)
        if refused:
            return self._declined(refused)
        edits = tuple(one.edit() for one in trail.modules() if one.is_changed)
        how = "" if is_decoding(chain.call.module, call) else "it is read so that any path works, and "
        why = f"cv2 gave None for an image: {how}None is looked for before it is used"
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


# -- the check ------------------------------------------------------------------------------------------------------


def _check(trail: Trail, here: tuple[Module, cst.CSTNode], chain: Chain) -> str:
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
                return _in_loop(earlier, parent, name, chain)
            if isinstance(parent, cst.CompFor) and parent.iter is node:
                return _in_comprehension(earlier.module, parent, name, chain)
        if node is call and isinstance(parent, cst.Element) and _several(trail, place):
            return ""
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


def _after_assignment(trail: Trail, place: Place, line: cst.SimpleStatementLine, name: str, chain: Chain) -> str:
    module = place.module
    if _is_tested(module, place.node, name):
        return f"{name} is tested for None already"
    call, owner = cast(cst.Call, chain.call.node), chain.call.module
    guard = _guard(trail, place, name, chain)
    if module is owner and any(node is call for node in walk(line)):
        changes: dict[cst.CSTNode, cst.CSTNode] = {
            each: _use_helper(owner, each, each) for each in _imreads(module, line)
        }
        module.insert_after(line, guard, with_replaced(line, changes))
    else:
        _use_helper(owner, call, None)
        module.insert_after(line, guard)
    return ""


def _imreads(module: Module, node: cst.CSTNode) -> list[cst.Call]:
    calls = [one for one in walk(node) if isinstance(one, cst.Call)]
    return [one for one in calls if module.qualified(one.func) == "cv2.imread"]


def _several(trail: Trail, place: Place) -> bool:
    """`x, y = cv2.imread(a), cv2.imread(b)`: each is read and looked at."""
    module = place.module
    values = module.parent(module.parent(place.node) or place.node)
    assign = module.parent(values) if values is not None else None
    line = module.parent(assign) if assign is not None else None
    if not (isinstance(values, cst.Tuple) and isinstance(assign, cst.Assign)):
        return False
    target = assign.targets[0].target
    if len(assign.targets) != 1 or not isinstance(target, cst.Tuple) or len(target.elements) != len(values.elements):
        return False
    if not isinstance(line, cst.SimpleStatementLine):
        return False
    changes: dict[cst.CSTNode, cst.CSTNode] = {}
    guards = ""
    for one, value in zip(target.elements, values.elements, strict=True):
        if any(value.value is call for call in _imreads(module, line)) and isinstance(one.value, cst.Name):
            call = cast(cst.Call, value.value)
            changes[call] = _use_helper(module, call, call)
            here = Place(module, call, place.frame)
            guards += _guard(trail, here, one.value.value, Chain((here,)))
    module.insert_after(line, guards, with_replaced(line, changes))
    return bool(guards)


def _in_loop(used: Place, loop: cst.For, name: str, chain: Chain) -> str:
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


def _in_comprehension(module: Module, clause: cst.CompFor, name: str, chain: Chain) -> str:
    if any(name in module.code(one.test) for one in clause.ifs):
        return f"{name} is tested already"
    _use_helper(chain.call.module, cast(cst.Call, chain.call.node), None)
    test = cst.parse_expression(f"{name} is not None")
    module.replace(clause, clause.with_changes(ifs=[*clause.ifs, cst.CompIf(test)]))
    return ""


def _inline(trail: Trail, place: Place, chain: Chain) -> str:
    """The call stands within a larger expression: it gets a name first."""
    module, node = place.module, cast(cst.Call, place.node)
    call, owner = cast(cst.Call, chain.call.node), chain.call.module
    new = _use_helper(owner, call, call) if node is call else _use_helper(owner, call, None) and node
    taken = module.names()
    name = next(
        one for one in ("image", "img", "picture", "image_read", "_image") if one not in taken or one == "_image"
    )
    for around in module.ancestors(node):
        if hasattr(around, "for_in"):
            clause = around.for_in
            while clause.inner_for_in is not None:
                clause = clause.inner_for_in
            test = cst.parse_expression(f"({name} := {module.tree.code_for_node(new)}) is not None")
            changed = around.deep_replace(node, cst.Name(name))
            module.replace(around, _with_test(changed, test))
            return ""
        if isinstance(around, cst.SimpleStatementLine):
            if module.nearest(node, cst.Lambda) is not None:
                return "it stands within a lambda"
            source = f"{name} = {module.tree.code_for_node(new)}\n" + _guard(trail, place, name, chain)
            module.insert_before(around, source, around.deep_replace(node, cst.Name(name)))
            return ""
        if isinstance(around, cst.If) and not isinstance(module.parent(around), cst.If):
            source = f"{name} = {module.tree.code_for_node(new)}\n" + _guard(trail, place, name, chain)
            test = around.test.deep_replace(node, cst.Name(name))
            module.insert_before(around, source, around.with_changes(test=test))
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
    whole: cst.CSTNode = comprehension.with_changes(for_in=made)
    return whole


def _stands_in(module: Module, node: cst.Call, trail: Trail, frame: int) -> bool:
    """Whether a call is made by a statement of the trail itself, so that its result is used there."""
    here = trail.statement(frame)
    if here is None or here[0] is not module:
        return False
    return any(one is node for part in own_parts(here[1]) for one in walk(part))


def _use_helper(module: Module, call: cst.Call, instead: cst.Call | None) -> cst.Call:
    """Add the helper; the call through it, which takes the old one's place unless the caller sees to that."""
    if is_decoding(module, call):
        return call  # a reader for any path is there
    is_nested = not module.imports_for_sure("cv2") and _is_deep(module)
    cv2 = "cv2" if is_nested else module.name_of_import("cv2")
    numpy = module.name_of_import("numpy", alias="np")
    names = ("read_image", "read_image_file", "imread_any_path")
    name = next((one for one in names if _is_helper(module, one)), "")
    name = name or next((one for one in names if one not in module.names()), "_read_image_of_any_path")
    if not _is_helper(module, name):
        colour = f"{cv2}.IMREAD_COLOR" if module.imports_for_sure("cv2") else "1"  # it is looked up when defined
        text = HELPER.format(name=name, cv2=cv2, np=numpy, colour=colour)
        module.add_helper(text.replace("    try:", "    import cv2\n\n    try:", 1) if is_nested else text)
    made = call.with_changes(func=cst.Name(name))
    if instead is None:
        module.replace(call, made)
    return made


def _is_helper(module: Module, name: str) -> bool:
    return any(one.name.value == name and "imdecode" in module.code(one) for one in module.nodes(cst.FunctionDef))


def _is_deep(module: Module) -> bool:
    """Whether the file imports cv2 in functions alone, or in a `try` that is itself under a condition."""
    own = [one for one in module.nodes(cst.Import) if any(last_name(name.name) == "cv2" for name in one.names)]
    around = [
        [one for one in module.ancestors(each) if isinstance(one, cst.Try | cst.If | cst.FunctionDef)] for each in own
    ]
    return bool(own) and all(len(one) > 1 or any(isinstance(o, cst.FunctionDef) for o in one) for one in around)


def _guard(trail: Trail, place: Place, name: str, chain: Chain) -> str:
    """`if name is None:` with what is done then: the next of a loop, what the code base wants, or a clear error."""
    module, node = place.module, place.node
    told = _path_at(place, chain)
    if re.search(rf"(?<![\w.]){re.escape(name)}\b", told):
        told = ""  # the path's name is the image's by now
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
    other = _another_item(module, function) if function is not None and answer is None else ""
    if other:
        warn = wording.warning(module, node, SKIPPED, value)
        return f"if {name} is None:\n    {warn}\n    return {other}\n"
    error = "FileNotFoundError"
    if answer is not None and answer.raises and (hasattr(builtins, answer.raises) or module.defines(answer.raises)):
        error = answer.raises
    if error == "FileNotFoundError" and function is not None:
        _skip_in_caller(trail, place, function)
    said = wording.formatted(module, UNREADABLE, value) if told else f"{module.quote}{UNREADABLE}{module.quote}"
    return f"if {name} is None:\n    raise {error}({said})\n"


def _another_item(module: Module, function: cst.FunctionDef) -> str:
    """The next item, for one of a data set that cannot be read; empty where there is no such thing."""
    around = module.nearest(function, cst.ClassDef)
    names = [one.name.value for one in function.params.params]
    if function.name.value != "__getitem__" or around is None or len(names) != 2:
        return ""
    methods = [one.name.value for one in module.nodes(cst.FunctionDef, within=around.body)]
    is_data = any("Dataset" in module.code(base.value) for base in around.bases)
    return f"{names[0]}[({names[1]} + 1) % len({names[0]})]" if is_data and "__len__" in methods else ""


def _skip_in_caller(trail: Trail, place: Place, function: cst.FunctionDef) -> None:
    """Where a loop calls the function that raises from now on, the rest of the loop goes on."""
    for index in range(place.frame - 1, max(-1, place.frame - 4), -1):
        here = trail.statement(index)
        if here is None or expected.is_test_file(here[0].path):
            return
        module, statement = here
        if _loop(module, statement) is None or not isinstance(statement, cst.SimpleStatementLine):
            continue
        if not module.is_replaced(statement) and module.function(statement) is not function:
            warn = wording.warning(module, statement, SKIPPED, "error")
            module.wrap(statement, f"try:\n    pass\nexcept FileNotFoundError as error:\n    {warn}\n    continue\n")
        return


def _path_at(place: Place, chain: Chain) -> str:
    """The path as the code around `place` names it, where it does."""
    node = place.node
    if is_decoding(place.module, node):
        return ""  # it is given data
    if isinstance(node, cst.IfExp) and any(one is chain.call.node for one in walk(node)):
        node = chain.call.node
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
    """Whether the function tests the name for None, or for being there at all, once it has its value."""
    scope = module.function(node) or module.tree
    loops = [one for one in module.ancestors(node) if isinstance(one, cst.For | cst.While)]
    since = min((module.position(one).start.line for one in (node, *loops)), default=0)
    tests = [
        one.test
        for one in walk(scope)
        if isinstance(one, cst.If | cst.While | cst.Assert | cst.IfExp) and module.position(one).start.line >= since
    ]
    pattern = re.compile(rf"(?:^|[^\w.])(?:{re.escape(name)}\s+is\s+(?:not\s+)?None|not\s+{re.escape(name)}\b(?!\.))")
    return any(pattern.search(" " + module.code(one)) or module.code(one) == name for one in tests)


PATTERN = Imread()
