"""A file's tree, parsed once: positions, parents, and its nodes in the order in which they stand.

Relies on LibCST. What is parsed is kept for the patterns that ask next, and never changed in place.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import libcst as cst
from libcst.metadata import CodeRange, MetadataWrapper, PositionProvider

_OLD = re.compile(  # statements that Python 2 alone has
    r"^[ \t]*(?:print[ \t]+(?:['\">]|[\w.]+(?:\[[^\n]*\])?[ \t]*(?:,[^\n]*)?$)|exec[ \t]+['\"]"
    r"|except[ \t]+(?:[\w.]+|\([^)\n]*\)),[ \t]*\w+[ \t]*:|raise[ \t]+[\w.]+,)[^\n]*",
    re.M,
)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A file's tree; `order` has its nodes as they stand in the source, `spans` where a node and all below it are in
    that order (asking a LibCST node for its children walks it anew every time)."""

    tree: cst.Module
    text: str
    positions: Mapping[cst.CSTNode, CodeRange]
    parents: Mapping[cst.CSTNode, cst.CSTNode]
    order: Sequence[cst.CSTNode]
    spans: Mapping[cst.CSTNode, tuple[int, int]]
    is_exact: bool  # written out again, with the tail, it is the source byte for byte
    tail: bytes  # blanks behind the last line, which LibCST drops where no line ends after them
    places: dict[type[cst.CSTNode], Sequence[int]] = field(default_factory=dict)  # by kind, filled as it is asked for


TOO_DEEP = "is nested too deeply: a chain of hundreds of `elif`, or brackets in brackets"  # an `elif` is a level, too


@lru_cache(maxsize=24)  # many errors lie in few files, and every pattern asks; trees are never changed in place
def parsed(source: bytes) -> Parsed | str:
    """A file's tree with positions and parents; why there is none."""
    try:
        tree = cst.parse_module(source)
        tail = b"" if tree.bytes == source else _blank_tail(source)
        tree = cst.parse_module(source.removesuffix(tail)) if tail else tree
    except RecursionError:
        return TOO_DEEP
    except (cst.ParserSyntaxError, UnicodeError, SyntaxError, LookupError) as error:
        old = _OLD.search(source.decode("utf-8", "replace"))
        if old is not None:
            said = " ".join(old[0].split())[:60]
            return f"is written in Python 2 (`{said}`): only what Python 3 reads is edited"
        return f"cannot be parsed: {str(error).splitlines()[0]}"
    try:
        return _located(tree, tail, source)
    except RecursionError:
        return TOO_DEEP


def _located(tree: cst.Module, tail: bytes, source: bytes) -> Parsed:
    """A parsed file with positions and parents. Raises RecursionError."""
    wrapper = MetadataWrapper(tree, unsafe_skip_copy=True)
    order: list[cst.CSTNode] = []
    spans: dict[cst.CSTNode, tuple[int, int]] = {}
    parents: dict[cst.CSTNode, cst.CSTNode] = {}  # here, as LibCST's own provider would walk a large file once more

    def look(node: cst.CSTNode) -> None:
        first = len(order)
        order.append(node)
        for child in node.children:
            parents[child] = node
            look(child)
        spans[node] = (first, len(order))

    look(wrapper.module)
    positions = wrapper.resolve(PositionProvider)
    is_exact = tree.bytes + tail == source
    return Parsed(wrapper.module, wrapper.module.code, positions, parents, order, spans, is_exact, tail)


def _blank_tail(source: bytes) -> bytes:
    """The blank lines, and blanks of a line without an end, behind a file's last line of code."""
    tail = source[len(source.rstrip(b" \t\f\r\n")) :]
    end = re.match(rb"[ \t\f]*(?:\r\n|\r|\n)", tail)
    return tail[end.end() :] if end is not None else b""
