"""The project's own classes and modules as they stand in its sources: what they have, and which name was meant."""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable

from engine.repair.patterns.pattern import Case
from engine.repair.patterns.source.edit import Module

TYPES: dict[str, type] = {
    one.__name__: one
    for one in (str, bytes, bytearray, list, tuple, dict, set, frozenset, int, float, complex, bool, range, slice)
}


def is_module(path: str, owner: str) -> bool:
    plain = owner.replace(".", "/")
    return path in (f"{plain}.py", f"{plain}/__init__.py") or path.endswith((f"/{plain}.py", f"/{plain}/__init__.py"))


def top_names(source: bytes) -> set[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return set()
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            names |= {one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    return names


def likely_name(name: str, names: Iterable[str], case: Case) -> str | None:
    """The name that was meant: Python's own guess where the record has it, else a near one."""
    every = {one for one in names if not one.startswith("__")}
    guess = re.search(r"Did you mean: '(\w+)'", case.records[0].message)
    if guess and (guess[1] in every or not every):
        return guess[1]
    every.discard(name)
    flat = {re.sub(r"_", "", one).lower(): one for one in every}
    if re.sub(r"_", "", name).lower() in flat:
        return flat[re.sub(r"_", "", name).lower()]
    near = difflib.get_close_matches(name, every, 2, 0.8)
    if not near or (len(near) > 1 and _ratio(name, near[0]) == _ratio(name, near[1])):
        return None
    return near[0] if min(len(name), len(near[0])) > 3 and not _differs_in_word(name, near[0]) else None


def _ratio(one: str, other: str) -> float:
    return difflib.SequenceMatcher(None, one, other).ratio()


def _differs_in_word(one: str, other: str) -> bool:
    """`load_first` and `load_last`, `name1` and `name2`: two names, not one misspelt."""
    if re.sub(r"\d", "", one) == re.sub(r"\d", "", other):
        return True
    first, second = one.split("_"), other.split("_")
    if len(first) == len(second) and len(first) > 1:
        return any(a != b and _ratio(a, b) < 0.7 for a, b in zip(first, second, strict=True))
    return (
        abs(len(first) - len(second)) > 0
        and one.replace("_", "") != other.replace("_", "")
        and (one.startswith(other) or other.startswith(one) or one.endswith(other) or other.endswith(one))
    )


def classes_of(case: Case, name: str, module: Module) -> Iterable[ast.ClassDef]:
    """The class of a name, and its bases where the project has them."""
    wanted, seen = [name], set()
    sources = [module.source, *(case.project.read(path) or b"" for path in case.project.python_files()[:400])]
    while wanted:
        current = wanted.pop(0)
        if current in seen:
            continue
        seen.add(current)
        for source in sources:
            if f"class {current}".encode() not in source:
                continue
            try:
                tree = ast.parse(source)
            except (SyntaxError, ValueError):
                continue
            found = next((one for one in ast.walk(tree) if isinstance(one, ast.ClassDef) and one.name == current), None)
            if found is not None:
                yield found
                wanted += [ast.unparse(base).rpartition(".")[2] for base in found.bases]
                break


def is_dynamic(found: ast.ClassDef) -> bool:
    return any(
        isinstance(one, ast.FunctionDef) and one.name in ("__getattr__", "__getattribute__") for one in ast.walk(found)
    )


def members_of(owner: str, classes: Iterable[ast.ClassDef]) -> set[str]:
    """What the objects of a class have, as far as its sources tell; a builtin type's own names."""
    names: set[str] = set()
    for found in classes:
        for one in ast.walk(found):
            if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
                names.add(one.name)
            elif isinstance(one, ast.Attribute) and ast.unparse(one.value) == "self" and isinstance(one.ctx, ast.Store):
                names.add(one.attr)
        for statement in found.body:
            if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                names.add(statement.target.id)
            elif isinstance(statement, ast.Assign):
                names |= {one.id for one in statement.targets if isinstance(one, ast.Name)}
    if not names and owner in TYPES:
        names = set(dir(TYPES[owner]))
    return names
