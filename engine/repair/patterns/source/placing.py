"""Where new imports and helper functions go in a module, in the file's own style."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import cast

import libcst as cst

MOST_BETWEEN = 3  # what stands between two imports at a file's head: a setting, a version


def parse_statements(source: str, config: cst.Module) -> list[cst.BaseStatement]:
    """Statements from source text, in the style (indentation, line endings) of the file they will stand in."""
    made = cst.parse_module(source, config.config_for_parsing)
    return [cast(cst.BaseStatement, one) for one in made.body]


def bound_by(statement: cst.Import | cst.ImportFrom, module: str, attribute: str | None) -> str | None:
    """The name by which an import statement binds `module` (or `attribute` of it)."""
    names = () if isinstance(statement.names, cst.ImportStar) else statement.names
    for one in names:
        own = dotted(one.name)
        bound = one.asname.name.value if one.asname and isinstance(one.asname.name, cst.Name) else None
        if isinstance(statement, cst.Import):
            if own == module:
                return f"{bound or own}.{attribute}" if attribute else bound or own
        elif statement.module and not statement.relative:
            wanted = f"{module}.{attribute}" if attribute else module
            if f"{dotted(statement.module)}.{own}" == wanted:
                return bound or own
    return None


def dotted(node: cst.BaseExpression) -> str:
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def _is_import(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and any(
        isinstance(one, cst.Import | cst.ImportFrom) for one in statement.body
    )


def _is_future(statement: cst.CSTNode) -> bool:
    return isinstance(statement, cst.SimpleStatementLine) and any(
        isinstance(one, cst.ImportFrom) and one.module is not None and dotted(one.module) == "__future__"
        for one in statement.body
    )


def _is_docstring(statement: cst.CSTNode) -> bool:
    return (
        isinstance(statement, cst.SimpleStatementLine)
        and isinstance(statement.body[0], cst.Expr)
        and isinstance(statement.body[0].value, cst.SimpleString | cst.ConcatenatedString)
    )


def _module_of(statement: cst.BaseStatement) -> str:
    one = cast(cst.SimpleStatementLine, statement).body[0]
    if isinstance(one, cst.ImportFrom):
        return "." * len(one.relative) + (dotted(one.module) if one.module else "")
    return dotted(cast(cst.Import, one).names[0].name)


def with_imports(tree: cst.Module, lines: Sequence[str]) -> cst.Module:
    """The module with imports among its own: in its block's order where that is sorted, else at the block's end."""
    for line in lines:
        (made,) = parse_statements(line + "\n", tree)
        body = list(tree.body)
        block = _block(body)
        if block:
            place = _place(body, block, made)
            lead = cast(cst.SimpleStatementLine, body[place]).leading_lines if place in block else ()
            if place == block[0] and lead:  # the comment and space above the block stay above it
                body[place] = cast(cst.SimpleStatementLine, body[place]).with_changes(leading_lines=())
                made = made.with_changes(leading_lines=lead)
        else:
            place = next((n for n, one in enumerate(body) if not (_is_docstring(one) or _is_future(one))), len(body))
            space = [cst.EmptyLine(indent=False)]
            if place:
                made = made.with_changes(leading_lines=space)
            if place < len(body) and not _opens_with_space(body[place]):
                first = body[place]
                lead = getattr(first, "leading_lines", ())
                wide = space * 2 if isinstance(first, cst.FunctionDef | cst.ClassDef) else space
                body[place] = first.with_changes(leading_lines=(*wide, *lead))
        body.insert(place, cast(cst.SimpleStatementLine, made))
        tree = tree.with_changes(body=body)
    return tree


def _block(body: Sequence[cst.CSTNode]) -> list[int]:
    """Indices of the first run of top-level imports, those from __future__ aside."""
    found: list[int] = []
    for index, statement in enumerate(body):
        if _is_future(statement) or (_is_docstring(statement) and not found):
            continue
        if _is_import(statement):
            found.append(index)
        elif found:
            break
    return found


def _place(body: Sequence[cst.CSTNode], block: Sequence[int], made: cst.BaseStatement) -> int:
    """Where in the block a new import goes: before the first of its kind that comes after it."""
    name = _module_of(made)

    def kind(module: str) -> int:
        top = module.partition(".")[0]
        return 2 if module.startswith(".") else 0 if top in sys.stdlib_module_names else 1

    kinds = {index: kind(_module_of(cast(cst.BaseStatement, body[index]))) for index in block}
    same = [index for index in block if kinds[index] == kind(name)]
    if same:
        plain = isinstance(cast(cst.SimpleStatementLine, made).body[0], cst.Import)
        for index in same:
            other = cast(cst.SimpleStatementLine, body[index])
            is_plain = isinstance(other.body[0], cst.Import)
            if plain == is_plain and _module_of(other) > name:
                return index
            if (
                plain
                and not is_plain
                and all(
                    isinstance(cast(cst.SimpleStatementLine, body[one]).body[0], cst.ImportFrom)
                    for one in same
                    if one >= index
                )
            ):
                return index
        return same[-1] + 1
    before = [index for index in block if kinds[index] < kind(name)]
    return before[-1] + 1 if before else block[0]


def with_helpers(tree: cst.Module, helpers: Sequence[str]) -> cst.Module:
    """The module with functions after its imports, two blank lines around each."""
    for helper in helpers:
        (made,) = parse_statements(helper.strip("\n") + "\n", tree)
        body = list(tree.body)
        block = _imports_above(body, cast(cst.FunctionDef, made).name.value)
        place = block[-1] + 1 if block else next((n for n, one in enumerate(body) if not _is_docstring(one)), len(body))
        place = max(place, _after_needed(body, made))
        space = [cst.EmptyLine(indent=False), cst.EmptyLine(indent=False)]
        made = made.with_changes(leading_lines=space if place else ())
        if place < len(body):
            following = body[place]
            lead = list(getattr(following, "leading_lines", ()))
            blank = next((n for n, one in enumerate(lead) if one.comment is not None), len(lead))
            body[place] = following.with_changes(leading_lines=(*space, *lead[blank:]))
        body.insert(place, cast(cst.SimpleStatementLine, made))
        tree = tree.with_changes(body=body)
    return tree


def _imports_above(body: Sequence[cst.CSTNode], helper: str) -> list[int]:
    """Indices of the imports at the head of a file: a few other lines may stand between, none that needs the helper.

    What stands above the first of them is no matter, as long as it does not need the helper either.
    """
    found: list[int] = []
    between = 0
    for index, one in enumerate(body):
        if _is_import(one):
            found.append(index)
            between = 0
            continue
        between += not (_is_docstring(one) or isinstance(one, cst.Try | cst.If))
        is_code = isinstance(one, cst.FunctionDef | cst.ClassDef | cst.For | cst.While | cst.With)
        is_far = bool(found) and between > MOST_BETWEEN
        if is_code or is_far or _names(one, helper):
            break
    first = next((index for index, one in enumerate(body) if _is_import(one)), -1)
    is_free = not any(_names(one, helper) for one in body[: max(first, 0)] if not isinstance(one, cst.FunctionDef))
    return found or ([first] if first >= 0 and is_free else [])


def _names(statement: cst.CSTNode, helper: str) -> bool:
    return any(isinstance(one, cst.Name) and one.value == helper for one in _below(statement))


def _after_needed(body: Sequence[cst.CSTNode], made: cst.BaseStatement) -> int:
    """The place after every import of what the function's defaults name: they are looked up when it is defined."""
    needed = {one.value for one in _below(cast(cst.FunctionDef, made).params) if isinstance(one, cst.Name)}
    last = -1
    for index, statement in enumerate(body):
        if isinstance(statement, cst.FunctionDef | cst.ClassDef):
            continue
        for one in _below(statement):
            if isinstance(one, cst.ImportAlias):
                bound = one.asname.name if one.asname else one.name
                if isinstance(bound, cst.Name) and bound.value in needed:
                    last = index
    return last + 1


def _below(node: cst.CSTNode) -> list[cst.CSTNode]:
    return [node, *(one for child in node.children for one in _below(child))]


def _opens_with_space(statement: cst.CSTNode) -> bool:
    lead: Sequence[cst.EmptyLine] = getattr(statement, "leading_lines", [])
    return bool(lead) and lead[0].comment is None
