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

import re
from dataclasses import replace
from typing import cast

import libcst as cst

from engine.repair.patterns.images.any_path import imreads, read_all_so, use_helper
from engine.repair.patterns.images.asked import asked_by_callers
from engine.repair.patterns.images.emptiness import asks_for_empty
from engine.repair.patterns.images.inline import inline
from engine.repair.patterns.images.listed import listed_beside
from engine.repair.patterns.images.none_checks import (
    SKIPPED,
    UNREADABLE,
    guard,
    guard_reads_beside,
    is_tested,
    loop_around,
    path_at,
)
from engine.repair.patterns.images.own_errors import helper_alone, is_own_error
from engine.repair.patterns.pattern import Case, Declined, Proposal
from engine.repair.patterns.source import expected, wording
from engine.repair.patterns.source.edit import Module, NotEditable, first_changed_line, with_replaced
from engine.repair.patterns.source.image_origin import Chain, is_decoding, starts, trace_back
from engine.repair.patterns.source.python_two import fitting
from engine.repair.patterns.source.sites import Place, Trail, meant
from engine.repair.patterns.source.syntax import own_parts, walk
from engine.repair.record import ErrorRecord

EMPTY = re.compile(
    r"empty\(\)|size\.width\s*>\s*0|Overload resolution failed|Expected Ptr<|not a numpy array|imread|"
    r"\b_?src\.(?:cols|rows)\s*>\s*0|ssize\.(?:width|height)\s*>\s*0|\(-215\)\s*scn\s*==\s*3"
)
NO_ARRAY = re.compile(  # what numpy says of None, which is an array of no dimensions to it
    r"out of range for array of ndim=0|out of bounds for array of dimension 0|array is 0-dimensional"
)
WARNED = re.compile(r"imread_?\(.*can't open/read file")
ON_PURPOSE = ("AttributeError", "TypeError", "error")


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
        if record.type in ("ValueError", "IndexError") or record.type.endswith("AxisError"):
            return NO_ARRAY.search(record.message) is not None or is_own_error(record)
        return WARNED.search(record.message) is not None or is_own_error(record)

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
        if is_own_error(trail.record):
            return self._read_otherwise(module, statement, trail.record)
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
        if _is_seen_to(chain):
            return self._declined("the function that reads it looks for None already")
        refused = _check(trail, here, chain)
        if refused:
            return self._declined(refused)
        if not is_decoding(chain.call.module, call):
            guard_reads_beside(trail, chain, inline)
            read_all_so(chain.call.module)
        edits = tuple(one.edit() for one in trail.modules() if one.is_changed)
        how = "" if is_decoding(chain.call.module, call) else "it is read so that any path works, and "
        why = f"cv2 gave None for an image: {how}None is looked for before it is used"
        operator = "helper-and-check"
        return Proposal(self.id, operator, edits, first_changed_line(edits[0]), "review", why)

    def _read_otherwise(self, module: Module, statement: cst.CSTNode, record: ErrorRecord) -> Proposal | Declined:
        refused = helper_alone(module, statement, record)
        if refused:
            return self._declined(refused)
        edit = module.edit()
        if b"by Pillow where OpenCV cannot" in edit.after:
            why = "the file's own check for None found an image unread: Pillow reads it where OpenCV cannot"
        else:
            why = "the file's own check for None found an image unread whose path may be to blame: any path is read"
        return Proposal(self.id, "helper", (edit,), first_changed_line(edit), "review", why)

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
    reader = _reader_of(trail, chain) or _reader_outside(trail, chain)
    if reader is not None:
        chain = replace(chain, places=(reader,))
        used = reader
        kept = _kept_as(reader)
        if kept is not None:
            return _after_assignment(trail, reader, kept[0], kept[1], chain)
    for earlier, place in zip((None, *chain.places), chain.places, strict=False):
        module, node = place.module, place.node
        parent = module.parent(node)
        if earlier is not None and isinstance(earlier.node, cst.Name | cst.Attribute):
            name = earlier.module.code(earlier.node)
            if isinstance(parent, cst.Assign) and len(parent.targets) == 1:
                target = module.code(parent.targets[0].target)
                around = module.parent(parent)
                if (
                    target == name
                    and not _holds_others(node)
                    and isinstance(around, cst.SimpleStatementLine)
                    and len(around.body) == 1
                ):
                    return _after_assignment(trail, place, around, name, chain)
            if isinstance(parent, cst.For) and parent.iter is node and isinstance(parent.body, cst.IndentedBlock):
                return _in_loop(earlier, parent, name, chain)
            if isinstance(parent, cst.CompFor) and parent.iter is node:
                return _in_comprehension(earlier.module, parent, name, chain)
        if node is call and isinstance(parent, cst.Element) and _several(trail, place):
            return ""
        if node is call or (isinstance(node, cst.Call) and _stands_in(module, node, trail, place.frame)):
            return inline(trail, place, chain)
    if isinstance(used.node, cst.Name) and isinstance(statement, cst.SimpleStatementLine):
        name = used.node.value
        if is_tested(used.module, used.node, name):
            return f"{name} is tested for None already"
        use_helper(owner, call, None)
        used.module.insert_before(statement, guard(trail, used, name, chain))
        return ""
    return "there is no statement before which None could be looked for"


def _holds_others(node: cst.CSTNode) -> bool:
    """Whether a value is a list or a dict that the image is put into: that is never None itself."""
    if isinstance(node, cst.Call):
        return isinstance(node.func, cst.Name) and node.func.value in ("dict", "list", "tuple")
    kinds = (cst.Dict, cst.List, cst.Tuple, cst.ListComp, cst.DictComp, cst.GeneratorExp)
    return isinstance(node, kinds)


def _is_seen_to(chain: Chain) -> bool:
    """Whether a function on the way, other than the one that failed, tests what was read before it hands it on."""
    failed = chain.places[0].module.function(chain.places[0].node)
    return any(
        isinstance(one.node, cst.Name)
        and one.module.function(one.node) is not failed
        and isinstance(one.module.parent(one.node), cst.Return)
        and _tested_before(one.module, one.node)
        for one in chain.places
    )


def _tested_before(module: Module, node: cst.Name) -> bool:
    """Whether a name that is returned was tested for None, with an exit, before."""
    line = module.position(node).start.line
    test = re.compile(rf"(?:^|[^\w.]){re.escape(node.value)} is None|not {re.escape(node.value)}$")
    return any(
        test.search(module.code(one.test)) and module.position(one).start.line < line
        for one in module.nodes(cst.If, within=module.function(node))
    )


def _reader_of(trail: Trail, chain: Chain) -> Place | None:
    """The call itself, where a function reads the image for others that all need it: it can say which it was."""
    call, used = chain.call, chain.places[0]
    if is_decoding(call.module, call.node):
        return None  # it may be asked of images that are rightly not there
    reader, user = call.module.function(call.node), used.module.function(used.node)
    if reader is None or user is None or reader is user or loop_around(used.module, used.node) is not None:
        return None
    if any(loop_around(one.module, one.node) for one in chain.places) or used.module.nearest(used.node, cst.CompFor):
        return None
    if any(isinstance(one, cst.Yield) for one in walk(reader.body)) or reader.name.value.startswith("__"):
        return None
    if not any(isinstance(call.module.parent(one.node), cst.Return) for one in chain.places[1:]):
        return None  # it is kept, not handed back
    if expected.expected(trail, call.module, reader) or expected.by_annotation(call.module, reader):
        return None
    if expected.by_callers(trail, user.name.value) or asked_by_callers(trail, used.module, user.name.value):
        return None
    if asked_by_callers(trail, call.module, reader.name.value):
        return None  # some are ready for None
    if expected.expected(trail, used.module, user) or expected.by_annotation(used.module, user):
        return None
    return Place(call.module, call.node, used.frame + 1)


def _reader_outside(trail: Trail, chain: Chain) -> Place | None:
    """The call itself, where its function gave the image on within something else, such as a dict."""
    call, used = chain.call, chain.places[0]
    here = trail.statement(call.frame)
    if call.frame >= used.frame or here is None or is_decoding(call.module, call.node):
        return None
    function = call.module.function(call.node)
    if function is None or here[0] is not call.module or call.module.function(here[1]) is not function:
        return None
    is_within = any(isinstance(one.node, cst.Subscript | cst.Dict) for one in chain.places)
    return call if is_within and _kept_as(call) is not None else None


def _kept_as(place: Place) -> tuple[cst.SimpleStatementLine, str] | None:
    """The line that gives a call's result a name, and that name."""
    assign = place.module.parent(place.node)
    line = place.module.parent(assign) if assign is not None else None
    if not (isinstance(assign, cst.Assign) and isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1):
        return None
    target = assign.targets[0].target
    is_one = len(assign.targets) == 1 and isinstance(target, cst.Name | cst.Attribute)
    return (line, place.module.code(target)) if is_one else None


def _after_assignment(trail: Trail, place: Place, line: cst.SimpleStatementLine, name: str, chain: Chain) -> str:
    module = place.module
    if is_tested(module, place.node, name):
        return f"{name} is tested for None already"
    call, owner = cast(cst.Call, chain.call.node), chain.call.module
    as_empty = asks_for_empty(module, line, name) if module is owner else None
    if as_empty is not None:
        asked, test = as_empty
        warn = wording.warning(module, line, UNREADABLE, path_at(place, chain) or name)
        source = f"if {name} is None:\n    {warn}\n"
        module.insert_before(asked, source, asked.with_changes(test=cst.parse_expression(test)))
        use_helper(owner, call, None)
        return ""
    check = guard(trail, place, name, chain)
    if module is owner and any(node is call for node in walk(line)):
        changes: dict[cst.CSTNode, cst.CSTNode] = {
            each: use_helper(owner, each, each) for each in imreads(module, line)
        }
        module.insert_after(line, check, with_replaced(line, changes))
    else:
        use_helper(owner, call, None)
        module.insert_after(line, check)
    return ""


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
        if any(value.value is call for call in imreads(module, line)) and isinstance(one.value, cst.Name):
            call = cast(cst.Call, value.value)
            changes[call] = use_helper(module, call, call)
            here = Place(module, call, place.frame)
            guards += guard(trail, here, one.value.value, Chain((here,)))
    module.insert_after(line, guards, with_replaced(line, changes))
    return bool(guards)


def _in_loop(used: Place, loop: cst.For, name: str, chain: Chain) -> str:
    module = used.module
    if is_tested(module, used.node, name):
        return f"{name} is tested for None already"
    use_helper(chain.call.module, cast(cst.Call, chain.call.node), None)
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
    use_helper(chain.call.module, cast(cst.Call, chain.call.node), None)
    listed = listed_beside(module, clause, chain)
    if listed:
        line = module.nearest(clause, cst.SimpleStatementLine)
        if line is None:
            return "it stands in the head of a statement"
        module.insert_before(line, listed)
        return ""
    test = cst.parse_expression(f"{name} is not None")
    module.replace(clause, clause.with_changes(ifs=[*clause.ifs, cst.CompIf(test)]))
    return ""


def _stands_in(module: Module, node: cst.Call, trail: Trail, frame: int) -> bool:
    """Whether a call is made by a statement of the trail itself, so that its result is used there."""
    here = trail.statement(frame)
    if here is None or here[0] is not module:
        return False
    return any(one is node for part in own_parts(here[1]) for one in walk(part))


PATTERN = Imread()
