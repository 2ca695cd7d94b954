"""What a function gives where its image cannot be read, as its own returns and all who call it show.

return True ... return False      it answers a question: no
found = None ... return found     what it starts from is still there: that
if read(path)[0] is None:         a caller looks into what it gets: as many Nones
if not load(path):                a caller is ready for nothing: None
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache

import libcst as cst

from engine.repair.patterns.source import expected
from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.expected import Expected
from engine.repair.patterns.source.sites import Trail
from engine.repair.patterns.source.syntax import assignments, walk

MOST_FILES = 400


def answer_of(trail: Trail, module: Module, function: cst.FunctionDef, line: int) -> Expected | None:
    """What the function's own returns, then its callers, show it to give before `line` is done; None: nothing."""
    if function.name.value == "__init__":
        return None
    own = _of_question(module, function) or _started_from(module, function, line) or _of_parts(trail, module, function)
    return own or _by_all_callers(trail, function)


@lru_cache(maxsize=256)  # asked for every image of a function
def _returns(function: cst.FunctionDef) -> list[cst.Return]:
    return [one for one in walk(function.body, into_functions=False) if isinstance(one, cst.Return)]


def _last_return(function: cst.FunctionDef) -> cst.BaseExpression | None:
    last = function.body.body[-1] if function.body.body else None
    if isinstance(last, cst.If) and last.orelse is None and isinstance(last.body, cst.IndentedBlock):
        last = last.body.body[-1]  # else it falls off its end
    small = last.body[-1] if isinstance(last, cst.SimpleStatementLine) else None
    return small.value if isinstance(small, cst.Return) else None


def _of_question(module: Module, function: cst.FunctionDef) -> Expected | None:
    """`return False` at the end, after a `return True` further up."""
    last = _last_return(function)
    given = [module.code(one.value) if one.value is not None else "" for one in _returns(function)]
    if last is None or module.code(last) != "False" or "True" not in given or set(given) - {"True", "False"}:
        return None
    return Expected("False", None, f"{function.name.value} ends with no")


def _started_from(module: Module, function: cst.FunctionDef, line: int) -> Expected | None:
    """A name that is None when the image is read, and that the function gives at its end."""
    last = _last_return(function)
    if not isinstance(last, cst.Name):
        return None
    bound = [
        value
        for target, value in assignments(function)
        if module.position(target).start.line < line
        and any(isinstance(one, cst.Name) and one.value == last.value for one in walk(target))
    ]
    if len(bound) != 1 or module.code(bound[0]) != "None":
        return None
    around = module.nearest(bound[0], cst.IndentedBlock)
    is_sure = around is function.body
    return Expected(last.value, None, f"{last.value} is None until then") if is_sure else None


def _of_parts(trail: Trail, module: Module, function: cst.FunctionDef) -> Expected | None:
    """As many Nones as the function returns, where a caller of the files at hand looks for None in one of them."""
    last = _last_return(function)
    if not isinstance(last, cst.Tuple) or len(last.elements) < 2 or len(_returns(function)) != 1:
        return None
    name = function.name.value
    for source in [module.source, *(trail.project.read(path) for path, _frame in trail.frames)]:
        try:
            tree = ast.parse(source or b"")
        except (SyntaxError, ValueError):
            continue
        bound: set[str] = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign):
                value = node.value.value if isinstance(node.value, ast.Subscript) else None
                if value is not None and isinstance(value, ast.Call) and expected.last_of(value.func) == name:
                    bound |= {one.id for one in node.targets if isinstance(one, ast.Name)}
                elif isinstance(node.value, ast.Call) and expected.last_of(node.value.func) == name:
                    parts = [part for one in node.targets if isinstance(one, ast.Tuple) for part in one.elts]
                    bound |= {part.id for part in parts if isinstance(part, ast.Name)}
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and expected.tests_for_nothing(node.test, bound, name):
                return Expected(", ".join(["None"] * len(last.elements)), None, f"what {name} gives is tested for None")
    return None


@lru_cache(maxsize=64)
def _by_all_callers(trail: Trail, function: cst.FunctionDef) -> Expected | None:
    """None where any file of the project tests what it got from the one function of that name."""
    name = function.name.value
    mark, definition = f"{name}(".encode(), re.compile(rf"\bdef {name}\(".encode())
    given = {one.value.value for one in _returns(function) if isinstance(one.value, cst.Name)}
    answers = [
        value for target, value in assignments(function) if isinstance(target, cst.Name) and target.value in given
    ]
    if any(isinstance(one, cst.Name) and one.value in ("True", "False") for one in answers):
        return None  # a question's answer, and nothing shows which
    if not any(one.value is not None for one in _returns(function)):
        return None
    found: Expected | None = None
    defined = 0
    for path in trail.project.python_files()[:MOST_FILES]:
        source = trail.project.read(path)
        if source is None or mark not in source or expected.is_test_file(path):
            continue
        own = len(definition.findall(source))
        defined += own
        if source.count(mark) == own:
            continue  # it calls none
        try:
            found = found or expected.by_caller(path, ast.parse(source), name)
        except (SyntaxError, ValueError):
            continue
    return found if defined == 1 else None
