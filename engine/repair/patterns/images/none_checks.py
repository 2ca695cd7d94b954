"""What is done where there is no image: the next of a loop, what the code base wants, or a clear error."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable
from functools import lru_cache
from typing import cast

import libcst as cst

from engine.repair.patterns.images.answers import answer_of
from engine.repair.patterns.images.any_path import imreads, use_helper
from engine.repair.patterns.images.asked import is_asked, is_used
from engine.repair.patterns.images.callers import fails_in_caller
from engine.repair.patterns.source import expected, wording
from engine.repair.patterns.source.edit import Module, with_replaced
from engine.repair.patterns.source.expected import Expected
from engine.repair.patterns.source.image_origin import Chain, is_decoding, path_decoded
from engine.repair.patterns.source.sites import Place, Trail
from engine.repair.patterns.source.syntax import dotted, last_name, walk

SKIPPED = "Skipping an unreadable image"
UNREADABLE = "cannot read image"
MOST_BESIDE = 20  # images of one file that are looked at for None beside the one that failed
MOST_TRIED = 60
_PROGRESS = re.compile(
    r"(?i)[\w.]*(?:bar|progress|tqdm)\w*\.(?:update|advance|next|increment|tick)\([^()\n]*\)|"
    r"[\w.]+\.(?:update|advance|next|increment|tick)\(\d*\)"
)
_COUNTS = re.compile(r"(\w+) [+-]= \d+")
_WRONG = re.compile(r"(?i)\berror|\b[45]\d\d\b|bad_?request|invalid|fail")
_WINDOW = re.compile(r"\bQ(?:MainWindow|Widget|Dialog|Label|Graphics\w+)\b|\b(?:tk|tkinter|wx|ctk|customtkinter)\.\w+")
_IS_NONE = re.compile(r"(?:\A| or )(?:(?P<none>[\w.]+) (?:is|==) None|not (?P<not>\w+))(?=\Z| or )")


def guard(trail: Trail, place: Place, name: str, chain: Chain) -> str:
    """`if name is None:` with what is done then: the next of a loop, what the code base wants, or a clear error."""
    module, node = place.module, place.node
    told = path_at(place, chain)
    if told and _reads(told, name):
        told = ""  # the path's name is the image's by now
    value = told or name
    loop = loop_around(module, node)
    if loop is not None:
        target = loop.target if isinstance(loop, cst.For) else loop.test
        names = [one.value for one in walk(target) if isinstance(one, cst.Name)]
        warn = wording.warning(module, node, SKIPPED, told or (names[0] if names else name))
        return f"if {name} is None:\n    {warn}\n{_counted(module, loop)}    continue\n"
    function = module.function(node)
    own = ""
    if function is not None:
        own = _as_before(module, node, function, name) or _refusal(module, node, function)
    if own:
        return f"if {name} is None:\n    {own}\n"
    answer = None
    if function is not None:
        answer = _wanted(trail, module, function)
        if answer is not None and answer.value == "None" and fails_in_caller(trail, place, function):
            answer = Expected(None, None, "who called it needs an image")
        if answer is not None and answer.value is not None and function.name.value != "__init__":
            yields = any(isinstance(one, cst.Yield) for one in walk(function.body, into_functions=False))
            bare = yields or (answer.value == "None" and _returns_nothing(function))
            return f"if {name} is None:\n    return{'' if bare else ' ' + answer.value}\n"
        shown = answer_of(trail, module, function, module.position(node).start.line) if answer is None else None
        if shown is not None:
            if shown.value is not None and "," in shown.value:
                _guard_in_caller(trail, place, function)
            warn = wording.warning(module, node, UNREADABLE, value)
            return f"if {name} is None:\n    {warn}\n    return {shown.value}\n"
    other = _another_item(module, function) if function is not None and answer is None else ""
    if other:
        warn = wording.warning(module, node, SKIPPED, value)
        return f"if {name} is None:\n    {warn}\n    return {other}\n"
    if function is not None and answer is None and _is_of_window(module, function):
        warn = wording.warning(module, node, UNREADABLE, value)
        return f"if {name} is None:\n    {warn}\n    return\n"
    error = own = "ValueError" if is_decoding(module, node) else "FileNotFoundError"  # its bytes were read
    if answer is not None and answer.raises and (hasattr(builtins, answer.raises) or module.defines(answer.raises)):
        error = answer.raises
    if error == own and function is not None:
        _skip_in_caller(trail, place, function, error)
    said = wording.formatted(module, UNREADABLE, value) if told else f"{module.quote}{UNREADABLE}{module.quote}"
    return f"if {name} is None:\n    raise {error}({said})\n"


def _reads(code: str, name: str) -> bool:
    """Whether an expression reads a name, or what lies below it."""
    nodes = walk(cst.parse_expression(code))
    read = [dotted(one) for one in nodes if isinstance(one, cst.Name | cst.Attribute)]
    return any(one == name or one.startswith(f"{name}.") for one in read)


@lru_cache(maxsize=64)  # asked for every image of a function
def _wanted(trail: Trail, module: Module, function: cst.FunctionDef) -> expected.Expected | None:
    """What the code base wants of a function that has nothing to give."""
    return (
        expected.expected(trail, module, function)
        or expected.by_callers(trail, function.name.value)
        or expected.by_annotation(module, function)
    )


def _asks(module: Module, loop: cst.While) -> bool:
    """Whether each round of an endless loop asks a person for something: they can be asked again."""
    return module.code(loop.test).strip() in ("True", "1") and bool(re.search(r"\binput\(", module.code(loop.body)))


def _refusal(module: Module, node: cst.CSTNode, function: cst.FunctionDef) -> str:
    """The answer of a view that something is wrong, as it gives one a few lines before, with other words."""
    line, found = module.position(node).start.line, ""
    for one in module.nodes(cst.If, within=function.body):
        last = one.body.body[-1] if isinstance(one.body, cst.IndentedBlock) else None
        small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else None
        if not isinstance(small, cst.Return) or small.value is None or module.position(one).end.line >= line:
            continue
        text = module.code(small.value)
        said = [each for each in walk(small.value) if isinstance(each, cst.SimpleString)]
        keys = [each.key for each in walk(small.value) if isinstance(each, cst.DictElement)]
        said = [each for each in said if not any(each is key for key in keys)]
        if _WRONG.search(text) and len(said) == 1 and len(one.body.body) == 1:
            words = cst.SimpleString(f"{said[0].quote}{UNREADABLE}{said[0].quote}")
            answer = cast(cst.CSTNode, small.value.deep_replace(said[0], words))
            found = f"return {module.code(answer)}"
    return found


def _is_of_window(module: Module, function: cst.FunctionDef) -> bool:
    """Whether a function is a window's own and gives nothing back: an error in it would end the program."""
    around = module.nearest(function, cst.ClassDef)
    bases = " ".join(module.code(one.value) for one in around.bases) if around is not None else ""
    if not _WINDOW.search(bases):
        return False
    returned = [one.value for one in walk(function.body, into_functions=False) if isinstance(one, cst.Return)]
    is_made = function.name.value == "__init__"
    return not is_made and all(one is None for one in returned)


def _counted(module: Module, loop: cst.For | cst.While) -> str:
    """What must move on in a round that is passed over: a progress bar, and the counter that a `while` tests.

    Any other counter says how much was done, in a `for` always: what is passed over does not count.
    """
    bound = {
        one.value
        for target in module.nodes(cst.AssignTarget, within=loop.body)
        for one in walk(target)
        if isinstance(one, cst.Name)
    }
    kept: list[str] = []
    for last in reversed(loop.body.body):
        code = module.code(last).strip() if isinstance(last, cst.SimpleStatementLine) else ""
        if _is_counter(loop, code):
            kept.insert(0, code)
        elif _PROGRESS.fullmatch(code):
            if not bound & set(re.findall(r"\w+", code.partition("(")[2])):
                kept.insert(0, code)
        elif not _COUNTS.fullmatch(code):
            break
    return "".join(f"    {one}\n" for one in kept)


def _is_counter(loop: cst.For | cst.While, code: str) -> bool:
    """Whether a line moves on what the `while` itself tests."""
    counts = _COUNTS.fullmatch(code)
    if counts is None or not isinstance(loop, cst.While):
        return False
    return any(isinstance(one, cst.Name) and one.value == counts[1] for one in walk(loop.test))


def _as_before(module: Module, node: cst.CSTNode, function: cst.FunctionDef, name: str) -> str:
    """How the function leaves, a few lines before, where another thing that it needs is None; '' where it does not."""
    line = module.position(node).start.line
    parameters = (*function.params.posonly_params, *function.params.params, *function.params.kwonly_params)
    bound = {one.name.value for one in parameters} | set(dir(builtins)) | _sure(module, node, function)
    optional = {one.name.value for one in parameters if one.default is not None and last_name(one.default) == "None"}
    found = ""
    for one in module.nodes(cst.If, within=function.body):
        if module.position(one).start.line >= line or one.orelse is not None or module.function(one) is not function:
            continue
        tests = list(_IS_NONE.finditer(module.code(one.test)))
        if not tests or " and " in module.code(one.test) or not isinstance(one.body, cst.IndentedBlock):
            continue
        if any(each["none"] in optional or (each["not"] and _is_flag(function, one, each["not"])) for each in tests):
            continue  # another way to call it, rather than something that is lacking
        last = one.body.body[-1]
        small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else None
        if isinstance(small, cst.Return) and small.value is not None:
            used = {each.value for each in walk(small.value) if isinstance(each, cst.Name)}
            if used and used <= bound and name not in used:
                found = module.code(small).strip()
    return found


def _sure(module: Module, node: cst.CSTNode, function: cst.FunctionDef) -> set[str]:
    """Names that the function has surely bound by then: in the blocks around, not in others beside them."""
    around = {function.body, *module.ancestors(node)}
    line = module.position(node).start.line
    return {
        each.target.value
        for each in module.nodes(cst.AssignTarget, within=function.body)
        if isinstance(each.target, cst.Name)
        and module.position(each).start.line < line
        and module.nearest(each, cst.IndentedBlock) in around
    }


def _is_flag(function: cst.FunctionDef, asked: cst.If, name: str) -> bool:
    """Whether a name is only ever asked for its truth: the function does nothing with it."""
    tests = [one.test for one in walk(function.body) if isinstance(one, cst.If | cst.While | cst.IfExp)]
    asking = {id(each) for test in (asked.test, *tests) for each in walk(test)}
    targets = {id(one.target) for one in walk(function.body) if isinstance(one, cst.AssignTarget)}
    uses = [one for one in walk(function.body) if isinstance(one, cst.Name) and one.value == name]
    return all(id(one) in asking or id(one) in targets for one in uses)


def _returns_nothing(function: cst.FunctionDef) -> bool:
    """Whether nothing that the function returns is a value."""
    returns = [one for one in walk(function.body, into_functions=False) if isinstance(one, cst.Return)]
    return bool(returns) and all(one.value is None for one in returns)


def guard_reads_beside(trail: Trail, chain: Chain, inline: Callable[[Trail, Place, Chain], str]) -> None:
    """Look for None where the same function reads another image, or another function the same one, and uses it.

    An image that is only handed on may rightly be None: whoever gets it may ask.
    """
    module, call = chain.call.module, chain.call.node
    function, own_name = module.function(call), _target_name(module, call)
    path = _path_name(call)
    seen = tried = 0
    for other in imreads(module, module.tree):
        own = module.function(other)
        if other is call or any(one.star for one in other.args) or not other.args or seen >= MOST_BESIDE:
            continue
        if (own is not function and (not path or _path_name(other) != path)) or (own is None) != (function is None):
            continue
        if any(module.is_replaced(one) for one in (other, *module.ancestors(other))):
            continue
        if own is None and module.nearest(other, cst.For) is not module.nearest(call, cst.For):
            continue  # another part of a long script
        here = Place(module, other, chain.call.frame if own is function else 0)
        assign = module.parent(other)
        name = _target_name(module, other)
        tried += 1
        if tried > MOST_TRIED:
            return
        if name:
            line = cast(cst.SimpleStatementLine, module.nearest(other, cst.SimpleStatementLine))
            scope = own or module.tree
            is_same = own is function and name == own_name
            if (is_same or is_used(module, scope, name)) and not is_asked(module, scope, name):
                seen += 1
                text = guard(trail, here, name, Chain((here,)))
                module.insert_after(line, text, with_replaced(line, {other: use_helper(module, other, other)}))
        elif own is not None and (
            _is_used_at_once(module, other)
            if own is function
            else isinstance(assign, cst.Arg) and _knows(trail, module, own)
        ):
            seen += 1
            inline(trail, here, Chain((here,)))


def _is_used_at_once(module: Module, call: cst.Call) -> bool:
    """`cv2.imread(path)[0]`, `cv2.imread(path).shape`, `cv2.resize(cv2.imread(path), size)`, `writer.write(...)`."""
    around = module.parent(call)
    if isinstance(around, cst.Subscript | cst.Attribute):
        return around.value is call
    outer = module.parent(around) if isinstance(around, cst.Arg) else None
    if not isinstance(outer, cst.Call) or outer.args[0] is not around:
        return False
    name = last_name(outer.func)
    return (module.qualified(outer.func).startswith("cv2.") and name != "imread") or name == "write"


def _knows(trail: Trail, module: Module, function: cst.FunctionDef) -> bool:
    """Whether it is said what a function gives for nothing."""
    return bool(expected.expected(trail, module, function) or expected.by_annotation(module, function))


def _target_name(module: Module, call: cst.CSTNode) -> str:
    """The one plain name that a line gives to a call's result; '' where there is no such line."""
    assign = module.parent(call)
    line = module.parent(assign) if assign is not None else None
    if not (isinstance(assign, cst.Assign) and isinstance(line, cst.SimpleStatementLine) and len(line.body) == 1):
        return ""
    target = assign.targets[0].target
    return target.value if len(assign.targets) == 1 and isinstance(target, cst.Name) else ""


def _path_name(call: cst.CSTNode) -> str:
    return last_name(call.args[0].value) if isinstance(call, cst.Call) and call.args else ""


def _another_item(module: Module, function: cst.FunctionDef) -> str:
    """The next item, for one of a data set that cannot be read; empty where there is no such thing."""
    around = module.nearest(function, cst.ClassDef)
    names = [one.name.value for one in function.params.params]
    if function.name.value != "__getitem__" or around is None or len(names) != 2:
        return ""
    methods = [one.name.value for one in module.nodes(cst.FunctionDef, within=around.body)]
    is_data = any("Dataset" in module.code(base.value) for base in around.bases)
    return f"{names[0]}[({names[1]} + 1) % len({names[0]})]" if is_data and "__len__" in methods else ""


def _guard_in_caller(trail: Trail, place: Place, function: cst.FunctionDef) -> None:
    """`image = read(path)[0]` a frame further out: None is looked for there too, where nothing does so yet."""
    here = trail.statement(place.frame - 1) if place.frame > 0 else None
    if here is None:
        return
    module, line = here
    if not isinstance(line, cst.SimpleStatementLine) or len(line.body) != 1:
        return
    assign = line.body[0]
    if not isinstance(assign, cst.Assign) or len(assign.targets) != 1 or module.function(line) is function:
        return
    call = assign.value.value if isinstance(assign.value, cst.Subscript) else assign.value
    target = assign.targets[0].target
    first = target.elements[0].value if isinstance(target, cst.Tuple) else target
    if not (isinstance(call, cst.Call) and last_name(call.func) == function.name.value and isinstance(first, cst.Name)):
        return
    if not is_tested(module, call, first.value) and not module.is_replaced(line):
        there = Place(module, call, place.frame - 1)
        module.insert_after(line, guard(trail, there, first.value, Chain((there,))))


def _skip_in_caller(trail: Trail, place: Place, function: cst.FunctionDef, error: str) -> None:
    """Where a loop calls the function that raises from now on, the rest of the loop goes on."""
    for index in range(place.frame - 1, max(-1, place.frame - 4), -1):
        here = trail.statement(index)
        if here is None or expected.is_test_file(here[0].path):
            return
        module, statement = here
        loop = loop_around(module, statement)
        if loop is None or not isinstance(statement, cst.SimpleStatementLine):
            continue
        if not module.is_replaced(statement) and module.function(statement) is not function:
            warn = wording.warning(module, statement, SKIPPED, "error")
            last = f"    {warn}\n{_counted(module, loop)}    continue\n"
            module.wrap(statement, f"try:\n    pass\nexcept {error} as error:\n{last}")
        return


def path_at(place: Place, chain: Chain) -> str:
    """The path as the code around `place` names it, where it does."""
    node = place.node
    if is_decoding(place.module, node):
        return path_decoded(place.module, node)  # it is given data
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


def loop_around(module: Module, node: cst.CSTNode) -> cst.For | cst.While | None:
    """The loop whose next round can be taken: a `for`, or a `while` that counts at its end what it tests."""
    inner = node
    for around in module.ancestors(node):
        if isinstance(around, cst.FunctionDef | cst.ClassDef):
            return None
        if isinstance(around, cst.While):
            moved = _counted(module, around).splitlines()
            goes_on = any(_is_counter(around, one.strip()) for one in moved) or _asks(module, around)
            return around if inner is around.body and goes_on else None
        if isinstance(around, cst.For):
            return around if inner is around.body else None
        inner = around
    return None


def is_tested(module: Module, node: cst.CSTNode, name: str) -> bool:
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
