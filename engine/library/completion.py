"""Completing a query: which words may stand where the cursor is. Pure; the library's own values come as a vocabulary.

Relies on the fields' names and choices. The same candidates serve the `/` prompt and the shell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from engine.library.fields import FIELDS, NAMED

#: Field name -> values that the library has, the commonest first.
Vocabulary = Mapping[str, Sequence[str]]
MOST = 50


@dataclass(frozen=True, slots=True)
class Completion:
    """What may replace the characters `start` to `end` of the query, best first; whole words, quoted where needed."""

    start: int
    end: int
    candidates: tuple[str, ...]

    def applied(self, text: str, number: int = 0) -> tuple[str, int]:
        """The query with a candidate in its place, and where the cursor then is."""
        word = self.candidates[number]
        whole = text[: self.start] + word + text[self.end :]
        return whole, self.start + len(word)


def complete(text: str, cursor: int, vocabulary: Vocabulary) -> Completion:
    """What the word before the cursor may become: a field, or a value of the field that it names."""
    start = _word_start(text, cursor)
    typed = text[start:cursor]
    if typed.startswith("-"):
        start, typed = start + 1, typed[1:]
    name, colon, value = typed.partition(":")
    if not colon:
        names = (
            [each.name for each in NAMED if each.name.startswith(typed.lower())] if typed else [e.name for e in NAMED]
        )
        return Completion(start, cursor, tuple(f"{each}:" for each in names[:MOST]))
    field = FIELDS.get(name.lower())
    if field is None:
        return Completion(cursor, cursor, ())
    given, _, last = _last_of(value)
    wanted = last.replace('"', "").casefold()
    known = [
        *vocabulary.get(field.name, ()),
        *(each for each in field.choices if each not in vocabulary.get(field.name, ())),
    ]
    begins = [each for each in known if each.casefold().startswith(wanted)]
    holds = [each for each in known if wanted and wanted in each.casefold() and each not in begins]
    at = start + len(name) + 1 + len(given)
    return Completion(at, cursor, tuple(_quoted(each) for each in (begins + holds)[:MOST]))


def _word_start(text: str, cursor: int) -> int:
    """Where the word around the cursor begins; spaces between quotes are part of it."""
    start, is_quoted = 0, False
    for place, character in enumerate(text[:cursor]):
        if character == '"':
            is_quoted = not is_quoted
        elif character.isspace() and not is_quoted:
            start = place + 1
    return start


def _last_of(value: str) -> tuple[str, str, str]:
    """Before the last comma outside quotes (that comma included), the comma, and behind it."""
    cut, is_quoted = 0, False
    for place, character in enumerate(value):
        if character == '"':
            is_quoted = not is_quoted
        elif character == "," and not is_quoted:
            cut = place + 1
    return value[:cut], "," if cut else "", value[cut:]


def _quoted(value: str) -> str:
    return f'"{value}"' if any(character.isspace() or character == "," for character in value) else value
