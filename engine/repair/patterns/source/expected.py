"""What a function should give where it has nothing to give, as far as the code base says so itself.

Asked in the order of its weight: the project's tests, the function's own early returns and docstring, what its callers
test for, its annotation. Nothing is run.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

import libcst as cst

from engine.repair.patterns.source.edit import Module
from engine.repair.patterns.source.sites import Trail
from engine.repair.patterns.source.syntax import walk

EMPTY = frozenset(("None", "[]", "{}", "()", "''", '""', "0", "0.0", "False", "set()", "-1"))
TOLD = re.compile(
    r"(?i)\b(None|False|an? empty (?:list|dict(?:ionary)?|string|tuple|set)|\[\]|\{\}|0)(?!\w)[^.\n]{0,60}?"
    r"\b(?:if|when|where|for|on|unless)\b[^.\n]{0,60}?"
    r"\b(?:missing|not found|absent|no such|does(?:n't| not) exist|do(?:n't| not) exist|not exist|unreadable|cannot be|"
    r"can't be|could not|not there|empty|fails?|nothing)"
)
_WELL_KNOWN = frozenset(
    (
        *("cv2", "numpy", "torch", "PIL", "imageio", "skimage"),
        *("matplotlib", "pandas", "yaml", "requests", "scipy", "tifffile"),
    )
)
WORDS = {"list": "[]", "dict": "{}", "dictionary": "{}", "string": '""', "tuple": "()", "set": "set()"}


@dataclass(frozen=True)
class Expected:
    """The value (as source) that is to be returned, or the exception that is to be raised, and who says so."""

    value: str | None
    raises: str | None
    why: str


def expected(trail: Trail, module: Module, function: cst.FunctionDef) -> Expected | None:
    """What the tests, then the function itself, want of it where it has nothing to give; None where none tells."""
    return by_tests(trail, function.name.value) or by_itself(module, function)


def by_tests(trail: Trail, name: str) -> Expected | None:
    """What the project's tests expect of a function: those in the traceback first, then where all agree."""
    in_trace = {(path, frame.function.rpartition(".")[2]) for path, frame in trail.frames}
    found: dict[tuple[str | None, str | None], str] = {}
    for path in trail.project.python_files():
        if not is_test_file(path):
            continue
        source = trail.project.read(path)
        try:
            tree = ast.parse(source or b"")
        except (SyntaxError, ValueError):
            continue
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                wants = list(_wants(function, name))
                if wants and (path, function.name) in in_trace:
                    return Expected(*wants[0], f"{path} expects it in {function.name}")
                found.update((one, f"{path} expects it in {function.name}") for one in wants)
    if len(found) == 1:
        ((value, raises), why), *_ = found.items()
        return Expected(value, raises, why)
    return None


def by_itself(module: Module, function: cst.FunctionDef) -> Expected | None:
    """What a function returns early elsewhere, or says in its docstring that it returns."""
    early: list[str] = []
    last = function.body.body[-1] if function.body.body else None
    for node in walk(function.body, into_functions=False):
        if isinstance(node, cst.Return) and module.parent(node) is not last:
            text = module.code(node.value) if node.value is not None else "None"
            if text in EMPTY or text.startswith(("[], ", "None, ")):
                early.append(text)
    if early and len(set(early)) == 1:
        return Expected(early[0], None, f"{function.name.value} returns {early[0]} elsewhere where it has nothing")
    told = TOLD.search(function.get_docstring() or "")
    if told:
        word = told[1].split()[-1].lower()
        value = WORDS.get(word) or {"none": "None", "false": "False"}.get(word, told[1])
        return Expected(value, None, f"its docstring says {value}")
    default = next((one for one in _parameters(function) if one in ("default", "fallback")), None)
    return Expected(default, None, f"it takes a {default}") if default else None


def by_annotation(module: Module, function: cst.FunctionDef) -> Expected | None:
    """None where the annotation allows it; False where a question is asked."""
    if function.returns is None:
        return None
    text = module.code(function.returns.annotation)
    if "Optional[" in text or re.search(r"\|\s*None\b|\bNone\s*\|", text):
        return Expected("None", None, f"it is annotated {text}")
    if text == "bool" and re.match(r"_?(?:is|has|can|should)_", function.name.value):
        return Expected("False", None, "it answers a question")
    return None


def empty_of(module: Module, function: cst.FunctionDef) -> str | None:
    """The empty value of the annotated type, as source."""
    if function.returns is None:
        return None
    word = re.split(r"[\[.]", module.code(function.returns.annotation))[0].lower()
    return {"list": "[]", "dict": "{}", "str": '""', "set": "set()", "tuple": "()"}.get(word)


def by_callers(trail: Trail, name: str) -> Expected | None:
    """None where a caller tests what it got for being None or false."""
    for path in dict.fromkeys(path for path, _frame in trail.frames):
        source = trail.project.read(path)
        if source is None or not _may_call(source, name):
            continue
        try:
            tree = ast.parse(source)
        except (SyntaxError, ValueError):
            continue
        found = by_caller(path, tree, name)
        if found is not None:
            return found
    return None


def _may_call(source: bytes, name: str) -> bool:
    """Whether a file's text has a call of that name, its definitions aside: parsing is slow."""
    calls = re.compile(rf"\b{re.escape(name)}\s*\(".encode())
    return len(calls.findall(source)) > len(re.findall(rf"\bdef\s+{re.escape(name)}\s*\(".encode(), source))


def by_caller(path: str, tree: ast.Module, name: str) -> Expected | None:
    """None where a function of one file tests what it got from a function of that name."""
    elsewhere = foreign_names(tree)
    for nodes in scopes_of(tree):
        calls = [one for one in nodes if isinstance(one, ast.Assign) and _calls(one.value, name, elsewhere)]
        bound = {target.id for node in calls for target in node.targets if isinstance(target, ast.Name)}
        for node in nodes:
            if isinstance(node, ast.BoolOp) and _calls(node.values[0], name, elsewhere):
                return Expected("None", None, f"{path} says what stands in for nothing")
            if isinstance(node, ast.If | ast.IfExp) and tests_for_nothing(node.test, bound, name, elsewhere):
                return Expected("None", None, f"{path} tests what {name} gave for nothing")
    return None


def scopes_of(tree: ast.Module) -> Iterator[list[ast.AST]]:
    """All nodes of each function (with those within it), then what a file does outside of them."""
    functions = [one for one in ast.walk(tree) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    yield from (list(ast.walk(one)) for one in functions)
    outside: list[ast.AST] = []
    queue: deque[ast.AST] = deque([tree])
    while queue:
        node = queue.popleft()
        outside.append(node)
        queue += [
            one for one in ast.iter_child_nodes(node) if not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)
        ]
    yield outside


def foreign_names(tree: ast.Module) -> frozenset[str]:
    """What a file calls the modules it imports whole that are no project's: `cv2` of `cv2.imread`."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                top = one.name.partition(".")[0]
                if top in sys.stdlib_module_names or top in _WELL_KNOWN:
                    found.add(one.asname or top)
    return frozenset(found)


def is_test_file(path: str) -> bool:
    """Whether a file holds tests."""
    name = PurePosixPath(path).name
    return name.startswith("test_") or name.endswith("_test.py") or name in ("tests.py", "conftest.py")


def _parameters(function: cst.FunctionDef) -> list[str]:
    return [one.name.value for one in (*function.params.params, *function.params.kwonly_params)]


def tests_for_nothing(test: ast.expr, bound: set[str], name: str, elsewhere: frozenset[str] = frozenset()) -> bool:
    """Whether a test asks for None, or for nothing, of one of the bound names or of a call of `name` itself."""
    for node in ast.walk(test):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Is | ast.IsNot):
            side, other = node.left, node.comparators[0]
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            side, other = node.operand, ast.Constant(None)
        else:
            continue
        is_it = (isinstance(side, ast.Name) and side.id in bound) or _calls(side, name, elsewhere)
        if is_it and isinstance(other, ast.Constant) and other.value is None:
            return True
    return False


def _wants(function: ast.FunctionDef | ast.AsyncFunctionDef, name: str) -> Iterator[tuple[str | None, str | None]]:
    """What a test function expects of `name`: (value, None) or (None, exception)."""
    bound = {
        target.id
        for node in ast.walk(function)
        if isinstance(node, ast.Assign) and _calls(node.value, name)
        for target in node.targets
        if isinstance(target, ast.Name)
    }

    def given(node: ast.expr) -> bool:
        return _calls(node, name) or (isinstance(node, ast.Name) and node.id in bound)

    for node in ast.walk(function):
        if isinstance(node, ast.With | ast.AsyncWith):
            for item in node.items:
                raised = _raises(item.context_expr)
                if raised and any(
                    _calls(one, name) for line in node.body for one in ast.walk(line) if isinstance(one, ast.expr)
                ):
                    yield None, raised
        elif isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq | ast.Is):
            left, right = node.left, node.comparators[0]
            for side, other in ((left, right), (right, left)):
                if given(side) and ast.unparse(other) in EMPTY:
                    yield ast.unparse(other), None
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            if node.func.attr == "assertIsNone" and given(node.args[0]):
                yield "None", None
            elif node.func.attr == "assertFalse" and given(node.args[0]):
                yield "False", None
            elif node.func.attr in ("assertEqual", "assertEquals", "assertIs") and len(node.args) >= 2:
                for side, other in (node.args[:2], node.args[1::-1]):
                    if given(side) and ast.unparse(other) in EMPTY:
                        yield ast.unparse(other), None
            elif node.func.attr == "assertRaises" and len(node.args) > 1 and last_of(node.args[1]) == name:
                yield None, last_of(node.args[0])


def last_of(node: ast.expr) -> str:
    """`c` of `a.b.c`."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _calls(node: ast.expr, name: str, elsewhere: frozenset[str] = frozenset()) -> bool:
    if isinstance(node, ast.Await):
        node = node.value
    if not isinstance(node, ast.Call) or last_of(node.func) != name:
        return False
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    return not (isinstance(owner, ast.Name) and owner.id in elsewhere)


def _raises(node: ast.expr) -> str | None:
    if (
        isinstance(node, ast.Call)
        and last_of(node.func) in ("raises", "assertRaises", "assertRaisesRegex")
        and node.args
    ):
        first = node.args[0]
        if isinstance(first, ast.Tuple) and first.elts:
            first = first.elts[0]
        return last_of(first) or None
    return None
