"""The query language of the list: what a person types after `/`, read into terms. Pure; knows no table.

    camera:nikon taken:2024-05..2024-07 blur:>0.6 project:mojo1 sunset -"work in progress"

All terms must hold. A word (or "several words") stands somewhere in the path, title, keywords or description;
`field:value` asks for one thing; `-` before a term turns it round; `or` between two terms wants either of them; `a,b`
after a field is any of the values; `none` and `any` say that something is not known, or is. What the fields are and
take is said in `engine.library.fields`.

An unfinished query is no error, because a person is still typing it: a quote may be open, and a field without a
value asks for nothing. A word before a colon that is no field is an error where it looks like one, else text (10:30).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from engine.errors import UsageError

_FIELD = re.compile(r"([A-Za-z_]+):")
_OR = {"or", "|"}
_SHORTEST_FIELD = 3  # letters before a colon that are read as a misspelt field; fewer are text, as in `a:b`


class QueryError(UsageError):
    """A query that cannot be read. `column` counts from 1; `length` is how many characters are meant."""

    def __init__(self, problem: str, column: int, length: int, *, remedy: str = "") -> None:
        super().__init__(f"column {column}: {problem}", remedy=remedy)
        self.problem = problem
        self.column = column
        self.length = length


@dataclass(frozen=True, slots=True)
class Value:
    """One value as typed, without its quotes; `start` is its place in the query (0 is the first character)."""

    text: str
    start: int
    is_quoted: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """One thing that is asked: `field` None is text. Any of the `values` does; there is at least one."""

    field: str | None
    values: tuple[Value, ...]
    is_negated: bool
    start: int


#: All groups must hold; of a group, any term.
Query = tuple[tuple[Term, ...], ...]


def parse(text: str, fields: Sequence[str]) -> Query:
    """The query that `text` says, for these field names (lower case). Raises QueryError."""
    groups: list[list[Term]] = []
    is_joined = False
    for start, end in _tokens(text):
        word = text[start:end]
        if word.lower() in _OR and groups:
            is_joined = True
            continue
        term = _term(text, start, end, fields)
        if term is None:
            continue
        if is_joined:
            groups[-1].append(term)
        else:
            groups.append([term])
        is_joined = False
    return tuple(map(tuple, groups))


def suggestion(word: str, known: Iterable[str]) -> str:
    """'Did you mean camera? ' or nothing."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"Did you mean {near[0]}? " if near else ""


def _tokens(text: str) -> list[tuple[int, int]]:
    """Where each run of characters without a space lies; spaces between quotes do not end one."""
    found: list[tuple[int, int]] = []
    start: int | None = None
    is_quoted = False
    for place, character in enumerate(text):
        if character.isspace() and not is_quoted:
            if start is not None:
                found.append((start, place))
                start = None
            continue
        if start is None:
            start = place
        if character == '"':
            is_quoted = not is_quoted
    if start is not None:
        found.append((start, len(text)))
    return found


def _term(text: str, start: int, end: int, fields: Sequence[str]) -> Term | None:
    """The term between two places; None where nothing is asked yet."""
    at = start
    is_negated = text[at] == "-" and end - at > 1
    at += is_negated
    name = _FIELD.match(text, at, end)
    if name is not None:
        known = name[1].lower()
        if known in fields:
            values = tuple(value for value in _values(text, name.end(), end) if value.text)
            return Term(known, values, is_negated, start) if values else None
        if len(known) >= _SHORTEST_FIELD and not text[name.end() : end].startswith(("/", "\\")):
            raise QueryError(
                f"there is no field '{name[1]}'",
                at + 1,
                len(name[1]),
                remedy=f"{suggestion(known, fields)}Fields: {', '.join(fields)}. For text, put quotes around it.",
            )
    written = text[at:end].replace('"', "")
    return Term(None, (Value(written, at, '"' in text[at:end]),), is_negated, start) if written else None


def _values(text: str, start: int, end: int) -> list[Value]:
    """The values between commas; a comma between quotes is part of one."""
    found: list[Value] = []
    at = start
    is_quoted = False
    for place in range(start, end + 1):
        if place == end or (text[place] == "," and not is_quoted):
            written = text[at:place]
            found.append(Value(written.replace('"', ""), at, '"' in written))
            at = place + 1
        elif text[place] == '"':
            is_quoted = not is_quoted
    return found
