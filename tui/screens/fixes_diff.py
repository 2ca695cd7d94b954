"""A fix's edits as rows: unified, or old and new side by side, with syntax colours and the signs + and - always.

Pure: from the bytes before and after to rows of spans; a hunk keeps its number, by which it is marked. Colours are the
theme's own roles, given to what Pygments calls each word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from engine.changes import printable
from engine.repair.fix import text_of
from engine.repair.merge import Hunk, hunks
from tui.widgets.lines import Row, Span, clip_spans, row, width_of

if TYPE_CHECKING:
    from engine.repair.patterns.pattern import FileEdit

CONTEXT = 3
MOST_ROWS = 6  # of one changed line
HunkKey = tuple[str, int]  # path, number within the file
_INKS = (("Comment", "faint"), ("Literal.String", "decided"), ("Literal.Number", "suggest"), ("Keyword", "strong bold"))


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A row, and the hunk whose first row it is."""

    row: Row
    starts: HunkKey | None = None


def diff_rows(
    edits: Sequence[FileEdit],
    width: int,
    *,
    side_by_side: bool,
    current: HunkKey | None,
    marked: Collection[HunkKey],
) -> list[DiffRow]:
    """Every edit as rows of at most `width` cells."""
    made: list[DiffRow] = []
    for edit in edits:
        made.append(DiffRow(row((edit.path, "strong"), ("  new file" if edit.before is None else "", "dim"))))
        old, new = coloured(edit.before or b"", edit.path), coloured(edit.after, edit.path)
        draw = _beside if side_by_side else _below
        shift, end = 0, 0
        every = hunks(edit.before or b"", edit.after)
        for number, hunk in enumerate(every):
            start = max(end, hunk.start - CONTEXT)
            if start > end or (number and start > end):
                made.append(DiffRow(row(("  ⋯", "faint"))))
            key = (edit.path, number)
            mark = "●" if key in marked else "▸" if key == current else " "
            made += [DiffRow(_same(old, line, shift, width, side_by_side)) for line in range(start, hunk.start)]
            made += draw(hunk, old, new, shift, width, mark, key)
            shift += len(hunk.lines) - (hunk.end - hunk.start)
            following = every[number + 1].start if number + 1 < len(every) else len(old)
            end = min(hunk.end + CONTEXT, following)
            made += [DiffRow(_same(old, line, shift, width, side_by_side)) for line in range(hunk.end, end)]
    return made


def hunk_keys(edits: Sequence[FileEdit]) -> list[HunkKey]:
    """The hunks of all edits, top to bottom."""
    return [(edit.path, number) for edit in edits for number in range(len(hunks(edit.before or b"", edit.after)))]


@lru_cache(maxsize=32)
def coloured(source: bytes, path: str) -> tuple[tuple[Span, ...], ...]:
    """The lines of a file as spans, coloured by its language."""
    from pygments.lexers import get_lexer_for_filename
    from pygments.lexers.special import TextLexer
    from pygments.util import ClassNotFound

    text = re.sub(r"\r\n|\r", "\n", text_of(source))
    try:
        lexer = get_lexer_for_filename(path, stripnl=False, ensurenl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False, ensurenl=False)
    lines: list[list[Span]] = [[]]
    for kind, value in lexer.get_tokens(text):
        ink = next((ink for name, ink in _INKS if str(kind).startswith(f"Token.{name}")), "text")
        first, *others = value.split("\n")
        lines[-1] += [(_shown(first), ink)] if first else []
        for part in others:
            lines.append([(_shown(part), ink)] if part else [])
    return tuple(map(tuple, lines[: len(source.splitlines())]))


def _shown(text: str) -> str:
    return printable(text.expandtabs(4))


Lines = Sequence[Sequence[Span]]
_GUTTER = 8  # cells: mark, number, space, sign, space


def _gutter(number: int | None, sign: str, mark: str) -> list[Span]:
    ink = {"-": "danger bold", "+": "decided bold"}.get(sign, "faint")
    return [
        (mark, "suggest bold"),
        (f"{number if number is not None else '':>4} ", "faint"),
        (f"{sign} ", ink),
    ]


def _line(lines: Lines, index: int) -> list[Span]:
    return list(lines[index]) if index < len(lines) else []


def _same(old: Lines, index: int, shift: int, width: int, side_by_side: bool) -> Row:
    here = [(text, "dim") for text, _ in _line(old, index)]
    if not side_by_side:
        return Row((*_gutter(index + 1 + shift, " ", " "), *here))
    left = [*_gutter(index + 1, " ", " "), *here]
    return _halves(left, [*_gutter(index + 1 + shift, " ", " "), *here], width)


def _below(hunk: Hunk, old: Lines, new: Lines, shift: int, width: int, mark: str, key: HunkKey) -> list[DiffRow]:
    first = hunk.start + shift
    lines = [(line + 1, "-", _line(old, line)) for line in range(hunk.start, hunk.end)]
    lines += [(line + 1, "+", _line(new, line)) for line in range(first, first + len(hunk.lines))]
    spans = [one for number, sign, line in lines for one in _changed(number, sign, mark, line, width)]
    return [DiffRow(Row(tuple(one)), None if number else key) for number, one in enumerate(spans)]


def _beside(hunk: Hunk, old: Lines, new: Lines, shift: int, width: int, mark: str, key: HunkKey) -> list[DiffRow]:
    first, half = hunk.start + shift, _half(width)
    made: list[DiffRow] = []
    for step in range(max(hunk.end - hunk.start, len(hunk.lines))):
        was, now = hunk.start + step, first + step
        left = _changed(was + 1, "-", mark, _line(old, was), half) if was < hunk.end else []
        right = _changed(now + 1, "+", " ", _line(new, now), half) if step < len(hunk.lines) else []
        for at in range(max(len(left), len(right))):
            one = left[at] if at < len(left) else _gutter(None, " ", mark)
            other = right[at] if at < len(right) else _gutter(None, " ", " ")
            made.append(DiffRow(_halves(one, other, width), None if made else key))
    return made


def _changed(number: int, sign: str, mark: str, line: Sequence[Span], width: int) -> list[list[Span]]:
    """A changed line whole, on as many rows as it takes: what was changed may stand at its end."""
    parts = _folded(line, max(1, width - _GUTTER))
    return [[*_gutter(None if at else number, sign, mark), *part] for at, part in enumerate(parts)]


def _folded(line: Sequence[Span], width: int) -> list[list[Span]]:
    """A line in parts of at most `width` cells; of a very long one, its beginning."""
    rows: list[list[Span]] = [[]]
    left = width
    for text, ink in line:
        rest = text
        while rest:
            fits = 0
            for sign in rest:
                if width_of([(sign, ink)]) > left:
                    break
                left -= width_of([(sign, ink)])
                fits += 1
            if not fits and left == width:
                fits = 1  # wider than any row
            rows[-1] += [(rest[:fits], ink)] if fits else []
            rest = rest[fits:]
            if rest and len(rows) == MOST_ROWS:
                rows[-1] = clip_spans([*rows[-1], (rest, ink)], width)
                return rows
            if rest:
                rows.append([])
                left = width
    return rows


def _half(width: int) -> int:
    return max(_GUTTER, (width - 3) // 2)


def _halves(left: Sequence[Span], right: Sequence[Span], width: int) -> Row:
    half = _half(width)
    shown = clip_spans(left, half)
    return Row((*shown, (" " * (half - width_of(shown)), "text"), (" │ ", "rule"), *right))
