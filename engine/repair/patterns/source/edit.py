"""Reading and changing Python source so that only what is meant changes: LibCST, with every byte accounted for.

Relies on LibCST. A file that does not come back byte for byte from parsing is refused (`NotEditable`); what an edit
makes is parsed again before it is handed out.
"""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import TypeVar, cast
from warnings import catch_warnings, simplefilter

import libcst as cst
from libcst.metadata import CodeRange

from engine.repair.patterns.pattern import FileEdit
from engine.repair.patterns.source.line_endings import with_endings
from engine.repair.patterns.source.parsed import parsed
from engine.repair.patterns.source.placing import bound_by, dotted, parse_statements, with_helpers, with_imports

Node = TypeVar("Node", bound=cst.CSTNode)
LINE_END = re.compile(r"\r\n|\r|\n")
Change = cst.CSTNode | cst.FlattenSentinel[cst.CSTNode] | cst.RemovalSentinel


class NotEditable(Exception):
    """Why a file is left alone."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Module:
    """One parsed file: find nodes by line, replace them, add imports and helpers."""

    def __init__(self, path: str, source: bytes, *, to_read: bool = False) -> None:
        """Raises NotEditable for source that is no Python, or that parsing would not give back byte for byte (which
        is no matter where it is only read)."""
        self.path = path
        self.source = source
        made = parsed(source)
        if isinstance(made, str):
            raise NotEditable(f"{path} {made}")
        if not made.is_exact and not to_read:
            raise NotEditable(f"{path} would not come back byte for byte (its spacing or its line endings are unusual)")
        self.tree, self.text, self._is_exact = made.tree, made.text, made.is_exact
        self._tail = made.tail
        self._positions, self._parents = made.positions, made.parents
        self._order, self._spans = made.order, made.spans
        self._places = made.places
        self._codes: dict[cst.CSTNode, str] = {}  # every step asks for the same ones
        self._changes: dict[cst.CSTNode, Change] = {}
        self._imports: list[str] = []
        self._helpers: list[str] = []

    # -- finding --------------------------------------------------------------------------------------------------

    @cached_property
    def lines(self) -> Sequence[str]:
        """The lines as Python counts them: a form feed ends none, nor does what else `splitlines` would break at."""
        return LINE_END.split(self.text)

    def position(self, node: cst.CSTNode) -> CodeRange:
        """Where a node stands; lines are 1-based, columns 0-based."""
        return self._positions[node]

    def parent(self, node: cst.CSTNode) -> cst.CSTNode | None:
        """The node around this one."""
        return self._parents.get(node)

    def ancestors(self, node: cst.CSTNode) -> Iterator[cst.CSTNode]:
        """The nodes around this one, nearest first."""
        around = self._parents.get(node)
        while around is not None:
            yield around
            around = self._parents.get(around)

    def nearest(self, node: cst.CSTNode, kind: type[Node]) -> Node | None:
        """The nearest node of a kind around this one."""
        return next((one for one in self.ancestors(node) if isinstance(one, kind)), None)

    def nodes(self, kind: type[Node], line: int | None = None, within: cst.CSTNode | None = None) -> list[Node]:
        """Nodes of a kind in source order; those that touch `line` where it is given, inside `within`."""
        first, end = self._spans.get(within or self.tree, (0, 0))
        if end:
            places = self._places_of(kind)
            there = [self._order[at] for at in places[bisect_left(places, first) : bisect_left(places, end)]]
        else:
            there = [node for node in _below(within or self.tree) if isinstance(node, kind)]
        found = [cast(Node, node) for node in there if line is None or self._touches(node, line)]
        return sorted(found, key=lambda node: (self.position(node).start.line, self.position(node).start.column))

    def _places_of(self, kind: type[cst.CSTNode]) -> Sequence[int]:
        """Where the nodes of a kind are in the order of all."""
        if kind not in self._places:
            self._places[kind] = [at for at, node in enumerate(self._order) if isinstance(node, kind)]
        return self._places[kind]

    def statement(self, line: int) -> cst.SimpleStatementLine | cst.BaseCompoundStatement | None:
        """The innermost statement that touches a line."""
        lines = self.nodes(cst.SimpleStatementLine, line)
        if lines:
            return lines[-1]
        compound = [node for node in self._compound() if self._touches(node, line)]
        return compound[-1] if compound else None

    def line_of(self, code: str, near: int) -> int | None:
        """The line on which `code` stands now (spacing aside), nearest to `near`; None where it is gone."""
        wanted = " ".join(code.split())
        if not wanted:
            return near
        there = [number for number, text in enumerate(self.lines, 1) if " ".join(text.split()) == wanted]
        there = there or [number for number, text in enumerate(self.lines, 1) if wanted in " ".join(text.split())]
        return min(there, key=lambda number: abs(number - near)) if there else None

    def function(self, node: cst.CSTNode) -> cst.FunctionDef | None:
        """The function a node is in."""
        return self.nearest(node, cst.FunctionDef)

    def code(self, node: cst.CSTNode) -> str:
        """A node's source."""
        if node not in self._codes:
            self._codes[node] = self.tree.code_for_node(node)
        return self._codes[node]

    @cached_property
    def quote(self) -> str:
        """The quotation mark that the file's strings mostly have."""
        marks = [one.quote for one in self.nodes(cst.SimpleString) if len(one.quote) == 1]
        return "'" if marks.count("'") > marks.count('"') else '"'

    @cached_property
    def imported(self) -> Mapping[str, str]:
        """What every name bound by an import, anywhere in the file, stands for: `np` -> `numpy`."""
        found: dict[str, str] = {}
        for plain in self.nodes(cst.Import):
            for one in plain.names:
                own = dotted(one.name)
                if one.asname and isinstance(one.asname.name, cst.Name):
                    found[one.asname.name.value] = own
                else:
                    found[own.partition(".")[0]] = own.partition(".")[0]
        for other in self.nodes(cst.ImportFrom):
            base = "." * len(other.relative) + (dotted(other.module) if other.module else "")
            for one in () if isinstance(other.names, cst.ImportStar) else other.names:
                name = one.asname.name if one.asname else one.name
                if isinstance(name, cst.Name):
                    found[name.value] = f"{base}.{dotted(one.name)}"
        return found

    def qualified(self, node: cst.BaseExpression) -> str:
        """A dotted name with its import spelled out (`np.load` -> `numpy.load`); empty for what is no dotted name."""
        name = dotted(node)
        first, dot, rest = name.partition(".")
        return f"{self.imported[first]}{dot}{rest}" if first in self.imported else name

    # -- changing -------------------------------------------------------------------------------------------------

    def insert_before(self, statement: cst.CSTNode, source: str, instead: cst.CSTNode | None = None) -> None:
        """Put statements above one; comments that stand over it stay with it. `instead` stands in its place then."""
        made = parse_statements(source, self.tree)
        kept = cast(cst.SimpleStatementLine, instead or statement)
        lead = list(kept.leading_lines)
        blank = next((n for n, one in enumerate(lead) if one.comment is not None), len(lead))
        first = cast(cst.SimpleStatementLine, made[0]).with_changes(leading_lines=lead[:blank])
        self.replace(statement, cst.FlattenSentinel([first, *made[1:], kept.with_changes(leading_lines=lead[blank:])]))

    def wrap(self, statement: cst.SimpleStatementLine | cst.For, source: str) -> None:
        """Put a statement into the first body of the compound one that `source` is (`try: pass` and so on)."""
        around = cast(cst.Try, parse_statements(source, self.tree)[0])
        inner = statement.with_changes(leading_lines=())
        body = around.body.with_changes(body=[inner])
        self.replace(statement, around.with_changes(body=body, leading_lines=statement.leading_lines))

    def is_replaced(self, node: cst.CSTNode) -> bool:
        """Whether something else is to stand in a node's place already."""
        return node in self._changes

    def insert_after(self, statement: cst.CSTNode, source: str, instead: cst.CSTNode | None = None) -> None:
        """Put statements under one. `instead` stands in its place then."""
        self.replace(statement, cst.FlattenSentinel([instead or statement, *parse_statements(source, self.tree)]))

    def names(self) -> frozenset[str]:
        """Every plain name in the file, so that a new one can be told apart."""
        return frozenset(
            one.value
            for one in self.nodes(cst.Name)
            if not (isinstance(around := self.parent(one), cst.Attribute) and around.attr is one)
        )

    def replace(self, node: cst.CSTNode, change: Change) -> None:
        """Put something else in a node's place (a FlattenSentinel for several statements)."""
        self._changes[node] = change

    def name_of_import(self, module: str, attribute: str | None = None, alias: str | None = None) -> str:
        """What the file calls `module` (or `attribute` of it); an import is added where it has none.

        `alias` is the usual short name (`np`), taken for a new import if the file does not use it otherwise.
        """
        for statement in self._imported():
            name = bound_by(statement, module, attribute)
            if name:
                return name
        line = f"from {module} import {attribute}" if attribute else f"import {module}"
        bound = attribute or module.partition(".")[0]
        if alias and alias != bound:
            line, bound = f"{line} as {alias}", alias
        if line not in self._imports:
            self._imports.append(line)
        return bound if attribute or alias else module

    def add_helper(self, source: str) -> None:
        """Add a function after the imports, once; nothing where a function of that name is there already."""
        name = re.match(r"(?:async )?def (\w+)", source)
        if name is None:
            raise ValueError("a helper is a function")
        if source not in self._helpers and not self.defines(name[1]):
            self._helpers.append(source)

    def defines(self, name: str) -> bool:
        """Whether the file binds `name` at its top level."""
        for node in ast.parse(self.text).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == name:
                return True
            if isinstance(node, ast.Assign) and any(
                isinstance(one, ast.Name) and one.id == name for one in node.targets
            ):
                return True
        return False

    @property
    def is_changed(self) -> bool:
        """Whether anything was asked to change."""
        return bool(self._changes or self._imports or self._helpers)

    def edit(self) -> FileEdit:
        """The file before and after. Raises NotEditable when what came out is no Python, or nothing changed."""
        if not self._is_exact:
            raise NotEditable(f"{self.path} was only to be read")
        tree = self.tree.visit(_Replacer(self._changes)) if self._changes else self.tree
        tree = with_imports(tree, self._imports)
        tree = with_helpers(tree, self._helpers)
        after = with_endings(self.source, tree.bytes + self._tail)
        if after == self.source:
            raise NotEditable(f"{self.path} is as it should be already")
        try:
            with catch_warnings():
                simplefilter("ignore")  # what Python thinks of the file's own style
                compile(after, self.path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError) as error:
            raise NotEditable(f"the edit of {self.path} would not compile: {error}") from error
        return FileEdit(self.path, self.source, after)

    def _touches(self, node: cst.CSTNode, line: int) -> bool:
        where = self._positions.get(node)
        return where is not None and where.start.line <= line <= where.end.line

    def _compound(self) -> list[cst.BaseCompoundStatement]:
        return self.nodes(cst.BaseCompoundStatement)  # type: ignore[type-abstract]

    def imports_for_sure(self, module: str) -> bool:
        """Whether the file binds `module` wherever it is run, rather than in a `try` or an `if` alone."""
        if any(line.split()[1] == module for line in self._imports):
            return True
        return any(bound_by(one, module, None) for one in _imports(self.tree.body))

    def _imported(self) -> Iterator[cst.Import | cst.ImportFrom]:
        """The imports at the top level, those in a `try` or an `if` last; not those for the type checker alone."""
        yield from _imports(self.tree.body)
        for statement in self.tree.body:
            for_types = isinstance(statement, cst.If) and "TYPE_CHECKING" in self.code(statement.test)
            if isinstance(statement, cst.Try | cst.If) and not for_types:
                yield from _imports(statement.body.body)


def _imports(body: Sequence[cst.CSTNode]) -> Iterator[cst.Import | cst.ImportFrom]:
    for statement in body:
        if isinstance(statement, cst.SimpleStatementLine):
            yield from (one for one in statement.body if isinstance(one, cst.Import | cst.ImportFrom))


def with_replaced(node: Node, changes: Mapping[cst.CSTNode, cst.CSTNode]) -> Node:
    """A node with several others below it replaced at once."""
    return cast(Node, node.visit(_Replacer(changes)))


def _below(node: cst.CSTNode) -> list[cst.CSTNode]:
    """A node that is of no file yet, and all below it."""
    return [node, *(one for child in node.children for one in _below(child))]


def with_keyword(call: cst.Call, name: str, value: str) -> cst.Call:
    """The call with one more keyword argument (or another value for it), set out as its other arguments are."""
    args = list(call.args)
    for index, arg in enumerate(args):
        if arg.keyword is not None and arg.keyword.value == name:
            args[index] = arg.with_changes(value=cst.parse_expression(value))
            return call.with_changes(args=args)
    tight = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
    made = cst.Arg(cst.parse_expression(value), cst.Name(name), equal=tight)
    if not args:
        return call.with_changes(args=[made])
    last, before = args[-1], call.whitespace_before_args
    separator = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    one_a_line = all(_breaks(arg.comma) for arg in args[:-1])
    if isinstance(before, cst.ParenthesizedWhitespace) and one_a_line:
        plain = cst.ParenthesizedWhitespace(indent=True, last_line=before.last_line)
        separator = cst.Comma(whitespace_after=plain)
    if isinstance(last.comma, cst.Comma):
        made = made.with_changes(comma=last.comma)
        if _breaks(last.comma) and _breaks(separator):
            there = cast(cst.ParenthesizedWhitespace, last.comma.whitespace_after)
            if there.first_line.comment is not None:  # a comment behind the last argument stays there
                wide = cast(cst.ParenthesizedWhitespace, separator.whitespace_after)
                separator = cst.Comma(whitespace_after=wide.with_changes(first_line=there.first_line))
                bare = there.with_changes(first_line=cst.TrailingWhitespace())
                made = made.with_changes(comma=last.comma.with_changes(whitespace_after=bare))
    made = made.with_changes(whitespace_after_arg=last.whitespace_after_arg)
    args[-1] = last.with_changes(comma=separator, whitespace_after_arg=cst.SimpleWhitespace(""))
    return call.with_changes(args=[*args, made])


def _breaks(comma: cst.Comma | cst.MaybeSentinel) -> bool:
    return isinstance(comma, cst.Comma) and isinstance(comma.whitespace_after, cst.ParenthesizedWhitespace)


def first_changed_line(edit: FileEdit) -> int:
    """The first line (1-based, before the edit) that differs."""
    before, after = (edit.before or b"").splitlines(), edit.after.splitlines()
    for number, (old, new) in enumerate(zip(before, after, strict=False), 1):
        if old != new:
            return number
    return min(len(before), len(after)) + 1


class _Replacer(cst.CSTTransformer):
    def __init__(self, changes: Mapping[cst.CSTNode, Change]) -> None:
        super().__init__()
        self._changes = changes

    def on_leave(self, original_node: cst.CSTNode, updated_node: cst.CSTNode) -> Change:  # type: ignore[override]
        return self._changes.get(original_node, updated_node)


def matching(node: cst.CSTNode, test: Callable[[cst.CSTNode], bool]) -> list[cst.CSTNode]:
    """Every node below (and with) this one for which `test` holds, in source order."""
    found = [node] if test(node) else []
    for child in node.children:
        found += matching(child, test)
    return found
