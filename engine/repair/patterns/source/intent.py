"""What the code around an error says about it: whether it is meant to be raised, and what a function gives for nothing.

Relies on the sources alone. An error that somebody catches, documents, asserts or raises themselves is no fault to be
guarded away; a value that tests, docstrings, other returns or annotations name is no guess.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import PurePosixPath
from typing import cast

import libcst as cst

from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source import documented
from engine.repair.patterns.source.edit import Module, Node, NotEditable
from engine.repair.record import Frame

MOST_FILES = 400
_SCOPES = (cst.FunctionDef, cst.ClassDef, cst.Lambda)
_READING = ("__getitem__", "__missing__", "__delitem__")
_BASES = {
    "ZeroDivisionError": ("ArithmeticError",),
    "KeyError": ("LookupError",),
    "IndexError": ("LookupError",),
    "AttributeError": (),
    "TypeError": (),
}
_ON_PURPOSE = re.compile(
    r"(?i)non-?zero|never (?:zero|none|empty|missing)|(?:must|may|can|should|shall) ?not be (?:zero|none|empty|missing)"
    r"|must be (?:nonzero|non-zero|positive|set|given|present)|let (?:it|this) (?:raise|fail|crash|blow)"
    r"|fail (?:loud|fast|hard|early)"
    r"|on purpose|deliberate|intention|should raise|must raise|is required|are required|required (?:key|field|setting)"
    r"|raise[sd]? (?:a |an )?(?:KeyError|IndexError|AttributeError|TypeError|ZeroDivisionError)|crash (?:here|loudly)"
    r"|propagates?\b|caller'?s? (?:must|handles?|catch)"
)


# What a function finds out is nothing that it demands: "whether all required keys exist".
_ASKING = re.compile(
    r"(?i)\b(?:whether|checks? (?:if|that)|tests? (?:if|that)|(?:returns?|is) (?:true|false) if)\b[^.;\n]*"
)

_LIBRARY = re.compile(r"(?i)(?:[/\\]lib(?:64)?[/\\](?:python[\d.]+[/\\])?\w[^/\\]*|<frozen [\w.]+>)")


@dataclass(frozen=True, slots=True)
class Place:
    """One frame of the error inside the project."""

    path: str
    source: bytes
    line: int
    frame: Frame


def open_module(case: Case) -> tuple[Module, int] | str:
    """The file and the line where the code stands now, or why not."""
    try:
        module = Module(case.path, case.source)
    except NotEditable as error:
        return error.reason
    line = module.line_of(case.frame.code.splitlines()[0] if case.frame.code else "", case.line)
    if line is None:
        return f"the line is gone from {case.path}: {case.frame.code.strip()[:80]}"
    return module, line


def places(case: Case) -> list[Place]:
    """The error's frames inside the project, innermost first, as the newest record tells them."""
    found: list[Place] = []
    files = case.project.python_files()
    for frame in reversed(case.records[0].frames if case.records else ()):
        path = _own_path(frame.file, files, case)
        source = case.project.read(path) if path else None
        if path and source is not None:
            found.append(Place(path, source, frame.line, frame))
    return found


def _own_path(file: str, files: Sequence[str], case: Case) -> str | None:
    text = file.replace("\\", "/")
    root = case.project.root.as_posix()
    if text.startswith(root + "/"):
        text = text[len(root) + 1 :]
    if text in files:
        return text
    if text.startswith("/") and any(part in text for part in ("/site-packages/", "/lib/python", "/dist-packages/")):
        return None
    ending = [path for path in files if text.endswith("/" + path)]
    return max(ending, key=len) if ending else None


def raised_below(case: Case) -> Frame | None:
    """The frame of a library in which the error was raised; None where it was raised at the project's own line."""
    last = case.records[0].frames[-1] if case.records and case.records[0].frames else case.frame
    own = case.frame
    return None if (last.line, last.function, last.code) == (own.line, own.function, own.code) else last


def outward(case: Case) -> Case | None:
    """The case of the line that read from an object of a class of the project's own, where the error was raised in
    that class's `__getitem__` or the like; None for any other error, and where no line of the project called it."""
    if case.frame.function.rpartition(".")[2] not in _READING:
        return None
    around = places(case)
    at = next((index for index, one in enumerate(around) if one.frame == case.frame), len(around))
    outer = next((one for one in around[at + 1 :] if one.frame.function.rpartition(".")[2] not in _READING), None)
    if outer is None or outer.frame.function == "<module>":
        return None
    return replace(case, path=outer.path, source=outer.source, frame=outer.frame, line=outer.line)


def is_own_key(case: Case) -> bool:
    """Whether a KeyError comes from the container that the line itself reads: an heir of dict, say."""
    frames = case.records[0].frames
    at = max((index for index, one in enumerate(frames) if one == case.frame), default=len(frames))
    below = frames[at + 1 :]
    return 0 < len(below) < 3 and all(one.function.rpartition(".")[2] in _READING for one in below)


def is_own_argument(case: Case, code: str) -> bool:
    """Whether the error comes from what a function of Python's library was given by the code of the line itself."""
    frames = case.records[0].frames
    at = max((index for index, one in enumerate(frames) if one == case.frame), default=len(frames))
    below = frames[at + 1 :]
    if not below or any(re.search(r"[/\\](?:site|dist)-packages[/\\]", one.file) for one in below):
        return False
    called = re.findall(r"(\w+)\(", code)
    return all(_LIBRARY.search(one.file) for one in below) and below[0].function in (*called, "__init__", "__new__")


def is_test(path: str) -> bool:
    """Whether a file holds tests."""
    pure = PurePosixPath(path)
    return (
        pure.name.startswith("test_")
        or pure.stem.endswith("_test")
        or pure.name == "conftest.py"
        or any(part in ("tests", "test", "testing") for part in pure.parts[:-1])
    )


def meant(case: Case, module: Module, node: cst.CSTNode, line: int, error: str) -> str | None:
    """Why an error of this type is meant to be raised (or handled) where it is; None where nothing says so."""
    if is_test(case.path):
        return "the error is in the tests' own code"
    code = case.frame.code.strip()
    if re.match(rf"raise(?:\s+(?:\w+|[\w.]*\b{error}\b.*))?\Z", code):
        return "the project raises this error itself"
    if re.match(r"assert\b", code):
        return "the line is an assertion"
    if _catches(module, node, error):
        return f"{error} is caught on purpose here"
    function = module.function(node)
    around = _lines(module, line)
    if function is not None:
        name = function.name.value
        text = docstring(function) or ""
        if error in text:
            return f"{name} documents that it raises {error}"
        if _ON_PURPOSE.search(_ASKING.sub("", documented.without_others(function, node, text))):
            return f"{name}'s documentation says that this must not happen"
        outer = module.function(function)
        if name in _expected_to_raise(case, error) or (outer and outer.name.value in _expected_to_raise(case, error)):
            return f"a test expects {error} of {name}"
    if any(_ON_PURPOSE.search(comment) for comment in around):
        return "a comment beside it says that this must not happen"
    for place in places(case)[1:]:
        if _caught_by_caller(place, error):
            return f"the caller in {place.path} catches {error} on purpose"
    return None


def _lines(module: Module, line: int) -> list[str]:
    """Comments on the line, at its end, and right above it."""
    lines = module.lines
    found = []
    if 0 < line <= len(lines) and "#" in lines[line - 1]:
        found.append(lines[line - 1].partition("#")[2])
    for text in reversed(lines[max(0, line - 4) : line - 1]):
        if not text.strip().startswith("#"):
            break
        found.append(text)
    return found


def _catches(module: Module, node: cst.CSTNode, error: str) -> bool:
    inner = node
    for around in module.ancestors(node):
        if isinstance(around, cst.FunctionDef):
            return False
        if isinstance(around, cst.Try) and around.body is inner:
            for handler in around.handlers:
                names = _caught(ast.parse(module.code(handler.type)).body[0]) if handler.type else ()
                if any(name == error or name in _BASES.get(error, ()) for name in names):
                    return True
        if isinstance(around, cst.With) and around.body is inner:
            text = "".join(module.code(item.item) for item in around.items)
            if re.search(r"suppress|[rR]aises", text) and re.search(rf"\b{error}\b", text):
                return True
        inner = around
    return False


def _caught(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Name):
            yield one.id
        elif isinstance(one, ast.Attribute):
            yield one.attr


def _caught_by_caller(place: Place, error: str) -> bool:
    try:
        tree = ast.parse(place.source)
    except (SyntaxError, ValueError):
        return False
    for node in ast.walk(tree):
        if isinstance(node, ast.Try) and node.body[0].lineno <= place.line <= (node.body[-1].end_lineno or 0):
            for handler in node.handlers:
                if handler.type and any(
                    name == error or name in _BASES.get(error, ()) for name in _caught(handler.type)
                ):
                    return True
        if isinstance(node, ast.With) and node.lineno <= place.line <= (node.end_lineno or 0):
            text = " ".join(ast.unparse(item.context_expr) for item in node.items)
            if re.search(r"raises|assertRaises|suppress", text) and error in text:
                return True
    return False


def sources(case: Case, word: str) -> Iterator[tuple[str, ast.Module]]:
    """Parsed files of the project in which a word stands, tests first."""
    files = sorted(case.project.python_files(), key=lambda path: not is_test(path))[:MOST_FILES]
    for path in files:
        source = case.project.read(path)
        if source is None or word.encode() not in source:
            continue
        try:
            yield path, _tree(source)
        except (SyntaxError, ValueError):
            continue


@lru_cache(maxsize=64)  # read alone, and asked for again by every step
def _tree(source: bytes) -> ast.Module:
    return ast.parse(source)


def callers(case: Case, name: str) -> Iterator[ast.AST]:
    """Code in which a function is called: the record's own lines first, then the project's tests."""
    for frame in reversed(case.records[0].frames[:-1] if case.records else ()):
        try:
            yield ast.parse(frame.code.strip())
        except (SyntaxError, ValueError):
            continue
    for path, tree in sources(case, name):
        if is_test(path):
            yield tree


def _expected_to_raise(case: Case, error: str) -> set[str]:
    """Names called where a test expects the error."""
    found: set[str] = set()
    for _path, tree in sources(case, error):
        for node in ast.walk(tree):
            if isinstance(node, ast.With | ast.AsyncWith):
                text = " ".join(ast.unparse(item.context_expr) for item in node.items)
                if re.search(r"[rR]aises", text) and re.search(rf"\b{error}\b", text):
                    found |= {name for one in node.body for name in called(one)}
            elif (isinstance(node, ast.Call) and len(node.args) > 1 and "aises" in ast.unparse(node.func)) and (
                error in ast.unparse(node.args[0])
            ):
                found |= set(_caught(node.args[1]))
    return found


def called(node: ast.AST) -> Iterator[str]:
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            target = one.func
            yield (
                target.id if isinstance(target, ast.Name) else target.attr if isinstance(target, ast.Attribute) else ""
            )


def docstring(function: cst.FunctionDef) -> str | None:
    """A function's docstring."""
    return function.get_docstring()


# -- what a function gives for nothing ---------------------------------------------------------------------------------


def returns_value(function: cst.FunctionDef) -> bool:
    """Whether a function returns something other than None anywhere."""
    return any(one.value is not None for one in own_nodes(function.body, cst.Return))


def is_generator(function: cst.FunctionDef) -> bool:
    """Whether a function yields."""
    return bool(own_nodes(function.body, cst.Yield))


def own_nodes(node: cst.CSTNode, kind: type[Node]) -> list[Node]:
    """Nodes of a kind below this one, those of functions and classes defined in it aside."""
    return list(cast(Sequence[Node], _own_of_kind(node, kind)))


@lru_cache(maxsize=8192)
def _own_of_kind(node: cst.CSTNode, kind: type[cst.CSTNode]) -> Sequence[cst.CSTNode]:
    return tuple(one for one in _own(node) if isinstance(one, kind))


@lru_cache(maxsize=2048)  # every step of a pattern asks anew; trees are never changed in place
def _own(node: cst.CSTNode) -> Sequence[cst.CSTNode]:
    found: list[cst.CSTNode] = []
    left = list(reversed(node.children))
    while left:
        child = left.pop()
        found.append(child)
        if not isinstance(child, _SCOPES):
            left += reversed(child.children)
    return tuple(found)
